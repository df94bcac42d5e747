//! Who is followed up: one request, as an import would be.

use aftercare::domain::ids::{ClientId, CounsellorId};
use aftercare::usecase::followup::enrol::{EnrolFollowUp, Of};
use aftercare::usecase::work::{Mutation, Work};
use aftercare::usecase::{Error, Result};
use uuid::Uuid;

/// Survivors to be enrolled, each with who is responsible.
pub struct Followed(pub Vec<(ClientId, CounsellorId)>);

impl Mutation for Followed {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        for (client_id, counsellor_id) in &self.0 {
            let of = Of::Survivor {
                client_id: *client_id,
                counsellor_id: Some(*counsellor_id),
                zone: None,
                report_on: None,
                planned_sessions: None,
            };
            EnrolFollowUp { of, template: None, intake_on: None }.run(work).await?;
        }
        Ok(())
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Err(Error::NotFound("follow-up plan"))
    }
}
