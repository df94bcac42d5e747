//! Importing what an organisation has: same is unchanged, different is updated and shown, absent is
//! untouched; one mistake anywhere, and nothing happened.

use std::process::Command;

use aftercare::grpc::pb;
use aftercare::usecase::import::{Files, Report, import};
use aftercare::usecase::{Error, World};

use crate::on_both_engines;
use crate::support::{Ngo, TestApp, book, booking, date};

/// A second process beside the service, over the same database.
pub async fn beside(app: &TestApp) -> World {
    app.another_world(2, 7).await
}

/// The two NGOs of the demo.
pub fn example() -> Files {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/example");
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    };
    std::fs::read_dir(directory).unwrap().map(read).collect()
}

/// The example with one text of one file replaced.
pub fn example_with(file: &str, from: &str, to: &str) -> Files {
    let mut files = example();
    let text = String::from_utf8(files[file].clone()).unwrap();
    assert!(text.contains(from), "{file} has no {from}");
    files.insert(file.into(), text.replace(from, to).into_bytes());
    files
}

pub fn only(name: &str, text: &str) -> Files {
    Files::from([(name.to_owned(), text.as_bytes().to_vec())])
}

pub fn problems(result: Result<Report, Error>) -> Vec<String> {
    match result.unwrap_err() {
        Error::Invalid(problems) => problems.into_iter().map(|it| format!("{}: {}", it.field, it.says)).collect(),
        error => panic!("{error}"),
    }
}

/// Created, updated and unchanged of all kinds.
pub fn counts(report: &Report) -> (usize, usize, usize) {
    report.tallies.iter().fold((0, 0, 0), |(created, updated, unchanged), it| {
        (created + it.created, updated + it.updated, unchanged + it.unchanged)
    })
}

pub fn updates(report: &Report) -> Vec<String> {
    report.updates.iter().map(|it| format!("{} {}: {}", it.noun, it.key, it.columns.join(", "))).collect()
}

async fn organisations(app: &TestApp) -> Vec<pb::Organisation> {
    let request = pb::ListOrganisationsRequest::default();
    app.admin().directory().list_organisations(request).await.unwrap().into_inner().organisations
}

async fn counsellors(app: &TestApp) -> Vec<pb::Counsellor> {
    let request = pb::ListCounsellorsRequest::default();
    app.admin().directory().list_counsellors(request).await.unwrap().into_inner().counsellors
}

async fn calendar(app: &TestApp, code: &str) -> pb::HolidayCalendar {
    let request = pb::ListHolidayCalendarsRequest::default();
    let all = app.admin().directory().list_holiday_calendars(request).await.unwrap().into_inner().holiday_calendars;
    let holiday_calendar_id = all.into_iter().find(|it| it.code == code).unwrap().id;
    let request = pb::GetHolidayCalendarRequest { holiday_calendar_id, ..Default::default() };
    app.admin().directory().get_holiday_calendar(request).await.unwrap().into_inner().holiday_calendar.unwrap()
}

pub async fn audited(world: &World) -> Vec<(String, String, String)> {
    let mut tx = world.db().begin_read().await.unwrap();
    tx.sql("SELECT principal, action, outcome FROM audit_event WHERE action = 'import' ORDER BY id")
        .all()
        .await
        .unwrap()
}

