//! ClientService.

use tonic::{Request, Response, Status};

use super::directory::{Wire, update, wire_fields};
use super::fields::{Fields, keyed, open, open_mutation, timestamp};
use super::pb;
use super::pb::client_service_server::{ClientService, ClientServiceServer};
use super::status::status;
use super::words::Word;
use crate::domain::client::{Case, CaseRole, Client, CrimeNumber, NoContact, birth, birth_parts, police_station};
use crate::domain::ids::{CaseId, ClientId};
use crate::domain::noun::Record;
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;
use crate::domain::text::{Code, Language};
use crate::usecase::call::Call;
use crate::usecase::client::{self as usecase, ChangeParty, WithdrawNoContact};
use crate::usecase::error::{Error, Result};
use crate::usecase::noun::{self, Create};
use crate::usecase::{World, mutate};

keyed!(
    CreateClientRequest,
    UpdateClientRequest,
    CreateCaseRequest,
    AddCasePartyRequest,
    RemoveCasePartyRequest,
    DeclareNoContactRequest,
    WithdrawNoContactRequest,
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
}

impl Clients {
    async fn create(&self, request: Request<pb::CreateClientRequest>) -> Result<pb::CreateClientResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let required = || Error::field("client", "is required");
        let read = pb.client.ok_or_else(required).and_then(|pb| client_from(&pb, self.world.reference(), &call));
        let content = f.and(read)?;
        let record = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::CreateClientResponse { client: Some(client_pb(&record)) })
    }

    async fn update(&self, request: Request<pb::UpdateClientRequest>) -> Result<pb::UpdateClientResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let client = update::<Client>(&self.world, call, f, pb.client, pb.update_mask).await?;
        Ok(pb::UpdateClientResponse { client: Some(client) })
    }

    async fn get(&self, request: Request<pb::GetClientRequest>) -> Result<pb::GetClientResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id = f.id("client_id", &pb.client_id);
        let record = usecase::get_client(&self.world, call, f.finish(|| id)?).await?;
        Ok(pb::GetClientResponse { client: Some(client_pb(&record)) })
    }

    async fn list(&self, request: Request<pb::ListClientsRequest>) -> Result<pb::ListClientsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let side = f.maybe_word("side", pb.side);
        let query = pb::ListClientsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (side, page) = f.finish(|| Some((side?, page?)))?;
        let (rows, next_page_token) = usecase::list_clients(&self.world, &call, side, &page).await?;
        Ok(pb::ListClientsResponse { clients: rows.iter().map(client_pb).collect(), next_page_token })
    }

    async fn new_case(&self, request: Request<pb::CreateCaseRequest>) -> Result<pb::CreateCaseResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let read = pb.case.ok_or_else(|| Error::field("case", "is required")).and_then(|pb| case_from(&pb, &call));
        let content = f.and(read)?;
        let record = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::CreateCaseResponse { case: Some(case_pb(&record)) })
    }

    async fn read_case(&self, request: Request<pb::GetCaseRequest>) -> Result<pb::GetCaseResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id = f.id::<CaseId>("case_id", &pb.case_id);
        let record = noun::get::<Case>(&self.world, &call, f.finish(|| id)?).await?;
        Ok(pb::GetCaseResponse { case: Some(case_pb(&record)) })
    }

    async fn add_party(&self, request: Request<pb::AddCasePartyRequest>) -> Result<pb::AddCasePartyResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let party = pb.party.unwrap_or_default();
        let (case_id, version) = (f.id("case_id", &pb.case_id), f.etag("etag", &pb.etag));
        let client_id = f.id("party.client_id", &party.client_id);
        let role = f.word::<CaseRole>("party.role", party.role);
        let change = f.finish(|| {
            Some(ChangeParty { case_id: case_id?, version: version?, client_id: client_id?, role: Some(role?) })
        })?;
        let record = mutate(&self.world, call, change).await?;
        Ok(pb::AddCasePartyResponse { case: Some(case_pb(&record)) })
    }

    async fn remove_party(&self, request: Request<pb::RemoveCasePartyRequest>) -> Result<pb::RemoveCasePartyResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (case_id, version) = (f.id("case_id", &pb.case_id), f.etag("etag", &pb.etag));
        let client_id = f.id("client_id", &pb.client_id);
        let change =
            f.finish(|| Some(ChangeParty { case_id: case_id?, version: version?, client_id: client_id?, role: None }))?;
        let record = mutate(&self.world, call, change).await?;
        Ok(pb::RemoveCasePartyResponse { case: Some(case_pb(&record)) })
    }

    async fn declare(&self, request: Request<pb::DeclareNoContactRequest>) -> Result<pb::DeclareNoContactResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let client_id = f.id("client_id", &pb.client_id);
        let other_reference = f.parse("other_reference", &pb.other_reference, Reference::parse);
        let content = f.finish(|| Some(NoContact { client_id: client_id?, other_reference: other_reference? }))?;
        let record = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::DeclareNoContactResponse { no_contact: Some(no_contact_pb(&record)) })
    }

    async fn withdraw(&self, request: Request<pb::WithdrawNoContactRequest>) -> Result<pb::WithdrawNoContactResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (id, version) = (f.id("no_contact_id", &pb.no_contact_id), f.etag("etag", &pb.etag));
        let withdraw = f.finish(|| Some(WithdrawNoContact { id: id?, version: version? }))?;
        mutate(&self.world, call, withdraw).await?;
        Ok(pb::WithdrawNoContactResponse {})
    }

    async fn declarations(&self, request: Request<pb::ListNoContactsRequest>) -> Result<pb::ListNoContactsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.id("client_id", &pb.client_id);
        let query = pb::ListNoContactsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (client_id, page) = f.finish(|| Some((client_id?, page?)))?;
        let (rows, next_page_token) = usecase::list_no_contacts(&self.world, &call, client_id, &page).await?;
        Ok(pb::ListNoContactsResponse { no_contacts: rows.iter().map(no_contact_pb).collect(), next_page_token })
    }
}

