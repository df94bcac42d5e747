//! The booking rules. Whatever places a session asks the same function, so that what is offered is
//! what is accepted. A rule is one entry of [`RULES`]; what rules look at is [`Facts`].

mod facts;
mod table;

use chrono::NaiveDate;
use chrono_tz::Tz;

pub use self::facts::{ClientFacts, CounsellorFacts, Facts, Policy, RoomFacts, SiteFacts, VenueFacts};
pub use self::table::{RULES, WALK_IN, present};
use super::code::{CareService, words};
use super::ids::{CounsellorId, GuardianId};
use super::place::Place;
use super::time::{Span, local_day};

words! {
    /// The stable code of a rule (booking rules, first table).
    RuleCode {
        /// The counsellor or the service is for the other side.
        WrongSide = "WRONG_SIDE",
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

/// On what occasion a session is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It is placed: searched for, held, booked, moved.
    Placing,
    /// It goes to another counsellor, and its time and place stay.
    Reassigning,
    /// It stands, and a fact has changed.
    Standing,
    /// It took place, and is written down afterwards.
    Recording,
}

/// A session that could be placed, or that stands.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// By whom.
    pub counsellor_id: CounsellorId,
    /// What for.
    pub service: CareService,
    /// Where.
    pub place: Place,
    /// When.
    pub span: Span,
    /// The safe adult who comes with a child.
    pub guardian_id: Option<GuardianId>,
    /// An interpreter is booked.
    pub interpreter: bool,
}

/// A candidate with the facts about each of its parts.
pub(in crate::domain::rules) struct Considered<'f> {
    candidate: Candidate,
    facts: &'f Facts,
    counsellor: &'f CounsellorFacts,
    site: Option<&'f SiteFacts>,
    room: Option<&'f RoomFacts>,
    occasion: Occasion,
}

impl Considered<'_> {
    fn zone(&self) -> Tz {
        self.site.map_or(self.counsellor.counsellor.zone, |site| site.site.zone)
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
    broken: fn(&Considered<'_>) -> bool,
}

/// The rules that a candidate breaks, in the order of [`RULES`].
///
/// A candidate that names a counsellor, venue, site or room of which there are no facts is not
/// available: the check fails closed.
pub fn broken(candidate: Candidate, facts: &Facts, occasion: Occasion) -> Vec<RuleCode> {
    match consider(candidate, facts, occasion) {
        Some(it) => judging(occasion).filter(|rule| (rule.broken)(&it)).map(|rule| rule.code).collect(),
        None => vec![RuleCode::SlotNotAvailable],
    }
}

/// Whether a candidate can be placed without breaking a rule.
pub fn allowed(candidate: Candidate, facts: &Facts) -> bool {
    consider(candidate, facts, Occasion::Placing)
        .is_some_and(|it| !judging(Occasion::Placing).any(|rule| (rule.broken)(&it)))
}

fn judging(occasion: Occasion) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.on.contains(&occasion))
}

fn consider(candidate: Candidate, facts: &Facts, occasion: Occasion) -> Option<Considered<'_>> {
    let counsellor = facts.counsellors.get(&candidate.counsellor_id)?;
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
    Some(Considered { candidate, facts, counsellor, site, room, occasion })
}

/// The rule of a code.
pub fn rule(code: RuleCode) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

impl RuleCode {
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
