//! Notes of sessions on the wire; their methods are part of AttendanceService.

use tonic::Request;

use super::attendance::Attendances;
use super::fields::{Fields, id_text, keyed, open, open_mutation, timestamp};
use super::pb;
use crate::domain::note::Note;
use crate::domain::personal::Personal;
use crate::domain::text::lines;
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::note::{ListNotes, WriteNote, list_notes};

keyed!(WriteSessionNoteRequest);

/// The most characters of a note; a parameter of ours.
const LONGEST: usize = 10_000;

impl Attendances {
    pub(super) async fn write_note(
        &self,
        request: Request<pb::WriteSessionNoteRequest>,
    ) -> Result<pb::WriteSessionNoteResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let (session_id, client_id) = (f.id("session_id", &pb.session_id), f.id("client_id", &pb.client_id));
        let supersedes = f.maybe_id("supersedes_note_id", &pb.supersedes_note_id);
        let text = f.parse("text", &pb.text, |raw| lines(raw, 1..=LONGEST)).map(Personal::new);
        let write = f.finish(|| {
            let (supersedes, text) = (supersedes?, text?);
            Some(WriteNote { session_id: session_id?, client_id: client_id?, supersedes, text })
        })?;
        let note = mutate(&self.world, call, write).await?;
        Ok(pb::WriteSessionNoteResponse { note: Some(note_pb(&note)) })
    }

    pub(super) async fn list_notes(
        &self,
        request: Request<pb::ListSessionNotesRequest>,
    ) -> Result<pb::ListSessionNotesResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let session_id = f.id("session_id", &pb.session_id);
        let client_id = f.maybe_id("client_id", &pb.client_id);
        let query = pb::ListSessionNotesRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let wanted = f.finish(|| Some(ListNotes { session_id: session_id?, client_id: client_id?, page: page? }))?;
        let (notes, next_page_token) = list_notes(&self.world, call, wanted).await?;
        Ok(pb::ListSessionNotesResponse { notes: notes.iter().map(note_pb).collect(), next_page_token })
    }
}

pub(in crate::grpc) fn note_pb(it: &Note) -> pb::SessionNote {
    pb::SessionNote {
        id: it.id.to_string(),
        session_id: it.session_id.to_string(),
        client_id: it.client_id.to_string(),
        counsellor_id: it.counsellor_id.to_string(),
        text: it.text.expose().to_owned(),
        written_at: timestamp(it.written_at),
        supersedes_note_id: id_text(it.supersedes),
        superseded_by_note_id: id_text(it.superseded_by),
    }
}
