//! What nobody has recorded is unknown: it is listed until somebody does, however long that takes, and it is never
//! an absence.

use aftercare::grpc::pb;
use aftercare::store::Db;
use pb::AttendanceOutcome as Outcome;
use tonic::Code;

use crate::attendance::{clinical_lead, set, wrong};
use crate::on_both_engines;
use crate::support::attendance::{history, record, recording, unrecorded};
use crate::support::{Actor, Ngo, TestApp, at, book, booking, date, facts, group_of, minutes, refused};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata

async fn list(actor: &Actor, request: pb::ListUnrecordedRequest) -> pb::ListUnrecordedResponse {
    actor.attendance().list_unrecorded(request).await.unwrap().into_inner()
}

/// Whether each session of which something is to be recorded has escalated.
async fn escalated(actor: &Actor) -> Vec<bool> {
    unrecorded(actor).await.iter().map(|it| it.escalated).collect()
}

/// How many records there are at all.
async fn records(app: &TestApp) -> i64 {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    tx.sql("SELECT count(*) FROM attendance").maybe::<(i64,)>().await.unwrap().unwrap().0
}

/// Gives the site of an organisation a calendar with these holidays.
async fn close(app: &TestApp, ngo: &Ngo, days: &[&str]) {
    let holidays = days.iter().map(|day| pb::Holiday { date: Some(date(day)), name: "Example".into() }).collect();
    let calendar = pb::HolidayCalendar { code: "H".into(), name: "Example".into(), holidays, ..Default::default() };
    let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
    let mut directory = ngo.coordinator.directory();
    let made = directory.create_holiday_calendar(request).await.unwrap().into_inner().holiday_calendar.unwrap();
    let site = pb::Site { holiday_calendar_id: made.id, ..ngo.site.clone() };
    let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
    app.admin().directory().update_site(request).await.unwrap();
}

