//! The trail is whole: whatever opens personal data, changes something or answers police leaves an event.

use std::collections::BTreeSet;

use aftercare::domain::reference::Reference;
use aftercare::grpc::pb;
use prost_reflect::DescriptorPool;

use super::acts;
use crate::on_both_engines;
use crate::support::TestApp;
use crate::support::followup::clinical_lead;
use crate::support::plant::MARK;
use crate::support::treatment::{Treated, lookup, officer};

/// What opens text about somebody, or answers police. Each is called below.
const OPENS: [&str; 23] = [
    "DirectoryService/GetCounsellor",
    "DirectoryService/ListCounsellors",
    "PrivacyService/ExportClient",
    "ClientService/GetClient",
    "ClientService/ListGuardians",
    "ClientService/ListConsents",
    "AttendanceService/ListAttendance",
    "AttendanceService/ListSessionNotes",
    "AttendanceService/GetTraining",
    "SchedulingService/ListSessionOverrides",
    "SchedulingService/ExportCalendar",
    "FollowUpService/ListEscalations",
    "FollowUpService/ListMandatoryReports",
    "FollowUpService/GetAssessment",
    "FollowUpService/GetProgress",
    "FollowUpService/ListCaseEvents",
    "ComplianceService/GetOrder",
    "ComplianceService/CheckCompliance",
    "ComplianceService/BatchCheckCompliance",
    "ComplianceService/ListComplianceInJurisdiction",
    "ComplianceService/WatchCompliance",
    "AuditService/ListAuditEvents",
    "AuditService/GetAuditHead",
];

/// Audited reads that are called elsewhere.
const ELSEWHERE: [&str; 6] = [
    "AuditService/VerifyAudit",
    "AuditService/ListAuditKeys",
    "AccessService/ListBreakGlass",
    "ClientService/ListLegalHolds",
    "ClientService/ListConsentsDue",
    "ClientService/ListTransfers",
];

/// What opens nothing: ids, references, times, codes and counts, and the directory of places and rules.
const OPENS_NOTHING: [&str; 42] = [
    "PrivacyService/ListRetentionDue",
    "AccessService/ListRevocations",
    "AccessService/ListServiceAccounts",
    "DirectoryService/GetOrganisation",
    "DirectoryService/ListOrganisations",
    "DirectoryService/GetAgreement",
    "DirectoryService/ListAgreements",
    "DirectoryService/GetSite",
    "DirectoryService/ListSites",
    "DirectoryService/GetVenue",
    "DirectoryService/ListVenues",
    "DirectoryService/GetRoom",
    "DirectoryService/ListRooms",
    "DirectoryService/GetLeave",
    "DirectoryService/ListLeaves",
    "DirectoryService/GetHolidayCalendar",
    "DirectoryService/ListHolidayCalendars",
    "DirectoryService/GetProgramme",
    "DirectoryService/ListProgrammes",
    "ClientService/ListClients",
    "ClientService/GetCase",
    "ClientService/ListNoContacts",
    "ClientService/ListConflicts",
    "ClientService/ListProceedings",
    "SchedulingService/FindSlots",
    "SchedulingService/GetSession",
    "SchedulingService/GetSeries",
    "SchedulingService/ListSessions",
    "SchedulingService/WatchSessions",
    "SchedulingService/ListOffers",
    "SchedulingService/ListWaitlist",
    "SchedulingService/ProposeSubstitutes",
    "AttendanceService/ListUnrecorded",
    "AttendanceService/ListOutcomes",
    "AttendanceService/ListTrainings",
    "ComplianceService/ListOrders",
    "ComplianceService/ListBreachReviews",
    "ComplianceService/ListLookups",
    "ComplianceService/ListPolicies",
    "ComplianceService/ListStatementKeys",
    "FollowUpService/GetFollowUp",
    "FollowUpService/GetFollowUpReport",
];

/// The same.
const NOR_THESE: [&str; 3] =
    ["FollowUpService/ListInstruments", "FollowUpService/ListMilestones", "FollowUpService/ListPlanTemplates"];

