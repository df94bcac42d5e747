//! What a token names: organisations and counsellors by id, or by the codes that people know.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::claim::Said;
use crate::domain::access::{Authority, Role};
use crate::domain::ids::{CounsellorId, OrganisationId};
use crate::domain::text::Code;
use crate::usecase::call::Refused;
use crate::usecase::error::Error;
use crate::usecase::{World, lookup};

/// How long a code is remembered; who gives it to another has to wait for so long. \[P\]
const REMEMBERED_FOR: TimeDelta = TimeDelta::seconds(30);
/// The most codes that are remembered; with more, all are forgotten and looked up again.
const MOST: usize = 10_000;

/// A code, in an organisation if it is a counsellor's.
type Named = (Option<OrganisationId>, String);

/// Knows who is meant.
pub(super) struct Names {
    world: World,
    remembered: Mutex<HashMap<Named, (Uuid, DateTime<Utc>)>>,
}

impl Names {
    pub(super) fn new(world: World) -> Self {
        Self { world, remembered: Mutex::default() }
    }

    /// What the bearer may be; none when the token names no role.
    pub(super) async fn authority(&self, said: &Said, now: DateTime<Utc>) -> Result<Option<Authority>, Refused> {
        let Some(role) = said.role else { return Ok(None) };
        Ok(Some(match role {
            Role::Admin => Authority::Admin,
            Role::Auditor => Authority::Auditor,
            Role::Coordinator => Authority::Coordinator { organisation_id: self.organisation(said, now).await? },
            Role::ClinicalLead => Authority::ClinicalLead { organisation_id: self.organisation(said, now).await? },
            Role::Counsellor => {
                let organisation_id = self.organisation(said, now).await?;
                let word = said.counsellor.as_deref().ok_or(Refused::Claim("counsellor"))?;
                let counsellor_id = CounsellorId(self.id(Some(organisation_id), word, now, "counsellor").await?);
                Authority::Counsellor { organisation_id, counsellor_id }
            }
            Role::Police => {
                let word = said.jurisdiction.as_deref().and_then(|it| Code::parse(it).ok());
                Authority::Police { jurisdiction: word.ok_or(Refused::Claim("jurisdiction"))? }
            }
        }))
    }

    async fn organisation(&self, said: &Said, now: DateTime<Utc>) -> Result<OrganisationId, Refused> {
        let word = said.organisation.as_deref().ok_or(Refused::Claim("organisation"))?;
        Ok(OrganisationId(self.id(None, word, now, "organisation").await?))
    }

    async fn id(
        &self,
        within: Option<OrganisationId>,
        word: &str,
        now: DateTime<Utc>,
        claim: &'static str,
    ) -> Result<Uuid, Refused> {
        if let Ok(id) = word.parse() {
            return Ok(id);
        }
        let named = (within, word.to_owned());
        if let Some(id) = self.remembered(&named, now) {
            return Ok(id);
        }
        let found = match within {
            None => lookup::organisation(&self.world, word).await.map(|id| id.0),
            Some(organisation_id) => lookup::counsellor(&self.world, organisation_id, word).await.map(|id| id.0),
        };
        let id = found.map_err(|error| match error {
            Error::NotFound(_) => Refused::Claim(claim),
            error => Refused::Unchecked(error),
        })?;
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MOST {
            remembered.clear();
        }
        remembered.insert(named, (id, now));
        Ok(id)
    }

    fn remembered(&self, named: &Named, now: DateTime<Utc>) -> Option<Uuid> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let (id, at) = remembered.get(named)?;
        ((now - *at).abs() < REMEMBERED_FOR).then_some(*id)
    }
}
