//! Counts for an organisation: right, and none that points to a person.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::store::codec::Instant;
use aftercare::store::{Db, Tx};
use chrono::{DateTime, NaiveDate, Utc};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::attendance::{clinical_lead, wrong};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, date};

async fn get(actor: &Actor, from: &str, until: &str, zone: &str) -> Result<pb::GetFollowUpReportResponse, Status> {
    let (from, until) = (Some(date(from)), Some(date(until)));
    let request = pb::GetFollowUpReportRequest { from, until, zone: zone.into() };
    Ok(actor.follow_up().get_follow_up_report(request).await?.into_inner())
}

async fn november(actor: &Actor) -> pb::GetFollowUpReportResponse {
    get(actor, "2026-11-01", "2026-11-30", "Asia/Kolkata").await.unwrap()
}

fn shown(count: &Option<pb::ReportedCount>) -> Option<i32> {
    count.unwrap().value
}

/// What a code's row shows: due, done, done late, missed, per cent.
fn row(report: &pb::GetFollowUpReportResponse, code: &str) -> [Option<i32>; 5] {
    let it = report.milestones.iter().find(|it| it.code == code).unwrap();
    [shown(&it.due), shown(&it.done), shown(&it.done_late), shown(&it.missed), it.response_per_cent]
}

/// What the rest shows: intakes, first sessions, closed, dropped out.
fn rest(report: &pb::GetFollowUpReportResponse) -> [Option<i32>; 4] {
    [&report.intakes, &report.first_sessions, &report.closed, &report.dropped_out].map(shown)
}

fn on(day: &str) -> NaiveDate {
    day.parse().unwrap()
}

/// Plans and milestones, written past the service.
struct Books {
    app: TestApp,
    ngo: Ngo,
    counsellor: Uuid,
    tx: Tx,
}

impl Books {
    /// The books of an organisation on the first of December.
    async fn of(app: TestApp) -> Self {
        app.clock.set("2026-12-01T04:00:00Z".parse().unwrap());
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await.id.parse().unwrap();
        let tx = Db::open(&app.db.target, 1).await.unwrap().begin_write().await.unwrap();
        Self { app, ngo, counsellor, tx }
    }

    async fn done(self) -> (TestApp, Ngo) {
        self.tx.commit().await.unwrap();
        (self.app, self.ngo)
    }

    /// The plan of a survivor.
    async fn plan(&mut self, client: Uuid, intake: &str, attended: Option<&str>, closed: Option<(&str, &str)>) -> Uuid {
        let id = self.app.world().uuid();
        let now: DateTime<Utc> = self.app.now();
        let sql = self.tx.sql(
            "INSERT INTO follow_up_plan (id, version, created_at, updated_at, organisation_id, client_id, counsellor_id,
                template, template_version, zone, intake_on, planned_sessions, first_attended_on, closing, closed_at)
             VALUES ($1, 1, $2, $3, $4, $5, $6, 'SURVIVOR_STANDARD', 1, 'Asia/Kolkata', $7, 12, $8, $9, $10)",
        );
        let sql = sql.bind(id).bind(Instant(now)).bind(Instant(now)).bind(self.ngo.id.parse::<Uuid>().unwrap());
        let sql = sql.bind(client).bind(self.counsellor).bind(on(intake)).bind(attended.map(on));
        let closed_at = closed.map(|(_, at)| Instant(at.parse().unwrap()));
        sql.bind(closed.map(|(how, _)| how.to_owned())).bind(closed_at).run().await.unwrap();
        id
    }

    /// A milestone that is due on the 10th of November and closes on the 17th, or another window.
    async fn milestone(&mut self, plan: Uuid, code: &str, window: (&str, &str), done: Option<&str>, listed: bool) {
        let (id, now) = (self.app.world().uuid(), self.app.now());
        let sql = self.tx.sql(
            "INSERT INTO milestone (id, version, updated_at, plan_id, organisation_id, counsellor_id, code, number,
                standing, provisional, opens_on, due_on, closes_on, done_on, listed)
             VALUES ($1, 1, $2, $3, $4, $5, $6, 1, $7, $8, $9, $10, $11, $12, $13)",
        );
        let sql = sql.bind(id).bind(Instant(now)).bind(plan).bind(self.ngo.id.parse::<Uuid>().unwrap());
        let standing = if done.is_some() { "DONE" } else { "AWAITED" };
        let sql = sql.bind(self.counsellor).bind(code.to_owned()).bind(standing).bind(false);
        let sql = sql.bind(on(window.0)).bind(on(window.0)).bind(on(window.1)).bind(done.map(on)).bind(listed);
        sql.run().await.unwrap();
    }

    async fn clients(&mut self, count: usize) -> Vec<Uuid> {
        // SQLite has one writer.
        let now = self.app.now();
        let organisation: Uuid = self.ngo.id.parse().unwrap();
        let mut all = Vec::new();
        for _ in 0..count {
            let id = self.app.world().uuid();
            let reference = self.app.world().reference();
            let sql = self.tx.sql(
                "INSERT INTO client (id, version, created_at, updated_at, organisation_id, reference, side, name, phone,
                    address, born_on, spoken_languages, availability)
                 VALUES ($1, 1, $2, $3, $4, $5, 'SURVIVOR', $6, $7, $8, $9, $10, $11)",
            );
            let sql = sql.bind(id).bind(Instant(now)).bind(Instant(now)).bind(organisation).bind(reference);
            let sql = sql.bind(vec![0u8]).bind(vec![0u8]).bind(vec![0u8]).bind(vec![0u8]);
            let none = || sqlx::types::Json(Vec::<String>::new());
            sql.bind(none()).bind(none()).run().await.unwrap();
            all.push(id);
        }
        all
    }
}

