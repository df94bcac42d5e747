-- The key store: wrapped keys and nothing else, apart from the data and its backups. The SQLite file of the same name
-- has the same tables and columns.

-- One row: which key store this is. A database of data remembers it.
CREATE TABLE key_store (
    id          UUID PRIMARY KEY,
    singleton   BIGINT NOT NULL UNIQUE CHECK (singleton = 1),
    created_at  TIMESTAMPTZ NOT NULL
);

-- Keys of the keyring that wrap those below. The last that is not retired is the current one.
CREATE TABLE wrapping_key (
    id          UUID PRIMARY KEY,
    -- From 1 on, in the order in which they came; clocks may differ.
    number      BIGINT NOT NULL UNIQUE CHECK (number >= 1),
    -- Nothing, sealed with the key: a keyring with another key under this id is the wrong one.
    check_value BYTEA NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    retired_at  TIMESTAMPTZ
);

-- A key per owner of personal text. What is destroyed leaves a row, so that nobody makes another.
CREATE TABLE data_key (
    owner_id        UUID PRIMARY KEY,
    wrapping_key_id UUID REFERENCES wrapping_key (id),
    wrapped         BYTEA,
    created_at      TIMESTAMPTZ NOT NULL,
    destroyed_at    TIMESTAMPTZ,
    CHECK ((wrapped IS NULL) = (wrapping_key_id IS NULL) AND (wrapped IS NULL) = (destroyed_at IS NOT NULL))
);
CREATE INDEX data_key_by_wrapping_key ON data_key (wrapping_key_id, owner_id);

-- Keys of digests, by what these are for.
CREATE TABLE index_key (
    purpose         TEXT PRIMARY KEY,
    wrapping_key_id UUID NOT NULL REFERENCES wrapping_key (id),
    wrapped         BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'aftercare:append_only';
END;
$$;

-- A process that missed a rotation is told so. The lock makes whoever retires the key wait, and then see the row.
CREATE FUNCTION refuse_retired() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.wrapping_key_id IS NULL THEN
        RETURN NEW;
    END IF;
    PERFORM 1 FROM wrapping_key WHERE id = NEW.wrapping_key_id AND retired_at IS NULL FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'aftercare:retired_key';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER data_key_current BEFORE INSERT OR UPDATE ON data_key
    FOR EACH ROW EXECUTE FUNCTION refuse_retired();
CREATE TRIGGER index_key_current BEFORE INSERT OR UPDATE ON index_key
    FOR EACH ROW EXECUTE FUNCTION refuse_retired();

-- Retired for good, and only once it wraps nothing.
CREATE FUNCTION refuse_in_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM data_key WHERE wrapping_key_id = OLD.id)
        OR EXISTS (SELECT 1 FROM index_key WHERE wrapping_key_id = OLD.id) THEN
        RAISE EXCEPTION 'aftercare:key_in_use';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER wrapping_key_in_use BEFORE UPDATE ON wrapping_key
    FOR EACH ROW WHEN (NEW.retired_at IS NOT NULL AND OLD.retired_at IS NULL) EXECUTE FUNCTION refuse_in_use();
CREATE TRIGGER wrapping_key_kept BEFORE UPDATE ON wrapping_key
    FOR EACH ROW WHEN (
        (NEW.id, NEW.number, NEW.check_value, NEW.created_at) IS DISTINCT FROM (OLD.id, OLD.number, OLD.check_value, OLD.created_at)
        OR (OLD.retired_at IS NOT NULL AND NEW.retired_at IS DISTINCT FROM OLD.retired_at)
    )
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER wrapping_key_no_delete BEFORE DELETE ON wrapping_key
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- Destroyed is destroyed.
CREATE TRIGGER data_key_stays_destroyed BEFORE UPDATE ON data_key
    FOR EACH ROW WHEN (
        OLD.destroyed_at IS NOT NULL OR NEW.owner_id IS DISTINCT FROM OLD.owner_id
        OR NEW.created_at IS DISTINCT FROM OLD.created_at
    )
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER data_key_no_delete BEFORE DELETE ON data_key
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER data_key_no_truncate BEFORE TRUNCATE ON data_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER index_key_no_delete BEFORE DELETE ON index_key
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER index_key_no_truncate BEFORE TRUNCATE ON index_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
