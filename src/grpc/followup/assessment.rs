//! Assessments on the wire.

use tonic::Request;

use super::wire::milestone_pb;
use super::{FollowUps, result};
use crate::domain::assessment::{Assessment, Reading};
use crate::domain::instrument::{Answer, Informant, Sheet};
use crate::domain::personal::Personal;
use crate::domain::text::{Code, Language};
use crate::grpc::fields::{Fields, count, date, id_text, keyed, open, open_mutation, timestamp};
use crate::grpc::pb;
use crate::grpc::words::Word;
use crate::usecase::error::Result;
use crate::usecase::followup::assessment::{GetAssessment, SubmitAssessment};
use crate::usecase::followup::progress::{GetProgress, Series};
use crate::usecase::followup::sheet::HandedIn;
use crate::usecase::mutate;

keyed!(SubmitAssessmentRequest);

/// The most characters of a reason; a parameter of ours.
const LONGEST_REASON: usize = 500;

impl FollowUps {
    pub(super) async fn submit(
        &self,
        request: Request<pb::SubmitAssessmentRequest>,
    ) -> Result<pb::SubmitAssessmentResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let client_id = f.id("client_id", &pb.client_id);
        let language = f.parse("language", &pb.language, Language::parse);
        let informant = f.maybe_word("informant", pb.informant);
        let assessed_on = f.maybe_date("assessed_on", pb.assessed_on.as_ref());
        let milestone_id = f.maybe_id("milestone_id", &pb.milestone_id);
        let supersedes = f.maybe_id("supersedes_assessment_id", &pb.supersedes_assessment_id);
        let reason = reason(&mut f, &pb);
        let handed_in = HandedIn {
            instrument: &pb.instrument,
            informant: informant.flatten().unwrap_or(Informant::SelfReport),
            recall: &pb.recall,
            assessed_on: assessed_on.flatten(),
            sheet: Sheet { gate: pb.gate, answers: answers(&mut f, &pb.answers) },
        };
        let filled = f.and(handed_in.check(&self.world))?;
        let submit = Fields::default().finish(|| {
            let supersedes = supersedes?.map(|id| (id, reason.unwrap_or_default()));
            let (client_id, language, milestone_id) = (client_id?, language?, milestone_id?);
            Some(SubmitAssessment { client_id, filled, language, milestone_id, supersedes })
        })?;
        let answer = mutate(&self.world, call, submit).await?;
        Ok(pb::SubmitAssessmentResponse {
            assessment: Some(assessment_pb(&answer.reading, Answers::Shown)),
            escalations: answer.escalations.iter().map(|it| self.escalation_pb(it)).collect(),
            milestone: answer.milestone.as_ref().map(|it| milestone_pb(it, self.world.now())),
        })
    }

    pub(super) async fn assessment(
        &self,
        request: Request<pb::GetAssessmentRequest>,
    ) -> Result<pb::GetAssessmentResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let id = f.id("id", &pb.id);
        let get = f.finish(|| id.map(GetAssessment))?;
        let reading = mutate(&self.world, call, get).await?;
        Ok(pb::GetAssessmentResponse { assessment: Some(assessment_pb(&reading, Answers::Shown)) })
    }

    pub(super) async fn progress(&self, request: Request<pb::GetProgressRequest>) -> Result<pb::GetProgressResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let client_id = f.id("client_id", &pb.client_id);
        let instrument = f.maybe_parse("instrument", &pb.instrument, Code::parse);
        let get = f.finish(|| Some(GetProgress { client_id: client_id?, instrument: instrument? }))?;
        let series = mutate(&self.world, call, get).await?;
        Ok(pb::GetProgressResponse { series: series.iter().map(series_pb).collect() })
    }
}

