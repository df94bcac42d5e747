//! Every booking rule is broken alone, overridden where it is soft, and reported with all others.

use std::collections::BTreeSet;

use aftercare::domain::rules::{RULES, RuleCode, Severity};
use aftercare::grpc::pb;
use tonic::Code;

use crate::on_both_engines;
use crate::support::{
    Ngo, TestApp, at, book, booking, consent_of, date, group_of, minutes, refused, time_of_day, venue_at,
};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata
const NOON: &str = "2026-11-24T06:30:00Z";

/// An organisation, and the rules that were seen to be broken alone.
struct Seen<'a> {
    ngo: &'a Ngo,
    codes: BTreeSet<String>,
}

impl Seen<'_> {
    /// A booking breaks one rule, and no other. If it is soft, a written reason lets it stand.
    async fn only(&mut self, rule: pb::BookingRule, request: pb::BookSessionRequest) {
        let code = rule.as_str_name().trim_start_matches("BOOKING_RULE_").to_owned();
        let status = book(&self.ngo.coordinator, request.clone()).await.unwrap_err();
        let refusal = refused(&status);
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "BOOKING_REFUSED"), "{status}");
        assert_eq!(refusal.items, [code.as_str()]);
        let soft = code.parse::<RuleCode>().unwrap().is_soft();
        let overrides = vec![pb::RuleOverride { rule: rule.into(), reason: "agreed with everybody".into() }];
        let overridden = pb::BookSessionRequest { overrides, ..request };
        match book(&self.ngo.coordinator, overridden).await {
            Ok(session) => {
                assert!(soft, "{code} is hard");
                assert_eq!(session.overridden, [i32::from(rule)]);
                self.ngo.cancel(&session).await.ok();
            }
            Err(status) => {
                assert!(!soft, "{code} is soft: {status}");
                assert_eq!(refused(&status).items, ["overrides[0].rule"]);
            }
        }
        self.codes.insert(code);
    }
}

fn remote(request: pb::BookSessionRequest) -> pb::BookSessionRequest {
    pb::BookSessionRequest { modality: pb::Modality::Remote.into(), venue_id: String::new(), ..request }
}

async fn update_counsellor(ngo: &Ngo, counsellor: &pb::Counsellor) -> pb::Counsellor {
    let request = pb::UpdateCounsellorRequest { counsellor: Some(counsellor.clone()), ..Default::default() };
    ngo.coordinator.directory().update_counsellor(request).await.unwrap().into_inner().counsellor.unwrap()
}

async fn update_site(app: &TestApp, site: pb::Site) {
    let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
    app.admin().directory().update_site(request).await.unwrap();
}

