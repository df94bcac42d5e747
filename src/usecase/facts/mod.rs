//! Loads what the booking rules look at: for one candidate or for a whole search, by one loader,
//! so that both see the same world.

mod client;
mod directory;
mod ground;
mod memory;
mod taken;
mod visits;
mod worked;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

pub use self::client::{AskedKnown, Known};
pub use self::directory::Directories;
use self::ground::Ground;
pub use self::memory::Memory;
use self::taken::{AskedTaken, Taken};
pub use self::visits::{FEW_COUNSELLORS, loads_on};
use super::error::Result;
use crate::domain::agreement::Agreement;
use crate::domain::code::{Modality, Side};
use crate::domain::counsellor::Counsellor;
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId, SessionId, VenueId};
use crate::domain::noun::Record;
use crate::domain::rules::{CounsellorFacts, Facts, Occasion, Policy};
use crate::domain::text::Code;
use crate::domain::time::{Span, days_around};
use crate::store::Tx;
use crate::store::client::Subject;

/// What to load.
#[derive(Clone)]
pub struct Ask<'a> {
    /// The present.
    pub now: DateTime<Utc>,
    /// The organisation of all who meet.
    pub organisation_id: OrganisationId,
    /// The side of all who meet.
    pub side: Side,
    /// The clients; a group may have none yet.
    pub clients: &'a [Subject],
    /// Whether somebody has looked, and nothing keeps the clients apart from others.
    pub unlinked: bool,
    /// What does not change with sessions.
    pub directories: &'a Directories,
    /// The counsellors in question.
    pub counsellors: Vec<&'a Arc<Record<Counsellor>>>,
    /// Which places.
    pub places: Places,
    /// Only places of this district.
    pub district: Option<&'a Code>,
    /// When.
    pub around: Span,
    /// What this session takes counts as free.
    pub except: Option<SessionId>,
    /// What is judged by the facts.
    pub occasion: Occasion,
}

/// Which places to load.
#[derive(Clone, Debug)]
pub enum Places {
    /// These venues, and remote or not.
    These(Vec<VenueId>, bool),
    /// The venues of the organisation, those in the counsellors' timetables, and remote; or only one
    /// modality of these.
    All(Option<Modality>),
}

impl Places {
    /// No venue.
    pub const REMOTE: Self = Self::These(Vec::new(), true);

    /// One venue, and nothing remote.
    pub fn venue(id: VenueId) -> Self {
        Self::These(vec![id], false)
    }

    fn remote(&self) -> bool {
        match self {
            Self::These(_, remote) => *remote,
            Self::All(modality) => *modality != Some(Modality::InPerson),
        }
    }
}

impl Ask<'_> {
    /// How far beyond an interval a session of one of the counsellors can be that bears on one inside it.
    fn reach(&self) -> TimeDelta {
        let reach = |it: &&Arc<Record<Counsellor>>| (it.buffer_before_for + it.buffer_after_for).max(it.travel_for);
        self.counsellors.iter().map(reach).max().unwrap_or_default()
    }
}

/// Loads the facts.
pub async fn load(tx: &mut Tx, ask: Ask<'_>) -> Result<Facts> {
    let ids: Vec<ClientId> = ask.clients.iter().map(|it| it.id).collect();
    // Everything is asked for before anything is answered; of links, what `ask` says is known already.
    let known = AskedKnown::without_links(tx, &ids, ask.around);
    let ground = Ground::of(&ask);
    let taken = AskedTaken::ask(tx, &ask, &ground, !ask.unlinked);
    let known = known.answer(tx).await?;
    let taken = taken.answer(tx, &ask).await?;
    assemble(&ask, &ground, &known, &taken)
}

/// Loads the facts where what is known of the clients is at hand.
pub async fn load_taken(tx: &mut Tx, ask: &Ask<'_>, known: &Known) -> Result<Facts> {
    let ground = Ground::of(ask);
    let taken = AskedTaken::ask(tx, ask, &ground, known.linked).answer(tx, ask).await?;
    assemble(ask, &ground, known, &taken)
}

/// The facts but for what other sessions take.
pub fn untaken(ask: &Ask<'_>, known: &Known) -> Result<Facts> {
    assemble(ask, &Ground::of(ask), known, &Taken::default())
}

fn assemble(ask: &Ask<'_>, ground: &Ground<'_>, known: &Known, taken: &Taken) -> Result<Facts> {
    let organisation = ask.directories.organisation(ask.organisation_id)?;
    let sites = ground.site_facts(ask, taken);
    let counsellors = counsellor_facts(ask, ground, taken);
    Ok(Facts {
        now: ask.now,
        within: taken.within,
        policy: Policy { notice_for: organisation.notice_for, horizon_for: organisation.horizon_for },
        side: ask.side,
        clients: known.facts(ask, taken, &counsellors, &sites),
        apart: known.apart.clone(),
        agreements: agreements(ask),
        counsellors,
        venues: ground.venue_facts(ask, taken),
        sites,
    })
}

/// The agreements that are in force on some day in question.
fn agreements(ask: &Ask<'_>) -> Vec<Agreement> {
    // The local day may be another than the UTC day, by one.
    let (first, last) = (days_around(ask.around).next(), days_around(ask.around).last());
    let Some((first, last)) = first.zip(last) else { return Vec::new() };
    let in_force = |it: &&Agreement| it.valid_from <= last && it.valid_until.is_none_or(|until| until >= first);
    ask.directories.agreements(ask.organisation_id).filter(in_force).cloned().collect()
}

/// From when on a hold counts against others: not at all against what stands, because it may never
/// become a session.
fn holds_after(ask: &Ask<'_>) -> DateTime<Utc> {
    if ask.occasion == Occasion::Standing { ask.now + TimeDelta::days(1) } else { ask.now }
}

fn counsellor_facts(ask: &Ask<'_>, ground: &Ground<'_>, taken: &Taken) -> BTreeMap<CounsellorId, CounsellorFacts> {
    let reach = ask.around.padded(ask.reach(), ask.reach());
    let visits = &taken.visits;
    let sites = ground.sites.keys().filter(|_| taken.within.is_some());
    let facts = |record: &&Arc<Record<Counsellor>>| {
        let loads = visits.loads(record);
        let leave = ask.directories.leave(record.id).iter().filter(|span| span.overlaps(reach));
        let facts = CounsellorFacts {
            counsellor: Arc::clone(record),
            busy: taken.of(record.id.0),
            leave: leave.copied().collect(),
            sessions_on: loads.on,
            sessions_in_week: loads.in_week,
            elsewhere: sites.clone().map(|id| (*id, visits.elsewhere(record, *id))).collect(),
            working: ground.working(ask, record),
        };
        (record.id, facts)
    };
    ask.counsellors.iter().map(facts).collect()
}
