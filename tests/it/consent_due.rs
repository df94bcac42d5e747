//! The eighteenth birthday, and what consents are due: to the day where the client is, and to nobody else.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use tonic::{Code, Status};

use crate::on_both_engines;
use crate::support::followup::clinical_lead;
use crate::support::{Actor, Ngo, TestApp, book, booking, consent_of, date, own_consent, refused};

/// Tuesday, Wednesday and Thursday around the birthday, 10:00 in Asia/Kolkata.
const TUESDAY: &str = "2026-12-01T04:30:00Z";
const WEDNESDAY: &str = "2026-12-02T04:30:00Z";

async fn due(actor: &Actor) -> Result<Vec<pb::ConsentDue>, Status> {
    let request = pb::ListConsentsDueRequest::default();
    Ok(actor.clients().list_consents_due(request).await?.into_inner().consents_due)
}

/// What is due, in short.
async fn says(actor: &Actor) -> Vec<(i32, i32, pb::ConsentDueReason)> {
    due(actor).await.unwrap().iter().map(|it| (it.on.unwrap().month, it.on.unwrap().day, it.reason())).collect()
}

async fn guardians(actor: &Actor, client: &pb::Client) -> Vec<pb::Guardian> {
    let request = pb::ListGuardiansRequest { client_id: client.id.clone(), ..Default::default() };
    actor.clients().list_guardians(request).await.unwrap().into_inner().guardians
}

async fn born(ngo: &Ngo, client: &pb::Client, on: &str) -> pb::UpdateClientResponse {
    let client = pb::Client { born_on: Some(date(on)), ..client.clone() };
    let request = pb::UpdateClientRequest { client: Some(client), ..Default::default() };
    ngo.coordinator.clients().update_client(request).await.unwrap().into_inner()
}

/// At an instant, with a token that is good then.
fn at(app: &TestApp, ngo: &mut Ngo, now: &str) {
    app.clock.set(now.parse().unwrap());
    ngo.coordinator = app.actor(Authority::Coordinator { organisation_id: ngo.id.parse().unwrap() });
}

