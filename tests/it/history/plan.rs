//! What somebody does next, of what is known so far.

use aftercare::grpc::pb;
use chrono::{DateTime, TimeDelta, Timelike, Utc};
use chrono_tz::Asia::Kolkata;
use rand::RngExt;
use rand::seq::IndexedRandom;

use super::act::Act;
use super::client::Client;
use super::read::Read;
use super::scene::{self, SLOTS, Scene};
use crate::support::treatment::{attended, no_show};
use crate::support::{date, minutes, time_of_day};

/// A change, or a look.
pub enum Plan {
    Act(Box<Act>),
    Read(Read),
}

const INSTRUMENTS: [(&str, i32); 3] = [("PHQ_9", 9), ("PCL_5", 20), ("GAD_7", 7)];

impl Plan {
    /// Nothing, when what was drawn cannot be done now.
    pub fn draw(by: &mut Client) -> Option<Self> {
        Some(match by.rng.random_range(0..100) {
            0..22 => Self::act(Act::Book(by.booking()?)),
            22..27 => Self::act(Act::Hold(by.hold()?)),
            27..31 => Self::act(by.after_hold()?),
            31..34 => Self::act(Act::Series(by.series()?)),
            34..37 => Self::act(Act::Book(by.group()?)),
            37..42 => Self::act(by.of_group()?),
            42..50 => Self::act(Act::Reschedule(by.reschedule()?)),
            50..54 => Self::act(Act::Reassign(by.reassign()?)),
            54..62 => Self::act(Act::Cancel(by.cancel()?)),
            62..72 => Self::act(Act::Attend(by.attend()?)),
            72..74 => Self::act(Act::Amend(by.amend()?)),
            74..76 => Self::act(Act::Warn(by.warn()?)),
            76..80 => Self::act(Act::Assess(by.assess()?)),
            80..86 => Self::Read(Read::Session(by.any(|_| true)?.id)),
            86..94 => Self::Read(Read::Day(by.org, Scene::on(Scene::day(by.time())))),
            94..97 => Self::Read(Read::Order(by.client(pb::Side::Offender)?.order.as_ref()?.0.clone())),
            _ => {
                let (order_id, reference) = by.client(pb::Side::Offender)?.order.clone()?;
                Self::Read(Read::Police { order_id, reference })
            }
        })
    }

    fn act(act: Act) -> Self {
        Self::Act(Box::new(act))
    }
}

fn stamp(at: DateTime<Utc>) -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: at.timestamp(), nanos: 0 })
}

impl Client {
    fn org(&self) -> &scene::Org {
        &self.scene.orgs[self.org]
    }

    fn side(&mut self) -> pb::Side {
        if self.rng.random() { pb::Side::Survivor } else { pb::Side::Offender }
    }

    /// One of the times, half of them of a few that everybody wants.
    fn time(&mut self) -> DateTime<Utc> {
        let hot = self.rng.random();
        let number = if hot { 4 + 6 * self.rng.random_range(0..4) } else { self.rng.random_range(0..SLOTS) };
        self.scene.slot(number)
    }

    fn client(&mut self, side: pb::Side) -> Option<&scene::Client> {
        let scene = &self.scene;
        let all: Vec<_> = scene.orgs[self.org].clients.iter().filter(|it| it.side == side).collect();
        all.choose(&mut self.rng).copied()
    }

    fn counsellor(&mut self, side: pb::Side) -> Option<String> {
        let all: Vec<_> = self.org().counsellors.iter().filter(|it| it.side == side).map(|it| it.id.clone()).collect();
        all.choose(&mut self.rng).cloned()
    }

    fn any(&mut self, which: impl Fn(&pb::Session) -> bool) -> Option<pb::Session> {
        self.board.sessions(self.org, which).choose(&mut self.rng).cloned()
    }

