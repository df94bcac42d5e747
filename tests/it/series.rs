//! Series are booked: by a rule in local time, all of it or what fits, around holidays and leave.

use aftercare::grpc::pb;
use aftercare::store::Db;
use tonic::Code;

use crate::on_both_engines;
use crate::support::series::{
    book_series, get_series, refused_occurrences, session_of, standing, starts, weekly, what_fits,
};
use crate::support::{Ngo, TestApp, at, book, booking, date, group_of, minutes, refused, time_of_day};

const ID: &str = "0193a5e0-0000-7000-8000-000000000001";
/// The seventeenth Tuesday, 10:00 in Asia/Kolkata.
const SEVENTEENTH: &str = "2027-03-16T04:30:00Z";

/// How many rows there are of whatever a booking writes, but for the audit trail.
async fn rows(app: &TestApp) -> Vec<(String, i64)> {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    let sql = tx.sql(
        "SELECT 'session', COUNT(*) FROM session UNION ALL SELECT 'series', COUNT(*) FROM series
          UNION ALL SELECT 'participant', COUNT(*) FROM session_participant
          UNION ALL SELECT 'occupancy', COUNT(*) FROM occupancy
          UNION ALL SELECT 'presence', COUNT(*) FROM site_presence
          UNION ALL SELECT 'link', COUNT(*) FROM link_presence
          UNION ALL SELECT 'override', COUNT(*) FROM session_override
          UNION ALL SELECT 'request', COUNT(*) FROM request",
    );
    sql.all().await.unwrap()
}

