//! One of the two services with its offenders. Whatever they do depends on the step alone, so that both do it alike.

use aftercare::grpc::pb;
use chrono::{DateTime, Days, TimeDelta, Utc};
use tonic::Status;

use super::script::{Deed, Step};
use crate::support::treatment::{afternoon, create_order, order_of};
use crate::support::{Engine, Ngo, TestApp, amend, book, booking, date, decide, deciding, minutes, record};
use crate::support::{amending, recording, refused, time_of_day};

/// Where police are asked.
pub const HERE: &str = "KL-TVM";
pub const ELSEWHERE: &str = "KL-EKM";
/// The crime of the first two, of whom survivors are parties too.
pub const CRIME: &str = "101/2025";
pub const STATION: &str = "Example Nagar PS";

/// A treatment order.
pub struct Order {
    pub id: String,
    pub reference: String,
    /// Whose.
    whose: usize,
}

struct Session {
    id: String,
    whose: usize,
    ends_at: DateTime<Utc>,
    gone: bool,
    recorded: bool,
    absent: bool,
}

/// A service.
pub struct Stage {
    pub app: TestApp,
    /// Two that treat and counsel.
    pub ngos: [Ngo; 2],
    /// The counsellors of both who treat.
    treating: Vec<pb::Counsellor>,
    /// In treatment: all with the first organisation but for the last.
    pub clients: Vec<pb::Client>,
    pub orders: Vec<Order>,
    /// The first organisation's record of the crime.
    pub case: pb::Case,
    sessions: Vec<Session>,
}

/// So many are in treatment; the last but one without an order.
const CLIENTS: usize = 7;

impl Stage {
    pub async fn set(engine: Engine, seed: u64) -> Self {
        let app = TestApp::start_seeded(engine, seed).await;
        app.clock.set(afternoon("2026-01-05"));
        let ngos = [Ngo::new(&app, "TREATING").await, Ngo::new(&app, "NEXT").await];
        let mut treating = Vec::new();
        for (ngo, code) in [(&ngos[0], "O-1"), (&ngos[0], "O-2"), (&ngos[1], "O-1")] {
            treating.push(ngo.counsellor(code, pb::Side::Offender).await);
        }
        let mut clients = Vec::new();
        for number in 0..CLIENTS {
            clients.push(ngos[organisation_of(number)].offender().await);
        }
        let case = ngos[0].party_of(CRIME, STATION, &clients[0]).await;
        let case = ngos[0].add_party(&case, &clients[1], pb::CaseRole::Accused.into()).await;
        let mut it = Self { app, ngos, treating, clients, orders: vec![], case, sessions: vec![] };
        it.first_orders().await.unwrap();
        it
    }

    async fn first_orders(&mut self) -> Result<(), Status> {
        use pb::MandateBasis::{BailCondition, CourtOrder, ProbationOrder, Voluntary};
        for (whose, jurisdiction, mandate, zone, required_sessions) in [
            (0, HERE, CourtOrder, "Asia/Kolkata", 2),
            (1, HERE, BailCondition, "Asia/Kolkata", 12),
            (2, HERE, ProbationOrder, "Asia/Kathmandu", 3),
            (3, ELSEWHERE, CourtOrder, "Asia/Kolkata", 4),
            (4, HERE, Voluntary, "Asia/Kolkata", 4),
            (6, HERE, CourtOrder, "Asia/Kolkata", 1),
        ] {
            let order = pb::TreatmentOrder {
                jurisdiction: jurisdiction.into(),
                mandate: mandate.into(),
                zone: zone.into(),
                required_sessions,
                ..order_of(&self.clients[whose])
            };
            self.order(whose, order).await?;
        }
        Ok(())
    }

    async fn order(&mut self, whose: usize, order: pb::TreatmentOrder) -> Result<(), Status> {
        let order = create_order(&self.ngos[organisation_of(whose)].coordinator, order).await?;
        self.orders.push(Order { id: order.id, reference: order.reference, whose });
        Ok(())
    }

