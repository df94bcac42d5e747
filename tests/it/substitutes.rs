//! A counsellor falls ill: who could stand in is proposed, and what is confirmed is applied.

use aftercare::grpc::pb;
use futures_util::future::join_all;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::race::no_deadlock;
use crate::support::{Actor, Ngo, at, book, booking, group_of, minutes, refused};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata
const ELEVEN: &str = "2026-11-24T05:30:00Z";
const NOON: &str = "2026-11-24T06:30:00Z";

async fn propose(ngo: &Ngo, ill: &pb::Counsellor) -> Vec<pb::SubstituteProposal> {
    let request = pb::ProposeSubstitutesRequest { counsellor_id: ill.id.clone(), ..Default::default() };
    ngo.coordinator.scheduling().propose_substitutes(request).await.unwrap().into_inner().proposals
}

fn names(proposal: &pb::SubstituteProposal) -> Vec<&str> {
    proposal.substitutes.iter().map(|it| it.counsellor_id.as_str()).collect()
}

fn excluded(proposal: &pb::SubstituteProposal) -> Vec<(pb::BookingRule, i32)> {
    proposal.exclusions.iter().map(|it| (it.rule(), it.counsellors)).collect()
}

fn give(session: &pb::Session, to: &pb::Counsellor) -> pb::Reassignment {
    pb::Reassignment {
        session_id: session.id.clone(),
        etag: session.etag.clone(),
        counsellor_id: to.id.clone(),
        ..Default::default()
    }
}

async fn apply(
    actor: &Actor,
    request_id: &str,
    items: Vec<pb::Reassignment>,
) -> Result<Vec<pb::ReassignmentOutcome>, Status> {
    let request = pb::ReassignSessionsRequest { request_id: request_id.into(), items };
    Ok(actor.scheduling().reassign_sessions(request).await?.into_inner().outcomes)
}

fn reason(outcome: &pb::ReassignmentOutcome) -> &str {
    outcome.refusal.as_ref().map_or("", |it| it.reason.as_str())
}

