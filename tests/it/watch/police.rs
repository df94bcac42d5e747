//! Police watch their jurisdiction: what changes for them, kept as look-ups, and nothing of anybody else.

use aftercare::domain::access::Authority;
use aftercare::domain::text::Code as District;
use aftercare::grpc::pb;
use aftercare::grpc::pb::watch_compliance_response::Change;
use aftercare::usecase::job;
use chrono::TimeDelta;
use tonic::{Code, Status};

use super::{ELEVEN, PATIENCE, TEN, Watching};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, book, booking, date, refused};

const HERE: &str = "KL-TVM";
const ELSEWHERE: &str = "KL-EKM";

/// Police who watch.
struct OnWatch(tonic::Streaming<pb::WatchComplianceResponse>);

impl OnWatch {
    async fn from(actor: &Actor, cursor: &str) -> Result<Self, Status> {
        let request = pb::WatchComplianceRequest { lookup: why(), cursor: cursor.into() };
        Ok(Self(actor.compliance().watch_compliance(request).await?.into_inner()))
    }

    async fn now(actor: &Actor) -> Self {
        let mut watching = Self::from(actor, "").await.unwrap();
        assert_eq!(watching.next().await.change, None);
        watching
    }

    async fn next(&mut self) -> pb::WatchComplianceResponse {
        let message = tokio::time::timeout(PATIENCE, self.0.message()).await.expect("a message");
        message.unwrap().expect("a stream ends with a reason")
    }

    /// The next change, with its cursor.
    async fn told(&mut self) -> (Change, String) {
        loop {
            let it = self.next().await;
            if let Some(change) = it.change {
                return (change, it.cursor);
            }
        }
    }

    /// Where the next order that changed now stands.
    async fn stands(&mut self) -> (String, pb::ComplianceStatus) {
        let (change, _) = self.told().await;
        let Change::Compliance(view) = change else { panic!("{change:?}") };
        (view.reference.clone(), view.status())
    }
}

fn why() -> Option<pb::LookupReason> {
    let purpose = pb::LookupPurpose::Supervision.into();
    Some(pb::LookupReason { purpose, crime_number: "12/2026".into() })
}

fn police(app: &TestApp, district: &str) -> Actor {
    app.actor(Authority::Police { jurisdiction: District::parse(district).unwrap() })
}

async fn list(actor: &Actor) -> pb::ListComplianceInJurisdictionResponse {
    let request = pb::ListComplianceInJurisdictionRequest { lookup: why(), ..Default::default() };
    actor.compliance().list_compliance_in_jurisdiction(request).await.unwrap().into_inner()
}

async fn order(ngo: &Ngo, client: &pb::Client, mandate: pb::MandateBasis) -> pb::TreatmentOrder {
    let order = pb::TreatmentOrder {
        client_id: client.id.clone(),
        jurisdiction: HERE.into(),
        mandate: mandate.into(),
        document: "EX-1/2026".into(),
        starts_on: Some(date("2026-11-23")),
        required_sessions: 12,
        zone: "Asia/Kolkata".into(),
        ..Default::default()
    };
    let request = pb::CreateTreatmentOrderRequest { order: Some(order), ..Default::default() };
    ngo.coordinator.compliance().create_treatment_order(request).await.unwrap().into_inner().order.unwrap()
}

async fn suspend(ngo: &Ngo, order: &pb::TreatmentOrder) -> pb::TreatmentOrder {
    let request = pb::SuspendOrderRequest {
        order_id: order.id.clone(),
        etag: order.etag.clone(),
        from: Some(date("2026-11-23")),
        until: Some(date("2026-11-23")),
        reason: "an example".into(),
        ..Default::default()
    };
    ngo.coordinator.compliance().suspend_order(request).await.unwrap().into_inner().order.unwrap()
}

/// What the provider sees of the look-ups of an order, the first before others.
async fn lookups(ngo: &Ngo, order: &pb::TreatmentOrder) -> Vec<pb::ComplianceStatus> {
    let request = pb::ListLookupsRequest { order_id: order.id.clone(), ..Default::default() };
    let all = ngo.coordinator.compliance().list_lookups(request).await.unwrap().into_inner().lookups;
    all.iter().rev().map(pb::Lookup::status).collect()
}

