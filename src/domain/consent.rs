//! Consents: who agreed to what for whom, and whether that still counts.

pub mod due;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;

use super::age::{adult_from, ages_on};
use super::code::words;
use super::guardian::GuardianStanding;
use super::ids::{ClientId, ConsentId, GuardianId, OrganisationId};
use super::noun::Noun;
use super::personal::Personal;
use super::text::{Code, Language};

words! {
    /// What a consent is for.
    ConsentPurpose {
        /// Sessions.
        Care = "CARE",
        /// Assessments after care.
        FollowUp = "FOLLOW_UP",
        /// Messages, as the client's safe-contact preference says.
        SafeContact = "SAFE_CONTACT",
        /// The move to another organisation.
        Transfer = "TRANSFER",
    }

    /// Who gave it.
    ConsentGiver {
        /// The client.
        Own = "OWN",
        /// A guardian of the client.
        Guardian = "GUARDIAN",
        /// The Child Welfare Committee, where no guardian may.
        ChildWelfareCommittee = "CHILD_WELFARE_COMMITTEE",
    }

    /// How the child agreed to what others consented to.
    Assent {
        /// Not at all.
        None = "NONE",
        /// In spoken words.
        Verbal = "VERBAL",
        /// In writing.
        Written = "WRITTEN",
    }

    /// How a consent came to its end.
    ConsentEnding {
        /// It was good, and taken back.
        Withdrawn = "WITHDRAWN",
        /// It was never good.
        Invalidated = "INVALIDATED",
    }
}

/// The end of a consent, with its evidence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConsentEnd {
    /// How.
    pub how: ConsentEnding,
    /// When.
    pub at: DateTime<Utc>,
    /// Why, 3 to 500 characters; empty where personal data is not opened.
    pub reason: Personal,
}

impl ConsentEnd {
    /// Whether a day is untouched by it. What was withdrawn was good until then; what was invalidated
    /// never was. A day counts that was certainly over, wherever it was.
    fn leaves(&self, day: NaiveDate) -> bool {
        self.how == ConsentEnding::Withdrawn && day < (self.at - WESTERNMOST).date_naive()
    }
}

/// Nowhere does a day end later than this after it ends in UTC.
const WESTERNMOST: TimeDelta = TimeDelta::hours(12);

/// A consent. It is never changed; it ends once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Consent {
    /// For whom.
    pub client_id: ClientId,
    /// What for.
    pub purpose: ConsentPurpose,
    /// By whom.
    pub given_by: ConsentGiver,
    /// The guardian who gave it, exactly when one did.
    pub guardian_id: Option<GuardianId>,
    /// How the child agreed.
    pub assent: Assent,
    /// The language in which it was explained.
    pub language: Language,
    /// Which version of the text was agreed to.
    pub text_version: Code,
    /// The day on which it was given.
    pub given_on: NaiveDate,
    /// The last day on which it holds.
    pub valid_until: Option<NaiveDate>,
    /// How it ended, if it did.
    pub ended: Option<ConsentEnd>,
}

/// The length of a reason for which a consent ends, in characters.
pub const REASON: std::ops::RangeInclusive<usize> = 3..=500;

/// What of a client decides whether a consent counts.
#[derive(Clone, Debug)]
pub struct ConsentSubject {
    /// Date of birth, as [`super::client::birth`] makes it; may be empty.
    pub born_on: Personal,
    /// The client's guardians as they stand now.
    pub guardians: Vec<(GuardianId, GuardianStanding)>,
}

