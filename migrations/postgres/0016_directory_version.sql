-- What the directory of an organisation is remembered by. The SQLite file of the same name has the same tables and
-- columns.

-- One row for each thing that an organisation's directory is made of, drawn anew by whoever changes it. All of them
-- together are the version of the directory: no state has that of another, not even of one that was undone. There is no
-- single row for all, for which everybody who changes anything would wait: whoever changes a thing has locked it already.
-- Leave counts as its counsellor, and a holiday as its calendar.
CREATE TABLE directory_version (
    organisation_id UUID NOT NULL,
    thing_id        UUID NOT NULL,
    -- Forty random bits each, so that eight million of them can be added up.
    high            BIGINT NOT NULL,
    low             BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, thing_id)
);

-- The first and the last ten digits of a random UUID are random.
CREATE FUNCTION draw_directory_version(organisation UUID, thing UUID) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    drawn TEXT := gen_random_uuid()::text;
BEGIN
    INSERT INTO directory_version (organisation_id, thing_id, high, low)
    VALUES (organisation, thing, ('x' || replace(left(drawn, 11), '-', ''))::bit(40)::bigint,
            ('x' || right(drawn, 10))::bit(40)::bigint)
    ON CONFLICT (organisation_id, thing_id) DO UPDATE SET high = excluded.high, low = excluded.low;
END $$;

SELECT draw_directory_version(id, id) FROM organisation;

-- Of an organisation itself.
CREATE FUNCTION organisation_in_directory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM draw_directory_version(id, id) FROM (SELECT OLD.id UNION SELECT NEW.id) AS changed (id) WHERE id IS NOT NULL;
    RETURN NULL;
END $$;

-- Of what says itself whose it is.
CREATE FUNCTION thing_in_directory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM draw_directory_version(organisation_id, id)
       FROM (SELECT OLD.organisation_id, OLD.id UNION SELECT NEW.organisation_id, NEW.id) AS changed (organisation_id, id)
      WHERE id IS NOT NULL;
    RETURN NULL;
END $$;

CREATE FUNCTION room_in_directory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM draw_directory_version(organisation_id, COALESCE(NEW.id, OLD.id))
       FROM venue WHERE id IN (OLD.venue_id, NEW.venue_id);
    RETURN NULL;
END $$;

CREATE FUNCTION leave_in_directory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM draw_directory_version(organisation_id, id)
       FROM counsellor WHERE id IN (OLD.counsellor_id, NEW.counsellor_id);
    RETURN NULL;
END $$;

CREATE FUNCTION holiday_in_directory() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM draw_directory_version(organisation_id, id)
       FROM holiday_calendar WHERE id IN (OLD.holiday_calendar_id, NEW.holiday_calendar_id);
    RETURN NULL;
END $$;

CREATE TRIGGER organisation_in_directory AFTER INSERT OR UPDATE OR DELETE ON organisation
    FOR EACH ROW EXECUTE FUNCTION organisation_in_directory();
CREATE TRIGGER agreement_in_directory AFTER INSERT OR UPDATE OR DELETE ON agreement
    FOR EACH ROW EXECUTE FUNCTION thing_in_directory();
CREATE TRIGGER holiday_calendar_in_directory AFTER INSERT OR UPDATE OR DELETE ON holiday_calendar
    FOR EACH ROW EXECUTE FUNCTION thing_in_directory();
CREATE TRIGGER site_in_directory AFTER INSERT OR UPDATE OR DELETE ON site
    FOR EACH ROW EXECUTE FUNCTION thing_in_directory();
CREATE TRIGGER venue_in_directory AFTER INSERT OR UPDATE OR DELETE ON venue
    FOR EACH ROW EXECUTE FUNCTION thing_in_directory();
CREATE TRIGGER counsellor_in_directory AFTER INSERT OR UPDATE OR DELETE ON counsellor
    FOR EACH ROW EXECUTE FUNCTION thing_in_directory();
CREATE TRIGGER room_in_directory AFTER INSERT OR UPDATE OR DELETE ON room
    FOR EACH ROW EXECUTE FUNCTION room_in_directory();
CREATE TRIGGER leave_in_directory AFTER INSERT OR UPDATE OR DELETE ON leave
    FOR EACH ROW EXECUTE FUNCTION leave_in_directory();
CREATE TRIGGER holiday_in_directory AFTER INSERT OR UPDATE OR DELETE ON holiday
    FOR EACH ROW EXECUTE FUNCTION holiday_in_directory();
