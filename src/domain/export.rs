//! Exports: everything that is held about one person, in parts, and who is given which of them.

use super::access::{self, Role};
use super::code::words;

words! {
    /// Why everything about a person is asked for.
    ExportPurpose {
        /// The person, or who answers for the person, asked for it (DPDP Act 2023 s.11).
        AccessRequest = "ACCESS_REQUEST",
        /// To find out what has to be put right, completed or erased (DPDP Act 2023 s.12).
        Correction = "CORRECTION",
        /// To answer a grievance (DPDP Act 2023 s.13).
        Grievance = "GRIEVANCE",
        /// A court has ordered it.
        CourtOrder = "COURT_ORDER",
        /// The organisation reviews its own records.
        Review = "REVIEW",
    }

    /// A part of what is held about a person, in the order in which it is given.
    ExportPart {
        /// Identity, contacts, preferences.
        Client = "CLIENT",
        /// Who answers for the client.
        Guardian = "GUARDIAN",
        /// What was consented to.
        Consent = "CONSENT",
        /// Whom the client was declared not to meet: a reference, and nothing else about that person.
        NoContact = "NO_CONTACT",
        /// Which counsellors must not see the client.
        Conflict = "CONFLICT",
        /// Why the client may not be erased.
        LegalHold = "LEGAL_HOLD",
        /// Cases, with the client's own role alone.
        Case = "CASE",
        /// Days on which a case takes the client away.
        Proceeding = "PROCEEDING",
        /// Sessions, with the client's own place alone.
        Session = "SESSION",
        /// Why rules about the client were broken.
        Override = "OVERRIDE",
        /// What was recorded and decided of sessions.
        Attendance = "ATTENDANCE",
        /// What counsellors noted.
        Note = "NOTE",
        /// What the client waited for.
        WaitlistEntry = "WAITLIST_ENTRY",
        /// Treatment orders with their histories.
        Order = "ORDER",
        /// Look-ups of orders by police.
        Lookup = "LOOKUP",
        /// Follow-up plans with their milestones.
        Plan = "PLAN",
        /// Why milestones were excused.
        Excuse = "EXCUSE",
        /// Answers, scores, results.
        Assessment = "ASSESSMENT",
        /// What called for a person.
        Escalation = "ESCALATION",
        /// Reports that the law demands.
        MandatoryReport = "MANDATORY_REPORT",
        /// Who was let in in an emergency.
        BreakGlass = "BREAK_GLASS",
        /// To and from which organisations the client was to move (DPDP Act 2023 s.11(1)(b)).
        Transfer = "TRANSFER",
        /// Who has read about the client.
        Disclosure = "DISCLOSURE",
    }
}

/// Whom an export is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Somebody who works for the organisation.
    Staff(Role),
    /// The person whom it is about, by way of the organisation.
    Person {
        /// With what counsellors wrote for themselves and each other; the clinical lead decides that.
        notes: bool,
    },
}

impl Reader {
    /// Whether a part is for this reader. Staff get what they may read piece by piece, and nothing else.
    ///
    /// The person does not get what protects or is about somebody else, nor what goes to police: the right of access
    /// does not reach that far (DPDP Act 2023 s.11(2), s.17(1)(c)); nor, unless somebody decides otherwise, the
    /// counsellors' own notes \[P\] (as in 45 CFR 164.524(a)(1)(i)).
    pub fn is_given(self, part: ExportPart) -> bool {
        use ExportPart::{Conflict, Escalation, LegalHold, Lookup, MandatoryReport, NoContact, Note};
        match (self, part) {
            (Self::Staff(role), part) => access::row(read_by(part)).is_some_and(|(_, roles)| roles.contains(&role)),
            (Self::Person { .. }, NoContact | Conflict | LegalHold | Lookup | MandatoryReport) => false,
            (Self::Person { notes }, Note | Escalation) => notes,
            (Self::Person { .. }, _) => true,
        }
    }

    /// The parts that are not for this reader, whether or not there is anything in them.
    pub fn withheld(self) -> Vec<ExportPart> {
        ExportPart::ALL.iter().copied().filter(|part| !self.is_given(*part)).collect()
    }
}

