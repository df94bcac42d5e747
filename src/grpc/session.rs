//! SchedulingService.

use tonic::{Request, Response, Status};

use super::fields::{Fields, id_text, keyed, open, open_mutation, timestamp};
use super::pb;
use super::pb::scheduling_service_server::{SchedulingService, SchedulingServiceServer};
use super::slot::{local, slot};
use super::status::status;
use super::words::Word;
use crate::domain::code::Modality;
use crate::domain::ids::SessionId;
use crate::domain::session::{LONGEST, SHORTEST, Session, State};
use crate::domain::slots::{DEFAULT_STEP, STEPS};
use crate::domain::text::Code;
use crate::domain::time::Span;
use crate::usecase::error::Result;
use crate::usecase::session::{BookSession, CancelSession, Filter, FindSlots, Wanted};
use crate::usecase::{World, mutate, session as usecase};

keyed!(BookSessionRequest, CancelSessionRequest);

/// The service over a world.
pub fn service(world: World) -> SchedulingServiceServer<Scheduling> {
    SchedulingServiceServer::new(Scheduling { world })
}

/// The service.
pub struct Scheduling {
    world: World,
}

#[tonic::async_trait]
impl SchedulingService for Scheduling {
    async fn find_slots(
        &self,
        request: Request<pb::FindSlotsRequest>,
    ) -> Result<Response<pb::FindSlotsResponse>, Status> {
        self.find(request).await.map(Response::new).map_err(status)
    }

    async fn book_session(
        &self,
        request: Request<pb::BookSessionRequest>,
    ) -> Result<Response<pb::BookSessionResponse>, Status> {
        self.book(request).await.map(Response::new).map_err(status)
    }

    async fn cancel_session(
        &self,
        request: Request<pb::CancelSessionRequest>,
    ) -> Result<Response<pb::CancelSessionResponse>, Status> {
        self.cancel(request).await.map(Response::new).map_err(status)
    }

    async fn get_session(
        &self,
        request: Request<pb::GetSessionRequest>,
    ) -> Result<Response<pb::GetSessionResponse>, Status> {
        self.get(request).await.map(Response::new).map_err(status)
    }

    async fn list_sessions(
        &self,
        request: Request<pb::ListSessionsRequest>,
    ) -> Result<Response<pb::ListSessionsResponse>, Status> {
        self.list(request).await.map(Response::new).map_err(status)
    }
}

