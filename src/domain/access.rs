//! Who may call what. Deny by default: an RPC that stands in no row can be called by nobody.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::code::words;
use super::ids::{CounsellorId, OrganisationId};
use super::service_account::ServiceAccount;
use super::text::Code;

words! {
    /// What a caller is.
    Role {
        /// Manages the directory; sees no client.
        Admin = "admin",
        /// Manages one organisation's clients, counsellors and sessions.
        Coordinator = "coordinator",
        /// Sees the own sessions and clients.
        Counsellor = "counsellor",
        /// Sees the clinical side of one organisation.
        ClinicalLead = "clinical_lead",
        /// Sees compliance in one jurisdiction, and nothing else.
        Police = "police",
        /// Sees the audit trail, and nothing else.
        Auditor = "auditor",
    }
}

/// A role with what it is tied to. What a role needs is there, or there is no caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Authority {
    /// See [`Role::Admin`].
    Admin,
    /// See [`Role::Coordinator`].
    Coordinator {
        /// The organisation.
        organisation_id: OrganisationId,
    },
    /// See [`Role::Counsellor`].
    Counsellor {
        /// The organisation.
        organisation_id: OrganisationId,
        /// The counsellor.
        counsellor_id: CounsellorId,
    },
    /// See [`Role::ClinicalLead`].
    ClinicalLead {
        /// The organisation.
        organisation_id: OrganisationId,
    },
    /// See [`Role::Police`].
    Police {
        /// District code of the jurisdiction.
        jurisdiction: Code,
    },
    /// See [`Role::Auditor`].
    Auditor,
}

impl Authority {
    /// A role with what it is tied to; none when that is not exactly what the role needs.
    pub fn new(
        role: Role,
        organisation_id: Option<OrganisationId>,
        counsellor_id: Option<CounsellorId>,
        jurisdiction: Option<Code>,
    ) -> Option<Self> {
        Some(match (role, organisation_id, counsellor_id, jurisdiction) {
            (Role::Admin, None, None, None) => Authority::Admin,
            (Role::Coordinator, Some(organisation_id), None, None) => Authority::Coordinator { organisation_id },
            (Role::Counsellor, Some(organisation_id), Some(counsellor_id), None) => {
                Authority::Counsellor { organisation_id, counsellor_id }
            }
            (Role::ClinicalLead, Some(organisation_id), None, None) => Authority::ClinicalLead { organisation_id },
            (Role::Police, None, None, Some(jurisdiction)) => Authority::Police { jurisdiction },
            (Role::Auditor, None, None, None) => Authority::Auditor,
            _ => return None,
        })
    }

    /// The role.
    pub fn role(&self) -> Role {
        match self {
            Authority::Admin => Role::Admin,
            Authority::Coordinator { .. } => Role::Coordinator,
            Authority::Counsellor { .. } => Role::Counsellor,
            Authority::ClinicalLead { .. } => Role::ClinicalLead,
            Authority::Police { .. } => Role::Police,
            Authority::Auditor => Role::Auditor,
        }
    }

    /// The organisation it is tied to, if any.
    pub fn organisation_id(&self) -> Option<OrganisationId> {
        match self {
            Authority::Coordinator { organisation_id }
            | Authority::Counsellor { organisation_id, .. }
            | Authority::ClinicalLead { organisation_id } => Some(*organisation_id),
            Authority::Admin | Authority::Police { .. } | Authority::Auditor => None,
        }
    }

    /// The district code of the jurisdiction it is tied to, if any.
    pub fn jurisdiction(&self) -> Option<&Code> {
        match self {
            Authority::Police { jurisdiction } => Some(jurisdiction),
            _ => None,
        }
    }

    /// The counsellor it is tied to, if any.
    pub fn counsellor_id(&self) -> Option<CounsellorId> {
        match self {
            Authority::Counsellor { counsellor_id, .. } => Some(*counsellor_id),
            _ => None,
        }
    }
}

/// What a token that was found good says of its bearer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The token's subject.
    pub principal: String,
    /// The token's own id, if its issuer gives it one.
    pub token_id: Option<String>,
    /// When it was issued; the beginning of 1970 when it does not say.
    pub issued_at: DateTime<Utc>,
    /// From when on it is no longer good.
    pub until: DateTime<Utc>,
    /// What the bearer may be; none when the token leaves that to this service.
    pub authority: Option<Authority>,
}

