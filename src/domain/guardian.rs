//! Guardians: who answers for a child, and whether they may.

use chrono::NaiveDate;
use serde::Serialize;

use super::code::words;
use super::ids::{ClientId, GuardianId, OrganisationId};
use super::noun::Noun;
use super::personal::Personal;
use super::text::Code;

words! {
    /// Whether a guardian may answer for the child.
    GuardianStanding {
        /// Nothing is known against it.
        Safe = "SAFE",
        /// The child is not safe with this guardian.
        Unsafe = "UNSAFE",
        /// This guardian is accused in a case of the child.
        Accused = "ACCUSED",
    }
}

impl GuardianStanding {
    /// Whether a guardian who stands so answers for a client on a day: until the client is certainly 18 (`adult_from`,
    /// see [`super::age::adult_from`]), and while nothing is known against it (privacy, "Consent"). Whoever does not
    /// answer is told nothing, and gives no consent.
    pub fn answers_on(self, adult_from: Option<NaiveDate>, day: NaiveDate) -> bool {
        self == Self::Safe && adult_from.is_none_or(|from| day < from)
    }
}

/// Somebody who answers for a client. Never deleted: whose word counted once is part of the history.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Guardian {
    /// The client.
    pub client_id: ClientId,
    /// The organisation's code for the guardian, unique among those of the client.
    pub code: Option<Code>,
    /// Name.
    pub name: Personal,
    /// Telephone; may be empty.
    pub phone: Personal,
    /// What the guardian is to the client; may be empty.
    pub relation: Personal,
    /// Whether the guardian may answer for the client today.
    pub standing: GuardianStanding,
}

impl Noun for Guardian {
    type Id = GuardianId;
    const WORD: &'static str = "guardian";
    const OWNER: Option<&'static str> = Some("client");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::age::{ADULT, adult_from, age_on};
    use crate::domain::client::birth;

    proptest! {
        #[test]
        fn no_guardian_answers_for_who_is_certainly_an_adult(
            (year, month, date) in (1990i32..2020, 1u32..=12, 1u32..=31), only_year: bool, after in 0u64..10_000
        ) {
            let (month, date) = if only_year { (0, 0) } else { (month, date) };
            let Ok(born_on) = birth(year, month, date) else { return Ok(()) };
            let day = NaiveDate::from_ymd_opt(year, 1, 1).unwrap() + Days::new(after);
            let child = age_on(&born_on, day).is_none_or(|age| age < ADULT);
            for standing in GuardianStanding::ALL {
                let answers = standing.answers_on(adult_from(&born_on), day);
                prop_assert_eq!(answers, child && *standing == GuardianStanding::Safe);
            }
        }
    }

    #[test]
    fn of_an_unknown_age_a_safe_guardian_answers() {
        assert!(GuardianStanding::Safe.answers_on(None, NaiveDate::MAX));
    }
}
