-- Clinical emergencies: who was let in to a client whom they otherwise may not see, by whom, for how long. The PostgreSQL
-- file of the same name has the same tables and columns.

CREATE TABLE break_glass (
    id              BLOB PRIMARY KEY,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    client_id       BLOB NOT NULL,
    counsellor_id   BLOB NOT NULL,
    -- Of both: nobody is let in to a client of the other side.
    side            TEXT NOT NULL,
    requested_by    TEXT NOT NULL,
    requested_at    INTEGER NOT NULL,
    reason          BLOB NOT NULL,
    minutes         INTEGER NOT NULL CHECK (minutes BETWEEN 1 AND 240),
    opened_at       INTEGER,
    opened_until    INTEGER,
    opened_by       TEXT,
    -- Refused, given up or ended before its time.
    revoked_at      INTEGER,
    revoked_by      TEXT,
    reviewed_at     INTEGER,
    reviewed_by     TEXT,
    finding         TEXT,
    FOREIGN KEY (client_id, side) REFERENCES client (id, side),
    FOREIGN KEY (counsellor_id, side) REFERENCES counsellor (id, side),
    CHECK ((opened_at IS NULL) = (opened_until IS NULL) AND (opened_at IS NULL) = (opened_by IS NULL)),
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL)),
    CHECK ((reviewed_at IS NULL) = (reviewed_by IS NULL) AND (reviewed_at IS NULL) = (finding IS NULL)),
    -- By two people, and for hours.
    CHECK (opened_by IS NULL OR opened_by <> requested_by),
    CHECK (reviewed_by IS NULL OR reviewed_by <> requested_by),
    CHECK (opened_at IS NULL OR (opened_until > opened_at AND opened_until <= opened_at + 14400000000)),
    CHECK (reviewed_at IS NULL OR opened_at IS NOT NULL)
) STRICT;
CREATE INDEX break_glass_by_organisation ON break_glass (organisation_id, id);
CREATE INDEX break_glass_by_counsellor ON break_glass (counsellor_id, side);
CREATE INDEX break_glass_by_client ON break_glass (client_id, counsellor_id);

-- What was asked for and what has happened stays.
CREATE TRIGGER break_glass_kept BEFORE UPDATE ON break_glass
    WHEN NEW.id <> OLD.id OR NEW.organisation_id <> OLD.organisation_id OR NEW.client_id <> OLD.client_id
        OR NEW.counsellor_id <> OLD.counsellor_id OR NEW.side <> OLD.side OR NEW.requested_by <> OLD.requested_by
        OR NEW.requested_at <> OLD.requested_at OR NEW.reason <> OLD.reason OR NEW.minutes <> OLD.minutes
        OR (OLD.opened_at IS NOT NULL AND NEW.opened_at IS NOT OLD.opened_at)
        OR (OLD.opened_until IS NOT NULL AND NEW.opened_until IS NOT OLD.opened_until)
        OR (OLD.opened_by IS NOT NULL AND NEW.opened_by IS NOT OLD.opened_by)
        OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at)
        OR (OLD.revoked_by IS NOT NULL AND NEW.revoked_by IS NOT OLD.revoked_by)
        OR (OLD.reviewed_at IS NOT NULL AND NEW.reviewed_at IS NOT OLD.reviewed_at)
        OR (OLD.reviewed_by IS NOT NULL AND NEW.reviewed_by IS NOT OLD.reviewed_by)
        OR (OLD.finding IS NOT NULL AND NEW.finding IS NOT OLD.finding)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
-- REPLACE would delete without firing a trigger.
CREATE TRIGGER break_glass_no_replace BEFORE INSERT ON break_glass
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM break_glass WHERE id = NEW.id);
END;
CREATE TRIGGER break_glass_no_delete BEFORE DELETE ON break_glass
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
