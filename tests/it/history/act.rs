//! What changes something, and whom and what it concerns.

use aftercare::grpc::pb;
use tonic::Status;
use uuid::Uuid;

use super::log::{Fact, Thing};
use crate::support::Actor;

macro_rules! acts {
    ($($name:ident($request:ident),)*) => {
        /// A change, as it is sent.
        #[derive(Clone, Debug)]
        pub enum Act {
            $($name(pb::$request),)*
        }

        impl Act {
            /// The same under a request id.
            pub fn under(mut self, id: Uuid) -> Self {
                match &mut self {
                    $(Self::$name(request) => request.request_id = id.to_string(),)*
                }
                self
            }

            pub fn request_id(&self) -> Uuid {
                let id = match self {
                    $(Self::$name(request) => &request.request_id,)*
                };
                id.parse().unwrap()
            }

            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => stringify!($name),)*
                }
            }
        }
    };
}

acts! {
    Book(BookSessionRequest),
    Hold(HoldSlotRequest),
    Release(ReleaseHoldRequest),
    Series(BookSeriesRequest),
    Reschedule(RescheduleSessionRequest),
    Reassign(ReassignCounsellorRequest),
    Cancel(CancelSessionRequest),
    Add(AddParticipantRequest),
    Remove(RemoveParticipantRequest),
    Attend(RecordAttendanceRequest),
    Amend(AmendAttendanceRequest),
    Warn(IssueWarningRequest),
    Assess(SubmitAssessmentRequest),
}

/// A time that somebody wants to have.
#[derive(Clone, Debug)]
pub struct Want {
    pub counsellor_id: String,
    pub client_ids: Vec<String>,
    /// Seconds.
    pub starts: i64,
    pub ends: i64,
}

fn ends(starts: i64, length: Option<&prost_types::Duration>) -> i64 {
    starts + length.map_or(0, |it| it.seconds)
}

fn all(client_id: &str, group: Option<&pb::WantedGroup>) -> Vec<String> {
    let named = group.into_iter().flat_map(|it| &it.participants).map(|it| it.client_id.clone());
    named.chain((!client_id.is_empty()).then(|| client_id.to_owned())).collect()
}

