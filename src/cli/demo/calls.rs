//! One call for each role, to be pasted into a terminal.

use std::net::SocketAddr;

use super::cast::Cast;
use crate::domain::access::Role;

/// A call and what to expect of it.
struct Call {
    role: Role,
    says: &'static str,
    method: &'static str,
    data: String,
}

/// The calls, with what they need to be understood.
pub(super) fn all(cast: &Cast, address: SocketAddr, client: &str) -> String {
    let mut text = format!(
        "\nServing on http://{address} until Ctrl-C. One call for each role; the tokens are good for a day.\n\
         buf: npm install -g @bufbuild/buf. With grpcurl: grpcurl -plaintext -H 'Authorization: …' -d '…' {address} METHOD\n"
    );
    for Call { role, says, method, data } in calls(client) {
        let token = cast.token(role);
        text += &format!(
            "\n# {role}: {says}\nbuf curl --protocol grpc --http2-prior-knowledge --data '{data}' \\\n  \
             --header 'Authorization: Bearer {token}' \\\n  http://{address}/aftercare.v1.{method}\n"
        );
    }
    text
}

fn calls(client: &str) -> [Call; 6] {
    let call = |role, says, method, data: &str| Call { role, says, method, data: data.into() };
    let find = format!(
        r#"{{"clientId": "{client}", "service": "CARE_SERVICE_COUNSELLING", "length": "3600s", "pageSize": 3}}"#
    );
    let why = r#"{"lookup": {"purpose": "LOOKUP_PURPOSE_SUPERVISION", "crimeNumber": "101/2025"}}"#;
    [
        call(Role::Admin, "the whole directory", "DirectoryService/ListOrganisations", "{}"),
        call(Role::Coordinator, "free times for the second survivor", "SchedulingService/FindSlots", &find),
        call(Role::Counsellor, "the own calendar", "SchedulingService/ListSessions", "{}"),
        call(Role::ClinicalLead, "the clients, without personal data", "ClientService/ListClients", "{}"),
        call(
            Role::Police,
            "where the orders of the district stand",
            "ComplianceService/ListComplianceInJurisdiction",
            why,
        ),
        call(Role::Auditor, "denied; the audit service is not in this version", "ClientService/ListClients", "{}"),
    ]
}