    pub fn today(&self) -> chrono::NaiveDate {
        self.app.now().date_naive()
    }

    /// Ids, references and keys are from here on those of every service that began at the same number.
    pub fn begin(&mut self, number: u64) {
        self.app.chance.begin(number);
    }

    /// Does what a step says; answers what came of it.
    pub async fn act(&mut self, step: Step) -> String {
        match self.deed(step).await {
            Ok(()) => "done".into(),
            Err(status) => {
                let it = refused(&status);
                format!("{:?} {} {:?}", it.code, it.reason, it.items)
            }
        }
    }

    async fn deed(&mut self, step: Step) -> Result<(), Status> {
        let whose = step.pick % CLIENTS;
        match step.deed {
            Deed::Pass => return self.pass(step.choice % 6 + 1).await,
            Deed::Book => self.book(whose, step.choice, true).await,
            Deed::BookApart => self.book(whose, step.choice, false).await,
            Deed::BookSeries => self.book_series(whose).await,
            Deed::Count => self.count(step).await,
            Deed::Move | Deed::Cancel => self.change(step).await,
            Deed::Record => self.record(step).await,
            Deed::Amend | Deed::Decide => self.judge(step).await,
            Deed::Order => {
                let order = pb::TreatmentOrder {
                    starts_on: Some(date(&self.today().to_string())),
                    required_sessions: 3,
                    ..order_of(&self.clients[whose])
                };
                self.order(whose, order).await
            }
            _ => self.decide(step).await,
        }
    }

    /// Moves the clock, and everybody signs in anew.
    async fn pass(&mut self, days: usize) -> Result<(), Status> {
        self.app.clock.advance(TimeDelta::days(i64::try_from(days).unwrap()));
        for ngo in &mut self.ngos {
            ngo.sign_in(&self.app);
        }
        self.app.run_jobs().await;
        Ok(())
    }

    /// Offenders come in the mornings, the last of them leaves at one.
    fn start(&self, whose: usize, choice: usize) -> String {
        let day = self.today() + Days::new(choice as u64 % 4 + 1);
        format!("{day}T0{}:30:00Z", 4 + whose % 3)
    }

    fn order_for(&self, whose: usize) -> String {
        self.orders.iter().find(|it| it.whose == whose).map(|it| it.id.clone()).unwrap_or_default()
    }

    async fn book(&mut self, whose: usize, choice: usize, counted: bool) -> Result<(), Status> {
        let (ngo, counsellor) = (&self.ngos[organisation_of(whose)], &self.treating[counsellor_of(whose)]);
        let mut request = booking(ngo, counsellor, &self.clients[whose], &self.start(whose, choice));
        if counted {
            request.order_id = self.order_for(whose);
        }
        let session = book(&ngo.coordinator, request).await?;
        self.keep(whose, &session);
        Ok(())
    }

    fn keep(&mut self, whose: usize, session: &pb::Session) {
        let ends_at = session.ends_at.map(|at| DateTime::from_timestamp(at.seconds, 0).unwrap()).unwrap();
        let kept = Session { id: session.id.clone(), whose, ends_at, gone: false, recorded: false, absent: false };
        self.sessions.push(kept);
    }

    async fn book_series(&mut self, whose: usize) -> Result<(), Status> {
        let ngo = &self.ngos[organisation_of(whose)];
        let one = booking(ngo, &self.treating[counsellor_of(whose)], &self.clients[whose], &self.start(whose, 0));
        let request = pb::BookSeriesRequest {
            client_id: one.client_id,
            counsellor_id: one.counsellor_id,
            service: one.service,
            modality: one.modality,
            venue_id: one.venue_id,
            length: Some(minutes(60)),
            first_date: Some(date(&(self.today() + Days::new(1)).to_string())),
            time: Some(time_of_day(10 + whose as i32 % 3, 0)),
            rule: "FREQ=DAILY;INTERVAL=7;COUNT=3".into(),
            mode: pb::SeriesMode::BookWhatFits.into(),
            order_id: self.order_for(whose),
            ..Default::default()
        };
        let booked = ngo.coordinator.scheduling().book_series(request).await?.into_inner().series.unwrap();
        for session in booked.occurrences.iter().filter_map(|it| it.session.as_ref()) {
            self.keep(whose, session);
        }
        Ok(())
    }

