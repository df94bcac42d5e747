//! Errors meet the wire here, once. Internal text is never sent.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message;
use prost_types::Any;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, pb as rpc};

use super::pb;
use crate::chain::chain;
use crate::domain::rules::{RuleCode, rule};
use crate::unique::unique;
use crate::usecase::error::{Error, Refusal};

/// The domain of every `ErrorInfo`.
const DOMAIN: &str = "aftercare";
/// The most bytes that one list of details takes. They travel in a header, as base64; many clients take 8 KiB of headers.
const LONGEST_LIST: usize = 5_500;
/// When to come back after UNAVAILABLE.
const COME_BACK: Duration = Duration::from_millis(200);
/// When to come back to a service that has too much to do. \[P\]
const COME_BACK_LATER: Duration = Duration::from_secs(1);

/// The status of an error.
pub fn status(error: Error) -> Status {
    let mut details = ErrorDetails::with_error_info(error.reason(), DOMAIN, HashMap::new());
    let mut extra = None;
    let code = match &error {
        Error::Unauthenticated => Code::Unauthenticated,
        Error::Denied => Code::PermissionDenied,
        Error::Invalid(fields) => {
            let wrong = |it: &crate::usecase::error::FieldViolation| FieldViolation::new(&it.field, &it.says);
            details.set_bad_request(fitting(fields.iter().map(wrong), |it| it.field.len() + it.description.len()));
            Code::InvalidArgument
        }
        Error::RequestReused => {
            details.add_bad_request_violation("request_id", error.to_string());
            Code::InvalidArgument
        }
        Error::NotFound(_) => Code::NotFound,
        Error::Exists(_) => Code::AlreadyExists,
        Error::EtagMismatch(_) => Code::Aborted,
        Error::Refused(refusal) => {
            details.set_precondition_failure(fitting(violations(refusal), length));
            extra = Some(alternatives(refusal));
            Code::FailedPrecondition
        }
        Error::SeriesRefused(refusal) => {
            let broken = refusal.broken().into_iter();
            let violation = |code: RuleCode| PreconditionViolation::new(code.as_str(), "series", says(code));
            details.set_precondition_failure(broken.map(violation).collect::<Vec<_>>());
            extra = Some(super::session::series_refusal(refusal));
            Code::FailedPrecondition
        }
        Error::Precondition { reason, says, subjects } => {
            let all = subjects.iter().map(|id| PreconditionViolation::new(*reason, id.to_string(), *says));
            details.set_precondition_failure(fitting(all, length));
            Code::FailedPrecondition
        }
        Error::OutsideAge { suggested } => {
            let says = error.to_string();
            let violation = |code: &str| PreconditionViolation::new(error.reason(), code, &says);
            let all = suggested.iter().map(|code| violation(code.as_str()));
            details.set_precondition_failure(all.collect::<Vec<_>>());
            Code::FailedPrecondition
        }
        Error::Exhausted { retry_for, .. } => {
            details.set_retry_info(retry_for.to_std().ok());
            Code::ResourceExhausted
        }
        Error::Unavailable(source) => {
            tracing::warn!(error = %chain(source), "unavailable");
            details.set_retry_info(Some(COME_BACK));
            Code::Unavailable
        }
        Error::NoKeys | Error::Ending => {
            details.set_retry_info(Some(COME_BACK));
            Code::Unavailable
        }
        Error::Overloaded => {
            details.set_retry_info(Some(COME_BACK_LATER));
            Code::Unavailable
        }
        Error::Overdue => Code::DeadlineExceeded,
        Error::Internal(source) => return internal(source),
    };
    with_details(code, &error.to_string(), &details, extra)
}

/// As many of these as one answer can carry.
pub(super) fn fitting<T>(all: impl IntoIterator<Item = T>, length: impl Fn(&T) -> usize) -> Vec<T> {
    // What surrounds each on the wire.
    const FRAME: usize = 8;
    let mut left = LONGEST_LIST;
    let fits = |it: &T| {
        let taken = left.checked_sub(length(it) + FRAME);
        left = taken.unwrap_or_default();
        taken.is_some()
    };
    all.into_iter().take_while(fits).collect()
}

fn length(it: &PreconditionViolation) -> usize {
    it.r#type.len() + it.subject.len() + it.description.len()
}

/// An opaque id for the caller, the chain of causes for the log.
fn internal(source: &(dyn std::error::Error + 'static)) -> Status {
    let id = unique();
    tracing::error!(%id, error = %chain(source), "internal error");
    let info = HashMap::from([("error_id".to_owned(), id)]);
    let details = ErrorDetails::with_error_info("INTERNAL", DOMAIN, info);
    with_details(Code::Internal, "internal error", &details, None)
}

/// What a rule says to people.
fn says(code: RuleCode) -> String {
    match rule(code) {
        Some(rule) if code.is_soft() => format!("{}; can be overridden with a reason", rule.says),
        rule => rule.map(|rule| rule.says.to_owned()).unwrap_or_default(),
    }
}

fn violations(refusal: &Refusal) -> Vec<PreconditionViolation> {
    let violation = |code: &RuleCode, subject: String| PreconditionViolation::new(code.as_str(), subject, says(*code));
    let of = |code: &RuleCode| {
        let clients = refusal.about.iter().filter(|(_, rule)| rule == code).map(|(id, _)| format!("client/{id}"));
        let clients: Vec<String> = clients.collect();
        if clients.is_empty() { vec!["session".to_owned()] } else { clients }
    };
    if refusal.by_session.is_empty() {
        return refusal.broken.iter().flat_map(|code| of(code).into_iter().map(|it| violation(code, it))).collect();
    }
    let by_session = refusal.by_session.iter();
    let each = by_session.flat_map(|(id, broken)| broken.iter().map(move |code| (code, format!("session/{id}"))));
    each.map(|(code, subject)| violation(code, subject)).collect()
}

fn alternatives(refusal: &Refusal) -> Any {
    let message = pb::BookingAlternatives { slots: refusal.alternatives.iter().map(super::slot::slot).collect() };
    Any { type_url: "type.googleapis.com/aftercare.v1.BookingAlternatives".into(), value: message.encode_to_vec() }
}

fn with_details(code: Code, message: &str, details: &ErrorDetails, extra: Option<Any>) -> Status {
    use tonic_types::StatusExt;
    let standard = Status::with_error_details(code, message, details.clone());
    let Some(extra) = extra else { return standard };
    match rpc::Status::decode(standard.details()) {
        Ok(mut all) => {
            all.details.push(extra);
            Status::with_details(code, message, all.encode_to_vec().into())
        }
        Err(_) => standard,
    }
}
