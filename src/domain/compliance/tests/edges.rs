//! What happens at the edges: ends of windows, months and years, several things of one day, and what comes too late.

use super::super::*;
use super::history::*;

fn status(events: &[Event], as_of: &str) -> Status {
    on(events, as_of).status
}

/// Which failures are not spent, which are breaches.
fn live(events: &[Event], as_of: &str) -> Vec<NaiveDate> {
    on(events, as_of).failures.iter().filter(|it| it.live).map(|it| it.on).collect()
}

fn breaches(events: &[Event], as_of: &str) -> Vec<NaiveDate> {
    on(events, as_of).failures.iter().filter(|it| it.breach).map(|it| it.on).collect()
}

#[test]
fn the_window_of_a_warning_is_half_open() {
    let again = |on| [did_not_comply("01-12"), warned("01-15"), did_not_comply(on)];
    assert_eq!(status(&again("2027-01-14"), "2027-01-14"), Status::Breached);
    assert_eq!(breaches(&again("2027-01-15"), "2027-01-15"), []);
    // With its window the failure is spent; the new one has a warning of its own to come.
    assert_eq!(live(&again("2027-01-15"), "2027-01-14"), [day("01-12")]);
    assert_eq!(live(&again("2027-01-15"), "2027-01-15"), [day("2027-01-15")]);
}

#[test]
fn a_failure_of_which_nobody_warned_is_spent_after_twelve_months() {
    let mut events = vec![did_not_comply("01-12")];
    assert_eq!(live(&events, "2027-01-11"), [day("01-12")]);
    assert_eq!(live(&events, "2027-01-12"), []);
    // A warning in time carries it on, one too late does not bring it back.
    events.push(warned("2027-01-12"));
    assert_eq!(live(&events, "2027-01-12"), []);
    assert_eq!(on(&events, "2027-01-12").failures[0].warned_on, None);
    events.push(warned("2027-01-11"));
    assert_eq!(live(&events, "2028-01-10"), [day("01-12")]);
    assert_eq!(live(&events, "2028-01-11"), []);
}

#[test]
fn twelve_months_after_a_leap_day_end_with_february() {
    let unwarned = [did_not_comply("2028-02-29")];
    assert_eq!(live(&unwarned, "2029-02-27"), [day("2028-02-29")]);
    assert_eq!(live(&unwarned, "2029-02-28"), []);
    let again = |on| [did_not_comply("2028-02-28"), warned("2028-02-29"), did_not_comply(on)];
    assert_eq!(status(&again("2029-02-27"), "2029-02-27"), Status::Breached);
    assert_eq!(breaches(&again("2029-02-28"), "2029-02-28"), []);
    let into = [did_not_comply("2027-02-27"), warned("2027-02-28"), did_not_comply("2028-02-28")];
    assert_eq!(breaches(&into, "2028-02-29"), []);
}

#[test]
fn the_third_late_arrival_exactly_twelve_months_after_the_first_is_no_failure() {
    let third = |on| [late("01-05"), late("06-01"), late(on)];
    assert_eq!(live(&third("2027-01-04"), "2027-01-04"), [day("2027-01-04")]);
    assert_eq!(on(&third("2027-01-05"), "2027-01-05").failures, []);
    // Though with the second it counts towards another.
    let fourth = [late("01-05"), late("06-01"), late("2027-01-05"), late("2027-05-31")];
    assert_eq!(live(&fourth, "2027-05-31"), [day("2027-05-31")]);
}

#[test]
fn months_of_late_arrivals_end_with_the_month() {
    let policy = Policy { lates_window_months: 1, ..Policy::default() };
    let failures = |third: &str| {
        let events = [late("01-31"), late("02-01"), late(third)];
        assess(&terms(), &policy, &working_days(), &events, day(third)).failures.len()
    };
    assert_eq!((failures("02-27"), failures("02-28")), (1, 0));
}

#[test]
fn each_late_arrival_counts_once() {
    let mut events = vec![late("01-05"), late("01-06"), late("01-07"), late("01-08"), late("01-09")];
    assert_eq!(live(&events, "01-09"), [day("01-07")]);
    events.extend([warned("01-08"), late("01-12")]);
    assert_eq!(breaches(&events, "01-12"), [day("01-12")]);
    // Twice on one day is twice.
    assert_eq!(live(&[late("01-05"), late("01-06"), late("01-06")], "01-06"), [day("01-06")]);
}

