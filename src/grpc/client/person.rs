//! Clients on the wire.

use tonic::Request;

use super::Clients;
use crate::domain::client::{AgeBasis, Availability, Client, MOST_AVAILABILITY, birth, birth_parts};
use crate::domain::noun::Record;
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;
use crate::domain::text::{Code, Language, bounded};
use crate::grpc::directory::{Wire, update, wire_fields};
use crate::grpc::fields::{Fields, day_time, id_text, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::call::Call;
use crate::usecase::client::{self as usecase, Sought};
use crate::usecase::error::{Error, Result};
use crate::usecase::mutate;
use crate::usecase::noun::Create;

impl Clients {
    pub(super) async fn create(&self, request: Request<pb::CreateClientRequest>) -> Result<pb::CreateClientResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let required = || Error::field("client", "is required");
        let read = pb.client.ok_or_else(required).and_then(|pb| client_from(&pb, self.world.reference(), &call));
        let content = f.and(read)?;
        let written = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::CreateClientResponse { client: Some(client_pb(&written.record)) })
    }

    pub(super) async fn update(&self, request: Request<pb::UpdateClientRequest>) -> Result<pb::UpdateClientResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let (client, affected_session_ids) = update::<Client>(&self.world, call, f, pb.client, pb.update_mask).await?;
        Ok(pb::UpdateClientResponse { client: Some(client), affected_session_ids })
    }

    pub(super) async fn get(&self, request: Request<pb::GetClientRequest>) -> Result<pb::GetClientResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id = f.id("client_id", &pb.client_id);
        let record = usecase::get_client(&self.world, call, f.finish(|| id)?).await?;
        Ok(pb::GetClientResponse { client: Some(client_pb(&record)) })
    }

    pub(super) async fn list(&self, request: Request<pb::ListClientsRequest>) -> Result<pb::ListClientsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let side = f.maybe_word("side", pb.side);
        let query = pb::ListClientsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let name = f.maybe("name", &pb.name, |raw| bounded(raw, 1..=200)).map(|it| it.map(Personal::new));
        let phone = f.maybe("phone", &pb.phone, |raw| bounded(raw, 1..=40)).map(|it| it.map(Personal::new));
        let (side, name, phone, page) = f.finish(|| Some((side?, name?, phone?, page?)))?;
        let sought = Sought { name, phone };
        let (rows, next_page_token) = usecase::list_clients(&self.world, &call, side, &sought, &page).await?;
        Ok(pb::ListClientsResponse { clients: rows.iter().map(client_pb).collect(), next_page_token })
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
    let age_basis = age_basis(&mut f, pb);
    let spoken_languages = f.parse_all("spoken_languages", &pb.spoken_languages, Language::parse);
    let reading_language = f.maybe("reading_language", &pb.reading_language, Language::parse);
    let counsellor_gender = f.maybe_word("counsellor_gender", pb.counsellor_gender);
    let file_number = f.maybe("file_number", &pb.file_number, Code::parse);
    let availability = availability(&mut f, "availability", &pb.availability);
    let preferred_modality = f.maybe_word("preferred_modality", pb.preferred_modality);
    let preferred_venue_id = f.maybe_id("preferred_venue_id", &pb.preferred_venue_id);
    f.finish(|| {
        Some(Client {
            organisation_id: organisation_id?,
            reference,
            side: side?,
            name: name?,
            phone: phone?,
            address: address?,
            born_on: born_on?,
            age_basis: age_basis?,
            spoken_languages: spoken_languages?,
            reading_language: reading_language?,
            counsellor_gender: counsellor_gender?,
            file_number: file_number?,
            availability: availability?,
            preferred_modality: preferred_modality?,
            preferred_venue_id: preferred_venue_id?,
            erased_at: None,
        })
    })
}

fn born_on(f: &mut Fields, pb: &pb::Client) -> Option<Personal> {
    let Some(raw) = &pb.born_on else { return Some(Personal::default()) };
    let parts = u32::try_from(raw.month).ok().zip(u32::try_from(raw.day).ok());
    let (month, day) = parts.unwrap_or((99, 99));
    birth(raw.year, month, day).map_err(|fault| f.wrong::<()>("born_on", fault.to_string())).ok()
}

fn age_basis(f: &mut Fields, pb: &pb::Client) -> Option<Option<AgeBasis>> {
    let basis = f.maybe_word("age_basis", pb.age_basis)?;
    if basis.is_some() && pb.born_on.is_none() {
        return f.wrong("age_basis", "must be empty without born_on");
    }
    Some(basis)
}

/// Weekly times.
pub fn availability(f: &mut Fields, field: &str, all: &[pb::Availability]) -> Option<Vec<Availability>> {
    if all.len() > MOST_AVAILABILITY {
        return f.wrong(field, format!("must have at most {MOST_AVAILABILITY} times"));
    }
    // Collected first, so that every time is looked at.
    let read: Vec<_> =
        all.iter().enumerate().map(|(at, time)| availability_from(f, &format!("{field}[{at}]"), time)).collect();
    read.into_iter().collect()
}

fn availability_from(f: &mut Fields, field: &str, pb: &pb::Availability) -> Option<Availability> {
    let field = |name: &str| format!("{field}.{name}");
    let day = f.word(&field("day"), pb.day);
    let starts = f.day_time(&field("starts"), pb.starts.as_ref());
    let ends = f.day_time(&field("ends"), pb.ends.as_ref());
    if starts.zip(ends).is_some_and(|(starts, ends)| ends <= starts) {
        return f.wrong(&field("ends"), "must be after starts");
    }
    Some(Availability { day: day?, starts: starts?, ends: ends? })
}

/// A weekly time for the wire.
pub fn availability_pb(it: &Availability) -> pb::Availability {
    pb::Availability { day: it.day.to_wire(), starts: Some(day_time(it.starts)), ends: Some(day_time(it.ends)) }
}

impl Wire for Client {
    wire_fields!(Client, "client": name, phone, address, born_on, age_basis, spoken_languages, reading_language,
        counsellor_gender, file_number, availability, preferred_modality, preferred_venue_id);

    fn to_pb(record: &Record<Self>) -> pb::Client {
        client_pb(record)
    }

    fn from_pb(pb: &pb::Client, call: &Call) -> Result<Self> {
        let mut f = Fields::inside("client");
        let reference = f.parse("reference", &pb.reference, Reference::parse);
        client_from(pb, f.finish(|| reference)?, call)
    }
}

pub(in crate::grpc) fn client_pb(it: &Record<Client>) -> pb::Client {
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
        age_basis: it.age_basis.map(Word::to_wire).unwrap_or_default(),
        spoken_languages: it.spoken_languages.iter().map(|language| language.as_str().to_owned()).collect(),
        reading_language: it.reading_language.as_ref().map(|it| it.as_str().to_owned()).unwrap_or_default(),
        counsellor_gender: it.counsellor_gender.map(Word::to_wire).unwrap_or_default(),
        file_number: it.file_number.as_ref().map(ToString::to_string).unwrap_or_default(),
        availability: it.availability.iter().map(availability_pb).collect(),
        preferred_modality: it.preferred_modality.map(Word::to_wire).unwrap_or_default(),
        preferred_venue_id: id_text(it.preferred_venue_id),
        created_at: timestamp(it.created_at),
        updated_at: timestamp(it.updated_at),
        erased_at: it.erased_at.and_then(timestamp),
    }
}
