//! Whoever was kept for long enough is listed, and erased some days later if nobody has held that; by one policy, and
//! not before its time.

mod cli;

use aftercare::domain::retention::{Hindrance, Policy, Standing};
use aftercare::grpc::pb;
use aftercare::jobs::{self, Worker};
use aftercare::usecase::job::{self, Job};
use aftercare::usecase::retention::{Retention, survey};
use chrono::{DateTime, TimeDelta, Utc};
use prost::Message;

use crate::on_both_engines;
use crate::support::followup::{clinical_lead, enrol, enrolling};
use crate::support::treatment::{Treated, check, create_order, officer, order_of};
use crate::support::{Actor, Door, Ngo, TestApp, book, booking, date, minutes};

const DAY: TimeDelta = TimeDelta::days(1);

/// A year after the last thing, and after coming of age.
fn policy() -> Policy {
    toml::from_str(
        "[[rules]]\nname = \"SURVIVORS\"\nside = \"SURVIVOR\"\nkeep_days = 365\nafter_majority_days = 365\n\
         [[rules]]\nname = \"OFFENDERS\"\nside = \"OFFENDER\"\nkeep_days = 365\n",
    )
    .unwrap()
}

async fn begin(app: &mut TestApp, policy: Policy) {
    app.restart_with(Door { retention: policy, ..Door::default() }).await;
}

/// The daily run, now.
async fn run(app: &TestApp) {
    job::schedule(app.world(), Retention::KIND, TimeDelta::zero()).await.unwrap();
    app.run_jobs().await;
}

async fn listed(actor: &Actor) -> Vec<pb::RetentionNotice> {
    let request = pb::ListRetentionDueRequest::default();
    actor.privacy().list_retention_due(request).await.unwrap().into_inner().notices
}

async fn is_erased(ngo: &Ngo, client: &pb::Client) -> bool {
    let request = pb::GetClientRequest { client_id: client.id.clone() };
    let read = ngo.coordinator.clients().get_client(request).await.unwrap().into_inner().client.unwrap();
    assert_eq!(read.name.is_empty(), read.erased_at.is_some());
    read.erased_at.is_some()
}

/// What keeps whom, by client.
async fn held(app: &TestApp, client: &pb::Client) -> Option<Vec<Hindrance>> {
    let all = survey(app.world()).await.unwrap();
    all.into_iter().find(|it| it.id.to_string() == client.id).map(|it| it.judged.hindrances)
}

async fn hold(ngo: &Ngo, client: &pb::Client) -> pb::LegalHold {
    let hold = pb::LegalHold { client_id: client.id.clone(), reason: "a court may ask".into(), ..Default::default() };
    let request = pb::PlaceLegalHoldRequest { hold: Some(hold), ..Default::default() };
    ngo.coordinator.clients().place_legal_hold(request).await.unwrap().into_inner().hold.unwrap()
}

async fn release(ngo: &Ngo, hold: pb::LegalHold) {
    let (hold_id, etag, reason) = (hold.id, hold.etag, "it has asked".into());
    let request = pb::ReleaseLegalHoldRequest { hold_id, etag, reason, ..Default::default() };
    ngo.coordinator.clients().release_legal_hold(request).await.unwrap();
}

/// How often somebody was erased by a rule, by the trail.
async fn erasures(app: &TestApp) -> usize {
    let of_rule = |it: &&crate::support::Audited| it.action == "erase_due" && it.details.contains("RETENTION_ENDED");
    app.audit().await.iter().filter(of_rule).count()
}

/// Moves the clock, and signs everybody in.
fn go(app: &TestApp, ngo: &mut Ngo, by: TimeDelta) {
    app.clock.advance(by);
    ngo.sign_in(app);
}

