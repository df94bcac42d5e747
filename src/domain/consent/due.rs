//! What calls for a consent soon: somebody comes of age, a consent expires, a session has none for its day.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Consent, ConsentPurpose, ConsentSubject};
use crate::domain::age::adult_from;
use crate::domain::code::words;
use crate::domain::ids::{ClientId, ConsentId, Id, SessionId};
use crate::domain::noun::Record;

words! {
    /// Why a consent is due.
    DueReason {
        /// From that day on only the client's own consent counts, and there is none yet.
        ComesOfAge = "COMES_OF_AGE",
        /// That day is the last of a consent, and nothing covers the next.
        Expires = "EXPIRES",
        /// A session is booked for that day, which no consent covers.
        SessionUncovered = "SESSION_UNCOVERED",
    }
}

/// The days that are looked at, both included.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// The first.
    pub first: NaiveDate,
    /// The last.
    pub last: NaiveDate,
}

impl Window {
    fn has(self, day: NaiveDate) -> bool {
        (self.first..=self.last).contains(&day)
    }
}

/// A consent that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub on: NaiveDate,
    /// Why.
    pub why: DueReason,
    /// Of whom.
    pub client_id: ClientId,
    /// What for.
    pub purpose: ConsentPurpose,
    /// The consent that expires.
    pub consent_id: Option<ConsentId>,
    /// The session that has none.
    pub session_id: Option<SessionId>,
}

/// The place of a row in the list: by day, and then in an order that is total.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DuePlace(NaiveDate, DueReason, ClientId, Uuid);

impl Due {
    /// Where it stands in the list.
    pub fn place(&self) -> DuePlace {
        let about = self.consent_id.map(Id::uuid).or(self.session_id.map(Id::uuid)).unwrap_or(Uuid::nil());
        DuePlace(self.on, self.why, self.client_id, about)
    }

    /// What is due for one client of the coming of age and of consents that expire; `all` are the client's consents.
    pub fn of_client(
        client_id: ClientId,
        subject: &ConsentSubject,
        all: &[Record<Consent>],
        window: Window,
    ) -> Vec<Self> {
        let covered = |purpose, day| all.iter().any(|it| it.covers(subject, purpose, day));
        let due = |on, why, purpose, consent_id| Self { on, why, client_id, purpose, consent_id, session_id: None };
        let of_age = adult_from(&subject.born_on)
            .filter(|day| window.has(*day) && !covered(ConsentPurpose::Care, *day))
            .map(|day| due(day, DueReason::ComesOfAge, ConsentPurpose::Care, None));
        let expires = |it: &Record<Consent>| {
            let last = it.valid_until.filter(|last| window.has(*last) && it.covers(subject, it.purpose, *last))?;
            let next = last.succ_opt().filter(|next| !covered(it.purpose, *next));
            next.map(|_| due(last, DueReason::Expires, it.purpose, Some(it.id)))
        };
        of_age.into_iter().chain(all.iter().filter_map(expires)).collect()
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Days};
    use proptest::prelude::*;

    use super::super::{Assent, ConsentGiver};
    use super::*;
    use crate::domain::client::birth;
    use crate::domain::text::{Code, Language};

    const CLIENT: ClientId = ClientId(Uuid::from_u128(1));

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn consent(number: u128, given_by: ConsentGiver, given_on: NaiveDate, until: Option<NaiveDate>) -> Record<Consent> {
        let content = Consent {
            client_id: CLIENT,
            purpose: ConsentPurpose::Care,
            given_by,
            guardian_id: None,
            assent: Assent::Written,
            language: Language::parse("ml").unwrap(),
            text_version: Code::parse("V1").unwrap(),
            given_on,
            valid_until: until,
            ended: None,
        };
        Record::new(ConsentId(Uuid::from_u128(number)), DateTime::UNIX_EPOCH, content)
    }

    fn due(born_on: &str, all: &[Record<Consent>], first: &str, last: &str) -> Vec<(NaiveDate, DueReason)> {
        let mut parts = born_on.split('-').map(|part| part.parse().unwrap());
        let (year, month, date) = (parts.next().unwrap(), parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        let born_on = birth(i32::try_from(year).unwrap(), month, date).unwrap();
        let subject = ConsentSubject { born_on, guardians: Vec::new() };
        let window = Window { first: day(first), last: day(last) };
        Due::of_client(CLIENT, &subject, all, window).into_iter().map(|it| (it.on, it.why)).collect()
    }

    #[test]
    fn who_comes_of_age_is_due_until_the_own_consent() {
        let committee = consent(1, ConsentGiver::ChildWelfareCommittee, day("2026-01-01"), None);
        let too_early = consent(2, ConsentGiver::Own, day("2026-11-22"), None);
        let all = [committee.clone(), too_early.clone()];
        for born_on in ["2008-11-23", "2008-02-29", "2008"] {
            let (first, comes) = match born_on {
                "2008-11-23" => ("2026-11-01", "2026-11-23"),
                "2008-02-29" => ("2026-02-28", "2026-03-01"),
                _ => ("2026-12-31", "2027-01-01"),
            };
            assert_eq!(due(born_on, &all, first, comes), [(day(comes), DueReason::ComesOfAge)], "{born_on}");
            assert_eq!(due(born_on, &all, comes, comes), [(day(comes), DueReason::ComesOfAge)]);
            assert_eq!(due(born_on, &all, first, first), []);
            let own = consent(3, ConsentGiver::Own, day(comes), None);
            assert_eq!(due(born_on, &[committee.clone(), own], first, comes), []);
        }
    }

    #[test]
    fn what_expires_is_due_unless_something_covers_the_next_day() {
        let until = |number, last| consent(number, ConsentGiver::Own, day("2020-01-01"), Some(day(last)));
        let one = until(1, "2026-11-30");
        let expires = (day("2026-11-30"), DueReason::Expires);
        assert_eq!(due("1990-01-01", std::slice::from_ref(&one), "2026-11-23", "2026-11-30"), [expires]);
        assert_eq!(due("1990-01-01", std::slice::from_ref(&one), "2026-11-23", "2026-11-29"), []);
        assert_eq!(due("1990-01-01", &[one.clone(), until(2, "2027-01-31")], "2026-11-23", "2026-12-23"), []);
        // What does not count does not expire.
        assert_eq!(due("2014-01-01", &[one], "2026-11-23", "2026-11-30"), []);
    }

    proptest! {
        #[test]
        fn whoever_is_not_due_is_covered_on_the_birthday(
            (year, month, date) in (2000i32..2012, 1u32..=12, 1u32..=31),
            only_year: bool, own: bool, given in 0u64..9_000, from in 6_000u64..8_000, length in 0u64..366
        ) {
            let (month, date) = if only_year { (0, 0) } else { (month, date) };
            let Ok(born_on) = birth(year, month, date) else { return Ok(()) };
            let begin = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
            let giver = if own { ConsentGiver::Own } else { ConsentGiver::ChildWelfareCommittee };
            let all = [consent(1, giver, begin + Days::new(given), None)];
            let subject = ConsentSubject { born_on: born_on.clone(), guardians: Vec::new() };
            let first = begin + Days::new(from);
            let window = Window { first, last: first + Days::new(length) };
            let adult = adult_from(&born_on).unwrap();
            let found = Due::of_client(CLIENT, &subject, &all, window);
            let due = found.iter().any(|it| it.why == DueReason::ComesOfAge && it.on == adult);
            let covered = own && all[0].given_on == adult;
            prop_assert_eq!(due, window.first <= adult && adult <= window.last && !covered);
            prop_assert!(found.len() <= 1);
        }
    }
}
