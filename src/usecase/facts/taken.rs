//! What other sessions take in an interval: time, rooms, and who is where.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use uuid::Uuid;

use super::ground::Ground;
use super::visits::{AskedVisits, Visits};
use super::{Ask, holds_after};
use crate::domain::code::Side;
use crate::domain::ids::{OrganisationId, SiteId};
use crate::domain::time::{Span, Spans};
use crate::store::codec::Instant;
use crate::store::placement::Busy;
use crate::store::sql::Asked;
use crate::store::{Tx, placement};
use crate::usecase::error::Result;

/// What was asked of it.
pub(super) struct AskedTaken {
    visits: AskedVisits,
    busy: Asked<Vec<Busy>>,
    presences: Asked<Vec<(SiteId, Span)>>,
    linked: Vec<Asked<Vec<(SiteId, Span)>>>,
}

/// Who took a time: an organisation, for a client of a side.
pub(super) type Taker = (OrganisationId, Side);

/// What other sessions take; nothing, if nobody has looked.
#[derive(Default)]
pub(super) struct Taken {
    /// When it is known.
    pub(super) within: Option<Span>,
    times: BTreeMap<Uuid, Vec<(Span, Taker)>>,
    presences: BTreeMap<SiteId, Vec<Span>>,
    linked: BTreeMap<SiteId, Vec<Span>>,
    /// The sessions of the counsellors.
    pub(super) visits: Visits,
}

/// Whole local days reach this far beyond an interval.
pub(super) const DAY: TimeDelta = TimeDelta::hours(36);

impl AskedTaken {
    /// Asks what is taken of counsellors, clients and rooms, and who is at the sites; and where those are whom linked
    /// clients must never meet.
    pub(super) fn ask(tx: &mut Tx, ask: &Ask<'_>, ground: &Ground<'_>, linked: bool) -> Self {
        let mut resources: Vec<Uuid> = ask.clients.iter().map(|client| client.id.0).collect();
        resources.extend(ask.counsellors.iter().map(|counsellor| counsellor.id.0));
        resources.extend(ground.rooms(ask).map(|id| id.0));
        let (now, side, reach) = (Instant(ask.now), ask.side.other(), ask.reach());
        let gap = ground.sites.values().map(|it| it.separation_gap_for).max().unwrap_or_default();
        let ids: Vec<SiteId> = ground.sites.keys().copied().collect();
        let days = ask.around.padded(DAY, DAY);
        let holds_after = Instant(holds_after(ask));
        let linked = ask.clients.iter().filter(|_| linked);
        Self {
            visits: AskedVisits::ask(tx, ask),
            busy: placement::busy(tx, &resources, ask.around.padded(reach, reach), now),
            presences: placement::presences(tx, &ids, side, ask.around.padded(gap, gap), now),
            linked: linked.map(|it| placement::linked(tx, it.id, &ids, side, days, holds_after)).collect(),
        }
    }

    /// What is taken.
    pub(super) async fn answer(self, tx: &mut Tx, ask: &Ask<'_>) -> Result<Taken> {
        let (visits, of_clients) = self.visits.answer(tx, ask).await?;
        let mut times: BTreeMap<Uuid, Vec<(Span, Taker)>> = BTreeMap::new();
        for busy in tx.answer(self.busy).await? {
            if Some(busy.session_id) != ask.except {
                let span = busy.span().map(|span| (span, (busy.organisation_id, busy.side)));
                times.entry(busy.resource_id).or_default().extend(span);
            }
        }
        // What was recorded afterwards took time, though it keeps none; and what was booked before a buffer
        // grew keeps the old one.
        let mine = (ask.organisation_id, ask.side);
        for (visit, span) in of_clients {
            times.entry(visit.whose).or_default().push((span, mine));
        }
        for counsellor in &ask.counsellors {
            let spans = visits.of(counsellor.id).map(|(_, span)| (counsellor.occupied_by(*span), mine));
            times.entry(counsellor.id.0).or_default().extend(spans);
        }
        let presences = by_site(tx.answer(self.presences).await?);
        let mut linked = Vec::new();
        for asked in self.linked {
            linked.extend(tx.answer(asked).await?);
        }
        Ok(Taken { within: Some(ask.around), times, presences, linked: by_site(linked), visits })
    }
}

impl Taken {
    pub(super) fn of(&self, resource: Uuid) -> Spans {
        self.filtered(resource, |_| true)
    }

    pub(super) fn filtered(&self, resource: Uuid, keep: impl Fn(Taker) -> bool) -> Spans {
        let all = self.times.get(&resource).into_iter().flatten();
        all.filter(|(_, taker)| keep(*taker)).map(|(span, _)| *span).collect()
    }

    /// Padded presences of the other side at a site.
    pub(super) fn other_side(&self, site_id: SiteId) -> Spans {
        self.presences.get(&site_id).into_iter().flatten().copied().collect()
    }

    /// Sessions at a site of people whom one of the clients must never meet.
    pub(super) fn linked(&self, site_id: SiteId) -> impl Iterator<Item = Span> {
        self.linked.get(&site_id).into_iter().flatten().copied()
    }
}

fn by_site(rows: Vec<(SiteId, Span)>) -> BTreeMap<SiteId, Vec<Span>> {
    let mut all: BTreeMap<SiteId, Vec<Span>> = BTreeMap::new();
    for (id, span) in rows {
        all.entry(id).or_default().push(span);
    }
    all
}
