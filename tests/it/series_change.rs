//! Series are moved and cancelled from one number on; what has taken place stays as it was.

use aftercare::grpc::pb;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::series::{book_series, get_series, refused_occurrences, session_of, standing, weekly};
use crate::support::{Actor, Ngo, TestApp, book, booking, date, group_of, minutes, refused, time_of_day};

const ID: &str = "0193a5e0-0000-7000-8000-000000000001";

fn cancel(series: &pb::Series, from_number: i32) -> pb::CancelSeriesRequest {
    pb::CancelSeriesRequest {
        series_id: series.id.clone(),
        etag: series.etag.clone(),
        from_number,
        reason: pb::CancelReason::Client.into(),
        ..Default::default()
    }
}

async fn cancel_series(actor: &Actor, request: pb::CancelSeriesRequest) -> Result<pb::CancelSeriesResponse, Status> {
    Ok(actor.scheduling().cancel_series(request).await?.into_inner())
}

fn to(series: &pb::Series, from_number: i32) -> pb::RescheduleSeriesRequest {
    pb::RescheduleSeriesRequest {
        series_id: series.id.clone(),
        etag: series.etag.clone(),
        from_number,
        reason: pb::CancelReason::Provider.into(),
        mode: pb::SeriesMode::AllOrNothing.into(),
        ..Default::default()
    }
}

/// Every week on a day of the week, at a full hour.
fn weeks(series: &pb::Series, from_number: i32, day: &str, first: &str, hour: i32) -> pb::RescheduleSeriesRequest {
    pb::RescheduleSeriesRequest {
        rule: format!("FREQ=WEEKLY;BYDAY={day}"),
        first_date: Some(date(first)),
        time: Some(time_of_day(hour, 0)),
        ..to(series, from_number)
    }
}

async fn reschedule(
    actor: &Actor,
    request: pb::RescheduleSeriesRequest,
) -> Result<pb::RescheduleSeriesResponse, Status> {
    Ok(actor.scheduling().reschedule_series(request).await?.into_inner())
}

/// A weekly series of a new client with a counsellor.
async fn series_of(ngo: &Ngo, counsellor: &pb::Counsellor, count: u32) -> pb::Series {
    let client = ngo.survivor().await;
    book_series(&ngo.coordinator, weekly(ngo, counsellor, &client, count)).await.unwrap().series.unwrap()
}

/// Month, day and hour at which sessions stand, by number; a cancelled one has a cross.
fn days(series: &pb::Series) -> Vec<String> {
    let sign = |state| if state == pb::SessionState::Booked { "" } else { " x" };
    standing(series).into_iter().map(|(_, start, state)| format!("{}{}", &start[5..13], sign(state))).collect()
}

fn move_clock(app: &TestApp, ngo: &mut Ngo, to: &str) {
    app.clock.set(to.parse().unwrap());
    ngo.sign_in(app);
}

