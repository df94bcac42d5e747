-- Work that is done later, by whichever process comes first. The transaction of a job's effect deletes
-- its row, so that a job is done and gone, or not done and here. The PostgreSQL file of the same name
-- has the same tables and columns.

CREATE TABLE job (
    id          BLOB PRIMARY KEY,
    created_at  INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    -- Ids and plain values; never anything about a person.
    payload     TEXT NOT NULL,
    -- What makes two jobs of a kind one.
    dedupe_key  TEXT,
    state       TEXT NOT NULL CHECK (state IN ('QUEUED', 'DEAD')),
    -- When it may be taken: at its time or, while somebody has it, when that lease ends.
    due_at      INTEGER NOT NULL,
    leased_by   BLOB,
    attempts    INTEGER NOT NULL CHECK (attempts >= 0),
    last_error  TEXT,
    UNIQUE (kind, dedupe_key),
    -- A dead letter belongs to nobody and is in no new job's way.
    CHECK (state = 'QUEUED' OR (leased_by IS NULL AND dedupe_key IS NULL))
) STRICT;
CREATE INDEX job_due ON job (due_at, id) WHERE state = 'QUEUED';
CREATE INDEX job_leased ON job (leased_by) WHERE leased_by IS NOT NULL;
CREATE INDEX job_dead ON job (id) WHERE state = 'DEAD';
