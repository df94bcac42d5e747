//! Plays a story through the service, and compares what it answers with what is known.

use aftercare::domain::compliance::{PoliceStatus, Policy, Shown, Terms};
use aftercare::grpc::pb;
use aftercare::store::{Db, compliance};
use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use pb::google::r#type::Date;
use tonic::Status;

use super::known::Known;
use super::story::{Act, Story};
use crate::support::TestApp;
use crate::support::treatment::{Treated, afternoon, check, lookup, officer};

/// Who looks while the story goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looks {
    /// Police and the provider, at every midnight of the order's zone and every afternoon.
    Daily,
    /// Nobody but the job that moves orders on.
    Jobs,
    /// Nobody.
    Never,
}

/// Where an order stands when the story is over, and which acts were refused.
#[derive(Clone, Debug, PartialEq)]
pub struct End {
    pub view: pb::ComplianceView,
    pub standing: pb::OrderStanding,
    pub refused: Vec<usize>,
}

pub struct Play<'a> {
    app: &'a TestApp,
    pub it: Treated,
    pub known: Known,
    calendar: String,
}

/// Rules by which things happen within the hundred days of a story.
fn short_policy() -> Policy {
    Policy {
        breach_window_months: 1,
        lates_window_months: 1,
        gap_days: 9,
        acceptable_limit: 1,
        acceptable_window_days: 20,
        ..Policy::default()
    }
}

async fn publish_short(app: &TestApp) {
    let it = short_policy();
    let number = |it: u32| Some(it as i32);
    let policy = pb::CompliancePolicy {
        code: "SHORT".into(),
        name: "Short windows".into(),
        breach_window_months: number(it.breach_window_months),
        lates_window_months: number(it.lates_window_months),
        gap_days: number(it.gap_days),
        acceptable_limit: number(it.acceptable_limit),
        acceptable_window_days: number(it.acceptable_window_days),
        ..Default::default()
    };
    let request = pb::PublishPolicyRequest { policy: Some(policy), ..Default::default() };
    app.admin().compliance().publish_policy(request).await.unwrap();
}

fn on_wire(day: NaiveDate) -> Date {
    Date { year: day.year(), month: day.month() as i32, day: day.day() as i32 }
}

/// The name of a word of ours on the wire.
fn named(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_owned()
}

/// Midnight of a day in a zone, or what comes first after it.
fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    let noon = day.and_hms_opt(12, 0, 0).unwrap().and_local_timezone(zone).unwrap().to_utc();
    let first = (0..=13 * 4).map(|quarter| noon - TimeDelta::minutes(15 * quarter));
    first.take_while(|at| at.with_timezone(&zone).date_naive() == day).last().unwrap()
}

impl<'a> Play<'a> {
    pub async fn begin(app: &'a TestApp, story: &Story) -> Self {
        app.clock.set(afternoon("2026-01-01"));
        publish_short(app).await;
        let code = if story.short_policy { "SHORT" } else { "" };
        let it = Treated::with(app, |order| {
            order.zone = story.zone.into();
            order.required_sessions = story.required;
            order.policy_code = code.into();
        });
        let it = it.await;
        let terms = Terms { starts_on: story.first, ends_on: None, required: story.required as u32 };
        let policy = if story.short_policy { short_policy() } else { Policy::default() };
        let holidays = ["2026-01-26".parse().unwrap()].into();
        let known = Known::new(terms, policy, story.zone.parse().unwrap(), holidays, app.now());
        let calendar = it.order().await.holiday_calendar_id;
        Self { app, it, known, calendar }
    }

    /// Plays a story to its end.
    pub async fn play(mut self, story: &Story, looks: Looks) -> End {
        let mut refused = Vec::new();
        let mut acts = story.acts.iter().enumerate().peekable();
        let mut day = story.first - TimeDelta::days(4);
        while day <= story.last {
            let (noon, zone) = (afternoon(&day.to_string()), self.known.zone);
            if looks == Looks::Daily {
                // In the zone of the order it may be tomorrow already.
                let turns = [day, day.succ_opt().unwrap()].map(|day| midnight(day, zone));
                for at in turns.into_iter().filter(|at| (noon - TimeDelta::days(1)..noon).contains(at)) {
                    self.go_to(at - TimeDelta::microseconds(1));
                    self.look(&format!("{at}, just before")).await;
                    self.go_to(at);
                    self.look(&format!("{at}")).await;
                }
            }
            self.go_to(noon);
            while let Some((number, (_, act))) = acts.next_if(|(_, (on, _))| *on <= day) {
                if let Err(status) = self.act(act).await {
                    assert!(
                        !matches!(status.code(), tonic::Code::Internal | tonic::Code::Unknown),
                        "{act:?}: {status}"
                    );
                    refused.push(number);
                }
                if looks == Looks::Daily {
                    self.look(&format!("{day} after {act:?}")).await;
                }
            }
            match looks {
                Looks::Daily if day.ordinal().is_multiple_of(4) => self.provider_looks(day).await,
                Looks::Jobs => self.app.run_jobs().await,
                _ => {}
            }
            day = day.succ_opt().unwrap();
        }
        self.end(refused).await
    }

