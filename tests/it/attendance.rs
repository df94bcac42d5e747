//! What became of a session is recorded once for each participant, by who may say so and when it is known.

use aftercare::domain::access::Authority;
use aftercare::domain::ids::OrganisationId;
use aftercare::grpc::pb;
use pb::AttendanceOutcome as Outcome;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::attendance::{history, record, recording, unrecorded};
use crate::support::{Actor, Ngo, TestApp, book, booking, facts, group_of, joining, leaving, minutes, refused, remove};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata

/// The clock at an instant, with fresh tokens.
pub fn set(app: &TestApp, ngo: &mut Ngo, at: &str) {
    app.clock.set(at.parse().unwrap());
    ngo.sign_in(app);
}

/// The clinical lead of an organisation.
pub fn clinical_lead(app: &TestApp, ngo: &Ngo) -> Actor {
    let organisation_id: OrganisationId = ngo.id.parse().unwrap();
    app.actor(Authority::ClinicalLead { organisation_id })
}

/// The reason of a refused precondition.
pub fn why<T: std::fmt::Debug>(result: Result<T, Status>) -> String {
    let refusal = refused(&result.unwrap_err());
    assert_eq!(refusal.code, Code::FailedPrecondition, "{refusal:?}");
    refusal.reason
}

/// The fields that are wrong.
pub fn wrong<T: std::fmt::Debug>(result: Result<T, Status>) -> Vec<String> {
    let refusal = refused(&result.unwrap_err());
    assert_eq!(refusal.code, Code::InvalidArgument, "{refusal:?}");
    refusal.items
}

async fn outcomes(actor: &Actor) -> Vec<pb::OutcomeEntry> {
    actor.attendance().list_outcomes(pb::ListOutcomesRequest {}).await.unwrap().into_inner().outcomes
}

