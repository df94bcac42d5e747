-- The directory, clients, sessions, and the invariants that hold whatever the code forgets.
-- The PostgreSQL file of the same name has the same tables and columns. Instants are whole
-- microseconds since 1970 (UTC), dates are YYYY-MM-DD, ids are 16 bytes.

-- One row: which key store has the keys of this database. With another one it is not opened.
CREATE TABLE installation (
    id              BLOB PRIMARY KEY,
    singleton       INTEGER NOT NULL UNIQUE CHECK (singleton = 1),
    key_store_id    BLOB NOT NULL
) STRICT;

CREATE TABLE organisation (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    code            TEXT NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('NGO', 'POLICE_UNIT')),
    district        TEXT NOT NULL,
    notice_minutes  INTEGER NOT NULL CHECK (notice_minutes BETWEEN 0 AND 20160),
    horizon_days    INTEGER NOT NULL CHECK (horizon_days BETWEEN 1 AND 730)
) STRICT;

CREATE TABLE agreement (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    code            TEXT NOT NULL,
    counterparty    TEXT NOT NULL,
    services        TEXT NOT NULL,
    districts       TEXT NOT NULL,
    valid_from      TEXT NOT NULL,
    valid_until     TEXT,
    status          TEXT NOT NULL CHECK (status IN ('DRAFT', 'ACTIVE', 'SUSPENDED', 'ENDED')),
    UNIQUE (organisation_id, code)
) STRICT;

CREATE TABLE holiday_calendar (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    UNIQUE (organisation_id, code)
) STRICT;

-- When each version of a calendar was written.
CREATE TABLE holiday_calendar_version (
    holiday_calendar_id BLOB NOT NULL REFERENCES holiday_calendar (id),
    version             INTEGER NOT NULL,
    written_at          INTEGER NOT NULL,
    PRIMARY KEY (holiday_calendar_id, version)
) STRICT;

-- A day stands in every version from the first that has it to the one that no longer has it.
CREATE TABLE holiday (
    holiday_calendar_id BLOB NOT NULL REFERENCES holiday_calendar (id),
    on_date             TEXT NOT NULL,
    since_version       INTEGER NOT NULL,
    until_version       INTEGER CHECK (since_version < until_version),
    name                TEXT NOT NULL,
    PRIMARY KEY (holiday_calendar_id, on_date, since_version)
) STRICT;
CREATE UNIQUE INDEX holiday_now ON holiday (holiday_calendar_id, on_date) WHERE until_version IS NULL;

-- A curriculum; what it says is in its versions, the present one of which has its own number.
CREATE TABLE programme (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    code            TEXT NOT NULL,
    UNIQUE (organisation_id, code)
) STRICT;

-- What a programme said in each version: never changed, because series are planned by it.
CREATE TABLE programme_version (
    programme_id    BLOB NOT NULL REFERENCES programme (id),
    version         INTEGER NOT NULL,
    written_at      INTEGER NOT NULL,
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    service         TEXT NOT NULL,
    modules         TEXT NOT NULL,
    retired         INTEGER NOT NULL CHECK (retired IN (0, 1)),
    PRIMARY KEY (programme_id, version)
) STRICT;
CREATE TRIGGER programme_version_no_update BEFORE UPDATE ON programme_version
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER programme_version_no_delete BEFORE DELETE ON programme_version
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

CREATE TABLE site (
    id                      BLOB PRIMARY KEY,
    version                 INTEGER NOT NULL,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    organisation_id         BLOB NOT NULL REFERENCES organisation (id),
    code                    TEXT NOT NULL,
    name                    TEXT NOT NULL,
    zone                    TEXT NOT NULL,
    district                TEXT NOT NULL,
    separation_gap_minutes  INTEGER NOT NULL CHECK (separation_gap_minutes BETWEEN 0 AND 1440),
    holiday_calendar_id     BLOB REFERENCES holiday_calendar (id),
    timetable               TEXT NOT NULL,
    UNIQUE (organisation_id, code)
) STRICT;

CREATE TABLE venue (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    code            TEXT NOT NULL,
    name            TEXT NOT NULL,
    site_id         BLOB NOT NULL REFERENCES site (id),
    shared          INTEGER NOT NULL CHECK (shared IN (0, 1)),
    UNIQUE (organisation_id, code)
) STRICT;
CREATE INDEX venue_by_site ON venue (site_id);

