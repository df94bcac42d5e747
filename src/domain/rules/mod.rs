//! The booking rules. Whatever places a session asks the same function, so that what is offered is
//! what is accepted. A rule is one entry of [`RULES`]; what rules look at is [`Facts`].

mod facts;
mod table;

use std::collections::BTreeSet;

use chrono::NaiveDate;
use chrono_tz::Tz;

pub use self::facts::{ClientFacts, CounsellorFacts, Facts, Policy, RoomFacts, SiteFacts, VenueFacts};
pub use self::table::{RULES, WALK_IN, presence};
use super::code::{CareService, words};
use super::ids::{ClientId, CounsellorId};
use super::party::{Attendee, Party};
use super::place::Place;
use super::time::{Span, local_day};

words! {
    /// The stable code of a rule (booking rules, first table).
    RuleCode {
        /// The counsellor or the service is for the other side.
        WrongSide = "WRONG_SIDE",
        /// Only a group can have several clients.
        NotAGroup = "NOT_A_GROUP",
        /// The group has no place left.
        GroupFull = "GROUP_FULL",
        /// The counsellor does not offer this.
        NotQualified = "NOT_QUALIFIED",
        /// The counsellor's verification does not hold on that date.
        NotVerified = "NOT_VERIFIED",
        /// No agreement in force covers it.
        NoAgreement = "NO_AGREEMENT",
        /// The counsellor has a declared conflict with the client.
        ConflictOfInterest = "CONFLICT_OF_INTEREST",
        /// The client asks for a counsellor of another gender.
        CounsellorGender = "COUNSELLOR_GENDER",
        /// No valid consent on that date.
        ConsentMissing = "CONSENT_MISSING",
        /// The client has no such treatment order that has begun by then and is neither completed nor terminated.
        OrderNotOpen = "ORDER_NOT_OPEN",
        /// It has begun more than a walk-in ago.
        InThePast = "IN_THE_PAST",
        /// The site's published hours for the side are others.
        VenueSideHours = "VENUE_SIDE_HOURS",
        /// The counsellor is with somebody else, buffers included.
        CounsellorBusy = "COUNSELLOR_BUSY",
        /// The client has another session.
        ClientBusy = "CLIENT_BUSY",
        /// The room is taken by the own organisation's same side.
        RoomBusy = "ROOM_BUSY",
        /// Separation, or a room taken by others: one code, so that it tells nothing.
        SlotNotAvailable = "SLOT_NOT_AVAILABLE",
        /// It begins sooner than the organisation's notice.
        Notice = "NOTICE",
        /// It begins later than the organisation books.
        Horizon = "HORIZON",
        /// The counsellor does not work then, at that place.
        OutsideWorkingHours = "OUTSIDE_WORKING_HOURS",
        /// The counsellor is away.
        OnLeave = "ON_LEAVE",
        /// The site is closed.
        Holiday = "HOLIDAY",
        /// The counsellor has as many sessions that day as a day should hold.
        DailyLoad = "DAILY_LOAD",
        /// The counsellor has as many sessions that week as a week should hold.
        WeeklyLoad = "WEEKLY_LOAD",
        /// The counsellor cannot come from, or go on to, another site in time.
        Travel = "TRAVEL",
        /// The room is too small for the group.
        RoomCapacity = "ROOM_CAPACITY",
        /// Counsellor and client have no language in common, and no interpreter is booked.
        Language = "LANGUAGE",
        /// A child comes without a safe adult.
        GuardianRequired = "GUARDIAN_REQUIRED",
        /// The client has said to come at other times.
        ClientAvailability = "CLIENT_AVAILABILITY",
        /// The client's case is before a court or an authority that day.
        Proceedings = "PROCEEDINGS",
    }

    /// Whether a person may decide otherwise.
    Severity {
        /// Never.
        Hard = "HARD",
        /// With a written reason.
        Soft = "SOFT",
    }
}

/// With what the answer of a rule changes, each with all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// Who meets for what, and by which modality.
    Meeting,
    /// When they meet.
    Time,
    /// What other sessions take.
    Sessions,
}

/// On what occasion a session is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It is placed: searched for, held, booked, moved.
    Placing,
    /// It goes to another counsellor, and its time and place stay.
    Reassigning,
    /// A client joins it, and everything else stays.
    Joining,
    /// It stands, and a fact has changed.
    Standing,
    /// It took place, and is written down afterwards.
    Recording,
}

