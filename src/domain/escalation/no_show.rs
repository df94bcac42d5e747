//! When survivors who do not come are a reason to look after them (follow-up, "Escalation").
//!
//! What counts is what was recorded, and how it was decided upon: a no-show is the outcome NO_SHOW, unless the absence
//! was found acceptable. An acceptable absence, claimed or found, and a session that was not held are nothing either
//! way: they neither count nor break a row. Everything else breaks it, because the person was seen or heard.

use crate::domain::attendance::{History, Standing};
use crate::domain::ids::AttendanceId;
use crate::domain::outcome::Outcome;

/// What a session says of a survivor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Did not come, and nobody knows why: since which record. Corrections that still say so are the same no-show.
    NoShow(AttendanceId),
    /// Was seen or heard.
    Seen,
    /// Nothing.
    Nothing,
}

impl Mark {
    /// What was recorded of one session and decided about it.
    pub fn of(history: &History) -> Self {
        let Some(current) = history.current() else { return Mark::Nothing };
        let row = current.outcome.row();
        let held_against = row.ground.is_none() && history.standing() != Some(Standing::Acceptable);
        match current.outcome {
            _ if row.attended => Mark::Seen,
            _ if !row.held || !held_against => Mark::Nothing,
            Outcome::NoShow => {
                let same = history.records.iter().rev().take_while(|it| it.outcome == Outcome::NoShow);
                Mark::NoShow(same.last().map_or(current.id, |first| first.id))
            }
            _ => Mark::Seen,
        }
    }
}

/// The later of two no-shows in a row, if a survivor's sessions, the latest first, begin with such: its place among
/// them and its record.
pub fn two_in_a_row<'h>(latest_first: impl IntoIterator<Item = &'h History>) -> Option<(usize, AttendanceId)> {
    let marks = latest_first.into_iter().map(Mark::of).enumerate();
    let mut telling = marks.filter(|(_, mark)| *mark != Mark::Nothing);
    match (telling.next()?, telling.next()?) {
        ((place, Mark::NoShow(later)), (_, Mark::NoShow(_))) => Some((place, later)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use uuid::Uuid;

    use super::*;
    use crate::domain::access::Role;
    use crate::domain::attendance::{Attendance, Author, Decision, Detail, Verdict};
    use crate::domain::ids::DecisionId;

    fn author() -> Author {
        Author { principal: "somebody".into(), role: Role::Coordinator }
    }

    /// The history of these records, with ids that begin at `from`.
    fn of(from: u128, outcomes: &[Outcome]) -> History {
        let record = |(at, outcome): (usize, &Outcome)| Attendance {
            id: AttendanceId(Uuid::from_u128(from + at as u128)),
            number: u32::try_from(at).unwrap() + 1,
            outcome: *outcome,
            detail: Detail::Nothing,
            at: DateTime::UNIX_EPOCH,
            by: author(),
            supersedes: None,
            late: false,
        };
        History { records: outcomes.iter().enumerate().map(record).collect(), decisions: Vec::new() }
    }

    fn decided(mut history: History, acceptable: bool) -> History {
        let current = history.current().unwrap();
        let verdict = match acceptable {
            true => Verdict::Acceptable {
                ground: crate::domain::outcome::Ground::Family,
                evidence: crate::domain::attendance::Evidence::default(),
            },
            false => Verdict::Unacceptable { serious: false, evidence: None },
        };
        let (id, attendance_id) = (DecisionId(Uuid::nil()), current.id);
        history.decisions.push(Decision {
            id,
            number: 1,
            attendance_id,
            verdict,
            at: DateTime::UNIX_EPOCH,
            by: author(),
        });
        history
    }

    #[test]
    fn every_outcome_is_a_no_show_or_tells_that_the_person_was_seen_or_tells_nothing() {
        for outcome in Outcome::ALL {
            let row = outcome.row();
            let expected = match outcome {
                Outcome::NoShow => Mark::NoShow(AttendanceId(Uuid::from_u128(1))),
                Outcome::Refused | Outcome::Intoxicated | Outcome::Disruptive | Outcome::LateCancelled => Mark::Seen,
                // Sent home by the provider, but there.
                _ if row.attended => Mark::Seen,
                _ => Mark::Nothing,
            };
            assert_eq!(Mark::of(&of(1, &[*outcome])), expected, "{outcome}");
        }
        assert_eq!(Mark::of(&History::default()), Mark::Nothing);
    }

    #[test]
    fn a_no_show_that_was_found_acceptable_is_none_and_a_corrected_one_is_told_by_its_first_record() {
        let id = |number| Mark::NoShow(AttendanceId(Uuid::from_u128(number)));
        assert_eq!(Mark::of(&decided(of(1, &[Outcome::NoShow]), true)), Mark::Nothing);
        assert_eq!(Mark::of(&decided(of(1, &[Outcome::NoShow]), false)), id(1));
        assert_eq!(Mark::of(&of(1, &[Outcome::NoShow, Outcome::NoShow])), id(1));
        assert_eq!(Mark::of(&of(1, &[Outcome::NoShow, Outcome::Late, Outcome::NoShow])), id(3));
        assert_eq!(Mark::of(&of(1, &[Outcome::NoShow, Outcome::Late])), Mark::Seen);
    }

    #[test]
    fn a_row_is_broken_by_who_was_seen_and_by_nothing_else() {
        use Outcome::{AcceptableMedical, AttendedComplied, NoShow, ProviderCancelled, Refused};
        for (latest_first, expected) in [
            (&[NoShow, NoShow][..], Some(0)),
            (&[NoShow, NoShow, NoShow], Some(0)),
            (&[NoShow], None),
            (&[], None),
            (&[NoShow, AttendedComplied, NoShow], None),
            (&[NoShow, Refused, NoShow], None),
            (&[AttendedComplied, NoShow, NoShow], None),
            (&[NoShow, AcceptableMedical, ProviderCancelled, NoShow], Some(0)),
            (&[ProviderCancelled, NoShow, NoShow, AttendedComplied], Some(1)),
            (&[AcceptableMedical, NoShow], None),
        ] {
            let all = latest_first.iter().enumerate();
            let histories: Vec<History> = all.map(|(at, it)| of(10 + at as u128, &[*it])).collect();
            let found = two_in_a_row(&histories);
            assert_eq!(found.map(|it| it.0), expected, "{latest_first:?}");
            let record = expected.map(|at| AttendanceId(Uuid::from_u128(10 + at as u128)));
            assert_eq!(found.map(|it| it.1), record);
        }
    }
}
