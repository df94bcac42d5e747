//! A table as large as one likes: copies of one order with everything that belongs to it, made by the database.

use aftercare::domain::reference::Reference;
use aftercare::store::Db;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

use crate::support::treatment::{Treated, attended, no_show};
use crate::support::{Engine, TestApp};

/// So many organisations share the copies, besides the one of the order itself.
pub const ORGANISATIONS: u32 = 4;

/// An order of three sessions, one of which nobody recorded.
pub async fn order(app: &TestApp) -> Treated {
    let mut it = Treated::new(app).await;
    let days = ["2026-01-05", "2026-01-12", "2026-01-19"];
    for day in days {
        it.session(app, day).await;
    }
    it.go_to(app, "2026-01-20");
    it.record(days[0], attended()).await.unwrap();
    it.record(days[1], no_show()).await.unwrap();
    it.seen(app).await;
    it
}

/// The `number`th copy's reference.
fn reference(number: u32) -> Reference {
    let digit = |place: u32| (number / 31_u32.pow(place) % 31) as u8;
    Reference::from_random([digit(0), digit(1), digit(2), digit(3), 0, 0, 0, 0])
}

/// A connection past the service.
pub enum Raw {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Raw {
    pub async fn open(engine: Engine, app: &TestApp) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(SqliteConnection::connect(&app.db.url).await.unwrap()),
            Engine::Postgres => Self::Postgres(PgConnection::connect(&app.db.url).await.unwrap()),
        }
    }

    pub async fn run(&mut self, text: String) {
        let sql = sqlx::raw_sql(AssertSqlSafe(text.clone()));
        let done = match self {
            Self::Sqlite(connection) => sql.execute(connection).await.map(drop),
            Self::Postgres(connection) => sql.execute(connection).await.map(drop),
        };
        done.unwrap_or_else(|error| panic!("{error}: {text}"));
    }

    /// The column of that place, of every row.
    pub async fn column(&mut self, place: usize, text: String) -> Vec<String> {
        let safe = AssertSqlSafe(text.clone());
        let rows = match self {
            Self::Sqlite(connection) => sqlx::query(safe)
                .fetch_all(connection)
                .await
                .map(|rows| rows.iter().map(|row| row.get(place)).collect()),
            Self::Postgres(connection) => sqlx::query(safe)
                .fetch_all(connection)
                .await
                .map(|rows| rows.iter().map(|row| row.get(place)).collect()),
        };
        rows.unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// An id as it is written in a statement.
    pub fn id(&self, id: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("x'{}'", id.replace('-', "")),
            Self::Postgres(_) => format!("CAST('{id}' AS UUID)"),
        }
    }

    /// The id of a copy, of the `kind`th thing that is copied; `number` is an expression.
    pub fn id_of(&self, kind: u32, number: &str) -> String {
        match self {
            Self::Sqlite(_) => format!("unhex(printf('%032x', {kind}000000 + {number}))"),
            Self::Postgres(_) => format!("CAST(lpad(to_hex({kind}000000 + {number}), 32, '0') AS UUID)"),
        }
    }

    fn json(&self, expression: &str) -> String {
        match self {
            Self::Sqlite(_) => expression.into(),
            Self::Postgres(_) => format!("CAST({expression} AS JSONB)"),
        }
    }

    fn flag(&self, expression: &str) -> String {
        match self {
            Self::Sqlite(_) => expression.into(),
            Self::Postgres(_) => format!("({expression})"),
        }
    }

    /// Copies the rows of a table that meet a condition, with other values in some columns.
    pub async fn copy(&mut self, table: &str, of: &str, which: &str, others: &[(&str, String)]) {
        let columns = match self {
            Self::Sqlite(_) => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
            Self::Postgres(_) => format!(
                "SELECT CAST(column_name AS TEXT) FROM information_schema.columns WHERE table_name = '{table}'
                  ORDER BY ordinal_position"
            ),
        };
        let columns = self.column(0, columns).await;
        let value = |column: &String| {
            let other = others.iter().find(|(name, _)| name == column);
            other.map_or_else(|| format!("{table}.{column}"), |(_, value)| value.clone())
        };
        let values: Vec<String> = columns.iter().map(value).collect();
        let (names, values) = (columns.join(", "), values.join(", "));
        self.run(format!("INSERT INTO {table} ({names}) SELECT {values} FROM {table} CROSS JOIN {of} WHERE {which}"))
            .await;
    }
}

/// A transaction in which the numbers and references of so many copies are there.
pub async fn begun(engine: Engine, app: &TestApp, count: u32) -> Raw {
    let mut raw = Raw::open(engine, app).await;
    raw.run("CREATE TEMPORARY TABLE copy (i BIGINT NOT NULL, reference TEXT NOT NULL)".into()).await;
    let numbers: Vec<u32> = (1..=count).collect();
    for some in numbers.chunks(500) {
        let rows: Vec<String> = some.iter().map(|i| format!("({i}, '{}')", reference(*i).as_str())).collect();
        raw.run(format!("INSERT INTO copy (i, reference) VALUES {}", rows.join(", "))).await;
    }
    // At once as a writer: SQLite lets nobody who has read wait for one.
    let begin = if engine == Engine::Sqlite { "BEGIN IMMEDIATE" } else { "BEGIN" };
    raw.run(begin.into()).await;
    raw
}

