//! Records of attendance, decisions and outcomes, on the wire.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use crate::domain::access::Role;
use crate::domain::attendance::{Attendance, Decision, Detail, Draft, Evidence, Said, Verdict};
use crate::domain::ids::ClientId;
use crate::domain::outcome::{Outcome, Row};
use crate::domain::personal::Personal;
use crate::domain::session::LONGEST;
use crate::grpc::fields::{Fields, date, duration, id_text, timestamp};
use crate::grpc::pb;
use crate::grpc::session::wire::session_pb;
use crate::grpc::words::Word;
use crate::usecase::attendance::{ParticipantHistory, Unrecorded};

/// What became of a session for one participant; the names of its fields begin with `prefix`.
pub fn facts(f: &mut Fields, prefix: &str, pb: Option<&pb::AttendanceFacts>) -> Option<Draft> {
    let Some(pb) = pb else { return f.wrong(prefix, "is required") };
    let mut inner = Fields::inside(prefix);
    let draft = draft(&mut inner, pb);
    f.take(inner);
    draft
}

fn draft(f: &mut Fields, pb: &pb::AttendanceFacts) -> Option<Draft> {
    let outcome: Option<Outcome> = f.word("outcome", pb.outcome);
    let within = TimeDelta::minutes(1)..=LONGEST - TimeDelta::minutes(1);
    let late_by = match &pb.late_by {
        Some(raw) => f.minutes("late_by", Some(raw), within.clone(), None).map(Some),
        None => Some(None),
    };
    let attended_for = match &pb.attended_for {
        Some(raw) => f.minutes("attended_for", Some(raw), within, None).map(Some),
        None => Some(None),
    };
    let concern = f.maybe_word("concern", pb.concern);
    let not_held = f.maybe_word("not_held_reason", pb.not_held_reason);
    let evidence = evidence(f, &pb.evidence_reference, &pb.verifier);
    let outcome = outcome?;
    let ground = outcome.row().ground;
    if ground.is_none() && !(pb.evidence_reference.is_empty() && pb.verifier.is_empty()) {
        f.wrong::<()>("evidence_reference", "must be empty, as the outcome claims no acceptable absence");
    }
    let said = Said { late_by: late_by?, attended_for: attended_for?, concern: concern?, not_held: not_held? };
    let detail = match Detail::of(outcome, said) {
        Ok(detail) => Some(detail),
        Err(all) => {
            for (field, fault) in all {
                f.wrong::<()>(field, fault.to_string());
            }
            None
        }
    };
    let verdict = ground.zip(evidence?).map(|(ground, evidence)| Verdict::Acceptable { ground, evidence });
    Some(Draft { outcome, detail: detail?, reason: Personal::default(), verdict })
}

/// What was seen and by whom: both or neither.
fn evidence(f: &mut Fields, reference: &str, verifier: &str) -> Option<Option<Evidence>> {
    if reference.is_empty() && verifier.is_empty() {
        return Some(None);
    }
    let reference = f.personal("evidence_reference", reference, 1..=200);
    let verifier = f.personal("verifier", verifier, 1..=200);
    Some(Some(Evidence { reference: reference?, verifier: verifier? }))
}

/// What is decided about an absence.
pub fn verdict(f: &mut Fields, pb: &pb::DecideAbsenceRequest) -> Option<Verdict> {
    let ground = f.maybe_word("ground", pb.ground);
    match pb.verdict() {
        pb::AbsenceVerdict::Unspecified => {
            f.wrong("verdict", "must be ABSENCE_VERDICT_ACCEPTABLE or ABSENCE_VERDICT_UNACCEPTABLE")
        }
        pb::AbsenceVerdict::Acceptable => {
            if pb.serious {
                f.wrong::<()>("serious", "must be false for an acceptable absence");
            }
            let reference = f.personal("evidence_reference", &pb.evidence_reference, 1..=200);
            let verifier = f.personal("verifier", &pb.verifier, 1..=200);
            let ground = ground?.or_else(|| f.wrong("ground", "is required for an acceptable absence"));
            let evidence = Evidence { reference: reference?, verifier: verifier? };
            Some(Verdict::Acceptable { ground: ground?, evidence })
        }
        pb::AbsenceVerdict::Unacceptable => {
            if pb.ground != 0 {
                f.wrong::<()>("ground", "must be unspecified for an unacceptable absence");
            }
            let evidence = evidence(f, &pb.evidence_reference, &pb.verifier);
            Some(Verdict::Unacceptable { serious: pb.serious, evidence: evidence? })
        }
    }
}

