//! What can become of a planned session for one participant: the catalogue of outcomes, as data (booking
//! rules, "Attendance").
//!
//! An outcome says whether the session was held and whether the person attended, and complied. Whether an
//! absence was acceptable is another fact, which a person decides ([`super::attendance`]).

use super::access::Role;
use super::code::{Side, words};

words! {
    /// What became of a planned session for one participant.
    Outcome {
        /// Attended; an offender complied too.
        AttendedComplied = "ATTENDED_COMPLIED",
        /// Offenders: attended and did not comply, with a coded concern.
        AttendedDidNotComply = "ATTENDED_DID_NOT_COMPLY",
        /// Attended, and came late.
        Late = "LATE",
        /// Attended, and left before the end.
        LeftEarly = "LEFT_EARLY",
        /// Offenders: attended a session that makes up for one that was missed.
        MadeUp = "MADE_UP",
        /// Came, and was sent home because the provider could not hold the session.
        SentHomeByProvider = "SENT_HOME_BY_PROVIDER",
        /// Absent: ill, or at a doctor's.
        AcceptableMedical = "ACCEPTABLE_MEDICAL",
        /// Absent: called by a court.
        AcceptableCourt = "ACCEPTABLE_COURT",
        /// Absent: in custody.
        AcceptableCustody = "ACCEPTABLE_CUSTODY",
        /// Absent: work that could not wait.
        AcceptableWork = "ACCEPTABLE_WORK",
        /// Absent: a bereavement.
        AcceptableBereavement = "ACCEPTABLE_BEREAVEMENT",
        /// Absent: a religious observance.
        AcceptableReligious = "ACCEPTABLE_RELIGIOUS",
        /// Absent: needed by the family.
        AcceptableFamily = "ACCEPTABLE_FAMILY",
        /// Absent: no means of transport.
        AcceptableTransport = "ACCEPTABLE_TRANSPORT",
        /// Absent: it would not have been safe to come.
        AcceptableClientSafety = "ACCEPTABLE_CLIENT_SAFETY",
        /// Absent without a word.
        NoShow = "NO_SHOW",
        /// Refused to take part.
        Refused = "REFUSED",
        /// Came in no state to take part.
        Intoxicated = "INTOXICATED",
        /// Excluded for disturbing the session.
        Disruptive = "DISRUPTIVE",
        /// Cancelled by the client later than agreed; written by cancelling, never chosen.
        LateCancelled = "LATE_CANCELLED",
        /// Not held, because the provider could not.
        ProviderCancelled = "PROVIDER_CANCELLED",
        /// Not held, and planned anew.
        Rescheduled = "RESCHEDULED",
    }

    /// What an outcome needs said beside it.
    Need {
        /// Nothing.
        Nothing = "NOTHING",
        /// By how many minutes somebody came late.
        LateBy = "LATE_BY",
        /// For how many minutes somebody was there.
        AttendedFor = "ATTENDED_FOR",
        /// What the concern was.
        Concern = "CONCERN",
        /// Why the session was not held.
        NotHeldReason = "NOT_HELD_REASON",
    }

    /// In what respect somebody who attended did not comply. A list of ours: no free text ever reaches an order.
    Concern {
        /// Took no part.
        DidNotTakePart = "DID_NOT_TAKE_PART",
        /// Had not done what was agreed between sessions.
        AssignmentNotDone = "ASSIGNMENT_NOT_DONE",
        /// Broke the rules agreed for the sessions.
        BrokeAgreedRules = "BROKE_AGREED_RULES",
        /// Was hostile to others.
        HostileConduct = "HOSTILE_CONDUCT",
        /// Anything else.
        Other = "OTHER",
    }

    /// Why a session was not held (booking rules, "Attendance", 1).
    NotHeld {
        /// The counsellor was absent.
        CounsellorAbsent = "COUNSELLOR_ABSENT",
        /// The venue was closed or could not be used.
        VenueClosed = "VENUE_CLOSED",
        /// Telephone or video failed.
        ConnectionFailed = "CONNECTION_FAILED",
        /// A court called the person away.
        Court = "COURT",
        /// The person was in custody.
        Custody = "CUSTODY",
        /// Anything else.
        Other = "OTHER",
    }

    /// For what an absence was found acceptable.
    Ground {
        /// Ill, or at a doctor's.
        Medical = "MEDICAL",
        /// Called by a court.
        Court = "COURT",
        /// In custody.
        Custody = "CUSTODY",
        /// Work that could not wait.
        Work = "WORK",
        /// A bereavement.
        Bereavement = "BEREAVEMENT",
        /// A religious observance.
        Religious = "RELIGIOUS",
        /// Needed by the family.
        Family = "FAMILY",
        /// No means of transport.
        Transport = "TRANSPORT",
        /// It would not have been safe to come.
        ClientSafety = "CLIENT_SAFETY",
    }

    /// How much of a session somebody was absent from.
    Extent {
        /// None of it, or it was not held: nothing to decide.
        Nothing = "NOTHING",
        /// Some of it: an order's policy says whether that is an absence, and a person may decide before.
        Part = "PART",
        /// All of it: an absence, pending until a person decides.
        Whole = "WHOLE",
    }
}

