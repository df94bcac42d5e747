-- The seals of the audit trail: committed events in one order, each hashed with all before it. Nobody who writes an
-- event waits for that. The SQLite file of the same name has the same tables and columns.

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
    event_id    UUID PRIMARY KEY
);
INSERT INTO audit_pending (event_id) SELECT id FROM audit_event;
CREATE FUNCTION audit_event_pends() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_pending (event_id) VALUES (NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_event_pends AFTER INSERT ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_pends();

-- One row, which whoever seals has locked.
CREATE TABLE audit_sealer (
    singleton   BIGINT PRIMARY KEY CHECK (singleton = 1)
);
INSERT INTO audit_sealer (singleton) VALUES (1);

CREATE TABLE audit_seal (
    -- From 1 on, without gaps.
    position    BIGINT PRIMARY KEY CHECK (position > 0),
    event_id    UUID NOT NULL UNIQUE,
    hash        BYTEA NOT NULL CHECK (length(hash) = 32)
);

-- What waits leaves by being sealed alone.
CREATE FUNCTION refuse_unsealed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_seal WHERE event_id = OLD.event_id) THEN
        RAISE EXCEPTION 'aftercare:append_only';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER audit_pending_no_delete BEFORE DELETE ON audit_pending
    FOR EACH ROW EXECUTE FUNCTION refuse_unsealed();
CREATE TRIGGER audit_pending_no_update BEFORE UPDATE ON audit_pending
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_pending_no_truncate BEFORE TRUNCATE ON audit_pending
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TRIGGER audit_seal_append_only BEFORE UPDATE OR DELETE ON audit_seal
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_seal_no_truncate BEFORE TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What was sealed about whom or what.
CREATE TABLE audit_subject (
    subject_id  UUID NOT NULL,
    position    BIGINT NOT NULL,
    PRIMARY KEY (subject_id, position)
);
CREATE TRIGGER audit_subject_append_only BEFORE UPDATE OR DELETE ON audit_subject
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_subject_no_truncate BEFORE TRUNCATE ON audit_subject
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The public keys of all processes over this database, for as long as there is anything that they signed.
CREATE TABLE audit_key (
    -- The thumbprint of the public key (RFC 7638).
    kid         TEXT PRIMARY KEY CHECK (length(kid) = 43),
    public_key  BYTEA NOT NULL CHECK (length(public_key) = 32),
    created_at  TIMESTAMPTZ NOT NULL
);
CREATE TRIGGER audit_key_append_only BEFORE UPDATE OR DELETE ON audit_key
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_key_no_truncate BEFORE TRUNCATE ON audit_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- The last position of each batch and its hash, signed.
CREATE TABLE audit_head (
    position    BIGINT PRIMARY KEY CHECK (position > 0),
    hash        BYTEA NOT NULL CHECK (length(hash) = 32),
    sealed_at   TIMESTAMPTZ NOT NULL,
    kid         TEXT NOT NULL REFERENCES audit_key (kid),
    signature   BYTEA NOT NULL CHECK (length(signature) = 64)
);
CREATE TRIGGER audit_head_append_only BEFORE UPDATE OR DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_head_no_truncate BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
