-- The key store: wrapped keys and nothing else, apart from the data and its backups. The PostgreSQL file of the same
-- name has the same tables and columns.

-- One row: which key store this is. A database of data remembers it.
CREATE TABLE key_store (
    id          BLOB PRIMARY KEY,
    singleton   INTEGER NOT NULL UNIQUE CHECK (singleton = 1),
    created_at  INTEGER NOT NULL
) STRICT;

-- Keys of the keyring that wrap those below. The last that is not retired is the current one.
CREATE TABLE wrapping_key (
    id          BLOB PRIMARY KEY,
    -- From 1 on, in the order in which they came; clocks may differ.
    number      INTEGER NOT NULL UNIQUE CHECK (number >= 1),
    -- Nothing, sealed with the key: a keyring with another key under this id is the wrong one.
    check_value BLOB NOT NULL,
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER
) STRICT;

-- A key per owner of personal text. What is destroyed leaves a row, so that nobody makes another.
CREATE TABLE data_key (
    owner_id        BLOB PRIMARY KEY,
    wrapping_key_id BLOB REFERENCES wrapping_key (id),
    wrapped         BLOB,
    created_at      INTEGER NOT NULL,
    destroyed_at    INTEGER,
    CHECK ((wrapped IS NULL) = (wrapping_key_id IS NULL) AND (wrapped IS NULL) = (destroyed_at IS NOT NULL))
) STRICT;
CREATE INDEX data_key_by_wrapping_key ON data_key (wrapping_key_id, owner_id);

-- Keys of digests, by what these are for.
CREATE TABLE index_key (
    purpose         TEXT PRIMARY KEY,
    wrapping_key_id BLOB NOT NULL REFERENCES wrapping_key (id),
    wrapped         BLOB NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT;

-- A process that missed a rotation is told so.
CREATE TRIGGER data_key_insert_current BEFORE INSERT ON data_key
WHEN EXISTS (SELECT 1 FROM wrapping_key WHERE id = NEW.wrapping_key_id AND retired_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:retired_key');
END;
CREATE TRIGGER data_key_update_current BEFORE UPDATE ON data_key
WHEN EXISTS (SELECT 1 FROM wrapping_key WHERE id = NEW.wrapping_key_id AND retired_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:retired_key');
END;
CREATE TRIGGER index_key_insert_current BEFORE INSERT ON index_key
WHEN EXISTS (SELECT 1 FROM wrapping_key WHERE id = NEW.wrapping_key_id AND retired_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:retired_key');
END;
CREATE TRIGGER index_key_update_current BEFORE UPDATE ON index_key
WHEN EXISTS (SELECT 1 FROM wrapping_key WHERE id = NEW.wrapping_key_id AND retired_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:retired_key');
END;

-- Retired for good, and only once it wraps nothing.
CREATE TRIGGER wrapping_key_in_use BEFORE UPDATE ON wrapping_key
WHEN NEW.retired_at IS NOT NULL AND OLD.retired_at IS NULL
    AND (EXISTS (SELECT 1 FROM data_key WHERE wrapping_key_id = OLD.id)
        OR EXISTS (SELECT 1 FROM index_key WHERE wrapping_key_id = OLD.id))
BEGIN
    SELECT RAISE(ABORT, 'aftercare:key_in_use');
END;
CREATE TRIGGER wrapping_key_kept BEFORE UPDATE ON wrapping_key
WHEN (NEW.id, NEW.number, NEW.check_value, NEW.created_at) IS NOT (OLD.id, OLD.number, OLD.check_value, OLD.created_at)
    OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS NOT OLD.retired_at)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER wrapping_key_no_delete BEFORE DELETE ON wrapping_key
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- Destroyed is destroyed.
CREATE TRIGGER data_key_stays_destroyed BEFORE UPDATE ON data_key
WHEN OLD.destroyed_at IS NOT NULL OR NEW.owner_id IS NOT OLD.owner_id OR NEW.created_at IS NOT OLD.created_at
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER data_key_no_delete BEFORE DELETE ON data_key
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
-- Not even by INSERT OR REPLACE, which deletes without asking.
CREATE TRIGGER data_key_no_replace BEFORE INSERT ON data_key
WHEN EXISTS (SELECT 1 FROM data_key WHERE owner_id = NEW.owner_id)
BEGIN
    SELECT RAISE(IGNORE);
END;
CREATE TRIGGER index_key_no_delete BEFORE DELETE ON index_key
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER index_key_no_replace BEFORE INSERT ON index_key
WHEN EXISTS (SELECT 1 FROM index_key WHERE purpose = NEW.purpose)
BEGIN
    SELECT RAISE(IGNORE);
END;
