//! What goes along with a client, what stays, and what the old organisation can still reach: nothing of the client.

use aftercare::grpc::pb;
use prost::Message;
use tonic::{Code, Status};

use super::{TEN, accept, consent_to, get, propose};
use crate::on_both_engines;
use crate::support::assessment::{pcl, progress, sheet, submit};
use crate::support::attendance::history;
use crate::support::followup::{clinical_lead, enrol, enrolling, plan_of};
use crate::support::{Actor, Ngo, TestApp, book, booking, record, recording, refused, venue_at};

const FILE: &str = "F-17";

/// A survivor with a past, of one organisation; and another one.
struct Course {
    ngo: Ngo,
    other: Ngo,
    client: pb::Client,
    counsellor: pb::Counsellor,
    session: pb::Session,
}

impl Course {
    async fn begin(app: &TestApp) -> Self {
        let (mut ngo, mut other) = (Ngo::new(app, "A").await, Ngo::new(app, "B").await);
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor_with(|it| it.file_number = FILE.into()).await;
        ngo.guardian(&client, pb::GuardianStanding::Safe).await;
        consent_to(&ngo, &client).await;
        enrol(&ngo.coordinator, enrolling(&client, &counsellor, "2026-11-20")).await.unwrap();
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        app.clock.set("2026-11-24T08:00:00Z".parse().unwrap());
        ngo.sign_in(app);
        other.sign_in(app);
        let me = ngo.as_counsellor(app, &counsellor);
        record(&me, recording(&session, &client, pb::AttendanceOutcome::AttendedComplied)).await.unwrap();
        submit(&me, sheet(&client, "2026-11-24", "PCL_5", &pcl(10))).await.unwrap();
        let note = pb::WriteSessionNoteRequest {
            session_id: session.id.clone(),
            client_id: client.id.clone(),
            text: "An example".into(),
            ..Default::default()
        };
        me.attendance().write_session_note(note).await.unwrap();
        Self { ngo, other, client, counsellor, session }
    }

    async fn move_on(&self) {
        accept(&self.other.coordinator, &propose(&self.ngo, &self.client, &self.other).await.unwrap()).await.unwrap();
    }

    async fn notes(&self, actor: &Actor) -> Result<Vec<pb::SessionNote>, Status> {
        let request = pb::ListSessionNotesRequest {
            session_id: self.session.id.clone(),
            client_id: self.client.id.clone(),
            ..Default::default()
        };
        Ok(actor.attendance().list_session_notes(request).await?.into_inner().notes)
    }

    async fn attendance(&self, actor: &Actor) -> Result<Vec<pb::AttendanceHistory>, Status> {
        let request =
            pb::ListAttendanceRequest { client_id: self.client.id.clone(), with_texts: true, ..Default::default() };
        Ok(actor.attendance().list_attendance(request).await?.into_inner().histories)
    }
}

async fn report(actor: &Actor) -> Vec<u8> {
    let month = |day| Some(crate::support::date(day));
    let request = pb::GetFollowUpReportRequest {
        from: month("2026-11-01"),
        until: month("2026-11-30"),
        zone: "Asia/Kolkata".into(),
    };
    actor.follow_up().get_follow_up_report(request).await.unwrap().into_inner().encode_to_vec()
}

fn hidden<T: std::fmt::Debug>(what: &str, answer: Result<T, Status>) {
    assert_eq!(answer.unwrap_err().code(), Code::NotFound, "{what}");
}