/// Makes so many copies of an order. Every other is of one of two jurisdictions, and they stand in five ways.
pub async fn copies(engine: Engine, app: &TestApp, of: &Treated, count: u32) {
    let mut raw = begun(engine, app, count).await;
    organisations(&mut raw, &of.ngo.id).await;
    orders(&mut raw, of).await;
    for (kind, day) in ["2026-01-05", "2026-01-12", "2026-01-19"].into_iter().enumerate() {
        sessions(&mut raw, of, &of.on(day).id, 100 + kind as u32 * 3).await;
    }
    let callers = [("id", raw.id_of(4, "i")), ("caller", "'CALLER-' || CAST(i % 4 AS TEXT)".into())];
    raw.copy("police_call", "copy", "TRUE", &callers).await;
    raw.run("COMMIT".into()).await;
    raw.run("ANALYZE".into()).await;
}

pub async fn organisations(raw: &mut Raw, of: &str) {
    let (which, id) = (format!("organisation.id = {}", raw.id(of)), raw.id_of(1, "i"));
    let code = "'COPY-' || CAST(i AS TEXT)".to_owned();
    let some = format!("(SELECT i - 1 AS i FROM copy WHERE i <= {ORGANISATIONS}) AS few");
    raw.copy("organisation", &some, &which, &[("id", id), ("code", code)]).await;
}

async fn orders(raw: &mut Raw, of: &Treated) {
    let [client, order] = [2, 3].map(|kind| raw.id_of(kind, "i"));
    let organisation = raw.id_of(1, &format!("i % {ORGANISATIONS}"));
    let (reference, jurisdiction) = ("copy.reference".to_owned(), "'KL-' || CAST(i / 8 % 2 AS TEXT)".to_owned());
    let which = format!("client.id = {}", raw.id(&of.client.id));
    let others = [("id", client.clone()), ("organisation_id", organisation.clone()), ("reference", reference.clone())];
    raw.copy("client", "copy", &which, &others).await;
    let which = format!("treatment_order.id = {}", raw.id(&of.order_id));
    let others = [
        ("id", order.clone()),
        ("organisation_id", organisation.clone()),
        ("client_id", client),
        ("reference", reference.clone()),
        ("jurisdiction", jurisdiction.clone()),
    ];
    raw.copy("treatment_order", "copy", &which, &others).await;
    let nobody = "NULL".to_owned();
    let which = format!("treatment_event.order_id = {}", raw.id(&of.order_id));
    raw.copy("treatment_event", "copy", &which, &[("order_id", order.clone()), ("participant_id", nobody)]).await;
    let which = format!("compliance.order_id = {}", raw.id(&of.order_id));
    let word = |words: [&str; 5]| {
        let cases: Vec<_> = words.iter().enumerate().map(|(at, word)| format!("WHEN {at} THEN '{word}'")).collect();
        format!("CASE i / 16 % 5 {} END", cases.join(" "))
    };
    let others = [
        ("order_id", order),
        ("organisation_id", organisation),
        ("reference", reference),
        ("jurisdiction", jurisdiction),
        ("status", word(["COMPLIANT", "AT_RISK", "BREACHED", "NOT_STARTED", "SUSPENDED"])),
        ("shown", word(["COMPLIANT", "AT_RISK", "UNDER_REVIEW", "NOT_STARTED", "SUSPENDED"])),
        ("alerts", raw.json("CASE i / 16 % 25 WHEN 1 THEN '[\"WARNING_OVERDUE\"]' ELSE '[]' END")),
        ("under_review", raw.flag("i / 16 % 5 = 2")),
    ];
    raw.copy("compliance", "copy", &which, &others).await;
}

async fn sessions(raw: &mut Raw, of: &Treated, id: &str, kind: u32) {
    let [session, participant, attendance] = [0, 1, 2].map(|more| raw.id_of(kind + more, "i"));
    let original = raw.id(id);
    let others = [("id", session.clone()), ("organisation_id", raw.id_of(1, &format!("i % {ORGANISATIONS}")))];
    raw.copy("session", "copy", &format!("session.id = {original}"), &others).await;
    let others = [
        ("id", participant.clone()),
        ("session_id", session),
        ("client_id", raw.id_of(2, "i")),
        ("client_reference", "copy.reference".into()),
        ("order_id", raw.id_of(3, "i")),
        ("attendance_id", "NULL".into()),
    ];
    let which = format!("session_participant.session_id = {original} AND client_id = {}", raw.id(&of.client.id));
    raw.copy("session_participant", "copy", &which, &others).await;
    let which =
        format!("attendance.participant_id IN (SELECT id FROM session_participant WHERE session_id = {original})");
    raw.copy("attendance", "copy", &which, &[("id", attendance), ("participant_id", participant.clone())]).await;
    let record = "(SELECT id FROM attendance WHERE participant_id = session_participant.id)";
    raw.run(format!(
        "UPDATE session_participant SET attendance_id = {record}
          WHERE attendance_id IS NULL AND EXISTS {record}"
    ))
    .await;
}

/// The rows of the compliance table.
pub async fn count(app: &TestApp) -> i64 {
    let db = Db::open(&app.db.target, 1).await.unwrap();
    let mut tx = db.begin_read().await.unwrap();
    tx.sql("SELECT COUNT(*) FROM compliance").maybe::<(i64,)>().await.unwrap().unwrap().0
}
