//! Guardians on the wire.

use tonic::Request;

use super::Clients;
use crate::domain::guardian::Guardian;
use crate::domain::noun::Record;
use crate::domain::text::Code;
use crate::grpc::directory::{Wire, create, update, wire_fields};
use crate::grpc::fields::{Fields, date, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::call::Call;
use crate::usecase::error::Result;
use crate::usecase::guardian::{Guardians, list_guardians};

impl Clients {
    pub(super) async fn name_guardian(
        &self,
        request: Request<pb::CreateGuardianRequest>,
    ) -> Result<pb::CreateGuardianResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let (guardian, _) = create::<Guardian>(&self.world, call, f, pb.guardian).await?;
        Ok(pb::CreateGuardianResponse { guardian: Some(guardian) })
    }

    pub(super) async fn change_guardian(
        &self,
        request: Request<pb::UpdateGuardianRequest>,
    ) -> Result<pb::UpdateGuardianResponse> {
        let (call, pb, f) = open_mutation(&self.world, request)?;
        let (guardian, affected_session_ids) =
            update::<Guardian>(&self.world, call, f, pb.guardian, pb.update_mask).await?;
        Ok(pb::UpdateGuardianResponse { guardian: Some(guardian), affected_session_ids })
    }

    pub(super) async fn guardians(
        &self,
        request: Request<pb::ListGuardiansRequest>,
    ) -> Result<pb::ListGuardiansResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.id("client_id", &pb.client_id);
        let query = pb::ListGuardiansRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (client_id, page) = f.finish(|| Some((client_id?, page?)))?;
        let (all, next_page_token) = list_guardians(&self.world, call, client_id, page).await?;
        Ok(pb::ListGuardiansResponse { guardians: shown(&all), next_page_token })
    }
}

fn shown(all: &Guardians) -> Vec<pb::Guardian> {
    let answers_until = all.adult_from.and_then(|from| from.pred_opt()).map(date);
    let one = |it: &Record<Guardian>| {
        let answers = it.standing.answers_on(all.adult_from, all.today);
        pb::Guardian { answers_until, answers, ..Guardian::to_pb(it) }
    };
    all.rows.iter().map(one).collect()
}

impl Wire for Guardian {
    wire_fields!(Guardian, "guardian": code, name, phone, relation, standing);

    fn to_pb(it: &Record<Self>) -> pb::Guardian {
        pb::Guardian {
            id: it.id.to_string(),
            etag: it.version.to_string(),
            client_id: it.client_id.to_string(),
            code: it.code.as_ref().map(ToString::to_string).unwrap_or_default(),
            name: it.name.expose().to_owned(),
            phone: it.phone.expose().to_owned(),
            relation: it.relation.expose().to_owned(),
            standing: it.standing.to_wire(),
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
            ..Default::default()
        }
    }

    fn from_pb(pb: &pb::Guardian, _call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let client_id = f.id("client_id", &pb.client_id);
        let code = f.maybe("code", &pb.code, Code::parse);
        let name = f.personal("name", &pb.name, 1..=200);
        let phone = f.personal("phone", &pb.phone, 0..=40);
        let relation = f.personal("relation", &pb.relation, 0..=100);
        let standing = f.word("standing", pb.standing);
        f.finish(|| {
            Some(Self {
                client_id: client_id?,
                code: code?,
                name: name?,
                phone: phone?,
                relation: relation?,
                standing: standing?,
            })
        })
    }
}