on_both_engines! {
    async fn each_rule_is_broken_alone(app) {
        let ngo = Ngo::new(&app, "A").await.with_default_policy(&app).await;
        let mut seen = Seen { ngo: &ngo, codes: BTreeSet::new() };
        use pb::BookingRule as Rule;
        who_may_see_whom(&app, &mut seen).await;
        what_is_taken(&app, &mut seen).await;
        when(&app, &mut seen).await;
        how_much(&app, &mut seen).await;

        // The client's own wishes and circumstances.
        let counsellor = ngo.counsellor("W1", pb::Side::Survivor).await;
        let hindi = ngo.survivor_with(|client| client.spoken_languages = vec!["hi".into()]).await;
        seen.only(Rule::Language, booking(&ngo, &counsellor, &hindi, TEN)).await;
        let interpreted = pb::BookSessionRequest { interpreter: true, ..booking(&ngo, &counsellor, &hindi, TEN) };
        book(&ngo.coordinator, interpreted).await.unwrap();
        let regional = ngo.survivor_with(|client| client.spoken_languages = vec!["ml-IN".into()]).await;
        book(&ngo.coordinator, booking(&ngo, &counsellor, &regional, NOON)).await.unwrap();

        let evenings = pb::Availability {
            day: 2, // Tuesday
            starts: Some(time_of_day(11, 0)),
            ends: Some(time_of_day(13, 0)),
        };
        let second = ngo.counsellor("W2", pb::Side::Survivor).await;
        let busy = ngo.survivor_with(|client| client.availability = vec![evenings]).await;
        seen.only(Rule::ClientAvailability, booking(&ngo, &second, &busy, TEN)).await;
        book(&ngo.coordinator, booking(&ngo, &second, &busy, NOON)).await.unwrap();

        let child = ngo.child("2014-03-04").await;
        let mother = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        ngo.consent(consent_of(&mother, &child)).await.unwrap();
        seen.only(Rule::GuardianRequired, booking(&ngo, &second, &child, TEN)).await;
        book(&ngo.coordinator, remote(booking(&ngo, &second, &child, TEN))).await.unwrap();
        let visit = booking(&ngo, &second, &child, "2026-11-25T04:30:00Z");
        book(&ngo.coordinator, pb::BookSessionRequest { guardian_id: mother.id, ..visit }).await.unwrap();

        let called = ngo.survivor().await;
        let case = ngo.party_of("7/2026", "Example Nagar", &called).await;
        let hearing = pb::Proceeding {
            case_id: case.id,
            date: Some(date("2026-11-26")),
            kind: pb::ProceedingKind::Hearing.into(),
            ..Default::default()
        };
        let request = pb::RecordProceedingRequest { proceeding: Some(hearing), ..Default::default() };
        ngo.coordinator.clients().record_proceeding(request).await.unwrap();
        let that_day = booking(&ngo, &counsellor, &called, "2026-11-26T04:30:00Z");
        seen.only(Rule::Proceedings, that_day.clone()).await;
        let company = pb::BookSessionRequest { service: pb::CareService::Accompaniment.into(), ..that_day };
        book(&ngo.coordinator, company).await.unwrap();

        let therapist = ngo.counsellor("W3", pb::Side::Offender).await;
        let crowd = [ngo.offender().await, ngo.offender().await, ngo.offender().await];
        let alone = booking(&ngo, &therapist, &crowd[0], "2026-12-08T04:30:00Z");
        seen.only(Rule::GroupFull, group_of(2, &crowd, alone.clone())).await;
        book(&ngo.coordinator, group_of(3, &crowd, alone)).await.unwrap();

        let ordered = booking(&ngo, &therapist, &crowd[1], "2026-12-10T04:30:00Z");
        let nobodys = "0190f5a0-0000-7000-8000-000000000001".to_owned();
        seen.only(Rule::OrderNotOpen, pb::BookSessionRequest { order_id: nobodys, ..ordered }).await;

        let all = RuleCode::ALL.iter().filter(|rule| !matches!(rule, RuleCode::NotAGroup | RuleCode::RoomCapacity));
        let all: BTreeSet<String> = all.map(ToString::to_string).collect();
        assert_eq!(seen.codes, all);
    }

    async fn ten_broken_rules_are_reported_at_once(app) {
        let ngo = Ngo::new(&app, "A").await.with_default_policy(&app).await;
        let night = |it: &mut pb::Counsellor| {
            it.verified_until = None;
            it.languages = vec!["bn".into()];
            it.gender = pb::Gender::Male.into();
            it.services = vec![pb::CareService::TraumaTherapy.into()];
        };
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, night).await;
        let picky = |client: &mut pb::Client| {
            client.born_on = Some(date("2014-03-04"));
            client.counsellor_gender = pb::Gender::Female.into();
            client.availability =
                vec![pb::Availability { day: 7, starts: Some(time_of_day(9, 0)), ends: Some(time_of_day(10, 0)) }];
        };
        let child = ngo.client_with(pb::Side::Survivor, picky).await;
        // In an hour's time, on a day of leave, before the agreement begins.
        let agreement = pb::Agreement { valid_from: Some(date("2026-12-01")), ..ngo.agreement(&app).await };
        let request = pb::UpdateAgreementRequest { agreement: Some(agreement), ..Default::default() };
        app.admin().directory().update_agreement(request).await.unwrap();
        ngo.leave(&counsellor, "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z").await;
        let status = book(&ngo.coordinator, booking(&ngo, &counsellor, &child, "2026-11-23T05:00:00Z")).await.unwrap_err();
        assert_eq!(
            refused(&status).items,
            [
                "NOT_QUALIFIED",
                "NOT_VERIFIED",
                "NO_AGREEMENT",
                "COUNSELLOR_GENDER",
                "CONSENT_MISSING",
                "NOTICE",
                "ON_LEAVE",
                "LANGUAGE",
                "GUARDIAN_REQUIRED",
                "CLIENT_AVAILABILITY",
            ]
        );
        // Overriding the soft ones leaves the hard ones.
        let soft = RULES.iter().filter(|rule| rule.severity == Severity::Soft);
        let overrides = soft.map(|rule| pb::RuleOverride {
            rule: pb::BookingRule::from_str_name(&format!("BOOKING_RULE_{}", rule.code)).unwrap().into(),
            reason: "agreed with everybody".into(),
        });
        let request = pb::BookSessionRequest {
            overrides: overrides.collect(),
            ..booking(&ngo, &counsellor, &child, "2026-11-23T05:00:00Z")
        };
        let left = refused(&book(&ngo.coordinator, request).await.unwrap_err()).items;
        assert_eq!(left, ["NOT_QUALIFIED", "NOT_VERIFIED", "NO_AGREEMENT", "COUNSELLOR_GENDER", "CONSENT_MISSING"]);
    }

    async fn the_reason_of_an_override_is_kept_and_its_reading_audited(app) {
        let ngo = Ngo::new(&app, "A").await.with_default_policy(&app).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let soon = "2026-11-23T05:00:00Z";
        let reason = "the client leaves town tonight";
        let overrides = vec![
            pb::RuleOverride { rule: pb::BookingRule::Notice.into(), reason: reason.into() },
            // Nothing is written down for a rule that is not broken.
            pb::RuleOverride { rule: pb::BookingRule::Travel.into(), reason: "not needed".into() },
        ];
        let request = pb::BookSessionRequest { overrides, ..booking(&ngo, &counsellor, &client, soon) };
        let session = book(&ngo.coordinator, request).await.unwrap();
        assert_eq!(session.overridden, [i32::from(pb::BookingRule::Notice)]);
        let asked = pb::ListSessionOverridesRequest { session_id: session.id.clone() };
        let answer = ngo.coordinator.scheduling().list_session_overrides(asked.clone()).await.unwrap().into_inner();
        let [why] = &answer.overrides[..] else { panic!("{answer:?}") };
        assert_eq!((why.rule, why.reason.as_str()), (pb::BookingRule::Notice.into(), reason));
        assert_eq!(why.decided_by, "coordinator@A");
        assert_eq!(why.decided_at.unwrap().seconds, app.now().timestamp());
        let events = app.audit().await;
        let booked = events.iter().find(|event| event.action.ends_with("/BookSession")).unwrap();
        assert!(booked.details.contains("OVERRIDDEN NOTICE") && !booked.details.contains(reason), "{booked:?}");
        assert!(events.iter().any(|event| event.action.ends_with("/ListSessionOverrides")));
        // Nobody else's business.
        let other = Ngo::new(&app, "B").await;
        let status = other.coordinator.scheduling().list_session_overrides(asked).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
    }
}

