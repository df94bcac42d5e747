//! Every process remembers the directory, and none believes what it remembers: what one has changed, the very next
//! request of another goes by.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::future::Future;
use std::path::Path;

use aftercare::grpc::pb;
use aftercare::store::{Db, Target, Tx, directory_version};
use tonic::Code;
use uuid::Uuid;

use crate::on_both_engines;
use crate::support::{Actor, Beside, Ngo, TestApp, book, booking, date, minutes, refused, time_of_day, venue_at};

const TEN: &str = "2026-11-24T04:30:00Z";
/// Two hours after a session at ten has ended.
const ONE: &str = "2026-11-24T07:30:00Z";

/// Somebody who asks another process than the one where things are changed.
struct Elsewhere<'a> {
    app: &'a TestApp,
    ngo: &'a Ngo,
    there: Actor,
    _process: Beside,
    /// What is booked there.
    wanted: pb::BookSessionRequest,
}

impl<'a> Elsewhere<'a> {
    async fn new(app: &'a TestApp, ngo: &'a Ngo, wanted: pb::BookSessionRequest) -> Self {
        let process = app.beside().await;
        let there = process.bearer(ngo.coordinator.token.clone());
        Self { app, ngo, there, _process: process, wanted }
    }

    /// What stands against it; what could be booked is cancelled again.
    async fn against(&self) -> Vec<String> {
        match book(&self.there, self.wanted.clone()).await {
            Ok(session) => {
                self.ngo.cancel(&session).await.unwrap();
                Vec::new()
            }
            Err(status) if status.code() == Code::NotFound => vec!["NOT_FOUND".into()],
            Err(status) => refused(&status).items,
        }
    }

    /// Whether it is found there; and what is found is what a process finds that remembers nothing.
    async fn is_found(&self) -> bool {
        let fresh = self.app.beside().await;
        let fresh = fresh.bearer(self.ngo.coordinator.token.clone());
        let (found, anew) = (find(&self.there, &self.wanted).await, find(&fresh, &self.wanted).await);
        assert!(found == anew, "what is found there is not what there is");
        found.slots.iter().any(|slot| {
            let same = (&slot.starts_at, &slot.counsellor_id, &slot.venue_id);
            same == (&self.wanted.starts_at, &self.wanted.counsellor_id, &self.wanted.venue_id)
        })
    }

    /// What a change does to a booking there, and that it is undone by another; whichever is asked first.
    async fn sees(&self, rules: &[&str], change: impl Future<Output = ()>, undo: impl Future<Output = ()>) {
        assert!(self.is_found().await, "before {rules:?}");
        change.await;
        assert_eq!(self.against().await, rules);
        assert!(!self.is_found().await, "{rules:?}");
        undo.await;
        assert!(self.is_found().await, "after {rules:?}");
        assert_eq!(self.against().await, [""; 0], "after {rules:?}");
    }
}

/// What is found in the hours around what is wanted.
async fn find(by: &Actor, wanted: &pb::BookSessionRequest) -> pb::FindSlotsResponse {
    let beside = |by| wanted.starts_at.map(|at| prost_types::Timestamp { seconds: at.seconds + by, ..at });
    let request = pb::FindSlotsRequest {
        client_id: wanted.client_id.clone(),
        service: wanted.service,
        length: wanted.length,
        window_starts_at: beside(-3600),
        window_ends_at: beside(3600),
        page_size: 500,
        ..Default::default()
    };
    let mut found = by.scheduling().find_slots(request).await.unwrap().into_inner();
    found.next_page_token.clear();
    found
}

