//! A rule fact changes while bookings race: whatever comes first, each session is refused, or it stands,
//! is flagged with the very rule, and is named to whoever changed the fact. Many rounds, two processes.

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

use aftercare::grpc::pb;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tonic::Status;

use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::{
    Actor, Ngo, TestApp, book, booking, consent_of, date, own_consent, refused, time_of_day, venue_at,
};

const ROUNDS: u64 = 8;
/// Sessions that are booked before a fact changes.
const BEFORE: usize = 2;
/// Sessions of a round, an hour each from 10:00 on; all but the first race.
const ALL: usize = 7;

/// The local day of a round.
fn day(round: u64) -> String {
    (date_of(round)).to_string()
}

fn date_of(round: u64) -> chrono::NaiveDate {
    let first: chrono::NaiveDate = "2026-11-24".parse().unwrap();
    first + chrono::Days::new(round)
}

/// A full hour of a round's day, from 10:00 on.
fn hour(round: u64, at: usize) -> String {
    let ten: DateTime<Utc> = format!("{}T04:30:00Z", day(round)).parse().unwrap();
    (ten + TimeDelta::hours(at as i64)).to_rfc3339()
}

/// Spreads rivals over time, so that the rounds meet in different orders. Nothing is waited for: whatever is
/// asserted must hold in every order.
async fn stagger(by: Duration) {
    tokio::time::sleep(by).await;
}

/// Books some, then all others while a fact changes. Every rival is refused for just these rules, or stands
/// with them as flags; the change names whatever stands. Everything is cancelled in the end.
async fn changes(
    ngo: &Ngo,
    beside: &Actor,
    round: u64,
    requests: Vec<pb::BookSessionRequest>,
    rules: &[&str],
    fact: impl Future<Output = Result<Vec<String>, Status>> + Send + 'static,
) {
    let mut stand = Vec::new();
    for request in &requests[..BEFORE] {
        stand.push(book(&ngo.coordinator, request.clone()).await.unwrap());
    }
    let rivals = requests.into_iter().enumerate().skip(BEFORE).map(|(at, request)| {
        let actor = if at % 2 == 0 { ngo.coordinator.clone() } else { beside.clone() };
        tokio::spawn(async move {
            stagger(Duration::from_millis(2 * at as u64)).await;
            book(&actor, request).await
        })
    });
    let rivals: Vec<_> = rivals.collect();
    let fact = tokio::spawn(async move {
        stagger(Duration::from_millis(3 * round)).await;
        fact.await
    });
    for answer in join_all(rivals).await {
        match answer.unwrap() {
            Ok(session) => stand.push(session),
            Err(status) => assert_eq!(refused(&status).items, rules, "{status:?}"),
        }
    }
    let named: BTreeSet<String> = fact.await.unwrap().unwrap().into_iter().collect();
    let ids: BTreeSet<String> = stand.iter().map(|session| session.id.clone()).collect();
    assert_eq!(named, ids, "round {round}");
    for session in stand {
        let session = ngo.session(&session.id).await;
        assert_eq!(flags(&session), rules, "round {round}");
        ngo.cancel(&session).await.unwrap();
    }
}

fn flags(session: &pb::Session) -> Vec<&'static str> {
    let name = |flag| pb::BookingRule::try_from(flag).unwrap().as_str_name();
    session.flags.iter().map(|flag| name(*flag).trim_start_matches("BOOKING_RULE_")).collect()
}

/// The coordinator of an organisation at another process.
async fn elsewhere(app: &TestApp, ngo: &Ngo) -> (crate::support::Beside, Actor) {
    let beside = app.beside().await;
    let actor = beside.bearer(ngo.coordinator.token.clone());
    (beside, actor)
}

async fn many<T>(count: usize, make: impl AsyncFn(usize) -> T) -> Vec<T> {
    let mut all = Vec::new();
    for at in 0..count {
        all.push(make(at).await);
    }
    all
}

fn with_guardian(request: pb::BookSessionRequest, guardian: &pb::Guardian) -> pb::BookSessionRequest {
    pb::BookSessionRequest { guardian_id: guardian.id.clone(), ..request }
}

