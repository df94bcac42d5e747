//! How often one caller may call what: classes of RPCs and their quotas. The rates are parameters of ours.

use serde::Deserialize;

use super::code::words;

words! {
    /// What an RPC costs, or gives away.
    Class {
        /// Reads what is no personal text.
        Read = "READ",
        /// Changes something.
        Write = "WRITE",
        /// Searches for times or people, which takes long.
        Search = "SEARCH",
        /// Opens personal text.
        Disclosure = "DISCLOSURE",
        /// Looks up where orders stand.
        Police = "POLICE",
        /// Lets much leave the service at once.
        Export = "EXPORT",
        /// Opens a stream.
        Stream = "STREAM",
    }
}

/// The RPCs that are of another class than their verb says.
pub const CLASSES: &[(&str, Class)] = &[
    ("aftercare.v1.SchedulingService/FindSlots", Class::Search),
    ("aftercare.v1.SchedulingService/ProposeSubstitutes", Class::Search),
    ("aftercare.v1.DirectoryService/GetCounsellor", Class::Disclosure),
    ("aftercare.v1.DirectoryService/ListCounsellors", Class::Disclosure),
    ("aftercare.v1.ClientService/GetClient", Class::Disclosure),
    ("aftercare.v1.ClientService/ListGuardians", Class::Disclosure),
    ("aftercare.v1.ClientService/ListConsents", Class::Disclosure),
    ("aftercare.v1.ClientService/ListConsentsDue", Class::Disclosure),
    ("aftercare.v1.ClientService/ListTransfers", Class::Disclosure),
    ("aftercare.v1.ClientService/ListLegalHolds", Class::Disclosure),
    ("aftercare.v1.AttendanceService/ListAttendance", Class::Disclosure),
    ("aftercare.v1.AttendanceService/ListSessionNotes", Class::Disclosure),
    ("aftercare.v1.AttendanceService/GetTraining", Class::Disclosure),
    ("aftercare.v1.SchedulingService/ListSessionOverrides", Class::Disclosure),
    ("aftercare.v1.FollowUpService/GetAssessment", Class::Disclosure),
    ("aftercare.v1.FollowUpService/GetProgress", Class::Disclosure),
    ("aftercare.v1.FollowUpService/ListEscalations", Class::Disclosure),
    ("aftercare.v1.FollowUpService/ListMandatoryReports", Class::Disclosure),
    ("aftercare.v1.FollowUpService/ListCaseEvents", Class::Disclosure),
    ("aftercare.v1.AccessService/ListBreakGlass", Class::Disclosure),
    ("aftercare.v1.ComplianceService/CheckCompliance", Class::Police),
    ("aftercare.v1.ComplianceService/BatchCheckCompliance", Class::Police),
    ("aftercare.v1.ComplianceService/ListComplianceInJurisdiction", Class::Police),
    ("aftercare.v1.ComplianceService/IssueComplianceStatement", Class::Police),
    ("aftercare.v1.FollowUpService/GetFollowUpReport", Class::Export),
    // Walks as much of the trail as it is asked for.
    ("aftercare.v1.AuditService/VerifyAudit", Class::Export),
];

/// The class of an RPC: what [`CLASSES`] says, else what its verb says. What nobody knows is a write, the rarest of
/// what everybody may do.
pub fn class(rpc: &str) -> Class {
    if let Some((_, class)) = CLASSES.iter().find(|(name, _)| *name == rpc) {
        return *class;
    }
    let verb = rpc.rsplit('/').next().unwrap_or_default();
    let begins = |verbs: &[&str]| verbs.iter().any(|it| verb.starts_with(it));
    match () {
        () if begins(&["Export"]) => Class::Export,
        () if begins(&["Watch"]) => Class::Stream,
        () if begins(&["Get", "List"]) => Class::Read,
        () => Class::Write,
    }
}

/// So many calls a minute in the long run, and so many at once after a pause. None a minute means no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// In the long run.
    pub per_minute: u32,
    /// At once.
    pub burst: u32,
}

impl Quota {
    /// No limit.
    pub const OFF: Self = Self { per_minute: 0, burst: 0 };

    const fn of(per_minute: u32, burst: u32) -> Self {
        Self { per_minute, burst }
    }
}

/// What one caller may do, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quotas {
    /// See [`Class::Read`].
    pub read: Quota,
    /// See [`Class::Write`].
    pub write: Quota,
    /// See [`Class::Search`].
    pub search: Quota,
    /// See [`Class::Disclosure`].
    pub disclosure: Quota,
    /// See [`Class::Police`].
    pub police: Quota,
    /// See [`Class::Export`].
    pub export: Quota,
    /// See [`Class::Stream`]: how often one may be opened.
    pub stream: Quota,
    /// Streams open at once; with 0, as many as one likes.
    pub open_streams: u32,
}

impl Default for Quotas {
    /// Far above what a person does in a console, and above a well-behaved integration. What police may look up is
    /// bounded by [`super::police::MOST_CALLS`]; this one is wider and bounds what being refused costs.
    fn default() -> Self {
        Self {
            read: Quota::of(600, 300),
            write: Quota::of(300, 150),
            search: Quota::of(120, 60),
            disclosure: Quota::of(240, 120),
            police: Quota::of(120, 120),
            export: Quota::of(20, 10),
            stream: Quota::of(30, 30),
            open_streams: 16,
        }
    }
}

impl Quotas {
    /// No limits.
    pub const OFF: Self = Self {
        read: Quota::OFF,
        write: Quota::OFF,
        search: Quota::OFF,
        disclosure: Quota::OFF,
        police: Quota::OFF,
        export: Quota::OFF,
        stream: Quota::OFF,
        open_streams: 0,
    };

    /// The quota of a class.
    pub const fn of(&self, class: Class) -> Quota {
        match class {
            Class::Read => self.read,
            Class::Write => self.write,
            Class::Search => self.search,
            Class::Disclosure => self.disclosure,
            Class::Police => self.police,
            Class::Export => self.export,
            Class::Stream => self.stream,
        }
    }
}
