//! Days on which nobody can meet: what counts as one, and where a session goes instead.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};

use super::book::Booking;
use crate::domain::place::WantedPlace;
use crate::domain::rules::{self, Candidate, Facts, Occasion, RuleCode};
use crate::domain::series::Planned;
use crate::domain::session::Wanted;
use crate::domain::slots::{DEFAULT_STEP, Search, worked};
use crate::domain::time::{Span, resolve};
use crate::usecase::error::{Refusal, Result};
use crate::usecase::session::place::LOOKS;
use crate::usecase::work::Work;

impl Booking<'_> {
    /// Whether nothing stands against a session but that the site or the counsellor has no day.
    pub(super) fn is_closed(&self, refusal: &Refusal) -> bool {
        let span = refusal.wanted.span;
        refusal.broken.iter().all(|rule| match rule {
            RuleCode::Holiday | RuleCode::OnLeave => true,
            // Hours that are never worked are a mistake, and no reason to go on to the next week for ever.
            RuleCode::OutsideWorkingHours => {
                let venue_id = match self.common.place {
                    WantedPlace::Remote => None,
                    WantedPlace::Venue(venue_id, _) => Some(venue_id),
                };
                let zone = self.scene.zone();
                let works = |it: &crate::domain::counsellor::Counsellor| {
                    it.working_spans(venue_id, zone, span).contain(span) || it.is_off(venue_id, zone, span)
                };
                self.scene.counsellors.iter().all(|it| works(it))
            }
            _ => false,
        })
    }

    /// Books a session within some days after its closed day, and before the one that follows; false when
    /// there is no free time.
    pub(super) async fn shift(
        &self,
        work: &mut Work<'_>,
        planned: &Planned,
        days: u32,
        before: Option<DateTime<Utc>>,
    ) -> Result<bool> {
        for _ in 0..LOOKS {
            let Some(span) = self.next_free(work, planned, days, before).await? else { return Ok(false) };
            let wanted = self.common.at(span, self.occurrence(planned));
            if self.book_one(work, &wanted).await?.is_none() {
                return Ok(true);
            }
            // Somebody was faster.
        }
        Ok(false)
    }

    /// The free time on the earliest day, and there nearest to the local time that was planned.
    async fn next_free(
        &self,
        work: &mut Work<'_>,
        planned: &Planned,
        days: u32,
        before: Option<DateTime<Utc>>,
    ) -> Result<Option<Span>> {
        let (first, time) = (planned.local.date(), planned.local.time());
        let midnight = |day: NaiveDate| resolve(day.and_time(NaiveTime::MIN), self.zone);
        let end = midnight(first + Days::new(u64::from(days) + 1));
        let until = before.map_or(end, |before| before.min(end));
        let Some(window) = Span::new(midnight(first).max(work.now), until) else { return Ok(None) };
        let any = self.common.at(window, None);
        let facts = any.facts(work, &self.scene, window, None, Occasion::Placing).await?;
        let search = Search {
            service: self.common.service,
            length: planned.length(),
            window,
            step: DEFAULT_STEP,
            modality: None,
            preferred_counsellor_id: None,
            party: self.common.party.clone(),
        };
        // The very time of the series need not be on the grid.
        let same_time = first.iter_days().take(days as usize + 1).map(|day| resolve(day.and_time(time), self.zone));
        let same_time = same_time.filter_map(|start| Span::lasting(start, planned.length()));
        let mut spans: Vec<Span> = same_time.chain(worked(&search, &facts, self.common.counsellor_id)).collect();
        spans.retain(|span| window.contains(*span));
        spans.sort_by_cached_key(|span| {
            let local = span.starts_at().with_timezone(&self.zone).naive_local();
            (local.date(), (local.time() - time).abs(), span.starts_at())
        });
        for span in spans {
            if is_free(work, &self.common.at(span, None), &facts)? {
                return Ok(Some(span));
            }
        }
        Ok(None)
    }
}

/// Whether nothing stands in the way by these facts, but what is overridden.
fn is_free(work: &Work<'_>, wanted: &Wanted, facts: &Facts) -> Result<bool> {
    let candidate = Candidate {
        counsellor_id: wanted.counsellor_id,
        party: &wanted.party,
        service: wanted.service,
        place: wanted.place(facts)?,
        span: wanted.span,
    };
    let (_, broken) = wanted.weigh(work, &rules::judge(candidate, facts, Occasion::Placing));
    Ok(broken.is_empty())
}