    /// Most often one that stands, as far as anybody knows.
    fn some(&mut self) -> Option<pb::Session> {
        let whatever = self.rng.random_ratio(1, 10);
        self.any(|it| whatever || it.state() == pb::SessionState::Booked)
    }

    fn booking(&mut self) -> Option<pb::BookSessionRequest> {
        let side = self.side();
        let (client_id, order) = {
            let client = self.client(side)?;
            (client.id.clone(), client.order.clone())
        };
        let (in_person, counts): (bool, bool) = (self.rng.random(), self.rng.random_ratio(3, 4));
        let modality = if in_person { pb::Modality::InPerson } else { pb::Modality::Remote };
        Some(pb::BookSessionRequest {
            client_id,
            counsellor_id: self.counsellor(side)?,
            service: service(side),
            modality: modality.into(),
            venue_id: if in_person { self.org().venue_id.clone() } else { String::new() },
            starts_at: stamp(self.time()),
            length: Some(minutes(if self.rng.random_ratio(1, 5) { 60 } else { 30 })),
            order_id: order.filter(|_| counts).map(|it| it.0).unwrap_or_default(),
            ..Default::default()
        })
    }

    fn hold(&mut self) -> Option<pb::HoldSlotRequest> {
        let it = self.booking()?;
        Some(pb::HoldSlotRequest {
            client_id: it.client_id,
            counsellor_id: it.counsellor_id,
            service: it.service,
            modality: it.modality,
            venue_id: it.venue_id,
            starts_at: it.starts_at,
            length: it.length,
            order_id: it.order_id,
            ..Default::default()
        })
    }

    fn after_hold(&mut self) -> Option<Act> {
        let hold_id = self.any(|it| it.state() == pb::SessionState::Held)?.id;
        if self.rng.random_ratio(1, 3) {
            return Some(Act::Release(pb::ReleaseHoldRequest { hold_id, ..Default::default() }));
        }
        Some(Act::Book(pb::BookSessionRequest { hold_id, ..Default::default() }))
    }

    fn group(&mut self) -> Option<pb::BookSessionRequest> {
        let one = pb::BookSessionRequest { order_id: String::new(), ..self.booking()? };
        let client_id = one.client_id.clone();
        let participants = vec![pb::WantedParticipant { client_id, ..Default::default() }];
        let group = pb::WantedGroup { capacity: 3, participants, co_facilitator_ids: Vec::new() };
        Some(pb::BookSessionRequest { client_id: String::new(), group: Some(group), ..one })
    }

    fn of_group(&mut self) -> Option<Act> {
        let session = self.any(|it| it.group.is_some() && it.state() == pb::SessionState::Booked)?;
        let present = &session.group.as_ref()?.participants;
        if !present.is_empty() && self.rng.random_ratio(1, 3) {
            return Some(Act::Remove(pb::RemoveParticipantRequest {
                session_id: session.id.clone(),
                etag: session.etag.clone(),
                client_id: present.choose(&mut self.rng)?.client_id.clone(),
                reason: pb::CancelReason::Client.into(),
                ..Default::default()
            }));
        }
        let is_survivor = session.service == service(pb::Side::Survivor);
        let side = if is_survivor { pb::Side::Survivor } else { pb::Side::Offender };
        let client_id = self.client(side)?.id.clone();
        let participant = Some(pb::WantedParticipant { client_id, ..Default::default() });
        Some(Act::Add(pb::AddParticipantRequest { session_id: session.id, participant, ..Default::default() }))
    }

    /// Three days, all or none.
    fn series(&mut self) -> Option<pb::BookSeriesRequest> {
        let it = self.booking()?;
        let local = self.time().with_timezone(&Kolkata);
        let (hour, minute) = (local.hour().try_into().ok()?, local.minute().try_into().ok()?);
        Some(pb::BookSeriesRequest {
            client_id: it.client_id,
            counsellor_id: it.counsellor_id,
            service: it.service,
            modality: it.modality,
            venue_id: it.venue_id,
            length: it.length,
            first_date: Some(Scene::on(local.date_naive())),
            time: Some(time_of_day(hour, minute)),
            rule: "FREQ=DAILY;COUNT=3".into(),
            mode: pb::SeriesMode::AllOrNothing.into(),
            order_id: it.order_id,
            ..Default::default()
        })
    }

