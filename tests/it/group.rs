//! Groups: one booking for many clients and several counsellors, who joins it and who leaves it.

use aftercare::grpc::pb;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::on_both_engines;
use crate::support::series::{book_series, session_of, weekly};
use crate::support::{
    Ngo, at, book, booking, consent_of, date, group_of, join, joining, leaving, minutes, refused, remove,
};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata
const NOON: &str = "2026-11-24T06:30:00Z";

async fn survivors(ngo: &Ngo, count: usize) -> Vec<pb::Client> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(ngo.survivor().await);
    }
    all
}

async fn offenders(ngo: &Ngo, count: usize) -> Vec<pb::Client> {
    let mut all = Vec::new();
    for _ in 0..count {
        all.push(ngo.offender().await);
    }
    all
}

/// A group, led by a counsellor alone.
fn group(
    ngo: &Ngo,
    lead: &pb::Counsellor,
    capacity: i32,
    clients: &[pb::Client],
    start: &str,
) -> pb::BookSessionRequest {
    group_of(capacity, clients, booking(ngo, lead, &clients[0], start))
}

/// A group, led by two.
fn led_by_two(request: pb::BookSessionRequest, other: &pb::Counsellor) -> pb::BookSessionRequest {
    let mut group = request.group.unwrap();
    group.co_facilitator_ids = vec![other.id.clone()];
    pb::BookSessionRequest { group: Some(group), ..request }
}

fn present(session: &pb::Session) -> Vec<&str> {
    session.group.as_ref().unwrap().participants.iter().map(|it| it.client_id.as_str()).collect()
}

fn ids(clients: &[pb::Client]) -> Vec<&str> {
    clients.iter().map(|it| it.id.as_str()).collect()
}

fn broken(status: Status) -> Vec<String> {
    let refusal = refused(&status);
    assert_eq!(refusal.code, Code::FailedPrecondition, "{status:?}");
    refusal.items
}

/// What each violation is about.
fn subjects(status: &Status) -> Vec<String> {
    let failure = status.get_details_precondition_failure().unwrap();
    failure.violations.into_iter().map(|it| it.subject).collect()
}

