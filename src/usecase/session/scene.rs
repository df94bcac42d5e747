//! Whom and what a wanted session is about, locked in the order in which everybody locks it.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::domain::client::Client;
use crate::domain::code::Side;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Site, Venue};
use crate::domain::guardian::Guardian;
use crate::domain::ids::{ClientId, CounsellorId, OrganisationId, VenueId};
use crate::domain::noun::{Noun, Record};
use crate::domain::party::{Attendee, Party};
use crate::domain::place::WantedPlace;
use crate::domain::session::{Session, Wanted};
use crate::store::client::Subject;
use crate::store::noun::Stored;
use crate::store::placement::{self, Claim};
use crate::store::{Lock, client, guardian};
use crate::usecase::error::{Error, Result};
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
    /// The counsellors, the one who leads first; never empty.
    pub counsellors: Vec<Record<Counsellor>>,
    /// The site; none when remote.
    pub site: Option<Record<Site>>,
}

impl Scene {
    /// The zone in which the local times of what is wanted are meant.
    pub fn zone(&self) -> Tz {
        self.site.as_ref().map_or_else(|| self.counsellors[0].zone, |site| site.zone)
    }
}

impl Wanted {
    /// Locks clients, counsellors, venue and site, in this order, and checks that the caller may use them.
    pub async fn scene(&self, work: &mut Work<'_>) -> Result<Scene> {
        let clients = clients(work, &self.party.participants).await?;
        let of_clients = clients.first().map(|it| it.organisation_id);
        let counsellors = self.counsellors(work, of_clients).await?;
        let lead = counsellors.first().ok_or(Error::NotFound(Counsellor::WORD))?;
        let of_service = self.service.side().unwrap_or(lead.side);
        let (organisation_id, side) = (lead.organisation_id, clients.first().map_or(of_service, |it| it.side));
        let site = site(work, self.place, organisation_id).await?;
        check_guardians(work, &self.party).await?;
        Ok(Scene { organisation_id, side, clients, counsellors, site })
    }

    /// The counsellors, all of one organisation; locked in the order of their ids.
    async fn counsellors(
        &self,
        work: &mut Work<'_>,
        mut within: Option<OrganisationId>,
    ) -> Result<Vec<Record<Counsellor>>> {
        let not_found = || Error::NotFound(Counsellor::WORD);
        let ids: BTreeSet<CounsellorId> = self.party.counsellors(self.counsellor_id).collect();
        let mut all = Vec::with_capacity(ids.len());
        for id in ids {
            // Not a share lock: limits and travel rest on the counsellor's other sessions, and no constraint holds them.
            let counsellor = Counsellor::find(&mut work.tx, id, Lock::Update).await?.ok_or_else(not_found)?;
            work.call.manages(Some(counsellor.organisation_id), Counsellor::WORD)?;
            if *within.get_or_insert(counsellor.organisation_id) != counsellor.organisation_id {
                return Err(not_found());
            }
            all.push(counsellor);
        }
        all.sort_by_key(|it| it.id != self.counsellor_id);
        Ok(all)
    }
}

/// Locks counsellors, venues and sites of several sessions, each kind at once and in the order of their ids,
/// so that their scenes wait for nobody. Their clients must be locked.
pub async fn lock_scenes(work: &mut Work<'_>, all: &[Wanted]) -> Result<()> {
    let counsellors: BTreeSet<CounsellorId> =
        all.iter().flat_map(|it| it.party.counsellors(it.counsellor_id)).collect();
    for id in counsellors {
        Counsellor::find(&mut work.tx, id, Lock::Update).await?;
    }
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

async fn site(work: &mut Work<'_>, place: WantedPlace, by: OrganisationId) -> Result<Option<Record<Site>>> {
    let WantedPlace::Venue(venue_id, _) = place else { return Ok(None) };
    let not_found = || Error::NotFound(Venue::WORD);
    let venue = Venue::find(&mut work.tx, venue_id, Lock::Share).await?.ok_or_else(not_found)?;
    if !Venue::visible(&mut work.tx, &venue, by).await? {
        return Err(not_found());
    }
    Site::find(&mut work.tx, venue.site_id, Lock::Share).await?.ok_or_else(not_found).map(Some)
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
        let guardians = guardian::of_client(&mut work.tx, one.client_id).await?;
        guardians.iter().find(|(own, _)| *own == id).ok_or(Error::NotFound(Guardian::WORD))?;
    }
    Ok(())
}

impl Scene {
    /// Claims time and place of a session that is written already.
    pub async fn take(&self, work: &mut Work<'_>, session: &Session) -> Result<()> {
        let links = link::of(work, &session.clients()).await?;
        let separation_gap_for = self.site.as_ref().map_or(TimeDelta::zero(), |site| site.separation_gap_for);
        let claim = Claim { session, counsellors: &self.counsellors, separation_gap_for, links: &links };
        Ok(placement::claim(&mut work.tx, &claim).await?)
    }
}
