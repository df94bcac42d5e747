//! What only looks.

use aftercare::grpc::pb;
use aftercare::grpc::pb::google::r#type::Date;
use tonic::{Code, Status};

use super::log::{Fact, Thing};
use crate::support::Actor;
use crate::support::treatment::lookup;

/// A question.
#[derive(Clone, Debug)]
pub enum Read {
    Session(String),
    /// Every session of an organisation on a day.
    Day(usize, Date),
    /// Every session of an organisation, at the end.
    All(usize),
    Order(String),
    /// An order, as police ask by its reference.
    Police {
        order_id: String,
        reference: String,
    },
}

/// What was seen.
#[derive(Default)]
pub struct Seen {
    pub facts: Vec<Fact>,
    pub credited: Option<i32>,
}

impl Read {
    pub async fn send(&self, actor: &Actor) -> Result<Seen, Status> {
        match self {
            Self::Session(id) => {
                let found = actor.scheduling().get_session(pb::GetSessionRequest { session_id: id.clone() }).await;
                let fact = match found {
                    Ok(found) => Fact::session(found.into_inner().session.unwrap()),
                    Err(status) if status.code() == Code::NotFound => Fact::of(Thing::Session(id.clone()), 0),
                    Err(status) => return Err(status),
                };
                Ok(Seen { facts: vec![fact], credited: None })
            }
            Self::Day(_, day) => {
                let request = pb::ListSessionsRequest { on_date: Some(*day), page_size: 500, ..Default::default() };
                let page = actor.scheduling().list_sessions(request).await?.into_inner();
                assert!(page.next_page_token.is_empty(), "a day has fewer sessions");
                Ok(Seen { facts: page.sessions.into_iter().map(Fact::session).collect(), credited: None })
            }
            Self::All(_) => Ok(Seen { facts: whole(actor).await?, credited: None }),
            Self::Order(id) => {
                let request = pb::GetOrderRequest { order_id: id.clone() };
                let order = actor.compliance().get_order(request).await?.into_inner().order.unwrap();
                let fact = Fact::of(Thing::Order(id.clone()), order.etag.parse().unwrap());
                Ok(Seen { facts: vec![fact], credited: Some(order.standing.unwrap().credited_sessions) })
            }
            Self::Police { reference, .. } => {
                let request = pb::CheckComplianceRequest { lookup: lookup(), reference: reference.clone() };
                let told = actor.compliance().check_compliance(request).await?.into_inner().compliance.unwrap();
                Ok(Seen { facts: Vec::new(), credited: Some(told.credited_sessions) })
            }
        }
    }
}

/// Page by page, while nobody changes anything.
async fn whole(actor: &Actor) -> Result<Vec<Fact>, Status> {
    let mut request = pb::ListSessionsRequest { page_size: 500, ..Default::default() };
    let mut all = Vec::new();
    loop {
        let page = actor.scheduling().list_sessions(request.clone()).await?.into_inner();
        all.extend(page.sessions.into_iter().map(Fact::session));
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}
