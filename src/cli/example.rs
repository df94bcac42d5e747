//! Two fictional NGOs as the files they would import, embedded so that the demo needs none.

use crate::usecase::import::Files;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("example/", $name)))),*]
    };
}

const FILES: [(&str, &str); 16] = embedded![
    "organisations.csv",
    "agreements.csv",
    "holiday_calendars.csv",
    "sites.csv",
    "venues.csv",
    "rooms.csv",
    "counsellors.csv",
    "hours.csv",
    "leave.csv",
    "clients.csv",
    "guardians.csv",
    "cases.csv",
    "case_parties.csv",
    "consents.csv",
    "kerala.ics",
    "meerut.ics",
];

/// The files of the example.
pub fn files() -> Files {
    FILES.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec())).collect()
}
