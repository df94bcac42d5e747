//! Whom and what a wanted session is about, locked in the order in which everybody locks it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::domain::client::Client;
use crate::domain::code::Side;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Site, Venue};
use crate::domain::guardian::Guardian;
use crate::domain::ids::{ClientId, CounsellorId, LinkId, OrganisationId, VenueId};
use crate::domain::noun::{Noun, Record};
use crate::domain::party::{Attendee, Party};
use crate::domain::place::WantedPlace;
use crate::domain::session::{Session, Wanted};
use crate::store::client::Subject;
use crate::store::noun::Stored;
use crate::store::placement::{self, Claim};
use crate::store::sql::Asked;
use crate::store::{Lock, agreement, client, counsellor, directory, guardian};
use crate::usecase::error::{Error, Result};
use crate::usecase::facts::Directories;
use crate::usecase::link;
use crate::usecase::work::Work;

/// Whom and what a wanted session is about; none of it changes until the transaction ends.
pub struct Scene {
    /// The organisation of all who meet.
    pub organisation_id: OrganisationId,
    /// The side on which it is judged: that of the clients, or of the service when there are none yet.
    pub side: Side,
    /// The clients, as they were asked for.
    pub clients: Vec<Subject>,
    /// What keeps the clients apart from others.
    pub links: BTreeSet<LinkId>,
    /// The counsellors, the one who leads first; never empty.
    pub counsellors: Vec<Arc<Record<Counsellor>>>,
    /// The site; none when remote.
    pub site: Option<Arc<Record<Site>>>,
    /// What the rules look at of the organisation and of the place.
    pub directories: Directories,
}

impl Scene {
    /// The zone in which the local times of what is wanted are meant.
    pub fn zone(&self) -> Tz {
        self.site.as_ref().map_or_else(|| self.counsellors[0].zone, |site| site.zone)
    }
}

impl Wanted {
    /// Locks clients, counsellors, venue, site and agreements, in this order, and checks that the caller may use them.
    pub async fn scene(&self, work: &mut Work<'_>) -> Result<Scene> {
        let clients = clients(work, &self.party.participants).await?;
        // Links change under the locks of their parties alone.
        let ids: Vec<ClientId> = clients.iter().map(|it| it.id).collect();
        let links: Vec<_> = ids.iter().map(|id| client::links(&mut work.tx, *id)).collect();
        let counsellors = self.lock_counsellors(work);
        let owners = self.lock_place(work);
        let links = link::answered(work, links).await?;
        let found = work.tx.answer(counsellors).await?;
        let organisation_id = self.check_counsellors(work, &found, clients.first().map(|it| it.organisation_id))?;
        let owners = match owners {
            Some(owners) => Some(work.tx.answer(owners).await?.ok_or(Error::NotFound(Venue::WORD))?),
            None => None,
        };
        agreement::hold(&mut work.tx, organisation_id).await?;
        // Read after everything is locked: see `facts::memory`.
        let organisations = owners.into_iter().flat_map(|(of_venue, of_site)| [of_venue, of_site]);
        let organisations = organisations.chain([organisation_id]);
        let directories = Directories::of(work.world, &mut work.tx, organisations).await?;
        let counsellors = self.counsellors(&directories)?;
        let side = clients.first().map(|it| it.side).or(self.service.side()).unwrap_or(counsellors[0].side);
        let site = self.site(&directories, organisation_id)?;
        check_guardians(work, &self.party).await?;
        Ok(Scene { organisation_id, side, clients, links, counsellors, site, directories })
    }

    fn lock_counsellors(&self, work: &mut Work<'_>) -> Asked<Vec<(CounsellorId, OrganisationId)>> {
        counsellor::lock(&mut work.tx, &self.party.counsellors(self.counsellor_id).collect())
    }

    /// Locks a venue and its site; asks whose they are.
    fn lock_place(&self, work: &mut Work<'_>) -> Option<Asked<Option<(OrganisationId, OrganisationId)>>> {
        let WantedPlace::Venue(venue_id, _) = self.place else { return None };
        Some(directory::hold_venue(&mut work.tx, venue_id))
    }