#[test]
fn a_warning_never_turns_against_the_failure_that_it_is_for() {
    let own = [attended("01-05"), did_not_comply("01-12"), warned("01-12")];
    let it = on(&own, "01-12");
    assert_eq!((it.status, it.failures[0].warned_on), (Status::AtRisk, Some(day("01-12"))));
    // It was for an earlier one, which stood by then: whoever was warned and failed on that day is in breach.
    let again = [did_not_comply("01-08"), did_not_comply("01-12"), warned("01-12")];
    assert_eq!(breaches(&again, "01-12"), [day("01-12")]);
    // The earlier one was warned of before, and this one falls in the window of that.
    let twice = [did_not_comply("01-08"), warned("01-09"), did_not_comply("01-12"), warned("01-12")];
    assert_eq!(breaches(&twice, "01-12"), [day("01-12")]);
    // The earlier one was still pending; that it was decided later changes nothing.
    let pending = [absent("01-08"), did_not_comply("01-12"), warned("01-12"), unacceptable("01-08", "01-13")];
    assert_eq!((breaches(&pending, "01-12"), breaches(&pending, "01-13")), (vec![], vec![]));
    // The earlier one stood and was excused since: the warning was for this one after all.
    let reversed = [absent("01-08"), unacceptable("01-08", "01-09"), excused("01-08", "01-20")];
    let reversed = [&reversed[..], &[did_not_comply("01-12"), warned("01-12")]].concat();
    assert_eq!((breaches(&reversed, "01-19"), breaches(&reversed, "01-20")), (vec![day("01-12")], vec![]));
}

#[test]
fn suspended_days_are_no_part_of_a_gap() {
    let gap = |events: &[Event], as_of| on(events, as_of).at_risk.contains(&AtRisk::Gap);
    let mut events = vec![attended("01-05")];
    assert_eq!((gap(&events, "02-02"), gap(&events, "02-03")), (false, true));
    events.push(suspended("01-20", "01-29"));
    assert_eq!((gap(&events, "02-12"), gap(&events, "02-13")), (false, true));
    // Overlapping days count once, and those of the credit's own day not at all.
    events.extend([suspended("01-25", "01-31"), suspended("01-21", "01-22"), suspended("01-03", "01-05")]);
    assert_eq!((gap(&events, "02-14"), gap(&events, "02-15")), (false, true));
    // What was missing to a gap before a suspension is missing after it.
    events.push(suspended("02-14", "03-01"));
    assert_eq!((gap(&events, "03-02"), gap(&events, "03-03")), (false, true));
    // Without a credit it is counted from the order's start, and a credit of that very day ends none.
    assert_eq!((gap(&[], "02-02"), gap(&[], "02-03"), gap(&[made_up("02-03")], "02-03")), (false, true, false));
}

#[test]
fn the_provider_answers_for_a_gap_in_which_it_cancelled() {
    let it = on(&[attended("01-05"), provider_cancelled("01-12")], "02-03");
    assert_eq!((it.status, &it.alerts[..]), (Status::Compliant, &[Alert::ServiceGap][..]));
    assert_eq!(on(&[attended("01-05"), provider_cancelled("01-12")], "02-02").alerts, []);
    assert_eq!(status(&[provider_cancelled("02-03")], "02-03"), Status::NotStarted);
    // On the day of the last credit it is in no gap, and tomorrow it is in none yet.
    assert_eq!(status(&[attended("01-05"), provider_cancelled("01-05")], "02-03"), Status::AtRisk);
    assert_eq!(status(&[attended("01-05"), provider_cancelled("02-04")], "02-03"), Status::AtRisk);
}

