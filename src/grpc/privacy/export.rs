//! Exports on the wire and in a file: the same messages, from the first to the one that closes them.

use prost::Message;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tonic::Request;

use super::Privacy;
use super::json::to_json;
use crate::domain::access::Role;
use crate::domain::audit::Listed;
use crate::domain::followup::milestone::Milestone;
use crate::domain::ids::MilestoneId;
use crate::domain::text::Code;
use crate::grpc::access::break_glass;
use crate::grpc::attendance::wire::history_pb;
use crate::grpc::client::{case, conflict, consent, erasure, no_contact, person, proceeding, transfer};
use crate::grpc::compliance::wire::{events_pb, lookup_pb, order_pb};
use crate::grpc::directory::Wire;
use crate::grpc::fields::{Fields, open, timestamp};
use crate::grpc::followup::{assessment, concern, escalation, wire};
use crate::grpc::note::note_pb;
use crate::grpc::pb;
use crate::grpc::pb::export_client_response::Part;
use crate::grpc::session::wire::{override_pb, session_pb};
use crate::grpc::status::status;
use crate::grpc::stream::Streaming;
use crate::grpc::waitlist::entry_pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::export::{Excused, Export, ExportClient, Item, Paced, export_client};
use crate::usecase::followup::plan::View;

impl Privacy {
    pub(super) async fn export(
        &self,
        request: Request<pb::ExportClientRequest>,
    ) -> Result<Streaming<pb::ExportClientResponse>> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id = f.id("client_id", &pb.client_id);
        let purpose = f.word("purpose", pb.purpose);
        let request_number = f.parse("request_number", &pb.request_number, Code::parse);
        let wanted = f.finish(|| Some(ExportClient { id: id?, purpose: purpose?, request_number: request_number? }))?;
        let paced = Paced::open(&self.world, &call).await?;
        let export = export_client(&self.world, &call, wanted).await?;
        let paced = paced.of(messages(&export));
        Ok(Box::pin(tokio_stream::iter(paced.map(|message| message.map_err(status)))))
    }
}

/// An export as one JSON document: the messages of the stream, with the names of their fields.
pub fn document(export: &Export) -> Value {
    let messages: Vec<_> = messages(export)
        .iter()
        .map(|message| to_json("aftercare.v1.ExportClientResponse", &message.encode_to_vec()))
        .collect();
    json!({ "format": "aftercare.v1.ExportClientResponse", "messages": messages })
}

/// The messages of an export, in their order, with the beginning and the end.
fn messages(export: &Export) -> Vec<pb::ExportClientResponse> {
    let begun = Part::Begun(pb::ExportBegun {
        client_id: export.wanted.id.to_string(),
        client_reference: export.reference.to_string(),
        purpose: export.wanted.purpose.to_wire(),
        request_number: export.wanted.request_number.to_string(),
        exported_at: timestamp(export.at),
        withheld: export.withheld.iter().map(|part| part.to_wire()).collect(),
    });
    let parts = export.items.iter().map(|it| part_pb(it, export));
    let message = |part| pb::ExportClientResponse { part: Some(part) };
    let mut messages: Vec<_> = std::iter::once(begun).chain(parts).map(message).collect();
    let ended = Part::Ended(pb::ExportEnded {
        count: number(messages.len()),
        sha256: digest(&messages),
        parts: export
            .counts()
            .into_iter()
            .map(|(part, count)| pb::ExportedCount { part: part.to_wire(), count: number(count) })
            .collect(),
    });
    messages.push(message(ended));
    messages
}

fn number(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Of each message its length and its bytes, so that no two lists of messages are one text.
fn digest(messages: &[pb::ExportClientResponse]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for message in messages {
        let bytes = message.encode_to_vec();
        hasher.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
        hasher.update(&bytes);
    }
    hasher.finalize().to_vec()
}

fn part_pb(it: &Item, export: &Export) -> Part {
    let now = export.at;
    match it {
        Item::Client(it) => Part::Client(person::client_pb(it)),
        Item::Guardian(it) => Part::Guardian(Wire::to_pb(it)),
        Item::Consent(it) => Part::Consent(consent::consent_pb(it)),
        Item::NoContact(it) => Part::NoContact(no_contact::no_contact_pb(it)),
        Item::Conflict(it) => Part::Conflict(conflict::conflict_pb(it)),
        Item::LegalHold(it) => Part::LegalHold(erasure::hold_pb(it)),
        Item::Case(it) => Part::Case(case::case_pb(it)),
        Item::Proceeding(it) => Part::Proceeding(proceeding::proceeding_pb(it)),
        Item::Session(it) => Part::Session(session_pb(it)),
        Item::Override(id, it) => {
            Part::Override(pb::ExportedOverride { session_id: id.to_string(), r#override: Some(override_pb(it)) })
        }
        Item::Attendance(it) => Part::Attendance(history_pb(it)),
        Item::Note(it) => Part::Note(note_pb(it)),
        Item::WaitlistEntry(it) => Part::WaitlistEntry(entry_pb(it)),
        Item::Order(it) => Part::Order(pb::ExportedOrder { order: Some(order_pb(it)), events: events_pb(it) }),
        Item::Lookup(id, it) => {
            Part::Lookup(pb::ExportedLookup { order_id: id.to_string(), lookup: Some(lookup_pb(it)) })
        }
        Item::Plan(it) => Part::Plan(plan_pb(it, export)),
        Item::Excuse(id, instrument, it) => Part::Excuse(excuse_pb(*id, instrument.as_deref(), it)),
        Item::Assessment(it) => Part::Assessment(assessment::assessment_pb(it, assessment::Answers::Shown)),
        Item::Escalation(it) => Part::Escalation(escalation::escalation_pb(it, now)),
        Item::MandatoryReport(it) => Part::MandatoryReport(concern::report_pb(it)),
        Item::BreakGlass(it) => Part::BreakGlass(break_glass::shown(it, now)),
        Item::Transfer(it) => Part::Transfer(transfer::shown(it, now)),
        Item::Disclosure(it) => Part::Disclosure(disclosure_pb(it)),
    }
}

fn plan_pb(it: &View, export: &Export) -> pb::ExportedPlan {
    // What a milestone asks for is for who may know the answers.
    let to = if export.is_clinical() { Role::ClinicalLead } else { Role::Coordinator };
    let milestones: &[Milestone] = &it.milestones;
    pb::ExportedPlan { plan: Some(wire::plan_pb(it)), milestones: wire::milestones_pb(milestones, export.at, to) }
}

fn excuse_pb(id: MilestoneId, instrument: Option<&str>, it: &Excused) -> pb::ExportedExcuse {
    pb::ExportedExcuse {
        milestone_id: id.to_string(),
        instrument: instrument.unwrap_or_default().to_owned(),
        reason: it.reason.expose().to_owned(),
        excused_at: timestamp(it.at),
        excused_by: it.by.clone(),
    }
}

fn disclosure_pb(it: &Listed) -> pb::ExportedDisclosure {
    pb::ExportedDisclosure {
        disclosed_at: timestamp(it.occurred_at),
        principal: it.principal.clone(),
        role: it.role.clone(),
        action: it.action.clone(),
    }
}
