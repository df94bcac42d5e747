//! A call that was let in: who, what, and under which request id.

use std::future::Future;
use std::pin::Pin;

use chrono::{DateTime, Utc};
use tracing::Instrument;
use uuid::Uuid;

use super::error::{Error, Result};
use super::world::World;
use crate::domain::access::{self, Authority, Caller, Identity};
use crate::domain::audit::{Event, Outcome};
use crate::domain::ids::OrganisationId;
use crate::store::audit;

/// Reads bearer tokens.
pub trait Authenticator: std::fmt::Debug + Send + Sync {
    /// What a token that is good at an instant says of its bearer.
    fn identify<'a>(&'a self, token: &'a str, now: DateTime<Utc>) -> Identified<'a>;
}

/// What a token says, once it is known.
pub type Identified<'a> = Pin<Box<dyn Future<Output = Result<Identity, Refused>> + Send + 'a>>;

/// Why a token was refused; for the log, never for the caller. It says nothing that stands in the token.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Not a token of this issuer: its form, signature, algorithm, issuer or audience is wrong.
    #[error("not a token of this issuer: {0}")]
    Forged(&'static str),
    /// Its time is over.
    #[error("expired")]
    Expired,
    /// Its time has not come.
    #[error("not yet valid")]
    NotYetValid,
    /// It lacks what its role needs.
    #[error("claim {0} is missing or wrong")]
    Claim(&'static str),
    /// Nobody can say now whether it is good; what the caller is told is the error itself.
    #[error("it cannot be checked now")]
    Unchecked(#[source] Error),
}

/// A call that was let in. Only [`admit`] and the program itself make one, so a use case that
/// holds it knows that the role was checked.
#[derive(Clone, Debug)]
pub struct Call {
    caller: Caller,
    method: &'static str,
    request: Option<Request>,
}

/// The id under which a call has one effect, however often it is made.
#[derive(Clone, Debug)]
pub struct Request {
    /// Chosen by the caller.
    pub id: Uuid,
    /// Keyed digest of the body.
    pub digest: Vec<u8>,
}

/// Lets the bearer of a good token in, unless it was revoked or may not be what it says, calls too often or may not
/// call this.
pub async fn enter(world: &World, identity: Identity, rpc: &str) -> Result<Call> {
    let caller = world.register().caller(identity, world.now()).map_err(|reason| {
        tracing::info!(%reason, "token refused");
        Error::Unauthenticated
    })?;
    match world.limits().count(&caller, rpc) {
        Ok(()) => admit(world, caller, rpc).await,
        Err(refusal) => {
            let event = event(world, &caller, named(rpc), Outcome::Refused, Some(refusal.reason()));
            Err(overdo(world, &caller, event, refusal).await?)
        }
    }
}

/// Leaves a trace of somebody who does something too often, once in a while, and gives the refusal back.
pub(super) async fn overdone(world: &World, call: &Call, refusal: Error) -> Result<Error> {
    let event = call.event(world, Outcome::Refused, Some(refusal.reason()));
    overdo(world, call.caller(), event, refusal).await
}

async fn overdo(world: &World, caller: &Caller, event: Event, refusal: Error) -> Result<Error> {
    if world.limits().is_audited(caller) {
        append(world, event).await?;
    }
    Ok(refusal)
}

/// The name of what was called. An unknown one comes from outside, so only its length is bounded here.
fn named(rpc: &str) -> String {
    rpc.chars().take(200).collect()
}

/// Lets a caller in, or refuses and leaves a trace.
pub async fn admit(world: &World, caller: Caller, rpc: &str) -> Result<Call> {
    let role = caller.authority.role();
    match access::row(rpc) {
        Some((method, roles)) if roles.contains(&role) && !caller.is_kept_from(method) => {
            Ok(Call { caller, method, request: None })
        }
        _ => {
            append(world, event(world, &caller, named(rpc), Outcome::Denied, None)).await?;
            Err(Error::Denied)
        }
    }
}

/// Leaves a trace of a read that found nothing the caller may know of, whether or not it exists.
pub async fn traced<T>(world: &World, call: &Call, subject: Uuid, result: Result<T>) -> Result<T> {
    if let Err(refusal @ Error::NotFound(_)) = &result {
        let mut event = call.event(world, Outcome::Refused, Some(refusal.reason()));
        event.subjects.push(subject);
        append(world, event).await?;
    }
    result
}

/// Leaves a trace of a read by which much leaves the service at once.
pub async fn disclosed(
    world: &World,
    call: &Call,
    subjects: impl IntoIterator<Item = Uuid>,
    details: impl IntoIterator<Item = String>,
) -> Result<()> {
    let mut event = call.event(world, Outcome::Done, None);
    event.subjects.extend(subjects);
    event.details.extend(details);
    append(world, event).await
}

/// Writes an event of its own, whether or not the caller still waits.
async fn append(world: &World, event: Event) -> Result<()> {
    let world = world.clone();
    let written = async move {
        let mut tx = world.db().begin_write().await?;
        audit::append(&mut tx, &event)?;
        Ok(tx.commit().await?)
    };
    tokio::spawn(written.in_current_span()).await.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

impl Call {
    /// A call of the program itself, such as an import from the command line.
    pub fn of_program(method: &'static str) -> Self {
        let caller = Caller::without_token(format!("program:{method}"), Authority::Admin);
        Self { caller, method, request: None }
    }

    /// The same call under a request id.
    #[must_use]
    pub fn under(self, request: Option<Request>) -> Self {
        Self { request, ..self }
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What is called.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// Under which request id.
    pub fn request(&self) -> Option<&Request> {
        self.request.as_ref()
    }

    /// The organisation whose rows the caller may see; `None` is every one. Who is tied to none
    /// and is no admin sees nothing.
    pub fn sees(&self) -> Result<Option<OrganisationId>> {
        match &self.caller.authority {
            Authority::Admin => Ok(None),
            Authority::Coordinator { organisation_id }
            | Authority::Counsellor { organisation_id, .. }
            | Authority::ClinicalLead { organisation_id } => Ok(Some(*organisation_id)),
            Authority::Police { .. } | Authority::Auditor => Err(Error::Denied),
        }
    }

    /// Refuses what another organisation manages, as if it did not exist.
    pub fn manages(&self, owner: Option<OrganisationId>, word: &'static str) -> Result<()> {
        match self.sees()? {
            None => Ok(()),
            own if own == owner => Ok(()),
            Some(_) => Err(Error::NotFound(word)),
        }
    }

    /// What the audit trail keeps of this call.
    pub fn event(&self, world: &World, outcome: Outcome, reason: Option<&str>) -> Event {
        let mut event = event(world, &self.caller, self.method.to_owned(), outcome, reason);
        event.request_id = self.request.as_ref().map(|request| request.id);
        event
    }
}

fn event(world: &World, caller: &Caller, action: String, outcome: Outcome, reason: Option<&str>) -> Event {
    Event {
        id: world.uuid(),
        occurred_at: world.now(),
        principal: caller.principal.clone(),
        role: caller.authority.role(),
        organisation_id: caller.authority.organisation_id(),
        action,
        outcome,
        reason: reason.map(Into::into),
        details: Vec::new(),
        subjects: Vec::new(),
        request_id: None,
    }
}
