//! What the rows of the files say, and what is wrong with them.

use super::*;
use crate::domain::agreement::Agreement;
use crate::domain::client::Client;
use crate::domain::counsellor::Counsellor;
use crate::domain::directory::{Organisation, Site, Venue};
use crate::domain::guardian::Guardian;
use crate::usecase::import::client::{CONSENTS, PARTIES, read_consent, read_party};
use crate::usecase::import::counsellor::{LEAVE, read_leave};
use crate::usecase::import::hours::{HOURS, read_hours};
use crate::usecase::import::kind::Kind;
use crate::usecase::import::known::Found;
use crate::usecase::import::problem::Problems;
use crate::usecase::import::sheet::Shape;

/// What is wrong with the row on line 2 of a file with the shape's columns.
fn problems(shape: &'static Shape, row: &str, read: impl Fn(&mut Cells<'_>, &Known) -> bool) -> Vec<String> {
    let text = format!("{}\n{row}\n", shape.columns.join(","));
    let mut problems = Problems::default();
    let sheet = Sheet::read(shape, text.as_bytes(), &mut problems).unwrap();
    let (line, record) = sheet.rows().next().unwrap();
    let mut cells = Cells::new(line, record);
    let good = read(&mut cells, &known());
    problems.extend(cells.take_problems());
    assert_eq!(good, problems.is_empty());
    problems.listed()
}

/// The organisation NGO with the site S, the counsellor C and the client F-9 with the guardian G-9; the
/// venue V is in the import and wrong.
fn known() -> Known {
    let mut known = Known::default();
    let id = uuid::Uuid::from_u128(1);
    for (target, code, found) in [
        (Target::Organisation, "NGO", Found::Id(id)),
        (Target::Site, "S", Found::Id(id)),
        (Target::Counsellor, "C", Found::Id(id)),
        (Target::Venue, "V", Found::Broken),
        (Target::Client, "F-9", Found::Id(id)),
    ] {
        known.set(Reference::read(target, "NGO", code).unwrap().unwrap(), found);
    }
    let guardian = Reference::read(Target::Guardian, "NGO", "G-9").unwrap().unwrap();
    known.set(guardian.of(Code::parse("F-9").unwrap()), Found::Id(id));
    known.zones.insert(crate::domain::ids::CounsellorId(id), chrono_tz::Asia::Kolkata);
    known
}

fn wrong<N: Kind>(row: &str) -> Vec<String> {
    problems(N::SHAPE, row, |cells, known| N::read(cells, known).is_some())
}

#[test]
fn a_good_row_has_no_problems() {
    assert!(wrong::<Organisation>(" NGO ,A name,NGO,KL-TVM,0,730").is_empty());
    assert!(wrong::<Agreement>("NGO,A,Somebody,COUNSELLING;TREATMENT,KL-TVM; UP-MRT,2026-01-01,,ACTIVE").is_empty());
    assert!(wrong::<Organisation>("NGO,A name,NGO,KL-TVM,,").is_empty());
    let timetable = "SURVIVOR MON 09:00-13:00; OFFENDER MON 15:00-24:00";
    for (gap, timetable) in [("", ""), ("", timetable), ("120", timetable)] {
        assert!(wrong::<Site>(&format!("NGO,S,A name,Asia/Kolkata,KL-TVM,{gap},,{timetable}")).is_empty());
    }
    assert!(wrong::<Venue>("NGO,V,A name,NGO/S,yes").is_empty());
    assert!(wrong::<Counsellor>("NGO,C,X,SURVIVOR,,COUNSELLING,REMOTE,ml;en,Asia/Kolkata,,,,,,,,").is_empty());
    assert!(
        wrong::<Counsellor>(
            "NGO,C,X,SURVIVOR,,COUNSELLING,REMOTE,ml;en,Asia/Kolkata,0,120,480,50,200,2027-01-01,A-1,no"
        )
        .is_empty()
    );
}

