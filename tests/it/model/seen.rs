//! What the service shows, compared with what must be.

use std::collections::{BTreeMap, BTreeSet};

use aftercare::grpc::pb;

use super::play::{Outcome, Play};
use super::stage::{Stage, minute};
use super::truth::{State, Told, Wanted};

/// A session as anybody may compare it.
#[derive(Debug, PartialEq)]
struct Shown {
    what: Option<Wanted>,
    org: String,
    state: i32,
    held_until: Option<i64>,
    moved_to: String,
    supersedes: String,
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
        overridden: told(&session.overridden, |it| &it.overridden),
        flags: told(&session.flags, |it| &it.flags),
    }
}

fn codes(numbers: &[i32], of: Option<usize>) -> impl Iterator<Item = (Option<usize>, &'static str)> {
    let rule = |number: &i32| pb::BookingRule::try_from(*number).unwrap();
    numbers.iter().map(move |number| (of, rule(number).as_str_name().trim_start_matches("BOOKING_RULE_")))
}