#[test]
fn what_is_resolved_is_over_and_what_comes_after_is_new() {
    let breached = [did_not_comply("01-12"), warned("01-13"), did_not_comply("01-19"), late("01-20"), late("01-21")];
    let over = [&breached[..], &[absent("01-22"), resolved("01-22")]].concat();
    assert_eq!((status(&over, "01-21"), status(&over, "01-22")), (Status::Breached, Status::Compliant));
    // What is established later of earlier days is resolved as well.
    assert_eq!((live(&over, "02-02"), breaches(&over, "02-02")), (vec![], vec![day("01-19")]));
    // Neither the warning nor the late arrivals count any more.
    let anew = [&over[..], &[did_not_comply("01-23"), late("01-24")]].concat();
    assert_eq!((live(&anew, "01-24"), status(&anew, "01-24")), (vec![day("01-23")], Status::AtRisk));
    let again = [&anew[..], &[warned("01-27"), did_not_comply("01-28")]].concat();
    assert_eq!(on(&again, "01-28").breach.unwrap().failure_on, day("01-28"));
    // Nor is what was resolved what a later warning is for.
    let unwarned = [did_not_comply("01-12"), resolved("01-13"), did_not_comply("01-15"), warned("01-15")];
    assert_eq!((breaches(&unwarned, "01-15"), on(&unwarned, "01-15").failures[0].warned_on), (vec![], None));
}

#[test]
fn of_the_day_of_a_resolution_everything_is_resolved() {
    let events = [did_not_comply("01-12"), did_not_comply("01-22"), warned("01-22"), resolved("01-22")];
    assert_eq!(live(&events, "01-22"), []);
    let next_day = [&events[..], &[did_not_comply("01-23")]].concat();
    assert_eq!((live(&next_day, "01-23"), status(&next_day, "01-23")), (vec![day("01-23")], Status::AtRisk));
}

#[test]
fn evidence_is_awaited_over_weekends_and_holidays() {
    // Six working days after Wednesday 21 January, without Monday 26, end on Friday 30.
    let events = [attended("01-19"), absent("01-21")];
    assert_eq!(on(&events, "01-30").pending, [day("01-21")]);
    assert_eq!(on(&events, "01-31").failures[0].established_on, day("01-31"));
    // Its warning is due two working days after that Saturday.
    assert_eq!(on(&events, "02-03").alerts, []);
    assert_eq!(on(&events, "02-04").alerts, [Alert::WarningOverdue]);
    assert_eq!(on(&[&events[..], &[warned("02-04")]].concat(), "02-04").alerts, []);
}

#[test]
fn neither_a_breach_nor_what_is_spent_asks_for_a_warning() {
    assert_eq!(on(&[absent("01-12"), serious("01-12", "01-13")], "01-30").alerts, []);
    assert_eq!(on(&[did_not_comply("01-12")], "01-14").alerts, []);
    assert_eq!(on(&[did_not_comply("01-12")], "01-15").alerts, [Alert::WarningOverdue]);
    assert_eq!(on(&[did_not_comply("01-12")], "2027-01-11").alerts, [Alert::WarningOverdue]);
    assert_eq!(on(&[did_not_comply("01-12")], "2027-01-12").alerts, []);
}

#[test]
fn two_absences_of_one_day_are_one() {
    let events = [absent("01-12"), absent("01-12"), absent("01-12")];
    assert_eq!((on(&events, "01-20").pending.len(), on(&events, "01-21").failures.len()), (1, 1));
    assert_eq!(on(&[&events[..], &[excused("01-12", "01-13")]].concat(), "01-21").failures, []);
    // Being there and not complying is another failure of that day.
    let more = [&events[..], &[did_not_comply("01-12"), did_not_comply("01-12"), did_not_comply("01-09")]].concat();
    let failures: Vec<_> = on(&more, "01-21").failures.iter().map(|it| (it.on, it.kind)).collect();
    let kinds = [FailureKind::DidNotComply, FailureKind::Absence, FailureKind::DidNotComply];
    assert_eq!(failures, [day("01-09"), day("01-12"), day("01-12")].into_iter().zip(kinds).collect::<Vec<_>>());
}

