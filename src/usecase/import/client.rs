//! What the rows about clients say: who they are, their guardians, cases and consents.

use uuid::Uuid;

use super::cells::Cells;
use super::kind::{Kind, changes};
use super::known::{Known, Target};
use super::sheet::Shape;
use crate::domain::client::{Case, CaseRole, Client, CrimeNumber, birth, birth_parts, police_station};
use crate::domain::consent::{Assent, Consent, ConsentGiver};
use crate::domain::guardian::Guardian;
use crate::domain::ids::{ClientId, OrganisationId};
use crate::domain::personal::Personal;
use crate::domain::reference::Reference;
use crate::domain::text::{Code, Fault, Language};
use crate::domain::time::parse_date;
use crate::usecase::world::World;

impl Kind for Client {
    const SHAPE: &'static Shape = &Shape {
        file: "clients.csv",
        columns: &[
            "organisation",
            "file_number",
            "side",
            "name",
            "phone",
            "address",
            "born_on",
            "spoken_languages",
            "reading_language",
            "counsellor_gender",
        ],
    };
    const KEY: &'static [&'static str] = &["organisation", "file_number"];
    const REFERENCES: &'static [(&'static str, Target)] = &[("organisation", Target::Organisation)];
    const TARGET: Option<Target> = Some(Target::Client);

    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self> {
        let organisation_id = cells.refer("organisation", known);
        let file_number = cells.code("file_number");
        let side = cells.word("side");
        let name = cells.personal("name", 1..=200);
        let phone = cells.personal("phone", 0..=40);
        let address = cells.personal("address", 0..=500);
        let born_on = cells.maybe("born_on", born_on).map(Option::unwrap_or_default);
        let spoken_languages = cells.list("spoken_languages", Language::parse);
        let reading_language = cells.maybe("reading_language", Language::parse);
        let counsellor_gender = cells.maybe("counsellor_gender", str::parse);
        cells.finish(|| {
            Some(Self {
                organisation_id: organisation_id?,
                // A place for the one that [`Kind::begin`] or [`Kind::complete`] gives.
                reference: Reference::from_random([0; 8]),
                side: side?,
                name: name?,
                phone: phone?,
                address: address?,
                born_on: born_on?,
                age_basis: None,
                spoken_languages: spoken_languages?,
                reading_language: reading_language?,
                counsellor_gender: counsellor_gender?,
                file_number: Some(file_number?),
                availability: Vec::new(),
                preferred_modality: None,
                preferred_venue_id: None,
                erased_at: None,
            })
        })
    }

    fn place(&self) -> (Uuid, &str) {
        (self.organisation_id.0, self.file_number.as_ref().map_or("", Code::as_str))
    }

    fn begin(&mut self, world: &World) {
        self.reference = world.reference();
    }

    /// Times, preferences and what the age is known from stay as they are.
    fn complete(&mut self, before: &Self, _known: &Known) {
        self.reference.clone_from(&before.reference);
        self.availability.clone_from(&before.availability);
        self.age_basis = before.age_basis;
        self.preferred_modality = before.preferred_modality;
        self.preferred_venue_id = before.preferred_venue_id;
        self.erased_at = before.erased_at;
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        changes!(self, before; side => "side", name => "name", phone => "phone", address => "address",
            born_on => "born_on", spoken_languages => "spoken_languages", reading_language => "reading_language",
            counsellor_gender => "counsellor_gender")
    }
}

/// A date, or a year alone.
fn born_on(raw: &str) -> Result<Personal, Fault> {
    let wrong = || Fault::new("must be a date as YYYY-MM-DD, or a year as YYYY, from 1900 to 2200");
    let year_only = raw.len() == 4 && raw.bytes().all(|byte| byte.is_ascii_digit());
    if !year_only {
        parse_date(raw).map_err(|_| wrong())?;
    }
    let (year, month, day) = birth_parts(&Personal::new(raw.into())).ok_or_else(wrong)?;
    birth(year, month, day).map_err(|_| wrong())
}

impl Kind for Guardian {
    const SHAPE: &'static Shape = &Shape {
        file: "guardians.csv",
        columns: &["organisation", "client", "code", "name", "phone", "relation", "standing"],
    };
    const KEY: &'static [&'static str] = &["organisation", "client", "code"];
    const REFERENCES: &'static [(&'static str, Target)] =
        &[("organisation", Target::Organisation), ("client", Target::Client)];
    const TARGET: Option<Target> = Some(Target::Guardian);

    fn read(cells: &mut Cells<'_>, known: &Known) -> Option<Self> {
        let organisation: Option<OrganisationId> = cells.refer("organisation", known);
        let client_id = cells.refer("client", known);
        let code = cells.code("code");
        let name = cells.personal("name", 1..=200);
        let phone = cells.personal("phone", 0..=40);
        let relation = cells.personal("relation", 0..=100);
        let standing = cells.word("standing");
        cells.finish(|| {
            organisation.and(Some(Self {
                client_id: client_id?,
                code: Some(code?),
                name: name?,
                phone: phone?,
                relation: relation?,
                standing: standing?,
            }))
        })
    }

    fn place(&self) -> (Uuid, &str) {
        (self.client_id.0, self.code.as_ref().map_or("", Code::as_str))
    }

    fn changes(&self, before: &Self) -> Vec<&'static str> {
        changes!(self, before; name => "name", phone => "phone", relation => "relation", standing => "standing")
    }
}

