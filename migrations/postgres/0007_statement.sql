-- Signed statements, and what is needed to check them for as long as anybody may have one. The SQLite file of the
-- same name has the same tables and columns.

-- The public keys of all processes over this database. A private key never leaves its process's directory.
CREATE TABLE statement_key (
    -- The thumbprint of the public key (RFC 7638).
    kid         TEXT PRIMARY KEY CHECK (length(kid) = 43),
    public_key  BYTEA NOT NULL CHECK (length(public_key) = 32),
    created_at  TIMESTAMPTZ NOT NULL,
    -- Signs no more; what it has signed goes on being good.
    retired_at  TIMESTAMPTZ,
    -- Was in the wrong hands: nothing that it has signed is good.
    revoked_at  TIMESTAMPTZ,
    CHECK (revoked_at IS NULL OR retired_at IS NOT NULL)
);

-- A key keeps its name, and what ended stays ended.
CREATE TRIGGER statement_key_kept BEFORE UPDATE ON statement_key
    FOR EACH ROW WHEN (
        NEW.kid <> OLD.kid OR NEW.public_key <> OLD.public_key OR NEW.created_at <> OLD.created_at
        OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
        OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at)
    )
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statement_key_no_delete BEFORE DELETE ON statement_key
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statement_key_no_truncate BEFORE TRUNCATE ON statement_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Statements that were issued, as they were handed out: asked for again under the same request id, they are the same.
CREATE TABLE statement (
    id          UUID PRIMARY KEY,
    order_id    UUID NOT NULL REFERENCES treatment_order (id),
    -- From 1 on, for each order.
    number      BIGINT NOT NULL CHECK (number >= 1),
    kid         TEXT NOT NULL REFERENCES statement_key (kid),
    issued_at   TIMESTAMPTZ NOT NULL,
    token       TEXT NOT NULL,
    UNIQUE (order_id, number)
);
CREATE TRIGGER statement_append_only BEFORE UPDATE OR DELETE ON statement
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statement_no_truncate BEFORE TRUNCATE ON statement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