/// Who calls: somebody whose token was found good, or the program itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    /// The token's subject.
    pub principal: String,
    /// What the caller may be.
    pub authority: Authority,
    /// The token's own id; none when it has none, and for who needs no token.
    pub token_id: Option<String>,
    /// When the token was issued; none for who needs none.
    pub issued_at: Option<DateTime<Utc>>,
    /// From when on the token is no longer good; none for who needs none.
    pub until: Option<DateTime<Utc>>,
    /// The service account that calls, if a program does.
    pub account: Option<Arc<ServiceAccount>>,
}

impl Caller {
    /// Somebody who needs no token: the program itself.
    pub fn without_token(principal: impl Into<String>, authority: Authority) -> Self {
        let principal = principal.into();
        Self { principal, authority, token_id: None, issued_at: None, until: None, account: None }
    }

    /// The bearer of a token, in a capacity.
    pub fn of_token(identity: Identity, authority: Authority) -> Self {
        let Identity { principal, token_id, issued_at, until, .. } = identity;
        Self { principal, authority, token_id, issued_at: Some(issued_at), until: Some(until), account: None }
    }

    /// Whether a service account that calls was narrowed to other RPCs than this.
    pub fn is_kept_from(&self, rpc: &str) -> bool {
        self.account.as_ref().is_some_and(|account| !account.allows(rpc))
    }

    /// Who this is, in which capacity: the same name in another role or organisation is somebody else.
    pub fn identity(&self) -> String {
        let tied = match &self.authority {
            Authority::Police { jurisdiction } => jurisdiction.to_string(),
            authority => authority.organisation_id().map(|id| id.to_string()).unwrap_or_default(),
        };
        let counsellor = self.authority.counsellor_id().map(|id| id.to_string()).unwrap_or_default();
        format!("{}|{tied}|{counsellor}|{}", self.authority.role(), self.principal)
    }
}

const ADMIN: &[Role] = &[Role::Admin];
const MANAGERS: &[Role] = &[Role::Admin, Role::Coordinator];
const DIRECTORY_READERS: &[Role] = &[Role::Admin, Role::Coordinator, Role::Counsellor, Role::ClinicalLead];
const COORDINATOR: &[Role] = &[Role::Coordinator];
const POLICE: &[Role] = &[Role::Police];
/// Who answers for an organisation's orders.
const PROVIDERS: &[Role] = &[Role::Coordinator, Role::ClinicalLead];
const RECORDERS: &[Role] = &[Role::Coordinator, Role::Counsellor];
const COUNSELLOR: &[Role] = &[Role::Counsellor];
/// Who signs a transfer without consent.
const LEADS: &[Role] = &[Role::ClinicalLead];
const CLINICIANS: &[Role] = &[Role::Counsellor, Role::ClinicalLead];
const AUDITOR: &[Role] = &[Role::Auditor];
const CARERS: &[Role] = &[Role::Coordinator, Role::Counsellor, Role::ClinicalLead];
const CARERS_AND_AUDITOR: &[Role] = &[Role::Coordinator, Role::Counsellor, Role::ClinicalLead, Role::Auditor];

