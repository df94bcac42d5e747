//! Sessions: one meeting of a counsellor with a client, or of counsellors with a group.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use super::code::{CareService, Side, words};
use super::ids::{ClientId, CounsellorId, MilestoneId, OrganisationId, SeriesId, SessionId};
use super::participant::{Participant, Removed};
use super::party::Party;
use super::personal::Personal;
use super::place::{Place, WantedPlace};
use super::rules::{Candidate, RuleCode, Verdict};
use super::time::Span;

/// The shortest session.
pub const SHORTEST: TimeDelta = TimeDelta::minutes(10);
/// The longest session.
pub const LONGEST: TimeDelta = TimeDelta::hours(8);
/// How long a time is held unless said otherwise (architecture, "A hold"); a parameter of ours.
pub const DEFAULT_HOLD: TimeDelta = TimeDelta::minutes(5);
/// The longest a time is held; a parameter of ours.
pub const LONGEST_HOLD: TimeDelta = TimeDelta::minutes(15);
/// The most times one principal holds at once, so that holds can neither block a calendar nor probe
/// it; the schema has no number for an eleventh.
pub const MOST_HOLDS: i64 = 10;

words! {
    /// Why a session was cancelled.
    CancelReason {
        /// The client asked.
        Client = "CLIENT",
        /// The counsellor or the organisation could not.
        Provider = "PROVIDER",
        /// Venue, transport or the like.
        Logistics = "LOGISTICS",
        /// A court or authority called the client away.
        Court = "COURT",
        /// Anything else.
        Other = "OTHER",
    }

    /// The word of a state, without its evidence.
    StateWord {
        /// See [`State::Held`].
        Held = "HELD",
        /// See [`State::Booked`].
        Booked = "BOOKED",
        /// See [`State::Cancelled`].
        Cancelled = "CANCELLED",
        /// See [`State::Rescheduled`].
        Rescheduled = "RESCHEDULED",
    }
}

/// Where a session stands, with the evidence of how it got there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Its time is kept for somebody who is about to book it; no session yet.
    Held {
        /// Until when; from then on it keeps nothing.
        until: DateTime<Utc>,
        /// For whom: a caller's identity.
        by: String,
        /// Which of the holds of that caller, 1 to [`MOST_HOLDS`].
        number: i64,
    },
    /// It is to take place, or did.
    Booked,
    /// It was cancelled before it started.
    Cancelled {
        /// When.
        at: DateTime<Utc>,
        /// Why.
        reason: CancelReason,
    },
    /// Another session takes its place.
    Rescheduled {
        /// When that was decided.
        at: DateTime<Utc>,
        /// Why.
        reason: CancelReason,
        /// The session that takes its place.
        successor: SessionId,
    },
}

impl State {
    /// The word of this state.
    pub fn word(&self) -> StateWord {
        match self {
            State::Held { .. } => StateWord::Held,
            State::Booked => StateWord::Booked,
            State::Cancelled { .. } => StateWord::Cancelled,
            State::Rescheduled { .. } => StateWord::Rescheduled,
        }
    }
}

/// One meeting of a counsellor with a client, or of counsellors with a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// How often it was written; its etag.
    pub version: i64,
    /// The organisation of all who meet.
    pub organisation_id: OrganisationId,
    /// The side of all who meet.
    pub side: Side,
    /// The counsellor, who leads a group.
    pub counsellor_id: CounsellorId,
    /// Who leads a group with that counsellor.
    pub co_facilitators: Vec<CounsellorId>,
    /// For how many clients; one to one is 1.
    pub capacity: u32,
    /// The clients who are planned to be there, by seat. Who attended is another fact.
    pub participants: Vec<Participant>,
    /// Who was planned to be there, and was removed before.
    pub removed: Vec<Removed>,
    /// What it is for.
    pub service: CareService,
    /// Where.
    pub place: Place,
    /// When.
    pub span: Span,
    /// The zone of the site, or of the counsellor when remote.
    pub zone: Tz,
    /// Where it stands.
    pub state: State,
    /// Its place in a course of sessions.
    pub occurrence: Option<Occurrence>,
    /// The follow-up milestone that it was booked for; only one to one.
    pub milestone_id: Option<MilestoneId>,
    /// The rules that were broken with a written reason; the reasons are kept apart.
    pub overridden: Vec<RuleCode>,
    /// The rules that it breaks by facts recorded after it was placed; a person must resolve them.
    pub flags: Vec<RuleCode>,
    /// The session whose place it took.
    pub supersedes: Option<SessionId>,
    /// When it was booked.
    pub created_at: DateTime<Utc>,
}