    fn reschedule(&mut self) -> Option<pb::RescheduleSessionRequest> {
        let session = self.some()?;
        Some(pb::RescheduleSessionRequest {
            session_id: session.id,
            etag: session.etag,
            reason: pb::CancelReason::Provider.into(),
            starts_at: stamp(self.time()),
            ..Default::default()
        })
    }

    fn reassign(&mut self) -> Option<pb::ReassignCounsellorRequest> {
        let session = self.some()?;
        let is_survivor = session.service == service(pb::Side::Survivor);
        let side = if is_survivor { pb::Side::Survivor } else { pb::Side::Offender };
        Some(pb::ReassignCounsellorRequest {
            session_id: session.id,
            etag: session.etag,
            counsellor_id: self.counsellor(side)?,
            ..Default::default()
        })
    }

    fn cancel(&mut self) -> Option<pb::CancelSessionRequest> {
        let session = self.some()?;
        Some(pb::CancelSessionRequest {
            session_id: session.id,
            etag: session.etag,
            reason: pb::CancelReason::Client.into(),
            ..Default::default()
        })
    }

    fn attend(&mut self) -> Option<pb::RecordAttendanceRequest> {
        let now = self.house.dial.now().timestamp();
        let begun = |it: &pb::Session| it.ends_at.is_some_and(|at| at.seconds < now);
        let session = self.any(|it| begun(it) && it.state() == pb::SessionState::Booked)?;
        let client_id = super::act::people(&session).choose(&mut self.rng)?.clone();
        let facts = if self.rng.random_ratio(2, 3) { attended() } else { no_show() };
        Some(pb::RecordAttendanceRequest {
            session_id: session.id,
            client_id,
            facts: Some(facts),
            ..Default::default()
        })
    }

    /// Only ever to the better, so that what is credited counts up.
    fn amend(&mut self) -> Option<pb::AmendAttendanceRequest> {
        let records = self.board.records(self.org);
        let ((session_id, client_id), version) = records.choose(&mut self.rng)?.clone();
        Some(pb::AmendAttendanceRequest {
            session_id,
            client_id,
            etag: version.to_string(),
            facts: Some(attended()),
            reason: "An example of a slip of the pen".into(),
            ..Default::default()
        })
    }

    fn warn(&mut self) -> Option<pb::IssueWarningRequest> {
        let order_id = self.client(pb::Side::Offender)?.order.as_ref()?.0.clone();
        let etag = self.board.order(&order_id).to_string();
        Some(pb::IssueWarningRequest { order_id, etag, ..Default::default() })
    }

    fn assess(&mut self) -> Option<pb::SubmitAssessmentRequest> {
        let client_id = self.client(pb::Side::Survivor)?.id.clone();
        let (instrument, items) = *INSTRUMENTS.choose(&mut self.rng)?;
        let day = Scene::day(self.house.dial.now()) - TimeDelta::days(self.rng.random_range(2..50));
        let zero = |item| pb::ItemAnswer { item, answer: Some(pb::item_answer::Answer::Value(0)) };
        Some(pb::SubmitAssessmentRequest {
            client_id,
            instrument: instrument.into(),
            language: "en".into(),
            assessed_on: Some(date(&day.to_string())),
            answers: (1..=items).map(zero).collect(),
            ..Default::default()
        })
    }
}

fn service(side: pb::Side) -> i32 {
    let service = match side {
        pb::Side::Offender => pb::CareService::Treatment,
        _ => pb::CareService::Counselling,
    };
    service.into()
}