/// What the file of cases looks like.
pub const CASES: &Shape =
    &Shape { file: "cases.csv", columns: &["organisation", "crime_number", "police_station", "district"] };
/// The columns of a row of cases that refer to other things.
pub const CASES_REFERENCES: &[(&str, Target)] = &[("organisation", Target::Organisation)];

/// A case without its parties. All of it is its key.
pub fn read_case(cells: &mut Cells<'_>, known: &Known) -> Option<Case> {
    let organisation_id = cells.refer("organisation", known);
    let crime_number = cells.parse("crime_number", CrimeNumber::parse);
    let police_station = cells.parse("police_station", police_station);
    let district = cells.code("district");
    cells.finish(|| {
        Some(Case {
            organisation_id: organisation_id?,
            crime_number: crime_number?,
            police_station: police_station?,
            district: district?,
            parties: Vec::new(),
        })
    })
}

/// What the file of parties looks like.
pub const PARTIES: &Shape = &Shape {
    file: "case_parties.csv",
    columns: &["organisation", "crime_number", "police_station", "district", "client", "role"],
};
/// The columns of a row of parties that refer to other things.
pub const PARTIES_REFERENCES: &[(&str, Target)] = &[("organisation", Target::Organisation), ("client", Target::Client)];

/// The case, the client, and what the client is in the case.
pub fn read_party(cells: &mut Cells<'_>, known: &Known) -> Option<(Case, ClientId, CaseRole)> {
    let case = read_case(cells, known);
    let client_id = cells.refer("client", known);
    let role = cells.word("role");
    cells.finish(|| Some((case?, client_id?, role?)))
}

/// What the file of consents looks like.
pub const CONSENTS: &Shape = &Shape {
    file: "consents.csv",
    columns: &[
        "organisation",
        "client",
        "purpose",
        "given_by",
        "guardian",
        "assent",
        "language",
        "text_version",
        "given_on",
        "valid_until",
    ],
};
/// The columns of a row of consents that say which consent it is about.
pub const CONSENTS_KEY: &[&str] = &["organisation", "client", "purpose", "given_by", "guardian", "given_on"];
/// The columns of a row of consents that refer to other things.
pub const CONSENTS_REFERENCES: &[(&str, Target)] =
    &[("organisation", Target::Organisation), ("client", Target::Client), ("guardian", Target::Guardian)];

/// A consent as it was given.
pub fn read_consent(cells: &mut Cells<'_>, known: &Known) -> Option<Consent> {
    let organisation: Option<OrganisationId> = cells.refer("organisation", known);
    let client_id = cells.refer("client", known);
    let purpose = cells.word("purpose");
    let given_by = cells.word("given_by");
    let guardian_id = cells.maybe_refer("guardian", known);
    check_guardian(cells, given_by);
    let assent = cells.maybe("assent", str::parse);
    let language = cells.parse("language", Language::parse);
    let text_version = cells.code("text_version");
    let given_on = cells.parse("given_on", parse_date);
    let valid_until = cells.maybe("valid_until", parse_date);
    if matches!((given_on, valid_until), (Some(first), Some(Some(last))) if last < first) {
        cells.wrong::<()>("valid_until", "must not be before given_on");
    }
    cells.finish(|| {
        organisation.and(Some(Consent {
            client_id: client_id?,
            purpose: purpose?,
            given_by: given_by?,
            guardian_id: guardian_id?,
            assent: assent?.unwrap_or(Assent::None),
            language: language?,
            text_version: text_version?,
            given_on: given_on?,
            valid_until: valid_until?,
            ended: None,
        }))
    })
}

/// A guardian is named exactly when one gave it.
fn check_guardian(cells: &mut Cells<'_>, given_by: Option<ConsentGiver>) {
    let named = !cells.text("guardian").is_empty();
    match given_by {
        Some(ConsentGiver::Guardian) if !named => cells.wrong::<()>("guardian", "must name the guardian who gave it"),
        Some(ConsentGiver::Own | ConsentGiver::ChildWelfareCommittee) if named => {
            cells.wrong::<()>("guardian", "must be empty unless a guardian gave it")
        }
        _ => None,
    };
}