/// Every RPC, without its package, and whether it has a request id: then it writes, by the one path that audits.
fn every_rpc() -> Vec<(String, bool)> {
    let pool = DescriptorPool::decode(pb::DESCRIPTORS).unwrap();
    let services: Vec<_> = pool.services().filter(|it| it.package_name() == "aftercare.v1").collect();
    let methods = services.iter().flat_map(|service| service.methods());
    let writes = |method: &prost_reflect::MethodDescriptor| {
        method.input().get_field_by_name("request_id").is_some() && !method.name().starts_with("ListAudit")
    };
    methods.map(|it| (format!("{}/{}", it.parent_service().name(), it.name()), writes(&it))).collect()
}

#[test]
fn every_rpc_writes_or_is_known_to_open_something_or_nothing() {
    let known: Vec<_> = OPENS.into_iter().chain(ELSEWHERE).chain(OPENS_NOTHING).chain(NOR_THESE).collect();
    let reads: BTreeSet<String> = every_rpc().into_iter().filter(|(_, writes)| !writes).map(|(rpc, _)| rpc).collect();
    assert_eq!(known.iter().map(|it| (*it).to_owned()).collect::<BTreeSet<_>>(), reads);
    assert_eq!(known.len(), reads.len(), "one stands there twice");
}

/// What was done, by the end of its name, and with which details.
async fn events(app: &TestApp, action: &str) -> Vec<(String, String)> {
    let all = app.audit().await.into_iter().filter(|it| it.action.ends_with(action));
    all.map(|it| (it.outcome, it.details)).collect()
}