#[test]
fn the_latest_decision_rules_and_of_one_day_the_most_lenient() {
    let decided = |decisions: &[Event], as_of| {
        let it = on(&[&[attended("01-11"), absent("01-12")], decisions].concat(), as_of);
        (it.status, it.failures.first().map(|it| it.established_on))
    };
    let appeal = [serious("01-12", "01-13"), excused("01-12", "01-20"), unacceptable("01-12", "01-22")];
    assert_eq!(decided(&appeal, "01-12"), (Status::Compliant, None));
    assert_eq!(decided(&appeal, "01-13"), (Status::Breached, Some(day("01-13"))));
    assert_eq!(decided(&appeal, "01-21"), (Status::Compliant, None));
    assert_eq!(decided(&appeal, "01-22"), (Status::AtRisk, Some(day("01-22"))));
    let one_day = [serious("01-12", "01-13"), unacceptable("01-12", "01-13"), excused("01-12", "01-13")];
    assert_eq!(decided(&one_day, "01-13"), (Status::Compliant, None));
    assert_eq!(decided(&one_day[..2], "01-13"), (Status::AtRisk, Some(day("01-13"))));
    // A decision after its time replaces what was deemed; one before the day takes effect on it.
    assert_eq!(decided(&[excused("01-12", "01-30")], "01-29"), (Status::AtRisk, Some(day("01-21"))));
    assert_eq!(decided(&[excused("01-12", "01-30")], "01-30"), (Status::Compliant, None));
    assert_eq!(decided(&[unacceptable("01-12", "01-08")], "01-12"), (Status::AtRisk, Some(day("01-12"))));
    // Without an absence a decision is about nothing.
    assert_eq!(on(&[serious("01-13", "01-13")], "01-14").failures, []);
}

#[test]
fn a_confirmation_is_of_the_failure_as_it_stood() {
    let breach = |more: &[Event], as_of| {
        let events = [absent("01-12"), serious("01-12", "01-14"), confirmed("01-12", "01-15")];
        on(&[&events[..], more].concat(), as_of).breach.map(|it| (it.breach_on, it.confirmed))
    };
    assert_eq!(breach(&[], "01-14"), Some((day("01-14"), false)));
    assert_eq!(breach(&[], "01-15"), Some((day("01-14"), true)));
    let reversed = [excused("01-12", "01-20"), serious("01-12", "01-22")];
    assert_eq!(breach(&reversed, "01-20"), None);
    assert_eq!(breach(&reversed, "01-22"), Some((day("01-22"), false)));
    let too_early = [&reversed[..], &[confirmed("01-12", "01-20")]].concat();
    assert_eq!(breach(&too_early, "01-22"), Some((day("01-22"), false)));
    let anew = [&reversed[..], &[confirmed("01-12", "01-22")]].concat();
    assert_eq!(breach(&anew, "01-22"), Some((day("01-22"), true)));
    let belated = [confirmed("01-12", "01-22"), excused("01-12", "01-28"), serious("01-12", "02-02")];
    assert_eq!(breach(&belated, "02-02"), Some((day("02-02"), false)));
    // A decision that only affirms does not ask for another confirmation.
    assert_eq!(breach(&[serious("01-12", "01-22")], "01-22"), Some((day("01-22"), true)));
    let deemed = [did_not_comply("01-05"), warned("01-06"), absent("01-12"), confirmed("01-12", "01-21")];
    let deemed = [&deemed[..], &[unacceptable("01-12", "01-25")]].concat();
    assert!(on(&deemed, "01-21").breach.unwrap().confirmed && on(&deemed, "01-25").breach.unwrap().confirmed);
}

#[test]
fn of_several_breaches_a_confirmed_one_counts_and_else_the_earliest() {
    let events = [
        absent("01-12"),
        absent("01-13"),
        absent("01-14"),
        serious("01-12", "01-16"),
        serious("01-13", "01-15"),
        serious("01-14", "01-15"),
    ];
    assert_eq!(on(&events, "01-16").breach.unwrap().failure_on, day("01-13"));
    let events = [&events[..], &[confirmed("01-12", "01-19"), confirmed("01-14", "01-20")]].concat();
    assert_eq!(on(&events, "01-19").breach.unwrap().failure_on, day("01-12"));
    assert_eq!(on(&events, "01-20").breach.unwrap().failure_on, day("01-14"));
    // A confirmation of what is no breach makes none.
    assert_eq!(on(&[did_not_comply("01-12"), confirmed("01-12", "01-13")], "01-13").breach, None);
}

