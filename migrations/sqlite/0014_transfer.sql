-- Moves of clients from one organisation to another. The PostgreSQL file of the same name has the same tables and columns.

CREATE UNIQUE INDEX consent_of_client ON consent (id, client_id);

CREATE TABLE transfer (
    id              BLOB PRIMARY KEY,
    client_id       BLOB NOT NULL,
    side            TEXT NOT NULL,
    giving_id       BLOB NOT NULL REFERENCES organisation (id),
    receiving_id    BLOB NOT NULL REFERENCES organisation (id),
    consent_id      BLOB,
    -- Why it is done without consent.
    override_reason BLOB,
    proposed_at     INTEGER NOT NULL,
    proposed_by     TEXT NOT NULL,
    cosigned_at     INTEGER,
    cosigned_by     TEXT,
    expires_at      INTEGER NOT NULL,
    ended_how       TEXT CHECK (ended_how IN ('ACCEPTED', 'DECLINED', 'WITHDRAWN', 'EXPIRED')),
    ended_at        INTEGER,
    ended_by        TEXT,
    decline_reason  TEXT CHECK (decline_reason IN ('NO_CAPACITY', 'NOT_OUR_SERVICE', 'OTHER')),
    FOREIGN KEY (client_id, side) REFERENCES client (id, side),
    FOREIGN KEY (consent_id, client_id) REFERENCES consent (id, client_id),
    CHECK (giving_id <> receiving_id AND proposed_at < expires_at),
    CHECK ((consent_id IS NULL) = (override_reason IS NOT NULL)),
    CHECK ((cosigned_at IS NULL) = (cosigned_by IS NULL)),
    -- Without consent, by two people.
    CHECK (cosigned_by IS NULL OR (cosigned_by <> proposed_by AND consent_id IS NULL)),
    CHECK ((ended_how IS NULL) = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((ended_how IS NOT NULL AND ended_how = 'DECLINED') = (decline_reason IS NOT NULL)),
    CHECK (ended_how IS NULL OR ended_how IN ('WITHDRAWN', 'EXPIRED') OR consent_id IS NOT NULL OR cosigned_at IS NOT NULL),
    CHECK (ended_how IS NULL OR ended_how = 'EXPIRED' OR ended_at < expires_at)
) STRICT;
-- One at a time.
CREATE UNIQUE INDEX transfer_open ON transfer (client_id) WHERE ended_how IS NULL;
-- A consent moves somebody once.
CREATE UNIQUE INDEX transfer_by_consent ON transfer (consent_id) WHERE ended_how = 'ACCEPTED';
CREATE INDEX transfer_by_giving ON transfer (giving_id, id);
CREATE INDEX transfer_by_receiving ON transfer (receiving_id, id);
CREATE INDEX transfer_by_client ON transfer (client_id, id);

CREATE TRIGGER transfer_kept BEFORE UPDATE ON transfer
    WHEN NEW.id IS NOT OLD.id OR NEW.client_id IS NOT OLD.client_id OR NEW.side IS NOT OLD.side
        OR NEW.giving_id IS NOT OLD.giving_id OR NEW.receiving_id IS NOT OLD.receiving_id
        OR NEW.consent_id IS NOT OLD.consent_id OR NEW.override_reason IS NOT OLD.override_reason
        OR NEW.proposed_at IS NOT OLD.proposed_at OR NEW.proposed_by IS NOT OLD.proposed_by
        OR NEW.expires_at IS NOT OLD.expires_at
        OR (OLD.cosigned_at IS NOT NULL
            AND (NEW.cosigned_at IS NOT OLD.cosigned_at OR NEW.cosigned_by IS NOT OLD.cosigned_by))
        OR OLD.ended_how IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
-- REPLACE would delete without firing a trigger.
CREATE TRIGGER transfer_no_replace BEFORE INSERT ON transfer
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM transfer WHERE id = NEW.id);
END;
CREATE TRIGGER transfer_no_delete BEFORE DELETE ON transfer
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER transfer_not_erased BEFORE INSERT ON transfer
    WHEN EXISTS (SELECT 1 FROM client WHERE id = NEW.client_id AND erased_at IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:client_erased');
END;

-- A client moves by a transfer that is accepted in the same moment, and no other way.
CREATE TRIGGER client_moves_by_transfer BEFORE UPDATE ON client
    WHEN NEW.organisation_id <> OLD.organisation_id AND NOT EXISTS (
        SELECT 1 FROM transfer WHERE client_id = NEW.id AND giving_id = OLD.organisation_id
           AND receiving_id = NEW.organisation_id AND ended_how = 'ACCEPTED' AND ended_at = NEW.updated_at)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
