//! Jobs that do as a test wants, and what enqueues them.

use std::sync::Arc;
use std::time::Duration;

use aftercare::store;
use aftercare::usecase::job::Job;
use aftercare::usecase::work::{Mutation, Work};
use aftercare::usecase::{Error, Result, World};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore};
use uuid::Uuid;

/// Does nothing, which the audit trail shows.
#[derive(Serialize, Deserialize)]
pub struct Note(pub u32);

impl Job for Note {
    const KIND: &'static str = "note";

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        Ok(())
    }
}

/// As [`Note`], once per key.
#[derive(Serialize, Deserialize)]
pub struct Keyed(pub String);

impl Job for Keyed {
    const KIND: &'static str = "keyed";

    fn key(&self) -> Option<String> {
        Some(self.0.clone())
    }

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        Ok(())
    }
}

/// Enqueues a job and comes to grief.
#[derive(Serialize, Deserialize)]
pub struct Broken;

impl Job for Broken {
    const KIND: &'static str = "broken";

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        work.enqueue(&Note(0), work.now).await?;
        Err(store::Error::Taken.into())
    }
}

/// The same job in a later version of the program.
#[derive(Serialize, Deserialize)]
pub struct Mended;

impl Job for Mended {
    const KIND: &'static str = "broken";

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        Ok(())
    }
}

/// Is not to be done.
#[derive(Serialize, Deserialize)]
pub struct Refused(pub String);

impl Job for Refused {
    const KIND: &'static str = "refused";

    fn key(&self) -> Option<String> {
        Some(self.0.clone())
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        work.enqueue(&Note(0), work.now).await?;
        Err(Error::NotFound("example"))
    }
}

#[derive(Serialize, Deserialize)]
pub struct Panics;

impl Job for Panics {
    const KIND: &'static str = "panics";

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        panic!("as the test wants it")
    }
}

/// A [`Note`] of an older program, whose payload nobody can read any more.
#[derive(Serialize, Deserialize)]
pub struct Unreadable(pub String);

impl Job for Unreadable {
    const KIND: &'static str = "note";

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        Ok(())
    }
}

/// A job that only a newer program knows.
#[derive(Serialize, Deserialize)]
pub struct Unknown;

impl Job for Unknown {
    const KIND: &'static str = "unknown";

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        Ok(())
    }
}

/// Comes to grief every hour.
#[derive(Serialize, Deserialize)]
pub struct Hourly;

impl Job for Hourly {
    const KIND: &'static str = "hourly";
    const EVERY: Option<TimeDelta> = Some(TimeDelta::hours(1));

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        Err(Error::NotFound("example"))
    }
}

/// Says that it has begun and waits until it may go on; one of the two engines at a time.
#[derive(Serialize, Deserialize)]
pub struct Waits(pub usize);

pub static BEGUN: [Semaphore; 2] = [Semaphore::const_new(0), Semaphore::const_new(0)];
pub static GO_ON: [Semaphore; 2] = [Semaphore::const_new(0), Semaphore::const_new(0)];

/// Waits until it was said once more, however often it was said before.
pub async fn said(it: &Semaphore) {
    it.acquire().await.expect("never closed").forget();
}

impl Job for Waits {
    const KIND: &'static str = "waits";

    async fn before(&self, _world: &World) -> Result<()> {
        BEGUN[self.0].add_permits(1);
        said(&GO_ON[self.0]).await;
        Ok(())
    }

    async fn run(&self, _work: &mut Work<'_>) -> Result<()> {
        Ok(())
    }
}

/// Says in the audit trail how many notes it saw queued.
#[derive(Serialize, Deserialize)]
pub struct Looks;

impl Job for Looks {
    const KIND: &'static str = "looks";

    fn key(&self) -> Option<String> {
        Some("the only one".into())
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        let (seen,) = work.tx.sql("SELECT COUNT(*) FROM job WHERE kind = 'note'").maybe::<(i64,)>().await?.unwrap();
        work.note(format!("SAW_{seen}"));
        Ok(())
    }
}

/// Wants somebody to look, says so, and only then queues what there is to be seen. It gives who looks too
/// early the time to do it.
pub struct LateChange {
    pub wanted: Arc<Notify>,
    pub looked: Arc<Notify>,
}

impl Mutation for LateChange {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        work.enqueue(&Looks, work.now).await?;
        self.wanted.notify_one();
        let _ = tokio::time::timeout(Duration::from_millis(300), self.looked.notified()).await;
        work.enqueue(&Note(1), work.now).await
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}

/// A cause of jobs.
pub struct Cause<J> {
    pub jobs: Vec<J>,
    pub after: TimeDelta,
    pub refused: bool,
}

impl<J: Job> Mutation for Cause<J> {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        for job in &self.jobs {
            work.enqueue(job, work.now + self.after).await?;
        }
        if self.refused { Err(Error::NotFound("example")) } else { Ok(()) }
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}
