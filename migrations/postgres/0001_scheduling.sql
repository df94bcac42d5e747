-- The directory, clients, sessions, and the invariants that hold whatever the code forgets.
-- The SQLite file of the same name has the same tables and columns.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- One row: which key store has the keys of this database. With another one it is not opened.
CREATE TABLE installation (
    id              UUID PRIMARY KEY,
    singleton       BIGINT NOT NULL UNIQUE CHECK (singleton = 1),
    key_store_id    UUID NOT NULL
);

CREATE TABLE organisation (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    code            TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('NGO', 'POLICE_UNIT')),
    district        TEXT NOT NULL,
    notice_minutes  BIGINT NOT NULL CHECK (notice_minutes BETWEEN 0 AND 20160),
    horizon_days    BIGINT NOT NULL CHECK (horizon_days BETWEEN 1 AND 730)
);

CREATE TABLE agreement (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    code            TEXT NOT NULL,
    counterparty    TEXT NOT NULL,
    services        JSONB NOT NULL,
    districts       JSONB NOT NULL,
    valid_from      DATE NOT NULL,
    valid_until     DATE,
    status          TEXT NOT NULL CHECK (status IN ('DRAFT', 'ACTIVE', 'SUSPENDED', 'ENDED')),
    UNIQUE (organisation_id, code)
);

CREATE TABLE holiday_calendar (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    UNIQUE (organisation_id, code)
);

-- When each version of a calendar was written.
CREATE TABLE holiday_calendar_version (
    holiday_calendar_id UUID NOT NULL REFERENCES holiday_calendar (id),
    version             BIGINT NOT NULL,
    written_at          TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (holiday_calendar_id, version)
);

-- A day stands in every version from the first that has it to the one that no longer has it.
CREATE TABLE holiday (
    holiday_calendar_id UUID NOT NULL REFERENCES holiday_calendar (id),
    on_date             DATE NOT NULL,
    since_version       BIGINT NOT NULL,
    until_version       BIGINT CHECK (since_version < until_version),
    name                TEXT NOT NULL,
    PRIMARY KEY (holiday_calendar_id, on_date, since_version)
);
CREATE UNIQUE INDEX holiday_now ON holiday (holiday_calendar_id, on_date) WHERE until_version IS NULL;

-- A curriculum; what it says is in its versions, the present one of which has its own number.
CREATE TABLE programme (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    code            TEXT NOT NULL,
    UNIQUE (organisation_id, code)
);

-- What a programme said in each version: never changed, because series are planned by it.
CREATE TABLE programme_version (
    programme_id    UUID NOT NULL REFERENCES programme (id),
    version         BIGINT NOT NULL,
    written_at      TIMESTAMPTZ NOT NULL,
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    service         TEXT NOT NULL,
    modules         JSONB NOT NULL,
    retired         BOOLEAN NOT NULL,
    PRIMARY KEY (programme_id, version)
);

CREATE TABLE site (
    id                      UUID PRIMARY KEY,
    version                 BIGINT NOT NULL,
    created_at              TIMESTAMPTZ NOT NULL,
    updated_at              TIMESTAMPTZ NOT NULL,
    organisation_id         UUID NOT NULL REFERENCES organisation (id),
    code                    TEXT NOT NULL,
    name                    TEXT NOT NULL,
    zone                    TEXT NOT NULL,
    district                TEXT NOT NULL,
    separation_gap_minutes  BIGINT NOT NULL CHECK (separation_gap_minutes BETWEEN 0 AND 1440),
    holiday_calendar_id     UUID REFERENCES holiday_calendar (id),
    timetable               JSONB NOT NULL,
    UNIQUE (organisation_id, code)
);

CREATE TABLE venue (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    site_id         UUID NOT NULL REFERENCES site (id),
    shared          BOOLEAN NOT NULL,
    UNIQUE (organisation_id, code)
);
CREATE INDEX venue_by_site ON venue (site_id);

CREATE TABLE room (
    id          UUID PRIMARY KEY,
    version     BIGINT NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    venue_id    UUID NOT NULL REFERENCES venue (id),
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    -- How many people it is for, counsellors included; unknown when NULL.
    capacity    BIGINT CHECK (capacity BETWEEN 1 AND 500),
    UNIQUE (venue_id, code)
);

-- One person of a professional register works on one side only, at however many organisations.
CREATE TABLE professional (
    registration    TEXT PRIMARY KEY,
    side            TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    UNIQUE (registration, side)
);

