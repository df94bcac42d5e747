-- Moves of clients from one organisation to another. The SQLite file of the same name has the same tables and columns.

CREATE UNIQUE INDEX consent_of_client ON consent (id, client_id);

CREATE TABLE transfer (
    id              UUID PRIMARY KEY,
    client_id       UUID NOT NULL,
    side            TEXT NOT NULL,
    giving_id       UUID NOT NULL REFERENCES organisation (id),
    receiving_id    UUID NOT NULL REFERENCES organisation (id),
    consent_id      UUID,
    -- Why it is done without consent.
    override_reason BYTEA,
    proposed_at     TIMESTAMPTZ NOT NULL,
    proposed_by     TEXT NOT NULL,
    cosigned_at     TIMESTAMPTZ,
    cosigned_by     TEXT,
    expires_at      TIMESTAMPTZ NOT NULL,
    ended_how       TEXT CHECK (ended_how IN ('ACCEPTED', 'DECLINED', 'WITHDRAWN', 'EXPIRED')),
    ended_at        TIMESTAMPTZ,
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
);
-- One at a time.
CREATE UNIQUE INDEX transfer_open ON transfer (client_id) WHERE ended_how IS NULL;
-- A consent moves somebody once.
CREATE UNIQUE INDEX transfer_by_consent ON transfer (consent_id) WHERE ended_how = 'ACCEPTED';
CREATE INDEX transfer_by_giving ON transfer (giving_id, id);
CREATE INDEX transfer_by_receiving ON transfer (receiving_id, id);
CREATE INDEX transfer_by_client ON transfer (client_id, id);

CREATE TRIGGER transfer_kept BEFORE UPDATE ON transfer
    FOR EACH ROW WHEN (
        (NEW.id, NEW.client_id, NEW.side, NEW.giving_id, NEW.receiving_id, NEW.consent_id, NEW.override_reason,
         NEW.proposed_at, NEW.proposed_by, NEW.expires_at)
        IS DISTINCT FROM (OLD.id, OLD.client_id, OLD.side, OLD.giving_id, OLD.receiving_id, OLD.consent_id,
         OLD.override_reason, OLD.proposed_at, OLD.proposed_by, OLD.expires_at)
        OR (OLD.cosigned_at IS NOT NULL
            AND (NEW.cosigned_at, NEW.cosigned_by) IS DISTINCT FROM (OLD.cosigned_at, OLD.cosigned_by))
        OR OLD.ended_how IS NOT NULL
    )
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfer_no_delete BEFORE DELETE ON transfer
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfer_no_truncate BEFORE TRUNCATE ON transfer
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER transfer_not_erased BEFORE INSERT ON transfer
    FOR EACH ROW EXECUTE FUNCTION refuse_about_erased();

-- A client moves by a transfer that is accepted in the same moment, and no other way.
CREATE FUNCTION refuse_untransferred() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM transfer WHERE client_id = NEW.id AND giving_id = OLD.organisation_id
           AND receiving_id = NEW.organisation_id AND ended_how = 'ACCEPTED' AND ended_at = NEW.updated_at
    ) THEN
        RAISE EXCEPTION 'aftercare:append_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER client_moves_by_transfer BEFORE UPDATE ON client
    FOR EACH ROW WHEN (NEW.organisation_id <> OLD.organisation_id) EXECUTE FUNCTION refuse_untransferred();