impl Consent {
    /// Whether it covers a purpose on a day (privacy, "Consent").
    ///
    /// Who is certainly 18 then needs an own consent, given since. Everybody else is treated as a child:
    /// a guardian who is safe *now*, or the Child Welfare Committee, and the child's assent.
    pub fn covers(&self, subject: &ConsentSubject, purpose: ConsentPurpose, day: NaiveDate) -> bool {
        let holds = self.purpose == purpose
            && self.ended.as_ref().is_none_or(|end| end.leaves(day))
            && self.given_on <= day
            && self.valid_until.is_none_or(|last| day <= last);
        holds
            && match adult_from(&subject.born_on).filter(|from| *from <= day) {
                Some(from) => self.given_by == ConsentGiver::Own && from <= self.given_on,
                None => self.may_stand_for_a_child(subject) && self.assent >= least_assent(subject, self.given_on),
            }
    }

    fn may_stand_for_a_child(&self, subject: &ConsentSubject) -> bool {
        match (self.given_by, self.guardian_id) {
            (ConsentGiver::ChildWelfareCommittee, _) => true,
            (ConsentGiver::Guardian, Some(id)) => subject.guardians.contains(&(id, GuardianStanding::Safe)),
            (ConsentGiver::Guardian, None) | (ConsentGiver::Own, _) => false,
        }
    }
}

/// The assent that a child of that age must have given: none under 7, spoken from 7, written from 12 (privacy,
/// "Consent"). The oldest age the child may have had counts.
fn least_assent(subject: &ConsentSubject, given_on: NaiveDate) -> Assent {
    match ages_on(&subject.born_on, given_on).map(|ages| *ages.end()) {
        Some(0..=6) => Assent::None,
        Some(7..=11) => Assent::Verbal,
        Some(12..) | None => Assent::Written,
    }
}

impl Noun for Consent {
    type Id = ConsentId;
    const WORD: &'static str = "consent";
    const OWNER: Option<&'static str> = Some("client");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use chrono::Days;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const MOTHER: GuardianId = GuardianId(Uuid::from_u128(1));

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn subject(born_on: &str, standing: GuardianStanding) -> ConsentSubject {
        ConsentSubject { born_on: Personal::new(born_on.into()), guardians: vec![(MOTHER, standing)] }
    }

    fn consent(given_by: ConsentGiver, assent: Assent, given_on: &str) -> Consent {
        Consent {
            client_id: ClientId(Uuid::nil()),
            purpose: ConsentPurpose::Care,
            given_by,
            guardian_id: (given_by == ConsentGiver::Guardian).then_some(MOTHER),
            assent,
            language: Language::parse("ml").unwrap(),
            text_version: Code::parse("V1").unwrap(),
            given_on: day(given_on),
            valid_until: None,
            ended: None,
        }
    }

    fn covers(consent: &Consent, subject: &ConsentSubject, on: &str) -> bool {
        consent.covers(subject, ConsentPurpose::Care, day(on))
    }

    #[test]
    fn from_eighteen_the_own_consent_counts_and_is_retaken() {
        let safe = |born_on| subject(born_on, GuardianStanding::Safe);
        let own = |given_on| consent(ConsentGiver::Own, Assent::None, given_on);
        let of_guardian = consent(ConsentGiver::Guardian, Assent::Written, "2026-01-01");
        let born = safe("2008-11-23");
        assert!(covers(&own("2026-11-23"), &born, "2026-11-23"));
        // Given as a child, it does not count later, nor does the guardian's from that day on.
        assert!(!covers(&own("2026-11-22"), &born, "2026-11-22"));
        assert!(!covers(&own("2026-11-22"), &born, "2026-11-23"));
        assert!(covers(&of_guardian, &born, "2026-11-22"));
        assert!(!covers(&of_guardian, &born, "2026-11-23"));
        let committee = consent(ConsentGiver::ChildWelfareCommittee, Assent::Written, "2026-01-01");
        assert!(covers(&committee, &born, "2026-11-22"));
        assert!(!covers(&committee, &born, "2026-11-23"));
        // Of a year alone the last day counts; of nothing, nobody is an adult.
        assert!(covers(&of_guardian, &safe("2008"), "2026-12-31"));
        assert!(!covers(&own("2026-12-31"), &safe("2008"), "2026-12-31"));
        assert!(covers(&own("2027-01-01"), &safe("2008"), "2027-01-01"));
        assert!(covers(&of_guardian, &safe(""), "2026-12-31"));
        assert!(!covers(&own("2026-12-31"), &safe(""), "2026-12-31"));
    }

