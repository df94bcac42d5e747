//! The sessions of clients and counsellors: where they are, and how many.

use std::collections::BTreeMap;

use chrono::{NaiveDate, TimeDelta};
use chrono_tz::Tz;
use uuid::Uuid;

use super::Ask;
use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{ClientId, CounsellorId, SiteId};
use crate::domain::noun::Record;
use crate::domain::time::{DayTime, Span, Spans, local_day, monday_of, resolve};
use crate::store::Tx;
use crate::store::codec::Instant;
use crate::store::sql::Asked;
use crate::store::visit::{self, Visit};
use crate::usecase::error::Result;

/// The sessions of so many counsellors are all read, of whole weeks; of more the database counts them. \[P\]
pub const FEW_COUNSELLORS: usize = 4;
/// In an interval longer than this they are read too. \[P\]
const SHORT: TimeDelta = TimeDelta::days(5);
/// What was asked of clients and of counsellors.
pub(super) struct AskedVisits {
    clients: Asked<Vec<Visit>>,
    counsellors: Asked<Vec<Visit>>,
    /// None where they are all read.
    counted: Option<Vec<AskedCount>>,
}

/// How many sessions counsellors have in a period, in rows that add up.
type AskedCount = (Period, Asked<Vec<(Uuid, i64)>>);

/// A local day, or the week that begins with one.
#[derive(Clone, Copy)]
enum Period {
    Day(NaiveDate),
    Week(NaiveDate),
}

/// The sessions of counsellors.
#[derive(Default)]
pub(super) struct Visits {
    by_counsellor: BTreeMap<Uuid, Vec<(Visit, Span)>>,
    counted: Option<Counted>,
}

/// How many sessions there are on days and in weeks.
#[derive(Clone, Default)]
pub(super) struct Loads {
    pub(super) on: BTreeMap<NaiveDate, u32>,
    pub(super) in_week: BTreeMap<NaiveDate, u32>,
}

type Counted = BTreeMap<Uuid, Loads>;

impl AskedVisits {
    pub(super) fn ask(tx: &mut Tx, ask: &Ask<'_>) -> Self {
        let clients: Vec<ClientId> = ask.clients.iter().map(|it| it.id).collect();
        let counsellors: Vec<CounsellorId> = ask.counsellors.iter().map(|it| it.id).collect();
        let (now, reach) = (Instant(ask.now), ask.around.padded(ask.reach(), ask.reach()));
        let is_counted = counsellors.len() > FEW_COUNSELLORS && ask.around.length() <= SHORT;
        let reach = if is_counted { reach } else { whole_periods(ask, reach) };
        Self {
            clients: visit::of_clients(tx, &clients, ask.around, now),
            counsellors: visit::of_counsellors(tx, &counsellors, reach, now),
            counted: is_counted.then(|| count(tx, ask, true)),
        }
    }

    /// The sessions of the counsellors, and of the clients.
    pub(super) async fn answer(self, tx: &mut Tx, ask: &Ask<'_>) -> Result<(Visits, Vec<(Visit, Span)>)> {
        let other = |visit: Visit| {
            let span = visit.span().filter(|_| Some(visit.id) != ask.except)?;
            Some((visit, span))
        };
        let of_clients = tx.answer(self.clients).await?.into_iter().filter_map(other).collect();
        let mut by_counsellor: BTreeMap<Uuid, Vec<(Visit, Span)>> = BTreeMap::new();
        for (visit, span) in tx.answer(self.counsellors).await?.into_iter().filter_map(other) {
            by_counsellor.entry(visit.whose).or_default().push((visit, span));
        }
        let counted = match self.counted {
            Some(asked) => Some(counted(tx, asked).await?),
            None => None,
        };
        Ok((Visits { by_counsellor, counted }, of_clients))
    }
}

/// An interval, and whatever of the local days in question it does not reach; of the weeks too, of those who have a limit.
fn whole_periods(ask: &Ask<'_>, reach: Span) -> Span {
    let (mut from, mut until) = (reach.starts_at(), reach.ends_at());
    for it in &ask.counsellors {
        let mut days = ask.around.local_days(it.zone);
        let Some(first) = days.next() else { continue };
        let last = days.last().unwrap_or(first);
        let (first, after) = match it.weekly_limit {
            Some(_) => (monday_of(first), monday_of(last) + TimeDelta::days(7)),
            None => (first, last + TimeDelta::days(1)),
        };
        let midnight = |day: NaiveDate| resolve(DayTime::MIDNIGHT.on(day), it.zone);
        (from, until) = (from.min(midnight(first)), until.max(midnight(after)));
    }
    Span::new(from, until).unwrap_or(reach)
}

