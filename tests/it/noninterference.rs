//! The non-interference property: whatever survivors exist, are booked or recorded, *no* answer that police receive
//! changes by one byte.
//!
//! Two services begin with one seed, and the same happens to the same offenders in both. In the second, survivors
//! live beside them: in the same organisation and in another, as parties of the same crime, in the same rooms at
//! other hours. Whatever police then ask of one, they ask of the other.
//!
//! `AFTERCARE_TEST_STORIES` and `AFTERCARE_TEST_SEED` tell more stories, or others.

mod hear;
mod police;
mod script;
mod stage;
mod statements;
mod survivors;

use std::collections::{BTreeMap, BTreeSet};

use aftercare::grpc::pb;
use prost::Message;
use tonic::Code;

use self::hear::{Asked, Heard, ask, follow, get};
use self::police::{Known, Question, hasty, list, watch};
pub use self::script::Dice;
use self::script::{Deed, Step};
use self::stage::Stage;
use self::survivors::{Survivors, everything};
use crate::support::{Engine, unless};

/// So many steps has a story.
const STEPS: u64 = 60;
/// Far from the seeds of stories: nothing is drawn twice.
const BEGINNINGS: u64 = 1 << 32;
/// More calls than police may make in a minute.
const HASTE: usize = 62;

/// What was met, so that a test that meets nothing fails.
#[derive(Debug, Default)]
struct Met {
    deeds: BTreeMap<String, usize>,
    lived: BTreeMap<&'static str, usize>,
    answers: BTreeMap<String, usize>,
    /// How orders stood when police saw them.
    seen: BTreeSet<String>,
}

/// Two services, and survivors in the second.
struct Worlds {
    without: Stage,
    with: Stage,
    survivors: Survivors,
    /// By which offenders live.
    dice: Dice,
    /// By which survivors live and police ask, so that neither changes what offenders do.
    others: Dice,
    seed: u64,
    met: Met,
}

impl Worlds {
    async fn begin(engine: Engine, seed: u64) -> Self {
        let (without, with) = (Stage::set(engine, seed).await, Stage::set(engine, seed).await);
        let survivors = Survivors::begin(&with).await;
        Self { without, with, survivors, dice: Dice::of(seed), others: Dice::of(!seed), seed, met: Met::default() }
    }

    /// Ids and references that are made from here on are alike in both.
    fn together(&mut self, number: u64) {
        for stage in [&mut self.without, &mut self.with] {
            stage.begin(BEGINNINGS + number);
        }
    }

    async fn step(&mut self, number: u64) {
        let (seed, step) = (self.seed, Step::draw(&self.dice));
        self.together(4 * number);
        let done = [self.without.act(step).await, self.with.act(step).await];
        assert_eq!(done[0], done[1], "seed {seed}, step {number}, {step:?}: offenders must be treated alike");
        *self.met.deeds.entry(format!("{:?} {}", step.deed, done[0])).or_default() += 1;
        self.with.begin(BEGINNINGS + 4 * number + 1);
        for _ in 0..self.others.below(4) {
            self.survivors.live(&mut self.with, &self.others).await;
        }
        self.together(4 * number + 2);
        let known = Known::of(&self.without, self.survivors.references());
        assert_eq!(known.references, Known::of(&self.with, self.survivors.references()).references);
        self.look(number).await;
        for _ in 0..2 {
            match Question::draw(&self.others, &known, number) {
                Question::Once(asked) => drop(self.both(number, &asked).await),
                Question::Pages(asked, request) => self.pages(number, *asked, request).await,
            }
        }
    }

    /// Asks both, and answers what both say.
    async fn both(&mut self, number: u64, asked: &Asked) -> Heard {
        let [without, with] = [ask(&self.without.app, asked).await, ask(&self.with.app, asked).await];
        let seed = self.seed;
        assert_eq!(without, with, "seed {seed}, step {number}: police can tell that there are survivors: {asked:?}");
        assert_ne!(with.code(), Code::Internal, "seed {seed}, step {number}: {asked:?}");
        let rpc = asked.rpc.rsplit('/').next().unwrap_or_default();
        *self.met.answers.entry(format!("{rpc} {:?}", with.code())).or_default() += 1;
        with
    }

    /// Reads to the end, each page of both by the token that the other gave, and once with a token of something else.
    async fn pages(&mut self, number: u64, mut asked: Asked, request: pb::ListComplianceInJurisdictionRequest) {
        loop {
            let heard = self.both(number, &asked).await;
            let Ok(page) = &heard.answer else { return };
            let page = pb::ListComplianceInJurisdictionResponse::decode(page.clone()).unwrap();
            if page.next_page_token.is_empty() {
                return;
            }
            let next = pb::ListComplianceInJurisdictionRequest { page_token: page.next_page_token, ..request.clone() };
            asked.body = next.encode_to_vec();
            let other = pb::ListComplianceInJurisdictionRequest { status: (request.status + 1) % 8, ..next };
            self.both(number, &Asked { body: other.encode_to_vec(), ..asked.clone() }).await;
        }
    }

