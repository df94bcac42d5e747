//! A fact that changes is accepted; the coming sessions that rested on it are named, flagged and
//! listed for a person, and nothing is cancelled.

use aftercare::grpc::pb;
use tonic::Request;

use crate::on_both_engines;
use crate::support::{Actor, Ngo, TestApp, book, booking, consent_of, date, refused, time_of_day, venue_at};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata

/// One call, and the first answer's field.
macro_rules! ask {
    ($client:expr, $rpc:ident, $request:expr) => {
        $client.$rpc(Request::new($request)).await.unwrap().into_inner()
    };
}

/// The sessions a person must resolve.
async fn waiting(actor: &Actor) -> Vec<(String, Vec<i32>)> {
    let request = pb::ListSessionsRequest { needs_rescheduling: true, ..Default::default() };
    let listed = actor.scheduling().list_sessions(request).await.unwrap().into_inner().sessions;
    assert!(listed.iter().all(|session| session.needs_rescheduling && session.state() == pb::SessionState::Booked));
    listed.into_iter().map(|session| (session.id, session.flags)).collect()
}

/// What changes about a counsellor, and the rules that are then broken.
type Change = (fn(&mut pb::Counsellor), &'static [pb::BookingRule]);

/// A session for an adult, one for a child who comes with the mother, and one an override holds.
struct Office {
    ngo: Ngo,
    counsellor: pb::Counsellor,
    adult: pb::Client,
    child: pb::Client,
    mother: pb::Guardian,
    sessions: [pb::Session; 2],
}

impl Office {
    async fn new(app: &TestApp) -> Self {
        let ngo = Ngo::new(app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let adult = ngo.survivor().await;
        let child = ngo.child("2014-03-04").await;
        let mother = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        ngo.consent(consent_of(&mother, &child)).await.unwrap();
        let first = book(&ngo.coordinator, booking(&ngo, &counsellor, &adult, TEN)).await.unwrap();
        let visit = booking(&ngo, &counsellor, &child, "2026-11-25T04:30:00Z");
        let visit = pb::BookSessionRequest { guardian_id: mother.id.clone(), ..visit };
        let second = book(&ngo.coordinator, visit).await.unwrap();
        Self { ngo, counsellor, adult, child, mother, sessions: [first, second] }
    }

    fn ids(&self) -> [String; 2] {
        self.sessions.clone().map(|session| session.id)
    }

    /// Exactly these sessions wait for a person, each for these rules.
    async fn wait(&self, expected: &[(usize, &[pb::BookingRule])]) {
        let rules = |rules: &[pb::BookingRule]| rules.iter().map(|rule| i32::from(*rule)).collect::<Vec<_>>();
        let expected: Vec<_> =
            expected.iter().map(|(at, codes)| (self.sessions[*at].id.clone(), rules(codes))).collect();
        assert_eq!(waiting(&self.ngo.coordinator).await, expected);
    }
}

on_both_engines! {
    async fn what_changes_about_a_counsellor(app) {
        let office = Office::new(&app).await;
        let (ngo, [first, second]) = (&office.ngo, office.ids());
        let mut directory = ngo.coordinator.directory();
        use pb::BookingRule as Rule;
        // Leave, and its end.
        let leave = pb::Leave {
            counsellor_id: office.counsellor.id.clone(),
            starts_at: office.sessions[0].starts_at,
            ends_at: office.sessions[0].ends_at,
            ..Default::default()
        };
        let answer = ask!(directory, create_leave, pb::CreateLeaveRequest { leave: Some(leave), ..Default::default() });
        assert_eq!(answer.affected_session_ids, std::slice::from_ref(&first));
        office.wait(&[(0, &[Rule::OnLeave])]).await;
        let leave = answer.leave.unwrap();
        let delete = pb::DeleteLeaveRequest { leave_id: leave.id, etag: leave.etag, ..Default::default() };
        ask!(directory, delete_leave, delete);
        office.wait(&[]).await;
        // Hours, verification, services, gender: each alone, then all as before.
        let mut counsellor = office.counsellor.clone();
        let changes: [Change; 5] = [
            (|it| it.working_hours.retain(|hours| hours.day != 2), &[Rule::OutsideWorkingHours]),
            (|it| it.verified_until = Some(date("2026-11-24")), &[Rule::NotVerified]),
            (|it| it.services = vec![2], &[Rule::NotQualified]),
            (|it| it.languages = vec!["hi".into()], &[Rule::Language]),
            (|it| it.inactive = true, &[Rule::NotQualified]),
        ];
        for (place, (change, rules)) in changes.into_iter().enumerate() {
            let mut changed = pb::Counsellor { etag: counsellor.etag.clone(), ..office.counsellor.clone() };
            change(&mut changed);
            let update = |it| pb::UpdateCounsellorRequest { counsellor: Some(it), ..Default::default() };
            let answer = ask!(directory, update_counsellor, update(changed));
            let expected: &[usize] = [&[0][..], &[1], &[0, 1], &[0, 1], &[0, 1]][place];
            let mut ids: Vec<_> = expected.iter().map(|at| office.sessions[*at].id.clone()).collect();
            ids.sort();
            assert_eq!(answer.affected_session_ids, ids, "{rules:?}");
            office.wait(&expected.iter().map(|at| (*at, rules)).collect::<Vec<_>>()).await;
            let etag = answer.counsellor.unwrap().etag;
            let back = ask!(directory, update_counsellor, update(pb::Counsellor { etag, ..office.counsellor.clone() }));
            assert_eq!(back.affected_session_ids, [""; 0]);
            office.wait(&[]).await;
            counsellor = back.counsellor.unwrap();
        }
        // A conflict that comes to light.
        let (counsellor_id, client_id) = (counsellor.id, office.child.id.clone());
        let mut clients = ngo.coordinator.clients();
        let declare = pb::DeclareConflictRequest { counsellor_id, client_id, ..Default::default() };
        assert_eq!(ask!(clients, declare_conflict, declare).affected_session_ids, [second]);
        office.wait(&[(1, &[Rule::ConflictOfInterest])]).await;
    }

    async fn what_changes_about_a_client(app) {
        let office = Office::new(&app).await;
        let (ngo, [first, second]) = (&office.ngo, office.ids());
        let mut clients = ngo.coordinator.clients();
        use pb::BookingRule as Rule;
        // The mother turns out not to be safe: neither her consent nor her company counts.
        let unsafe_now = pb::Guardian { standing: pb::GuardianStanding::Unsafe.into(), ..office.mother.clone() };
        let update = pb::UpdateGuardianRequest { guardian: Some(unsafe_now), ..Default::default() };
        assert_eq!(ask!(clients, update_guardian, update).affected_session_ids, std::slice::from_ref(&second));
        office.wait(&[(1, &[Rule::ConsentMissing, Rule::GuardianRequired])]).await;
        // The committee consents in her place: one flag goes, the other stays, and nothing is newly orphaned.
        let committee = pb::Consent {
            given_by: pb::ConsentGiver::ChildWelfareCommittee.into(),
            guardian_id: String::new(),
            ..consent_of(&office.mother, &office.child)
        };
        let consent = ngo.consent(committee).await.unwrap();
        office.wait(&[(1, &[Rule::GuardianRequired])]).await;
        // And takes it back.
        let withdraw = pb::WithdrawConsentRequest {
            consent_id: consent.id,
            etag: consent.etag,
            reason: "decided otherwise".into(),
            ..Default::default()
        };
        assert_eq!(ask!(clients, withdraw_consent, withdraw).affected_session_ids, [second]);
        office.wait(&[(1, &[Rule::ConsentMissing, Rule::GuardianRequired])]).await;
        // A wish for another time and another counsellor; a day in court.
        let wishes = pb::Client {
            availability: vec![pb::Availability { day: 5, starts: Some(time_of_day(9, 0)), ends: Some(time_of_day(18, 0)) }],
            counsellor_gender: pb::Gender::Female.into(),
            ..office.adult.clone()
        };
        let update = pb::UpdateClientRequest { client: Some(wishes), ..Default::default() };
        assert_eq!(ask!(clients, update_client, update).affected_session_ids, std::slice::from_ref(&first));
        let case = ngo.party_of("8/2026", "Example Nagar", &office.adult).await;
        let proceeding = pb::Proceeding {
            case_id: case.id,
            date: Some(date("2026-11-24")),
            kind: pb::ProceedingKind::Statement.into(),
            ..Default::default()
        };
        let record = pb::RecordProceedingRequest { proceeding: Some(proceeding), ..Default::default() };
        let answer = ask!(clients, record_proceeding, record);
        assert_eq!(answer.affected_session_ids, [first]);
        let wishes = [Rule::CounsellorGender, Rule::ClientAvailability, Rule::Proceedings];
        office.wait(&[(0, &wishes), (1, &[Rule::ConsentMissing, Rule::GuardianRequired])]).await;
        let proceeding = answer.proceeding.unwrap();
        let (proceeding_id, etag) = (proceeding.id, proceeding.etag);
        ask!(clients, delete_proceeding, pb::DeleteProceedingRequest { proceeding_id, etag, ..Default::default() });
        office.wait(&[(0, &wishes[..2]), (1, &[Rule::ConsentMissing, Rule::GuardianRequired])]).await;
    }

    async fn what_changes_about_a_place(app) {
        let office = Office::new(&app).await;
        let (ngo, [first, second]) = (&office.ngo, office.ids());
        let mut admin = app.admin().directory();
        use pb::BookingRule as Rule;
        // A timetable is published that gives the survivors Wednesdays.
        let wednesdays = pb::SideHours {
            side: pb::Side::Survivor.into(),
            day: 3,
            starts: Some(time_of_day(8, 0)),
            ends: Some(time_of_day(20, 0)),
        };
        let site = |it: pb::Site| pb::UpdateSiteRequest { site: Some(it), ..Default::default() };
        let answer = ask!(admin, update_site, site(pb::Site { timetable: vec![wednesdays], ..ngo.site.clone() }));
        assert_eq!(answer.affected_session_ids, std::slice::from_ref(&first));
        office.wait(&[(0, &[Rule::VenueSideHours])]).await;
        // A calendar with a holiday on Wednesday, and another version of it.
        let holidays = |day: &str| vec![pb::Holiday { date: Some(date(day)), name: "Example Day".into() }];
        let calendar = pb::HolidayCalendar {
            code: "CAL".into(),
            name: "Example".into(),
            holidays: holidays("2026-11-25"),
            ..Default::default()
        };
        let mut directory = ngo.coordinator.directory();
        let create = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
        let calendar = ask!(directory, create_holiday_calendar, create).holiday_calendar.unwrap();
        let etag = answer.site.unwrap().etag;
        let with = pb::Site { holiday_calendar_id: calendar.id.clone(), etag, ..ngo.site.clone() };
        let answer = ask!(admin, update_site, site(with));
        assert_eq!(answer.affected_session_ids, [second]);
        office.wait(&[(1, &[Rule::Holiday])]).await;
        let moved = pb::HolidayCalendar { holidays: holidays("2026-11-24"), ..calendar };
        let update = pb::UpdateHolidayCalendarRequest { holiday_calendar: Some(moved), ..Default::default() };
        assert_eq!(ask!(directory, update_holiday_calendar, update).affected_session_ids, [first]);
        office.wait(&[(0, &[Rule::Holiday])]).await;
    }

    async fn an_agreement_that_ends_and_a_venue_that_is_shared_no_more(app) {
        let office = Office::new(&app).await;
        let ngo = &office.ngo;
        let mut admin = app.admin().directory();
        use pb::BookingRule as Rule;
        let agreement = pb::Agreement { valid_until: Some(date("2026-11-24")), ..ngo.agreement(&app).await };
        let update = pb::UpdateAgreementRequest { agreement: Some(agreement), ..Default::default() };
        let answer = ask!(admin, update_agreement, update);
        assert_eq!(answer.affected_session_ids, [office.ids()[1].clone()]);
        office.wait(&[(1, &[Rule::NoAgreement])]).await;
        // Another agreement takes over.
        let next = pb::Agreement {
            code: "MOU-2".into(),
            valid_from: Some(date("2026-11-25")),
            valid_until: None,
            ..answer.agreement.unwrap()
        };
        ask!(admin, create_agreement, pb::CreateAgreementRequest { agreement: Some(next), ..Default::default() });
        office.wait(&[]).await;
        // A guest loses the host's venue; the host does not learn whose sessions those are.
        let mut guest = Ngo::new(&app, "B").await;
        let share = |venue: &pb::Venue, shared| {
            pb::UpdateVenueRequest { venue: Some(pb::Venue { shared, ..venue.clone() }), ..Default::default() }
        };
        let mut directory = ngo.coordinator.directory();
        let venue = ask!(directory, update_venue, share(&ngo.venue, true)).venue.unwrap();
        guest.venue = venue.clone();
        let (staff, client) = (guest.counsellor("G1", pb::Side::Survivor).await, guest.survivor().await);
        let session = book(&guest.coordinator, booking(&guest, &staff, &client, "2026-11-26T04:30:00Z")).await.unwrap();
        // What was known before stays known.
        guest.leave(&staff, "2026-11-26T00:00:00Z", "2026-11-27T00:00:00Z").await;
        assert_eq!(ask!(directory, update_venue, share(&venue, false)).affected_session_ids, [""; 0]);
        let flags = vec![i32::from(Rule::SlotNotAvailable), i32::from(Rule::OnLeave)];
        assert_eq!(waiting(&guest.coordinator).await, [(session.id, flags)]);
        office.wait(&[]).await;
    }

    async fn a_late_link_names_the_own_session_only(app) {
        let host = Ngo::new(&app, "A").await;
        let mut guest = Ngo::new(&app, "B").await;
        guest.venue = venue_at(&app, &guest.id, "NEXT-DOOR", &host.site).await;
        let (treats, offender) = (host.counsellor("O1", pb::Side::Offender).await, host.offender().await);
        let (staff, survivor) = (guest.counsellor("C1", pb::Side::Survivor).await, guest.survivor().await);
        let theirs = book(&host.coordinator, booking(&host, &treats, &offender, "2026-11-24T04:00:00Z")).await.unwrap();
        let own = book(&guest.coordinator, booking(&guest, &staff, &survivor, "2026-11-24T11:00:00Z")).await.unwrap();
        let declare = pb::DeclareNoContactRequest {
            client_id: survivor.id.clone(),
            other_reference: offender.reference.clone(),
            ..Default::default()
        };
        let mut clients = guest.coordinator.clients();
        let answer = ask!(clients, declare_no_contact, declare);
        assert_eq!(answer.affected_session_ids, std::slice::from_ref(&own.id));
        let rule = i32::from(pb::BookingRule::SlotNotAvailable);
        assert_eq!(waiting(&guest.coordinator).await, [(own.id.clone(), vec![rule])]);
        assert_eq!(waiting(&host.coordinator).await, [(theirs.id.clone(), vec![rule])]);
        // One of them moved away resolves both.
        let flagged = guest.session(&own.id).await;
        let away = pb::RescheduleSessionRequest {
            session_id: flagged.id,
            etag: flagged.etag,
            reason: pb::CancelReason::Provider.into(),
            starts_at: booking(&guest, &staff, &survivor, "2026-11-25T11:00:00Z").starts_at,
            ..Default::default()
        };
        guest.coordinator.scheduling().reschedule_session(away).await.unwrap();
        assert_eq!(waiting(&guest.coordinator).await, []);
        assert_eq!(waiting(&host.coordinator).await, []);
        // And the day is the remaining one's.
        let back = refused(&book(&guest.coordinator, booking(&guest, &staff, &survivor, "2026-11-24T11:00:00Z")).await.unwrap_err());
        assert_eq!(back.items, ["SLOT_NOT_AVAILABLE"]);
    }

    async fn what_was_overridden_or_has_begun_is_left_alone(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor().await);
        ngo.leave(&counsellor, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
        let overrides = vec![pb::RuleOverride { rule: pb::BookingRule::OnLeave.into(), reason: "comes in anyway".into() }];
        let request = pb::BookSessionRequest { overrides, ..booking(&ngo, &counsellor, &client, TEN) };
        book(&ngo.coordinator, request).await.unwrap();
        let begun = book(&ngo.coordinator, booking(&ngo, &counsellor, &other, "2026-11-23T04:00:00Z")).await.unwrap();
        let leave = pb::Leave {
            counsellor_id: counsellor.id.clone(),
            starts_at: begun.starts_at,
            ends_at: booking(&ngo, &counsellor, &client, "2026-11-25T00:00:00Z").starts_at,
            ..Default::default()
        };
        let create = pb::CreateLeaveRequest { leave: Some(leave), ..Default::default() };
        let mut directory = ngo.coordinator.directory();
        assert_eq!(ask!(directory, create_leave, create).affected_session_ids, [""; 0]);
        assert_eq!(waiting(&ngo.coordinator).await, []);
    }
}