on_both_engines! {
    async fn the_example_is_imported_once(app) {
        let world = beside(&app).await;
        let first = import(&world, &example(), false).await.unwrap();
        assert_eq!(counts(&first), (40, 0, 0), "{first:?}");
        let again = import(&world, &example(), false).await.unwrap();
        assert_eq!(counts(&again), (0, 0, 40), "{again:?}");
        let event = ("program:import".to_owned(), "import".to_owned(), "DONE".to_owned());
        assert_eq!(audited(&world).await, [event.clone(), event]);

        let one = counsellors(&app).await.into_iter().find(|it| it.name == "Counsellor Example-One").unwrap();
        assert_eq!((one.etag.as_str(), one.working_hours.len()), ("1", 6));
        let kerala = calendar(&app, "KERALA").await;
        let closed = |on: &str| kerala.holidays.iter().any(|it| it.date == Some(date(on)));
        // A Sunday, a second Saturday, a named day; the last Sunday of the tenth year after 2026.
        assert!(["2026-11-29", "2026-12-12", "2027-08-15", "2036-12-28"].into_iter().all(closed));
        assert!(!["2026-12-05", "2026-12-19", "2037-01-04"].into_iter().any(closed));
    }

    async fn what_differs_is_updated_and_shown(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let files = example_with("counsellors.csv", "Counsellor Example-One,SURVIVOR,FEMALE", "Another Name,SURVIVOR,");
        let report = import(&world, &files, false).await.unwrap();
        assert_eq!(updates(&report), ["counsellor TVM-TRUST/C-01: name, gender"]);
        assert_eq!(counts(&report), (0, 1, 39));

        // Without a file of hours the timetables stay; with one row, one counsellor's is replaced.
        let report = import(&world, &only("counsellors.csv", &text(&example(), "counsellors.csv")), false).await.unwrap();
        assert_eq!(updates(&report), ["counsellor TVM-TRUST/C-01: name, gender"]);
        let hours = "organisation,counsellor,days,starts,ends,venue,valid_from,valid_until,off\n\
                     MRT-TRUST,C-02,SAT;FRI,10:00,24:00,TVM-TRUST/GARDEN,,,\n";
        let refused = problems(import(&world, &only("hours.csv", hours), false).await);
        assert_eq!(refused, ["hours.csv:2:6 (venue): must be a venue of the organisation, or a shared one"]);
        let hours = hours.replace("TVM-TRUST/GARDEN", "GARDEN");
        let report = import(&world, &only("hours.csv", &hours), false).await.unwrap();
        assert_eq!(updates(&report), ["counsellor MRT-TRUST/C-02: working_hours"]);
        let lengths: Vec<_> = counsellors(&app).await.iter().map(|it| (it.code.clone(), it.working_hours.len())).collect();
        assert_eq!(lengths.iter().filter(|(_, hours)| *hours == 6).count(), 5, "{lengths:?}");
    }

    async fn a_calendar_that_changed_is_a_new_version(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let before = calendar(&app, "MEERUT").await;
        let files = example_with("meerut.ics", "SUMMARY:Republic Day", "SUMMARY:Another Name");
        let report = import(&world, &files, false).await.unwrap();
        assert_eq!(updates(&report), ["holiday calendar MRT-TRUST/MEERUT: holidays"]);
        let after = calendar(&app, "MEERUT").await;
        let differ = |it: &pb::HolidayCalendar| it.holidays.iter().find(|it| it.date == Some(date("2026-01-26"))).cloned();
        assert_eq!((differ(&before).unwrap().name.as_str(), differ(&after).unwrap().name.as_str()), ("Republic Day", "Another Name"));
        let request = pb::GetHolidayCalendarRequest { holiday_calendar_id: before.id.clone(), etag: "1".into(), as_of: None };
        let old = app.admin().directory().get_holiday_calendar(request).await.unwrap().into_inner().holiday_calendar;
        assert_eq!(old.unwrap(), before);
    }

    async fn every_mistake_is_named_and_nothing_is_written(app) {
        let world = beside(&app).await;
        let mut files = example_with("sites.csv", "Asia/Kolkata,UP-MRT,120,MEERUT,", "Asia/Kolkatta,UP-MRT,120,UP,");
        files.extend(only("rooms.csv", "organisation,venue,code,name,capacity,floor\nTVM-TRUST,NOWHERE,R1,Room 1,0,2\n"));
        files.extend(only("leave.csv", "organisation,counsellor,starts_at\nTVM-TRUST,C-01,2026-12-01 00:00\n"));
        files.extend(only("hours.csv", "counsellor,organisation,days,starts,ends,venue,valid_from,valid_until,off\r\n\r\n\
                                        C-01,TVM-TRUST,MON;FUN,09:30,17:30,,,,\r\nC-09,TVM-TRUST,MON,17:30,09:30,,,,\r\n"));
        files.extend(only("venue.csv", ""));
        files.extend(only("spare.ics", "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20260101T090000\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n"));
        let named = problems(import(&world, &files, false).await);
        let places: Vec<_> = named.iter().map(|it| it.split_once(": ").unwrap().0).collect();
        assert_eq!(
            places,
            [
                "hours.csv:3:3 (days)",
                "hours.csv:4:1 (counsellor)",
                "hours.csv:4:5 (ends)",
                "leave.csv:1",
                "rooms.csv:1:6 (unknown)",
                "rooms.csv:2:2 (venue)",
                "rooms.csv:2:5 (capacity)",
                "sites.csv:3:4 (zone)",
                "sites.csv:3:7 (holiday_calendar)",
                "spare.ics",
                "spare.ics:3:1 (DTSTART)",
                "venue.csv",
            ],
            "{named:#?}"
        );
        assert!(organisations(&app).await.is_empty());
        let refused = ("program:import".to_owned(), "import".to_owned(), "REFUSED".to_owned());
        assert_eq!(audited(&world).await, [refused]);
    }

    async fn a_trial_changes_nothing(app) {
        let world = beside(&app).await;
        assert_eq!(counts(&import(&world, &example(), true).await.unwrap()), (40, 0, 0));
        assert!(organisations(&app).await.is_empty());
        assert_eq!(counts(&import(&world, &example(), false).await.unwrap()), (40, 0, 0));
    }

    async fn rules_of_the_service_hold_for_rows(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let files = example_with("sites.csv", "Asia/Kolkata,UP-MRT", "Asia/Dhaka,UP-MRT");
        assert_eq!(problems(import(&world, &files, false).await), ["sites.csv:3:4 (zone): cannot be changed"]);
        let files = example_with("venues.csv", "Garden Wing,CENTRE,no\nTVM", "Garden Wing,MRT-TRUST/CENTRE,no\nTVM");
        assert_eq!(problems(import(&world, &files, false).await), ["venues.csv:2:4 (site): cannot be changed"]);
        let files = example_with("counsellors.csv", "A10006", "A10001");
        assert_eq!(
            problems(import(&world, &files, false).await),
            ["counsellors.csv:7:16 (registration): the registration belongs to a counsellor of the other side, and \
              nobody works on both"]
        );
        let files = example_with("rooms.csv", "GARDEN,R2", "GARDEN,R1");
        let twice = |line| format!("rooms.csv:{line}:3 (code): must not be the same as on line {}", line - 1);
        assert_eq!(problems(import(&world, &files, false).await), [twice(3), twice(6)]);
    }

    async fn a_gap_that_booked_sessions_need_is_kept(app) {
        let ngo = Ngo::new(&app, "NGO").await;
        let (one, other) = (ngo.survivor().await, ngo.offender().await);
        let with_one = ngo.counsellor("C-1", pb::Side::Survivor).await;
        let with_other = ngo.counsellor("C-2", pb::Side::Offender).await;
        book(&ngo.coordinator, booking(&ngo, &with_one, &one, "2026-11-24T04:30:00Z")).await.unwrap();
        book(&ngo.coordinator, booking(&ngo, &with_other, &other, "2026-11-24T07:30:00Z")).await.unwrap();
        let sites = "organisation,code,name,zone,district,holiday_calendar,separation_gap_minutes,timetable\n\
                     NGO,SITE-1,Example House SITE-1,Asia/Kolkata,KL-TVM,,121,\n";
        let world = beside(&app).await;
        let refused = problems(import(&world, &only("sites.csv", sites), false).await);
        assert_eq!(
            refused,
            ["sites.csv:2:7 (separation_gap_minutes): sessions that are booked already would be closer than the \
              new separation gap"]
        );
        let report = import(&world, &only("sites.csv", &sites.replace("121", "60")), false).await.unwrap();
        assert_eq!(updates(&report), ["site NGO/SITE-1: separation_gap_minutes"]);
    }

    async fn two_imports_at_once_both_succeed(app) {
        let (one, other) = (beside(&app).await, beside(&app).await);
        let files = example();
        let (one, other) = tokio::join!(import(&one, &files, false), import(&other, &files, false));
        let mut both = [counts(&one.unwrap()), counts(&other.unwrap())];
        both.sort_unstable();
        assert_eq!(both, [(0, 0, 40), (40, 0, 0)]);
    }
}

