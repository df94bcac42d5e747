//! Where orders stand is kept, so that police read it and nothing is computed. Whatever happens, whoever looks and
//! however often: what is kept is what the compliance function says of the day, and says since when.
//!
//! `AFTERCARE_TEST_STORIES` and `AFTERCARE_TEST_SEED` play more stories, or others.

mod known;
mod play;
mod story;

use std::str::FromStr;

use aftercare::grpc::pb;

use self::play::{End, Looks, Play};
use self::story::{Act, Dice, Said, Story, after, told};
use crate::support::treatment::{HOUR, afternoon};
use crate::support::{Engine, TestApp};

/// What the environment says instead, if it says anything.
fn unless<T: FromStr>(name: &str, usual: T) -> T {
    std::env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}

async fn played(engine: Engine, story: &Story, looks: Looks) -> End {
    let app = TestApp::start(engine).await;
    Play::begin(&app, story).await.play(story, looks).await
}

/// However often somebody looks, the end is the same.
async fn nobody_changes_it_by_looking(engine: Engine, seed: u64, stories: u64) {
    let first = unless("AFTERCARE_TEST_SEED", seed);
    for seed in first..first + unless("AFTERCARE_TEST_STORIES", stories) {
        let story = told(seed);
        let never = played(engine, &story, Looks::Never).await;
        assert!(never.refused.len() < story.acts.len() * 3 / 4, "{seed}: hardly anything happened");
        assert_eq!(played(engine, &story, Looks::Daily).await, never, "seed {seed}, with looks");
        assert_eq!(played(engine, &story, Looks::Jobs).await, never, "seed {seed}, with jobs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_changes_it_by_looking_on_sqlite() {
    nobody_changes_it_by_looking(Engine::Sqlite, 1, 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_changes_it_by_looking_on_postgres() {
    nobody_changes_it_by_looking(Engine::Postgres, 3, 1).await;
}

/// How bad it is, for the provider.
fn gravity(status: pb::OrderStatus) -> u32 {
    use pb::OrderStatus as Status;
    match status {
        Status::Completed => 0,
        Status::Compliant | Status::Suspended => 1,
        Status::NotStarted => 2,
        Status::AtRisk => 3,
        Status::Breached => 4,
        Status::Terminated | Status::Unspecified => 5,
    }
}

/// A story without an end, as it stands after so many days.
fn beginning(seed: u64, days: u64) -> Story {
    let mut story = told(seed);
    story.last = after(story.first, days);
    story.acts.retain(|(day, act)| *day <= story.last && !matches!(act, Act::Terminate));
    story
}

/// The story with more of it on the day after its last.
fn with(story: &Story, acts: &[Act]) -> Story {
    let mut longer = story.clone();
    longer.last = after(story.last, 2);
    let booked = after(story.last, 1);
    longer.acts.retain(|(_, act)| !matches!(act, Act::Book(day) if *day >= booked));
    longer.acts.push((story.last, Act::Book(booked)));
    longer.acts.extend(acts.iter().map(|act| (booked, act.clone())));
    longer
}

/// What one more session does to an order.
async fn one_more(engine: Engine, seed: u64, act: impl Fn(chrono::NaiveDate) -> Act) -> (End, End) {
    let story = beginning(seed, 40 + seed * 7 % 30);
    let day = after(story.last, 1);
    let without = played(engine, &with(&story, &[]), Looks::Never).await;
    (without, played(engine, &with(&story, &[act(day)]), Looks::Never).await)
}

fn is_no_worse(before: &End, later: &End) {
    let (before, later) = (&before.standing, &later.standing);
    assert!(gravity(later.status()) <= gravity(before.status()), "{before:?}\n{later:?}");
    assert!(later.credited_sessions >= before.credited_sessions, "{before:?}\n{later:?}");
    assert!(later.failures.len() <= before.failures.len(), "{before:?}\n{later:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_attends_is_never_worse_off() {
    for seed in [11, 12, 13] {
        let (before, later) = one_more(Engine::Sqlite, seed, |day| Act::Record(day, Said::Attended)).await;
        is_no_worse(&before, &later);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_cancels_is_nobodys_fault() {
    for seed in [14, 15, 16] {
        let (before, later) = one_more(Engine::Sqlite, seed, |day| Act::Record(day, Said::NotHeld)).await;
        is_no_worse(&before, &later);
        assert_eq!(later.standing.pending, before.standing.pending);
        assert!(later.standing.at_risk.len() <= before.standing.at_risk.len());
    }
}

/// Ten sessions, and on the day after the last what became of them, said in some order.
fn recorded_at_once(sayings: &[(u64, Said)]) -> Story {
    let mut story = beginning(0, 30);
    story.acts.clear();
    let first = story.first;
    for at in 0..10 {
        story.acts.push((first, Act::Book(after(first, 1 + 2 * at))));
    }
    let then = after(first, 21);
    story.acts.extend(sayings.iter().map(|(at, said)| (then, Act::Record(after(first, 1 + 2 * at), *said))));
    story.acts.push((then, Act::Warn(after(first, 12))));
    story
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_recording_has_no_meaning() {
    let mut sayings: Vec<(u64, Said)> = [
        Said::Attended,
        Said::Late,
        Said::NoShow,
        Said::Late,
        Said::DidNotComply,
        Said::LeftSoon,
        Said::NotHeld,
        Said::Late,
        Said::Medical,
        Said::DidNotComply,
    ]
    .into_iter()
    .enumerate()
    .map(|(at, said)| (at as u64, said))
    .collect();
    let usual = played(Engine::Sqlite, &recorded_at_once(&sayings), Looks::Never).await;
    let mut dice = Dice::new(5);
    for _ in 0..3 {
        for at in (1..sayings.len()).rev() {
            sayings.swap(at, dice.roll(at as u64 + 1) as usize);
        }
        let end = played(Engine::Sqlite, &recorded_at_once(&sayings), Looks::Never).await;
        assert_eq!(end, usual, "{sayings:?}");
    }
}

/// Whoever corrects what was wrong stands where those stand of whom nothing wrong was said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_corrected_was_never_said() {
    let rightly = [Said::Attended, Said::NoShow, Said::LeftSoon, Said::Medical];
    for (at, (wrongly, rightly)) in
        [Said::NoShow, Said::DidNotComply, Said::Attended, Said::LeftSoon].into_iter().zip(rightly).enumerate()
    {
        let day = after(told(0).first, 1);
        let right = Story { acts: Vec::new(), ..beginning(0, 20) };
        let mut right = right;
        right.acts = vec![(right.first, Act::Book(day)), (day, Act::Record(day, rightly))];
        let mut wrong = right.clone();
        wrong.acts[1].1 = Act::Record(day, wrongly);
        if wrongly == Said::LeftSoon {
            // What was excused, and is said to be something else that is excused as well, stays excused.
            wrong.acts.push((day, Act::Decide(day, true, false)));
        }
        wrong.acts.push((day, Act::Amend(day, rightly)));
        let [right, wrong] =
            [played(Engine::Sqlite, &right, Looks::Never).await, played(Engine::Sqlite, &wrong, Looks::Never).await];
        assert_eq!((wrong.view, wrong.standing), (right.view, right.standing), "{at}: {wrongly:?}");
    }
}

/// A calendar that changes after nobody has looked for days changes nothing that was before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_calendar_changes_what_is_and_not_what_was() {
    let mut story = beginning(0, 30);
    let day = after(story.first, 7);
    story.short_policy = false;
    story.acts = vec![
        (story.first, Act::Book(day)),
        (day, Act::Record(day, Said::NoShow)),
        // The day before, it was deemed unacceptable; by these days it would be now.
        (after(day, 10), Act::Holiday(after(day, 4))),
    ];
    let never = played(Engine::Sqlite, &story, Looks::Never).await;
    assert_eq!(played(Engine::Sqlite, &story, Looks::Daily).await.view, never.view);
}

/// Where the process itself stands in the world has no meaning: the same story, told by processes of other zones.
#[test]
fn the_zone_of_the_process_has_no_meaning() {
    const ZONE: &str = "TZ";
    const TOLD: &str = "AFTERCARE_TEST_TOLD";
    if let Some(file) = std::env::var_os(TOLD) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let end = runtime.block_on(played(Engine::Sqlite, &told(22), Looks::Never));
        std::fs::write(file, format!("{end:?}")).unwrap();
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let ends = ["Pacific/Kiritimati", "America/Los_Angeles", "UTC"].map(|zone| {
        let file = directory.path().join("end");
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "standing::the_zone_of_the_process_has_no_meaning"]);
        let done = child.env(ZONE, zone).env(TOLD, &file).output().unwrap();
        assert!(done.status.success(), "{zone}: {}", String::from_utf8_lossy(&done.stdout));
        std::fs::read_to_string(&file).unwrap()
    });
    assert!(ends[0] == ends[1] && ends[1] == ends[2], "{ends:#?}");
}

/// What the whole suite takes for granted: an afternoon is an afternoon wherever an order is.
#[test]
fn sessions_are_over_in_the_afternoon() {
    let day = told(0).first;
    assert!(known::starts_at(day) + HOUR < afternoon(&day.to_string()));
}
