//! What the service shows, compared with what must be.

use std::collections::{BTreeMap, BTreeSet};

use aftercare::grpc::pb;

use super::play::{Outcome, Play};
use super::stage::{Stage, instant, minute};
use super::truth::{Codes, State, Told, Wanted};
use crate::support::minutes;

/// A session as anybody may compare it.
#[derive(Debug, PartialEq)]
struct Shown {
    what: Option<Wanted>,
    org: String,
    state: i32,
    held_until: Option<i64>,
    moved_to: String,
    supersedes: String,
    series: (String, i32),
    /// Clients with since when they are planned to be there, and who was removed when.
    since: BTreeMap<usize, i64>,
    removed: BTreeSet<(usize, i64, i64)>,
    overridden: Told,
    flags: Told,
}

/// Every session and hold of both organisations, as their coordinators see them.
pub async fn list(stage: &Stage) -> Outcome<BTreeMap<String, pb::Session>> {
    let mut all = BTreeMap::new();
    for ngo in &stage.ngos {
        for states in [Vec::new(), vec![pb::SessionState::Held.into()]] {
            let request = pb::ListSessionsRequest { states, page_size: 500, ..Default::default() };
            let page = ngo.coordinator.scheduling().list_sessions(request).await.map_err(|it| format!("{it:?}"))?;
            for session in page.into_inner().sessions {
                if let Some(twice) = all.insert(session.id.clone(), session) {
                    return Err(format!("listed twice: {twice:?}"));
                }
            }
        }
    }
    Ok(all)
}

/// Every series, which must be what the model has.
pub async fn series(play: &Play<'_>) -> Outcome<BTreeMap<String, pb::Series>> {
    let mut all = BTreeMap::new();
    for (at, course) in play.truth.courses.iter().enumerate() {
        let request = pb::GetSeriesRequest { series_id: course.id.clone() };
        let coordinator = play.stage.of(course.what.org);
        let answer = coordinator.scheduling().get_series(request).await.map_err(|it| format!("{it:?}"))?;
        let series = answer.into_inner().series.unwrap();
        if series.occurrences.len() != course.plan.len() {
            return Err(format!("{series:?}\nmodel {course:?}"));
        }
        for (number, (shown, planned)) in (1..).zip(series.occurrences.iter().zip(&course.plan)) {
            let under = play.truth.under(at, number);
            let outcome = if under.is_empty() { pb::OccurrenceOutcome::Refused } else { pb::OccurrenceOutcome::Booked };
            let right = shown.number == number as i32
                && shown.outcome() == outcome
                && minute(shown.planned_starts_at.as_ref()) == planned.starts
                && shown.planned_length == Some(minutes(planned.length))
                && rules(&shown.rules) == planned.refused
                && shown.session.as_ref().map_or(under.is_empty(), |it| {
                    under.iter().any(|row| row.id == it.id) && play.listed.get(&it.id) == Some(it)
                });
            if !right {
                return Err(format!("{shown:?}\nmodel {planned:?}, {under:?}"));
            }
        }
        let skipped = series.skipped.iter().map(|it| (it.local_start.clone(), rules(&it.rules)));
        let local = |at: i64| instant(at).with_timezone(&chrono_tz::Asia::Kolkata).to_rfc3339();
        if !skipped.eq(course.skipped.iter().map(|(at, codes)| (local(*at), codes.clone()))) {
            return Err(format!("{:?}\nmodel {:?}", series.skipped, course.skipped));
        }
        all.insert(series.id.clone(), series);
    }
    Ok(all)
}

/// The codes of rules from the wire.
pub fn rules(numbers: &[i32]) -> Codes {
    codes(numbers, None).map(|(_, code)| code).collect()
}

/// What is listed must be what the model has, and nothing may break what no state may break.
pub fn compare(play: &Play<'_>) -> Outcome {
    let (stage, truth) = (&play.stage, &play.truth);
    let now = truth.now;
    let live = play.listed.values().filter(|it| it.held_until.is_none() || minute(it.held_until.as_ref()) > now);
    let listed: BTreeMap<&str, Shown> = live.map(|it| (it.id.as_str(), shown(stage, it))).collect();
    let rows = truth.rows.iter().filter(|row| !matches!(row.state, State::Held { until } if until <= now));
    let mut expected = BTreeMap::new();
    for row in rows {
        let (state, held_until, moved_to) = match &row.state {
            State::Held { until } => (pb::SessionState::Held, Some(*until), String::new()),
            State::Booked => (pb::SessionState::Booked, None, String::new()),
            State::Cancelled => (pb::SessionState::Cancelled, None, String::new()),
            State::Moved { to } => (pb::SessionState::Rescheduled, None, to.clone()),
        };
        let org = &stage.ngos[row.what.org].id;
        let shown = Shown {
            what: Some(row.what.clone().sorted()),
            org: org.clone(),
            state: state.into(),
            held_until,
            moved_to,
            supersedes: row.supersedes.clone(),
            series: row.series.map(|(of, number)| (truth.courses[of].id.clone(), number as i32)).unwrap_or_default(),
            since: row.since.iter().filter(|_| row.what.is_group()).map(|(client, at)| (*client, *at)).collect(),
            removed: row.removed.iter().copied().collect(),
            overridden: row.what.tell(&row.overridden),
            flags: truth.flags(row),
        };
        expected.insert(row.id.as_str(), shown);
    }
    let ids: BTreeSet<&str> = listed.keys().chain(expected.keys()).copied().collect();
    for id in ids {
        let (seen, due) = (listed.get(id), expected.get(id));
        if seen != due {
            return Err(format!("shown {seen:?}\nmodel {due:?}"));
        }
    }
    match truth.violations() {
        none if none.is_empty() => Ok(()),
        some => Err(format!("what may never be: {some:?}")),
    }
}

fn shown(stage: &Stage, session: &pb::Session) -> Shown {
    assert_eq!(session.needs_rescheduling, !session.flags.is_empty(), "{session:?}");
    let guests = || session.group.iter().flat_map(|it| &it.participants);
    let told = |whole: &[i32], of: fn(&pb::Participant) -> &[i32]| {
        let of_guests = guests().flat_map(|it| codes(of(it), stage.client(&it.client_id)));
        codes(whole, None).chain(of_guests).collect()
    };
    Shown {
        what: stage.read(session).map(Wanted::sorted),
        org: session.organisation_id.clone(),
        state: session.state,
        held_until: session.held_until.as_ref().map(|until| minute(Some(until))),
        moved_to: session.superseded_by_session_id.clone(),
        supersedes: session.supersedes_session_id.clone(),
        series: (session.series_id.clone(), session.series_number),
        since: guests().filter_map(|it| Some((stage.client(&it.client_id)?, minute(it.added_at.as_ref())))).collect(),
        removed: session.group.iter().flat_map(|it| &it.removed).filter_map(|it| removed(stage, it)).collect(),
        overridden: told(&session.overridden, |it| &it.overridden),
        flags: told(&session.flags, |it| &it.flags),
    }
}

fn removed(stage: &Stage, it: &pb::RemovedParticipant) -> Option<(usize, i64, i64)> {
    Some((stage.client(&it.client_id)?, minute(it.added_at.as_ref()), minute(it.removed_at.as_ref())))
}

fn codes(numbers: &[i32], of: Option<usize>) -> impl Iterator<Item = (Option<usize>, &'static str)> {
    let rule = |number: &i32| pb::BookingRule::try_from(*number).unwrap();
    numbers.iter().map(move |number| (of, rule(number).as_str_name().trim_start_matches("BOOKING_RULE_")))
}
