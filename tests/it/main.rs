//! One binary for every integration test: the public gRPC surface, on both engines, with a real
//! PostgreSQL (`tests/run.sh` brings one).

mod access;
mod booking;
mod consent;
mod demo;
mod directory;
mod expired;
mod fact_race;
mod foreign;
mod hold;
mod holidays;
mod hours;
mod import;
mod import_people;
mod import_sessions;
mod indistinguishable;
mod input;
mod job;
mod layers;
mod model;
mod moving;
mod orphan;
mod people;
mod process;
mod race;
mod repeat;
mod rules;
mod schema;
mod separation;
mod session_race;
mod slots;
mod statements;
mod support;
mod waitlist;
