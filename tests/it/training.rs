//! Trainings for police units: booked like sessions, without clients; who attended and what came of them.

use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::{Code, Status};

use crate::attendance::{clinical_lead, why, wrong};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, at, book, booking, date, join, joining, minutes, refused};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata

/// A counsellor of a side who gives trainings too, and an agreement that covers them.
async fn trainer(app: &TestApp, ngo: &Ngo, code: &str, side: pb::Side) -> pb::Counsellor {
    let mut directory = app.admin().directory();
    let agreement = ngo.agreement(app).await;
    let services = [&agreement.services[..], &[pb::CareService::Training.into()]].concat();
    let request = pb::UpdateAgreementRequest {
        agreement: Some(pb::Agreement { services, ..agreement }),
        update_mask: Some(prost_types::FieldMask { paths: vec!["services".into()] }),
        ..Default::default()
    };
    directory.update_agreement(request).await.unwrap();
    ngo.counsellor_with(code, side, |it| it.services.push(pb::CareService::Training.into())).await
}

fn training(ngo: &Ngo, trainer: &pb::Counsellor, start: &str) -> pb::BookSessionRequest {
    pb::BookSessionRequest {
        counsellor_id: trainer.id.clone(),
        service: pb::CareService::Training.into(),
        modality: pb::Modality::InPerson.into(),
        venue_id: ngo.venue.id.clone(),
        starts_at: at(start),
        length: Some(minutes(60)),
        group: Some(pb::WantedGroup { capacity: 20, ..Default::default() }),
        ..Default::default()
    }
}

fn recording(session: &pb::Session) -> pb::RecordTrainingRequest {
    let trainee = |number: u32, attended| pb::Trainee {
        name: format!("Officer Example-{number}"),
        post: "Inspector".into(),
        attended,
    };
    pb::RecordTrainingRequest {
        session_id: session.id.clone(),
        police_unit: "Example Nagar Police Station".into(),
        topic: "First contact with a child".into(),
        trainees: vec![trainee(1, true), trainee(2, false), trainee(3, true)],
        outcome: "All who came passed the test.\nA second part was agreed.".into(),
        ..Default::default()
    }
}

async fn record(actor: &Actor, request: pb::RecordTrainingRequest) -> Result<pb::Training, Status> {
    Ok(actor.attendance().record_training(request).await?.into_inner().training.unwrap())
}

async fn get(actor: &Actor, session: &pb::Session) -> Result<pb::Training, Status> {
    let request = pb::GetTrainingRequest { session_id: session.id.clone() };
    Ok(actor.attendance().get_training(request).await?.into_inner().training.unwrap())
}

async fn list(actor: &Actor, request: pb::ListTrainingsRequest) -> Vec<pb::Training> {
    actor.attendance().list_trainings(request).await.unwrap().into_inner().trainings
}

fn broken(status: &Status) -> Vec<String> {
    refused(status).items
}

