//! Writes what the files of cases, parties and consents say about clients, of the import or stored.

use std::collections::HashMap;

use super::cells::Cells;
use super::client::{
    CASES, CASES_REFERENCES, CONSENTS, CONSENTS_KEY, CONSENTS_REFERENCES, PARTIES, PARTIES_REFERENCES, read_case,
    read_consent, read_party,
};
use super::report::Done;
use super::run::{Run, Seen, is_fresh, pinned};
use crate::domain::client::{Case, CaseRole};
use crate::domain::consent::Consent;
use crate::domain::ids::{CaseId, ClientId, OrganisationId};
use crate::domain::noun::Noun;
use crate::store::noun::Stored;
use crate::store::{Lock, case, consent};
use crate::usecase::client::change_party;
use crate::usecase::error::Result;
use crate::usecase::noun::create;

/// The word for a party of a case.
const PARTY: &str = "case party";

/// Cases with their parties, by what identifies them; none where there is no such case.
type Cases = HashMap<(OrganisationId, String), Option<(CaseId, Vec<(ClientId, CaseRole)>)>>;

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
            if case::find_by_key(&mut self.work.tx, content.organisation_id, &content.joint_key()).await?.is_some() {
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

    /// Makes clients parties of cases, where they are not yet.
    pub(super) async fn parties(&mut self) -> Result<()> {
        let (mut seen, mut cases) = (Seen::new(), Cases::new());
        for (line, record) in self.rows(PARTIES) {
            let mut cells = self.cells(line, record, PARTIES_REFERENCES).await?;
            let party = read_party(&mut cells, &self.known);
            let party = party.filter(|(case, client_id, _)| {
                is_fresh(&mut seen, &key_of(case, &client_id.to_string()), &mut cells, &["client"])
            });
            if let Some((case, client_id, role)) = party {
                self.party(&mut cells, &mut cases, &case, (client_id, role)).await?;
            }
            self.problems.extend(cells.take_problems());
        }
        Ok(())
    }

    async fn party(
        &mut self,
        cells: &mut Cells<'_>,
        cases: &mut Cases,
        named: &Case,
        party: (ClientId, CaseRole),
    ) -> Result<()> {
        let identity = (named.organisation_id, named.joint_key());
        if !cases.contains_key(&identity) {
            let found = self.case_of(named).await?;
            cases.insert(identity.clone(), found);
        }
        let Some(Some((case_id, parties))) = cases.get_mut(&identity) else {
            cells.wrong::<()>("crime_number", "must be a case of the organisation, of this import or stored");
            return Ok(());
        };
        let key = cells.key(&["organisation", "crime_number", "client"]);
        if parties.contains(&party) {
            self.report.note(PARTY, &key, Done::Unchanged);
            return Ok(());
        }
        match change_party(self.work, (*case_id, None), party.0, Some(party.1)).await {
            Ok(case) => {
                self.report.note(PARTY, &key, Done::Created);
                parties.clone_from(&case.parties);
            }
            Err(error) => self.problems.extend(pinned(cells.line(), error)?),
        }
        Ok(())
    }

    async fn case_of(&mut self, named: &Case) -> Result<Option<(CaseId, Vec<(ClientId, CaseRole)>)>> {
        let tx = &mut self.work.tx;
        let Some(id) = case::find_by_key(tx, named.organisation_id, &named.joint_key()).await? else {
            return Ok(None);
        };
        Ok(Case::find(tx, id, Lock::None).await?.map(|case| (id, case.content.parties)))
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
        let stored = consent::of_client(&mut self.work.tx, content.client_id).await?;
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