on_both_engines! {
    async fn whoever_breaks_no_rule_is_proposed_best_first(app) {
        let ngo = Ngo::new(&app, "A").await;
        let ill = ngo.counsellor("C1", pb::Side::Survivor).await;
        let known = ngo.counsellor_with("C2", pb::Side::Survivor, |it| it.gender = pb::Gender::Male.into()).await;
        let idle = ngo.counsellor_with("C3", pb::Side::Survivor, |it| it.gender = pb::Gender::Female.into()).await;
        let full = ngo.counsellor_with("C4", pb::Side::Survivor, |it| it.daily_limit = Some(1)).await;
        let abroad = ngo.counsellor_with("C5", pb::Side::Survivor, |it| it.languages = vec!["fr".into()]).await;
        ngo.counsellor("O1", pb::Side::Offender).await;
        let (client, other) = (ngo.survivor().await, ngo.survivor_with(|it| it.counsellor_gender = pb::Gender::Female.into()).await);
        let silent = ngo.survivor_with(|it| it.spoken_languages = vec!["hi".into()]).await;
        book(&ngo.coordinator, booking(&ngo, &known, &client, "2026-11-24T10:30:00Z")).await.unwrap();
        book(&ngo.coordinator, booking(&ngo, &full, &ngo.survivor().await, "2026-11-24T10:30:00Z")).await.unwrap();
        let first = book(&ngo.coordinator, booking(&ngo, &ill, &client, TEN)).await.unwrap();
        // Of the one who asks for a woman nobody else is proposed, of the one whom nobody understands nobody.
        let female = pb::Counsellor { gender: pb::Gender::Female.into(), ..ill.clone() };
        let update = pb::UpdateCounsellorRequest { counsellor: Some(female), ..Default::default() };
        let ill = ngo.coordinator.directory().update_counsellor(update).await.unwrap().into_inner().counsellor.unwrap();
        let second = book(&ngo.coordinator, booking(&ngo, &ill, &other, ELEVEN)).await.unwrap();
        let interpreted = pb::BookSessionRequest {
            overrides: vec![pb::RuleOverride { rule: pb::BookingRule::Language.into(), reason: "understands some".into() }],
            ..booking(&ngo, &ill, &silent, NOON)
        };
        let third = book(&ngo.coordinator, interpreted).await.unwrap();
        ngo.leave(&ill, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
        let proposals = propose(&ngo, &ill).await;
        let sessions: Vec<_> = proposals.iter().map(|it| it.session.as_ref().unwrap().id.as_str()).collect();
        assert_eq!(sessions, [&first.id, &second.id, &third.id]);
        assert_eq!(names(&proposals[0]), [&known.id, &idle.id]);
        assert_eq!(proposals[0].substitutes[0].reasons, [i32::from(pb::SlotReason::Continuity)]);
        assert_eq!(proposals[0].substitutes[1].reasons, [i32::from(pb::SlotReason::LightestLoad)]);
        assert_eq!((names(&proposals[1]), excluded(&proposals[1])), (vec![idle.id.as_str()], vec![]));
        assert_eq!(names(&proposals[2]), [""; 0]);
        let why = excluded(&proposals[2]);
        assert_eq!(why, [(pb::BookingRule::DailyLoad, 1), (pb::BookingRule::Language, 4)]);
        // What is proposed is accepted, all of it at once; and nothing waits for a person any more.
        let items = vec![give(proposals[0].session.as_ref().unwrap(), &known), give(proposals[1].session.as_ref().unwrap(), &idle)];
        let outcomes = apply(&ngo.coordinator, "", items).await.unwrap();
        for (outcome, to) in outcomes.iter().zip([&known, &idle]) {
            let given = outcome.session.as_ref().unwrap();
            assert_eq!((&given.counsellor_id, given.needs_rescheduling), (&to.id, false));
            assert_eq!(ngo.session(&given.id).await, *given);
        }
        let _ = abroad;
        let left = propose(&ngo, &ill).await;
        assert_eq!(left.iter().map(|it| it.session.as_ref().unwrap().id.as_str()).collect::<Vec<_>>(), [&third.id]);
    }

    async fn nobody_is_proposed_for_more_than_there_is_time_for(app) {
        let ngo = Ngo::new(&app, "A").await;
        let ill = ngo.counsellor("C1", pb::Side::Survivor).await;
        let clients = join_all((0..4).map(|_| ngo.survivor())).await;
        // One who needs time between sessions, and may have two a day.
        let other = ngo.counsellor_with("C2", pb::Side::Survivor, |it| {
            it.buffer_after = Some(minutes(15));
            it.daily_limit = Some(2);
        }).await;
        for (client, start) in clients.iter().zip([TEN, ELEVEN, NOON, "2026-11-24T08:30:00Z"]) {
            book(&ngo.coordinator, booking(&ngo, &ill, client, start)).await.unwrap();
        }
        let proposals = propose(&ngo, &ill).await;
        assert_eq!((names(&proposals[0]), names(&proposals[2])), (vec![other.id.as_str()], vec![other.id.as_str()]));
        assert_eq!(excluded(&proposals[1]), [(pb::BookingRule::CounsellorBusy, 1)]);
        assert_eq!(excluded(&proposals[3]), [(pb::BookingRule::DailyLoad, 1)]);
        // Windows are bounded, and strangers are unknown.
        let long = pb::ProposeSubstitutesRequest {
            counsellor_id: ill.id.clone(),
            window_starts_at: at(TEN),
            window_ends_at: at("2027-02-24T04:30:00Z"),
        };
        let status = ngo.coordinator.scheduling().propose_substitutes(long).await.unwrap_err();
        assert_eq!(refused(&status).items, ["window_ends_at"]);
        let later = pb::ProposeSubstitutesRequest {
            counsellor_id: ill.id.clone(),
            window_starts_at: at(ELEVEN),
            window_ends_at: at(NOON),
        };
        let later = ngo.coordinator.scheduling().propose_substitutes(later).await.unwrap().into_inner();
        assert_eq!((later.proposals.len(), later.next_window_starts_at), (1, None));
        let foreign = Ngo::new(&app, "B").await;
        let asked = pb::ProposeSubstitutesRequest { counsellor_id: ill.id, ..Default::default() };
        let status = foreign.coordinator.scheduling().propose_substitutes(asked).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound);
    }

    async fn each_is_given_away_or_it_is_said_why_not(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (ill, other) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let treats = ngo.counsellor("O1", pb::Side::Offender).await;
        let clients = join_all((0..5).map(|_| ngo.survivor())).await;
        let mut sessions = Vec::new();
        for (client, start) in clients.iter().zip([TEN, ELEVEN, NOON, "2026-11-24T08:30:00Z", "2026-11-24T09:30:00Z"]) {
            sessions.push(book(&ngo.coordinator, booking(&ngo, &ill, client, start)).await.unwrap());
        }
        let foreign = Ngo::new(&app, "B").await;
        let theirs = foreign.counsellor("C1", pb::Side::Survivor).await;
        let stranger = book(&foreign.coordinator, booking(&foreign, &theirs, &foreign.survivor().await, TEN)).await.unwrap();
        ngo.cancel(&sessions[3]).await.unwrap();
        let stale = pb::Reassignment { etag: "7".into(), ..give(&sessions[2], &other) };
        let cancelled = pb::Reassignment { etag: "2".into(), ..give(&sessions[3], &other) };
        let items = vec![
            give(&sessions[0], &other),
            give(&sessions[1], &treats),
            stale,
            cancelled,
            give(&stranger, &other),
            give(&sessions[4], &ill),
        ];
        let request_id = "0193a5e0-0000-7000-8000-0000000000aa";
        let outcomes = apply(&ngo.coordinator, request_id, items.clone()).await.unwrap();
        let reasons: Vec<_> = outcomes.iter().map(reason).collect();
        let expected = ["", "BOOKING_REFUSED", "ETAG_MISMATCH", "ALREADY_CANCELLED", "NOT_FOUND", "INVALID_REQUEST"];
        assert_eq!(reasons, expected);
        assert_eq!(outcomes[1].refusal.as_ref().unwrap().rules, [i32::from(pb::BookingRule::WrongSide)]);
        let given = outcomes[0].session.clone().unwrap();
        assert_eq!((&given.counsellor_id, ngo.session(&given.id).await), (&other.id, given.clone()));
        for session in [&sessions[1], &sessions[2], &sessions[4]] {
            assert_eq!(ngo.session(&session.id).await, *session);
        }
        // A repeat does nothing twice.
        assert_eq!(apply(&ngo.coordinator, request_id, items).await.unwrap(), outcomes);
        // It is in the trail, with what was refused.
        let trail = app.audit().await;
        let one = trail.iter().find(|it| it.action.ends_with("/ReassignSessions") && !it.details.contains("REPLAYED")).unwrap();
        assert_eq!((one.outcome.as_str(), one.subjects.contains(&given.id)), ("DONE", true));
        assert!(one.details.contains(&format!("REFUSED {} BOOKING_REFUSED", sessions[1].id)));
        // Every wrong field of every item is named.
        let wrong = vec![pb::Reassignment::default(), give(&given, &ill), give(&given, &ill)];
        let status = apply(&ngo.coordinator, "", wrong).await.unwrap_err();
        let fields = ["items[0].session_id", "items[0].etag", "items[0].counsellor_id", "items[2].session_id"];
        assert_eq!(refused(&status).items, fields);
        assert_eq!(refused(&apply(&ngo.coordinator, "", Vec::new()).await.unwrap_err()).items, ["items"]);
    }

    async fn one_of_those_who_lead_a_group_falls_ill(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (lead, ill) = (ngo.counsellor("O1", pb::Side::Offender).await, ngo.counsellor("O2", pb::Side::Offender).await);
        let (one, other) = (ngo.counsellor("O3", pb::Side::Offender).await, ngo.counsellor("O4", pb::Side::Offender).await);
        let clients = join_all((0..3).map(|_| ngo.offender())).await;
        book(&ngo.coordinator, booking(&ngo, &other, &clients[1], "2026-11-26T04:30:00Z")).await.unwrap();
        let mut request = group_of(6, &clients, booking(&ngo, &lead, &clients[0], TEN));
        request.group.as_mut().unwrap().co_facilitator_ids = vec![ill.id.clone()];
        let session = book(&ngo.coordinator, request).await.unwrap();
        ngo.leave(&ill, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
        let proposals = propose(&ngo, &ill).await;
        // Who has seen one of them comes before who has seen none.
        assert_eq!(names(&proposals[0]), [&other.id, &one.id]);
        let item = pb::Reassignment {
            replaces_counsellor_id: ill.id.clone(),
            ..give(proposals[0].session.as_ref().unwrap(), &other)
        };
        let outcomes = apply(&ngo.coordinator, "", vec![item]).await.unwrap();
        let given = outcomes[0].session.as_ref().unwrap();
        assert_eq!((&given.id, &given.counsellor_id, given.needs_rescheduling), (&session.id, &lead.id, false));
        assert_eq!(given.group.as_ref().unwrap().co_facilitator_ids, [other.id]);
        assert!(propose(&ngo, &ill).await.is_empty());
    }

    async fn two_who_apply_the_same_in_another_order(app) {
        let ngo = Ngo::new(&app, "A").await;
        let process = app.beside().await;
        let there = process.bearer(ngo.coordinator.token.clone());
        let (ill, one, other) = (
            ngo.counsellor("C1", pb::Side::Survivor).await,
            ngo.counsellor("C2", pb::Side::Survivor).await,
            ngo.counsellor("C3", pb::Side::Survivor).await,
        );
        let clients = join_all((0..6).map(|_| ngo.survivor())).await;
        for round in 0..6 {
            let mut sessions = Vec::new();
            for (hour, client) in clients.iter().enumerate() {
                let start = format!("2026-11-{:02}T{:02}:30:00Z", 24 + round, 4 + hour);
                sessions.push(book(&ngo.coordinator, booking(&ngo, &ill, client, &start)).await.unwrap());
            }
            let here: Vec<_> = sessions.iter().map(|it| give(it, &one)).collect();
            let back: Vec<_> = sessions.iter().rev().map(|it| give(it, &other)).collect();
            let (first, second) = tokio::join!(apply(&ngo.coordinator, "", here), apply(&there, "", back));
            let (first, mut second) = (first.unwrap(), second.unwrap());
            second.reverse();
            for (mine, yours) in first.iter().zip(&second) {
                let mut reasons = [reason(mine), reason(yours)];
                reasons.sort_unstable();
                assert_eq!(reasons, ["", "ETAG_MISMATCH"]);
                let won = mine.session.as_ref().or(yours.session.as_ref()).unwrap();
                assert_eq!(ngo.session(&won.id).await, *won);
            }
        }
        no_deadlock(&app).await;
    }
}
