-- What became of each planned session for each participant, whether absences were acceptable, and what was noted.
-- Nothing here is ever changed or deleted. The PostgreSQL file of the same name has the same tables and columns.

-- What became of it. Each record after the first takes the place of the one before it.
CREATE TABLE attendance (
    id                  BLOB PRIMARY KEY,
    participant_id      BLOB NOT NULL REFERENCES session_participant (id),
    number              INTEGER NOT NULL CHECK (number >= 1),
    outcome             TEXT NOT NULL CHECK (outcome IN ('ATTENDED_COMPLIED', 'ATTENDED_DID_NOT_COMPLY', 'LATE',
                            'LEFT_EARLY', 'MADE_UP', 'SENT_HOME_BY_PROVIDER', 'ACCEPTABLE_MEDICAL',
                            'ACCEPTABLE_COURT', 'ACCEPTABLE_CUSTODY', 'ACCEPTABLE_WORK', 'ACCEPTABLE_BEREAVEMENT',
                            'ACCEPTABLE_RELIGIOUS', 'ACCEPTABLE_FAMILY', 'ACCEPTABLE_TRANSPORT',
                            'ACCEPTABLE_CLIENT_SAFETY', 'NO_SHOW', 'REFUSED', 'INTOXICATED', 'DISRUPTIVE',
                            'LATE_CANCELLED', 'PROVIDER_CANCELLED', 'RESCHEDULED')),
    late_minutes        INTEGER CHECK (late_minutes BETWEEN 1 AND 479),
    attended_minutes    INTEGER CHECK (attended_minutes BETWEEN 1 AND 479),
    concern             TEXT CHECK (concern IN ('DID_NOT_TAKE_PART', 'ASSIGNMENT_NOT_DONE', 'BROKE_AGREED_RULES',
                            'HOSTILE_CONDUCT', 'OTHER')),
    not_held_reason     TEXT CHECK (not_held_reason IN ('COUNSELLOR_ABSENT', 'VENUE_CLOSED', 'CONNECTION_FAILED',
                            'COURT', 'CUSTODY', 'OTHER')),
    recorded_at         INTEGER NOT NULL,
    recorded_by         TEXT NOT NULL,
    recorded_as         TEXT NOT NULL,
    supersedes_id       BLOB UNIQUE,
    reason              BLOB,
    late                INTEGER NOT NULL CHECK (late IN (0, 1)),
    UNIQUE (participant_id, number),
    UNIQUE (id, participant_id),
    FOREIGN KEY (supersedes_id, participant_id) REFERENCES attendance (id, participant_id),
    CHECK ((number = 1) = (supersedes_id IS NULL) AND (supersedes_id IS NULL) = (reason IS NULL)),
    CHECK (late = 0 OR number > 1),
    CHECK ((outcome = 'LATE') = (late_minutes IS NOT NULL)),
    CHECK ((outcome = 'LEFT_EARLY') = (attended_minutes IS NOT NULL)),
    CHECK ((outcome = 'ATTENDED_DID_NOT_COMPLY') = (concern IS NOT NULL)),
    CHECK ((outcome IN ('SENT_HOME_BY_PROVIDER', 'PROVIDER_CANCELLED', 'RESCHEDULED')) = (not_held_reason IS NOT NULL))
) STRICT;

-- Whether an absence was acceptable: about one record of it, the last decision counts.
CREATE TABLE absence_decision (
    id                  BLOB PRIMARY KEY,
    participant_id      BLOB NOT NULL,
    number              INTEGER NOT NULL CHECK (number >= 1),
    attendance_id       BLOB NOT NULL,
    acceptable          INTEGER NOT NULL CHECK (acceptable IN (0, 1)),
    serious             INTEGER NOT NULL CHECK (serious IN (0, 1)),
    ground              TEXT CHECK (ground IN ('MEDICAL', 'COURT', 'CUSTODY', 'WORK', 'BEREAVEMENT', 'RELIGIOUS',
                            'FAMILY', 'TRANSPORT', 'CLIENT_SAFETY')),
    evidence_reference  BLOB,
    verifier            BLOB,
    decided_at          INTEGER NOT NULL,
    decided_by          TEXT NOT NULL,
    decided_as          TEXT NOT NULL,
    UNIQUE (participant_id, number),
    FOREIGN KEY (attendance_id, participant_id) REFERENCES attendance (id, participant_id),
    CHECK ((acceptable = 1) = (ground IS NOT NULL)),
    CHECK (acceptable = 0 OR (serious = 0 AND evidence_reference IS NOT NULL)),
    CHECK ((evidence_reference IS NULL) = (verifier IS NULL))
) STRICT;

-- What a counsellor wrote about one client at one session. Each takes the place of at most one other.
CREATE TABLE session_note (
    id              BLOB PRIMARY KEY,
    session_id      BLOB NOT NULL REFERENCES session (id),
    client_id       BLOB NOT NULL REFERENCES client (id),
    counsellor_id   BLOB NOT NULL REFERENCES counsellor (id),
    supersedes_id   BLOB UNIQUE,
    text            BLOB NOT NULL,
    written_at      INTEGER NOT NULL,
    written_by      TEXT NOT NULL,
    UNIQUE (id, session_id, client_id, counsellor_id),
    FOREIGN KEY (supersedes_id, session_id, client_id, counsellor_id)
        REFERENCES session_note (id, session_id, client_id, counsellor_id)
) STRICT;
CREATE INDEX session_note_by_session ON session_note (session_id, written_at, id);

-- REPLACE would delete without firing a trigger.
CREATE TRIGGER attendance_no_replace BEFORE INSERT ON attendance
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM attendance WHERE id = NEW.id);
END;
CREATE TRIGGER attendance_no_update BEFORE UPDATE ON attendance
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER attendance_no_delete BEFORE DELETE ON attendance
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER absence_decision_no_replace BEFORE INSERT ON absence_decision
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM absence_decision WHERE id = NEW.id);
END;
CREATE TRIGGER absence_decision_no_update BEFORE UPDATE ON absence_decision
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER absence_decision_no_delete BEFORE DELETE ON absence_decision
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER session_note_no_replace BEFORE INSERT ON session_note
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM session_note WHERE id = NEW.id);
END;
CREATE TRIGGER session_note_no_update BEFORE UPDATE ON session_note
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER session_note_no_delete BEFORE DELETE ON session_note
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
