//! What can be wrong with the chain, in words for people.

use uuid::Uuid;

use crate::domain::code::words;
use crate::domain::statement::Kid;

words! {
    /// What kind of thing is wrong.
    FaultKind {
        /// An event, its seal or the one before it was changed.
        Changed = "CHANGED",
        /// Two events stand in the place of each other.
        Swapped = "SWAPPED",
        /// A sealed event was deleted.
        Deleted = "DELETED",
        /// Positions are missing.
        Missing = "MISSING",
        /// Positions at the end have no signed head.
        Headless = "HEADLESS",
        /// A head does not fit the chain.
        HeadDiffers = "HEAD_DIFFERS",
        /// The signature of a head is wrong.
        HeadForged = "HEAD_FORGED",
        /// A head or a key has a name that no key has.
        UnknownKey = "UNKNOWN_KEY",
        /// A head stands after the end of the chain.
        CutOff = "CUT_OFF",
        /// An event is neither sealed nor going to be.
        Unsealed = "UNSEALED",
    }
}

/// Something that is wrong with the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// An event, its seal or the one before it.
    #[error("position {position}: the event or its seal was changed, or it does not belong here")]
    Changed {
        /// Where.
        position: i64,
    },
    /// Two events that stand in the place of each other.
    #[error("positions {one} and {other}: the events were swapped")]
    Swapped {
        /// Where.
        one: i64,
        /// And where.
        other: i64,
    },
    /// A sealed event that is not there any more.
    #[error("position {position}: the event {} was deleted", id(event_id))]
    Gone {
        /// Where.
        position: i64,
        /// Which.
        event_id: Vec<u8>,
    },
    /// Positions without a seal.
    #[error("positions {from} to {until}: missing")]
    Missing {
        /// The first.
        from: i64,
        /// The last.
        until: i64,
    },
    /// Seals after the last head: the service seals nothing without one.
    #[error("positions {from} to {until}: sealed without a signed head")]
    Headless {
        /// The first.
        from: i64,
        /// The last.
        until: i64,
    },
    /// A head of another hash.
    #[error("head at position {position}: it does not fit the chain")]
    HeadDiffers {
        /// Where.
        position: i64,
    },
    /// A head that its key did not sign.
    #[error("head at position {position}: its signature is wrong")]
    HeadForged {
        /// Where.
        position: i64,
    },
    /// A head of nobody's key.
    #[error("head at position {position}: signed with the unknown key {kid}")]
    HeadKey {
        /// Where.
        position: i64,
        /// The key that it names.
        kid: Kid,
    },
    /// A head after the end.
    #[error("head at position {position}: the chain ends at {end}, what came after was cut off")]
    HeadBeyond {
        /// Where.
        position: i64,
        /// The last position.
        end: i64,
    },
    /// A key that does not have the name under which it stands.
    #[error("key {name}: not the key of this name")]
    KeyForged {
        /// The name.
        name: String,
    },
    /// An event that nobody is going to seal.
    #[error("event {}: neither sealed nor waiting to be", id(event_id))]
    Stray {
        /// Which.
        event_id: Vec<u8>,
    },
    /// An event that was deleted before it was sealed.
    #[error("event {}: deleted while it waited to be sealed", id(event_id))]
    Lost {
        /// Which.
        event_id: Vec<u8>,
    },
    /// The kept head is of another chain.
    #[error("kept head of position {position}: it does not fit the chain, which was changed since or is another one")]
    KeptDiffers {
        /// Where.
        position: i64,
    },
    /// The kept head is of a key that this database never had.
    #[error("kept head: its key {kid} is unknown to this database; it is forged, or of another installation")]
    KeptForeign {
        /// The key.
        kid: Kid,
    },
    /// The kept head is after the end.
    #[error("kept head of position {position}: the chain ends at {end}, what came after was cut off")]
    CutOff {
        /// Where.
        position: i64,
        /// The last position.
        end: i64,
    },
}

impl Fault {
    /// Of which kind it is.
    pub fn kind(&self) -> FaultKind {
        match self {
            Fault::Changed { .. } => FaultKind::Changed,
            Fault::Swapped { .. } => FaultKind::Swapped,
            Fault::Gone { .. } => FaultKind::Deleted,
            Fault::Missing { .. } => FaultKind::Missing,
            Fault::Headless { .. } => FaultKind::Headless,
            Fault::HeadDiffers { .. } | Fault::KeptDiffers { .. } => FaultKind::HeadDiffers,
            Fault::HeadForged { .. } => FaultKind::HeadForged,
            Fault::HeadKey { .. } | Fault::KeyForged { .. } | Fault::KeptForeign { .. } => FaultKind::UnknownKey,
            Fault::HeadBeyond { .. } | Fault::CutOff { .. } => FaultKind::CutOff,
            Fault::Stray { .. } | Fault::Lost { .. } => FaultKind::Unsealed,
        }
    }

    /// Where it is, the first of several positions; none when it is at no position.
    pub fn position(&self) -> Option<i64> {
        match self {
            Fault::Changed { position }
            | Fault::Swapped { one: position, .. }
            | Fault::Gone { position, .. }
            | Fault::Missing { from: position, .. }
            | Fault::Headless { from: position, .. }
            | Fault::HeadDiffers { position }
            | Fault::HeadForged { position }
            | Fault::HeadKey { position, .. }
            | Fault::HeadBeyond { position, .. }
            | Fault::KeptDiffers { position }
            | Fault::CutOff { position, .. } => Some(*position),
            Fault::KeyForged { .. } | Fault::Stray { .. } | Fault::Lost { .. } | Fault::KeptForeign { .. } => None,
        }
    }
}

/// An id, if it is one, and else its bytes.
fn id(bytes: &[u8]) -> String {
    match Uuid::from_slice(bytes) {
        Ok(id) => id.to_string(),
        Err(_) => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    }
}
