//! Counts of an organisation's follow-up, of which those that could point to a person are withheld.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, Months, NaiveDate};
use chrono_tz::Tz;

use crate::domain::followup::report::{Counts, Due, Report};
use crate::domain::time::{DayTime, local_day, resolve};
use crate::store::report::{self, Period};
use crate::usecase::call::Call;
use crate::usecase::error::{Error, FieldViolation, Result};
use crate::usecase::world::World;

/// The longest period \[P\].
const LONGEST: Months = Months::new(24);

/// Which report.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// First local day, the first of a month.
    pub from: NaiveDate,
    /// Last local day, the last of a month.
    pub until: NaiveDate,
    /// The zone of "today", and of the day on which a plan was closed.
    pub zone: Tz,
}

/// Counts for the caller's organisation. A milestone whose plan was closed counts as missed when its window was over by
/// then; when it was not, nobody could have done it any more, and it is not counted.
pub async fn get_report(world: &World, call: &Call, wanted: Wanted) -> Result<Report> {
    let id = call.sees()?.ok_or(Error::Denied)?;
    let today = local_day(world.now(), wanted.zone);
    check(wanted, today)?;
    let period = Period { from: wanted.from, until: wanted.until };
    let mut tx = world.db().begin_read().await?;
    let mut milestones: BTreeMap<String, Due> = BTreeMap::new();
    for row in report::due(&mut tx, id, period, today).await? {
        let it = Due {
            due: small(row.due),
            done: small(row.done),
            done_late: small(row.done_late),
            missed: small(row.missed),
        };
        milestones.insert(row.code, it);
    }
    for (code, closes_on, closed_at, zone) in report::left_undone(&mut tx, id, period).await? {
        if closes_on < local_day(closed_at, zone) {
            let it = milestones.entry(code).or_default();
            (it.due, it.missed) = (it.due + 1, it.missed + 1);
        }
    }
    let intakes = report::intakes(&mut tx, id, period).await?;
    let waited = |(from, on): &(NaiveDate, Option<NaiveDate>)| Some(small((((*on)?) - *from).num_days()));
    let starts = |day: NaiveDate| resolve(DayTime::MIDNIGHT.on(day), wanted.zone);
    let (closed, dropped_out) =
        report::closed(&mut tx, id, starts(wanted.from), starts(wanted.until + Days::new(1))).await?;
    let counts = Counts {
        milestones,
        intakes: u32::try_from(intakes.len()).unwrap_or(u32::MAX),
        days_to_first_session: intakes.iter().filter_map(waited).collect(),
        closed: small(closed),
        dropped_out: small(dropped_out),
    };
    Ok(counts.report())
}

/// Refuses a period that is not of whole months, backwards, not over, or too long.
fn check(wanted: Wanted, today: NaiveDate) -> Result<()> {
    let mut wrong = Vec::new();
    let mut refuse = |field: &str, says: &str| wrong.push(FieldViolation { field: field.into(), says: says.into() });
    if wanted.from.day() != 1 {
        refuse("from", "must be the first day of a month");
    } else if wanted.from > wanted.until {
        refuse("from", "must not be after until");
    }
    if (wanted.until + Days::new(1)).day() != 1 {
        refuse("until", "must be the last day of a month");
    } else if wanted.until > today {
        refuse("until", "must be today at the latest");
    } else if wanted.from.checked_add_months(LONGEST).is_some_and(|after| wanted.until >= after) {
        refuse("until", "must be at most 24 months later");
    }
    if wrong.is_empty() { Ok(()) } else { Err(Error::Invalid(wrong)) }
}

/// A count as it is reported; whoever attended before the intake waited for no day.
fn small(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}
