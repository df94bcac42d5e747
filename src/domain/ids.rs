//! Ids: one newtype over a UUIDv7 per aggregate, so that a room can never pass for a venue.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What every id can do; lets code that serves many aggregates be written once.
pub trait Id:
    Copy + Eq + Ord + std::hash::Hash + std::fmt::Display + std::str::FromStr + Send + Sync + 'static
{
    /// Wraps a raw UUID.
    fn from_uuid(uuid: Uuid) -> Self;
    /// The raw UUID.
    fn uuid(self) -> Uuid;
}

impl Id for Uuid {
    fn from_uuid(uuid: Uuid) -> Self {
        uuid
    }

    fn uuid(self) -> Uuid {
        self
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl Id for $name {
            fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::try_parse(text).map(Self)
            }
        }
    )*};
}

ids! {
    /// An organisation.
    OrganisationId,
    /// An agreement.
    AgreementId,
    /// A site.
    SiteId,
    /// A venue.
    VenueId,
    /// A room.
    RoomId,
    /// A counsellor.
    CounsellorId,
    /// A leave.
    LeaveId,
    /// A holiday calendar.
    HolidayCalendarId,
    /// A programme.
    ProgrammeId,
    /// A client of either side.
    ClientId,
    /// One organisation's record of a case.
    CaseId,
    /// What joins the parties of one case, or of one declaration, across organisations.
    LinkId,
    /// A declaration that two must not meet.
    NoContactId,
    /// A session.
    SessionId,
    /// A client's place in a session.
    ParticipantId,
    /// A course of sessions.
    SeriesId,
    /// A guardian.
    GuardianId,
    /// A consent.
    ConsentId,
    /// A legal hold.
    LegalHoldId,
    /// A conflict of interest.
    ConflictId,
    /// A proceeding of a case.
    ProceedingId,
    /// A client's wait for a session.
    WaitlistEntryId,
    /// A time that a session gave back.
    FreedSlotId,
    /// The offer of such a time to somebody who waits.
    WaitlistOfferId,
    /// A treatment order.
    OrderId,
    /// A call by which police ask.
    PoliceCallId,
    /// What police were told about an order.
    PoliceLookupId,
    /// A signed statement.
    StatementId,
    /// A record of attendance.
    AttendanceId,
    /// A decision on an absence.
    DecisionId,
    /// A note of a session.
    NoteId,
    /// A follow-up plan.
    PlanId,
    /// A milestone of a plan.
    MilestoneId,
    /// An assessment.
    AssessmentId,
    /// An escalation.
    EscalationId,
    /// A concern.
    ConcernId,
    /// A report that the law demands.
    MandatoryReportId,
    /// A recorded event of a case.
    CaseEventId,
    /// A record of a training.
    TrainingRecordId,
    /// A ruling that a token or a subject is let in no more.
    RevocationId,
    /// An emergency access.
    BreakGlassId,
    /// A transfer of a client.
    TransferId,
    /// A service account.
    ServiceAccountId,
    /// A job.
    JobId,
}
