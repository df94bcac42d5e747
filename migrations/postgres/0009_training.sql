-- What became of trainings for police units: never changed, a correction takes the place of the one before.
-- The SQLite file of the same name has the same tables and columns.
CREATE TABLE training_record (
    id              UUID PRIMARY KEY,
    session_id      UUID NOT NULL REFERENCES session (id),
    number          BIGINT NOT NULL CHECK (number >= 1),
    police_unit     TEXT NOT NULL,
    topic           TEXT NOT NULL,
    invited         BIGINT NOT NULL CHECK (invited BETWEEN 1 AND 200),
    attended        BIGINT NOT NULL CHECK (attended BETWEEN 0 AND invited),
    trainees        BYTEA NOT NULL,
    outcome         BYTEA NOT NULL,
    recorded_at     TIMESTAMPTZ NOT NULL,
    recorded_by     TEXT NOT NULL,
    reason          BYTEA,
    UNIQUE (session_id, number),
    CHECK ((number = 1) = (reason IS NULL))
);
CREATE INDEX training ON session (organisation_id, starts_at, id) WHERE service = 'TRAINING';
CREATE TRIGGER training_record_append_only BEFORE UPDATE OR DELETE ON training_record
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER training_record_no_truncate BEFORE TRUNCATE ON training_record
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
