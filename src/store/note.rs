//! Notes of sessions. The schema lets nobody change one, and one takes the place of at most one other.

use chrono::{DateTime, Utc};

use super::codec::Instant;
use super::error::Result;
use super::seal::{Place, Sealed};
use super::tx::Tx;
use crate::domain::ids::{ClientId, CounsellorId, NoteId, OrganisationId, SessionId};
use crate::domain::note::Note;

const TEXT: &str = "session_note.text";

#[derive(sqlx::FromRow)]
struct Row {
    id: NoteId,
    session_id: SessionId,
    client_id: ClientId,
    counsellor_id: CounsellorId,
    supersedes_id: Option<NoteId>,
    text: Sealed,
    written_at: Instant,
    superseded_by: Option<NoteId>,
}

impl Row {
    async fn open(self, tx: &mut Tx) -> Result<Note> {
        Ok(Note {
            id: self.id,
            session_id: self.session_id,
            client_id: self.client_id,
            counsellor_id: self.counsellor_id,
            text: tx.open(Place::of(self.client_id, self.id), TEXT, self.text).await?,
            written_at: self.written_at.0,
            supersedes: self.supersedes_id,
            superseded_by: self.superseded_by,
        })
    }
}

/// Writes a note; `principal` is who wrote it. [`super::Error::Conflict`] when another took the place of the one that
/// it was to supersede.
pub async fn insert(tx: &mut Tx, it: &Note, principal: &str) -> Result<()> {
    let text = tx.seal(Place::of(it.client_id, it.id), TEXT, &it.text).await?;
    tx.sql(
        "INSERT INTO session_note (id, session_id, client_id, counsellor_id, supersedes_id, text, written_at, written_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
    )
    .bind(it.id)
    .bind(it.session_id)
    .bind(it.client_id)
    .bind(it.counsellor_id)
    .bind(it.supersedes)
    .bind(text)
    .bind(Instant(it.written_at))
    .bind(principal.to_owned())
    .claim()
    .await
}

/// Reads one note.
pub async fn find(tx: &mut Tx, id: NoteId) -> Result<Option<Note>> {
    let sql = tx.sql(
        "SELECT it.*, later.id AS superseded_by FROM session_note AS it
           LEFT JOIN session_note AS later ON later.supersedes_id = it.id WHERE it.id = $1",
    );
    match sql.bind(id).maybe::<Row>().await? {
        Some(row) => row.open(tx).await.map(Some),
        None => Ok(None),
    }
}

/// Reads a page of the notes of a session, of one client or of all who are an organisation's, oldest first.
pub async fn list(
    tx: &mut Tx,
    session_id: SessionId,
    client_id: Option<ClientId>,
    organisation_id: Option<OrganisationId>,
    after: Option<(DateTime<Utc>, NoteId)>,
    most: i64,
) -> Result<Vec<Note>> {
    let sql = tx.sql(
        "SELECT it.*, later.id AS superseded_by FROM session_note AS it
           JOIN client ON client.id = it.client_id
           LEFT JOIN session_note AS later ON later.supersedes_id = it.id
          WHERE it.session_id = $1 AND (CAST($2 AS UUID) IS NULL OR it.client_id = $2)
            AND (CAST($6 AS UUID) IS NULL OR client.organisation_id = $6)
            AND (it.written_at, it.id) > ($3, $4)
          ORDER BY it.written_at, it.id LIMIT $5",
    );
    let (after, after_id) = after.unwrap_or((DateTime::UNIX_EPOCH, NoteId(uuid::Uuid::nil())));
    let sql = sql.bind(session_id).bind(client_id).bind(Instant(after)).bind(after_id).bind(most);
    let rows = sql.bind(organisation_id).all().await?;
    opened(tx, rows).await
}

/// Reads every note about a client, superseded ones too, oldest first.
pub async fn of_client(tx: &mut Tx, id: ClientId) -> Result<Vec<Note>> {
    let sql = tx.sql(
        "SELECT it.*, later.id AS superseded_by FROM session_note AS it
           LEFT JOIN session_note AS later ON later.supersedes_id = it.id
          WHERE it.client_id = $1 ORDER BY it.written_at, it.id",
    );
    let rows = sql.bind(id).all().await?;
    opened(tx, rows).await
}

async fn opened(tx: &mut Tx, rows: Vec<Row>) -> Result<Vec<Note>> {
    let mut notes = Vec::with_capacity(rows.len());
    for row in rows {
        notes.push(row.open(tx).await?);
    }
    Ok(notes)
}
