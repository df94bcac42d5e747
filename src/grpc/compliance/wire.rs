//! Orders and where they stand, on the wire.

use chrono::NaiveDate;

use crate::domain::compliance::{Assessment, Breach, Fact, Failure, Policy};
use crate::domain::personal::Personal;
use crate::domain::police::Lookup;
use crate::domain::text::{Code, bounded};
use crate::domain::treatment::act::{Act, Event};
use crate::domain::treatment::{MOST_REQUIRED, Published, Terms};
use crate::grpc::fields::{Fields, count, date, id_text, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::feed::Message;
use crate::usecase::treatment::{Answer, ComplianceChange, Drafted, Overview, Told};

/// The terms of an order.
pub fn drafted(f: &mut Fields, pb: &pb::TreatmentOrder) -> Option<Drafted> {
    let jurisdiction = f.parse("jurisdiction", &pb.jurisdiction, Code::parse);
    let mandate = f.word("mandate", pb.mandate);
    let document = f.parse("document", &pb.document, |raw| bounded(raw, 1..=100));
    let starts_on = f.date("starts_on", pb.starts_on.as_ref());
    let ends_on = f.maybe_date("ends_on", pb.ends_on.as_ref());
    if ends_on.flatten().zip(starts_on).is_some_and(|(ends_on, starts_on)| ends_on < starts_on) {
        f.wrong::<()>("ends_on", "must not lie before starts_on");
    }
    let required = f.maybe_count("required_sessions", Some(pb.required_sessions), 1..=MOST_REQUIRED);
    let zone = f.parse("zone", &pb.zone, crate::domain::text::zone);
    let holiday_calendar_id = f.maybe_id("holiday_calendar_id", &pb.holiday_calendar_id);
    let policy = policy(f, pb);
    Some(Drafted {
        jurisdiction: jurisdiction?,
        mandate: mandate?,
        document: document?,
        starts_on: starts_on?,
        ends_on: ends_on?,
        required: required??,
        zone: zone?,
        holiday_calendar_id: holiday_calendar_id?,
        policy: policy?,
    })
}

fn policy(f: &mut Fields, pb: &pb::TreatmentOrder) -> Option<Option<(Code, Option<i64>)>> {
    let code = f.maybe_parse("policy_code", &pb.policy_code, Code::parse);
    let version = match pb.policy_version {
        0 => Some(None),
        1.. if !pb.policy_code.is_empty() => Some(Some(pb.policy_version)),
        1.. => f.wrong("policy_version", "must be 0 without policy_code"),
        _ => f.wrong("policy_version", "must be a version, or 0 for the newest"),
    };
    let (code, version) = (code?, version?);
    Some(code.map(|code| (code, version)))
}

/// Why something is decided, in words.
pub fn reason(f: &mut Fields, raw: &str) -> Option<Personal> {
    f.personal("reason", raw, 1..=2000)
}

/// As [`reason`], or none when empty.
pub fn maybe_reason(f: &mut Fields, raw: &str) -> Option<Option<Personal>> {
    if raw.is_empty() { Some(None) } else { reason(f, raw).map(Some) }
}

/// An order for its provider.
pub fn order_pb(it: &Overview) -> pb::TreatmentOrder {
    let (order, terms) = (&it.docket.order, &it.docket.order.terms);
    pb::TreatmentOrder {
        id: order.id.to_string(),
        etag: order.version.to_string(),
        reference: order.reference.as_str().to_owned(),
        organisation_id: order.organisation_id.to_string(),
        client_id: order.client_id.to_string(),
        jurisdiction: terms.jurisdiction.to_string(),
        mandate: terms.mandate.to_wire(),
        document: terms.document.clone(),
        starts_on: Some(date(terms.starts_on)),
        ends_on: terms.ends_on.map(date),
        required_sessions: count(terms.required),
        zone: terms.zone.name().to_owned(),
        holiday_calendar_id: id_text(terms.holiday_calendar_id),
        policy_code: terms.policy.code.to_string(),
        policy_version: terms.policy.version,
        created_at: timestamp(order.created_at),
        updated_at: timestamp(order.updated_at),
        standing: Some(standing_pb(it)),
    }
}

fn standing_pb(it: &Overview) -> pb::OrderStanding {
    let Assessment { status, credits, at_risk, alerts, pending, excused, failures, breach, .. } = &it.assessment;
    let dates = |all: &[NaiveDate]| all.iter().copied().map(date).collect();
    pb::OrderStanding {
        status: status.to_wire(),
        as_of: Some(date(it.as_of_on)),
        credited_sessions: count(*credits),
        at_risk: at_risk.iter().map(|it| it.to_wire()).collect(),
        alerts: alerts.iter().map(|it| it.to_wire()).collect(),
        pending: dates(pending),
        excused: dates(excused),
        failures: failures.iter().map(failure_pb).collect(),
        breach: breach.as_ref().map(breach_pb),
        unrecorded_sessions: count(it.unrecorded),
    }
}

fn failure_pb(it: &Failure) -> pb::OrderFailure {
    pb::OrderFailure {
        on: Some(date(it.on)),
        established_on: Some(date(it.established_on)),
        deemed: it.deemed,
        serious: it.serious,
        breach: it.breach,
        live: it.live,
        warned_on: it.warned_on.map(date),
    }
}

fn breach_pb(it: &Breach) -> pb::OrderBreach {
    pb::OrderBreach {
        failure_on: Some(date(it.failure_on)),
        breach_on: Some(date(it.breach_on)),
        enforcement_due_on: Some(date(it.enforcement_due_on)),
        confirmed: it.confirmed,
    }
}

/// The history of an order.
pub fn events_pb(it: &Overview) -> Vec<pb::OrderEvent> {
    let replaced = it.docket.history.replaced();
    let event = |event: &Event| {
        let reason = it.reasons.iter().find(|(number, _)| *number == event.number);
        pb::OrderEvent {
            number: count(event.number),
            kind: event.act.word().to_wire(),
            on: Some(date(event.on)),
            recorded_at: timestamp(event.recorded_at),
            recorded_by: event.recorded_by.clone(),
            replaces: count(replaced.get(&event.number).copied().unwrap_or_default()),
            superseded: replaced.values().any(|number| *number == event.number),
            reason: reason.map(|(_, text)| text.expose().to_owned()).unwrap_or_default(),
            until: match event.act {
                Act::Suspended { until } => Some(date(until)),
                _ => None,
            },
            acceptable: matches!(event.act, Act::Decision { acceptable: true, .. }),
            effect: effect_pb(&event.act, &it.docket.policy).into(),
            serious: matches!(event.act, Act::Decision { serious: true, .. }),
            failure_on: match event.act {
                Act::Confirmed { failure_on } => Some(date(failure_on)),
                _ => None,
            },
            termination_reason: match event.act {
                Act::Terminated { reason } => reason.to_wire(),
                _ => 0,
            },
            terms: match &event.act {
                Act::Created { terms } | Act::Amended { terms } => Some(terms_pb(terms)),
                _ => None,
            },
        }
    };
    it.docket.history.all().iter().map(event).collect()
}

fn terms_pb(it: &Terms) -> pb::OrderTerms {
    pb::OrderTerms {
        jurisdiction: it.jurisdiction.to_string(),
        mandate: it.mandate.to_wire(),
        document: it.document.clone(),
        ends_on: it.ends_on.map(date),
        required_sessions: count(it.required),
        holiday_calendar_id: id_text(it.holiday_calendar_id),
        policy_code: it.policy.code.to_string(),
        policy_version: it.policy.version,
    }
}

fn effect_pb(act: &Act, policy: &Policy) -> pb::SessionEffect {
    let Act::Attendance { effect, .. } = act else { return pb::SessionEffect::Unspecified };
    match effect.fact(policy) {
        Some(Fact::Attended) => pb::SessionEffect::Attended,
        Some(Fact::Late) => pb::SessionEffect::Late,
        Some(Fact::MadeUp) => pb::SessionEffect::MadeUp,
        Some(Fact::DidNotComply) => pb::SessionEffect::DidNotComply,
        Some(Fact::Absent) => pb::SessionEffect::Absent,
        Some(Fact::ProviderCancelled) => pb::SessionEffect::ProviderCancelled,
        _ => pb::SessionEffect::Unspecified,
    }
}

/// What police may know of an order.
pub fn view_pb(it: &Answer) -> pb::ComplianceView {
    pb::ComplianceView {
        reference: it.view.reference.as_str().to_owned(),
        status: it.view.status.status.to_wire(),
        as_of: Some(date(it.view.as_of_on)),
        credited_sessions: count(it.view.status.credits),
        required_sessions: count(it.view.status.required),
        last_change_on: Some(date(it.view.changed_on)),
        breach_on: it.view.status.breach_on.map(date),
        enforcement_due_on: it.view.status.enforcement_due_on.map(date),
        unrecorded_sessions: count(it.unrecorded),
        corrected: it.view.corrected,
        answered_at: timestamp(it.as_of),
        expires_at: timestamp(it.valid_until),
    }
}

/// An order that changed, or how far everything was read, for police.
pub fn change_pb(it: Message<ComplianceChange>) -> pb::WatchComplianceResponse {
    let cursor = it.cursor;
    let Some(ComplianceChange { told }) = it.change else {
        return pb::WatchComplianceResponse { cursor, ..Default::default() };
    };
    let change = match told {
        Told::Now(answer) => pb::watch_compliance_response::Change::Compliance(view_pb(&answer)),
        Told::Gone(reference) => pb::watch_compliance_response::Change::GoneReference(reference.as_str().to_owned()),
    };
    pb::WatchComplianceResponse { cursor, change: Some(change) }
}

/// A look-up, for the provider.
pub fn lookup_pb(it: &Lookup) -> pb::Lookup {
    pb::Lookup {
        id: it.id.to_string(),
        looked_at: timestamp(it.looked_at),
        principal: it.principal.clone(),
        purpose: it.purpose.to_wire(),
        status: it.answer.status.to_wire(),
        credited_sessions: count(it.answer.credits),
        corrected_at: it.corrected_at.and_then(timestamp),
    }
}

/// A published policy.
pub fn policy_pb(it: &Published) -> pb::CompliancePolicy {
    let policy = &it.policy;
    let number = |value: u32| Some(count(value));
    pb::CompliancePolicy {
        code: it.version.code.to_string(),
        version: it.version.version,
        name: it.name.clone(),
        notice_working_days: number(policy.notice_working_days),
        evidence_working_days: number(policy.evidence_working_days),
        breach_window_months: number(policy.breach_window_months),
        enforcement_working_days: number(policy.enforcement_working_days),
        late_grace_minutes: number(policy.late_grace_minutes),
        lates_per_failure: number(policy.lates_per_failure),
        lates_window_months: number(policy.lates_window_months),
        partial_min_percent: number(policy.partial_min_percent),
        late_cancel_hours: number(policy.late_cancel_hours),
        gap_days: number(policy.gap_days),
        acceptable_limit: number(policy.acceptable_limit),
        acceptable_window_days: number(policy.acceptable_window_days),
        max_suspend_days: number(policy.max_suspend_days),
        police_at_risk_reasons: policy.police_at_risk_reasons.iter().map(|it| it.to_wire()).collect(),
        breach_needs_confirmation: Some(policy.breach_needs_confirmation),
        published_at: timestamp(it.published_at),
    }
}
