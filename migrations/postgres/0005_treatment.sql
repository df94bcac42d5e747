-- Treatment orders, everything that was recorded about them, where they stand, and who was told. The SQLite
-- file of the same name has the same tables and columns.

-- By what orders are judged. A version is never changed.
CREATE TABLE compliance_policy (
    code            TEXT NOT NULL,
    version         BIGINT NOT NULL CHECK (version >= 1),
    name            TEXT NOT NULL,
    parameters      JSONB NOT NULL,
    published_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (code, version)
);
CREATE TRIGGER compliance_policy_append_only BEFORE UPDATE OR DELETE ON compliance_policy
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER compliance_policy_no_truncate BEFORE TRUNCATE ON compliance_policy
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE treatment_order (
    id                  UUID PRIMARY KEY,
    -- How many events it has.
    version             BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    organisation_id     UUID NOT NULL REFERENCES organisation (id),
    client_id           UUID NOT NULL,
    side                TEXT NOT NULL CHECK (side = 'OFFENDER'),
    reference           TEXT NOT NULL UNIQUE,
    jurisdiction        TEXT NOT NULL,
    mandate             TEXT NOT NULL
        CHECK (mandate IN ('COURT_ORDER', 'BAIL_CONDITION', 'PROBATION_ORDER', 'PAROLE_CONDITION', 'VOLUNTARY')),
    document            TEXT NOT NULL,
    starts_on           DATE NOT NULL,
    ends_on             DATE,
    required_sessions   BIGINT NOT NULL CHECK (required_sessions BETWEEN 1 AND 400),
    zone                TEXT NOT NULL,
    holiday_calendar_id UUID REFERENCES holiday_calendar (id),
    policy_code         TEXT NOT NULL,
    policy_version      BIGINT NOT NULL,
    head                BYTEA NOT NULL,
    FOREIGN KEY (client_id, side) REFERENCES client (id, side),
    FOREIGN KEY (policy_code, policy_version) REFERENCES compliance_policy (code, version),
    UNIQUE (id, client_id),
    CHECK (ends_on IS NULL OR starts_on <= ends_on)
);
CREATE INDEX treatment_order_by_client ON treatment_order (client_id, id);
CREATE INDEX treatment_order_by_calendar ON treatment_order (holiday_calendar_id, id);

-- A session counts towards one order of the client, or none.
ALTER TABLE session_participant ADD CONSTRAINT session_participant_order
    FOREIGN KEY (order_id, client_id) REFERENCES treatment_order (id, client_id);
CREATE INDEX session_participant_by_order ON session_participant (order_id, session_id) WHERE order_id IS NOT NULL;

-- What was recorded about an order, in order. Nothing of it is ever changed.
CREATE TABLE treatment_event (
    order_id        UUID NOT NULL REFERENCES treatment_order (id),
    number          BIGINT NOT NULL CHECK (number >= 1),
    on_date         DATE NOT NULL,
    act             JSONB NOT NULL,
    participant_id  UUID REFERENCES session_participant (id),
    reason          BYTEA,
    recorded_at     TIMESTAMPTZ NOT NULL,
    recorded_by     TEXT NOT NULL,
    -- Keyed digest of this event and of the one before it, and so of all before it.
    head            BYTEA NOT NULL CHECK (length(head) = 32),
    PRIMARY KEY (order_id, number)
);
CREATE INDEX treatment_event_by_participant ON treatment_event (participant_id) WHERE participant_id IS NOT NULL;
CREATE TRIGGER treatment_event_append_only BEFORE UPDATE OR DELETE ON treatment_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER treatment_event_no_truncate BEFORE TRUNCATE ON treatment_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Where an order stands: what the compliance function says of it, good until the next change.
CREATE TABLE compliance (
    order_id            UUID PRIMARY KEY REFERENCES treatment_order (id),
    version             BIGINT NOT NULL,
    organisation_id     UUID NOT NULL REFERENCES organisation (id),
    reference           TEXT NOT NULL,
    -- The police to whom it is answered; none when nobody is.
    jurisdiction        TEXT,
    status              TEXT NOT NULL,
    at_risk             JSONB NOT NULL,
    alerts              JSONB NOT NULL,
    open                BOOLEAN NOT NULL,
    under_review        BOOLEAN NOT NULL,
    shown               TEXT NOT NULL,
    credits             BIGINT NOT NULL,
    required            BIGINT NOT NULL,
    breach_on           DATE,
    enforcement_due_on  DATE,
    changed_on          DATE NOT NULL,
    corrected           BOOLEAN NOT NULL,
    as_of_on            DATE NOT NULL,
    next_change_at      TIMESTAMPTZ
);
CREATE INDEX compliance_shown ON compliance (jurisdiction, shown, reference) WHERE jurisdiction IS NOT NULL;
CREATE INDEX compliance_in_jurisdiction ON compliance (jurisdiction, reference) WHERE jurisdiction IS NOT NULL;
CREATE INDEX compliance_changing ON compliance (next_change_at, order_id) WHERE next_change_at IS NOT NULL;
CREATE INDEX compliance_changing_in_jurisdiction ON compliance (jurisdiction, next_change_at, order_id)
    WHERE jurisdiction IS NOT NULL AND next_change_at IS NOT NULL;
