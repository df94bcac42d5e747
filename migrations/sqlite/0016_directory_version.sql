-- What the directory of an organisation is remembered by. The PostgreSQL file of the same name has the same tables and
-- columns.

-- One row for each thing that an organisation's directory is made of, drawn anew by whoever changes it. All of them
-- together are the version of the directory: no state has that of another, not even of one that was undone. There is no
-- single row for all, for which everybody who changes anything would wait: whoever changes a thing has locked it already.
-- Leave counts as its counsellor, and a holiday as its calendar.
CREATE TABLE directory_version (
    organisation_id BLOB NOT NULL,
    thing_id        BLOB NOT NULL,
    -- Forty random bits each, so that eight million of them can be added up.
    high            INTEGER NOT NULL,
    low             INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, thing_id)
) STRICT, WITHOUT ROWID;

INSERT INTO directory_version (organisation_id, thing_id, high, low)
SELECT id, id, random() & 1099511627775, random() & 1099511627775 FROM organisation;

-- What triggers write to, so that the drawing stands in one place.
CREATE VIEW directory_change AS SELECT organisation_id, thing_id FROM directory_version;
CREATE TRIGGER directory_change_drawn INSTEAD OF INSERT ON directory_change
BEGIN
    INSERT INTO directory_version (organisation_id, thing_id, high, low)
    VALUES (NEW.organisation_id, NEW.thing_id, random() & 1099511627775, random() & 1099511627775)
    ON CONFLICT (organisation_id, thing_id) DO UPDATE SET high = excluded.high, low = excluded.low;
END;

CREATE TRIGGER organisation_in_directory_insert AFTER INSERT ON organisation
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (NEW.id, NEW.id);
END;
CREATE TRIGGER organisation_in_directory_update AFTER UPDATE ON organisation
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (OLD.id, OLD.id), (NEW.id, NEW.id);
END;
CREATE TRIGGER organisation_in_directory_delete AFTER DELETE ON organisation
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (OLD.id, OLD.id);
END;

CREATE TRIGGER agreement_in_directory_insert AFTER INSERT ON agreement
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER agreement_in_directory_update AFTER UPDATE ON agreement
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    VALUES (OLD.organisation_id, OLD.id), (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER agreement_in_directory_delete AFTER DELETE ON agreement
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (OLD.organisation_id, OLD.id);
END;

CREATE TRIGGER holiday_calendar_in_directory_insert AFTER INSERT ON holiday_calendar
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER holiday_calendar_in_directory_update AFTER UPDATE ON holiday_calendar
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    VALUES (OLD.organisation_id, OLD.id), (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER holiday_calendar_in_directory_delete AFTER DELETE ON holiday_calendar
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (OLD.organisation_id, OLD.id);
END;

CREATE TRIGGER site_in_directory_insert AFTER INSERT ON site
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER site_in_directory_update AFTER UPDATE ON site
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    VALUES (OLD.organisation_id, OLD.id), (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER site_in_directory_delete AFTER DELETE ON site
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (OLD.organisation_id, OLD.id);
END;

CREATE TRIGGER venue_in_directory_insert AFTER INSERT ON venue
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER venue_in_directory_update AFTER UPDATE ON venue
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    VALUES (OLD.organisation_id, OLD.id), (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER venue_in_directory_delete AFTER DELETE ON venue
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (OLD.organisation_id, OLD.id);
END;

CREATE TRIGGER counsellor_in_directory_insert AFTER INSERT ON counsellor
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER counsellor_in_directory_update AFTER UPDATE ON counsellor
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    VALUES (OLD.organisation_id, OLD.id), (NEW.organisation_id, NEW.id);
END;
CREATE TRIGGER counsellor_in_directory_delete AFTER DELETE ON counsellor
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id) VALUES (OLD.organisation_id, OLD.id);
END;

CREATE TRIGGER room_in_directory_insert AFTER INSERT ON room
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, NEW.id FROM venue WHERE id IN (NEW.venue_id);
END;
CREATE TRIGGER room_in_directory_update AFTER UPDATE ON room
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, NEW.id FROM venue WHERE id IN (OLD.venue_id, NEW.venue_id);
END;
CREATE TRIGGER room_in_directory_delete AFTER DELETE ON room
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, OLD.id FROM venue WHERE id IN (OLD.venue_id);
END;

CREATE TRIGGER leave_in_directory_insert AFTER INSERT ON leave
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, id FROM counsellor WHERE id IN (NEW.counsellor_id);
END;
CREATE TRIGGER leave_in_directory_update AFTER UPDATE ON leave
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, id FROM counsellor WHERE id IN (OLD.counsellor_id, NEW.counsellor_id);
END;
CREATE TRIGGER leave_in_directory_delete AFTER DELETE ON leave
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, id FROM counsellor WHERE id IN (OLD.counsellor_id);
END;

CREATE TRIGGER holiday_in_directory_insert AFTER INSERT ON holiday
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, id FROM holiday_calendar WHERE id IN (NEW.holiday_calendar_id);
END;
CREATE TRIGGER holiday_in_directory_update AFTER UPDATE ON holiday
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, id FROM holiday_calendar WHERE id IN (OLD.holiday_calendar_id, NEW.holiday_calendar_id);
END;
CREATE TRIGGER holiday_in_directory_delete AFTER DELETE ON holiday
BEGIN
    INSERT INTO directory_change (organisation_id, thing_id)
    SELECT organisation_id, id FROM holiday_calendar WHERE id IN (OLD.holiday_calendar_id);
END;