/// What became of a session that is written down, for each of its clients.
pub fn past(
    f: &mut Fields,
    clients: Option<Vec<ClientId>>,
    all: &[pb::PastAttendance],
) -> Option<Vec<(ClientId, Draft)>> {
    let mut read = Vec::with_capacity(all.len());
    for (at, pb) in all.iter().enumerate() {
        let client_id: Option<ClientId> = f.id(&format!("attendances[{at}].client_id"), &pb.client_id);
        let facts = facts(f, &format!("attendances[{at}].facts"), pb.facts.as_ref());
        read.push(client_id.zip(facts));
    }
    let read: Vec<(ClientId, Draft)> = read.into_iter().collect::<Option<_>>()?;
    let said: BTreeSet<ClientId> = read.iter().map(|(client_id, _)| *client_id).collect();
    let there: BTreeSet<ClientId> = clients?.into_iter().collect();
    if said.len() != read.len() || said != there {
        return f.wrong("attendances", "must have exactly one for each client of the session");
    }
    Some(read)
}

/// A record for the wire.
pub fn attendance_pb(it: &Attendance, superseded: bool) -> pb::Attendance {
    let said = it.detail.said();
    pb::Attendance {
        id: it.id.to_string(),
        etag: it.number.to_string(),
        facts: Some(pb::AttendanceFacts {
            outcome: it.outcome.to_wire(),
            late_by: said.late_by.and_then(duration),
            attended_for: said.attended_for.and_then(duration),
            concern: said.concern.map(Word::to_wire).unwrap_or_default(),
            not_held_reason: said.not_held.map(Word::to_wire).unwrap_or_default(),
            evidence_reference: String::new(),
            verifier: String::new(),
        }),
        recorded_at: timestamp(it.at),
        recorded_by: it.by.principal.clone(),
        supersedes_attendance_id: id_text(it.supersedes.as_ref().map(|(id, _)| *id)),
        reason: it.supersedes.as_ref().map(|(_, reason)| reason.expose().to_owned()).unwrap_or_default(),
        late: it.late,
        superseded,
    }
}

/// A decision for the wire.
pub fn decision_pb(it: &Decision, superseded: bool) -> pb::AbsenceDecision {
    let (acceptable, serious, ground) = match &it.verdict {
        Verdict::Acceptable { ground, .. } => (true, false, ground.to_wire()),
        Verdict::Unacceptable { serious, .. } => (false, *serious, 0),
    };
    let text = |of: fn(&Evidence) -> &Personal| {
        it.verdict.evidence().map(|evidence| of(evidence).expose().to_owned()).unwrap_or_default()
    };
    pb::AbsenceDecision {
        id: it.id.to_string(),
        attendance_id: it.attendance_id.to_string(),
        acceptable,
        serious,
        ground,
        evidence_reference: text(|evidence| &evidence.reference),
        verifier: text(|evidence| &evidence.verifier),
        decided_at: timestamp(it.at),
        decided_by: it.by.principal.clone(),
        superseded,
    }
}

/// Everything about one participant, for the wire.
pub fn history_pb(it: &ParticipantHistory) -> pb::AttendanceHistory {
    let (record, decision) = (it.history.current().map(|it| it.id), it.history.decision().map(|it| it.id));
    let records = it.history.records.iter().map(|one| attendance_pb(one, Some(one.id) != record));
    let decisions = it.history.decisions.iter().map(|one| decision_pb(one, Some(one.id) != decision));
    pb::AttendanceHistory {
        session_id: it.session_id.to_string(),
        client_id: it.client_id.to_string(),
        client_reference: it.reference.to_string(),
        records: records.collect(),
        decisions: decisions.collect(),
        standing: it.history.standing().map(Word::to_wire).unwrap_or_default(),
    }
}

/// A session of which something is still to be recorded, for the wire.
pub fn unrecorded_pb(it: &Unrecorded) -> pb::UnrecordedSession {
    pb::UnrecordedSession {
        session: Some(session_pb(&it.session)),
        client_ids: it.clients.iter().map(ToString::to_string).collect(),
        due_on: Some(date(it.due_on)),
        escalated: it.escalated,
    }
}

/// A row of the catalogue for the wire.
pub fn outcome_pb(row: &Row) -> pb::OutcomeEntry {
    let chooser = |role: &Role| match role {
        Role::Coordinator => Some(pb::OutcomeChooser::Coordinator.into()),
        Role::Counsellor => Some(pb::OutcomeChooser::Counsellor.into()),
        Role::Admin | Role::ClinicalLead | Role::Police | Role::Auditor => None,
    };
    pb::OutcomeEntry {
        outcome: row.outcome.to_wire(),
        held: row.held,
        attended: row.attended,
        complied: row.complied,
        absent: row.absent.to_wire(),
        enforceable: row.enforceable,
        ground: row.ground.map(Word::to_wire).unwrap_or_default(),
        sides: row.sides.iter().map(|side| side.to_wire()).collect(),
        chosen_by: row.chosen_by.iter().filter_map(chooser).collect(),
        ahead: row.ahead,
        needs: row.needs.to_wire(),
    }
}
