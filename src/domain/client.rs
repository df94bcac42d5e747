//! Clients of both sides, their cases, and who must not meet whom.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::code::{Gender, Modality, Side, words};

use super::ids::{CaseId, ClientId, NoContactId, OrganisationId, VenueId};
use super::noun::Noun;
use super::personal::Personal;
use super::reference::Reference;
use super::text::{Code, Fault, Language, bounded};
use super::time::{Day, DayTime, parse_date, sensible};

/// A survivor or an offender.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Client {
    /// The organisation that cares for the client.
    pub organisation_id: OrganisationId,
    /// Neutral reference code.
    pub reference: Reference,
    /// The side.
    pub side: Side,
    /// Name.
    pub name: Personal,
    /// Telephone; may be empty.
    pub phone: Personal,
    /// Address; may be empty.
    pub address: Personal,
    /// Date of birth, `YYYY-MM-DD`, or `YYYY` when only the year is known; may be empty.
    pub born_on: Personal,
    /// What the date of birth is known from.
    pub age_basis: Option<AgeBasis>,
    /// Languages spoken.
    pub spoken_languages: Vec<Language>,
    /// The language the client reads.
    pub reading_language: Option<Language>,
    /// The counsellor's gender the client asks for.
    pub counsellor_gender: Option<Gender>,
    /// The organisation's own number of the client's file.
    pub file_number: Option<Code>,
    /// The weekly times at which the client can come; any when there are none.
    pub availability: Vec<Availability>,
    /// How the client would rather meet.
    pub preferred_modality: Option<Modality>,
    /// Where the client would rather come.
    pub preferred_venue_id: Option<VenueId>,
    /// Since when no text about the client can be read any more.
    pub erased_at: Option<DateTime<Utc>>,
}

/// A weekly time at which a client can come, in the zone of the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Availability {
    /// The day.
    pub day: Day,
    /// From when.
    pub starts: DayTime,
    /// Until when; after the start.
    pub ends: DayTime,
}

/// The most times a client's availability holds.
pub const MOST_AVAILABILITY: usize = 100;

impl Noun for Client {
    type Id = ClientId;
    const WORD: &'static str = "client";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}

/// Checks a date of birth: a date, or a year alone, which is common.
pub fn birth(year: i32, month: u32, day: u32) -> Result<Personal, Fault> {
    let wrong = || Fault::new("must be a date from 1900, or a year alone (month and day 0)");
    let year_only = NaiveDate::from_ymd_opt(year, 1, 1).and_then(sensible).ok_or_else(wrong)?;
    if (month, day) == (0, 0) {
        return Ok(Personal::new(year_only.format("%Y").to_string()));
    }
    let date = NaiveDate::from_ymd_opt(year, month, day).ok_or_else(wrong)?;
    Ok(Personal::new(date.to_string()))
}

/// Year, month and day of a stored date of birth; month and day are 0 when unknown.
pub fn birth_parts(born_on: &Personal) -> Option<(i32, u32, u32)> {
    use chrono::Datelike;
    let text = born_on.expose();
    match text.len() {
        4 => Some((text.parse().ok()?, 0, 0)),
        _ => parse_date(text).ok().map(|date| (date.year(), date.month(), date.day())),
    }
}

words! {
    /// What an age is known from; the law prefers a former one to a later one (JJ Act s.94).
    AgeBasis {
        /// A certificate of a school or of an examination board.
        SchoolCertificate = "SCHOOL_CERTIFICATE",
        /// A birth certificate of a municipal authority or a panchayat.
        BirthCertificate = "BIRTH_CERTIFICATE",
        /// A medical age test, ordered by the Committee or the Board.
        MedicalTest = "MEDICAL_TEST",
        /// Appearance.
        Appearance = "APPEARANCE",
    }

    /// What a party of a case is.
    CaseRole {
        /// Who was harmed.
        Survivor = "SURVIVOR",
        /// Who is accused or convicted.
        Accused = "ACCUSED",
    }
}

impl CaseRole {
    /// The side on which a client with this role is.
    pub const fn side(self) -> Side {
        match self {
            CaseRole::Survivor => Side::Survivor,
            CaseRole::Accused => Side::Offender,
        }
    }
}

/// One organisation's record of a registered crime.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Case {
    /// The organisation.
    pub organisation_id: OrganisationId,
    /// Number and year of the first information report, `123/2026`.
    pub crime_number: CrimeNumber,
    /// Police station.
    pub police_station: String,
    /// District code.
    pub district: Code,
    /// The parties that are clients of the organisation.
    pub parties: Vec<(ClientId, CaseRole)>,
}

impl Case {
    /// The text that is equal for every organisation's record of one crime: what people write
    /// differently (case, punctuation, "PS", "police station") is left out.
    pub fn joint_key(&self) -> String {
        format!("{}|{}|{}", self.district, station_key(&self.police_station), self.crime_number)
    }
}

impl Noun for Case {
    type Id = CaseId;
    const WORD: &'static str = "case";

    fn organisation_id(&self) -> Option<OrganisationId> {
        Some(self.organisation_id)
    }
}

/// Checks the name of a police station.
pub fn police_station(raw: &str) -> Result<String, Fault> {
    let text = bounded(raw, 1..=100)?;
    if station_key(&text).is_empty() { Err(Fault::new("must name the police station")) } else { Ok(text) }
}

fn station_key(name: &str) -> String {
    // Two names that become one keep more people apart than need be; one that becomes two, too few.
    name.to_uppercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !matches!(*word, "POLICE" | "STATION" | "THANA" | "PS" | "P" | "S" | ""))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Number and year of a first information report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CrimeNumber(String);

impl CrimeNumber {
    /// Reads `123/2026`; leading zeros and spaces do not matter.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        let wrong = || Fault::new("must be number and year of the first information report: 123/2026");
        let digits = |text: &str, most: usize| {
            let text = text.trim();
            let plain = !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse::<u32>().ok()).flatten()
        };
        let (number, year) = raw.split_once('/').ok_or_else(wrong)?;
        let number = digits(number, 7).filter(|number| *number > 0).ok_or_else(wrong)?;
        let year = digits(year, 4).filter(|year| (1950..=2200).contains(year)).ok_or_else(wrong)?;
        Ok(Self(format!("{number}/{year}")))
    }

    /// The number as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for CrimeNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A declaration that a client must not meet somebody.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NoContact {
    /// The client it protects or binds.
    pub client_id: ClientId,
    /// The other, known to the service or not.
    pub other_reference: Reference,
}

impl Noun for NoContact {
    type Id = NoContactId;
    const WORD: &'static str = "no-contact declaration";
    const OWNER: Option<&'static str> = Some("client");

    fn organisation_id(&self) -> Option<OrganisationId> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_police_station_has_one_key() {
        for written in [
            "Example Nagar PS",
            "example nagar",
            "P.S. Example-Nagar",
            "Example  Nagar Police Station",
            "P.S Example Nagar",
            "Example Nagar P S",
            "Thana Example Nagar",
        ] {
            assert_eq!(station_key(written), "EXAMPLE NAGAR", "{written}");
        }
        assert!(police_station("Police Station").is_err());
    }

    #[test]
    fn a_crime_number_is_number_and_year() {
        assert_eq!(CrimeNumber::parse(" 0123 / 2026").unwrap().as_str(), "123/2026");
        for wrong in ["", "123", "0/2026", "12a/2026", "1/26", "1/2026/3", "99999999/2026"] {
            assert!(CrimeNumber::parse(wrong).is_err(), "{wrong}");
        }
    }
}
