-- Follow-up plans, their milestones, assessments, escalations, and the events of cases that start clocks. Where a
-- milestone stands on a day is computed from these rows; nothing here is written by a clock.
-- The PostgreSQL file of the same name has the same tables and columns.

-- A plan of a survivor or of a case: which version of which template, and the facts that its days hang on.
CREATE TABLE follow_up_plan (
    id                  BLOB PRIMARY KEY,
    version             INTEGER NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    organisation_id     BLOB NOT NULL REFERENCES organisation (id),
    client_id           BLOB REFERENCES client (id),
    case_file_id        BLOB REFERENCES case_file (id),
    counsellor_id       BLOB REFERENCES counsellor (id),
    template            TEXT NOT NULL,
    template_version    INTEGER NOT NULL CHECK (template_version >= 1),
    zone                TEXT NOT NULL,
    intake_on           TEXT NOT NULL,
    report_on           TEXT,
    planned_sessions    INTEGER CHECK (planned_sessions BETWEEN 6 AND 25),
    discharged_on       TEXT,
    first_attended_on   TEXT,
    closing             TEXT CHECK (closing IN ('COMPLETED', 'DROPPED_OUT', 'TRANSFERRED', 'IN_ERROR')),
    closed_at           INTEGER,
    CHECK ((client_id IS NULL) <> (case_file_id IS NULL)),
    CHECK ((client_id IS NULL) = (counsellor_id IS NULL) AND (client_id IS NULL) = (planned_sessions IS NULL)),
    CHECK (client_id IS NOT NULL OR (report_on IS NULL AND discharged_on IS NULL AND first_attended_on IS NULL)),
    CHECK (intake_on <= discharged_on),
    CHECK ((closing IS NULL) = (closed_at IS NULL))
) STRICT;
CREATE UNIQUE INDEX follow_up_plan_open ON follow_up_plan (client_id) WHERE closing IS NULL;
CREATE UNIQUE INDEX follow_up_plan_open_case ON follow_up_plan (case_file_id) WHERE closing IS NULL;
CREATE INDEX follow_up_plan_by_client ON follow_up_plan (client_id, id);
CREATE INDEX follow_up_plan_by_case ON follow_up_plan (case_file_id, id);
CREATE INDEX follow_up_plan_by_intake ON follow_up_plan (organisation_id, intake_on);
CREATE INDEX follow_up_plan_by_closing ON follow_up_plan (organisation_id, closed_at);

-- A milestone with its days as its anchor stands now. `listed` is whether it waits to be done and has a due day that
-- will not move with what is only planned, or opens before that; it makes "overdue and due this week" a page read.
CREATE TABLE milestone (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    plan_id         BLOB NOT NULL REFERENCES follow_up_plan (id),
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    counsellor_id   BLOB REFERENCES counsellor (id),
    code            TEXT NOT NULL,
    number          INTEGER NOT NULL CHECK (number >= 1),
    standing        TEXT NOT NULL CHECK (standing IN ('AWAITED', 'DONE', 'DECLINED', 'NOT_APPLICABLE', 'ON_HOLD')),
    provisional     INTEGER NOT NULL CHECK (provisional IN (0, 1)),
    anchor_on       TEXT,
    opens_on        TEXT,
    due_on          TEXT,
    closes_on       TEXT,
    due_at          INTEGER,
    done_on         TEXT,
    done_at         INTEGER,
    listed          INTEGER NOT NULL CHECK (listed IN (0, 1)),
    excused_at      INTEGER,
    excused_by      TEXT,
    excuse_reason   BLOB,
    UNIQUE (plan_id, code, number),
    CHECK ((standing = 'DONE') = (done_on IS NOT NULL)),
    CHECK (done_at IS NULL OR done_on IS NOT NULL),
    CHECK (standing <> 'ON_HOLD' OR excused_at IS NOT NULL),
    CHECK ((excused_at IS NULL) = (excused_by IS NULL) AND (excused_at IS NULL) = (excuse_reason IS NULL)),
    CHECK (opens_on <= due_on AND due_on <= closes_on),
    CHECK (listed = 0 OR (standing = 'AWAITED' AND due_on IS NOT NULL))
) STRICT;
CREATE INDEX milestone_listed ON milestone (organisation_id, due_on, id) WHERE listed = TRUE;
CREATE INDEX milestone_listed_of ON milestone (counsellor_id, due_on, id) WHERE listed = TRUE;
CREATE INDEX milestone_listed_of_clients ON milestone (organisation_id, due_on, id)
    WHERE listed = TRUE AND counsellor_id IS NOT NULL;
