//! Who there is: two organisations at one site, each with counsellors and clients of both sides, orders and plans; and
//! few enough times that everybody is in everybody's way.

use aftercare::domain::access::Authority;
use aftercare::grpc::pb;
use aftercare::grpc::pb::google::r#type::Date;
use chrono::{DateTime, DurationRound, NaiveDate, TimeDelta, Utc};
use chrono_tz::Asia::Kolkata;

use crate::support::followup::{enrol, enrolling};
use crate::support::treatment::{create_order, order_of};
use crate::support::{Ngo, TestApp, date, minutes, time_of_day, venue_at};

const COUNSELLORS: usize = 2;
const SURVIVORS: usize = 4;
const OFFENDERS: usize = 3;
/// Times of a round, half an hour each.
pub const SLOTS: i64 = 64;

/// Somebody who counsels.
pub struct Counsellor {
    pub id: String,
    pub side: pb::Side,
}

/// Somebody who comes.
pub struct Client {
    pub id: String,
    pub side: pb::Side,
    /// An offender's order and its reference.
    pub order: Option<(String, String)>,
    /// Who answers for a survivor's plan.
    pub responsible: String,
}

/// An organisation.
pub struct Org {
    pub id: String,
    pub venue_id: String,
    pub counsellors: Vec<Counsellor>,
    pub clients: Vec<Client>,
}

/// All of them.
pub struct Scene {
    pub orgs: [Org; 2],
    /// The first time, a full hour.
    pub begins_at: DateTime<Utc>,
    /// Least time between the two sides at the site.
    pub gap: TimeDelta,
}

impl Scene {
    pub async fn set(app: &TestApp, round: u64) -> Self {
        let mut first = Ngo::new(app, &format!("A{round}")).await;
        let mut second = Ngo::new(app, &format!("B{round}")).await;
        let gap = TimeDelta::minutes(30);
        let site = pb::Site { separation_gap: Some(minutes(gap.num_minutes())), ..first.site.clone() };
        let request = pb::UpdateSiteRequest { site: Some(site), ..Default::default() };
        first.site = app.admin().directory().update_site(request).await.unwrap().into_inner().site.unwrap();
        second.venue = venue_at(app, &second.id, "NEXT", &first.site).await;
        let begins_at = app.now().duration_trunc(TimeDelta::hours(1)).unwrap() - TimeDelta::hours(1);
        let (a, b) = (org(app, &first).await, org(app, &second).await);
        // They are linked: never at one site on one day.
        let case = first.party_of("12/2026", "Example Nagar", &client_of(&a.1, pb::Side::Offender)).await;
        first.add_party(&case, &client_of(&a.1, pb::Side::Survivor), 1).await;
        Self { orgs: [a.0, b.0], begins_at, gap }
    }

    /// The start of a time, which may have passed.
    pub fn slot(&self, number: i64) -> DateTime<Utc> {
        self.begins_at + TimeDelta::minutes(30 * number)
    }

    /// The local day of an instant.
    pub fn day(at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&Kolkata).date_naive()
    }

    /// A local day, for the wire.
    pub fn on(day: NaiveDate) -> Date {
        date(&day.to_string())
    }

    pub fn coordinator(&self, org: usize) -> Authority {
        Authority::Coordinator { organisation_id: self.orgs[org].id.parse().unwrap() }
    }

    pub fn counsellor(&self, org: usize, counsellor_id: &str) -> Authority {
        let organisation_id = self.orgs[org].id.parse().unwrap();
        Authority::Counsellor { organisation_id, counsellor_id: counsellor_id.parse().unwrap() }
    }
}

fn client_of(all: &[pb::Client], side: pb::Side) -> pb::Client {
    all.iter().find(|it| it.side() == side).unwrap().clone()
}

async fn org(app: &TestApp, ngo: &Ngo) -> (Org, Vec<pb::Client>) {
    let (mut counsellors, mut clients, mut all) = (Vec::new(), Vec::new(), Vec::new());
    for side in [pb::Side::Survivor, pb::Side::Offender] {
        for number in 0..COUNSELLORS {
            let code = format!("{}{number}", if side == pb::Side::Survivor { "S" } else { "O" });
            let all_day = |it: &mut pb::Counsellor| {
                for hours in &mut it.working_hours {
                    (hours.starts, hours.ends) = (Some(time_of_day(0, 0)), Some(time_of_day(24, 0)));
                }
            };
            let made = ngo.counsellor_with(&code, side, all_day).await;
            counsellors.push(Counsellor { id: made.id, side });
        }
    }
    let intake_on = (Scene::day(app.now()) - TimeDelta::days(60)).to_string();
    for _ in 0..SURVIVORS {
        let client = ngo.survivor().await;
        let responsible = counsellors[0].id.clone();
        let by = pb::Counsellor { id: responsible.clone(), ..Default::default() };
        enrol(&ngo.coordinator, enrolling(&client, &by, &intake_on)).await.unwrap();
        clients.push(Client { id: client.id.clone(), side: pb::Side::Survivor, order: None, responsible });
        all.push(client);
    }
    for _ in 0..OFFENDERS {
        let client = ngo.offender().await;
        let order = pb::TreatmentOrder { required_sessions: 400, ..order_of(&client) };
        let order = create_order(&ngo.coordinator, order).await.unwrap();
        let order = Some((order.id, order.reference));
        clients.push(Client { id: client.id.clone(), side: pb::Side::Offender, order, responsible: String::new() });
        all.push(client);
    }
    (Org { id: ngo.id.clone(), venue_id: ngo.venue.id.clone(), counsellors, clients }, all)
}
