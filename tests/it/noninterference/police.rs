//! What police ask, in any order, for good and bad reasons.

use aftercare::domain::access::{Role, TABLE};
use aftercare::domain::reference::Reference;
use aftercare::grpc::pb;
use prost::Message;

use super::hear::Asked;
use super::script::Dice;
use super::stage::{CRIME, ELSEWHERE, HERE, Stage};

const SERVICE: &str = "aftercare.v1.ComplianceService";

/// What is known that can be asked about, in both services alike.
pub struct Known {
    /// Of orders, of clients in treatment, of survivors who live in one of the services, of nobody, and no reference.
    pub references: Vec<String>,
}

impl Known {
    pub fn of(stage: &Stage, survivors: Vec<String>) -> Self {
        let orders = stage.orders.iter().map(|it| it.reference.clone());
        let clients = stage.clients.iter().map(|it| it.reference.clone());
        let nobodys = Reference::from_random([9; 8]).as_str().to_owned();
        let mut references: Vec<String> = orders.chain(clients).chain(survivors).collect();
        references.extend([nobodys, "K7M2-9QXD-5".into(), String::new()]);
        Self { references }
    }
}

/// One question, or one that is asked again from where its answer ended.
pub enum Question {
    Once(Asked),
    /// Page by page.
    Pages(Box<Asked>, pb::ListComplianceInJurisdictionRequest),
}

/// Why police ask; now and then without saying it.
fn lookup(dice: &Dice) -> Option<pb::LookupReason> {
    let reason = pb::LookupReason { purpose: pb::LookupPurpose::Investigation.into(), crime_number: CRIME.into() };
    match dice.below(12) {
        0 => None,
        1 => Some(pb::LookupReason { crime_number: "7/2031".into(), ..reason }),
        2 => Some(pb::LookupReason { crime_number: "not a number".into(), ..reason }),
        _ => Some(reason),
    }
}

fn asked(dice: &Dice, number: u64, rpc: &str, message: &impl Message) -> Asked {
    let district = *dice.one(&[HERE, HERE, HERE, ELSEWHERE]);
    // Somebody new every few steps, so that not everything is asked too often.
    let who = format!("police-{}@test", number / 5);
    Asked { district, who, rpc: format!("{SERVICE}/{rpc}"), body: message.encode_to_vec() }
}

impl Question {
    pub fn draw(dice: &Dice, known: &Known, number: u64) -> Self {
        match dice.below(13) {
            0..=3 => {
                let request =
                    pb::CheckComplianceRequest { lookup: lookup(dice), reference: dice.one(&known.references).clone() };
                Self::Once(asked(dice, number, "CheckCompliance", &request))
            }
            4..=5 => Self::Once(asked(dice, number, "BatchCheckCompliance", &batch(dice, known))),
            6 => {
                let request = pb::IssueComplianceStatementRequest {
                    request_id: uuid::Uuid::from_u128(dice.below(1000) as u128).to_string(),
                    lookup: lookup(dice),
                    reference: dice.one(&known.references).clone(),
                };
                Self::Once(asked(dice, number, "IssueComplianceStatement", &request))
            }
            7 => Self::Once(asked(dice, number, "ListStatementKeys", &pb::ListStatementKeysRequest {})),
            8..=11 => {
                let request = pb::ListComplianceInJurisdictionRequest {
                    lookup: lookup(dice),
                    status: *dice.one(&[0, 0, 0, 1, 2, 3, 4, 5, 7, 99]),
                    page_size: *dice.one(&[0, 1, 1, 2, 200]),
                    page_token: String::new(),
                };
                let first = asked(dice, number, "ListComplianceInJurisdiction", &request);
                Self::Pages(Box::new(first), request)
            }
            _ => {
                let others: Vec<&str> =
                    TABLE.iter().filter(|(_, roles)| !roles.contains(&Role::Police)).map(|(rpc, _)| *rpc).collect();
                let request = pb::GetClientRequest { client_id: dice.one(&known.references).clone() };
                let rpc = (*dice.one(&others)).to_owned();
                Self::Once(Asked { rpc, ..asked(dice, number, "", &request) })
            }
        }
    }
}

/// Everything at once, some, or too many, or one of them twice.
fn batch(dice: &Dice, known: &Known) -> pb::BatchCheckComplianceRequest {
    let proper = known.references.iter().filter(|it| Reference::parse(it).is_ok());
    let mut references: Vec<String> = proper.filter(|_| dice.below(3) > 0).cloned().collect();
    match dice.below(6) {
        0 => references = known.references.clone(),
        1 => references.extend(references.first().cloned()),
        2 => references.extend((0..201).map(|_| known.references[0].clone())),
        _ => {}
    }
    pb::BatchCheckComplianceRequest { lookup: lookup(dice), references }
}

/// Somebody who asks about an order of the district again and again.
pub fn hasty(reference: &str, number: usize) -> Asked {
    let request = pb::CheckComplianceRequest { lookup: reason(), reference: reference.into() };
    let (rpc, who) = (format!("{SERVICE}/CheckCompliance"), format!("hasty-{number}@test"));
    Asked { district: HERE, who, rpc, body: request.encode_to_vec() }
}

/// Lists everything in the district.
pub fn list(number: u64) -> Asked {
    let request = pb::ListComplianceInJurisdictionRequest { lookup: reason(), ..Default::default() };
    by_the_watch(number, "ListComplianceInJurisdiction", &request)
}

/// Watches the district from a cursor on.
pub fn watch(number: u64, cursor: String) -> Asked {
    by_the_watch(number, "WatchCompliance", &pb::WatchComplianceRequest { lookup: reason(), cursor })
}

fn by_the_watch(number: u64, rpc: &str, message: &impl Message) -> Asked {
    let (who, rpc) = (format!("watch-{number}@test"), format!("{SERVICE}/{rpc}"));
    Asked { district: HERE, who, rpc, body: message.encode_to_vec() }
}

fn reason() -> Option<pb::LookupReason> {
    Some(pb::LookupReason { purpose: pb::LookupPurpose::Supervision.into(), crime_number: CRIME.into() })
}
