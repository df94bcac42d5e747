//! Writes the rows of an import, kind by kind, through the use cases that the service itself runs.
//! What is wrong is collected; whoever runs it then gives up the transaction.

use std::collections::HashMap;

use csv::StringRecord;
use uuid::Uuid;

use super::cells::Cells;
use super::kind::Kind;
use super::known::{Found, Known, Reference, Target};
use super::material::Material;
use super::problem::{Problem, Problems};
use super::report::{Done, Report};
use super::sheet::{Line, Shape};
use crate::domain::agreement::Agreement;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{HolidayCalendar, Organisation, Room, Site, Venue};
use crate::domain::ids::Id;
use crate::domain::noun::Record;
use crate::store;
use crate::store::noun::Keyed;
use crate::usecase::error::{Error, Result};
use crate::usecase::noun::{create, find_own, update};
use crate::usecase::work::Work;

/// An import that runs.
pub struct Run<'r, 'w> {
    pub(super) work: &'r mut Work<'w>,
    material: &'r Material,
    pub(super) known: Known,
    pub(super) problems: Problems,
    pub(super) report: Report,
}

/// Lines by the keys of their rows.
pub(super) type Seen = HashMap<String, u64>;

impl<'r, 'w> Run<'r, 'w> {
    /// An import about to run.
    pub fn new(work: &'r mut Work<'w>, material: &'r Material) -> Self {
        let (known, problems) = (material.known(), material.problems.clone());
        Self { work, material, known, problems, report: Report::default() }
    }

    /// Runs to the end, or refuses with everything that is wrong.
    pub async fn all(mut self) -> Result<Report> {
        self.sheet::<Organisation>().await?;
        self.sheet::<Agreement>().await?;
        self.sheet::<HolidayCalendar>().await?;
        self.sheet::<Site>().await?;
        self.sheet::<Venue>().await?;
        self.sheet::<Room>().await?;
        self.hours().await?;
        self.sheet::<Counsellor>().await?;
        self.hours_of_stored().await?;
        self.leave().await?;
        if !self.problems.is_empty() {
            return Err(Error::Invalid(self.problems.into_violations()));
        }
        for tally in &self.report.tallies {
            self.work.note(format!("{}: {} created, {} updated", tally.noun, tally.created, tally.updated));
        }
        Ok(self.report)
    }

    /// The rows of a file, with what their cells refer to looked up.
    async fn sheet<N: Kind>(&mut self) -> Result<()> {
        let mut seen = Seen::new();
        for (line, record) in self.rows(N::SHAPE) {
            let mut cells = self.cells(line, record, N::REFERENCES).await?;
            let key = cells.key(N::KEY);
            let fresh = is_fresh(&mut seen, &key, &mut cells, N::KEY);
            let content = N::read(&mut cells, &self.known);
            self.problems.extend(cells.take_problems());
            let id = match content.filter(|_| fresh) {
                Some(content) => self.put(cells.line(), &key, content).await?,
                None => None,
            };
            if let Some(reference) = N::TARGET.filter(|_| fresh).and_then(|target| cells.reference(target)) {
                self.known.set(reference, id.map_or(Found::Broken, |id| Found::Id(id.uuid())));
            }
        }
        Ok(())
    }

    /// The rows of a file, if there is one that can be read.
    pub(super) fn rows(&self, shape: &Shape) -> impl Iterator<Item = (Line, &'r StringRecord)> + use<'r> {
        self.material.sheet(shape).into_iter().flat_map(|sheet| sheet.rows())
    }

    /// The cells of a row, with what they refer to looked up.
    pub(super) async fn cells(
        &mut self,
        line: Line,
        record: &'r StringRecord,
        references: &[(&str, Target)],
    ) -> Result<Cells<'r>> {
        let cells = Cells::new(line, record);
        for reference in cells.references(references) {
            self.look_up(reference).await?;
        }
        Ok(cells)
    }

