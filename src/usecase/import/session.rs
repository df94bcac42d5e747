//! What the rows about coming sessions say, placed by the very rules by which the service books.

use std::collections::HashMap;

use chrono::{NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::cells::Cells;
use super::known::{Known, Target};
use super::report::{Done, LeftOut};
use super::run::{Run, Seen, is_fresh, pinned};
use super::sheet::Shape;
use crate::domain::code::{CareService, Modality};
use crate::domain::directory::{Room, Site, Venue};
use crate::domain::ids::{ClientId, CounsellorId, Id, OrganisationId, RoomId, VenueId};
use crate::domain::noun::Noun;
use crate::domain::party::{Attendee, Party};
use crate::domain::personal::Personal;
use crate::domain::place::WantedPlace;
use crate::domain::rules::RuleCode;
use crate::domain::session::{LONGEST, Override, SHORTEST, Wanted};
use crate::domain::text::Code;
use crate::domain::time::{Span, resolve};
use crate::store::noun::{Keyed, Stored};
use crate::store::session::{Listing, list};
use crate::store::{Lock, Tx};
use crate::usecase::error::{Error, Result};
use crate::usecase::session::{WORD, book};

/// What the file of sessions looks like.
pub const SESSIONS: &Shape = &Shape {
    file: "sessions.csv",
    columns: &["organisation", "client", "counsellor", "service", "modality", "venue", "room", "starts_at", "minutes"],
};
const KEY: &[&str] = &["organisation", "client", "starts_at"];
const REFERENCES: &[(&str, Target)] = &[
    ("organisation", Target::Organisation),
    ("client", Target::Client),
    ("counsellor", Target::Counsellor),
    ("venue", Target::Venue),
];

/// Why soft rules may be broken: somebody decided so before there was this service.
const REASON: &str = "moved over from the organisation's own records";

/// A row about a session, its times still civil and its room still a code.
pub struct SessionRow {
    client_id: ClientId,
    counsellor_id: CounsellorId,
    service: CareService,
    venue_id: Option<VenueId>,
    room: Option<Code>,
    starts_at: NaiveDateTime,
    length: TimeDelta,
}

/// Reads a row about a session.
pub fn read_session(cells: &mut Cells<'_>, known: &Known) -> Option<SessionRow> {
    let organisation: Option<OrganisationId> = cells.refer("organisation", known);
    let client_id = cells.refer("client", known);
    let counsellor_id = cells.refer("counsellor", known);
    let service = cells.word("service");
    let modality = cells.word("modality");
    let venue_id = cells.maybe_refer("venue", known);
    let room = cells.maybe("room", Code::parse);
    let starts_at = cells.civil("starts_at");
    let length = cells.length("minutes", SHORTEST..=LONGEST);
    check_place(cells, modality);
    cells.finish(|| {
        organisation.and(Some(SessionRow {
            client_id: client_id?,
            counsellor_id: counsellor_id?,
            service: service?,
            venue_id: venue_id?,
            room: room?,
            starts_at: starts_at?,
            length: length?,
        }))
    })
}

/// A venue is named exactly where people meet, and a room only at a venue.
fn check_place(cells: &mut Cells<'_>, modality: Option<Modality>) {
    let named = |column| !cells.text(column).is_empty();
    let (venue, room) = (named("venue"), named("room"));
    match modality {
        Some(Modality::InPerson) if !venue => {
            cells.wrong::<()>("venue", "must name the venue, as people meet in person");
        }
        Some(Modality::Remote) => {
            for column in [("venue", venue), ("room", room)].into_iter().filter(|it| it.1) {
                cells.wrong::<()>(column.0, "must be empty, as people do not meet in person");
            }
        }
        Some(Modality::InPerson) | None => {}
    }
}

/// Zones of venues.
type Zones = HashMap<VenueId, Tz>;

impl Run<'_, '_> {
    /// Books the sessions that are not stored yet. A session is known by its client and start; one that is
    /// stored stays as it is, whatever has become of it. What a hard rule forbids is left out and reported.
    pub(super) async fn sessions(&mut self) -> Result<()> {
        let (mut seen, mut zones) = (Seen::new(), Zones::new());
        for (line, record) in self.rows(SESSIONS) {
            let mut cells = self.cells(line, record, REFERENCES).await?;
            let key = cells.key(KEY);
            let fresh = is_fresh(&mut seen, &key, &mut cells, KEY);
            self.look_up_zone(&cells).await?;
            if let Some(row) = read_session(&mut cells, &self.known).filter(|_| fresh) {
                self.session(&mut cells, &mut zones, &key, row).await?;
            }
            self.problems.extend(cells.take_problems());
        }
        Ok(())
    }

    async fn session(&mut self, cells: &mut Cells<'_>, zones: &mut Zones, key: &str, row: SessionRow) -> Result<()> {
        let Some(zone) = self.zone_of(zones, &row).await? else { return Ok(()) };
        let Some(span) = Span::lasting(resolve(row.starts_at, zone), row.length) else { return Ok(()) };
        if !self.is_created(row.client_id.0) && is_stored(&mut self.work.tx, row.client_id, span).await? {
            self.report.note(WORD, key, Done::Unchanged);
            return Ok(());
        }
        let place = match (row.venue_id, &row.room) {
            (None, _) => WantedPlace::Remote,
            (Some(venue_id), None) => WantedPlace::Venue(venue_id, None),
            (Some(venue_id), Some(room)) => match room_of(&mut self.work.tx, venue_id, room).await? {
                Some(room_id) => WantedPlace::Venue(venue_id, Some(room_id)),
                None => {
                    cells.wrong::<()>("room", "must be the code of a room of the venue");
                    return Ok(());
                }
            },
        };
        // Whoever is wrong elsewhere is not placed: nothing will be.
        if !self.problems.is_empty() {
            return Ok(());
        }
        match book(self.work, &wanted(&row, place, span)).await {
            Ok(session) => {
                self.work.touched(session.id.uuid());
                self.report.note(WORD, key, Done::Created);
            }
            Err(Error::Refused(refusal)) => {
                let place = cells.line().problem("", "").place();
                self.report.left_out.push(LeftOut { place, rules: refusal.broken });
            }
            Err(Error::NotFound(Venue::WORD)) => {
                cells.wrong::<()>("venue", "must be a venue of the organisation, or a shared one");
            }
            Err(error) => self.problems.extend(pinned(cells.line(), error)?),
        }
        Ok(())
    }

    /// The zone in which the times of a row are meant: that of the place, or of the counsellor when remote.
    async fn zone_of(&mut self, zones: &mut Zones, row: &SessionRow) -> Result<Option<Tz>> {
        let Some(venue_id) = row.venue_id else { return Ok(self.known.zones.get(&row.counsellor_id).copied()) };
        if let Some(zone) = zones.get(&venue_id) {
            return Ok(Some(*zone));
        }
        let Some(venue) = Venue::find(&mut self.work.tx, venue_id, Lock::None).await? else { return Ok(None) };
        let site = Site::find(&mut self.work.tx, venue.site_id, Lock::None).await?;
        Ok(site.map(|site| *zones.entry(venue_id).or_insert(site.zone)))
    }
}

fn wanted(row: &SessionRow, place: WantedPlace, span: Span) -> Wanted {
    let soft = RuleCode::ALL.iter().copied().filter(|rule| rule.is_soft());
    Wanted {
        counsellor_id: row.counsellor_id,
        party: Party::one_to_one(Attendee {
            client_id: row.client_id,
            guardian_id: None,
            interpreter: false,
            order_id: None,
        }),
        service: row.service,
        place,
        span,
        occurrence: None,
        milestone_id: None,
        overrides: soft.map(|rule| Override { rule, reason: Personal::new(REASON.into()) }).collect(),
    }
}

async fn is_stored(tx: &mut Tx, client_id: ClientId, span: Span) -> Result<bool> {
    let listing = Listing {
        client_id: Some(client_id),
        starts_from: Some(span.starts_at()),
        starts_before: Some(span.starts_at() + TimeDelta::minutes(1)),
        most: 1,
        ..Listing::default()
    };
    Ok(!list(tx, &listing).await?.is_empty())
}

async fn room_of(tx: &mut Tx, venue_id: VenueId, code: &Code) -> Result<Option<RoomId>> {
    Ok(Room::find_by_code(tx, venue_id.0, code.as_str()).await?.map(|room| room.id))
}
