//! Follow-up: plans and their milestones, assessments, escalations, steps of procedure.

pub mod escalation;
mod moved;
pub mod plan;

pub(in crate::usecase) use moved::{attendance_changed, sessions_changed};
