//! The booking rules. Search and booking ask the same function, so that what is offered is what
//! is accepted. A rule is one entry of [`RULES`].

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::agreement::Agreement;
use super::code::{CareService, Side, words};
use super::counsellor::Counsellor;
use super::directory::{Site, Venue};
use super::ids::{ClientId, CounsellorId, RoomId, SiteId, VenueId};
use super::session::{Place, WALK_IN};
use super::time::{Span, Spans, local_day};

words! {
    /// The stable code of a rule (booking rules, first table).
    RuleCode {
        /// The counsellor is with somebody else, buffers included.
        CounsellorBusy = "COUNSELLOR_BUSY",
        /// The client has another session.
        ClientBusy = "CLIENT_BUSY",
        /// The room is taken by the own organisation's same side.
        RoomBusy = "ROOM_BUSY",
        /// Separation, or a room taken by others: one code, so that it tells nothing.
        SlotNotAvailable = "SLOT_NOT_AVAILABLE",
        /// The counsellor does not work then, at that place.
        OutsideWorkingHours = "OUTSIDE_WORKING_HOURS",
        /// The counsellor is away.
        OnLeave = "ON_LEAVE",
        /// The site is closed.
        Holiday = "HOLIDAY",
        /// It has begun more than a walk-in ago.
        InThePast = "IN_THE_PAST",
        /// No agreement in force covers it.
        NoAgreement = "NO_AGREEMENT",
        /// The counsellor does not offer this.
        NotQualified = "NOT_QUALIFIED",
        /// The counsellor or the service is for the other side.
        WrongSide = "WRONG_SIDE",
    }

    /// Whether a person may decide otherwise.
    Severity {
        /// Never.
        Hard = "HARD",
        /// With a written reason.
        Soft = "SOFT",
    }
}

/// What is known when a session is placed: everything that any rule looks at.
#[derive(Debug)]
pub struct Facts {
    /// The present.
    pub now: DateTime<Utc>,
    /// The client.
    pub client: ClientFacts,
    /// The agreements of the client's organisation.
    pub agreements: Vec<Agreement>,
    /// The counsellors in question.
    pub counsellors: BTreeMap<CounsellorId, CounsellorFacts>,
    /// The venues in question.
    pub venues: BTreeMap<VenueId, VenueFacts>,
    /// Their sites.
    pub sites: BTreeMap<SiteId, SiteFacts>,
}

/// The client, as the rules see one.
#[derive(Debug)]
pub struct ClientFacts {
    /// Id.
    pub id: ClientId,
    /// Side.
    pub side: Side,
    /// Who has seen the client before.
    pub seen_by: BTreeSet<CounsellorId>,
    /// The client's sessions.
    pub busy: Spans,
}

/// A counsellor, as the rules see one.
#[derive(Debug)]
pub struct CounsellorFacts {
    /// The counsellor.
    pub counsellor: Counsellor,
    /// Times taken by sessions, buffers included.
    pub busy: Spans,
    /// Times away.
    pub leave: Spans,
    /// Sessions in the window of a search; fewer is better.
    pub load: u32,
    /// Times worked, by venue; `None` is remote.
    pub working: BTreeMap<Option<VenueId>, Spans>,
}

/// A venue, as the rules see one.
#[derive(Debug)]
pub struct VenueFacts {
    /// The venue.
    pub venue: Venue,
    /// Its rooms in code order.
    pub rooms: Vec<RoomFacts>,
}

/// A room, as the rules see one.
#[derive(Debug)]
pub struct RoomFacts {
    /// The room.
    pub id: RoomId,
    /// Taken by the own organisation's same side.
    pub busy: Spans,
    /// Taken by another organisation or the other side.
    pub busy_elsewhere: Spans,
}

/// A site, as the rules see one.
#[derive(Debug)]
pub struct SiteFacts {
    /// The site.
    pub site: Site,
    /// Days on which it is closed.
    pub closed: Spans,
    /// Presences of the other side, each padded by half the separation gap.
    pub other_side: Spans,
    /// Days on which somebody is here whom the client must never meet.
    pub linked: Spans,
}

/// A session that could be booked.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// By whom.
    pub counsellor_id: CounsellorId,
    /// What for.
    pub service: CareService,
    /// Where.
    pub place: Place,
    /// When.
    pub span: Span,
}

/// A candidate with the facts about each of its parts.
struct Considered<'f> {
    candidate: Candidate,
    facts: &'f Facts,
    counsellor: &'f CounsellorFacts,
    site: Option<&'f SiteFacts>,
    room: Option<&'f RoomFacts>,
}

impl Considered<'_> {
    fn zone(&self) -> Tz {
        self.site.map_or(self.counsellor.counsellor.zone, |site| site.site.zone)
    }
}

