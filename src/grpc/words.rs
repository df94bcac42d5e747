//! Enums of the wire and words of the domain: the same words, behind a prefix.

use crate::domain::access::Role;
use crate::domain::agreement::AgreementStatus;
use crate::domain::attendance::Standing;
use crate::domain::audit::Outcome as AuditOutcome;
use crate::domain::audit::verify::FaultKind;
use crate::domain::break_glass::{BreakGlassState, Finding};
use crate::domain::case_event::CaseEventKind;
use crate::domain::client::{AgeBasis, CaseRole};
use crate::domain::code::{CareService, Gender, Modality, Side};
use crate::domain::compliance::{Alert, AtRisk, Shown, Status};
use crate::domain::consent::due::DueReason;
use crate::domain::consent::{Assent, ConsentEnding, ConsentGiver, ConsentPurpose};
use crate::domain::directory::OrganisationKind;
use crate::domain::erasure::ErasureReason;
use crate::domain::escalation::{Action, ConcernKind, Level, Named, Recipient, Trigger};
use crate::domain::export::{ExportPart, ExportPurpose};
use crate::domain::followup::Closing;
use crate::domain::followup::milestone::{AnchorWord, Excuse, Status as MilestoneStatus};
use crate::domain::guardian::GuardianStanding;
use crate::domain::instrument::{ChangeClass, Informant};
use crate::domain::outcome::{Concern, Extent, Ground, Need, NotHeld, Outcome};
use crate::domain::police::Purpose;
use crate::domain::proceeding::ProceedingKind;
use crate::domain::programme::Form;
use crate::domain::retention::Hindrance;
use crate::domain::revocation::{LiftReason, RevocationReason};
use crate::domain::rules::RuleCode;
use crate::domain::series::Fit;
use crate::domain::session::{CancelReason, StateWord};
use crate::domain::slots::SlotReason;
use crate::domain::time::Day;
use crate::domain::transfer::{DeclineReason, TransferState};
use crate::domain::treatment::act::ActWord;
use crate::domain::treatment::{MandateBasis, TerminationReason};
use crate::domain::waitlist::{Band, EntryEnding, OfferEnding};
use crate::grpc::pb;

/// A word that travels as an enum.
pub trait Word: Copy + 'static {
    /// The number on the wire.
    fn to_wire(self) -> i32;
    /// The word of a number; none for unspecified and unknown ones.
    fn from_wire(number: i32) -> Option<Self>;
    /// Every word, for messages.
    fn all() -> String;
}

macro_rules! words {
    ($($word:ty => $wire:ty, $prefix:literal;)*) => {$(
        impl Word for $word {
            fn to_wire(self) -> i32 {
                <$wire>::from_str_name(&format!("{}{}", $prefix, self.as_str())).map_or(0, i32::from)
            }

            fn from_wire(number: i32) -> Option<Self> {
                <$wire>::try_from(number).ok()?.as_str_name().strip_prefix($prefix)?.parse().ok()
            }

            fn all() -> String {
                Self::ALL.iter().map(|word| format!("{}{word}", $prefix)).collect::<Vec<_>>().join(", ")
            }
        }
    )*};
}

