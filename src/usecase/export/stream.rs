//! An answer of many messages that is whole before the first leaves, at the pace of who reads it.

use std::collections::VecDeque;

use crate::domain::access::Caller;
use crate::usecase::call::{self, Call};
use crate::usecase::error::{Error, Result};
use crate::usecase::limit::OpenStream;
use crate::usecase::world::World;

/// Messages that wait for their reader, for as long as the caller's token is good.
#[derive(Debug)]
pub struct Paced<M> {
    world: World,
    caller: Caller,
    _open: OpenStream,
    messages: VecDeque<M>,
}

impl<M> Paced<M> {
    /// Opens a stream for a call, before anything is read for it. RESOURCE_EXHAUSTED, TOO_MANY_STREAMS, when the caller
    /// has as many open as one may.
    pub async fn open(world: &World, call: &Call) -> Result<Self> {
        let open = match world.limits().open_stream(call.caller()) {
            Err(refusal) => return Err(call::overdone(world, call, refusal).await?),
            Ok(open) => open,
        };
        Ok(Self { world: world.clone(), caller: call.caller().clone(), _open: open, messages: VecDeque::new() })
    }

    /// With what it is to give.
    #[must_use]
    pub fn of(self, messages: Vec<M>) -> Self {
        Self { messages: messages.into(), ..self }
    }
}

impl<M> Iterator for Paced<M> {
    type Item = Result<M>;

    /// The next message; none after the last. An error ends it: UNAUTHENTICATED when the token's time is over.
    fn next(&mut self) -> Option<Result<M>> {
        let next = self.messages.pop_front()?;
        let now = self.world.now();
        let over = self.caller.until.is_some_and(|until| now >= until);
        if over || !self.world.register().still(&self.caller, now) {
            self.messages.clear();
            return Some(Err(Error::Unauthenticated));
        }
        Some(Ok(next))
    }
}