#[test]
fn neither_time_nor_attendance_nor_suspension_ends_a_breach() {
    let credits = (6..18).map(|day| attended(&format!("02-{day:02}")));
    let mut events = vec![absent("01-12"), serious("01-12", "01-14")];
    events.extend(credits);
    assert_eq!((status(&events, "02-17"), on(&events, "02-17").credits), (Status::Breached, 12));
    events.push(suspended("02-20", "03-20"));
    assert_eq!((status(&events, "03-01"), status(&events, "2031-01-01")), (Status::Breached, Status::Breached));
    assert_eq!(live(&events, "2031-01-01"), [day("01-12")]);
    events.push(resolved("2031-01-01"));
    assert_eq!(status(&events, "2031-01-01"), Status::Completed);
    events.push(ended("2031-01-02"));
    assert_eq!(status(&events, "2031-01-02"), Status::Terminated);
}

#[test]
fn a_suspension_covers_its_first_day_and_its_last() {
    let missed = |on| [attended("01-05"), suspended("01-12", "01-16"), absent(on), unacceptable(on, on)];
    for (on, expected) in [("01-09", 1), ("01-12", 0), ("01-16", 0), ("01-17", 1)] {
        assert_eq!(live(&missed(on), "01-20").len(), expected, "{on}");
    }
    let order = [attended("01-05"), suspended("01-12", "01-16")];
    let days = ["01-11", "01-12", "01-16", "01-17"].map(|day| status(&order, day));
    assert_eq!(days, [Status::Compliant, Status::Suspended, Status::Suspended, Status::Compliant]);
    // It covers absences alone, and hides a failure without ending it.
    let failed = [&order[..], &[did_not_comply("01-13")]].concat();
    assert_eq!((status(&failed, "01-16"), status(&failed, "01-17")), (Status::Suspended, Status::AtRisk));
}

#[test]
fn more_excused_absences_than_the_limit_are_a_risk_while_they_count() {
    let excused = |on| [absent(on), absent(on), excused(on, on)];
    let three = ["01-12", "01-13", "01-14"].map(excused).concat();
    let four = [&three[..], &excused("04-01"), &[attended("01-05"), attended("03-31")]].concat();
    assert_eq!((status(&three, "01-14"), on(&three, "01-14").excused.len()), (Status::NotStarted, 3));
    let it = on(&four, "04-11");
    assert_eq!((it.status, &it.at_risk[..]), (Status::AtRisk, &[AtRisk::AcceptableLimit][..]));
    // 90 days after 12 January is 12 April.
    assert_eq!((status(&four, "04-12"), on(&four, "04-12").excused.len()), (Status::Compliant, 3));
    assert_eq!(police(&four, "04-11").status, Shown::Compliant);
}

#[test]
fn an_order_is_at_risk_when_its_end_passed_without_completion() {
    let terms = Terms { ends_on: Some(day("01-20")), required: 2, ..terms() };
    let at = |events: &[Event], as_of| assess(&terms, &Policy::default(), &working_days(), events, day(as_of)).status;
    assert_eq!(
        (at(&[attended("01-05")], "01-20"), at(&[attended("01-05")], "01-21")),
        (Status::Compliant, Status::AtRisk)
    );
    let done = [attended("01-05"), made_up("01-19")];
    assert_eq!(
        (at(&done, "01-18"), at(&done, "01-19"), at(&done, "12-31")),
        (Status::Compliant, Status::Completed, Status::Completed)
    );
    // Nothing is left that it could be at risk of.
    let it = assess(
        &terms,
        &Policy::default(),
        &working_days(),
        &[&done[..], &[did_not_comply("01-20")]].concat(),
        day("12-31"),
    );
    assert_eq!((it.at_risk, it.alerts, it.failures.len()), (vec![], vec![], 1));
}

#[test]
fn what_is_dated_later_has_no_effect() {
    let events =
        [attended("01-06"), late("01-06"), did_not_comply("01-06"), warned("01-06"), suspended("01-06", "01-09")];
    let events =
        [&events[..], &[absent("01-06"), serious("01-06", "01-05"), resolved("01-06"), ended("01-06")]].concat();
    assert_eq!(on(&events, "01-05"), on(&[], "01-05"));
}