/// Changes a thing as it now stands.
macro_rules! changing {
    ($($name:ident: $noun:ident $kind:ident, $get:ident $by_id:ident { $id:ident $($rest:tt)* },
        $update:ident $request:ident;)*) => {$(
        async fn $name(by: &Actor, id: &str, change: impl FnOnce(&mut pb::$kind)) {
            let request = pb::$by_id { $id: id.into() $($rest)* };
            let mut it = by.directory().$get(request).await.unwrap().into_inner().$noun.unwrap();
            change(&mut it);
            let request = pb::$request { $noun: Some(it), ..Default::default() };
            by.directory().$update(request).await.unwrap();
        }
    )*};
}
changing! {
    change_organisation: organisation Organisation, get_organisation GetOrganisationRequest { organisation_id },
        update_organisation UpdateOrganisationRequest;
    change_agreement: agreement Agreement, get_agreement GetAgreementRequest { agreement_id },
        update_agreement UpdateAgreementRequest;
    change_calendar: holiday_calendar HolidayCalendar,
        get_holiday_calendar GetHolidayCalendarRequest { holiday_calendar_id, ..Default::default() },
        update_holiday_calendar UpdateHolidayCalendarRequest;
    change_site: site Site, get_site GetSiteRequest { site_id }, update_site UpdateSiteRequest;
    change_venue: venue Venue, get_venue GetVenueRequest { venue_id }, update_venue UpdateVenueRequest;
    change_counsellor: counsellor Counsellor, get_counsellor GetCounsellorRequest { counsellor_id },
        update_counsellor UpdateCounsellorRequest;
}

async fn create_calendar(ngo: &Ngo) -> pb::HolidayCalendar {
    let calendar = pb::HolidayCalendar { code: "H".into(), name: "Example".into(), ..Default::default() };
    let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
    let created = ngo.coordinator.directory().create_holiday_calendar(request).await.unwrap();
    created.into_inner().holiday_calendar.unwrap()
}

async fn delete(by: &Actor, leave: pb::Leave) {
    let request = pb::DeleteLeaveRequest { leave_id: leave.id, etag: leave.etag, ..Default::default() };
    by.directory().delete_leave(request).await.unwrap();
}

fn night(side: pb::Side) -> pb::SideHours {
    let (starts, ends) = (Some(time_of_day(20, 0)), Some(time_of_day(22, 0)));
    pb::SideHours { side: side.into(), day: 2, starts, ends }
}

