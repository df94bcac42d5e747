//! Writes what the files of cases, parties and consents say about clients, of the import or stored.

use std::collections::HashMap;

use super::cells::Cells;
use super::client::{
    CASES, CASES_REFERENCES, CONSENTS, CONSENTS_KEY, CONSENTS_REFERENCES, PARTIES, PARTIES_REFERENCES, read_case,
    read_consent, read_party,
};
use super::report::Done;
use super::run::{Run, Seen, is_fresh, pinned};
use super::sheet::Line;
use crate::domain::client::{Case, CaseRole};
use crate::domain::consent::Consent;
use crate::domain::ids::ClientId;
use crate::domain::noun::Noun;
use crate::store::{case, consent};
use crate::usecase::client::{check_party, write_parties};
use crate::usecase::error::Result;
use crate::usecase::noun::{create, find_own};

/// The word for a party of a case.
const PARTY: &str = "case party";

/// The rows about the parties of one case.
struct Parties {
    case: Case,
    rows: Vec<PartyRow>,
}

/// A row about a party.
struct PartyRow {
    line: Line,
    key: String,
    party: (ClientId, CaseRole),
}

impl Run<'_, '_> {
    /// Writes the cases that are not stored yet. All of a row is its key, so none is ever updated.
    pub(super) async fn cases(&mut self) -> Result<()> {
        let mut seen = Seen::new();
        for (line, record) in self.rows(CASES) {
            let mut cells = self.cells(line, record, CASES_REFERENCES).await?;
            let content = read_case(&mut cells, &self.known);
            let content = content.filter(|it| is_fresh(&mut seen, &key_of(it, ""), &mut cells, &["crime_number"]));
            self.problems.extend(cells.take_problems());
            let Some(content) = content else { continue };
            let key = cells.key(&["organisation", "crime_number"]);
            if self.is_stored(&content).await? {
                self.report.note(Case::WORD, &key, Done::Unchanged);
                continue;
            }
            match create(self.work, content).await {
                Ok(_) => self.report.note(Case::WORD, &key, Done::Created),
                Err(error) => self.problems.extend(pinned(cells.line(), error)?),
            }
        }
        Ok(())
    }

    async fn is_stored(&mut self, case: &Case) -> Result<bool> {
        if self.is_created(case.organisation_id.0) {
            return Ok(false);
        }
        Ok(case::find_by_key(&mut self.work.tx, case.organisation_id, &case.joint_key()).await?.is_some())
    }

    /// Makes clients parties of cases, where they are not yet: every case is written once.
    pub(super) async fn parties(&mut self) -> Result<()> {
        let (mut seen, mut cases, mut places) = (Seen::new(), Vec::<Parties>::new(), HashMap::new());
        for (line, record) in self.rows(PARTIES) {
            let mut cells = self.cells(line, record, PARTIES_REFERENCES).await?;
            let party = read_party(&mut cells, &self.known);
            let party = party.filter(|(case, client_id, _)| {
                is_fresh(&mut seen, &key_of(case, &client_id.to_string()), &mut cells, &["client"])
            });
            self.problems.extend(cells.take_problems());
            let Some((case, client_id, role)) = party else { continue };
            let key = cells.key(&["organisation", "crime_number", "client"]);
            let row = PartyRow { line: cells.line().clone(), key, party: (client_id, role) };
            let place = *places.entry(key_of(&case, "")).or_insert(cases.len());
            match cases.get_mut(place) {
                Some(known) => known.rows.push(row),
                None => cases.push(Parties { case, rows: vec![row] }),
            }
        }
        for Parties { case, rows } in cases {
            self.parties_of(&case, rows).await?;
        }
        Ok(())
    }

    async fn parties_of(&mut self, named: &Case, rows: Vec<PartyRow>) -> Result<()> {
        let id = case::find_by_key(&mut self.work.tx, named.organisation_id, &named.joint_key()).await?;
        let Some(id) = id else {
            let says = "must be a case of the organisation, of this import or stored";
            self.problems.extend(rows.iter().map(|row| row.line.problem("crime_number", says)));
            return Ok(());
        };
        let before = find_own::<Case>(self.work, id, None).await?;
        let (mut parties, mut created) = (before.parties.clone(), Vec::new());
        for row in rows {
            if before.parties.contains(&row.party) {
                self.report.note(PARTY, &row.key, Done::Unchanged);
                continue;
            }
            match check_party(self.work, row.party.0, Some(row.party.1)).await {
                Ok(()) => {
                    parties.push(row.party);
                    created.push(row);
                }
                Err(error) => self.problems.extend(pinned(&row.line, error)?),
            }
        }
        let Some(first) = created.first() else { return Ok(()) };
        if let Err(error) = write_parties(self.work, &before, parties).await {
            self.problems.extend(pinned(&first.line, error)?);
        }
        created.iter().for_each(|row| self.report.note(PARTY, &row.key, Done::Created));
        Ok(())
    }

    /// Records the consents that are not stored yet. One that is stored, ended or not, is never changed.
    pub(super) async fn consents(&mut self) -> Result<()> {
        let mut seen = Seen::new();
        for (line, record) in self.rows(CONSENTS) {
            let mut cells = self.cells(line, record, CONSENTS_REFERENCES).await?;
            let key = cells.key(CONSENTS_KEY);
            let fresh = is_fresh(&mut seen, &key, &mut cells, CONSENTS_KEY);
            if let Some(content) = read_consent(&mut cells, &self.known).filter(|_| fresh) {
                self.consent(&mut cells, &key, content).await?;
            }
            self.problems.extend(cells.take_problems());
        }
        Ok(())
    }

    async fn consent(&mut self, cells: &mut Cells<'_>, key: &str, content: Consent) -> Result<()> {
        let stored = match self.is_created(content.client_id.0) {
            true => Vec::new(),
            false => self.work.tx.tell(|tx| consent::of_client(tx, content.client_id)).await?,
        };
        if stored.iter().any(|it| Consent { ended: None, ..it.clone() } == content) {
            self.report.note(Consent::WORD, key, Done::Unchanged);
            return Ok(());
        }
        if stored.iter().any(|it| it.ended.is_none() && is_same(it, &content)) {
            let says = "must be as it was recorded: a consent is never changed, only withdrawn or invalidated";
            cells.wrong::<()>("", says);
            return Ok(());
        }
        match create(self.work, content).await {
            Ok(_) => self.report.note(Consent::WORD, key, Done::Created),
            Err(error) => self.problems.extend(pinned(cells.line(), error)?),
        }
        Ok(())
    }
}

/// Whether two are about one consent.
fn is_same(one: &Consent, other: &Consent) -> bool {
    let key = |it: &Consent| (it.purpose, it.given_by, it.guardian_id, it.given_on);
    key(one) == key(other)
}

fn key_of(case: &Case, more: &str) -> String {
    format!("{}|{}|{more}", case.organisation_id, case.joint_key())
}
