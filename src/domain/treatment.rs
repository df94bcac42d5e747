//! Treatment orders: what somebody must do and on whose word, and everything that was recorded about it.
//!
//! An order is the events of its [`history`]; what it says now are its last terms. Whether the person complies
//! is no part of it, but a function of it: [`super::compliance`].

pub mod act;
pub mod history;
pub mod standing;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::code::words;
use super::compliance;
use super::ids::{ClientId, HolidayCalendarId, OrderId, OrganisationId};
use super::reference::Reference;
use super::text::Code;

words! {
    /// On whose word somebody is in treatment. India has no statute that orders treatment as such, so every
    /// order says what it rests on (compliance, first paragraph).
    MandateBasis {
        /// A court's order.
        CourtOrder = "COURT_ORDER",
        /// A condition of bail.
        BailCondition = "BAIL_CONDITION",
        /// An order of probation, or under juvenile justice.
        ProbationOrder = "PROBATION_ORDER",
        /// A condition of parole or remission.
        ParoleCondition = "PAROLE_CONDITION",
        /// Nobody's but the person's own. To police it is as if it did not exist.
        Voluntary = "VOLUNTARY",
    }

    /// Why an order has ended before it was completed.
    TerminationReason {
        /// Who made it has revoked it.
        Revoked = "REVOKED",
        /// Another order takes its place.
        Replaced = "REPLACED",
        /// The person is in custody, or under another authority.
        Transferred = "TRANSFERRED",
        /// The person has died.
        Deceased = "DECEASED",
        /// Anything else.
        Other = "OTHER",
    }
}

/// The most sessions an order can require; a parameter of ours.
pub const MOST_REQUIRED: u32 = 400;

/// The policy of the installation's beginning, with the defaults of the design.
pub const STANDARD_POLICY: &str = "STANDARD";

/// A version of a compliance policy: never changed, because orders are judged by it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// The policy's code.
    pub code: Code,
    /// Which version, from 1.
    pub version: i64,
}

/// A policy as it was published.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// Which.
    pub version: PolicyVersion,
    /// Its name.
    pub name: String,
    /// Its parameters.
    pub policy: compliance::Policy,
    /// When.
    pub published_at: DateTime<Utc>,
}

/// What is ordered, and by what it is judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// District code of the police to whom it is answered.
    pub jurisdiction: Code,
    /// On whose word.
    pub mandate: MandateBasis,
    /// The document that says so, by its number.
    pub document: String,
    /// First day, in the order's zone.
    pub starts_on: NaiveDate,
    /// Last day, in the order's zone; none is open.
    pub ends_on: Option<NaiveDate>,
    /// How many sessions count as done.
    pub required: u32,
    /// The zone in which its days are meant.
    pub zone: Tz,
    /// Whose days are no working days, beside Saturdays and Sundays.
    pub holiday_calendar_id: Option<HolidayCalendarId>,
    /// By what it is judged.
    pub policy: PolicyVersion,
}

impl Terms {
    /// What the compliance function looks at.
    pub fn judged(&self) -> compliance::Terms {
        compliance::Terms { starts_on: self.starts_on, ends_on: self.ends_on, required: self.required }
    }

    /// The police who may know of it; none when nobody may.
    pub fn answered_to(&self) -> Option<&Code> {
        (self.mandate != MandateBasis::Voluntary).then_some(&self.jurisdiction)
    }
}

/// An order, as it now stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Its id.
    pub id: OrderId,
    /// How many events its history has; its etag.
    pub version: i64,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When something about it was last recorded.
    pub updated_at: DateTime<Utc>,
    /// Who provides the treatment.
    pub organisation_id: OrganisationId,
    /// Who is to be treated.
    pub client_id: ClientId,
    /// By which police ask for it; not the client's.
    pub reference: Reference,
    /// What is ordered now.
    pub terms: Terms,
    /// The last link of the chain of its events: a keyed digest of them all.
    pub head: Vec<u8>,
}
