//! Records what is ordered, and what is ordered otherwise.

use chrono::NaiveDate;
use chrono_tz::Tz;
use uuid::Uuid;

use super::ledger::{self, Entry};
use super::{WORD, lock_client_of, refused};
use crate::domain::client::Client;
use crate::domain::code::Side;
use crate::domain::directory::HolidayCalendar;
use crate::domain::ids::{ClientId, HolidayCalendarId, Id, OrderId, OrganisationId};
use crate::domain::noun::Noun;
use crate::domain::personal::Personal;
use crate::domain::text::Code;
use crate::domain::treatment::act::Act;
use crate::domain::treatment::standing::Docket;
use crate::domain::treatment::{MandateBasis, Order, PolicyVersion, STANDARD_POLICY, Terms};
use crate::store::noun::Stored;
use crate::store::{Lock, treatment};
use crate::usecase::client::lock_own;
use crate::usecase::error::{Error, Result};
use crate::usecase::treatment::read::{Overview, after, again};
use crate::usecase::work::{Mutation, Work};

/// What is ordered, as it is asked for.
#[derive(Clone, Debug)]
pub struct Drafted {
    /// District of the police to whom it is answered.
    pub jurisdiction: Code,
    /// On whose word.
    pub mandate: MandateBasis,
    /// The number of the document that says so.
    pub document: String,
    /// First day.
    pub starts_on: NaiveDate,
    /// Last day; none is open.
    pub ends_on: Option<NaiveDate>,
    /// How many sessions count as done.
    pub required: u32,
    /// The zone in which its days are meant.
    pub zone: Tz,
    /// Whose days are no working days.
    pub holiday_calendar_id: Option<HolidayCalendarId>,
    /// By which policy it is judged, and in which version, or in the newest. Unless said, an order keeps its own, and a
    /// new one has the standard policy.
    pub policy: Option<(Code, Option<i64>)>,
}

impl Drafted {
    /// The terms, once everything they name is found. The calendar does not change until the transaction ends.
    async fn terms(
        &self,
        work: &mut Work<'_>,
        organisation_id: OrganisationId,
        before: Option<&Terms>,
    ) -> Result<Terms> {
        if let Some(id) = self.holiday_calendar_id {
            let calendar = HolidayCalendar::find(&mut work.tx, id, Lock::Share).await?;
            if calendar.is_none_or(|it| it.organisation_id != organisation_id) {
                return Err(Error::field("order.holiday_calendar_id", "must be a calendar of the organisation"));
            }
        }
        Ok(Terms {
            jurisdiction: self.jurisdiction.clone(),
            mandate: self.mandate,
            document: self.document.clone(),
            starts_on: self.starts_on,
            ends_on: self.ends_on,
            required: self.required,
            zone: self.zone,
            holiday_calendar_id: self.holiday_calendar_id,
            policy: match (before, &self.policy) {
                (Some(before), None) => before.policy.clone(),
                _ => self.policy_version(work).await?,
            },
        })
    }

    async fn policy_version(&self, work: &mut Work<'_>) -> Result<PolicyVersion> {
        let found = match &self.policy {
            Some((code, Some(version))) => {
                let version = PolicyVersion { code: code.clone(), version: *version };
                treatment::policy(&mut work.tx, &version).await?
            }
            Some((code, None)) => treatment::newest_policy(&mut work.tx, code).await?,
            None => match Code::parse(STANDARD_POLICY) {
                Ok(standard) => treatment::newest_policy(&mut work.tx, &standard).await?,
                Err(_) => None,
            },
        };
        let says = "must be a version of a published policy";
        found.map(|it| it.version).ok_or_else(|| Error::field("order.policy_code", says))
    }
}

/// Records a treatment order of an offender.
#[derive(Clone, Debug)]
pub struct CreateTreatmentOrder {
    /// Who is to be treated.
    pub client_id: ClientId,
    /// What is ordered.
    pub drafted: Drafted,
}

impl Mutation for CreateTreatmentOrder {
    type Answer = Overview;

    async fn run(&self, work: &mut Work<'_>) -> Result<Overview> {
        let client = lock_own(work, self.client_id, Client::WORD).await?;
        if client.side != Side::Offender {
            return Err(Error::field("order.client_id", "must be a client in treatment"));
        }
        let order = Order {
            id: work.world.id(),
            version: 0,
            created_at: work.now,
            updated_at: work.now,
            organisation_id: client.organisation_id,
            client_id: self.client_id,
            reference: work.world.reference(),
            terms: self.drafted.terms(work, client.organisation_id, None).await?,
            head: Vec::new(),
        };
        let docket = ledger::begin(work, order, None).await?.docket;
        after(work, docket).await
    }

    fn result_id(&self, answer: &Overview) -> Uuid {
        answer.docket.order.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Overview> {
        again(work, OrderId(result_id)).await
    }
}

/// Replaces the terms of an order. Its first day and its zone stay: what was recorded is dated by them.
#[derive(Clone, Debug)]
pub struct AmendOrder {
    /// Which.
    pub order_id: OrderId,
    /// The version last read.
    pub version: i64,
    /// What is ordered from now on.
    pub drafted: Drafted,
    /// Why.
    pub reason: Personal,
}

impl Mutation for AmendOrder {
    type Answer = Overview;

    async fn run(&self, work: &mut Work<'_>) -> Result<Overview> {
        lock_client_of(work, self.order_id).await?;
        // The client is locked, so nobody amends it meanwhile; calendars are locked before orders.
        let before = treatment::find(&mut work.tx, self.order_id, Lock::None).await?.ok_or(Error::NotFound(WORD))?;
        for (same, field) in [
            (before.terms.starts_on == self.drafted.starts_on, "order.starts_on"),
            (before.terms.zone == self.drafted.zone, "order.zone"),
        ] {
            crate::usecase::noun::frozen(same, field)?;
        }
        let terms = self.drafted.terms(work, before.organisation_id, Some(&before.terms)).await?;
        let mut ledger = ledger::open(work, self.order_id).await?;
        ledger.docket.check(self.version)?;
        if terms.required < ledger.standing.shown.credits {
            let says = "more sessions are credited already than would be required";
            return Err(refused("REQUIRED_BELOW_CREDITED", says));
        }
        let today = ledger.docket.today(work.now);
        ledger.record(work, Entry::of(today, Act::Amended { terms }, Some(self.reason.clone()))).await?;
        let docket = ledger.settle(work).await?;
        after(work, docket).await
    }

    fn result_id(&self, _answer: &Overview) -> Uuid {
        self.order_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Overview> {
        again(work, self.order_id).await
    }
}

impl Docket {
    /// Refuses whoever read another version.
    pub(super) fn check(&self, version: i64) -> Result<()> {
        match self.order.version == version {
            true => Ok(()),
            false => Err(Error::EtagMismatch(super::WORD)),
        }
    }
}
