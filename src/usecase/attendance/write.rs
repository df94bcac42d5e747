//! The one way in which records and decisions are written.

use super::{ATTENDANCE, author, effect, refused};
use crate::domain::attendance::{Attendance, Decision, Draft, History, Refused, Verdict};
use crate::domain::ids::Id;
use crate::domain::participant::Participant;
use crate::domain::session::Session;
use crate::store::attendance::{self, Texts};
use crate::usecase::error::{Error, FieldViolation, Result};
use crate::usecase::work::Work;

/// Records what became of a session for one participant, or supersedes what was recorded, inside a request that may
/// do more. For what the service itself concludes from an act of the caller: nobody's role, the state of the session
/// and the age of the record are not asked. The client and the session must be locked.
pub async fn write(
    work: &mut Work<'_>,
    session: &Session,
    participant: &Participant,
    draft: Draft,
) -> Result<Attendance> {
    let history = attendance::history(&mut work.tx, participant, Texts::Closed).await?;
    let record = history.next(work.world.id(), &draft, session.span.ends_at(), work.now, author(work));
    append(work, session, participant, history, record, draft.verdict).await.map(|(record, _)| record)
}

/// Every field of a draft that the caller's role may not choose for a session. `prefix` is the place of the draft in
/// the request.
pub fn check(work: &Work<'_>, session: &Session, draft: &Draft, prefix: &str) -> Vec<FieldViolation> {
    let wrong = draft.check(session, work.call.caller().authority.role()).err().unwrap_or_default();
    wrong.iter().map(|(field, fault)| FieldViolation::new(format!("{prefix}.{field}"), fault)).collect()
}

/// Writes a record and what is decided about it at once.
pub(super) async fn append(
    work: &mut Work<'_>,
    session: &Session,
    participant: &Participant,
    mut history: History,
    record: Attendance,
    verdict: Option<Verdict>,
) -> Result<(Attendance, Option<Decision>)> {
    attendance::insert(&mut work.tx, session.id, participant, &record).await?;
    work.touched(record.id.uuid());
    if record.late {
        work.note("LATE_CORRECTION");
    }
    history.records.push(record.clone());
    let decision = match verdict {
        Some(verdict) => Some(append_decision(work, participant, &mut history, verdict).await?),
        None => None,
    };
    effect::changed(work, session, participant, &history).await?;
    Ok((record, decision))
}

/// Writes a decision about the record that stands.
pub(super) async fn decide(
    work: &mut Work<'_>,
    session: &Session,
    participant: &Participant,
    mut history: History,
    verdict: Verdict,
) -> Result<Decision> {
    let decision = append_decision(work, participant, &mut history, verdict).await?;
    effect::changed(work, session, participant, &history).await?;
    Ok(decision)
}

async fn append_decision(
    work: &mut Work<'_>,
    participant: &Participant,
    history: &mut History,
    verdict: Verdict,
) -> Result<Decision> {
    let decision = history.decide(work.world.id(), verdict, work.now, author(work)).map_err(refused)?;
    attendance::insert_decision(&mut work.tx, participant, &decision).await?;
    work.touched(decision.id.uuid());
    history.decisions.push(decision.clone());
    Ok(decision)
}

/// The record that stands, at the number last read.
pub(super) fn standing(history: &History, number: i64) -> Result<&Attendance> {
    let current = history.current().ok_or(refused(Refused::NotRecorded))?;
    if i64::from(current.number) != number {
        return Err(Error::EtagMismatch(ATTENDANCE));
    }
    Ok(current)
}
