//! The texts of the interface that are not about a person, and why not. Whatever is neither here nor marked
//! `debug_redact` in proto/ fails a test: whoever adds a field decides.

use std::collections::BTreeSet;

use prost_reflect::FieldDescriptor;

use crate::support::plant::name_of;

/// Endings of names, for fields of any message.
const ENDINGS: &[(&str, &str)] = &[
    ("_id", "an id"),
    ("_ids", "ids"),
    ("_by", "the subject of a token: a pseudonym that the provider of tokens gave"),
    ("_cursor", "a place in a feed"),
    ("_token", "a place in a list"),
    ("_start", "a local time"),
];

/// Names of fields, in any message.
const NAMES: &[(&str, &str)] = &[
    ("id", "an id"),
    ("etag", "a version"),
    ("cursor", "a place in a feed"),
    ("zone", "the name of a zone"),
    ("code", "a code of an organisation's own"),
    ("district", "a code"),
    ("districts", "codes"),
    ("jurisdiction", "a code"),
    ("language", "a code"),
    ("languages", "codes"),
    ("spoken_languages", "codes"),
    ("reading_language", "a code"),
    ("text_version", "a code"),
    ("policy_code", "a code"),
    ("module_code", "a code"),
    ("giving_organisation_code", "a code"),
    ("receiving_organisation_code", "a code"),
    ("giving_district", "a code"),
    ("instrument", "a code"),
    ("instrument_version", "a code"),
    ("instrument_set", "a code"),
    ("rule_set", "a code"),
    ("scale", "a code"),
    ("cut_off", "a code"),
    ("algorithm", "a code"),
    ("recall", "a code"),
    ("template", "a code"),
    ("rule", "an RRULE, or a code"),
    ("request_number", "the number of a paper; the interface forbids more"),
    ("recurrence", "an RRULE"),
    ("principal", "the subject of a token, as `_by`"),
    ("crime_number", "parties of other organisations are found by it; its case is sealed off by access"),
    ("client_reference", "a neutral reference"),
    ("other_reference", "a neutral reference"),
    ("gone_reference", "a neutral reference"),
    ("kid", "the id of a public key"),
    ("key_set", "public keys"),
    ("public_key", "a public key"),
    ("hash", "a digest"),
    ("sha256", "a digest"),
    ("action", "the name of an RPC"),
    ("role", "a role"),
];

/// Fields of one message.
const FIELDS: &[(&str, &str)] = &[
    ("AuditEvent.reason", "a code"),
    ("AuditEvent.details", "codes and counts"),
    ("AuditFault.description", "a sentence of ours"),
    ("GetAuditHeadResponse.head", "digests, signed"),
    ("IssueComplianceStatementResponse.statement", "what police may know, signed"),
    ("ExportCalendarResponse.calendar", "times, by reference"),
    ("ReassignmentRefusal.reason", "a code"),
    ("ReassignmentRefusal.message", "a sentence of ours"),
    ("Change.notes", "codes"),
    ("ServiceAccount.methods", "names of RPCs"),
    ("BatchCheckComplianceRequest.references", "neutral references"),
    ("BatchedCompliance.reference", "a neutral reference"),
    ("BreakGlass.reference", "a neutral reference"),
    ("RequestBreakGlassRequest.reference", "a neutral reference"),
    ("CheckComplianceRequest.reference", "a neutral reference"),
    ("ComplianceView.reference", "a neutral reference"),
    ("IssueComplianceStatementRequest.reference", "a neutral reference"),
    ("Client.reference", "a neutral reference"),
    ("Client.file_number", "the number of a paper file, which says nothing without it"),
    ("ConsentDue.reference", "a neutral reference"),
    ("Transfer.reference", "a neutral reference"),
    ("TreatmentOrder.reference", "a neutral reference"),
    ("TreatmentOrder.document", "the number of a document; the interface forbids more"),
    ("OrderTerms.document", "the number of a document; the interface forbids more"),
    ("Counsellor.registration", "a number of a public register"),
    ("Case.police_station", "a public place; cases of one crime are found by it"),
    ("Training.police_unit", "a public place"),
    ("Training.topic", "what a training is about, not who"),
    ("RecordTrainingRequest.police_unit", "a public place"),
    ("RecordTrainingRequest.topic", "what a training is about, not who"),
    ("Agreement.counterparty", "a public body"),
    ("Organisation.name", "an organisation"),
    ("Site.name", "a place"),
    ("Venue.name", "a place"),
    ("Room.name", "a place"),
    ("Holiday.name", "a holiday"),
    ("HolidayCalendar.name", "a calendar"),
    ("CompliancePolicy.name", "a policy"),
    ("Programme.name", "a programme"),
    ("Module.name", "a programme"),
    ("Milestone.basis", "a section of a law"),
    ("TemplateMilestone.basis", "a section of a law"),
    ("TemplateMilestone.case_event", "a code"),
    ("TemplateMilestone.limit", "a rule of a template"),
    ("Instrument.title", "the form, as it is published"),
    ("Instrument.version", "a code"),
    ("Instrument.licence", "the form, as it is published"),
    ("Instrument.gate_text", "the form, as it is published"),
    ("InstrumentItem.text", "the form, as it is published"),
    ("InstrumentItem.answers", "the form, as it is published"),
    ("InstrumentScale.title", "the form, as it is published"),
    ("InstrumentRecall.stem", "the form, as it is published"),
    ("InstrumentCutOff.score", "a code"),
    ("InstrumentCutOff.population", "a code"),
];

/// What says that a field is not about a person, and why not.
pub fn why(field: &FieldDescriptor) -> Option<(&'static str, &'static str)> {
    let (full, name) = (name_of(field), field.name());
    let found = FIELDS.iter().find(|(entry, _)| *entry == full);
    let found = found.or_else(|| NAMES.iter().find(|(entry, _)| *entry == name));
    found.or_else(|| ENDINGS.iter().find(|(entry, _)| name.ends_with(entry))).copied()
}

/// Every entry.
pub fn entries() -> BTreeSet<&'static str> {
    [FIELDS, NAMES, ENDINGS].concat().into_iter().map(|(entry, _)| entry).collect()
}