CREATE TABLE counsellor (
    id                      UUID PRIMARY KEY,
    version                 BIGINT NOT NULL,
    created_at              TIMESTAMPTZ NOT NULL,
    updated_at              TIMESTAMPTZ NOT NULL,
    organisation_id         UUID NOT NULL REFERENCES organisation (id),
    code                    TEXT NOT NULL,
    name                    BYTEA NOT NULL,
    side                    TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    gender                  TEXT CHECK (gender IN ('FEMALE', 'MALE', 'OTHER')),
    services                JSONB NOT NULL,
    modalities              JSONB NOT NULL,
    languages               JSONB NOT NULL,
    zone                    TEXT NOT NULL,
    buffer_before_minutes   BIGINT NOT NULL CHECK (buffer_before_minutes BETWEEN 0 AND 120),
    buffer_after_minutes    BIGINT NOT NULL CHECK (buffer_after_minutes BETWEEN 0 AND 120),
    travel_minutes          BIGINT NOT NULL CHECK (travel_minutes BETWEEN 0 AND 480),
    daily_limit             BIGINT CHECK (daily_limit BETWEEN 1 AND 50),
    weekly_limit            BIGINT CHECK (weekly_limit BETWEEN 1 AND 200),
    verified_until          DATE,
    registration            TEXT,
    working_hours           JSONB NOT NULL,
    inactive                BOOLEAN NOT NULL,
    UNIQUE (organisation_id, code),
    UNIQUE (id, side),
    FOREIGN KEY (registration, side) REFERENCES professional (registration, side)
);
CREATE INDEX counsellor_by_registration ON counsellor (registration);

CREATE TABLE leave (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    counsellor_id   UUID NOT NULL REFERENCES counsellor (id),
    starts_at       TIMESTAMPTZ NOT NULL,
    ends_at         TIMESTAMPTZ NOT NULL,
    CHECK (starts_at < ends_at)
);
CREATE INDEX leave_by_counsellor ON leave (counsellor_id, ends_at);

CREATE TABLE client (
    id                  UUID PRIMARY KEY,
    version             BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    organisation_id     UUID NOT NULL REFERENCES organisation (id),
    reference           TEXT NOT NULL UNIQUE,
    side                TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    name                BYTEA NOT NULL,
    phone               BYTEA NOT NULL,
    address             BYTEA NOT NULL,
    born_on             BYTEA NOT NULL,
    spoken_languages    JSONB NOT NULL,
    reading_language    TEXT,
    counsellor_gender   TEXT CHECK (counsellor_gender IN ('FEMALE', 'MALE', 'OTHER')),
    file_number         TEXT,
    availability        JSONB NOT NULL,
    preferred_modality  TEXT CHECK (preferred_modality IN ('IN_PERSON', 'REMOTE')),
    preferred_venue_id  UUID REFERENCES venue (id),
    age_basis           TEXT CHECK (age_basis IN ('SCHOOL_CERTIFICATE', 'BIRTH_CERTIFICATE', 'MEDICAL_TEST', 'APPEARANCE')),
    -- When the client's key was destroyed: no text about the client opens any more.
    erased_at           TIMESTAMPTZ,
    erased_because      TEXT CHECK (erased_because IN ('REQUESTED', 'CONSENT_WITHDRAWN', 'RETENTION_ENDED', 'RECORDED_IN_ERROR')),
    CHECK ((erased_at IS NULL) = (erased_because IS NULL)),
    UNIQUE (organisation_id, file_number),
    UNIQUE (id, side)
);
CREATE INDEX client_by_organisation ON client (organisation_id, id);

-- Who answers for a client.
CREATE TABLE guardian (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    client_id       UUID NOT NULL REFERENCES client (id),
    code            TEXT,
    name            BYTEA NOT NULL,
    phone           BYTEA NOT NULL,
    relation        BYTEA NOT NULL,
    standing        TEXT NOT NULL CHECK (standing IN ('SAFE', 'UNSAFE', 'ACCUSED')),
    UNIQUE (client_id, code),
    UNIQUE (id, client_id)
);

