//! What is true of counselling sessions, whoever asks and however it is stored.
//!
//! Pure: no IO, no clock, no randomness, no async; nothing here knows of gRPC or SQL.

pub mod access;
pub mod age;
pub mod agreement;
pub mod attendance;
pub mod audit;
pub mod case_event;
pub mod client;
pub mod code;
pub mod compliance;
pub mod conflict;
pub mod consent;
pub mod counsellor;
pub mod directory;
pub mod escalation;
pub mod feed;
pub mod followup;
pub mod guardian;
pub mod ics;
pub mod ids;
pub mod job;
pub mod note;
pub mod noun;
pub mod outcome;
pub mod participant;
pub mod party;
pub mod personal;
pub mod place;
pub mod police;
pub mod proceeding;
pub mod programme;
pub mod recurrence;
pub mod reference;
pub mod rules;
pub mod series;
pub mod session;
pub mod slots;
pub mod statement;
pub mod substitute;
pub mod text;
pub mod time;
pub mod training;
pub mod treatment;
pub mod waitlist;
pub mod working_days;