async fn who_may_see_whom(app: &TestApp, seen: &mut Seen<'_>) {
    use pb::BookingRule as Rule;
    let ngo = seen.ngo;
    let counsellor = ngo.counsellor("A1", pb::Side::Survivor).await;
    let client = ngo.survivor().await;
    // A service of the other side, and a counsellor of it.
    let treatment = pb::BookSessionRequest {
        service: pb::CareService::Treatment.into(),
        ..booking(ngo, &counsellor, &client, TEN)
    };
    seen.only(Rule::WrongSide, treatment).await;
    let offenders = ngo.counsellor("A0", pb::Side::Offender).await;
    seen.only(Rule::WrongSide, booking(ngo, &offenders, &client, TEN)).await;
    let narrow = |it: &mut pb::Counsellor| (it.services, it.modalities) = (vec![2], vec![1]);
    let therapist = ngo.counsellor_with("A2", pb::Side::Survivor, narrow).await;
    seen.only(Rule::NotQualified, booking(ngo, &therapist, &client, TEN)).await;
    let therapy = pb::BookSessionRequest {
        service: pb::CareService::TraumaTherapy.into(),
        ..booking(ngo, &therapist, &client, TEN)
    };
    seen.only(Rule::NotQualified, remote(therapy)).await;
    // The last day of a verification is a good day.
    let lapsing = |it: &mut pb::Counsellor| it.verified_until = Some(date("2026-11-24"));
    let lapsing = ngo.counsellor_with("A3", pb::Side::Survivor, lapsing).await;
    seen.only(Rule::NotVerified, booking(ngo, &lapsing, &client, "2026-11-25T04:30:00Z")).await;
    let last = book(&ngo.coordinator, booking(ngo, &lapsing, &client, TEN)).await.unwrap();
    ngo.cancel(&last).await.unwrap();
    // An agreement for other services.
    let agreement = ngo.agreement(app).await;
    let without = pb::Agreement { services: vec![2, 5], ..agreement.clone() };
    let update = |agreement| pb::UpdateAgreementRequest { agreement: Some(agreement), ..Default::default() };
    let changed = app.admin().directory().update_agreement(update(without)).await.unwrap().into_inner();
    seen.only(Rule::NoAgreement, booking(ngo, &counsellor, &client, TEN)).await;
    let etag = changed.agreement.unwrap().etag;
    app.admin().directory().update_agreement(update(pb::Agreement { etag, ..agreement })).await.unwrap();
    // A declared conflict, until it is withdrawn.
    let (counsellor_id, client_id) = (counsellor.id.clone(), client.id.clone());
    let declare = pb::DeclareConflictRequest { counsellor_id, client_id, ..Default::default() };
    let mut clients = ngo.coordinator.clients();
    let conflict = clients.declare_conflict(declare).await.unwrap().into_inner().conflict.unwrap();
    seen.only(Rule::ConflictOfInterest, booking(ngo, &counsellor, &client, TEN)).await;
    let withdraw = pb::WithdrawConflictRequest { conflict_id: conflict.id, etag: conflict.etag, ..Default::default() };
    clients.withdraw_conflict(withdraw).await.unwrap();
    let session = book(&ngo.coordinator, booking(ngo, &counsellor, &client, TEN)).await.unwrap();
    ngo.cancel(&session).await.unwrap();
    // The gender a client asks for; a counsellor who states none does not have it.
    let asks = ngo.survivor_with(|client| client.counsellor_gender = pb::Gender::Female.into()).await;
    seen.only(Rule::CounsellorGender, booking(ngo, &counsellor, &asks, TEN)).await;
    let female = |it: &mut pb::Counsellor| it.gender = pb::Gender::Female.into();
    let female = ngo.counsellor_with("A4", pb::Side::Survivor, female).await;
    book(&ngo.coordinator, booking(ngo, &female, &asks, TEN)).await.unwrap();
    // Consent: none, then a guardian's until the eighteenth birthday.
    let nearly = ngo.child("2008-11-25").await;
    let mother = ngo.guardian(&nearly, pb::GuardianStanding::Safe).await;
    let visit =
        |start| pb::BookSessionRequest { guardian_id: mother.id.clone(), ..booking(ngo, &counsellor, &nearly, start) };
    seen.only(Rule::ConsentMissing, visit(TEN)).await;
    ngo.consent(consent_of(&mother, &nearly)).await.unwrap();
    let last = book(&ngo.coordinator, visit(TEN)).await.unwrap();
    ngo.cancel(&last).await.unwrap();
    seen.only(Rule::ConsentMissing, visit("2026-11-25T04:30:00Z")).await;
    // Offenders' treatment does not rest on consent.
    let treats = ngo.counsellor("A5", pb::Side::Offender).await;
    let offender = ngo.offender().await;
    book(&ngo.coordinator, remote(booking(ngo, &treats, &offender, TEN))).await.unwrap();
}

