//! Signed statements and their keys, on the wire.

use tonic::Request;

use super::Compliance;
use super::police::inquiry;
use crate::domain::reference::Reference;
use crate::domain::statement::{KeySet, KnownKey};
use crate::grpc::fields::{open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::usecase::error::Result;
use crate::usecase::statement::{IssueComplianceStatement, keys};

impl Compliance {
    pub(super) async fn state(
        &self,
        request: Request<pb::IssueComplianceStatementRequest>,
    ) -> Result<pb::IssueComplianceStatementResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let inquiry = inquiry(&mut f, pb.lookup.as_ref());
        let reference = f.parse("reference", &pb.reference, Reference::parse);
        let issue = f.finish(|| Some(IssueComplianceStatement { inquiry: inquiry?, reference: reference? }))?;
        let issued = issue.run(&self.world, &self.keyring, call).await?;
        Ok(pb::IssueComplianceStatementResponse {
            statement: issued.token,
            number: i64::from(issued.number),
            kid: issued.kid.to_string(),
            issued_at: timestamp(issued.issued_at),
        })
    }

    pub(super) async fn statement_keys(
        &self,
        request: Request<pb::ListStatementKeysRequest>,
    ) -> Result<pb::ListStatementKeysResponse> {
        open(request)?;
        let all = keys(self.world.db()).await?;
        Ok(pb::ListStatementKeysResponse {
            keys: all.iter().map(key_pb).collect(),
            key_set: KeySet::new(all.iter().map(|key| key.public)).to_json(),
        })
    }
}

fn key_pb(it: &KnownKey) -> pb::StatementKey {
    pb::StatementKey {
        kid: it.public.kid().to_string(),
        public_key: it.public.to_bytes().to_vec(),
        created_at: timestamp(it.created_at),
        retired_at: it.retired_at.and_then(timestamp),
    }
}