-- Consents: never changed, ended once.
CREATE TABLE consent (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    client_id       UUID NOT NULL REFERENCES client (id),
    purpose         TEXT NOT NULL CHECK (purpose IN ('CARE', 'FOLLOW_UP', 'SAFE_CONTACT', 'TRANSFER')),
    given_by        TEXT NOT NULL CHECK (given_by IN ('OWN', 'GUARDIAN', 'CHILD_WELFARE_COMMITTEE')),
    guardian_id     UUID,
    assent          TEXT NOT NULL CHECK (assent IN ('NONE', 'VERBAL', 'WRITTEN')),
    language        TEXT NOT NULL,
    text_version    TEXT NOT NULL,
    given_on        DATE NOT NULL,
    valid_until     DATE,
    ended_how       TEXT CHECK (ended_how IN ('WITHDRAWN', 'INVALIDATED')),
    ended_at        TIMESTAMPTZ,
    ended_reason    BYTEA,
    FOREIGN KEY (guardian_id, client_id) REFERENCES guardian (id, client_id),
    CHECK ((given_by = 'GUARDIAN') = (guardian_id IS NOT NULL)),
    CHECK (valid_until IS NULL OR given_on <= valid_until),
    CHECK ((ended_how IS NULL) = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_reason IS NULL))
);
CREATE INDEX consent_by_client ON consent (client_id, id);
CREATE INDEX consent_by_end ON consent (valid_until, client_id) WHERE valid_until IS NOT NULL AND ended_how IS NULL;
CREATE FUNCTION refuse_other_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_how IS NOT NULL
        OR (NEW.id, NEW.client_id, NEW.purpose, NEW.given_by, NEW.guardian_id, NEW.assent, NEW.language,
            NEW.text_version, NEW.given_on, NEW.valid_until)
        IS DISTINCT FROM (OLD.id, OLD.client_id, OLD.purpose, OLD.given_by, OLD.guardian_id, OLD.assent,
            OLD.language, OLD.text_version, OLD.given_on, OLD.valid_until) THEN
        RAISE EXCEPTION 'aftercare:append_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER consent_only_ends BEFORE UPDATE ON consent
    FOR EACH ROW EXECUTE FUNCTION refuse_other_consent();

-- A counsellor who must not see a client.
CREATE TABLE conflict_of_interest (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    client_id       UUID NOT NULL REFERENCES client (id),
    counsellor_id   UUID NOT NULL REFERENCES counsellor (id),
    UNIQUE (client_id, counsellor_id)
);

-- What joins the parties of one crime, across organisations. The key is a keyed digest of
-- district, police station and crime number.
CREATE TABLE link (
    id          UUID PRIMARY KEY,
    joint_key   BYTEA NOT NULL UNIQUE
);

-- A case; CASE is a reserved word.
CREATE TABLE case_file (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    link_id         UUID NOT NULL REFERENCES link (id),
    crime_number    TEXT NOT NULL,
    police_station  TEXT NOT NULL,
    district        TEXT NOT NULL,
    UNIQUE (organisation_id, link_id)
);
CREATE INDEX case_file_by_link ON case_file (link_id);

CREATE TABLE case_party (
    case_file_id    UUID NOT NULL REFERENCES case_file (id),
    client_id       UUID NOT NULL REFERENCES client (id),
    role            TEXT NOT NULL CHECK (role IN ('SURVIVOR', 'ACCUSED')),
    PRIMARY KEY (case_file_id, client_id)
);
CREATE INDEX case_party_by_client ON case_party (client_id);

-- Days on which a case takes its parties away.
CREATE TABLE proceeding (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    case_file_id    UUID NOT NULL REFERENCES case_file (id),
    on_date         DATE NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('HEARING', 'STATEMENT', 'EXAMINATION')),
    UNIQUE (case_file_id, on_date, kind)
);

-- A declaration is a link of its own: its id is the link's.
CREATE TABLE no_contact (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    client_id       UUID NOT NULL REFERENCES client (id),
    other_reference TEXT NOT NULL,
    UNIQUE (client_id, other_reference)
);
CREATE INDEX no_contact_by_other ON no_contact (other_reference);

-- Who belongs to which link: derived, never stored.
CREATE VIEW link_party AS
    SELECT case_file.link_id AS link_id, case_party.client_id AS client_id
      FROM case_party JOIN case_file ON case_file.id = case_party.case_file_id
    UNION ALL
    SELECT no_contact.id, no_contact.client_id FROM no_contact
    UNION ALL
    SELECT no_contact.id, client.id
      FROM no_contact JOIN client ON client.reference = no_contact.other_reference;

