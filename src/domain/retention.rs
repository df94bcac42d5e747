//! Retention: for how long what is known of a client is kept, as data; who is due by that, and what keeps a client who
//! is due.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::code::{Side, words};
use super::text::{Code, Fault};

/// What a rule keeps at the least: whatever is processed, and the logs of it, for a year (DPDP Rules 2025, rule 8(3)),
/// which is more than the 180 days of CERT-In's directions of 2022.
pub const LEAST_DAYS: u32 = 365;
/// The most that a rule can say: a century. What is to be kept for ever has no rule.
const MOST_DAYS: u32 = 36_525;
/// For how long whoever is due is listed before being erased, at the least.
const LEAST_NOTICE_DAYS: u32 = 1;
/// The same, unless the policy says otherwise. \[P\]
const USUAL_NOTICE_DAYS: u32 = 7;
/// How much earlier than in Greenwich a day begins somewhere, and how much later it ends.
const BEGINS_BEFORE: TimeDelta = TimeDelta::hours(14);
/// See [`BEGINS_BEFORE`].
const ENDS_AFTER: TimeDelta = TimeDelta::hours(12);

/// A policy as it is proposed: the text of a table of the configuration file.
pub const PROPOSAL: &str = include_str!("retention/proposal.toml");

words! {
    /// What keeps a client who is due.
    Hindrance {
        /// A legal hold stands.
        LegalHold = "LEGAL_HOLD",
        /// A session is to come.
        SessionToCome = "SESSION_TO_COME",
        /// An order is open, and police are answered about it.
        OrderOpen = "ORDER_OPEN",
        /// A follow-up plan of the client, or of a case of the client's, is open.
        PlanOpen = "PLAN_OPEN",
        /// A case takes the client away on a day to come.
        ProceedingToCome = "PROCEEDING_TO_COME",
        /// The client waits for a session.
        Waiting = "WAITING",
        /// Something called for a person, and nobody has resolved it.
        EscalationOpen = "ESCALATION_OPEN",
        /// A report that the law demands was not made.
        ReportOpen = "REPORT_OPEN",
        /// Somebody was let in in an emergency, and nobody has reviewed that.
        BreakGlassUnreviewed = "BREAK_GLASS_UNREVIEWED",
    }
}

/// For how long what is known of clients is kept. Without a rule, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// For how many days whoever is due is listed before being erased.
    pub notice_days: u32,
    /// The rules; the first that fits counts.
    pub rules: Vec<Rule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { notice_days: USUAL_NOTICE_DAYS, rules: Vec::new() }
    }
}

/// For how long clients of one side are kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the trail calls it.
    pub name: Code,
    /// Whose clients.
    pub side: Side,
    /// Only of organisations in these districts; in every one when empty.
    #[serde(default)]
    pub districts: Vec<Code>,
    /// For how many days after the last thing that happened to the client here.
    pub keep_days: u32,
    /// For how many days after coming of age at the least; when absent, age does not matter.
    #[serde(default)]
    pub after_majority_days: Option<u32>,
}

impl Policy {
    /// Says what is wrong with it, if anything is.
    pub fn check(&self) -> Result<(), Fault> {
        let within = |days: u32, least: u32| (least..=MOST_DAYS).contains(&days);
        if !within(self.notice_days, LEAST_NOTICE_DAYS) {
            return Err(Fault::new(format!("notice_days must be {LEAST_NOTICE_DAYS} to {MOST_DAYS}")));
        }
        for (at, rule) in self.rules.iter().enumerate() {
            let wrong = |says: String| Err(Fault::new(format!("rule {}: {says}", rule.name)));
            Code::parse(rule.name.as_str())?;
            rule.districts.iter().try_for_each(|it| Code::parse(it.as_str()).map(drop))?;
            if self.rules[..at].iter().any(|other| other.name == rule.name) {
                return wrong("stands there twice".into());
            }
            if !within(rule.keep_days, LEAST_DAYS) {
                let law = "DPDP Rules 2025, rule 8(3)";
                return wrong(format!("keep_days must be {LEAST_DAYS} ({law}) to {MOST_DAYS}"));
            }
            if rule.after_majority_days.is_some_and(|days| days > MOST_DAYS) {
                return wrong(format!("after_majority_days must be at most {MOST_DAYS}"));
            }
        }
        Ok(())
    }

