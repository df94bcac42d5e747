//! The provider's side of orders, on the wire.

use tonic::Request;

use super::Compliance;
use super::wire::{drafted, events_pb, lookup_pb, maybe_reason, order_pb, reason};
use crate::domain::ids::OrderId;
use crate::grpc::directory::session_ids;
use crate::grpc::fields::{Fields, open, open_mutation};
use crate::grpc::pb;
use crate::grpc::session::wire::session_pb;
use crate::usecase::Call;
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::treatment::{
    AmendOrder, ConfirmBreach, CountSession, CreateTreatmentOrder, Filter, IssueWarning, Overview, ResolveBreach, Step,
    SuspendOrder, TerminateOrder, Warranted, WithdrawEvent, get_order, list_lookups, list_orders,
};

/// The most orders of a page: each is judged as it is read.
const MOST: i32 = 200;

impl Compliance {
    pub(super) async fn create(
        &self,
        request: Request<pb::CreateTreatmentOrderRequest>,
    ) -> Result<pb::CreateTreatmentOrderResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let order = pb.order.unwrap_or_default();
        let mut inside = Fields::inside("order");
        let client_id = inside.id("client_id", &order.client_id);
        let drafted = drafted(&mut inside, &order);
        f.take(inside);
        let create = f.finish(|| Some(CreateTreatmentOrder { client_id: client_id?, drafted: drafted? }))?;
        let made = mutate(&self.world, call, create).await?;
        Ok(pb::CreateTreatmentOrderResponse { order: Some(order_pb(&made)) })
    }

    pub(super) async fn amend(&self, request: Request<pb::AmendOrderRequest>) -> Result<pb::AmendOrderResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let order = pb.order.unwrap_or_default();
        let mut inside = Fields::inside("order");
        let (order_id, version) = (inside.id("id", &order.id), inside.etag("etag", &order.etag));
        let drafted = drafted(&mut inside, &order);
        f.take(inside);
        let reason = reason(&mut f, &pb.reason);
        let amend = f.finish(|| {
            Some(AmendOrder { order_id: order_id?, version: version?, drafted: drafted?, reason: reason? })
        })?;
        let amended = mutate(&self.world, call, amend).await?;
        let orphaned_session_ids = session_ids(&amended.orphaned);
        Ok(pb::AmendOrderResponse { order: Some(order_pb(&amended)), orphaned_session_ids })
    }

    /// Takes a step on an order as it was read.
    async fn step<S: Step>(
        &self,
        call: Call,
        mut f: Fields,
        order: (&str, &str),
        step: impl FnOnce(&mut Fields) -> Option<S>,
    ) -> Result<Overview> {
        let (order_id, version) = (f.id("order_id", order.0), f.etag("etag", order.1));
        let step = step(&mut f);
        let taken = f.finish(|| Some(Warranted { order_id: order_id?, version: version?, step: step? }))?;
        mutate(&self.world, call, taken).await
    }

    pub(super) async fn warn(&self, request: Request<pb::IssueWarningRequest>) -> Result<pb::IssueWarningResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let step = |f: &mut Fields| {
            let issued_on = f.maybe_date("issued_on", pb.issued_on.as_ref());
            let reason = maybe_reason(f, &pb.reason);
            Some(IssueWarning { issued_on: issued_on?, reason: reason? })
        };
        let order = self.step(call, f, (&pb.order_id, &pb.etag), step).await?;
        Ok(pb::IssueWarningResponse { order: Some(order_pb(&order)) })
    }

    pub(super) async fn suspend(&self, request: Request<pb::SuspendOrderRequest>) -> Result<pb::SuspendOrderResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let step = |f: &mut Fields| {
            let (from, until) = (f.date("from", pb.from.as_ref()), f.date("until", pb.until.as_ref()));
            if from.zip(until).is_some_and(|(from, until)| until < from) {
                f.wrong::<()>("until", "must not lie before from");
            }
            let reason = reason(f, &pb.reason);
            Some(SuspendOrder { from: from?, until: until?, reason: reason? })
        };
        let order = self.step(call, f, (&pb.order_id, &pb.etag), step).await?;
        Ok(pb::SuspendOrderResponse { order: Some(order_pb(&order)) })
    }

    pub(super) async fn confirm(
        &self,
        request: Request<pb::ConfirmBreachRequest>,
    ) -> Result<pb::ConfirmBreachResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let step = |f: &mut Fields| Some(ConfirmBreach { reason: maybe_reason(f, &pb.reason)? });
        let order = self.step(call, f, (&pb.order_id, &pb.etag), step).await?;
        Ok(pb::ConfirmBreachResponse { order: Some(order_pb(&order)) })
    }

    pub(super) async fn resolve(
        &self,
        request: Request<pb::ResolveBreachRequest>,
    ) -> Result<pb::ResolveBreachResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let step = |f: &mut Fields| {
            let resolved_on = f.maybe_date("resolved_on", pb.resolved_on.as_ref());
            let reason = reason(f, &pb.reason);
            Some(ResolveBreach { resolved_on: resolved_on?, reason: reason? })
        };
        let order = self.step(call, f, (&pb.order_id, &pb.etag), step).await?;
        Ok(pb::ResolveBreachResponse { order: Some(order_pb(&order)) })
    }

    pub(super) async fn terminate(
        &self,
        request: Request<pb::TerminateOrderRequest>,
    ) -> Result<pb::TerminateOrderResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let step = |f: &mut Fields| {
            let terminated_on = f.maybe_date("terminated_on", pb.terminated_on.as_ref());
            let why = f.word("termination_reason", pb.termination_reason);
            let reason = maybe_reason(f, &pb.reason);
            Some(TerminateOrder { terminated_on: terminated_on?, why: why?, reason: reason? })
        };
        let order = self.step(call, f, (&pb.order_id, &pb.etag), step).await?;
        let orphaned_session_ids = session_ids(&order.orphaned);
        Ok(pb::TerminateOrderResponse { order: Some(order_pb(&order)), orphaned_session_ids })
    }

    pub(super) async fn withdraw(
        &self,
        request: Request<pb::WithdrawEventRequest>,
    ) -> Result<pb::WithdrawEventResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let step = |f: &mut Fields| {
            let number = u32::try_from(pb.number).ok().filter(|number| *number > 0);
            let number = number.or_else(|| f.wrong("number", "must be the number of an event, from 1"));
            let reason = reason(f, &pb.reason);
            Some(WithdrawEvent { number: number?, reason: reason? })
        };
        let order = self.step(call, f, (&pb.order_id, &pb.etag), step).await?;
        Ok(pb::WithdrawEventResponse { order: Some(order_pb(&order)) })
    }

    pub(super) async fn count(&self, request: Request<pb::CountSessionRequest>) -> Result<pb::CountSessionResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (order_id, session_id) = (f.id("order_id", &pb.order_id), f.id("session_id", &pb.session_id));
        let count = f.finish(|| Some(CountSession { order_id: order_id?, session_id: session_id? }))?;
        let session = mutate(&self.world, call, count).await?;
        Ok(pb::CountSessionResponse { session: Some(session_pb(&session)) })
    }

    pub(super) async fn get(&self, request: Request<pb::GetOrderRequest>) -> Result<pb::GetOrderResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id: Option<OrderId> = f.id("order_id", &pb.order_id);
        let order = get_order(&self.world, call, f.finish(|| id)?).await?;
        Ok(pb::GetOrderResponse { order: Some(order_pb(&order)), events: events_pb(&order) })
    }

    pub(super) async fn list(&self, request: Request<pb::ListOrdersRequest>) -> Result<pb::ListOrdersResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.maybe_id("client_id", &pb.client_id);
        let status = f.maybe_word("status", pb.status);
        let filter = match (client_id.flatten(), status.flatten(), pb.alerted) {
            (None, None, false) => Some(Filter::All),
            (Some(client_id), None, false) => Some(Filter::Client(client_id)),
            (None, Some(status), false) => Some(Filter::Status(status)),
            (None, None, true) => Some(Filter::Alerted),
            _ => f.wrong("client_id", "must be the only filter, as must status and alerted"),
        };
        let query = pb::ListOrdersRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size.min(MOST), &pb.page_token, 50, &query);
        let (filter, page) = f.finish(|| Some((filter?, page?)))?;
        let (orders, next_page_token) = list_orders(&self.world, &call, filter, &page).await?;
        Ok(pb::ListOrdersResponse { orders: orders.iter().map(order_pb).collect(), next_page_token })
    }

    pub(super) async fn reviews(
        &self,
        request: Request<pb::ListBreachReviewsRequest>,
    ) -> Result<pb::ListBreachReviewsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let query = pb::ListBreachReviewsRequest::default();
        let page = f.page(pb.page_size.min(MOST), &pb.page_token, 50, &query);
        let page = f.finish(|| page)?;
        let (orders, next_page_token) = list_orders(&self.world, &call, Filter::UnderReview, &page).await?;
        Ok(pb::ListBreachReviewsResponse { orders: orders.iter().map(order_pb).collect(), next_page_token })
    }

    pub(super) async fn lookups(&self, request: Request<pb::ListLookupsRequest>) -> Result<pb::ListLookupsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id: Option<OrderId> = f.id("order_id", &pb.order_id);
        let query = pb::ListLookupsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (id, page) = f.finish(|| id.zip(page))?;
        let (lookups, next_page_token) = list_lookups(&self.world, &call, id, &page).await?;
        Ok(pb::ListLookupsResponse { lookups: lookups.iter().map(lookup_pb).collect(), next_page_token })
    }
}
