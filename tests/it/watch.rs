//! Watching sessions: what changes is heard of by those who may know, in order, from where they stopped.

mod police;
mod race;

use std::time::Duration;

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::grpc::pb::watch_sessions_response::Change;
use aftercare::usecase::job;
use chrono::TimeDelta;
use tonic::{Code, Status};
use tonic_types::StatusExt;

use crate::on_both_engines;
use crate::support::{Actor, Ngo, at, book, booking, group_of, refused};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata
const ELEVEN: &str = "2026-11-24T05:30:00Z";
const TWELVE: &str = "2026-11-24T06:30:00Z";

/// How long a message may take; none takes longer than a moment.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody who watches.
struct Watching(tonic::Streaming<pb::WatchSessionsResponse>);

/// A change that was heard of.
#[derive(Debug, PartialEq)]
struct Heard {
    session: pb::Session,
    version: i64,
    cursor: String,
}

impl Watching {
    async fn from(actor: &Actor, cursor: &str) -> Result<Self, Status> {
        let request = pb::WatchSessionsRequest { cursor: cursor.into() };
        Ok(Self(actor.scheduling().watch_sessions(request).await?.into_inner()))
    }

    /// From now on: when this is done, nothing that comes is missed. Whoever has just booked may hear of that too.
    async fn now(actor: &Actor) -> Self {
        let mut watching = Self::from(actor, "").await.unwrap();
        assert_eq!(watching.next().await.unwrap().change, None);
        watching
    }

    /// The next message, or why it was the last.
    async fn next(&mut self) -> Result<pb::WatchSessionsResponse, Status> {
        let message = tokio::time::timeout(PATIENCE, self.0.message()).await.expect("a message");
        message.map(|message| message.expect("a stream ends with a reason"))
    }

    /// The next message that is about something.
    async fn message(&mut self) -> pb::WatchSessionsResponse {
        loop {
            let message = self.next().await.unwrap();
            if message.change.is_some() {
                return message;
            }
        }
    }

    async fn heard(&mut self) -> Heard {
        let pb::WatchSessionsResponse { cursor, version, change } = self.message().await;
        let Some(Change::Session(session)) = change else { panic!("{change:?}") };
        Heard { session, version, cursor }
    }

    /// Why it ended.
    async fn end(&mut self) -> Status {
        loop {
            if let Err(status) = self.next().await {
                return status;
            }
        }
    }
}

async fn list(actor: &Actor) -> pb::ListSessionsResponse {
    actor.scheduling().list_sessions(pb::ListSessionsRequest::default()).await.unwrap().into_inner()
}

async fn reassign(ngo: &Ngo, session: &pb::Session, from: &pb::Counsellor, to: &pb::Counsellor) -> pb::Session {
    let request = pb::ReassignCounsellorRequest {
        session_id: session.id.clone(),
        etag: session.etag.clone(),
        counsellor_id: to.id.clone(),
        replaces_counsellor_id: from.id.clone(),
        ..Default::default()
    };
    ngo.coordinator.scheduling().reassign_counsellor(request).await.unwrap().into_inner().session.unwrap()
}