CREATE TABLE room (
    id          BLOB PRIMARY KEY,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    venue_id    BLOB NOT NULL REFERENCES venue (id),
    code        TEXT NOT NULL,
    name        TEXT NOT NULL,
    -- How many people it is for, counsellors included; unknown when NULL.
    capacity    INTEGER CHECK (capacity BETWEEN 1 AND 500),
    UNIQUE (venue_id, code)
) STRICT;

-- One person of a professional register works on one side only, at however many organisations.
CREATE TABLE professional (
    registration    TEXT PRIMARY KEY,
    side            TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    UNIQUE (registration, side)
) STRICT;

CREATE TABLE counsellor (
    id                      BLOB PRIMARY KEY,
    version                 INTEGER NOT NULL,
    created_at              INTEGER NOT NULL,
    updated_at              INTEGER NOT NULL,
    organisation_id         BLOB NOT NULL REFERENCES organisation (id),
    code                    TEXT NOT NULL,
    name                    BLOB NOT NULL,
    side                    TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    gender                  TEXT CHECK (gender IN ('FEMALE', 'MALE', 'OTHER')),
    services                TEXT NOT NULL,
    modalities              TEXT NOT NULL,
    languages               TEXT NOT NULL,
    zone                    TEXT NOT NULL,
    buffer_before_minutes   INTEGER NOT NULL CHECK (buffer_before_minutes BETWEEN 0 AND 120),
    buffer_after_minutes    INTEGER NOT NULL CHECK (buffer_after_minutes BETWEEN 0 AND 120),
    travel_minutes          INTEGER NOT NULL CHECK (travel_minutes BETWEEN 0 AND 480),
    daily_limit             INTEGER CHECK (daily_limit BETWEEN 1 AND 50),
    weekly_limit            INTEGER CHECK (weekly_limit BETWEEN 1 AND 200),
    verified_until          TEXT,
    registration            TEXT,
    working_hours           TEXT NOT NULL,
    inactive                INTEGER NOT NULL CHECK (inactive IN (0, 1)),
    UNIQUE (organisation_id, code),
    UNIQUE (id, side),
    FOREIGN KEY (registration, side) REFERENCES professional (registration, side)
) STRICT;
CREATE INDEX counsellor_by_registration ON counsellor (registration);

CREATE TABLE leave (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    counsellor_id   BLOB NOT NULL REFERENCES counsellor (id),
    starts_at       INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL,
    CHECK (starts_at < ends_at)
) STRICT;
CREATE INDEX leave_by_counsellor ON leave (counsellor_id, ends_at);

CREATE TABLE client (
    id                  BLOB PRIMARY KEY,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    organisation_id     BLOB NOT NULL REFERENCES organisation (id),
    reference           TEXT NOT NULL UNIQUE,
    side                TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    name                BLOB NOT NULL,
    phone               BLOB NOT NULL,
    address             BLOB NOT NULL,
    born_on             BLOB NOT NULL,
    spoken_languages    TEXT NOT NULL,
    reading_language    TEXT,
    counsellor_gender   TEXT CHECK (counsellor_gender IN ('FEMALE', 'MALE', 'OTHER')),
    file_number         TEXT,
    availability        TEXT NOT NULL,
    preferred_modality  TEXT CHECK (preferred_modality IN ('IN_PERSON', 'REMOTE')),
    preferred_venue_id  BLOB REFERENCES venue (id),
    age_basis           TEXT CHECK (age_basis IN ('SCHOOL_CERTIFICATE', 'BIRTH_CERTIFICATE', 'MEDICAL_TEST', 'APPEARANCE')),
    -- When the client's key was destroyed: no text about the client opens any more.
    erased_at           INTEGER,
    erased_because      TEXT CHECK (erased_because IN ('REQUESTED', 'CONSENT_WITHDRAWN', 'RETENTION_ENDED', 'RECORDED_IN_ERROR')),
    CHECK ((erased_at IS NULL) = (erased_because IS NULL)),
    UNIQUE (organisation_id, file_number),
    UNIQUE (id, side)
) STRICT;
CREATE INDEX client_by_organisation ON client (organisation_id, id);

-- Who answers for a client.
CREATE TABLE guardian (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    client_id       BLOB NOT NULL REFERENCES client (id),
    code            TEXT,
    name            BLOB NOT NULL,
    phone           BLOB NOT NULL,
    relation        BLOB NOT NULL,
    standing        TEXT NOT NULL CHECK (standing IN ('SAFE', 'UNSAFE', 'ACCUSED')),
    UNIQUE (client_id, code),
    UNIQUE (id, client_id)
) STRICT;