CREATE INDEX milestone_listed_of_cases ON milestone (organisation_id, due_on, id)
    WHERE listed = TRUE AND counsellor_id IS NULL;
-- For counts. Not by due day alone: pages of those that are listed are not to be read by it.
CREATE INDEX milestone_by_due ON milestone (organisation_id, standing, due_on);

-- An assessment. Only whether it stands changes, once, when a correction takes its place.
CREATE TABLE assessment (
    id                  BLOB PRIMARY KEY,
    organisation_id     BLOB NOT NULL REFERENCES organisation (id),
    client_id           BLOB NOT NULL REFERENCES client (id),
    plan_id             BLOB NOT NULL REFERENCES follow_up_plan (id),
    milestone_id        BLOB REFERENCES milestone (id),
    instrument          TEXT NOT NULL,
    instrument_version  TEXT NOT NULL,
    rule_set            TEXT NOT NULL,
    informant           TEXT NOT NULL CHECK (informant IN ('SELF', 'CAREGIVER')),
    language            TEXT NOT NULL,
    recall              TEXT NOT NULL,
    assessed_on         TEXT NOT NULL,
    closed              INTEGER NOT NULL CHECK (closed IN (0, 1)),
    answers             BLOB NOT NULL,
    result              BLOB NOT NULL,
    recorded_at         INTEGER NOT NULL,
    recorded_by         TEXT NOT NULL,
    recorded_as         TEXT NOT NULL,
    supersedes_id       BLOB UNIQUE,
    reason              BLOB,
    stands              INTEGER NOT NULL CHECK (stands IN (0, 1)),
    UNIQUE (id, client_id, instrument),
    FOREIGN KEY (supersedes_id, client_id, instrument) REFERENCES assessment (id, client_id, instrument),
    CHECK ((supersedes_id IS NULL) = (reason IS NULL))
) STRICT;
-- Twice on one day is a mistake.
CREATE UNIQUE INDEX assessment_once_a_day ON assessment (client_id, instrument, informant, assessed_on) WHERE stands = 1;
CREATE INDEX assessment_by_client ON assessment (client_id, assessed_on, id);
CREATE INDEX assessment_by_milestone ON assessment (milestone_id);
CREATE TRIGGER assessment_no_replace BEFORE INSERT ON assessment
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM assessment WHERE id = NEW.id);
END;
CREATE TRIGGER assessment_only_ends BEFORE UPDATE ON assessment
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE OLD.stands = 0 OR NEW.stands = 1
        OR (NEW.id, NEW.organisation_id, NEW.client_id, NEW.plan_id, NEW.milestone_id, NEW.instrument,
            NEW.instrument_version, NEW.rule_set, NEW.informant, NEW.language, NEW.recall, NEW.assessed_on,
            NEW.closed, NEW.answers, NEW.result, NEW.recorded_at, NEW.recorded_by, NEW.recorded_as,
            NEW.supersedes_id, NEW.reason)
        IS NOT (OLD.id, OLD.organisation_id, OLD.client_id, OLD.plan_id, OLD.milestone_id, OLD.instrument,
            OLD.instrument_version, OLD.rule_set, OLD.informant, OLD.language, OLD.recall, OLD.assessed_on,
            OLD.closed, OLD.answers, OLD.result, OLD.recorded_at, OLD.recorded_by, OLD.recorded_as,
            OLD.supersedes_id, OLD.reason);
END;
CREATE TRIGGER assessment_no_delete BEFORE DELETE ON assessment
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- What a milestone asks for, and what has answered it.
CREATE TABLE milestone_instrument (
    milestone_id    BLOB NOT NULL REFERENCES milestone (id),
    instrument      TEXT NOT NULL,
    assessment_id   BLOB REFERENCES assessment (id),
    excused_at      INTEGER,
    excused_by      TEXT,
    excuse_reason   BLOB,
    PRIMARY KEY (milestone_id, instrument),
    CHECK (excused_at IS NULL OR assessment_id IS NULL),
    CHECK ((excused_at IS NULL) = (excused_by IS NULL) AND (excused_at IS NULL) = (excuse_reason IS NULL))
) STRICT;
CREATE INDEX milestone_instrument_by_assessment ON milestone_instrument (assessment_id);