    #[test]
    fn a_guardian_counts_while_safe() {
        let it = consent(ConsentGiver::Guardian, Assent::Written, "2026-01-01");
        for standing in GuardianStanding::ALL {
            let safe = *standing == GuardianStanding::Safe;
            assert_eq!(covers(&it, &subject("2016-01-01", *standing), "2026-06-01"), safe, "{standing}");
        }
        let nobody = ConsentSubject { guardians: Vec::new(), ..subject("2016-01-01", GuardianStanding::Safe) };
        assert!(!covers(&it, &nobody, "2026-06-01"));
        let committee = consent(ConsentGiver::ChildWelfareCommittee, Assent::Written, "2026-01-01");
        assert!(covers(&committee, &nobody, "2026-06-01"));
    }

    #[test]
    fn the_child_assents_by_its_age_when_it_was_given() {
        for (born_on, least) in [
            ("2019-06-02", Assent::None),
            ("2019-06-01", Assent::Verbal),
            ("2014-06-02", Assent::Verbal),
            ("2014-06-01", Assent::Written),
            ("2020", Assent::None),
            ("2019", Assent::Verbal),
            ("2015", Assent::Verbal),
            ("2014", Assent::Written),
            ("", Assent::Written),
        ] {
            let child = subject(born_on, GuardianStanding::Safe);
            for assent in Assent::ALL {
                let it = consent(ConsentGiver::Guardian, *assent, "2026-06-01");
                // A birthday in between changes nothing.
                assert_eq!(covers(&it, &child, "2026-06-02"), *assent >= least, "{born_on} {assent}");
            }
        }
    }

    #[test]
    fn it_holds_between_its_days_for_its_purpose_until_it_ends() {
        let adult = subject("1990-01-01", GuardianStanding::Safe);
        let mut it = consent(ConsentGiver::Own, Assent::None, "2026-06-01");
        it.valid_until = Some(day("2026-06-30"));
        for (on, expected) in [("2026-05-31", false), ("2026-06-01", true), ("2026-06-30", true), ("2026-07-01", false)]
        {
            assert_eq!(covers(&it, &adult, on), expected, "{on}");
        }
        for purpose in ConsentPurpose::ALL {
            assert_eq!(it.covers(&adult, *purpose, day("2026-06-15")), *purpose == ConsentPurpose::Care);
        }
        for how in ConsentEnding::ALL {
            let ended = Some(ConsentEnd { how: *how, at: DateTime::UNIX_EPOCH, reason: Personal::default() });
            assert!(!covers(&Consent { ended, ..it.clone() }, &adult, "2026-06-15"));
        }
    }

    proptest! {
        #[test]
        fn nobody_unsafe_or_accused_and_no_child_ever_consents(
            age in 0u64..8_000, giver in 0usize..3, assent in 0usize..3, later in 0u64..8_000, accused: bool
        ) {
            let standing = if accused { GuardianStanding::Accused } else { GuardianStanding::Unsafe };
            let born = day("2000-02-29");
            let given_on = born + Days::new(age);
            let mut it = consent(ConsentGiver::ALL[giver], Assent::ALL[assent], "2000-01-01");
            it.given_on = given_on;
            let on = given_on + Days::new(later);
            if it.covers(&subject("2000-02-29", standing), ConsentPurpose::Care, on) {
                let adult = day("2018-03-01");
                match it.given_by {
                    ConsentGiver::Own => prop_assert!(given_on >= adult),
                    ConsentGiver::ChildWelfareCommittee => prop_assert!(on < adult),
                    ConsentGiver::Guardian => prop_assert!(false, "a guardian who is not safe"),
                }
            }
        }
    }
}
