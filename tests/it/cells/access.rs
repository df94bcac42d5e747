//! Who is let in no more, and what programs may be.

use aftercare::grpc::pb;

use super::recipes;

recipes! { "AccessService", |it, _role|
    RevokeToken RevokeTokenRequest Open {
        token_id: format!("token-{}", it.ngo.id),
        reason: pb::RevocationReason::DeviceLost.into(),
    }
    RevokePrincipal RevokePrincipalRequest Open {
        principal: format!("gone@{}", it.ngo.id),
        reason: pb::RevocationReason::Left.into(),
    }
    LiftRevocation LiftRevocationRequest Open {
        revocation_id: it.revocation.id.clone(),
        reason: pb::LiftReason::Mistake.into(),
    }
    ListRevocations ListRevocationsRequest Open {}
    CreateServiceAccount CreateServiceAccountRequest Open {
        service_account: Some(pb::ServiceAccount {
            code: "REMINDERS-2".into(),
            principal: "reminders-2".into(),
            ..it.service_account.clone()
        }),
    }
    UpdateServiceAccount UpdateServiceAccountRequest Open { service_account: Some(it.service_account.clone()) }
    ListServiceAccounts ListServiceAccountsRequest Open {}
    RequestBreakGlass RequestBreakGlassRequest Survivor {
        reference: it.stranger.reference.clone(),
        reason: "An example".into(),
    }
    ApproveBreakGlass ApproveBreakGlassRequest Survivor { break_glass_id: it.break_glass.id.clone() }
    RevokeBreakGlass RevokeBreakGlassRequest Survivor { break_glass_id: it.break_glass.id.clone() }
    ReviewBreakGlass ReviewBreakGlassRequest Survivor {
        break_glass_id: it.break_glass.id.clone(),
        finding: pb::Finding::Justified.into(),
    }
    ListBreakGlass ListBreakGlassRequest Care {}
}
