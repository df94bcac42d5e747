//! Trainings on the wire; their methods are part of AttendanceService.

use tonic::Request;

use super::attendance::Attendances;
use super::fields::{Fields, count, keyed, open, open_mutation, timestamp};
use super::pb;
use crate::domain::personal::Personal;
use crate::domain::text::{bounded, lines};
use crate::domain::training::{Draft, MOST_TRAINEES, Trainee};
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::training::{Filter, RecordTraining, Training, get_training, list_trainings};

keyed!(RecordTrainingRequest);

/// The most characters of what came of a training; a parameter of ours.
const LONGEST: usize = 5_000;

impl Attendances {
    pub(super) async fn record_training(
        &self,
        request: Request<pb::RecordTrainingRequest>,
    ) -> Result<pb::RecordTrainingResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let session_id = f.id("session_id", &pb.session_id);
        let corrects = !pb.etag.is_empty() || !pb.reason.is_empty();
        let number = if corrects { f.etag("etag", &pb.etag).map(Some) } else { Some(None) };
        let draft = draft(&mut f, &pb, corrects);
        let record = f.finish(|| Some(RecordTraining { session_id: session_id?, number: number?, draft: draft? }))?;
        let training = mutate(&self.world, call, record).await?;
        Ok(pb::RecordTrainingResponse { training: Some(training_pb(&training)) })
    }

    pub(super) async fn training(&self, request: Request<pb::GetTrainingRequest>) -> Result<pb::GetTrainingResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id = f.id("session_id", &pb.session_id);
        let training = get_training(&self.world, call, f.finish(|| id)?).await?;
        Ok(pb::GetTrainingResponse { training: Some(training_pb(&training)) })
    }

    pub(super) async fn trainings(
        &self,
        request: Request<pb::ListTrainingsRequest>,
    ) -> Result<pb::ListTrainingsResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let (from, until) = (f.maybe_date("from", pb.from.as_ref()), f.maybe_date("until", pb.until.as_ref()));
        let query = pb::ListTrainingsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let (filter, page) =
            f.finish(|| Some((Filter { from: from?, until: until?, unrecorded: pb.unrecorded }, page?)))?;
        let (all, next_page_token) = list_trainings(&self.world, &call, filter, &page).await?;
        Ok(pb::ListTrainingsResponse { trainings: all.iter().map(training_pb).collect(), next_page_token })
    }
}

fn draft(f: &mut Fields, pb: &pb::RecordTrainingRequest, corrects: bool) -> Option<Draft> {
    let police_unit = f.parse("police_unit", &pb.police_unit, |raw| bounded(raw, 1..=200));
    let topic = f.parse("topic", &pb.topic, |raw| bounded(raw, 1..=200));
    let outcome = f.parse("outcome", &pb.outcome, |raw| lines(raw, 1..=LONGEST)).map(Personal::new);
    let reason = match corrects {
        true => f.personal("reason", &pb.reason, 1..=500).map(Some),
        false => Some(None),
    };
    if pb.trainees.is_empty() || pb.trainees.len() > MOST_TRAINEES {
        f.wrong::<()>("trainees", format!("must be 1 to {MOST_TRAINEES}"));
        return None;
    }
    // Collected first, so that every one is looked at.
    let trainees: Vec<_> = pb.trainees.iter().enumerate().map(|(at, it)| trainee(f, at, it)).collect();
    let trainees = trainees.into_iter().collect::<Option<Vec<_>>>();
    Some(Draft { police_unit: police_unit?, topic: topic?, trainees: trainees?, outcome: outcome?, reason: reason? })
}

fn trainee(f: &mut Fields, at: usize, pb: &pb::Trainee) -> Option<Trainee> {
    let name = f.personal(&format!("trainees[{at}].name"), &pb.name, 1..=200);
    let post = f.personal(&format!("trainees[{at}].post"), &pb.post, 0..=100);
    Some(Trainee { name: name?, post: post?, attended: pb.attended })
}

fn training_pb((session, record): &Training) -> pb::Training {
    let bare = pb::Training {
        session_id: session.id.to_string(),
        starts_at: timestamp(session.span.starts_at()),
        counsellor_id: session.counsellor_id.to_string(),
        ..Default::default()
    };
    let Some(record) = record else { return bare };
    let trainee = |it: &Trainee| pb::Trainee {
        name: it.name.expose().to_owned(),
        post: it.post.expose().to_owned(),
        attended: it.attended,
    };
    let draft = &record.draft;
    pb::Training {
        etag: record.number.to_string(),
        police_unit: draft.police_unit.clone(),
        topic: draft.topic.clone(),
        trainees: draft.trainees.iter().map(trainee).collect(),
        invited: count(record.invited),
        attended: count(record.attended),
        outcome: draft.outcome.expose().to_owned(),
        recorded_at: timestamp(record.recorded_at),
        recorded_by: record.recorded_by.clone(),
        reason: draft.reason.as_ref().map(|it| it.expose().to_owned()).unwrap_or_default(),
        ..bare
    }
}
