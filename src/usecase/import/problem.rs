//! What is wrong with an import: file, line, column, and what would be right. Never the value that
//! stands there, which may be personal.

use std::fmt;

use crate::usecase::error::FieldViolation;

/// The most problems that are listed; the others are counted.
const MOST: usize = 1_000;

/// A column of a line: of a CSV file its number and name, of a calendar the first and the property.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// From 1.
    pub number: usize,
    /// As the file must spell it.
    pub name: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The file's name in the directory.
    pub file: String,
    /// From 1; none when the file as a whole is wrong.
    pub line: Option<u64>,
    /// None when the line as a whole is wrong.
    pub column: Option<Column>,
    /// What would be right.
    pub says: String,
}

impl Problem {
    /// A file that is wrong as a whole.
    pub fn of_file(file: &str, says: impl Into<String>) -> Self {
        Self { file: file.into(), line: None, column: None, says: says.into() }
    }

    /// A line that is wrong as a whole.
    pub fn of_line(file: &str, line: u64, says: impl Into<String>) -> Self {
        Self { line: Some(line), ..Self::of_file(file, says) }
    }

    /// A cell or property that is wrong.
    pub fn of_column(file: &str, line: u64, (number, name): (usize, &str), says: impl Into<String>) -> Self {
        Self { column: Some(Column { number, name: name.into() }), ..Self::of_line(file, line, says) }
    }

    /// Where it stands: `sites.csv:3:4 (zone)`.
    pub fn place(&self) -> String {
        let line = self.line.map(|line| format!(":{line}")).unwrap_or_default();
        let column = self.column.as_ref().map(|it| format!(":{} ({})", it.number, it.name)).unwrap_or_default();
        format!("{}{line}{column}", self.file)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.says)
    }
}

/// Everything that is wrong.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    listed: Vec<Problem>,
    unlisted: usize,
}

impl Problems {
    /// Notes a problem.
    pub fn push(&mut self, problem: Problem) {
        if self.listed.len() < MOST {
            self.listed.push(problem);
        } else {
            self.unlisted += 1;
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// The problems in the order of the files, as a refusal carries them.
    pub fn into_violations(mut self) -> Vec<FieldViolation> {
        self.listed.sort();
        let violation = |it: Problem| FieldViolation { field: it.place(), says: it.says };
        let mut all: Vec<_> = self.listed.into_iter().map(violation).collect();
        if self.unlisted > 0 {
            let says = format!("{} more problems are not listed", self.unlisted);
            all.push(FieldViolation { field: "and".into(), says });
        }
        all
    }

    /// The problems in the order they were found.
    #[cfg(test)]
    pub fn listed(&self) -> Vec<String> {
        self.listed.iter().map(ToString::to_string).collect()
    }
}

impl Extend<Problem> for Problems {
    fn extend<I: IntoIterator<Item = Problem>>(&mut self, problems: I) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }
}
