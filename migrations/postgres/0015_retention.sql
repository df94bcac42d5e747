-- Everything that is held about one client, and for how long. The SQLite file of the same name has the same tables and
-- columns.

-- What an export looks for.
CREATE INDEX session_note_by_client ON session_note (client_id, written_at, id);
CREATE INDEX waitlist_entry_by_client ON waitlist_entry (client_id, joined_at, id);

-- Who was kept for long enough and is to be erased, by which rule of which policy, since when. Never changed: whoever is
-- listed anew, is listed for as long as anybody.
CREATE TABLE retention_notice (
    client_id   UUID PRIMARY KEY REFERENCES client (id),
    rule        TEXT NOT NULL,
    -- Digest of the policy.
    policy      TEXT NOT NULL CHECK (length(policy) = 64),
    -- The last day on which the client was to be kept.
    kept_until  DATE NOT NULL,
    listed_at   TIMESTAMPTZ NOT NULL
);
CREATE TRIGGER retention_notice_no_update BEFORE UPDATE ON retention_notice
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER retention_notice_not_erased BEFORE INSERT ON retention_notice
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