-- Who finds a listed milestone among the own: who is responsible for the client, and who leads sessions of the client.
-- It follows from plans and sessions, and is kept so that the own ones are a page read too.
CREATE TABLE milestone_carer (
    milestone_id    BLOB NOT NULL REFERENCES milestone (id),
    counsellor_id   BLOB NOT NULL REFERENCES counsellor (id),
    due_on          TEXT NOT NULL,
    PRIMARY KEY (milestone_id, counsellor_id)
) STRICT;
CREATE INDEX milestone_carer_by_due ON milestone_carer (counsellor_id, due_on, milestone_id);

-- Whose client somebody is: who leads or led sessions of the client, and who is responsible for the open plan.
CREATE VIEW own_client AS
    SELECT client_id, counsellor_id FROM seen
    UNION ALL
    SELECT client_id, counsellor_id FROM follow_up_plan WHERE closing IS NULL AND client_id IS NOT NULL;

-- What somebody has learned. Never changed.
CREATE TABLE concern (
    id              BLOB PRIMARY KEY,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    client_id       BLOB NOT NULL REFERENCES client (id),
    kind            TEXT NOT NULL CHECK (kind IN ('NEW_DISCLOSURE', 'CONTACT_WITH_ACCUSED', 'THREAT', 'MISSING_CHILD')),
    learned_at      INTEGER NOT NULL,
    text            BLOB NOT NULL,
    reported_at     INTEGER NOT NULL,
    reported_by     TEXT NOT NULL
) STRICT;
CREATE TRIGGER concern_no_replace BEFORE INSERT ON concern
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM concern WHERE id = NEW.id);
END;
CREATE TRIGGER concern_no_update BEFORE UPDATE ON concern
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER concern_no_delete BEFORE DELETE ON concern
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- A call upon a person. It is raised once by each cause.
CREATE TABLE escalation (
    id                  BLOB PRIMARY KEY,
    version             INTEGER NOT NULL,
    organisation_id     BLOB NOT NULL REFERENCES organisation (id),
    client_id           BLOB NOT NULL REFERENCES client (id),
    counsellor_id       BLOB NOT NULL REFERENCES counsellor (id),
    level               TEXT NOT NULL CHECK (level IN ('R1', 'R2', 'R3')),
    trigger_code        TEXT NOT NULL CHECK (trigger_code IN ('RISK_ITEM', 'RISK_ITEM_UNKNOWN', 'TOTAL_ROSE',
                            'WORSENED', 'RISK_SYMPTOM', 'NEW_DISCLOSURE', 'CONTACT_WITH_ACCUSED', 'THREAT',
                            'MISSING_CHILD', 'NO_SHOW_WHILE_OPEN', 'TWO_NO_SHOWS')),
    assessment_id       BLOB REFERENCES assessment (id),
    attendance_id       BLOB REFERENCES attendance (id),
    concern_id          BLOB REFERENCES concern (id),
    zone                TEXT NOT NULL,
    raised_at           INTEGER NOT NULL,
    due_at              INTEGER NOT NULL,
    passed_on_at        INTEGER,
    acknowledged_at     INTEGER,
    acknowledged_by     TEXT,
    resolved_at         INTEGER,
    resolved_by         TEXT,
    action              TEXT CHECK (action IN ('LIVE_CONTACT', 'CLINICAL_REVIEW', 'WELFARE_CHECK',
                            'EMERGENCY_SERVICES', 'REFERRAL', 'NOTHING_NEEDED')),
    note                BLOB,
    UNIQUE (trigger_code, assessment_id),
    UNIQUE (trigger_code, attendance_id),
    UNIQUE (concern_id),
    CHECK ((assessment_id IS NOT NULL) + (attendance_id IS NOT NULL) + (concern_id IS NOT NULL) = 1),
    CHECK (raised_at <= due_at),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK ((resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (action IS NULL)
        AND (resolved_at IS NULL) = (note IS NULL)),
    CHECK (resolved_at IS NULL OR acknowledged_at IS NOT NULL)
) STRICT;
CREATE INDEX escalation_open ON escalation (organisation_id, due_at, id) WHERE resolved_at IS NULL;
CREATE INDEX escalation_all ON escalation (organisation_id, due_at, id);
CREATE INDEX escalation_by_client ON escalation (client_id, resolved_at);

-- A report that the law demands.
CREATE TABLE mandatory_report (
    id              BLOB PRIMARY KEY,
    version         INTEGER NOT NULL,
    organisation_id BLOB NOT NULL REFERENCES organisation (id),
    client_id       BLOB NOT NULL REFERENCES client (id),
    concern_id      BLOB NOT NULL UNIQUE REFERENCES concern (id),
    learned_at      INTEGER NOT NULL,
    due_at          INTEGER NOT NULL,
    reported_at     INTEGER,
    recipient       TEXT CHECK (recipient IN ('SPECIAL_JUVENILE_POLICE_UNIT', 'LOCAL_POLICE', 'ALREADY_REPORTED')),
    reference       BLOB,
    recorded_at     INTEGER,
    recorded_by     TEXT,
    CHECK ((reported_at IS NULL) = (recipient IS NULL) AND (reported_at IS NULL) = (reference IS NULL)
        AND (reported_at IS NULL) = (recorded_at IS NULL) AND (reported_at IS NULL) = (recorded_by IS NULL)),
    -- Somebody else may have reported it before it became known here.
    CHECK (recipient = 'ALREADY_REPORTED' OR learned_at <= reported_at)
) STRICT;
CREATE INDEX mandatory_report_open ON mandatory_report (organisation_id, due_at, id) WHERE reported_at IS NULL;
CREATE INDEX mandatory_report_all ON mandatory_report (organisation_id, due_at, id);
CREATE INDEX mandatory_report_by_client ON mandatory_report (client_id);

-- An event of a case. Never changed: a correction takes its place.
CREATE TABLE case_event (
    id              BLOB PRIMARY KEY,
    case_file_id    BLOB NOT NULL REFERENCES case_file (id),
    kind            TEXT NOT NULL CHECK (kind IN ('REPORT', 'INFORMATION', 'HOME_NOT_SAFE', 'CARE_ARRANGED',
                        'CWC_COURT_TOLD', 'PRODUCED_BEFORE_CWC', 'SUPPORT_PERSON_ASSIGNED', 'SUPPORT_PERSON_WAIVED',
                        'SUPPORT_PERSON_REPORT', 'SUPPORT_PERSON_ENDED', 'MEDICAL_EXAMINATION', 'AGE_TEST_ORDERED',
                        'AGE_TEST_DONE', 'COGNIZANCE', 'CHILD_EVIDENCE_RECORDED', 'TRIAL_ENDED', 'RELIEF_RECOMMENDED',
                        'RELIEF_PAID', 'COMPENSATION_ORDERED', 'COMPENSATION_PAID')),
    happened_at     INTEGER NOT NULL,
    happened_on     TEXT NOT NULL,
    time_known      INTEGER NOT NULL CHECK (time_known IN (0, 1)),
    source          BLOB NOT NULL,
    actor           BLOB NOT NULL,
    withdrawn       INTEGER NOT NULL CHECK (withdrawn IN (0, 1)),
    recorded_at     INTEGER NOT NULL,
    recorded_by     TEXT NOT NULL,
    supersedes_id   BLOB UNIQUE,
    reason          BLOB,
    UNIQUE (id, case_file_id),
    FOREIGN KEY (supersedes_id, case_file_id) REFERENCES case_event (id, case_file_id),
    CHECK ((supersedes_id IS NULL) = (reason IS NULL)),
    CHECK (withdrawn = 0 OR supersedes_id IS NOT NULL)
) STRICT;
CREATE INDEX case_event_by_case ON case_event (case_file_id, happened_at, id);
CREATE TRIGGER case_event_no_replace BEFORE INSERT ON case_event
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only') WHERE EXISTS (SELECT 1 FROM case_event WHERE id = NEW.id);
END;
CREATE TRIGGER case_event_no_update BEFORE UPDATE ON case_event
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;
CREATE TRIGGER case_event_no_delete BEFORE DELETE ON case_event
BEGIN
    SELECT RAISE(ABORT, 'aftercare:append_only');
END;

-- The session that was booked for a milestone. A moved session hands the milestone on to the one that takes its place.
CREATE TABLE milestone_session (
    session_id      BLOB PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
    milestone_id    BLOB NOT NULL REFERENCES milestone (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX milestone_session_by_milestone ON milestone_session (milestone_id);
