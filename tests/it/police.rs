//! What police may ask, how often and why; what they are told and until when; and who learns that they asked.

mod asking;
mod told;

use aftercare::domain::access::Authority;
use aftercare::domain::reference::Reference;
use aftercare::domain::text::Code as District;
use aftercare::grpc::pb;
use chrono::TimeDelta;
use tonic::Status;

use crate::support::treatment::{Treated, lookup, officer};
use crate::support::{Actor, TestApp};

/// The district of the orders in these tests.
const HERE: &str = "KL-TVM";
const ELSEWHERE: &str = "KL-EKM";

/// Somebody of the police with a name.
fn named(app: &TestApp, name: &str) -> Actor {
    let authority = Authority::Police { jurisdiction: District::parse(HERE).unwrap() };
    app.bearer(app.token(name, authority, app.now(), TimeDelta::hours(24)))
}

/// A reference that nobody has, for each number.
pub fn of_nobody(number: u8) -> String {
    Reference::from_random([number / 31, number % 31, 1, 2, 3, 4, 5, 6]).as_str().to_owned()
}

async fn batch(actor: &Actor, references: Vec<String>) -> Result<Vec<pb::BatchedCompliance>, Status> {
    let request = pb::BatchCheckComplianceRequest { lookup: lookup(), references };
    Ok(actor.compliance().batch_check_compliance(request).await?.into_inner().results)
}

/// The references of those in the district that stand so; of all when unspecified.
async fn listed(actor: &Actor, status: pb::ComplianceStatus) -> Vec<String> {
    let request =
        pb::ListComplianceInJurisdictionRequest { lookup: lookup(), status: status.into(), ..Default::default() };
    let listed = actor.compliance().list_compliance_in_jurisdiction(request).await.unwrap().into_inner();
    listed.compliances.into_iter().map(|it| it.reference).collect()
}

/// Replaces the terms of an order.
async fn amend(it: &Treated, change: impl FnOnce(&mut pb::TreatmentOrder)) {
    let mut order = it.order().await;
    change(&mut order);
    let request = pb::AmendOrderRequest { order: Some(order), reason: "An example".into(), ..Default::default() };
    it.ngo.coordinator.compliance().amend_order(request).await.unwrap();
}

/// Whether the order is there for police of a district, by every way of asking.
async fn is_there(app: &TestApp, it: &Treated, district: &str) -> bool {
    let actor = officer(app, district);
    let checked = crate::support::treatment::check(&actor, &it.reference).await.is_ok();
    let batched = batch(&actor, vec![it.reference.clone()]).await.unwrap()[0].compliance.is_some();
    let listed = listed(&actor, pb::ComplianceStatus::Unspecified).await.contains(&it.reference);
    assert_eq!((checked, batched), (listed, listed), "{district}");
    listed
}
