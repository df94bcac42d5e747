//! A filled world that is kept: its files, and a list of who and what is in it, so that it is filled once.

use std::path::{Path, PathBuf};

use aftercare::domain::counsellor::Counsellor;
use aftercare::domain::directory::Site;
use aftercare::domain::ids::{ClientId, CounsellorId, OrderId, OrganisationId, RoomId, SessionId, SiteId, VenueId};
use aftercare::domain::reference::Reference;
use aftercare::store::noun::Stored;
use aftercare::store::{Lock, Tx, session};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::database::{Fresh, copy_files};
use super::people::{Known, Ordered, Organisation, People, Seat};
use super::service::Service;
use super::sessions::{Filled, Opening};
use super::{Engine, Error, Options, Result};

/// Written last: what has none is not whole.
const LIST: &str = "world.json";
/// Sessions that are read at once.
const AT_ONCE: usize = 500;

/// Where a world is kept.
pub struct Kept(PathBuf);

/// By what a world is recognised.
#[derive(PartialEq, Serialize, Deserialize)]
struct Key {
    sessions: usize,
    counsellors: u32,
    seed: u64,
    /// Digest of the migrations.
    schema: Vec<u8>,
}

/// Who and what is in it.
#[derive(Serialize, Deserialize)]
struct List {
    key: Key,
    organisations: Vec<(OrganisationId, std::ops::Range<usize>)>,
    seats: Vec<Place>,
    sample: Vec<(usize, SessionId)>,
    treated: Vec<(usize, SessionId, ClientId)>,
    today: Vec<usize>,
    free: Vec<(usize, usize, DateTime<Utc>, bool)>,
    stored: usize,
    digest: [u8; 32],
}

/// A client, and the order that an offender has.
type KeptClient = (ClientId, Reference, Option<(OrderId, Reference)>);

#[derive(Serialize, Deserialize)]
struct Place {
    organisation_id: OrganisationId,
    counsellor_id: CounsellorId,
    site_id: SiteId,
    venue_id: VenueId,
    room_id: RoomId,
    clients: Vec<KeptClient>,
}

impl Kept {
    /// Where the options say, if they do.
    pub fn of(options: &Options) -> Result<Option<Self>> {
        match (&options.keep, options.engine) {
            (None, _) => Ok(None),
            (Some(_), Engine::Postgres) => Err("--keep needs --engine sqlite".into()),
            (Some(directory), Engine::Sqlite) => Ok(Some(Self(directory.clone()))),
        }
    }

    /// Copies the world that is kept, if it is the one that is asked for.
    pub async fn take(&self, options: &Options, fresh: &Fresh) -> Result<Option<(People, Filled)>> {
        let file = self.0.join(LIST);
        if !file.is_file() {
            return Ok(None);
        }
        let list: List = serde_json::from_slice(&std::fs::read(&file)?)?;
        if list.key != key(options)? {
            return Err(format!("{} is another world, or of another schema", self.0.display()).into());
        }
        copy_files(&self.0, fresh.directory.path())?;
        let service = Service::open(fresh, options.seed ^ 0x4e9, super::NOW.parse()?, false).await?;
        let mut tx = service.world.db().begin_read().await?;
        let world = list.read(&mut tx).await?;
        tx.rollback().await?;
        service.stop().await?;
        eprintln!("Took {} sessions from {}", world.1.stored, self.0.display());
        Ok(Some(world))
    }

    /// Keeps a world that nobody has open.
    pub fn keep(&self, options: &Options, fresh: &Fresh, people: &People, filled: &Filled) -> Result<()> {
        std::fs::create_dir_all(&self.0)?;
        copy_files(fresh.directory.path(), &self.0)?;
        let list = List::of(key(options)?, people, filled);
        Ok(std::fs::write(self.0.join(LIST), serde_json::to_vec(&list)?)?)
    }
}

fn key(options: &Options) -> Result<Key> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
    let entries = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut files: Vec<_> = entries.into_iter().filter(|path| path.is_file()).collect();
    files.sort();
    let mut schema = Sha256::new();
    for file in files {
        schema.update(std::fs::read(file)?);
    }
    let schema = schema.finalize().to_vec();
    Ok(Key { sessions: options.sessions, counsellors: options.counsellors, seed: options.seed, schema })
}

impl List {
    fn of(key: Key, people: &People, filled: &Filled) -> Self {
        let known = |it: &Known| {
            (it.id, it.reference.clone(), it.order.as_ref().map(|order| (order.id, order.reference.clone())))
        };
        let place = |seat: &Seat| Place {
            organisation_id: seat.organisation_id,
            counsellor_id: seat.counsellor.id,
            site_id: seat.site.id,
            venue_id: seat.venue_id,
            room_id: seat.room_id,
            clients: seat.clients.iter().map(known).collect(),
        };
        let free = filled.free.iter();
        Self {
            key,
            organisations: people.organisations.iter().map(|it| (it.id, it.seats.clone())).collect(),
            seats: people.seats.iter().map(place).collect(),
            sample: filled.sample.iter().map(|(seat, session)| (*seat, session.id)).collect(),
            treated: filled.treated.clone(),
            today: filled.today.clone(),
            free: free.map(|it| (it.seat, it.client, it.starts_at, it.remote)).collect(),
            stored: filled.stored,
            digest: filled.digest,
        }
    }

    /// The world of the list, what is stored of it read from the database.
    async fn read(self, tx: &mut Tx) -> Result<(People, Filled)> {
        let Self { organisations, seats: places, sample: ids, treated, today, free, stored, digest, .. } = self;
        let mut seats = Vec::new();
        for place in places {
            seats.push(place.read(tx).await?);
        }
        let organisations = organisations.into_iter().map(|(id, seats)| Organisation { id, seats }).collect();
        let mut sample = Vec::new();
        for some in ids.chunks(AT_ONCE) {
            let ids: Vec<_> = some.iter().map(|(_, id)| *id).collect();
            let found = session::by_ids(tx, &ids).await?;
            let mut found: std::collections::BTreeMap<_, _> = found.into_iter().map(|it| (it.id, it)).collect();
            for (seat, id) in some {
                sample.push((*seat, found.remove(id).ok_or("a kept session is gone")?));
            }
        }
        let free = free
            .into_iter()
            .map(|(seat, client, starts_at, remote)| Opening { seat, client, starts_at, remote })
            .collect();
        Ok((People { organisations, seats }, Filled { stored, sample, treated, today, free, digest }))
    }
}

impl Place {
    async fn read(self, tx: &mut Tx) -> Result<Seat> {
        let gone = || Error::from("somebody of a kept world is gone");
        let known = |(id, reference, order): (_, _, Option<(_, _)>)| Known {
            id,
            reference,
            order: order.map(|(id, reference)| Ordered { id, reference }),
        };
        Ok(Seat {
            organisation_id: self.organisation_id,
            counsellor: Counsellor::find(tx, self.counsellor_id, Lock::None).await?.ok_or_else(gone)?.into(),
            site: Site::find(tx, self.site_id, Lock::None).await?.ok_or_else(gone)?,
            venue_id: self.venue_id,
            room_id: self.room_id,
            clients: self.clients.into_iter().map(known).collect(),
        })
    }
}
