//! How far the topics have come, as this process knows it: what wakes those who follow.

use std::collections::HashMap;

use tokio::sync::watch;

/// How far the topics have come, and whether following is over because the process ends.
#[derive(Debug)]
pub struct Tide(watch::Sender<Level>);

/// What a tide has come to.
#[derive(Debug, Default)]
pub(super) struct Level {
    positions: HashMap<String, i64>,
    /// Whether the process ends.
    pub(super) ended: bool,
}

impl Level {
    /// The last position of a topic that is known.
    pub(super) fn of(&self, topic: &str) -> i64 {
        self.positions.get(topic).copied().unwrap_or_default()
    }
}

impl Default for Tide {
    fn default() -> Self {
        Self(watch::Sender::new(Level::default()))
    }
}

impl Tide {
    /// Notes how far topics have come, and wakes those who follow.
    pub(super) fn rise(&self, moved: Vec<(String, i64)>) {
        self.0.send_modify(|level| level.positions.extend(moved));
    }

    /// Ends every following, now and from now on.
    pub fn end(&self) {
        self.0.send_modify(|level| level.ended = true);
    }

    /// Wakes those who follow, so that they look whether they may go on.
    pub(in crate::usecase) fn nudge(&self) {
        self.0.send_modify(|_| {});
    }

    pub(super) fn watch(&self) -> watch::Receiver<Level> {
        self.0.subscribe()
    }
}