async fn what_is_taken(app: &TestApp, seen: &mut Seen<'_>) {
    use pb::BookingRule as Rule;
    let ngo = seen.ngo;
    let start = "2026-12-01T04:30:00Z";
    let buffered = |it: &mut pb::Counsellor| it.buffer_after = Some(minutes(15));
    let counsellor = ngo.counsellor_with("B1", pb::Side::Survivor, buffered).await;
    let other = ngo.counsellor("B2", pb::Side::Survivor).await;
    let (client, rival) = (ngo.survivor().await, ngo.survivor().await);
    let venue = venue_at(app, &ngo.id, "ROOMS", &ngo.site).await;
    let room = ngo.room_at(&venue, "R1").await;
    let here = |request: pb::BookSessionRequest| pb::BookSessionRequest { venue_id: venue.id.clone(), ..request };
    book(&ngo.coordinator, here(booking(ngo, &counsellor, &rival, start))).await.unwrap();
    // The counsellor's buffer: 11:00 is refused, 11:15 is free.
    seen.only(Rule::CounsellorBusy, remote(booking(ngo, &counsellor, &client, "2026-12-01T05:30:00Z"))).await;
    book(&ngo.coordinator, remote(booking(ngo, &counsellor, &client, "2026-12-01T05:45:00Z"))).await.unwrap();
    seen.only(Rule::ClientBusy, remote(booking(ngo, &other, &client, "2026-12-01T06:30:00Z"))).await;
    seen.only(Rule::RoomBusy, here(booking(ngo, &other, &client, start))).await;
    let named = pb::BookSessionRequest { room_id: room.id, ..here(booking(ngo, &other, &client, start)) };
    seen.only(Rule::RoomBusy, named).await;
    // Somebody of the other side has been there an hour before.
    let treats = ngo.counsellor("B3", pb::Side::Offender).await;
    let offender = ngo.offender().await;
    seen.only(Rule::SlotNotAvailable, booking(ngo, &treats, &offender, "2026-12-01T06:30:00Z")).await;
}

