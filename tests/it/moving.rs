//! Sessions are moved, given to another counsellor, and written down afterwards.

use aftercare::grpc::pb;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::{Ngo, at, book, booking, facts, minutes, refused};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata

fn to(session: &pb::Session, start: &str) -> pb::RescheduleSessionRequest {
    pb::RescheduleSessionRequest {
        session_id: session.id.clone(),
        etag: session.etag.clone(),
        reason: pb::CancelReason::Client.into(),
        starts_at: at(start),
        ..Default::default()
    }
}

async fn reschedule(ngo: &Ngo, request: pb::RescheduleSessionRequest) -> Result<[pb::Session; 2], Status> {
    let answer = ngo.coordinator.scheduling().reschedule_session(request).await?.into_inner();
    Ok([answer.session.unwrap(), answer.superseded.unwrap()])
}

async fn reassign(ngo: &Ngo, session: &pb::Session, counsellor: &pb::Counsellor) -> Result<pb::Session, Status> {
    let request = pb::ReassignCounsellorRequest {
        session_id: session.id.clone(),
        etag: session.etag.clone(),
        counsellor_id: counsellor.id.clone(),
        ..Default::default()
    };
    Ok(ngo.coordinator.scheduling().reassign_counsellor(request).await?.into_inner().session.unwrap())
}

fn past(request: pb::BookSessionRequest, reason: &str) -> pb::RecordPastSessionRequest {
    let facts = Some(facts(pb::AttendanceOutcome::AttendedComplied));
    pb::RecordPastSessionRequest {
        attendances: vec![pb::PastAttendance { client_id: request.client_id.clone(), facts }],
        client_id: request.client_id,
        counsellor_id: request.counsellor_id,
        service: request.service,
        modality: request.modality,
        venue_id: request.venue_id,
        starts_at: request.starts_at,
        length: request.length,
        reason: reason.into(),
        ..Default::default()
    }
}

async fn record(ngo: &Ngo, request: pb::RecordPastSessionRequest) -> Result<pb::Session, Status> {
    Ok(ngo.coordinator.scheduling().record_past_session(request).await?.into_inner().session.unwrap())
}

