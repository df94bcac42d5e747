//! By what a directory that is remembered is known to hold still.

use std::collections::{BTreeMap, BTreeSet};

use super::error::Result;
use super::tx::Tx;
use crate::domain::ids::OrganisationId;

/// The version of an organisation's directory: no state of the directory has that of another, whether it was committed,
/// undone or is still to be either. The schema's triggers draw a part of it anew for each thing that is written, and what
/// was drawn is never drawn again: two states agree by chance once in 2^80.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    things: i64,
    high: i64,
    low: i64,
}

/// The versions of the directories of organisations, all at one instant; none where there is no organisation.
pub async fn of(tx: &mut Tx, ids: &BTreeSet<OrganisationId>) -> Result<BTreeMap<OrganisationId, Version>> {
    let ids: Vec<_> = ids.iter().copied().collect();
    let sql = tx.sql_each(
        "SELECT organisation_id, COUNT(*), CAST(SUM(high) AS BIGINT), CAST(SUM(low) AS BIGINT) FROM directory_version
          WHERE organisation_id IN ({ids}) GROUP BY organisation_id",
        ids.len(),
    );
    let rows = sql.bind_ids(&ids).all::<(OrganisationId, i64, i64, i64)>().await?;
    Ok(rows.into_iter().map(|(id, things, high, low)| (id, Version { things, high, low })).collect())
}
