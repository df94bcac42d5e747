-- Who is let in no more, and service accounts. The PostgreSQL file of the same name has the same tables and columns.

-- How often what the gate knows has changed: processes read it, and read the rest only when it has moved.
CREATE TABLE register_state (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    generation  INTEGER NOT NULL
) STRICT;
INSERT INTO register_state (id, generation) VALUES (1, 0);

-- Of one token, or of every token that a subject was issued by then.
CREATE TABLE revocation (
    id          BLOB PRIMARY KEY,
    token_id    TEXT,
    principal   TEXT,
    -- The subject is not let in with any token, until this is lifted.
    blocks      INTEGER NOT NULL CHECK (blocks IN (0, 1)),
    -- From when on the token is no good anyway.
    until       INTEGER,
    reason      TEXT NOT NULL,
    revoked_at  INTEGER NOT NULL,
    revoked_by  TEXT NOT NULL,
    CHECK ((token_id IS NULL) <> (principal IS NULL)),
    CHECK (principal IS NOT NULL OR blocks = 0),
    CHECK (token_id IS NOT NULL OR until IS NULL)
) STRICT;

-- REPLACE would delete without firing a trigger.
CREATE TRIGGER revocation_no_replace BEFORE INSERT ON revocation
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM revocation WHERE id = NEW.id);
END;
CREATE TRIGGER revocation_no_update BEFORE UPDATE ON revocation
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER revocation_no_delete BEFORE DELETE ON revocation
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

CREATE TABLE revocation_lift (
    revocation_id   BLOB PRIMARY KEY REFERENCES revocation (id),
    reason          TEXT NOT NULL,
    lifted_at       INTEGER NOT NULL,
    lifted_by       TEXT NOT NULL
) STRICT;
-- Not an error: of two who lift it at once, the second finds it lifted.
CREATE TRIGGER revocation_lift_no_replace BEFORE INSERT ON revocation_lift
BEGIN
    SELECT RAISE(IGNORE) WHERE EXISTS (SELECT 1 FROM revocation_lift WHERE revocation_id = NEW.revocation_id);
END;
CREATE TRIGGER revocation_lift_no_update BEFORE UPDATE ON revocation_lift
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER revocation_lift_no_delete BEFORE DELETE ON revocation_lift
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- Subjects of the issuer that are programs, and what each of them may be. One role each, for good.
CREATE TABLE service_account (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    code            TEXT NOT NULL UNIQUE,
    principal       TEXT NOT NULL UNIQUE,
    role            TEXT NOT NULL,
    organisation_id BLOB REFERENCES organisation (id),
    counsellor_id   BLOB REFERENCES counsellor (id),
    jurisdiction    TEXT,
    -- The RPCs it is narrowed to; all that the role may call when empty.
    methods         TEXT NOT NULL,
    expires_at      INTEGER,
    disabled        INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    CHECK (role IN ('admin', 'coordinator', 'counsellor', 'clinical_lead', 'police', 'auditor')),
    CHECK ((organisation_id IS NOT NULL) = (role IN ('coordinator', 'counsellor', 'clinical_lead'))),
    CHECK ((counsellor_id IS NOT NULL) = (role = 'counsellor')),
    CHECK ((jurisdiction IS NOT NULL) = (role = 'police'))
) STRICT;
CREATE TRIGGER service_account_kept BEFORE UPDATE ON service_account
    WHEN NEW.id <> OLD.id OR NEW.code <> OLD.code OR NEW.principal <> OLD.principal OR NEW.role <> OLD.role
        OR NEW.organisation_id IS NOT OLD.organisation_id OR NEW.counsellor_id IS NOT OLD.counsellor_id
        OR NEW.jurisdiction IS NOT OLD.jurisdiction
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER service_account_no_delete BEFORE DELETE ON service_account
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
