//! Service accounts. The schema lets nobody change whose they are and what they may be.

use sqlx::types::Json;
use uuid::Uuid;

use super::codec::Instant;
use super::error::{Error, Result};
use super::noun::{Head, Keyed, Listing, Stored};
use super::tx::{Lock, Tx};
use crate::domain::access::{Authority, Role};
use crate::domain::ids::{CounsellorId, OrganisationId, ServiceAccountId};
use crate::domain::noun::Record;
use crate::domain::service_account::ServiceAccount;
use crate::domain::text::Code;

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    head: Head,
    code: Code,
    principal: String,
    role: Role,
    organisation_id: Option<OrganisationId>,
    counsellor_id: Option<CounsellorId>,
    jurisdiction: Option<Code>,
    methods: Json<Vec<String>>,
    expires_at: Option<Instant>,
    disabled: bool,
}

impl TryFrom<Row> for Record<ServiceAccount> {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let authority = Authority::new(row.role, row.organisation_id, row.counsellor_id, row.jurisdiction)
            .ok_or_else(|| Error::Inconsistent { table: "service_account", what: row.head.id.to_string() })?;
        Ok(row.head.record(ServiceAccount {
            code: row.code,
            principal: row.principal,
            authority,
            methods: row.methods.0,
            expires_at: row.expires_at.map(|it| it.0),
            disabled: row.disabled,
        }))
    }
}

impl Stored for ServiceAccount {
    async fn insert(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        tx.sql(
            "INSERT INTO service_account (id, version, created_at, updated_at, code, principal, role, organisation_id,
                counsellor_id, jurisdiction, methods, expires_at, disabled)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .bind_head(it)
        .bind(it.code.clone())
        .bind(it.principal.clone())
        .bind(it.authority.role())
        .bind(it.authority.organisation_id())
        .bind(it.authority.counsellor_id())
        .bind(it.authority.jurisdiction().cloned())
        .bind(Json(it.methods.clone()))
        .bind(it.expires_at.map(Instant))
        .bind(it.disabled)
        .run()
        .await
        .map(drop)
    }

    async fn update(tx: &mut Tx, it: &Record<Self>) -> Result<()> {
        tx.sql(
            "UPDATE service_account SET version = $2, created_at = $3, updated_at = $4, methods = $5, expires_at = $6,
                disabled = $7
              WHERE id = $1",
        )
        .bind_head(it)
        .bind(Json(it.methods.clone()))
        .bind(it.expires_at.map(Instant))
        .bind(it.disabled)
        .run()
        .await
        .map(drop)
    }

    async fn find(tx: &mut Tx, id: ServiceAccountId, lock: Lock) -> Result<Option<Record<Self>>> {
        let sql = tx.sql_locked("SELECT * FROM service_account WHERE id = $1", lock);
        sql.bind(id).maybe::<Row>().await?.map(TryInto::try_into).transpose()
    }

    async fn list(tx: &mut Tx, listing: &Listing) -> Result<Vec<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM service_account WHERE id > $1 ORDER BY id LIMIT $2");
        let rows = sql.bind(listing.after()).bind(listing.most).all::<Row>().await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }
}

impl Keyed for ServiceAccount {
    async fn find_by_code(tx: &mut Tx, _within: Uuid, code: &str) -> Result<Option<Record<Self>>> {
        let sql = tx.sql("SELECT * FROM service_account WHERE code = $1");
        sql.bind(code).maybe::<Row>().await?.map(TryInto::try_into).transpose()
    }
}

/// Every account, also those that have ended.
pub async fn all(tx: &mut Tx) -> Result<Vec<ServiceAccount>> {
    let rows = tx.sql("SELECT * FROM service_account").all::<Row>().await?;
    rows.into_iter().map(|row| Record::try_from(row).map(|it: Record<ServiceAccount>| it.content)).collect()
}
