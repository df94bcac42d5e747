//! The provider's view: everything about an order, its orders, and who has looked at them.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::{WORD, ledger, moving};
use crate::domain::compliance::{Assessment, Status};
use crate::domain::ids::{ClientId, Id, OrderId, OrganisationId, SessionId};
use crate::domain::personal::Personal;
use crate::domain::police::Lookup;
use crate::domain::treatment::Order;
use crate::domain::treatment::standing::{Docket, Standing};
use crate::store::codec::Instant;
use crate::store::compliance::{Which, Within};
use crate::store::{Lock, Tx, client, compliance, police, treatment, visit};
use crate::usecase::call::{Call, traced};
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// Everything about an order, for its provider.
#[derive(Clone, Debug)]
pub struct Overview {
    /// The order and its history.
    pub docket: Docket,
    /// The day of which it is said, in the order's zone.
    pub as_of_on: NaiveDate,
    /// What the compliance function says of that day.
    pub assessment: Assessment,
    /// How many sessions towards it have ended without a record.
    pub unrecorded: u32,
    /// Why things were recorded, by number; only for who asked for one order.
    pub reasons: Vec<(u32, Personal)>,
    /// The coming sessions that the request has orphaned.
    pub orphaned: Vec<SessionId>,
}

impl Overview {
    /// Everything about an order, as it stands at the present of a request.
    pub(super) async fn of(tx: &mut Tx, docket: Docket, now: DateTime<Utc>) -> Result<Self> {
        let unrecorded = visit::unrecorded(tx, &[docket.order.id], Instant(now)).await?;
        let as_of_on = docket.today(now);
        let assessment = docket.assess(as_of_on);
        let unrecorded = unrecorded.get(&docket.order.id).copied().unwrap_or_default();
        Ok(Self { docket, as_of_on, assessment, unrecorded, reasons: Vec::new(), orphaned: Vec::new() })
    }
}

/// An order after a request has changed it.
pub(super) async fn after(work: &mut Work<'_>, docket: Docket) -> Result<Overview> {
    let (orphaned, now) = (work.orphans()?, work.now);
    Ok(Overview { orphaned, ..Overview::of(&mut work.tx, docket, now).await? })
}

/// An order as it now stands, for a request that was made before.
pub(super) async fn again(work: &mut Work<'_>, id: OrderId) -> Result<Overview> {
    let order = treatment::find(&mut work.tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
    work.call.manages(Some(order.organisation_id), WORD)?;
    let (docket, now) = (ledger::docket(&mut work.tx, order).await?, work.now);
    Overview::of(&mut work.tx, docket, now).await
}

/// Reads one order with its history. What people wrote may be personal, so the read is audited.
pub async fn get_order(world: &World, call: Call, id: OrderId) -> Result<Overview> {
    mutate(world, call, Reveal(id)).await
}

struct Reveal(OrderId);

impl Mutation for Reveal {
    type Answer = Overview;

    async fn run(&self, work: &mut Work<'_>) -> Result<Overview> {
        work.touched(self.0.uuid());
        let order = own(&mut work.tx, work.call, self.0).await?;
        let now = work.now;
        opened(&mut work.tx, order, now).await
    }

    fn result_id(&self, _answer: &Overview) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Overview> {
        self.run(work).await
    }
}

/// Everything about an order, with what people wrote: the read is to be audited.
pub async fn opened(tx: &mut Tx, order: Order, now: DateTime<Utc>) -> Result<Overview> {
    let reasons = treatment::reasons(tx, &order).await?;
    let docket = ledger::docket(tx, order).await?;
    Ok(Overview { reasons, ..Overview::of(tx, docket, now).await? })
}

/// An order of which the caller may know: of the own organisation, and for a counsellor of a client seen.
async fn own(tx: &mut Tx, call: &Call, id: OrderId) -> Result<Order> {
    let order = treatment::find(tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
    call.manages(Some(order.organisation_id), WORD)?;
    match call.caller().authority.counsellor_id() {
        Some(own) if !client::seen_by(tx, order.client_id, own).await? => Err(Error::NotFound(WORD)),
        _ => Ok(order),
    }
}

/// Which orders; at most one of these.
#[derive(Clone, Copy, Debug)]
pub enum Filter {
    /// All.
    All,
    /// Of one client.
    Client(ClientId),
    /// Those that stand so.
    Status(Status),
    /// Those of which something must be seen to.
    Alerted,
    /// Those whose breach waits for a person.
    UnderReview,
}

/// Lists the orders of the caller's organisation.
pub async fn list_orders(world: &World, call: &Call, filter: Filter, page: &Page) -> Result<(Vec<Overview>, String)> {
    let organisation_id = call.sees()?.ok_or(Error::Denied)?;
    moving::all(world, Within::Organisation(organisation_id)).await?;
    let after: Uuid = page.after(world, call)?.unwrap_or_default();
    let most = i64::try_from(page.most()).unwrap_or(i64::MAX);
    let mut tx = world.db().begin_read().await?;
    let ids = match filter {
        Filter::Client(client_id) => {
            let mut ids = of_client(&mut tx, organisation_id, client_id).await?;
            ids.retain(|id| id.0 > after);
            ids
        }
        _ => {
            let which = match filter {
                Filter::All | Filter::Client(_) => Which::All,
                Filter::Status(status) => Which::Status(status),
                Filter::Alerted => Which::Alerted,
                Filter::UnderReview => Which::UnderReview,
            };
            compliance::of_organisation(&mut tx, organisation_id, which, OrderId(after), most).await?
        }
    };
    let (ids, token) = page.cut(world, call, ids, |id| id.uuid());
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let order = treatment::find(&mut tx, id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
        let docket = ledger::docket(&mut tx, order).await?;
        all.push(Overview::of(&mut tx, docket, world.now()).await?);
    }
    Ok((all, token))
}

async fn of_client(tx: &mut Tx, own: OrganisationId, client_id: ClientId) -> Result<Vec<OrderId>> {
    match client::outline(tx, client_id, Lock::None).await? {
        Some(client) if client.organisation_id == own => Ok(treatment::of_client(tx, client_id).await?),
        _ => Ok(Vec::new()),
    }
}

/// Lists the look-ups of police of an order of the own organisation, the latest first.
pub async fn list_lookups(world: &World, call: &Call, id: OrderId, page: &Page) -> Result<(Vec<Lookup>, String)> {
    traced(world, call, id.uuid(), lookups(world, call, id, page).await).await
}

async fn lookups(world: &World, call: &Call, id: OrderId, page: &Page) -> Result<(Vec<Lookup>, String)> {
    let before: Uuid = page.after(world, call)?.unwrap_or(Uuid::max());
    let most = i64::try_from(page.most()).unwrap_or(i64::MAX);
    let mut tx = world.db().begin_read().await?;
    let order = own(&mut tx, call, id).await?;
    let rows = police::lookups(&mut tx, order.id, before, most).await?;
    Ok(page.cut(world, call, rows, |it| it.id.uuid()))
}

/// Where an order stands, as it was last written.
pub(super) async fn standing(tx: &mut Tx, id: OrderId) -> Result<Standing> {
    compliance::find(tx, id).await?.ok_or(Error::NotFound(WORD))
}
