//! SchedulingService.

mod participant;
mod programme;
mod search;
mod series;
mod substitute;
pub(super) mod wire;

use chrono::TimeDelta;
use tonic::{Request, Response, Status};

pub use self::series::series_refusal;
use self::wire::{booking, change_pb, length, override_pb, overrides, place, reason, session_pb, wanted};
use super::attendance::wire::past;
use super::fields::{Fields, keyed, open, open_mutation};
use super::pb;
use super::pb::scheduling_service_server::{SchedulingService, SchedulingServiceServer};
use super::status::status;
use super::stream::{Streaming, stream};
use crate::domain::ids::SessionId;
use crate::domain::session::{DEFAULT_HOLD, LONGEST_HOLD};
use crate::usecase::error::Result;
use crate::usecase::session::{
    BookHeld, BookSession, CancelSession, ExportCalendar, Filter, HoldSlot, ReassignCounsellor, RecordPastSession,
    ReleaseHold, RescheduleSession,
};
use crate::usecase::{World, mutate, session as usecase};

keyed!(
    HoldSlotRequest,
    ReleaseHoldRequest,
    BookSessionRequest,
    RescheduleSessionRequest,
    ReassignCounsellorRequest,
    ReassignSessionsRequest,
    AddParticipantRequest,
    RemoveParticipantRequest,
    RecordPastSessionRequest,
    CancelSessionRequest,
    BookSeriesRequest,
    ScheduleProgrammeRequest,
    RescheduleSeriesRequest,
    CancelSeriesRequest,
);

/// The service over a world.
pub fn service(world: World) -> SchedulingServiceServer<Scheduling> {
    SchedulingServiceServer::new(Scheduling { world })
}

/// The service.
pub struct Scheduling {
    pub(super) world: World,
}

macro_rules! service {
    ($($rpc:ident: $request:ident => $response:ident, $answer:ident;)*) => {
        #[tonic::async_trait]
        impl SchedulingService for Scheduling {
            type WatchSessionsStream = Streaming<pb::WatchSessionsResponse>;

            async fn watch_sessions(
                &self,
                request: Request<pb::WatchSessionsRequest>,
            ) -> Result<Response<Self::WatchSessionsStream>, Status> {
                self.watch(request).await.map(Response::new).map_err(status)
            }

            $(async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                self.$answer(request).await.map(Response::new).map_err(status)
            })*
        }
    };
}

service! {
    find_slots: FindSlotsRequest => FindSlotsResponse, find;
    hold_slot: HoldSlotRequest => HoldSlotResponse, hold;
    release_hold: ReleaseHoldRequest => ReleaseHoldResponse, release;
    book_session: BookSessionRequest => BookSessionResponse, book;
    reschedule_session: RescheduleSessionRequest => RescheduleSessionResponse, reschedule;
    reassign_counsellor: ReassignCounsellorRequest => ReassignCounsellorResponse, reassign;
    propose_substitutes: ProposeSubstitutesRequest => ProposeSubstitutesResponse, propose;
    reassign_sessions: ReassignSessionsRequest => ReassignSessionsResponse, reassign_many;
    add_participant: AddParticipantRequest => AddParticipantResponse, add;
    remove_participant: RemoveParticipantRequest => RemoveParticipantResponse, remove;
    record_past_session: RecordPastSessionRequest => RecordPastSessionResponse, record;
    cancel_session: CancelSessionRequest => CancelSessionResponse, cancel;
    book_series: BookSeriesRequest => BookSeriesResponse, book_series;
    schedule_programme: ScheduleProgrammeRequest => ScheduleProgrammeResponse, schedule_programme;
    get_series: GetSeriesRequest => GetSeriesResponse, get_series;
    reschedule_series: RescheduleSeriesRequest => RescheduleSeriesResponse, reschedule_series;
    cancel_series: CancelSeriesRequest => CancelSeriesResponse, cancel_series;
    get_session: GetSessionRequest => GetSessionResponse, get;
    list_sessions: ListSessionsRequest => ListSessionsResponse, list;
    list_session_overrides: ListSessionOverridesRequest => ListSessionOverridesResponse, list_overrides;
    export_calendar: ExportCalendarRequest => ExportCalendarResponse, export_calendar;
    join_waitlist: JoinWaitlistRequest => JoinWaitlistResponse, join;
    leave_waitlist: LeaveWaitlistRequest => LeaveWaitlistResponse, leave;
    list_waitlist: ListWaitlistRequest => ListWaitlistResponse, list_waitlist;
    list_offers: ListOffersRequest => ListOffersResponse, list_offers;
    answer_offer: AnswerOfferRequest => AnswerOfferResponse, answer;
}

