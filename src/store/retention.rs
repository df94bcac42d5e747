//! Who is listed to be erased by a rule of retention, and what such a rule looks at. A notice is never changed: it goes,
//! and another comes.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

use super::codec::Instant;
use super::error::Result;
use super::tx::Tx;
use crate::domain::code::Side;
use crate::domain::ids::{ClientId, OrganisationId};
use crate::domain::reference::Reference;
use crate::domain::retention::Hindrance;
use crate::domain::text::Code;

/// Somebody whom a rule may be about.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Candidate {
    /// The client.
    pub id: ClientId,
    /// The client's side.
    pub side: Side,
    /// The district of the client's organisation.
    pub district: Code,
}

/// A page of clients who are not erased and to whom nothing has happened since an instant, by their own row at least; and
/// of whoever is listed.
pub async fn candidates(tx: &mut Tx, quiet_since: Instant, after: ClientId, most: i64) -> Result<Vec<Candidate>> {
    let sql = tx.sql(
        "SELECT client.id, client.side, organisation.district
           FROM client JOIN organisation ON organisation.id = client.organisation_id
          WHERE client.erased_at IS NULL AND client.id > $2
            AND (client.updated_at <= $1
                 OR EXISTS (SELECT 1 FROM retention_notice WHERE retention_notice.client_id = client.id))
          ORDER BY client.id LIMIT $3",
    );
    sql.bind(quiet_since).bind(after).bind(most).all().await
}

/// The same for one client, erased or not.
pub async fn candidate(tx: &mut Tx, id: ClientId) -> Result<Option<Candidate>> {
    let sql = tx.sql(
        "SELECT client.id, client.side, organisation.district
           FROM client JOIN organisation ON organisation.id = client.organisation_id WHERE client.id = $1",
    );
    sql.bind(id).maybe().await
}

/// When something happened to a client last: a session ended, a plan was closed, an order changed or ended, and the like.
pub async fn last_happened(tx: &mut Tx, id: ClientId) -> Result<Option<DateTime<Utc>>> {
    let sql = tx.sql(
        "SELECT MAX(happened_at) FROM (
            SELECT updated_at AS happened_at FROM client WHERE id = $1
            UNION ALL
            SELECT session.ends_at FROM session_participant AS mine JOIN session ON session.id = mine.session_id
             WHERE mine.client_id = $1 AND mine.removed_at IS NULL AND session.state = 'BOOKED'
            UNION ALL SELECT closed_at FROM follow_up_plan WHERE client_id = $1
            UNION ALL
            SELECT event.recorded_at FROM treatment_event AS event
              JOIN treatment_order ON treatment_order.id = event.order_id WHERE treatment_order.client_id = $1
            UNION ALL SELECT updated_at FROM consent WHERE client_id = $1
            UNION ALL SELECT ended_at FROM waitlist_entry WHERE client_id = $1
            UNION ALL SELECT resolved_at FROM escalation WHERE client_id = $1
            UNION ALL SELECT recorded_at FROM mandatory_report WHERE client_id = $1
         ) AS happened",
    );
    let happened = sql.bind(id).maybe::<(Option<Instant>,)>().await?.and_then(|row| row.0);
    let sql = tx.sql("SELECT MAX(ends_on) FROM treatment_order WHERE client_id = $1");
    let ended = sql.bind(id).maybe::<(Option<NaiveDate>,)>().await?.and_then(|row| row.0);
    let ended = ended.map(|day| day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::days(1));
    Ok(happened.map(|it| it.0).max(ended))
}