on_both_engines! {
    async fn what_changes_about_a_counsellor(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
        let elsewhere = Elsewhere::new(&app, &ngo, booking(&ngo, &counsellor, &client, TEN)).await;
        let by = &ngo.coordinator;
        let taken = tokio::sync::Mutex::new(None);
        let leave = async { *taken.lock().await = Some(ngo.leave(&counsellor, TEN, ONE).await) };
        let back = async { delete(by, taken.lock().await.take().unwrap()).await };
        elsewhere.sees(&["ON_LEAVE"], leave, back).await;
        let id = counsellor.id.as_str();
        let idle = change_counsellor(by, id, |it| it.working_hours.clear());
        let hours = counsellor.working_hours.clone();
        let working = change_counsellor(by, id, |it| it.working_hours = hours);
        elsewhere.sees(&["OUTSIDE_WORKING_HOURS"], idle, working).await;
        let lapsed = change_counsellor(by, id, |it| it.verified_until = Some(date("2026-11-23")));
        let verified = change_counsellor(by, id, |it| it.verified_until = Some(date("2099-12-31")));
        elsewhere.sees(&["NOT_VERIFIED"], lapsed, verified).await;
        let gone = change_counsellor(by, id, |it| it.inactive = true);
        let here = change_counsellor(by, id, |it| it.inactive = false);
        elsewhere.sees(&["NOT_QUALIFIED"], gone, here).await;
        // Somebody new is found at once, too.
        let other = ngo.counsellor("C2", pb::Side::Survivor).await;
        let new = Elsewhere { wanted: booking(&ngo, &other, &client, TEN), ..elsewhere };
        assert!(new.is_found().await);
        assert_eq!(new.against().await, [""; 0]);
    }

    async fn what_changes_about_an_organisation(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
        let elsewhere = Elsewhere::new(&app, &ngo, booking(&ngo, &counsellor, &client, TEN)).await;
        let by = app.admin();
        let policy = |notice, horizon: i64| {
            change_organisation(&by, &ngo.id, move |it| {
                (it.notice, it.horizon) = (Some(minutes(notice)), Some(minutes(horizon * 24 * 60)));
            })
        };
        elsewhere.sees(&["NOTICE"], policy(3 * 24 * 60, 730), policy(0, 730)).await;
        elsewhere.sees(&["HORIZON"], policy(0, 1), policy(0, 730)).await;
        let id = ngo.agreement(&app).await.id;
        let suspended = change_agreement(&by, &id, |it| it.set_status(pb::AgreementStatus::Suspended));
        let active = change_agreement(&by, &id, |it| it.set_status(pb::AgreementStatus::Active));
        elsewhere.sees(&["NO_AGREEMENT"], suspended, active).await;
    }

    async fn what_changes_about_a_site(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
        let elsewhere = Elsewhere::new(&app, &ngo, booking(&ngo, &counsellor, &client, TEN)).await;
        let (by, id) = (app.admin(), ngo.site.id.as_str());
        let published = change_site(&by, id, |it| it.timetable = vec![night(pb::Side::Survivor)]);
        let open = change_site(&by, id, |it| it.timetable.clear());
        elsewhere.sees(&["VENUE_SIDE_HOURS"], published, open).await;
        let calendar = create_calendar(&ngo).await;
        change_site(&by, id, |it| it.holiday_calendar_id = calendar.id.clone()).await;
        let holiday = pb::Holiday { date: Some(date("2026-11-24")), name: "Example".into() };
        let closed = change_calendar(&by, &calendar.id, |it| it.holidays = vec![holiday]);
        let open = change_calendar(&by, &calendar.id, |it| it.holidays.clear());
        elsewhere.sees(&["HOLIDAY"], closed, open).await;
        let away = change_site(&by, id, |it| it.district = "KL-EKM".into());
        let back = change_site(&by, id, |it| it.district = "KL-TVM".into());
        elsewhere.sees(&["NO_AGREEMENT"], away, back).await;
        // A session sits in the first room there is, as soon as there is one.
        let room = ngo.room("R2").await;
        assert_eq!(book(&elsewhere.there, elsewhere.wanted.clone()).await.unwrap().room_id, room.id);
        let first = ngo.room("R1").await;
        let next = booking(&ngo, &counsellor, &ngo.survivor().await, ONE);
        assert_eq!(book(&elsewhere.there, next).await.unwrap().room_id, first.id);
    }

    async fn what_is_refused_changes_nothing(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (offenders, survivors) =
            (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor) = (ngo.offender().await, ngo.survivor().await);
        book(&ngo.coordinator, booking(&ngo, &offenders, &offender, TEN)).await.unwrap();
        let elsewhere = Elsewhere::new(&app, &ngo, booking(&ngo, &survivors, &survivor, ONE)).await;
        let (by, id) = (app.admin(), ngo.site.id.as_str());
        let wide = || change_site(&by, id, |it| it.separation_gap = Some(minutes(150)));
        elsewhere.sees(&["SLOT_NOT_AVAILABLE"], wide(), change_site(&by, id, |it| it.separation_gap = Some(minutes(120)))).await;
        // Who is booked two hours later stands in the way of a wider gap.
        let other = ngo.counsellor("C2", pb::Side::Survivor).await;
        let booked = book(&ngo.coordinator, booking(&ngo, &other, &ngo.survivor().await, ONE)).await.unwrap();
        let before = version(&app, &ngo).await;
        let request = pb::GetSiteRequest { site_id: id.into() };
        let mut site = by.directory().get_site(request).await.unwrap().into_inner().site.unwrap();
        site.separation_gap = Some(minutes(150));
        let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
        assert_eq!(by.directory().update_site(request).await.unwrap_err().code(), Code::FailedPrecondition);
        assert_eq!(version(&app, &ngo).await, before);
        assert_eq!(elsewhere.against().await, [""; 0]);
        let here = Elsewhere { there: ngo.coordinator.clone(), ..elsewhere };
        assert!(here.is_found().await);
        assert_eq!(here.against().await, [""; 0]);
        ngo.cancel(&booked).await.unwrap();
        wide().await;
        assert_eq!(here.against().await, ["SLOT_NOT_AVAILABLE"]);
    }

    async fn what_changes_about_a_place_of_others(app) {
        let (host, guest) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let (by, venue, site) = (app.admin(), host.venue.id.as_str(), host.site.id.as_str());
        let share = |shared| change_venue(&by, venue, move |it| it.shared = shared);
        share(true).await;
        let client = guest.survivor().await;
        // One whose hours name the place, and one of whom nobody knew that it is in question.
        let visitor = guest.counsellor_with("C1", pb::Side::Survivor, |it| {
            it.working_hours.iter_mut().for_each(|hours| hours.venue_id = venue.into());
        }).await;
        let anywhere = guest.counsellor("C2", pb::Side::Survivor).await;
        let elsewhere = Elsewhere::new(&app, &guest, booking(&host, &visitor, &client, TEN)).await;
        elsewhere.sees(&["NOT_FOUND"], share(false), share(true)).await;
        let timetable = |rows| change_site(&by, site, move |it| it.timetable = rows);
        elsewhere.sees(&["VENUE_SIDE_HOURS"], timetable(vec![night(pb::Side::Survivor)]), timetable(Vec::new())).await;
        let elsewhere = Elsewhere { wanted: booking(&host, &anywhere, &client, TEN), ..elsewhere };
        elsewhere.sees(&["NOT_FOUND"], share(false), share(true)).await;
        elsewhere.sees(&["VENUE_SIDE_HOURS"], timetable(vec![night(pb::Side::Survivor)]), timetable(Vec::new())).await;
        let room = host.room("R1").await;
        assert_eq!(book(&elsewhere.there, elsewhere.wanted.clone()).await.unwrap().room_id, room.id);
        // A venue of the guest's own on the host's site.
        let next_door = venue_at(&app, &guest.id, "NEXT-DOOR", &host.site).await;
        let wanted = pb::BookSessionRequest {
            venue_id: next_door.id,
            ..booking(&host, &anywhere, &guest.survivor().await, TEN)
        };
        let wanted = pb::BookSessionRequest { starts_at: booking(&host, &anywhere, &client, ONE).starts_at, ..wanted };
        let elsewhere = Elsewhere { wanted, ..elsewhere };
        elsewhere.sees(&["VENUE_SIDE_HOURS"], timetable(vec![night(pb::Side::Survivor)]), timetable(Vec::new())).await;
    }

    async fn whatever_a_directory_is_read_from_draws_its_version(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        ngo.room("R1").await;
        ngo.leave(&counsellor, TEN, ONE).await;
        let calendar = create_calendar(&ngo).await;
        let holiday = pb::Holiday { date: Some(date("2026-11-24")), name: "Example".into() };
        change_calendar(&app.admin(), &calendar.id, |it| it.holidays = vec![holiday]).await;
        let db = Db::open(&app.db.target, 1).await.unwrap();
        let mut tx = db.begin_write().await.unwrap();
        let tables = tables_of_a_directory();
        for expected in ["organisation", "agreement", "holiday", "site", "venue", "room", "counsellor", "leave"] {
            assert!(tables.contains(expected), "{expected} is not among {tables:?}");
        }
        for table in &tables {
            assert_eq!(drawing(&mut tx, &app.db.target, table).await, ["DELETE", "INSERT", "UPDATE"], "{table}");
            let before = versions(&mut tx, &ngo).await;
            tx.savepoint().await.unwrap();
            let column = if table == "holiday" { "name" } else { "version" };
            touch(&mut tx, table, column).await;
            let touched = versions(&mut tx, &ngo).await;
            assert_ne!(touched, before, "{table}");
            // What was undone is as it was, and what it was in between never comes again.
            tx.undo().await.unwrap();
            assert_eq!(versions(&mut tx, &ngo).await, before, "{table}");
            touch(&mut tx, table, column).await;
            let again = versions(&mut tx, &ngo).await;
            assert!(again != before && again != touched, "{table}");
        }
        for gone in ["leave", "holiday", "room"] {
            let before = versions(&mut tx, &ngo).await;
            run(&mut tx, format!("DELETE FROM {gone}")).await;
            assert_ne!(versions(&mut tx, &ngo).await, before, "{gone}");
        }
    }

    async fn whoever_changes_other_things_waits_for_nobody(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        if matches!(app.db.target, Target::Sqlite(_)) {
            return;
        }
        // Neither has committed, and the second would wait for a row that both had to write.
        let db = Db::open(&app.db.target, 2).await.unwrap();
        let (mut first, mut second) = (db.begin_write().await.unwrap(), db.begin_write().await.unwrap());
        second.sql("SET LOCAL lock_timeout = '5s'").run().await.unwrap();
        for (tx, id) in [(&mut first, &one.id), (&mut second, &other.id)] {
            let sql = tx.sql("UPDATE counsellor SET daily_limit = 3 WHERE id = $1");
            assert_eq!(sql.bind(id.parse::<Uuid>().unwrap()).run().await.unwrap(), 1);
        }
        let (mine, theirs) = (versions(&mut first, &ngo).await, versions(&mut second, &ngo).await);
        first.commit().await.unwrap();
        assert!(versions(&mut second, &ngo).await != theirs && mine != theirs);
    }
}