words! {
    Side => pb::Side, "SIDE_";
    CareService => pb::CareService, "CARE_SERVICE_";
    Modality => pb::Modality, "MODALITY_";
    Gender => pb::Gender, "GENDER_";
    OrganisationKind => pb::OrganisationKind, "ORGANISATION_KIND_";
    AgreementStatus => pb::AgreementStatus, "AGREEMENT_STATUS_";
    AgeBasis => pb::AgeBasis, "AGE_BASIS_";
    CaseRole => pb::CaseRole, "CASE_ROLE_";
    CancelReason => pb::CancelReason, "CANCEL_REASON_";
    StateWord => pb::SessionState, "SESSION_STATE_";
    GuardianStanding => pb::GuardianStanding, "GUARDIAN_STANDING_";
    ConsentPurpose => pb::ConsentPurpose, "CONSENT_PURPOSE_";
    ConsentGiver => pb::ConsentGiver, "CONSENT_GIVER_";
    Assent => pb::Assent, "ASSENT_";
    ConsentEnding => pb::ConsentEnding, "CONSENT_ENDING_";
    DueReason => pb::ConsentDueReason, "CONSENT_DUE_REASON_";
    RevocationReason => pb::RevocationReason, "REVOCATION_REASON_";
    LiftReason => pb::LiftReason, "LIFT_REASON_";
    BreakGlassState => pb::BreakGlassState, "BREAK_GLASS_STATE_";
    Finding => pb::Finding, "FINDING_";
    TransferState => pb::TransferState, "TRANSFER_STATE_";
    DeclineReason => pb::TransferDeclineReason, "TRANSFER_DECLINE_REASON_";
    ErasureReason => pb::ErasureReason, "ERASURE_REASON_";
    ProceedingKind => pb::ProceedingKind, "PROCEEDING_KIND_";
    Form => pb::ModuleForm, "MODULE_FORM_";
    RuleCode => pb::BookingRule, "BOOKING_RULE_";
    Fit => pb::SeriesMode, "SERIES_MODE_";
    SlotReason => pb::SlotReason, "SLOT_REASON_";
    Band => pb::WaitlistBand, "WAITLIST_BAND_";
    EntryEnding => pb::WaitlistEntryEnding, "WAITLIST_ENTRY_ENDING_";
    OfferEnding => pb::WaitlistOfferEnding, "WAITLIST_OFFER_ENDING_";
    MandateBasis => pb::MandateBasis, "MANDATE_BASIS_";
    TerminationReason => pb::TerminationReason, "TERMINATION_REASON_";
    ActWord => pb::OrderEventKind, "ORDER_EVENT_KIND_";
    Status => pb::OrderStatus, "ORDER_STATUS_";
    Shown => pb::ComplianceStatus, "COMPLIANCE_STATUS_";
    AtRisk => pb::AtRiskReason, "AT_RISK_REASON_";
    Alert => pb::OrderAlert, "ORDER_ALERT_";
    Purpose => pb::LookupPurpose, "LOOKUP_PURPOSE_";
    Outcome => pb::AttendanceOutcome, "ATTENDANCE_OUTCOME_";
    Need => pb::OutcomeNeed, "OUTCOME_NEED_";
    Concern => pb::ComplianceConcern, "COMPLIANCE_CONCERN_";
    NotHeld => pb::NotHeldReason, "NOT_HELD_REASON_";
    Ground => pb::AbsenceGround, "ABSENCE_GROUND_";
    Extent => pb::AbsenceExtent, "ABSENCE_EXTENT_";
    Standing => pb::AbsenceStanding, "ABSENCE_STANDING_";
    Closing => pb::FollowUpClosing, "FOLLOW_UP_CLOSING_";
    MilestoneStatus => pb::MilestoneStatus, "MILESTONE_STATUS_";
    AnchorWord => pb::MilestoneAnchor, "MILESTONE_ANCHOR_";
    Excuse => pb::MilestoneExcuse, "MILESTONE_EXCUSE_";
    Level => pb::EscalationLevel, "ESCALATION_LEVEL_";
    Trigger => pb::EscalationTrigger, "ESCALATION_TRIGGER_";
    Named => pb::EscalationNamed, "ESCALATION_NAMED_";
    Action => pb::EscalationAction, "ESCALATION_ACTION_";
    ConcernKind => pb::ConcernKind, "CONCERN_KIND_";
    Recipient => pb::ReportRecipient, "REPORT_RECIPIENT_";
    CaseEventKind => pb::CaseEventKind, "CASE_EVENT_KIND_";
    Informant => pb::Informant, "INFORMANT_";
    ChangeClass => pb::ChangeClass, "CHANGE_CLASS_";
    AuditOutcome => pb::AuditOutcome, "AUDIT_OUTCOME_";
    FaultKind => pb::AuditFaultKind, "AUDIT_FAULT_KIND_";
    ExportPurpose => pb::ExportPurpose, "EXPORT_PURPOSE_";
    ExportPart => pb::ExportPart, "EXPORT_PART_";
    Hindrance => pb::RetentionHindrance, "RETENTION_HINDRANCE_";
}

