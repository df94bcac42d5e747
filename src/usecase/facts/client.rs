//! What the rules look at about a client.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;

use super::Ask;
use super::taken::Taken;
use crate::domain::age::adult_from;
use crate::domain::consent::{Consent, ConsentPurpose, ConsentSubject};
use crate::domain::guardian::GuardianStanding;
use crate::domain::ids::{ClientId, CounsellorId, GuardianId, LinkId, OrderId, SiteId};
use crate::domain::rules::{ClientFacts, CounsellorFacts, SiteFacts};
use crate::domain::time::{Day, DayTime, Span, Spans, days_around, resolve};
use crate::store::client::{Subject, declared_apart};
use crate::store::sql::Asked;
use crate::store::{Tx, client, conflict, consent, guardian, proceeding, treatment};
use crate::usecase::error::Result;

/// What is known of clients, whatever sessions they have.
pub struct Known {
    clients: Vec<KnownClient>,
    /// Pairs of them of whom it was declared that they must not meet.
    pub(super) apart: Vec<(ClientId, ClientId)>,
    /// Whether anything keeps them apart from others.
    pub(super) linked: bool,
}

/// What was asked about clients.
pub struct AskedKnown {
    clients: Vec<AskedClient>,
    apart: Option<Asked<Vec<(ClientId, ClientId)>>>,
    links: Vec<Asked<Vec<LinkId>>>,
}

struct AskedClient {
    open: Asked<Vec<(OrderId, NaiveDate, Tz)>>,
    guardians: Asked<Vec<(GuardianId, GuardianStanding)>>,
    consents: Asked<Vec<Consent>>,
    proceedings: Asked<Vec<NaiveDate>>,
    seen_by: Asked<Vec<CounsellorId>>,
    conflicts: Asked<Vec<CounsellorId>>,
}

struct KnownClient {
    open: Vec<(OrderId, NaiveDate, Tz)>,
    guardians: Vec<(GuardianId, GuardianStanding)>,
    consents: Vec<Consent>,
    proceedings: BTreeSet<NaiveDate>,
    seen_by: BTreeSet<CounsellorId>,
    conflicts: BTreeSet<CounsellorId>,
}

impl AskedKnown {
    /// Asks what is known of clients, and when they have to do with a court in an interval.
    pub fn ask(tx: &mut Tx, ids: &[ClientId], around: Span) -> Self {
        let links = ids.iter().map(|id| client::links(tx, *id)).collect();
        Self { links, ..Self::without_links(tx, ids, around) }
    }

    /// The same, but for what keeps them apart from others.
    pub(super) fn without_links(tx: &mut Tx, ids: &[ClientId], around: Span) -> Self {
        let clients = ids.iter().map(|id| AskedClient::ask(tx, *id, around)).collect();
        Self { clients, apart: (ids.len() > 1).then(|| declared_apart(tx, ids)), links: Vec::new() }
    }

    /// What is known of them.
    pub async fn answer(self, tx: &mut Tx) -> Result<Known> {
        let mut clients = Vec::with_capacity(self.clients.len());
        for asked in self.clients {
            clients.push(asked.answer(tx).await?);
        }
        let apart = match self.apart {
            Some(apart) => tx.answer(apart).await?,
            None => Vec::new(),
        };
        let mut linked = false;
        for links in self.links {
            linked |= !tx.answer(links).await?.is_empty();
        }
        Ok(Known { clients, apart, linked })
    }
}

impl AskedClient {
    fn ask(tx: &mut Tx, id: ClientId, around: Span) -> Self {
        // A day to spare at both ends, as in `days_around`.
        let (first, last) = (around.starts_at() - TimeDelta::days(1), around.ends_at() + TimeDelta::days(1));
        Self {
            open: treatment::open_of(tx, id),
            guardians: guardian::of_client(tx, id),
            consents: consent::of_client(tx, id),
            proceedings: proceeding::days_of(tx, id, first.date_naive(), last.date_naive()),
            seen_by: client::counsellors_of(tx, id),
            conflicts: conflict::counsellors_of(tx, id),
        }
    }

    async fn answer(self, tx: &mut Tx) -> Result<KnownClient> {
        Ok(KnownClient {
            open: tx.answer(self.open).await?,
            guardians: tx.answer(self.guardians).await?,
            consents: tx.answer(self.consents).await?,
            proceedings: tx.answer(self.proceedings).await?.into_iter().collect(),
            seen_by: tx.answer(self.seen_by).await?.into_iter().collect(),
            conflicts: tx.answer(self.conflicts).await?.into_iter().collect(),
        })
    }
}

impl Known {
    /// What the rules look at about the clients.
    pub(super) fn facts(
        &self,
        ask: &Ask<'_>,
        taken: &Taken,
        counsellors: &BTreeMap<CounsellorId, CounsellorFacts>,
        sites: &BTreeMap<SiteId, SiteFacts>,
    ) -> BTreeMap<ClientId, ClientFacts> {
        let facts = |(client, known): (&Subject, &KnownClient)| {
            (client.id, known.facts(ask, client, available(ask, client, counsellors, sites), taken.of(client.id.0)))
        };
        ask.clients.iter().zip(&self.clients).map(facts).collect()
    }
}

impl KnownClient {
    fn facts(
        &self,
        ask: &Ask<'_>,
        client: &Subject,
        available: Option<HashMap<Tz, Spans>>,
        busy: Spans,
    ) -> ClientFacts {
        let subject = ConsentSubject { born_on: client.born_on.clone(), guardians: self.guardians.clone() };
        let covered = |day| self.consents.iter().any(|it| it.covers(&subject, ConsentPurpose::Care, day));
        let safe = subject.guardians.iter().filter(|(_, standing)| *standing == GuardianStanding::Safe);
        ClientFacts {
            id: client.id,
            side: client.side,
            seen_by: self.seen_by.clone(),
            conflicts: self.conflicts.clone(),
            busy,
            spoken_languages: client.spoken_languages.clone(),
            counsellor_gender: client.counsellor_gender,
            adult_from: adult_from(&client.born_on),
            safe_guardians: safe.map(|(id, _)| *id).collect(),
            consented_on: days_around(ask.around).filter(|day| covered(*day)).collect(),
            available,
            proceedings: self.proceedings.clone(),
            open_orders: self
                .open
                .iter()
                .map(|(id, day, zone)| (*id, resolve(DayTime::MIDNIGHT.on(*day), *zone)))
                .collect(),
            preferred_modality: client.preferred_modality,
            preferred_venue_id: client.preferred_venue_id,
        }
    }
}

/// When the client can come, by every zone in which it could be meant; none is any time.
fn available(
    ask: &Ask<'_>,
    client: &Subject,
    counsellors: &BTreeMap<CounsellorId, CounsellorFacts>,
    sites: &BTreeMap<SiteId, SiteFacts>,
) -> Option<HashMap<Tz, Spans>> {
    let weekly = &client.availability;
    let zones = sites.values().map(|site| site.site.zone);
    let zones = zones.chain(counsellors.values().map(|it| it.counsellor.zone));
    let spans = |zone: Tz| -> Spans {
        let on = |day| weekly.iter().filter(move |it| it.day == Day::of(day));
        let days = days_around(ask.around);
        days.flat_map(|day| on(day).filter_map(move |it| Span::local(day, it.starts, it.ends, zone))).collect()
    };
    (!weekly.is_empty()).then(|| zones.map(|zone| (zone, spans(zone))).collect())
}
