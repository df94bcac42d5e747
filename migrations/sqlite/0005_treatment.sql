-- Treatment orders, everything that was recorded about them, where they stand, and who was told. The PostgreSQL
-- file of the same name has the same tables and columns.

-- By what orders are judged. A version is never changed.
CREATE TABLE compliance_policy (
    code            TEXT NOT NULL,
    version         INTEGER NOT NULL CHECK (version >= 1),
    name            TEXT NOT NULL,
    parameters      TEXT NOT NULL,
    published_at    INTEGER NOT NULL,
    PRIMARY KEY (code, version)
) STRICT;
CREATE TRIGGER compliance_policy_no_replace BEFORE INSERT ON compliance_policy BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM compliance_policy WHERE code = NEW.code AND version = NEW.version);
END;
CREATE TRIGGER compliance_policy_no_update BEFORE UPDATE ON compliance_policy BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER compliance_policy_no_delete BEFORE DELETE ON compliance_policy BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

CREATE TABLE treatment_order (
    id                  BLOB PRIMARY KEY,
    -- How many events it has.
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    organisation_id     BLOB NOT NULL REFERENCES organisation (id),
    client_id           BLOB NOT NULL,
    side                TEXT NOT NULL CHECK (side = 'OFFENDER'),
    reference           TEXT NOT NULL UNIQUE,
    jurisdiction        TEXT NOT NULL,
    mandate             TEXT NOT NULL
        CHECK (mandate IN ('COURT_ORDER', 'BAIL_CONDITION', 'PROBATION_ORDER', 'PAROLE_CONDITION', 'VOLUNTARY')),
    document            TEXT NOT NULL,
    starts_on           TEXT NOT NULL,
    ends_on             TEXT,
    required_sessions   INTEGER NOT NULL CHECK (required_sessions BETWEEN 1 AND 400),
    zone                TEXT NOT NULL,
    holiday_calendar_id BLOB REFERENCES holiday_calendar (id),
    policy_code         TEXT NOT NULL,
    policy_version      INTEGER NOT NULL,
    head                BLOB NOT NULL,
    FOREIGN KEY (client_id, side) REFERENCES client (id, side),
    FOREIGN KEY (policy_code, policy_version) REFERENCES compliance_policy (code, version),
    UNIQUE (id, client_id),
    CHECK (ends_on IS NULL OR starts_on <= ends_on)
) STRICT;
CREATE INDEX treatment_order_by_client ON treatment_order (client_id, id);
CREATE INDEX treatment_order_by_calendar ON treatment_order (holiday_calendar_id, id);

CREATE INDEX session_participant_by_order ON session_participant (order_id, session_id) WHERE order_id IS NOT NULL;

-- What was recorded about an order, in order. Nothing of it is ever changed.
CREATE TABLE treatment_event (
    order_id        BLOB NOT NULL REFERENCES treatment_order (id),
    number          INTEGER NOT NULL CHECK (number >= 1),
    on_date         TEXT NOT NULL,
    act             TEXT NOT NULL,
    participant_id  BLOB REFERENCES session_participant (id),
    reason          BLOB,
    recorded_at     INTEGER NOT NULL,
    recorded_by     TEXT NOT NULL,
    -- Keyed digest of this event and of the one before it, and so of all before it.
    head            BLOB NOT NULL CHECK (length(head) = 32),
    PRIMARY KEY (order_id, number)
) STRICT;
CREATE INDEX treatment_event_by_participant ON treatment_event (participant_id) WHERE participant_id IS NOT NULL;
CREATE TRIGGER treatment_event_no_replace BEFORE INSERT ON treatment_event BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM treatment_event WHERE order_id = NEW.order_id AND number = NEW.number);
END;
CREATE TRIGGER treatment_event_no_update BEFORE UPDATE ON treatment_event BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER treatment_event_no_delete BEFORE DELETE ON treatment_event BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- Where an order stands: what the compliance function says of it, good until the next change.
CREATE TABLE compliance (
    order_id            BLOB PRIMARY KEY REFERENCES treatment_order (id),
    version             INTEGER NOT NULL,
    organisation_id     BLOB NOT NULL REFERENCES organisation (id),
    reference           TEXT NOT NULL,
    -- The police to whom it is answered; none when nobody is.
    jurisdiction        TEXT,
    status              TEXT NOT NULL,
    at_risk             TEXT NOT NULL,
    alerts              TEXT NOT NULL,
    open                INTEGER NOT NULL CHECK (open IN (0, 1)),
    under_review        INTEGER NOT NULL CHECK (under_review IN (0, 1)),
    shown               TEXT NOT NULL,
    credits             INTEGER NOT NULL,
    required            INTEGER NOT NULL,
    breach_on           TEXT,
    enforcement_due_on  TEXT,
    changed_on          TEXT NOT NULL,
    corrected           INTEGER NOT NULL CHECK (corrected IN (0, 1)),
    as_of_on            TEXT NOT NULL,
    next_change_at      INTEGER
) STRICT;
CREATE INDEX compliance_shown ON compliance (jurisdiction, shown, reference) WHERE jurisdiction IS NOT NULL;
CREATE INDEX compliance_in_jurisdiction ON compliance (jurisdiction, reference) WHERE jurisdiction IS NOT NULL;
CREATE INDEX compliance_changing ON compliance (next_change_at, order_id) WHERE next_change_at IS NOT NULL;
CREATE INDEX compliance_changing_in_jurisdiction ON compliance (jurisdiction, next_change_at, order_id)
    WHERE jurisdiction IS NOT NULL AND next_change_at IS NOT NULL;