const DUE: (&str, &str) = ("2026-11-10", "2026-11-17");

on_both_engines! {
    async fn what_fell_due_is_counted_by_what_became_of_it(app) {
        let mut books = Books::of(app).await;
        let clients = books.clients(32).await;
        for (place, client) in clients.iter().enumerate() {
            let attended = (place < 20).then(|| format!("2026-11-{:02}", 10 + place % 10));
            let plan = books.plan(*client, "2026-11-10", attended.as_deref(), None).await;
            // Ten in the window and its last day, ten after it, six missed, six still open.
            let (window, done) = match place {
                0..10 => (DUE, Some("2026-11-17")),
                10..20 => (DUE, Some("2026-11-18")),
                20..26 => (DUE, None),
                // Until today, which is the first.
                _ => (("2026-11-10", "2026-12-01"), None),
            };
            books.milestone(plan, "BASELINE", window, done, done.is_none()).await;
            // Due outside of the period.
            books.milestone(plan, "MID", ("2026-10-31", "2026-11-17"), Some("2026-11-01"), false).await;
            books.milestone(plan, "END", ("2026-12-01", "2026-12-02"), None, true).await;
        }
        let (app, ngo) = books.done().await;
        let report = november(&ngo.coordinator).await;
        assert_eq!(report, november(&clinical_lead(&app, &ngo)).await);
        assert_eq!(report.milestones.len(), 1);
        assert_eq!(row(&report, "BASELINE"), [Some(32), Some(10), Some(10), Some(6), Some(31)]);
        assert_eq!(rest(&report), [Some(32), Some(20), Some(0), Some(0)]);
        // Ten days from 0 to 9, twice each; nine of ten would be two people's own.
        let days = (report.median_days_to_first_session, report.ninth_decile_days_to_first_session);
        assert_eq!(days, (Some(4), None));
    }

    async fn a_few_are_withheld_and_what_would_give_them_away(app) {
        let mut books = Books::of(app).await;
        let clients = books.clients(30).await;
        for (place, client) in clients.iter().enumerate() {
            let plan = books.plan(*client, "2026-11-10", (place < 28).then_some("2026-11-12"), None).await;
            let missed = place >= 27;
            books.milestone(plan, "BASELINE", DUE, (!missed).then_some("2026-11-12"), missed).await;
            books.milestone(plan, "FU_1M", DUE, Some("2026-11-12"), false).await;
        }
        let (_app, ngo) = books.done().await;
        let report = november(&ngo.coordinator).await;
        assert_eq!(row(&report, "BASELINE"), [None, Some(27), Some(0), None, None]);
        assert_eq!(row(&report, "FU_1M"), [Some(30), Some(30), Some(0), Some(0), Some(100)]);
        assert_eq!(rest(&report), [None, None, Some(0), Some(0)]);
        assert_eq!(report.median_days_to_first_session, None);
    }

    async fn a_closed_plan_missed_what_was_over_and_nothing_after(app) {
        let mut books = Books::of(app).await;
        let clients = books.clients(34).await;
        // 00:15 on the 18th in Asia/Kolkata, which is the 17th in UTC; and on the 17th.
        let (after, before) = ("2026-11-17T18:45:00Z", "2026-11-17T18:15:00Z");
        for (place, client) in clients.iter().enumerate() {
            let closed = match place {
                0..6 => ("DROPPED_OUT", after),
                6..12 => ("DROPPED_OUT", before),
                12..24 => ("COMPLETED", "2026-10-31T18:30:00Z"),
                24..29 => ("COMPLETED", "2026-10-31T18:29:00Z"),
                _ => ("IN_ERROR", after),
            };
            let plan = books.plan(*client, "2026-10-10", None, Some(closed)).await;
            books.milestone(plan, "MONITOR_1M", DUE, None, false).await;
        }
        let (_app, ngo) = books.done().await;
        let report = november(&ngo.coordinator).await;
        assert_eq!(row(&report, "MONITOR_1M"), [Some(6), Some(0), Some(0), Some(6), Some(0)]);
        assert_eq!(rest(&report), [Some(0), Some(0), Some(24), Some(12)]);
    }

    async fn a_report_is_about_the_own_organisation_and_a_period_that_is_over(app) {
        let mut books = Books::of(app).await;
        let clients = books.clients(9).await;
        for client in clients {
            books.plan(client, "2026-11-10", None, None).await;
        }
        let (app, ngo) = books.done().await;
        let elsewhere = Ngo::new(&app, "B").await;
        assert_eq!(rest(&november(&ngo.coordinator).await)[0], Some(9));
        assert_eq!(rest(&november(&elsewhere.coordinator).await)[0], Some(0));
        let counsellor = ngo.counsellor("C2", pb::Side::Survivor).await;
        let police = app.actor(Authority::Police { jurisdiction: aftercare::domain::text::Code::parse("KL-TVM").unwrap() });
        for actor in [&ngo.as_counsellor(&app, &counsellor), &police, &app.admin()] {
            let refusal = get(actor, "2026-11-01", "2026-11-30", "Asia/Kolkata").await.unwrap_err();
            assert_eq!(refusal.code(), Code::PermissionDenied);
        }
        let me = &ngo.coordinator;
        let zone = "Asia/Kolkata";
        assert_eq!(wrong(get(me, "2026-12-01", "2026-12-31", zone).await), ["until"]);
        // Where it is the 30th still, which is the last day of a month; and the day before.
        get(me, "2026-11-01", "2026-11-30", "Pacific/Honolulu").await.unwrap();
        app.clock.set("2026-11-30T09:59:59Z".parse().unwrap());
        let earlier = ngo.another_coordinator(&app);
        assert_eq!(wrong(get(&earlier, "2026-11-01", "2026-11-30", "Pacific/Honolulu").await), ["until"]);
        app.clock.set("2026-12-01T04:00:00Z".parse().unwrap());
        get(me, "2024-12-01", "2026-11-30", zone).await.unwrap();
        assert_eq!(wrong(get(me, "2024-11-01", "2026-11-30", zone).await), ["until"]);
        assert_eq!(wrong(get(me, "2026-11-01", "2026-10-31", zone).await), ["from"]);
        // Two reports that differ by a day would tell of a day.
        assert_eq!(wrong(get(me, "2026-11-02", "2026-11-29", zone).await), ["from", "until"]);
        let none = me.follow_up().get_follow_up_report(pb::GetFollowUpReportRequest::default()).await;
        assert_eq!(wrong(none), ["from", "until", "zone"]);
    }
}
