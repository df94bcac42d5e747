//! Treatment orders, and what police may know.

use aftercare::grpc::pb;

use super::recipes;
use crate::support::date;
use crate::support::treatment::{lookup, order_of};

recipes! { "ComplianceService", |it, _role|
    PublishPolicy PublishPolicyRequest Open {
        policy: Some(pb::CompliancePolicy { code: "STANDARD".into(), name: "Standard policy".into(), ..Default::default() }),
    }
    ListPolicies ListPoliciesRequest Open {}
    CreateTreatmentOrder CreateTreatmentOrderRequest Offender {
        order: Some(pb::TreatmentOrder { starts_on: Some(date("2026-11-23")), ..order_of(&it.offender) }),
    }
    AmendOrder AmendOrderRequest Offender {
        order: Some(pb::TreatmentOrder { required_sessions: 14, ..it.order.clone() }),
        reason: "An example".into(),
    }
    IssueWarning IssueWarningRequest Offender { order_id: it.order.id.clone(), etag: it.order.etag.clone() }
    SuspendOrder SuspendOrderRequest Offender {
        order_id: it.order.id.clone(),
        etag: it.order.etag.clone(),
        from: Some(date("2026-12-07")),
        until: Some(date("2026-12-20")),
        reason: "An example".into(),
    }
    ConfirmBreach ConfirmBreachRequest Offender { order_id: it.order.id.clone(), etag: it.order.etag.clone() }
    ResolveBreach ResolveBreachRequest Offender {
        order_id: it.order.id.clone(),
        etag: it.order.etag.clone(),
        reason: "An example".into(),
    }
    TerminateOrder TerminateOrderRequest Offender {
        order_id: it.order.id.clone(),
        etag: it.order.etag.clone(),
        termination_reason: pb::TerminationReason::Revoked.into(),
    }
    WithdrawEvent WithdrawEventRequest Offender {
        order_id: it.order.id.clone(),
        etag: it.order.etag.clone(),
        number: 1,
        reason: "An example".into(),
    }
    CountSession CountSessionRequest Offender { order_id: it.order.id.clone(), session_id: it.treatment.id.clone() }
    GetOrder GetOrderRequest Offender { order_id: it.order.id.clone() }
    ListOrders ListOrdersRequest Care {}
    ListBreachReviews ListBreachReviewsRequest Care {}
    ListLookups ListLookupsRequest Offender { order_id: it.order.id.clone() }
    CheckCompliance CheckComplianceRequest Reference { lookup: lookup(), reference: it.order.reference.clone() }
    BatchCheckCompliance BatchCheckComplianceRequest Reference {
        lookup: lookup(),
        references: vec![it.order.reference.clone()],
    }
    ListComplianceInJurisdiction ListComplianceInJurisdictionRequest Jurisdiction { lookup: lookup() }
    WatchCompliance WatchComplianceRequest Jurisdiction { lookup: lookup() }
    IssueComplianceStatement IssueComplianceStatementRequest Reference {
        lookup: lookup(),
        reference: it.order.reference.clone(),
    }
    ListStatementKeys ListStatementKeysRequest Open {}
}