CREATE INDEX compliance_changing_of_organisation ON compliance (organisation_id, next_change_at, order_id)
    WHERE next_change_at IS NOT NULL;
CREATE INDEX compliance_by_organisation ON compliance (organisation_id, order_id);
CREATE INDEX compliance_of_organisation ON compliance (organisation_id, status, order_id);
CREATE INDEX compliance_under_review ON compliance (organisation_id, order_id) WHERE under_review = TRUE;
CREATE INDEX compliance_alerted ON compliance (organisation_id, order_id) WHERE alerts <> '[]';

-- A call by which police asked, whether or not there was an answer.
CREATE TABLE police_call (
    id              BLOB PRIMARY KEY,
    called_at       INTEGER NOT NULL,
    caller          TEXT NOT NULL,
    principal       TEXT NOT NULL,
    jurisdiction    TEXT NOT NULL,
    method          TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    crime_number    TEXT NOT NULL
) STRICT;
CREATE INDEX police_call_by_caller ON police_call (caller, called_at);

-- One row for each caller among them: the turn by which calls are counted.
CREATE TABLE police_caller (
    caller      TEXT PRIMARY KEY,
    asked_at    INTEGER NOT NULL
) STRICT;

-- An order about which police were told something, and what.
CREATE TABLE police_lookup (
    id              BLOB PRIMARY KEY,
    call_id         BLOB NOT NULL REFERENCES police_call (id),
    order_id        BLOB NOT NULL REFERENCES treatment_order (id),
    looked_at       INTEGER NOT NULL,
    as_of_on        TEXT NOT NULL,
    answer          TEXT NOT NULL
) STRICT;
CREATE INDEX police_lookup_by_order ON police_lookup (order_id, id);

-- A look-up whose answer a correction has changed since.
CREATE TABLE police_lookup_correction (
    lookup_id       BLOB PRIMARY KEY REFERENCES police_lookup (id),
    order_id        BLOB NOT NULL REFERENCES treatment_order (id),
    event_number    INTEGER NOT NULL,
    corrected_at    INTEGER NOT NULL,
    FOREIGN KEY (order_id, event_number) REFERENCES treatment_event (order_id, number)
) STRICT;
CREATE INDEX police_lookup_correction_by_order ON police_lookup_correction (order_id, corrected_at);
CREATE TRIGGER police_call_no_replace BEFORE INSERT ON police_call BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM police_call WHERE id = NEW.id);
END;
CREATE TRIGGER police_call_no_update BEFORE UPDATE ON police_call BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER police_call_no_delete BEFORE DELETE ON police_call BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER police_lookup_no_replace BEFORE INSERT ON police_lookup BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM police_lookup WHERE id = NEW.id);
END;
CREATE TRIGGER police_lookup_no_update BEFORE UPDATE ON police_lookup BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER police_lookup_no_delete BEFORE DELETE ON police_lookup BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER police_lookup_correction_no_replace BEFORE INSERT ON police_lookup_correction BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM police_lookup_correction WHERE lookup_id = NEW.lookup_id);
END;
CREATE TRIGGER police_lookup_correction_no_update BEFORE UPDATE ON police_lookup_correction BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER police_lookup_correction_no_delete BEFORE DELETE ON police_lookup_correction BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