impl Act {
    /// Whom it is about, of what was known when it was chosen: of a session that is moved, the session.
    pub fn want(&self, of: Option<&pb::Session>) -> Vec<Want> {
        let moved = |counsellor_id: &str, starts: Option<i64>| {
            let of = of?;
            let length = of.ends_at?.seconds - of.starts_at?.seconds;
            let starts = starts.unwrap_or(of.starts_at?.seconds);
            let counsellor_id = if counsellor_id.is_empty() { &of.counsellor_id } else { counsellor_id };
            let client_ids = people(of);
            Some(Want { counsellor_id: counsellor_id.to_owned(), client_ids, starts, ends: starts + length })
        };
        match self {
            Self::Book(it) if it.hold_id.is_empty() => {
                let starts = it.starts_at.unwrap().seconds;
                let (counsellor_id, client_ids) = (it.counsellor_id.clone(), all(&it.client_id, it.group.as_ref()));
                vec![Want { counsellor_id, client_ids, starts, ends: ends(starts, it.length.as_ref()) }]
            }
            Self::Hold(it) => {
                let starts = it.starts_at.unwrap().seconds;
                let (counsellor_id, client_ids) = (it.counsellor_id.clone(), all(&it.client_id, it.group.as_ref()));
                vec![Want { counsellor_id, client_ids, starts, ends: ends(starts, it.length.as_ref()) }]
            }
            Self::Reschedule(it) => moved(&it.counsellor_id, it.starts_at.map(|it| it.seconds)).into_iter().collect(),
            Self::Reassign(it) => moved(&it.counsellor_id, None).into_iter().collect(),
            Self::Add(it) => {
                let joins = it.participant.as_ref().unwrap().client_id.clone();
                moved("", None).map(|want| Want { client_ids: vec![joins], ..want }).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The session of which it makes another version.
    pub fn changes(&self) -> Option<&str> {
        match self {
            Self::Book(it) => Some(it.hold_id.as_str()).filter(|it| !it.is_empty()),
            Self::Release(it) => Some(&it.hold_id),
            Self::Reschedule(it) => Some(&it.session_id),
            Self::Reassign(it) => Some(&it.session_id),
            Self::Cancel(it) => Some(&it.session_id),
            Self::Add(it) => Some(&it.session_id),
            Self::Remove(it) => Some(&it.session_id),
            Self::Attend(it) => Some(&it.session_id),
            Self::Amend(it) => Some(&it.session_id),
            Self::Hold(_) | Self::Series(_) | Self::Warn(_) | Self::Assess(_) => None,
        }
    }

    /// The version of it that was known, where that has to be said.
    pub fn etag(&self) -> Option<i64> {
        let etag = match self {
            Self::Reschedule(it) => &it.etag,
            Self::Reassign(it) => &it.etag,
            Self::Cancel(it) => &it.etag,
            Self::Remove(it) => &it.etag,
            _ => return None,
        };
        etag.parse().ok()
    }

    /// Sends it once.
    pub async fn send(&self, actor: &Actor) -> Result<Vec<Fact>, Status> {
        let mut scheduling = actor.scheduling();
        Ok(match self.clone() {
            Self::Book(it) => one(scheduling.book_session(it).await?.into_inner().session),
            Self::Hold(it) => one(scheduling.hold_slot(it).await?.into_inner().hold),
            Self::Release(it) => {
                scheduling.release_hold(it).await?;
                Vec::new()
            }
            Self::Series(it) => {
                let made = scheduling.book_series(it).await?.into_inner().series.unwrap();
                let series = Fact::of(Thing::Series(made.id), made.etag.parse().unwrap());
                made.occurrences.into_iter().flat_map(|it| one(it.session)).chain([series]).collect()
            }
            Self::Reschedule(it) => {
                let moved = scheduling.reschedule_session(it).await?.into_inner();
                one(moved.session).into_iter().chain(one(moved.superseded)).collect()
            }
            Self::Reassign(it) => one(scheduling.reassign_counsellor(it).await?.into_inner().session),
            Self::Cancel(it) => one(scheduling.cancel_session(it).await?.into_inner().session),
            Self::Add(it) => one(scheduling.add_participant(it).await?.into_inner().session),
            Self::Remove(it) => one(scheduling.remove_participant(it).await?.into_inner().session),
            Self::Attend(it) => {
                let thing = Thing::Attendance(it.session_id.clone(), it.client_id.clone());
                let made = actor.attendance().record_attendance(it).await?.into_inner().attendance.unwrap();
                vec![Fact::of(thing, made.etag.parse().unwrap())]
            }
            Self::Amend(it) => {
                let thing = Thing::Attendance(it.session_id.clone(), it.client_id.clone());
                let made = actor.attendance().amend_attendance(it).await?.into_inner().attendance.unwrap();
                vec![Fact::of(thing, made.etag.parse().unwrap())]
            }
            Self::Warn(it) => {
                let order = actor.compliance().issue_warning(it).await?.into_inner().order.unwrap();
                vec![Fact::of(Thing::Order(order.id), order.etag.parse().unwrap())]
            }
            Self::Assess(it) => {
                let made = actor.follow_up().submit_assessment(it).await?.into_inner().assessment.unwrap();
                vec![Fact::of(Thing::Assessment(made.id), 1)]
            }
        })
    }
}

fn one(session: Option<pb::Session>) -> Vec<Fact> {
    session.map(Fact::session).into_iter().collect()
}

/// The clients of a session.
pub fn people(session: &pb::Session) -> Vec<String> {
    let group = session.group.iter().flat_map(|it| &it.participants).map(|it| it.client_id.clone());
    let one = (!session.client_id.is_empty()).then(|| session.client_id.clone());
    group.chain(one).collect()
}
