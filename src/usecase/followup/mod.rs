//! Follow-up: plans and their milestones, assessments, escalations, steps of procedure.

mod answer;
pub mod assessment;
mod booking;
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
pub mod sheet;
mod stage;

pub(in crate::usecase) use booking::{bookable, check_booked_for};
pub(in crate::usecase) use change::close_for_transfer;
pub(in crate::usecase) use moved::{attendance_changed, clients_of_changed, session_changed, sessions_changed};