async fn run(tx: &mut Tx, text: String) {
    tx.sql(text.leak()).run().await.unwrap();
}

async fn touch(tx: &mut Tx, table: &str, column: &str) {
    run(tx, format!("UPDATE {table} SET {column} = {column}")).await;
}

type Versions = BTreeMap<aftercare::domain::ids::OrganisationId, directory_version::Version>;

async fn versions(tx: &mut Tx, ngo: &Ngo) -> Versions {
    directory_version::of(tx, &BTreeSet::from([ngo.id.parse().unwrap()])).await.unwrap()
}

async fn version(app: &TestApp, ngo: &Ngo) -> Versions {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    versions(&mut db.begin_read().await.unwrap(), ngo).await
}

/// The events on a table that draw a version.
async fn drawing(tx: &mut Tx, target: &Target, table: &str) -> Vec<String> {
    let text = match target {
        Target::Sqlite(_) => {
            "SELECT UPPER(SUBSTR(name, LENGTH(tbl_name) + 15)) FROM sqlite_master
              WHERE type = 'trigger' AND tbl_name = $1 AND sql LIKE '%INTO directory_change%' ORDER BY 1"
        }
        Target::Postgres(_) => {
            "SELECT event_manipulation::text FROM information_schema.triggers
              WHERE event_object_table = $1 AND action_statement LIKE '%_in_directory()' ORDER BY 1"
        }
    };
    tx.sql(text).bind(table.to_owned()).all::<(String,)>().await.unwrap().into_iter().map(|row| row.0).collect()
}