    /// The organisation of the counsellors, which is that of the clients.
    fn check_counsellors(
        &self,
        work: &Work<'_>,
        found: &[(CounsellorId, OrganisationId)],
        within: Option<OrganisationId>,
    ) -> Result<OrganisationId> {
        let not_found = || Error::NotFound(Counsellor::WORD);
        let ids: BTreeSet<CounsellorId> = self.party.counsellors(self.counsellor_id).collect();
        for (_, organisation_id) in found {
            work.call.manages(Some(*organisation_id), Counsellor::WORD)?;
        }
        let (_, first) = found.first().ok_or_else(not_found)?;
        let within = within.unwrap_or(*first);
        let all = found.len() == ids.len() && found.iter().all(|(_, of)| *of == within);
        if all { Ok(within) } else { Err(not_found()) }
    }

    /// The counsellors, the one who leads first.
    fn counsellors(&self, directories: &Directories) -> Result<Vec<Arc<Record<Counsellor>>>> {
        let ids: BTreeSet<CounsellorId> = self.party.counsellors(self.counsellor_id).collect();
        let found = ids.into_iter().map(|id| directories.counsellor(id).cloned());
        let mut all: Vec<_> = found.collect::<Option<_>>().ok_or(Error::NotFound(Counsellor::WORD))?;
        all.sort_by_key(|it| it.id != self.counsellor_id);
        Ok(all)
    }

    fn site(&self, directories: &Directories, by: OrganisationId) -> Result<Option<Arc<Record<Site>>>> {
        let WantedPlace::Venue(venue_id, _) = self.place else { return Ok(None) };
        let venue = directories.venue(venue_id).filter(|it| it.shared || it.organisation_id == by);
        let site = venue.and_then(|it| directories.site(it.site_id));
        Ok(Some(site.ok_or(Error::NotFound(Venue::WORD))?.clone()))
    }
}

/// Locks counsellors, venues and sites of several sessions, each kind at once and in the order of their ids,
/// so that their scenes wait for nobody. Their clients must be locked.
pub async fn lock_scenes(work: &mut Work<'_>, all: &[Wanted]) -> Result<()> {
    let counsellors: BTreeSet<CounsellorId> =
        all.iter().flat_map(|it| it.party.counsellors(it.counsellor_id)).collect();
    work.tx.tell(|tx| counsellor::lock(tx, &counsellors)).await?;
    let venues: BTreeSet<VenueId> = all
        .iter()
        .filter_map(|it| match it.place {
            WantedPlace::Remote => None,
            WantedPlace::Venue(venue_id, _) => Some(venue_id),
        })
        .collect();
    let mut sites = BTreeSet::new();
    for id in venues {
        sites.extend(Venue::find(&mut work.tx, id, Lock::Share).await?.map(|venue| venue.site_id));
    }
    for id in sites {
        Site::find(&mut work.tx, id, Lock::Share).await?;
    }
    Ok(())
}

/// The clients, all of one organisation, in the order asked for; locked in the order of their ids.
pub async fn clients(work: &mut Work<'_>, wanted: &[Attendee]) -> Result<Vec<Subject>> {
    let not_found = || Error::NotFound(Client::WORD);
    let ids: BTreeSet<ClientId> = wanted.iter().map(|it| it.client_id).collect();
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let found = client::subject(&mut work.tx, id, Lock::Share).await?.ok_or_else(not_found)?;
        work.call.manages(Some(found.organisation_id), Client::WORD)?;
        if found.outline.erased {
            return Err(Error::erased());
        }
        all.push(found);
    }
    if all.iter().any(|it| it.organisation_id != all[0].organisation_id) {
        return Err(not_found());
    }
    all.sort_by_key(|it| wanted.iter().position(|one| one.client_id == it.id));
    Ok(all)
}

async fn check_guardians(work: &mut Work<'_>, party: &Party) -> Result<()> {
    for one in &party.participants {
        check_guardian(work, one).await?;
    }
    Ok(())
}

/// Refuses a guardian who is none of the client's, as if there were none.
pub async fn check_guardian(work: &mut Work<'_>, one: &Attendee) -> Result<()> {
    if let Some(id) = one.guardian_id {
        let guardians = work.tx.tell(|tx| guardian::of_client(tx, one.client_id)).await?;
        guardians.iter().find(|(own, _)| *own == id).ok_or(Error::NotFound(Guardian::WORD))?;
    }
    Ok(())
}

impl Scene {
    /// Claims time and place of a session that is written already, with the next statement.
    pub fn take(&self, work: &mut Work<'_>, session: &Session) {
        let separation_gap_for = self.site.as_ref().map_or(TimeDelta::zero(), |site| site.separation_gap_for);
        let claim = Claim { session, counsellors: &self.counsellors, separation_gap_for, links: &self.links };
        placement::claim(&mut work.tx, &claim);
    }
}
