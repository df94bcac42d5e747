//! What the rules look at about a client.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::Ask;
use crate::domain::age::adult_from;
use crate::domain::consent::{Consent, ConsentPurpose, ConsentSubject};
use crate::domain::guardian::GuardianStanding;
use crate::domain::ids::{CounsellorId, GuardianId, OrderId, SiteId};
use crate::domain::rules::{ClientFacts, CounsellorFacts, SiteFacts};
use crate::domain::time::{Day, DayTime, Span, Spans, days_around, resolve};
use crate::store::client::Subject;
use crate::store::sql::Asked;
use crate::store::{Tx, client, conflict, consent, guardian, proceeding, treatment};
use crate::usecase::error::Result;

/// What was asked about a client.
pub(super) struct Known {
    open: Asked<Vec<(OrderId, NaiveDate, Tz)>>,
    guardians: Asked<Vec<(GuardianId, GuardianStanding)>>,
    consents: Asked<Vec<Consent>>,
    proceedings: Option<Asked<Vec<NaiveDate>>>,
    seen_by: Asked<Vec<CounsellorId>>,
    conflicts: Asked<Vec<CounsellorId>>,
}

impl Known {
    pub(super) fn ask(tx: &mut Tx, ask: &Ask<'_>, client: &Subject) -> Self {
        let (first, last) = (days_around(ask.around).next(), days_around(ask.around).last());
        Self {
            open: treatment::open_of(tx, client.id),
            guardians: guardian::of_client(tx, client.id),
            consents: consent::of_client(tx, client.id),
            proceedings: first.zip(last).map(|(first, last)| proceeding::days_of(tx, client.id, first, last)),
            seen_by: client::counsellors_of(tx, client.id),
            conflicts: conflict::counsellors_of(tx, client.id),
        }
    }

    /// What is known of the client.
    pub(super) async fn answer(
        self,
        tx: &mut Tx,
        ask: &Ask<'_>,
        client: &Subject,
        available: Option<HashMap<Tz, Spans>>,
        busy: Spans,
    ) -> Result<ClientFacts> {
        let open = tx.answer(self.open).await?;
        let consents = tx.answer(self.consents).await?;
        let proceedings = match self.proceedings {
            Some(proceedings) => tx.answer(proceedings).await?,
            None => Vec::new(),
        };
        let subject = ConsentSubject { born_on: client.born_on.clone(), guardians: tx.answer(self.guardians).await? };
        let covered = |day| consents.iter().any(|it| it.covers(&subject, ConsentPurpose::Care, day));
        let safe = subject.guardians.iter().filter(|(_, standing)| *standing == GuardianStanding::Safe);
        Ok(ClientFacts {
            id: client.id,
            side: client.side,
            seen_by: tx.answer(self.seen_by).await?.into_iter().collect(),
            conflicts: tx.answer(self.conflicts).await?.into_iter().collect(),
            busy,
            spoken_languages: client.spoken_languages.clone(),
            counsellor_gender: client.counsellor_gender,
            adult_from: adult_from(&client.born_on),
            safe_guardians: safe.map(|(id, _)| *id).collect(),
            consented_on: days_around(ask.around).filter(|day| covered(*day)).collect(),
            available,
            proceedings: proceedings.into_iter().collect(),
            open_orders: open
                .into_iter()
                .map(|(id, day, zone)| (id, resolve(DayTime::MIDNIGHT.on(day), zone)))
                .collect(),
            preferred_modality: client.preferred_modality,
            preferred_venue_id: client.preferred_venue_id,
        })
    }
}

/// When the client can come, by every zone in which it could be meant; none is any time.
pub(super) fn available(
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