    /// Asks more often than anybody may, about what there is and what there is not.
    async fn hurry(&mut self) {
        let references = [self.with.orders[0].reference.clone(), self.survivors.references().remove(0)];
        for (number, reference) in references.iter().enumerate() {
            for _ in 0..HASTE {
                self.both(STEPS, &hasty(reference, number)).await;
            }
        }
    }

    /// Lists everything, and answers where somebody who has seen that begins to watch.
    async fn look(&mut self, number: u64) -> String {
        let page = self.both(number, &list(number)).await.answer.unwrap();
        let page = pb::ListComplianceInJurisdictionResponse::decode(page).unwrap();
        self.met.seen.extend(page.compliances.iter().map(|view| format!("{:?}", view.status())));
        page.watch_cursor
    }

    /// Everything that changed since a cursor, in the order in which it did.
    async fn look_back(&mut self, cursor: String) {
        self.together(4 * STEPS);
        let last = Step { deed: Deed::Order, pick: 0, choice: 0 };
        assert_eq!([self.without.act(last).await, self.with.act(last).await], ["done", "done"]);
        let reference = self.with.orders.last().unwrap().reference.clone();
        let is_last = |message: &prost::bytes::Bytes| {
            let change = pb::WatchComplianceResponse::decode(message.clone()).unwrap().change;
            matches!(change, Some(pb::watch_compliance_response::Change::Compliance(it)) if it.reference == reference)
        };
        let asked = watch(STEPS, cursor);
        let [without, with] =
            [follow(&self.without.app, &asked, is_last).await, follow(&self.with.app, &asked, is_last).await];
        assert_eq!(without, with, "seed {}: who watches can tell that there are survivors", self.seed);
        *self.met.answers.entry("WatchCompliance Ok".into()).or_default() += with.len();
    }

    async fn over_http(&mut self) {
        for path in ["/", "/.well-known/jwks.json"] {
            assert_eq!(get(&self.without.app, path).await, get(&self.with.app, path).await, "seed {}", self.seed);
        }
    }
}

fn add<K: Ord>(to: &mut BTreeMap<K, usize>, from: BTreeMap<K, usize>) {
    for (what, often) in from {
        *to.entry(what).or_default() += often;
    }
}

/// Tells some stories; fails as well when too little has happened in them to say anything.
async fn survivors_change_nothing(engine: Engine, seed: u64, stories: u64) {
    let usual = (seed, stories);
    let (seed, stories) = (unless("AFTERCARE_TEST_SEED", seed), unless("AFTERCARE_TEST_STORIES", stories));
    let mut met = Met::default();
    for story in seed..seed + stories {
        let mut worlds = Worlds::begin(engine, story).await;
        let cursor = worlds.look(0).await;
        for number in 0..STEPS {
            worlds.step(number).await;
        }
        worlds.hurry().await;
        worlds.look_back(cursor).await;
        worlds.over_http().await;
        add(&mut met.deeds, worlds.met.deeds);
        add(&mut met.answers, worlds.met.answers);
        met.seen.append(&mut worlds.met.seen);
        add(&mut met.lived, worlds.survivors.lived);
    }
    if (seed, stories) == usual {
        let unlived: Vec<&str> = everything().filter(|what| !met.lived.contains_key(what)).collect();
        let unanswered: Vec<&&str> = ANSWERS.iter().filter(|answer| !met.answers.contains_key(**answer)).collect();
        let enough = unlived.is_empty() && unanswered.is_empty() && met.seen.len() >= STATUSES;
        assert!(enough, "this shows too little: {unlived:?} {unanswered:?} {met:#?}");
    }
}

/// What police must have been answered at least once.
const ANSWERS: [&str; 11] = [
    "CheckCompliance Ok",
    "CheckCompliance NotFound",
    "CheckCompliance InvalidArgument",
    "CheckCompliance ResourceExhausted",
    "BatchCheckCompliance Ok",
    "BatchCheckCompliance InvalidArgument",
    "ListComplianceInJurisdiction Ok",
    "ListComplianceInJurisdiction InvalidArgument",
    "IssueComplianceStatement Ok",
    "ListStatementKeys Ok",
    "WatchCompliance Ok",
];
/// In so many different ways orders must have stood, of eight.
const STATUSES: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn survivors_change_nothing_for_police_on_sqlite() {
    survivors_change_nothing(Engine::Sqlite, 11, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn survivors_change_nothing_for_police_on_postgres() {
    survivors_change_nothing(Engine::Postgres, 11, 3).await;
}
