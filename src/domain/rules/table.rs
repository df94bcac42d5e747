//! Every booking rule, one entry each (booking rules, first table).

use chrono::TimeDelta;

use super::{Considered, CounsellorFacts, Occasion, Present, Rule, RuleCode, Severity, Test};
use crate::domain::code::CareService;
use crate::domain::text::Language;
use crate::domain::time::{Span, local_day, monday_of};

/// How long after its start a session may still be booked: a walk-in (booking rules, IN_THE_PAST).
pub const WALK_IN: TimeDelta = TimeDelta::minutes(15);

const NEW: &[Occasion] = &[Occasion::Placing];
const PLACING: &[Occasion] = &[Occasion::Placing, Occasion::Reassigning];
const STANDING: &[Occasion] = &[Occasion::Placing, Occasion::Reassigning, Occasion::Joining, Occasion::Standing];
/// Of clients rather than of their session.
const COMING: &[Occasion] = &[Occasion::Placing, Occasion::Reassigning, Occasion::Joining, Occasion::Recording];
const RECORDING: &[Occasion] = &[Occasion::Placing, Occasion::Reassigning, Occasion::Recording];
const ALWAYS: &[Occasion] =
    &[Occasion::Placing, Occasion::Reassigning, Occasion::Joining, Occasion::Standing, Occasion::Recording];

const fn hard(code: RuleCode, on: &'static [Occasion], says: &'static str, test: Test) -> Rule {
    Rule { code, severity: Severity::Hard, on, says, test }
}

const fn soft(code: RuleCode, on: &'static [Occasion], says: &'static str, test: Test) -> Rule {
    Rule { code, severity: Severity::Soft, on, says, test }
}