    pub fn go_to(&mut self, at: DateTime<Utc>) {
        self.it.go_to_instant(self.app, at);
        self.known.pass(at);
    }

    /// Does what is told, and remembers it unless it is refused.
    pub async fn act(&mut self, act: &Act) -> Result<(), Status> {
        let number = self.done(act).await?;
        self.known.note(act, number, self.app.now());
        Ok(())
    }

    async fn done(&mut self, act: &Act) -> Result<i32, Status> {
        let nothing = || Status::not_found("the story says so of no session");
        match act {
            Act::Cancel(day, _) | Act::Record(day, _) if !self.known.is_booked(*day) => return Err(nothing()),
            Act::Amend(day, _) | Act::Decide(day, ..) if !self.known.is_recorded(*day) => return Err(nothing()),
            _ => {}
        }
        let it = &mut self.it;
        let number = |order: pb::TreatmentOrder| order.etag.parse().unwrap();
        Ok(match *act {
            Act::Book(day) => it.try_session(self.app, &day.to_string()).await.map(|_| 0)?,
            Act::Cancel(day, reason) => it.cancel(&day.to_string(), reason).await.map(|_| 0)?,
            Act::Record(day, said) => it.record(&day.to_string(), said.facts()).await.map(|_| 0)?,
            Act::Amend(day, said) => it.amend(&day.to_string(), said.facts()).await.map(|_| 0)?,
            Act::Decide(day, acceptable, serious) => {
                it.decide(&day.to_string(), acceptable, serious && !acceptable).await.map(|()| 0)?
            }
            Act::Warn(on) => it.warn(Some(&on.to_string())).await.map(number)?,
            Act::Suspend(from, until) => it.suspend(&from.to_string(), &until.to_string()).await.map(number)?,
            Act::Confirm => it.confirm().await.map(number)?,
            Act::Resolve => it.resolve().await.map(number)?,
            Act::Terminate => number(it.terminate().await?.order.unwrap()),
            Act::Withdraw => {
                let last = self.known.last_act().ok_or_else(nothing)?;
                it.withdraw(last).await.map(number)?
            }
            Act::Order(more, ends_on, short) => self.amend_order(more, ends_on, short).await?,
            Act::Holiday(day) => self.turn_holiday(day).await?,
        })
    }

    async fn amend_order(&mut self, more: i32, ends_on: Option<NaiveDate>, short: bool) -> Result<i32, Status> {
        let before = self.it.order().await;
        let required = (before.required_sessions + more).max(1);
        let order = pb::TreatmentOrder {
            required_sessions: required,
            ends_on: ends_on.map(on_wire),
            policy_code: if short { "SHORT" } else { "STANDARD" }.into(),
            policy_version: 0,
            ..before
        };
        let request = pb::AmendOrderRequest { order: Some(order), reason: "An example".into(), ..Default::default() };
        self.it.ngo.coordinator.compliance().amend_order(request).await?;
        let terms = Terms { ends_on, required: required as u32, ..self.known.terms.clone() };
        self.known.amended(terms, if short { short_policy() } else { Policy::default() });
        Ok(0)
    }

    async fn turn_holiday(&self, day: NaiveDate) -> Result<i32, Status> {
        let mut directory = self.it.ngo.coordinator.directory();
        let request =
            pb::GetHolidayCalendarRequest { holiday_calendar_id: self.calendar.clone(), ..Default::default() };
        let mut calendar = directory.get_holiday_calendar(request).await?.into_inner().holiday_calendar.unwrap();
        let before = calendar.holidays.len();
        calendar.holidays.retain(|it| it.date != Some(on_wire(day)));
        if calendar.holidays.len() == before {
            calendar.holidays.push(pb::Holiday { date: Some(on_wire(day)), name: "Example day".into() });
        }
        let request = pb::UpdateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
        directory.update_holiday_calendar(request).await.map(|_| 0)
    }

    /// What police see must be what is known, asked for alone and on the page.
    async fn look(&mut self, when: &str) {
        let seen = self.it.seen(self.app).await;
        self.is_known(&seen, when);
        let request =
            pb::ListComplianceInJurisdictionRequest { lookup: lookup(), status: seen.status, ..Default::default() };
        let police = officer(self.app, "KL-TVM");
        let page = police.compliance().list_compliance_in_jurisdiction(request).await.unwrap().into_inner();
        assert_eq!(page.compliances, [seen], "{when}");
    }