on_both_engines! {
    async fn what_changes_is_heard_of_in_order(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut watching = Watching::now(&ngo.coordinator).await;
        // A hold is nobody's business until it is booked.
        let wanted = booking(&ngo, &counsellor, &client, TEN);
        let hold = pb::HoldSlotRequest {
            client_id: wanted.client_id,
            counsellor_id: wanted.counsellor_id,
            service: wanted.service,
            modality: wanted.modality,
            venue_id: wanted.venue_id,
            starts_at: wanted.starts_at,
            length: wanted.length,
            ..Default::default()
        };
        let held = ngo.coordinator.scheduling().hold_slot(hold).await.unwrap().into_inner().hold.unwrap();
        let one = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, ELEVEN)).await.unwrap();
        let heard = watching.heard().await;
        assert_eq!((&heard.session, heard.version.to_string()), (&one, one.etag.clone()));
        let request = pb::BookSessionRequest { hold_id: held.id.clone(), ..Default::default() };
        let other = book(&ngo.coordinator, request).await.unwrap();
        assert_eq!(watching.heard().await.session, other);
        let cancelled = ngo.cancel(&one).await.unwrap();
        assert_eq!(watching.heard().await.session, cancelled);
        // A session that takes another's place, and the other.
        let request = pb::RescheduleSessionRequest {
            session_id: other.id.clone(),
            etag: other.etag.clone(),
            reason: pb::CancelReason::Client.into(),
            starts_at: at(TWELVE),
            ..Default::default()
        };
        let moved = ngo.coordinator.scheduling().reschedule_session(request).await.unwrap().into_inner();
        let mut both = [watching.heard().await.session, watching.heard().await.session];
        both.sort_by_key(|it| it.id != other.id);
        assert_eq!(both, [moved.superseded.unwrap(), moved.session.clone().unwrap()]);
        // What a change of facts does to a session is a change of it.
        ngo.leave(&counsellor, "2026-11-24T00:00:00Z", "2026-11-25T00:00:00Z").await;
        let heard = watching.heard().await;
        assert_eq!((&heard.session.id, heard.session.needs_rescheduling), (&moved.session.unwrap().id, true));
    }

    async fn whoever_lists_and_then_watches_misses_nothing(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let before = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let listed = list(&ngo.coordinator).await;
        assert_eq!(listed.sessions, std::slice::from_ref(&before));
        let after = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, ELEVEN)).await.unwrap();
        let mut watching = Watching::from(&ngo.coordinator, &listed.watch_cursor).await.unwrap();
        // What was listed may come once more.
        let mut heard = watching.heard().await;
        if heard.session == before {
            heard = watching.heard().await;
        }
        assert_eq!(heard.session, after);
        // A list that is empty by its filter has a cursor as any other.
        let none = pb::ListSessionsRequest { client_id: after.id.clone(), ..Default::default() };
        let none = ngo.coordinator.scheduling().list_sessions(none).await.unwrap().into_inner();
        assert_eq!(none.sessions, []);
        Watching::from(&ngo.coordinator, &none.watch_cursor).await.unwrap();
    }

    async fn whoever_comes_back_goes_on_where_it_stopped(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut watching = Watching::now(&ngo.coordinator).await;
        let mut sessions = Vec::new();
        for start in [TEN, ELEVEN, TWELVE] {
            sessions.push(book(&ngo.coordinator, booking(&ngo, &counsellor, &client, start)).await.unwrap());
            app.clock.advance(TimeDelta::milliseconds(1));
        }
        let first = watching.heard().await;
        assert_eq!(first.session, sessions[0]);
        app.restart().await;
        let coordinator = app.bearer(ngo.coordinator.token.clone());
        let mut again = Watching::from(&coordinator, &first.cursor).await.unwrap();
        let second = again.heard().await;
        assert_eq!((&second.session, &again.heard().await.session), (&sessions[1], &sessions[2]));
        // And again from any cursor there was.
        let mut again = Watching::from(&coordinator, &second.cursor).await.unwrap();
        assert_eq!(again.heard().await.session, sessions[2]);
    }

    async fn what_another_process_commits_is_heard_of_too(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let mut watching = Watching::now(&ngo.coordinator).await;
        let beside = app.beside().await;
        let elsewhere = beside.bearer(ngo.coordinator.token.clone());
        let mut there = Watching::now(&elsewhere).await;
        for start in [TEN, ELEVEN] {
            let session = book(&elsewhere, booking(&ngo, &counsellor, &client, start)).await.unwrap();
            let heard = watching.heard().await;
            assert_eq!((&heard.session, &heard), (&session, &there.heard().await));
        }
    }

    async fn a_counsellor_hears_of_the_own_and_of_what_is_not_theirs_any_more(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other, third) = (
            ngo.counsellor("C1", pb::Side::Survivor).await,
            ngo.counsellor("C2", pb::Side::Survivor).await,
            ngo.counsellor("C3", pb::Side::Survivor).await,
        );
        let client = ngo.survivor().await;
        let mut mine = Watching::now(&ngo.as_counsellor(&app, &one)).await;
        let mut theirs = Watching::now(&ngo.as_counsellor(&app, &other)).await;
        book(&ngo.coordinator, booking(&ngo, &third, &client, TWELVE)).await.unwrap();
        let session = book(&ngo.coordinator, booking(&ngo, &one, &client, TEN)).await.unwrap();
        assert_eq!(mine.heard().await.session, session);
        let given = reassign(&ngo, &session, &one, &other).await;
        let left = mine.message().await;
        assert_eq!(left.change, Some(Change::LeftSessionId(session.id.clone())));
        assert_eq!(theirs.heard().await.session, given);
        // What becomes of it then is the other's business alone, until it comes back.
        let cancelled = ngo.cancel(&given).await.unwrap();
        assert_eq!(theirs.heard().await.session, cancelled);
        let own = book(&ngo.coordinator, booking(&ngo, &one, &client, ELEVEN)).await.unwrap();
        assert_eq!(mine.heard().await.session, own);
        // Who was away when it was given away hears of it all the same.
        let mut again = Watching::from(&ngo.as_counsellor(&app, &one), &left.cursor).await.unwrap();
        assert_eq!(again.heard().await.session, own);
    }

    async fn whoever_leads_a_group_with_others_hears_of_it_as_long_as_they_do(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (lead, beside, third) = (
            ngo.counsellor("C1", pb::Side::Survivor).await,
            ngo.counsellor("C2", pb::Side::Survivor).await,
            ngo.counsellor("C3", pb::Side::Survivor).await,
        );
        let clients = [ngo.survivor().await, ngo.survivor().await];
        let mut watching = Watching::now(&ngo.as_counsellor(&app, &beside)).await;
        let mut last = Watching::now(&ngo.as_counsellor(&app, &third)).await;
        let mut wanted = group_of(4, &clients, booking(&ngo, &lead, &clients[0], TEN));
        wanted.service = pb::CareService::Counselling.into();
        wanted.group.as_mut().unwrap().co_facilitator_ids = vec![beside.id.clone()];
        let group = book(&ngo.coordinator, wanted).await.unwrap();
        assert_eq!(watching.heard().await.session, group);
        let given = reassign(&ngo, &group, &beside, &third).await;
        assert_eq!(given.group.as_ref().unwrap().co_facilitator_ids, [third.id]);
        assert_eq!(watching.message().await.change, Some(Change::LeftSessionId(group.id)));
        assert_eq!(last.heard().await.session, given);
    }

    async fn nobody_hears_of_another_organisation(app) {
        let (ngo, next_door) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let before = list(&next_door.coordinator).await.watch_cursor;
        let mut watching = Watching::now(&next_door.coordinator).await;
        let mut own = Watching::now(&ngo.coordinator).await;
        for start in [TEN, ELEVEN, TWELVE] {
            book(&ngo.coordinator, booking(&ngo, &counsellor, &client, start)).await.unwrap();
            own.heard().await;
        }
        app.clock.advance(TimeDelta::seconds(15));
        let silence = watching.next().await.unwrap();
        assert_eq!((silence.change, silence.version), (None, 0));
        // Not even that there was something to hear.
        assert_eq!(silence.cursor, before);
        assert_eq!(list(&next_door.coordinator).await.watch_cursor, before);
    }

    async fn a_cursor_fits_the_own_organisation_alone(app) {
        let (ngo, next_door) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let own = list(&ngo.coordinator).await.watch_cursor;
        let mut changed = own.clone().into_bytes();
        changed[30] = if changed[30] == b'A' { b'B' } else { b'A' };
        let foreign = list(&next_door.coordinator).await.watch_cursor;
        let forged = ["x".to_owned(), "AAAA".into(), String::from_utf8(changed).unwrap(), own[..30].into(), foreign];
        for cursor in forged {
            let refusal = refused(&Watching::from(&ngo.coordinator, &cursor).await.err().unwrap());
            assert_eq!((refusal.code, refusal.items), (Code::InvalidArgument, vec!["cursor".to_owned()]), "{cursor}");
        }
        // It is the organisation's, whoever of it got it.
        Watching::from(&ngo.another_coordinator(&app), &own).await.unwrap();
    }

    async fn a_cursor_of_which_too_much_is_forgotten_says_so(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let first = list(&ngo.coordinator).await.watch_cursor;
        let mut watching = Watching::now(&ngo.coordinator).await;
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let second = watching.heard().await.cursor;
        job::schedule(app.world(), "forget_old", TimeDelta::hours(1)).await.unwrap();
        for (wait, kept) in [(TimeDelta::days(30), true), (TimeDelta::hours(1), false)] {
            app.clock.advance(wait);
            app.run_jobs().await;
            ngo.sign_in(&app);
            match Watching::from(&ngo.coordinator, &first).await {
                Ok(mut watching) => assert_eq!((kept, watching.heard().await.version), (true, 1)),
                Err(status) => {
                    let refusal = refused(&status);
                    let said = (kept, refusal.code, refusal.reason.as_str());
                    assert_eq!(said, (false, Code::FailedPrecondition, "CURSOR_EXPIRED"));
                }
            }
        }
        // Who had read it all misses nothing, however long ago.
        let mut watching = Watching::from(&ngo.coordinator, &second).await.unwrap();
        let later = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2027-01-12T04:30:00Z")).await.unwrap();
        assert_eq!(watching.heard().await.session, later);
        // What was forgotten is no beginning either.
        let status = Watching::from(&ngo.coordinator, &first).await.err().unwrap();
        assert_eq!(refused(&status).reason, "CURSOR_EXPIRED");
    }

    async fn a_stream_ends_with_its_token(app) {
        let ngo = Ngo::new(&app, "A").await;
        let organisation_id = ngo.id.parse().unwrap();
        let authority = Authority::Coordinator { organisation_id };
        let short = app.bearer(app.token("short", authority, app.now(), TimeDelta::minutes(10)));
        let mut watching = Watching::now(&short).await;
        // As with every call, a minute of difference between clocks is forgiven.
        app.clock.advance(TimeDelta::minutes(11) - TimeDelta::seconds(1));
        assert_eq!(watching.next().await.unwrap().change, None);
        app.clock.advance(TimeDelta::seconds(1));
        let refusal = refused(&watching.end().await);
        assert_eq!((refusal.code, refusal.reason.as_str()), (Code::Unauthenticated, "UNAUTHENTICATED"));
        assert!(tokio::time::timeout(PATIENCE, watching.0.message()).await.unwrap().unwrap().is_none());
    }

    async fn a_stream_ends_with_the_process_and_does_not_hold_it_up(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let mut watching = Vec::new();
        for _ in 0..5 {
            watching.push(Watching::now(&ngo.coordinator).await);
        }
        // Shorter than the limit that the drain has.
        tokio::time::timeout(Duration::from_secs(4), app.stop()).await.expect("an end");
        for mut watching in watching {
            let status = watching.end().await;
            assert_eq!((status.code(), refused(&status).reason.as_str()), (Code::Unavailable, "UNAVAILABLE"));
            assert!(status.get_error_details().retry_info().is_some_and(|it| it.retry_delay.is_some()));
        }
    }

    async fn whoever_has_nothing_to_hear_hears_where_to_go_on(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (one, other) =
            (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let client = ngo.survivor().await;
        let (mine, all) = (ngo.as_counsellor(&app, &one), &ngo.coordinator);
        let (mut mine, mut all) = (Watching::now(&mine).await, Watching::now(all).await);
        book(&ngo.coordinator, booking(&ngo, &other, &client, TEN)).await.unwrap();
        let heard = all.heard().await;
        app.clock.advance(TimeDelta::seconds(15));
        let silence = mine.next().await.unwrap();
        assert_eq!((silence.change, silence.cursor), (None, heard.cursor));
    }
}
