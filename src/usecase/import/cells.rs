//! Reads the cells of a row, and remembers everything that is wrong with them. One form for each
//! kind of value: dates `YYYY-MM-DD`, civil times `YYYY-MM-DD HH:MM`, times of day `HH:MM`, lists
//! with ";" between the values, `yes` or `no`, whole minutes.

use std::ops::RangeInclusive;
use std::str::FromStr;

use chrono::{NaiveDateTime, TimeDelta};
use csv::StringRecord;

use super::known::{Known, Reference, Referred, Target};
use super::problem::Problem;
use super::sheet::{Line, Sheet};
use crate::domain::personal::Personal;
use crate::domain::text::{Code, Fault, bounded};
use crate::domain::time::{DayTime, parse_date};

/// The most values of a list.
const MOST_VALUES: usize = 100;

/// The cells of one row. A getter gives nothing for a wrong cell, and [`Cells::finish`] then gives
/// nothing for the row.
pub struct Cells<'r> {
    line: Line,
    record: &'r StringRecord,
    wrong: Vec<Problem>,
}

impl<'r> Cells<'r> {
    /// The cells of a row of a sheet.
    pub fn new(line: Line, record: &'r StringRecord) -> Self {
        Self { line, record, wrong: Vec::new() }
    }

    /// The row's line.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// The text of a cell.
    pub fn text(&self, column: &str) -> &'r str {
        Sheet::cell(&self.line, self.record, column)
    }

    /// The texts of some columns, as one key.
    pub fn key(&self, columns: &[&str]) -> String {
        columns.iter().map(|column| self.text(column)).collect::<Vec<_>>().join("/")
    }

    /// As what other rows refer to what this row is about.
    pub fn reference(&self, target: Target) -> Option<Reference> {
        let column = if target == Target::Client { "file_number" } else { "code" };
        let code = Code::parse(self.text(column)).ok()?;
        self.named(target, code.as_str()).ok().flatten()
    }

    /// What a text names in this row.
    fn named(&self, target: Target, raw: &str) -> Result<Option<Reference>, Fault> {
        let named = Reference::read(target, self.text("organisation"), raw)?;
        Ok(match target {
            Target::Guardian => named.zip(Code::parse(self.text("client")).ok()).map(|(it, client)| it.of(client)),
            _ => named,
        })
    }

    /// The counsellor whom a row about hours or leave names.
    pub fn counsellor(&self) -> Option<Reference> {
        self.references(&[("counsellor", Target::Counsellor)]).pop()
    }

    /// Notes a wrong cell.
    pub fn wrong<T>(&mut self, column: &str, says: impl Into<String>) -> Option<T> {
        self.wrong.push(self.line.problem(column, says));
        None
    }

    /// What is wrong so far, taken out.
    pub fn take_problems(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.wrong)
    }

    /// The value built from the cells, unless one of them is wrong.
    pub fn finish<T>(&self, build: impl FnOnce() -> Option<T>) -> Option<T> {
        build().filter(|_| self.wrong.is_empty())
    }

    /// A cell that some parser of the domain understands.
    pub fn parse<T>(&mut self, column: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        parse(self.text(column)).map_err(|fault| self.wrong::<T>(column, fault.to_string())).ok()
    }

    /// As [`Cells::parse`], or none when empty.
    pub fn maybe<T>(&mut self, column: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<Option<T>> {
        if self.text(column).is_empty() { Some(None) } else { self.parse(column, parse).map(Some) }
    }

    /// A code.
    pub fn code(&mut self, column: &str) -> Option<Code> {
        self.parse(column, Code::parse)
    }

    /// A word of a closed list.
    pub fn word<W: FromStr<Err = Fault>>(&mut self, column: &str) -> Option<W> {
        self.parse(column, str::parse)
    }

    /// Text about a person, of so many characters.
    pub fn personal(&mut self, column: &str, length: RangeInclusive<usize>) -> Option<Personal> {
        self.parse(column, |raw| bounded(raw, length.clone())).map(Personal::new)
    }

    /// A list of at least one value, none of them twice.
    pub fn list<T: PartialEq>(&mut self, column: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<Vec<T>> {
        let read = |raw: &str| {
            let values = raw.split(';').take(MOST_VALUES + 1).map(|value| parse(value.trim()));
            let values = values.collect::<Result<Vec<T>, Fault>>()?;
            if values.len() > MOST_VALUES {
                Err(Fault::new(format!("must have at most {MOST_VALUES} values")))
            } else if values.iter().enumerate().any(|(at, value)| values[..at].contains(value)) {
                Err(Fault::new("must not repeat a value"))
            } else {
                Ok(values)
            }
        };
        self.parse(column, read)
    }

    /// `yes` or `no`; empty is no.
    pub fn flag(&mut self, column: &str) -> Option<bool> {
        match self.text(column) {
            "yes" => Some(true),
            "no" | "" => Some(false),
            _ => self.wrong(column, "must be yes or no"),
        }
    }

    /// Whole minutes within bounds, or a default when empty.
    pub fn minutes(&mut self, column: &str, bounds: RangeInclusive<TimeDelta>, absent: TimeDelta) -> Option<TimeDelta> {
        let (least, most) = (bounds.start().num_minutes(), bounds.end().num_minutes());
        let read = |raw: &str| {
            let minutes = raw.parse().ok().filter(|minutes| (least..=most).contains(minutes));
            let wrong = || Fault::new(format!("must be {least} to {most} whole minutes"));
            minutes.map(TimeDelta::minutes).ok_or_else(wrong)
        };
        self.maybe(column, read).map(|minutes| minutes.unwrap_or(absent))
    }

    /// A whole number within bounds, or none when empty.
    pub fn maybe_count(&mut self, column: &str, bounds: RangeInclusive<u32>) -> Option<Option<u32>> {
        self.maybe(column, |raw| {
            let wrong = || Fault::new(format!("must be {} to {}", bounds.start(), bounds.end()));
            raw.parse().ok().filter(|count| bounds.contains(count)).ok_or_else(wrong)
        })
    }

    /// Whole days within bounds, or a default when empty.
    pub fn days(&mut self, column: &str, bounds: RangeInclusive<i64>, absent: TimeDelta) -> Option<TimeDelta> {
        let read = |raw: &str| {
            let wrong = || Fault::new(format!("must be {} to {} whole days", bounds.start(), bounds.end()));
            raw.parse().ok().filter(|days| bounds.contains(days)).map(TimeDelta::days).ok_or_else(wrong)
        };
        self.maybe(column, read).map(|days| days.unwrap_or(absent))
    }

    /// Whole minutes within bounds.
    pub fn length(&mut self, column: &str, bounds: RangeInclusive<TimeDelta>) -> Option<TimeDelta> {
        if self.text(column).is_empty() {
            return self.wrong(column, "must not be empty");
        }
        self.minutes(column, bounds, TimeDelta::zero())
    }

    /// A civil time.
    pub fn civil(&mut self, column: &str) -> Option<NaiveDateTime> {
        self.parse(column, |raw| {
            let wrong = || Fault::new("must be a date and a time as YYYY-MM-DD HH:MM");
            let (date, time) = raw.split_once(' ').ok_or_else(wrong)?;
            let date = parse_date(date).map_err(|_| wrong())?;
            Ok(DayTime::parse(time).map_err(|_| wrong())?.on(date))
        })
    }

    /// The id of what a cell names by its code. Nothing, and no problem, when what it names stands
    /// in the import and is itself wrong.
    pub fn refer<I: Referred>(&mut self, column: &str, known: &Known) -> Option<I> {
        let raw = self.text(column);
        match self.named(I::TARGET, raw) {
            Ok(reference) => match known.id(&reference?, !raw.contains('/')) {
                Ok(id) => Some(id),
                Err(says) => self.wrong(column, says?),
            },
            Err(fault) => self.wrong(column, fault.to_string()),
        }
    }

    /// As [`Cells::refer`], or none when empty.
    pub fn maybe_refer<I: Referred>(&mut self, column: &str, known: &Known) -> Option<Option<I>> {
        if self.text(column).is_empty() { Some(None) } else { self.refer(column, known).map(Some) }
    }

    /// What the cells of some columns refer to, as far as they can be read.
    pub fn references(&self, columns: &[(&str, Target)]) -> Vec<Reference> {
        let read = |(column, target): &(&str, Target)| self.named(*target, self.text(column));
        columns.iter().filter_map(|column| read(column).ok().flatten()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::{CONSENTS, PARTIES, read_consent, read_party};
    use super::super::counsellor::{HOURS, LEAVE, read_hours, read_leave};
    use super::super::kind::Kind;
    use super::super::known::Found;
    use super::super::problem::Problems;
    use super::super::sheet::Shape;
    use super::*;
    use crate::domain::agreement::Agreement;
    use crate::domain::client::Client;
    use crate::domain::counsellor::Counsellor;
    use crate::domain::directory::{Organisation, Site, Venue};
    use crate::domain::guardian::Guardian;

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
        assert!(
            wrong::<Agreement>("NGO,A,Somebody,COUNSELLING;TREATMENT,KL-TVM; UP-MRT,2026-01-01,,ACTIVE").is_empty()
        );
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
                 SURVIVOR_ASSESSMENT, ACCOMPANIMENT",
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
        assert!(hours("NGO,C,MON;SAT,09:30,24:00,,2026-01-01,2026-01-01").is_empty());
        assert_eq!(
            hours("NGO,C,MON;MON,9:30,17:30,,2026-01-02,2026-01-01"),
            [
                "hours.csv:2:3 (days): must not repeat a value",
                "hours.csv:2:4 (starts): must be a time of day as HH:MM, 00:00 to 24:00",
                "hours.csv:2:8 (valid_until): must not be before valid_from",
            ]
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
        assert_eq!(
            leave("NGO,C,2026-12-24 13:00,2026-12-24 13:00"),
            ["leave.csv:2:4 (ends_at): must be after starts_at"]
        );
    }
}
