//! What only one of the two services has: survivors, and everything that becomes of them.
//!
//! They come to the other building, speak by telephone, or, when nothing links them to anybody, come to the same
//! building long after the last offender has left: so nothing that offenders' sessions need is ever taken.

use std::collections::BTreeMap;

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use chrono::Days;
use tonic::{Code, Status};

use super::script::Dice;
use super::stage::{CRIME, STATION, Stage};
use crate::support::{Actor, Ngo, TestApp, book, booking, consent_of, date, facts, group_of, minutes, own_consent};
use crate::support::{record, recording, time_of_day};

struct Someone {
    client: pb::Client,
    /// Of which organisation.
    of: usize,
    /// Comes to the building of the offenders, and is never linked to anybody.
    near: bool,
}

struct Visit {
    session: pb::Session,
    whose: usize,
}

/// Survivors and those who counsel them.
pub struct Survivors {
    counsellors: Vec<pb::Counsellor>,
    /// The other buildings.
    venues: Vec<pb::Venue>,
    people: Vec<Someone>,
    visits: Vec<Visit>,
    /// The other organisation's record of the crime.
    case: Option<pb::Case>,
    /// What was done, how often.
    pub lived: BTreeMap<&'static str, usize>,
}

const LIFE: [&str; 22] = [
    "come",
    "come",
    "come as a child",
    "be party of the crime",
    "have no contact",
    "withdraw consent",
    "visit",
    "visit",
    "visit",
    "visit every week",
    "meet in a group",
    "wait",
    "be recorded",
    "be written about",
    "be followed up",
    "be assessed",
    "be assessed",
    "raise a concern",
    "be excused",
    "have procedure",
    "find the counsellor on leave",
    "call off",
];

/// What must have happened at least once for the test to say anything.
pub fn everything() -> impl Iterator<Item = &'static str> {
    LIFE.into_iter()
}

impl Survivors {
    pub async fn begin(stage: &Stage) -> Self {
        let (mut counsellors, mut venues) = (Vec::new(), Vec::new());
        for ngo in &stage.ngos {
            counsellors.push(ngo.counsellor("S-1", pb::Side::Survivor).await);
            venues.push(ngo.second_site(&stage.app).await);
        }
        let lived = BTreeMap::new();
        let mut it = Self { counsellors, venues, people: vec![], visits: vec![], case: None, lived };
        for _ in 0..4 {
            it.come(stage, it.people.len() % 2, false).await;
        }
        it
    }

    /// References of survivors.
    pub fn references(&self) -> Vec<String> {
        self.people.iter().map(|it| it.client.reference.clone()).collect()
    }

    /// Lets something happen to somebody; what does not fit does not happen.
    pub async fn live(&mut self, stage: &mut Stage, dice: &Dice) {
        let what = *dice.one(&LIFE);
        match self.happen(what, stage, dice).await {
            Ok(()) => *self.lived.entry(what).or_default() += 1,
            Err(status) => {
                let failures = [Code::Internal, Code::Unavailable, Code::Unknown, Code::PermissionDenied];
                assert!(!failures.contains(&status.code()), "{what}: {status:?}");
            }
        }
    }

    async fn happen(&mut self, what: &str, stage: &mut Stage, dice: &Dice) -> Result<(), Status> {
        let (whose, choice) = (dice.below(self.people.len()), dice.below(1000));
        let ngo = &stage.ngos[self.people[whose].of];
        match what {
            "come" => self.come(stage, choice % 2, false).await,
            "come as a child" => self.come(stage, choice % 2, true).await,
            "be party of the crime" => return self.be_party(stage, whose).await,
            "have no contact" => return self.avoid(ngo, whose, &stage.clients[choice % stage.clients.len()]).await,
            "withdraw consent" => return self.withdraw(ngo, whose).await,
            "visit" => return self.visit(stage, whose, choice).await,
            "visit every week" => return self.visit_weekly(stage, whose, choice).await,
            "meet in a group" => return self.meet(stage, choice).await,
            "wait" => return self.wait(ngo, whose).await,
            "be recorded" => return self.be_recorded(stage, choice).await,
            "be written about" => return self.be_written_about(stage, choice).await,
            "be followed up" => return self.be_followed_up(ngo, whose).await,
            "be assessed" => return self.be_assessed(stage, whose, choice).await,
            "raise a concern" => return self.raise_a_concern(ngo, whose, choice).await,
            "be excused" => return self.be_excused(stage, whose, choice).await,
            "have procedure" => return have_procedure(stage, choice).await,
            "call off" => return self.call_off(stage, choice).await,
            _ => {
                let day = stage.today() + Days::new(choice as u64 % 20 + 7);
                let counsellor = &self.counsellors[self.people[whose].of];
                ngo.leave(counsellor, &format!("{day}T00:00:00Z"), &format!("{day}T20:00:00Z")).await;
            }
        }
        Ok(())
    }

