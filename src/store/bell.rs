//! Says when all of a text is done, to whoever waits for a connection of SQLite.
//!
//! The driver's thread wakes whoever takes its rows at each of them, which costs both of them more than the row. But it
//! takes the span along in which a text was sent, and lets go of it after the last row. So a text is sent in a span of
//! its own, and nobody looks at the rows before that has ended, or some time has gone by.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_stream::{Stream, StreamExt as _};
use tracing::level_filters::LevelFilter;
use tracing::metadata::Kind;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Span, Subscriber, dispatcher};
use tracing_core::Callsite;
use tracing_core::span::Current;

/// Rows of what takes longer are taken so often, so that not all of them have to wait. \[P\]
const GLANCE: Duration = Duration::from_millis(5);

/// The bell of one connection.
#[derive(Clone, Debug)]
pub(super) struct Bell {
    calls: Arc<Calls>,
    dispatch: Dispatch,
}

impl Bell {
    pub(super) fn new() -> Self {
        let calls = Arc::new(Calls::default());
        Self { dispatch: Dispatch::new(Clapper(calls.clone())), calls }
    }

    /// Everything that a text answers, once all of it is done.
    pub(super) async fn all<S: Stream + Unpin>(&self, mut results: S) -> Vec<S::Item> {
        let mut all = Vec::new();
        let call = self.calls.begin(Span::current());
        // It is sent when its results are looked for.
        let mut over = dispatcher::with_default(&self.dispatch, || gather(&mut results, &mut all));
        self.calls.sent(call);
        while !over && self.calls.goes_on(call) {
            let _ = tokio::time::timeout(GLANCE, self.calls.some_end()).await;
            over = gather(&mut results, &mut all);
        }
        // Should the driver ever let go of the span before the last row, or not take it along.
        if !over {
            while let Some(result) = results.next().await {
                all.push(result);
            }
        }
        all
    }
}

/// Takes what is there, and has nobody woken by what comes after; whether it was all.
fn gather<S: Stream + Unpin>(results: &mut S, all: &mut Vec<S::Item>) -> bool {
    let mut nobody = Context::from_waker(Waker::noop());
    loop {
        match Pin::new(&mut *results).poll_next(&mut nobody) {
            Poll::Ready(Some(result)) => all.push(result),
            Poll::Ready(None) => return true,
            Poll::Pending => return false,
        }
    }
}

/// The texts that were sent and are not done.
#[derive(Debug, Default)]
struct Calls {
    going_on: Mutex<Going>,
    end: Notify,
}

#[derive(Debug, Default)]
struct Going {
    last: u64,
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    number: u64,
    /// Who sent it: what the thread logs meanwhile belongs there.
    of: Span,
    /// The thread, and whoever hands it over.
    held_by: usize,
}

impl Calls {
    fn begin(&self, of: Span) -> u64 {
        let mut going = self.locked();
        going.last += 1;
        let number = going.last;
        going.calls.push(Call { number, of, held_by: 1 });
        number
    }

    /// From now on only the thread holds it.
    fn sent(&self, number: u64) {
        self.let_go(&Id::from_u64(number));
    }

    fn goes_on(&self, number: u64) -> bool {
        self.locked().calls.iter().any(|it| it.number == number)
    }

    async fn some_end(&self) {
        self.end.notified().await;
    }

    fn with<T>(&self, id: &Id, what: impl FnOnce(&mut Call) -> T) -> Option<T> {
        self.locked().calls.iter_mut().find(|it| it.number == id.into_u64()).map(what)
    }

    /// Whether nobody holds it any more.
    fn let_go(&self, id: &Id) -> bool {
        let mut going = self.locked();
        let Some(at) = going.calls.iter().position(|it| it.number == id.into_u64()) else { return false };
        going.calls[at].held_by -= 1;
        let is_over = going.calls[at].held_by == 0;
        if is_over {
            let call = going.calls.swap_remove(at);
            drop(going);
            self.end.notify_one();
            drop(call);
        }
        is_over
    }

    fn locked(&self) -> MutexGuard<'_, Going> {
        self.going_on.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the spans of the calls are told: it logs nothing itself.
struct Clapper(Arc<Calls>);

struct Site;

static SITE: Site = Site;
static TEXT: Metadata<'static> = tracing_core::metadata! {
    name: "text",
    target: module_path!(),
    level: tracing::Level::ERROR,
    fields: &[],
    callsite: &SITE,
    kind: Kind::SPAN
};

impl Callsite for Site {
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        &TEXT
    }
}

impl Subscriber for Clapper {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::never()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(u64::MAX)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn current_span(&self) -> Current {
        Current::new(Id::from_u64(self.0.locked().last), &TEXT)
    }

    fn clone_span(&self, id: &Id) -> Id {
        self.0.with(id, |call| call.held_by += 1);
        id.clone()
    }

    fn enter(&self, id: &Id) {
        let of = self.0.with(id, |call| call.of.clone());
        of.unwrap_or_else(Span::none).with_subscriber(|(id, dispatch)| dispatch.enter(id));
    }

    fn exit(&self, id: &Id) {
        let of = self.0.with(id, |call| call.of.clone());
        of.unwrap_or_else(Span::none).with_subscriber(|(id, dispatch)| dispatch.exit(id));
    }

    fn try_close(&self, id: Id) -> bool {
        self.0.let_go(&id)
    }
}

#[cfg(test)]
mod tests;
