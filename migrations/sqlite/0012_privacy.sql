-- Looking clients up, holding them, and erasing them. The PostgreSQL file of the same name has the same tables and columns.

-- Exact look-ups of clients of one organisation, by keyed digests of what was normalised.
CREATE TABLE client_index (
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    purpose         TEXT NOT NULL CHECK (purpose IN ('CLIENT_NAME', 'CLIENT_PHONE', 'CLIENT_OF_AGE')),
    digest          BLOB NOT NULL CHECK (length(digest) = 32),
    client_id       BLOB NOT NULL REFERENCES client (id),
    PRIMARY KEY (organisation_id, purpose, digest, client_id)
) STRICT;
CREATE INDEX client_index_by_client ON client_index (client_id);

-- Why a client may not be erased: never changed, released once.
CREATE TABLE legal_hold (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    client_id       BLOB NOT NULL REFERENCES client (id),
    reason          BLOB NOT NULL,
    -- The last day; none until it is released.
    until_on        TEXT,
    placed_by       TEXT NOT NULL,
    released_at     INTEGER,
    released_by     TEXT,
    release_reason  BLOB,
    CHECK ((released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (release_reason IS NULL))
) STRICT;
CREATE INDEX legal_hold_by_client ON legal_hold (client_id, id);
CREATE TRIGGER legal_hold_only_ends BEFORE UPDATE ON legal_hold
WHEN OLD.released_at IS NOT NULL
    OR (NEW.id, NEW.client_id, NEW.reason, NEW.until_on, NEW.placed_by, NEW.created_at)
    IS NOT (OLD.id, OLD.client_id, OLD.reason, OLD.until_on, OLD.placed_by, OLD.created_at)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER legal_hold_no_delete BEFORE DELETE ON legal_hold
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- Erased is erased: nothing more is written about the client. What was recorded before stays countable.
CREATE TRIGGER client_stays_erased BEFORE UPDATE ON client WHEN OLD.erased_at IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER guardian_not_erased BEFORE INSERT ON guardian
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER consent_not_erased BEFORE INSERT ON consent
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER conflict_of_interest_not_erased BEFORE INSERT ON conflict_of_interest
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER no_contact_not_erased BEFORE INSERT ON no_contact
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER session_participant_not_erased BEFORE INSERT ON session_participant
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER session_override_not_erased BEFORE INSERT ON session_override
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER waitlist_entry_not_erased BEFORE INSERT ON waitlist_entry
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER session_note_not_erased BEFORE INSERT ON session_note
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER treatment_order_not_erased BEFORE INSERT ON treatment_order
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER follow_up_plan_not_erased BEFORE INSERT ON follow_up_plan
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER assessment_not_erased BEFORE INSERT ON assessment
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER concern_not_erased BEFORE INSERT ON concern
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER legal_hold_not_erased BEFORE INSERT ON legal_hold
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
CREATE TRIGGER client_index_not_erased BEFORE INSERT ON client_index
WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;