/// The RPC by which a part is read piece by piece: whoever may call that is given the part.
fn read_by(part: ExportPart) -> &'static str {
    match part {
        ExportPart::Client => "aftercare.v1.ClientService/GetClient",
        ExportPart::Guardian => "aftercare.v1.ClientService/ListGuardians",
        ExportPart::Consent => "aftercare.v1.ClientService/ListConsents",
        ExportPart::NoContact => "aftercare.v1.ClientService/ListNoContacts",
        ExportPart::Conflict => "aftercare.v1.ClientService/ListConflicts",
        ExportPart::LegalHold => "aftercare.v1.ClientService/ListLegalHolds",
        ExportPart::Case => "aftercare.v1.ClientService/GetCase",
        ExportPart::Proceeding => "aftercare.v1.ClientService/ListProceedings",
        ExportPart::Session => "aftercare.v1.SchedulingService/GetSession",
        ExportPart::Override => "aftercare.v1.SchedulingService/ListSessionOverrides",
        ExportPart::Attendance => "aftercare.v1.AttendanceService/ListAttendance",
        ExportPart::Note => "aftercare.v1.AttendanceService/ListSessionNotes",
        ExportPart::WaitlistEntry => "aftercare.v1.SchedulingService/ListWaitlist",
        ExportPart::Order => "aftercare.v1.ComplianceService/GetOrder",
        // Who has looked is the organisation's to know, at both ends of it (privacy, "Who sees what").
        ExportPart::Lookup | ExportPart::Disclosure => "aftercare.v1.ComplianceService/ListLookups",
        ExportPart::Plan => "aftercare.v1.FollowUpService/GetFollowUp",
        // Nobody reads it elsewhere; it is for whoever writes it.
        ExportPart::Excuse => "aftercare.v1.FollowUpService/ExcuseMilestone",
        ExportPart::Assessment => "aftercare.v1.FollowUpService/GetAssessment",
        ExportPart::Escalation => "aftercare.v1.FollowUpService/ListEscalations",
        ExportPart::MandatoryReport => "aftercare.v1.FollowUpService/ListMandatoryReports",
        ExportPart::BreakGlass => "aftercare.v1.AccessService/ListBreakGlass",
        ExportPart::Transfer => "aftercare.v1.ClientService/ListTransfers",
    }
}

/// Whether what was called reads about somebody. Of whoever changed something, the changed thing tells.
pub fn is_disclosure(action: &str) -> bool {
    let name = action.rsplit('/').next().unwrap_or(action);
    ["Get", "List", "Export", "export-client"].iter().any(|verb| name.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_read_by_an_rpc_that_there_is() {
        for part in ExportPart::ALL {
            assert!(access::row(read_by(*part)).is_some(), "{part}");
        }
    }

    #[test]
    fn each_reader_is_given_what_the_table_of_privacy_says() {
        use ExportPart as P;
        let lead = [P::NoContact, P::Conflict, P::LegalHold, P::Case, P::Proceeding, P::Override, P::WaitlistEntry];
        let coordinator = [P::Note, P::Excuse, P::Assessment, P::Escalation];
        let person = [P::NoContact, P::Conflict, P::LegalHold, P::Lookup, P::MandatoryReport];
        assert_eq!(Reader::Staff(Role::ClinicalLead).withheld(), lead);
        assert_eq!(Reader::Staff(Role::Coordinator).withheld(), coordinator);
        assert_eq!(Reader::Person { notes: true }.withheld(), person);
        let of_person = Reader::Person { notes: false };
        assert!(
            !of_person.is_given(P::Note) && !of_person.is_given(P::Escalation) && of_person.is_given(P::Assessment)
        );
        for role in [Role::Police, Role::Auditor, Role::Admin] {
            let given = P::ALL.iter().filter(|part| Reader::Staff(role).is_given(**part));
            // Who was let in in an emergency is an auditor's to know, without more.
            assert!(given.eq(if role == Role::Auditor { &[P::BreakGlass][..] } else { &[] }), "{role}");
        }
    }

    #[test]
    fn what_reads_is_told_from_what_changes() {
        for reads in
            ["aftercare.v1.ClientService/GetClient", "aftercare.v1.PrivacyService/ExportClient", "export-client"]
        {
            assert!(is_disclosure(reads), "{reads}");
        }
        for changes in ["aftercare.v1.ClientService/UpdateClient", "aftercare.v1.ClientService/DeclareNoContact"] {
            assert!(!is_disclosure(changes), "{changes}");
        }
    }
}
