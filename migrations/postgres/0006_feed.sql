-- What changed, in one order per topic, for those who follow it. A change is noted in its own transaction and given
-- a position when that is committed, by one at a time: so no position comes to be below one that somebody has read.
-- The SQLite file of the same name has the same tables and columns.

-- Noted, and not yet in order. Whoever writes an aggregate has its row locked, so that its versions are noted in order.
CREATE TABLE feed_pending (
    topic           TEXT NOT NULL,
    aggregate_id    UUID NOT NULL,
    version         BIGINT NOT NULL,
    -- Ids and plain values; never anything about a person.
    payload         JSONB,
    noted_at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (topic, aggregate_id, version)
);
CREATE INDEX feed_pending_oldest ON feed_pending (noted_at, topic, aggregate_id, version);

-- How far a topic has come, and in which generation it last did. Positions count per topic: those of one say nothing
-- about another.
CREATE TABLE feed_topic (
    topic           TEXT PRIMARY KEY,
    last_position   BIGINT NOT NULL CHECK (last_position > 0),
    generation      BIGINT NOT NULL
);

-- From the oldest that is kept, positions have no gaps but where the data was restored from a copy.
CREATE TABLE feed (
    topic           TEXT NOT NULL,
    position        BIGINT NOT NULL CHECK (position > 0),
    aggregate_id    UUID NOT NULL,
    version         BIGINT NOT NULL,
    payload         JSONB,
    noted_at        TIMESTAMPTZ NOT NULL,
    sequenced_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (topic, position)
);
CREATE INDEX feed_by_age ON feed (sequenced_at);

CREATE TRIGGER feed_no_update BEFORE UPDATE ON feed
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- One row, which whoever gives positions has locked: how often that was done, and when last.
CREATE TABLE feed_head (
    singleton       BIGINT PRIMARY KEY CHECK (singleton = 1),
    generation      BIGINT NOT NULL,
    sequenced_at    TIMESTAMPTZ NOT NULL
);
INSERT INTO feed_head (singleton, generation, sequenced_at) VALUES (1, 0, '1970-01-01T00:00:00Z');
