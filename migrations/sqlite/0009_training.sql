-- What became of trainings for police units: never changed, a correction takes the place of the one before.
-- The PostgreSQL file of the same name has the same tables and columns.
CREATE TABLE training_record (
    id              BLOB PRIMARY KEY,
    session_id      BLOB NOT NULL REFERENCES session (id),
    number          INTEGER NOT NULL CHECK (number >= 1),
    police_unit     TEXT NOT NULL,
    topic           TEXT NOT NULL,
    invited         INTEGER NOT NULL CHECK (invited BETWEEN 1 AND 200),
    attended        INTEGER NOT NULL CHECK (attended BETWEEN 0 AND invited),
    trainees        BLOB NOT NULL,
    outcome         BLOB NOT NULL,
    recorded_at     INTEGER NOT NULL,
    recorded_by     TEXT NOT NULL,
    reason          BLOB,
    UNIQUE (session_id, number),
    CHECK ((number = 1) = (reason IS NULL))
) STRICT;
CREATE INDEX training ON session (organisation_id, starts_at, id) WHERE service = 'TRAINING';
CREATE TRIGGER training_record_no_replace BEFORE INSERT ON training_record
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM training_record WHERE id = NEW.id);
END;
CREATE TRIGGER training_record_no_update BEFORE UPDATE ON training_record
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER training_record_no_delete BEFORE DELETE ON training_record
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