async fn when(app: &TestApp, seen: &mut Seen<'_>) {
    use pb::BookingRule as Rule;
    let ngo = seen.ngo;
    let counsellor = ngo.counsellor("D1", pb::Side::Survivor).await;
    let client = ngo.survivor().await;
    // The past, but for a walk-in, who gives no notice either.
    app.clock.set("2026-11-23T05:15:01Z".parse().unwrap());
    let gone = booking(ngo, &counsellor, &client, "2026-11-23T05:00:00Z");
    seen.only(Rule::InThePast, gone.clone()).await;
    app.clock.set("2026-11-23T05:15:00Z".parse().unwrap());
    book(&ngo.coordinator, gone).await.unwrap();
    // Two hours' notice, to the minute; 180 days ahead, to the minute.
    seen.only(Rule::Notice, booking(ngo, &counsellor, &client, "2026-11-23T07:14:00Z")).await;
    let session = book(&ngo.coordinator, booking(ngo, &counsellor, &client, "2026-11-23T07:15:00Z")).await.unwrap();
    ngo.cancel(&session).await.unwrap();
    seen.only(Rule::Horizon, booking(ngo, &counsellor, &client, "2027-05-22T05:16:00Z")).await;
    book(&ngo.coordinator, booking(ngo, &counsellor, &client, "2027-05-22T05:15:00Z")).await.unwrap();
    // Working hours end at 17:30.
    seen.only(Rule::OutsideWorkingHours, booking(ngo, &counsellor, &client, "2026-11-24T11:15:00Z")).await;
    let leave = ngo.leave(&counsellor, "2026-11-27T05:00:00Z", "2026-11-27T06:00:00Z").await;
    let away = booking(ngo, &counsellor, &client, "2026-11-27T04:30:00Z");
    seen.only(Rule::OnLeave, away.clone()).await;
    let delete = pb::DeleteLeaveRequest { leave_id: leave.id, etag: leave.etag, ..Default::default() };
    ngo.coordinator.directory().delete_leave(delete).await.unwrap();
    book(&ngo.coordinator, away).await.unwrap();
    // A holiday closes the site, not the telephone.
    let other = Ngo::new(app, "H").await;
    let staff = other.counsellor("H1", pb::Side::Survivor).await;
    let guest = other.survivor().await;
    let days = vec![pb::Holiday { date: Some(date("2026-11-24")), name: "Example Day".into() }];
    let calendar =
        pb::HolidayCalendar { code: "CAL".into(), name: "Example".into(), holidays: days, ..Default::default() };
    let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
    let mut directory = other.coordinator.directory();
    let made = directory.create_holiday_calendar(request).await.unwrap().into_inner().holiday_calendar.unwrap();
    update_site(app, pb::Site { holiday_calendar_id: made.id, ..other.site.clone() }).await;
    let mut there = Seen { ngo: &other, codes: BTreeSet::new() };
    there.only(Rule::Holiday, booking(&other, &staff, &guest, TEN)).await;
    book(&other.coordinator, remote(booking(&other, &staff, &guest, TEN))).await.unwrap();
    // Survivors in the morning, offenders in the evening.
    let sided = Ngo::new(app, "T").await;
    let hours = |side: pb::Side, starts, ends| pb::SideHours {
        side: side.into(),
        day: 2, // Tuesday
        starts: Some(time_of_day(starts, 0)),
        ends: Some(time_of_day(ends, 0)),
    };
    let timetable = vec![hours(pb::Side::Survivor, 9, 12), hours(pb::Side::Offender, 14, 18)];
    update_site(app, pb::Site { timetable, ..sided.site.clone() }).await;
    let staff = sided.counsellor("T1", pb::Side::Survivor).await;
    let guest = sided.survivor().await;
    let mut evenings = Seen { ngo: &sided, codes: BTreeSet::new() };
    evenings.only(Rule::VenueSideHours, booking(&sided, &staff, &guest, "2026-11-24T05:31:00Z")).await;
    evenings.only(Rule::VenueSideHours, booking(&sided, &staff, &guest, "2026-11-25T04:30:00Z")).await;
    book(&sided.coordinator, booking(&sided, &staff, &guest, "2026-11-24T05:30:00Z")).await.unwrap();
    seen.codes.extend(there.codes.into_iter().chain(evenings.codes));
}

