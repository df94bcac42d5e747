-- Looking clients up, holding them, and erasing them. The SQLite file of the same name has the same tables and columns.

-- Exact look-ups of clients of one organisation, by keyed digests of what was normalised.
CREATE TABLE client_index (
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    purpose         TEXT NOT NULL CHECK (purpose IN ('CLIENT_NAME', 'CLIENT_PHONE', 'CLIENT_OF_AGE')),
    digest          BYTEA NOT NULL CHECK (length(digest) = 32),
    client_id       UUID NOT NULL REFERENCES client (id),
    PRIMARY KEY (organisation_id, purpose, digest, client_id)
);
CREATE INDEX client_index_by_client ON client_index (client_id);

-- Why a client may not be erased: never changed, released once.
CREATE TABLE legal_hold (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    client_id       UUID NOT NULL REFERENCES client (id),
    reason          BYTEA NOT NULL,
    -- The last day; none until it is released.
    until_on        DATE,
    placed_by       TEXT NOT NULL,
    released_at     TIMESTAMPTZ,
    released_by     TEXT,
    release_reason  BYTEA,
    CHECK ((released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (release_reason IS NULL))
);
CREATE INDEX legal_hold_by_client ON legal_hold (client_id, id);
CREATE TRIGGER legal_hold_only_ends BEFORE UPDATE ON legal_hold
    FOR EACH ROW WHEN (
        OLD.released_at IS NOT NULL
        OR (NEW.id, NEW.client_id, NEW.reason, NEW.until_on, NEW.placed_by, NEW.created_at)
        IS DISTINCT FROM (OLD.id, OLD.client_id, OLD.reason, OLD.until_on, OLD.placed_by, OLD.created_at)
    )
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER legal_hold_no_delete BEFORE DELETE ON legal_hold
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER legal_hold_no_truncate BEFORE TRUNCATE ON legal_hold
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Erased is erased: nothing more is written about the client. What was recorded before stays countable.
CREATE FUNCTION refuse_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'aftercare:client_erased';
END;
$$;
CREATE FUNCTION refuse_about_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL) THEN
        RAISE EXCEPTION 'aftercare:client_erased';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER client_stays_erased BEFORE UPDATE ON client
    FOR EACH ROW WHEN (OLD.erased_at IS NOT NULL) EXECUTE FUNCTION refuse_erased();
CREATE TRIGGER guardian_not_erased BEFORE INSERT ON guardian
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER consent_not_erased BEFORE INSERT ON consent
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER conflict_of_interest_not_erased BEFORE INSERT ON conflict_of_interest
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER no_contact_not_erased BEFORE INSERT ON no_contact
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER session_participant_not_erased BEFORE INSERT ON session_participant
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER session_override_not_erased BEFORE INSERT ON session_override
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER waitlist_entry_not_erased BEFORE INSERT ON waitlist_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER session_note_not_erased BEFORE INSERT ON session_note
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER treatment_order_not_erased BEFORE INSERT ON treatment_order
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER follow_up_plan_not_erased BEFORE INSERT ON follow_up_plan
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER assessment_not_erased BEFORE INSERT ON assessment
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER concern_not_erased BEFORE INSERT ON concern
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER legal_hold_not_erased BEFORE INSERT ON legal_hold
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
CREATE TRIGGER client_index_not_erased BEFORE INSERT ON client_index
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();
