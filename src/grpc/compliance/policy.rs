//! Policies on the wire.

use tonic::Request;

use super::Compliance;
use super::wire::policy_pb;
use crate::domain::compliance::Policy;
use crate::domain::text::{self, Code};
use crate::grpc::fields::{Fields, open, open_mutation};
use crate::grpc::pb;
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::treatment::{PublishPolicy, list_policies};

impl Compliance {
    pub(super) async fn publish(
        &self,
        request: Request<pb::PublishPolicyRequest>,
    ) -> Result<pb::PublishPolicyResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let mut inside = Fields::inside("policy");
        let publish = policy(&mut inside, &pb.policy.unwrap_or_default());
        f.take(inside);
        let published = mutate(&self.world, call, f.finish(|| publish)?).await?;
        Ok(pb::PublishPolicyResponse { policy: Some(policy_pb(&published)) })
    }

    pub(super) async fn policies(&self, request: Request<pb::ListPoliciesRequest>) -> Result<pb::ListPoliciesResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let page = f.page(pb.page_size, &pb.page_token, 50, &pb::ListPoliciesRequest::default());
        let page = f.finish(|| page)?;
        let (all, next_page_token) = list_policies(&self.world, &call, &page).await?;
        Ok(pb::ListPoliciesResponse { policies: all.iter().map(policy_pb).collect(), next_page_token })
    }
}

/// A policy: what is left out has its default.
fn policy(f: &mut Fields, pb: &pb::CompliancePolicy) -> Option<PublishPolicy> {
    let code = f.parse("code", &pb.code, Code::parse);
    let name = f.parse("name", &pb.name, text::name);
    let reasons = match pb.police_at_risk_reasons.is_empty() {
        true => Some(Policy::default().police_at_risk_reasons),
        false => f.words("police_at_risk_reasons", &pb.police_at_risk_reasons),
    };
    let standard = Policy::default();
    let mut number = |field: &str, given: Option<i32>, otherwise: u32| match given.map(u32::try_from) {
        None => otherwise,
        Some(Ok(given)) => given,
        Some(Err(_)) => {
            f.wrong::<()>(field, "must not be negative");
            otherwise
        }
    };
    let policy = Policy {
        notice_working_days: number("notice_working_days", pb.notice_working_days, standard.notice_working_days),
        evidence_working_days: number(
            "evidence_working_days",
            pb.evidence_working_days,
            standard.evidence_working_days,
        ),
        breach_window_months: number("breach_window_months", pb.breach_window_months, standard.breach_window_months),
        enforcement_working_days: number(
            "enforcement_working_days",
            pb.enforcement_working_days,
            standard.enforcement_working_days,
        ),
        late_grace_minutes: number("late_grace_minutes", pb.late_grace_minutes, standard.late_grace_minutes),
        lates_per_failure: number("lates_per_failure", pb.lates_per_failure, standard.lates_per_failure),
        lates_window_months: number("lates_window_months", pb.lates_window_months, standard.lates_window_months),
        partial_min_percent: number("partial_min_percent", pb.partial_min_percent, standard.partial_min_percent),
        late_cancel_hours: number("late_cancel_hours", pb.late_cancel_hours, standard.late_cancel_hours),
        gap_days: number("gap_days", pb.gap_days, standard.gap_days),
        acceptable_limit: number("acceptable_limit", pb.acceptable_limit, standard.acceptable_limit),
        acceptable_window_days: number(
            "acceptable_window_days",
            pb.acceptable_window_days,
            standard.acceptable_window_days,
        ),
        max_suspend_days: number("max_suspend_days", pb.max_suspend_days, standard.max_suspend_days),
        police_at_risk_reasons: reasons.unwrap_or_default(),
        breach_needs_confirmation: pb.breach_needs_confirmation.unwrap_or(standard.breach_needs_confirmation),
    };
    for (field, fault) in policy.check().err().unwrap_or_default() {
        f.wrong::<()>(field, fault.to_string());
    }
    Some(PublishPolicy { code: code?, name: name?, policy })
}