on_both_engines! {
    async fn whatever_opens_something_leaves_an_event_before_it_answers(app) {
        let (_, session) = acts(&app).await;
        let it = Treated::new(&app).await;
        let (police, auditor) = (officer(&app, "KL-TVM"), app.actor(aftercare::domain::access::Authority::Auditor));
        let (own, lead) = (it.ngo.as_counsellor(&app, &it.counsellor), clinical_lead(&app, &it.ngo));
        let coordinator = &it.ngo.coordinator;
        let (client_id, none) = (it.client.id.clone(), "0193a5e0-0000-7000-8000-00000000dead".to_owned());
        let mut called = BTreeSet::new();
        // What there is not, or is not theirs, is refused: that is an event too.
        macro_rules! opens {
            ($actor:expr, $service:literal, $client:ident.$rpc:ident($request:expr), $name:literal, $outcome:literal) => {
                let action = concat!($service, "/", $name);
                let before = events(&app, action).await.len();
                let answered = $actor.$client().$rpc($request).await;
                let after = events(&app, action).await;
                assert_eq!(after.len(), before + 1, "{action}: {:?}", answered.map(|_| ()));
                assert!(after.iter().any(|(outcome, _)| outcome == $outcome), "{action}: {after:?}");
                called.insert(action.to_owned());
            };
        }
        let of = || client_id.clone();
        opens!(coordinator, "DirectoryService", directory.get_counsellor(pb::GetCounsellorRequest { counsellor_id: it.counsellor.id.clone() }), "GetCounsellor", "DONE");
        opens!(coordinator, "DirectoryService", directory.list_counsellors(pb::ListCounsellorsRequest::default()), "ListCounsellors", "DONE");
        opens!(coordinator, "ClientService", clients.get_client(pb::GetClientRequest { client_id: of() }), "GetClient", "DONE");
        opens!(coordinator, "ClientService", clients.list_guardians(pb::ListGuardiansRequest { client_id: of(), ..Default::default() }), "ListGuardians", "DONE");
        opens!(coordinator, "ClientService", clients.list_consents(pb::ListConsentsRequest { client_id: of(), ..Default::default() }), "ListConsents", "DONE");
        opens!(coordinator, "AttendanceService", attendance.list_attendance(pb::ListAttendanceRequest { client_id: of(), with_texts: true, ..Default::default() }), "ListAttendance", "DONE");
        opens!(own, "AttendanceService", attendance.list_session_notes(pb::ListSessionNotesRequest { session_id: session.id.clone(), ..Default::default() }), "ListSessionNotes", "REFUSED");
        opens!(coordinator, "AttendanceService", attendance.get_training(pb::GetTrainingRequest { session_id: none.clone() }), "GetTraining", "REFUSED");
        opens!(coordinator, "SchedulingService", scheduling.list_session_overrides(pb::ListSessionOverridesRequest { session_id: none.clone() }), "ListSessionOverrides", "REFUSED");
        opens!(coordinator, "SchedulingService", scheduling.export_calendar(pb::ExportCalendarRequest::default()), "ExportCalendar", "DONE");
        opens!(lead, "FollowUpService", follow_up.list_escalations(pb::ListEscalationsRequest::default()), "ListEscalations", "DONE");
        opens!(lead, "FollowUpService", follow_up.list_mandatory_reports(pb::ListMandatoryReportsRequest::default()), "ListMandatoryReports", "DONE");
        opens!(lead, "FollowUpService", follow_up.get_assessment(pb::GetAssessmentRequest { id: none.clone() }), "GetAssessment", "REFUSED");
        opens!(lead, "FollowUpService", follow_up.get_progress(pb::GetProgressRequest { client_id: none.clone(), instrument: "PHQ-9".into() }), "GetProgress", "REFUSED");
        opens!(lead, "FollowUpService", follow_up.list_case_events(pb::ListCaseEventsRequest { case_id: none.clone() }), "ListCaseEvents", "REFUSED");
        opens!(lead, "PrivacyService", privacy.export_client(pb::ExportClientRequest { client_id: of(), purpose: 1, request_number: "R-1".into() }), "ExportClient", "DONE");
        opens!(coordinator, "ComplianceService", compliance.get_order(pb::GetOrderRequest { order_id: it.order_id.clone() }), "GetOrder", "DONE");
        let reference = it.reference.clone();
        opens!(police, "ComplianceService", compliance.check_compliance(pb::CheckComplianceRequest { lookup: lookup(), reference: reference.clone() }), "CheckCompliance", "DONE");
        let (one, other) = (reference.clone(), Reference::from_random([7; 8]).as_str().to_owned());
        opens!(police, "ComplianceService", compliance.batch_check_compliance(pb::BatchCheckComplianceRequest { lookup: lookup(), references: vec![one, other] }), "BatchCheckCompliance", "DONE");
        opens!(police, "ComplianceService", compliance.list_compliance_in_jurisdiction(pb::ListComplianceInJurisdictionRequest { lookup: lookup(), ..Default::default() }), "ListComplianceInJurisdiction", "DONE");
        opens!(police, "ComplianceService", compliance.watch_compliance(pb::WatchComplianceRequest { lookup: lookup(), ..Default::default() }), "WatchCompliance", "DONE");
        opens!(auditor, "AuditService", audit.list_audit_events(pb::ListAuditEventsRequest::default()), "ListAuditEvents", "DONE");
        opens!(auditor, "AuditService", audit.get_audit_head(pb::GetAuditHeadRequest {}), "GetAuditHead", "DONE");
        assert_eq!(called, OPENS.iter().map(|it| (*it).to_owned()).collect());

        // Why police asked, in which case, and about what.
        for rpc in ["/CheckCompliance", "/BatchCheckCompliance", "/ListComplianceInJurisdiction", "/WatchCompliance"] {
            let told = events(&app, rpc).await;
            assert!(told.iter().all(|(_, details)| details.contains("SUPERVISION 101/2025")), "{rpc}: {told:?}");
        }
        let batch = events(&app, "/BatchCheckCompliance").await;
        assert!(batch[0].1.contains("NOT_FOUND ") && !batch[0].1.contains(&reference), "{batch:?}");
        // Who was read stands there, and nobody's name.
        let listed = app.audit().await.into_iter().filter(|it| it.action.ends_with("/ListCounsellors"));
        assert!(listed.into_iter().all(|event| event.subjects.contains(&it.counsellor.id)));
        assert!(!format!("{:?}", app.audit().await).contains(MARK));
    }
}
