//! The booking of programmes on the wire.

use tonic::Request;

use super::Scheduling;
use super::series::{declined_pb, on_closure, series_pb, time};
use super::wire::{overrides, place, who};
use crate::domain::series::Fit;
use crate::domain::time::{Day, DayTime};
use crate::grpc::fields::{Fields, open_mutation};
use crate::grpc::pb;
use crate::usecase::error::Result;
use crate::usecase::session as usecase;
use crate::usecase::session::ScheduleProgramme;

/// The most slots of a week: one in the morning and one in the afternoon of each day \[P\].
const MOST_SLOTS: usize = 14;

impl Scheduling {
    pub(super) async fn schedule_programme(
        &self,
        request: Request<pb::ScheduleProgrammeRequest>,
    ) -> Result<pb::ScheduleProgrammeResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let programme_id = f.id("programme_id", &pb.programme_id);
        let version = match pb.programme_version {
            0 => Some(None),
            version if version > 0 => Some(Some(version)),
            _ => f.wrong("programme_version", "must be a version, or 0 for the newest"),
        };
        let who = who(&mut f, &asked(&pb));
        let place = place(&mut f, pb.modality, &pb.venue_id, &pb.room_id);
        let first_on = f.date("first_date", pb.first_date.as_ref());
        let week = week(&mut f, &pb.week);
        let fit = f.word::<Fit>("mode", pb.mode);
        let on_closure = on_closure(&mut f, pb.on_closure, pb.shift_within_days);
        let overrides = overrides(&mut f, &pb.overrides);
        let schedule = f.finish(|| {
            let (counsellor_id, party) = who?;
            Some(ScheduleProgramme {
                programme_id: programme_id?,
                version: version?,
                counsellor_id,
                party,
                place: place?,
                first_on: first_on?,
                week: week?,
                fit: fit?,
                on_closure: on_closure?,
                overrides: overrides?,
            })
        })?;
        let placed = usecase::place_series(&self.world, call, schedule).await?;
        Ok(pb::ScheduleProgrammeResponse {
            series: Some(series_pb(&placed.view)),
            refused: placed.declined.iter().map(declined_pb).collect(),
        })
    }
}

fn asked(pb: &pb::ScheduleProgrammeRequest) -> pb::BookSessionRequest {
    pb::BookSessionRequest {
        client_id: pb.client_id.clone(),
        counsellor_id: pb.counsellor_id.clone(),
        guardian_id: pb.guardian_id.clone(),
        interpreter: pb.interpreter,
        order_id: pb.order_id.clone(),
        group: pb.group.clone(),
        ..Default::default()
    }
}

/// Weekly slots, each once.
fn week(f: &mut Fields, all: &[pb::WeeklySlot]) -> Option<Vec<(Day, DayTime)>> {
    if !(1..=MOST_SLOTS).contains(&all.len()) {
        return f.wrong("week", format!("must be 1 to {MOST_SLOTS} slots"));
    }
    let read = all.iter().enumerate().map(|(at, slot)| {
        let day = f.word::<Day>(&format!("week[{at}].day"), slot.day);
        let time = time(f, &format!("week[{at}].time"), slot.time.as_ref());
        day.zip(time)
    });
    let read: Vec<_> = read.collect();
    let read: Vec<_> = read.into_iter().collect::<Option<_>>()?;
    match read.iter().enumerate().find(|(at, slot)| read[..*at].contains(slot)) {
        Some((at, _)) => f.wrong(&format!("week[{at}]"), "must not repeat a slot"),
        None => Some(read),
    }
}