/// A row of the catalogue.
#[derive(Debug)]
pub struct Row {
    /// The code.
    pub outcome: Outcome,
    /// Whether the session was held, or would have been had the person come; false when logistics stood in the
    /// way, which is nobody's absence.
    pub held: bool,
    /// Whether the person attended.
    pub attended: bool,
    /// Whether the person complied; unknown until the absence is decided upon, or where nothing was asked.
    pub complied: Option<bool>,
    /// How much the person was absent.
    pub absent: Extent,
    /// Whether it counts against a person under an order as it is recorded. A reason that is claimed does not;
    /// if nobody decides upon it in time, the order's policy does.
    pub enforceable: bool,
    /// For what the absence is claimed to be acceptable.
    pub ground: Option<Ground>,
    /// For whom it can be chosen.
    pub sides: &'static [Side],
    /// Who may choose it; nobody, when something else writes it.
    pub chosen_by: &'static [Role],
    /// Whether it may be said of a session that has not begun.
    pub ahead: bool,
    /// What it needs said beside it.
    pub needs: Need,
}

const BOTH: &[Side] = &[Side::Survivor, Side::Offender];
const OFFENDERS: &[Side] = &[Side::Offender];
const ANYBODY: &[Role] = &[Role::Coordinator, Role::Counsellor];
const COORDINATOR: &[Role] = &[Role::Coordinator];
const NOBODY: &[Role] = &[];

const fn attended(outcome: Outcome, needs: Need) -> Row {
    Row {
        outcome,
        held: true,
        attended: true,
        complied: Some(true),
        absent: Extent::Nothing,
        enforceable: false,
        ground: None,
        sides: BOTH,
        chosen_by: ANYBODY,
        ahead: false,
        needs,
    }
}

const fn claimed(outcome: Outcome, ground: Ground) -> Row {
    let absent = Extent::Whole;
    let row = attended(outcome, Need::Nothing);
    Row { attended: false, complied: None, absent, ground: Some(ground), ahead: true, ..row }
}

const fn missed(outcome: Outcome) -> Row {
    let (absent, complied) = (Extent::Whole, Some(false));
    Row { attended: false, complied, absent, enforceable: true, ..attended(outcome, Need::Nothing) }
}

const fn not_held(outcome: Outcome) -> Row {
    Row { held: false, attended: false, complied: None, ..attended(outcome, Need::NotHeldReason) }
}

/// Every outcome, one row each, in the order of the words.
pub const TABLE: &[Row] = &[
    attended(Outcome::AttendedComplied, Need::Nothing),
    Row {
        complied: Some(false),
        enforceable: true,
        sides: OFFENDERS,
        ..attended(Outcome::AttendedDidNotComply, Need::Concern)
    },
    Row { enforceable: true, ..attended(Outcome::Late, Need::LateBy) },
    Row { complied: None, absent: Extent::Part, enforceable: true, ..attended(Outcome::LeftEarly, Need::AttendedFor) },
    Row { sides: OFFENDERS, ..attended(Outcome::MadeUp, Need::Nothing) },
    Row { held: false, ..attended(Outcome::SentHomeByProvider, Need::NotHeldReason) },
    claimed(Outcome::AcceptableMedical, Ground::Medical),
    claimed(Outcome::AcceptableCourt, Ground::Court),
    claimed(Outcome::AcceptableCustody, Ground::Custody),
    claimed(Outcome::AcceptableWork, Ground::Work),
    claimed(Outcome::AcceptableBereavement, Ground::Bereavement),
    claimed(Outcome::AcceptableReligious, Ground::Religious),
    claimed(Outcome::AcceptableFamily, Ground::Family),
    claimed(Outcome::AcceptableTransport, Ground::Transport),
    claimed(Outcome::AcceptableClientSafety, Ground::ClientSafety),
    missed(Outcome::NoShow),
    missed(Outcome::Refused),
    missed(Outcome::Intoxicated),
    missed(Outcome::Disruptive),
    Row { chosen_by: NOBODY, ..missed(Outcome::LateCancelled) },
    not_held(Outcome::ProviderCancelled),
    Row { chosen_by: COORDINATOR, ..not_held(Outcome::Rescheduled) },
];

// The row of an outcome is found by its place.
const _: () = {
    assert!(TABLE.len() == Outcome::ALL.len());
    let mut place = 0;
    while place < TABLE.len() {
        assert!(TABLE[place].outcome as usize == place);
        place += 1;
    }
};

impl Outcome {
    /// Its row of the catalogue.
    pub const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_absent_from_what_was_attended_or_not_held_by_the_provider() {
        for row in TABLE {
            assert!(!(row.attended && row.absent == Extent::Whole), "{}", row.outcome);
            assert_eq!(row.ahead, row.ground.is_some(), "{}", row.outcome);
            assert_eq!(row.outcome.as_str().starts_with("ACCEPTABLE_"), row.ground.is_some(), "{}", row.outcome);
            if row.needs == Need::NotHeldReason {
                assert!(!row.held && !row.enforceable && row.absent == Extent::Nothing, "{}", row.outcome);
            }
            if let Some(ground) = row.ground {
                assert_eq!(format!("ACCEPTABLE_{ground}"), row.outcome.as_str());
                assert!(!row.enforceable && row.complied.is_none());
            }
        }
        assert_eq!(TABLE.iter().filter(|row| row.ground.is_some()).count(), Ground::ALL.len());
    }
}
