-- Everything that is held about one client, and for how long. The PostgreSQL file of the same name has the same tables and
-- columns.

-- What an export looks for.
CREATE INDEX session_note_by_client ON session_note (client_id, written_at, id);
CREATE INDEX waitlist_entry_by_client ON waitlist_entry (client_id, joined_at, id);

-- Who was kept for long enough and is to be erased, by which rule of which policy, since when. Never changed: whoever is
-- listed anew, is listed for as long as anybody.
CREATE TABLE retention_notice (
    client_id   BLOB PRIMARY KEY REFERENCES client (id),
    rule        TEXT NOT NULL,
    -- Digest of the policy.
    policy      TEXT NOT NULL CHECK (length(policy) = 64),
    -- The last day on which the client was to be kept.
    kept_until  TEXT NOT NULL,
    listed_at   INTEGER NOT NULL
) STRICT;
CREATE TRIGGER retention_notice_no_update BEFORE UPDATE ON retention_notice
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER retention_notice_not_erased BEFORE INSERT ON retention_notice
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
