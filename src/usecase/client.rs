//! Clients, cases, and who must not meet whom.

use std::marker::PhantomData;

use uuid::Uuid;

use super::break_glass;
use super::call::{Call, disclosed, traced};
use super::error::{Error, Result};
use super::followup;
use super::link;
use super::noun::{Managed, Written, find, find_own, frozen};
use super::page::Page;
use super::session;
use super::work::{Mutation, Work, mutate};
use super::world::World;
use crate::domain::client::{Case, CaseRole, Client, NoContact};
use crate::domain::code::Side;
use crate::domain::directory::Venue;
use crate::domain::ids::{CaseId, ClientId, Id, NoContactId, SessionId};
use crate::domain::noun::{Noun, Record};
use crate::store::client::Outline;
use crate::store::noun::{Listing, Stored};
use crate::store::session::Of;
use crate::store::{self, Lock, Tx, case, client, client_index, no_contact};

pub use crate::store::client_index::Sought;

impl Managed for Client {
    async fn check(work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        if before.is_some_and(|before| before.erased_at.is_some()) {
            return Err(Error::erased());
        }
        frozen(before.is_none_or(|before| before.side == it.side), "client.side")?;
        frozen(before.is_none_or(|before| before.organisation_id == it.organisation_id), "client.organisation_id")?;
        let Some(venue_id) = it.preferred_venue_id else { return Ok(()) };
        match Venue::find(&mut work.tx, venue_id, Lock::None).await? {
            Some(venue) if Venue::visible(&mut work.tx, &venue, it.organisation_id).await? => Ok(()),
            _ => {
                let says = "must be a venue of the organisation, or a shared one";
                Err(Error::field("client.preferred_venue_id", says))
            }
        }
    }

    /// The age says what a survivor's milestones ask for.
    async fn follow(work: &mut Work<'_>, after: &Record<Self>, before: Option<&Record<Self>>) -> Result<()> {
        match before {
            Some(before) if before.born_on != after.born_on => {
                followup::sessions_changed(work, std::slice::from_ref(&after.id)).await
            }
            _ => Ok(()),
        }
    }

    fn concerns(after: &Record<Self>, before: Option<&Record<Self>>) -> Vec<Of> {
        let rests = |it: &Client| {
            let (availability, languages) = (it.availability.clone(), it.spoken_languages.clone());
            (availability, languages, it.counsellor_gender, it.born_on.clone())
        };
        let same = before.is_none_or(|before| rests(before) == rests(after));
        if same { Vec::new() } else { vec![Of::Client(after.id)] }
    }
}

/// Locks a client of the own organisation of whom a rule fact changes. Bookings read such facts under a share
/// lock of the client's row, so nobody places a session for the client until the change is committed. `word`
/// names what was asked for, when it is not the client.
pub(super) async fn lock_own(work: &mut Work<'_>, id: ClientId, word: &'static str) -> Result<Outline> {
    let outline = client::outline(&mut work.tx, id, Lock::Update).await?.ok_or(Error::NotFound(word))?;
    work.call.manages(Some(outline.organisation_id), word)?;
    if outline.erased {
        return Err(Error::erased());
    }
    work.touched(id.uuid());
    Ok(outline)
}

/// Refuses a client of whom the caller may not know: one of another organisation, and for a counsellor one
/// who is not the counsellor's own, unless the counsellor is let in to read in an emergency.
pub(super) async fn known(work: &mut Work<'_>, id: ClientId) -> Result<Outline> {
    work.touched(id.uuid());
    let call = work.call;
    match known_to(&mut work.tx, call, id).await {
        Err(Error::NotFound(word)) if break_glass::lets_in(work, id).await? => {
            client::outline(&mut work.tx, id, Lock::None).await?.ok_or(Error::NotFound(word))
        }
        known => known,
    }
}

