//! Importing the people of an NGO: clients with their guardians, cases and consents.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::usecase::import::{Files, Progress, import, watched};
use aftercare::usecase::{World, lookup};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::import::{audited, beside, counts, example, example_with, only, problems, updates};
use crate::on_both_engines;
use crate::support::{Actor, TestApp, date};

/// A coordinator of the example's organisation in Thiruvananthapuram.
async fn coordinator(app: &TestApp, world: &World) -> Actor {
    let organisation_id = lookup::organisation(world, "TVM-TRUST").await.unwrap();
    app.actor(Authority::Coordinator { organisation_id })
}

/// The clients of a coordinator by file number, opened.
async fn clients(me: &Actor) -> BTreeMap<String, pb::Client> {
    let listed = me.clients().list_clients(pb::ListClientsRequest::default()).await.unwrap().into_inner().clients;
    let mut opened = BTreeMap::new();
    for client in listed {
        let request = pb::GetClientRequest { client_id: client.id };
        let client = me.clients().get_client(request).await.unwrap().into_inner().client.unwrap();
        opened.insert(client.file_number.clone(), client);
    }
    opened
}

async fn guardians(me: &Actor, client: &pb::Client) -> Vec<pb::Guardian> {
    let request = pb::ListGuardiansRequest { client_id: client.id.clone(), ..Default::default() };
    me.clients().list_guardians(request).await.unwrap().into_inner().guardians
}

async fn consents(me: &Actor, client: &pb::Client) -> Vec<pb::Consent> {
    let request = pb::ListConsentsRequest { client_id: client.id.clone(), ..Default::default() };
    me.clients().list_consents(request).await.unwrap().into_inner().consents
}

async fn rows(world: &World) -> Vec<(i64,)> {
    let mut tx = world.db().begin_read().await.unwrap();
    tx.sql(
        "SELECT COUNT(*) FROM client UNION ALL SELECT COUNT(*) FROM guardian UNION ALL SELECT COUNT(*) FROM case_file
         UNION ALL SELECT COUNT(*) FROM case_party UNION ALL SELECT COUNT(*) FROM consent",
    )
    .all()
    .await
    .unwrap()
}

fn places(problems: &[String]) -> Vec<&str> {
    problems.iter().map(|it| it.split_once(": ").unwrap().0).collect()
}

fn with(mut files: Files, name: &str, text: &str) -> Files {
    files.extend(only(name, text));
    files
}

const CLIENTS: &str = "organisation,file_number,side,name,phone,address,born_on,spoken_languages,reading_language,\
                       counsellor_gender\n";
const CONSENTS: &str = "organisation,client,purpose,given_by,guardian,assent,language,text_version,given_on,\
                        valid_until\n";