/// What keeps a client, whatever the rules say.
pub async fn hindrances(tx: &mut Tx, id: ClientId, now: DateTime<Utc>) -> Result<Vec<Hindrance>> {
    let sql = tx.sql(
        "SELECT 'LEGAL_HOLD' WHERE EXISTS (SELECT 1 FROM legal_hold
                 WHERE client_id = $1 AND released_at IS NULL AND (until_on IS NULL OR until_on >= $3))
         UNION ALL
         SELECT 'SESSION_TO_COME' WHERE EXISTS (
            SELECT 1 FROM session_participant AS mine JOIN session ON session.id = mine.session_id
             WHERE mine.client_id = $1 AND mine.removed_at IS NULL AND session.state IN ('BOOKED', 'HELD')
               AND session.ends_at > $2)
         UNION ALL
         SELECT 'ORDER_OPEN' WHERE EXISTS (
            SELECT 1 FROM treatment_order JOIN compliance ON compliance.order_id = treatment_order.id
             WHERE treatment_order.client_id = $1 AND compliance.open = TRUE)
         UNION ALL
         SELECT 'PLAN_OPEN' WHERE EXISTS (SELECT 1 FROM follow_up_plan WHERE client_id = $1 AND closing IS NULL)
             OR EXISTS (SELECT 1 FROM case_party JOIN follow_up_plan AS plan ON plan.case_file_id = case_party.case_file_id
                         WHERE case_party.client_id = $1 AND plan.closing IS NULL)
         UNION ALL
         SELECT 'PROCEEDING_TO_COME' WHERE EXISTS (
            SELECT 1 FROM case_party JOIN proceeding ON proceeding.case_file_id = case_party.case_file_id
             WHERE case_party.client_id = $1 AND proceeding.on_date >= $3)
         UNION ALL
         SELECT 'WAITING' WHERE EXISTS (SELECT 1 FROM waitlist_entry WHERE client_id = $1 AND ended_how IS NULL)
         UNION ALL
         SELECT 'ESCALATION_OPEN' WHERE EXISTS (
            SELECT 1 FROM escalation WHERE client_id = $1 AND resolved_at IS NULL)
         UNION ALL
         SELECT 'REPORT_OPEN' WHERE EXISTS (
            SELECT 1 FROM mandatory_report WHERE client_id = $1 AND reported_at IS NULL)
         UNION ALL
         SELECT 'BREAK_GLASS_UNREVIEWED' WHERE EXISTS (
            SELECT 1 FROM break_glass WHERE client_id = $1 AND opened_at IS NOT NULL AND reviewed_at IS NULL)",
    );
    let today = crate::domain::legal_hold::lasts_on(now);
    let rows = sql.bind(id).bind(Instant(now)).bind(today).all::<(Hindrance,)>().await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

/// That a client is to be erased by a rule, unless somebody holds that.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The client.
    pub client_id: ClientId,
    /// The client's reference.
    pub reference: Reference,
    /// The rule.
    pub rule: Code,
    /// Digest of the policy.
    pub policy: String,
    /// Until when the client was kept.
    pub kept_until: NaiveDate,
    /// When it was listed.
    pub listed_at: DateTime<Utc>,
}

#[derive(sqlx::FromRow)]
struct Row {
    client_id: ClientId,
    reference: Reference,
    rule: Code,
    policy: String,
    kept_until: NaiveDate,
    listed_at: Instant,
}

impl From<Row> for Notice {
    fn from(row: Row) -> Self {
        let Row { client_id, reference, rule, policy, kept_until, listed_at } = row;
        Self { client_id, reference, rule, policy, kept_until, listed_at: listed_at.0 }
    }
}

/// Lists somebody who is not listed.
pub async fn insert(
    tx: &mut Tx,
    id: ClientId,
    rule: &Code,
    policy: &str,
    kept_until: NaiveDate,
    now: Instant,
) -> Result<()> {
    let sql = tx.sql(
        "INSERT INTO retention_notice (client_id, rule, policy, kept_until, listed_at) VALUES ($1, $2, $3, $4, $5)",
    );
    let sql = sql.bind(id).bind(rule.clone()).bind(policy.to_owned()).bind(kept_until).bind(now);
    sql.run().await.map(drop)
}

/// The notice about a client.
pub async fn find(tx: &mut Tx, id: ClientId) -> Result<Option<Notice>> {
    let sql = tx.sql(
        "SELECT it.*, client.reference FROM retention_notice AS it JOIN client ON client.id = it.client_id
          WHERE it.client_id = $1",
    );
    Ok(sql.bind(id).maybe::<Row>().await?.map(Notice::from))
}

/// A page of the notices by a policy about clients of an organisation, by client.
pub async fn list(
    tx: &mut Tx,
    organisation_id: OrganisationId,
    policy: &str,
    after: ClientId,
    most: i64,
) -> Result<Vec<Notice>> {
    let sql = tx.sql(
        "SELECT it.*, client.reference FROM retention_notice AS it JOIN client ON client.id = it.client_id
          WHERE client.organisation_id = $1 AND it.policy = $2 AND it.client_id > $3
          ORDER BY it.client_id LIMIT $4",
    );
    let sql = sql.bind(organisation_id).bind(policy.to_owned()).bind(after).bind(most);
    Ok(sql.all::<Row>().await?.into_iter().map(Notice::from).collect())
}

/// Takes the notice about a client back, if there is one.
pub async fn delete(tx: &mut Tx, id: ClientId) -> Result<()> {
    tx.sql("DELETE FROM retention_notice WHERE client_id = $1").bind(id).run().await.map(drop)
}

/// Takes every notice back; how many there were.
pub async fn clear(tx: &mut Tx) -> Result<u64> {
    tx.sql("DELETE FROM retention_notice").run().await
}