on_both_engines! {
    async fn whoever_is_due_is_listed_and_then_erased(app) {
        let mut app = app;
        let (mut ngo, mut other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let client = ngo.survivor().await;
        begin(&mut app, policy()).await;
        // The 365th day counts whole, wherever it is: from the 23rd of November to the noon after the 23rd of the next.
        go(&app, &mut ngo, "2027-11-24T11:59:59Z".parse::<DateTime<Utc>>().unwrap() - app.now());
        run(&app).await;
        assert!(listed(&ngo.coordinator).await.is_empty());
        go(&app, &mut ngo, TimeDelta::seconds(1));
        run(&app).await;
        let notice = listed(&ngo.coordinator).await.remove(0);
        assert_eq!((&notice.client_id, &notice.client_reference), (&client.id, &client.reference));
        assert_eq!((notice.rule.as_str(), notice.kept_until), ("SURVIVORS", Some(date("2027-11-23"))));
        assert_eq!(notice.erasable_at.unwrap().seconds, (app.now() + TimeDelta::days(7)).timestamp());
        assert!(notice.hindrances.is_empty());
        other.sign_in(&app);
        assert!(listed(&other.coordinator).await.is_empty());
        go(&app, &mut ngo, TimeDelta::days(7) - TimeDelta::seconds(1));
        run(&app).await;
        assert!(!is_erased(&ngo, &client).await && erasures(&app).await == 0);
        go(&app, &mut ngo, TimeDelta::seconds(1));
        run(&app).await;
        assert!(is_erased(&ngo, &client).await);
        assert!(listed(&ngo.coordinator).await.is_empty());
        let trail = app.audit().await.into_iter().find(|it| it.action == "erase_due").unwrap();
        assert!(trail.details.contains("RULE SURVIVORS") && trail.details.contains(&policy().digest()), "{trail:?}");
        assert!(trail.subjects.contains(&client.id) && erasures(&app).await == 1);
        go(&app, &mut ngo, DAY);
        run(&app).await;
        assert_eq!(erasures(&app).await, 1);
    }

    async fn a_hold_in_between_keeps(app) {
        let mut app = app;
        let mut ngo = Ngo::new(&app, "A").await;
        let client = ngo.survivor().await;
        begin(&mut app, policy()).await;
        go(&app, &mut ngo, TimeDelta::days(370));
        run(&app).await;
        let hold = hold(&ngo, &client).await;
        assert_eq!(listed(&ngo.coordinator).await[0].hindrances().collect::<Vec<_>>(), [pb::RetentionHindrance::LegalHold]);
        go(&app, &mut ngo, TimeDelta::days(8));
        run(&app).await;
        assert!(!is_erased(&ngo, &client).await && listed(&ngo.coordinator).await.is_empty());
        // Released, the client is listed anew, for as long as anybody.
        release(&ngo, hold).await;
        run(&app).await;
        go(&app, &mut ngo, TimeDelta::days(6));
        run(&app).await;
        assert!(!is_erased(&ngo, &client).await);
        go(&app, &mut ngo, DAY);
        run(&app).await;
        assert!(is_erased(&ngo, &client).await);
    }

    async fn another_policy_lists_anew(app) {
        let mut app = app;
        let mut ngo = Ngo::new(&app, "A").await;
        let client = ngo.survivor().await;
        begin(&mut app, policy()).await;
        go(&app, &mut ngo, TimeDelta::days(370));
        run(&app).await;
        go(&app, &mut ngo, TimeDelta::days(6));
        let changed = Policy { notice_days: 2, ..policy() };
        begin(&mut app, changed.clone()).await;
        ngo.sign_in(&app);
        go(&app, &mut ngo, DAY);
        // What the former policy has listed is listed no more, and has erased nobody.
        assert!(listed(&ngo.coordinator).await.is_empty());
        run(&app).await;
        assert!(!is_erased(&ngo, &client).await);
        assert_eq!(listed(&ngo.coordinator).await[0].erasable_at.unwrap().seconds, (app.now() + DAY * 2).timestamp());
        // Without a policy nothing is listed, and what was listed is forgotten.
        begin(&mut app, Policy::default()).await;
        run(&app).await;
        begin(&mut app, changed).await;
        go(&app, &mut ngo, TimeDelta::days(2));
        run(&app).await;
        assert!(!is_erased(&ngo, &client).await, "it was listed today");
        go(&app, &mut ngo, TimeDelta::days(2));
        run(&app).await;
        assert!(is_erased(&ngo, &client).await);
    }

    async fn whoever_is_killed_goes_on_where_it_was(app) {
        let mut app = app;
        let mut ngo = Ngo::new(&app, "A").await;
        let clients = [ngo.survivor().await, ngo.survivor().await, ngo.survivor().await];
        begin(&mut app, policy()).await;
        go(&app, &mut ngo, TimeDelta::days(370));
        run(&app).await;
        go(&app, &mut ngo, TimeDelta::days(7));
        // One step after the other, each by another process.
        let mut steps = 0;
        loop {
            let worker = Worker::new(app.world().clone(), jobs::all());
            if !worker.next().await.unwrap() {
                break;
            }
            steps += 1;
            begin(&mut app, policy()).await;
        }
        ngo.sign_in(&app);
        assert!(steps >= 8, "{steps}");
        assert_eq!(erasures(&app).await, 3);
        for client in &clients {
            assert!(is_erased(&ngo, client).await);
        }
    }

    async fn whatever_is_open_keeps(app) {
        let mut app = app;
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let [due, coming, waiting, followed, stranger] =
            [ngo.survivor().await, ngo.survivor().await, ngo.survivor().await, ngo.survivor().await, ngo.survivor().await];
        let child = ngo.child("2012-05-06").await;
        let unknown = ngo.client_with(pb::Side::Survivor, |_| {}).await;
        let request = pb::JoinWaitlistRequest {
            client_id: waiting.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: Some(minutes(60)),
            ..Default::default()
        };
        ngo.coordinator.scheduling().join_waitlist(request).await.unwrap();
        enrol(&ngo.coordinator, enrolling(&followed, &counsellor, "2026-11-20")).await.unwrap();
        let request = pb::RequestBreakGlassRequest {
            reference: stranger.reference.clone(),
            reason: "An example".into(),
            ..Default::default()
        };
        let asked = ngo.as_counsellor(&app, &counsellor).access().request_break_glass(request).await.unwrap();
        let break_glass_id = asked.into_inner().break_glass.unwrap().id;
        let request = pb::ApproveBreakGlassRequest { break_glass_id, ..Default::default() };
        clinical_lead(&app, &ngo).access().approve_break_glass(request).await.unwrap();
        begin(&mut app, policy()).await;
        go(&app, &mut ngo, TimeDelta::days(370));
        book(&ngo.coordinator, booking(&ngo, &counsellor, &coming, "2027-12-07T04:30:00Z")).await.unwrap();
        for (client, keeps) in [
            (&due, Some(vec![])),
            (&coming, None),
            (&waiting, Some(vec![Hindrance::Waiting])),
            (&followed, Some(vec![Hindrance::PlanOpen])),
            (&stranger, Some(vec![Hindrance::BreakGlassUnreviewed])),
            (&child, None),
            (&unknown, Some(vec![])),
        ] {
            assert_eq!(held(&app, client).await, keeps, "{}", client.reference);
        }
        let all = survey(app.world()).await.unwrap();
        let of_unknown = all.iter().find(|it| it.id.to_string() == unknown.id).unwrap();
        assert_eq!(of_unknown.judged.standing, Standing::AgeUnknown);
        run(&app).await;
        assert_eq!(listed(&ngo.coordinator).await.len(), 1);
    }

    async fn police_are_answered_the_same_whoever_is_erased(app) {
        let mut app = app;
        let mut it = Treated::new(&app).await;
        begin(&mut app, policy()).await;
        it.go_to(&app, "2026-01-05");
        it.terminate().await.unwrap();
        // While an order counts, its client stays.
        let other = it.ngo.offender().await;
        let counts = create_order(&it.ngo.coordinator, order_of(&other)).await.unwrap();
        it.go_to(&app, "2027-03-01");
        assert_eq!(held(&app, &other).await, Some(vec![Hindrance::OrderOpen]));
        assert_eq!(held(&app, &it.client).await, Some(vec![]));
        run(&app).await;
        it.go_to(&app, "2027-03-08");
        let police = officer(&app, "KL-TVM");
        let answers = || async {
            [check(&police, &it.reference).await.unwrap(), check(&police, &counts.reference).await.unwrap()]
                .map(|answer| answer.encode_to_vec())
        };
        let before = answers().await;
        run(&app).await;
        assert!(is_erased(&it.ngo, &it.client).await);
        assert_eq!(erasures(&app).await, 1);
        assert_eq!(answers().await, before);
    }
}