-- A course of sessions that was asked for at once, by a rule or by a programme, and what was planned.
-- What belongs to one session stands in that session.
CREATE TABLE series (
    id                  UUID PRIMARY KEY,
    version             BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    organisation_id     UUID NOT NULL REFERENCES organisation (id),
    zone                TEXT NOT NULL,
    first_on            DATE NOT NULL,
    rule                TEXT,
    at_time             TEXT,
    exceptions          JSONB NOT NULL,
    programme_id        UUID,
    programme_version   BIGINT,
    week                JSONB NOT NULL,
    plan                JSONB NOT NULL,
    skipped             JSONB NOT NULL,
    FOREIGN KEY (programme_id, programme_version) REFERENCES programme_version (programme_id, version),
    CHECK ((rule IS NULL) = (at_time IS NULL) AND (rule IS NULL) = (programme_id IS NOT NULL)
        AND (programme_id IS NULL) = (programme_version IS NULL)),
    UNIQUE (id, organisation_id)
);

-- Its counsellors and its participants are of its side, and so of one side.
CREATE TABLE session (
    id                  UUID PRIMARY KEY,
    version             BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    organisation_id     UUID NOT NULL REFERENCES organisation (id),
    side                TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    -- One to one is 1.
    capacity            BIGINT NOT NULL CHECK (capacity BETWEEN 1 AND 50),
    counsellor_id       UUID NOT NULL,
    service             TEXT NOT NULL,
    modality            TEXT NOT NULL CHECK (modality IN ('IN_PERSON', 'REMOTE')),
    venue_id            UUID REFERENCES venue (id),
    site_id             UUID REFERENCES site (id),
    room_id             UUID REFERENCES room (id),
    starts_at           TIMESTAMPTZ NOT NULL,
    ends_at             TIMESTAMPTZ NOT NULL,
    on_date             DATE NOT NULL,
    zone                TEXT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('HELD', 'BOOKED', 'CANCELLED', 'RESCHEDULED')),
    cancelled_at        TIMESTAMPTZ,
    cancel_reason       TEXT CHECK (cancel_reason IN ('CLIENT', 'PROVIDER', 'LOGISTICS', 'COURT', 'OTHER')),
    -- Checked at the end: the old session gives its number in the series to the new one before that is written.
    successor_id        UUID REFERENCES session (id) DEFERRABLE INITIALLY DEFERRED,
    supersedes_id       UUID UNIQUE REFERENCES session (id),
    held_until          TIMESTAMPTZ,
    held_by             TEXT,
    hold_number         BIGINT CHECK (hold_number BETWEEN 1 AND 10),
    series_id           UUID,
    series_number       BIGINT CHECK (series_number BETWEEN 1 AND 400),
    overridden          JSONB NOT NULL,
    flags               JSONB NOT NULL,
    -- How many who stand as its participants have no record of attendance.
    unrecorded          BIGINT NOT NULL CHECK (unrecorded BETWEEN 0 AND capacity),
    FOREIGN KEY (counsellor_id, side) REFERENCES counsellor (id, side),
    FOREIGN KEY (series_id, organisation_id) REFERENCES series (id, organisation_id),
    UNIQUE (id, side),
    UNIQUE (id, side, capacity),
    -- Ten holds of one principal, never more.
    UNIQUE (held_by, hold_number),
    CHECK (starts_at < ends_at AND ends_at <= starts_at + INTERVAL '8 hours'),
    CHECK ((modality = 'REMOTE') = (venue_id IS NULL) AND (venue_id IS NULL) = (site_id IS NULL)),
    CHECK (room_id IS NULL OR venue_id IS NOT NULL),
    CHECK ((state IN ('CANCELLED', 'RESCHEDULED')) = (cancelled_at IS NOT NULL)
        AND (cancelled_at IS NULL) = (cancel_reason IS NULL)),
    CHECK ((state = 'RESCHEDULED') = (successor_id IS NOT NULL)),
    CHECK ((series_id IS NULL) = (series_number IS NULL)),
    CHECK ((state = 'HELD') = (held_until IS NOT NULL) AND (held_until IS NULL) = (held_by IS NULL)
        AND (held_until IS NULL) = (hold_number IS NULL))
);
CREATE INDEX session_by_organisation ON session (organisation_id, starts_at, id);
-- What counts sessions, and asks where they are, reads nothing else.
CREATE INDEX session_by_counsellor ON session (counsellor_id, starts_at, id, ends_at, state, held_until, site_id);
-- One session stands for each number of a series.
CREATE UNIQUE INDEX session_by_series ON session (series_id, series_number) WHERE state = 'BOOKED';
CREATE INDEX session_of_series ON session (series_id, starts_at);
-- For the check of the key when a session is deleted, as holds are.
CREATE INDEX session_by_successor ON session (successor_id) WHERE successor_id IS NOT NULL;
CREATE INDEX session_by_site ON session (site_id, starts_at, id);
CREATE INDEX session_by_hold ON session (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX session_flagged ON session (organisation_id, starts_at, id) WHERE flags <> '[]';
CREATE INDEX session_unrecorded ON session (organisation_id, ends_at, id) WHERE unrecorded > 0 AND state = 'BOOKED';

-- Who is planned to be there: one, or in a group as many as it has seats. Who is removed keeps the row.
CREATE TABLE session_participant (
    id                  UUID PRIMARY KEY,
    session_id          UUID NOT NULL,
    side                TEXT NOT NULL,
    capacity            BIGINT NOT NULL,
    seat                BIGINT NOT NULL CHECK (seat BETWEEN 1 AND capacity),
    client_id           UUID NOT NULL,
    client_reference    TEXT NOT NULL,
    guardian_id         UUID,
    interpreter         BOOLEAN NOT NULL,
    -- The treatment order towards which it counts, if any.
    order_id            UUID,
    overridden          JSONB NOT NULL,
    flags               JSONB NOT NULL,
    added_at            TIMESTAMPTZ NOT NULL,
    removed_at          TIMESTAMPTZ,
    removed_reason      TEXT CHECK (removed_reason IN ('CLIENT', 'PROVIDER', 'LOGISTICS', 'COURT', 'OTHER')),
    -- The record of attendance that stands; NULL when there is none.
    attendance_id       UUID,
    FOREIGN KEY (session_id, side, capacity) REFERENCES session (id, side, capacity) ON DELETE CASCADE,
    FOREIGN KEY (client_id, side) REFERENCES client (id, side),
    FOREIGN KEY (guardian_id, client_id) REFERENCES guardian (id, client_id),
    CHECK ((removed_at IS NULL) = (removed_reason IS NULL))
);
CREATE UNIQUE INDEX session_participant_seat ON session_participant (session_id, seat) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX session_participant_once ON session_participant (session_id, client_id) WHERE removed_at IS NULL;
CREATE INDEX session_participant_by_session ON session_participant (session_id);
CREATE INDEX session_participant_by_client ON session_participant (client_id, session_id, removed_at);

-- Who leads a group beside its counsellor.
CREATE TABLE session_facilitator (
    session_id          UUID NOT NULL,
    counsellor_id       UUID NOT NULL,
    side                TEXT NOT NULL,
    PRIMARY KEY (session_id, counsellor_id),
    FOREIGN KEY (session_id, side) REFERENCES session (id, side) ON DELETE CASCADE,
    FOREIGN KEY (counsellor_id, side) REFERENCES counsellor (id, side)
);
CREATE INDEX session_facilitator_by_counsellor ON session_facilitator (counsellor_id, session_id);

-- Which counsellor has or had a session with which client: derived, never stored.
CREATE VIEW seen AS
    SELECT session_participant.client_id AS client_id, session.counsellor_id AS counsellor_id
      FROM session_participant JOIN session ON session.id = session_participant.session_id
     WHERE session_participant.removed_at IS NULL AND session.state = 'BOOKED'
    UNION ALL
    SELECT session_participant.client_id, session_facilitator.counsellor_id
      FROM session_participant
      JOIN session_facilitator ON session_facilitator.session_id = session_participant.session_id
      -- Last, in SQLite: most sessions have nobody beside their counsellor.
     CROSS JOIN session
     WHERE session.id = session_facilitator.session_id
       AND session_participant.removed_at IS NULL AND session.state = 'BOOKED';

-- Why a soft rule was broken, or a session recorded after it took place; about one participant, or the whole.
CREATE TABLE session_override (
    id          UUID PRIMARY KEY,
    session_id  UUID NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    client_id   UUID REFERENCES client (id),
    rule        TEXT NOT NULL,
    reason      BYTEA NOT NULL,
    principal   TEXT NOT NULL,
    decided_at  TIMESTAMPTZ NOT NULL
);
CREATE INDEX session_override_by_session ON session_override (session_id, decided_at);

-- Nobody and nothing is in two places at once: a counsellor (buffers included), a client, a room.
CREATE TABLE occupancy (
    session_id      UUID NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    resource_id     UUID NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('COUNSELLOR', 'CLIENT', 'ROOM')),
    organisation_id UUID NOT NULL,
    side            TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    starts_at       TIMESTAMPTZ NOT NULL,
    ends_at         TIMESTAMPTZ NOT NULL,
    -- Of a hold; from then on the row keeps nothing, and whoever wants the time removes it.
    expires_at      TIMESTAMPTZ,
    PRIMARY KEY (session_id, resource_id),
    CHECK (starts_at < ends_at AND ends_at <= starts_at + INTERVAL '24 hours'),
    EXCLUDE USING gist (resource_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
);
CREATE INDEX occupancy_by_resource ON occupancy (resource_id, starts_at, ends_at);

-- Survivors and offenders are never at one site within its separation gap; each presence is
-- padded by half the gap at both ends.
CREATE TABLE site_presence (
    session_id      UUID PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
    site_id         UUID NOT NULL REFERENCES site (id),
    side            TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    padded_from     TIMESTAMPTZ NOT NULL,
    padded_until    TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ,
    CHECK (padded_from < padded_until AND padded_until <= padded_from + INTERVAL '48 hours'),
    EXCLUDE USING gist (site_id WITH =, side WITH <>, tstzrange(padded_from, padded_until) WITH &&)
);
CREATE INDEX site_presence_by_site ON site_presence (site_id, padded_from);

-- Linked people of different sides are never at one site on one local calendar day.
CREATE TABLE link_presence (
    session_id  UUID NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    site_id     UUID NOT NULL REFERENCES site (id),
    link_id     UUID NOT NULL,
    on_date     DATE NOT NULL,
    side        TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    PRIMARY KEY (session_id, link_id, on_date),
    EXCLUDE USING gist (site_id WITH =, link_id WITH =, on_date WITH =, side WITH <>)
);
CREATE INDEX link_presence_by_link ON link_presence (link_id, on_date);

-- One effect per request id. A row without a result is a request in progress, seen by nobody else.
CREATE TABLE request (
    principal   TEXT NOT NULL,
    request_id  UUID NOT NULL,
    method      TEXT NOT NULL,
    digest      BYTEA NOT NULL,
    result_id   UUID,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (principal, request_id)
);
CREATE INDEX request_by_age ON request (created_at);

CREATE TABLE audit_event (
    id              UUID PRIMARY KEY,
    occurred_at     TIMESTAMPTZ NOT NULL,
    principal       TEXT NOT NULL,
    role            TEXT NOT NULL,
    organisation_id UUID,
    action          TEXT NOT NULL,
    outcome         TEXT NOT NULL CHECK (outcome IN ('DONE', 'REFUSED', 'DENIED')),
    reason          TEXT,
    -- JSON lists, as text: what is sealed are the bytes that were written.
    details         TEXT NOT NULL,
    subjects        TEXT NOT NULL,
    request_id      UUID
);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'aftercare:append_only';
END $$;
CREATE TRIGGER audit_event_append_only BEFORE UPDATE OR DELETE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_event_no_truncate BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER session_override_no_update BEFORE UPDATE ON session_override
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER programme_version_append_only BEFORE UPDATE OR DELETE ON programme_version
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
-- Whose place it is and since when never changes, and nothing but the record that stands once it was given up.
CREATE TRIGGER session_participant_is_history BEFORE UPDATE ON session_participant
    FOR EACH ROW WHEN (
        (NEW.id, NEW.session_id, NEW.client_id, NEW.client_reference, NEW.added_at)
        IS DISTINCT FROM (OLD.id, OLD.session_id, OLD.client_id, OLD.client_reference, OLD.added_at)
        OR (OLD.removed_at IS NOT NULL
            AND (NEW.side, NEW.capacity, NEW.seat, NEW.guardian_id, NEW.interpreter, NEW.overridden, NEW.flags,
                 NEW.removed_at, NEW.removed_reason)
            IS DISTINCT FROM (OLD.side, OLD.capacity, OLD.seat, OLD.guardian_id, OLD.interpreter, OLD.overridden,
                 OLD.flags, OLD.removed_at, OLD.removed_reason))
        OR (OLD.attendance_id IS NOT NULL AND NEW.attendance_id IS NULL)
        OR (OLD.order_id IS NOT NULL AND NEW.order_id IS DISTINCT FROM OLD.order_id))
    EXECUTE FUNCTION refuse_change();
