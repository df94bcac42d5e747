//! Times worked, in memory: timetables of rules are slow to read, and say the same until they are changed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;

use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{CounsellorId, VenueId};
use crate::domain::noun::Record;
use crate::domain::time::{DayTime, Span, Spans};

/// So many timetables are remembered of one directory. \[P\]
const MOST: usize = 50_000;

/// Who works where, by which zone, from one day to another.
type Question = (CounsellorId, Option<VenueId>, Tz, NaiveDate, NaiveDate);

/// Times that the counsellors of one directory work, as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Worked(Mutex<HashMap<Question, Arc<Spans>>>);

impl Worked {
    /// When a counsellor of the directory works on the UTC days of an interval.
    pub(super) fn of(
        &self,
        counsellor: &Record<Counsellor>,
        venue_id: Option<VenueId>,
        zone: Tz,
        around: Span,
    ) -> Arc<Spans> {
        let (first, last) = (around.starts_at().date_naive(), around.ends_at().date_naive());
        let question = (counsellor.id, venue_id, zone, first, last);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(spans) = known.get(&question) {
            return spans.clone();
        }
        let midnight = |day: NaiveDate| DayTime::MIDNIGHT.on(day).and_utc();
        let days = Span::new(midnight(first), midnight(last + Days::new(1))).unwrap_or(around);
        let spans = Arc::new(counsellor.working_spans(venue_id, zone, days));
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(question, spans.clone());
        spans
    }
}

/// What is remembered is no part of what a directory says.
impl PartialEq for Worked {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
