//! Checks the chain as the database has it, page by page, and names what is wrong with it.
//!
//! Each event is checked against the stored hash before it, so that one change is found in one place and not in all
//! that follow. That nobody put another chain in the place of the first is what the signed heads say; how much a head
//! proves depends on whether its key is known from elsewhere than this database.

mod fault;
mod key;
#[cfg(test)]
mod tests;

pub use fault::{Fault, FaultKind};
pub use key::{Anchors, Known};

use super::chain::{Entry, Hash, link};
use super::head::{Head, SignedHead};
use crate::domain::statement::Kid;

/// So many faults are named; the others are counted.
pub const MOST_NAMED: usize = 100;

/// What the database has at a position.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Where.
    pub position: i64,
    /// The event that was sealed.
    pub event_id: Vec<u8>,
    /// The hash.
    pub hash: Vec<u8>,
    /// The event, if it is still there.
    pub entry: Option<Entry>,
}

/// A head as it is stored.
#[derive(Clone, Debug)]
pub struct StoredHead {
    /// See [`Head`].
    pub position: i64,
    /// See [`Head`].
    pub hash: Vec<u8>,
    /// See [`Head`]: microseconds since 1970.
    pub sealed_at: i64,
    /// See [`Head`].
    pub kid: Vec<u8>,
    /// Its signature.
    pub signature: Vec<u8>,
}

impl StoredHead {
    /// The head, if it can be one.
    pub fn read(&self) -> Option<SignedHead> {
        let head = Head {
            position: self.position,
            hash: Hash::from_bytes(&self.hash)?,
            sealed_at: chrono::DateTime::from_timestamp_micros(self.sealed_at)?,
            kid: Kid::parse(std::str::from_utf8(&self.kid).ok()?).ok()?,
        };
        Some(SignedHead { head, signature: self.signature.as_slice().try_into().ok()? })
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How many events were checked.
    pub events: u64,
    /// How many heads.
    pub heads: u64,
    /// The last position.
    pub end: i64,
    /// Up to this position a head of a key that is trusted proves the chain; 0 when none does.
    pub proven_until: i64,
    /// What is wrong, at most [`MOST_NAMED`].
    pub faults: Vec<Fault>,
    /// How many more faults there are.
    pub unnamed: u64,
}

/// An event that does not fit where it stands, kept to see whether it fits elsewhere.
struct Suspect {
    position: i64,
    previous: Hash,
    hash: Hash,
    canonical: Vec<u8>,
}

/// Goes along the chain.
pub struct Verifier {
    anchors: Anchors,
    kept: Option<SignedHead>,
    at: i64,
    previous: Hash,
    /// What the hash before should have been, when it is not what it should be.
    rightly: Option<Hash>,
    headed_until: i64,
    gone: u64,
    suspects: Vec<Suspect>,
    report: Report,
}

impl Verifier {
    /// Begins after a position with the hash that is stored there; a head that was kept elsewhere must fit when its
    /// position is passed.
    pub fn after(position: i64, previous: Hash, anchors: Anchors, kept: Option<SignedHead>) -> Self {
        let report = Report { events: 0, heads: 0, end: position, proven_until: 0, faults: Vec::new(), unnamed: 0 };
        let (rightly, headed_until, gone, suspects) = (None, position, 0, Vec::new());
        let mut it = Self { anchors, kept, at: position, previous, rightly, headed_until, gone, suspects, report };
        let faults = it.anchors.faults();
        faults.into_iter().for_each(|fault| it.found(fault));
        it
    }

    /// The next positions, in order, and the heads that stand up to the last of them.
    pub fn page(&mut self, seals: &[Sealed], heads: &[StoredHead]) {
        seals.iter().for_each(|it| self.seal(it));
        for head in heads {
            let seal = seals.binary_search_by_key(&head.position, |it| it.position).ok().map(|at| &seals[at]);
            self.head(head, seal);
        }
    }