    /// One of the sessions of which this can be said.
    fn pick(&self, pick: usize, which: impl Fn(&Session) -> bool) -> Result<usize, Status> {
        let found: Vec<usize> = (0..self.sessions.len()).filter(|at| which(&self.sessions[*at])).collect();
        if found.is_empty() { Err(Status::not_found("none")) } else { Ok(found[pick % found.len()]) }
    }

    async fn count(&mut self, step: Step) -> Result<(), Status> {
        let session = &self.sessions[self.pick(step.pick, |it| !it.gone)?];
        let request = pb::CountSessionRequest {
            order_id: self.order_for(session.whose),
            session_id: session.id.clone(),
            ..Default::default()
        };
        let ngo = &self.ngos[organisation_of(session.whose)];
        ngo.coordinator.compliance().count_session(request).await.map(drop)
    }

    async fn change(&mut self, step: Step) -> Result<(), Status> {
        let now = self.app.now();
        let at = self.pick(step.pick, |it| !it.gone && it.ends_at > now)?;
        let whose = self.sessions[at].whose;
        let ngo = &self.ngos[organisation_of(whose)];
        let session = ngo.session(&self.sessions[at].id).await;
        let reasons = [pb::CancelReason::Client, pb::CancelReason::Provider, pb::CancelReason::Court];
        let reason = reasons[step.choice % 3].into();
        let (session_id, etag) = (session.id, session.etag);
        if step.deed == Deed::Cancel {
            let request = pb::CancelSessionRequest { session_id, etag, reason, ..Default::default() };
            ngo.coordinator.scheduling().cancel_session(request).await?;
            self.sessions[at].gone = true;
            return Ok(());
        }
        let starts_at = crate::support::at(&self.start(whose, step.choice));
        let request = pb::RescheduleSessionRequest { session_id, etag, reason, starts_at, ..Default::default() };
        let moved = ngo.coordinator.scheduling().reschedule_session(request).await?.into_inner().session.unwrap();
        self.sessions[at].gone = true;
        self.keep(whose, &moved);
        Ok(())
    }

    async fn record(&mut self, step: Step) -> Result<(), Status> {
        let now = self.app.now();
        let at = self.pick(step.pick, |it| !it.gone && !it.recorded && it.ends_at <= now)?;
        let request = recording(&self.session(at).await, &self.clients[self.sessions[at].whose], outcome(step.choice));
        record(&self.ngos[organisation_of(self.sessions[at].whose)].coordinator, request).await?;
        self.sessions[at].recorded = true;
        self.sessions[at].absent = outcome(step.choice) == pb::AttendanceOutcome::NoShow;
        Ok(())
    }

    async fn session(&self, at: usize) -> pb::Session {
        self.ngos[organisation_of(self.sessions[at].whose)].session(&self.sessions[at].id).await
    }

    /// Corrects what was recorded, as somebody else, or decides about an absence.
    async fn judge(&mut self, step: Step) -> Result<(), Status> {
        let at = self.pick(step.pick, |it| it.recorded && (it.absent || step.deed == Deed::Amend))?;
        let whose = self.sessions[at].whose;
        let (session, client) = (self.session(at).await, &self.clients[whose]);
        let ngo = &self.ngos[organisation_of(whose)];
        let request = pb::ListAttendanceRequest { session_id: session.id.clone(), ..Default::default() };
        let listed = ngo.coordinator.attendance().list_attendance(request).await?.into_inner();
        let etag = listed.histories[0].records.last().unwrap().etag.clone();
        if step.deed == Deed::Amend {
            let other = ngo.another_coordinator(&self.app);
            return amend(&other, amending(&session, client, &etag, outcome(step.choice))).await.map(drop);
        }
        let mut request = deciding(&session, client, &etag, step.choice.is_multiple_of(3));
        request.serious = step.choice % 3 == 1;
        decide(&ngo.coordinator, request).await.map(drop)
    }

