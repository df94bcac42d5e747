//! Milestones.

/// The word for it in sentences.
pub const WORD: &str = "milestone";
