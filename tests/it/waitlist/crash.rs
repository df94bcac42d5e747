//! The story of a freed time, cancelled → offered → expired → offered → declined → offered → accepted, with the
//! process killed in each of its steps, at every moment in which it asks for the time or for chance; and then
//! told to its end by another: one booking, no lost time, no time offered twice.

use aftercare::domain::ids::{SessionId, WaitlistOfferId};
use aftercare::domain::job::{JobState, LEASE};
use aftercare::domain::session::CancelReason;
use aftercare::grpc::pb;
use aftercare::jobs::{self, Worker};
use aftercare::store::Db;
use aftercare::usecase::call::Request;
use aftercare::usecase::session::CancelSession;
use aftercare::usecase::waitlist::{Answer, AnswerOffer};
use aftercare::usecase::{Call, World, job, mutate};
use chrono::{Days, TimeDelta};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::calls::*;
use crate::on_both_engines;
use crate::support::deadly::{survives, told};
use crate::support::{Ngo, TestApp, book, booking};

/// One step of the story.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Step {
    /// Cancels the session under a request id.
    Cancel(Uuid, Uuid),
    /// Does every job that is due.
    Jobs,
    /// Answers the offer under a request id; accepts it, or declines it.
    Answer(Uuid, Uuid, bool),
}

impl Step {
    /// Takes the step. Taken again, it is the same step.
    async fn take(self, world: &World) {
        match self {
            Self::Jobs => {
                let worker = Worker::new(world.clone(), jobs::all());
                // PostgreSQL may not have noticed yet that whoever had begun one is dead.
                while worker.next().await.unwrap() || is_due(world).await {
                    tokio::task::yield_now().await;
                }
            }
            Self::Cancel(request, session_id) => {
                let session_id = SessionId(session_id);
                let cancel = CancelSession { session_id, version: 1, reason: CancelReason::Client };
                mutate(world, under(request), cancel).await.unwrap();
            }
            Self::Answer(request, offer_id, accept) => {
                let accepted = Answer::Accept { guardian_id: None, overrides: Vec::new() };
                let answer = if accept { accepted } else { Answer::Decline };
                let answer = AnswerOffer { offer_id: WaitlistOfferId(offer_id), answer };
                mutate(world, under(request), answer).await.unwrap();
            }
        }
    }
}

async fn is_due(world: &World) -> bool {
    let now = world.now();
    job::list(world, None).await.unwrap().iter().any(|it| it.state == JobState::Queued && it.due_at <= now)
}

fn under(id: Uuid) -> Call {
    Call::of_program("story").under(Some(Request { id, digest: Vec::new() }))
}

/// Takes one step in a process that may be killed in it.
#[ignore = "what the tests beside it start as a process of its own"]
#[tokio::test]
async fn child() {
    let Some((step, world)) = told::<Step>().await else { return };
    step.take(&world).await;
}

/// Who is in the story.
struct Cast {
    ngo: Ngo,
    counsellor: pb::Counsellor,
    booked: pb::Client,
    waiting: Vec<pb::Client>,
}

