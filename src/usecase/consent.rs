//! Consents: recorded, ended once, never changed.

mod due;

pub use self::due::{DueSoon, list_consents_due};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::call::Call;
use super::client::{lock_own, reveal_of};
use super::error::{Error, FieldViolation, Result};
use super::noun::{Managed, Written, find, find_own, update};
use super::page::Page;
use super::work::{Mutation, Work};
use super::world::World;
use crate::domain::consent::{Consent, ConsentEnd, ConsentEnding};
use crate::domain::guardian::GuardianStanding;
use crate::domain::ids::{ClientId, ConsentId, Id, OrganisationId};
use crate::domain::noun::{Noun, Record};
use crate::domain::personal::Personal;
use crate::domain::time::local_day;
use crate::store::session::Of;
use crate::store::{Lock, Tx, directory, guardian};

impl Managed for Consent {
    /// A new consent was given by now, and by a guardian who may. Of a recorded one only the end is written.
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        lock_own(work, it.client_id, Self::WORD).await?;
        if before.is_some() {
            return Ok(());
        }
        let mut wrong = Vec::new();
        let mut refuse = |field: &str, says: &str| {
            wrong.push(FieldViolation { field: format!("consent.{field}"), says: says.into() });
        };
        // Where it was given is unknown; nowhere has a later day than tomorrow begun.
        if it.given_on > (work.now + TimeDelta::days(1)).date_naive() {
            refuse("given_on", "must not be in the future");
        }
        if let Some(id) = it.guardian_id {
            let guardians = work.tx.tell(|tx| guardian::of_client(tx, it.client_id)).await?;
            match guardians.into_iter().find(|(known, _)| *known == id) {
                Some((_, GuardianStanding::Safe)) => {}
                Some(_) => refuse("guardian_id", "must be a guardian who is safe"),
                None => refuse("guardian_id", "must be a guardian of the client"),
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
    }

    fn concerns(after: &Record<Self>, _before: Option<&Record<Self>>) -> Vec<Of> {
        vec![Of::Client(after.client_id)]
    }
}

/// The day that it is for an organisation: in the zone of its sites, and in India's as long as it has none.
pub(super) async fn local_today(tx: &mut Tx, organisation_id: OrganisationId, now: DateTime<Utc>) -> Result<NaiveDate> {
    let zone = directory::zone_of(tx, organisation_id).await?;
    Ok(local_day(now, zone.unwrap_or(Tz::Asia__Kolkata)))
}

/// Ends a consent.
pub struct EndConsent {
    /// Which.
    pub id: ConsentId,
    /// The version last read.
    pub version: i64,
    /// How.
    pub how: ConsentEnding,
    /// Why.
    pub reason: Personal,
}

impl Mutation for EndConsent {
    type Answer = Written<Consent>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Written<Consent>> {
        work.touched(self.id.uuid());
        let found = find::<Consent>(work, self.id, Lock::None).await?;
        lock_own(work, found.client_id, Consent::WORD).await?;
        let before = find_own::<Consent>(work, self.id, Some(self.version)).await?;
        if before.ended.is_some() {
            return Err(Error::Precondition {
                reason: "CONSENT_ENDED",
                says: "the consent was withdrawn or invalidated before",
                subjects: vec![self.id.uuid()],
            });
        }
        let end = ConsentEnd { how: self.how, at: work.now, reason: self.reason.clone() };
        let record = update(work, &before, Consent { ended: Some(end), ..before.content.clone() }).await?;
        Written::of(work, record)
    }

    fn result_id(&self, answer: &Written<Consent>) -> Uuid {
        answer.record.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Written<Consent>> {
        Written::again(work, result_id).await
    }
}

/// Lists the consents about a client with the reasons for which they ended; the read is audited before it is
/// answered.
pub async fn list_consents(
    world: &World,
    call: Call,
    client_id: ClientId,
    page: Page,
) -> Result<(Vec<Record<Consent>>, String)> {
    reveal_of(world, call, client_id, page).await
}
