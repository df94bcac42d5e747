//! Legal holds: why a client may not be erased, for as long as it lasts.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use serde::Serialize;

use super::ids::{ClientId, LegalHoldId, OrganisationId};
use super::noun::Noun;
use super::personal::Personal;

/// The length of a reason.
pub const REASON: std::ops::RangeInclusive<usize> = 3..=500;

/// How long a day lasts after it has ended in Greenwich: until it is over everywhere.
const DAY_LASTS_FOR: TimeDelta = TimeDelta::hours(12);

/// The earliest day that is not over everywhere.
pub fn lasts_on(now: DateTime<Utc>) -> NaiveDate {
    (now - DAY_LASTS_FOR).date_naive()
}

/// A hold on the data about a client. Never changed, released once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LegalHold {
    /// The client.
    pub client_id: ClientId,
    /// Why.
    pub reason: Personal,
    /// The last day; without one it stands until it is released.
    pub until: Option<NaiveDate>,
    /// Who placed it.
    pub placed_by: String,
    /// That it was released.
    pub released: Option<Released>,
}

/// The release of a hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Released {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: Personal,
}

impl LegalHold {
    /// Whether it forbids to erase the client now. Its last day counts whole, wherever it is.
    pub fn stands(&self, now: DateTime<Utc>) -> bool {
        self.released.is_none() && self.until.is_none_or(|last| lasts_on(now) <= last)
    }
}

impl Noun for LegalHold {
    type Id = LegalHoldId;
    const WORD: &'static str = "legal hold";
    const OWNER: Option<&'static str> = Some("client");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_to_the_end_of_its_last_day_everywhere() {
        let mut hold = LegalHold {
            client_id: ClientId(uuid::Uuid::nil()),
            reason: Personal::default(),
            until: NaiveDate::from_ymd_opt(2026, 11, 23),
            placed_by: "me".into(),
            released: None,
        };
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        assert!(hold.stands(at("2026-11-24T11:59:59Z")));
        assert!(!hold.stands(at("2026-11-24T12:00:00Z")));
        hold.until = None;
        assert!(hold.stands(at("2126-11-24T12:00:00Z")));
        hold.released = Some(Released { at: at("2026-11-23T04:00:00Z"), by: "me".into(), reason: Personal::default() });
        assert!(!hold.stands(at("2026-11-23T04:00:00Z")));
    }
}