on_both_engines! {
    async fn recording_opens_a_quarter_of_an_hour_before(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let client = ngo.offender().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let attended = recording(&session, &client, Outcome::AttendedComplied);
        set(&app, &mut ngo, "2026-11-24T04:14:59Z");
        assert_eq!(why(record(&ngo.coordinator, attended.clone()).await), "ATTENDANCE_NOT_OPEN");
        set(&app, &mut ngo, "2026-11-24T04:15:00Z");
        let made = record(&ngo.coordinator, attended.clone()).await.unwrap();
        assert_eq!((made.etag.as_str(), made.recorded_by.as_str()), ("1", "coordinator@A"));
        assert_eq!(made.facts, Some(facts(Outcome::AttendedComplied)));
        assert_eq!((made.late, made.superseded, made.reason.as_str()), (false, false, ""));
        assert_eq!(made.recorded_at.unwrap().seconds, app.now().timestamp());
        // Once.
        let again = refused(&record(&ngo.coordinator, attended).await.unwrap_err());
        assert_eq!(again.reason, "ALREADY_RECORDED");
        assert_eq!(history(&ngo.coordinator, &session).await.unwrap()[0].records, [made]);
    }

    async fn only_an_acceptable_absence_is_known_ahead(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        for (at, entry) in outcomes(&ngo.coordinator).await.into_iter().enumerate() {
            if entry.outcome() == Outcome::LateCancelled {
                continue;
            }
            let client = ngo.offender().await;
            let start = format!("2026-12-{:02}T04:30:00Z", at + 1);
            let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, &start)).await.unwrap();
            let result = record(&ngo.coordinator, recording(&session, &client, entry.outcome())).await;
            match entry.ground() {
                pb::AbsenceGround::Unspecified => assert_eq!(why(result), "ATTENDANCE_NOT_OPEN", "{entry:?}"),
                _ => drop(result.unwrap()),
            }
        }
        // What was known ahead needs no record afterwards.
        set(&app, &mut ngo, "2027-02-01T04:30:00Z");
        let open = unrecorded(&ngo.coordinator).await;
        assert_eq!(open.len(), 22 - 1 - 9);
        assert!(open.iter().all(|it| it.client_ids == [it.session.as_ref().unwrap().client_id.clone()]));
    }

    async fn each_outcome_is_for_some_sides_and_some_roles(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let treats = ngo.counsellor("O1", pb::Side::Offender).await;
        let counsels = ngo.counsellor("C1", pb::Side::Survivor).await;
        let catalogue = outcomes(&ngo.coordinator).await;
        assert_eq!(catalogue.len(), 22);
        let days = 20;
        let mut sessions = Vec::new();
        for (at, entry) in catalogue.into_iter().enumerate() {
            for (counsellor, side) in [(&treats, pb::Side::Offender), (&counsels, pb::Side::Survivor)] {
                let client = if side == pb::Side::Offender { ngo.offender().await } else { ngo.survivor().await };
                for (hour, role) in [("04", pb::OutcomeChooser::Coordinator), ("05", pb::OutcomeChooser::Counsellor)] {
                    let month = at / days;
                    let start = format!("202{}-12-{:02}T{hour}:30:00Z", 6 + month, at % days + 1);
                    let mut request = booking(&ngo, counsellor, &client, &start);
                    (request.modality, request.venue_id) = (pb::Modality::Remote.into(), String::new());
                    let session = book(&ngo.coordinator, request).await.unwrap();
                    sessions.push((session, client.clone(), entry.clone(), side, role));
                }
            }
        }
        set(&app, &mut ngo, "2027-12-24T04:30:00Z");
        let [o1, c1] = [&treats, &counsels].map(|it| ngo.as_counsellor(&app, it));
        for (session, client, entry, side, role) in sessions {
            let actor = match (role, side) {
                (pb::OutcomeChooser::Counsellor, pb::Side::Offender) => &o1,
                (pb::OutcomeChooser::Counsellor, _) => &c1,
                _ => &ngo.coordinator,
            };
            let may = entry.sides.contains(&side.into()) && entry.chosen_by.contains(&role.into());
            let result = record(actor, recording(&session, &client, entry.outcome())).await;
            match may {
                true => assert_eq!(result.unwrap().facts, Some(facts(entry.outcome()))),
                false => assert_eq!(wrong(result), ["facts.outcome"], "{entry:?} {side:?} {role:?}"),
            }
        }
    }

    async fn every_wrong_field_is_named_at_once(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let client = ngo.offender().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        set(&app, &mut ngo, "2026-11-24T06:00:00Z");
        let with = |adjust: fn(&mut pb::AttendanceFacts)| {
            let mut request = recording(&session, &client, Outcome::NoShow);
            adjust(request.facts.as_mut().unwrap());
            record(&ngo.coordinator, request)
        };
        assert_eq!(wrong(record(&ngo.coordinator, pb::RecordAttendanceRequest::default()).await), [
            "session_id", "client_id", "facts"
        ]);
        let everything = with(|it| {
            it.late_by = Some(minutes(5));
            it.attended_for = Some(minutes(5));
            it.concern = 1;
            it.not_held_reason = 1;
            it.evidence_reference = "x".into();
        });
        assert_eq!(wrong(everything.await), [
            "facts.verifier", "facts.evidence_reference", "facts.late_by", "facts.attended_for", "facts.concern",
            "facts.not_held_reason",
        ]);
        assert_eq!(wrong(with(|it| it.outcome = 99).await), ["facts.outcome"]);
        assert_eq!(wrong(with(|it| it.outcome = Outcome::Late.into()).await), ["facts.late_by"]);
        assert_eq!(wrong(with(|it| it.outcome = Outcome::LeftEarly.into()).await), ["facts.attended_for"]);
        assert_eq!(wrong(with(|it| it.outcome = Outcome::AttendedDidNotComply.into()).await), ["facts.concern"]);
        assert_eq!(wrong(with(|it| it.outcome = Outcome::ProviderCancelled.into()).await), ["facts.not_held_reason"]);
        // Nobody is later than the session is long, nor by a part of a minute.
        let late = with(|it| (it.outcome, it.late_by) = (Outcome::Late.into(), Some(minutes(60))));
        assert_eq!(wrong(late.await), ["facts.late_by"]);
        let half = with(|it| {
            (it.outcome, it.late_by) = (Outcome::Late.into(), Some(prost_types::Duration { seconds: 90, nanos: 0 }));
        });
        assert_eq!(wrong(half.await), ["facts.late_by"]);
        with(|it| (it.outcome, it.late_by) = (Outcome::Late.into(), Some(minutes(59)))).await.unwrap();
    }

    async fn it_is_recorded_of_sessions_that_stand_and_for_who_is_to_be_there(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (one, two, stranger) = (ngo.survivor().await, ngo.survivor().await, ngo.survivor().await);
        let group = group_of(3, &[one.clone(), two.clone()], booking(&ngo, &counsellor, &one, TEN));
        let session = book(&ngo.coordinator, group).await.unwrap();
        remove(&ngo.coordinator, leaving(&session, &two)).await.unwrap();
        let at = |day: u32| booking(&ngo, &counsellor, &one, &format!("2026-11-{day}T04:30:00Z"));
        let cancelled = book(&ngo.coordinator, at(25)).await.unwrap();
        ngo.cancel(&cancelled).await.unwrap();
        let moved = book(&ngo.coordinator, at(26)).await.unwrap();
        let request = pb::RescheduleSessionRequest {
            session_id: moved.id.clone(),
            etag: moved.etag.clone(),
            reason: pb::CancelReason::Client.into(),
            starts_at: at(27).starts_at,
            ..Default::default()
        };
        ngo.coordinator.scheduling().reschedule_session(request).await.unwrap();
        let it = at(28);
        let hold = pb::HoldSlotRequest {
            client_id: it.client_id,
            counsellor_id: it.counsellor_id,
            service: it.service,
            modality: it.modality,
            venue_id: it.venue_id,
            starts_at: it.starts_at,
            length: it.length,
            ..Default::default()
        };
        let held = ngo.coordinator.scheduling().hold_slot(hold).await.unwrap().into_inner().hold.unwrap();
        for session in [&cancelled, &moved, &held] {
            let absent = recording(session, &one, Outcome::AcceptableMedical);
            assert_eq!(why(record(&ngo.coordinator, absent).await), "SESSION_NOT_STANDING");
        }
        set(&app, &mut ngo, "2026-11-24T06:00:00Z");
        for client in [&two, &stranger] {
            let result = record(&ngo.coordinator, recording(&session, client, Outcome::NoShow)).await;
            assert_eq!(why(result), "NOT_A_PARTICIPANT");
        }
        record(&ngo.coordinator, recording(&session, &one, Outcome::NoShow)).await.unwrap();
        // Who was removed, who was cancelled and who was moved: nothing is left to record.
        set(&app, &mut ngo, "2026-11-26T06:00:00Z");
        assert!(unrecorded(&ngo.coordinator).await.is_empty());
    }

    async fn each_of_a_group_has_a_record_of_the_own(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let (one, two, three) = (ngo.offender().await, ngo.offender().await, ngo.offender().await);
        let group = group_of(3, &[one.clone(), two.clone()], booking(&ngo, &counsellor, &one, TEN));
        let session = book(&ngo.coordinator, group).await.unwrap();
        crate::support::join(&ngo.coordinator, joining(&session, &three)).await.unwrap();
        set(&app, &mut ngo, "2026-11-24T06:00:00Z");
        let mut left = vec![one.id.clone(), two.id.clone(), three.id.clone()];
        for (client, outcome) in [(&two, Outcome::NoShow), (&three, Outcome::Late), (&one, Outcome::AttendedComplied)] {
            let open = unrecorded(&ngo.coordinator).await;
            assert_eq!((open.len(), &open[0].client_ids), (1, &left));
            record(&ngo.coordinator, recording(&session, client, outcome)).await.unwrap();
            left.retain(|id| *id != client.id);
        }
        assert!(unrecorded(&ngo.coordinator).await.is_empty());
        let standing = |it: &pb::AttendanceHistory| (it.client_id.clone(), it.standing());
        let all: Vec<_> = history(&ngo.coordinator, &session).await.unwrap().iter().map(standing).collect();
        assert_eq!(all.len(), 3);
        for (client, expected) in [
            (&one, pb::AbsenceStanding::Unspecified),
            (&two, pb::AbsenceStanding::Pending),
            (&three, pb::AbsenceStanding::Unspecified),
        ] {
            assert!(all.contains(&(client.id.clone(), expected)), "{all:?}");
        }
    }

    async fn a_counsellor_records_what_the_counsellor_leads(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let other = Ngo::new(&app, "B").await;
        let lead = ngo.counsellor("O1", pb::Side::Offender).await;
        let (beside, nobody) = (ngo.counsellor("O2", pb::Side::Offender).await, ngo.counsellor("O3", pb::Side::Offender).await);
        let (one, two) = (ngo.offender().await, ngo.offender().await);
        let mut group = group_of(2, &[one.clone(), two.clone()], booking(&ngo, &lead, &one, TEN));
        group.group.as_mut().unwrap().co_facilitator_ids = vec![beside.id.clone()];
        let session = book(&ngo.coordinator, group).await.unwrap();
        set(&app, &mut ngo, "2026-11-24T06:00:00Z");
        let request = recording(&session, &one, Outcome::NoShow);
        let never = pb::RecordAttendanceRequest { session_id: one.id.clone(), ..request.clone() };
        let theirs = other.another_coordinator(&app);
        for actor in [ngo.as_counsellor(&app, &nobody), theirs] {
            let (known, unknown) = (
                record(&actor, request.clone()).await.unwrap_err(),
                record(&actor, never.clone()).await.unwrap_err(),
            );
            assert_eq!(known.code(), Code::NotFound);
            assert_eq!((known.message(), known.details()), (unknown.message(), unknown.details()));
            assert!(unrecorded(&actor).await.is_empty());
            assert_eq!(history(&actor, &session).await.unwrap_err().code(), Code::NotFound);
        }
        let (lead, beside) = (ngo.as_counsellor(&app, &lead), ngo.as_counsellor(&app, &beside));
        assert_eq!(unrecorded(&beside).await.len(), 1);
        record(&lead, request).await.unwrap();
        record(&beside, recording(&session, &two, Outcome::NoShow)).await.unwrap();
    }

    async fn the_same_request_is_one_record(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let client = ngo.offender().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        set(&app, &mut ngo, "2026-11-24T06:00:00Z");
        let mut request = recording(&session, &client, Outcome::AcceptableMedical);
        request.request_id = "0193a5e0-0000-7000-8000-000000000001".into();
        let facts = request.facts.as_mut().unwrap();
        (facts.evidence_reference, facts.verifier) = ("certificate 12".into(), "the registrar".into());
        let mut attendance = ngo.coordinator.attendance();
        let once = attendance.record_attendance(request.clone()).await.unwrap().into_inner();
        let again = attendance.record_attendance(request.clone()).await.unwrap().into_inner();
        assert_eq!(once, again);
        assert_eq!(once.decision.as_ref().unwrap().verifier, "the registrar");
        let all = history(&ngo.coordinator, &session).await.unwrap();
        assert_eq!((all[0].records.len(), all[0].decisions.len()), (1, 1));
        request.facts.as_mut().unwrap().outcome = Outcome::AcceptableWork.into();
        let other = refused(&record(&ngo.coordinator, request).await.unwrap_err());
        assert_eq!((other.code, other.reason.as_str()), (Code::InvalidArgument, "REQUEST_ID_REUSED"));
    }
}
