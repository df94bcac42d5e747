use super::*;
use crate::domain::followup::template::{POCSO, SURVIVOR_STANDARD};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// FU_3M after 31 January 2026.
fn milestone() -> Milestone {
    let id = uuid::Uuid::nil();
    Milestone {
        id: MilestoneId(id),
        version: 1,
        plan_id: PlanId(id),
        organisation_id: OrganisationId(id),
        counsellor_id: Some(CounsellorId(id)),
        code: "FU_3M".into(),
        number: 1,
        standing: Standing::Awaited,
        excused: false,
        days: Days {
            anchor_on: Some(day("2026-01-31")),
            provisional: false,
            opens_on: Some(day("2026-04-16")),
            due_on: Some(day("2026-04-30")),
            closes_on: Some(day("2026-05-21")),
            due_at: None,
        },
        done_on: None,
        done_at: None,
        asked: vec![Asked::new("PCL_5".into()), Asked::new("PHQ_9".into())],
        session_id: None,
        setting: Setting {
            client: None,
            case_id: None,
            zone: chrono_tz::Asia::Kolkata,
            template: SURVIVOR_STANDARD.into(),
            template_version: 1,
            closed_at: None,
            needs_attention: false,
        },
    }
}

#[test]
fn where_it_stands_follows_from_the_local_day() {
    // The last instant of a local day and the first of the next: 18:30 in UTC.
    for (now, expected) in [
        ("2026-01-01T00:00:00Z", Status::NotDue),
        ("2026-04-15T18:29:59Z", Status::NotDue),
        ("2026-04-15T18:30:00Z", Status::Open),
        ("2026-04-30T18:29:59Z", Status::Open),
        ("2026-04-30T18:30:00Z", Status::Due),
        ("2026-05-21T18:29:59Z", Status::Due),
        ("2026-05-21T18:30:00Z", Status::Missed),
        ("2030-01-01T00:00:00Z", Status::Missed),
    ] {
        assert_eq!(milestone().status(at(now)), expected, "{now}");
    }
}

#[test]
fn what_was_recorded_comes_before_the_day() {
    for (standing, done_on, expected) in [
        (Standing::Done, Some("2026-04-16"), Status::Done),
        (Standing::Done, Some("2026-05-21"), Status::Done),
        (Standing::Done, Some("2026-05-22"), Status::DoneLate),
        (Standing::Declined, None, Status::Declined),
        (Standing::NotApplicable, None, Status::NotApplicable),
        (Standing::OnHold, None, Status::OnHold),
    ] {
        let it = Milestone { standing, done_on: done_on.map(day), ..milestone() };
        for now in ["2026-01-01T00:00:00Z", "2026-04-20T00:00:00Z", "2026-05-05T00:00:00Z", "2030-01-01T00:00:00Z"] {
            assert_eq!(it.status(at(now)), expected, "{standing} {done_on:?} {now}");
        }
    }
}

#[test]
fn what_hangs_on_a_planned_end_waits_for_the_discharge() {
    let provisional = |code: &str| {
        let it = milestone();
        Milestone { code: code.into(), days: Days { provisional: true, ..it.days }, ..it }
    };
    let now = at("2026-05-05T00:00:00Z");
    for code in ["FU_1M", "FU_3M", "FU_6M", "FU_12M"] {
        let it = provisional(code);
        assert_eq!((it.status(now), it.is_listed()), (Status::NotDue, false), "{code}");
        assert!(!it.has_opened(day("2026-05-05")));
    }
    let end = provisional("END");
    assert_eq!((end.status(now), end.is_listed()), (Status::Due, true));
    assert!(end.has_opened(day("2026-04-16")) && !end.has_opened(day("2026-04-15")));
}

#[test]
fn nothing_falls_due_once_the_plan_is_closed() {
    let closed = |closed_at: &str| {
        let mut it = milestone();
        it.setting.closed_at = Some(at(closed_at));
        it
    };
    for (closed_at, expected) in [
        ("2026-04-01T00:00:00Z", Status::NotDue),
        ("2026-04-20T00:00:00Z", Status::Open),
        ("2026-06-01T00:00:00Z", Status::Missed),
    ] {
        let it = closed(closed_at);
        assert_eq!((it.status(at("2030-01-01T00:00:00Z")), it.is_listed()), (expected, false), "{closed_at}");
    }
}

#[test]
fn without_a_day_nothing_is_due_and_without_a_limit_nothing_overdue() {
    let unknown = Milestone { days: Days::default(), ..milestone() };
    assert_eq!((unknown.status(at("2030-01-01T00:00:00Z")), unknown.is_listed()), (Status::NotDue, false));
    let begun = Days { anchor_on: Some(day("2026-01-05")), opens_on: Some(day("2026-01-05")), ..Days::default() };
    let it = Milestone { days: begun, ..milestone() };
    assert_eq!((it.status(at("2030-01-01T00:00:00Z")), it.is_listed()), (Status::Open, false));
}

