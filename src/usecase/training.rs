//! Trainings for police units: counsellors who lead one and coordinators record what became of it.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::attendance::{own_session, refused};
use super::call::Call;
use super::error::{Error, Result};
use super::page::Page;
use super::work::{Mutation, Work, mutate};
use super::world::World;
use crate::domain::code::CareService;
use crate::domain::ids::{Id, SessionId};
use crate::domain::session::Session;
use crate::domain::training::{Draft, NotRecordable, Record, check_recordable};
use crate::store::training::{self, Listing};
use crate::store::{self, Lock, session};

/// The word for it in sentences.
const WORD: &str = "training";

/// A training, and what was recorded of it last.
pub type Training = (Session, Option<Record>);

/// Records what became of a training, or corrects that.
#[derive(Clone, Debug)]
pub struct RecordTraining {
    /// The session.
    pub session_id: SessionId,
    /// The number of the record last read; none for the first.
    pub number: Option<i64>,
    /// What became of it.
    pub draft: Draft,
}

impl Mutation for RecordTraining {
    type Answer = Training;

    async fn run(&self, work: &mut Work<'_>) -> Result<Training> {
        work.touched(self.session_id.uuid());
        own_session(&mut work.tx, work.call, self.session_id).await?;
        let session = session::find(&mut work.tx, self.session_id, Lock::Update).await?.ok_or(Error::NotFound(WORD))?;
        check_recordable(&session, work.now).map_err(not_recordable)?;
        let before = training::current(&mut work.tx, session.id).await?;
        let number = match (before, self.number) {
            (None, None) => 1,
            (Some(before), Some(number)) if i64::from(before.number) == number => before.number + 1,
            (Some(before), None) => return Err(refused_again(&before)),
            (_, Some(_)) => return Err(Error::EtagMismatch(WORD)),
        };
        let count = |all: usize| u32::try_from(all).unwrap_or(u32::MAX);
        let trainees = &self.draft.trainees;
        let record = Record {
            id: work.world.id(),
            number,
            invited: count(trainees.len()),
            attended: count(trainees.iter().filter(|it| it.attended).count()),
            draft: self.draft.clone(),
            recorded_at: work.now,
            recorded_by: work.call.caller().principal.clone(),
        };
        training::insert(&mut work.tx, session.id, &record).await?;
        work.touched(record.id.uuid());
        Ok((session, Some(record)))
    }

    fn result_id(&self, _answer: &Training) -> Uuid {
        self.session_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Training> {
        find(work, self.session_id).await
    }
}

fn not_recordable(why: NotRecordable) -> Error {
    match why {
        NotRecordable::Attendance(why) => refused(why),
        NotRecordable::NotATraining => {
            let says = "the session is for clients, whose attendance is recorded one by one";
            Error::Precondition { reason: "NOT_A_TRAINING", says, subjects: Vec::new() }
        }
    }
}

fn refused_again(before: &Record) -> Error {
    let (reason, says) = ("ALREADY_RECORDED", "what became of the training is recorded; send its etag to correct it");
    Error::Precondition { reason, says, subjects: vec![before.id.uuid()] }
}

async fn find(work: &mut Work<'_>, id: SessionId) -> Result<Training> {
    work.touched(id.uuid());
    let session = own_session(&mut work.tx, work.call, id).await?;
    if session.service != CareService::Training {
        return Err(Error::NotFound(WORD));
    }
    let record = training::current(&mut work.tx, id).await?;
    Ok((session, record))
}

/// Reads a training with names and texts; the read is audited.
pub async fn get_training(world: &World, call: Call, id: SessionId) -> Result<Training> {
    mutate(world, call, GetTraining(id)).await
}

struct GetTraining(SessionId);

impl Mutation for GetTraining {
    type Answer = Training;

    async fn run(&self, work: &mut Work<'_>) -> Result<Training> {
        find(work, self.0).await
    }

    fn result_id(&self, _answer: &Training) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Training> {
        self.run(work).await
    }
}

/// Which trainings; joined by AND.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// On this local day or later.
    pub from: Option<NaiveDate>,
    /// On this local day or earlier.
    pub until: Option<NaiveDate>,
    /// Only those that have ended and of which nothing is recorded.
    pub unrecorded: bool,
}

/// Lists trainings that stand, by start, without names and texts.
pub async fn list_trainings(
    world: &World,
    call: &Call,
    filter: Filter,
    page: &Page,
) -> Result<(Vec<Training>, String)> {
    let after: Option<(DateTime<Utc>, SessionId)> = page.after(world, call)?;
    let listing = Listing {
        organisation_id: call.sees()?.ok_or(Error::Denied)?,
        counsellor_id: call.caller().authority.counsellor_id(),
        from: filter.from,
        until: filter.until,
        unrecorded_by: filter.unrecorded.then(|| world.now()),
        after,
        most: i64::try_from(page.most()).unwrap_or(i64::MAX),
    };
    let mut tx: store::Tx = world.db().begin_read().await?;
    let rows = training::list(&mut tx, &listing).await?;
    Ok(page.cut(world, call, rows, |(session, _)| (session.span.starts_at(), session.id)))
}
