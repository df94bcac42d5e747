//! Police: why they ask, how often they may, and what is kept of their look-ups.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::client::CrimeNumber;
use super::code::words;
use super::compliance::PoliceStatus;
use super::ids::{PoliceCallId, PoliceLookupId};
use super::text::Code;

/// So many calls of one caller within [`RATE_WINDOW`] are answered; a parameter of ours.
pub const MOST_CALLS: i64 = 60;
/// See [`MOST_CALLS`].
pub const RATE_WINDOW: TimeDelta = TimeDelta::minutes(1);
/// The most orders of one batch (compliance, "The police view").
pub const LARGEST_BATCH: usize = 200;

words! {
    /// Why police look at an order.
    Purpose {
        /// To supervise a person who is under an order.
        Supervision = "SUPERVISION",
        /// To investigate a crime.
        Investigation = "INVESTIGATION",
        /// To report to a court.
        CourtReport = "COURT_REPORT",
        /// To look into a bail, probation or parole condition.
        ConditionCheck = "CONDITION_CHECK",
    }
}

/// A call by which police ask.
#[derive(Clone, Debug, PartialEq)]
pub struct PoliceCall {
    /// Its id.
    pub id: PoliceCallId,
    /// When.
    pub called_at: DateTime<Utc>,
    /// Who, in which capacity.
    pub caller: String,
    /// Who.
    pub principal: String,
    /// Of which jurisdiction.
    pub jurisdiction: Code,
    /// What was called.
    pub method: &'static str,
    /// Why.
    pub purpose: Purpose,
    /// In which case.
    pub crime_number: CrimeNumber,
}

/// What police were told about an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Lookup {
    /// Its id.
    pub id: PoliceLookupId,
    /// When.
    pub looked_at: DateTime<Utc>,
    /// Of which day of the order.
    pub as_of_on: NaiveDate,
    /// What they were told.
    pub answer: PoliceStatus,
    /// Who asked.
    pub principal: String,
    /// Why.
    pub purpose: Purpose,
    /// When a correction changed that answer, if one did.
    pub corrected_at: Option<DateTime<Utc>>,
}