impl Session {
    /// The local calendar day on which it starts.
    pub fn on_date(&self) -> NaiveDate {
        super::time::local_day(self.span.starts_at(), self.zone)
    }

    /// Who meets with its counsellor.
    pub fn party(&self) -> Party {
        Party {
            co_facilitators: self.co_facilitators.clone(),
            participants: self.participants.iter().map(|it| it.attendee.clone()).collect(),
            capacity: self.capacity,
        }
    }

    /// The clients who are planned to be there.
    pub fn clients(&self) -> Vec<ClientId> {
        self.participants.iter().map(|it| it.attendee.client_id).collect()
    }

    /// The client of a session one to one.
    pub fn client(&self) -> Option<&Participant> {
        self.participants.first().filter(|_| !self.is_group())
    }

    /// Whether it is made for more than one client.
    pub fn is_group(&self) -> bool {
        self.capacity > 1
    }

    /// Whether a counsellor leads it, alone or with others.
    pub fn is_led_by(&self, counsellor_id: CounsellorId) -> bool {
        self.counsellor_id == counsellor_id || self.co_facilitators.contains(&counsellor_id)
    }

    /// As the rules see it, given who meets.
    pub fn candidate<'p>(&self, party: &'p Party) -> Candidate<'p> {
        let (counsellor_id, service) = (self.counsellor_id, self.service);
        Candidate { counsellor_id, party, service, place: self.place, span: self.span }
    }

    /// Cancels it, unless it has started or does not stand any more.
    pub fn cancel(self, now: DateTime<Utc>, reason: CancelReason) -> Result<Self, Refused> {
        self.check_open(now)?;
        Ok(self.closed(State::Cancelled { at: now, reason }))
    }

    /// Gives its place to another session, unless it has started or does not stand any more.
    pub fn reschedule(self, now: DateTime<Utc>, reason: CancelReason, successor: SessionId) -> Result<Self, Refused> {
        self.check_open(now)?;
        Ok(self.closed(State::Rescheduled { at: now, reason, successor }))
    }

    /// Whether it can still be cancelled, moved, or given to another counsellor.
    pub fn check_open(&self, now: DateTime<Utc>) -> Result<(), Refused> {
        match self.state {
            State::Held { .. } => Err(Refused::OnlyHeld),
            State::Cancelled { .. } => Err(Refused::AlreadyCancelled),
            State::Rescheduled { .. } => Err(Refused::AlreadyRescheduled),
            State::Booked if self.span.starts_at() <= now => Err(Refused::AlreadyStarted),
            State::Booked => Ok(()),
        }
    }

    /// What was judged anew of this session, with everything that it had and keeps.
    pub fn renewed(self, judged: Session) -> Self {
        let of = |id| judged.participants.iter().find(|it| it.attendee.client_id == id);
        let participants = self.participants.into_iter().map(|it| Participant {
            overridden: of(it.attendee.client_id).map_or(Vec::new(), |it| it.overridden.clone()),
            ..it
        });
        Self {
            id: self.id,
            version: self.version + 1,
            place: self.place,
            participants: participants.collect(),
            removed: self.removed,
            supersedes: self.supersedes,
            occurrence: self.occurrence,
            milestone_id: self.milestone_id,
            flags: self.flags,
            ..judged
        }
    }

    /// As it is wanted again, by the same people at the same time and place.
    pub fn wanted(&self, overrides: Vec<Override>) -> Wanted {
        Wanted {
            counsellor_id: self.counsellor_id,
            party: self.party(),
            service: self.service,
            place: self.place.into(),
            span: self.span,
            occurrence: self.occurrence,
            milestone_id: self.milestone_id,
            overrides,
        }
    }

    /// With the flags that a verdict calls for, less what was overridden. Who `keeps` loses none of those
    /// there were.
    pub fn flagged(self, verdict: &Verdict, keeps: bool) -> Self {
        let flags = |called_for: Vec<RuleCode>, before: &[RuleCode], overridden: &[RuleCode]| -> Vec<RuleCode> {
            let kept = before.iter().copied().filter(|_| keeps);
            let all: BTreeSet<RuleCode> = called_for.into_iter().chain(kept).collect();
            all.into_iter().filter(|rule| !overridden.contains(rule)).collect()
        };
        let clients = self.participants.into_iter().map(|it| Participant {
            flags: flags(verdict.about(it.attendee.client_id), &it.flags, &it.overridden),
            ..it
        });
        let participants: Vec<Participant> = clients.collect();
        let of_session = self.flags.iter().copied().filter(|rule| !rule.is_about_clients()).collect::<Vec<_>>();
        let mut all = flags(verdict.session.clone(), &of_session, &self.overridden);
        all.extend(participants.iter().flat_map(|it| &it.flags));
        all.sort_unstable();
        all.dedup();
        Self { flags: all, participants, ..self }
    }

    /// Whether it, or a client of it, has a flag that it had not before.
    pub fn has_new_flags(&self, before: &Self) -> bool {
        let had = |id| before.participants.iter().find(|it| it.id == id).map_or(&[][..], |it| &it.flags);
        self.flags.iter().any(|rule| !before.flags.contains(rule))
            || self.participants.iter().any(|it| it.flags.iter().any(|rule| !had(it.id).contains(rule)))
    }

    fn closed(self, state: State) -> Self {
        let participants = self.participants.into_iter().map(|it| Participant { flags: Vec::new(), ..it }).collect();
        Self { version: self.version + 1, state, flags: Vec::new(), participants, ..self }
    }
}

