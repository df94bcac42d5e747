//! SQLite tells what it is told: every statement with its parameters written out.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;

use hdrhistogram::Histogram;
use libsqlite3_sys as ffi;
use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, Sqlite, SqliteConnection};
use tokio::time::Instant;

use super::{Bound, Costs, Said, is_frame, measured};
use crate::database::Fresh;
use crate::load::{Measured, present};
use crate::{Error, Result};

/// What was said since somebody asked: text, and the same with its parameters written out.
static TAPE: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Hears every connection that is opened from now on.
pub fn listen() -> Result<()> {
    // SAFETY: `opened` has the form that SQLite asks for, and lives as long as the program.
    match unsafe { ffi::sqlite3_auto_extension(Some(opened)) } {
        ffi::SQLITE_OK => Ok(()),
        code => Err(format!("SQLite tells nothing: {code}").into()),
    }
}

/// Connections that are opened from now on are not heard.
pub fn listen_no_more() {
    // SAFETY: as above.
    unsafe { ffi::sqlite3_cancel_auto_extension(Some(opened)) };
}

/// What was said since the last time.
pub fn take() -> Vec<Said> {
    let tape = std::mem::take(&mut *TAPE.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    tape.into_iter().filter(|(text, _)| !is_frame(text)).map(|(text, full)| read(text, &full)).collect()
}

unsafe extern "C" fn opened(
    connection: *mut ffi::sqlite3,
    _: *mut *mut c_char,
    _: *const ffi::sqlite3_api_routines,
) -> c_int {
    // SAFETY: the connection is open, and `said` lives as long as the program.
    unsafe { ffi::sqlite3_trace_v2(connection, ffi::SQLITE_TRACE_STMT as c_uint, Some(said), null_mut()) }
}

unsafe extern "C" fn said(_: c_uint, _: *mut c_void, statement: *mut c_void, told: *mut c_void) -> c_int {
    // SAFETY: SQLite gives a statement and a text that live until this returns; what it makes is freed.
    unsafe {
        let of = |text: *const c_char| match text.is_null() {
            true => String::new(),
            false => CStr::from_ptr(text).to_string_lossy().into_owned(),
        };
        let statement: *mut ffi::sqlite3_stmt = statement.cast();
        let file = of(ffi::sqlite3_db_filename(ffi::sqlite3_db_handle(statement), c"main".as_ptr()));
        // What triggers do comes as a remark; the keys are in another file.
        if of(told.cast()).starts_with("--") || !file.ends_with("aftercare.db") {
            return 0;
        }
        let full = ffi::sqlite3_expanded_sql(statement);
        let pair = (of(ffi::sqlite3_sql(statement)), of(full));
        ffi::sqlite3_free(full.cast());
        TAPE.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(pair);
    }
    0
}

/// The parameters: what stands in the one text where the other has `$1`, `$2` …
fn read(text: String, full: &str) -> Said {
    let (mut values, mut rest, mut full) = (Vec::new(), text.as_str(), full);
    while let Some(at) = rest.find('$') {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        full = full.get(at..).unwrap_or_default();
        let (value, after) = literal(full);
        full = after;
        let number: usize = rest[at + 1..=at + digits].parse().unwrap_or(1);
        values.resize(values.len().max(number), Bound::Null);
        values[number - 1] = value;
        rest = &rest[at + 1 + digits..];
    }
    Said { text, values, simple: false }
}

/// A value as SQLite writes it, and what comes after.
fn literal(full: &str) -> (Bound, &str) {
    if let Some(text) = full.strip_prefix('\'') {
        let mut end = 0;
        while let Some(at) = text[end..].find('\'') {
            end += at;
            if !text[end + 1..].starts_with('\'') {
                break;
            }
            end += 2;
        }
        return (Bound::Text(text[..end].replace("''", "'")), &text[end + 1..]);
    }
    if let Some((hex, after)) = full.strip_prefix("x'").and_then(|it| it.split_once('\'')) {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap_or_default(), 16).unwrap_or(0);
        return (Bound::Blob(hex.as_bytes().chunks(2).map(byte).collect()), after);
    }
    let end = full.find(|it: char| !it.is_ascii_alphanumeric() && !"+-.".contains(it)).unwrap_or(full.len());
    let (word, after) = full.split_at(end);
    let value = match (word.parse(), word.parse()) {
        (Ok(whole), _) => Bound::Int(whole),
        (_, Ok(real)) => Bound::Real(real),
        _ => Bound::Null,
    };
    (value, after)
}

/// Says it all on one connection like the service's writer; so many calls share a commit, each behind a savepoint.
pub async fn say(copy: &Fresh, calls: &[Vec<Said>], group: usize) -> Result<(Measured, Costs)> {
    let options = SqliteConnectOptions::new()
        .filename(copy.directory.path().join("aftercare.db"))
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .pragma("cache_size", "-65536")
        .pragma("temp_store", "MEMORY");
    let mut connection = options.connect().await?;
    let (mut latencies, mut costs) = (Histogram::new(3)?, Costs::default());
    let begun = present();
    for calls in calls.chunks(group) {
        let mut starts: Vec<Instant> = Vec::new();
        connection.execute("BEGIN IMMEDIATE").await?;
        for call in calls {
            starts.push(present());
            connection.execute("SAVEPOINT member").await?;
            for said in call {
                let begun = present();
                run(&mut connection, said).await.map_err(|error| Error::from(format!("{error}: {}", said.text)))?;
                costs.add(&said.text, begun.elapsed());
            }
            connection.execute("RELEASE member").await?;
        }
        connection.execute("COMMIT").await?;
        for start in starts {
            latencies.record(u64::try_from(start.elapsed().as_nanos())?)?;
        }
    }
    let lasted = begun.elapsed();
    connection.close().await?;
    Ok((measured(latencies, lasted), costs))
}

async fn run(connection: &mut SqliteConnection, said: &Said) -> sqlx::Result<()> {
    let mut query: sqlx::query::Query<'_, Sqlite, SqliteArguments> = sqlx::query(AssertSqlSafe(said.text.clone()));
    for value in &said.values {
        query = match value.clone() {
            Bound::Null | Bound::Raw(..) => query.bind(None::<i64>),
            Bound::Int(value) => query.bind(value),
            Bound::Real(value) => query.bind(value),
            Bound::Text(value) => query.bind(value),
            Bound::Blob(value) => query.bind(value),
        };
    }
    query.fetch_all(connection).await.map(drop)
}
