-- Everything that is held about one client, and for how long. The SQLite file of the same name has the same tables and
-- columns.

-- What an export looks for.
CREATE INDEX session_note_by_client ON session_note (client_id, written_at, id);
CREATE INDEX waitlist_entry_by_client ON waitlist_entry (client_id, joined_at, id);