/// Has the database count the sessions on each local day in question; and in each week, of those who have a limit.
fn count(tx: &mut Tx, ask: &Ask<'_>, weeks: bool) -> Vec<AskedCount> {
    let mut zones: BTreeMap<&str, (Tz, Vec<CounsellorId>, Vec<CounsellorId>)> = BTreeMap::new();
    for it in &ask.counsellors {
        let (_, all, limited) = zones.entry(it.zone.name()).or_insert((it.zone, Vec::new(), Vec::new()));
        all.push(it.id);
        limited.extend(it.weekly_limit.filter(|_| weeks).map(|_| it.id));
    }
    let mut asked = Vec::new();
    for (zone, all, limited) in zones.values() {
        let days: Vec<NaiveDate> = ask.around.local_days(*zone).collect();
        let mut mondays: Vec<NaiveDate> = days.iter().map(|day| monday_of(*day)).collect();
        mondays.dedup();
        let mut ask_of = |period: Period, ids: &[CounsellorId], length: TimeDelta| {
            let (Period::Day(first) | Period::Week(first)) = period;
            let midnight = |day: NaiveDate| resolve(DayTime::MIDNIGHT.on(day), *zone);
            let Some(span) = Span::new(midnight(first), midnight(first + length)) else { return };
            asked.push((period, visit::counts(tx, ids, span, Instant(ask.now), ask.except)));
        };
        days.iter().for_each(|day| ask_of(Period::Day(*day), all, TimeDelta::days(1)));
        let limited = Some(limited).filter(|it| !it.is_empty());
        limited.into_iter().for_each(|ids| {
            mondays.iter().for_each(|monday| ask_of(Period::Week(*monday), ids, TimeDelta::days(7)));
        });
    }
    asked
}

async fn counted(tx: &mut Tx, asked: Vec<AskedCount>) -> Result<Counted> {
    let mut all = Counted::new();
    for (period, asked) in asked {
        for (id, sessions) in tx.answer(asked).await? {
            let loads = all.entry(id).or_default();
            let entry = match period {
                Period::Day(day) => loads.on.entry(day),
                Period::Week(monday) => loads.in_week.entry(monday),
            };
            *entry.or_default() += u32::try_from(sessions).unwrap_or(u32::MAX);
        }
    }
    Ok(all)
}

impl Visits {
    pub(super) fn of(&self, id: CounsellorId) -> impl Iterator<Item = &(Visit, Span)> {
        self.by_counsellor.get(&id.0).into_iter().flatten()
    }

    /// How many sessions a counsellor has, by the own local days.
    pub(super) fn loads(&self, counsellor: &Record<Counsellor>) -> Loads {
        if let Some(counted) = &self.counted {
            return counted.get(&counsellor.id.0).cloned().unwrap_or_default();
        }
        let mut loads = Loads::default();
        for (_, span) in self.of(counsellor.id) {
            let day = local_day(span.starts_at(), counsellor.zone);
            *loads.on.entry(day).or_default() += 1;
            *loads.in_week.entry(monday_of(day)).or_default() += 1;
        }
        loads
    }

    /// Times around a counsellor's sessions at other sites than one.
    pub(super) fn elsewhere(&self, counsellor: &Record<Counsellor>, site_id: SiteId) -> Spans {
        let away = self.of(counsellor.id).filter(|(visit, _)| visit.site_id.is_some_and(|id| id != site_id));
        away.map(|(_, span)| span.padded(counsellor.travel_for, counsellor.travel_for)).collect()
    }
}

/// How many sessions counsellors have on their local day of an instant; those with none are left out.
pub async fn loads_on(tx: &mut Tx, ask: &Ask<'_>) -> Result<BTreeMap<CounsellorId, u32>> {
    let asked = count(tx, ask, false);
    let counted = counted(tx, asked).await?;
    Ok(counted.into_iter().map(|(id, loads)| (CounsellorId(id), loads.on.values().sum())).collect())
}
