//! Redaction: what is said of a person stays inside. Every text of the interface is personal or known not to be; what is
//! planted in the personal ones is found in no file, no dump, no refusal and no line of a log.

mod clear;
mod erased;
mod sealed;
mod story;
mod traced;

use std::collections::BTreeSet;
use std::fs;

use aftercare::grpc::pb;
use aftercare::store::Target;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};

use self::erased::erase_everybody_and_restore;
use self::sealed::everything_is_sealed;
use self::story::{read_everything, tell};
use crate::cells::recipes_of_every_service;
use crate::erasure::at_rest::{at_rest, tells};
use crate::on_both_engines;
use crate::support::plant::{INTERFACE, MARK, is_personal, name_of, plant};
use crate::support::{Engine, TestApp};

/// The messages of the interface that are ours.
fn messages() -> Vec<MessageDescriptor> {
    INTERFACE.all_messages().filter(|it| it.package_name() == "aftercare.v1").collect()
}

/// Those that a request is made of.
fn of_requests() -> Vec<MessageDescriptor> {
    let mut all: Vec<MessageDescriptor> = Vec::new();
    let services: Vec<_> = INTERFACE.services().filter(|it| it.package_name() == "aftercare.v1").collect();
    let mut next: Vec<_> =
        services.iter().flat_map(|it| it.methods().map(|it| it.input()).collect::<Vec<_>>()).collect();
    while let Some(message) = next.pop() {
        if !all.contains(&message) {
            next.extend(message.fields().filter_map(|it| it.kind().as_message().cloned()));
            all.push(message);
        }
    }
    all
}

fn texts(messages: &[MessageDescriptor]) -> Vec<FieldDescriptor> {
    let all = messages.iter().flat_map(|it| it.fields().collect::<Vec<_>>());
    all.filter(|it| matches!(it.kind(), Kind::String | Kind::Bytes)).collect()
}

#[test]
fn every_text_of_the_interface_is_personal_or_known_not_to_be() {
    let messages = messages();
    let texts = texts(&messages);
    assert!(texts.len() > 400, "{}", texts.len());
    let (mut used, mut unknown) = (BTreeSet::new(), Vec::new());
    for field in &texts {
        match (is_personal(field), clear::why(field)) {
            (true, None) => {}
            (false, Some((entry, _))) => drop(used.insert(entry)),
            (true, Some(_)) | (false, None) => unknown.push(name_of(field)),
        }
    }
    assert!(unknown.is_empty(), "on neither list, or on both: {unknown:#?}");
    assert_eq!(used, clear::entries(), "what stands on the list and nowhere else");
}

#[test]
fn no_request_prints_what_is_personal() {
    for recipe in recipes_of_every_service() {
        let (service, method) = recipe.rpc.split_once('/').unwrap();
        let service = INTERFACE.get_service_by_name(service).unwrap();
        let input = service.methods().find(|it| it.name() == method).unwrap().input();
        let mut message = full(&input, 4);
        let planted = plant(&mut message);
        let printed = (recipe.printed)(&message.encode_to_vec());
        assert!(!printed.contains(MARK), "{}", recipe.rpc);
        assert!(planted.is_empty() || printed.contains(".."), "{}: {printed}", recipe.rpc);
    }
}

/// A message with everything in it that it may have.
fn full(of: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    for field in of.fields() {
        let value = match field.kind() {
            Kind::Message(inner) if depth > 0 => prost_reflect::Value::Message(full(&inner, depth - 1)),
            Kind::String => prost_reflect::Value::String("x".into()),
            _ => continue,
        };
        let value = if field.is_list() { prost_reflect::Value::List(vec![value]) } else { value };
        message.set_field(&field, value);
    }
    message
}

/// A service whose keys are, on PostgreSQL, in a database too.
async fn with_keys_apart(app: TestApp) -> TestApp {
    match app.db.target {
        Target::Sqlite(_) => app,
        Target::Postgres(_) => TestApp::start_with_key_database(Engine::Postgres).await,
    }
}

/// As bytes, and as PostgreSQL dumps and others write these.
fn forms() -> Vec<String> {
    let hex: String = MARK.bytes().map(|byte| format!("{byte:02x}")).collect();
    vec![MARK.into(), MARK.to_lowercase(), MARK.to_uppercase(), hex.to_uppercase(), hex, "1987-03-14".into()]
}

/// What is said of staff and of trainings is not erased with any client.
const ABOUT_NO_CLIENT: [&str; 3] = ["GetTraining", "GetCounsellor", "ListCounsellors"];

/// In messages that requests are made of too, but written by other requests.
const ONLY_ANSWERED: [&str; 2] = ["ConsentEnd.reason", "LegalHold.release_reason"];

on_both_engines! {
    async fn what_is_planted_stays_inside(app) {
        let mut app = with_keys_apart(app).await;
        let plant = app.plant();
        let it = tell(&app).await;

        let wanted: BTreeSet<String> =
            texts(&of_requests()).iter().filter(|it| is_personal(it)).map(name_of).collect();
        assert!(wanted.len() > 30, "{wanted:?}");
        let missing: Vec<_> = wanted.difference(&plant.accepted()).cloned().collect();
        assert_eq!(missing, ONLY_ANSWERED, "not planted");

        let refusals = plant.refusals();
        assert!(refusals.len() > 50, "{}", refusals.len());
        for told in refusals {
            assert!(!told.contains(MARK), "{told}");
        }
        let bytes = at_rest(&app);
        assert!(tells(&bytes, &it.client.reference), "the files are those of the service");
        for form in forms() {
            assert!(!tells(&bytes, &form), "{form}");
        }
        everything_is_sealed(&app).await;
        for entry in fs::read_dir(app.data_dir()).unwrap() {
            assert!(!entry.unwrap().file_name().to_string_lossy().contains(MARK));
        }

        // Whoever restores a backup from before has the same rows, and no key of anybody who was erased since.
        let before = read_everything(&app, &it).await;
        assert!(before.len() > 12, "{before:?}");
        let organisations = organisations(&app).await;
        erase_everybody_and_restore(&mut app, &organisations).await;
        let after = read_everything(&app, &it).await;
        let after: Vec<&str> = after.iter().map(|rpc| rpc.rsplit('/').next().unwrap()).collect();
        assert_eq!(after, ABOUT_NO_CLIENT);
    }
}

async fn organisations(app: &TestApp) -> Vec<String> {
    let request = pb::ListOrganisationsRequest { page_size: 100, ..Default::default() };
    let listed = app.admin().directory().list_organisations(request).await.unwrap().into_inner();
    listed.organisations.into_iter().map(|it| it.id).collect()
}