    /// Whether anybody is ever erased by it.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// By what it is known again: whoever changes anything makes another policy of it, which lists anew.
    pub fn digest(&self) -> String {
        let text = serde_json::to_vec(self).unwrap_or_default();
        Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The rule for clients of a side, of an organisation in a district.
    pub fn rule(&self, side: Side, district: &Code) -> Option<&Rule> {
        self.rules.iter().find(|it| it.side == side && (it.districts.is_empty() || it.districts.contains(district)))
    }

    /// Before which instant the last thing has happened to everybody who is due.
    pub fn quiet_since(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let least = self.rules.iter().map(|it| it.keep_days).min()?;
        Some(now - TimeDelta::days(least.into()))
    }

    /// From when on somebody who was listed at an instant may be erased.
    pub fn erasable_from(&self, listed_at: DateTime<Utc>) -> DateTime<Utc> {
        listed_at + TimeDelta::days(self.notice_days.into())
    }
}

/// How somebody stands to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// To be kept up to this day, which counts whole, wherever it is.
    Kept(NaiveDate),
    /// Nothing is known of the age, on which it depends: kept until somebody records it.
    AgeUnknown,
    /// Kept for long enough, up to this day.
    Due(NaiveDate),
}

impl Rule {
    /// How somebody stands to it now, to whom something happened last at an instant, and who is of age from a day on.
    pub fn standing(&self, last_at: DateTime<Utc>, adult_from: Option<NaiveDate>, now: DateTime<Utc>) -> Standing {
        let after = |day: NaiveDate, days: u32| day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX);
        let kept = after((last_at + BEGINS_BEFORE).date_naive(), self.keep_days);
        let is_over = |day: NaiveDate| (now - ENDS_AFTER).date_naive() > day;
        let until = match (self.after_majority_days, adult_from) {
            (None, _) => kept,
            (Some(_), None) if is_over(kept) => return Standing::AgeUnknown,
            (Some(_), None) => kept,
            (Some(days), Some(adult_from)) => kept.max(after(adult_from, days)),
        };
        if is_over(until) { Standing::Due(until) } else { Standing::Kept(until) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Deserialize)]
    struct File {
        retention: Policy,
    }

    fn parsed(text: &str) -> Result<Policy, String> {
        let policy = toml::from_str::<File>(text).map_err(|error| error.to_string())?.retention;
        policy.check().map_err(|fault| fault.to_string())?;
        Ok(policy)
    }

    fn rule(keep_days: u32, after_majority_days: Option<u32>) -> Rule {
        let name = Code::parse("R").unwrap();
        Rule { name, side: Side::Survivor, districts: Vec::new(), keep_days, after_majority_days }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_proposal_is_a_policy() {
        let policy = parsed(PROPOSAL).unwrap();
        assert_eq!(policy.rules.len(), 2);
        assert_eq!(policy.rule(Side::Offender, &Code::parse("KL-TVM").unwrap()).unwrap().keep_days, 2555);
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        let one = "[[retention.rules]]\nname = \"A\"\nside = \"SURVIVOR\"\n";
        for (text, says) in [
            ("[retention]\nnotice = 7", "unknown field"),
            ("[retention]\nnotice_days = 0", "notice_days must be 1"),
            (&format!("{one}keep_days = 364"), "keep_days must be 365 (DPDP Rules 2025, rule 8(3))"),
            (&format!("{one}keep_days = 36526"), "keep_days must be 365"),
            (&format!("{one}keep_days = 400\nfor_ever = true"), "unknown field"),
            (&format!("{one}keep_days = 400\nafter_majority_days = 40000"), "after_majority_days"),
            (&format!("{one}keep_days = 400\n{one}keep_days = 500"), "twice"),
            (one, "missing field"),
            ("[[retention.rules]]\nname = \"a b\"\nside = \"SURVIVOR\"\nkeep_days = 400", "must be 1 to 32"),
        ] {
            let refused = parsed(text).unwrap_err();
            assert!(refused.contains(says), "{text}: {refused}");
        }
        assert_eq!(parsed("[retention]"), Ok(Policy::default()));
    }

    #[test]
    fn the_first_rule_that_fits_counts() {
        let [here, there] = ["KL-TVM", "UP-MRT"].map(|it| Code::parse(it).unwrap());
        let own = Rule { districts: vec![here.clone()], ..rule(400, None) };
        let policy = Policy { rules: vec![own, rule(500, None)], ..Policy::default() };
        let days = |side, district| policy.rule(side, district).map(|it| it.keep_days);
        assert_eq!(days(Side::Survivor, &here), Some(400));
        assert_eq!(days(Side::Survivor, &there), Some(500));
        assert_eq!(days(Side::Offender, &there), None);
        assert_eq!(policy.quiet_since(at("2028-01-01T00:00:00Z")), Some(at("2026-11-27T00:00:00Z")));
        assert_eq!(Policy::default().quiet_since(at("2028-01-01T00:00:00Z")), None);
    }

    #[test]
    fn whatever_changes_makes_another_policy() {
        let policy = Policy { rules: vec![rule(400, None)], ..Policy::default() };
        assert_eq!(policy.digest(), policy.clone().digest());
        for other in [
            Policy { notice_days: 8, ..policy.clone() },
            Policy { rules: vec![rule(401, None)], ..policy.clone() },
            Policy { rules: vec![rule(400, Some(0))], ..policy.clone() },
        ] {
            assert_ne!(policy.digest(), other.digest());
        }
    }

    #[test]
    fn the_last_day_counts_whole_wherever_it_is() {
        // The last thing happened on the 23rd here, and in the east of the world on the 24th.
        let last = at("2026-11-23T12:00:00Z");
        let until = day("2027-11-24");
        let stands = |now: &str| rule(365, None).standing(last, None, at(now));
        assert_eq!(stands("2027-11-25T11:59:59Z"), Standing::Kept(until));
        assert_eq!(stands("2027-11-25T12:00:00Z"), Standing::Due(until));
    }

    #[test]
    fn who_was_a_child_is_kept_until_some_time_after_coming_of_age() {
        let (last, now) = (at("2026-11-23T04:00:00Z"), at("2030-01-02T12:00:00Z"));
        let by = |adult_from: Option<&str>| rule(365, Some(365)).standing(last, adult_from.map(day), now);
        assert_eq!(by(Some("2020-01-01")), Standing::Due(day("2027-11-23")));
        assert_eq!(by(Some("2029-01-01")), Standing::Due(day("2030-01-01")));
        assert_eq!(by(Some("2029-01-02")), Standing::Kept(day("2030-01-02")));
        assert_eq!(by(None), Standing::AgeUnknown);
        let soon = rule(365, Some(365)).standing(last, None, at("2027-01-02T12:00:00Z"));
        assert_eq!(soon, Standing::Kept(day("2027-11-23")));
    }

    proptest! {
        #[test]
        fn nobody_is_due_before_every_term_is_over(
            keep in 365u32..4000, majority in proptest::option::of(0u32..4000), hours in 0i64..200_000,
            adult in proptest::option::of(-4000i64..9000), last in 0i64..50_000,
        ) {
            let start = at("2020-01-01T00:00:00Z");
            let (last_at, now) = (start + TimeDelta::hours(last), start + TimeDelta::hours(last + hours));
            let adult_from = adult.map(|days| start.date_naive() + TimeDelta::days(days));
            if let Standing::Due(_) = rule(keep, majority).standing(last_at, adult_from, now) {
                prop_assert!(now - last_at > TimeDelta::days(keep.into()));
                if let (Some(days), Some(adult_from)) = (majority, adult_from) {
                    prop_assert!(now.date_naive() > adult_from + TimeDelta::days(days.into()));
                }
                prop_assert!(majority.is_none() || adult_from.is_some());
            }
        }
    }
}