/// As [`known`], for a read that is not audited: to which nobody is let in in an emergency.
pub(super) async fn known_to(tx: &mut Tx, call: &Call, id: ClientId) -> Result<Outline> {
    let outline = client::outline(tx, id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
    call.manages(Some(outline.organisation_id), Client::WORD)?;
    match call.caller().authority.counsellor_id() {
        Some(counsellor_id) if !client::seen_by(tx, id, counsellor_id).await? => Err(Error::NotFound(Client::WORD)),
        _ => Ok(outline),
    }
}

/// Refuses who is another organisation's client by now, though the caller has had sessions with the client.
pub(super) async fn still_own(work: &mut Work<'_>, id: ClientId) -> Result<()> {
    let outline = client::outline(&mut work.tx, id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
    work.call.manages(Some(outline.organisation_id), Client::WORD)
}

/// Whether a session is another organisation's, with a client of whom the caller may know: it had the client before.
pub(super) async fn inherited(work: &mut Work<'_>, session_id: SessionId, id: ClientId) -> Result<bool> {
    let call = work.call;
    match known_to(&mut work.tx, call, id).await {
        Err(Error::NotFound(_)) => Ok(false),
        Err(error) => Err(error),
        Ok(outline) => {
            let session = store::session::find(&mut work.tx, session_id, Lock::None).await?;
            Ok(session.is_some_and(|it| it.organisation_id != outline.organisation_id && it.expects(id)))
        }
    }
}

/// Reads a client, personal data included; the read is audited before it is answered.
pub async fn get_client(world: &World, call: Call, id: ClientId) -> Result<Record<Client>> {
    mutate(world, call, Reveal(id)).await
}

struct Reveal(ClientId);

impl Mutation for Reveal {
    type Answer = Record<Client>;

    async fn run(&self, work: &mut Work<'_>) -> Result<Record<Client>> {
        known(work, self.0).await?;
        find(work, self.0, Lock::None).await
    }

    fn result_id(&self, _answer: &Record<Client>) -> Uuid {
        self.0.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Record<Client>> {
        self.run(work).await
    }
}

/// Lists what belongs to a client of whom the caller may know, personal data included; the read is audited
/// before it is answered.
pub(super) async fn reveal_of<N: Managed>(
    world: &World,
    call: Call,
    client_id: ClientId,
    page: Page,
) -> Result<(Vec<Record<N>>, String)> {
    mutate(world, call, RevealOf::<N>::new(client_id, page)).await
}

/// Opens a page of what belongs to one client.
pub(super) struct RevealOf<N> {
    client_id: ClientId,
    page: Page,
    noun: PhantomData<fn() -> N>,
}

impl<N> RevealOf<N> {
    pub(super) fn new(client_id: ClientId, page: Page) -> Self {
        Self { client_id, page, noun: PhantomData }
    }

    pub(super) fn client_id(&self) -> ClientId {
        self.client_id
    }
}

impl<N: Managed> Mutation for RevealOf<N> {
    type Answer = (Vec<Record<N>>, String);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        known(work, self.client_id).await?;
        let listing = Listing {
            visible_to: work.call.sees()?,
            within: Some(self.client_id.uuid()),
            side: None,
            after: self.page.after(work.world, work.call)?,
            most: i64::try_from(self.page.most()).unwrap_or(i64::MAX),
        };
        let rows = N::list(&mut work.tx, &listing).await?;
        let (rows, next) = self.page.cut(work.world, work.call, rows, |row| row.id.uuid());
        rows.iter().for_each(|row| work.touched(row.id.uuid()));
        Ok((rows, next))
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        self.client_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        self.run(work).await
    }
}

/// Lists clients without personal data: of the organisation, for a counsellor only the own ones; those to whom fits
/// what is sought, if anything is. Such a look-up is audited before it is answered, for it says who somebody is.
pub async fn list_clients(
    world: &World,
    call: &Call,
    side: Option<Side>,
    sought: &Sought,
    page: &Page,
) -> Result<(Vec<Record<Client>>, String)> {
    if sought.is_nobody() {
        let counsellor = call.caller().authority.counsellor_id().map(Id::uuid);
        return super::noun::list(world, call, counsellor, side, page).await;
    }
    let own = call.sees()?.ok_or(Error::Denied)?;
    let after = page.after::<Uuid>(world, call)?;
    let mut tx = world.db().begin_read().await?;
    let found: Vec<_> = client_index::find(&mut tx, own, sought).await?.into_iter().collect();
    let mut rows = client::by_ids(&mut tx, &found).await?;
    rows.retain(|it| side.is_none_or(|side| side == it.side) && after.is_none_or(|after| it.id.uuid() > after));
    rows.sort_by_key(|it| it.id);
    if let Some(counsellor_id) = call.caller().authority.counsellor_id() {
        let mut seen = Vec::new();
        for it in rows {
            if client::seen_by(&mut tx, it.id, counsellor_id).await? {
                seen.push(it);
            }
        }
        rows = seen;
    }
    drop(tx);
    let (rows, next) = page.cut(world, call, rows, |row| row.id.uuid());
    disclosed(world, call, rows.iter().map(|row| row.id.uuid()), ["LOOKED_UP".into()]).await?;
    Ok((rows, next))
}

impl Managed for Case {
    async fn check(_work: &mut Work<'_>, it: &Self, before: Option<&Record<Self>>) -> Result<()> {
        frozen(before.is_none_or(|before| before.joint_key() == it.joint_key()), "case.crime_number")
    }
}

/// Makes a client a party of a case, or takes one out (`role` absent).
pub struct ChangeParty {
    /// The case.
    pub case_id: CaseId,
    /// The case's version last read.
    pub version: i64,
    /// The client.
    pub client_id: ClientId,
    /// What the client is in the case; absent to take the client out.
    pub role: Option<CaseRole>,
}

impl Mutation for ChangeParty {
    type Answer = Written<Case>;

    /// A hold that keeps nothing must not keep a day from a link either.
    async fn before(&self, world: &World) -> Result<()> {
        session::forget_expired(world).await
    }

    async fn run(&self, work: &mut Work<'_>) -> Result<Written<Case>> {
        let before = find_own::<Case>(work, self.case_id, Some(self.version)).await?;
        check_party(work, self.client_id, self.role).await?;
        let mut parties = before.parties.clone();
        parties.retain(|(id, _)| *id != self.client_id);
        parties.extend(self.role.map(|role| (self.client_id, role)));
        let record = write_parties(work, &before, parties).await?;
        Written::of(work, record)
    }

    fn result_id(&self, answer: &Written<Case>) -> Uuid {
        answer.record.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Written<Case>> {
        Written::again(work, result_id).await
    }
}

/// Refuses a client whom the caller does not manage, or whose side does not suit a role.
pub(super) async fn check_party(work: &mut Work<'_>, client_id: ClientId, role: Option<CaseRole>) -> Result<()> {
    work.touched(client_id.uuid());
    let outline = client::outline(&mut work.tx, client_id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
    work.call.manages(Some(outline.organisation_id), Client::WORD)?;
    if role.is_some() && outline.erased {
        return Err(Error::erased());
    }
    if role.is_some_and(|role| role.side() != outline.side) {
        return Err(Error::field("party.role", "must suit the client's side"));
    }
    Ok(())
}

/// Writes who the parties of a case are from now on, inside a request that may do more.
pub(super) async fn write_parties(
    work: &mut Work<'_>,
    before: &Record<Case>,
    parties: Vec<(ClientId, CaseRole)>,
) -> Result<Record<Case>> {
    let link_id = case::link(&mut work.tx, before.id).await?.ok_or(Error::NotFound(Case::WORD))?;
    let is_in = |all: &[(ClientId, CaseRole)], id: ClientId| all.iter().any(|(party, _)| *party == id);
    let all = before.parties.iter().chain(&parties).map(|(id, _)| *id);
    let changed: Vec<_> = all.filter(|id| is_in(&before.parties, *id) != is_in(&parties, *id)).collect();
    link::lock_around(work, &changed, Some(link_id)).await?;
    // Now nobody gives one of them away.
    for id in changed.iter().filter(|id| is_in(&parties, **id)) {
        still_own(work, *id).await?;
    }
    let left: Vec<_> = changed.iter().copied().filter(|id| !is_in(&parties, *id)).collect();
    let mut touched = client::parties(&mut work.tx, link_id).await?;
    touched.extend(&changed);
    link::lock_sessions(work, &touched).await?;
    let content = Case { parties, ..before.content.clone() };
    let after = super::noun::update(work, before, content).await?;
    for client_id in left {
        link::leave(work, link_id, client_id).await?;
    }
    link::settle(work, link_id).await?;
    find(work, after.id, Lock::None).await
}

impl Managed for NoContact {
    /// A hold that keeps nothing must not keep a day from a link either.
    async fn before(world: &World) -> Result<()> {
        session::forget_expired(world).await
    }

    /// A declaration must name somebody else. Two of one side never sit in one group; of two sides, they
    /// never share a site and a day.
    async fn check(work: &mut Work<'_>, it: &Self, _before: Option<&Record<Self>>) -> Result<()> {
        let own =
            client::outline(&mut work.tx, it.client_id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
        let other = client::outline_by_reference(&mut work.tx, &it.other_reference).await?;
        match other {
            Some(other) if other.id == own.id => Err(Error::field("other_reference", "must be somebody else")),
            Some(other) => link::lock_clients(work, vec![own.id, other.id]).await,
            None => Ok(()),
        }
    }

    async fn follow(work: &mut Work<'_>, after: &Record<Self>, _before: Option<&Record<Self>>) -> Result<()> {
        let link_id = no_contact::link_of(after.id);
        let parties = client::parties(&mut work.tx, link_id).await?;
        link::lock_sessions(work, &parties).await?;
        link::settle(work, link_id).await
    }
}

/// Withdraws a declaration.
pub struct WithdrawNoContact {
    /// Which.
    pub id: NoContactId,
    /// The version last read.
    pub version: i64,
}

impl Mutation for WithdrawNoContact {
    type Answer = ();

    async fn run(&self, work: &mut Work<'_>) -> Result<()> {
        find_own::<NoContact>(work, self.id, Some(self.version)).await?;
        let link_id = no_contact::link_of(self.id);
        let parties = client::parties(&mut work.tx, link_id).await?;
        link::lock_clients(work, parties.clone()).await?;
        link::lock_sessions(work, &parties).await?;
        no_contact::delete(&mut work.tx, self.id).await?;
        for party in parties {
            link::leave(work, link_id, party).await?;
        }
        Ok(())
    }

    fn result_id(&self, _answer: &()) -> Uuid {
        self.id.uuid()
    }

    async fn replay(&self, _work: &mut Work<'_>, _result_id: Uuid) -> Result<()> {
        Ok(())
    }
}

/// Lists the declarations made for one client of the own organisation: of no contact, of conflicts.
pub async fn list_declarations<N: Managed>(
    world: &World,
    call: &Call,
    client_id: ClientId,
    page: &Page,
) -> Result<(Vec<Record<N>>, String)> {
    let mut tx = world.db().read_once().await?;
    let own = match client::outline(&mut tx, client_id, Lock::None).await? {
        Some(outline) => call.manages(Some(outline.organisation_id), Client::WORD),
        None => Err(Error::NotFound(Client::WORD)),
    };
    drop(tx);
    traced(world, call, client_id.uuid(), own).await?;
    super::noun::list(world, call, Some(client_id.uuid()), None, page).await
}
