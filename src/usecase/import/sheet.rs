//! CSV files: a header in any order that names every column, then rows with their line numbers.

use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};

use super::problem::{Problem, Problems};

/// The most bytes of a file.
pub const MOST_BYTES: usize = 32 << 20;
/// The most rows of a file.
const MOST_ROWS: usize = 200_000;

/// What a file must look like.
#[derive(Debug)]
pub struct Shape {
    /// Its name.
    pub file: &'static str,
    /// Its columns, all of which its header names.
    pub columns: &'static [&'static str],
}

/// A file whose header is understood.
#[derive(Debug)]
pub struct Sheet {
    header: Arc<Header>,
    rows: Vec<(u64, StringRecord)>,
}

/// Where the columns of a shape stand in a file.
#[derive(Debug)]
struct Header {
    shape: &'static Shape,
    /// Place in a row, by place in the shape.
    places: Vec<usize>,
    width: usize,
}

/// A line to which problems can be pinned.
#[derive(Clone, Debug)]
pub struct Line {
    header: Arc<Header>,
    number: u64,
}

impl Line {
    /// Its number, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The column that says which client it is about, if any does.
    pub fn client(&self) -> &'static str {
        let is = |name: &&&str| matches!(**name, "client" | "file_number");
        self.header.shape.columns.iter().find(is).copied().unwrap_or_default()
    }

    /// Something wrong with a column; with the whole line when there is no such column.
    pub fn problem(&self, column: &str, says: impl Into<String>) -> Problem {
        let Header { shape, places, .. } = self.header.as_ref();
        match shape.columns.iter().position(|name| *name == column) {
            Some(at) => Problem::of_column(shape.file, self.number, (places[at] + 1, column), says),
            None => Problem::of_line(shape.file, self.number, says),
        }
    }
}

/// The text of a file: UTF-8 of a bounded size, without a byte order mark.
pub fn text<'b>(file: &str, bytes: &'b [u8], problems: &mut Problems) -> Option<&'b str> {
    if bytes.len() > MOST_BYTES {
        problems.push(Problem::of_file(file, format!("must have at most {} MiB", MOST_BYTES >> 20)));
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let line = 1 + newlines(&bytes[..error.valid_up_to()]);
            problems.push(Problem::of_line(file, line, "must be UTF-8; save the file with that encoding"));
            None
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |count, byte| count + u64::from(*byte == b'\n'))
}

impl Sheet {
    /// Reads a file. Nothing when its header leaves open what its rows say.
    pub fn read(shape: &'static Shape, bytes: &[u8], problems: &mut Problems) -> Option<Self> {
        let text = text(shape.file, bytes, problems)?;
        let mut records = records(text);
        let (line, names) = records.next().unwrap_or_default();
        let header = Arc::new(Header::read(shape, line.max(1), &names, problems)?);
        let mut rows = Vec::new();
        for (line, record) in records {
            if record.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if rows.len() == MOST_ROWS {
                let says = format!("must have at most {MOST_ROWS} rows; split the import");
                problems.push(Problem::of_line(shape.file, line, says));
                break;
            }
            if record.len() == header.width {
                rows.push((line, record));
            } else {
                let says = format!("must have {} cells like the header, not {}", header.width, record.len());
                problems.push(Problem::of_line(shape.file, line, says));
            }
        }
        Some(Self { header, rows })
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows in their order, each with its line.
    pub fn rows(&self) -> impl Iterator<Item = (Line, &StringRecord)> {
        self.rows.iter().map(|(number, record)| (Line { header: self.header.clone(), number: *number }, record))
    }

    /// The cell of a column in one of the rows.
    pub fn cell<'r>(line: &Line, record: &'r StringRecord, column: &str) -> &'r str {
        let Header { shape, places, .. } = line.header.as_ref();
        let at = shape.columns.iter().position(|name| *name == column);
        at.and_then(|at| record.get(places[at])).unwrap_or_default().trim()
    }
}