-- Consents: never changed, ended once.
CREATE TABLE consent (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    client_id       BLOB NOT NULL REFERENCES client (id),
    purpose         TEXT NOT NULL CHECK (purpose IN ('CARE', 'FOLLOW_UP', 'SAFE_CONTACT', 'TRANSFER')),
    given_by        TEXT NOT NULL CHECK (given_by IN ('OWN', 'GUARDIAN', 'CHILD_WELFARE_COMMITTEE')),
    guardian_id     BLOB,
    assent          TEXT NOT NULL CHECK (assent IN ('NONE', 'VERBAL', 'WRITTEN')),
    language        TEXT NOT NULL,
    text_version    TEXT NOT NULL,
    given_on        TEXT NOT NULL,
    valid_until     TEXT,
    ended_how       TEXT CHECK (ended_how IN ('WITHDRAWN', 'INVALIDATED')),
    ended_at        INTEGER,
    ended_reason    BLOB,
    FOREIGN KEY (guardian_id, client_id) REFERENCES guardian (id, client_id),
    CHECK ((given_by = 'GUARDIAN') = (guardian_id IS NOT NULL)),
    CHECK (valid_until IS NULL OR given_on <= valid_until),
    CHECK ((ended_how IS NULL) = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_reason IS NULL))
) STRICT;
CREATE INDEX consent_by_client ON consent (client_id, id);
CREATE INDEX consent_by_end ON consent (valid_until, client_id) WHERE valid_until IS NOT NULL AND ended_how IS NULL;
CREATE TRIGGER consent_only_ends BEFORE UPDATE ON consent
WHEN OLD.ended_how IS NOT NULL
  OR (NEW.id, NEW.client_id, NEW.purpose, NEW.given_by, NEW.guardian_id, NEW.assent, NEW.language,
      NEW.text_version, NEW.given_on, NEW.valid_until)
  IS NOT (OLD.id, OLD.client_id, OLD.purpose, OLD.given_by, OLD.guardian_id, OLD.assent, OLD.language,
      OLD.text_version, OLD.given_on, OLD.valid_until)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- A counsellor who must not see a client.
CREATE TABLE conflict_of_interest (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    client_id       BLOB NOT NULL REFERENCES client (id),
    counsellor_id   BLOB NOT NULL REFERENCES counsellor (id),
    UNIQUE (client_id, counsellor_id)
) STRICT;

-- What joins the parties of one crime, across organisations. The key is a keyed digest of
-- district, police station and crime number.
CREATE TABLE link (
    id          BLOB PRIMARY KEY,
    joint_key   BLOB NOT NULL UNIQUE
) STRICT;

-- A case; CASE is a reserved word.
CREATE TABLE case_file (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    link_id         BLOB NOT NULL REFERENCES link (id),
    crime_number    TEXT NOT NULL,
    police_station  TEXT NOT NULL,
    district        TEXT NOT NULL,
    UNIQUE (organisation_id, link_id)
) STRICT;
CREATE INDEX case_file_by_link ON case_file (link_id);

CREATE TABLE case_party (
    case_file_id    BLOB NOT NULL REFERENCES case_file (id),
    client_id       BLOB NOT NULL REFERENCES client (id),
    role            TEXT NOT NULL CHECK (role IN ('SURVIVOR', 'ACCUSED')),
    PRIMARY KEY (case_file_id, client_id)
) STRICT;
CREATE INDEX case_party_by_client ON case_party (client_id);

-- Days on which a case takes its parties away.
CREATE TABLE proceeding (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    case_file_id    BLOB NOT NULL REFERENCES case_file (id),
    on_date         TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('HEARING', 'STATEMENT', 'EXAMINATION')),
    UNIQUE (case_file_id, on_date, kind)
) STRICT;

-- A declaration is a link of its own: its id is the link's.
CREATE TABLE no_contact (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    client_id       BLOB NOT NULL REFERENCES client (id),
    other_reference TEXT NOT NULL,
    UNIQUE (client_id, other_reference)
) STRICT;
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
    id                  BLOB PRIMARY KEY,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    organisation_id     BLOB NOT NULL REFERENCES organisation (id),
    zone                TEXT NOT NULL,
    first_on            TEXT NOT NULL,
    rule                TEXT,
    at_time             TEXT,
    exceptions          TEXT NOT NULL,
    programme_id        BLOB,
    programme_version   INTEGER,
    week                TEXT NOT NULL,
    plan                TEXT NOT NULL,
    skipped             TEXT NOT NULL,
    FOREIGN KEY (programme_id, programme_version) REFERENCES programme_version (programme_id, version),
    CHECK ((rule IS NULL) = (at_time IS NULL) AND (rule IS NULL) = (programme_id IS NOT NULL)
        AND (programme_id IS NULL) = (programme_version IS NULL)),
    UNIQUE (id, organisation_id)
) STRICT;