on_both_engines! {
    async fn the_people_of_an_organisation_are_imported(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let me = coordinator(&app, &world).await;
        let all = clients(&me).await;
        assert_eq!(all.keys().collect::<Vec<_>>(), ["F-101", "F-102", "F-103"]);
        let child = &all["F-101"];
        assert_eq!((child.name.as_str(), child.phone.as_str()), ("Person Example-Four", "555-0104"));
        assert_eq!((child.born_on, child.counsellor_gender()), (Some(date("2014-03-21")), pb::Gender::Female));
        let year_only = pb::google::r#type::Date { year: 1998, month: 0, day: 0 };
        assert_eq!(all["F-102"].born_on, Some(year_only));
        let mut named = guardians(&me, child).await;
        named.sort_by(|one, other| one.code.cmp(&other.code));
        let standing: Vec<_> = named.iter().map(|it| (it.code.as_str(), it.standing())).collect();
        assert_eq!(standing, [("AUNT", pb::GuardianStanding::Safe), ("MOTHER", pb::GuardianStanding::Safe)]);
        let given = consents(&me, child).await;
        assert_eq!((given.len(), given[0].guardian_id.as_str()), (1, named[1].id.as_str()));
        assert_eq!((given[0].assent(), given[0].given_on), (pb::Assent::Verbal, Some(date("2026-01-05"))));
        assert_eq!(consents(&me, &all["F-102"]).await[0].valid_until, Some(date("2027-01-06")));
        // The case holds both; its parties are kept apart from now on.
        let mut tx = world.db().begin_read().await.unwrap();
        let sql = tx.sql("SELECT COUNT(DISTINCT link_id), COUNT(*) FROM link_party");
        assert_eq!(sql.maybe::<(i64, i64)>().await.unwrap(), Some((1, 2)));
    }

    async fn a_second_run_changes_what_differs_and_nothing_else(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let me = coordinator(&app, &world).await;
        let before = clients(&me).await;
        // What no file says stays as it is.
        let stated = pb::Client {
            preferred_modality: pb::Modality::Remote.into(),
            availability: vec![pb::Availability {
                day: 1,
                starts: Some(crate::support::time_of_day(9, 0)),
                ends: Some(crate::support::time_of_day(12, 0)),
            }],
            ..before["F-101"].clone()
        };
        let request = pb::UpdateClientRequest { client: Some(stated.clone()), ..Default::default() };
        me.clients().update_client(request).await.unwrap();
        assert_eq!(counts(&import(&world, &example(), false).await.unwrap()), (0, 0, 40));

        let files = example_with("clients.csv", "555-0104,4 Example Street,2014-03-21", "555-0199,,2014");
        let report = import(&world, &files, false).await.unwrap();
        assert_eq!(updates(&report), ["client TVM-TRUST/F-101: phone, address, born_on"]);
        let after = clients(&me).await;
        assert_eq!(after["F-101"].reference, before["F-101"].reference);
        assert_eq!(after["F-101"].availability, stated.availability);
        assert_eq!(after["F-102"], before["F-102"]);
        let files = with(files, "guardians.csv", "organisation,client,code,name,phone,relation,standing\n\
                         TVM-TRUST,F-101,MOTHER,Guardian Example-One,555-0110,mother,UNSAFE\n");
        let report = import(&world, &files, false).await.unwrap();
        assert_eq!(updates(&report), ["guardian TVM-TRUST/F-101/MOTHER: standing"]);
        // The consent that she gave stays on record; another one she cannot give.
        let given = consents(&me, &before["F-101"]).await;
        let more = format!("{CONSENTS}TVM-TRUST,F-101,CARE,GUARDIAN,MOTHER,VERBAL,ml,CARE-1,2026-01-05,\n\
                            TVM-TRUST,F-101,FOLLOW_UP,GUARDIAN,MOTHER,VERBAL,ml,CARE-1,2026-01-05,\n");
        let refused = problems(import(&world, &with(files, "consents.csv", &more), false).await);
        assert_eq!(refused, ["consents.csv:3:5 (guardian): must be a guardian who is safe"]);
        assert_eq!(consents(&me, &before["F-101"]).await, given);
    }

    async fn every_mistake_is_named_and_nothing_is_written(app) {
        let world = beside(&app).await;
        let files = with(example(), "clients.csv", &format!(
            "{CLIENTS}TVM-TRUST,F-101,SURVIVOR,Person Example-Four,,,2014-03-21,ml,ml,\n\
             TVM-TRUST,F-103,OFFENDER,,,,21-03-2014,ml,ml,\n\
             TVM-TRUST,f 104,BOTH,Person Example-Eight,,,,english,,F\n\
             TVM-TRUST,F-101,SURVIVOR,Person Example-Nine,,,,ml,,\n"));
        let files = with(files, "guardians.csv",
            "organisation,client,code,name,phone,relation,standing\n\
             TVM-TRUST,F-101,MOTHER,Guardian Example-One,,,GOOD\n\
             TVM-TRUST,F-999,MOTHER,Guardian Example-Two,,,SAFE\n");
        let files = with(files, "case_parties.csv",
            "organisation,crime_number,police_station,district,client,role\n\
             TVM-TRUST,101/2026,Example Nagar,KL-TVM,F-101,ACCUSED\n\
             TVM-TRUST,102/2026,Example Nagar,KL-TVM,F-101,SURVIVOR\n");
        let files = with(files, "consents.csv", &format!(
            "{CONSENTS}TVM-TRUST,F-101,CARE,GUARDIAN,,VERBAL,ml,CARE-1,2026-01-05,\n\
             TVM-TRUST,F-101,CARE,OWN,MOTHER,NONE,ml,CARE-1,2026-01-05,2026-01-04\n\
             TVM-TRUST,F-101,CARE,GUARDIAN,AUNT,VERBAL,ml,CARE-1,2027-01-05,\n\
             TVM-TRUST,F-101,CARE,CHILD_WELFARE_COMMITTEE,,VERBAL,ml,CARE-1,2027-01-05,\n"));
        let named = problems(import(&world, &files, false).await);
        assert_eq!(
            places(&named),
            [
                "case_parties.csv:2:6 (role)",
                "case_parties.csv:3:2 (crime_number)",
                "clients.csv:3:4 (name)",
                "clients.csv:3:7 (born_on)",
                "clients.csv:4:2 (file_number)",
                "clients.csv:4:3 (side)",
                "clients.csv:4:8 (spoken_languages)",
                "clients.csv:4:10 (counsellor_gender)",
                "clients.csv:5:2 (file_number)",
                "consents.csv:2:5 (guardian)",
                "consents.csv:3:5 (guardian)",
                "consents.csv:3:10 (valid_until)",
                "consents.csv:4:5 (guardian)",
                "consents.csv:5:9 (given_on)",
                "guardians.csv:2:7 (standing)",
                "guardians.csv:3:2 (client)",
            ],
            "{named:#?}"
        );
        // What is said is never what stood there, which may be personal.
        assert!(!format!("{named:?}").contains("2014") && !format!("{named:?}").contains("Example-"));
        assert_eq!(rows(&world).await, [(0,); 5]);
        let outcomes: Vec<_> = audited(&world).await.into_iter().map(|event| event.2).collect();
        assert_eq!(outcomes, ["REFUSED"]);
    }

    async fn a_recorded_consent_is_not_changed(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let other = "TVM-TRUST,F-102,CARE,OWN,,,en,CARE-2,2026-01-07,2027-01-06\n";
        let refused = problems(import(&world, &only("consents.csv", &format!("{CONSENTS}{other}")), false).await);
        let says = "must be as it was recorded: a consent is never changed, only withdrawn or invalidated";
        assert_eq!(refused, [format!("consents.csv:2: {says}")]);
        // Once the wrong one is invalidated, the right one is recorded.
        let me = coordinator(&app, &world).await;
        let client = clients(&me).await.remove("F-102").unwrap();
        let wrong = consents(&me, &client).await.remove(0);
        let request = pb::InvalidateConsentRequest {
            consent_id: wrong.id,
            etag: wrong.etag,
            reason: "The version was mistyped.".into(),
            ..Default::default()
        };
        me.clients().invalidate_consent(request).await.unwrap();
        for expected in [(1, 0, 0), (0, 0, 1)] {
            let report = import(&world, &only("consents.csv", &format!("{CONSENTS}{other}")), false).await.unwrap();
            assert_eq!(counts(&report), expected);
        }
        assert_eq!(consents(&me, &client).await.len(), 2);
    }

    async fn rows_about_an_erased_client_are_named(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let me = coordinator(&app, &world).await;
        let client = clients(&me).await.remove("F-101").unwrap();
        let (client_id, etag) = (client.id, client.etag);
        let reason = pb::ErasureReason::Requested.into();
        let request = pb::EraseClientRequest { client_id, etag, reason, ..Default::default() };
        me.clients().erase_client(request).await.unwrap();
        assert_eq!(
            problems(import(&world, &example(), false).await),
            ["clients.csv:2:2 (file_number): the client was erased; nothing more can be written about them"]
        );
        let files = only("guardians.csv",
            "organisation,client,code,name,phone,relation,standing\nTVM-TRUST,F-101,UNCLE,Guardian Example,,uncle,SAFE\n");
        let files = with(files, "cases.csv",
            "organisation,crime_number,police_station,district\nTVM-TRUST,102/2026,Example Nagar,KL-TVM\n");
        let files = with(files, "case_parties.csv",
            "organisation,crime_number,police_station,district,client,role\n\
             TVM-TRUST,102/2026,Example Nagar,KL-TVM,F-101,SURVIVOR\n");
        let files = with(files, "consents.csv", &format!(
            "{CONSENTS}TVM-TRUST,F-101,FOLLOW_UP,CHILD_WELFARE_COMMITTEE,,VERBAL,ml,CARE-1,2026-01-05,\n"));
        let named = problems(import(&world, &files, false).await);
        let expected = ["case_parties.csv:2:5 (client)", "consents.csv:2:2 (client)", "guardians.csv:2:2 (client)"];
        assert_eq!(places(&named), expected, "{named:#?}");
    }

    async fn the_side_of_a_client_stays(app) {
        let world = beside(&app).await;
        import(&world, &example(), false).await.unwrap();
        let files = example_with("clients.csv", "F-102,SURVIVOR", "F-102,OFFENDER");
        assert_eq!(problems(import(&world, &files, false).await), ["clients.csv:3:3 (side): cannot be changed"]);
    }

    async fn a_trial_writes_nobody_and_tells_how_far_it_is(app) {
        let world = beside(&app).await;
        let told = Arc::new(Mutex::new(Vec::new()));
        let watch = told.clone();
        let watch = Arc::new(move |at: Progress| watch.lock().unwrap().push((at.file, at.read, at.rows)));
        assert_eq!(counts(&watched(&world, &example(), true, watch).await.unwrap()), (40, 0, 0));
        assert_eq!(rows(&world).await, [(0,); 5]);
        let told: Vec<_> = told.lock().unwrap().iter().filter(|it| it.0 == "consents.csv").copied().collect();
        assert_eq!(told, [("consents.csv", 1, 3), ("consents.csv", 2, 3), ("consents.csv", 3, 3)]);
    }
}
