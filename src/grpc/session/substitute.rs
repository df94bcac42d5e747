//! Substitutes and reassignment in bulk, on the wire.

use tonic::Request;

use super::Scheduling;
use super::wire::{overrides, session_pb};
use crate::domain::ids::SessionId;
use crate::domain::substitute::{MOST_AT_ONCE, Proposal};
use crate::grpc::fields::{Fields, count, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::{Error, Result};
use crate::usecase::mutate;
use crate::usecase::session::{Outcome, ProposeSubstitutes, ReassignCounsellor, ReassignSessions, propose_substitutes};

impl Scheduling {
    pub(super) async fn propose(
        &self,
        request: Request<pb::ProposeSubstitutesRequest>,
    ) -> Result<pb::ProposeSubstitutesResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let counsellor_id = f.id("counsellor_id", &pb.counsellor_id);
        let window_starts_at = f.maybe_instant("window_starts_at", pb.window_starts_at.as_ref());
        let window_ends_at = f.maybe_instant("window_ends_at", pb.window_ends_at.as_ref());
        let wanted = f.finish(|| {
            Some(ProposeSubstitutes {
                counsellor_id: counsellor_id?,
                window_starts_at: window_starts_at?,
                window_ends_at: window_ends_at?,
            })
        })?;
        let found = propose_substitutes(&self.world, &call, &wanted).await?;
        Ok(pb::ProposeSubstitutesResponse {
            proposals: found.all.iter().map(proposal).collect(),
            next_window_starts_at: found.next_window_starts_at.and_then(timestamp),
        })
    }

    pub(super) async fn reassign_many(
        &self,
        request: Request<pb::ReassignSessionsRequest>,
    ) -> Result<pb::ReassignSessionsResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        // Collected first, so that every item is looked at.
        let items: Vec<_> = pb.items.iter().enumerate().map(|(at, item)| reassignment(&mut f, at, item)).collect();
        if !(1..=MOST_AT_ONCE).contains(&items.len()) {
            f.wrong::<()>("items", format!("must be 1 to {MOST_AT_ONCE}"));
        }
        for (at, item) in pb.items.iter().enumerate() {
            if pb.items[..at].iter().any(|before| before.session_id == item.session_id) {
                f.wrong::<()>(&format!("items[{at}].session_id"), "must not repeat a session");
            }
        }
        let items = f.finish(|| items.into_iter().collect::<Option<_>>())?;
        let outcomes = mutate(&self.world, call, ReassignSessions(items)).await?;
        Ok(pb::ReassignSessionsResponse { outcomes: outcomes.iter().map(outcome).collect() })
    }
}

fn reassignment(f: &mut Fields, at: usize, pb: &pb::Reassignment) -> Option<ReassignCounsellor> {
    let field = |name: &str| format!("items[{at}].{name}");
    let session_id: Option<SessionId> = f.id(&field("session_id"), &pb.session_id);
    let version = f.etag(&field("etag"), &pb.etag);
    let counsellor_id = f.id(&field("counsellor_id"), &pb.counsellor_id);
    let replaces = f.maybe_id(&field("replaces_counsellor_id"), &pb.replaces_counsellor_id);
    let mut inside = Fields::inside(&format!("items[{at}]"));
    let overrides = overrides(&mut inside, &pb.overrides);
    f.take(inside);
    Some(ReassignCounsellor {
        session_id: session_id?,
        version: version?,
        counsellor_id: counsellor_id?,
        replaces: replaces?,
        overrides: overrides?,
    })
}

fn proposal(it: &Proposal) -> pb::SubstituteProposal {
    let substitutes = it.substitutes.iter().map(|it| pb::Substitute {
        counsellor_id: it.counsellor_id.to_string(),
        reasons: it.reasons.iter().map(|reason| reason.to_wire()).collect(),
    });
    let exclusions = it
        .exclusions
        .iter()
        .map(|(rule, counsellors)| pb::SubstituteExclusion { rule: rule.to_wire(), counsellors: count(*counsellors) });
    pb::SubstituteProposal {
        session: Some(session_pb(&it.session)),
        substitutes: substitutes.collect(),
        exclusions: exclusions.collect(),
    }
}

fn outcome((session_id, outcome): &Outcome) -> pb::ReassignmentOutcome {
    let session_id = session_id.to_string();
    match outcome {
        Ok(session) => pb::ReassignmentOutcome { session_id, session: Some(session_pb(session)), refusal: None },
        Err(error) => pb::ReassignmentOutcome { session_id, session: None, refusal: Some(refusal(error)) },
    }
}

fn refusal(error: &Error) -> pb::ReassignmentRefusal {
    let (message, rules) = match error {
        Error::Refused(refusal) => (error.to_string(), refusal.broken.iter().map(|rule| rule.to_wire()).collect()),
        Error::Invalid(wrong) => {
            let says: Vec<String> = wrong.iter().map(|it| format!("{} {}", it.field, it.says)).collect();
            (says.join("; "), Vec::new())
        }
        error => (error.to_string(), Vec::new()),
    };
    pb::ReassignmentRefusal { reason: error.reason().to_owned(), message, rules }
}