on_both_engines! {
    async fn what_is_to_come_is_cancelled(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let series = series_of(&ngo, &counsellor, 5).await;
        let by_hand = ngo.cancel(session_of(&series, 4)).await.unwrap();
        // The second has begun.
        move_clock(&app, &mut ngo, "2026-12-01T04:30:00Z");
        let before = get_series(&ngo.coordinator, &series.id).await.unwrap();
        let request = pb::CancelSeriesRequest { request_id: ID.into(), ..cancel(&before, 2) };
        let answer = cancel_series(&ngo.coordinator, request.clone()).await.unwrap();
        assert_eq!(answer.cancelled.iter().map(|it| it.series_number).collect::<Vec<_>>(), [3, 5]);
        let after = answer.series.clone().unwrap();
        assert_eq!(days(&after), ["11-24T10", "12-01T10", "12-08T10 x", "12-15T10 x", "12-22T10 x"]);
        for number in [1, 2] {
            assert_eq!(session_of(&after, number), session_of(&before, number));
        }
        assert_eq!(session_of(&after, 4), &by_hand);
        assert_eq!(session_of(&after, 5).cancel_reason(), pb::CancelReason::Client);
        assert_eq!(get_series(&ngo.coordinator, &series.id).await.unwrap(), after);
        // The time is free again.
        let other = ngo.survivor().await;
        book(&ngo.coordinator, booking(&ngo, &counsellor, &other, "2026-12-08T04:30:00Z")).await.unwrap();
        let replayed = cancel_series(&ngo.coordinator, request).await.unwrap();
        assert_eq!(replayed.series, answer.series);
        let stale = refused(&cancel_series(&ngo.coordinator, cancel(&before, 1)).await.unwrap_err());
        assert_eq!((stale.code, stale.reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"));
        let nothing = cancel_series(&ngo.coordinator, cancel(&after, 1)).await.unwrap();
        assert_eq!(nothing.cancelled, []);
    }

    async fn a_cancelled_series_frees_the_day_of_a_link(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
        let series = book_series(&ngo.coordinator, weekly(&ngo, &one, &survivor, 3)).await.unwrap().series.unwrap();
        let late = book(&ngo.coordinator, booking(&ngo, &other, &offender, "2026-12-01T10:00:00Z")).await.unwrap();
        let case = ngo.party_of("12/2026", "Example Nagar", &survivor).await;
        ngo.add_party(&case, &offender, 2).await;
        assert_eq!(ngo.session(&late.id).await.flags, [i32::from(pb::BookingRule::SlotNotAvailable)]);
        let series = get_series(&ngo.coordinator, &series.id).await.unwrap();
        cancel_series(&ngo.coordinator, cancel(&series, 1)).await.unwrap();
        assert_eq!(ngo.session(&late.id).await.flags, [0; 0]);
        // Now the day is the other's.
        let status = book(&ngo.coordinator, booking(&ngo, &one, &survivor, "2026-12-01T04:30:00Z")).await.unwrap_err();
        assert_eq!(refused(&status).items, ["SLOT_NOT_AVAILABLE"]);
    }

    async fn from_one_number_on_the_days_are_others(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let series = series_of(&ngo, &counsellor, 5).await;
        ngo.cancel(session_of(&series, 4)).await.unwrap();
        move_clock(&app, &mut ngo, "2026-12-01T04:30:00Z");
        let before = get_series(&ngo.coordinator, &series.id).await.unwrap();
        let request = weeks(&before, 2, "TH", "2026-12-10", 14);
        let answer = reschedule(&ngo.coordinator, request).await.unwrap();
        let after = answer.series.unwrap();
        assert_eq!(days(&after), ["11-24T10", "12-01T10", "12-10T14", "12-15T10 x", "12-17T14"]);
        for number in [1, 2, 4] {
            assert_eq!(session_of(&after, number), session_of(&before, number));
        }
        for number in [3, 5] {
            let (old, new) = (session_of(&before, number), session_of(&after, number));
            assert_eq!((&new.supersedes_session_id, new.series_number, &new.series_id), (&old.id, number, &series.id));
            let old = ngo.session(&old.id).await;
            assert_eq!((old.state(), &old.superseded_by_session_id), (pb::SessionState::Rescheduled, &new.id));
        }
        assert_eq!(after.occurrences[4].planned_local_start, "2026-12-17T14:00:00+05:30");
        assert_eq!((after.rule.as_str(), after.occurrences.len()), ("FREQ=WEEKLY;BYDAY=TU;COUNT=5", 5));
        let stale = refused(&reschedule(&ngo.coordinator, to_eleven(&before, 1)).await.unwrap_err());
        assert_eq!((stale.code, stale.reason.as_str()), (Code::Aborted, "ETAG_MISMATCH"));
    }

    async fn its_own_sessions_are_not_in_its_way(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let limit = |it: &mut pb::Counsellor| it.weekly_limit = Some(1);
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, limit).await;
        let series = series_of(&ngo, &counsellor, 4).await;
        // A week later, each where the next one was; by half an hour; and back again.
        let later = reschedule(&ngo.coordinator, weeks(&series, 1, "TU", "2026-12-01", 10)).await.unwrap().series.unwrap();
        assert_eq!(days(&later), ["12-01T10", "12-08T10", "12-15T10", "12-22T10"]);
        let half = pb::RescheduleSeriesRequest { time: Some(time_of_day(10, 30)), ..to(&later, 1) };
        let half = reschedule(&ngo.coordinator, half).await.unwrap().series.unwrap();
        assert_eq!(session_of(&half, 4).local_start, "2026-12-22T10:30:00+05:30");
        let back = reschedule(&ngo.coordinator, weeks(&half, 1, "TU", "2026-11-24", 10)).await.unwrap().series.unwrap();
        assert_eq!(days(&back), days(&series));
    }

    async fn another_counsellor_place_and_length(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let series = series_of(&ngo, &one, 4).await;
        let venue = ngo.second_site(&app).await;
        let request = pb::RescheduleSeriesRequest {
            counsellor_id: other.id.clone(),
            modality: pb::Modality::InPerson.into(),
            venue_id: venue.id.clone(),
            length: Some(minutes(90)),
            ..to(&series, 3)
        };
        let after = reschedule(&ngo.coordinator, request).await.unwrap().series.unwrap();
        assert_eq!(days(&after), days(&series));
        for (number, counsellor, venue, length) in [(2, &one, &ngo.venue, 3600), (3, &other, &venue, 5400), (4, &other, &venue, 5400)] {
            let it = session_of(&after, number);
            assert_eq!((&it.counsellor_id, &it.venue_id), (&counsellor.id, &venue.id));
            assert_eq!(it.ends_at.unwrap().seconds - it.starts_at.unwrap().seconds, length);
        }
        // Local time stays what it was, whatever the zone of the one who listens.
        let zone = |it: &mut pb::Counsellor| it.zone = "Europe/Berlin".into();
        let abroad = ngo.counsellor_with("C3", pb::Side::Survivor, zone).await;
        let remote = pb::RescheduleSeriesRequest {
            counsellor_id: abroad.id.clone(),
            modality: pb::Modality::Remote.into(),
            ..to(&after, 4)
        };
        let after = reschedule(&ngo.coordinator, remote).await.unwrap().series.unwrap();
        assert_eq!(session_of(&after, 4).local_start, "2026-12-15T10:00:00+01:00");
        assert_eq!(after.occurrences[3].planned_local_start, "2026-12-15T14:30:00+05:30");
    }

    async fn what_cannot_be_moved_stays(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let series = series_of(&ngo, &counsellor, 4).await;
        let other = ngo.survivor().await;
        book(&ngo.coordinator, booking(&ngo, &counsellor, &other, "2026-12-08T09:30:00Z")).await.unwrap();
        let request = pb::RescheduleSeriesRequest { time: Some(time_of_day(15, 0)), ..to(&series, 2) };
        let status = reschedule(&ngo.coordinator, request.clone()).await.unwrap_err();
        assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY"]);
        let [third] = &refused_occurrences(&status)[..] else { panic!("{status:?}") };
        assert_eq!((third.number, third.local_start.as_str()), (3, "2026-12-08T15:00:00+05:30"));
        assert_eq!(third.alternatives.len(), 3);
        assert_eq!(get_series(&ngo.coordinator, &series.id).await.unwrap(), series);
        let fits = pb::RescheduleSeriesRequest {
            request_id: ID.into(),
            mode: pb::SeriesMode::BookWhatFits.into(),
            ..request
        };
        let answer = reschedule(&ngo.coordinator, fits.clone()).await.unwrap();
        let after = answer.series.clone().unwrap();
        assert_eq!(days(&after), ["11-24T10", "12-01T15", "12-08T10", "12-15T15"]);
        assert_eq!(session_of(&after, 3), session_of(&series, 3));
        assert_eq!(answer.refused.iter().map(|it| (it.number, it.alternatives.len())).collect::<Vec<_>>(), [(3, 3)]);
        assert_eq!(after.occurrences[2].rules, [i32::from(pb::BookingRule::CounsellorBusy)]);
        assert_eq!(after.occurrences[2].planned_local_start, "2026-12-08T10:00:00+05:30");
        let replayed = reschedule(&ngo.coordinator, fits).await.unwrap();
        assert_eq!(replayed.series, answer.series);
        let numbers = |all: &[pb::RefusedOccurrence]| all.iter().map(|it| (it.number, it.starts_at)).collect::<Vec<_>>();
        assert_eq!(numbers(&replayed.refused), numbers(&answer.refused));
    }

    async fn a_group_moves_with_who_is_in_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let clients = [ngo.offender().await, ngo.offender().await];
        let group = group_of(6, &clients, Default::default()).group;
        let weekly = weekly(&ngo, &counsellor, &clients[0], 3);
        let request = pb::BookSeriesRequest { client_id: String::new(), group, ..weekly };
        let series = book_series(&ngo.coordinator, request).await.unwrap().series.unwrap();
        let after = reschedule(&ngo.coordinator, to_eleven(&series, 2)).await.unwrap().series.unwrap();
        assert_eq!(days(&after), ["11-24T10", "12-01T11", "12-08T11"]);
        let who = |it: &pb::Session| it.group.as_ref().unwrap().participants.iter().map(|it| it.client_id.clone()).collect::<Vec<_>>();
        assert_eq!(who(session_of(&after, 3)), who(session_of(&series, 3)));
        let gone = cancel_series(&ngo.coordinator, cancel(&after, 1)).await.unwrap();
        assert_eq!(gone.cancelled.len(), 3);
    }

    async fn wrong_fields_and_others_series(app) {
        let (ngo, foreign) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let series = series_of(&ngo, &counsellor, 2).await;
        let fields = |status: Status| {
            let refusal = refused(&status);
            assert_eq!(refusal.code, Code::InvalidArgument, "{status:?}");
            refusal.items
        };
        let empty = reschedule(&ngo.coordinator, Default::default()).await.unwrap_err();
        assert_eq!(fields(empty), ["series_id", "etag", "from_number", "reason", "mode", "rule"]);
        let empty = cancel_series(&ngo.coordinator, Default::default()).await.unwrap_err();
        assert_eq!(fields(empty), ["series_id", "etag", "from_number", "reason"]);
        let endless = pb::RescheduleSeriesRequest { rule: "FREQ=DAILY;COUNT=3".into(), ..to(&series, 1) };
        assert_eq!(fields(reschedule(&ngo.coordinator, endless).await.unwrap_err()), ["first_date", "time", "rule"]);
        let other_day = weeks(&series, 1, "TH", "2026-12-09", 10);
        assert_eq!(fields(reschedule(&ngo.coordinator, other_day).await.unwrap_err()), ["first_date"]);
        let beyond = to_eleven(&series, 3);
        assert_eq!(fields(reschedule(&ngo.coordinator, beyond).await.unwrap_err()), ["from_number"]);
        for status in [
            reschedule(&foreign.coordinator, to_eleven(&series, 1)).await.unwrap_err(),
            cancel_series(&foreign.coordinator, cancel(&series, 1)).await.unwrap_err(),
        ] {
            assert_eq!(status.code(), Code::NotFound);
        }
        let me = ngo.as_counsellor(&app, &counsellor);
        assert_eq!(cancel_series(&me, cancel(&series, 1)).await.unwrap_err().code(), Code::PermissionDenied);
        assert_eq!(reschedule(&me, to_eleven(&series, 1)).await.unwrap_err().code(), Code::PermissionDenied);
        assert_eq!(get_series(&ngo.coordinator, &series.id).await.unwrap(), series);
    }
}

/// Every session on its own day, at eleven.
fn to_eleven(series: &pb::Series, from_number: i32) -> pb::RescheduleSeriesRequest {
    pb::RescheduleSeriesRequest { time: Some(time_of_day(11, 0)), ..to(series, from_number) }
}
