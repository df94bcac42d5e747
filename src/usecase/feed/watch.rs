//! Shows a caller what of a topic is for the caller, with a cursor beside everything.

use std::collections::VecDeque;
use std::future::Future;

use chrono::{DateTime, Utc};

use super::apart;
use super::cursor::cursor;
use super::follow::Follower;
use crate::domain::feed::HEARTBEAT;
use crate::store::feed::Entry;
use crate::usecase::error::Result;
use crate::usecase::world::World;

/// What of a topic a caller may see.
pub trait View: Clone + Send + Sync + 'static {
    /// A change as the caller sees it.
    type Item: Send + 'static;

    /// What the caller sees of changes, with the position of each, in order; what is not for the caller is left
    /// out. Whatever must be written before they are sent is, when this returns.
    fn view(&self, world: &World, entries: &[Entry]) -> impl Future<Output = Result<Vec<(i64, Self::Item)>>> + Send;
}

/// A change, or none, and where to go on.
#[derive(Clone, Debug)]
pub struct Message<T> {
    /// What changed; none when this only says how far everything was read.
    pub change: Option<T>,
    /// Where to go on.
    pub cursor: String,
}

/// Follows a topic and shows what of it is for the caller, one message after the other, at the caller's pace.
#[derive(Debug)]
pub struct Watcher<V: View> {
    follower: Follower,
    view: V,
    ready: VecDeque<(i64, V::Item)>,
    spoke_at: Option<DateTime<Utc>>,
}

impl<V: View> Watcher<V> {
    /// Shows what a follower reads.
    pub fn new(follower: Follower, view: V) -> Self {
        Self { follower, view, ready: VecDeque::new(), spoke_at: None }
    }

    /// The next message: a change, or after a while without any the cursor alone. The error that ends it is the
    /// last: UNAUTHENTICATED when the token's time is over, UNAVAILABLE when the process ends.
    pub async fn next(&mut self) -> Result<Message<V::Item>> {
        loop {
            self.follower.may_go_on()?;
            if let Some((position, change)) = self.ready.pop_front() {
                return Ok(self.say(position, Some(change)));
            }
            let entries = self.follower.read().await?;
            let news = !entries.is_empty();
            if news {
                let (view, world) = (self.view.clone(), self.follower.world().clone());
                self.ready = apart(async move { view.view(&world, &entries).await }).await?.into();
            }
            let now = self.follower.world().now();
            if self.ready.is_empty() && self.spoke_at.is_none_or(|then| now - then >= HEARTBEAT) {
                return Ok(self.say(self.follower.at(), None));
            }
            if !news {
                self.follower.wait().await;
            }
        }
    }

    fn say(&mut self, position: i64, change: Option<V::Item>) -> Message<V::Item> {
        let world = self.follower.world();
        let cursor = cursor(world, self.follower.topic(), position);
        self.spoke_at = Some(world.now());
        Message { change, cursor }
    }
}