CREATE INDEX compliance_changing_of_organisation ON compliance (organisation_id, next_change_at, order_id)
    WHERE next_change_at IS NOT NULL;
CREATE INDEX compliance_of_organisation ON compliance (organisation_id, status, order_id);
CREATE INDEX compliance_under_review ON compliance (organisation_id, order_id) WHERE under_review;
CREATE INDEX compliance_alerted ON compliance (organisation_id, order_id) WHERE alerts <> '[]';

-- A call by which police asked, whether or not there was an answer.
CREATE TABLE police_call (
    id              UUID PRIMARY KEY,
    called_at       TIMESTAMPTZ NOT NULL,
    caller          TEXT NOT NULL,
    principal       TEXT NOT NULL,
    jurisdiction    TEXT NOT NULL,
    method          TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    crime_number    TEXT NOT NULL
);
CREATE INDEX police_call_by_caller ON police_call (caller, called_at);

-- One row for each caller among them: the turn by which calls are counted.
CREATE TABLE police_caller (
    caller      TEXT PRIMARY KEY,
    asked_at    TIMESTAMPTZ NOT NULL
);

-- An order about which police were told something, and what.
CREATE TABLE police_lookup (
    id              UUID PRIMARY KEY,
    call_id         UUID NOT NULL REFERENCES police_call (id),
    order_id        UUID NOT NULL REFERENCES treatment_order (id),
    looked_at       TIMESTAMPTZ NOT NULL,
    as_of_on        DATE NOT NULL,
    answer          JSONB NOT NULL
);
CREATE INDEX police_lookup_by_order ON police_lookup (order_id, id);

-- A look-up whose answer a correction has changed since.
CREATE TABLE police_lookup_correction (
    lookup_id       UUID PRIMARY KEY REFERENCES police_lookup (id),
    order_id        UUID NOT NULL REFERENCES treatment_order (id),
    event_number    BIGINT NOT NULL,
    corrected_at    TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (order_id, event_number) REFERENCES treatment_event (order_id, number)
);
CREATE INDEX police_lookup_correction_by_order ON police_lookup_correction (order_id, corrected_at);
CREATE TRIGGER police_call_append_only BEFORE UPDATE OR DELETE ON police_call
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER police_call_no_truncate BEFORE TRUNCATE ON police_call
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER police_lookup_append_only BEFORE UPDATE OR DELETE ON police_lookup
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER police_lookup_no_truncate BEFORE TRUNCATE ON police_lookup
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER police_lookup_correction_append_only BEFORE UPDATE OR DELETE ON police_lookup_correction
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER police_lookup_correction_no_truncate BEFORE TRUNCATE ON police_lookup_correction
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