impl Cast {
    async fn of(app: &TestApp) -> Self {
        let ngo = Ngo::new(app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let mut waiting = Vec::new();
        for _ in 0..3 {
            waiting.push(ngo.survivor().await);
        }
        Self { booked: ngo.survivor().await, ngo, counsellor, waiting }
    }

    /// Tells the story once, killed in one step at one moment; whether that step came to its end before.
    async fn tell(&mut self, app: &TestApp, killed_in: usize, dies_at: i64) -> bool {
        self.ngo.sign_in(app);
        let day = app.now().date_naive() + Days::new(4);
        let start = format!("{day}T04:30:00Z");
        let request = booking(&self.ngo, &self.counsellor, &self.booked, &start);
        let session = book(&self.ngo.coordinator, request).await.unwrap();
        let mut entries = Vec::new();
        for client in &self.waiting {
            entries.push(join(&self.ngo, client).await);
            app.clock.advance(TimeDelta::seconds(1));
        }
        let mut survived = true;
        for place in 0..6 {
            let step = match place {
                0 => Step::Cancel(app.world().uuid(), session.id.parse().unwrap()),
                3 | 5 => Step::Answer(app.world().uuid(), self.offered(app).await, place == 5),
                2 => {
                    app.clock.advance(TimeDelta::hours(24));
                    self.ngo.sign_in(app);
                    Step::Jobs
                }
                _ => Step::Jobs,
            };
            if place == killed_in {
                survived = survives(app, "waitlist::crash::child", step, dies_at).await;
                // Whoever was killed had a lease.
                app.clock.advance(LEASE);
            }
            step.take(app.world()).await;
        }
        self.check(app, &session, &entries).await;
        for entry in &entries[..2] {
            leave(&self.ngo, entry).await.unwrap();
        }
        survived
    }

    async fn offered(&self, app: &TestApp) -> Uuid {
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let open: Vec<(Uuid,)> = tx.sql("SELECT id FROM waitlist_offer WHERE ended_how IS NULL").all().await.unwrap();
        assert_eq!(open.len(), 1);
        open[0].0
    }

    /// One booking, no lost time, no time offered twice.
    async fn check(&self, app: &TestApp, session: &pb::Session, entries: &[pb::WaitlistEntry]) {
        let booked = sessions(&self.ngo, pb::SessionState::Booked).await;
        let here: Vec<_> = booked.iter().filter(|it| it.starts_at == session.starts_at).collect();
        assert_eq!(here.len(), 1);
        assert_eq!(here[0].client_id, self.waiting[2].id);
        assert_eq!((sessions(&self.ngo, pb::SessionState::Held).await, offers(&self.ngo).await), (vec![], vec![]));
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let id: Uuid = session.id.parse().unwrap();
        let slots: Vec<(Uuid, Option<String>)> =
            tx.sql("SELECT id, closed_how FROM freed_slot WHERE session_id = $1").bind(id).all().await.unwrap();
        assert_eq!(slots.iter().map(|it| it.1.as_deref()).collect::<Vec<_>>(), [Some("TAKEN")]);
        let sql = tx.sql("SELECT entry_id, ended_how FROM waitlist_offer WHERE freed_slot_id = $1");
        let made: Vec<(Uuid, Option<String>)> = sql.bind(slots[0].0).all().await.unwrap();
        let mut made: Vec<_> = made.iter().map(|(id, how)| (id.to_string(), how.as_deref())).collect();
        made.sort();
        let ended = ["EXPIRED", "DECLINED", "ACCEPTED"];
        let mut expected: Vec<_> = entries.iter().zip(ended).map(|(it, how)| (it.id.clone(), Some(how))).collect();
        expected.sort();
        assert_eq!(made, expected);
        let left = job::list(app.world(), None).await.unwrap();
        assert!(left.iter().all(|it| it.state == JobState::Queued && it.due_at > app.now()), "{left:?}");
    }
}

on_both_engines! {
    async fn whoever_is_killed_in_whatever_step_leaves_one_booking(app) {
        let mut cast = Cast::of(&app).await;
        let mut moments = Vec::new();
        for step in 0..6 {
            let mut dies_at = 1;
            while !cast.tell(&app, step, dies_at).await {
                dies_at += 1;
            }
            moments.push(dies_at - 1);
        }
        // In every step there was something to interrupt.
        assert!(moments.iter().all(|it| *it >= 5), "{moments:?}");
        eprintln!("killed at {moments:?} moments of the steps");
        // What is left in the queue comes to nothing.
        let before = sessions(&cast.ngo, pb::SessionState::Booked).await;
        app.clock.advance(TimeDelta::days(2));
        cast.ngo.sign_in(&app);
        app.run_jobs().await;
        assert_eq!(job::list(app.world(), None).await.unwrap().len(), 0);
        assert_eq!(sessions(&cast.ngo, pb::SessionState::Booked).await, before);
    }
}