on_both_engines! {
    async fn from_the_birthday_guardians_neither_answer_nor_consent(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let child = ngo.child("2008-12-02").await;
        let mother = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        let unsafe_one = ngo.guardian(&child, pb::GuardianStanding::Unsafe).await;
        ngo.consent(consent_of(&mother, &child)).await.unwrap();
        let on = |start: &str| pb::BookSessionRequest {
            guardian_id: mother.id.clone(),
            ..booking(&ngo, &counsellor, &child, start)
        };
        book(&ngo.coordinator, on(TUESDAY)).await.unwrap();
        let refusal = refused(&book(&ngo.coordinator, on(WEDNESDAY)).await.unwrap_err());
        assert_eq!(refusal.items, ["CONSENT_MISSING"]);
        assert_eq!(says(&ngo.coordinator).await, [(12, 2, pb::ConsentDueReason::ComesOfAge)]);

        // The last microsecond of the day before, where the sites are, and the first of the birthday.
        for (now, answers) in [("2026-12-01T18:29:59.999999Z", true), ("2026-12-01T18:30:00Z", false)] {
            at(&app, &mut ngo, now);
            let listed = guardians(&ngo.coordinator, &child).await;
            let of = |id: &str| listed.iter().find(|it| it.id == id).unwrap();
            assert_eq!(of(&mother.id).answers, answers, "{now}");
            assert!(!of(&unsafe_one.id).answers);
            assert!(listed.iter().all(|it| it.answers_until == Some(date("2026-12-01"))));
        }
        let own = pb::Consent { given_on: Some(date("2026-12-02")), ..own_consent(&child) };
        ngo.consent(own).await.unwrap();
        assert_eq!(says(&ngo.coordinator).await, []);
        // An adult needs nobody to come along.
        book(&ngo.coordinator, booking(&ngo, &counsellor, &child, "2026-12-03T04:30:00Z")).await.unwrap();
        let unknown = ngo.client_with(pb::Side::Survivor, |client| client.born_on = None).await;
        ngo.guardian(&unknown, pb::GuardianStanding::Safe).await;
        let listed = guardians(&ngo.coordinator, &unknown).await;
        assert!(listed[0].answers && listed[0].answers_until.is_none());
    }

    async fn what_was_held_or_booked_before_is_judged_by_the_birthday_as_it_is_now(app) {
        let ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let child = ngo.child("2008-12-24").await;
        let mother = ngo.guardian(&child, pb::GuardianStanding::Safe).await;
        ngo.consent(consent_of(&mother, &child)).await.unwrap();
        let on = |start: &str| pb::BookSessionRequest {
            guardian_id: mother.id.clone(),
            ..booking(&ngo, &counsellor, &child, start)
        };
        let booked = book(&ngo.coordinator, on(WEDNESDAY)).await.unwrap();
        let held = crate::hold::hold(&ngo.coordinator, on(TUESDAY)).await.unwrap();
        let written = born(&ngo, &child, "2008-12-01").await;
        assert_eq!(written.affected_session_ids, std::slice::from_ref(&booked.id));
        let request = pb::BookSessionRequest { hold_id: held.id, ..Default::default() };
        assert_eq!(refused(&book(&ngo.coordinator, request).await.unwrap_err()).items, ["CONSENT_MISSING"]);
        let listed = due(&ngo.coordinator).await.unwrap();
        assert_eq!(says(&ngo.coordinator).await, [
            (12, 1, pb::ConsentDueReason::ComesOfAge),
            (12, 2, pb::ConsentDueReason::SessionUncovered),
        ]);
        assert_eq!((listed[1].session_id.as_str(), listed[1].reference.as_str()), (booked.id.as_str(), child.reference.as_str()));
        assert_eq!(listed[0].client_id, child.id);
        // A leap day's child comes of age on 1 March, a year's on 1 January: not within the days asked for.
        born(&ngo, &written.client.unwrap(), "2008-02-29").await;
        assert_eq!(says(&ngo.coordinator).await, [(12, 2, pb::ConsentDueReason::SessionUncovered)]);
    }

    async fn consents_that_expire_are_listed_by_day_for_those_who_ask_for_them(app) {
        let (ngo, other) = (Ngo::new(&app, "A").await, Ngo::new(&app, "B").await);
        let until = |client: &pb::Client, last: &str| pb::Consent { valid_until: Some(date(last)), ..own_consent(client) };
        let adult = async |last: &str| {
            let client = ngo.child("1990-05-06").await;
            let consent = ngo.consent(until(&client, last)).await.unwrap();
            (client, consent)
        };
        let (late, _) = adult("2026-12-23").await;
        let (early, expires) = adult("2026-11-23").await;
        let (renewed, _) = adult("2026-11-30").await;
        ngo.consent(until(&renewed, "2027-11-30")).await.unwrap();
        adult("2026-12-24").await;
        let found = due(&ngo.coordinator).await.unwrap();
        let clients: Vec<_> = found.iter().map(|it| it.client_id.as_str()).collect();
        assert_eq!(clients, [early.id.as_str(), late.id.as_str()]);
        assert_eq!((found[0].consent_id.as_str(), found[0].purpose()), (expires.id.as_str(), pb::ConsentPurpose::Care));
        assert_eq!(due(&clinical_lead(&app, &ngo)).await.unwrap(), found);
        assert_eq!(due(&other.coordinator).await.unwrap(), []);

        // Page by page, and each page in the trail with whom it is about.
        let mut request = pb::ListConsentsDueRequest { page_size: 1, ..Default::default() };
        let mut pages = Vec::new();
        loop {
            let page = ngo.coordinator.clients().list_consents_due(request.clone()).await.unwrap().into_inner();
            pages.extend(page.consents_due);
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        assert_eq!(pages, found);
        let trail = app.audit().await;
        let told = |it: &&crate::support::Audited| it.action.ends_with("/ListConsentsDue") && it.outcome == "DONE";
        let of = |one: &pb::Client, other: &pb::Client| {
            trail.iter().filter(told).any(|it| it.subjects.contains(&one.id) && !it.subjects.contains(&other.id))
        };
        assert!(of(&late, &early) && of(&early, &late));

        let far = prost_types::Duration { seconds: 367 * 86_400, nanos: 0 };
        let request = pb::ListConsentsDueRequest { within: Some(far), page_size: 501, ..Default::default() };
        let status = ngo.coordinator.clients().list_consents_due(request).await.unwrap_err();
        assert_eq!((status.code(), refused(&status).items), (Code::InvalidArgument, vec!["within".into(), "page_size".into()]));
    }

    async fn nobody_who_was_erased_comes_of_age(app) {
        let ngo = Ngo::new(&app, "A").await;
        let child = ngo.child("2008-12-02").await;
        assert_eq!(due(&ngo.coordinator).await.unwrap().len(), 1);
        let request = pb::EraseClientRequest {
            client_id: child.id.clone(),
            etag: child.etag.clone(),
            reason: pb::ErasureReason::Requested.into(),
            ..Default::default()
        };
        ngo.coordinator.clients().erase_client(request).await.unwrap();
        assert_eq!(due(&ngo.coordinator).await.unwrap(), []);
    }
}
