//! Answers that come one after the other: pulled by who reads, so that nobody who is slow is waited for or
//! written ahead of.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio_stream::Stream;
use tonic::Status;

use super::status::status;
use crate::usecase::error::Result;
use crate::usecase::feed::{Message, View, Watcher};

/// A stream of messages.
pub type Streaming<M> = Pin<Box<dyn Stream<Item = Result<M, Status>> + Send>>;

/// What a watcher says, for the wire. An error is the last of it.
pub fn stream<V: View, M: Send + 'static>(watcher: Watcher<V>, message: fn(Message<V::Item>) -> M) -> Streaming<M> {
    Box::pin(Pulled { next: Some(Box::pin(next(watcher))), message })
}

type Next<V> = Pin<Box<dyn Future<Output = (Watcher<V>, Result<Message<<V as View>::Item>>)> + Send>>;

/// A watcher while it is asked for its next message; none when it has ended.
struct Pulled<V: View, M> {
    next: Option<Next<V>>,
    message: fn(Message<V::Item>) -> M,
}

async fn next<V: View>(mut watcher: Watcher<V>) -> (Watcher<V>, Result<Message<V::Item>>) {
    let said = watcher.next().await;
    (watcher, said)
}

impl<V: View, M> Stream for Pulled<V, M> {
    type Item = Result<M, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(asked) = self.next.as_mut() else { return Poll::Ready(None) };
        let (watcher, said) = ready!(asked.as_mut().poll(cx));
        self.next = said.is_ok().then(|| -> Next<V> { Box::pin(next(watcher)) });
        Poll::Ready(Some(said.map(self.message).map_err(status)))
    }
}