    /// Decides about an order as a whole.
    async fn decide(&mut self, step: Step) -> Result<(), Status> {
        let kept = &self.orders[step.pick % self.orders.len()];
        let mut compliance = self.ngos[organisation_of(kept.whose)].coordinator.compliance();
        let mut get = pb::GetOrderRequest { order_id: kept.id.clone() };
        if matches!(step.deed, Deed::Confirm | Deed::Resolve) {
            // Rather one of which there is something to confirm or resolve.
            let breached = pb::OrderStatus::Breached.into();
            let list = pb::ListOrdersRequest { status: breached, ..Default::default() };
            let listed = compliance.list_orders(list).await?.into_inner().orders;
            get.order_id = listed.into_iter().next().map_or(get.order_id, |it| it.id);
        }
        let read = compliance.get_order(get).await?.into_inner();
        let order = read.order.unwrap();
        let (order_id, etag, reason) = (order.id.clone(), order.etag.clone(), "An example".to_owned());
        let day = |from_now: u64| Some(date(&(self.today() + Days::new(from_now)).to_string()));
        macro_rules! send {
            ($method:ident, $request:ident { $($field:ident: $value:expr),* }) => {
                compliance.$method(pb::$request { order_id, etag, reason, $($field: $value,)* ..Default::default() })
                    .await.map(drop)
            };
        }
        match step.deed {
            Deed::Warn => send!(issue_warning, IssueWarningRequest {}),
            Deed::Suspend => {
                let (from, until) = (day(1), day(step.choice as u64 % 10 + 1));
                send!(suspend_order, SuspendOrderRequest { from: from, until: until })
            }
            Deed::Confirm => send!(confirm_breach, ConfirmBreachRequest {}),
            Deed::Resolve => send!(resolve_breach, ResolveBreachRequest {}),
            Deed::Terminate => {
                let why = pb::TerminationReason::Revoked.into();
                send!(terminate_order, TerminateOrderRequest { termination_reason: why })
            }
            Deed::Withdraw => {
                let number = i32::try_from(step.choice % read.events.len()).unwrap() + 1;
                send!(withdraw_event, WithdrawEventRequest { number: number })
            }
            _ => {
                let order = Some(amended(order, step.choice));
                compliance.amend_order(pb::AmendOrderRequest { order, reason, ..Default::default() }).await.map(drop)
            }
        }
    }
}

fn amended(order: pb::TreatmentOrder, choice: usize) -> pb::TreatmentOrder {
    match choice % 4 {
        0 => pb::TreatmentOrder { required_sessions: order.required_sessions + 1, ..order },
        1 => pb::TreatmentOrder { mandate: pb::MandateBasis::Voluntary.into(), ..order },
        2 => pb::TreatmentOrder { mandate: pb::MandateBasis::CourtOrder.into(), jurisdiction: HERE.into(), ..order },
        _ => pb::TreatmentOrder { jurisdiction: ELSEWHERE.into(), ..order },
    }
}

fn outcome(choice: usize) -> pb::AttendanceOutcome {
    use pb::AttendanceOutcome as Outcome;
    let all = [
        Outcome::AttendedComplied,
        Outcome::NoShow,
        Outcome::AttendedComplied,
        Outcome::Late,
        Outcome::NoShow,
        Outcome::AttendedDidNotComply,
        Outcome::ProviderCancelled,
        Outcome::LeftEarly,
    ];
    all[choice % all.len()]
}

/// Which organisation treats somebody.
fn organisation_of(client: usize) -> usize {
    usize::from(client == CLIENTS - 1)
}

/// Which counsellor: three clients have one, each at an hour of their own.
fn counsellor_of(client: usize) -> usize {
    client / 3
}