const fn session(broken: fn(&Considered<'_>) -> bool) -> Test {
    Test::Session(broken)
}

const fn client(broken: fn(&Considered<'_>, &Present<'_>) -> bool) -> Test {
    Test::Client(broken)
}

/// Every rule, in the order in which refusals list them: hard ones first.
pub const RULES: &[Rule] = &[
    hard(
        RuleCode::WrongSide,
        ALWAYS,
        "the counsellor or the service is for other clients",
        session(|it| {
            // What is for no clients takes the side of who leads it.
            let side = it.candidate.service.side().unwrap_or(it.facts.side);
            it.counsellors.iter().any(|counsellor| counsellor.counsellor.side != side)
                || it.facts.side != side
                || it.candidate.party.participants.iter().any(|one| {
                    !it.has_clients() || it.facts.clients.get(&one.client_id).is_none_or(|client| client.side != side)
                })
        }),
    ),
    hard(
        RuleCode::NotAGroup,
        ALWAYS,
        "only a group can have several clients",
        session(|it| !it.candidate.party.is_group() && it.candidate.party.participants.len() > 1),
    ),
    hard(
        RuleCode::GroupFull,
        ALWAYS,
        "the group has no place left",
        session(|it| {
            let party = it.candidate.party;
            party.is_group() && party.participants.len() > party.capacity as usize
        }),
    ),
    hard(
        RuleCode::NotQualified,
        ALWAYS,
        "the counsellor does not offer this service in this way",
        session(|it| it.counsellors.iter().any(|counsellor| !is_qualified(it, counsellor))),
    ),
    hard(
        RuleCode::NotVerified,
        ALWAYS,
        "the counsellor's verification does not hold on that date",
        session(|it| {
            let day = it.day();
            it.counsellors.iter().any(|it| it.counsellor.verified_until.is_none_or(|last| last < day))
        }),
    ),
    hard(
        RuleCode::NoAgreement,
        ALWAYS,
        "no agreement in force on that date covers the service and the district",
        session(|it| {
            let district = it.site.map(|site| &site.site.district);
            let (day, service) = (it.day(), it.candidate.service);
            !it.facts.agreements.iter().any(|agreement| agreement.covers(day, service, district))
        }),
    ),
    hard(
        RuleCode::ConflictOfInterest,
        ALWAYS,
        "the counsellor must not see this client",
        client(|it, present| {
            let mut all = it.candidate.party.counsellors(it.candidate.counsellor_id);
            all.any(|id| present.client.conflicts.contains(&id))
        }),
    ),
    hard(
        RuleCode::CounsellorGender,
        ALWAYS,
        "the client asks for a counsellor of another gender",
        client(|it, present| {
            let asked = present.client.counsellor_gender;
            asked.is_some() && it.counsellors.iter().any(|counsellor| asked != counsellor.counsellor.gender)
        }),
    ),
    hard(
        RuleCode::ConsentMissing,
        ALWAYS,
        "no valid consent to care on that date",
        client(|it, present| present.client.needs_consent() && !present.client.consented_on.contains(&it.day())),
    ),
    hard(
        RuleCode::OrderNotOpen,
        ALWAYS,
        "the client has no such treatment order that is open on that day",
        client(|it, present| {
            let open =
                |id| present.client.open_orders.get(&id).is_some_and(|since| *since <= it.candidate.span.starts_at());
            present.attendee.order_id.is_some_and(|order_id| !open(order_id))
        }),
    ),
    hard(
        RuleCode::InThePast,
        NEW,
        "the start is more than 15 minutes ago",
        session(|it| it.candidate.span.starts_at() < it.facts.now - WALK_IN),
    ),
    hard(
        RuleCode::VenueSideHours,
        STANDING,
        "the site receives these clients at other hours",
        session(|it| {
            let hours = it.site.and_then(|site| site.side_hours.as_ref());
            it.has_clients() && hours.is_some_and(|hours| !hours.contain(it.candidate.span))
        }),
    ),
    hard(
        RuleCode::CounsellorBusy,
        RECORDING,
        "the counsellor has another session or needs the time around one",
        session(|it| {
            let busy = |one: &&CounsellorFacts| one.busy.overlap(one.counsellor.occupied_by(it.candidate.span));
            it.counsellors.iter().any(busy)
        }),
    ),
    hard(
        RuleCode::ClientBusy,
        COMING,
        "the client has another session",
        client(|it, present| present.client.busy.overlap(it.candidate.span)),
    ),
    hard(
        RuleCode::RoomBusy,
        PLACING,
        "the room is taken",
        session(|it| it.room.is_some_and(|room| room.busy.overlap(it.candidate.span))),
    ),
    hard(
        RuleCode::SlotNotAvailable,
        STANDING,
        "this time is not available at this place",
        session(|it| {
            let (span, party) = (it.candidate.span, it.candidate.party);
            it.room.is_some_and(|room| room.busy_elsewhere.overlap(span))
                || it.facts.apart.iter().any(|(one, other)| party.expects(*one) && party.expects(*other))
                || it.site.is_some_and(|site| {
                    let gap = site.site.separation_gap_for;
                    site.linked.overlap(span) || (it.has_clients() && site.other_side.overlap(presence(span, gap)))
                })
        }),
    ),
    soft(
        RuleCode::Notice,
        NEW,
        "the start is sooner than the organisation's notice",
        session(|it| {
            // Who stands at the door gives no notice: a start that has come is a walk-in.
            let (start, now) = (it.candidate.span.starts_at(), it.facts.now);
            start > now && start < now + it.facts.policy.notice_for
        }),
    ),
    soft(
        RuleCode::Horizon,
        NEW,
        "the start is later than the organisation books ahead",
        session(|it| it.candidate.span.starts_at() > it.facts.now + it.facts.policy.horizon_for),
    ),
    soft(
        RuleCode::OutsideWorkingHours,
        STANDING,
        "the counsellor does not work at that place then",
        session(|it| {
            let venue_id = it.candidate.place.venue_id();
            let works = |one: &&CounsellorFacts| {
                one.working.get(&venue_id).is_some_and(|spans| spans.contain(it.candidate.span))
            };
            !it.counsellors.iter().all(works)
        }),
    ),
    soft(
        RuleCode::OnLeave,
        STANDING,
        "the counsellor is on leave",
        session(|it| it.counsellors.iter().any(|one| one.leave.overlap(it.candidate.span))),
    ),
    soft(
        RuleCode::Holiday,
        STANDING,
        "the site is closed for a holiday",
        session(|it| it.site.is_some_and(|site| site.closed.overlap(it.candidate.span))),
    ),
    soft(
        RuleCode::DailyLoad,
        PLACING,
        "the counsellor has as many sessions that day as a day should hold",
        session(|it| {
            let start = it.candidate.span.starts_at();
            let full =
                |one: &&CounsellorFacts| one.counsellor.daily_limit.is_some_and(|most| one.load_on(start) >= most);
            it.counsellors.iter().any(full)
        }),
    ),
    soft(
        RuleCode::WeeklyLoad,
        PLACING,
        "the counsellor has as many sessions that week as a week should hold",
        session(|it| {
            let full = |one: &&CounsellorFacts| {
                // Loads count by a counsellor's own days, wherever the sessions are.
                let monday = monday_of(local_day(it.candidate.span.starts_at(), one.counsellor.zone));
                let sessions = one.sessions_in_week.get(&monday).copied().unwrap_or_default();
                one.counsellor.weekly_limit.is_some_and(|most| sessions >= most)
            };
            it.counsellors.iter().any(full)
        }),
    ),
    soft(
        RuleCode::Travel,
        PLACING,
        "the counsellor cannot come from another site, or go on to one, in time",
        session(|it| {
            let Some(site_id) = it.candidate.place.site_id() else { return false };
            let far = |one: &&CounsellorFacts| {
                one.elsewhere.get(&site_id).is_some_and(|spans| spans.overlap(it.candidate.span))
            };
            it.counsellors.iter().any(far)
        }),
    ),
    soft(
        RuleCode::RoomCapacity,
        NEW,
        "the room is too small for the places of the group and its counsellors",
        session(|it| {
            let party = it.candidate.party;
            let capacity = it.room.and_then(|room| room.capacity);
            party.is_group() && capacity.is_some_and(|capacity| capacity < party.people())
        }),
    ),
    soft(
        RuleCode::Language,
        STANDING,
        "no language in common, and no interpreter",
        client(|it, present| {
            // In a group one of the facilitators is enough.
            let mut spoken = it.counsellors.iter().flat_map(|one| &one.counsellor.languages);
            let understood = |own: &Language| present.client.spoken_languages.iter().any(|it| own.is_like(it));
            !present.attendee.interpreter && !spoken.any(understood)
        }),
    ),
    soft(
        RuleCode::GuardianRequired,
        STANDING,
        "a child needs a safe adult for the visit",
        client(|it, present| {
            let client = present.client;
            let accompanied = present.attendee.guardian_id.is_some_and(|id| client.safe_guardians.contains(&id));
            it.site.is_some() && client.is_child_on(it.day()) && !accompanied
        }),
    ),
    soft(
        RuleCode::ClientAvailability,
        STANDING,
        "the client has said to come at other times",
        client(|it, present| {
            let available = present.client.available.as_ref();
            available.is_some_and(|by_zone| !by_zone.get(&it.zone()).is_some_and(|all| all.contain(it.candidate.span)))
        }),
    ),
    soft(
        RuleCode::Proceedings,
        STANDING,
        "the client's case is before a court or an authority that day",
        client(|it, present| {
            // Company at the hearing is what accompaniment is for.
            it.candidate.service != CareService::Accompaniment
                && it.candidate.span.local_days(it.zone()).any(|day| present.client.proceedings.contains(&day))
        }),
    ),
];

/// Whether a counsellor offers the service in this way.
fn is_qualified(it: &Considered<'_>, facts: &CounsellorFacts) -> bool {
    let (counsellor, service) = (&facts.counsellor, it.candidate.service);
    (!counsellor.inactive || it.occasion == Occasion::Recording)
        // A service of the other side is a matter of sides.
        && (!service.is_offered_by(counsellor.side) || counsellor.services.contains(&service))
        && counsellor.modalities.contains(&it.candidate.place.modality())
}

/// The presence of a session at its site: padded by half the separation gap at both ends, so that
/// two presences of different sides overlap exactly when they are closer than the gap.
pub fn presence(session: Span, separation_gap_for: TimeDelta) -> Span {
    session.padded(separation_gap_for / 2, separation_gap_for / 2)
}
