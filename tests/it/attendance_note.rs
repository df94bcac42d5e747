//! Notes are for those who treat the client, and for nobody else; nothing of them is ever lost.

use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::{Code, Status};

use crate::attendance::{clinical_lead, why, wrong};
use crate::on_both_engines;
use crate::support::{Actor, Ngo, book, booking, group_of, leaving, remove};

const TEN: &str = "2026-11-24T04:30:00Z";

fn note(session: &pb::Session, client: &pb::Client, text: &str) -> pb::WriteSessionNoteRequest {
    let (session_id, client_id) = (session.id.clone(), client.id.clone());
    pb::WriteSessionNoteRequest { session_id, client_id, text: text.into(), ..Default::default() }
}

async fn write(actor: &Actor, request: pb::WriteSessionNoteRequest) -> Result<pb::SessionNote, Status> {
    Ok(actor.attendance().write_session_note(request).await?.into_inner().note.unwrap())
}

async fn notes(actor: &Actor, session: &pb::Session) -> Result<Vec<pb::SessionNote>, Status> {
    let request = pb::ListSessionNotesRequest { session_id: session.id.clone(), ..Default::default() };
    Ok(actor.attendance().list_session_notes(request).await?.into_inner().notes)
}

on_both_engines! {
    async fn who_leads_writes_and_the_clinical_lead_reads(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (lead, beside) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let stranger = ngo.counsellor("C3", pb::Side::Survivor).await;
        let (one, two) = (ngo.survivor().await, ngo.survivor().await);
        let mut group = group_of(3, &[one.clone(), two.clone()], booking(&ngo, &lead, &one, TEN));
        group.group.as_mut().unwrap().co_facilitator_ids = vec![beside.id.clone()];
        let session = book(&ngo.coordinator, group).await.unwrap();
        let [lead, beside, stranger] = [&lead, &beside, &stranger].map(|it| ngo.as_counsellor(&app, it));
        let clinical = clinical_lead(&app, &ngo);
        let first = write(&lead, note(&session, &one, "Two lines,\r\n\tnot one")).await.unwrap_err();
        assert_eq!(first.code(), Code::InvalidArgument);
        let first = write(&lead, note(&session, &one, " Two lines,\r\nnot one ")).await.unwrap();
        assert_eq!((first.text.as_str(), first.written_at.unwrap().seconds), ("Two lines,\nnot one", app.now().timestamp()));
        app.clock.advance(TimeDelta::microseconds(1));
        let second = write(&beside, note(&session, &two, "Example")).await.unwrap();
        for reader in [&lead, &beside, &clinical] {
            assert_eq!(notes(reader, &session).await.unwrap(), [first.clone(), second.clone()]);
        }
        // Nobody else writes or reads, or learns that there is anything.
        for (actor, code) in [
            (&stranger, Code::NotFound),
            (&ngo.coordinator, Code::PermissionDenied),
            (&app.admin(), Code::PermissionDenied),
            (&clinical_lead(&app, &Ngo::new(&app, "B").await), Code::NotFound),
        ] {
            assert_eq!(notes(actor, &session).await.unwrap_err().code(), code);
        }
        for (actor, code) in [
            (&stranger, Code::NotFound),
            (&ngo.coordinator, Code::PermissionDenied),
            (&clinical, Code::PermissionDenied),
        ] {
            assert_eq!(write(actor, note(&session, &one, "Example")).await.unwrap_err().code(), code);
        }
        // About who is to be there.
        remove(&ngo.coordinator, leaving(&ngo.session(&session.id).await, &two)).await.unwrap();
        assert_eq!(why(write(&lead, note(&session, &two, "Example")).await), "NOT_A_PARTICIPANT");
        let empty = pb::WriteSessionNoteRequest { supersedes_note_id: "x".into(), ..Default::default() };
        assert_eq!(wrong(write(&lead, empty).await), ["session_id", "client_id", "supersedes_note_id", "text"]);
        let long = note(&session, &one, &"x".repeat(10_001));
        assert_eq!(wrong(write(&lead, long).await), ["text"]);
    }

    async fn a_note_takes_the_place_of_one_and_both_stay(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (lead, beside) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.counsellor("C2", pb::Side::Survivor).await);
        let (one, two) = (ngo.survivor().await, ngo.survivor().await);
        let mut group = group_of(3, &[one.clone(), two.clone()], booking(&ngo, &lead, &one, TEN));
        group.group.as_mut().unwrap().co_facilitator_ids = vec![beside.id.clone()];
        let session = book(&ngo.coordinator, group).await.unwrap();
        let (lead, beside) = (ngo.as_counsellor(&app, &lead), ngo.as_counsellor(&app, &beside));
        let first = write(&lead, note(&session, &one, "First")).await.unwrap();
        app.clock.advance(TimeDelta::microseconds(1));
        let instead = |client: &pb::Client, text: &str| pb::WriteSessionNoteRequest {
            supersedes_note_id: first.id.clone(),
            ..note(&session, client, text)
        };
        // Only the own, and about the same client.
        assert_eq!(write(&beside, instead(&one, "Second")).await.unwrap_err().code(), Code::NotFound);
        assert_eq!(write(&lead, instead(&two, "Second")).await.unwrap_err().code(), Code::NotFound);
        // Of two that would take its place at once, one does.
        let (a, b) = tokio::join!(write(&lead, instead(&one, "Second")), write(&lead, instead(&one, "Third")));
        assert_eq!(usize::from(a.is_ok()) + usize::from(b.is_ok()), 1);
        let (won, lost) = match a {
            Ok(won) => (won, b),
            lost => (b.unwrap(), lost),
        };
        assert_eq!(lost.unwrap_err().code(), Code::Aborted);
        assert_eq!(won.supersedes_note_id, first.id);
        let stays = pb::SessionNote { superseded_by_note_id: won.id.clone(), ..first };
        assert_eq!(notes(&lead, &session).await.unwrap(), [stays, won]);
    }

    async fn the_same_request_is_one_note_and_pages_follow(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let lead = ngo.as_counsellor(&app, &counsellor);
        let request_id = "0193a5e0-0000-7000-8000-000000000001".to_owned();
        let request = pb::WriteSessionNoteRequest { request_id, ..note(&session, &client, "0") };
        assert_eq!(write(&lead, request.clone()).await.unwrap(), write(&lead, request).await.unwrap());
        for text in ["1", "2"] {
            app.clock.advance(TimeDelta::microseconds(1));
            write(&lead, note(&session, &client, text)).await.unwrap();
        }
        let mut request = pb::ListSessionNotesRequest {
            session_id: session.id.clone(),
            client_id: client.id.clone(),
            page_size: 2,
            ..Default::default()
        };
        let first = lead.attendance().list_session_notes(request.clone()).await.unwrap().into_inner();
        request.page_token = first.next_page_token;
        let rest = lead.attendance().list_session_notes(request).await.unwrap().into_inner();
        let texts: Vec<_> = first.notes.iter().chain(&rest.notes).map(|it| it.text.as_str()).collect();
        assert_eq!((texts, rest.next_page_token.as_str()), (vec!["0", "1", "2"], ""));
    }

    async fn a_read_leaves_a_trace_and_no_words(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let lead = ngo.as_counsellor(&app, &counsellor);
        let written = write(&lead, note(&session, &client, "A planted note")).await.unwrap();
        notes(&lead, &session).await.unwrap();
        notes(&clinical_lead(&app, &ngo), &session).await.unwrap();
        let rows = app.audit().await;
        for (action, many) in [("/WriteSessionNote", 1), ("/ListSessionNotes", 2)] {
            let of = rows.iter().filter(|it| it.action.ends_with(action) && it.outcome == "DONE");
            let of: Vec<_> = of.filter(|it| it.subjects.contains(&written.id) && it.subjects.contains(&client.id)).collect();
            assert_eq!(of.len(), many, "{of:?}");
        }
        assert!(!format!("{rows:?}").contains("planted"));
    }

    async fn an_answer_of_more_than_four_mebibytes_is_refused_and_comes_in_pages(app) {
        let ngo = Ngo::new(&app, "A").await;
        let (counsellor, client) = (ngo.counsellor("C1", pb::Side::Survivor).await, ngo.survivor().await);
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let me = ngo.as_counsellor(&app, &counsellor);
        // As long as a note may be, in a script of three bytes a letter.
        let long = "\u{0d05}".repeat(10_000);
        for _ in 0..141 {
            write(&me, note(&session, &client, &long)).await.unwrap();
        }
        let page = async |page_size, page_token: &str| {
            let (session_id, page_token) = (session.id.clone(), page_token.to_owned());
            let request = pb::ListSessionNotesRequest { session_id, page_size, page_token, ..Default::default() };
            me.attendance().list_session_notes(request).await.map(tonic::Response::into_inner)
        };
        assert_eq!(page(500, "").await.unwrap_err().code(), Code::OutOfRange);
        let first = page(139, "").await.unwrap();
        assert_eq!((first.notes.len(), page(139, &first.next_page_token).await.unwrap().notes.len()), (139, 2));
    }
}
