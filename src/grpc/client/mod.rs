//! ClientService: one table of RPCs; each noun has a file.

pub(super) mod case;
pub(super) mod conflict;
pub(super) mod consent;
mod consent_due;
pub(super) mod erasure;
mod guardian;
pub(super) mod no_contact;
pub(super) mod person;
pub(super) mod proceeding;
pub(super) mod transfer;

use tonic::{Request, Response, Status};

use super::fields::keyed;
use super::pb;
use super::pb::client_service_server::{ClientService, ClientServiceServer};
use super::status::status;
use crate::usecase::World;
use crate::usecase::error::Result;

keyed!(
    CreateClientRequest,
    UpdateClientRequest,
    CreateCaseRequest,
    AddCasePartyRequest,
    RemoveCasePartyRequest,
    DeclareNoContactRequest,
    WithdrawNoContactRequest,
    CreateGuardianRequest,
    UpdateGuardianRequest,
    RecordConsentRequest,
    WithdrawConsentRequest,
    InvalidateConsentRequest,
    DeclareConflictRequest,
    WithdrawConflictRequest,
    RecordProceedingRequest,
    DeleteProceedingRequest,
    PlaceLegalHoldRequest,
    ReleaseLegalHoldRequest,
    EraseClientRequest,
    ProposeTransferRequest,
    CosignTransferRequest,
    AcceptTransferRequest,
    DeclineTransferRequest,
    WithdrawTransferRequest,
);

/// The service over a world.
pub fn service(world: World) -> ClientServiceServer<Clients> {
    ClientServiceServer::new(Clients { world })
}

/// The service.
pub struct Clients {
    world: World,
}

macro_rules! service {
    ($($rpc:ident: $request:ident => $response:ident, $answer:ident;)*) => {
        #[tonic::async_trait]
        impl ClientService for Clients {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                self.$answer(request).await.map(Response::new).map_err(status)
            })*
        }
    };
}

service! {
    create_client: CreateClientRequest => CreateClientResponse, create;
    update_client: UpdateClientRequest => UpdateClientResponse, update;
    get_client: GetClientRequest => GetClientResponse, get;
    list_clients: ListClientsRequest => ListClientsResponse, list;
    create_case: CreateCaseRequest => CreateCaseResponse, new_case;
    get_case: GetCaseRequest => GetCaseResponse, read_case;
    add_case_party: AddCasePartyRequest => AddCasePartyResponse, add_party;
    remove_case_party: RemoveCasePartyRequest => RemoveCasePartyResponse, remove_party;
    declare_no_contact: DeclareNoContactRequest => DeclareNoContactResponse, declare;
    withdraw_no_contact: WithdrawNoContactRequest => WithdrawNoContactResponse, withdraw;
    list_no_contacts: ListNoContactsRequest => ListNoContactsResponse, declarations;
    create_guardian: CreateGuardianRequest => CreateGuardianResponse, name_guardian;
    update_guardian: UpdateGuardianRequest => UpdateGuardianResponse, change_guardian;
    list_guardians: ListGuardiansRequest => ListGuardiansResponse, guardians;
    record_consent: RecordConsentRequest => RecordConsentResponse, consent;
    withdraw_consent: WithdrawConsentRequest => WithdrawConsentResponse, take_back;
    invalidate_consent: InvalidateConsentRequest => InvalidateConsentResponse, invalidate;
    list_consents: ListConsentsRequest => ListConsentsResponse, consents;
    list_consents_due: ListConsentsDueRequest => ListConsentsDueResponse, due;
    declare_conflict: DeclareConflictRequest => DeclareConflictResponse, declare_a_conflict;
    withdraw_conflict: WithdrawConflictRequest => WithdrawConflictResponse, withdraw_a_conflict;
    list_conflicts: ListConflictsRequest => ListConflictsResponse, conflicts;
    record_proceeding: RecordProceedingRequest => RecordProceedingResponse, proceeding;
    delete_proceeding: DeleteProceedingRequest => DeleteProceedingResponse, delete;
    list_proceedings: ListProceedingsRequest => ListProceedingsResponse, proceedings;
    place_legal_hold: PlaceLegalHoldRequest => PlaceLegalHoldResponse, place_hold;
    release_legal_hold: ReleaseLegalHoldRequest => ReleaseLegalHoldResponse, release_hold;
    list_legal_holds: ListLegalHoldsRequest => ListLegalHoldsResponse, holds;
    erase_client: EraseClientRequest => EraseClientResponse, erase;
    propose_transfer: ProposeTransferRequest => ProposeTransferResponse, propose;
    cosign_transfer: CosignTransferRequest => CosignTransferResponse, cosign;
    accept_transfer: AcceptTransferRequest => AcceptTransferResponse, accept;
    decline_transfer: DeclineTransferRequest => DeclineTransferResponse, decline;
    withdraw_transfer: WithdrawTransferRequest => WithdrawTransferResponse, give_up;
    list_transfers: ListTransfersRequest => ListTransfersResponse, transfers;
}