#[test]
fn every_wrong_cell_is_named_with_its_column() {
    assert_eq!(
        wrong::<Site>("none,s,,Kolkata,KL TVM,1441,NONE,SURVIVOR MON 9-12"),
        [
            "sites.csv:2:1 (organisation): must be 1 to 32 of A-Z, 0-9, \".\", \"_\" and \"-\"",
            "sites.csv:2:2 (code): must be 1 to 32 of A-Z, 0-9, \".\", \"_\" and \"-\"",
            "sites.csv:2:3 (name): must not be empty",
            "sites.csv:2:4 (zone): must be an IANA zone such as \"Asia/Kolkata\"",
            "sites.csv:2:5 (district): must be 1 to 32 of A-Z, 0-9, \".\", \"_\" and \"-\"",
            "sites.csv:2:6 (separation_gap_minutes): must be 0 to 1440 whole minutes",
            "sites.csv:2:8 (timetable): must be a time of day as HH:MM, 00:00 to 24:00",
        ]
    );
    let near = "NGO,S,A name,Asia/Kolkata,KL-TVM,121,,SURVIVOR MON 09:00-13:00;OFFENDER MON 15:00-16:00";
    let says = "must keep the separation gap between the hours of the two sides";
    assert_eq!(wrong::<Site>(near), [format!("sites.csv:2:8 (timetable): {says}")]);
    for hours in ["SURVIVOR MON", "SURVIVOR MON 12:00-09:00", "SURVIVOR MON 09:00-12:00 13:00-15:00"] {
        let row = format!("NGO,S,A name,Asia/Kolkata,KL-TVM,,,{hours}");
        let says = "must be a side, a day and hours such as \"SURVIVOR MON 09:00-13:00\"";
        assert_eq!(wrong::<Site>(&row), [format!("sites.csv:2:8 (timetable): {says}")]);
    }
    assert_eq!(
        wrong::<Organisation>("NGO,A name,NGO,KL-TVM,20161,0"),
        [
            "organisations.csv:2:5 (notice_minutes): must be 0 to 20160 whole minutes",
            "organisations.csv:2:6 (horizon_days): must be 1 to 730 whole days",
        ]
    );
    assert_eq!(
        wrong::<Agreement>("NGO,A,X,COUNSELLING;COUNSELLING,;,2026-02-01,2026-01-31,active"),
        [
            "agreements.csv:2:4 (services): must not repeat a value",
            "agreements.csv:2:5 (districts): must not be empty",
            "agreements.csv:2:8 (status): must be one of DRAFT, ACTIVE, SUSPENDED, ENDED",
            "agreements.csv:2:7 (valid_until): must not be before valid_from",
        ]
    );
    assert_eq!(
        wrong::<Counsellor>(
            "NGO,C,,SURVIVOR,F,TREATMENT,REMOTE,xyzzy,Asia/Kolkata,121,x,481,0,201,2027-02-29,a 1,maybe"
        ),
        [
            "counsellors.csv:2:3 (name): must not be empty",
            "counsellors.csv:2:5 (gender): must be one of FEMALE, MALE, OTHER",
            "counsellors.csv:2:6 (services): must be for the counsellor's side: COUNSELLING, TRAUMA_THERAPY, \
             SURVIVOR_ASSESSMENT, ACCOMPANIMENT, TRAINING",
            "counsellors.csv:2:8 (languages): must be a BCP 47 language tag such as \"ml\", \"hi\" or \"en\"",
            "counsellors.csv:2:10 (buffer_before_minutes): must be 0 to 120 whole minutes",
            "counsellors.csv:2:11 (buffer_after_minutes): must be 0 to 120 whole minutes",
            "counsellors.csv:2:12 (travel_minutes): must be 0 to 480 whole minutes",
            "counsellors.csv:2:13 (daily_limit): must be 1 to 50",
            "counsellors.csv:2:14 (weekly_limit): must be 1 to 200",
            "counsellors.csv:2:15 (verified_until): must be a date as YYYY-MM-DD, from 1900 to 2200",
            "counsellors.csv:2:16 (registration): must be 1 to 32 of A-Z, 0-9, \".\", \"_\" and \"-\"",
            "counsellors.csv:2:17 (inactive): must be yes or no",
        ]
    );
}

#[test]
fn rows_about_people_are_held_to_their_form() {
    assert!(wrong::<Client>("NGO,F-1,SURVIVOR,X,,,,ml;en,,").is_empty());
    assert!(wrong::<Client>("NGO,F-1,SURVIVOR,X,1,Y,2012,ml,ml,FEMALE").is_empty());
    assert!(wrong::<Guardian>("NGO,F-9,G,X,,,SAFE").is_empty());
    let born = "clients.csv:2:7 (born_on): must be a date as YYYY-MM-DD, or a year as YYYY, from 1900 to 2200";
    for born_on in ["12-02-2012", "1899", "2012-13-01", "12", "20121", "abcd", "2012-1-1"] {
        assert_eq!(wrong::<Client>(&format!("NGO,F-1,SURVIVOR,X,,,{born_on},ml,,")), [born], "{born_on}");
    }
    let consent = |row| problems(CONSENTS, row, |cells, known| read_consent(cells, known).is_some());
    assert!(consent("NGO,F-9,CARE,GUARDIAN,G-9,WRITTEN,ml,V1,2026-01-02,2026-01-02").is_empty());
    assert!(consent("NGO,F-9,CARE,OWN,,,ml,V1,2026-01-02,").is_empty());
    assert_eq!(
        consent("NGO,F-9,CARE,GUARDIAN,,SPOKEN,ml,V1,2026-01-02,2026-01-01"),
        [
            "consents.csv:2:5 (guardian): must name the guardian who gave it",
            "consents.csv:2:6 (assent): must be one of NONE, VERBAL, WRITTEN",
            "consents.csv:2:10 (valid_until): must not be before given_on",
        ]
    );
    // Of an unknown client no guardian is known either: one problem, not two.
    assert_eq!(
        consent("NGO,F-8,CARE,GUARDIAN,G-9,WRITTEN,ml,V1,2026-01-02,"),
        [format!("consents.csv:2:2 (client): {}", Target::Client.says())]
    );
    let party = |row| problems(PARTIES, row, |cells, known| read_party(cells, known).is_some());
    assert!(party("NGO,12/2026,Example Nagar,KL-TVM,F-9,ACCUSED").is_empty());
    assert_eq!(party("NGO,12,PS,KL-TVM,F-9,VICTIM").len(), 3);
}

