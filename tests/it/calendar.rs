//! A calendar for other programs: whose it is, what it says, and what it never says.

use std::collections::BTreeMap;

use aftercare::grpc::pb;
use tonic::Code;

use crate::on_both_engines;
use crate::support::{Actor, Ngo, at, book, booking, group_of};

const TEN: &str = "2026-11-24T04:30:00Z"; // Tuesday, 10:00 in Asia/Kolkata
const THURSDAY: &str = "2026-11-26T04:30:00Z";

async fn export(actor: &Actor, request: pb::ExportCalendarRequest) -> pb::ExportCalendarResponse {
    actor.scheduling().export_calendar(request).await.unwrap().into_inner()
}

/// The events of a file by UID, each as its properties. Folded lines are joined (RFC 5545, 3.1).
fn events(file: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    assert!(file.starts_with("BEGIN:VCALENDAR\r\n") && file.ends_with("END:VCALENDAR\r\n"), "{file}");
    assert!(file.lines().all(|line| line.len() <= 75), "{file}");
    let (mut events, mut event) = (BTreeMap::new(), None);
    for line in file.replace("\r\n ", "").split("\r\n") {
        match (line, &mut event) {
            ("BEGIN:VEVENT", _) => event = Some(BTreeMap::new()),
            ("END:VEVENT", _) => {
                let done: BTreeMap<String, String> = event.take().unwrap();
                assert!(events.insert(done["UID"].clone(), done).is_none(), "twice in {file}");
            }
            (line, Some(event)) => {
                let (name, value) = line.split_once(':').unwrap();
                event.insert(name.to_owned(), value.to_owned());
            }
            _ => {}
        }
    }
    events
}

on_both_engines! {
    async fn a_calendar_has_references_and_no_names(app) {
        let ngo = Ngo::new(&app, "A").await;
        ngo.room("R1").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor_with(|client| client.name = "Fictional Person".into()).await;
        let kept = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        let gone = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, THURSDAY)).await.unwrap();
        ngo.cancel(&gone).await.unwrap();
        let therapist = ngo.counsellor("O1", pb::Side::Offender).await;
        let members = [ngo.offender().await, ngo.offender().await];
        let alone = booking(&ngo, &therapist, &members[0], "2026-12-01T04:30:00Z");
        let group = book(&ngo.coordinator, group_of(12, &members, alone)).await.unwrap();

        let answer = export(&ngo.coordinator, pb::ExportCalendarRequest::default()).await;
        let events = events(&answer.calendar);
        assert_eq!((answer.sessions, events.len()), (3, 3));
        let of = |session: &pb::Session| &events[&format!("{}@aftercare", session.id)];
        let event = of(&kept);
        assert_eq!(event["DTSTART"], "20261124T043000Z");
        assert_eq!(event["DTEND"], "20261124T053000Z");
        assert_eq!(event["SUMMARY"], format!("Session {}", client.reference));
        assert_eq!(event["STATUS"], "CONFIRMED");
        assert_eq!(event["CLASS"], "PRIVATE");
        assert!(event["LOCATION"].ends_with(" R1"), "{event:?}");
        assert_eq!(of(&gone)["STATUS"], "CANCELLED");
        assert_eq!(of(&group)["SUMMARY"], "Group session\\, 2 of 12");
        assert!(members.iter().all(|it| of(&group)["DESCRIPTION"].contains(&it.reference)), "{events:?}");
        // Whoever finds the file learns neither who comes nor what for.
        let file = answer.calendar.to_uppercase();
        for word in ["FICTIONAL", "COUNSELLING", "TREATMENT", "SURVIVOR", "OFFENDER"] {
            assert!(!file.contains(word), "{word} in {file}");
        }
        let audited = app.audit().await.into_iter().find(|it| it.action.ends_with("/ExportCalendar")).unwrap();
        assert!(audited.details.contains("SESSIONS 3"), "{audited:?}");
    }

    async fn a_calendar_is_the_counsellors_own_or_of_the_coordinators_organisation(app) {
        let ngo = Ngo::new(&app, "A").await;
        let other = Ngo::new(&app, "B").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let colleague = ngo.counsellor("C2", pb::Side::Survivor).await;
        let (client, second) = (ngo.survivor().await, ngo.survivor().await);
        let mine = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, TEN)).await.unwrap();
        book(&ngo.coordinator, booking(&ngo, &colleague, &second, THURSDAY)).await.unwrap();

        let all = pb::ExportCalendarRequest::default();
        let of = |it: &pb::Counsellor| pb::ExportCalendarRequest { counsellor_id: it.id.clone(), ..Default::default() };
        assert_eq!(export(&ngo.coordinator, all.clone()).await.sessions, 2);
        assert_eq!(export(&ngo.coordinator, of(&colleague)).await.sessions, 1);
        assert_eq!(export(&other.coordinator, all.clone()).await.sessions, 0);
        assert_eq!(export(&other.coordinator, of(&counsellor)).await.sessions, 0);
        let me = ngo.as_counsellor(&app, &counsellor);
        let own = export(&me, all).await;
        assert_eq!(events(&own.calendar).into_keys().collect::<Vec<_>>(), [format!("{}@aftercare", mine.id)]);
        assert_eq!(export(&me, of(&colleague)).await.sessions, 0);
    }

    async fn a_calendar_has_a_bounded_time(app) {
        let ngo = Ngo::new(&app, "A").await;
        for (from, before) in [("2026-01-01T00:00:00Z", "2027-02-06T00:00:00Z"), (TEN, TEN)] {
            let request = pb::ExportCalendarRequest { starts_from: at(from), starts_before: at(before), ..Default::default() };
            let status = ngo.coordinator.scheduling().export_calendar(request).await.unwrap_err();
            assert_eq!(status.code(), Code::InvalidArgument);
        }
    }
}