-- Its counsellors and its participants are of its side, and so of one side.
CREATE TABLE session (
    id                  BLOB PRIMARY KEY,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    organisation_id     BLOB NOT NULL REFERENCES organisation (id),
    side                TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    -- One to one is 1.
    capacity            INTEGER NOT NULL CHECK (capacity BETWEEN 1 AND 50),
    counsellor_id       BLOB NOT NULL,
    service             TEXT NOT NULL,
    modality            TEXT NOT NULL CHECK (modality IN ('IN_PERSON', 'REMOTE')),
    venue_id            BLOB REFERENCES venue (id),
    site_id             BLOB REFERENCES site (id),
    room_id             BLOB REFERENCES room (id),
    starts_at           INTEGER NOT NULL,
    ends_at             INTEGER NOT NULL,
    on_date             TEXT NOT NULL,
    zone                TEXT NOT NULL,
    state               TEXT NOT NULL CHECK (state IN ('HELD', 'BOOKED', 'CANCELLED', 'RESCHEDULED')),
    cancelled_at        INTEGER,
    cancel_reason       TEXT CHECK (cancel_reason IN ('CLIENT', 'PROVIDER', 'LOGISTICS', 'COURT', 'OTHER')),
    -- Checked at the end: the old session gives its number in the series to the new one before that is written.
    successor_id        BLOB REFERENCES session (id) DEFERRABLE INITIALLY DEFERRED,
    supersedes_id       BLOB UNIQUE REFERENCES session (id),
    held_until          INTEGER,
    held_by             TEXT,
    hold_number         INTEGER CHECK (hold_number BETWEEN 1 AND 10),
    series_id           BLOB,
    series_number       INTEGER CHECK (series_number BETWEEN 1 AND 400),
    overridden          TEXT NOT NULL,
    flags               TEXT NOT NULL,
    -- How many who stand as its participants have no record of attendance.
    unrecorded          INTEGER NOT NULL CHECK (unrecorded BETWEEN 0 AND capacity),
    FOREIGN KEY (counsellor_id, side) REFERENCES counsellor (id, side),
    FOREIGN KEY (series_id, organisation_id) REFERENCES series (id, organisation_id),
    UNIQUE (id, side),
    UNIQUE (id, side, capacity),
    -- Ten holds of one principal, never more.
    UNIQUE (held_by, hold_number),
    CHECK (starts_at < ends_at AND ends_at <= starts_at + 28800000000),
    CHECK ((modality = 'REMOTE') = (venue_id IS NULL) AND (venue_id IS NULL) = (site_id IS NULL)),
    CHECK (room_id IS NULL OR venue_id IS NOT NULL),
    CHECK ((state IN ('CANCELLED', 'RESCHEDULED')) = (cancelled_at IS NOT NULL)
        AND (cancelled_at IS NULL) = (cancel_reason IS NULL)),
    CHECK ((state = 'RESCHEDULED') = (successor_id IS NOT NULL)),
    CHECK ((series_id IS NULL) = (series_number IS NULL)),
    CHECK ((state = 'HELD') = (held_until IS NOT NULL) AND (held_until IS NULL) = (held_by IS NULL)
        AND (held_until IS NULL) = (hold_number IS NULL))
) STRICT;
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
    id                  BLOB PRIMARY KEY,
    session_id          BLOB NOT NULL,
    side                TEXT NOT NULL,
    capacity            INTEGER NOT NULL,
    seat                INTEGER NOT NULL CHECK (seat BETWEEN 1 AND capacity),
    client_id           BLOB NOT NULL,
    client_reference    TEXT NOT NULL,
    guardian_id         BLOB,
    interpreter         INTEGER NOT NULL CHECK (interpreter IN (0, 1)),
    -- The treatment order towards which it counts, if any.
    order_id            BLOB,
    overridden          TEXT NOT NULL,
    flags               TEXT NOT NULL,
    added_at            INTEGER NOT NULL,
    removed_at          INTEGER,
    removed_reason      TEXT CHECK (removed_reason IN ('CLIENT', 'PROVIDER', 'LOGISTICS', 'COURT', 'OTHER')),
    -- The record of attendance that stands; NULL when there is none.
    attendance_id       BLOB,
    FOREIGN KEY (session_id, side, capacity) REFERENCES session (id, side, capacity) ON DELETE CASCADE,
    FOREIGN KEY (client_id, side) REFERENCES client (id, side),
    FOREIGN KEY (guardian_id, client_id) REFERENCES guardian (id, client_id),
    FOREIGN KEY (order_id, client_id) REFERENCES treatment_order (id, client_id),
    FOREIGN KEY (attendance_id, id) REFERENCES attendance (id, participant_id),
    CHECK ((removed_at IS NULL) = (removed_reason IS NULL))
) STRICT;
CREATE UNIQUE INDEX session_participant_seat ON session_participant (session_id, seat) WHERE removed_at IS NULL;
CREATE UNIQUE INDEX session_participant_once ON session_participant (session_id, client_id) WHERE removed_at IS NULL;
CREATE INDEX session_participant_by_session ON session_participant (session_id);
CREATE INDEX session_participant_by_client ON session_participant (client_id, session_id, removed_at);
-- Whose place it is and since when never changes, and nothing but the record that stands once it was given up.
CREATE TRIGGER session_participant_is_history BEFORE UPDATE ON session_participant
WHEN (NEW.id, NEW.session_id, NEW.client_id, NEW.client_reference, NEW.added_at)
  IS NOT (OLD.id, OLD.session_id, OLD.client_id, OLD.client_reference, OLD.added_at)
  OR (OLD.removed_at IS NOT NULL
      AND (NEW.side, NEW.capacity, NEW.seat, NEW.guardian_id, NEW.interpreter, NEW.overridden, NEW.flags,
           NEW.removed_at, NEW.removed_reason)
      IS NOT (OLD.side, OLD.capacity, OLD.seat, OLD.guardian_id, OLD.interpreter, OLD.overridden, OLD.flags,
           OLD.removed_at, OLD.removed_reason))
  OR (OLD.attendance_id IS NOT NULL AND NEW.attendance_id IS NULL)
  OR (OLD.order_id IS NOT NULL AND NEW.order_id IS NOT OLD.order_id)
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- Who leads a group beside its counsellor.
CREATE TABLE session_facilitator (
    session_id          BLOB NOT NULL,
    counsellor_id       BLOB NOT NULL,
    side                TEXT NOT NULL,
    PRIMARY KEY (session_id, counsellor_id),
    FOREIGN KEY (session_id, side) REFERENCES session (id, side) ON DELETE CASCADE,
    FOREIGN KEY (counsellor_id, side) REFERENCES counsellor (id, side)
) STRICT, WITHOUT ROWID;
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
    id          BLOB PRIMARY KEY,
    session_id  BLOB NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    client_id   BLOB REFERENCES client (id),
    rule        TEXT NOT NULL,
    reason      BLOB NOT NULL,
    principal   TEXT NOT NULL,
    decided_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX session_override_by_session ON session_override (session_id, decided_at);

