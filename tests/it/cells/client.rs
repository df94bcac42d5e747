//! Clients, cases, and who must not meet whom.

use aftercare::grpc::pb;

use super::made::legal_hold;
use super::recipes;
use crate::support::{date, own_consent};

recipes! { "ClientService", |it, _role|
    CreateClient CreateClientRequest Own {
        client: Some(pb::Client {
            side: pb::Side::Survivor.into(),
            name: "Person Zyqvorn".into(),
            spoken_languages: vec!["ml".into()],
            ..Default::default()
        }),
    }
    UpdateClient UpdateClientRequest Survivor {
        client: Some(pb::Client { phone: "555-0101".into(), ..it.client.clone() }),
    }
    GetClient GetClientRequest Survivor { client_id: it.client.id.clone() }
    ListClients ListClientsRequest Care {}
    CreateCase CreateCaseRequest Own {
        case: Some(pb::Case {
            crime_number: "99/2026".into(),
            police_station: "Example Station".into(),
            district: "KL-TVM".into(),
            ..Default::default()
        }),
    }
    GetCase GetCaseRequest Survivor { case_id: it.case.id.clone() }
    AddCaseParty AddCasePartyRequest Survivor {
        case_id: it.case.id.clone(),
        etag: it.case.etag.clone(),
        party: Some(pb::CaseParty { client_id: it.client.id.clone(), role: pb::CaseRole::Survivor.into() }),
    }
    RemoveCaseParty RemoveCasePartyRequest Survivor {
        case_id: it.case.id.clone(),
        etag: it.case.etag.clone(),
        client_id: it.client.id.clone(),
    }
    DeclareNoContact DeclareNoContactRequest Survivor {
        client_id: it.client.id.clone(),
        other_reference: it.offender.reference.clone(),
    }
    WithdrawNoContact WithdrawNoContactRequest Survivor {
        no_contact_id: it.no_contact.id.clone(),
        etag: it.no_contact.etag.clone(),
    }
    ListNoContacts ListNoContactsRequest Survivor { client_id: it.client.id.clone() }
    CreateGuardian CreateGuardianRequest Survivor {
        guardian: Some(pb::Guardian { id: String::new(), etag: String::new(), ..it.guardian.clone() }),
    }
    UpdateGuardian UpdateGuardianRequest Survivor {
        guardian: Some(pb::Guardian { phone: "555-0101".into(), ..it.guardian.clone() }),
    }
    ListGuardians ListGuardiansRequest Survivor { client_id: it.client.id.clone() }
    RecordConsent RecordConsentRequest Survivor { consent: Some(own_consent(&it.client)) }
    WithdrawConsent WithdrawConsentRequest Survivor {
        consent_id: it.consents[0].id.clone(),
        etag: it.consents[0].etag.clone(),
        reason: "An example".into(),
    }
    InvalidateConsent InvalidateConsentRequest Survivor {
        consent_id: it.consents[1].id.clone(),
        etag: it.consents[1].etag.clone(),
        reason: "An example".into(),
    }
    ListConsents ListConsentsRequest Survivor { client_id: it.client.id.clone() }
    ListConsentsDue ListConsentsDueRequest Care {}
    DeclareConflict DeclareConflictRequest Survivor {
        client_id: it.client.id.clone(),
        counsellor_id: it.colleague.id.clone(),
    }
    WithdrawConflict WithdrawConflictRequest Survivor {
        conflict_id: it.conflict.id.clone(),
        etag: it.conflict.etag.clone(),
    }
    ListConflicts ListConflictsRequest Survivor { client_id: it.client.id.clone() }
    RecordProceeding RecordProceedingRequest Survivor {
        proceeding: Some(pb::Proceeding {
            case_id: it.case.id.clone(),
            date: Some(date("2026-12-16")),
            kind: pb::ProceedingKind::Statement.into(),
            ..Default::default()
        }),
    }
    DeleteProceeding DeleteProceedingRequest Survivor {
        proceeding_id: it.proceeding.id.clone(),
        etag: it.proceeding.etag.clone(),
    }
    ListProceedings ListProceedingsRequest Survivor { case_id: it.case.id.clone() }
    PlaceLegalHold PlaceLegalHoldRequest Survivor {
        hold: Some(legal_hold(&it.client)),
    }
    ReleaseLegalHold ReleaseLegalHoldRequest Survivor {
        hold_id: it.legal_hold.id.clone(),
        etag: it.legal_hold.etag.clone(),
        reason: "An example".into(),
    }
    ListLegalHolds ListLegalHoldsRequest Survivor { client_id: it.client.id.clone() }
    ProposeTransfer ProposeTransferRequest Survivor {
        client_id: it.client.id.clone(),
        receiving_organisation_code: "GIVING".into(),
    }
    CosignTransfer CosignTransferRequest Survivor { transfer_id: it.transfers[0].id.clone() }
    AcceptTransfer AcceptTransferRequest Survivor { transfer_id: it.transfers[1].id.clone() }
    DeclineTransfer DeclineTransferRequest Survivor {
        transfer_id: it.transfers[2].id.clone(),
        reason: pb::TransferDeclineReason::Other.into(),
    }
    WithdrawTransfer WithdrawTransferRequest Survivor { transfer_id: it.transfers[0].id.clone() }
    ListTransfers ListTransfersRequest Care {}
    EraseClient EraseClientRequest Survivor {
        client_id: it.client.id.clone(),
        etag: it.client.etag.clone(),
        reason: pb::ErasureReason::Requested.into(),
    }
}