/// google.type counts from Monday = 1.
impl Word for Day {
    fn to_wire(self) -> i32 {
        let place = Day::ALL.iter().position(|day| *day == self).unwrap_or_default();
        i32::try_from(place).unwrap_or_default() + 1
    }

    fn from_wire(number: i32) -> Option<Self> {
        Day::ALL.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }

    fn all() -> String {
        "MONDAY to SUNDAY".into()
    }
}

/// Roles are written small in tokens, and large like every enum on the wire.
impl Word for Role {
    fn to_wire(self) -> i32 {
        let name = format!("ACCOUNT_ROLE_{}", self.as_str().to_ascii_uppercase());
        pb::AccountRole::from_str_name(&name).map_or(0, i32::from)
    }

    fn from_wire(number: i32) -> Option<Self> {
        let name = pb::AccountRole::try_from(number).ok()?.as_str_name().strip_prefix("ACCOUNT_ROLE_")?;
        name.to_ascii_lowercase().parse().ok()
    }

    fn all() -> String {
        let name = |role: &Role| format!("ACCOUNT_ROLE_{}", role.as_str().to_ascii_uppercase());
        Self::ALL.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<W: Word + PartialEq + std::fmt::Debug>(all: &[W]) {
        for word in all {
            assert_eq!(W::from_wire(word.to_wire()), Some(*word));
        }
        assert_eq!(W::from_wire(0), None);
        assert_eq!(W::from_wire(99), None);
    }

    #[test]
    fn every_word_travels() {
        there_and_back(Side::ALL);
        there_and_back(CareService::ALL);
        there_and_back(Modality::ALL);
        there_and_back(Gender::ALL);
        there_and_back(OrganisationKind::ALL);
        there_and_back(AgreementStatus::ALL);
        there_and_back(AgeBasis::ALL);
        there_and_back(CaseRole::ALL);
        there_and_back(CancelReason::ALL);
        there_and_back(StateWord::ALL);
        there_and_back(RuleCode::ALL);
        there_and_back(SlotReason::ALL);
        there_and_back(Day::ALL);
        there_and_back(GuardianStanding::ALL);
        there_and_back(ConsentPurpose::ALL);
        there_and_back(ConsentGiver::ALL);
        there_and_back(Assent::ALL);
        there_and_back(TransferState::ALL);
        there_and_back(DeclineReason::ALL);
        there_and_back(ConsentEnding::ALL);
        there_and_back(DueReason::ALL);
        there_and_back(ProceedingKind::ALL);
        there_and_back(Form::ALL);
        there_and_back(Fit::ALL);
        there_and_back(Band::ALL);
        there_and_back(EntryEnding::ALL);
        there_and_back(OfferEnding::ALL);
        there_and_back(MandateBasis::ALL);
        there_and_back(TerminationReason::ALL);
        there_and_back(ActWord::ALL);
        there_and_back(Status::ALL);
        there_and_back(Shown::ALL);
        there_and_back(AtRisk::ALL);
        there_and_back(Alert::ALL);
        there_and_back(Purpose::ALL);
        there_and_back(Outcome::ALL);
        there_and_back(Need::ALL);
        there_and_back(Concern::ALL);
        there_and_back(NotHeld::ALL);
        there_and_back(Ground::ALL);
        there_and_back(Extent::ALL);
        there_and_back(Standing::ALL);
        there_and_back(Closing::ALL);
        there_and_back(MilestoneStatus::ALL);
        there_and_back(AnchorWord::ALL);
        there_and_back(Excuse::ALL);
        there_and_back(Level::ALL);
        there_and_back(Trigger::ALL);
        there_and_back(Named::ALL);
        there_and_back(Action::ALL);
        there_and_back(ConcernKind::ALL);
        there_and_back(Recipient::ALL);
        there_and_back(CaseEventKind::ALL);
        there_and_back(Informant::ALL);
        there_and_back(ChangeClass::ALL);
        there_and_back(AuditOutcome::ALL);
        there_and_back(FaultKind::ALL);
        there_and_back(ExportPurpose::ALL);
        there_and_back(ExportPart::ALL);
        there_and_back(Hindrance::ALL);
    }
}