on_both_engines! {
    async fn a_training_is_booked_recorded_corrected_and_listed(app) {
        let ngo = Ngo::new(&app, "A").await;
        let trainer = trainer(&app, &ngo, "T1", pb::Side::Survivor).await;
        let session = book(&ngo.coordinator, training(&ngo, &trainer, TEN)).await.unwrap();
        let me = ngo.as_counsellor(&app, &trainer);
        assert_eq!(why(record(&me, recording(&session)).await), "ATTENDANCE_NOT_OPEN");
        let bare = get(&me, &session).await.unwrap();
        assert_eq!((bare.session_id.as_str(), bare.etag.as_str(), bare.recorded_at), (session.id.as_str(), "", None));

        let then: chrono::DateTime<chrono::Utc> = "2026-11-24T06:00:00Z".parse().unwrap();
        app.clock.set(then);
        let ngo = ngo.signed_in(&app);
        let me = ngo.as_counsellor(&app, &trainer);
        let unrecorded = pb::ListTrainingsRequest { unrecorded: true, ..Default::default() };
        assert_eq!(list(&ngo.coordinator, unrecorded.clone()).await, std::slice::from_ref(&bare));
        let first = record(&me, recording(&session)).await.unwrap();
        assert_eq!((first.invited, first.attended, first.etag.as_str()), (3, 2, "1"));
        assert_eq!(first.trainees, recording(&session).trainees);
        assert_eq!(list(&ngo.coordinator, unrecorded).await, []);
        assert_eq!(why(record(&ngo.coordinator, recording(&session)).await), "ALREADY_RECORDED");

        let mut corrected = pb::RecordTrainingRequest {
            etag: first.etag.clone(),
            reason: "The second officer came later".into(),
            ..recording(&session)
        };
        corrected.trainees[1].attended = true;
        let second = record(&ngo.coordinator, corrected.clone()).await.unwrap();
        assert_eq!((second.invited, second.attended, second.etag.as_str()), (3, 3, "2"));
        assert_eq!(refused(&record(&me, corrected).await.unwrap_err()).reason, "ETAG_MISMATCH");
        assert_eq!(get(&clinical_lead(&app, &ngo), &session).await.unwrap(), second);

        let of = |from: &str, until: &str| pb::ListTrainingsRequest {
            from: Some(date(from)),
            until: Some(date(until)),
            ..Default::default()
        };
        let without_texts = pb::Training {
            trainees: Vec::new(),
            outcome: String::new(),
            reason: String::new(),
            ..second
        };
        assert_eq!(list(&me, of("2026-11-24", "2026-11-24")).await, [without_texts]);
        assert_eq!(list(&me, of("2026-11-25", "2026-11-30")).await, []);
        assert_eq!(list(&me, of("2026-11-01", "2026-11-23")).await, []);
    }

    async fn a_training_has_no_clients_and_keeps_nobody_apart(app) {
        let ngo = Ngo::new(&app, "A").await;
        let trainer = trainer(&app, &ngo, "T1", pb::Side::Offender).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
        book(&ngo.coordinator, booking(&ngo, &counsellor, &survivor, TEN)).await.unwrap();
        // While survivors are at the site, and the room is another.
        let session = book(&ngo.coordinator, training(&ngo, &trainer, TEN)).await.unwrap();
        let refusal = book(&ngo.coordinator, training(&ngo, &trainer, TEN)).await.unwrap_err();
        assert_eq!(broken(&refusal), ["COUNSELLOR_BUSY"]);
        let busy = booking(&ngo, &trainer, &offender, TEN);
        let refusal = book(&ngo.coordinator, busy).await.unwrap_err();
        assert!(broken(&refusal).contains(&"COUNSELLOR_BUSY".to_owned()), "{refusal:?}");
        for client in [&survivor, &offender] {
            let refusal = join(&ngo.coordinator, joining(&session, client)).await.unwrap_err();
            assert!(broken(&refusal).contains(&"WRONG_SIDE".to_owned()), "{refusal:?}");
        }
        let one = pb::BookSessionRequest {
            client_id: survivor.id.clone(),
            group: None,
            ..training(&ngo, &trainer, "2026-11-25T04:30:00Z")
        };
        let refusal = book(&ngo.coordinator, one).await.unwrap_err();
        assert!(broken(&refusal).contains(&"WRONG_SIDE".to_owned()), "{refusal:?}");
        // Who does not offer trainings gives none, and both sides' counsellors do not give one together.
        let refusal = book(&ngo.coordinator, training(&ngo, &counsellor, "2026-11-25T04:30:00Z")).await.unwrap_err();
        assert_eq!(broken(&refusal), ["NOT_QUALIFIED"]);
        let mut both = training(&ngo, &trainer, "2026-11-25T04:30:00Z");
        both.group.as_mut().unwrap().co_facilitator_ids = vec![counsellor.id.clone()];
        let refusal = book(&ngo.coordinator, both).await.unwrap_err();
        assert!(broken(&refusal).contains(&"WRONG_SIDE".to_owned()), "{refusal:?}");
    }

    async fn free_times_for_a_training_are_its_trainers(app) {
        let ngo = Ngo::new(&app, "A").await;
        let trainer = trainer(&app, &ngo, "T1", pb::Side::Survivor).await;
        let wanted = pb::FindSlotsRequest {
            service: pb::CareService::Training.into(),
            length: Some(minutes(60)),
            modality: pb::Modality::InPerson.into(),
            group: Some(pb::WantedGroup { capacity: 20, ..Default::default() }),
            page_size: 1,
            ..Default::default()
        };
        let mut scheduling = ngo.coordinator.scheduling();
        assert_eq!(wrong(scheduling.find_slots(wanted.clone()).await), ["counsellor_id"]);
        let wanted = pb::FindSlotsRequest { counsellor_id: trainer.id.clone(), ..wanted };
        let slot = scheduling.find_slots(wanted).await.unwrap().into_inner().slots.remove(0);
        let request = pb::BookSessionRequest { starts_at: slot.starts_at, ..training(&ngo, &trainer, TEN) };
        book(&ngo.coordinator, request).await.unwrap();
    }

    async fn what_is_wrong_is_named_and_others_learn_nothing(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let trainer = trainer(&app, &ngo, "T1", pb::Side::Survivor).await;
        let stranger = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, training(&ngo, &trainer, TEN)).await.unwrap();
        let counselling = booking(&ngo, &stranger, &client, TEN);
        let counselling = book(&ngo.coordinator, counselling).await.unwrap();
        app.clock.advance(TimeDelta::days(3));
        let (ngo, other) = (ngo.signed_in(&app), other.signed_in(&app));
        let bad = pb::RecordTrainingRequest {
            session_id: "x".into(),
            trainees: vec![pb::Trainee::default(), pb::Trainee { post: "x".repeat(101), ..Default::default() }],
            reason: "x".repeat(501),
            ..Default::default()
        };
        let fields = ["session_id", "etag", "police_unit", "topic", "outcome", "reason", "trainees[0].name",
            "trainees[1].name", "trainees[1].post"];
        assert_eq!(wrong(record(&ngo.coordinator, bad).await), fields);
        let many = pb::RecordTrainingRequest { trainees: Vec::new(), ..recording(&session) };
        assert_eq!(wrong(record(&ngo.coordinator, many).await), ["trainees"]);
        assert_eq!(why(record(&ngo.coordinator, recording(&counselling)).await), "NOT_A_TRAINING");
        assert_eq!(get(&ngo.coordinator, &counselling).await.unwrap_err().code(), Code::NotFound);
        for actor in [&ngo.as_counsellor(&app, &stranger), &other.coordinator] {
            assert_eq!(record(actor, recording(&session)).await.unwrap_err().code(), Code::NotFound);
            assert_eq!(get(actor, &session).await.unwrap_err().code(), Code::NotFound);
            assert_eq!(list(actor, pb::ListTrainingsRequest::default()).await, []);
        }
        let shown = format!("{:?}", recording(&session));
        assert!(!shown.contains("Officer") && !shown.contains("passed"), "{shown}");
        let cancelled = book(&ngo.coordinator, training(&ngo, &trainer, "2026-11-30T04:30:00Z")).await.unwrap();
        ngo.cancel(&cancelled).await.unwrap();
        assert_eq!(why(record(&ngo.coordinator, recording(&cancelled)).await), "SESSION_NOT_STANDING");
    }

    async fn of_two_who_correct_one_is_told_to_read_again(app) {
        let ngo = Ngo::new(&app, "A").await;
        let trainer = trainer(&app, &ngo, "T1", pb::Side::Survivor).await;
        let session = book(&ngo.coordinator, training(&ngo, &trainer, TEN)).await.unwrap();
        app.clock.advance(TimeDelta::days(3));
        let ngo = ngo.signed_in(&app);
        let (one, two) = (ngo.as_counsellor(&app, &trainer), &ngo.coordinator);
        let (one, two) = tokio::join!(record(&one, recording(&session)), record(two, recording(&session)));
        let (won, lost): (Vec<_>, Vec<_>) = [one, two].into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 1));
        assert_eq!(why(lost.into_iter().next().unwrap()), "ALREADY_RECORDED");
    }
}
