//! Who is in the world: organisations with sites, counsellors and clients, written by the use
//! cases that the service itself runs.

mod followed;
mod found;

use std::ops::Range;
use std::sync::Arc;

use aftercare::domain::code::{Modality, Side};
use aftercare::domain::counsellor::Counsellor;
use aftercare::domain::directory::Site;
use aftercare::domain::ids::{ClientId, OrderId, OrganisationId, RoomId, VenueId};
use aftercare::domain::noun::Record;
use aftercare::domain::reference::Reference;
use aftercare::domain::text::Code;
use aftercare::usecase::{Call, mutate};
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

use self::followed::Followed;
use self::found::Found;
use super::service::Service;
use super::{Options, Result};

/// When everything was founded.
pub const FOUNDED: NaiveDate = NaiveDate::from_ymd_opt(2001, 1, 1).unwrap();
/// The zone of everything.
pub const ZONE: Tz = chrono_tz::Asia::Kolkata;
/// How many clients each counsellor has.
pub const CLIENTS: usize = 20;
/// How many survivors' counsellors share a site: one room each.
pub const AT_ONE_SITE: usize = 10;
/// Survivors' counsellors of the smaller organisations, where the largest has more.
const SMALLER: [u32; 2] = [200, 20];
/// How long orders and follow-up last before the present.
pub const CARED_FOR: TimeDelta = TimeDelta::weeks(52);

/// Everybody.
pub struct People {
    /// The largest organisation first.
    pub organisations: Vec<Organisation>,
    /// Every counsellor with what belongs to them; those of one organisation are neighbours.
    pub seats: Vec<Seat>,
}

/// An organisation.
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// Its counsellors, by their place in [`People::seats`].
    pub seats: Range<usize>,
}

/// A counsellor, a room, and the clients who come there.
pub struct Seat {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// The counsellor.
    pub counsellor: Arc<Record<Counsellor>>,
    /// The site of the room.
    pub site: Record<Site>,
    /// The venue of the room.
    pub venue_id: VenueId,
    /// The room, which nobody else of this side uses.
    pub room_id: RoomId,
    /// Clients of this counsellor alone.
    pub clients: Vec<Known>,
}

/// What is known of a client.
pub struct Known {
    /// The id.
    pub id: ClientId,
    /// The reference code.
    pub reference: Reference,
    /// The treatment order that an offender is under.
    pub order: Option<Ordered>,
}

/// A treatment order.
#[derive(Clone)]
pub struct Ordered {
    /// The id.
    pub id: OrderId,
    /// The reference code, by which police ask.
    pub reference: Reference,
}

impl Seat {
    /// The side.
    pub fn side(&self) -> Side {
        self.counsellor.side
    }

    /// The client who is followed up; survivors' counsellors have one each.
    pub fn followed(&self) -> Option<&Known> {
        self.clients.last().filter(|_| self.side() == Side::Survivor)
    }

    /// Whether the counsellor also works on Saturdays, anywhere and by telephone.
    pub fn on_saturdays(&self) -> bool {
        self.counsellor.modalities.contains(&Modality::Remote)
    }
}

impl Organisation {
    /// Its counsellors of one side, by their place in [`People::seats`].
    pub fn of_side(&self, people: &People, side: Side) -> Vec<usize> {
        self.seats.clone().filter(|seat| people.seats[*seat].side() == side).collect()
    }
}

impl People {
    /// The organisation of a counsellor, by its place in [`People::organisations`].
    pub fn organisation_of(&self, seat: usize) -> usize {
        self.organisations.iter().take_while(|it| it.seats.end <= seat).count()
    }
}

/// Creates everybody, long before the first session.
pub async fn create(service: &Service, options: &Options, now: DateTime<Utc>) -> Result<People> {
    let mut people = People { organisations: Vec::new(), seats: Vec::new() };
    service.clock.set(FOUNDED.and_time(NaiveTime::MIN).and_utc());
    let begun_at = now - CARED_FOR;
    for (number, counsellors) in sizes(options.counsellors).into_iter().enumerate() {
        eprintln!("Creating an organisation with {counsellors} counsellors for survivors");
        let found = Found { number, counsellors: counsellors as usize, ordered_on: begun_at.date_naive() };
        let (id, seats) = mutate(&service.world, Call::of_program("load"), found).await?;
        let first = people.seats.len();
        people.seats.extend(seats);
        people.organisations.push(Organisation { id, seats: first..people.seats.len() });
    }
    service.clock.set(begun_at);
    let followed = people.seats.iter().filter_map(|seat| Some((seat.followed()?.id, seat.counsellor.id)));
    mutate(&service.world, Call::of_program("load"), Followed(followed.collect())).await?;
    Ok(people)
}

/// How many survivors' counsellors each organisation has; there are always two organisations.
fn sizes(largest: u32) -> Vec<u32> {
    let smaller = SMALLER.into_iter().filter(|size| *size < largest);
    let sizes: Vec<_> = std::iter::once(largest).chain(smaller).collect();
    if sizes.len() == 1 { vec![largest; 2] } else { sizes }
}

/// The district of everything.
pub fn district() -> Code {
    Code::parse("KL-TVM").unwrap()
}