on_both_engines! {
    async fn the_local_time_is_kept_through_a_clock_change(app) {
        let ngo = Ngo::in_zone(&app, "A", "Europe/Berlin").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let answer = book_series(&ngo.coordinator, weekly(&ngo, &counsellor, &client, 24)).await.unwrap();
        let series = answer.series.unwrap();
        assert_eq!((answer.refused.len(), series.occurrences.len()), (0, 24));
        assert_eq!((series.rule.as_str(), series.zone.as_str()), ("FREQ=WEEKLY;BYDAY=TU;COUNT=24", "Europe/Berlin"));
        assert_eq!((series.first_date, series.time), (Some(date("2026-11-24")), Some(time_of_day(10, 0))));
        let all = starts(&series);
        assert_eq!((all[0], all[17]), ("2026-11-24T10:00:00+01:00", "2027-03-23T10:00:00+01:00"));
        assert_eq!((all[18], all[23]), ("2027-03-30T10:00:00+02:00", "2027-05-04T10:00:00+02:00"));
        assert!(all.iter().all(|start| start.contains("T10:00:00")));
        for (occurrence, number) in series.occurrences.iter().zip(1..) {
            let session = occurrence.session.as_ref().unwrap();
            assert_eq!((occurrence.number, session.series_number, &session.series_id), (number, number, &series.id));
            assert_eq!(occurrence.outcome(), pb::OccurrenceOutcome::Booked);
            assert_eq!(occurrence.planned_starts_at, session.starts_at);
            assert_eq!(&ngo.session(&session.id).await, session);
        }
        assert_eq!(get_series(&ngo.coordinator, &series.id).await.unwrap(), series);
        // Each takes its time, and is found by its series.
        let status = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2027-05-04T08:30:00Z")).await.unwrap_err();
        assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY", "CLIENT_BUSY"]);
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2027-05-04T09:00:00Z")).await.unwrap();
        let request = pb::ListSessionsRequest { series_id: series.id.clone(), ..Default::default() };
        let listed = ngo.coordinator.scheduling().list_sessions(request).await.unwrap().into_inner().sessions;
        assert_eq!(listed.len(), 24);
    }

    async fn a_remote_series_has_the_counsellors_time(app) {
        let ngo = Ngo::new(&app, "A").await;
        let zone = |it: &mut pb::Counsellor| it.zone = "America/New_York".into();
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, zone).await;
        let client = ngo.survivor().await;
        let remote = pb::BookSeriesRequest {
            modality: pb::Modality::Remote.into(),
            venue_id: String::new(),
            rule: "FREQ=MONTHLY;BYDAY=2SA;UNTIL=20270410".into(),
            first_date: Some(date("2026-12-12")),
            exceptions: vec![date("2027-02-13")],
            ..weekly(&ngo, &counsellor, &client, 1)
        };
        let series = book_series(&ngo.coordinator, remote).await.unwrap().series.unwrap();
        let second_saturdays = [
            "2026-12-12T10:00:00-05:00",
            "2027-01-09T10:00:00-05:00",
            "2027-03-13T10:00:00-05:00",
            "2027-04-10T10:00:00-04:00",
        ];
        assert_eq!(starts(&series), second_saturdays);
        assert_eq!((series.zone.as_str(), series.exceptions.as_slice()), ("America/New_York", &[date("2027-02-13")][..]));
    }

    async fn all_or_nothing_leaves_nothing_behind(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        book(&ngo.coordinator, booking(&ngo, &counsellor, &other, SEVENTEENTH)).await.unwrap();
        let (before, audited) = (rows(&app).await, app.audit().await.len());
        let request = pb::BookSeriesRequest { request_id: ID.into(), ..weekly(&ngo, &counsellor, &client, 24) };
        let status = book_series(&ngo.coordinator, request.clone()).await.unwrap_err();
        let refusal = refused(&status);
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "BOOKING_REFUSED"));
        assert_eq!(refusal.items, ["COUNSELLOR_BUSY", "ROOM_BUSY"]);
        let [seventeenth] = &refused_occurrences(&status)[..] else { panic!("{status:?}") };
        let rules = [pb::BookingRule::CounsellorBusy, pb::BookingRule::RoomBusy].map(i32::from);
        assert_eq!((seventeenth.number, &seventeenth.rules[..]), (17, &rules[..]));
        assert_eq!((seventeenth.local_start.as_str(), seventeenth.starts_at), ("2027-03-16T10:00:00+05:30", at(SEVENTEENTH)));
        assert_eq!(seventeenth.alternatives.len(), 3);
        assert_eq!(seventeenth.alternatives[0].local_start, "2027-03-16T11:00:00+05:30");
        assert_eq!(rows(&app).await, before);
        let trail = app.audit().await;
        assert_eq!(trail.len(), audited + 1);
        let last = trail.iter().find(|it| it.action.ends_with("/BookSeries")).unwrap();
        assert_eq!(last.outcome, "REFUSED");
        assert!(last.details.contains("COUNSELLOR_BUSY") && last.subjects.contains(&client.id));
        // The refusal was not kept under its request id.
        let [session] = &listed(&ngo, &other).await[..] else { panic!() };
        ngo.cancel(session).await.unwrap();
        book_series(&ngo.coordinator, request).await.unwrap();
    }

    async fn what_fits_is_booked_and_a_number_is_made_up(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        book(&ngo.coordinator, booking(&ngo, &counsellor, &other, SEVENTEENTH)).await.unwrap();
        let request = pb::BookSeriesRequest { request_id: ID.into(), ..what_fits(weekly(&ngo, &counsellor, &client, 24)) };
        let answer = book_series(&ngo.coordinator, request.clone()).await.unwrap();
        let series = answer.series.clone().unwrap();
        assert_eq!((series.occurrences.len(), standing(&series).len()), (24, 23));
        let seventeenth = &series.occurrences[16];
        assert_eq!((seventeenth.number, seventeenth.outcome()), (17, pb::OccurrenceOutcome::Refused));
        assert_eq!(seventeenth.rules, [i32::from(pb::BookingRule::CounsellorBusy)]);
        let [refused_one] = &answer.refused[..] else { panic!("{:?}", answer.refused) };
        assert_eq!((refused_one.number, refused_one.alternatives.len()), (17, 3));
        assert_eq!(book_series(&ngo.coordinator, request.clone()).await.unwrap(), answer);

        // What was offered is accepted, under the number that was refused.
        let slot = &refused_one.alternatives[0];
        let make_up = pb::BookSessionRequest {
            starts_at: slot.starts_at,
            series_id: series.id.clone(),
            series_number: 17,
            ..booking(&ngo, &counsellor, &client, SEVENTEENTH)
        };
        let wrong = |series_number, request: &pb::BookSessionRequest| pb::BookSessionRequest { series_number, ..request.clone() };
        for number in [0, -1, 25] {
            let refusal = refused(&book(&ngo.coordinator, wrong(number, &make_up)).await.unwrap_err());
            assert_eq!((refusal.code, refusal.items.as_slice()), (Code::InvalidArgument, &["series_number".to_owned()][..]));
        }
        let refusal = refused(&book(&ngo.coordinator, wrong(16, &make_up)).await.unwrap_err());
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "NUMBER_STANDS"));
        let somebody = pb::BookSessionRequest { client_id: other.id.clone(), ..make_up.clone() };
        assert_eq!(refused(&book(&ngo.coordinator, somebody).await.unwrap_err()).items, ["series_id"]);
        let nobody = pb::BookSessionRequest { series_id: client.id.clone(), ..make_up.clone() };
        assert_eq!(book(&ngo.coordinator, nobody).await.unwrap_err().code(), Code::NotFound);
        let made_up = book(&ngo.coordinator, make_up.clone()).await.unwrap();
        assert_eq!((&made_up.series_id, made_up.series_number), (&series.id, 17));
        let now = get_series(&ngo.coordinator, &series.id).await.unwrap();
        assert_eq!((session_of(&now, 17), standing(&now).len()), (&made_up, 24));
        let again = pb::BookSessionRequest { starts_at: refused_one.alternatives[1].starts_at, ..make_up };
        assert_eq!(refused(&book(&ngo.coordinator, again).await.unwrap_err()).reason, "NUMBER_STANDS");
        // The first answer, as it stands now.
        let replayed = book_series(&ngo.coordinator, request).await.unwrap();
        assert_eq!((replayed.series.unwrap(), replayed.refused), (now, vec![]));
    }

    async fn a_cancelled_number_is_made_up(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let series = book_series(&ngo.coordinator, weekly(&ngo, &counsellor, &client, 3)).await.unwrap().series.unwrap();
        let cancelled = ngo.cancel(session_of(&series, 2)).await.unwrap();
        let now = get_series(&ngo.coordinator, &series.id).await.unwrap();
        assert_eq!((session_of(&now, 2), &now.etag), (&cancelled, &series.etag));
        let make_up = pb::BookSessionRequest {
            series_id: series.id.clone(),
            series_number: 2,
            ..booking(&ngo, &counsellor, &client, "2026-12-02T04:30:00Z")
        };
        let made_up = book(&ngo.coordinator, make_up).await.unwrap();
        let now = get_series(&ngo.coordinator, &series.id).await.unwrap();
        assert_eq!(session_of(&now, 2), &made_up);
    }

    async fn what_comes_before_counts_for_what_follows(app) {
        let ngo = Ngo::new(&app, "A").await;
        let limit = |it: &mut pb::Counsellor| it.weekly_limit = Some(2);
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, limit).await;
        let client = ngo.survivor().await;
        let daily = pb::BookSeriesRequest { rule: "FREQ=DAILY;COUNT=8".into(), ..weekly(&ngo, &counsellor, &client, 1) };
        let answer = book_series(&ngo.coordinator, what_fits(daily.clone())).await.unwrap();
        let refused: Vec<_> = answer.refused.iter().map(|it| it.number).collect();
        // Tuesday to Sunday, and the Monday and the Tuesday after.
        assert_eq!(refused, [3, 4, 5, 6]);
        let rules = |it: &pb::RefusedOccurrence| it.rules == [i32::from(pb::BookingRule::WeeklyLoad)];
        assert!(answer.refused.iter().all(rules));
    }

    async fn a_series_of_which_nothing_fits_is_none(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Offender).await;
        let client = ngo.survivor().await;
        let before = rows(&app).await;
        let status = book_series(&ngo.coordinator, what_fits(weekly(&ngo, &counsellor, &client, 3))).await.unwrap_err();
        assert_eq!(refused(&status).items, ["WRONG_SIDE"]);
        assert_eq!(refused_occurrences(&status).iter().map(|it| it.number).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(rows(&app).await, before);
    }

    async fn a_group_meets_every_week(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (lead, second) =
            (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("O2", pb::Side::Offender).await);
        let clients = [ngo.offender().await, ngo.offender().await];
        let mut group = group_of(8, &clients, Default::default()).group.unwrap();
        group.co_facilitator_ids = vec![second.id.clone()];
        let weekly = weekly(&ngo, &lead, &clients[0], 5);
        let request = pb::BookSeriesRequest { client_id: String::new(), group: Some(group), ..weekly };
        let series = book_series(&ngo.coordinator, request).await.unwrap().series.unwrap();
        assert_eq!(standing(&series).len(), 5);
        let fifth = session_of(&series, 5).group.as_ref().unwrap();
        assert_eq!((fifth.participants.len(), fifth.capacity), (2, 8));
        let status = book(&ngo.coordinator, booking(&ngo, &second, &clients[0], "2026-12-22T04:30:00Z")).await.unwrap_err();
        assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY", "CLIENT_BUSY"]);
    }

    async fn bad_input_names_every_field(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let fields = |status: tonic::Status| {
            let refusal = refused(&status);
            assert_eq!((refusal.code, refusal.reason.as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
            refusal.items
        };
        let before = rows(&app).await;
        let empty = book_series(&ngo.coordinator, pb::BookSeriesRequest::default()).await.unwrap_err();
        let required = ["client_id", "counsellor_id", "service", "modality", "length", "first_date", "time", "rule", "mode"];
        assert_eq!(fields(empty), required);
        let wrong = pb::BookSeriesRequest {
            request_id: "x".into(),
            length: Some(minutes(5)),
            time: Some(time_of_day(24, 0)),
            rule: "FREQ=WEEKLY;BYDAY=WE;COUNT=3".into(),
            exceptions: vec![date("2026-12-01"), pb::google::r#type::Date { month: 13, ..date("2026-12-01") }],
            mode: 9,
            on_closure: pb::OnClosure::NextFree.into(),
            shift_within_days: 32,
            overrides: vec![pb::RuleOverride { rule: pb::BookingRule::NoAgreement.into(), reason: "x".into() }],
            ..weekly(&ngo, &counsellor, &client, 1)
        };
        let named = [
            "request_id", "length", "time", "exceptions[1]", "first_date", "mode", "shift_within_days",
            "overrides[0].rule", "overrides[0].reason",
        ];
        assert_eq!(fields(book_series(&ngo.coordinator, wrong).await.unwrap_err()), named);
        for (rule, field) in [
            ("FREQ=WEEKLY;BYDAY=TU", "rule"),
            ("FREQ=WEEKLY;BYDAY=TU;COUNT=61", "rule"),
            ("FREQ=WEEKLY;BYDAY=TU;COUNT=3;UNTIL=20271231", "rule"),
            ("FREQ=WEEKLY;BYDAY=TU;UNTIL=20261101", "rule"),
            ("every Tuesday", "rule"),
        ] {
            let request = pb::BookSeriesRequest { rule: rule.into(), ..weekly(&ngo, &counsellor, &client, 1) };
            assert_eq!(fields(book_series(&ngo.coordinator, request).await.unwrap_err()), [field], "{rule}");
        }
        // A day that only some zones have is asked of the zone of the place.
        let late = pb::BookSeriesRequest { rule: "FREQ=DAILY;UNTIL=20261123T190000Z".into(), ..weekly(&ngo, &counsellor, &client, 1) };
        book_series(&ngo.coordinator, late).await.unwrap();
        let early = pb::BookSeriesRequest { rule: "FREQ=DAILY;UNTIL=20261123T180000Z".into(), ..weekly(&ngo, &counsellor, &client, 1) };
        assert_eq!(fields(book_series(&ngo.coordinator, early).await.unwrap_err()), ["rule"]);
        let after = rows(&app).await;
        assert_eq!((after[0].1, after[1].1), (before[0].1 + 1, before[1].1 + 1));
    }

    async fn a_series_is_its_organisations_own(app) {
        let (ngo, foreign) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let (mine, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let client = ngo.survivor().await;
        let series = book_series(&ngo.coordinator, weekly(&ngo, &mine, &client, 3)).await.unwrap().series.unwrap();
        let known = get_series(&foreign.coordinator, &series.id).await.unwrap_err();
        let never = get_series(&foreign.coordinator, ID).await.unwrap_err();
        assert_eq!((known.code(), known.message(), known.details()), (Code::NotFound, never.message(), never.details()));
        let theirs = foreign.counsellor("C1", pb::Side::Survivor).await;
        let status = book_series(&ngo.coordinator, weekly(&ngo, &theirs, &client, 3)).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        // Counsellors see what they lead, and book nothing.
        let (me, colleague) = (ngo.as_counsellor(&app, &mine), ngo.as_counsellor(&app, &other));
        assert_eq!(get_series(&me, &series.id).await.unwrap(), series);
        assert_eq!(get_series(&colleague, &series.id).await.unwrap_err().code(), Code::NotFound);
        let denied = book_series(&me, weekly(&ngo, &mine, &client, 1)).await.unwrap_err();
        assert_eq!(denied.code(), Code::PermissionDenied);
        let third = session_of(&series, 3);
        let request = pb::ReassignCounsellorRequest {
            session_id: third.id.clone(),
            etag: third.etag.clone(),
            counsellor_id: other.id.clone(),
            ..Default::default()
        };
        let given = ngo.coordinator.scheduling().reassign_counsellor(request).await.unwrap().into_inner().session.unwrap();
        assert_eq!((&given.series_id, given.series_number), (&series.id, 3));
        let numbers = |series: pb::Series| series.occurrences.iter().map(|it| it.number).collect::<Vec<_>>();
        assert_eq!(numbers(get_series(&me, &series.id).await.unwrap()), [1, 2]);
        assert_eq!(numbers(get_series(&colleague, &series.id).await.unwrap()), [3]);
    }
}

async fn listed(ngo: &Ngo, client: &pb::Client) -> Vec<pb::Session> {
    let request = pb::ListSessionsRequest { client_id: client.id.clone(), ..Default::default() };
    ngo.coordinator.scheduling().list_sessions(request).await.unwrap().into_inner().sessions
}