on_both_engines! {
    async fn twelve_clients_and_two_facilitators_are_one_booking(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let lead = ngo.counsellor("O1", pb::Side::Offender).await;
        let other = ngo.counsellor_with("O2", pb::Side::Offender, |it| it.buffer_after = Some(minutes(15))).await;
        let third = ngo.counsellor("O3", pb::Side::Offender).await;
        let clients = offenders(&ngo, 13).await;
        let request = led_by_two(group(&ngo, &lead, 12, &clients[..12], TEN), &other);
        let session = book(&ngo.coordinator, request.clone()).await.unwrap();
        assert_eq!(present(&session), ids(&clients[..12]));
        assert_eq!(session.group.as_ref().unwrap().co_facilitator_ids, std::slice::from_ref(&other.id));
        let all = pb::ListSessionsRequest::default();
        let all = ngo.coordinator.scheduling().list_sessions(all).await.unwrap().into_inner().sessions;
        assert_eq!(all, std::slice::from_ref(&session));
        // Everybody in it is busy, and so is the room; the other facilitator needs the time after it too.
        for client in &clients[..12] {
            let items = broken(book(&ngo.coordinator, booking(&ngo, &third, client, TEN)).await.unwrap_err());
            assert_eq!(items, ["CLIENT_BUSY", "ROOM_BUSY"]);
        }
        for (counsellor, start, expected) in [
            (&lead, TEN, &["COUNSELLOR_BUSY", "ROOM_BUSY"][..]),
            (&other, "2026-11-24T05:30:00Z", &["COUNSELLOR_BUSY"]),
        ] {
            let request = booking(&ngo, counsellor, &clients[12], start);
            assert_eq!(broken(book(&ngo.coordinator, request).await.unwrap_err()), expected);
        }
        book(&ngo.coordinator, booking(&ngo, &lead, &clients[12], "2026-11-24T05:30:00Z")).await.unwrap();
        // The thirteenth finds no place, whether later or from the beginning.
        let thirteenth = ngo.offender().await;
        let status = join(&ngo.coordinator, joining(&session, &thirteenth)).await.unwrap_err();
        assert_eq!(broken(status), ["GROUP_FULL"]);
        let later = led_by_two(group(&ngo, &lead, 12, &clients, "2026-11-25T04:30:00Z"), &other);
        assert_eq!(broken(book(&ngo.coordinator, later).await.unwrap_err()), ["GROUP_FULL"]);
        // The trail names the session and everybody in it.
        let trail = app.audit().await;
        let booked = trail.iter().find(|it| it.outcome == "DONE" && it.subjects.contains(&session.id)).unwrap();
        assert!(ids(&clients[..12]).iter().all(|id| booked.subjects.contains(id)));
        // Who leads it with another has it in the own calendar, and sees who is in it.
        let mine = ngo.as_counsellor(&app, &other);
        let today = pb::ListSessionsRequest { on_date: Some(date("2026-11-24")), ..Default::default() };
        assert_eq!(mine.scheduling().list_sessions(today).await.unwrap().into_inner().sessions, std::slice::from_ref(&session));
        let get = pb::GetSessionRequest { session_id: session.id.clone() };
        assert_eq!(mine.scheduling().get_session(get.clone()).await.unwrap().into_inner().session.unwrap(), session);
        let client = pb::GetClientRequest { client_id: clients[3].id.clone() };
        mine.clients().get_client(client.clone()).await.unwrap();
        let stranger = ngo.as_counsellor(&app, &third);
        assert_eq!(stranger.scheduling().get_session(get).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(stranger.clients().get_client(client).await.unwrap_err().code(), Code::NotFound);
    }

    async fn who_joins_is_judged_and_nobody_else(app) {
        let ngo = Ngo::new(&app, "A").await;
        let lead = ngo.counsellor("C1", pb::Side::Survivor).await;
        let child = ngo.child("2014-03-04").await;
        let guardian = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        ngo.consent(consent_of(&guardian, &child)).await.unwrap();
        let adult = ngo.survivor().await;
        let mut request = group(&ngo, &lead, 6, &[child.clone(), adult.clone()], TEN);
        request.group.as_mut().unwrap().participants[0].guardian_id = guardian.id.clone();
        let session = book(&ngo.coordinator, request).await.unwrap();
        // One of them loses consent and company, and only that one is flagged.
        let unsafe_now = pb::Guardian { standing: pb::GuardianStanding::Unsafe.into(), ..guardian };
        let update = pb::UpdateGuardianRequest { guardian: Some(unsafe_now), ..Default::default() };
        ngo.coordinator.clients().update_guardian(update).await.unwrap();
        let flagged = ngo.session(&session.id).await;
        let of = |session: &pb::Session, at: usize| session.group.as_ref().unwrap().participants[at].flags.clone();
        let missing: Vec<i32> = vec![pb::BookingRule::ConsentMissing.into(), pb::BookingRule::GuardianRequired.into()];
        assert_eq!((&flagged.flags, of(&flagged, 0), of(&flagged, 1)), (&missing, missing.clone(), vec![]));
        // It stands in nobody's way.
        let newcomer = ngo.survivor().await;
        let joined = join(&ngo.coordinator, joining(&session, &newcomer)).await.unwrap();
        assert_eq!(present(&joined), ids(&[child.clone(), adult.clone(), newcomer.clone()]));
        assert_eq!((of(&joined, 0), of(&joined, 2)), (missing, vec![]));
        assert_ne!(joined.etag, flagged.etag);
        assert_eq!(ngo.session(&session.id).await, joined);
        // Whoever lacks something is refused for that alone, and nobody else is named.
        let without = ngo.client_with(pb::Side::Survivor, |it| {
            it.born_on = Some(date("1990-05-06"));
            it.spoken_languages = vec!["hi".into()];
        }).await;
        let status = join(&ngo.coordinator, joining(&session, &without)).await.unwrap_err();
        assert_eq!(subjects(&status), vec![format!("client/{}", without.id); 2]);
        assert_eq!(broken(status), ["CONSENT_MISSING", "LANGUAGE"]);
        let both = group(&ngo, &lead, 6, &[newcomer.clone(), without.clone()], NOON);
        let status = book(&ngo.coordinator, both).await.unwrap_err();
        assert!(subjects(&status).iter().all(|it| *it == format!("client/{}", without.id)));
        assert_eq!(broken(status), ["CONSENT_MISSING", "LANGUAGE"]);
        // With an interpreter, a soft rule does not stand; with a reason, it may be broken.
        ngo.consent(crate::support::own_consent(&without)).await.unwrap();
        let overrides = vec![pb::RuleOverride { rule: pb::BookingRule::Language.into(), reason: "understands some".into() }];
        let request = pb::AddParticipantRequest { overrides, ..joining(&session, &without) };
        let joined = join(&ngo.coordinator, request).await.unwrap();
        let language: Vec<i32> = vec![pb::BookingRule::Language.into()];
        assert_eq!((&joined.group.as_ref().unwrap().participants[3].overridden, &joined.overridden), (&language, &language));
        // The same person twice, in another's eyes or in the past.
        let again = refused(&join(&ngo.coordinator, joining(&session, &newcomer)).await.unwrap_err());
        assert_eq!((again.code, again.reason.as_str()), (Code::FailedPrecondition, "ALREADY_PARTICIPATES"));
        let foreign = Ngo::new(&app, "B").await;
        for (actor, client) in [(&foreign.coordinator, &newcomer), (&ngo.coordinator, &foreign.survivor().await)] {
            assert_eq!(join(actor, joining(&session, client)).await.unwrap_err().code(), Code::NotFound);
        }
        let stale = pb::AddParticipantRequest { etag: session.etag.clone(), ..joining(&session, &ngo.survivor().await) };
        assert_eq!(join(&ngo.coordinator, stale).await.unwrap_err().code(), Code::Aborted);
    }

    async fn the_sides_do_not_mix(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (heals, treats) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (survivors, offenders) = (survivors(&ngo, 2).await, offenders(&ngo, 2).await);
        let session = book(&ngo.coordinator, group(&ngo, &treats, 6, &offenders, TEN)).await.unwrap();
        let items = broken(join(&ngo.coordinator, joining(&session, &survivors[0])).await.unwrap_err());
        assert!(items.contains(&"WRONG_SIDE".to_owned()), "{items:?}");
        for (lead, clients) in [(&treats, [&offenders[0], &survivors[0]]), (&heals, [&survivors[0], &offenders[0]])] {
            let request = group(&ngo, lead, 6, &clients.map(Clone::clone), NOON);
            let items = broken(book(&ngo.coordinator, request).await.unwrap_err());
            assert!(items.contains(&"WRONG_SIDE".to_owned()), "{items:?}");
        }
        let request = led_by_two(group(&ngo, &treats, 6, &offenders, NOON), &heals);
        assert_eq!(broken(book(&ngo.coordinator, request).await.unwrap_err())[0], "WRONG_SIDE");
    }

    async fn who_leaves_is_free_and_stays_part_of_the_history(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let (lead, other) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let clients = survivors(&ngo, 3).await;
        let session = book(&ngo.coordinator, group(&ngo, &lead, 2, &clients[..2], TEN)).await.unwrap();
        assert_eq!(broken(join(&ngo.coordinator, joining(&session, &clients[2])).await.unwrap_err()), ["GROUP_FULL"]);
        let left = remove(&ngo.coordinator, leaving(&session, &clients[0])).await.unwrap();
        assert_eq!(present(&left), ids(&clients[1..2]));
        let gone = &left.group.as_ref().unwrap().removed[0];
        assert_eq!((&gone.client_id, gone.reason), (&clients[0].id, pb::CancelReason::Client.into()));
        assert_eq!(ngo.session(&session.id).await, left);
        // Whoever left can be elsewhere, and is the counsellor's no more; the place can be taken, and taken again.
        book(&ngo.coordinator, booking(&ngo, &other, &clients[0], TEN)).await.unwrap();
        let get = pb::GetClientRequest { client_id: clients[0].id.clone() };
        let status = ngo.as_counsellor(&app, &lead).clients().get_client(get).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
        let full = join(&ngo.coordinator, joining(&session, &clients[2])).await.unwrap();
        assert_eq!(present(&full), ids(&[clients[2].clone(), clients[1].clone()]));
        assert_eq!(broken(join(&ngo.coordinator, joining(&session, &clients[0])).await.unwrap_err()), ["GROUP_FULL", "CLIENT_BUSY"]);
        let twice = remove(&ngo.coordinator, leaving(&left, &clients[1])).await.unwrap_err();
        assert_eq!(twice.code(), Code::Aborted);
        let unknown = remove(&ngo.coordinator, leaving(&full, &clients[0])).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
        let left = remove(&ngo.coordinator, leaving(&full, &clients[2])).await.unwrap();
        let back = join(&ngo.coordinator, joining(&session, &clients[2])).await.unwrap();
        assert_eq!(back.group.as_ref().unwrap().removed, left.group.as_ref().unwrap().removed);
        // What has started stays as it is.
        app.clock.set(TEN.parse().unwrap());
        ngo.sign_in(&app);
        for status in [
            remove(&ngo.coordinator, leaving(&back, &clients[1])).await.unwrap_err(),
            join(&ngo.coordinator, joining(&back, &ngo.survivor().await)).await.unwrap_err(),
        ] {
            assert_eq!(refused(&status).reason, "ALREADY_STARTED");
        }
    }

    async fn one_to_one_is_no_group(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let clients = survivors(&ngo, 2).await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &clients[0], TEN)).await.unwrap();
        assert_eq!(broken(join(&ngo.coordinator, joining(&session, &clients[1])).await.unwrap_err()), ["NOT_A_GROUP"]);
        let status = refused(&remove(&ngo.coordinator, leaving(&session, &clients[0])).await.unwrap_err());
        assert_eq!((status.code, status.reason.as_str()), (Code::FailedPrecondition, "NOT_A_GROUP"));
        let wrong = pb::AddParticipantRequest { session_id: "x".into(), etag: "y".into(), ..Default::default() };
        assert_eq!(refused(&join(&ngo.coordinator, wrong).await.unwrap_err()).items, ["session_id", "etag", "participant"]);
        let wrong = pb::RemoveParticipantRequest::default();
        let fields = ["session_id", "etag", "client_id", "reason"];
        assert_eq!(refused(&remove(&ngo.coordinator, wrong).await.unwrap_err()).items, fields);
        let request = pb::AddParticipantRequest { rest_of_series: true, ..joining(&session, &clients[1]) };
        assert_eq!(refused(&join(&ngo.coordinator, request).await.unwrap_err()).items, ["rest_of_series"]);
    }

    async fn the_linked_are_kept_apart_from_each_of_a_group(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (heals, treats) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (clients, offender) = (survivors(&ngo, 4).await, ngo.offender().await);
        let case = ngo.party_of("12/2026", "Example Nagar", &offender).await;
        let case = ngo.add_party(&case, &clients[1], 1).await;
        ngo.add_party(&case, &clients[2], 1).await;
        let evening = "2026-11-24T10:30:00Z";
        let hour = booking(&ngo, &treats, &offender, evening);
        let session = book(&ngo.coordinator, group(&ngo, &heals, 6, &clients[..1], TEN)).await.unwrap();
        // Whoever is linked takes the day, and gives it back only with the last of them.
        join(&ngo.coordinator, joining(&session, &clients[1])).await.unwrap();
        assert_eq!(broken(book(&ngo.coordinator, hour.clone()).await.unwrap_err()), ["SLOT_NOT_AVAILABLE"]);
        let both = join(&ngo.coordinator, joining(&session, &clients[2])).await.unwrap();
        let one = remove(&ngo.coordinator, leaving(&both, &clients[1])).await.unwrap();
        assert_eq!(broken(book(&ngo.coordinator, hour.clone()).await.unwrap_err()), ["SLOT_NOT_AVAILABLE"]);
        remove(&ngo.coordinator, leaving(&one, &clients[2])).await.unwrap();
        let theirs = book(&ngo.coordinator, hour).await.unwrap();
        // Now the day is the other's, for every one of them; and who is not linked may still come.
        for linked in &clients[1..3] {
            let status = join(&ngo.coordinator, joining(&session, linked)).await.unwrap_err();
            assert_eq!(broken(status), ["SLOT_NOT_AVAILABLE"]);
        }
        join(&ngo.coordinator, joining(&session, &clients[3])).await.unwrap();
        ngo.cancel(&theirs).await.unwrap();
        join(&ngo.coordinator, joining(&session, &clients[2])).await.unwrap();
    }

    async fn a_flag_goes_with_the_one_for_whom_it_was(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (heals, treats) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("O1", pb::Side::Offender).await);
        let (clients, offender) = (survivors(&ngo, 2).await, ngo.offender().await);
        let session = book(&ngo.coordinator, group(&ngo, &heals, 6, &clients, TEN)).await.unwrap();
        let theirs = book(&ngo.coordinator, booking(&ngo, &treats, &offender, "2026-11-24T10:30:00Z")).await.unwrap();
        let case = ngo.party_of("3/2026", "Example Nagar", &offender).await;
        ngo.add_party(&case, &clients[0], 1).await;
        let apart: Vec<i32> = vec![pb::BookingRule::SlotNotAvailable.into()];
        let flagged = ngo.session(&session.id).await;
        assert_eq!((&flagged.flags, &ngo.session(&theirs.id).await.flags), (&apart, &apart));
        let left = remove(&ngo.coordinator, leaving(&flagged, &clients[0])).await.unwrap();
        assert_eq!((left.flags.as_slice(), ngo.session(&theirs.id).await.flags.as_slice()), (&[][..], &[][..]));
    }

    async fn a_group_is_held_moved_and_cancelled_as_one(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (lead, other) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("O2", pb::Side::Offender).await);
        let third = ngo.counsellor("O3", pb::Side::Offender).await;
        let clients = offenders(&ngo, 4).await;
        let it = led_by_two(group(&ngo, &lead, 4, &clients[..3], TEN), &other);
        let hold = pb::HoldSlotRequest {
            counsellor_id: it.counsellor_id,
            service: it.service,
            modality: it.modality,
            venue_id: it.venue_id,
            starts_at: it.starts_at,
            length: it.length,
            group: it.group,
            ..Default::default()
        };
        let held = ngo.coordinator.scheduling().hold_slot(hold).await.unwrap().into_inner().hold.unwrap();
        assert_eq!(present(&held), ids(&clients[..3]));
        for (counsellor, client) in [(&other, &clients[3]), (&third, &clients[2])] {
            book(&ngo.coordinator, booking(&ngo, counsellor, client, TEN)).await.unwrap_err();
        }
        // A hold is no session yet, so nobody joins it.
        assert_eq!(join(&ngo.coordinator, joining(&held, &clients[3])).await.unwrap_err().code(), Code::NotFound);
        let booked = pb::BookSessionRequest { hold_id: held.id.clone(), ..Default::default() };
        let session = book(&ngo.coordinator, booked).await.unwrap();
        let session = join(&ngo.coordinator, joining(&session, &clients[3])).await.unwrap();
        let moving = pb::RescheduleSessionRequest {
            session_id: session.id.clone(),
            etag: session.etag.clone(),
            reason: pb::CancelReason::Provider.into(),
            starts_at: at(NOON),
            ..Default::default()
        };
        let moved = ngo.coordinator.scheduling().reschedule_session(moving).await.unwrap().into_inner().session.unwrap();
        assert_eq!((present(&moved), &moved.group.as_ref().unwrap().co_facilitator_ids), (ids(&clients), &vec![other.id.clone()]));
        for client in &clients {
            let items = broken(book(&ngo.coordinator, booking(&ngo, &third, client, NOON)).await.unwrap_err());
            assert_eq!(items, ["CLIENT_BUSY"]);
        }
        let old = book(&ngo.coordinator, booking(&ngo, &other, &clients[0], TEN)).await.unwrap();
        ngo.cancel(&old).await.unwrap();
        let cancelled = ngo.cancel(&moved).await.unwrap();
        assert_eq!(present(&cancelled), ids(&clients));
        book(&ngo.coordinator, led_by_two(group(&ngo, &third, 4, &clients, NOON), &other)).await.unwrap();
    }

    async fn somebody_joins_the_rest_of_a_course_or_nothing_of_it(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (lead, other) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("O2", pb::Side::Offender).await);
        let clients = offenders(&ngo, 2).await;
        let starts = ["2026-11-24T04:30:00Z", "2026-12-01T04:30:00Z", "2026-12-08T04:30:00Z", "2026-12-15T04:30:00Z"];
        let group = group(&ngo, &lead, 3, &clients[..1], starts[0]).group;
        let request = pb::BookSeriesRequest { client_id: String::new(), group, ..weekly(&ngo, &lead, &clients[0], 4) };
        let series = book_series(&ngo.coordinator, request).await.unwrap().series.unwrap();
        let course: Vec<pb::Session> = (1..=4).map(|number| session_of(&series, number).clone()).collect();
        let rest = |at: usize| pb::AddParticipantRequest { rest_of_series: true, ..joining(&course[at], &clients[1]) };
        // One of them is in the way, and it is said which.
        let busy = book(&ngo.coordinator, booking(&ngo, &other, &clients[1], starts[2])).await.unwrap();
        let status = join(&ngo.coordinator, rest(1)).await.unwrap_err();
        assert_eq!(subjects(&status), [format!("session/{}", course[2].id)]);
        assert_eq!(broken(status), ["CLIENT_BUSY"]);
        for session in &course {
            assert_eq!(present(&ngo.session(&session.id).await), ids(&clients[..1]));
        }
        ngo.cancel(&busy).await.unwrap();
        let added = ngo.coordinator.scheduling().add_participant(rest(1)).await.unwrap().into_inner();
        let joined: Vec<_> = added.session.iter().chain(&added.later_sessions).map(|it| it.id.as_str()).collect();
        assert_eq!(joined, [&course[1].id, &course[2].id, &course[3].id]);
        assert_eq!(present(&ngo.session(&course[0].id).await), ids(&clients[..1]));
        // Again it changes nothing more than what is missing.
        let added = ngo.coordinator.scheduling().add_participant(rest(0)).await.unwrap().into_inner();
        assert_eq!((added.session.unwrap().id, added.later_sessions.len()), (course[0].id.clone(), 0));
        assert_eq!(refused(&join(&ngo.coordinator, rest(0)).await.unwrap_err()).reason, "ALREADY_PARTICIPATES");
        // And out of the last two.
        let third = ngo.session(&course[2].id).await;
        let request = pb::RemoveParticipantRequest { rest_of_series: true, ..leaving(&third, &clients[1]) };
        let left = ngo.coordinator.scheduling().remove_participant(request).await.unwrap().into_inner();
        assert_eq!(left.session.unwrap().id, course[2].id);
        assert_eq!(left.later_sessions.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), [&course[3].id]);
        let mut counts = Vec::new();
        for session in &course {
            counts.push(present(&ngo.session(&session.id).await).len());
        }
        assert_eq!(counts, [2, 2, 1, 1]);
    }
}
