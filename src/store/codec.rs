//! How domain values are written on both engines: the only place that knows.
//!
//! | value | PostgreSQL | SQLite |
//! |---|---|---|
//! | id | `UUID` | `BLOB`, 16 bytes |
//! | instant | `TIMESTAMPTZ` | `INTEGER`, microseconds since 1970 |
//! | date | `DATE` | `TEXT` |
//! | word, code, zone | `TEXT` | `TEXT` |

use chrono::{DateTime, Utc};
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};

use crate::domain::access::Role;
use crate::domain::agreement::AgreementStatus;
use crate::domain::audit::Outcome;
use crate::domain::break_glass::Finding;
use crate::domain::case_event::CaseEventKind;
use crate::domain::client::{AgeBasis, CaseRole, CrimeNumber};
use crate::domain::code::{CareService, Gender, Modality, Side};
use crate::domain::compliance::{Shown, Status};
use crate::domain::consent::{Assent, ConsentEnding, ConsentGiver, ConsentPurpose};
use crate::domain::directory::OrganisationKind;
use crate::domain::erasure::ErasureReason;
use crate::domain::escalation::{Action, ConcernKind, Level, Recipient, Trigger};
use crate::domain::followup::Closing;
use crate::domain::followup::milestone::Standing as MilestoneStanding;
use crate::domain::guardian::GuardianStanding;
use crate::domain::ids::*;
use crate::domain::instrument::Informant;
use crate::domain::job::JobState;
use crate::domain::outcome::{self, Concern, Ground, NotHeld};
use crate::domain::police::Purpose;
use crate::domain::proceeding::ProceedingKind;
use crate::domain::reference::Reference;
use crate::domain::retention::Hindrance;
use crate::domain::revocation::{LiftReason, RevocationReason};
use crate::domain::rules::RuleCode;
use crate::domain::session::{CancelReason, StateWord};
use crate::domain::statement::Kid;
use crate::domain::text::{Code, Language};
use crate::domain::transfer::{DeclineReason, TransferEnding};
use crate::domain::treatment::MandateBasis;
use crate::domain::waitlist::{EntryEnding, Freeing, OfferEnding, SlotEnding};

/// Writes a type as another one that both engines know.
macro_rules! written_as {
    ($inner:ty, $(($name:ty, $encode:expr, $decode:expr)),* $(,)?) => {$(
        written_as!(@engine $inner, $name, $encode, $decode, Sqlite, SqliteTypeInfo, SqliteArgumentsBuffer, SqliteValueRef);
        written_as!(@engine $inner, $name, $encode, $decode, Postgres, PgTypeInfo, PgArgumentBuffer, PgValueRef);
    )*};
    (@engine $inner:ty, $name:ty, $encode:expr, $decode:expr, $db:ty, $info:ty, $buffer:ty, $value:ident) => {
        impl Type<$db> for $name {
            fn type_info() -> $info {
                <$inner as Type<$db>>::type_info()
            }

            fn compatible(info: &$info) -> bool {
                <$inner as Type<$db>>::compatible(info)
            }
        }

        impl Encode<'_, $db> for $name {
            fn encode_by_ref(&self, buffer: &mut $buffer) -> Result<IsNull, BoxDynError> {
                let encode: fn(&$name) -> $inner = $encode;
                <$inner as Encode<'_, $db>>::encode(encode(self), buffer)
            }
        }

        impl<'r> Decode<'r, $db> for $name {
            fn decode(value: $value<'r>) -> Result<Self, BoxDynError> {
                let decode: fn($inner) -> Result<$name, BoxDynError> = $decode;
                decode(<$inner as Decode<'r, $db>>::decode(value)?)
            }
        }
    };
}

macro_rules! words_and_ids {
    (words: $($word:ty),*; ids: $($id:ident),*;) => {
        written_as!(String, $(($word, |word| word.as_str().to_owned(), |text| Ok(text.parse()?))),*);
        written_as!(uuid::Uuid, $(($id, |id| id.0, |uuid| Ok($id(uuid)))),*);
    };
}

words_and_ids! {
    words: ErasureReason, Informant, Closing, MilestoneStanding, Level, Trigger, Action, ConcernKind, Recipient, CaseEventKind,
        Role, AgreementStatus, Outcome, AgeBasis, CaseRole, CareService, Gender, Modality, Side,
        OrganisationKind, CancelReason, StateWord, RuleCode, GuardianStanding, ConsentPurpose, ConsentGiver, Assent,
        ConsentEnding, ProceedingKind, JobState, EntryEnding, Freeing, SlotEnding, OfferEnding,
        MandateBasis, Status, Shown, Purpose,
        RevocationReason, LiftReason, Finding, TransferEnding, DeclineReason, Hindrance,
        outcome::Outcome, Concern, NotHeld, Ground;
    ids: OrganisationId, AgreementId, SiteId, VenueId, RoomId, CounsellorId, LeaveId,
        HolidayCalendarId, ClientId, LegalHoldId, CaseId, LinkId, NoContactId, GuardianId, ConsentId, ConflictId, ProceedingId,
        ProgrammeId,
        SessionId, ParticipantId, AttendanceId, DecisionId, NoteId,
        SeriesId, WaitlistEntryId, FreedSlotId, WaitlistOfferId,
        OrderId, PoliceCallId, PoliceLookupId,
        StatementId,
        PlanId, MilestoneId, AssessmentId, EscalationId, ConcernId, MandatoryReportId, CaseEventId,
        TrainingRecordId,
        RevocationId, ServiceAccountId, BreakGlassId, TransferId,
        JobId;
}

written_as!(
    String,
    (Code, |code| code.as_str().to_owned(), |text| Ok(Code::parse(&text)?)),
    (Language, |language| language.as_str().to_owned(), |text| Ok(Language::parse(&text)?)),
    (Reference, |reference| reference.as_str().to_owned(), |text| Ok(Reference::parse(&text)?)),
    (Kid, |kid| kid.as_str().to_owned(), |text| Ok(Kid::parse(&text)?)),
    (CrimeNumber, |number| number.as_str().to_owned(), |text| Ok(CrimeNumber::parse(&text)?)),
    (Zone, |zone| zone.0.name().to_owned(), |text| Ok(Zone(crate::domain::text::zone(&text)?))),
);

/// An IANA zone.
#[derive(Clone, Copy, Debug)]
pub struct Zone(pub chrono_tz::Tz);

/// An instant. The clock gives whole microseconds, so nothing is lost on either engine.
#[derive(Clone, Copy, Debug)]
pub struct Instant(pub DateTime<Utc>);

impl Type<Sqlite> for Instant {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(info: &SqliteTypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(info)
    }
}

impl Encode<'_, Sqlite> for Instant {
    fn encode_by_ref(&self, buffer: &mut SqliteArgumentsBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<'_, Sqlite>>::encode(self.0.timestamp_micros(), buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Instant {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        let micros = <i64 as Decode<'r, Sqlite>>::decode(value)?;
        Ok(Self(DateTime::from_timestamp_micros(micros).ok_or("no such instant")?))
    }
}

impl Type<Postgres> for Instant {
    fn type_info() -> PgTypeInfo {
        <DateTime<Utc> as Type<Postgres>>::type_info()
    }

    fn compatible(info: &PgTypeInfo) -> bool {
        <DateTime<Utc> as Type<Postgres>>::compatible(info)
    }
}

impl Encode<'_, Postgres> for Instant {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <DateTime<Utc> as Encode<'_, Postgres>>::encode_by_ref(&self.0, buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Instant {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(<DateTime<Utc> as Decode<'r, Postgres>>::decode(value)?))
    }
}
