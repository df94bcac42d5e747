//! Follow-up: plans and their milestones, assessments, escalations, steps of procedure.

mod answer;
pub mod assessment;
pub mod case_event;
pub mod change;
pub mod concern;
pub mod enrol;
pub mod escalation;
pub mod instrument;
pub mod milestone;
mod moved;
mod no_show;
pub mod plan;
pub mod progress;
pub mod report;
mod stage;

pub(in crate::usecase) use moved::{attendance_changed, clients_of_changed, session_changed, sessions_changed};

use super::error::Result;
use super::work::Work;
use crate::domain::ids::{ClientId, CounsellorId};
use crate::store::client;

/// Whether a client is a counsellor's: one whom the counsellor leads sessions of, or is responsible for.
async fn is_theirs(work: &mut Work<'_>, client_id: ClientId, counsellor_id: CounsellorId) -> Result<bool> {
    Ok(client::seen_by(&mut work.tx, client_id, counsellor_id).await?)
}
