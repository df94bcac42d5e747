//! The feed: what changed, in one order per topic, for those who follow it.

use std::fmt;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::ids::{CounsellorId, OrganisationId};
use super::text::Code;

/// How long what changed is kept. \[P\]: whoever was away for longer lists anew, which by then is less work.
pub const KEPT_FOR: TimeDelta = TimeDelta::days(30);
/// After how long without anything to say whoever follows hears where to go on. \[P\]: proxies give up what is
/// silent for a minute or so.
pub const HEARTBEAT: TimeDelta = TimeDelta::seconds(15);

/// What can be followed. Its positions move with what it is about and with nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The sessions of an organisation.
    Sessions(OrganisationId),
    /// Compliance with treatment orders in a jurisdiction, by its district code.
    Compliance(Code),
}

impl fmt::Display for Topic {
    /// As the database and the cursors spell it. Who changes it strands both.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Sessions(organisation_id) => write!(f, "sessions/{organisation_id}"),
            Topic::Compliance(jurisdiction) => write!(f, "compliance/{jurisdiction}"),
        }
    }
}

/// What is noted with a change of a session, when there is anything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionNote {
    /// Who led it until then, and does not any more.
    pub left: Vec<CounsellorId>,
}
