//! One of everything that a request can name, of one organisation.

use aftercare::grpc::pb;
use chrono::TimeDelta;

use super::made;
use crate::support::attendance::history;
use crate::support::followup::{enrol, enrolling, submit, well};
use crate::support::series::{book_series, weekly};
use crate::support::treatment::{create_order, order_of};
use crate::support::{Ngo, TestApp, at, book, booking, date, escalation, group_of, minutes, own_consent};

/// One of everything, each as it was last read.
pub struct Objects {
    pub ngo: Ngo,
    pub organisation: pb::Organisation,
    pub agreement: pb::Agreement,
    pub room: pb::Room,
    /// Each is deleted once.
    pub leaves: [pb::Leave; 2],
    pub holiday_calendar: pb::HolidayCalendar,
    pub programme: pb::Programme,
    /// Counsels the survivor, and gives trainings.
    pub counsellor: pb::Counsellor,
    /// Counsels survivors, but not this one.
    pub colleague: pb::Counsellor,
    /// Treats the offender.
    pub therapist: pb::Counsellor,
    pub client: pb::Client,
    pub offender: pb::Client,
    /// A survivor whom the counsellor does not know.
    pub stranger: pb::Client,
    /// The counsellor asks to be let in to the stranger.
    pub break_glass: pb::BreakGlass,
    pub guardian: pb::Guardian,
    pub legal_hold: pb::LegalHold,
    pub consents: [pb::Consent; 2],
    pub case: pb::Case,
    pub case_event: pb::CaseEvent,
    pub proceeding: pb::Proceeding,
    pub no_contact: pb::NoContact,
    pub conflict: pb::Conflict,
    /// Of the survivor, to come.
    pub session: pb::Session,
    /// Of the survivor, over, of which nothing is recorded.
    pub ended: pb::Session,
    /// Of the survivor, over, with an absence.
    pub missed: pb::Session,
    pub attendance: pb::Attendance,
    /// Of survivors, to come.
    pub group: pb::Session,
    pub training: pb::Session,
    pub series: pb::Series,
    pub hold: pb::Session,
    pub entry: pb::WaitlistEntry,
    pub offer: pb::WaitlistOffer,
    pub order: pb::TreatmentOrder,
    /// Of the offender, to come, counted towards the order.
    pub treatment: pb::Session,
    pub plan: pb::FollowUpPlan,
    pub milestone: pb::Milestone,
    pub assessment: pb::Assessment,
    pub escalation: pb::Escalation,
    pub report: pb::MandatoryReport,
    pub revocation: pb::Revocation,
    pub service_account: pb::ServiceAccount,
    /// The first is to go, without consent; the others are to come.
    pub transfers: [pb::Transfer; 3],
}

/// When the callers of the table call: Monday, 13:30 in Asia/Kolkata.
const NOW: TimeDelta = TimeDelta::hours(4);

impl Objects {
    /// Those of organisations of these codes, at one instant.
    pub async fn of<const N: usize>(app: &TestApp, codes: [&str; N]) -> [Self; N] {
        let mut begun = Vec::new();
        for (number, code) in codes.into_iter().enumerate() {
            begun.push(Begun::new(app, code, number).await);
        }
        app.clock.set(app.now() + NOW);
        let giving = Ngo::new(app, "GIVING").await;
        let mut all = Vec::new();
        for it in begun {
            let transfers = made::transfers(&it.ngo, &giving).await;
            all.push(it.complete(app, transfers).await);
        }
        all.try_into().unwrap_or_else(|_| unreachable!("as many as codes"))
    }

    /// Everything by which somebody who may not know of any of it could know it again.
    pub fn marks(&self) -> Vec<&str> {
        let directory = [
            &self.ngo.id,
            &self.agreement.id,
            &self.ngo.site.id,
            &self.ngo.venue.id,
            &self.room.id,
            &self.leaves[0].id,
            &self.leaves[1].id,
            &self.holiday_calendar.id,
            &self.programme.id,
            &self.counsellor.id,
            &self.colleague.id,
            &self.therapist.id,
            &self.order.id,
            &self.order.reference,
            &self.offender.id,
            &self.treatment.id,
        ];
        directory.into_iter().map(String::as_str).chain(self.survivors_marks()).collect()
    }

    /// The same, of the survivors' side alone.
    pub fn survivors_marks(&self) -> Vec<&str> {
        let all = [
            &self.client.id,
            &self.client.reference,
            &self.guardian.id,
            &self.legal_hold.id,
            &self.consents[0].id,
            &self.consents[1].id,
            &self.case.id,
            &self.case_event.id,
            &self.proceeding.id,
            &self.no_contact.id,
            &self.conflict.id,
            &self.session.id,
            &self.ended.id,
            &self.missed.id,
            &self.attendance.id,
            &self.group.id,
            &self.series.id,
            &self.hold.id,
            &self.entry.id,
            &self.offer.id,
            &self.plan.id,
            &self.milestone.id,
            &self.assessment.id,
            &self.escalation.id,
            &self.report.id,
            &self.stranger.id,
            &self.stranger.reference,
            &self.break_glass.id,
            &self.transfers[0].id,
            &self.transfers[1].id,
            &self.transfers[2].id,
        ];
        all.into_iter().map(String::as_str).collect()
    }
}

