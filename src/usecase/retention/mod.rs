//! Retention: whoever was kept for long enough is listed, and erased when nobody has held that for some days.
//!
//! Nothing is erased by a policy that has not listed it before, unchanged, for as long as its notice lasts; and nothing
//! that anything stands against on the day. Each client is a mutation of its own, so that whoever is killed goes on where
//! it was.

mod job;
mod survey;

use chrono::{DateTime, NaiveDate, Utc};

use super::error::Result;
use crate::domain::age::adult_from;
use crate::domain::retention::{Hindrance, Policy, Standing};
use crate::domain::text::Code;
use crate::store::retention::{self, Candidate};
use crate::store::{Lock, Tx, client};

pub use job::{EraseDue, ListDue, Retention};
pub use survey::{Due, Surveyed, list_due, survey};

/// What the rules say about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The rule.
    pub rule: Code,
    /// How it stands.
    pub standing: Standing,
    /// What keeps a client who is due, and one whose age is not known.
    pub hindrances: Vec<Hindrance>,
}

impl Judged {
    /// Until when somebody was kept whom nothing keeps any more.
    pub fn is_due(&self) -> Option<NaiveDate> {
        match self.standing {
            Standing::Due(until) if self.hindrances.is_empty() => Some(until),
            _ => None,
        }
    }
}

/// What the rules say now about somebody; nothing when no rule is about the client.
async fn judge(tx: &mut Tx, policy: &Policy, of: &Candidate, now: DateTime<Utc>) -> Result<Option<Judged>> {
    let Some(rule) = policy.rule(of.side, &of.district) else { return Ok(None) };
    let Some(last_at) = retention::last_happened(tx, of.id).await? else { return Ok(None) };
    let adult_from = match rule.after_majority_days {
        Some(_) => client::subject(tx, of.id, Lock::None).await?.and_then(|it| adult_from(&it.born_on)),
        None => None,
    };
    let standing = rule.standing(last_at, adult_from, now);
    let hindrances = match standing {
        Standing::Kept(_) => Vec::new(),
        Standing::Due(_) | Standing::AgeUnknown => retention::hindrances(tx, of.id, now).await?,
    };
    Ok(Some(Judged { rule: rule.name.clone(), standing, hindrances }))
}