    fn seal(&mut self, it: &Sealed) {
        let after_gap = it.position > self.at + 1;
        if after_gap {
            self.found(Fault::Missing { from: self.at + 1, until: it.position - 1 });
        }
        (self.at, self.report.end) = (it.position, it.position);
        self.report.events += 1;
        let Some(hash) = Hash::from_bytes(&it.hash) else {
            return self.found(Fault::Changed { position: it.position });
        };
        self.compare_kept(it.position, hash);
        let rightly = match &it.entry {
            None => {
                self.gone += 1;
                self.found(Fault::Gone { position: it.position, event_id: it.event_id.clone() });
                None
            }
            // What it was hashed with is gone.
            Some(_) if after_gap => None,
            Some(entry) => self.compare(it.position, hash, entry.canonical()),
        };
        (self.previous, self.rightly) = (hash, rightly);
    }

    /// What the hash of a position should be, when it is not.
    fn compare(&mut self, position: i64, hash: Hash, canonical: Vec<u8>) -> Option<Hash> {
        let expected = link(&self.previous, position, &canonical);
        if expected == hash || self.rightly.is_some_and(|previous| link(&previous, position, &canonical) == hash) {
            return None;
        }
        self.found(Fault::Changed { position });
        if self.suspects.len() < MOST_NAMED {
            self.suspects.push(Suspect { position, previous: self.previous, hash, canonical });
        }
        Some(expected)
    }

    fn compare_kept(&mut self, position: i64, hash: Hash) {
        let Some(kept) = self.kept.take_if(|it| it.head.position == position) else { return };
        if kept.head.hash != hash {
            self.found(Fault::KeptDiffers { position });
        } else if matches!(self.anchors.find(&kept.head.kid), Some((_, Known::Elsewhere))) {
            self.report.proven_until = position;
        }
    }

    fn head(&mut self, it: &StoredHead, seal: Option<&Sealed>) {
        let position = it.position;
        self.report.heads += 1;
        self.headed_until = self.headed_until.max(position);
        let Some(head) = it.read() else { return self.found(Fault::HeadForged { position }) };
        let Some((key, known)) = self.anchors.find(&head.head.kid) else {
            return self.found(Fault::HeadKey { position, kid: head.head.kid });
        };
        if !head.is_of(key) {
            self.found(Fault::HeadForged { position });
        } else if seal.is_none_or(|seal| seal.hash != head.head.hash.0) {
            self.found(Fault::HeadDiffers { position });
        } else if known == Known::Elsewhere {
            self.report.proven_until = position;
        }
    }

    /// How many sealed events are gone.
    pub fn gone(&self) -> u64 {
        self.gone
    }

    /// The last position that was checked.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// Notes something that is wrong.
    pub fn found(&mut self, fault: Fault) {
        if self.report.faults.len() < MOST_NAMED {
            self.report.faults.push(fault);
        } else {
            self.report.unnamed += 1;
        }
    }

    /// The end of the whole chain: what should be there and is not.
    pub fn end(mut self, beyond: &[StoredHead]) -> Report {
        let end = self.at;
        for head in beyond {
            self.found(Fault::HeadBeyond { position: head.position, end });
        }
        if let Some(kept) = self.kept.take() {
            self.found(Fault::CutOff { position: kept.head.position, end });
        }
        if self.headed_until < end {
            self.found(Fault::Headless { from: self.headed_until + 1, until: end });
        }
        self.rest()
    }

    /// The end of a part of it.
    pub fn rest(mut self) -> Report {
        self.name_swapped();
        self.report
    }

    /// Of what does not fit where it stands, finds what fits in the place of each other.
    fn name_swapped(&mut self) {
        let suspects = std::mem::take(&mut self.suspects);
        let fits = |at: &Suspect, other: &Suspect| link(&at.previous, at.position, &other.canonical) == at.hash;
        for (at, one) in suspects.iter().enumerate() {
            for other in &suspects[at + 1..] {
                if fits(one, other) && fits(other, one) {
                    let (one, other) = (one.position, other.position);
                    self.report.faults.retain(|fault| *fault != Fault::Changed { position: other });
                    let faults = self.report.faults.iter_mut();
                    for fault in faults.filter(|fault| **fault == Fault::Changed { position: one }) {
                        *fault = Fault::Swapped { one, other };
                    }
                }
            }
        }
    }
}