fn client_from(pb: &pb::Client, reference: Reference, call: &Call) -> Result<Client> {
    let mut f = Fields::inside("client");
    let organisation_id = f.organisation("organisation_id", &pb.organisation_id, call);
    let side = f.word("side", pb.side);
    let name = f.personal("name", &pb.name, 1..=200);
    let phone = f.personal("phone", &pb.phone, 0..=40);
    let address = f.personal("address", &pb.address, 0..=500);
    let born_on = born_on(&mut f, pb);
    let spoken_languages = f.parse_all("spoken_languages", &pb.spoken_languages, Language::parse);
    let reading_language = if pb.reading_language.is_empty() {
        Some(None)
    } else {
        f.parse("reading_language", &pb.reading_language, Language::parse).map(Some)
    };
    let counsellor_gender = f.maybe_word("counsellor_gender", pb.counsellor_gender);
    f.finish(|| {
        Some(Client {
            organisation_id: organisation_id?,
            reference,
            side: side?,
            name: name?,
            phone: phone?,
            address: address?,
            born_on: born_on?,
            spoken_languages: spoken_languages?,
            reading_language: reading_language?,
            counsellor_gender: counsellor_gender?,
        })
    })
}

fn case_from(pb: &pb::Case, call: &Call) -> Result<Case> {
    let mut f = Fields::inside("case");
    let organisation_id = f.organisation("organisation_id", &pb.organisation_id, call);
    let crime_number = f.parse("crime_number", &pb.crime_number, CrimeNumber::parse);
    let police_station = f.parse("police_station", &pb.police_station, police_station);
    let district = f.parse("district", &pb.district, Code::parse);
    f.finish(|| {
        Some(Case {
            organisation_id: organisation_id?,
            crime_number: crime_number?,
            police_station: police_station?,
            district: district?,
            parties: Vec::new(),
        })
    })
}

fn born_on(f: &mut Fields, pb: &pb::Client) -> Option<Personal> {
    let Some(raw) = &pb.born_on else { return Some(Personal::default()) };
    let parts = u32::try_from(raw.month).ok().zip(u32::try_from(raw.day).ok());
    let (month, day) = parts.unwrap_or((99, 99));
    birth(raw.year, month, day).map_err(|fault| f.wrong::<()>("born_on", fault.to_string())).ok()
}

impl Wire for Client {
    wire_fields!(Client, "client": name, phone, address, born_on, spoken_languages, reading_language,
        counsellor_gender);

    fn to_pb(record: &Record<Self>) -> pb::Client {
        client_pb(record)
    }

    fn from_pb(pb: &pb::Client, call: &Call) -> Result<Self> {
        let mut f = Fields::inside("client");
        let reference = f.parse("reference", &pb.reference, Reference::parse);
        client_from(pb, f.finish(|| reference)?, call)
    }
}

fn client_pb(it: &Record<Client>) -> pb::Client {
    let small = |number: u32| i32::try_from(number).unwrap_or_default();
    let born = |(year, month, day)| pb::google::r#type::Date { year, month: small(month), day: small(day) };
    pb::Client {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        organisation_id: it.organisation_id.to_string(),
        reference: it.reference.to_string(),
        side: it.side.to_wire(),
        name: it.name.expose().to_owned(),
        phone: it.phone.expose().to_owned(),
        address: it.address.expose().to_owned(),
        born_on: birth_parts(&it.born_on).map(born),
        spoken_languages: it.spoken_languages.iter().map(|language| language.as_str().to_owned()).collect(),
        reading_language: it.reading_language.as_ref().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        counsellor_gender: it.counsellor_gender.map(Word::to_wire).unwrap_or_default(),
        created_at: timestamp(it.created_at),
        updated_at: timestamp(it.updated_at),
    }
}

fn case_pb(it: &Record<Case>) -> pb::Case {
    let party = |(client_id, role): &(ClientId, CaseRole)| pb::CaseParty {
        client_id: client_id.to_string(),
        role: role.to_wire(),
    };
    pb::Case {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        organisation_id: it.organisation_id.to_string(),
        crime_number: it.crime_number.to_string(),
        police_station: it.police_station.clone(),
        district: it.district.to_string(),
        parties: it.parties.iter().map(party).collect(),
        created_at: timestamp(it.created_at),
        updated_at: timestamp(it.updated_at),
    }
}

fn no_contact_pb(it: &Record<NoContact>) -> pb::NoContact {
    pb::NoContact {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        client_id: it.client_id.to_string(),
        other_reference: it.other_reference.to_string(),
        created_at: timestamp(it.created_at),
    }
}
