//! Answer sheets, in the domain's words.

use aftercare::grpc::pb;
use aftercare::grpc::pb::item_answer::Answer;
use tonic::Status;

use super::actor::Actor;
use super::app::TestApp;
use super::followup::{enrol, enrolling};
use super::ngo::{Ngo, date};
use super::treatment::afternoon;

/// A survivor with a plan, born on a day; taken in, and reported, on 5 January 2026.
pub struct Followed {
    pub ngo: Ngo,
    pub counsellor: pb::Counsellor,
    pub client: pb::Client,
}

impl Followed {
    pub async fn new(app: &TestApp, born_on: &str) -> Self {
        Self::with(app, |client| client.born_on = Some(date(born_on))).await
    }

    pub async fn with(app: &TestApp, adjust: impl FnOnce(&mut pb::Client)) -> Self {
        app.clock.set(afternoon("2026-01-05"));
        let ngo = Ngo::new(app, "A").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.client_with(pb::Side::Survivor, adjust).await;
        enrol(&ngo.coordinator, enrolling(&client, &counsellor, "2026-01-05")).await.unwrap();
        Self { ngo, counsellor, client }
    }

    /// Another survivor of the same counsellor, with a plan.
    pub async fn beside(&self, born_on: &str) -> pb::Client {
        let client = self.ngo.child(born_on).await;
        enrol(&self.ngo.coordinator, enrolling(&client, &self.counsellor, "2026-01-05")).await.unwrap();
        client
    }

    /// Moves the clock to the afternoon of a day; whoever acts then signs in anew.
    pub fn go_to(&mut self, app: &TestApp, day: &str) {
        app.clock.set(afternoon(day));
        self.ngo.sign_in(app);
    }

    /// The counsellor, signed in.
    pub fn me(&self, app: &TestApp) -> Actor {
        self.ngo.as_counsellor(app, &self.counsellor)
    }

    /// A sheet of this survivor on a day.
    pub fn sheet(&self, day: &str, instrument: &str, answers: &str) -> pb::SubmitAssessmentRequest {
        sheet(&self.client, day, instrument, answers)
    }
}

/// A sheet in English: values in the order of items; "–" is a skipped item, "x" a declined one. "yes" or "no" before
/// them answers the gate.
pub fn sheet(client: &pb::Client, day: &str, instrument: &str, answers: &str) -> pb::SubmitAssessmentRequest {
    let mut words = answers.split([' ', ',', '/']).filter(|it| !it.is_empty()).peekable();
    let gate = words.next_if(|it| ["yes", "no"].contains(it)).map(|it| it == "yes");
    let answer = |word: &str| match word {
        "–" => Answer::Missing(pb::MissingReason::Skipped.into()),
        "x" => Answer::Missing(pb::MissingReason::Declined.into()),
        value => Answer::Value(value.parse().unwrap()),
    };
    let item = |(item, word): (i32, &str)| pb::ItemAnswer { item, answer: Some(answer(word)) };
    pb::SubmitAssessmentRequest {
        client_id: client.id.clone(),
        instrument: instrument.into(),
        language: "en".into(),
        assessed_on: Some(date(day)),
        gate,
        answers: (1..).zip(words).map(item).collect(),
        ..Default::default()
    }
}

/// A sheet of the PCL-5 with this total, none of it an alarm by itself.
pub fn pcl(total: usize) -> String {
    let value = |item: usize| total / 20 + usize::from(item < total % 20);
    (0..20).map(|item| value(item).to_string()).collect::<Vec<_>>().join(",")
}

pub async fn submit(actor: &Actor, request: pb::SubmitAssessmentRequest) -> Result<pb::Assessment, Status> {
    Ok(submitted(actor, request).await?.assessment.unwrap())
}

/// As [`submit`], with what it has raised and its milestone.
pub async fn submitted(
    actor: &Actor,
    request: pb::SubmitAssessmentRequest,
) -> Result<pb::SubmitAssessmentResponse, Status> {
    Ok(actor.follow_up().submit_assessment(request).await?.into_inner())
}

pub async fn read(actor: &Actor, id: &str) -> Result<pb::Assessment, Status> {
    let request = pb::GetAssessmentRequest { id: id.into() };
    Ok(actor.follow_up().get_assessment(request).await?.into_inner().assessment.unwrap())
}

pub async fn progress(actor: &Actor, client: &pb::Client) -> Result<Vec<pb::ProgressSeries>, Status> {
    let request = pb::GetProgressRequest { client_id: client.id.clone(), ..Default::default() };
    Ok(actor.follow_up().get_progress(request).await?.into_inner().series)
}

/// What another sheet says instead, and why.
pub fn correcting(wrong: &pb::Assessment, instead: pb::SubmitAssessmentRequest) -> pb::SubmitAssessmentRequest {
    let (supersedes_assessment_id, reason) = (wrong.id.clone(), "read from the wrong line".into());
    pb::SubmitAssessmentRequest { supersedes_assessment_id, reason, ..instead }
}
