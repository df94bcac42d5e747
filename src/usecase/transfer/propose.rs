//! Proposes to give a client to another organisation.

use uuid::Uuid;

use super::{End, Shown, act, consents, find, refused, subject};
use crate::domain::client::Client;
use crate::domain::directory::{Organisation, OrganisationKind};
use crate::domain::ids::{ClientId, Id, TransferId};
use crate::domain::noun::{Noun, Record};
use crate::domain::personal::Personal;
use crate::domain::text::Code;
use crate::domain::transfer::{ANSWERED_WITHIN, Basis, Party, Transfer};
use crate::store::codec::Instant;
use crate::store::noun::{Keyed, Stored};
use crate::store::{self, Lock, transfer};
use crate::usecase::client::lock_own;
use crate::usecase::error::{Error, Result};
use crate::usecase::session;
use crate::usecase::work::{Mutation, Work};
use crate::usecase::world::World;

/// Proposes a transfer.
#[derive(Clone, Debug)]
pub struct ProposeTransfer {
    /// Of whom.
    pub client_id: ClientId,
    /// To whom, by code.
    pub receiving: Code,
    /// Why without consent; none with one.
    pub overriding: Option<Personal>,
}

impl Mutation for ProposeTransfer {
    type Answer = Shown;

    async fn before(&self, world: &World) -> Result<()> {
        session::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Shown> {
        let client = lock_own(work, self.client_id, Client::WORD).await?;
        let giving = Organisation::find(&mut work.tx, client.organisation_id, Lock::None).await?;
        let giving = giving.ok_or(Error::NotFound(Organisation::WORD))?;
        let receiving = self.receiving(work, &giving).await?;
        let act = act(work);
        transfer::expire(&mut work.tx, client.id, &act.by, Instant(work.now)).await?;
        let it = Transfer {
            id: work.world.id(),
            client_id: client.id,
            reference: client.reference,
            side: client.side,
            giving: party(&giving),
            receiving: party(&receiving),
            basis: self.basis(work).await?,
            expires_at: act.at + ANSWERED_WITHIN,
            proposed: act,
            cosigned: None,
            ended: None,
            declined_because: None,
        };
        self.refuse_active(work).await?;
        match transfer::insert(&mut work.tx, &it).await {
            Err(store::Error::Conflict) => {
                let says = "another transfer of the client waits; it has to be withdrawn first";
                return Err(refused("TRANSFER_OPEN", says, Vec::new()));
            }
            inserted => inserted?,
        }
        work.touched(it.id.uuid());
        if matches!(it.basis, Basis::Override(_)) {
            work.note("WITHOUT_CONSENT");
        }
        Shown::to(work.call, it)
    }

    fn result_id(&self, answer: &Shown) -> Uuid {
        answer.transfer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Shown> {
        let it = find(work, TransferId(result_id), End::Giving).await?;
        Shown::to(work.call, it)
    }
}

fn party(it: &Record<Organisation>) -> Party {
    Party { id: it.id, code: it.code.clone(), district: it.district.clone() }
}

impl ProposeTransfer {
    async fn receiving(&self, work: &mut Work<'_>, giving: &Record<Organisation>) -> Result<Record<Organisation>> {
        let found = Organisation::find_by_code(&mut work.tx, Uuid::nil(), self.receiving.as_str()).await?;
        let fits = |it: &Record<Organisation>| it.kind == OrganisationKind::Ngo && it.id != giving.id;
        let says = "must be the code of another organisation that cares for clients";
        found.filter(fits).ok_or_else(|| Error::field("receiving_organisation_code", says))
    }

    async fn basis(&self, work: &mut Work<'_>) -> Result<Basis> {
        if let Some(reason) = &self.overriding {
            return Ok(Basis::Override(reason.clone()));
        }
        let client = subject(work, self.client_id).await?;
        let consent_id = consents(work, &client).await?.first().copied();
        let says =
            "no consent to a transfer covers today; without one it takes a reason and a clinical lead's signature";
        consent_id.map(Basis::Consent).ok_or_else(|| refused("CONSENT_MISSING", says, Vec::new()))
    }

    /// Whatever only this organisation can see to must be seen to first.
    async fn refuse_active(&self, work: &mut Work<'_>) -> Result<()> {
        let found = transfer::in_the_way(&mut work.tx, self.client_id, Instant(work.now)).await?;
        let all: Vec<Uuid> = found.orders.iter().chain(&found.others).copied().collect();
        if !found.orders.is_empty() {
            let says = "an open order stays with who reports on it; it has to be closed first, and so have the others";
            return Err(refused("ORDER_OPEN", says, all));
        }
        if all.is_empty() {
            return Ok(());
        }
        let says = "the client has sessions to come or without a record, or waits for a time, or an escalation or a \
                    mandatory report is open";
        Err(refused("CLIENT_ACTIVE", says, all))
    }
}
