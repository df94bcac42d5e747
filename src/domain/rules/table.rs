//! Every booking rule, one entry each (booking rules, first table, but for what needs treatment
//! orders or groups).

use chrono::{Datelike, Days, NaiveDate, TimeDelta};

use super::{Considered, Occasion, Rule, RuleCode, Severity};
use crate::domain::code::CareService;
use crate::domain::text::Language;
use crate::domain::time::{Span, local_day};

/// How long after its start a session may still be booked: a walk-in (booking rules, IN_THE_PAST).
pub const WALK_IN: TimeDelta = TimeDelta::minutes(15);

const NEW: &[Occasion] = &[Occasion::Placing];
const PLACING: &[Occasion] = &[Occasion::Placing, Occasion::Reassigning];
const STANDING: &[Occasion] = &[Occasion::Placing, Occasion::Reassigning, Occasion::Standing];
const RECORDING: &[Occasion] = &[Occasion::Placing, Occasion::Reassigning, Occasion::Recording];
const ALWAYS: &[Occasion] = &[Occasion::Placing, Occasion::Reassigning, Occasion::Standing, Occasion::Recording];

const fn hard(
    code: RuleCode,
    on: &'static [Occasion],
    says: &'static str,
    broken: fn(&Considered<'_>) -> bool,
) -> Rule {
    Rule { code, severity: Severity::Hard, on, says, broken }
}

const fn soft(
    code: RuleCode,
    on: &'static [Occasion],
    says: &'static str,
    broken: fn(&Considered<'_>) -> bool,
) -> Rule {
    Rule { code, severity: Severity::Soft, on, says, broken }
}

/// Every rule, in the order in which refusals list them: hard ones first.
pub const RULES: &[Rule] = &[
    hard(RuleCode::WrongSide, ALWAYS, "the counsellor or the service is for other clients", |it| {
        let side = it.facts.client.side;
        it.counsellor.counsellor.side != side || it.candidate.service.side() != side
    }),
    hard(RuleCode::NotQualified, ALWAYS, "the counsellor does not offer this service in this way", |it| {
        let (counsellor, service) = (&it.counsellor.counsellor, it.candidate.service);
        // A service of the other side is a matter of sides.
        (counsellor.inactive && it.occasion != Occasion::Recording)
            || (service.side() == counsellor.side && !counsellor.services.contains(&service))
            || !counsellor.modalities.contains(&it.candidate.place.modality())
    }),
    hard(RuleCode::NotVerified, ALWAYS, "the counsellor's verification does not hold on that date", |it| {
        it.counsellor.counsellor.verified_until.is_none_or(|last| last < it.day())
    }),
    hard(
        RuleCode::NoAgreement,
        ALWAYS,
        "no agreement in force on that date covers the service and the district",
        |it| {
            let district = it.site.map(|site| &site.site.district);
            let (day, service) = (it.day(), it.candidate.service);
            !it.facts.agreements.iter().any(|agreement| agreement.covers(day, service, district))
        },
    ),
    hard(RuleCode::ConflictOfInterest, ALWAYS, "the counsellor must not see this client", |it| {
        it.facts.client.conflicts.contains(&it.candidate.counsellor_id)
    }),
    hard(RuleCode::CounsellorGender, ALWAYS, "the client asks for a counsellor of another gender", |it| {
        let asked = it.facts.client.counsellor_gender;
        asked.is_some() && asked != it.counsellor.counsellor.gender
    }),
    hard(RuleCode::ConsentMissing, ALWAYS, "no valid consent to care on that date", |it| {
        it.facts.client.needs_consent() && !it.facts.client.consented_on.contains(&it.day())
    }),
    hard(RuleCode::InThePast, NEW, "the start is more than 15 minutes ago", |it| {
        it.candidate.span.starts_at() < it.facts.now - WALK_IN
    }),
    hard(RuleCode::VenueSideHours, STANDING, "the site receives these clients at other hours", |it| {
        let hours = it.site.and_then(|site| site.side_hours.as_ref());
        hours.is_some_and(|hours| !hours.contain(it.candidate.span))
    }),
    hard(
        RuleCode::CounsellorBusy,
        RECORDING,
        "the counsellor has another session or needs the time around one",
        |it| it.counsellor.busy.overlap(it.counsellor.counsellor.occupied_by(it.candidate.span)),
    ),
    hard(RuleCode::ClientBusy, RECORDING, "the client has another session", |it| {
        it.facts.client.busy.overlap(it.candidate.span)
    }),
    hard(RuleCode::RoomBusy, PLACING, "the room is taken", |it| {
        it.room.is_some_and(|room| room.busy.overlap(it.candidate.span))
    }),
    hard(RuleCode::SlotNotAvailable, STANDING, "this time is not available at this place", |it| {
        let span = it.candidate.span;
        it.room.is_some_and(|room| room.busy_elsewhere.overlap(span))
            || it.site.is_some_and(|site| {
                site.linked.overlap(span) || site.other_side.overlap(present(span, site.site.separation_gap_for))
            })
    }),
    soft(RuleCode::Notice, NEW, "the start is sooner than the organisation's notice", |it| {
        // Who stands at the door gives no notice: a start that has come is a walk-in.
        let (start, now) = (it.candidate.span.starts_at(), it.facts.now);
        start > now && start < now + it.facts.policy.notice_for
    }),
    soft(RuleCode::Horizon, NEW, "the start is later than the organisation books ahead", |it| {
        it.candidate.span.starts_at() > it.facts.now + it.facts.policy.horizon_for
    }),
    soft(RuleCode::OutsideWorkingHours, STANDING, "the counsellor does not work at that place then", |it| {
        let worked = it.counsellor.working.get(&it.candidate.place.venue_id());
        !worked.is_some_and(|spans| spans.contain(it.candidate.span))
    }),
    soft(RuleCode::OnLeave, STANDING, "the counsellor is on leave", |it| {
        it.counsellor.leave.overlap(it.candidate.span)
    }),
    soft(RuleCode::Holiday, STANDING, "the site is closed for a holiday", |it| {
        it.site.is_some_and(|site| site.closed.overlap(it.candidate.span))
    }),
    soft(RuleCode::DailyLoad, PLACING, "the counsellor has as many sessions that day as a day should hold", |it| {
        let day = counsellors_day(it);
        it.counsellor.counsellor.daily_limit.is_some_and(|most| sessions(it, day, 1) >= most)
    }),
    soft(RuleCode::WeeklyLoad, PLACING, "the counsellor has as many sessions that week as a week should hold", |it| {
        let day = counsellors_day(it);
        let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
        it.counsellor.counsellor.weekly_limit.is_some_and(|most| sessions(it, monday, 7) >= most)
    }),
    soft(RuleCode::Travel, PLACING, "the counsellor cannot come from another site, or go on to one, in time", |it| {
        let elsewhere = it.candidate.place.site_id().and_then(|id| it.counsellor.elsewhere.get(&id));
        elsewhere.is_some_and(|spans| spans.overlap(it.candidate.span))
    }),
    soft(RuleCode::Language, STANDING, "no language in common, and no interpreter", |it| {
        let spoken = |language: &Language| it.counsellor.counsellor.languages.iter().any(|own| own.is_like(language));
        !it.candidate.interpreter && !it.facts.client.spoken_languages.iter().any(spoken)
    }),
    soft(RuleCode::GuardianRequired, STANDING, "a child needs a safe adult for the visit", |it| {
        let client = &it.facts.client;
        let accompanied = it.candidate.guardian_id.is_some_and(|id| client.safe_guardians.contains(&id));
        it.site.is_some() && client.is_child_on(it.day()) && !accompanied
    }),
    soft(RuleCode::ClientAvailability, STANDING, "the client has said to come at other times", |it| {
        let available = it.facts.client.available.as_ref();
        available.is_some_and(|by_zone| !by_zone.get(&it.zone()).is_some_and(|all| all.contain(it.candidate.span)))
    }),
    soft(RuleCode::Proceedings, STANDING, "the client's case is before a court or an authority that day", |it| {
        // Company at the hearing is what accompaniment is for.
        it.candidate.service != CareService::Accompaniment
            && it.candidate.span.local_days(it.zone()).any(|day| it.facts.client.proceedings.contains(&day))
    }),
];

/// The presence of a session at its site: padded by half the separation gap at both ends, so that
/// two presences of different sides overlap exactly when they are closer than the gap.
pub fn present(session: Span, separation_gap_for: TimeDelta) -> Span {
    session.padded(separation_gap_for / 2, separation_gap_for / 2)
}

/// Loads count by the counsellor's own days, wherever the sessions are.
fn counsellors_day(it: &Considered<'_>) -> NaiveDate {
    local_day(it.candidate.span.starts_at(), it.counsellor.counsellor.zone)
}

/// How many sessions the counsellor has from a day on.
fn sessions(it: &Considered<'_>, first: NaiveDate, days: u64) -> u32 {
    it.counsellor.sessions_on.range(first..first + Days::new(days)).map(|(_, count)| count).sum()
}
