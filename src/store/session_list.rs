//! Lists of sessions: by whom and when, a page at a time.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use uuid::Uuid;

use super::codec::Instant;
use super::error::Result;
use super::session::{Row, complete};
use super::tx::Tx;
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId, SeriesId, SessionId, SiteId};
use crate::domain::session::{Session, StateWord};

/// Which sessions.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Of this organisation.
    pub organisation_id: Option<OrganisationId>,
    /// Of this counsellor.
    pub counsellor_id: Option<CounsellorId>,
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// At this site.
    pub site_id: Option<SiteId>,
    /// On this local day.
    pub on_date: Option<NaiveDate>,
    /// Starting at or after.
    pub starts_from: Option<DateTime<Utc>>,
    /// Starting before.
    pub starts_before: Option<DateTime<Utc>>,
    /// In one of these states; in any, but that of a mere hold, when empty.
    pub states: Vec<StateWord>,
    /// Of this series.
    pub series_id: Option<SeriesId>,
    /// Only those that a person must resolve.
    pub flagged: bool,
    /// After this start and id.
    pub after: Option<(DateTime<Utc>, SessionId)>,
    /// At most so many.
    pub most: i64,
}

/// No session starts later.
const NEVER: NaiveDate = NaiveDate::from_ymd_opt(2300, 1, 1).unwrap();

impl Listing {
    /// After which start and id, and before which start, all of them are.
    fn bounds(&self) -> ((DateTime<Utc>, SessionId), DateTime<Utc>) {
        let midnight = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc();
        // A local day reaches less than a day beyond that of UTC.
        let of_day = self.on_date.map(|date| (midnight(date) - Days::new(1), midnight(date) + Days::new(2)));
        let nobody = SessionId(Uuid::nil());
        let from = self.starts_from.into_iter().chain(of_day.map(|it| it.0)).map(|at| (at, nobody)).chain(self.after);
        let before = self.starts_before.into_iter().chain(of_day.map(|it| it.1));
        let first = (DateTime::UNIX_EPOCH, nobody);
        (from.max().unwrap_or(first), before.min().unwrap_or(midnight(NEVER)))
    }

    /// By what an index finds them.
    fn by(&self) -> &'static str {
        if self.series_id.is_some() {
            "series_id = $12"
        } else if self.client_id.is_some() {
            "id IN (SELECT session_id FROM session_participant WHERE client_id = $3 AND removed_at IS NULL)"
        } else if self.counsellor_id.is_some() {
            "id IN (SELECT id FROM session AS led
                     WHERE led.counsellor_id = $2 AND led.starts_at < $6 AND (led.starts_at, led.id) > ($8, $9)
                     UNION ALL SELECT session_id FROM session_facilitator WHERE counsellor_id = $2)"
        } else if self.site_id.is_some() {
            "site_id = $4"
        } else {
            // Nobody lists those of all organisations: without one, there are none.
            "organisation_id = $1"
        }
    }
}

/// Reads a page of sessions, by start.
pub async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Session>> {
    let wanted = |word: &&StateWord| match listing.states.is_empty() {
        true => **word != StateWord::Held,
        false => listing.states.contains(*word),
    };
    let states: String = StateWord::ALL.iter().filter(wanted).map(|word| format!(",{word},")).collect();
    let (after_start, after_id) = listing.bounds().0;
    let rows = tx
        .sql_by(
            "SELECT * FROM session
              WHERE {by} AND (CAST($1 AS UUID) IS NULL OR organisation_id = $1)
                AND (CAST($2 AS UUID) IS NULL OR counsellor_id = $2
                     OR id IN (SELECT session_id FROM session_facilitator WHERE counsellor_id = $2))
                AND (CAST($3 AS UUID) IS NULL
                     OR id IN (SELECT session_id FROM session_participant WHERE client_id = $3 AND removed_at IS NULL))
                AND (CAST($4 AS UUID) IS NULL OR site_id = $4)
                AND (CAST($5 AS DATE) IS NULL OR on_date = $5)
                AND starts_at < $6
                AND $7 LIKE '%,' || state || ',%'
                AND (starts_at, id) > ($8, $9)
                AND ($11 = FALSE OR flags <> '[]')
                AND (CAST($12 AS UUID) IS NULL OR series_id = $12)
              ORDER BY starts_at, id LIMIT $10",
            listing.by(),
        )
        .bind(listing.organisation_id)
        .bind(listing.counsellor_id)
        .bind(listing.client_id)
        .bind(listing.site_id)
        .bind(listing.on_date)
        .bind(Instant(listing.bounds().1))
        .bind(states)
        .bind(Instant(after_start))
        .bind(after_id)
        .bind(listing.most)
        .bind(listing.flagged)
        .bind(listing.series_id)
        .all::<Row>()
        .await?;
    complete(tx, rows).await
}
