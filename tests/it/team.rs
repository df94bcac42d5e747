//! A large team: its free times come best first, page after page, whoever starts together ordered by the day's sessions.

use std::collections::BTreeMap;

use aftercare::grpc::pb;

use crate::on_both_engines;
use crate::support::{Ngo, at, book, booking, minutes};

/// More than are looked at together.
const TEAM: usize = 70;
const HOUR: i64 = 3_600;
const TUESDAY: &str = "2026-11-24T09:30:00Z";
/// Eleven, in Asia/Kolkata.
const WEDNESDAY_MORNING: &str = "2026-11-25T05:30:00Z";
const WEDNESDAY_AFTERNOON: &str = "2026-11-25T09:30:00Z";

/// One of the team, and when sessions of theirs start.
struct Member {
    id: String,
    daily_limit: Option<usize>,
    weekly_limit: Option<usize>,
    sessions: Vec<i64>,
}

impl Member {
    fn on_wednesday(&self) -> usize {
        self.sessions.iter().filter(|start| **start >= seconds("2026-11-25T00:00:00Z")).count()
    }

    fn is_free(&self, start: i64) -> bool {
        self.daily_limit.is_none_or(|most| self.on_wednesday() < most)
            && self.weekly_limit.is_none_or(|most| self.sessions.len() < most)
            && self.sessions.iter().all(|other| (other - start).abs() >= HOUR)
    }
}

fn seconds(text: &str) -> i64 {
    at(text).unwrap().seconds
}

async fn team(ngo: &Ngo) -> Vec<Member> {
    let mut team = Vec::new();
    for number in 0..TEAM {
        let daily_limit = (number % 5 == 0).then_some(1);
        let weekly_limit = (number % 3 == 0).then_some(2);
        let code = format!("C{number}");
        let made = ngo.counsellor_with(&code, pb::Side::Survivor, |it| {
            it.daily_limit = daily_limit;
            it.weekly_limit = weekly_limit;
        });
        let made = made.await;
        let mut sessions = Vec::new();
        for (every, start) in [(2, WEDNESDAY_MORNING), (3, WEDNESDAY_AFTERNOON), (9, TUESDAY)] {
            // Of those who have enough already another session is refused.
            if number % every == 0
                && book(&ngo.coordinator, booking(ngo, &made, &ngo.survivor().await, start)).await.is_ok()
            {
                sessions.push(seconds(start));
            }
        }
        let limit = |it: Option<i32>| it.and_then(|most| usize::try_from(most).ok());
        team.push(Member { id: made.id, daily_limit: limit(daily_limit), weekly_limit: limit(weekly_limit), sessions });
    }
    team
}

on_both_engines! {
    async fn a_large_team_is_offered_in_order(app) {
        let ngo = Ngo::new(&app, "A").await;
        let team = team(&ngo).await;
        let client = ngo.survivor().await;
        let known = &team[7];
        let counsellor = pb::Counsellor { id: known.id.clone(), ..Default::default() };
        book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-26T09:30:00Z")).await.unwrap();
        let first = seconds("2026-11-25T04:30:00Z");
        let starts = (0..8).map(|number| first + number * HOUR / 4);
        let free = |start: i64| team.iter().filter(move |it| it.is_free(start)).map(move |it| (it, start));
        let mut expected: Vec<_> = starts.flat_map(free).collect();
        expected.sort_by_key(|(it, start)| (it.id != known.id, *start, it.on_wednesday(), it.id.clone()));
        // Who is lightest: of the one whom the client knows, and of all others.
        let mut lightest: BTreeMap<(bool, i64), usize> = BTreeMap::new();
        for (it, start) in &expected {
            lightest.entry((it.id == known.id, *start)).or_insert(it.on_wednesday());
        }
        let expected: Vec<(String, i64, bool)> = expected
            .into_iter()
            .map(|(it, start)| (it.id.clone(), start, lightest[&(it.id == known.id, start)] == it.on_wednesday()))
            .collect();
        assert!(expected.len() > 150 && expected.iter().any(|(.., light)| !light), "{}", expected.len());

        let mut request = pb::FindSlotsRequest {
            client_id: client.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: Some(minutes(60)),
            window_starts_at: at("2026-11-25T04:30:00Z"),
            window_ends_at: at("2026-11-25T06:30:00Z"),
            modality: pb::Modality::InPerson.into(),
            page_size: 1,
            ..Default::default()
        };
        // A small page does not make few of many.
        let page = ngo.coordinator.scheduling().find_slots(request.clone()).await.unwrap().into_inner();
        assert_eq!((page.slots.len(), page.exclusions.len()), (1, 0));
        request.page_size = 37;
        let mut found = Vec::new();
        loop {
            let page = ngo.coordinator.scheduling().find_slots(request.clone()).await.unwrap().into_inner();
            found.extend(page.slots.iter().map(|slot| {
                let light = slot.reasons.contains(&pb::SlotReason::LightestLoad.into());
                (slot.counsellor_id.clone(), slot.starts_at.unwrap().seconds, light)
            }));
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(found, expected);
    }
}