async fn how_much(app: &TestApp, seen: &mut Seen<'_>) {
    use pb::BookingRule as Rule;
    let ngo = seen.ngo;
    let limited = |it: &mut pb::Counsellor| (it.daily_limit, it.weekly_limit) = (Some(2), None);
    let mut counsellor = ngo.counsellor_with("E1", pb::Side::Survivor, limited).await;
    let (client, other) = (ngo.survivor().await, ngo.survivor().await);
    // 2026-12-07 is a Monday.
    for start in ["2026-12-07T04:00:00Z", "2026-12-07T06:00:00Z", "2026-12-13T04:00:00Z"] {
        book(&ngo.coordinator, remote(booking(ngo, &counsellor, &client, start))).await.unwrap();
    }
    seen.only(Rule::DailyLoad, remote(booking(ngo, &counsellor, &other, "2026-12-07T09:00:00Z"))).await;
    (counsellor.daily_limit, counsellor.weekly_limit) = (None, Some(3));
    let counsellor = update_counsellor(ngo, &counsellor).await;
    // Monday to Sunday: three already, and none in the next week.
    seen.only(Rule::WeeklyLoad, remote(booking(ngo, &counsellor, &other, "2026-12-10T04:00:00Z"))).await;
    book(&ngo.coordinator, remote(booking(ngo, &counsellor, &other, "2026-12-14T04:00:00Z"))).await.unwrap();
    // Half an hour between two sites, to the minute; none between venues of one site or on the telephone.
    let traveller = ngo.counsellor("E2", pb::Side::Survivor).await;
    let elsewhere = ngo.second_site(app).await;
    let there =
        |start| pb::BookSessionRequest { venue_id: elsewhere.id.clone(), ..booking(ngo, &traveller, &other, start) };
    book(&ngo.coordinator, booking(ngo, &traveller, &client, "2026-12-16T04:30:00Z")).await.unwrap();
    seen.only(Rule::Travel, there("2026-12-16T05:59:00Z")).await;
    let on_time = book(&ngo.coordinator, there("2026-12-16T06:00:00Z")).await.unwrap();
    assert_eq!(on_time.starts_at, at("2026-12-16T06:00:00Z"));
    book(&ngo.coordinator, remote(booking(ngo, &traveller, &client, "2026-12-16T07:00:00Z"))).await.unwrap();
}
