//! A simple model beside the real service: whatever happens to two organisations that share a site,
//! in whatever order, the service answers what the model says it must, shows what the model has, and
//! never brings together what must stay apart.
//!
//! `AFTERCARE_TEST_STORIES` and `AFTERCARE_TEST_SEED` (0 to 255) play more stories, or others.

mod alter;
mod cast;
mod change;
mod course;
mod group;
mod judge;
mod play;
mod seen;
mod series;
mod stage;
mod step;
mod story;
mod truth;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use self::play::Play;
use self::step::Story;
use crate::support::{Engine, TestApp, unless};

/// What went otherwise than the model says, and at which step.
struct Wrong {
    at: usize,
    why: String,
}

async fn play(app: &TestApp, code: &str, Story(steps): &Story) -> Result<BTreeSet<String>, Wrong> {
    let mut play = Play::begin(app, code).await;
    for (at, step) in steps.iter().enumerate() {
        play.step(step).await.map_err(|why| Wrong { at, why })?;
    }
    Ok(play.met)
}

/// What is left of a story that fails when everything is left out without which it still fails.
fn smallest(mut story: Story, mut wrong: Wrong, fails: impl Fn(&Story) -> Option<Wrong>) -> (Story, Wrong) {
    story.0.truncate(wrong.at + 1);
    let mut at = wrong.at;
    while at > 0 {
        at -= 1;
        let mut shorter = story.clone();
        shorter.0.remove(at);
        if let Some(still) = fails(&shorter) {
            shorter.0.truncate(still.at + 1);
            at = at.min(shorter.0.len());
            (story, wrong) = (shorter, still);
        }
    }
    (story, wrong)
}

/// `least` refusals and flags of different kinds must have been met.
fn the_service_is_the_model(engine: Engine, seed: u8, cases: u32, least: usize) {
    let (seed, cases) = (unless("AFTERCARE_TEST_SEED", seed), unless("AFTERCARE_TEST_STORIES", cases));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let app = runtime.block_on(TestApp::start(engine));
    let (count, met, first) = (Cell::new(0), RefCell::new(BTreeSet::new()), RefCell::new(None));
    let tell = |story: &Story| {
        count.set(count.get() + 1);
        runtime.block_on(play(&app, &count.get().to_string(), story))
    };
    // What fails is made smaller here, by leaving out steps, which says more than smaller numbers.
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 0, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]));
    let result = runner.run(&story::stories(), |story| {
        met.borrow_mut().append(&mut tell(&story).map_err(|wrong| {
            first.replace(Some((story, wrong)));
            TestCaseError::fail("see below")
        })?);
        Ok(())
    });
    if let Some((story, wrong)) = first.take() {
        let (story, Wrong { at, why }) = smallest(story, wrong, |story| tell(story).err());
        panic!("step {at}: {why}\n{story:?}");
    }
    result.unwrap_or_else(|error| panic!("{error}"));
    let met = met.into_inner();
    assert!(met.len() >= least, "only these refusals and flags were met, which shows too little: {met:?}");
}

#[test]
fn whatever_happens_on_sqlite() {
    the_service_is_the_model(Engine::Sqlite, 7, 40, 44);
}

#[test]
fn whatever_happens_on_postgres() {
    the_service_is_the_model(Engine::Postgres, 5, 24, 40);
}
