-- What became of each planned session for each participant, whether absences were acceptable, and what was noted.
-- Nothing here is ever changed or deleted. The SQLite file of the same name has the same tables and columns.

-- What became of it. Each record after the first takes the place of the one before it.
CREATE TABLE attendance (
    id                  UUID PRIMARY KEY,
    participant_id      UUID NOT NULL REFERENCES session_participant (id),
    number              BIGINT NOT NULL CHECK (number >= 1),
    outcome             TEXT NOT NULL CHECK (outcome IN ('ATTENDED_COMPLIED', 'ATTENDED_DID_NOT_COMPLY', 'LATE',
                            'LEFT_EARLY', 'MADE_UP', 'SENT_HOME_BY_PROVIDER', 'ACCEPTABLE_MEDICAL',
                            'ACCEPTABLE_COURT', 'ACCEPTABLE_CUSTODY', 'ACCEPTABLE_WORK', 'ACCEPTABLE_BEREAVEMENT',
                            'ACCEPTABLE_RELIGIOUS', 'ACCEPTABLE_FAMILY', 'ACCEPTABLE_TRANSPORT',
                            'ACCEPTABLE_CLIENT_SAFETY', 'NO_SHOW', 'REFUSED', 'INTOXICATED', 'DISRUPTIVE',
                            'LATE_CANCELLED', 'PROVIDER_CANCELLED', 'RESCHEDULED')),
    late_minutes        BIGINT CHECK (late_minutes BETWEEN 1 AND 479),
    attended_minutes    BIGINT CHECK (attended_minutes BETWEEN 1 AND 479),
    concern             TEXT CHECK (concern IN ('DID_NOT_TAKE_PART', 'ASSIGNMENT_NOT_DONE', 'BROKE_AGREED_RULES',
                            'HOSTILE_CONDUCT', 'OTHER')),
    not_held_reason     TEXT CHECK (not_held_reason IN ('COUNSELLOR_ABSENT', 'VENUE_CLOSED', 'CONNECTION_FAILED',
                            'COURT', 'CUSTODY', 'OTHER')),
    recorded_at         TIMESTAMPTZ NOT NULL,
    recorded_by         TEXT NOT NULL,
    recorded_as         TEXT NOT NULL,
    supersedes_id       UUID UNIQUE,
    reason              BYTEA,
    late                BOOLEAN NOT NULL,
    UNIQUE (participant_id, number),
    UNIQUE (id, participant_id),
    FOREIGN KEY (supersedes_id, participant_id) REFERENCES attendance (id, participant_id),
    CHECK ((number = 1) = (supersedes_id IS NULL) AND (supersedes_id IS NULL) = (reason IS NULL)),
    CHECK (NOT late OR number > 1),
    CHECK ((outcome = 'LATE') = (late_minutes IS NOT NULL)),
    CHECK ((outcome = 'LEFT_EARLY') = (attended_minutes IS NOT NULL)),
    CHECK ((outcome = 'ATTENDED_DID_NOT_COMPLY') = (concern IS NOT NULL)),
    CHECK ((outcome IN ('SENT_HOME_BY_PROVIDER', 'PROVIDER_CANCELLED', 'RESCHEDULED')) = (not_held_reason IS NOT NULL))
);

-- Whether an absence was acceptable: about one record of it, the last decision counts.
CREATE TABLE absence_decision (
    id                  UUID PRIMARY KEY,
    participant_id      UUID NOT NULL,
    number              BIGINT NOT NULL CHECK (number >= 1),
    attendance_id       UUID NOT NULL,
    acceptable          BOOLEAN NOT NULL,
    serious             BOOLEAN NOT NULL,
    ground              TEXT CHECK (ground IN ('MEDICAL', 'COURT', 'CUSTODY', 'WORK', 'BEREAVEMENT', 'RELIGIOUS',
                            'FAMILY', 'TRANSPORT', 'CLIENT_SAFETY')),
    evidence_reference  BYTEA,
    verifier            BYTEA,
    decided_at          TIMESTAMPTZ NOT NULL,
    decided_by          TEXT NOT NULL,
    decided_as          TEXT NOT NULL,
    UNIQUE (participant_id, number),
    FOREIGN KEY (attendance_id, participant_id) REFERENCES attendance (id, participant_id),
    CHECK (acceptable = (ground IS NOT NULL)),
    CHECK (NOT acceptable OR (NOT serious AND evidence_reference IS NOT NULL)),
    CHECK ((evidence_reference IS NULL) = (verifier IS NULL))
);

-- What a counsellor wrote about one client at one session. Each takes the place of at most one other.
CREATE TABLE session_note (
    id              UUID PRIMARY KEY,
    session_id      UUID NOT NULL REFERENCES session (id),
    client_id       UUID NOT NULL REFERENCES client (id),
    counsellor_id   UUID NOT NULL REFERENCES counsellor (id),
    supersedes_id   UUID UNIQUE,
    text            BYTEA NOT NULL,
    written_at      TIMESTAMPTZ NOT NULL,
    written_by      TEXT NOT NULL,
    UNIQUE (id, session_id, client_id, counsellor_id),
    FOREIGN KEY (supersedes_id, session_id, client_id, counsellor_id)
        REFERENCES session_note (id, session_id, client_id, counsellor_id)
);
CREATE INDEX session_note_by_session ON session_note (session_id, written_at, id);

-- What stands of a participant's records is one of them.
ALTER TABLE session_participant ADD FOREIGN KEY (attendance_id, id) REFERENCES attendance (id, participant_id);

CREATE TRIGGER attendance_append_only BEFORE UPDATE OR DELETE ON attendance
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER attendance_no_truncate BEFORE TRUNCATE ON attendance
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER absence_decision_append_only BEFORE UPDATE OR DELETE ON absence_decision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER absence_decision_no_truncate BEFORE TRUNCATE ON absence_decision
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER session_note_append_only BEFORE UPDATE OR DELETE ON session_note
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER session_note_no_truncate BEFORE TRUNCATE ON session_note
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
