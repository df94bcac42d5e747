//! Nothing is final: records are corrected, absences are decided upon and decided anew, and everything stays.

use aftercare::domain::access::Authority;
use aftercare::domain::ids::OrganisationId;
use aftercare::grpc::pb;
use chrono::TimeDelta;
use pb::AbsenceStanding as Standing;
use pb::AttendanceOutcome as Outcome;
use tonic::Code;

use crate::attendance::{set, why, wrong};
use crate::on_both_engines;
use crate::support::attendance::{amend, amending, decide, deciding, history, record, recording};
use crate::support::{Actor, Ngo, TestApp, book, booking, facts, group_of, refused, remove};

const TEN: &str = "2026-11-24T04:30:00Z";

/// Somebody who coordinates, by name.
fn coordinator(app: &TestApp, ngo: &Ngo, name: &str) -> Actor {
    let organisation_id: OrganisationId = ngo.id.parse().unwrap();
    let authority = Authority::Coordinator { organisation_id };
    app.bearer(app.token(name, authority, app.now(), TimeDelta::hours(24)))
}

/// An offender's session that is over.
async fn over(app: &TestApp) -> (Ngo, pb::Counsellor, pb::Client, pb::Session) {
    let mut ngo = Ngo::new(app, "A").await;
    let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
    let client = ngo.offender().await;
    let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
    set(app, &mut ngo, "2026-11-24T06:00:00Z");
    (ngo, counsellor, client, session)
}

