//! Cases and their parties on the wire.

use tonic::Request;

use super::Clients;
use crate::domain::client::{Case, CaseRole, CrimeNumber, police_station};
use crate::domain::ids::{CaseId, ClientId};
use crate::domain::noun::Record;
use crate::domain::text::Code;
use crate::grpc::directory::session_ids;
use crate::grpc::fields::{Fields, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::call::Call;
use crate::usecase::client::ChangeParty;
use crate::usecase::error::{Error, Result};
use crate::usecase::mutate;
use crate::usecase::noun::{self, Create};

impl Clients {
    pub(super) async fn new_case(&self, request: Request<pb::CreateCaseRequest>) -> Result<pb::CreateCaseResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let read = pb.case.ok_or_else(|| Error::field("case", "is required")).and_then(|pb| case_from(&pb, &call));
        let content = f.and(read)?;
        let written = mutate(&self.world, call, Create(content)).await?;
        Ok(pb::CreateCaseResponse { case: Some(case_pb(&written.record)) })
    }

    pub(super) async fn read_case(&self, request: Request<pb::GetCaseRequest>) -> Result<pb::GetCaseResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id = f.id::<CaseId>("case_id", &pb.case_id);
        let record = noun::get::<Case>(&self.world, &call, f.finish(|| id)?).await?;
        Ok(pb::GetCaseResponse { case: Some(case_pb(&record)) })
    }

    pub(super) async fn add_party(
        &self,
        request: Request<pb::AddCasePartyRequest>,
    ) -> Result<pb::AddCasePartyResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let party = pb.party.unwrap_or_default();
        let (case_id, version) = (f.id("case_id", &pb.case_id), f.etag("etag", &pb.etag));
        let client_id = f.id("party.client_id", &party.client_id);
        let role = f.word::<CaseRole>("party.role", party.role);
        let change = f.finish(|| {
            Some(ChangeParty { case_id: case_id?, version: version?, client_id: client_id?, role: Some(role?) })
        })?;
        let written = mutate(&self.world, call, change).await?;
        Ok(pb::AddCasePartyResponse {
            case: Some(case_pb(&written.record)),
            affected_session_ids: session_ids(&written.orphaned),
        })
    }

    pub(super) async fn remove_party(
        &self,
        request: Request<pb::RemoveCasePartyRequest>,
    ) -> Result<pb::RemoveCasePartyResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (case_id, version) = (f.id("case_id", &pb.case_id), f.etag("etag", &pb.etag));
        let client_id = f.id("client_id", &pb.client_id);
        let change =
            f.finish(|| Some(ChangeParty { case_id: case_id?, version: version?, client_id: client_id?, role: None }))?;
        let written = mutate(&self.world, call, change).await?;
        Ok(pb::RemoveCasePartyResponse { case: Some(case_pb(&written.record)) })
    }
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

pub(in crate::grpc) fn case_pb(it: &Record<Case>) -> pb::Case {
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