/// The records of a text, each with the line on which it begins. The reader's own count is short
/// by the line ends that it has not yet consumed.
fn records(text: &str) -> impl Iterator<Item = (u64, StringRecord)> {
    let reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let bytes = text.as_bytes();
    let (mut seen, mut line) = (0, 1);
    // Reading from memory, valid UTF-8 and rows of any length, the reader has nothing to refuse.
    reader.into_records().filter_map(Result::ok).map(move |record| {
        let at = record.position().map_or(0, |it| usize::try_from(it.byte()).unwrap_or(usize::MAX)).min(bytes.len());
        let ends = bytes[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        line += newlines(&bytes[seen..at + ends]);
        seen = at + ends;
        (line, record)
    })
}

impl Header {
    fn read(shape: &'static Shape, line: u64, names: &StringRecord, problems: &mut Problems) -> Option<Self> {
        let file = shape.file;
        let known = shape.columns.join(",");
        let mut places: Vec<Option<usize>> = vec![None; shape.columns.len()];
        let mut complete = true;
        for (at, name) in names.iter().map(str::trim).enumerate() {
            match shape.columns.iter().position(|column| *column == name) {
                None => {
                    // What stands here may be a row of data, so it is not repeated.
                    let says = format!("must be one of the columns of this file: {known}");
                    problems.push(Problem::of_column(file, line, (at + 1, "unknown"), says));
                }
                Some(column) if places[column].is_some() => {
                    problems.push(Problem::of_column(file, line, (at + 1, name), "must stand once in the header"));
                    complete = false;
                }
                Some(column) => places[column] = Some(at),
            }
        }
        for (column, _) in shape.columns.iter().zip(&places).filter(|(_, place)| place.is_none()) {
            let says = format!("must have the column \"{column}\" in its header: {known}");
            problems.push(Problem::of_line(file, line, says));
            complete = false;
        }
        let places = places.into_iter().collect::<Option<_>>()?;
        complete.then_some(Self { shape, places, width: names.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SHAPE: Shape = Shape { file: "rooms.csv", columns: &["venue", "code", "name"] };

    fn read(text: &str) -> (Vec<(u64, String)>, Vec<String>) {
        let mut problems = Problems::default();
        let sheet = Sheet::read(&SHAPE, text.as_bytes(), &mut problems);
        let row =
            |(line, record): (Line, &StringRecord)| (line.number(), Sheet::cell(&line, record, "code").to_owned());
        (sheet.iter().flat_map(|sheet| sheet.rows().map(row).collect::<Vec<_>>()).collect(), problems.listed())
    }

    #[test]
    fn rows_keep_their_lines_whatever_ends_them() {
        for end in ["\n", "\r\n"] {
            let text =
                ["\u{feff}code,name, venue ", "A,x,V", "", "B,\"two", "lines\",V", " , ,", "C,x,V", ""].join(end);
            let (rows, problems) = read(&text);
            assert_eq!(rows, [(2, "A".into()), (4, "B".into()), (7, "C".into())], "{end:?}");
            assert!(problems.is_empty());
        }
    }

    #[test]
    fn a_header_is_held_to_the_columns() {
        let (rows, problems) = read("venue,code,code,Someone\nV,A,B,C\n");
        assert!(rows.is_empty());
        assert_eq!(
            problems,
            [
                "rooms.csv:1:3 (code): must stand once in the header",
                "rooms.csv:1:4 (unknown): must be one of the columns of this file: venue,code,name",
                "rooms.csv:1: must have the column \"name\" in its header: venue,code,name",
            ]
        );
        assert_eq!(read("").1.len(), 3);
    }

    #[test]
    fn a_row_has_as_many_cells_as_the_header() {
        let (rows, problems) = read("venue,code,name\nV,A,a\nV,B\nV,C,c,d\nV,D,d\n");
        assert_eq!(rows, [(2, "A".into()), (5, "D".into())]);
        let says = |line, cells| format!("rooms.csv:{line}: must have 3 cells like the header, not {cells}");
        assert_eq!(problems, [says(3, 2), says(4, 4)]);
    }

    #[test]
    fn another_encoding_is_named_with_its_line() {
        let mut problems = Problems::default();
        assert!(Sheet::read(&SHAPE, b"venue,code,name\nV,A,caf\xe9\n", &mut problems).is_none());
        assert_eq!(problems.listed(), ["rooms.csv:2: must be UTF-8; save the file with that encoding"]);
    }
}