/// A session that could be placed, or that stands.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'p> {
    /// By whom.
    pub counsellor_id: CounsellorId,
    /// With whom.
    pub party: &'p Party,
    /// What for.
    pub service: CareService,
    /// Where.
    pub place: Place,
    /// When.
    pub span: Span,
}

/// A candidate with the facts about each of its parts.
pub(in crate::domain::rules) struct Considered<'f> {
    candidate: Candidate<'f>,
    facts: &'f Facts,
    /// Never empty; the one who leads is the first.
    counsellors: &'f [&'f CounsellorFacts],
    site: Option<&'f SiteFacts>,
    room: Option<&'f RoomFacts>,
    occasion: Occasion,
}

/// One of the clients of a candidate.
pub(in crate::domain::rules) struct Present<'f> {
    attendee: &'f Attendee,
    client: &'f ClientFacts,
}

impl Considered<'_> {
    fn zone(&self) -> Tz {
        self.site.map_or(self.counsellors[0].counsellor.zone, |site| site.site.zone)
    }

    /// Whether it is for clients, of whom some must never meet others.
    fn has_clients(&self) -> bool {
        self.candidate.service.side().is_some()
    }

    /// The local day on which it starts.
    fn day(&self) -> NaiveDate {
        local_day(self.candidate.span.starts_at(), self.zone())
    }
}

/// One rule.
pub struct Rule {
    /// Its code.
    pub code: RuleCode,
    /// Whether it can be overridden.
    pub severity: Severity,
    /// On what occasions it judges.
    pub on: &'static [Occasion],
    /// What it says to people.
    pub says: &'static str,
    test: Test,
}

/// How a rule is found broken.
enum Test {
    /// By the session as a whole, whoever its clients are.
    Session(fn(&Considered<'_>) -> bool),
    /// By each of its clients.
    Client(fn(&Considered<'_>, &Present<'_>) -> bool),
}

/// The rules that a candidate breaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// As a whole, in the order of [`RULES`].
    pub session: Vec<RuleCode>,
    /// By one of its clients, in the order of the clients, then of [`RULES`].
    pub clients: Vec<(ClientId, RuleCode)>,
}

impl Verdict {
    /// Every rule once, in the order of [`RULES`].
    pub fn all(&self) -> Vec<RuleCode> {
        let all: BTreeSet<RuleCode> = self.clients.iter().map(|(_, rule)| *rule).chain(self.session.clone()).collect();
        all.into_iter().collect()
    }

    /// What stands against a client who joins: not what stands against the others, nor what was `decided` of
    /// the session before.
    #[must_use]
    pub fn of_newcomer(mut self, client_id: ClientId, decided: &[RuleCode]) -> Self {
        self.clients.retain(|(id, _)| *id == client_id);
        self.session.retain(|rule| !decided.contains(rule));
        self
    }

    /// The rules about one client.
    pub fn about(&self, client_id: ClientId) -> Vec<RuleCode> {
        self.clients.iter().filter(|(id, _)| *id == client_id).map(|(_, rule)| *rule).collect()
    }
}

/// Judges a candidate.
///
/// One that names a client, counsellor, venue, site or room of which there are no facts, or a time of which they do not
/// tell, is not available: the check fails closed.
pub fn judge(candidate: Candidate<'_>, facts: &Facts, occasion: Occasion) -> Verdict {
    let mut verdict = Verdict::default();
    let considered = considering(candidate, facts, occasion, |it, present| {
        for rule in judging(occasion) {
            match rule.test {
                Test::Session(broken) if broken(it) => verdict.session.push(rule.code),
                Test::Session(_) | Test::Client(_) => {}
            }
        }
        for present in present {
            let broken = judging(occasion).filter(|rule| rule.test.by(it, present));
            verdict.clients.extend(broken.map(|rule| (present.client.id, rule.code)));
        }
    });
    if considered.is_none() || !facts.tell_of(candidate.span) {
        verdict.session.push(RuleCode::SlotNotAvailable);
    }
    verdict
}

/// Every rule that a candidate breaks, in the order of [`RULES`].
pub fn broken(candidate: Candidate<'_>, facts: &Facts, occasion: Occasion) -> Vec<RuleCode> {
    judge(candidate, facts, occasion).all()
}

/// Whether a candidate can be placed without breaking a rule.
pub fn allowed(candidate: Candidate<'_>, facts: &Facts) -> bool {
    facts.tell_of(candidate.span) && keeps(candidate, facts, Basis::Sessions)
}

/// Whether a candidate that is placed breaks no rule whose answer rests on this and no more.
pub fn keeps(candidate: Candidate<'_>, facts: &Facts, basis: Basis) -> bool {
    let mut keeps = false;
    considering(candidate, facts, Occasion::Placing, |it, present| {
        let mut rules = judging(Occasion::Placing).filter(|rule| rule.code.basis() <= basis);
        keeps = !rules.any(|rule| match rule.test {
            Test::Session(broken) => broken(it),
            Test::Client(broken) => present.iter().any(|present| broken(it, present)),
        });
    });
    keeps
}

fn judging(occasion: Occasion) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.on.contains(&occasion))
}