    fn is_known(&self, seen: &pb::ComplianceView, when: &str) {
        let (status, changed_on) = self.known.shown();
        let told = PoliceStatus {
            status: named(seen.status().as_str_name(), "COMPLIANCE_STATUS_").parse::<Shown>().unwrap(),
            credits: seen.credited_sessions as u32,
            required: seen.required_sessions as u32,
            breach_on: seen.breach_on.map(day_of),
            enforcement_due_on: seen.enforcement_due_on.map(day_of),
        };
        assert_eq!(told, *status, "{when}");
        assert_eq!(day_of(seen.last_change_on.unwrap()), changed_on, "{when}: {told:?}");
        assert_eq!(seen.unrecorded_sessions, self.known.unrecorded(self.app.now()), "{when}");
        let today = self.app.now().with_timezone(&self.known.zone).date_naive();
        assert_eq!(day_of(seen.as_of.unwrap()), today, "{when}");
        let expires_at = seen.expires_at.unwrap();
        assert_eq!(expires_at.seconds, midnight(today.succ_opt().unwrap(), self.known.zone).timestamp(), "{when}");
    }

    /// The provider's lists must have the order where, and only where, the function says.
    async fn provider_looks(&self, day: NaiveDate) {
        let today = self.app.now().with_timezone(&self.known.zone).date_naive();
        let is = self.known.assess(today);
        let mut compliance = self.it.ngo.coordinator.compliance();
        for status in 1..=7 {
            let request = pb::ListOrdersRequest { status, ..Default::default() };
            let orders = compliance.list_orders(request).await.unwrap().into_inner().orders;
            let name = pb::OrderStatus::try_from(status).unwrap().as_str_name();
            let expected = named(name, "ORDER_STATUS_") == is.status.as_str();
            assert_eq!(!orders.is_empty(), expected, "{day}: {name}, and it is {}", is.status);
        }
        let request = pb::ListOrdersRequest { alerted: true, ..Default::default() };
        let alerted = compliance.list_orders(request).await.unwrap().into_inner().orders;
        assert_eq!(alerted.is_empty(), is.alerts.is_empty(), "{day}: {:?}", is.alerts);
        let request = pb::ListBreachReviewsRequest::default();
        let reviews = compliance.list_breach_reviews(request).await.unwrap().into_inner().orders;
        assert_eq!(!reviews.is_empty(), self.known.shown().0.status == Shown::UnderReview, "{day}");
    }

    /// Looks at everything once, also at what is kept.
    async fn end(self, refused: Vec<usize>) -> End {
        let mut view = check(&officer(self.app, "KL-TVM"), &self.it.reference).await.unwrap();
        self.is_known(&view, "at the end");
        let day = self.app.now().date_naive();
        self.provider_looks(day).await;
        self.is_kept().await;
        let standing = self.it.standing().await;
        self.is_told(&standing);
        // Which differs from order to order, and what only who asked before can see.
        (view.reference, view.corrected) = (String::new(), false);
        End { view, standing, refused }
    }

    /// What the provider is told, but for what [`Self::is_kept`] compares.
    fn is_told(&self, standing: &pb::OrderStanding) {
        let is = self.known.assess(self.app.now().with_timezone(&self.known.zone).date_naive());
        let days = |all: &[Date]| all.iter().copied().map(day_of).collect::<Vec<_>>();
        assert_eq!(days(&standing.pending), is.pending);
        assert_eq!(days(&standing.excused), is.excused);
        let told =
            standing.failures.iter().map(|it| (it.on.map(day_of), it.established_on.map(day_of), it.live, it.breach));
        let expected = is.failures.iter().map(|it| (Some(it.on), Some(it.established_on), it.live, it.breach));
        assert!(told.eq(expected), "{:?}\n{:?}", standing.failures, is.failures);
    }

    async fn is_kept(&self) {
        let db = Db::open(&self.app.db.target, 1).await.unwrap();
        let mut tx = db.begin_read().await.unwrap();
        let kept = compliance::find(&mut tx, self.it.order_id.parse().unwrap()).await.unwrap().unwrap();
        let today = self.app.now().with_timezone(&self.known.zone).date_naive();
        let is = self.known.assess(today);
        assert_eq!((kept.status, kept.at_risk, kept.alerts), (is.status, is.at_risk, is.alerts));
        let next_at = self.known.next_change_on().map(|day| midnight(day, self.known.zone));
        assert_eq!(kept.next_change_at, next_at);
    }
}

fn day_of(date: Date) -> NaiveDate {
    NaiveDate::from_ymd_opt(date.year, date.month as u32, date.day as u32).unwrap()
}