on_both_engines! {
    async fn a_correction_supersedes_with_its_reason(app) {
        let (ngo, counsellor, client, session) = over(&app).await;
        let early = amend(&ngo.coordinator, amending(&session, &client, "1", Outcome::Late)).await;
        assert_eq!(why(early), "NOT_RECORDED");
        let first = record(&ngo.coordinator, recording(&session, &client, Outcome::NoShow)).await.unwrap();
        let lead = ngo.as_counsellor(&app, &counsellor);
        let second = amend(&lead, amending(&session, &client, &first.etag, Outcome::Late)).await.unwrap();
        assert_eq!((second.etag.as_str(), &second.supersedes_attendance_id), ("2", &first.id));
        assert_eq!((second.reason.as_str(), second.late), ("written into the wrong line", false));
        // What was read before has changed since; what is to stand must be whole, and say why.
        let stale = amend(&ngo.coordinator, amending(&session, &client, "1", Outcome::Late)).await.unwrap_err();
        assert_eq!(stale.code(), Code::Aborted);
        let mut bad = amending(&session, &client, "x", Outcome::Late);
        (bad.reason, bad.facts.as_mut().unwrap().late_by) = (" ".into(), None);
        assert_eq!(wrong(amend(&lead, bad).await), ["etag", "reason", "facts.late_by"]);
        let all = history(&ngo.coordinator, &session).await.unwrap();
        let [history] = &all[..] else { panic!("{all:?}") };
        assert_eq!(history.records, [pb::Attendance { superseded: true, ..first }, second]);
        assert_eq!((&history.client_id, &history.client_reference), (&client.id, &client.reference));
        assert_eq!(history.standing(), Standing::Unspecified);
    }

    async fn a_late_correction_is_marked_and_for_somebody_else(app) {
        let (mut ngo, counsellor, client, session) = over(&app).await;
        record(&ngo.coordinator, recording(&session, &client, Outcome::NoShow)).await.unwrap();
        // On the seventh day to the second, whoever recorded it may still correct it.
        set(&app, &mut ngo, "2026-12-01T06:00:00Z");
        let second = amend(&ngo.coordinator, amending(&session, &client, "1", Outcome::Refused)).await.unwrap();
        assert!(!second.late);
        set(&app, &mut ngo, "2026-12-01T06:00:01Z");
        let same = amend(&ngo.coordinator, amending(&session, &client, "2", Outcome::NoShow)).await;
        assert_eq!(why(same), "SAME_PERSON");
        // Nor in another role: it is the person that counts, and the age of the first record.
        let authority = Authority::Counsellor {
            organisation_id: ngo.id.parse().unwrap(),
            counsellor_id: counsellor.id.parse().unwrap(),
        };
        let same = app.bearer(app.token("coordinator@A", authority, app.now(), TimeDelta::hours(24)));
        assert_eq!(why(amend(&same, amending(&session, &client, "2", Outcome::NoShow)).await), "SAME_PERSON");
        let other = coordinator(&app, &ngo, "another@A");
        let third = amend(&other, amending(&session, &client, "2", Outcome::NoShow)).await.unwrap();
        assert!(third.late);
        // Who corrected late may correct again: somebody else has looked at it.
        assert!(amend(&other, amending(&session, &client, "3", Outcome::Refused)).await.unwrap().late);
        let late = history(&ngo.coordinator, &session).await.unwrap()[0].records.iter().map(|it| it.late).collect::<Vec<_>>();
        assert_eq!(late, [false, false, true, true]);
        assert!(app.audit().await.iter().any(|event| event.details.contains("LATE_CORRECTION")));
    }

    async fn an_absence_is_pending_until_somebody_decides_and_decides_anew(app) {
        let (ngo, counsellor, client, session) = over(&app).await;
        let standing = async || history(&ngo.coordinator, &session).await.unwrap()[0].standing();
        let lead = ngo.as_counsellor(&app, &counsellor);
        assert_eq!(why(decide(&lead, deciding(&session, &client, "1", true)).await), "NOT_RECORDED");
        record(&ngo.coordinator, recording(&session, &client, Outcome::NoShow)).await.unwrap();
        assert_eq!(standing().await, Standing::Pending);
        let serious = pb::DecideAbsenceRequest { serious: true, ..deciding(&session, &client, "1", false) };
        let first = decide(&lead, serious).await.unwrap();
        assert_eq!((first.acceptable, first.serious, first.ground), (false, true, 0));
        assert_eq!(standing().await, Standing::Unacceptable);
        let second = decide(&ngo.coordinator, deciding(&session, &client, "1", true)).await.unwrap();
        assert_eq!((second.acceptable, second.serious, second.ground()), (true, false, pb::AbsenceGround::Medical));
        assert_eq!((second.evidence_reference.as_str(), second.verifier.as_str()), ("certificate 12", "the registrar"));
        assert_eq!(standing().await, Standing::Acceptable);
        let all = history(&ngo.coordinator, &session).await.unwrap().remove(0);
        assert_eq!(all.decisions, [pb::AbsenceDecision { superseded: true, ..first }, second.clone()]);
        // A correction makes another fact, about which nobody has decided.
        amend(&lead, amending(&session, &client, "1", Outcome::Refused)).await.unwrap();
        assert_eq!(standing().await, Standing::Pending);
        let all = history(&ngo.coordinator, &session).await.unwrap().remove(0);
        assert_eq!(all.decisions[1], pb::AbsenceDecision { superseded: true, ..second });
        let stale = decide(&lead, deciding(&session, &client, "1", true)).await.unwrap_err();
        assert_eq!(stale.code(), Code::Aborted);
        decide(&lead, deciding(&session, &client, "2", true)).await.unwrap();
        assert_eq!(standing().await, Standing::Acceptable);
        // Who attended after all was not absent.
        amend(&lead, amending(&session, &client, "2", Outcome::AttendedComplied)).await.unwrap();
        assert_eq!(standing().await, Standing::Unspecified);
        assert_eq!(why(decide(&lead, deciding(&session, &client, "3", true)).await), "NOT_AN_ABSENCE");
    }

    async fn only_absences_are_decided_upon(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let all = ngo.coordinator.attendance().list_outcomes(pb::ListOutcomesRequest {}).await.unwrap().into_inner();
        let mut sessions = Vec::new();
        for (at, entry) in all.outcomes.into_iter().filter(|it| !it.chosen_by.is_empty()).enumerate() {
            let client = ngo.offender().await;
            let start = format!("2026-12-{:02}T04:30:00Z", at + 1);
            sessions.push((book(&ngo.coordinator, booking(&ngo, &counsellor, &client, &start)).await.unwrap(), client, entry));
        }
        set(&app, &mut ngo, "2027-01-01T04:30:00Z");
        for (session, client, entry) in sessions {
            record(&ngo.coordinator, recording(&session, &client, entry.outcome())).await.unwrap();
            let before = history(&ngo.coordinator, &session).await.unwrap()[0].standing();
            let result = decide(&ngo.coordinator, deciding(&session, &client, "1", false)).await;
            match entry.absent() {
                pb::AbsenceExtent::Nothing => {
                    assert_eq!((why(result).as_str(), before), ("NOT_AN_ABSENCE", Standing::Unspecified), "{entry:?}");
                }
                pb::AbsenceExtent::Part => assert_eq!((result.is_ok(), before), (true, Standing::Unspecified)),
                _ => assert_eq!((result.is_ok(), before), (true, Standing::Pending), "{entry:?}"),
            }
        }
    }

    async fn evidence_decides_with_the_record(app) {
        let (ngo, counsellor, client, session) = over(&app).await;
        let lead = ngo.as_counsellor(&app, &counsellor);
        let mut request = recording(&session, &client, Outcome::AcceptableBereavement);
        request.facts.as_mut().unwrap().evidence_reference = "letter 3".into();
        assert_eq!(wrong(record(&lead, request.clone()).await), ["facts.verifier"]);
        request.facts.as_mut().unwrap().verifier = "the secretary".into();
        let answer = lead.attendance().record_attendance(request).await.unwrap().into_inner();
        let decision = answer.decision.unwrap();
        assert_eq!((decision.acceptable, decision.ground()), (true, pb::AbsenceGround::Bereavement));
        assert_eq!(decision.attendance_id, answer.attendance.unwrap().id);
        assert_eq!(history(&lead, &session).await.unwrap()[0].standing(), Standing::Acceptable);
        // So does a correction; without evidence it is pending.
        let mut request = amending(&session, &client, "1", Outcome::AcceptableFamily);
        let with = pb::AttendanceFacts {
            evidence_reference: "letter 4".into(),
            verifier: "the secretary".into(),
            ..facts(Outcome::AcceptableFamily)
        };
        request.facts = Some(with);
        let answer = lead.attendance().amend_attendance(request).await.unwrap().into_inner();
        assert_eq!(answer.decision.unwrap().ground(), pb::AbsenceGround::Family);
        amend(&lead, amending(&session, &client, "2", Outcome::AcceptableWork)).await.unwrap();
        assert_eq!(history(&lead, &session).await.unwrap()[0].standing(), Standing::Pending);
    }

    async fn a_decision_says_everything_it_needs(app) {
        let (ngo, _, client, session) = over(&app).await;
        record(&ngo.coordinator, recording(&session, &client, Outcome::NoShow)).await.unwrap();
        let acceptable = pb::DecideAbsenceRequest {
            verdict: pb::AbsenceVerdict::Acceptable.into(),
            serious: true,
            ..deciding(&session, &client, "1", false)
        };
        assert_eq!(wrong(decide(&ngo.coordinator, acceptable).await), ["serious", "evidence_reference", "verifier", "ground"]);
        let unacceptable = pb::DecideAbsenceRequest {
            verdict: pb::AbsenceVerdict::Unacceptable.into(),
            verifier: String::new(),
            ..deciding(&session, &client, "1", true)
        };
        assert_eq!(wrong(decide(&ngo.coordinator, unacceptable).await), ["ground", "verifier"]);
        assert_eq!(wrong(decide(&ngo.coordinator, pb::DecideAbsenceRequest::default()).await), [
            "session_id", "client_id", "etag", "verdict"
        ]);
        let shown = pb::DecideAbsenceRequest {
            verdict: pb::AbsenceVerdict::Unacceptable.into(),
            ground: 0,
            ..deciding(&session, &client, "1", true)
        };
        assert_eq!(decide(&ngo.coordinator, shown).await.unwrap().verifier, "the registrar");
    }

    async fn what_was_called_off_is_corrected_to_nothing_attended(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let (one, two) = (ngo.offender().await, ngo.offender().await);
        let group = group_of(2, &[one.clone(), two.clone()], booking(&ngo, &counsellor, &one, TEN));
        let session = book(&ngo.coordinator, group).await.unwrap();
        for client in [&one, &two] {
            record(&ngo.coordinator, recording(&session, client, Outcome::AcceptableWork)).await.unwrap();
        }
        let session = ngo.session(&session.id).await;
        let left = remove(&ngo.coordinator, crate::support::leaving(&session, &two)).await.unwrap();
        ngo.cancel(&left).await.unwrap();
        set(&app, &mut ngo, "2026-11-24T06:00:00Z");
        for client in [&one, &two] {
            decide(&ngo.coordinator, deciding(&session, client, "1", true)).await.unwrap();
            let came = amend(&ngo.coordinator, amending(&session, client, "1", Outcome::AttendedComplied)).await;
            assert_eq!((why(came).as_str(), &client.id), ("SESSION_NOT_STANDING", &client.id));
            amend(&ngo.coordinator, amending(&session, client, "1", Outcome::ProviderCancelled)).await.unwrap();
        }
        // What was recorded of who was removed stays; nothing more is.
        let again = record(&ngo.coordinator, recording(&session, &two, Outcome::AcceptableWork)).await;
        assert_eq!(why(again), "NOT_A_PARTICIPANT");
        assert_eq!(history(&ngo.coordinator, &session).await.unwrap().len(), 2);
    }

    async fn texts_are_opened_on_request_and_leave_a_trace(app) {
        let (ngo, counsellor, client, session) = over(&app).await;
        let lead = ngo.as_counsellor(&app, &counsellor);
        record(&lead, recording(&session, &client, Outcome::NoShow)).await.unwrap();
        let mut request = amending(&session, &client, "1", Outcome::Refused);
        request.reason = "A planted reason".into();
        amend(&lead, request).await.unwrap();
        let mut request = deciding(&session, &client, "2", true);
        (request.evidence_reference, request.verifier) = ("A planted letter".into(), "A planted name".into());
        decide(&lead, request).await.unwrap();
        let reads = async || app.audit().await.iter().filter(|it| it.action.ends_with("/ListAttendance")).count();
        let by_client = pb::ListAttendanceRequest { client_id: client.id.clone(), ..Default::default() };
        let mut attendance = ngo.coordinator.attendance();
        let closed = attendance.list_attendance(by_client.clone()).await.unwrap().into_inner().histories.remove(0);
        assert_eq!((closed.records[1].reason.as_str(), closed.decisions[0].verifier.as_str()), ("", ""));
        assert_eq!((closed.session_id.as_str(), reads().await), (session.id.as_str(), 0));
        let opened = pb::ListAttendanceRequest { with_texts: true, ..by_client };
        let opened = attendance.list_attendance(opened).await.unwrap().into_inner().histories.remove(0);
        assert_eq!(opened.records[1].reason, "A planted reason");
        assert_eq!(opened.decisions[0].evidence_reference, "A planted letter");
        assert_eq!(reads().await, 1);
        let rows = app.audit().await;
        assert!(rows.iter().any(|it| it.action.ends_with("/ListAttendance") && it.subjects.contains(&client.id)));
        assert!(!format!("{rows:?}").contains("planted"));
    }

    async fn a_list_is_of_one_session_or_one_client_and_has_pages(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("O1", pb::Side::Offender).await;
        let other = ngo.counsellor("O2", pb::Side::Offender).await;
        let client = ngo.offender().await;
        let mut sessions = Vec::new();
        for (day, counsellor) in [(24, &counsellor), (25, &other), (26, &counsellor)] {
            let start = format!("2026-11-{day}T04:30:00Z");
            sessions.push(book(&ngo.coordinator, booking(&ngo, counsellor, &client, &start)).await.unwrap());
        }
        set(&app, &mut ngo, "2026-11-27T04:30:00Z");
        for session in &sessions {
            record(&ngo.coordinator, recording(session, &client, Outcome::AttendedComplied)).await.unwrap();
        }
        let list = |actor: Actor, request: pb::ListAttendanceRequest| async move {
            actor.attendance().list_attendance(request).await.map(|it| it.into_inner())
        };
        let of_client = pb::ListAttendanceRequest { client_id: client.id.clone(), page_size: 2, ..Default::default() };
        let first = list(ngo.coordinator.clone(), of_client.clone()).await.unwrap();
        let rest = pb::ListAttendanceRequest { page_token: first.next_page_token.clone(), ..of_client.clone() };
        let rest = list(ngo.coordinator.clone(), rest).await.unwrap();
        let seen: Vec<_> = first.histories.iter().chain(&rest.histories).map(|it| it.session_id.as_str()).collect();
        assert_eq!(seen, sessions.iter().map(|it| it.id.as_str()).collect::<Vec<_>>());
        assert_eq!(rest.next_page_token, "");
        // A counsellor sees of a client what happened in the own sessions; a clinical lead everything.
        let own = list(ngo.as_counsellor(&app, &counsellor), of_client.clone()).await.unwrap();
        assert_eq!(own.histories.iter().map(|it| &it.session_id).collect::<Vec<_>>(), [&sessions[0].id, &sessions[2].id]);
        let lead = crate::attendance::clinical_lead(&app, &ngo);
        assert_eq!(list(lead, pb::ListAttendanceRequest { page_size: 0, ..of_client.clone() }).await.unwrap().histories.len(), 3);
        let stranger = ngo.counsellor("O3", pb::Side::Offender).await;
        for actor in [ngo.as_counsellor(&app, &stranger), Ngo::new(&app, "B").await.coordinator] {
            assert_eq!(list(actor, of_client.clone()).await.unwrap_err().code(), Code::NotFound);
        }
        let both = pb::ListAttendanceRequest { session_id: sessions[0].id.clone(), ..of_client };
        for request in [both, pb::ListAttendanceRequest::default()] {
            assert_eq!(refused(&list(ngo.coordinator.clone(), request).await.unwrap_err()).items, ["session_id"]);
        }
    }
}
