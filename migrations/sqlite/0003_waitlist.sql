-- Who waits for a time, the times that became free, and to whom each was offered. The PostgreSQL file
-- of the same name has the same tables and columns.

-- A client who waits for one session. Whoever has an open offer still waits.
CREATE TABLE waitlist_entry (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    side            TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    client_id       BLOB NOT NULL,
    service         TEXT NOT NULL,
    length_minutes  INTEGER NOT NULL CHECK (length_minutes BETWEEN 10 AND 480),
    counsellor_id   BLOB,
    modality        TEXT CHECK (modality IN ('IN_PERSON', 'REMOTE')),
    venue_id        BLOB REFERENCES venue (id),
    district        TEXT,
    first_day       TEXT,
    last_day        TEXT,
    times           TEXT NOT NULL,
    guardian_id     BLOB,
    interpreter     INTEGER NOT NULL CHECK (interpreter IN (0, 1)),
    escalated       INTEGER NOT NULL CHECK (escalated IN (0, 1)),
    joined_at       INTEGER NOT NULL,
    ended_how       TEXT CHECK (ended_how IN ('BOOKED', 'LEFT')),
    ended_at        INTEGER,
    session_id      BLOB REFERENCES session (id),
    FOREIGN KEY (client_id, side) REFERENCES client (id, side),
    FOREIGN KEY (counsellor_id, side) REFERENCES counsellor (id, side),
    FOREIGN KEY (guardian_id, client_id) REFERENCES guardian (id, client_id),
    UNIQUE (id, organisation_id, side),
    CHECK (first_day IS NULL OR last_day IS NULL OR first_day <= last_day),
    CHECK ((ended_how IS NULL) = (ended_at IS NULL)),
    CHECK ((ended_how IS NOT NULL AND ended_how = 'BOOKED') = (session_id IS NOT NULL))
) STRICT;
-- Nobody waits twice for the same.
CREATE UNIQUE INDEX waitlist_entry_once ON waitlist_entry (client_id, service) WHERE ended_how IS NULL;
-- For the check of the key when a session is deleted, as holds are.
CREATE INDEX waitlist_entry_by_session ON waitlist_entry (session_id);
-- For the check of the key when a counsellor changes.
CREATE INDEX waitlist_entry_by_counsellor ON waitlist_entry (counsellor_id, side);
CREATE INDEX waitlist_entry_waiting ON waitlist_entry (organisation_id, side, joined_at, id) WHERE ended_how IS NULL;

-- A time of a counsellor that a session gave back, and that is offered until somebody takes it or nobody is left.
CREATE TABLE freed_slot (
    id              BLOB PRIMARY KEY,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    side            TEXT NOT NULL CHECK (side IN ('SURVIVOR', 'OFFENDER')),
    counsellor_id   BLOB NOT NULL,
    -- None is remote. The room is chosen anew by whoever places a session.
    venue_id        BLOB REFERENCES venue (id),
    starts_at       INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL,
    -- The session that gave it back, and how.
    session_id      BLOB NOT NULL REFERENCES session (id),
    freed_how       TEXT NOT NULL CHECK (freed_how IN ('CANCELLED', 'RESCHEDULED')),
    freed_at        INTEGER NOT NULL,
    closed_how      TEXT CHECK (closed_how IN ('TAKEN', 'NOBODY')),
    closed_at       INTEGER,
    FOREIGN KEY (counsellor_id, side) REFERENCES counsellor (id, side),
    UNIQUE (id, organisation_id, side),
    CHECK (starts_at < ends_at),
    CHECK ((closed_how IS NULL) = (closed_at IS NULL))
) STRICT;
CREATE INDEX freed_slot_by_session ON freed_slot (session_id);
CREATE INDEX freed_slot_by_counsellor ON freed_slot (counsellor_id, side);
CREATE INDEX freed_slot_open ON freed_slot (organisation_id, side, starts_at) WHERE closed_how IS NULL;

-- Never across organisations or sides: the keys hold that.
CREATE TABLE waitlist_offer (
    id              BLOB PRIMARY KEY,
    organisation_id BLOB NOT NULL,
    side            TEXT NOT NULL,
    entry_id        BLOB NOT NULL,
    freed_slot_id   BLOB NOT NULL,
    -- The hold, which is gone when the offer has ended, or the session that it became.
    session_id      BLOB NOT NULL,
    starts_at       INTEGER NOT NULL,
    ends_at         INTEGER NOT NULL,
    offered_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    ended_how       TEXT CHECK (ended_how IN ('ACCEPTED', 'DECLINED', 'EXPIRED', 'WITHDRAWN')),
    ended_at        INTEGER,
    ended_by        TEXT,
    FOREIGN KEY (entry_id, organisation_id, side) REFERENCES waitlist_entry (id, organisation_id, side),
    FOREIGN KEY (freed_slot_id, organisation_id, side) REFERENCES freed_slot (id, organisation_id, side),
    -- Nobody is offered the same time twice.
    UNIQUE (freed_slot_id, entry_id),
    CHECK (starts_at < ends_at AND offered_at < expires_at AND expires_at <= starts_at),
    CHECK ((ended_how IS NULL) = (ended_at IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL))
) STRICT;
-- A time is offered to one at a time, and taken by one; an entry has one offer at a time, and takes one.
CREATE UNIQUE INDEX waitlist_offer_of_slot ON waitlist_offer (freed_slot_id)
    WHERE ended_how IS NULL OR ended_how = 'ACCEPTED';
CREATE UNIQUE INDEX waitlist_offer_of_entry ON waitlist_offer (entry_id)
    WHERE ended_how IS NULL OR ended_how = 'ACCEPTED';
CREATE INDEX waitlist_offer_open ON waitlist_offer (organisation_id, expires_at, id) WHERE ended_how IS NULL;
