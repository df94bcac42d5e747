//! Revocations and their ends. The schema lets nobody change either.

use super::codec::Instant;
use super::error::{Error, Result};
use super::tx::{Lock, Tx};
use crate::domain::ids::RevocationId;
use crate::domain::revocation::{Lift, LiftReason, Revocation, RevocationReason, Target};

#[derive(sqlx::FromRow)]
struct Row {
    id: RevocationId,
    token_id: Option<String>,
    principal: Option<String>,
    blocks: bool,
    until: Option<Instant>,
    reason: RevocationReason,
    revoked_at: Instant,
    revoked_by: String,
    lift_reason: Option<LiftReason>,
    lifted_at: Option<Instant>,
    lifted_by: Option<String>,
}

impl TryFrom<Row> for Revocation {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let target = match (row.token_id, row.principal) {
            (Some(token_id), None) => Target::Token { token_id, until: row.until.map(|it| it.0) },
            (None, Some(principal)) => Target::Principal { principal, blocks: row.blocks },
            _ => return Err(Error::Inconsistent { table: "revocation", what: row.id.to_string() }),
        };
        let lifted = match (row.lift_reason, row.lifted_at, row.lifted_by) {
            (Some(reason), Some(at), Some(by)) => Some(Lift { reason, at: at.0, by }),
            _ => None,
        };
        let (id, reason, at, by) = (row.id, row.reason, row.revoked_at.0, row.revoked_by);
        Ok(Revocation { id, target, reason, at, by, lifted })
    }
}

/// Writes a ruling.
pub async fn insert(tx: &mut Tx, it: &Revocation) -> Result<()> {
    let (token_id, until, principal, blocks) = match it.target.clone() {
        Target::Token { token_id, until } => (Some(token_id), until.map(Instant), None, false),
        Target::Principal { principal, blocks } => (None, None, Some(principal), blocks),
    };
    tx.sql(
        "INSERT INTO revocation (id, token_id, principal, blocks, until, reason, revoked_at, revoked_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(it.id)
    .bind(token_id)
    .bind(principal)
    .bind(blocks)
    .bind(until)
    .bind(it.reason)
    .bind(Instant(it.at))
    .bind(it.by.clone())
    .run()
    .await
    .map(drop)
}

/// Ends a ruling. [`Error::Conflict`] when it was ended before.
pub async fn lift(tx: &mut Tx, id: RevocationId, it: &Lift) -> Result<()> {
    let sql = tx.sql(
        "INSERT INTO revocation_lift (revocation_id, reason, lifted_at, lifted_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO NOTHING",
    );
    sql.bind(id).bind(it.reason).bind(Instant(it.at)).bind(it.by.clone()).claim().await
}

/// Reads one.
pub async fn find(tx: &mut Tx, id: RevocationId, lock: Lock) -> Result<Option<Revocation>> {
    // The lock is on the ruling alone: its end is another row, which may not be there.
    if lock != Lock::None {
        tx.sql_locked("SELECT id FROM revocation WHERE id = $1", lock).bind(id).maybe::<(RevocationId,)>().await?;
    }
    let sql = tx.sql(
        "SELECT revocation.*, lift.reason AS lift_reason, lifted_at, lifted_by
           FROM revocation LEFT JOIN revocation_lift AS lift ON lift.revocation_id = revocation.id
          WHERE revocation.id = $1",
    );
    sql.bind(id).maybe::<Row>().await?.map(TryInto::try_into).transpose()
}

/// The rulings that stand and are of tokens that may still be good.
pub async fn standing(tx: &mut Tx, now: Instant) -> Result<Vec<Revocation>> {
    let sql = tx.sql(
        "SELECT revocation.*, CAST(NULL AS TEXT) AS lift_reason, CAST(NULL AS TIMESTAMPTZ) AS lifted_at,
                CAST(NULL AS TEXT) AS lifted_by
           FROM revocation
          WHERE (until IS NULL OR until > $1)
            AND NOT EXISTS (SELECT 1 FROM revocation_lift WHERE revocation_id = revocation.id)",
    );
    sql.bind(now).all::<Row>().await?.into_iter().map(TryInto::try_into).collect()
}

/// Which rulings.
#[derive(Clone, Debug)]
pub struct Listing {
    /// On this subject.
    pub principal: Option<String>,
    /// Those that were not lifted.
    pub standing: bool,
    /// Before this id.
    pub before: RevocationId,
    /// At most so many.
    pub most: i64,
}

/// Reads a page, the latest first.
pub async fn list(tx: &mut Tx, it: &Listing) -> Result<Vec<Revocation>> {
    let sql = tx.sql(
        "SELECT revocation.*, lift.reason AS lift_reason, lifted_at, lifted_by
           FROM revocation LEFT JOIN revocation_lift AS lift ON lift.revocation_id = revocation.id
          WHERE (CAST($1 AS TEXT) IS NULL OR principal = $1) AND ($2 OR lifted_at IS NULL) AND revocation.id < $3
          ORDER BY revocation.id DESC LIMIT $4",
    );
    let sql = sql.bind(it.principal.clone()).bind(!it.standing).bind(it.before).bind(it.most);
    sql.all::<Row>().await?.into_iter().map(TryInto::try_into).collect()
}
