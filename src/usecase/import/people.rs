//! Writes what the files of hours and leave say about counsellors, of the import or stored.

use super::cells::Cells;
use super::counsellor::{LEAVE, LEAVE_REFERENCES, read_leave};
use super::hours::{HOURS, HOURS_REFERENCES, read_hours};
use super::known::{Found, Reference, Timetable};
use super::report::Done;
use super::run::{Run, Seen, is_fresh, refusal};
use super::sheet::Line;
use crate::domain::counsellor::{Counsellor, Leave, MOST_WORKING_HOURS};
use crate::domain::ids::CounsellorId;
use crate::domain::noun::Noun;
use crate::store::Lock;
use crate::store::counsellor::find_equal_leave;
use crate::store::noun::Stored;
use crate::usecase::error::Result;
use crate::usecase::noun::create;

impl Run<'_, '_> {
    /// Gathers the hours of each counsellor, for when the counsellor is written.
    pub(super) async fn hours(&mut self) -> Result<()> {
        for (line, record) in self.rows(HOURS) {
            let mut cells = self.cells(line, record, HOURS_REFERENCES).await?;
            let (whose, hours) = read_hours(&mut cells, &self.known);
            if let Some((whose, counsellor)) = whose.zip(cells.counsellor()) {
                let timetable = self.known.timetables.entry(whose).or_insert_with(|| Timetable::new(counsellor));
                if !timetable.add(cells.line(), hours.unwrap_or_default()) {
                    let says = format!("must have at most {MOST_WORKING_HOURS} working hours in all");
                    cells.wrong::<()>("counsellor", says);
                }
            }
            self.problems.extend(cells.take_problems());
        }
        Ok(())
    }

    /// Writes the hours of counsellors who have no row of their own in the import.
    pub(super) async fn hours_of_stored(&mut self) -> Result<()> {
        let mut all: Vec<_> = self.known.timetables.values().filter_map(|it| self.known.stored(it)).collect();
        all.sort_by_key(|(_, lines)| lines.first().map(Line::number));
        for (counsellor, lines) in all {
            self.look_up(counsellor.clone()).await?;
            match self.known.id::<CounsellorId>(&counsellor, true) {
                Ok(id) => self.replace_hours(id, &counsellor, &lines).await?,
                Err(says) => {
                    let wrong = |says: &'static str| lines.iter().map(move |line| line.problem("counsellor", says));
                    self.problems.extend(says.into_iter().flat_map(wrong));
                }
            }
        }
        Ok(())
    }

    async fn replace_hours(&mut self, id: CounsellorId, counsellor: &Reference, lines: &[Line]) -> Result<()> {
        let before = Counsellor::find(&mut self.work.tx, id, Lock::None).await?;
        let Some((before, line)) = before.zip(lines.first()) else { return Ok(()) };
        let hours = self.known.working_hours(before.organisation_id, &before.code);
        let content = Counsellor { working_hours: hours.unwrap_or_default(), ..before.content.clone() };
        let key = format!("{}/{}", counsellor.organisation, counsellor.code);
        self.replace(line, &key, before, content).await.map(drop)
    }

    /// Writes the leave that is not stored yet.
    pub(super) async fn leave(&mut self) -> Result<()> {
        let mut seen = Seen::new();
        for (line, record) in self.rows(LEAVE) {
            let mut cells = self.cells(line, record, LEAVE_REFERENCES).await?;
            let key = cells.key(LEAVE.columns);
            let fresh = is_fresh(&mut seen, &key, &mut cells, LEAVE.columns);
            self.look_up_zone(&cells).await?;
            let leave = read_leave(&mut cells, &self.known).filter(|_| fresh);
            self.problems.extend(cells.take_problems());
            let Some(leave) = leave else { continue };
            if find_equal_leave(&mut self.work.tx, &leave).await?.is_some() {
                self.report.note(Leave::WORD, &key, Done::Unchanged);
                continue;
            }
            match create(self.work, leave).await {
                Ok(_) => self.report.note(Leave::WORD, &key, Done::Created),
                Err(error) => self.problems.push(refusal(cells.line(), error)?),
            }
        }
        Ok(())
    }

    pub(super) async fn look_up_zone(&mut self, cells: &Cells<'_>) -> Result<()> {
        let Some(Found::Id(id)) = cells.counsellor().and_then(|it| self.known.get(&it)) else { return Ok(()) };
        let id = CounsellorId(id);
        if !self.known.zones.contains_key(&id)
            && let Some(counsellor) = Counsellor::find(&mut self.work.tx, id, Lock::None).await?
        {
            self.known.zones.insert(id, counsellor.zone);
        }
        Ok(())
    }
}
