//! AuditService.

use tonic::{Request, Response, Status};

use super::fields::{Fields, duration, id_text, open, timestamp};
use super::pb;
use super::pb::audit_service_server::{AuditService, AuditServiceServer};
use super::status::status;
use super::words::Word;
use crate::domain::audit::Listed;
use crate::domain::audit::chain::Hash;
use crate::domain::audit::verify::Fault;
use crate::domain::statement::{KeySet, PublicKey};
use crate::domain::text::bounded;
use crate::usecase::World;
use crate::usecase::audit::{
    Filter, ListAuditEvents, Order, VerifyAudit, get_head, list_events, list_keys, verify_part,
};
use crate::usecase::error::Result;

/// Positions of a part that is checked, unless asked for otherwise; what one call may cost. \[P\]
const PART: i64 = 5_000;
/// The most that may be asked for. \[P\]
const LARGEST_PART: i32 = 20_000;

/// The service over a world, with the key of this process.
pub fn service(world: World, own: PublicKey) -> AuditServiceServer<Audit> {
    AuditServiceServer::new(Audit { world, own })
}

/// The service.
pub struct Audit {
    world: World,
    own: PublicKey,
}

macro_rules! service {
    ($($rpc:ident: $request:ident => $response:ident, $answer:ident;)*) => {
        #[tonic::async_trait]
        impl AuditService for Audit {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                self.$answer(request).await.map(Response::new).map_err(status)
            })*
        }
    };
}

service! {
    list_audit_events: ListAuditEventsRequest => ListAuditEventsResponse, list;
    get_audit_head: GetAuditHeadRequest => GetAuditHeadResponse, head;
    verify_audit: VerifyAuditRequest => VerifyAuditResponse, verify;
    list_audit_keys: ListAuditKeysRequest => ListAuditKeysResponse, keys;
}

impl Audit {
    async fn list(&self, request: Request<pb::ListAuditEventsRequest>) -> Result<pb::ListAuditEventsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let (from, until) = (f.maybe_instant("from", pb.from.as_ref()), f.maybe_instant("until", pb.until.as_ref()));
        let principal = f.maybe("principal", &pb.principal, |raw| bounded(raw, 1..=200));
        let role = f.maybe("role", &pb.role, str::parse);
        let action = f.maybe("action", &pb.action, |raw| bounded(raw, 1..=200));
        let outcome = f.maybe_word("outcome", pb.outcome);
        let organisation_id = f.maybe_id("organisation_id", &pb.organisation_id);
        let (subject_id, request_id) =
            (f.maybe_id("subject_id", &pb.subject_id), f.maybe_id("request_id", &pb.request_id));
        let query = pb::ListAuditEventsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let order = if pb.oldest_first { Order::Ascending } else { Order::Descending };
        let wanted = f.finish(|| {
            let (principal, role, action, outcome) = (principal?, role?, action?, outcome?);
            let (organisation_id, subject_id, request_id) = (organisation_id?, subject_id?, request_id?);
            let (from, until) = (from?, until?);
            let filter =
                Filter { from, until, principal, role, action, outcome, organisation_id, subject_id, request_id };
            Some(ListAuditEvents { filter, order, page: page? })
        })?;
        let (events, next_page_token) = list_events(&self.world, &call, &wanted).await?;
        Ok(pb::ListAuditEventsResponse { events: events.into_iter().map(event_pb).collect(), next_page_token })
    }

    async fn head(&self, request: Request<pb::GetAuditHeadRequest>) -> Result<pb::GetAuditHeadResponse> {
        let (call, _) = open(request)?;
        let tip = get_head(&self.world, &call).await?;
        let lag = tip.lag.oldest_at.and_then(|at| duration(tip.lag.as_of - at));
        let unsealed = pb::GetAuditHeadResponse { unsealed_events: number(tip.lag.events), lag, ..Default::default() };
        let Some(exported) = tip.head else { return Ok(unsealed) };
        let head = &exported.head.head;
        Ok(pb::GetAuditHeadResponse {
            head: exported.to_json(),
            position: head.position,
            hash: head.hash.to_string(),
            sealed_at: timestamp(head.sealed_at),
            kid: head.kid.to_string(),
            ..unsealed
        })
    }

    async fn verify(&self, request: Request<pb::VerifyAuditRequest>) -> Result<pb::VerifyAuditResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let from = match pb.from_position {
            0 => Some(1),
            1.. => Some(pb.from_position),
            _ => f.wrong("from_position", "must be a position, from 1 on"),
        };
        let most = match pb.max_positions {
            0 => Some(PART),
            1..=LARGEST_PART => Some(pb.max_positions.into()),
            _ => f.wrong("max_positions", format!("must be 1 to {LARGEST_PART}, or 0 for the default")),
        };
        let wanted = f.finish(|| Some(VerifyAudit { from: from?, most: most? }))?;
        let part = verify_part(&self.world, &call, &wanted, self.own).await?;
        Ok(pb::VerifyAuditResponse {
            checked_events: number(part.report.events),
            checked_heads: number(part.report.heads),
            proven_until_position: part.report.proven_until,
            faults: part.report.faults.iter().map(fault_pb).collect(),
            more_faults: number(part.report.unnamed),
            next_position: part.next.unwrap_or_default(),
        })
    }

    async fn keys(&self, request: Request<pb::ListAuditKeysRequest>) -> Result<pb::ListAuditKeysResponse> {
        let (call, _) = open(request)?;
        let keys = list_keys(&self.world, &call).await?;
        let key_set = KeySet::new(keys.iter().map(|(key, _)| *key)).to_json();
        let key = |(key, created_at): &(PublicKey, _)| pb::AuditKey {
            kid: key.kid().to_string(),
            public_key: key.to_bytes().to_vec(),
            created_at: timestamp(*created_at),
        };
        Ok(pb::ListAuditKeysResponse { keys: keys.iter().map(key).collect(), key_set })
    }
}

fn event_pb(it: Listed) -> pb::AuditEvent {
    pb::AuditEvent {
        id: it.id.to_string(),
        occurred_at: timestamp(it.occurred_at),
        principal: it.principal,
        role: it.role,
        organisation_id: id_text(it.organisation_id),
        action: it.action,
        outcome: it.outcome.map_or(0, Word::to_wire),
        reason: it.reason.unwrap_or_default(),
        details: it.details,
        subject_ids: it.subjects.iter().map(ToString::to_string).collect(),
        request_id: id_text(it.request_id),
        position: it.position.unwrap_or_default(),
        hash: it.hash.and_then(|hash| Hash::from_bytes(&hash)).map(|it| it.to_string()).unwrap_or_default(),
    }
}

fn fault_pb(it: &Fault) -> pb::AuditFault {
    pb::AuditFault {
        kind: it.kind().to_wire(),
        position: it.position().unwrap_or_default(),
        description: it.to_string(),
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
