//! What an export is made of.

use uuid::Uuid;

use crate::domain::assessment::Reading;
use crate::domain::audit::Listed;
use crate::domain::break_glass::BreakGlass;
use crate::domain::client::{Case, Client, NoContact};
use crate::domain::conflict::Conflict;
use crate::domain::consent::Consent;
use crate::domain::escalation::{Escalation, MandatoryReport};
use crate::domain::export::ExportPart;
use crate::domain::guardian::Guardian;
use crate::domain::ids::{Id, MilestoneId, OrderId, SessionId};
use crate::domain::legal_hold::LegalHold;
use crate::domain::note::Note;
use crate::domain::noun::Record;
use crate::domain::police::Lookup;
use crate::domain::proceeding::Proceeding;
use crate::domain::session::{Overriding, Session};
use crate::domain::waitlist::Entry;
use crate::store::milestone::Excused;
use crate::usecase::attendance::ParticipantHistory;
use crate::usecase::followup::plan::View;
use crate::usecase::transfer::Shown;
use crate::usecase::treatment::Overview;

/// One thing that is held about a client.
#[derive(Debug)]
pub enum Item {
    /// The client.
    Client(Box<Record<Client>>),
    /// A guardian.
    Guardian(Record<Guardian>),
    /// A consent.
    Consent(Record<Consent>),
    /// A declaration of no contact.
    NoContact(Record<NoContact>),
    /// A conflict of interest.
    Conflict(Record<Conflict>),
    /// A legal hold.
    LegalHold(Record<LegalHold>),
    /// A case, of whose parties only the client is there.
    Case(Record<Case>),
    /// A proceeding.
    Proceeding(Record<Proceeding>),
    /// A session, of whose clients only this one is there.
    Session(Box<Session>),
    /// Why a rule of a session was broken.
    Override(SessionId, Overriding),
    /// What was recorded of a session.
    Attendance(ParticipantHistory),
    /// A note.
    Note(Note),
    /// What was waited for.
    WaitlistEntry(Box<Entry>),
    /// An order with its history.
    Order(Box<Overview>),
    /// A look-up of an order.
    Lookup(OrderId, Lookup),
    /// A plan with its milestones.
    Plan(View),
    /// Why a milestone, or an instrument of it, was excused.
    Excuse(MilestoneId, Option<String>, Excused),
    /// An assessment.
    Assessment(Box<Reading>),
    /// An escalation.
    Escalation(Box<Escalation>),
    /// A report that the law demands.
    MandatoryReport(Box<MandatoryReport>),
    /// An emergency access.
    BreakGlass(Box<BreakGlass>),
    /// A transfer, as the organisation may know of it.
    Transfer(Box<Shown>),
    /// That somebody has read about the client.
    Disclosure(Listed),
}

impl Item {
    /// Which part it belongs to.
    pub fn part(&self) -> ExportPart {
        match self {
            Self::Client(_) => ExportPart::Client,
            Self::Guardian(_) => ExportPart::Guardian,
            Self::Consent(_) => ExportPart::Consent,
            Self::NoContact(_) => ExportPart::NoContact,
            Self::Conflict(_) => ExportPart::Conflict,
            Self::LegalHold(_) => ExportPart::LegalHold,
            Self::Case(_) => ExportPart::Case,
            Self::Proceeding(_) => ExportPart::Proceeding,
            Self::Session(_) => ExportPart::Session,
            Self::Override(..) => ExportPart::Override,
            Self::Attendance(_) => ExportPart::Attendance,
            Self::Note(_) => ExportPart::Note,
            Self::WaitlistEntry(_) => ExportPart::WaitlistEntry,
            Self::Order(_) => ExportPart::Order,
            Self::Lookup(..) => ExportPart::Lookup,
            Self::Plan(_) => ExportPart::Plan,
            Self::Excuse(..) => ExportPart::Excuse,
            Self::Assessment(_) => ExportPart::Assessment,
            Self::Escalation(_) => ExportPart::Escalation,
            Self::MandatoryReport(_) => ExportPart::MandatoryReport,
            Self::BreakGlass(_) => ExportPart::BreakGlass,
            Self::Transfer(_) => ExportPart::Transfer,
            Self::Disclosure(_) => ExportPart::Disclosure,
        }
    }

    /// What the trail knows it by; events of the trail itself, by nothing.
    pub fn id(&self) -> Option<Uuid> {
        Some(match self {
            Self::Client(it) => it.id.uuid(),
            Self::Guardian(it) => it.id.uuid(),
            Self::Consent(it) => it.id.uuid(),
            Self::NoContact(it) => it.id.uuid(),
            Self::Conflict(it) => it.id.uuid(),
            Self::LegalHold(it) => it.id.uuid(),
            Self::Case(it) => it.id.uuid(),
            Self::Proceeding(it) => it.id.uuid(),
            Self::Session(it) => it.id.uuid(),
            Self::Override(id, _) => id.uuid(),
            Self::Attendance(it) => it.session_id.uuid(),
            Self::Note(it) => it.id.uuid(),
            Self::WaitlistEntry(it) => it.id.uuid(),
            Self::Order(it) => it.docket.order.id.uuid(),
            Self::Lookup(_, it) => it.id.uuid(),
            Self::Plan(it) => it.plan.id.uuid(),
            Self::Excuse(id, ..) => id.uuid(),
            Self::Assessment(it) => it.assessment.id.uuid(),
            Self::Escalation(it) => it.id.uuid(),
            Self::MandatoryReport(it) => it.id.uuid(),
            Self::BreakGlass(it) => it.id.uuid(),
            Self::Transfer(it) => it.transfer.id.uuid(),
            Self::Disclosure(_) => return None,
        })
    }
}