#[test]
fn a_limit_in_hours_is_over_at_its_instant() {
    let mut it = milestone();
    it.setting.template = POCSO.into();
    it.code = "MED_EXAM".into();
    it.days = Days {
        anchor_on: Some(day("2026-03-01")),
        opens_on: Some(day("2026-03-01")),
        due_on: Some(day("2026-03-02")),
        due_at: Some(at("2026-03-02T09:00:00Z")),
        ..Days::default()
    };
    for (now, expected) in [
        ("2026-02-28T18:29:59Z", Status::NotDue),
        ("2026-03-01T09:00:00Z", Status::Open),
        ("2026-03-02T09:00:00Z", Status::Open),
        ("2026-03-02T09:00:01Z", Status::Due),
        ("2030-01-01T00:00:00Z", Status::Due),
    ] {
        assert_eq!(it.status(at(now)), expected, "{now}");
    }
    it.standing = Standing::Done;
    for (done_on, done_at, expected) in [
        ("2026-03-02", Some("2026-03-02T09:00:00Z"), Status::Done),
        ("2026-03-02", Some("2026-03-02T09:00:01Z"), Status::DoneLate),
        // Of a day alone nobody can say that it was too late.
        ("2026-03-02", None, Status::Done),
        ("2026-03-03", None, Status::DoneLate),
    ] {
        (it.done_on, it.done_at) = (Some(day(done_on)), done_at.map(at));
        assert_eq!(it.status(at("2030-01-01T00:00:00Z")), expected, "{done_at:?}");
    }
}

fn answer(it: &mut Milestone, which: usize, on: &str) {
    it.asked[which].answered = Some((AssessmentId(uuid::Uuid::nil()), day(on)));
}

#[test]
fn it_is_done_when_nothing_is_left_to_answer_and_something_was_answered() {
    let mut it = milestone();
    answer(&mut it, 0, "2026-04-20");
    assert_eq!(it.clone().settled(true).standing, Standing::Awaited);
    let mut all = it.clone();
    answer(&mut all, 1, "2026-04-18");
    let all = all.settled(true);
    assert_eq!((all.standing, all.done_on), (Standing::Done, Some(day("2026-04-20"))));
    let mut one = it;
    one.asked[1].excused = true;
    assert_eq!(one.settled(true).standing, Standing::Done);
    let mut none = milestone();
    none.asked.iter_mut().for_each(|asked| asked.excused = true);
    assert_eq!(none.settled(true).standing, Standing::Declined);
    assert_eq!(milestone().settled(false).standing, Standing::NotApplicable);
    let nothing = Milestone { asked: Vec::new(), ..milestone() };
    assert_eq!(nothing.settled(true).standing, Standing::Awaited);
}

fn facts(discharged_on: &str) -> Facts {
    Facts {
        intake_on: day("2026-01-05"),
        report_on: None,
        planned_sessions: 12,
        discharged_on: Some(day(discharged_on)),
        attended: Vec::new(),
        last_planned_on: None,
    }
}

/// An instrument that tells the day for which it was chosen.
fn by_day(_: &Step, on: NaiveDate) -> Option<Vec<String>> {
    Some(vec![on.to_string()])
}

fn staged(it: &Milestone, facts: &Facts) -> Milestone {
    it.staged(TEMPLATES.newest(SURVIVOR_STANDARD).unwrap(), facts, by_day)
}

#[test]
fn open_ones_move_with_their_anchor_and_done_ones_stay() {
    let moved = staged(&milestone(), &facts("2026-02-28"));
    assert_eq!(moved.days.due_on, Some(day("2026-05-28")));
    assert_eq!(moved.asked, [Asked::new("2026-05-28".into())]);
    let mut done = milestone();
    answer(&mut done, 0, "2026-04-20");
    answer(&mut done, 1, "2026-04-21");
    let done = done.settled(true);
    assert_eq!(staged(&done, &facts("2026-02-28")), done);
    // Unless what had answered it is gone.
    let mut reopened = done;
    reopened.asked[1].answered = None;
    let reopened = staged(&reopened, &facts("2026-02-28"));
    assert_eq!((reopened.standing, reopened.days.due_on), (Standing::Awaited, Some(day("2026-05-28"))));
}

#[test]
fn instruments_are_chosen_anew_only_while_nothing_is_answered() {
    // An age that was corrected changes what is asked, though no day has moved.
    let same = staged(&milestone(), &facts("2026-01-31"));
    assert_eq!((same.days, same.asked), (milestone().days, vec![Asked::new("2026-04-30".into())]));
    let mut begun = milestone();
    answer(&mut begun, 0, "2026-04-20");
    assert_eq!(staged(&begun, &facts("2026-02-28")).asked, begun.asked);
    let mut excused = milestone();
    excused.asked[0] = Asked { excused: true, ..Asked::new("2026-05-28".into()) };
    assert_eq!(staged(&excused, &facts("2026-02-28")).asked, [excused.asked[0].clone()]);
}

#[test]
fn what_a_person_has_excused_stays_so_while_its_days_move() {
    for standing in [Standing::Declined, Standing::NotApplicable, Standing::OnHold] {
        let it = staged(&Milestone { standing, excused: true, ..milestone() }, &facts("2026-02-28"));
        assert_eq!((it.standing, it.days.due_on), (standing, Some(day("2026-05-28"))));
    }
    let found = Milestone { standing: Standing::NotApplicable, ..milestone() };
    assert_eq!(staged(&found, &facts("2026-02-28")).standing, Standing::Awaited);
}

#[test]
fn where_nothing_can_be_asked_at_the_age_it_does_not_apply() {
    let template = TEMPLATES.newest(SURVIVOR_STANDARD).unwrap();
    let nothing = |_: &Step, _| Some(Vec::new());
    let it = milestone().staged(template, &facts("2026-02-28"), nothing);
    assert_eq!(it.standing, Standing::NotApplicable);
    assert_eq!(it.staged(template, &facts("2026-02-28"), nothing).standing, Standing::NotApplicable);
    // Of an unknown age nobody can say so, and what was asked before stays.
    let it = milestone().staged(template, &facts("2026-02-28"), |_, _| None);
    assert_eq!((it.standing, it.asked), (Standing::Awaited, milestone().asked));
}
