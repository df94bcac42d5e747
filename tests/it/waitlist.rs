//! Whoever waits is asked in order, about times that are held meanwhile, and nothing books by itself.

pub mod calls;
mod crash;
mod fences;
mod freed;
mod rivals;

use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::Code;

use self::calls::*;
use crate::on_both_engines;
use crate::support::{Ngo, TestApp, book, booking, consent_of, date, minutes, refused, time_of_day};

const TEN: &str = "2026-11-27T04:30:00Z"; // Friday, 10:00 in Asia/Kolkata

/// An organisation, a counsellor, and a session of theirs that can be cancelled.
struct Stage {
    ngo: Ngo,
    counsellor: pb::Counsellor,
    session: pb::Session,
}

impl Stage {
    async fn of(app: &TestApp) -> Self {
        let ngo = Ngo::new(app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        Self { ngo, counsellor, session }
    }

    async fn cancel(&self) {
        self.ngo.cancel(&self.session).await.unwrap();
    }
}

on_both_engines! {
    async fn a_cancelled_time_is_offered_to_one_after_the_other_until_somebody_takes_it(app) {
        let mut stage = Stage::of(&app).await;
        let (first, second) = (stage.ngo.survivor().await, stage.ngo.survivor().await);
        let waits = join(&stage.ngo, &first).await;
        app.clock.advance(TimeDelta::minutes(1));
        join(&stage.ngo, &second).await;
        stage.cancel().await;
        assert_eq!(offers(&stage.ngo).await, []);
        assert_eq!(asked(&app, &stage.ngo).await, first.id);
        // It is held, for nobody else, and nothing is booked.
        let offer = the_offer(&stage.ngo).await;
        let (what, hold) = (offer.offer.clone().unwrap(), offer.hold.clone().unwrap());
        assert_eq!((hold.state(), hold.starts_at, &hold.client_id), (pb::SessionState::Held, stage.session.starts_at, &first.id));
        assert_eq!((&hold.waitlist_offer_id, &hold.id), (&what.id, &what.session_id));
        assert_eq!(what.expires_at.unwrap().seconds - app.now().timestamp(), 24 * 60 * 60);
        assert_eq!(sessions(&stage.ngo, pb::SessionState::Booked).await, []);
        let rival = booking(&stage.ngo, &stage.counsellor, &second, TEN);
        assert_eq!(refused(&book(&stage.ngo.coordinator, rival).await.unwrap_err()).items, ["COUNSELLOR_BUSY"]);
        let held = pb::BookSessionRequest { hold_id: hold.id.clone(), ..Default::default() };
        assert_eq!(book(&stage.ngo.coordinator, held).await.unwrap_err().code(), Code::NotFound);
        let release = pb::ReleaseHoldRequest { hold_id: hold.id.clone(), ..Default::default() };
        let released = stage.ngo.coordinator.scheduling().release_hold(release).await;
        assert_eq!(released.unwrap_err().code(), Code::NotFound);

        // Nobody answers: the next is asked, and the first keeps the place.
        app.clock.advance(TimeDelta::hours(24) - TimeDelta::microseconds(1));
        stage.ngo.sign_in(&app);
        assert_eq!(asked(&app, &stage.ngo).await, first.id);
        app.clock.advance(TimeDelta::microseconds(1));
        let refusal = refused(&accept(&stage.ngo, &offer).await.unwrap_err());
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "OFFER_EXPIRED"));
        assert_eq!(asked(&app, &stage.ngo).await, second.id);
        assert_eq!(refused(&accept(&stage.ngo, &offer).await.unwrap_err()).reason, "OFFER_EXPIRED");
        let session = accept(&stage.ngo, &the_offer(&stage.ngo).await).await.unwrap();
        assert_eq!((&session.client_id, session.starts_at), (&second.id, stage.session.starts_at));
        assert_eq!((session.waitlist_offer_id.as_str(), session.held_until), ("", None));
        assert_eq!(sessions(&stage.ngo, pb::SessionState::Booked).await, [session]);
        assert_eq!(sessions(&stage.ngo, pb::SessionState::Held).await, []);
        let left = places(&stage.ngo).await;
        assert_eq!(left.iter().map(|it| it.entry.clone().unwrap()).collect::<Vec<_>>(), [waits]);
        // Days later nothing else comes of it.
        app.clock.advance(TimeDelta::days(2));
        stage.ngo.sign_in(&app);
        app.run_jobs().await;
        assert_eq!(sessions(&stage.ngo, pb::SessionState::Booked).await.len(), 1);
        assert_eq!(offers(&stage.ngo).await, []);
    }

    async fn what_is_declined_is_offered_to_the_next_and_never_again(app) {
        let stage = Stage::of(&app).await;
        let (first, second) = (stage.ngo.survivor().await, stage.ngo.survivor().await);
        join(&stage.ngo, &first).await;
        join(&stage.ngo, &second).await;
        stage.cancel().await;
        let mut seen = vec![asked(&app, &stage.ngo).await];
        let offer = the_offer(&stage.ngo).await;
        decline(&stage.ngo, &offer).await.unwrap();
        assert_eq!(refused(&decline(&stage.ngo, &offer).await.unwrap_err()).reason, "OFFER_DECLINED");
        seen.push(asked(&app, &stage.ngo).await);
        decline(&stage.ngo, &the_offer(&stage.ngo).await).await.unwrap();
        app.run_jobs().await;
        assert_eq!(offers(&stage.ngo).await, []);
        seen.sort();
        let mut both = [first.id.clone(), second.id];
        both.sort();
        assert_eq!(seen, both);
        // Both wait on, and the time is free for anybody.
        assert_eq!(places(&stage.ngo).await.len(), 2);
        assert_eq!(sessions(&stage.ngo, pb::SessionState::Held).await, []);
        book(&stage.ngo.coordinator, booking(&stage.ngo, &stage.counsellor, &first, TEN)).await.unwrap();
    }

    async fn the_order_is_escalations_then_children_then_the_longest_wait(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let (long, short) = (ngo.survivor().await, ngo.survivor().await);
        let child = ngo.child("2015-01-01").await;
        let guardian = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        ngo.consent(consent_of(&guardian, &child)).await.unwrap();
        let urgent = ngo.survivor().await;
        for client in [&long, &short] {
            join(ngo, client).await;
            app.clock.advance(TimeDelta::minutes(1));
        }
        let with_guardian = pb::JoinWaitlistRequest { guardian_id: guardian.id.clone(), ..joining(&child) };
        try_join(&ngo.coordinator, with_guardian).await.unwrap();
        app.clock.advance(TimeDelta::minutes(1));
        let escalated = pb::JoinWaitlistRequest { escalated: true, ..joining(&urgent) };
        try_join(&ngo.coordinator, escalated).await.unwrap();
        let order = [&urgent.id, &child.id, &long.id, &short.id];
        let listed = places(ngo).await;
        let seen: Vec<_> = listed.iter().map(|it| (&it.entry.as_ref().unwrap().client_id, it.position, it.band())).collect();
        let bands = [pb::WaitlistBand::Escalated, pb::WaitlistBand::Child, pb::WaitlistBand::Standard, pb::WaitlistBand::Standard];
        let expected: Vec<_> = order.into_iter().zip(1..).zip(bands).map(|((id, at), band)| (id, at, band)).collect();
        assert_eq!(seen, expected);
        stage.cancel().await;
        for id in order {
            assert_eq!(asked(&app, ngo).await, *id);
            decline(ngo, &the_offer(ngo).await).await.unwrap();
        }
        app.run_jobs().await;
        assert_eq!(offers(ngo).await, []);
    }

    async fn only_what_will_do_is_offered(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let other = ngo.counsellor("C2", pb::Side::Survivor).await;
        let elsewhere = ngo.second_site(&app).await;
        let from = |hour| vec![pb::Availability { day: 5, starts: Some(time_of_day(hour, 0)), ends: Some(time_of_day(17, 0)) }];
        let wrong = [
            pb::WaitlistWishes { counsellor_id: other.id.clone(), ..Default::default() },
            pb::WaitlistWishes { modality: pb::Modality::Remote.into(), ..Default::default() },
            pb::WaitlistWishes { venue_id: elsewhere.id.clone(), ..Default::default() },
            pb::WaitlistWishes { district: "KL-EKM".into(), ..Default::default() },
            pb::WaitlistWishes { first_day: Some(date("2026-11-28")), ..Default::default() },
            pb::WaitlistWishes { last_day: Some(date("2026-11-26")), ..Default::default() },
            pb::WaitlistWishes { times: from(11), ..Default::default() },
        ];
        for wishes in wrong {
            join_with(ngo, &ngo.survivor().await, wishes).await;
        }
        let longer = pb::JoinWaitlistRequest { length: Some(minutes(61)), ..joining(&ngo.survivor().await) };
        try_join(&ngo.coordinator, longer).await.unwrap();
        let right = ngo.survivor().await;
        join_with(ngo, &right, pb::WaitlistWishes {
            counsellor_id: stage.counsellor.id.clone(),
            modality: pb::Modality::InPerson.into(),
            venue_id: ngo.venue.id.clone(),
            district: "KL-TVM".into(),
            first_day: Some(date("2026-11-27")),
            last_day: Some(date("2026-11-27")),
            times: from(10),
        })
        .await;
        stage.cancel().await;
        assert_eq!(asked(&app, ngo).await, right.id);
        decline(ngo, &the_offer(ngo).await).await.unwrap();
        app.run_jobs().await;
        assert_eq!(offers(ngo).await, []);
    }

    async fn a_shorter_session_has_its_place_inside_a_longer_time(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let times = vec![pb::Availability { day: 5, starts: Some(time_of_day(10, 20)), ends: Some(time_of_day(11, 0)) }];
        let client = ngo.survivor_with(|it| it.availability = times).await;
        let short = pb::JoinWaitlistRequest { length: Some(minutes(30)), ..joining(&client) };
        try_join(&ngo.coordinator, short).await.unwrap();
        stage.cancel().await;
        app.run_jobs().await;
        let hold = the_offer(ngo).await.hold.unwrap();
        assert_eq!(hold.local_start, "2026-11-27T10:30:00+05:30");
    }

    async fn every_rule_is_asked_when_a_time_is_offered_and_when_it_is_accepted(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        // Each of these would be refused by a rule.
        let without_consent = ngo.client_with(pb::Side::Survivor, |it| it.born_on = Some(date("1990-05-06"))).await;
        let picky = ngo.survivor_with(|it| it.counsellor_gender = pb::Gender::Female.into()).await;
        let speaks = ngo.survivor_with(|it| it.spoken_languages = vec!["hi".into()]).await;
        let alone = ngo.child("2015-01-01").await;
        for client in [&without_consent, &picky, &speaks, &alone] {
            join(ngo, client).await;
        }
        let last = ngo.survivor().await;
        join(ngo, &last).await;
        stage.cancel().await;
        assert_eq!(asked(&app, ngo).await, last.id);
        let offer = the_offer(ngo).await;
        ngo.leave(&stage.counsellor, "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z").await;
        let refusal = refused(&accept(ngo, &offer).await.unwrap_err());
        assert_eq!((refusal.reason.as_str(), refusal.items), ("BOOKING_REFUSED", vec!["ON_LEAVE".to_owned()]));
        assert!(!refusal.alternatives.is_empty());
        // The offer stands, and a person may decide otherwise.
        assert_eq!(the_offer(ngo).await, offer);
        let request = pb::AnswerOfferRequest {
            offer_id: offer.offer.unwrap().id,
            answer: pb::OfferAnswer::Accept.into(),
            overrides: vec![pb::RuleOverride { rule: pb::BookingRule::OnLeave.into(), reason: "comes in anyway".into() }],
            ..Default::default()
        };
        let session = ngo.coordinator.scheduling().answer_offer(request).await.unwrap().into_inner().session.unwrap();
        assert_eq!(session.overridden, [i32::from(pb::BookingRule::OnLeave)]);
    }

    async fn nothing_is_offered_that_the_rules_forbid_by_then(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        join(ngo, &ngo.survivor().await).await;
        stage.cancel().await;
        ngo.leave(&stage.counsellor, "2026-11-27T00:00:00Z", "2026-11-28T00:00:00Z").await;
        app.run_jobs().await;
        assert_eq!(offers(ngo).await, []);
        assert_eq!(places(ngo).await.len(), 1);
    }

    async fn a_guardian_can_be_named_when_it_is_accepted(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let child = ngo.child("2015-01-01").await;
        let mother = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        let other = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        ngo.consent(consent_of(&mother, &child)).await.unwrap();
        let request = pb::JoinWaitlistRequest { guardian_id: mother.id.clone(), ..joining(&child) };
        try_join(&ngo.coordinator, request).await.unwrap();
        stage.cancel().await;
        app.run_jobs().await;
        let offer = the_offer(ngo).await;
        assert_eq!(offer.hold.unwrap().guardian_id, mother.id);
        let request = pb::AnswerOfferRequest {
            offer_id: offer.offer.unwrap().id,
            answer: pb::OfferAnswer::Accept.into(),
            guardian_id: other.id.clone(),
            ..Default::default()
        };
        let session = ngo.coordinator.scheduling().answer_offer(request).await.unwrap().into_inner().session.unwrap();
        assert_eq!(ngo.session(&session.id).await.guardian_id, other.id);
    }

    async fn who_leaves_gives_the_offer_to_the_next(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let (first, second) = (ngo.survivor().await, ngo.survivor().await);
        let entry = join(ngo, &first).await;
        app.clock.advance(TimeDelta::minutes(1));
        join(ngo, &second).await;
        stage.cancel().await;
        assert_eq!(asked(&app, ngo).await, first.id);
        let offer = the_offer(ngo).await;
        let left = leave(ngo, &entry).await.unwrap();
        assert_eq!(left.ending(), pb::WaitlistEntryEnding::Left);
        assert_eq!(refused(&leave(ngo, &entry).await.unwrap_err()).reason, "NOT_WAITING");
        assert_eq!(refused(&accept(ngo, &offer).await.unwrap_err()).reason, "OFFER_WITHDRAWN");
        assert_eq!(asked(&app, ngo).await, second.id);
        // Whoever left may wait again.
        join(ngo, &first).await;
    }

    async fn a_client_waits_once_for_a_service(app) {
        let ngo = Ngo::new(&app, "A").await;
        let client = ngo.survivor().await;
        let entry = join(&ngo, &client).await;
        let refusal = refused(&try_join(&ngo.coordinator, joining(&client)).await.unwrap_err());
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::FailedPrecondition, "ALREADY_WAITING"));
        let therapy = pb::JoinWaitlistRequest { service: pb::CareService::TraumaTherapy.into(), ..joining(&client) };
        try_join(&ngo.coordinator, therapy).await.unwrap();
        // The same request is the same entry, whatever became of it.
        let id = "0193a5e0-0000-7000-8000-000000000001";
        let request = pb::JoinWaitlistRequest { request_id: id.into(), ..joining(&ngo.survivor().await) };
        let one = try_join(&ngo.coordinator, request.clone()).await.unwrap();
        let left = leave(&ngo, &one).await.unwrap();
        assert_eq!(try_join(&ngo.coordinator, request).await.unwrap(), left);
        assert_eq!(entry.etag, "1");
    }

    async fn every_wrong_field_of_a_request_is_named(app) {
        let ngo = Ngo::new(&app, "A").await;
        let wishes = pb::WaitlistWishes {
            counsellor_id: "x".into(),
            modality: pb::Modality::Remote.into(),
            venue_id: ngo.venue.id.clone(),
            first_day: Some(date("2026-11-28")),
            last_day: Some(date("2026-11-27")),
            times: vec![pb::Availability::default()],
            ..Default::default()
        };
        let request = pb::JoinWaitlistRequest { wishes: Some(wishes), ..Default::default() };
        let refusal = refused(&try_join(&ngo.coordinator, request).await.unwrap_err());
        assert_eq!(refusal.items, [
            "client_id", "service", "length", "wishes.counsellor_id", "wishes.times[0].day", "wishes.times[0].starts",
            "wishes.times[0].ends", "wishes.venue_id", "wishes.last_day",
        ]);
        let treatment = pb::JoinWaitlistRequest { service: pb::CareService::Treatment.into(), ..joining(&ngo.survivor().await) };
        assert_eq!(refused(&try_join(&ngo.coordinator, treatment).await.unwrap_err()).items, ["service"]);
        let offenders = ngo.counsellor("O1", pb::Side::Offender).await;
        let wishes = Some(pb::WaitlistWishes { counsellor_id: offenders.id, ..Default::default() });
        let other_side = pb::JoinWaitlistRequest { wishes, ..joining(&ngo.survivor().await) };
        assert_eq!(try_join(&ngo.coordinator, other_side).await.unwrap_err().code(), Code::NotFound);
    }

    async fn the_waitlist_says_what_is_free_and_why_there_is_not_more(app) {
        let stage = Stage::of(&app).await;
        let ngo = &stage.ngo;
        let (waits, picky) = (ngo.survivor().await, ngo.survivor_with(|it| it.counsellor_gender = pb::Gender::Female.into()).await);
        let narrow = pb::WaitlistWishes { first_day: Some(date("2026-12-24")), ..Default::default() };
        join_with(ngo, &waits, narrow).await;
        join(ngo, &picky).await;
        let coming = book(&ngo.coordinator, booking(ngo, &stage.counsellor, &waits, "2026-11-26T04:30:00Z")).await.unwrap();
        let only = async |client: &pb::Client| {
            let request = pb::ListWaitlistRequest { client_id: client.id.clone(), ..Default::default() };
            listed(ngo, request).await.remove(0)
        };
        let place = only(&waits).await;
        let outlook = place.outlook.unwrap();
        assert_eq!((place.coming_session_id, place.client_reference), (coming.id, waits.reference.clone()));
        assert_eq!((outlook.free_slots, outlook.counsellors), (0, 1));
        assert!(outlook.slots_at_other_times > 100);
        let outlook = only(&picky).await.outlook.unwrap();
        assert_eq!((outlook.free_slots, outlook.slots_at_other_times), (0, 0));
        let gender = pb::Exclusion { rule: pb::BookingRule::CounsellorGender.into(), counsellors: 1 };
        assert!(outlook.exclusions.contains(&gender), "{outlook:?}");
        // A page at a time is the same list.
        let mut paged = Vec::new();
        let mut request = pb::ListWaitlistRequest { page_size: 1, ..Default::default() };
        loop {
            let page = ngo.coordinator.scheduling().list_waitlist(request.clone()).await.unwrap().into_inner();
            paged.extend(page.places);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(paged, places(ngo).await);
    }
}
