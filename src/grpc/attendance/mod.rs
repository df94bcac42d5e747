//! AttendanceService; its notes are in [`super::note`].

pub(super) mod wire;

use tonic::{Request, Response, Status};

use self::wire::{attendance_pb, decision_pb, facts, history_pb, outcome_pb, unrecorded_pb, verdict};
use super::fields::{Fields, keyed, open, open_mutation};
use super::pb;
use super::pb::attendance_service_server::{AttendanceService, AttendanceServiceServer};
use super::session::wire::reason;
use super::status::status;
use crate::domain::attendance::Draft;
use crate::domain::outcome::TABLE;
use crate::usecase::attendance::{
    AmendAttendance, DecideAbsence, Filter, ListAttendance, Of, RecordAttendance, list_attendance, list_unrecorded,
};
use crate::usecase::error::Result;
use crate::usecase::{World, mutate};

keyed!(RecordAttendanceRequest, AmendAttendanceRequest, DecideAbsenceRequest);

/// The service over a world.
pub fn service(world: World) -> AttendanceServiceServer<Attendances> {
    AttendanceServiceServer::new(Attendances { world })
}

/// The service.
pub struct Attendances {
    pub(super) world: World,
}

macro_rules! service {
    ($($rpc:ident: $request:ident => $response:ident, $answer:ident;)*) => {
        #[tonic::async_trait]
        impl AttendanceService for Attendances {
            $(async fn $rpc(&self, request: Request<pb::$request>) -> Result<Response<pb::$response>, Status> {
                self.$answer(request).await.map(Response::new).map_err(status)
            })*
        }
    };
}

service! {
    record_attendance: RecordAttendanceRequest => RecordAttendanceResponse, record;
    amend_attendance: AmendAttendanceRequest => AmendAttendanceResponse, amend;
    decide_absence: DecideAbsenceRequest => DecideAbsenceResponse, decide;
    list_unrecorded: ListUnrecordedRequest => ListUnrecordedResponse, unrecorded;
    list_attendance: ListAttendanceRequest => ListAttendanceResponse, list;
    write_session_note: WriteSessionNoteRequest => WriteSessionNoteResponse, write_note;
    list_session_notes: ListSessionNotesRequest => ListSessionNotesResponse, list_notes;
    list_outcomes: ListOutcomesRequest => ListOutcomesResponse, outcomes;
    record_training: RecordTrainingRequest => RecordTrainingResponse, record_training;
    get_training: GetTrainingRequest => GetTrainingResponse, training;
    list_trainings: ListTrainingsRequest => ListTrainingsResponse, trainings;
}

impl Attendances {
    async fn record(&self, request: Request<pb::RecordAttendanceRequest>) -> Result<pb::RecordAttendanceResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (session_id, client_id) = (f.id("session_id", &pb.session_id), f.id("client_id", &pb.client_id));
        let draft = facts(&mut f, "facts", pb.facts.as_ref());
        let record =
            f.finish(|| Some(RecordAttendance { session_id: session_id?, client_id: client_id?, draft: draft? }))?;
        let (record, decision) = mutate(&self.world, call, record).await?;
        let (attendance, decision) = (attendance_pb(&record, false), decision.map(|it| decision_pb(&it, false)));
        Ok(pb::RecordAttendanceResponse { attendance: Some(attendance), decision })
    }

    async fn amend(&self, request: Request<pb::AmendAttendanceRequest>) -> Result<pb::AmendAttendanceResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (session_id, client_id) = (f.id("session_id", &pb.session_id), f.id("client_id", &pb.client_id));
        let number = f.etag("etag", &pb.etag);
        let reason = reason(&mut f, "reason", &pb.reason);
        let draft = facts(&mut f, "facts", pb.facts.as_ref());
        let amend = f.finish(|| {
            let draft = Draft { reason: reason?, ..draft? };
            Some(AmendAttendance { session_id: session_id?, client_id: client_id?, number: number?, draft })
        })?;
        let (record, decision) = mutate(&self.world, call, amend).await?;
        let (attendance, decision) = (attendance_pb(&record, false), decision.map(|it| decision_pb(&it, false)));
        Ok(pb::AmendAttendanceResponse { attendance: Some(attendance), decision })
    }

    async fn decide(&self, request: Request<pb::DecideAbsenceRequest>) -> Result<pb::DecideAbsenceResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (session_id, client_id) = (f.id("session_id", &pb.session_id), f.id("client_id", &pb.client_id));
        let number = f.etag("etag", &pb.etag);
        let verdict = verdict(&mut f, &pb);
        let decide = f.finish(|| {
            let (number, verdict) = (number?, verdict?);
            Some(DecideAbsence { session_id: session_id?, client_id: client_id?, number, verdict })
        })?;
        let decision = mutate(&self.world, call, decide).await?;
        Ok(pb::DecideAbsenceResponse { decision: Some(decision_pb(&decision, false)) })
    }

    async fn unrecorded(&self, request: Request<pb::ListUnrecordedRequest>) -> Result<pb::ListUnrecordedResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let query = pb::ListUnrecordedRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (filter, page) = f.finish(|| Some((Filter { counsellor_id: counsellor_id? }, page?)))?;
        let (sessions, next_page_token) = list_unrecorded(&self.world, &call, filter, &page).await?;
        Ok(pb::ListUnrecordedResponse { sessions: sessions.iter().map(unrecorded_pb).collect(), next_page_token })
    }

    async fn list(&self, request: Request<pb::ListAttendanceRequest>) -> Result<pb::ListAttendanceResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let session_id = f.maybe_id("session_id", &pb.session_id);
        let client_id = f.maybe_id("client_id", &pb.client_id);
        let of = match session_id.zip(client_id) {
            Some((Some(session_id), None)) => Some(Of::Session(session_id)),
            Some((None, Some(client_id))) => Some(Of::Client(client_id)),
            Some(_) => f.wrong("session_id", "must be given, or client_id, and not both"),
            None => None,
        };
        let query = pb::ListAttendanceRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let wanted = f.finish(|| Some(ListAttendance { of: of?, texts: pb.with_texts, page: page? }))?;
        let (histories, next_page_token) = list_attendance(&self.world, call, wanted).await?;
        Ok(pb::ListAttendanceResponse { histories: histories.iter().map(history_pb).collect(), next_page_token })
    }

    async fn outcomes(&self, request: Request<pb::ListOutcomesRequest>) -> Result<pb::ListOutcomesResponse> {
        open(request)?;
        Ok(pb::ListOutcomesResponse { outcomes: TABLE.iter().map(outcome_pb).collect() })
    }
}