    async fn come(&mut self, stage: &Stage, of: usize, child: bool) {
        let ngo = &stage.ngos[of];
        let client = if child {
            let client = ngo.child("2014-05-06").await;
            let guardian = ngo.guardian(&client, pb::GuardianStanding::Safe).await;
            ngo.consent(consent_of(&guardian, &client)).await.unwrap();
            client
        } else {
            ngo.survivor().await
        };
        let near = self.people.len() % 3 == 2;
        self.people.push(Someone { client, of, near });
    }

    /// The person, if links may be made.
    fn linkable(&self, whose: usize) -> Result<&Someone, Status> {
        Some(&self.people[whose]).filter(|it| !it.near).ok_or(Status::not_found("stays unlinked"))
    }

    async fn be_party(&mut self, stage: &mut Stage, whose: usize) -> Result<(), Status> {
        let someone = self.linkable(whose)?;
        let ngo = &stage.ngos[someone.of];
        let case = if someone.of == 0 { Some(&stage.case) } else { self.case.as_ref() };
        let Some(case) = case else {
            self.case = Some(ngo.party_of(CRIME, STATION, &someone.client).await);
            return Ok(());
        };
        let party = pb::CaseParty { client_id: someone.client.id.clone(), role: pb::CaseRole::Survivor.into() };
        let request = pb::AddCasePartyRequest {
            case_id: case.id.clone(),
            etag: case.etag.clone(),
            party: Some(party),
            ..Default::default()
        };
        let case = ngo.coordinator.clients().add_case_party(request).await?.into_inner().case.unwrap();
        if someone.of == 0 {
            stage.case = case
        } else {
            self.case = Some(case)
        }
        Ok(())
    }

    async fn avoid(&self, ngo: &Ngo, whose: usize, offender: &pb::Client) -> Result<(), Status> {
        let request = pb::DeclareNoContactRequest {
            client_id: self.linkable(whose)?.client.id.clone(),
            other_reference: offender.reference.clone(),
            ..Default::default()
        };
        ngo.coordinator.clients().declare_no_contact(request).await.map(drop)
    }

    async fn withdraw(&self, ngo: &Ngo, whose: usize) -> Result<(), Status> {
        let client = &self.people[whose].client;
        let request = pb::ListConsentsRequest { client_id: client.id.clone(), ..Default::default() };
        let consent = ngo.coordinator.clients().list_consents(request).await?.into_inner().consents.remove(0);
        let request = pb::WithdrawConsentRequest {
            consent_id: consent.id,
            etag: consent.etag,
            reason: "An example".into(),
            ..Default::default()
        };
        ngo.coordinator.clients().withdraw_consent(request).await?;
        if client.born_on.is_some_and(|born_on| born_on.year < 2000) {
            ngo.consent(own_consent(client)).await?;
        }
        Ok(())
    }

    fn wanted(&self, stage: &Stage, whose: usize, choice: usize) -> pb::BookSessionRequest {
        let someone = &self.people[whose];
        let day = stage.today() + Days::new(choice as u64 % 5 + 1);
        let (ngo, counsellor) = (&stage.ngos[someone.of], &self.counsellors[someone.of]);
        if someone.near {
            // From a quarter past three on: two hours and more after the last offender.
            let hour = 9 + choice / 5 % 2;
            return booking(ngo, counsellor, &someone.client, &format!("{day}T{hour:02}:45:00Z"));
        }
        let hour = 4 + choice / 5 % 7;
        let there = booking(ngo, counsellor, &someone.client, &format!("{day}T{hour:02}:30:00Z"));
        match choice % 2 {
            0 => pb::BookSessionRequest { venue_id: self.venues[someone.of].id.clone(), ..there },
            _ => pb::BookSessionRequest { venue_id: String::new(), modality: pb::Modality::Remote.into(), ..there },
        }
    }