on_both_engines! {
    async fn police_hear_of_what_changes_and_every_word_is_a_look_up(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let client = ngo.offender().await;
        let mut watching = OnWatch::now(&police(&app, HERE)).await;
        let made = order(&ngo, &client, pb::MandateBasis::CourtOrder).await;
        let reference = made.reference.clone();
        assert_eq!(watching.stands().await, (reference.clone(), pb::ComplianceStatus::NotStarted));
        // By then it is kept, for the provider to see.
        assert_eq!(lookups(&ngo, &made).await, [pb::ComplianceStatus::NotStarted]);
        // Look-ups of one millisecond are in no order among themselves.
        app.clock.advance(TimeDelta::milliseconds(1));
        suspend(&ngo, &made).await;
        let (change, cursor) = watching.told().await;
        let Change::Compliance(view) = change else { panic!("{change:?}") };
        assert_eq!((&view.reference, view.status()), (&reference, pb::ComplianceStatus::Suspended));
        assert!(view.expires_at.is_some());
        // What time alone changes is heard of too, with a cursor of before.
        job::schedule(app.world(), "move_on_compliance", TimeDelta::minutes(15)).await.unwrap();
        app.clock.advance(TimeDelta::hours(24));
        app.run_jobs().await;
        let mut again = OnWatch::from(&police(&app, HERE), &cursor).await.unwrap();
        assert_eq!(again.stands().await, (reference, pb::ComplianceStatus::NotStarted));
        use pb::ComplianceStatus::{NotStarted, Suspended};
        ngo.sign_in(&app);
        let seen = lookups(&ngo, &made).await;
        // The first stream may have been told that as well, before its token ended.
        assert_eq!(seen[..3], [NotStarted, Suspended, NotStarted]);
    }

    async fn police_hear_of_no_order_but_theirs(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (client, other) = (ngo.offender().await, ngo.offender().await);
        let mut here = OnWatch::now(&police(&app, HERE)).await;
        let mut elsewhere = OnWatch::now(&police(&app, ELSEWHERE)).await;
        // A voluntary order is as if it did not exist.
        let own = order(&ngo, &other, pb::MandateBasis::Voluntary).await;
        let made = order(&ngo, &client, pb::MandateBasis::CourtOrder).await;
        let (change, first) = here.told().await;
        assert!(matches!(&change, Change::Compliance(view) if view.reference == made.reference), "{change:?}");
        // It goes to other police: gone for these, and new to those.
        let moved = pb::TreatmentOrder { jurisdiction: ELSEWHERE.into(), ..made.clone() };
        let request = pb::AmendOrderRequest { order: Some(moved), reason: "an example".into(), ..Default::default() };
        ngo.coordinator.compliance().amend_order(request).await.unwrap();
        assert_eq!(here.told().await.0, Change::GoneReference(made.reference.clone()));
        assert_eq!(elsewhere.stands().await, (made.reference.clone(), pb::ComplianceStatus::NotStarted));
        // What was theirs once is told by nothing but that it is gone, whatever the cursor.
        let start = pb::WatchComplianceRequest { lookup: why(), cursor: first };
        let again = police(&app, HERE).compliance().watch_compliance(start).await.unwrap().into_inner();
        assert_eq!(OnWatch(again).told().await.0, Change::GoneReference(made.reference));
        assert_eq!(lookups(&ngo, &own).await, []);
    }

    async fn police_list_and_then_watch(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let (client, other) = (ngo.offender().await, ngo.offender().await);
        let one = order(&ngo, &client, pb::MandateBasis::CourtOrder).await;
        let listed = list(&police(&app, HERE)).await;
        assert_eq!(listed.compliances.len(), 1);
        let two = order(&ngo, &other, pb::MandateBasis::BailCondition).await;
        app.restart().await;
        let mut watching = OnWatch::from(&police(&app, HERE), &listed.watch_cursor).await.unwrap();
        // What was listed may come once more.
        let mut told = watching.stands().await;
        if told.0 == one.reference {
            told = watching.stands().await;
        }
        assert_eq!(told.0, two.reference);
        let foreign = OnWatch::from(&police(&app, ELSEWHERE), &listed.watch_cursor).await.err().unwrap();
        let refusal = refused(&foreign);
        assert_eq!((refusal.code, refusal.items), (Code::InvalidArgument, vec!["cursor".to_owned()]));
        let nothing = pb::WatchComplianceRequest::default();
        let refusal = refused(&police(&app, HERE).compliance().watch_compliance(nothing).await.err().unwrap());
        assert_eq!(refusal.items, ["lookup.purpose", "lookup.crime_number"]);
    }

    async fn nothing_but_orders_moves_what_police_hear(app) {
        let ngo = Ngo::new(&app, "A").await;
        let mut watching = OnWatch::now(&police(&app, HERE)).await;
        let mut own = Watching::now(&ngo.coordinator).await;
        order(&ngo, &ngo.offender().await, pb::MandateBasis::CourtOrder).await;
        watching.stands().await;
        let before = list(&police(&app, HERE)).await.watch_cursor;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        for start in [TEN, ELEVEN] {
            book(&ngo.coordinator, booking(&ngo, &counsellor, &client, start)).await.unwrap();
            own.heard().await;
        }
        assert_eq!(list(&police(&app, HERE)).await.watch_cursor, before);
        app.clock.advance(TimeDelta::seconds(15));
        let silence = watching.next().await;
        assert_eq!((silence.change, silence.cursor), (None, before));
    }
}