impl Scheduling {
    async fn find(&self, request: Request<pb::FindSlotsRequest>) -> Result<pb::FindSlotsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.id("client_id", &pb.client_id);
        let service = f.word("service", pb.service);
        let length = f.minutes("length", pb.length.as_ref(), SHORTEST..=LONGEST, None);
        let window_starts_at = f.maybe_instant("window_starts_at", pb.window_starts_at.as_ref());
        let window_ends_at = f.maybe_instant("window_ends_at", pb.window_ends_at.as_ref());
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let venue_id = f.maybe_id("venue_id", &pb.venue_id);
        let district =
            if pb.district.is_empty() { Some(None) } else { f.parse("district", &pb.district, Code::parse).map(Some) };
        let modality = f.maybe_word("modality", pb.modality);
        let step = step(&mut f, pb.step.as_ref());
        let query = pb::FindSlotsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 20, &query);
        let (wanted, page) = f.finish(|| {
            let wanted = FindSlots {
                client_id: client_id?,
                service: service?,
                length: length?,
                window_starts_at: window_starts_at?,
                window_ends_at: window_ends_at?,
                counsellor_id: counsellor_id?,
                venue_id: venue_id?,
                district: district?,
                modality: modality?,
                step: step?,
            };
            Some((wanted, page?))
        })?;
        let (slots, next_page_token) = usecase::find_slots(&self.world, &call, &wanted, &page).await?;
        Ok(pb::FindSlotsResponse { slots: slots.iter().map(slot).collect(), next_page_token })
    }

    async fn book(&self, request: Request<pb::BookSessionRequest>) -> Result<pb::BookSessionResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let client_id = f.id("client_id", &pb.client_id);
        let counsellor_id = f.id("counsellor_id", &pb.counsellor_id);
        let service = f.word("service", pb.service);
        let place = place(&mut f, &pb);
        let starts_at = f.minute("starts_at", pb.starts_at.as_ref());
        let length = f.minutes("length", pb.length.as_ref(), SHORTEST..=LONGEST, None);
        let wanted = f.finish(|| {
            Some(BookSession {
                client_id: client_id?,
                counsellor_id: counsellor_id?,
                service: service?,
                place: place?,
                span: Span::lasting(starts_at?, length?)?,
            })
        })?;
        let session = usecase::book_session(&self.world, call, wanted).await?;
        Ok(pb::BookSessionResponse { session: Some(session_pb(&session)) })
    }

    async fn cancel(&self, request: Request<pb::CancelSessionRequest>) -> Result<pb::CancelSessionResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let session_id = f.id("session_id", &pb.session_id);
        let version = f.etag("etag", &pb.etag);
        let reason = f.word("reason", pb.reason);
        let cancel =
            f.finish(|| Some(CancelSession { session_id: session_id?, version: version?, reason: reason? }))?;
        let session = mutate(&self.world, call, cancel).await?;
        Ok(pb::CancelSessionResponse { session: Some(session_pb(&session)) })
    }

    async fn get(&self, request: Request<pb::GetSessionRequest>) -> Result<pb::GetSessionResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id: Option<SessionId> = f.id("session_id", &pb.session_id);
        let session = usecase::get_session(&self.world, &call, f.finish(|| id)?).await?;
        Ok(pb::GetSessionResponse { session: Some(session_pb(&session)) })
    }

    async fn list(&self, request: Request<pb::ListSessionsRequest>) -> Result<pb::ListSessionsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let client_id = f.maybe_id("client_id", &pb.client_id);
        let site_id = f.maybe_id("site_id", &pb.site_id);
        let on_date = f.maybe_date("on_date", pb.on_date.as_ref());
        let starts_from = f.maybe_instant("starts_from", pb.starts_from.as_ref());
        let starts_before = f.maybe_instant("starts_before", pb.starts_before.as_ref());
        let state = f.maybe_word("state", pb.state);
        let query = pb::ListSessionsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (filter, page) = f.finish(|| {
            let filter = Filter {
                counsellor_id: counsellor_id?,
                client_id: client_id?,
                site_id: site_id?,
                on_date: on_date?,
                starts_from: starts_from?,
                starts_before: starts_before?,
                state: state?,
            };
            Some((filter, page?))
        })?;
        let (sessions, next_page_token) = usecase::list_sessions(&self.world, &call, filter, &page).await?;
        Ok(pb::ListSessionsResponse { sessions: sessions.iter().map(session_pb).collect(), next_page_token })
    }
}

fn step(f: &mut Fields, raw: Option<&prost_types::Duration>) -> Option<u32> {
    let minutes = raw.map_or(Some(DEFAULT_STEP), |raw| match raw {
        prost_types::Duration { seconds, nanos: 0 } if seconds % 60 == 0 => u32::try_from(seconds / 60).ok(),
        _ => None,
    });
    let known = minutes.filter(|minutes| STEPS.contains(minutes));
    known.or_else(|| f.wrong("step", "must be 5, 10, 15, 20, 30 or 60 minutes"))
}

fn place(f: &mut Fields, pb: &pb::BookSessionRequest) -> Option<Wanted> {
    match f.word("modality", pb.modality)? {
        Modality::InPerson => {
            let venue_id = f.id("venue_id", &pb.venue_id);
            let room_id = f.maybe_id("room_id", &pb.room_id);
            Some(Wanted::Venue(venue_id?, room_id?))
        }
        Modality::Remote => {
            for (field, raw) in [("venue_id", &pb.venue_id), ("room_id", &pb.room_id)] {
                if !raw.is_empty() {
                    f.wrong::<()>(field, "must be empty for a remote session");
                }
            }
            Some(Wanted::Remote)
        }
    }
}

fn session_pb(session: &Session) -> pb::Session {
    let (cancel_reason, cancelled_at) = match &session.state {
        State::Booked => (0, None),
        State::Cancelled { at, reason } => (reason.to_wire(), timestamp(*at)),
    };
    pb::Session {
        id: session.id.to_string(),
        etag: session.version.to_string(),
        organisation_id: session.organisation_id.to_string(),
        client_id: session.client_id.to_string(),
        client_reference: session.client_reference.to_string(),
        counsellor_id: session.counsellor_id.to_string(),
        service: session.service.to_wire(),
        modality: session.place.modality().to_wire(),
        venue_id: id_text(session.place.venue_id()),
        room_id: id_text(session.place.room_id()),
        starts_at: timestamp(session.span.starts_at()),
        ends_at: timestamp(session.span.ends_at()),
        zone: session.zone.name().to_owned(),
        local_start: local(session.span.starts_at(), session.zone),
        state: session.state.word().to_wire(),
        cancel_reason,
        cancelled_at,
        needs_rescheduling: session.needs_rescheduling,
        created_at: timestamp(session.created_at),
    }
}
