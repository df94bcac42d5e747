//! Erases everybody of whom a story tells, as the service does it, and brings a backup from before back.

use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::Status;
use tonic_types::StatusExt;

use crate::erasure::at_rest::{back_up, restore};
use crate::support::{Actor, TestApp};

/// Every client is erased; then the data are those of before, and the keys those of today.
pub async fn erase_everybody_and_restore(app: &mut TestApp, organisations: &[String]) {
    app.stop().await;
    let backup = back_up(app);
    app.restart().await;
    // Nothing is held any more.
    app.clock.advance(TimeDelta::days(2));
    let mut erased = 0;
    for id in organisations {
        let organisation_id = id.parse().unwrap();
        let me = app.actor(aftercare::domain::access::Authority::Coordinator { organisation_id });
        let request = pb::ListClientsRequest { page_size: 100, ..Default::default() };
        let listed = me.clients().list_clients(request).await.unwrap().into_inner();
        assert!(listed.next_page_token.is_empty());
        for client in listed.clients {
            erase(&me, &client).await;
            erased += 1;
        }
    }
    assert!(erased > 5, "{erased}");
    app.stop().await;
    restore(app, &backup).await;
    app.restart().await;
}

/// Erases a client, after everything that stands in the way was brought to its end.
async fn erase(me: &Actor, client: &pb::Client) {
    let erase = async || {
        let (client_id, etag) = (client.id.clone(), client.etag.clone());
        let reason = pb::ErasureReason::Requested.into();
        let request = pb::EraseClientRequest { client_id, etag, reason, ..Default::default() };
        me.clients().erase_client(request).await
    };
    for _ in 0..10 {
        let Err(status) = erase().await else { return };
        let details = status.get_error_details();
        let violations = &details.precondition_failure().unwrap_or_else(|| panic!("{status:?}")).violations;
        for violation in violations {
            end(me, client, &violation.subject).await.unwrap_or_else(|error| panic!("{status:?}: {error:?}"));
        }
    }
    panic!("something always stands in the way of erasing {}", client.id);
}

/// Ends what an id stands for.
async fn end(me: &Actor, client: &pb::Client, id: &str) -> Result<(), Status> {
    let (id, reason) = (id.to_owned(), "An example".to_owned());
    let request = pb::ListLegalHoldsRequest { client_id: client.id.clone(), ..Default::default() };
    let holds = me.clients().list_legal_holds(request).await?.into_inner().holds;
    if let Some(hold) = holds.into_iter().find(|it| it.id == id) {
        let request = pb::ReleaseLegalHoldRequest { hold_id: id, etag: hold.etag, reason, ..Default::default() };
        return me.clients().release_legal_hold(request).await.map(drop);
    }
    let found = me.scheduling().get_session(pb::GetSessionRequest { session_id: id.clone() }).await;
    if let Ok(session) = found.map(|it| it.into_inner().session.unwrap()) {
        let why = pb::CancelReason::Client.into();
        let request =
            pb::CancelSessionRequest { session_id: id, etag: session.etag, reason: why, ..Default::default() };
        return me.scheduling().cancel_session(request).await.map(drop);
    }
    let found = me.compliance().get_order(pb::GetOrderRequest { order_id: id.clone() }).await;
    if let Ok(order) = found.map(|it| it.into_inner().order.unwrap()) {
        let termination_reason = pb::TerminationReason::Revoked.into();
        let request = pb::TerminateOrderRequest {
            order_id: id,
            etag: order.etag,
            termination_reason,
            reason,
            ..Default::default()
        };
        return me.compliance().terminate_order(request).await.map(drop);
    }
    let found =
        me.follow_up().get_follow_up(pb::GetFollowUpRequest { plan_id: id.clone(), ..Default::default() }).await;
    if let Ok(plan) = found.map(|it| it.into_inner().plan.unwrap()) {
        let closing = pb::FollowUpClosing::Completed.into();
        let request = pb::CloseFollowUpRequest { plan_id: id, etag: plan.etag, closing, ..Default::default() };
        return me.follow_up().close_follow_up(request).await.map(drop);
    }
    let request = pb::LeaveWaitlistRequest { entry_id: id, ..Default::default() };
    me.scheduling().leave_waitlist(request).await.map(drop)
}
