//! Whatever anybody sends: nothing panics, nothing hangs, and what is refused is refused in words.
//!
//! Every request message is filled at random, with what there is, with what there is not and with what means nothing;
//! good requests are changed here and there; files are torn. `AFTERCARE_TEST_FUZZ` says how often each, and
//! `AFTERCARE_TEST_SEED` how it begins: a failure names the seed that repeats it.

mod message;
mod unwired;

use aftercare::domain::access::{Authority, Role, TABLE};
use aftercare::domain::text::Code as DistrictCode;
use aftercare::grpc::pb;
use aftercare::usecase::Error;
use aftercare::usecase::import::{Files, import};
use prost::Message as _;
use prost_reflect::{DescriptorPool, MethodDescriptor};
use tonic::Code;

use self::message::{Words, message, torn};
use crate::cells::{Answer, Objects, call, recipes_of_every_service};
use crate::import::{beside, example};
use crate::noninterference::Dice;
use crate::on_both_engines;
use crate::support::{Actor, TestApp, unless};

/// How often each thing is tried, unless the environment says otherwise.
const OFTEN: usize = 12;

fn methods() -> Vec<(String, MethodDescriptor)> {
    let pool = DescriptorPool::decode(pb::DESCRIPTORS).unwrap();
    let services: Vec<_> = pool.services().collect();
    let all = services.iter().flat_map(|service| {
        service
            .methods()
            .map(|method| (format!("{}/{}", service.full_name(), method.name()), method))
            .collect::<Vec<_>>()
    });
    all.collect()
}

/// Somebody who may call an RPC, of the organisation that there is.
fn caller(app: &TestApp, it: &Objects, role: Role) -> Actor {
    let organisation_id = it.ngo.id.parse().unwrap();
    match role {
        Role::Admin => app.admin(),
        Role::Coordinator => it.ngo.coordinator.clone(),
        Role::ClinicalLead => app.actor(Authority::ClinicalLead { organisation_id }),
        Role::Counsellor => it.ngo.as_counsellor(app, &it.counsellor),
        Role::Police => app.actor(Authority::Police { jurisdiction: DistrictCode::parse("KL-TVM").unwrap() }),
        Role::Auditor => app.actor(Authority::Auditor),
    }
}

/// Whether an answer is one that the interface promises. What is no message at all never reaches it: every gRPC library
/// answers that alike.
fn promised(answer: &Answer) -> bool {
    answer.message.starts_with("failed to decode Protobuf message")
        || !matches!(
            answer.code,
            Code::Internal | Code::Unknown | Code::Unimplemented | Code::DataLoss | Code::Cancelled
        )
}

async fn send(app: &TestApp, it: &Objects, dice: &Dice, rpc: &str, body: &[u8], seed: u64) {
    let roles = TABLE.iter().find(|(name, _)| *name == rpc).unwrap().1;
    let answer = call(&caller(app, it, *dice.one(roles)), rpc, body).await;
    assert!(promised(&answer), "seed {seed}: {rpc} {body:?}: {answer:?}");
}

/// Page tokens, etags and cursors as they come, and torn.
fn tokens(app: &TestApp) -> Vec<String> {
    let token = app.token("a", Authority::Admin, app.now(), chrono::TimeDelta::hours(1));
    vec![token, "AAAAAAAAAAAAAAAAAAAAAHsifQ".into(), "e30".into(), "1".into(), "18446744073709551616".into()]
}

on_both_engines! {
    async fn no_request_is_answered_with_a_fault(app) {
        let [it] = Objects::of(&app, ["A"]).await;
        let seed = unless("AFTERCARE_TEST_SEED", 1_u64);
        let dice = Dice::of(seed);
        let words = Words::of(it.marks(), tokens(&app));
        let recipes = recipes_of_every_service();
        for (rpc, method) in methods() {
            let good = recipes.iter().find(|recipe| recipe.rpc == rpc).unwrap();
            for _ in 0..unless("AFTERCARE_TEST_FUZZ", OFTEN) {
                let filled = message(&dice, &words, &method.input(), 3).encode_to_vec();
                send(&app, &it, &dice, &rpc, &filled, seed).await;
                let role = *dice.one(Role::ALL);
                let torn = torn(&dice, &(good.request)(&it, role));
                send(&app, &it, &dice, &rpc, &torn, seed).await;
            }
        }
    }

    async fn a_page_token_is_the_services_own_or_refused(app) {
        let [it] = Objects::of(&app, ["A"]).await;
        let mut directory = it.ngo.coordinator.directory();
        let list = |page_token: String| pb::ListCounsellorsRequest { page_size: 1, page_token, ..Default::default() };
        let token = directory.list_counsellors(list(String::new())).await.unwrap().into_inner().next_page_token;
        directory.list_counsellors(list(token.clone())).await.unwrap();
        let dice = Dice::of(unless("AFTERCARE_TEST_SEED", 1_u64));
        for _ in 0..40 * unless("AFTERCARE_TEST_FUZZ", OFTEN) {
            let torn = String::from_utf8_lossy(&torn(&dice, token.as_bytes())).into_owned();
            if torn != token && !torn.is_empty() {
                let status = directory.list_counsellors(list(torn.clone())).await.unwrap_err();
                assert_eq!(status.code(), Code::InvalidArgument, "{torn:?}");
            }
        }
    }

    async fn a_torn_file_is_refused_in_words_or_read(app) {
        let world = beside(&app).await;
        let dice = Dice::of(unless("AFTERCARE_TEST_SEED", 1_u64));
        for _ in 0..2 * unless("AFTERCARE_TEST_FUZZ", OFTEN) {
            let mut files: Files = example();
            let names: Vec<String> = files.keys().cloned().collect();
            for _ in 0..=dice.below(3) {
                let name = dice.one(&names);
                let bytes = torn(&dice, &files[name]);
                files.insert(name.clone(), bytes);
            }
            match import(&world, &files, true).await {
                Ok(_) => {}
                Err(Error::Invalid(problems)) => assert!(!problems.is_empty()),
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}
