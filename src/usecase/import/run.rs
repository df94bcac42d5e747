//! Writes the rows of an import, kind by kind, through the use cases that the service itself runs.
//! What is wrong is collected; whoever runs it then gives up the transaction.

use std::collections::{HashMap, HashSet};

use csv::StringRecord;
use uuid::Uuid;

use super::cells::Cells;
use super::kind::{Kind, column_of};
use super::known::{Found, Known, Reference, Target};
use super::material::Material;
use super::problem::{Problem, Problems};
use super::report::{Done, Progress, Report, Watch};
use super::sheet::{Line, Shape, Sheet};
use crate::domain::agreement::Agreement;
use crate::domain::client::Client;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{HolidayCalendar, Organisation, Room, Site, Venue};
use crate::domain::guardian::Guardian;
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
    watch: &'r Watch,
    pub(super) known: Known,
    pub(super) problems: Problems,
    pub(super) report: Report,
    created: HashSet<Uuid>,
}

/// Lines by the keys of their rows.
pub(super) type Seen = HashMap<String, u64>;

impl<'r, 'w> Run<'r, 'w> {
    /// An import about to run.
    pub fn new(work: &'r mut Work<'w>, material: &'r Material, watch: &'r Watch) -> Self {
        let (known, problems) = (material.known(), material.problems.clone());
        Self { work, material, watch, known, problems, report: Report::default(), created: HashSet::new() }
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
        self.sheet::<Client>().await?;
        self.sheet::<Guardian>().await?;
        self.cases().await?;
        self.parties().await?;
        self.consents().await?;
        self.sessions().await?;
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
    pub(super) fn rows(&self, shape: &'static Shape) -> impl Iterator<Item = (Line, &'r StringRecord)> + use<'r> {
        let (watch, file, sheet) = (self.watch, shape.file, self.material.sheet(shape));
        let rows = sheet.map_or(0, Sheet::len);
        let tell = move |(before, row)| {
            watch(Progress { file, read: before + 1, rows });
            row
        };
        sheet.into_iter().flat_map(Sheet::rows).enumerate().map(tell)
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
        let mut chain = Vec::new();
        let mut next = Some(reference);
        while let Some(reference) = next.filter(|it| self.known.get(it).is_none()) {
            next = reference.owner();
            chain.push(reference);
        }
        while let Some(reference) = chain.pop() {
            let found = self.find_any(&reference).await?;
            self.known.set(reference, found);
        }
        Ok(())
    }

    async fn find_any(&mut self, reference: &Reference) -> Result<Found> {
        let within = match reference.owner() {
            None => Uuid::nil(),
            Some(owner) => match self.known.get(&owner) {
                Some(Found::Id(id)) => id,
                _ => return Ok(Found::Missing),
            },
        };
        match reference.target {
            Target::Organisation => self.find::<Organisation>(within, reference).await,
            Target::HolidayCalendar => self.find::<HolidayCalendar>(within, reference).await,
            Target::Site => self.find::<Site>(within, reference).await,
            Target::Venue => self.find::<Venue>(within, reference).await,
            Target::Counsellor => self.find::<Counsellor>(within, reference).await,
            Target::Client => self.find::<Client>(within, reference).await,
            Target::Guardian => self.find::<Guardian>(within, reference).await,
        }
    }

    async fn find<N: Keyed>(&mut self, within: Uuid, reference: &Reference) -> Result<Found> {
        let found = N::find_by_code(&mut self.work.tx, within, reference.code.as_str()).await?;
        Ok(found.map_or(Found::Missing, |it| Found::Id(it.id.uuid())))
    }

    /// Writes what a row says, unless it is stored like that.
    async fn put<N: Kind>(&mut self, line: &Line, key: &str, mut content: N) -> Result<Option<N::Id>> {
        let (within, code) = content.place();
        let stored = match self.is_created(within) {
            true => None,
            false => N::find_by_code(&mut self.work.tx, within, code).await?,
        };
        match stored {
            Some(before) => self.replace(line, key, before, content).await,
            None => {
                content.begin(self.work.world);
                let created = create(self.work, content.clone()).await.map(|it| (it.id, Done::Created));
                self.settle(line, key, &content, created)
            }
        }
    }

    /// Whether this import has created a thing: then nothing else is stored within it.
    pub(super) fn is_created(&self, id: Uuid) -> bool {
        self.created.contains(&id)
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
                if matches!(done, Done::Created) {
                    self.created.insert(id.uuid());
                }
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

/// What a refusal says about the cells of a row, as far as it names any.
pub(super) fn pinned(line: &Line, error: Error) -> Result<Vec<Problem>> {
    match error {
        Error::Invalid(faults) => {
            Ok(faults.iter().map(|fault| line.problem(column_of(&fault.field), &fault.says)).collect())
        }
        error => refusal(line, error).map(|problem| vec![problem]),
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
        Error::Precondition { reason: "CLIENT_ERASED", says, .. } => Ok(line.problem(line.client(), says)),
        error if error.is_refusal() => Ok(line.problem("", error.to_string())),
        error => Err(error),
    }
}
