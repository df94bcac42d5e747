//! Slots on the wire: in the answers to searches and in the details of refusals.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::fields::{duration, id_text, timestamp};
use super::pb;
use super::words::Word;
use crate::domain::slots::Slot;

/// An instant in a zone, for people.
pub fn local(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::Secs, false)
}

/// A slot for the wire.
pub fn slot(slot: &Slot) -> pb::Slot {
    pb::Slot {
        counsellor_id: slot.rank.counsellor_id.to_string(),
        venue_id: id_text(slot.place.venue_id()),
        room_id: id_text(slot.place.room_id()),
        modality: slot.place.modality().to_wire(),
        starts_at: timestamp(slot.span.starts_at()),
        length: duration(slot.span.length()),
        zone: slot.zone.name().to_owned(),
        local_start: local(slot.span.starts_at(), slot.zone),
        reasons: slot.reasons.iter().map(|reason| reason.to_wire()).collect(),
    }
}