    async fn visit(&mut self, stage: &Stage, whose: usize, choice: usize) -> Result<(), Status> {
        let mut request = self.wanted(stage, whose, choice);
        let why = "An example".to_owned();
        let rules = [pb::BookingRule::GuardianRequired, pb::BookingRule::Travel];
        let waive = |rule: pb::BookingRule| pb::RuleOverride { rule: rule.into(), reason: why.clone() };
        request.overrides = rules.into_iter().map(waive).collect();
        let session = book(&stage.ngos[self.people[whose].of].coordinator, request).await?;
        self.visits.push(Visit { session, whose });
        Ok(())
    }

    async fn visit_weekly(&mut self, stage: &Stage, whose: usize, choice: usize) -> Result<(), Status> {
        self.linkable(whose)?;
        let one = self.wanted(stage, whose, choice);
        let request = pb::BookSeriesRequest {
            client_id: one.client_id,
            counsellor_id: one.counsellor_id,
            service: one.service,
            modality: one.modality,
            venue_id: one.venue_id,
            length: Some(minutes(60)),
            first_date: Some(date(&(stage.today() + Days::new(2)).to_string())),
            time: Some(time_of_day(10 + choice as i32 % 6, 0)),
            rule: "FREQ=DAILY;INTERVAL=7;COUNT=4".into(),
            mode: pb::SeriesMode::BookWhatFits.into(),
            ..Default::default()
        };
        let ngo = &stage.ngos[self.people[whose].of];
        let series = ngo.coordinator.scheduling().book_series(request).await?.into_inner().series.unwrap();
        let sessions = series.occurrences.into_iter().filter_map(|it| it.session);
        self.visits.extend(sessions.map(|session| Visit { session, whose }));
        Ok(())
    }

    async fn meet(&mut self, stage: &Stage, choice: usize) -> Result<(), Status> {
        let of = choice % 2;
        let adult = |it: &&Someone| it.of == of && !it.near && it.client.born_on.is_some_and(|on| on.year < 2000);
        let group: Vec<pb::Client> = self.people.iter().filter(adult).map(|it| it.client.clone()).take(4).collect();
        let whose = self.people.iter().position(|it| it.client.id == group[0].id).unwrap();
        let one = pb::BookSessionRequest {
            venue_id: self.venues[of].id.clone(),
            modality: pb::Modality::InPerson.into(),
            ..self.wanted(stage, whose, choice)
        };
        let session = book(&stage.ngos[of].coordinator, group_of(8, &group, one)).await?;
        self.visits.push(Visit { session, whose });
        Ok(())
    }

    async fn wait(&self, ngo: &Ngo, whose: usize) -> Result<(), Status> {
        let someone = &self.people[whose];
        let wishes = pb::WaitlistWishes { venue_id: self.venues[someone.of].id.clone(), ..Default::default() };
        let request = pb::JoinWaitlistRequest {
            client_id: someone.client.id.clone(),
            service: pb::CareService::Counselling.into(),
            length: Some(minutes(60)),
            wishes: Some(wishes),
            ..Default::default()
        };
        ngo.coordinator.scheduling().join_waitlist(request).await.map(drop)
    }

    /// A visit that is over, or is not, with its person.
    fn pick(&self, app: &TestApp, over: bool, choice: usize) -> Result<(&Visit, &Someone), Status> {
        let now = app.now().timestamp();
        let is = |it: &&Visit| (it.session.ends_at.unwrap().seconds <= now) == over;
        let found: Vec<&Visit> = self.visits.iter().filter(is).collect();
        let visit = *found.get(choice % found.len().max(1)).ok_or(Status::not_found("none"))?;
        Ok((visit, &self.people[visit.whose]))
    }

    async fn be_recorded(&self, stage: &Stage, choice: usize) -> Result<(), Status> {
        let (visit, someone) = self.pick(&stage.app, true, choice)?;
        let outcomes = [pb::AttendanceOutcome::AttendedComplied, pb::AttendanceOutcome::NoShow];
        let mut request = recording(&visit.session, &someone.client, outcomes[choice % 2]);
        request.facts = Some(facts(outcomes[choice % 2]));
        record(&stage.ngos[someone.of].coordinator, request).await.map(drop)
    }