fn text(files: &Files, name: &str) -> String {
    String::from_utf8(files[name].clone()).unwrap()
}

#[test]
fn the_command_reports_and_refuses() {
    let data = tempfile::tempdir().unwrap();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("README.md"), "not imported").unwrap();
    let run = |text: &str| {
        std::fs::write(directory.path().join("organisations.csv"), text).unwrap();
        let command = &mut Command::new(env!("CARGO_BIN_EXE_aftercare"));
        let command = command.arg("import").arg(directory.path()).arg("--data-dir").arg(data.path());
        let output = command.env_clear().output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    let good = "\u{feff}name,code,district,kind,notice_minutes,horizon_days\r\nExample Trust,A-1,KL-TVM,NGO,,\r\n";
    assert_eq!(run(good), (Some(0), "organisation           1 created      0 updated      0 unchanged\n".into()));
    let says = "organisation           0 created      1 updated      0 unchanged\n\n\
                Updated:\n  organisation A-1: district\n";
    assert_eq!(run(&good.replace("KL-TVM", "KL-KLM")), (Some(0), says.into()));
    let says = "Nothing was imported: one problem.\n  organisations.csv:2:4 (kind): must be one of NGO, POLICE_UNIT\n";
    assert_eq!(run(&good.replace("NGO", "ngo")), (Some(1), says.into()));
}