/// The tables that the statements name by which a directory is loaded, as they stand in the source.
fn tables_of_a_directory() -> BTreeSet<String> {
    let source = |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path)).unwrap();
    let loading = source("usecase/facts/directory.rs");
    let loading = loading.split_once("fn load(").unwrap().1.split_once("\n    }\n").unwrap().0;
    let mut tables = BTreeSet::new();
    let calls: Vec<_> =
        loading.match_indices("(tx, ").map(|(at, _)| loading[..at].rsplit_once(' ').unwrap().1).collect();
    for call in &calls {
        let (module, function) = call.rsplit_once('(').map_or(*call, |it| it.1).split_once("::").unwrap();
        let (module, function) = if module == "Organisation" { ("directory", "find") } else { (module, function) };
        let file = source(&format!("store/{module}.rs"));
        let body = file.split_once(&format!("async fn {function}(")).unwrap().1;
        let body = body.split_once("\n}\n").unwrap().0;
        let body = body.split_once("\n    }\n").map_or(body, |it| it.0);
        let words: Vec<_> = body.split_whitespace().collect();
        let after = words.windows(2).filter(|pair| pair[0].ends_with("FROM") || pair[0] == "JOIN");
        tables.extend(after.map(|pair| pair[1].trim_matches(|c: char| !c.is_alphanumeric() && c != '_').to_owned()));
    }
    assert!(calls.len() > 8, "{calls:?}");
    tables
}
