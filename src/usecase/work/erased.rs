//! A mutation of whatever kind, with its answer kept beside it: so that the path of everything that writes is there
//! once, and not once for each kind in the program and in the time it takes to build.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::{Mutation, Work};
use crate::usecase::error::Result;
use crate::usecase::world::World;

/// What is going on.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// A mutation of any kind.
pub trait Erased: Send + Sync {
    /// As [`Mutation::before`].
    fn before<'a>(&'a self, world: &'a World) -> Pending<'a, ()>;

    /// As [`Mutation::make_way`].
    fn make_way<'a>(&'a self, world: &'a World) -> Pending<'a, ()>;

    /// As [`Mutation::run`]; what is kept under the request id.
    fn run<'a>(&'a self, work: &'a mut Work<'_>) -> Pending<'a, Uuid>;

    /// As [`Mutation::replay`].
    fn replay<'a>(&'a self, work: &'a mut Work<'_>, result_id: Uuid) -> Pending<'a, ()>;
}

/// A mutation, and what its last attempt has answered.
pub struct Answering<M: Mutation> {
    mutation: M,
    answer: Mutex<Option<M::Answer>>,
}

impl<M: Mutation> Answering<M> {
    /// A mutation that has not answered.
    pub fn new(mutation: M) -> Self {
        Self { mutation, answer: Mutex::new(None) }
    }

    /// What it has answered; asked once, after an attempt that succeeded.
    pub fn answer(&self) -> M::Answer {
        self.locked().take().unwrap_or_else(|| unreachable!("what succeeded has answered"))
    }

    fn keep(&self, answer: M::Answer) {
        *self.locked() = Some(answer);
    }

    fn locked(&self) -> MutexGuard<'_, Option<M::Answer>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Mutation> Erased for Answering<M> {
    fn before<'a>(&'a self, world: &'a World) -> Pending<'a, ()> {
        Box::pin(self.mutation.before(world))
    }

    fn make_way<'a>(&'a self, world: &'a World) -> Pending<'a, ()> {
        Box::pin(self.mutation.make_way(world))
    }

    fn run<'a>(&'a self, work: &'a mut Work<'_>) -> Pending<'a, Uuid> {
        Box::pin(async move {
            let answer = self.mutation.run(work).await?;
            let result_id = self.mutation.result_id(&answer);
            self.keep(answer);
            Ok(result_id)
        })
    }

    fn replay<'a>(&'a self, work: &'a mut Work<'_>, result_id: Uuid) -> Pending<'a, ()> {
        Box::pin(async move {
            self.keep(self.mutation.replay(work, result_id).await?);
            Ok(())
        })
    }
}
