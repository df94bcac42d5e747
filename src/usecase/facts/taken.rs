//! Whose time is taken, and by what.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use super::{Ask, MARGIN};
use crate::domain::code::Side;
use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId, RoomId, SiteId};
use crate::domain::noun::Record;
use crate::domain::time::{Span, Spans, local_day};
use crate::store::codec::Instant;
use crate::store::placement::Busy;
use crate::store::sql::Asked;
use crate::store::visit::{self, Visit};
use crate::store::{Tx, placement};
use crate::usecase::error::Result;

/// Taken times by resource.
pub(super) struct Taken(BTreeMap<Uuid, Vec<(Span, Taker)>>);

/// Who took a time: an organisation, for a client of a side.
pub(super) type Taker = (OrganisationId, Side);

impl Taken {
    pub(super) fn of(&self, resource: Uuid) -> Spans {
        self.filtered(resource, |_| true)
    }

    pub(super) fn filtered(&self, resource: Uuid, keep: impl Fn(Taker) -> bool) -> Spans {
        let all = self.0.get(&resource).into_iter().flatten();
        all.filter(|(_, taker)| keep(*taker)).map(|(span, _)| *span).collect()
    }
}

/// Asks when clients, counsellors and rooms are taken.
pub(super) fn ask_taken(tx: &mut Tx, ask: &Ask<'_>, rooms: &[RoomId]) -> Asked<Vec<Busy>> {
    let mut resources: Vec<Uuid> = ask.clients.iter().map(|client| client.id.0).collect();
    resources.extend(ask.counsellors.iter().map(|counsellor| counsellor.id.0));
    resources.extend(rooms.iter().map(|id| id.0));
    placement::busy(tx, &resources, ask.around.padded(MARGIN, MARGIN), Instant(ask.now))
}

/// When clients, counsellors and rooms are taken.
pub(super) async fn taken(tx: &mut Tx, ask: &Ask<'_>, asked: Asked<Vec<Busy>>, visits: &Visits) -> Result<Taken> {
    let mut taken: BTreeMap<Uuid, Vec<(Span, Taker)>> = BTreeMap::new();
    for busy in tx.answer(asked).await? {
        if Some(busy.session_id) != ask.except {
            let span = busy.span();
            taken
                .entry(busy.resource_id)
                .or_default()
                .extend(span.map(|span| (span, (busy.organisation_id, busy.side))));
        }
    }
    // What was recorded afterwards took time, though it keeps none; and what was booked before a buffer
    // grew keeps the old one.
    let mine = (ask.organisation_id, ask.side);
    for (visit, span) in &visits.of_clients {
        taken.entry(visit.whose).or_default().push((*span, mine));
    }
    for counsellor in &ask.counsellors {
        let spans = visits.of(counsellor.id).map(|(_, span)| (counsellor.occupied_by(*span), mine));
        taken.entry(counsellor.id.0).or_default().extend(spans);
    }
    Ok(Taken(taken))
}

/// Sessions of the clients and, by counsellor, of the counsellors.
pub(super) struct Visits {
    of_clients: Vec<(Visit, Span)>,
    of_counsellors: BTreeMap<Uuid, Vec<(Visit, Span)>>,
}

/// What was asked of clients and of counsellors.
pub(super) type AskedVisits = (Asked<Vec<Visit>>, Asked<Vec<Visit>>);

impl Visits {
    pub(super) fn ask(tx: &mut Tx, ask: &Ask<'_>) -> AskedVisits {
        let clients: Vec<ClientId> = ask.clients.iter().map(|it| it.id).collect();
        let counsellors: Vec<CounsellorId> = ask.counsellors.iter().map(|it| it.id).collect();
        // A week of the counsellor reaches six days beyond any day in question.
        let around = ask.around.padded(TimeDelta::days(8), TimeDelta::days(8));
        let now = Instant(ask.now);
        let of_clients = visit::of_clients(tx, &clients, around, now);
        (of_clients, visit::of_counsellors(tx, &counsellors, around, now))
    }

    pub(super) async fn answer(tx: &mut Tx, ask: &Ask<'_>, (clients, counsellors): AskedVisits) -> Result<Self> {
        let other = |visit: Visit| {
            let span = visit.span().filter(|_| Some(visit.id) != ask.except)?;
            Some((visit, span))
        };
        let of_clients = tx.answer(clients).await?.into_iter().filter_map(other).collect();
        let mut of_counsellors: BTreeMap<Uuid, Vec<(Visit, Span)>> = BTreeMap::new();
        for (visit, span) in tx.answer(counsellors).await?.into_iter().filter_map(other) {
            of_counsellors.entry(visit.whose).or_default().push((visit, span));
        }
        Ok(Self { of_clients, of_counsellors })
    }

    pub(super) fn of(&self, id: CounsellorId) -> impl Iterator<Item = &(Visit, Span)> {
        self.of_counsellors.get(&id.0).into_iter().flatten()
    }

    /// How many sessions of a counsellor reach into an interval.
    pub(super) fn count(&self, id: CounsellorId, within: Span) -> u32 {
        u32::try_from(self.of(id).filter(|(_, span)| span.overlaps(within)).count()).unwrap_or(u32::MAX)
    }

    /// Sessions of a counsellor by local day.
    pub(super) fn per_day(&self, counsellor: &Record<Counsellor>) -> BTreeMap<NaiveDate, u32> {
        let mut days = BTreeMap::new();
        for (_, span) in self.of(counsellor.id) {
            *days.entry(local_day(span.starts_at(), counsellor.zone)).or_default() += 1;
        }
        days
    }

    /// Times around a counsellor's sessions at other sites than one.
    pub(super) fn elsewhere(&self, counsellor: &Record<Counsellor>, site_id: SiteId) -> Spans {
        let away = self.of(counsellor.id).filter(|(visit, _)| visit.site_id.is_some_and(|id| id != site_id));
        away.map(|(_, span)| span.padded(counsellor.travel_for, counsellor.travel_for)).collect()
    }
}