/// One rule.
pub struct Rule {
    /// Its code.
    pub code: RuleCode,
    /// Whether it can be overridden.
    pub severity: Severity,
    /// What it says to people.
    pub says: &'static str,
    broken: fn(&Considered<'_>) -> bool,
}

/// Every rule, in the order in which refusals list them.
pub const RULES: &[Rule] = &[
    Rule {
        code: RuleCode::WrongSide,
        severity: Severity::Hard,
        says: "the counsellor or the service is for other clients",
        broken: |it| {
            let side = it.facts.client.side;
            it.counsellor.counsellor.side != side || it.candidate.service.side() != side
        },
    },
    Rule {
        code: RuleCode::NotQualified,
        severity: Severity::Hard,
        says: "the counsellor does not offer this service in this way",
        broken: |it| {
            let counsellor = &it.counsellor.counsellor;
            counsellor.inactive
                || !counsellor.services.contains(&it.candidate.service)
                || !counsellor.modalities.contains(&it.candidate.place.modality())
        },
    },
    Rule {
        code: RuleCode::NoAgreement,
        severity: Severity::Hard,
        says: "no agreement in force on that date covers the service and the district",
        broken: |it| {
            let day = local_day(it.candidate.span.starts_at(), it.zone());
            let district = it.site.map(|site| &site.site.district);
            !it.facts.agreements.iter().any(|agreement| agreement.covers(day, it.candidate.service, district))
        },
    },
    Rule {
        code: RuleCode::InThePast,
        severity: Severity::Hard,
        says: "the start is more than 15 minutes ago",
        broken: |it| it.candidate.span.starts_at() < it.facts.now - WALK_IN,
    },
    Rule {
        code: RuleCode::OutsideWorkingHours,
        severity: Severity::Soft,
        says: "the counsellor does not work at that place then",
        broken: |it| {
            let worked = it.counsellor.working.get(&it.candidate.place.venue_id());
            !worked.is_some_and(|spans| spans.contain(it.candidate.span))
        },
    },
    Rule {
        code: RuleCode::OnLeave,
        severity: Severity::Soft,
        says: "the counsellor is on leave",
        broken: |it| it.counsellor.leave.overlap(it.candidate.span),
    },
    Rule {
        code: RuleCode::Holiday,
        severity: Severity::Soft,
        says: "the site is closed for a holiday",
        broken: |it| it.site.is_some_and(|site| site.closed.overlap(it.candidate.span)),
    },
    Rule {
        code: RuleCode::CounsellorBusy,
        severity: Severity::Hard,
        says: "the counsellor has another session or needs the time around one",
        broken: |it| it.counsellor.busy.overlap(it.counsellor.counsellor.occupied_by(it.candidate.span)),
    },
    Rule {
        code: RuleCode::ClientBusy,
        severity: Severity::Hard,
        says: "the client has another session",
        broken: |it| it.facts.client.busy.overlap(it.candidate.span),
    },
    Rule {
        code: RuleCode::RoomBusy,
        severity: Severity::Hard,
        says: "the room is taken",
        broken: |it| it.room.is_some_and(|room| room.busy.overlap(it.candidate.span)),
    },
    Rule {
        code: RuleCode::SlotNotAvailable,
        severity: Severity::Hard,
        says: "this time is not available at this place",
        broken: |it| {
            let span = it.candidate.span;
            it.room.is_some_and(|room| room.busy_elsewhere.overlap(span))
                || it.site.is_some_and(|site| {
                    site.linked.overlap(span) || site.other_side.overlap(present(span, site.site.separation_gap_for))
                })
        },
    },
];

/// The presence of a session at its site: padded by half the separation gap at both ends, so that
/// two presences of different sides overlap exactly when they are closer than the gap.
pub fn present(session: Span, separation_gap_for: TimeDelta) -> Span {
    session.padded(separation_gap_for / 2, separation_gap_for / 2)
}

/// The rules that a candidate breaks, in the order of [`RULES`].
///
/// A candidate that names a counsellor, site or room of which there are no facts is not available:
/// the check fails closed.
pub fn broken(candidate: Candidate, facts: &Facts) -> Vec<RuleCode> {
    match consider(candidate, facts) {
        Some(it) => RULES.iter().filter(|rule| (rule.broken)(&it)).map(|rule| rule.code).collect(),
        None => vec![RuleCode::SlotNotAvailable],
    }
}

/// Whether a candidate breaks no rule.
pub fn allowed(candidate: Candidate, facts: &Facts) -> bool {
    consider(candidate, facts).is_some_and(|it| !RULES.iter().any(|rule| (rule.broken)(&it)))
}

fn consider(candidate: Candidate, facts: &Facts) -> Option<Considered<'_>> {
    let counsellor = facts.counsellors.get(&candidate.counsellor_id)?;
    let (site, room) = match candidate.place {
        Place::Remote => (None, None),
        Place::Venue { venue_id, site_id, room_id } => {
            let venue = facts.venues.get(&venue_id)?;
            let room = match room_id {
                Some(id) => Some(venue.rooms.iter().find(|room| room.id == id)?),
                None => None,
            };
            (Some(facts.sites.get(&site_id)?), room)
        }
    };
    Some(Considered { candidate, facts, counsellor, site, room })
}

/// The rule of a code.
pub fn rule(code: RuleCode) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.code == code)
}

impl Facts {
    /// The first room of a venue, in code order, that is free for a while; the first of all when
    /// none is, so that the refusal says so. `None` when the venue lists no rooms.
    pub fn pick_room(&self, venue_id: VenueId, span: Span) -> Option<RoomId> {
        let rooms = &self.venues.get(&venue_id)?.rooms;
        let free = rooms.iter().find(|room| !room.busy.overlap(span) && !room.busy_elsewhere.overlap(span));
        free.or(rooms.first()).map(|room| room.id)
    }

    /// The zone in which a place's local times are meant.
    pub fn zone_of(&self, counsellor_id: CounsellorId, place: Place) -> Option<Tz> {
        match place.site_id() {
            Some(site_id) => self.sites.get(&site_id).map(|site| site.site.zone),
            None => self.counsellors.get(&counsellor_id).map(|it| it.counsellor.zone),
        }
    }
}
