-- The seals of the audit trail: committed events in one order, each hashed with all before it. Nobody who writes an
-- event waits for that. The PostgreSQL file of the same name has the same tables and columns.

-- Where the auditor's pages are found.
CREATE INDEX audit_event_by_time ON audit_event (occurred_at, id);
CREATE INDEX audit_event_by_principal ON audit_event (principal, occurred_at, id);
CREATE INDEX audit_event_by_role ON audit_event (role, occurred_at, id);
CREATE INDEX audit_event_by_action ON audit_event (action, occurred_at, id);
CREATE INDEX audit_event_by_outcome ON audit_event (outcome, occurred_at, id);
CREATE INDEX audit_event_by_organisation ON audit_event (organisation_id, occurred_at, id)
    WHERE organisation_id IS NOT NULL;
CREATE INDEX audit_event_by_request ON audit_event (request_id, occurred_at, id) WHERE request_id IS NOT NULL;

-- Written, and not yet sealed. Ids are given before a commit, so what is sealed is taken from here: whoever commits
-- late is not passed over.
CREATE TABLE audit_pending (
    event_id    BLOB PRIMARY KEY NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO audit_pending (event_id) SELECT id FROM audit_event;
CREATE TRIGGER audit_event_pends AFTER INSERT ON audit_event
BEGIN
    INSERT INTO audit_pending (event_id) VALUES (NEW.id);
END;

-- One row, which whoever seals has locked.
CREATE TABLE audit_sealer (
    singleton   INTEGER PRIMARY KEY CHECK (singleton = 1)
) STRICT;
INSERT INTO audit_sealer (singleton) VALUES (1);

CREATE TABLE audit_seal (
    -- From 1 on, without gaps.
    position    INTEGER PRIMARY KEY CHECK (position > 0),
    event_id    BLOB NOT NULL UNIQUE,
    hash        BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- What waits leaves by being sealed alone.
CREATE TRIGGER audit_pending_no_delete BEFORE DELETE ON audit_pending
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only')
     WHERE NOT EXISTS (SELECT 1 FROM audit_seal WHERE event_id = OLD.event_id);
END;
CREATE TRIGGER audit_pending_no_update BEFORE UPDATE ON audit_pending
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- REPLACE would delete without firing a trigger.
CREATE TRIGGER audit_seal_no_replace BEFORE INSERT ON audit_seal
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only')
     WHERE EXISTS (SELECT 1 FROM audit_seal WHERE position = NEW.position)
        OR EXISTS (SELECT 1 FROM audit_seal WHERE event_id = NEW.event_id);
END;
CREATE TRIGGER audit_seal_no_update BEFORE UPDATE ON audit_seal
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER audit_seal_no_delete BEFORE DELETE ON audit_seal
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- What was sealed about whom or what.
CREATE TABLE audit_subject (
    subject_id  BLOB NOT NULL,
    position    INTEGER NOT NULL,
    PRIMARY KEY (subject_id, position)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER audit_subject_no_replace BEFORE INSERT ON audit_subject
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only')
     WHERE EXISTS (SELECT 1 FROM audit_subject WHERE subject_id = NEW.subject_id AND position = NEW.position);
END;
CREATE TRIGGER audit_subject_no_update BEFORE UPDATE ON audit_subject
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER audit_subject_no_delete BEFORE DELETE ON audit_subject
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- The public keys of all processes over this database, for as long as there is anything that they signed.
CREATE TABLE audit_key (
    -- The thumbprint of the public key (RFC 7638).
    kid         TEXT PRIMARY KEY NOT NULL CHECK (length(kid) = 43),
    public_key  BLOB NOT NULL CHECK (length(public_key) = 32),
    created_at  INTEGER NOT NULL
) STRICT;
CREATE TRIGGER audit_key_no_update BEFORE UPDATE ON audit_key
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
-- Not an error: every process that starts says its key again.
CREATE TRIGGER audit_key_no_replace BEFORE INSERT ON audit_key
BEGIN
    SELECT RAISE(IGNORE) WHERE EXISTS (SELECT 1 FROM audit_key WHERE kid = NEW.kid);
END;
CREATE TRIGGER audit_key_no_delete BEFORE DELETE ON audit_key
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- The last position of each batch and its hash, signed.
CREATE TABLE audit_head (
    position    INTEGER PRIMARY KEY CHECK (position > 0),
    hash        BLOB NOT NULL CHECK (length(hash) = 32),
    sealed_at   INTEGER NOT NULL,
    kid         TEXT NOT NULL REFERENCES audit_key (kid),
    signature   BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE TRIGGER audit_head_no_replace BEFORE INSERT ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only')
     WHERE EXISTS (SELECT 1 FROM audit_head WHERE position = NEW.position);
END;
CREATE TRIGGER audit_head_no_update BEFORE UPDATE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER audit_head_no_delete BEFORE DELETE ON audit_head
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