/// A place in a course of sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The course.
    pub series_id: SeriesId,
    /// Which of its sessions, from 1.
    pub number: u32,
}

/// Why a session cannot be cancelled or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It is no session yet.
    OnlyHeld,
    /// It was cancelled before.
    AlreadyCancelled,
    /// Another session took its place before.
    AlreadyRescheduled,
    /// It has started; what became of it is a matter of attendance.
    AlreadyStarted,
}

/// A rule that somebody decided to break.
#[derive(Clone, Debug)]
pub struct Overriding {
    /// Which.
    pub rule: RuleCode,
    /// About which client; none when it is about the session as a whole.
    pub client_id: Option<ClientId>,
    /// Why.
    pub reason: Personal,
    /// Who decided.
    pub principal: String,
    /// When.
    pub decided_at: DateTime<Utc>,
}

/// A session somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// By whom.
    pub counsellor_id: CounsellorId,
    /// With whom.
    pub party: Party,
    /// What for.
    pub service: CareService,
    /// Where.
    pub place: WantedPlace,
    /// When.
    pub span: Span,
    /// Its place in a course of sessions.
    pub occurrence: Option<Occurrence>,
    /// The follow-up milestone that it is for.
    pub milestone_id: Option<MilestoneId>,
    /// Soft rules that may be broken.
    pub overrides: Vec<Override>,
}

/// A soft rule that may be broken, and why.
#[derive(Clone, Debug)]
pub struct Override {
    /// Which.
    pub rule: RuleCode,
    /// Why; written down with the session.
    pub reason: Personal,
}