on_both_engines! {
    async fn a_moved_session_and_its_successor_know_each_other(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        let first = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        // By half an hour: its own old time is not in its way.
        let [second, old] = reschedule(&ngo, to(&first, "2026-11-24T05:00:00Z")).await.unwrap();
        assert_eq!(old.state, i32::from(pb::SessionState::Rescheduled));
        assert_eq!((&old.superseded_by_session_id, old.cancel_reason), (&second.id, pb::CancelReason::Client.into()));
        assert_eq!(old.cancelled_at.unwrap().seconds, app.now().timestamp());
        assert_eq!(second.supersedes_session_id, old.id);
        assert_eq!((second.starts_at, second.ends_at), (at("2026-11-24T05:00:00Z"), at("2026-11-24T06:00:00Z")));
        assert_eq!((&second.counsellor_id, &second.room_id), (&first.counsellor_id, &first.room_id));
        assert_eq!([ngo.session(&old.id).await, ngo.session(&second.id).await], [old.clone(), second.clone()]);
        // The first half of the old time is free again, the second is not.
        let half = |start| pb::BookSessionRequest { length: Some(minutes(30)), ..booking(&ngo, &counsellor, &other, start) };
        book(&ngo.coordinator, half(TEN)).await.unwrap();
        let taken = refused(&book(&ngo.coordinator, half("2026-11-24T05:00:00Z")).await.unwrap_err()).items;
        assert_eq!(taken, ["COUNSELLOR_BUSY", "ROOM_BUSY"]);
        // Moved once only; the successor can be moved on, to the telephone and another length.
        let again = refused(&reschedule(&ngo, to(&old, "2026-11-26T04:30:00Z")).await.unwrap_err());
        assert_eq!((again.code, again.reason.as_str()), (Code::FailedPrecondition, "ALREADY_RESCHEDULED"));
        let twice = refused(&ngo.cancel(&old).await.unwrap_err());
        assert_eq!(twice.reason, "ALREADY_RESCHEDULED");
        let stale = refused(&reschedule(&ngo, to(&first, "2026-11-26T04:30:00Z")).await.unwrap_err());
        assert_eq!(stale.code, Code::Aborted);
        let remote = pb::RescheduleSessionRequest {
            modality: pb::Modality::Remote.into(),
            length: Some(minutes(30)),
            ..to(&second, "2026-11-26T04:30:00Z")
        };
        let [third, _] = reschedule(&ngo, remote).await.unwrap();
        assert_eq!((third.modality, third.venue_id.as_str()), (pb::Modality::Remote.into(), ""));
        assert_eq!(third.ends_at, at("2026-11-26T05:00:00Z"));
    }

    async fn a_refused_move_leaves_the_session_where_it_was(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        book(&ngo.coordinator, booking(&ngo, &counsellor, &other, "2026-11-24T06:30:00Z")).await.unwrap();
        let refusal = refused(&reschedule(&ngo, to(&session, "2026-11-24T06:00:00Z")).await.unwrap_err());
        assert_eq!(refusal.items, ["COUNSELLOR_BUSY"]);
        // Its own old time is among what is free.
        let refusal = refused(&reschedule(&ngo, to(&session, "2026-11-24T03:30:00Z")).await.unwrap_err());
        assert_eq!(refusal.items, ["OUTSIDE_WORKING_HOURS"]);
        assert_eq!(refusal.alternatives[0].local_start, "2026-11-24T09:30:00+05:30");
        assert_eq!(ngo.session(&session.id).await, session);
        let status = book(&ngo.coordinator, booking(&ngo, &counsellor, &other, TEN)).await.unwrap_err();
        assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY"]);
        app.clock.set(TEN.parse().unwrap());
        ngo.sign_in(&app);
        let late = refused(&reschedule(&ngo, to(&session, "2026-11-26T04:30:00Z")).await.unwrap_err());
        assert_eq!(late.reason, "ALREADY_STARTED");
        let foreign = Ngo::new(&app, "B").await;
        let status = foreign.coordinator.scheduling().reschedule_session(to(&session, TEN)).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
    }

    async fn a_session_goes_to_another_counsellor_in_its_place(app) {
        let ngo = Ngo::new(&app, "A").await;
        let ill = ngo.counsellor("C1", pb::Side::Survivor).await;
        let stands_in = ngo.counsellor("C2", pb::Side::Survivor).await;
        let offenders = ngo.counsellor("O1", pb::Side::Offender).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        let session = book(&ngo.coordinator, booking(&ngo, &ill, &client, TEN)).await.unwrap();
        ngo.leave(&ill, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
        let flagged = ngo.session(&session.id).await;
        assert_eq!(flagged.flags, [i32::from(pb::BookingRule::OnLeave)]);
        let wrong = refused(&reassign(&ngo, &flagged, &offenders).await.unwrap_err());
        assert_eq!(wrong.items, ["WRONG_SIDE"]);
        let same = refused(&reassign(&ngo, &flagged, &ill).await.unwrap_err());
        assert_eq!(same.items, ["counsellor_id"]);
        let given = reassign(&ngo, &flagged, &stands_in).await.unwrap();
        assert_eq!((&given.id, &given.counsellor_id), (&session.id, &stands_in.id));
        assert_eq!((given.starts_at, given.flags.as_slice(), given.needs_rescheduling), (session.starts_at, &[][..], false));
        // One is busy then, the other no more.
        let status = book(&ngo.coordinator, booking(&ngo, &stands_in, &other, TEN)).await.unwrap_err();
        assert_eq!(refused(&status).items, ["COUNSELLOR_BUSY"]);
        let status = book(&ngo.coordinator, booking(&ngo, &ill, &other, TEN)).await.unwrap_err();
        assert_eq!(refused(&status).items, ["ON_LEAVE"]);
        let busy = book(&ngo.coordinator, booking(&ngo, &stands_in, &other, "2026-11-24T06:30:00Z")).await.unwrap();
        let moved = book(&ngo.coordinator, booking(&ngo, &ill, &client, "2026-11-25T04:30:00Z")).await.unwrap();
        let _ = busy;
        let [moved, _] = reschedule(&ngo, pb::RescheduleSessionRequest {
            overrides: vec![pb::RuleOverride { rule: pb::BookingRule::OnLeave.into(), reason: "an exception".into() }],
            ..to(&moved, "2026-11-24T06:30:00Z")
        }).await.unwrap();
        let refusal = refused(&reassign(&ngo, &moved, &stands_in).await.unwrap_err());
        assert_eq!(refusal.items, ["COUNSELLOR_BUSY"]);
        // An override was for the other counsellor: given to somebody else it is not needed.
        let third = ngo.counsellor("C3", pb::Side::Survivor).await;
        assert_eq!(reassign(&ngo, &moved, &third).await.unwrap().overridden, [0; 0]);
    }

    async fn a_past_session_is_written_down_with_its_reason(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let offenders = ngo.counsellor("O1", pb::Side::Offender).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        app.clock.set("2026-11-25T04:00:00Z".parse().unwrap());
        ngo.sign_in(&app);
        // Outside working hours and without notice: calendars judge nobody afterwards.
        let night = booking(&ngo, &counsellor, &client, "2026-11-24T18:30:00Z");
        let session = record(&ngo, past(night.clone(), "came to the door at night")).await.unwrap();
        assert_eq!(session.state, i32::from(pb::SessionState::Booked));
        assert_eq!(session.overridden, [i32::from(pb::BookingRule::InThePast)]);
        assert_eq!(ngo.session(&session.id).await, session);
        // Nobody was in two places: what was written down takes time for others that are, and only for them.
        let twice = refused(&record(&ngo, past(night, "again")).await.unwrap_err());
        assert_eq!(twice.items, ["COUNSELLOR_BUSY", "CLIENT_BUSY"]);
        // Who may see whom is judged as on that day.
        let wrong = booking(&ngo, &offenders, &other, "2026-11-24T18:30:00Z");
        let wrong = refused(&record(&ngo, past(wrong, "a mistake")).await.unwrap_err());
        assert_eq!(wrong.items, ["WRONG_SIDE"]);
        // What is not past is booked; what is not over cannot have taken place; a reason must be given.
        let now = booking(&ngo, &counsellor, &other, "2026-11-25T03:45:00Z");
        assert_eq!(refused(&record(&ngo, past(now.clone(), "too early")).await.unwrap_err()).items, ["starts_at"]);
        let lasting = booking(&ngo, &counsellor, &other, "2026-11-25T03:30:00Z");
        assert_eq!(refused(&record(&ngo, past(lasting, "not over")).await.unwrap_err()).items, ["length"]);
        assert_eq!(refused(&record(&ngo, past(now, " ")).await.unwrap_err()).items, ["reason"]);
    }

    async fn what_was_good_on_that_day_is_good_to_write_down(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let mut counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        app.clock.set("2026-11-26T04:00:00Z".parse().unwrap());
        ngo.sign_in(&app);
        // Since then the counsellor has left, and the consent was withdrawn: both held on Tuesday.
        counsellor.inactive = true;
        let update = pb::UpdateCounsellorRequest { counsellor: Some(counsellor.clone()), ..Default::default() };
        ngo.coordinator.directory().update_counsellor(update).await.unwrap();
        let list = pb::ListConsentsRequest { client_id: client.id.clone(), ..Default::default() };
        let mut clients = ngo.coordinator.clients();
        let consent = clients.list_consents(list).await.unwrap().into_inner().consents.remove(0);
        let (consent_id, etag, reason) = (consent.id, consent.etag, "moved away".to_owned());
        let withdraw = pb::WithdrawConsentRequest { consent_id, etag, reason, ..Default::default() };
        clients.withdraw_consent(withdraw).await.unwrap();
        record(&ngo, past(booking(&ngo, &counsellor, &client, TEN), "forgot")).await.unwrap();
        // This morning it did not hold any more.
        let today = booking(&ngo, &counsellor, &client, "2026-11-26T02:30:00Z");
        let refusal = refused(&record(&ngo, past(today, "forgot")).await.unwrap_err());
        assert_eq!(refusal.items, ["CONSENT_MISSING"]);
    }

    async fn a_visit_written_down_takes_the_day_from_the_linked(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, treats) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (client, offender) = (ngo.survivor().await, ngo.offender().await);
        let case = ngo.party_of("4/2026", "Example Nagar", &client).await;
        ngo.add_party(&case, &offender, 2).await;
        let evening = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-23T11:00:00Z")).await.unwrap();
        app.clock.set("2026-11-23T07:00:00Z".parse().unwrap());
        record(&ngo, past(booking(&ngo, &treats, &offender, "2026-11-23T05:00:00Z"), "came unannounced")).await.unwrap();
        assert_eq!(ngo.session(&evening.id).await.flags, [i32::from(pb::BookingRule::SlotNotAvailable)]);
    }

    async fn every_reason_of_an_override_is_kept(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let client = ngo.survivor_with(|client| client.spoken_languages = vec!["hi".into()]).await;
        let why = |reason: &str| vec![pb::RuleOverride { rule: pb::BookingRule::Language.into(), reason: reason.into() }];
        let request = pb::BookSessionRequest { overrides: why("understands some"), ..booking(&ngo, &one, &client, TEN) };
        let session = book(&ngo.coordinator, request).await.unwrap();
        app.clock.set("2026-11-23T05:00:00Z".parse().unwrap());
        let request = pb::ReassignCounsellorRequest {
            session_id: session.id.clone(),
            etag: session.etag,
            counsellor_id: other.id,
            overrides: why("understands more"),
            ..Default::default()
        };
        ngo.coordinator.scheduling().reassign_counsellor(request).await.unwrap();
        let asked = pb::ListSessionOverridesRequest { session_id: session.id };
        let kept = ngo.coordinator.scheduling().list_session_overrides(asked).await.unwrap().into_inner().overrides;
        let reasons: Vec<_> = kept.iter().map(|it| it.reason.as_str()).collect();
        assert_eq!(reasons, ["understands some", "understands more"]);
    }

    async fn a_longer_buffer_counts_from_then_on(app) {
        let ngo = Ngo::new(&app, "A").await;
        let mut counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        counsellor.buffer_after = Some(minutes(15));
        let update = pb::UpdateCounsellorRequest { counsellor: Some(counsellor.clone()), ..Default::default() };
        ngo.coordinator.directory().update_counsellor(update).await.unwrap();
        let next = |start| booking(&ngo, &counsellor, &other, start);
        let refusal = refused(&book(&ngo.coordinator, next("2026-11-24T05:30:00Z")).await.unwrap_err());
        assert_eq!(refusal.items, ["COUNSELLOR_BUSY"]);
        book(&ngo.coordinator, next("2026-11-24T05:45:00Z")).await.unwrap();
    }

    async fn two_do_not_write_down_the_same_hour(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        app.clock.set("2026-11-26T04:00:00Z".parse().unwrap());
        ngo.sign_in(&app);
        for round in 0..8 {
            let hour = past(booking(&ngo, &counsellor, &client, &format!("2026-11-24T{:02}:00:00Z", round + 4)), "forgot");
            let (one, other) = tokio::join!(record(&ngo, hour.clone()), record(&ngo, hour));
            let won = usize::from(one.is_ok()) + usize::from(other.is_ok());
            assert_eq!(won, 1, "{one:?} {other:?}");
        }
    }
}