    async fn be_written_about(&self, stage: &Stage, choice: usize) -> Result<(), Status> {
        let (visit, someone) = self.pick(&stage.app, true, choice)?;
        let organisation_id = stage.ngos[someone.of].id.parse().unwrap();
        let counsellor_id = visit.session.counsellor_id.parse().unwrap();
        let counsellor = stage.app.actor(Authority::Counsellor { organisation_id, counsellor_id });
        let request = pb::WriteSessionNoteRequest {
            session_id: visit.session.id.clone(),
            client_id: someone.client.id.clone(),
            text: "An example of a note".into(),
            ..Default::default()
        };
        counsellor.attendance().write_session_note(request).await.map(drop)
    }

    /// The clinical lead of somebody's organisation.
    fn clinical_lead(&self, stage: &Stage, whose: usize) -> Actor {
        let organisation_id = stage.ngos[self.people[whose].of].id.parse().unwrap();
        stage.app.actor(Authority::ClinicalLead { organisation_id })
    }

    async fn be_followed_up(&self, ngo: &Ngo, whose: usize) -> Result<(), Status> {
        let someone = &self.people[whose];
        let request = pb::EnrolFollowUpRequest {
            client_id: someone.client.id.clone(),
            counsellor_id: self.counsellors[someone.of].id.clone(),
            ..Default::default()
        };
        ngo.coordinator.follow_up().enrol_follow_up(request).await.map(drop)
    }

    /// Answers a questionnaire of adults, from the least that can be said to the most.
    async fn be_assessed(&self, stage: &Stage, whose: usize, choice: usize) -> Result<(), Status> {
        let _ = self.be_followed_up(&stage.ngos[self.people[whose].of], whose).await;
        let value = (choice % 4) as i32;
        let answer = |item| pb::ItemAnswer { item, answer: Some(pb::item_answer::Answer::Value(value)) };
        let request = pb::SubmitAssessmentRequest {
            client_id: self.people[whose].client.id.clone(),
            instrument: "PHQ_9".into(),
            language: "ml".into(),
            answers: (1..=9).map(answer).collect(),
            ..Default::default()
        };
        self.clinical_lead(stage, whose).follow_up().submit_assessment(request).await.map(drop)
    }

    async fn raise_a_concern(&self, ngo: &Ngo, whose: usize, choice: usize) -> Result<(), Status> {
        let someone = &self.people[whose];
        let request = pb::ReportConcernRequest {
            client_id: someone.client.id.clone(),
            kind: choice as i32 % 4 + 1,
            text: "An example".into(),
            counsellor_id: self.counsellors[someone.of].id.clone(),
            ..Default::default()
        };
        ngo.coordinator.follow_up().report_concern(request).await.map(drop)
    }

    async fn be_excused(&self, stage: &Stage, whose: usize, choice: usize) -> Result<(), Status> {
        let lead = self.clinical_lead(stage, whose);
        // Unless that happened before.
        let _ = self.be_followed_up(&stage.ngos[self.people[whose].of], whose).await;
        let client_id = self.people[whose].client.id.clone();
        let request = pb::GetFollowUpRequest { client_id, ..Default::default() };
        let milestones = lead.follow_up().get_follow_up(request).await?.into_inner().milestones;
        let milestone = &milestones[choice % milestones.len()];
        let request = pb::ExcuseMilestoneRequest {
            milestone_id: milestone.id.clone(),
            etag: milestone.etag.clone(),
            excuse: choice as i32 % 3 + 1,
            reason: "An example".into(),
            ..Default::default()
        };
        lead.follow_up().excuse_milestone(request).await.map(drop)
    }

    async fn call_off(&self, stage: &Stage, choice: usize) -> Result<(), Status> {
        let (visit, someone) = self.pick(&stage.app, false, choice)?;
        let ngo = &stage.ngos[someone.of];
        ngo.cancel(&ngo.session(&visit.session.id).await).await.map(drop)
    }
}

/// Something of procedure happens in the case to which offenders and survivors are parties.
async fn have_procedure(stage: &Stage, choice: usize) -> Result<(), Status> {
    let request = pb::RecordCaseEventRequest {
        case_id: stage.case.id.clone(),
        kind: choice as i32 % 20 + 1,
        happened_on: Some(date(&stage.today().to_string())),
        source: "Example file".into(),
        actor: "Example office".into(),
        zone: "Asia/Kolkata".into(),
        ..Default::default()
    };
    stage.ngos[0].coordinator.follow_up().record_case_event(request).await.map(drop)
}