impl Test {
    /// Whether it is one of clients, and this one breaks it.
    fn by(&self, it: &Considered<'_>, present: &Present<'_>) -> bool {
        match self {
            Test::Session(_) => false,
            Test::Client(broken) => broken(it, present),
        }
    }
}

/// Looks up the facts about each part of a candidate; `None` when there are none about one of them.
fn considering(
    candidate: Candidate<'_>,
    facts: &Facts,
    occasion: Occasion,
    look: impl FnOnce(&Considered<'_>, &[Present<'_>]),
) -> Option<()> {
    let (site, room) = match candidate.place {
        Place::Remote => (None, None),
        Place::Venue { venue_id, site_id, room_id } => {
            let venue = facts.venues.get(&venue_id)?;
            let room = match room_id {
                Some(id) => Some(venue.rooms.iter().find(|room| room.id == id)?),
                None => None,
            };
            (Some(facts.sites.get(&site_id)?), room)
        }
    };
    let counsellors = candidate.party.counsellors(candidate.counsellor_id);
    let counsellors: Option<Vec<_>> = counsellors.map(|id| facts.counsellors.get(&id)).collect();
    let present = |attendee| Some(Present { attendee, client: facts.clients.get(&attendee.client_id)? });
    let present: Option<Vec<_>> = candidate.party.participants.iter().map(present).collect();
    look(&Considered { candidate, facts, counsellors: &counsellors?, site, room, occasion }, &present?);
    Some(())
}

/// The rule of a code.
pub fn rule(code: RuleCode) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

impl RuleCode {
    /// Whether it is a matter of each client rather than of the session.
    pub fn is_about_clients(self) -> bool {
        rule(self).is_some_and(|rule| matches!(rule.test, Test::Client(_)))
    }

    /// With what its answer changes.
    fn basis(self) -> Basis {
        match self {
            Self::WrongSide
            | Self::NotAGroup
            | Self::GroupFull
            | Self::NotQualified
            | Self::ConflictOfInterest
            | Self::CounsellorGender
            | Self::Language => Basis::Meeting,
            // Which room it is depends on what is taken.
            Self::RoomCapacity
            | Self::CounsellorBusy
            | Self::ClientBusy
            | Self::RoomBusy
            | Self::SlotNotAvailable
            | Self::DailyLoad
            | Self::WeeklyLoad
            | Self::Travel => Basis::Sessions,
            _ => Basis::Time,
        }
    }

    /// Whether a person may decide otherwise, with a written reason.
    pub fn is_soft(self) -> bool {
        rule(self).is_some_and(|rule| rule.severity == Severity::Soft)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_rule() {
        let codes: Vec<RuleCode> = RULES.iter().map(|rule| rule.code).collect();
        assert_eq!(codes, RuleCode::ALL);
    }

    #[test]
    fn a_hard_rule_judges_what_stands_or_holds_time_and_place() {
        use RuleCode::*;
        // What the schema holds as long as a session stands, and what only the present can break.
        let placing_only = [InThePast, CounsellorBusy, ClientBusy, RoomBusy];
        for rule in RULES.iter().filter(|rule| rule.severity == Severity::Hard) {
            let standing = rule.on.contains(&Occasion::Standing);
            assert_ne!(standing, placing_only.contains(&rule.code), "{}", rule.code);
        }
    }
}