/// What there is before its sessions are over.
struct Begun {
    ngo: Ngo,
    counsellor: pb::Counsellor,
    client: pb::Client,
    ended: pb::Session,
    training: pb::Session,
    case: pb::Case,
}

impl Begun {
    async fn new(app: &TestApp, code: &str, number: usize) -> Self {
        let ngo = Ngo::new(app, code).await;
        let training = pb::CareService::Training.into();
        let agreement = ngo.agreement(app).await;
        let services = [&agreement.services[..], &[training]].concat();
        let agreement = pb::UpdateAgreementRequest {
            agreement: Some(pb::Agreement { services, ..agreement }),
            ..Default::default()
        };
        app.admin().directory().update_agreement(agreement).await.unwrap();
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, |it| it.services.push(training)).await;
        let client = ngo.survivor().await;
        let ended = booking(&ngo, &counsellor, &client, "2026-11-23T04:30:00Z");
        let ended = book(&ngo.coordinator, ended).await.unwrap();
        let request = pb::BookSessionRequest {
            client_id: String::new(),
            service: training,
            group: Some(pb::WantedGroup { capacity: 20, ..Default::default() }),
            ..booking(&ngo, &counsellor, &client, "2026-11-23T06:00:00Z")
        };
        let training = book(&ngo.coordinator, request).await.unwrap();
        let case = ngo.party_of(&format!("{}/2026", 12 + number), "Example Station", &client).await;
        Self { ngo, counsellor, client, ended, training, case }
    }

    async fn complete(self, app: &TestApp, transfers: [pb::Transfer; 3]) -> Objects {
        let Self { ngo, counsellor, client, ended, training, case } = self;
        let me = &ngo.coordinator;
        let mut directory = me.directory();
        let request = pb::GetOrganisationRequest { organisation_id: ngo.id.clone() };
        let organisation = directory.get_organisation(request).await.unwrap().into_inner().organisation.unwrap();
        let agreement = ngo.agreement(app).await;
        let colleague = ngo.counsellor("C2", pb::Side::Survivor).await;
        let therapist = ngo.counsellor("O1", pb::Side::Offender).await;
        let leaves = [
            ngo.leave(&colleague, "2026-12-28T00:00:00Z", "2026-12-29T00:00:00Z").await,
            ngo.leave(&colleague, "2026-12-30T00:00:00Z", "2026-12-31T00:00:00Z").await,
        ];
        let request =
            pb::CreateHolidayCalendarRequest { holiday_calendar: Some(made::holidays(&ngo)), ..Default::default() };
        let made = directory.create_holiday_calendar(request).await.unwrap().into_inner();
        let holiday_calendar = made.holiday_calendar.unwrap();
        let request = pb::CreateProgrammeRequest { programme: Some(made::programme(&ngo)), ..Default::default() };
        let programme = directory.create_programme(request).await.unwrap().into_inner().programme.unwrap();
        let (offender, other) = (ngo.offender().await, ngo.survivor().await);
        let guardian = ngo.guardian(&client, pb::GuardianStanding::Safe).await;
        let consents =
            [ngo.consent(own_consent(&client)).await.unwrap(), ngo.consent(own_consent(&client)).await.unwrap()];
        let mut clients = me.clients();
        let hold = made::legal_hold(&client);
        let request = pb::PlaceLegalHoldRequest { hold: Some(hold), ..Default::default() };
        let legal_hold = clients.place_legal_hold(request).await.unwrap().into_inner().hold.unwrap();
        let request = pb::DeclareNoContactRequest {
            client_id: client.id.clone(),
            other_reference: offender.reference.clone(),
            ..Default::default()
        };
        let no_contact = clients.declare_no_contact(request).await.unwrap().into_inner().no_contact.unwrap();
        let request = pb::DeclareConflictRequest {
            client_id: client.id.clone(),
            counsellor_id: colleague.id.clone(),
            ..Default::default()
        };
        let conflict = clients.declare_conflict(request).await.unwrap().into_inner().conflict.unwrap();
        let proceeding = pb::Proceeding {
            case_id: case.id.clone(),
            date: Some(date("2026-12-15")),
            kind: pb::ProceedingKind::Hearing.into(),
            ..Default::default()
        };
        let request = pb::RecordProceedingRequest { proceeding: Some(proceeding), ..Default::default() };
        let proceeding = clients.record_proceeding(request).await.unwrap().into_inner().proceeding.unwrap();
        let request = pb::GetCaseRequest { case_id: case.id.clone() };
        let case = clients.get_case(request).await.unwrap().into_inner().case.unwrap();
        let request = pb::RecordCaseEventRequest {
            case_id: case.id.clone(),
            kind: pb::CaseEventKind::Report.into(),
            happened_on: Some(date("2026-11-20")),
            source: "Diary 4/2026".into(),
            actor: "Example office".into(),
            zone: "Asia/Kolkata".into(),
            ..Default::default()
        };
        let made = me.follow_up().record_case_event(request).await.unwrap().into_inner();
        let case_event = made.case_event.unwrap();

        // The survivors' days are Tuesday to Friday; the offender comes on Saturday.
        let on = |start: &str| booking(&ngo, &counsellor, &client, start);
        let session = book(me, on("2026-11-25T04:30:00Z")).await.unwrap();
        let group = group_of(6, &[client.clone(), other.clone()], on("2026-11-27T04:30:00Z"));
        let group = book(me, group).await.unwrap();
        let past = on("2026-11-20T04:30:00Z");
        let request = pb::RecordPastSessionRequest {
            client_id: past.client_id,
            counsellor_id: past.counsellor_id,
            service: past.service,
            modality: past.modality,
            venue_id: past.venue_id,
            starts_at: past.starts_at,
            length: past.length,
            reason: "the line was down".into(),
            attendances: vec![made::absence(&client)],
            ..Default::default()
        };
        let missed = me.scheduling().record_past_session(request).await.unwrap().into_inner().session.unwrap();
        let attendance = history(me, &missed).await.unwrap().remove(0).records.remove(0);
        let series = book_series(me, weekly(&ngo, &counsellor, &client, 3)).await.unwrap().series.unwrap();
        let room = ngo.room("R1").await;

        // Somebody waits, a time becomes free, and is offered.
        let request = pb::JoinWaitlistRequest {
            client_id: other.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: Some(minutes(60)),
            ..Default::default()
        };
        let entry = me.scheduling().join_waitlist(request).await.unwrap().into_inner().entry.unwrap();
        let freed = book(me, on("2026-11-26T04:30:00Z")).await.unwrap();
        ngo.cancel(&freed).await.unwrap();
        app.run_jobs().await;
        let request = pb::ListOffersRequest::default();
        let offer = me.scheduling().list_offers(request).await.unwrap().into_inner().offers.remove(0).offer.unwrap();

        let order = pb::TreatmentOrder { starts_on: Some(date("2026-11-23")), ..order_of(&offender) };
        let order = create_order(me, order).await.unwrap();
        let mut request = booking(&ngo, &therapist, &offender, "2026-11-28T04:30:00Z");
        request.order_id = order.id.clone();
        let treatment = book(me, request).await.unwrap();
        let request = pb::GetOrderRequest { order_id: order.id.clone() };
        let order = me.compliance().get_order(request).await.unwrap().into_inner().order.unwrap();

        let plan = enrol(me, enrolling(&client, &counsellor, "2026-11-20")).await.unwrap();
        let counselling = ngo.as_counsellor(app, &counsellor);
        let sheet = well(&client, "PCL_5", "2026-11-23");
        let (assessment, _) = submit(&counselling, sheet).await.unwrap();
        let report = escalation::concern(&client, pb::ConcernKind::NewDisclosure);
        escalation::report(&counselling, report).await.unwrap();
        let escalation = escalation::escalations(&counselling).await.remove(0);
        let report = escalation::reports(me).await.remove(0);
        let plan = crate::support::followup::plan_of(&counselling, &client).await.unwrap_or(plan);
        let milestone = plan.milestones.last().cloned().unwrap();
        let stranger = ngo.survivor().await;
        let request = pb::RequestBreakGlassRequest {
            reference: stranger.reference.clone(),
            reason: "An example".into(),
            ..Default::default()
        };
        let made = counselling.access().request_break_glass(request).await.unwrap().into_inner();
        let break_glass = made.break_glass.unwrap();
        let revocation = made::revocation(&app.admin(), &ngo).await;
        let service_account = made::service_account(&app.admin(), &ngo).await;
        let hold = pb::HoldSlotRequest {
            client_id: client.id.clone(),
            counsellor_id: counsellor.id.clone(),
            service: pb::CareService::Counselling.into(),
            modality: pb::Modality::InPerson.into(),
            venue_id: ngo.venue.id.clone(),
            starts_at: at("2026-12-02T04:30:00Z"),
            length: Some(minutes(60)),
            ..Default::default()
        };
        let hold = me.scheduling().hold_slot(hold).await.unwrap().into_inner().hold.unwrap();
        Objects {
            organisation,
            agreement,
            room,
            leaves,
            holiday_calendar,
            programme,
            counsellor,
            colleague,
            therapist,
            client,
            offender,
            stranger,
            break_glass,
            guardian,
            legal_hold,
            consents,
            case,
            case_event,
            proceeding,
            no_contact,
            conflict,
            session,
            ended,
            missed,
            attendance,
            group,
            training,
            series,
            hold,
            entry,
            offer,
            order,
            treatment,
            plan: plan.plan,
            milestone,
            assessment,
            escalation,
            report,
            revocation,
            service_account,
            transfers,
            ngo,
        }
    }
}
