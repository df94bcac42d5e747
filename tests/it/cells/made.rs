//! The simpler things among the objects.

use aftercare::grpc::pb;

use crate::support::{Actor, Ngo, date, facts, minutes};

/// Did not come.
pub fn absence(client: &pb::Client) -> pb::PastAttendance {
    pb::PastAttendance { client_id: client.id.clone(), facts: Some(facts(pb::AttendanceOutcome::NoShow)) }
}

/// A hold until it is released.
pub fn legal_hold(client: &pb::Client) -> pb::LegalHold {
    pb::LegalHold { client_id: client.id.clone(), reason: "An example".into(), ..Default::default() }
}

/// That a subject is let in no more.
pub async fn revocation(admin: &Actor, ngo: &Ngo) -> pb::Revocation {
    let request = pb::RevokePrincipalRequest {
        principal: format!("former@{}", ngo.id),
        reason: pb::RevocationReason::Left.into(),
        ..Default::default()
    };
    admin.access().revoke_principal(request).await.unwrap().into_inner().revocation.unwrap()
}

/// The account of a program.
pub async fn service_account(admin: &Actor, ngo: &Ngo) -> pb::ServiceAccount {
    let account = pb::ServiceAccount {
        code: ngo.id[24..].to_uppercase(),
        principal: format!("reminders@{}", ngo.id),
        role: pb::AccountRole::Coordinator.into(),
        organisation_id: ngo.id.clone(),
        ..Default::default()
    };
    let request = pb::CreateServiceAccountRequest { service_account: Some(account), ..Default::default() };
    admin.access().create_service_account(request).await.unwrap().into_inner().service_account.unwrap()
}

/// A calendar with one day.
pub fn holidays(ngo: &Ngo) -> pb::HolidayCalendar {
    pb::HolidayCalendar {
        organisation_id: ngo.id.clone(),
        code: "HOLIDAYS".into(),
        name: "Example holidays".into(),
        holidays: vec![pb::Holiday { date: Some(date("2027-01-26")), name: "Republic Day".into() }],
        ..Default::default()
    }
}

/// Two sessions.
pub fn programme(ngo: &Ngo) -> pb::Programme {
    let module = pb::Module {
        code: "INTRO".into(),
        name: "Example module".into(),
        form: pb::ModuleForm::Individual.into(),
        sessions: 2,
        length: Some(minutes(60)),
        ..Default::default()
    };
    pb::Programme {
        organisation_id: ngo.id.clone(),
        code: "P-1".into(),
        name: "Example programme".into(),
        service: pb::CareService::Counselling.into(),
        modules: vec![module],
        ..Default::default()
    }
}

/// A transfer that the organisation proposes to another, without consent; and two that the other proposes to it.
pub async fn transfers(ngo: &Ngo, other: &Ngo) -> [pb::Transfer; 3] {
    let gone = ngo.survivor().await;
    let without = crate::transfer::proposing(ngo, &gone, other, "An example").await.unwrap();
    let mut come = Vec::new();
    for _ in 0..2 {
        let client = other.survivor().await;
        crate::transfer::consent_to(other, &client).await;
        come.push(crate::transfer::propose(other, &client, ngo).await.unwrap());
    }
    let [one, two] = come.try_into().unwrap();
    [without, one, two]
}
