-- Signed statements, and what is needed to check them for as long as anybody may have one. The PostgreSQL file of
-- the same name has the same tables and columns.

-- The public keys of all processes over this database. A private key never leaves its process's directory.
CREATE TABLE statement_key (
    -- The thumbprint of the public key (RFC 7638).
    kid         TEXT PRIMARY KEY NOT NULL CHECK (length(kid) = 43),
    public_key  BLOB NOT NULL CHECK (length(public_key) = 32),
    created_at  INTEGER NOT NULL,
    -- Signs no more; what it has signed goes on being good.
    retired_at  INTEGER,
    -- Was in the wrong hands: nothing that it has signed is good.
    revoked_at  INTEGER,
    CHECK (revoked_at IS NULL OR retired_at IS NOT NULL)
) STRICT;

-- A key keeps its name, and what ended stays ended.
CREATE TRIGGER statement_key_kept BEFORE UPDATE ON statement_key
    WHEN NEW.kid <> OLD.kid OR NEW.public_key <> OLD.public_key OR NEW.created_at <> OLD.created_at
        OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS NOT OLD.retired_at)
        OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
-- Not an error: every process that starts says its key again.
CREATE TRIGGER statement_key_no_replace BEFORE INSERT ON statement_key
BEGIN
    SELECT RAISE(IGNORE) WHERE EXISTS (SELECT 1 FROM statement_key WHERE kid = NEW.kid);
END;
CREATE TRIGGER statement_key_no_delete BEFORE DELETE ON statement_key
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- Statements that were issued, as they were handed out: asked for again under the same request id, they are the same.
CREATE TABLE statement (
    id          BLOB PRIMARY KEY,
    order_id    BLOB NOT NULL REFERENCES treatment_order (id),
    -- From 1 on, for each order.
    number      INTEGER NOT NULL CHECK (number >= 1),
    kid         TEXT NOT NULL REFERENCES statement_key (kid),
    issued_at   INTEGER NOT NULL,
    token       TEXT NOT NULL,
    UNIQUE (order_id, number)
) STRICT;
CREATE TRIGGER statement_no_update BEFORE UPDATE ON statement
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER statement_no_delete BEFORE DELETE ON statement
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