    /// Finds what a reference leads to, once.
    pub(super) async fn look_up(&mut self, reference: Reference) -> Result<()> {
        if self.known.get(&reference).is_some() {
            return Ok(());
        }
        let owner = Reference::organisation(reference.organisation.clone());
        if self.known.get(&owner).is_none() {
            let found = self.find::<Organisation>(Uuid::nil(), &owner).await?;
            self.known.set(owner.clone(), found);
        }
        let found = match (reference.target, self.known.get(&owner)) {
            (Target::Organisation, _) => return Ok(()),
            (Target::HolidayCalendar, Some(Found::Id(id))) => self.find::<HolidayCalendar>(id, &reference).await?,
            (Target::Site, Some(Found::Id(id))) => self.find::<Site>(id, &reference).await?,
            (Target::Venue, Some(Found::Id(id))) => self.find::<Venue>(id, &reference).await?,
            (Target::Counsellor, Some(Found::Id(id))) => self.find::<Counsellor>(id, &reference).await?,
            _ => Found::Missing,
        };
        self.known.set(reference, found);
        Ok(())
    }

    async fn find<N: Keyed>(&mut self, within: Uuid, reference: &Reference) -> Result<Found> {
        let found = N::find_by_code(&mut self.work.tx, within, reference.code.as_str()).await?;
        Ok(found.map_or(Found::Missing, |it| Found::Id(it.id.uuid())))
    }

    /// Writes what a row says, unless it is stored like that.
    async fn put<N: Kind>(&mut self, line: &Line, key: &str, content: N) -> Result<Option<N::Id>> {
        let (within, code) = content.place();
        match N::find_by_code(&mut self.work.tx, within, code.as_str()).await? {
            Some(before) => self.replace(line, key, before, content).await,
            None => {
                let created = create(self.work, content.clone()).await.map(|it| (it.id, Done::Created));
                self.settle(line, key, &content, created)
            }
        }
    }

    /// Writes a stored thing anew, unless nothing about it changes.
    pub(super) async fn replace<N: Kind>(
        &mut self,
        line: &Line,
        key: &str,
        before: Record<N>,
        mut content: N,
    ) -> Result<Option<N::Id>> {
        content.complete(&before, &self.known);
        if content.changes(&before).is_empty() {
            return self.settle(line, key, &content, Ok((before.id, Done::Unchanged)));
        }
        // Now that it will be written, nobody else may write it meanwhile.
        let before = find_own::<N>(self.work, before.id, None).await?;
        content.complete(&before, &self.known);
        let done = Done::Updated(content.changes(&before));
        let updated = update(self.work, &before, content.clone()).await.map(|it| (it.id, done));
        self.settle(line, key, &content, updated)
    }

    /// Counts what was done, or pins the refusal of a use case to the row.
    fn settle<N: Kind>(
        &mut self,
        line: &Line,
        key: &str,
        content: &N,
        result: Result<(N::Id, Done)>,
    ) -> Result<Option<N::Id>> {
        match result {
            Ok((id, done)) => {
                self.report.note(N::WORD, key, done);
                return Ok(Some(id));
            }
            Err(Error::Invalid(faults)) => {
                self.problems.extend(faults.iter().map(|fault| content.pin(line, fault, &self.known)));
            }
            Err(error) => self.problems.push(refusal(line, error)?),
        }
        Ok(None)
    }
}

/// Whether no earlier row has the same key.
pub(super) fn is_fresh(seen: &mut Seen, key: &str, cells: &mut Cells<'_>, columns: &[&str]) -> bool {
    match seen.get(key) {
        Some(line) => {
            let column = columns.last().copied().unwrap_or_default();
            cells.wrong::<()>(column, format!("must not be the same as on line {line}"));
            false
        }
        None => {
            seen.insert(key.into(), cells.line().number());
            true
        }
    }
}

/// What a refusal says about a row. Everything else ends the import.
pub(super) fn refusal(line: &Line, error: Error) -> Result<Problem> {
    match error {
        // Somebody wrote the same code a moment ago: seen from the start, it is an update.
        Error::Exists(_) => Err(Error::Unavailable(store::Error::Conflict)),
        Error::Precondition { reason: "SEPARATION_GAP_IN_USE", says, .. } => {
            Ok(line.problem("separation_gap_minutes", says))
        }
        Error::Precondition { reason: "REGISTERED_ON_THE_OTHER_SIDE", says, .. } => {
            Ok(line.problem("registration", says))
        }
        error if error.is_refusal() => Ok(line.problem("", error.to_string())),
        error => Err(error),
    }
}
