//! The schema alone holds, whatever goes past the service: one offer of a time and to an entry, and none across
//! organisations or sides.

use aftercare::store::codec::Instant;
use aftercare::store::{Db, Tx};
use chrono::TimeDelta;
use uuid::Uuid;

use super::Stage;
use super::calls::*;
use crate::on_both_engines;
use crate::support::{Ngo, TestApp};

/// An offer that goes past the service.
struct Row {
    organisation: Uuid,
    side: &'static str,
    entry: Uuid,
    slot: Uuid,
}

impl Row {
    async fn fits(&self, app: &TestApp, tx: &mut Tx) -> bool {
        let now = app.now();
        let hour = |at: i64| Instant(now + TimeDelta::hours(at));
        let sql = tx.sql(
            "INSERT INTO waitlist_offer (id, organisation_id, side, entry_id, freed_slot_id, session_id, starts_at,
                ends_at, offered_at, expires_at) VALUES ($1, $2, $3, $4, $5, $1, $8, $9, $6, $7)",
        );
        let sql = sql.bind(app.world().uuid()).bind(self.organisation).bind(self.side).bind(self.entry).bind(self.slot);
        sql.bind(hour(0)).bind(hour(1)).bind(hour(2)).bind(hour(3)).run().await.is_ok()
    }
}

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

on_both_engines! {
    async fn no_row_makes_a_second_offer_or_one_to_somebody_elses_client(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let other = Ngo::new(&app, "B").await;
        let first = join(ngo, &ngo.survivor().await).await;
        app.clock.advance(TimeDelta::minutes(1));
        let second = join(ngo, &ngo.survivor().await).await;
        let (offender, stranger) =
            (join(ngo, &ngo.offender().await).await, join(&other, &other.survivor().await).await);
        stage.cancel().await;
        app.run_jobs().await;
        let offer = the_offer(ngo).await.offer.unwrap();
        assert_eq!(offer.entry_id, first.id);
        let db = Db::open(&app.db.target, 2).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let slots: Vec<(Uuid,)> = tx.sql("SELECT id FROM freed_slot").all().await.unwrap();
        drop(tx);
        let right = || Row { organisation: uuid(&ngo.id), side: "SURVIVOR", entry: uuid(&second.id), slot: slots[0].0 };
        for (ended, row, expected) in [
            // Another is open, or was accepted.
            (None, right(), false),
            (Some("ACCEPTED"), right(), false),
            (Some("DECLINED"), right(), true),
            // It was offered to that entry before.
            (Some("DECLINED"), Row { entry: uuid(&first.id), ..right() }, false),
            (Some("DECLINED"), Row { entry: uuid(&offender.id), ..right() }, false),
            (Some("DECLINED"), Row { entry: uuid(&offender.id), side: "OFFENDER", ..right() }, false),
            (Some("DECLINED"), Row { entry: uuid(&stranger.id), ..right() }, false),
            (Some("DECLINED"), Row { entry: uuid(&stranger.id), organisation: uuid(&other.id), ..right() }, false),
        ] {
            let mut tx = db.begin_write().await.unwrap();
            if let Some(how) = ended {
                let sql = tx.sql("UPDATE waitlist_offer SET ended_how = $1, ended_at = $2, ended_by = 'x'");
                sql.bind(how).bind(Instant(app.now())).run().await.unwrap();
            }
            assert_eq!(row.fits(&app, &mut tx).await, expected, "{ended:?} {}", row.entry);
        }
        // Nobody waits twice for the same.
        let mut tx = db.begin_write().await.unwrap();
        let sql = tx.sql("UPDATE waitlist_entry SET client_id = (SELECT client_id FROM waitlist_entry WHERE id = $1) WHERE id = $2");
        assert!(sql.bind(uuid(&first.id)).bind(uuid(&second.id)).run().await.is_err());
    }
}