on_both_engines! {
    async fn the_past_goes_along_and_nothing_is_left_to_read(app) {
        let it = Course::begin(&app).await;
        let lead = clinical_lead(&app, &it.ngo);
        let me = it.ngo.as_counsellor(&app, &it.counsellor);
        let attended = it.attendance(&lead).await.unwrap();
        let (notes, scores) = (it.notes(&lead).await.unwrap(), progress(&lead, &it.client).await.unwrap());
        assert_eq!((attended.len(), notes.len(), scores.len()), (1, 1, 1));
        let guardians = pb::ListGuardiansRequest { client_id: it.client.id.clone(), ..Default::default() };
        let known = lead.clients().list_guardians(guardians.clone()).await.unwrap().into_inner();
        let plan = plan_of(&lead, &it.client).await.unwrap();
        let request = pb::UpdateClientRequest {
            request_id: "0193a5e0-0000-7000-8000-000000000001".into(),
            client: Some(pb::Client { phone: "555-0102".into(), ..it.client.clone() }),
            ..Default::default()
        };
        it.ngo.coordinator.clients().update_client(request.clone()).await.unwrap();
        it.move_on().await;

        for actor in [&it.ngo.coordinator, &lead, &me] {
            hidden("client", get(actor, &it.client).await);
            hidden("guardians", actor.clients().list_guardians(guardians.clone()).await);
            hidden("attendance", it.attendance(actor).await);
            hidden("plan", plan_of(actor, &it.client).await.map(|_| ()));
            let one = pb::GetFollowUpRequest { plan_id: plan.plan.id.clone(), ..Default::default() };
            hidden("plan by id", actor.follow_up().get_follow_up(one).await);
            assert_eq!(history(actor, &it.session).await.unwrap(), []);
        }
        hidden("progress", progress(&lead, &it.client).await);
        assert_eq!(it.notes(&lead).await.unwrap(), []);
        assert_eq!(it.notes(&me).await.unwrap(), []);
        // A request that is repeated tells no more than a new one, and nothing can be written any more.
        hidden("replay", it.ngo.coordinator.clients().update_client(request).await);
        let request = recording(&it.session, &it.client, pb::AttendanceOutcome::NoShow);
        hidden("record", record(&me, request).await);
        // The session keeps the reference.
        let request = pb::GetSessionRequest { session_id: it.session.id.clone() };
        let session = it.ngo.coordinator.scheduling().get_session(request).await.unwrap().into_inner().session.unwrap();
        assert_eq!(session.client_reference, it.client.reference);

        let there = clinical_lead(&app, &it.other);
        assert_eq!(it.attendance(&there).await.unwrap(), attended);
        assert_eq!(it.notes(&there).await.unwrap(), notes);
        assert_eq!(progress(&there, &it.client).await.unwrap(), scores);
        assert_eq!(there.clients().list_guardians(guardians).await.unwrap().into_inner(), known);
        let closed = plan_of(&there, &it.client).await.unwrap();
        assert_eq!(closed.plan.closing(), pb::FollowUpClosing::Transferred);
        let moved = get(&it.other.coordinator, &it.client).await.unwrap();
        assert_eq!((moved.file_number.as_str(), moved.phone.as_str()), ("", "555-0102"));
        let sought = pb::ListClientsRequest { phone: "555-0102".into(), ..Default::default() };
        for (actor, found) in [(&it.ngo.coordinator, 0), (&it.other.coordinator, 1)] {
            let clients = actor.clients().list_clients(sought.clone()).await.unwrap().into_inner().clients;
            assert_eq!(clients.len(), found);
        }
        // The number of the file is free again.
        it.ngo.survivor_with(|it| it.file_number = FILE.into()).await;
        // Whoever leads sessions of the client there sees what was before.
        let counsellor = it.other.counsellor("C9", pb::Side::Survivor).await;
        book(&it.other.coordinator, booking(&it.other, &counsellor, &it.client, "2026-11-26T04:30:00Z")).await.unwrap();
        let theirs = it.other.as_counsellor(&app, &counsellor);
        assert_eq!(it.attendance(&theirs).await.unwrap(), attended);
        assert_eq!(it.notes(&theirs).await.unwrap(), notes);
        enrol(&it.other.coordinator, enrolling(&it.client, &counsellor, "2026-11-24")).await.unwrap();
    }

    async fn the_counts_of_the_old_organisation_stand(app) {
        let mut it = Course::begin(&app).await;
        app.clock.set("2026-12-01T08:00:00Z".parse().unwrap());
        it.ngo.sign_in(&app);
        it.other.sign_in(&app);
        let close = |plan: &pb::FollowUpPlan| pb::CloseFollowUpRequest {
            plan_id: plan.id.clone(),
            etag: plan.etag.clone(),
            closing: pb::FollowUpClosing::Transferred.into(),
            ..Default::default()
        };
        let plan = plan_of(&it.ngo.coordinator, &it.client).await.unwrap();
        it.ngo.coordinator.follow_up().close_follow_up(close(&plan.plan)).await.unwrap();
        let before = (report(&it.ngo.coordinator).await, report(&it.other.coordinator).await);
        it.move_on().await;
        assert_eq!((report(&it.ngo.coordinator).await, report(&it.other.coordinator).await), before);
    }

    async fn whoever_must_not_meet_does_not_meet_there_either(app) {
        let (ngo, mut other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        other.venue = venue_at(&app, &other.id, "NEXT-DOOR", &ngo.site).await;
        let (survivor, offender) = (ngo.survivor().await, other.offender().await);
        let case = ngo.party_of("12/2026", "Example Station", &survivor).await;
        other.party_of("12/2026", "Example Station", &offender).await;
        let alone = ngo.party_of("13/2026", "Example Station", &survivor).await;
        let (treats, counsels) =
            (other.counsellor("O1", pb::Side::Offender).await, other.counsellor("C1", pb::Side::Survivor).await);
        book(&other.coordinator, booking(&other, &treats, &offender, "2026-11-26T04:30:00Z")).await.unwrap();
        consent_to(&ngo, &survivor).await;
        accept(&other.coordinator, &propose(&ngo, &survivor, &other).await.unwrap()).await.unwrap();
        // One day, one site, hours apart.
        let late = booking(&other, &counsels, &survivor, "2026-11-26T10:30:00Z");
        assert_eq!(refused(&book(&other.coordinator, late).await.unwrap_err()).items, ["SLOT_NOT_AVAILABLE"]);
        book(&other.coordinator, booking(&other, &counsels, &survivor, "2026-11-27T10:30:00Z")).await.unwrap();
        // The old record of the crime has no party left; what was about nobody else went along.
        let read = |actor: &Actor, id: &str| {
            let (mut clients, request) = (actor.clients(), pb::GetCaseRequest { case_id: id.into() });
            async move { clients.get_case(request).await.map(|it| it.into_inner().case.unwrap()) }
        };
        assert_eq!(read(&ngo.coordinator, &case.id).await.unwrap().parties, []);
        hidden("case", read(&ngo.coordinator, &alone.id).await);
        assert_eq!(read(&other.coordinator, &alone.id).await.unwrap().parties.len(), 1);
    }

    async fn of_a_case_with_others_the_new_organisation_has_its_own_record(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let (survivor, offender) = (ngo.survivor().await, ngo.offender().await);
        let case = ngo.party_of("12/2026", "Example Station", &survivor).await;
        let request = pb::AddCasePartyRequest {
            case_id: case.id.clone(),
            etag: case.etag.clone(),
            party: Some(pb::CaseParty { client_id: offender.id.clone(), role: pb::CaseRole::Accused.into() }),
            ..Default::default()
        };
        ngo.coordinator.clients().add_case_party(request).await.unwrap();
        let hearing = pb::Proceeding {
            case_id: case.id.clone(),
            date: Some(crate::support::date("2026-12-15")),
            kind: pb::ProceedingKind::Hearing.into(),
            ..Default::default()
        };
        let request = pb::RecordProceedingRequest { proceeding: Some(hearing), ..Default::default() };
        ngo.coordinator.clients().record_proceeding(request).await.unwrap();
        consent_to(&ngo, &survivor).await;
        accept(&other.coordinator, &propose(&ngo, &survivor, &other).await.unwrap()).await.unwrap();
        let request = pb::GetCaseRequest { case_id: case.id };
        let left = ngo.coordinator.clients().get_case(request).await.unwrap().into_inner().case.unwrap();
        assert_eq!(left.parties.iter().map(|it| it.client_id.as_str()).collect::<Vec<_>>(), [offender.id.as_str()]);
        let counsellor = other.counsellor("C1", pb::Side::Survivor).await;
        let request = booking(&other, &counsellor, &survivor, "2026-12-15T04:30:00Z");
        assert_eq!(refused(&book(&other.coordinator, request).await.unwrap_err()).items, ["PROCEEDINGS"]);
    }

    async fn an_emergency_ends_and_a_hold_goes_along(app) {
        let it = Course::begin(&app).await;
        let stranger = it.ngo.counsellor("C2", pb::Side::Survivor).await;
        let stranger = it.ngo.as_counsellor(&app, &stranger);
        let request = pb::RequestBreakGlassRequest {
            reference: it.client.reference.clone(),
            reason: "A planted reason".into(),
            ..Default::default()
        };
        let asked = stranger.access().request_break_glass(request).await.unwrap().into_inner().break_glass.unwrap();
        let lead = clinical_lead(&app, &it.ngo);
        let request = pb::ApproveBreakGlassRequest { break_glass_id: asked.id, ..Default::default() };
        lead.access().approve_break_glass(request).await.unwrap();
        get(&stranger, &it.client).await.unwrap();
        let hold = pb::LegalHold { client_id: it.client.id.clone(), reason: "Example".into(), ..Default::default() };
        let request = pb::PlaceLegalHoldRequest { hold: Some(hold), ..Default::default() };
        it.ngo.coordinator.clients().place_legal_hold(request).await.unwrap();
        it.move_on().await;
        hidden("emergency", get(&stranger, &it.client).await);
        let listed = lead.access().list_break_glass(pb::ListBreakGlassRequest::default()).await.unwrap().into_inner();
        assert_eq!((listed.break_glass[0].state(), listed.break_glass[0].reason.as_str()), (pb::BreakGlassState::Ended, ""));
        let moved = get(&it.other.coordinator, &it.client).await.unwrap();
        let request = pb::EraseClientRequest {
            client_id: moved.id,
            etag: moved.etag,
            reason: pb::ErasureReason::Requested.into(),
            ..Default::default()
        };
        let status = it.other.coordinator.clients().erase_client(request).await.unwrap_err();
        assert_eq!(refused(&status).reason, "LEGAL_HOLD");
    }
}