/// Every RPC and the roles that may call it; what of it they see is decided from the stored row.
pub const TABLE: &[(&str, &[Role])] = &[
    ("aftercare.v1.DirectoryService/CreateOrganisation", ADMIN),
    ("aftercare.v1.DirectoryService/UpdateOrganisation", ADMIN),
    ("aftercare.v1.DirectoryService/GetOrganisation", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListOrganisations", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/CreateAgreement", ADMIN),
    ("aftercare.v1.DirectoryService/UpdateAgreement", ADMIN),
    ("aftercare.v1.DirectoryService/GetAgreement", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListAgreements", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/CreateSite", ADMIN),
    ("aftercare.v1.DirectoryService/UpdateSite", ADMIN),
    ("aftercare.v1.DirectoryService/GetSite", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListSites", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/CreateVenue", MANAGERS),
    ("aftercare.v1.DirectoryService/UpdateVenue", MANAGERS),
    ("aftercare.v1.DirectoryService/GetVenue", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListVenues", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/CreateRoom", MANAGERS),
    ("aftercare.v1.DirectoryService/UpdateRoom", MANAGERS),
    ("aftercare.v1.DirectoryService/GetRoom", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListRooms", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/CreateCounsellor", MANAGERS),
    ("aftercare.v1.DirectoryService/UpdateCounsellor", MANAGERS),
    ("aftercare.v1.DirectoryService/GetCounsellor", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListCounsellors", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/CreateLeave", MANAGERS),
    ("aftercare.v1.DirectoryService/DeleteLeave", MANAGERS),
    ("aftercare.v1.DirectoryService/GetLeave", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListLeaves", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/CreateHolidayCalendar", MANAGERS),
    ("aftercare.v1.DirectoryService/UpdateHolidayCalendar", MANAGERS),
    ("aftercare.v1.DirectoryService/GetHolidayCalendar", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListHolidayCalendars", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/CreateProgramme", MANAGERS),
    ("aftercare.v1.DirectoryService/UpdateProgramme", MANAGERS),
    ("aftercare.v1.DirectoryService/GetProgramme", DIRECTORY_READERS),
    ("aftercare.v1.DirectoryService/ListProgrammes", DIRECTORY_READERS),
    ("aftercare.v1.ClientService/CreateClient", COORDINATOR),
    ("aftercare.v1.ClientService/UpdateClient", COORDINATOR),
    ("aftercare.v1.ClientService/GetClient", CARERS),
    ("aftercare.v1.ClientService/ListClients", CARERS),
    ("aftercare.v1.ClientService/CreateCase", COORDINATOR),
    ("aftercare.v1.ClientService/GetCase", COORDINATOR),
    ("aftercare.v1.ClientService/AddCaseParty", COORDINATOR),
    ("aftercare.v1.ClientService/RemoveCaseParty", COORDINATOR),
    ("aftercare.v1.ClientService/DeclareNoContact", COORDINATOR),
    ("aftercare.v1.ClientService/WithdrawNoContact", COORDINATOR),
    ("aftercare.v1.ClientService/ListNoContacts", COORDINATOR),
    ("aftercare.v1.ClientService/CreateGuardian", COORDINATOR),
    ("aftercare.v1.ClientService/UpdateGuardian", COORDINATOR),
    ("aftercare.v1.ClientService/ListGuardians", CARERS),
    ("aftercare.v1.ClientService/RecordConsent", COORDINATOR),
    ("aftercare.v1.ClientService/WithdrawConsent", COORDINATOR),
    ("aftercare.v1.ClientService/InvalidateConsent", COORDINATOR),
    ("aftercare.v1.ClientService/ListConsents", CARERS),
    ("aftercare.v1.ClientService/ListConsentsDue", PROVIDERS),
    ("aftercare.v1.ClientService/DeclareConflict", COORDINATOR),
    ("aftercare.v1.ClientService/WithdrawConflict", COORDINATOR),
    ("aftercare.v1.ClientService/ListConflicts", COORDINATOR),
    ("aftercare.v1.ClientService/RecordProceeding", COORDINATOR),
    ("aftercare.v1.ClientService/DeleteProceeding", COORDINATOR),
    ("aftercare.v1.ClientService/ListProceedings", COORDINATOR),
    ("aftercare.v1.ClientService/PlaceLegalHold", COORDINATOR),
    ("aftercare.v1.ClientService/ReleaseLegalHold", COORDINATOR),
    ("aftercare.v1.ClientService/ListLegalHolds", COORDINATOR),
    ("aftercare.v1.ClientService/EraseClient", COORDINATOR),
    ("aftercare.v1.ClientService/ProposeTransfer", COORDINATOR),
    ("aftercare.v1.ClientService/CosignTransfer", LEADS),
    ("aftercare.v1.ClientService/AcceptTransfer", COORDINATOR),
    ("aftercare.v1.ClientService/DeclineTransfer", COORDINATOR),
    ("aftercare.v1.ClientService/WithdrawTransfer", COORDINATOR),
    ("aftercare.v1.ClientService/ListTransfers", PROVIDERS),
    ("aftercare.v1.SchedulingService/FindSlots", COORDINATOR),
    ("aftercare.v1.SchedulingService/HoldSlot", COORDINATOR),
    ("aftercare.v1.SchedulingService/ReleaseHold", COORDINATOR),
    ("aftercare.v1.SchedulingService/BookSession", COORDINATOR),
    ("aftercare.v1.SchedulingService/RescheduleSession", COORDINATOR),
    ("aftercare.v1.SchedulingService/ReassignCounsellor", COORDINATOR),
    ("aftercare.v1.SchedulingService/ProposeSubstitutes", COORDINATOR),
    ("aftercare.v1.SchedulingService/ReassignSessions", COORDINATOR),
    ("aftercare.v1.SchedulingService/AddParticipant", COORDINATOR),
    ("aftercare.v1.SchedulingService/RemoveParticipant", COORDINATOR),
    ("aftercare.v1.SchedulingService/RecordPastSession", COORDINATOR),
    ("aftercare.v1.SchedulingService/CancelSession", COORDINATOR),
    ("aftercare.v1.SchedulingService/BookSeries", COORDINATOR),
    ("aftercare.v1.SchedulingService/ScheduleProgramme", COORDINATOR),
    ("aftercare.v1.SchedulingService/GetSeries", CARERS),
    ("aftercare.v1.SchedulingService/RescheduleSeries", COORDINATOR),
    ("aftercare.v1.SchedulingService/CancelSeries", COORDINATOR),
    ("aftercare.v1.SchedulingService/GetSession", CARERS),
    ("aftercare.v1.SchedulingService/ListSessions", CARERS),
    ("aftercare.v1.SchedulingService/WatchSessions", CARERS),
    ("aftercare.v1.SchedulingService/ListSessionOverrides", COORDINATOR),
    ("aftercare.v1.SchedulingService/ExportCalendar", CARERS),
    ("aftercare.v1.SchedulingService/JoinWaitlist", COORDINATOR),
    ("aftercare.v1.SchedulingService/LeaveWaitlist", COORDINATOR),
    ("aftercare.v1.SchedulingService/ListWaitlist", COORDINATOR),
    ("aftercare.v1.SchedulingService/ListOffers", COORDINATOR),
    ("aftercare.v1.SchedulingService/AnswerOffer", COORDINATOR),
    ("aftercare.v1.ComplianceService/PublishPolicy", ADMIN),
    ("aftercare.v1.ComplianceService/ListPolicies", DIRECTORY_READERS),
    ("aftercare.v1.ComplianceService/CreateTreatmentOrder", COORDINATOR),
    ("aftercare.v1.ComplianceService/AmendOrder", COORDINATOR),
    ("aftercare.v1.ComplianceService/IssueWarning", COORDINATOR),
    ("aftercare.v1.ComplianceService/SuspendOrder", COORDINATOR),
    ("aftercare.v1.ComplianceService/ConfirmBreach", COORDINATOR),
    ("aftercare.v1.ComplianceService/ResolveBreach", COORDINATOR),
    ("aftercare.v1.ComplianceService/TerminateOrder", COORDINATOR),
    ("aftercare.v1.ComplianceService/WithdrawEvent", COORDINATOR),
    ("aftercare.v1.ComplianceService/CountSession", COORDINATOR),
    ("aftercare.v1.ComplianceService/GetOrder", CARERS),
    ("aftercare.v1.ComplianceService/ListOrders", PROVIDERS),
    ("aftercare.v1.ComplianceService/ListBreachReviews", PROVIDERS),
    ("aftercare.v1.ComplianceService/ListLookups", PROVIDERS),
    ("aftercare.v1.ComplianceService/CheckCompliance", POLICE),
    ("aftercare.v1.ComplianceService/BatchCheckCompliance", POLICE),
    ("aftercare.v1.ComplianceService/ListComplianceInJurisdiction", POLICE),
    ("aftercare.v1.ComplianceService/WatchCompliance", POLICE),
    ("aftercare.v1.ComplianceService/IssueComplianceStatement", POLICE),
    ("aftercare.v1.ComplianceService/ListStatementKeys", Role::ALL),
    ("aftercare.v1.AttendanceService/RecordAttendance", RECORDERS),
    ("aftercare.v1.AttendanceService/AmendAttendance", RECORDERS),
    ("aftercare.v1.AttendanceService/DecideAbsence", RECORDERS),
    ("aftercare.v1.AttendanceService/ListUnrecorded", CARERS),
    ("aftercare.v1.AttendanceService/ListAttendance", CARERS),
    ("aftercare.v1.AttendanceService/WriteSessionNote", COUNSELLOR),
    ("aftercare.v1.AttendanceService/ListSessionNotes", CLINICIANS),
    ("aftercare.v1.AttendanceService/ListOutcomes", CARERS),
    ("aftercare.v1.AttendanceService/RecordTraining", RECORDERS),
    ("aftercare.v1.AttendanceService/GetTraining", CARERS),
    ("aftercare.v1.AttendanceService/ListTrainings", CARERS),
    ("aftercare.v1.FollowUpService/EnrolFollowUp", CARERS),
    ("aftercare.v1.FollowUpService/UpdateFollowUp", CARERS),
    ("aftercare.v1.FollowUpService/CloseFollowUp", CARERS),
    ("aftercare.v1.FollowUpService/GetFollowUp", CARERS),
    ("aftercare.v1.FollowUpService/ListMilestones", CARERS),
    ("aftercare.v1.FollowUpService/ExcuseMilestone", CLINICIANS),
    ("aftercare.v1.FollowUpService/ListPlanTemplates", CARERS),
    ("aftercare.v1.FollowUpService/ListInstruments", CARERS),
    ("aftercare.v1.FollowUpService/SubmitAssessment", CLINICIANS),
    ("aftercare.v1.FollowUpService/GetAssessment", CLINICIANS),
    ("aftercare.v1.FollowUpService/GetProgress", CLINICIANS),
    ("aftercare.v1.FollowUpService/ReportConcern", CARERS),
    ("aftercare.v1.FollowUpService/ListEscalations", CLINICIANS),
    ("aftercare.v1.FollowUpService/AcknowledgeEscalation", CLINICIANS),
    ("aftercare.v1.FollowUpService/ResolveEscalation", CLINICIANS),
    ("aftercare.v1.FollowUpService/ListMandatoryReports", CARERS),
    ("aftercare.v1.FollowUpService/RecordMandatoryReport", CARERS),
    ("aftercare.v1.FollowUpService/RecordCaseEvent", PROVIDERS),
    ("aftercare.v1.FollowUpService/ListCaseEvents", PROVIDERS),
    ("aftercare.v1.FollowUpService/GetFollowUpReport", PROVIDERS),
    ("aftercare.v1.AccessService/RevokeToken", ADMIN),
    ("aftercare.v1.AccessService/RevokePrincipal", ADMIN),
    ("aftercare.v1.AccessService/LiftRevocation", ADMIN),
    ("aftercare.v1.AccessService/ListRevocations", ADMIN),
    ("aftercare.v1.AccessService/CreateServiceAccount", ADMIN),
    ("aftercare.v1.AccessService/UpdateServiceAccount", ADMIN),
    ("aftercare.v1.AccessService/ListServiceAccounts", ADMIN),
    ("aftercare.v1.AccessService/RequestBreakGlass", COUNSELLOR),
    ("aftercare.v1.AccessService/ApproveBreakGlass", PROVIDERS),
    ("aftercare.v1.AccessService/RevokeBreakGlass", CARERS),
    ("aftercare.v1.AccessService/ReviewBreakGlass", PROVIDERS),
    ("aftercare.v1.AccessService/ListBreakGlass", CARERS_AND_AUDITOR),
    ("aftercare.v1.PrivacyService/ExportClient", PROVIDERS),
    ("aftercare.v1.PrivacyService/ListRetentionDue", COORDINATOR),
    ("aftercare.v1.AuditService/ListAuditEvents", AUDITOR),
    ("aftercare.v1.AuditService/GetAuditHead", AUDITOR),
    ("aftercare.v1.AuditService/VerifyAudit", AUDITOR),
    ("aftercare.v1.AuditService/ListAuditKeys", AUDITOR),
];

static ROWS: LazyLock<HashMap<&'static str, (&'static str, &'static [Role])>> =
    LazyLock::new(|| TABLE.iter().map(|(rpc, roles)| (*rpc, (*rpc, *roles))).collect());

/// The name of an RPC as the table spells it, and who may call it.
pub fn row(rpc: &str) -> Option<(&'static str, &'static [Role])> {
    ROWS.get(rpc).copied()
}