on_both_engines! {
    async fn an_agreement_ends(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_process, there) = elsewhere(&app, &ngo).await;
        let counsellors = many(ALL, async |at| ngo.counsellor(&format!("C{at}"), pb::Side::Survivor).await).await;
        let clients = many(ALL, async |_| ngo.survivor().await).await;
        for round in 0..ROUNDS {
            let pairs = counsellors.iter().zip(&clients).enumerate();
            let requests = pairs.map(|(at, (c, s))| booking(&ngo, c, s, &hour(round, at))).collect();
            let ended = pb::Agreement { status: pb::AgreementStatus::Ended.into(), ..ngo.agreement(&app).await };
            let request = pb::UpdateAgreementRequest { agreement: Some(ended.clone()), ..Default::default() };
            let mut directory = app.admin().directory();
            let fact = async move { Ok(directory.update_agreement(request).await?.into_inner().affected_session_ids) };
            changes(&ngo, &there, round, requests, &["NO_AGREEMENT"], fact).await;
            let again = pb::Agreement { status: pb::AgreementStatus::Active.into(), ..ngo.agreement(&app).await };
            let request = pb::UpdateAgreementRequest { agreement: Some(again), ..Default::default() };
            app.admin().directory().update_agreement(request).await.unwrap();
        }
        no_deadlock(&app).await;
    }

    async fn a_consent_is_withdrawn(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_process, there) = elsewhere(&app, &ngo).await;
        let counsellors = many(ALL, async |at| ngo.counsellor(&format!("C{at}"), pb::Side::Survivor).await).await;
        let client = ngo.child("1990-05-06").await;
        for round in 0..ROUNDS {
            let consent = ngo.consent(own_consent(&client)).await.unwrap();
            let all = counsellors.iter().enumerate();
            let requests = all.map(|(at, c)| booking(&ngo, c, &client, &hour(round, at))).collect();
            let request = pb::WithdrawConsentRequest {
                consent_id: consent.id,
                etag: consent.etag,
                reason: "They called.".into(),
                ..Default::default()
            };
            let mut clients = ngo.coordinator.clients();
            let fact = async move { Ok(clients.withdraw_consent(request).await?.into_inner().affected_session_ids) };
            changes(&ngo, &there, round, requests, &["CONSENT_MISSING"], fact).await;
        }
        no_deadlock(&app).await;
    }

    async fn a_leave_is_added(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_process, there) = elsewhere(&app, &ngo).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let clients = many(ALL, async |_| ngo.survivor().await).await;
        for round in 0..ROUNDS {
            let all = clients.iter().enumerate();
            let requests = all.map(|(at, s)| booking(&ngo, &counsellor, s, &hour(round, at))).collect();
            let leave = pb::Leave {
                counsellor_id: counsellor.id.clone(),
                starts_at: booking(&ngo, &counsellor, &clients[0], &hour(round, 0)).starts_at,
                ends_at: booking(&ngo, &counsellor, &clients[0], &hour(round, 12)).starts_at,
                ..Default::default()
            };
            let request = pb::CreateLeaveRequest { leave: Some(leave), ..Default::default() };
            let mut directory = ngo.coordinator.directory();
            let fact = async move { Ok(directory.create_leave(request).await?.into_inner().affected_session_ids) };
            changes(&ngo, &there, round, requests, &["ON_LEAVE"], fact).await;
        }
        no_deadlock(&app).await;
    }

    async fn a_conflict_is_declared(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_process, there) = elsewhere(&app, &ngo).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        for round in 0..ROUNDS {
            let client = ngo.survivor().await;
            let requests = (0..ALL).map(|at| booking(&ngo, &counsellor, &client, &hour(round, at))).collect();
            let (client_id, counsellor_id) = (client.id.clone(), counsellor.id.clone());
            let request = pb::DeclareConflictRequest { client_id, counsellor_id, ..Default::default() };
            let mut clients = ngo.coordinator.clients();
            let fact = async move { Ok(clients.declare_conflict(request).await?.into_inner().affected_session_ids) };
            changes(&ngo, &there, round, requests, &["CONFLICT_OF_INTEREST"], fact).await;
        }
        no_deadlock(&app).await;
    }

    async fn a_guardian_is_found_unsafe(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_process, there) = elsewhere(&app, &ngo).await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        for round in 0..ROUNDS {
            let child = ngo.child("2014-05-06").await;
            let guardian = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
            ngo.consent(consent_of(&guardian, &child)).await.unwrap();
            let request = |at| with_guardian(booking(&ngo, &counsellor, &child, &hour(round, at)), &guardian);
            let requests = (0..ALL).map(request).collect();
            let accused = pb::Guardian { standing: pb::GuardianStanding::Accused.into(), ..guardian.clone() };
            let request = pb::UpdateGuardianRequest { guardian: Some(accused), ..Default::default() };
            let mut clients = ngo.coordinator.clients();
            let fact = async move { Ok(clients.update_guardian(request).await?.into_inner().affected_session_ids) };
            changes(&ngo, &there, round, requests, &["CONSENT_MISSING", "GUARDIAN_REQUIRED"], fact).await;
        }
        no_deadlock(&app).await;
    }

    async fn a_verification_is_shortened(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_process, there) = elsewhere(&app, &ngo).await;
        let mut counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let clients = many(ALL, async |_| ngo.survivor().await).await;
        for round in 0..ROUNDS {
            counsellor.verified_until = Some(date(&day(round)));
            let request = pb::UpdateCounsellorRequest { counsellor: Some(counsellor), ..Default::default() };
            counsellor = ngo.coordinator.directory().update_counsellor(request).await.unwrap().into_inner()
                .counsellor.unwrap();
            let all = clients.iter().enumerate();
            let requests = all.map(|(at, s)| booking(&ngo, &counsellor, s, &hour(round, at))).collect();
            let lapsed = pb::Counsellor { verified_until: Some(date("2026-11-23")), ..counsellor.clone() };
            let request = pb::UpdateCounsellorRequest { counsellor: Some(lapsed), ..Default::default() };
            let mut directory = ngo.coordinator.directory();
            let fact = async move { Ok(directory.update_counsellor(request).await?.into_inner().affected_session_ids) };
            changes(&ngo, &there, round, requests, &["NOT_VERIFIED"], fact).await;
            let request = pb::GetCounsellorRequest { counsellor_id: counsellor.id };
            counsellor = ngo.coordinator.directory().get_counsellor(request).await.unwrap().into_inner()
                .counsellor.unwrap();
        }
        no_deadlock(&app).await;
    }

    async fn a_timetable_is_published(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_process, there) = elsewhere(&app, &ngo).await;
        let counsellors = many(ALL, async |at| ngo.counsellor(&format!("C{at}"), pb::Side::Survivor).await).await;
        let clients = many(ALL, async |_| ngo.survivor().await).await;
        let mut site = ngo.site.clone();
        let night = |day| pb::SideHours {
            side: pb::Side::Survivor.into(),
            day,
            starts: Some(time_of_day(20, 0)),
            ends: Some(time_of_day(22, 0)),
        };
        for round in 0..ROUNDS {
            let pairs = counsellors.iter().zip(&clients).enumerate();
            let requests = pairs.map(|(at, (c, s))| booking(&ngo, c, s, &hour(round, at))).collect();
            let published = pb::Site { timetable: (1..=7).map(night).collect(), ..site.clone() };
            let request = pb::UpdateSiteRequest { site: Some(published), ..Default::default() };
            let mut directory = app.admin().directory();
            let fact = async move { Ok(directory.update_site(request).await?.into_inner().affected_session_ids) };
            changes(&ngo, &there, round, requests, &["VENUE_SIDE_HOURS"], fact).await;
            let request = pb::GetSiteRequest { site_id: site.id };
            site = app.admin().directory().get_site(request).await.unwrap().into_inner().site.unwrap();
            site.timetable.clear();
            let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
            site = app.admin().directory().update_site(request).await.unwrap().into_inner().site.unwrap();
        }
        no_deadlock(&app).await;
    }

    async fn a_holiday_is_declared(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (_process, there) = elsewhere(&app, &ngo).await;
        let counsellors = many(ALL, async |at| ngo.counsellor(&format!("C{at}"), pb::Side::Survivor).await).await;
        let clients = many(ALL, async |_| ngo.survivor().await).await;
        let mut calendar = calendar(&app, &ngo, "CAL").await;
        let site = pb::Site { holiday_calendar_id: calendar.id.clone(), ..ngo.site.clone() };
        let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
        app.admin().directory().update_site(request).await.unwrap();
        for round in 0..ROUNDS {
            let pairs = counsellors.iter().zip(&clients).enumerate();
            let requests = pairs.map(|(at, (c, s))| booking(&ngo, c, s, &hour(round, at))).collect();
            calendar.holidays = vec![holiday(round)];
            let request =
                pb::UpdateHolidayCalendarRequest { holiday_calendar: Some(calendar.clone()), ..Default::default() };
            let mut directory = app.admin().directory();
            let fact =
                async move { Ok(directory.update_holiday_calendar(request).await?.into_inner().affected_session_ids) };
            changes(&ngo, &there, round, requests, &["HOLIDAY"], fact).await;
            let request = pb::GetHolidayCalendarRequest { holiday_calendar_id: calendar.id, ..Default::default() };
            calendar = app.admin().directory().get_holiday_calendar(request).await.unwrap().into_inner()
                .holiday_calendar.unwrap();
        }
        no_deadlock(&app).await;
    }

    async fn a_site_takes_a_calendar_while_the_calendar_changes(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut site = ngo.site.clone();
        for round in 0..2 * ROUNDS {
            let mut calendar = calendar(&app, &ngo, &format!("CAL-{round}")).await;
            let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, &hour(round, 0))).await.unwrap();
            site.holiday_calendar_id = calendar.id.clone();
            calendar.holidays = vec![holiday(round)];
            let taken = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
            let changed =
                pb::UpdateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
            let (mut one, mut other) = (app.admin().directory(), app.admin().directory());
            let (taken, changed) = tokio::join!(
                one.update_site(taken),
                async {
                    stagger(Duration::from_micros(400 * (round % 8))).await;
                    other.update_holiday_calendar(changed).await
                },
            );
            changed.unwrap();
            site = taken.unwrap().into_inner().site.unwrap();
            assert_eq!(flags(&ngo.session(&session.id).await), ["HOLIDAY"], "round {round}");
        }
        no_deadlock(&app).await;
    }

    async fn two_organisations_record_one_crime(app) {
        let host = Ngo::new(&app, "A").await;
        let mut guest = Ngo::new(&app, "B").await;
        guest.venue = venue_at(&app, &guest.id, "NEXT-DOOR", &host.site).await;
        for round in 0..2 * ROUNDS {
            let (survivors, offenders) = (
                guest.counsellor(&format!("C{round}"), pb::Side::Survivor).await,
                host.counsellor(&format!("O{round}"), pb::Side::Offender).await,
            );
            let (survivor, offender) = (guest.survivor().await, host.offender().await);
            let number = format!("{}/2026", round + 1);
            let (here, there) = (case(&host, &number).await, case(&guest, &number).await);
            let (one, other) = (
                booking(&guest, &survivors, &survivor, &hour(round, 0)),
                booking(&host, &offenders, &offender, &hour(round, 6)),
            );
            // In some rounds both have booked before.
            let (first, second) = if round % 2 == 0 {
                let both = (book(&guest.coordinator, one).await, book(&host.coordinator, other).await);
                tokio::join!(guest.add_party(&there, &survivor, 1), host.add_party(&here, &offender, 2));
                both
            } else {
                let all = tokio::join!(
                    book(&guest.coordinator, one),
                    book(&host.coordinator, other),
                    guest.add_party(&there, &survivor, 1),
                    host.add_party(&here, &offender, 2),
                );
                (all.0, all.1)
            };
            match (first, second) {
                (Ok(first), Ok(second)) => {
                    assert_eq!(flags(&guest.session(&first.id).await), ["SLOT_NOT_AVAILABLE"], "round {round}");
                    assert_eq!(flags(&host.session(&second.id).await), ["SLOT_NOT_AVAILABLE"], "round {round}");
                }
                (Ok(_), Err(status)) | (Err(status), Ok(_)) => {
                    assert_eq!(refused(&status).items, ["SLOT_NOT_AVAILABLE"], "{status:?}");
                }
                (Err(first), Err(second)) => panic!("both refused: {first:?} {second:?}"),
            }
        }
        no_deadlock(&app).await;
    }
}

fn holiday(round: u64) -> pb::Holiday {
    pb::Holiday { date: Some(date(&day(round))), name: "Example Day".into() }
}

async fn calendar(app: &TestApp, ngo: &Ngo, code: &str) -> pb::HolidayCalendar {
    let calendar = pb::HolidayCalendar {
        organisation_id: ngo.id.clone(),
        code: code.into(),
        name: "Example".into(),
        ..Default::default()
    };
    let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
    let made = app.admin().directory().create_holiday_calendar(request).await.unwrap().into_inner();
    made.holiday_calendar.unwrap()
}

async fn case(ngo: &Ngo, crime_number: &str) -> pb::Case {
    let case = pb::Case {
        crime_number: crime_number.into(),
        police_station: "Example Nagar".into(),
        district: "KL-TVM".into(),
        ..Default::default()
    };
    let request = pb::CreateCaseRequest { case: Some(case), ..Default::default() };
    ngo.coordinator.clients().create_case(request).await.unwrap().into_inner().case.unwrap()
}