CREATE TRIGGER session_override_no_update BEFORE UPDATE ON session_override
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- Nobody and nothing is in two places at once: a counsellor (buffers included), a client, a room.
CREATE TABLE occupancy (
    session_id      BLOB NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    resource_id     BLOB NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('COUNSELLOR', 'CLIENT', 'ROOM')),
    organisation_id BLOB NOT NULL,
    side            TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    starts_at       INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL,
    -- Of a hold; from then on the row keeps nothing, and whoever wants the time removes it.
    expires_at      INTEGER,
    PRIMARY KEY (session_id, resource_id),
    CHECK (starts_at < ends_at AND ends_at <= starts_at + 86400000000)
) STRICT, WITHOUT ROWID;
-- Everything that is asked of it, so that the table is not.
CREATE INDEX occupancy_by_resource ON occupancy (resource_id, starts_at, ends_at, expires_at, organisation_id, side);
-- The scan is bounded by the longest occupancy, which the CHECK above limits.
CREATE TRIGGER occupancy_fence_insert BEFORE INSERT ON occupancy
BEGIN
    SELECT RAISE(ABORT, 'aftercare:occupied') WHERE EXISTS (
        SELECT 1 FROM occupancy
         WHERE resource_id = NEW.resource_id
           AND starts_at > NEW.starts_at - 86400000000 AND starts_at < NEW.ends_at
           AND ends_at > NEW.starts_at);