/// Why another assessment was wrong: with that one, and not without.
fn reason(f: &mut Fields, pb: &pb::SubmitAssessmentRequest) -> Option<Personal> {
    if pb.supersedes_assessment_id.is_empty() {
        return if pb.reason.is_empty() { None } else { f.wrong("reason", "must be absent without a correction") };
    }
    f.personal("reason", &pb.reason, 1..=LONGEST_REASON)
}

/// The answers in their order. A number that cannot be one is left for the instrument to refuse with the others.
fn answers(f: &mut Fields, all: &[pb::ItemAnswer]) -> Vec<(u32, Answer)> {
    use pb::item_answer::Answer as Wire;
    let number = |it: i32| u32::try_from(it).unwrap_or(u32::MAX);
    let answer = |(at, it): (usize, &pb::ItemAnswer)| {
        let answer = match it.answer {
            Some(Wire::Value(value)) => Answer::Value(number(value)),
            Some(Wire::Missing(missing)) => match pb::MissingReason::try_from(missing) {
                Ok(pb::MissingReason::Skipped) => Answer::Skipped,
                Ok(pb::MissingReason::Declined) => Answer::Declined,
                Ok(pb::MissingReason::Unspecified) | Err(_) => {
                    let all = "must be MISSING_REASON_SKIPPED or MISSING_REASON_DECLINED";
                    f.wrong(&format!("answers[{at}].missing"), all).unwrap_or(Answer::Skipped)
                }
            },
            None => {
                let says = "is required: a value, or why there is none";
                f.wrong(&format!("answers[{at}].answer"), says).unwrap_or(Answer::Skipped)
            }
        };
        (number(it.item), answer)
    };
    all.iter().enumerate().map(answer).collect()
}

/// Whether a message shows what was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::grpc) enum Answers {
    Shown,
    LeftOut,
}

fn series_pb(it: &Series) -> pb::ProgressSeries {
    pb::ProgressSeries {
        instrument: it.instrument.to_string(),
        informant: it.informant.to_wire(),
        assessments: it.readings.iter().map(|reading| assessment_pb(reading, Answers::LeftOut)).collect(),
    }
}

pub(in crate::grpc) fn assessment_pb(reading: &Reading, answers: Answers) -> pb::Assessment {
    let it = &reading.assessment;
    let shown = answers == Answers::Shown;
    let reason = it.supersedes.as_ref().filter(|_| shown).map(|(_, reason)| reason.expose().to_owned());
    pb::Assessment {
        id: it.id.to_string(),
        client_id: it.client_id.to_string(),
        plan_id: it.plan_id.to_string(),
        milestone_id: id_text(it.milestone_id),
        instrument: it.form.instrument.to_string(),
        instrument_version: it.form.version.clone(),
        informant: it.form.informant.to_wire(),
        language: it.form.language.as_str().to_owned(),
        recall: it.form.recall.to_string(),
        assessed_on: Some(date(it.assessed_on)),
        recorded_at: timestamp(it.recorded_at),
        recorded_by: it.recorded_by.principal.clone(),
        closed: it.closed,
        gate: it.answers.gate().filter(|_| shown),
        answers: if shown { answers_pb(it) } else { Vec::new() },
        result: Some(result::result_pb(reading)),
        supersedes_assessment_id: id_text(it.supersedes.as_ref().map(|(id, _)| *id)),
        reason: reason.unwrap_or_default(),
        superseded: !it.stands,
    }
}

fn answers_pb(it: &Assessment) -> Vec<pb::ItemAnswer> {
    use pb::item_answer::Answer as Wire;
    let missing = |reason: pb::MissingReason| Wire::Missing(reason.into());
    let answer = |(item, answer): (u32, Answer)| pb::ItemAnswer {
        item: count(item),
        answer: Some(match answer {
            Answer::Value(value) => Wire::Value(count(value)),
            Answer::Skipped => missing(pb::MissingReason::Skipped),
            Answer::Declined => missing(pb::MissingReason::Declined),
        }),
    };
    it.answers.answers().map(answer).collect()
}
