//! A simple model beside the real service: whatever happens to two organisations that share a site,
//! in whatever order, the service answers what the model says it must, shows what the model has, and
//! never brings together what must stay apart.

mod cast;
mod change;
mod play;
mod seen;
mod stage;
mod step;
mod truth;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::play::{Outcome, Play};
use self::step::Story;
use crate::support::{Engine, TestApp};

async fn play(app: &TestApp, code: &str, Story(steps): &Story) -> Outcome<BTreeSet<String>> {
    let mut play = Play::begin(app, code).await;
    for (at, step) in steps.iter().enumerate() {
        play.step(step).await.map_err(|why| format!("step {at}, {step:?}: {why}"))?;
    }
    Ok(play.met)
}

/// `least` refusals and flags of different kinds must have been met.
fn the_service_is_the_model(engine: Engine, seed: u8, cases: u32, least: usize) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::start(engine));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 150, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let (count, met) = (Cell::new(0), RefCell::new(BTreeSet::new()));
    let result = runner.run(&step::stories(), |story| {
        count.set(count.get() + 1);
        let result = runtime.block_on(play(&app, &count.get().to_string(), &story));
        met.borrow_mut().append(&mut result.map_err(TestCaseError::fail)?);
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    let met = met.into_inner();
    assert!(met.len() >= least, "only these refusals and flags were met, which shows too little: {met:?}");
}

#[test]
fn whatever_happens_on_sqlite() {
    the_service_is_the_model(Engine::Sqlite, 7, 40, 37);
}

#[test]
fn whatever_happens_on_postgres() {
    the_service_is_the_model(Engine::Postgres, 5, 24, 35);
}