END;
CREATE TRIGGER occupancy_fence_update BEFORE UPDATE ON occupancy
BEGIN
    SELECT RAISE(ABORT, 'aftercare:occupied') WHERE EXISTS (
        SELECT 1 FROM occupancy
         WHERE resource_id = NEW.resource_id
           AND starts_at > NEW.starts_at - 86400000000 AND starts_at < NEW.ends_at
           AND ends_at > NEW.starts_at
           AND (session_id, resource_id) <> (OLD.session_id, OLD.resource_id));
END;

-- Survivors and offenders are never at one site within its separation gap; each presence is
-- padded by half the gap at both ends.
CREATE TABLE site_presence (
    session_id      BLOB PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
    site_id         BLOB NOT NULL REFERENCES site (id),
    side            TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    padded_from     INTEGER NOT NULL,
    padded_until    INTEGER NOT NULL,
    expires_at      INTEGER,
    CHECK (padded_from < padded_until AND padded_until <= padded_from + 172800000000)
) STRICT, WITHOUT ROWID;
CREATE INDEX site_presence_by_site ON site_presence (site_id, padded_from, padded_until, side, expires_at);
CREATE TRIGGER site_presence_fence_insert BEFORE INSERT ON site_presence
BEGIN
    SELECT RAISE(ABORT, 'aftercare:separation') WHERE EXISTS (
        SELECT 1 FROM site_presence
         WHERE site_id = NEW.site_id AND side <> NEW.side
           AND padded_from > NEW.padded_from - 172800000000 AND padded_from < NEW.padded_until
           AND padded_until > NEW.padded_from);
END;
CREATE TRIGGER site_presence_fence_update BEFORE UPDATE ON site_presence
BEGIN
    SELECT RAISE(ABORT, 'aftercare:separation') WHERE EXISTS (
        SELECT 1 FROM site_presence
         WHERE site_id = NEW.site_id AND side <> NEW.side
           AND padded_from > NEW.padded_from - 172800000000 AND padded_from < NEW.padded_until
           AND padded_until > NEW.padded_from
           AND session_id <> OLD.session_id);
END;

-- Linked people of different sides are never at one site on one local calendar day.
CREATE TABLE link_presence (
    session_id  BLOB NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    site_id     BLOB NOT NULL REFERENCES site (id),
    link_id     BLOB NOT NULL,
    on_date     TEXT NOT NULL,
    side        TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    PRIMARY KEY (session_id, link_id, on_date)
) STRICT, WITHOUT ROWID;
CREATE INDEX link_presence_by_link ON link_presence (link_id, on_date, site_id, side);
CREATE TRIGGER link_presence_fence_insert BEFORE INSERT ON link_presence
BEGIN
    SELECT RAISE(ABORT, 'aftercare:separation') WHERE EXISTS (
        SELECT 1 FROM link_presence
         WHERE link_id = NEW.link_id AND on_date = NEW.on_date
           AND site_id = NEW.site_id AND side <> NEW.side);
END;
CREATE TRIGGER link_presence_fence_update BEFORE UPDATE ON link_presence
BEGIN
    SELECT RAISE(ABORT, 'aftercare:separation') WHERE EXISTS (
        SELECT 1 FROM link_presence
         WHERE link_id = NEW.link_id AND on_date = NEW.on_date
           AND site_id = NEW.site_id AND side <> NEW.side
           AND (session_id, link_id, on_date) <> (OLD.session_id, OLD.link_id, OLD.on_date));
END;

-- One effect per request id. A row without a result is a request in progress, seen by nobody else.
CREATE TABLE request (
    principal   TEXT NOT NULL,
    request_id  BLOB NOT NULL,
    method      TEXT NOT NULL,
    digest      BLOB NOT NULL,
    result_id   BLOB,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (principal, request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX request_by_age ON request (created_at);

CREATE TABLE audit_event (
    id              BLOB PRIMARY KEY,
    occurred_at     INTEGER NOT NULL,
    principal       TEXT NOT NULL,
    role            TEXT NOT NULL,
    organisation_id BLOB,
    action          TEXT NOT NULL,
    outcome         TEXT NOT NULL CHECK (outcome IN ('DONE', 'REFUSED', 'DENIED')),
    reason          TEXT,
    -- JSON lists, as text: what is sealed are the bytes that were written.
    details         TEXT NOT NULL,
    subjects        TEXT NOT NULL,
    request_id      BLOB
) STRICT, WITHOUT ROWID;

-- REPLACE would delete without firing a trigger.
CREATE TRIGGER audit_event_no_replace BEFORE INSERT ON audit_event
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM audit_event WHERE id = NEW.id);
END;
CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
