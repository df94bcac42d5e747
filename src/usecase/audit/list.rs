//! Pages of the trail for the auditor: found by the filter that leaves least, the others applied to what is read.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::domain::access::Role;
use crate::domain::audit::{Listed, Outcome};
use crate::domain::ids::OrganisationId;
use crate::store::audit_list::{self, By};
use crate::store::codec::Instant;
use crate::store::{Order, Tx};
use crate::usecase::call::{Call, disclosed};
use crate::usecase::error::Result;
use crate::usecase::page::Page;
use crate::usecase::world::World;

/// Rows that are read at once. \[P\]
const STEP: usize = 500;
/// The most rows that are read for a page, however few of them fit. \[P\]
const MOST_READ: usize = 5_000;

/// Which events; what is set must all be so.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// From this instant on.
    pub from: Option<DateTime<Utc>>,
    /// Before this instant.
    pub until: Option<DateTime<Utc>>,
    /// By whom.
    pub principal: Option<String>,
    /// In which role.
    pub role: Option<Role>,
    /// What was called.
    pub action: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// For which organisation.
    pub organisation_id: Option<OrganisationId>,
    /// What was touched.
    pub subject_id: Option<Uuid>,
    /// Under which request id.
    pub request_id: Option<Uuid>,
}

/// Asks for a page of events.
#[derive(Clone, Debug)]
pub struct ListAuditEvents {
    /// Which.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// Which page.
    pub page: Page,
}

/// Up to where the page before has read.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Mark {
    At(DateTime<Utc>, Uuid),
    Position(i64),
}

/// Lists events; the read is audited before it is answered.
pub async fn list_events(world: &World, call: &Call, wanted: &ListAuditEvents) -> Result<(Vec<Listed>, String)> {
    let ListAuditEvents { filter, order, page } = wanted;
    let mut mark: Mark = page.after(world, call)?.unwrap_or_else(|| filter.begin(*order));
    let (mut rows, mut read, mut more) = (Vec::new(), 0, true);
    let mut tx = world.db().begin_read().await?;
    while more && rows.len() < page.size && read < MOST_READ {
        let some = filter.read(&mut tx, *order, mark).await?;
        (read, more) = (read + some.len(), some.len() == STEP);
        for row in some {
            if rows.len() == page.size {
                more = true;
                break;
            }
            mark = filter.mark(&row);
            if filter.fits(&row) {
                rows.push(row);
            }
        }
    }
    drop(tx);
    disclosed(world, call, filter.subject_id, [format!("EVENTS {}", rows.len())]).await?;
    let token = if more { page.token_after(world, call, &mark) } else { String::new() };
    Ok((rows, token))
}

impl Filter {
    /// Before everything.
    fn begin(&self, order: Order) -> Mark {
        if self.subject_id.is_some() {
            return Mark::Position(if order == Order::Ascending { 0 } else { i64::MAX });
        }
        // No event has the lowest of ids, so what occurred at the bound itself is beyond it going up, and not going down.
        Mark::At(self.bound(order), Uuid::nil())
    }

    /// The instant at which an order begins.
    fn bound(&self, order: Order) -> DateTime<Utc> {
        let year = |year| NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default().and_time(NaiveTime::MIN).and_utc();
        match order {
            Order::Ascending => self.from.unwrap_or_else(|| year(1900)),
            Order::Descending => self.until.unwrap_or_else(|| year(2200)),
        }
    }

    /// The filter that is thought to leave least.
    fn by(&self) -> By {
        let ended_otherwise = self.outcome.filter(|it| *it != Outcome::Done);
        let candidates = [
            self.request_id.map(By::Request),
            self.principal.clone().map(By::Principal),
            ended_otherwise.map(By::Outcome),
            self.action.clone().map(By::Action),
            self.organisation_id.map(By::Organisation),
            self.role.map(|it| By::Role(it.as_str().to_owned())),
            self.outcome.map(By::Outcome),
        ];
        candidates.into_iter().flatten().next().unwrap_or(By::Time)
    }

    async fn read(&self, tx: &mut Tx, order: Order, mark: Mark) -> Result<Vec<Listed>> {
        let most = i64::try_from(STEP).unwrap_or(i64::MAX);
        Ok(match (mark, self.subject_id) {
            (Mark::Position(position), Some(subject)) => audit_list::about(tx, subject, order, position, most).await?,
            (Mark::At(at, id), _) => {
                let end = Instant(self.bound(order.other()));
                audit_list::beyond(tx, &self.by(), order, (Instant(at), id), end, most).await?
            }
            (Mark::Position(_), None) => Vec::new(),
        })
    }

    fn mark(&self, row: &Listed) -> Mark {
        match (self.subject_id, row.position) {
            (Some(_), Some(position)) => Mark::Position(position),
            _ => Mark::At(row.occurred_at, row.id),
        }
    }

    fn fits(&self, row: &Listed) -> bool {
        self.from.is_none_or(|from| row.occurred_at >= from)
            && self.until.is_none_or(|until| row.occurred_at < until)
            && self.principal.as_ref().is_none_or(|it| row.principal == *it)
            && self.role.is_none_or(|it| row.role == it.as_str())
            && self.action.as_ref().is_none_or(|it| row.action == *it)
            && self.outcome.is_none_or(|it| row.outcome == Some(it))
            && self.organisation_id.is_none_or(|it| row.organisation_id == Some(it))
            && self.request_id.is_none_or(|it| row.request_id == Some(it))
    }
}
