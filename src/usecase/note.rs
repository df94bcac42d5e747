//! Notes of sessions: counsellors who lead a session write and read them, the clinical lead reads them, and nobody
//! else knows that there are any (privacy, "Who sees what").

use uuid::Uuid;

use super::attendance::own_session;
use super::break_glass;
use super::call::Call;
use super::client::{inherited, still_own};
use super::error::{Error, Result};
use super::page::Page;
use super::session::WORD as SESSION;
use super::work::{Mutation, Work, mutate};
use super::world::World;
use crate::domain::ids::{ClientId, Id, NoteId, SessionId};
use crate::domain::note::Note;
use crate::domain::personal::Personal;
use crate::domain::session::State;
use crate::store::note;

/// The word for it in sentences.
const WORD: &str = "note";

/// Writes a note about one client at one session that the caller leads.
#[derive(Clone, Debug)]
pub struct WriteNote {
    /// The session.
    pub session_id: SessionId,
    /// Whom it is about.
    pub client_id: ClientId,
    /// The caller's own note whose place it takes; that one stays.
    pub supersedes: Option<NoteId>,
    /// What it says.
    pub text: Personal,
}

impl Mutation for WriteNote {
    type Answer = Note;

    async fn run(&self, work: &mut Work<'_>) -> Result<Note> {
        work.touched(self.session_id.uuid());
        let session = own_session(&mut work.tx, work.call, self.session_id).await?;
        let counsellor_id = work.call.caller().authority.counsellor_id().ok_or(Error::Denied)?;
        if matches!(session.state, State::Held { .. }) {
            return Err(Error::NotFound(SESSION));
        }
        if !session.expects(self.client_id) {
            let says = "the client is not planned to be at the session";
            return Err(Error::Precondition { reason: "NOT_A_PARTICIPANT", says, subjects: Vec::new() });
        }
        work.touched(self.client_id.uuid());
        still_own(work, self.client_id).await?;
        self.check_superseded(work).await?;
        let it = Note {
            id: work.world.id(),
            session_id: session.id,
            client_id: self.client_id,
            counsellor_id,
            text: self.text.clone(),
            written_at: work.now,
            supersedes: self.supersedes,
            superseded_by: None,
        };
        note::insert(&mut work.tx, &it, &work.call.caller().principal).await?;
        work.touched(it.id.uuid());
        Ok(it)
    }

    fn result_id(&self, answer: &Note) -> Uuid {
        answer.id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, result_id: Uuid) -> Result<Note> {
        own_session(&mut work.tx, work.call, self.session_id).await?;
        still_own(work, self.client_id).await?;
        note::find(&mut work.tx, NoteId(result_id)).await?.ok_or(Error::NotFound(WORD))
    }
}

impl WriteNote {
    /// Only the own note about the same client is superseded, and only once.
    async fn check_superseded(&self, work: &mut Work<'_>) -> Result<()> {
        let Some(id) = self.supersedes else { return Ok(()) };
        let own = work.call.caller().authority.counsellor_id();
        let before = note::find(&mut work.tx, id).await?;
        let same = |it: &Note| {
            it.session_id == self.session_id && it.client_id == self.client_id && Some(it.counsellor_id) == own
        };
        match before.filter(same) {
            None => Err(Error::NotFound(WORD)),
            Some(before) if before.superseded_by.is_some() => Err(Error::EtagMismatch(WORD)),
            Some(_) => Ok(()),
        }
    }
}

/// Lists the notes of a session, superseded ones too; every read is audited.
pub async fn list_notes(world: &World, call: Call, wanted: ListNotes) -> Result<(Vec<Note>, String)> {
    mutate(world, call, wanted).await
}

/// Which notes.
#[derive(Clone, Debug)]
pub struct ListNotes {
    /// Of this session.
    pub session_id: SessionId,
    /// Only about this client.
    pub client_id: Option<ClientId>,
    /// Which page.
    pub page: Page,
}

impl Mutation for ListNotes {
    type Answer = (Vec<Note>, String);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        work.touched(self.session_id.uuid());
        match (own_session(&mut work.tx, work.call, self.session_id).await, self.client_id) {
            // In an emergency, only what is about the client to whom the caller is let in.
            (Err(Error::NotFound(_)), Some(client_id)) if break_glass::lets_in(work, client_id).await? => {}
            // What another organisation has written about a client who is the caller's own by now.
            (Err(Error::NotFound(_)), Some(client_id)) if inherited(work, self.session_id, client_id).await? => {}
            (session, _) => drop(session?),
        }
        let after = self.page.after(work.world, work.call)?;
        let most = i64::try_from(self.page.most()).unwrap_or(i64::MAX);
        let rows = note::list(&mut work.tx, self.session_id, self.client_id, work.call.sees()?, after, most).await?;
        let (rows, next) = self.page.cut(work.world, work.call, rows, |row| (row.written_at, row.id));
        for row in &rows {
            work.touched(row.id.uuid());
            work.touched(row.client_id.uuid());
        }
        Ok((rows, next))
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        self.session_id.uuid()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        self.run(work).await
    }
}
