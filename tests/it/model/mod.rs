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

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::play::{Outcome, Play};
use self::step::Story;
use crate::support::{Engine, TestApp};

async fn play(app: &TestApp, code: &str, Story(steps): &Story) -> Outcome {
    let mut play = Play::begin(app, code).await;
    for (at, step) in steps.iter().enumerate() {
        play.step(step).await.map_err(|why| format!("step {at}, {step:?}: {why}"))?;
    }
    Ok(())
}

fn the_service_is_the_model(engine: Engine, cases: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::start(engine));
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 150, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]));
    let count = std::cell::Cell::new(0);
    let result = runner.run(&step::stories(), |story| {
        count.set(count.get() + 1);
        runtime.block_on(play(&app, &count.get().to_string(), &story)).map_err(TestCaseError::fail)
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn whatever_happens_on_sqlite() {
    the_service_is_the_model(Engine::Sqlite, 24);
}

#[test]
fn whatever_happens_on_postgres() {
    the_service_is_the_model(Engine::Postgres, 12);
}