#[test]
fn a_reference_leads_somewhere_or_is_named() {
    let says = Target::Site.says();
    assert_eq!(wrong::<Venue>("NGO,V,A name,T,no"), [format!("venues.csv:2:4 (site): {says}")]);
    assert_eq!(wrong::<Venue>("NGO,V,A name,OTHER/S,no"), [format!("venues.csv:2:4 (site): {says}")]);
    // Of an unknown organisation nothing else is known: one problem, not two.
    let says = Target::Organisation.says();
    assert_eq!(wrong::<Venue>("OTHER,V,A name,S,no"), [format!("venues.csv:2:1 (organisation): {says}")]);
}

#[test]
fn hours_and_leave_are_held_to_their_order() {
    let hours = |row| problems(HOURS, row, |cells, known| read_hours(cells, known).1.is_some());
    assert!(hours("NGO,C,MON;SAT,09:30,24:00,,2026-01-01,2026-01-01,").is_empty());
    assert!(hours("NGO,C,SAT;2026-12-25; 2026-12-26,,,,,,yes").is_empty());
    assert!(hours("NGO,C,rrule:FREQ=MONTHLY;BYDAY=2SA,,,,2026-01-01,2027-01-01,yes").is_empty());
    assert_eq!(
        hours("NGO,C,MON;MON,9:30,17:30,,2026-01-02,2026-01-01,"),
        [
            "hours.csv:2:3 (days): must not repeat a value",
            "hours.csv:2:4 (starts): must be a time of day as HH:MM, 00:00 to 24:00",
            "hours.csv:2:8 (valid_until): must not be before valid_from",
        ]
    );
    assert_eq!(
        hours("NGO,C,MON;second,09:30,,,,,no"),
        [
            "hours.csv:2:3 (days): must be days of the week (MON to SUN), dates (YYYY-MM-DD), or a rule \
             (RRULE:FREQ=…)",
            "hours.csv:2:5 (ends): must be a time of day as HH:MM, 00:00 to 24:00",
        ]
    );
    assert_eq!(
        hours("NGO,C,2026-12-25,09:30,17:30,,2026-01-01,2026-12-31,maybe"),
        [
            "hours.csv:2:7 (valid_from): must be empty with dates",
            "hours.csv:2:8 (valid_until): must be empty with dates",
            "hours.csv:2:9 (off): must be yes or no",
        ]
    );
    assert_eq!(
        hours("NGO,C,RRULE:FREQ=DAILY;UNTIL=20270101,09:30,17:30,,,,"),
        [
            "hours.csv:2:3 (days): must not have COUNT or UNTIL: valid_until is its last day",
            "hours.csv:2:7 (valid_from): is required with a rule, whose interval counts from it",
        ]
    );
    assert_eq!(
        hours("NGO,C,RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,09:30,17:30,,2026-01-01,,"),
        ["hours.csv:2:3 (days): must fall on a day"]
    );
    let leave = |row| problems(LEAVE, row, |cells, known| read_leave(cells, known).is_some());
    assert!(leave("NGO,C,2026-12-24 13:00,2026-12-31 24:00").is_empty());
    assert_eq!(
        leave("NGO,C,2026-12-24T13:00,2026-12-24"),
        [
            "leave.csv:2:3 (starts_at): must be a date and a time as YYYY-MM-DD HH:MM",
            "leave.csv:2:4 (ends_at): must be a date and a time as YYYY-MM-DD HH:MM",
        ]
    );
    assert_eq!(leave("NGO,C,2026-12-24 13:00,2026-12-24 13:00"), ["leave.csv:2:4 (ends_at): must be after starts_at"]);
}