impl Scheduling {
    async fn hold(&self, request: Request<pb::HoldSlotRequest>) -> Result<pb::HoldSlotResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (overrides, milestone_id) = (pb.overrides.clone(), pb.milestone_id.clone());
        let asked = pb::BookSessionRequest { overrides, milestone_id, ..booking!(pb) };
        let wanted = wanted(&mut f, &asked);
        let bounds = TimeDelta::minutes(1)..=LONGEST_HOLD;
        let hold_for = f.minutes("hold_for", pb.hold_for.as_ref(), bounds, Some(DEFAULT_HOLD));
        let hold = f.finish(|| Some(HoldSlot { wanted: wanted?, hold_for: hold_for? }))?;
        let held = usecase::place(&self.world, call, hold).await?;
        Ok(pb::HoldSlotResponse { hold: Some(session_pb(&held)) })
    }

    async fn release(&self, request: Request<pb::ReleaseHoldRequest>) -> Result<pb::ReleaseHoldResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let id = f.id("hold_id", &pb.hold_id);
        let release = f.finish(|| Some(ReleaseHold(id?)))?;
        mutate(&self.world, call, release).await?;
        Ok(pb::ReleaseHoldResponse {})
    }

    async fn book(&self, request: Request<pb::BookSessionRequest>) -> Result<pb::BookSessionResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let session = if pb.hold_id.is_empty() {
            let wanted = wanted(&mut f, &pb);
            let book = f.finish(|| Some(BookSession(wanted?)))?;
            usecase::place(&self.world, call, book).await?
        } else {
            let hold_id = f.id("hold_id", &pb.hold_id);
            let overrides = overrides(&mut f, &pb.overrides);
            let (request_id, hold) = (pb.request_id.clone(), pb.hold_id.clone());
            let alone = pb::BookSessionRequest {
                request_id,
                hold_id: hold,
                overrides: pb.overrides.clone(),
                ..Default::default()
            };
            if pb != alone {
                f.wrong::<()>(
                    "hold_id",
                    "must be the only field beside request_id and overrides: the hold has the rest",
                );
            }
            let book = f.finish(|| Some(BookHeld { hold_id: hold_id?, overrides: overrides? }))?;
            usecase::place(&self.world, call, book).await?
        };
        Ok(pb::BookSessionResponse { session: Some(session_pb(&session)) })
    }

    async fn reschedule(
        &self,
        request: Request<pb::RescheduleSessionRequest>,
    ) -> Result<pb::RescheduleSessionResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (session_id, version) = (f.id("session_id", &pb.session_id), f.etag("etag", &pb.etag));
        let reason = f.word("reason", pb.reason);
        let starts_at = f.minute("starts_at", pb.starts_at.as_ref());
        let length = match &pb.length {
            Some(raw) => length(&mut f, Some(raw)).map(Some),
            None => Some(None),
        };
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let place = if pb.modality == 0 && pb.venue_id.is_empty() && pb.room_id.is_empty() {
            Some(None)
        } else {
            place(&mut f, pb.modality, &pb.venue_id, &pb.room_id).map(Some)
        };
        let guardian_id = f.maybe_id("guardian_id", &pb.guardian_id);
        let overrides = overrides(&mut f, &pb.overrides);
        let reschedule = f.finish(|| {
            Some(RescheduleSession {
                session_id: session_id?,
                version: version?,
                reason: reason?,
                starts_at: starts_at?,
                length: length?,
                counsellor_id: counsellor_id?,
                place: place?,
                guardian_id: guardian_id?,
                interpreter: pb.interpreter,
                overrides: overrides?,
            })
        })?;
        let (new, old) = usecase::place(&self.world, call, reschedule).await?;
        Ok(pb::RescheduleSessionResponse { session: Some(session_pb(&new)), superseded: Some(session_pb(&old)) })
    }

    async fn reassign(
        &self,
        request: Request<pb::ReassignCounsellorRequest>,
    ) -> Result<pb::ReassignCounsellorResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (session_id, version) = (f.id("session_id", &pb.session_id), f.etag("etag", &pb.etag));
        let counsellor_id = f.id("counsellor_id", &pb.counsellor_id);
        let replaces = f.maybe_id("replaces_counsellor_id", &pb.replaces_counsellor_id);
        let overrides = overrides(&mut f, &pb.overrides);
        let reassign = f.finish(|| {
            Some(ReassignCounsellor {
                session_id: session_id?,
                version: version?,
                counsellor_id: counsellor_id?,
                replaces: replaces?,
                overrides: overrides?,
            })
        })?;
        let session = usecase::place(&self.world, call, reassign).await?;
        Ok(pb::ReassignCounsellorResponse { session: Some(session_pb(&session)) })
    }

    async fn record(&self, request: Request<pb::RecordPastSessionRequest>) -> Result<pb::RecordPastSessionResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let wanted = wanted(&mut f, &booking!(pb));
        let reason = reason(&mut f, "reason", &pb.reason);
        let attendances = past(&mut f, wanted.as_ref().map(|it| it.party.clients()), &pb.attendances);
        let record =
            f.finish(|| Some(RecordPastSession { wanted: wanted?, reason: reason?, attendances: attendances? }))?;
        // What took place cannot take place at another time, so there are no alternatives.
        let session = mutate(&self.world, call, record).await?;
        Ok(pb::RecordPastSessionResponse { session: Some(session_pb(&session)) })
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
        let series_id = f.maybe_id("series_id", &pb.series_id);
        let states = if pb.states.is_empty() { Some(Vec::new()) } else { f.words("states", &pb.states) };
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
                states: states?,
                series_id: series_id?,
                flagged: pb.needs_rescheduling,
            };
            Some((filter, page?))
        })?;
        let listed = usecase::list_sessions(&self.world, &call, filter, &page).await?;
        let sessions = listed.sessions.iter().map(session_pb).collect();
        Ok(pb::ListSessionsResponse { sessions, next_page_token: listed.next, watch_cursor: listed.watch })
    }

    async fn watch(&self, request: Request<pb::WatchSessionsRequest>) -> Result<Streaming<pb::WatchSessionsResponse>> {
        let (call, pb) = open(request)?;
        let watcher = usecase::watch_sessions(&self.world, &call, &pb.cursor).await?;
        Ok(stream(watcher, change_pb))
    }

    async fn list_overrides(
        &self,
        request: Request<pb::ListSessionOverridesRequest>,
    ) -> Result<pb::ListSessionOverridesResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id: Option<SessionId> = f.id("session_id", &pb.session_id);
        let all = usecase::list_overrides(&self.world, call, f.finish(|| id)?).await?;
        Ok(pb::ListSessionOverridesResponse { overrides: all.iter().map(override_pb).collect() })
    }

    async fn export_calendar(&self, request: Request<pb::ExportCalendarRequest>) -> Result<pb::ExportCalendarResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let starts_from = f.maybe_instant("starts_from", pb.starts_from.as_ref());
        let starts_before = f.maybe_instant("starts_before", pb.starts_before.as_ref());
        let wanted = f.finish(|| {
            Some(ExportCalendar {
                counsellor_id: counsellor_id?,
                starts_from: starts_from?,
                starts_before: starts_before?,
            })
        })?;
        let (calendar, sessions) = usecase::export_calendar(&self.world, &call, &wanted).await?;
        Ok(pb::ExportCalendarResponse { calendar, sessions: i32::try_from(sessions).unwrap_or(i32::MAX) })
    }
}
