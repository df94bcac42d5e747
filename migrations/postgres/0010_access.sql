-- Who is let in no more, and service accounts. The SQLite file of the same name has the same tables and columns.

-- How often what the gate knows has changed: processes read it, and read the rest only when it has moved.
CREATE TABLE register_state (
    id          BIGINT PRIMARY KEY CHECK (id = 1),
    generation  BIGINT NOT NULL
);
INSERT INTO register_state (id, generation) VALUES (1, 0);

-- Of one token, or of every token that a subject was issued by then.
CREATE TABLE revocation (
    id          UUID PRIMARY KEY,
    token_id    TEXT,
    principal   TEXT,
    -- The subject is not let in with any token, until this is lifted.
    blocks      BOOLEAN NOT NULL,
    -- From when on the token is no good anyway.
    until       TIMESTAMPTZ,
    reason      TEXT NOT NULL,
    revoked_at  TIMESTAMPTZ NOT NULL,
    revoked_by  TEXT NOT NULL,
    CHECK ((token_id IS NULL) <> (principal IS NULL)),
    CHECK (principal IS NOT NULL OR NOT blocks),
    CHECK (token_id IS NOT NULL OR until IS NULL)
);
CREATE TRIGGER revocation_append_only BEFORE UPDATE OR DELETE ON revocation
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER revocation_no_truncate BEFORE TRUNCATE ON revocation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE revocation_lift (
    revocation_id   UUID PRIMARY KEY REFERENCES revocation (id),
    reason          TEXT NOT NULL,
    lifted_at       TIMESTAMPTZ NOT NULL,
    lifted_by       TEXT NOT NULL
);
CREATE TRIGGER revocation_lift_append_only BEFORE UPDATE OR DELETE ON revocation_lift
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER revocation_lift_no_truncate BEFORE TRUNCATE ON revocation_lift
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Subjects of the issuer that are programs, and what each of them may be. One role each, for good.
CREATE TABLE service_account (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    code            TEXT NOT NULL UNIQUE,
    principal       TEXT NOT NULL UNIQUE,
    role            TEXT NOT NULL,
    organisation_id UUID REFERENCES organisation (id),
    counsellor_id   UUID REFERENCES counsellor (id),
    jurisdiction    TEXT,
    -- The RPCs it is narrowed to; all that the role may call when empty.
    methods         JSONB NOT NULL,
    expires_at      TIMESTAMPTZ,
    disabled        BOOLEAN NOT NULL,
    CHECK (role IN ('admin', 'coordinator', 'counsellor', 'clinical_lead', 'police', 'auditor')),
    CHECK ((organisation_id IS NOT NULL) = (role IN ('coordinator', 'counsellor', 'clinical_lead'))),
    CHECK ((counsellor_id IS NOT NULL) = (role = 'counsellor')),
    CHECK ((jurisdiction IS NOT NULL) = (role = 'police'))
);
CREATE TRIGGER service_account_kept BEFORE UPDATE ON service_account
    FOR EACH ROW WHEN (
        NEW.id <> OLD.id OR NEW.code <> OLD.code OR NEW.principal <> OLD.principal OR NEW.role <> OLD.role
        OR NEW.organisation_id IS DISTINCT FROM OLD.organisation_id
        OR NEW.counsellor_id IS DISTINCT FROM OLD.counsellor_id
        OR NEW.jurisdiction IS DISTINCT FROM OLD.jurisdiction
    )
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER service_account_no_delete BEFORE DELETE ON service_account
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER service_account_no_truncate BEFORE TRUNCATE ON service_account
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