on_both_engines! {
    async fn what_is_not_recorded_is_listed_for_as_long_as_it_takes(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let client = ngo.offender().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        set(&app, &mut ngo, "2026-11-24T05:29:59Z");
        assert!(unrecorded(&ngo.coordinator).await.is_empty());
        set(&app, &mut ngo, "2026-11-24T05:30:00Z");
        let [open] = &unrecorded(&ngo.coordinator).await[..] else { panic!() };
        assert_eq!((open.session.as_ref(), &open.client_ids), (Some(&session), &vec![client.id.clone()]));
        assert_eq!((open.due_on, open.escalated), (Some(date("2026-11-26")), false));
        // A year later nothing was written by anybody, least of all by a clock.
        set(&app, &mut ngo, "2027-11-24T05:30:00Z");
        app.run_jobs().await;
        assert_eq!((unrecorded(&ngo.coordinator).await.len(), records(&app).await), (1, 0));
        assert!(history(&ngo.coordinator, &session).await.unwrap().is_empty());
        record(&ngo.coordinator, recording(&session, &client, Outcome::AttendedComplied)).await.unwrap();
        assert!(unrecorded(&ngo.coordinator).await.is_empty());
    }

    async fn it_escalates_after_two_working_days_of_the_site(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        close(&app, &ngo, &["2026-11-30"]).await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let client = ngo.offender().await;
        // On a Friday: Monday is a holiday, so Wednesday is the second working day. Remote, it is Tuesday.
        let friday = "2026-11-27T04:30:00Z";
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, friday)).await.unwrap();
        let mut remote = booking(&ngo, &counsellor, &client, "2026-11-27T06:30:00Z");
        (remote.modality, remote.venue_id) = (pb::Modality::Remote.into(), String::new());
        book(&ngo.coordinator, remote).await.unwrap();
        // The days are those of Asia/Kolkata: one begins at 18:30 of the day before.
        for (now, expected) in [
            ("2026-12-01T18:29:59Z", [false, false]),
            ("2026-12-01T18:30:00Z", [false, true]),
            ("2026-12-02T18:29:59Z", [false, true]),
            ("2026-12-02T18:30:00Z", [true, true]),
        ] {
            set(&app, &mut ngo, now);
            assert_eq!(escalated(&ngo.coordinator).await, expected, "{now}");
        }
        let due: Vec<_> = unrecorded(&ngo.coordinator).await.iter().map(|it| it.due_on.unwrap()).collect();
        assert_eq!(due, [date("2026-12-02"), date("2026-12-01")]);
    }

    async fn the_oldest_come_first_and_pages_follow(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let (one, two) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("C1", pb::Side::Survivor).await);
        let (offender, survivor) = (ngo.offender().await, ngo.survivor().await);
        let mut sessions = Vec::new();
        for day in [28, 24, 26, 25, 27] {
            let (counsellor, client) = if day % 2 == 0 { (&one, &offender) } else { (&two, &survivor) };
            let start = format!("2026-11-{day}T04:30:00Z");
            sessions.push((day, book(&ngo.coordinator, booking(&ngo, counsellor, client, &start)).await.unwrap().id));
        }
        sessions.sort();
        let ids = |days: &[u32]| {
            let of = |day: &u32| sessions.iter().find(|(it, _)| it == day).unwrap().1.clone();
            days.iter().map(of).collect::<Vec<_>>()
        };
        set(&app, &mut ngo, "2026-11-28T06:00:00Z");
        let seen = |response: &pb::ListUnrecordedResponse| -> Vec<String> {
            response.sessions.iter().map(|it| it.session.as_ref().unwrap().id.clone()).collect()
        };
        let mut request = pb::ListUnrecordedRequest { page_size: 2, ..Default::default() };
        let mut all = Vec::new();
        loop {
            let page = list(&ngo.coordinator, request.clone()).await;
            assert!(page.sessions.len() <= 2);
            all.extend(seen(&page));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(all, ids(&[24, 25, 26, 27, 28]));
        // Counsellors see their own whatever they ask for; coordinators and the clinical lead what they ask for.
        let of_two = pb::ListUnrecordedRequest { counsellor_id: two.id.clone(), ..Default::default() };
        assert_eq!(seen(&list(&ngo.coordinator, of_two.clone()).await), ids(&[25, 27]));
        assert_eq!(seen(&list(&clinical_lead(&app, &ngo), of_two.clone()).await), ids(&[25, 27]));
        assert_eq!(seen(&list(&ngo.as_counsellor(&app, &two), of_two.clone()).await), ids(&[25, 27]));
        let own = list(&ngo.as_counsellor(&app, &one), pb::ListUnrecordedRequest::default()).await;
        assert_eq!(seen(&own), ids(&[24, 26, 28]));
        assert!(list(&ngo.as_counsellor(&app, &one), of_two).await.sessions.is_empty());
        assert!(unrecorded(&Ngo::new(&app, "B").await.coordinator).await.is_empty());
    }

    async fn a_past_session_is_written_down_with_who_was_there(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let (one, two) = (ngo.offender().await, ngo.offender().await);
        set(&app, &mut ngo, "2026-11-25T04:00:00Z");
        let group = group_of(3, &[one.clone(), two.clone()], booking(&ngo, &counsellor, &one, TEN));
        let attended = |client: &pb::Client, outcome| pb::PastAttendance {
            client_id: client.id.clone(),
            facts: Some(facts(outcome)),
        };
        let past = |attendances: Vec<pb::PastAttendance>| {
            let request = pb::RecordPastSessionRequest {
                counsellor_id: counsellor.id.clone(),
                service: group.service,
                modality: group.modality,
                venue_id: ngo.venue.id.clone(),
                starts_at: at(TEN),
                length: Some(minutes(60)),
                reason: "the line was down".into(),
                group: group.group.clone(),
                attendances,
                ..Default::default()
            };
            let mut scheduling = ngo.coordinator.scheduling();
            async move { scheduling.record_past_session(request).await.map(|it| it.into_inner().session.unwrap()) }
        };
        let (came, missed) = (attended(&one, Outcome::Late), attended(&two, Outcome::NoShow));
        let stranger = ngo.offender().await;
        for wrong_ones in [
            vec![],
            vec![came.clone()],
            vec![came.clone(), came.clone()],
            vec![came.clone(), missed.clone(), attended(&stranger, Outcome::NoShow)],
        ] {
            assert_eq!(wrong(past(wrong_ones).await), ["attendances"]);
        }
        let mut bad = attended(&two, Outcome::LeftEarly);
        bad.facts.as_mut().unwrap().attended_for = Some(minutes(60));
        let chosen = attended(&one, Outcome::LateCancelled);
        assert_eq!(wrong(past(vec![chosen, bad]).await), ["attendances[0].facts.outcome", "attendances[1].facts.attended_for"]);
        let session = past(vec![missed, came]).await.unwrap();
        let standing = |it: &pb::AttendanceHistory| (it.client_id.clone(), it.records[0].facts.as_ref().unwrap().outcome());
        let mut all: Vec<_> = history(&ngo.coordinator, &session).await.unwrap().iter().map(standing).collect();
        let mut expected = [(one.id.clone(), Outcome::Late), (two.id.clone(), Outcome::NoShow)];
        all.sort_by(|one, other| one.0.cmp(&other.0));
        expected.sort_by(|one, other| one.0.cmp(&other.0));
        assert_eq!(all, expected);
        assert!(unrecorded(&ngo.coordinator).await.is_empty());
        let again = refused(&record(&ngo.coordinator, recording(&session, &one, Outcome::NoShow)).await.unwrap_err());
        assert_eq!((again.code, again.reason.as_str()), (Code::FailedPrecondition, "ALREADY_RECORDED"));
    }
}
