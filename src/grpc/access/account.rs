//! Service accounts on the wire.

use tonic::Request;

use super::Access;
use crate::domain::access::{Authority, Role};
use crate::domain::noun::Record;
use crate::domain::service_account::{MOST_METHODS, ServiceAccount, can_be_narrowed_to};
use crate::domain::text::{Code, Fault, name};
use crate::grpc::directory::{Wire, create, id_of, list, update, wire_fields};
use crate::grpc::fields::{Fields, id_text, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::call::Call;
use crate::usecase::error::Result;

impl Access {
    pub(super) async fn create_account(
        &self,
        request: Request<pb::CreateServiceAccountRequest>,
    ) -> Result<pb::CreateServiceAccountResponse> {
        let (call, pb, fields) = open_mutation(&self.world, request)?;
        let (made, _) = create::<ServiceAccount>(&self.world, call, fields, pb.service_account).await?;
        Ok(pb::CreateServiceAccountResponse { service_account: Some(made) })
    }

    pub(super) async fn update_account(
        &self,
        request: Request<pb::UpdateServiceAccountRequest>,
    ) -> Result<pb::UpdateServiceAccountResponse> {
        let (call, pb, fields) = open_mutation(&self.world, request)?;
        let (changed, _) =
            update::<ServiceAccount>(&self.world, call, fields, pb.service_account, pb.update_mask).await?;
        Ok(pb::UpdateServiceAccountResponse { service_account: Some(changed) })
    }

    pub(super) async fn accounts(
        &self,
        request: Request<pb::ListServiceAccountsRequest>,
    ) -> Result<pb::ListServiceAccountsResponse> {
        let (call, pb) = open(request)?;
        let query = pb::ListServiceAccountsRequest::default();
        let page = (pb.page_size, pb.page_token.as_str());
        let (rows, next_page_token) = list::<ServiceAccount>(&self.world, &call, None, page, &query).await?;
        Ok(pb::ListServiceAccountsResponse { service_accounts: rows, next_page_token })
    }
}

impl Wire for ServiceAccount {
    wire_fields!(ServiceAccount, "service_account": methods, expires_at, disabled);

    fn to_pb(it: &Record<Self>) -> pb::ServiceAccount {
        pb::ServiceAccount {
            id: id_of(it),
            etag: it.version.to_string(),
            code: it.code.to_string(),
            principal: it.principal.clone(),
            role: it.authority.role().to_wire(),
            organisation_id: id_text(it.authority.organisation_id()),
            counsellor_id: id_text(it.authority.counsellor_id()),
            jurisdiction: it.authority.jurisdiction().map(ToString::to_string).unwrap_or_default(),
            methods: it.methods.clone(),
            expires_at: it.expires_at.and_then(timestamp),
            disabled: it.disabled,
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::ServiceAccount, _call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let code = f.parse("code", &pb.code, Code::parse);
        let principal = f.parse("principal", &pb.principal, name);
        let role = f.word("role", pb.role);
        let authority = role.and_then(|role| authority(&mut f, pb, role));
        let methods = role.and_then(|role| methods(&mut f, &pb.methods, role));
        let expires_at = f.maybe_instant("expires_at", pb.expires_at.as_ref());
        f.finish(|| {
            Some(Self {
                code: code?,
                principal: principal?,
                authority: authority?,
                methods: methods?,
                expires_at: expires_at?,
                disabled: pb.disabled,
            })
        })
    }
}

fn authority(f: &mut Fields, pb: &pb::ServiceAccount, role: Role) -> Option<Authority> {
    let organisation_id = f.maybe_id("organisation_id", &pb.organisation_id)?;
    let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id)?;
    let jurisdiction = f.maybe("jurisdiction", &pb.jurisdiction, Code::parse)?;
    let says = "must go with organisation_id, counsellor_id and jurisdiction: exactly what the role is tied to";
    Authority::new(role, organisation_id, counsellor_id, jurisdiction).or_else(|| f.wrong("role", says))
}

fn methods(f: &mut Fields, raw: &[String], role: Role) -> Option<Vec<String>> {
    let known = |raw: &str| match can_be_narrowed_to(role, raw) {
        true => Ok(raw.to_owned()),
        false => Err(Fault::new("must be the full name of an RPC that the role may call")),
    };
    match raw.len() {
        0 => Some(Vec::new()),
        1..=MOST_METHODS => {
            let texts = raw.iter().enumerate();
            // Every wrong one is named, not only the first.
            let all: Vec<_> = texts.map(|(at, text)| f.parse(&format!("methods[{at}]"), text, known)).collect();
            all.into_iter().collect()
        }
        _ => f.wrong("methods", format!("must be at most {MOST_METHODS}")),
    }
}
