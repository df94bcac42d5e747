-- Follow-up plans, their milestones, assessments, escalations, and the events of cases that start clocks. Where a
-- milestone stands on a day is computed from these rows; nothing here is written by a clock.
-- The SQLite file of the same name has the same tables and columns.

-- A plan of a survivor or of a case: which version of which template, and the facts that its days hang on.
CREATE TABLE follow_up_plan (
    id                  UUID PRIMARY KEY,
    version             BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    organisation_id     UUID NOT NULL REFERENCES organisation (id),
    client_id           UUID REFERENCES client (id),
    case_file_id        UUID REFERENCES case_file (id),
    counsellor_id       UUID REFERENCES counsellor (id),
    template            TEXT NOT NULL,
    template_version    BIGINT NOT NULL CHECK (template_version >= 1),
    zone                TEXT NOT NULL,
    intake_on           DATE NOT NULL,
    report_on           DATE,
    planned_sessions    BIGINT CHECK (planned_sessions BETWEEN 6 AND 25),
    discharged_on       DATE,
    first_attended_on   DATE,
    closing             TEXT CHECK (closing IN ('COMPLETED', 'DROPPED_OUT', 'TRANSFERRED', 'IN_ERROR')),
    closed_at           TIMESTAMPTZ,
    CHECK ((client_id IS NULL) <> (case_file_id IS NULL)),
    CHECK ((client_id IS NULL) = (counsellor_id IS NULL) AND (client_id IS NULL) = (planned_sessions IS NULL)),
    CHECK (client_id IS NOT NULL OR (report_on IS NULL AND discharged_on IS NULL AND first_attended_on IS NULL)),
    CHECK (intake_on <= discharged_on),
    CHECK ((closing IS NULL) = (closed_at IS NULL))
);
CREATE UNIQUE INDEX follow_up_plan_open ON follow_up_plan (client_id) WHERE closing IS NULL;
CREATE UNIQUE INDEX follow_up_plan_open_case ON follow_up_plan (case_file_id) WHERE closing IS NULL;
CREATE INDEX follow_up_plan_by_client ON follow_up_plan (client_id, id);
CREATE INDEX follow_up_plan_by_case ON follow_up_plan (case_file_id, id);
CREATE INDEX follow_up_plan_by_intake ON follow_up_plan (organisation_id, intake_on);
CREATE INDEX follow_up_plan_by_closing ON follow_up_plan (organisation_id, closed_at);

-- A milestone with its days as its anchor stands now. `listed` is whether it waits to be done and has a due day that
-- will not move with what is only planned, or opens before that; it makes "overdue and due this week" a page read.
CREATE TABLE milestone (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    plan_id         UUID NOT NULL REFERENCES follow_up_plan (id),
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    counsellor_id   UUID REFERENCES counsellor (id),
    code            TEXT NOT NULL,
    number          BIGINT NOT NULL CHECK (number >= 1),
    standing        TEXT NOT NULL CHECK (standing IN ('AWAITED', 'DONE', 'DECLINED', 'NOT_APPLICABLE', 'ON_HOLD')),
    provisional     BOOLEAN NOT NULL,
    anchor_on       DATE,
    opens_on        DATE,
    due_on          DATE,
    closes_on       DATE,
    due_at          TIMESTAMPTZ,
    done_on         DATE,
    done_at         TIMESTAMPTZ,
    listed          BOOLEAN NOT NULL,
    excused_at      TIMESTAMPTZ,
    excused_by      TEXT,
    excuse_reason   BYTEA,
    UNIQUE (plan_id, code, number),
    CHECK ((standing = 'DONE') = (done_on IS NOT NULL)),
    CHECK (done_at IS NULL OR done_on IS NOT NULL),
    CHECK (standing <> 'ON_HOLD' OR excused_at IS NOT NULL),
    CHECK ((excused_at IS NULL) = (excused_by IS NULL) AND (excused_at IS NULL) = (excuse_reason IS NULL)),
    CHECK (opens_on <= due_on AND due_on <= closes_on),
    CHECK (NOT listed OR (standing = 'AWAITED' AND due_on IS NOT NULL))
);
CREATE INDEX milestone_listed ON milestone (organisation_id, due_on, id) WHERE listed;
CREATE INDEX milestone_listed_of ON milestone (counsellor_id, due_on, id) WHERE listed;
CREATE INDEX milestone_listed_of_clients ON milestone (organisation_id, due_on, id)
    WHERE listed AND counsellor_id IS NOT NULL;
CREATE INDEX milestone_listed_of_cases ON milestone (organisation_id, due_on, id)
    WHERE listed AND counsellor_id IS NULL;
-- For counts. Not by due day alone: pages of those that are listed are not to be read by it.
CREATE INDEX milestone_by_due ON milestone (organisation_id, standing, due_on);

-- An assessment. Only whether it stands changes, once, when a correction takes its place.
CREATE TABLE assessment (
    id                  UUID PRIMARY KEY,
    organisation_id     UUID NOT NULL REFERENCES organisation (id),
    client_id           UUID NOT NULL REFERENCES client (id),
    plan_id             UUID NOT NULL REFERENCES follow_up_plan (id),
    milestone_id        UUID REFERENCES milestone (id),
    instrument          TEXT NOT NULL,
    instrument_version  TEXT NOT NULL,
    rule_set            TEXT NOT NULL,
    informant           TEXT NOT NULL CHECK (informant IN ('SELF', 'CAREGIVER')),
    language            TEXT NOT NULL,
    recall              TEXT NOT NULL,
    assessed_on         DATE NOT NULL,
    closed              BOOLEAN NOT NULL,
    answers             BYTEA NOT NULL,
    result              BYTEA NOT NULL,
    recorded_at         TIMESTAMPTZ NOT NULL,
    recorded_by         TEXT NOT NULL,
    recorded_as         TEXT NOT NULL,
    supersedes_id       UUID UNIQUE,
    reason              BYTEA,
    stands              BOOLEAN NOT NULL,
    UNIQUE (id, client_id, instrument),
    FOREIGN KEY (supersedes_id, client_id, instrument) REFERENCES assessment (id, client_id, instrument),
    CHECK ((supersedes_id IS NULL) = (reason IS NULL))
);
-- Twice on one day is a mistake.
CREATE UNIQUE INDEX assessment_once_a_day ON assessment (client_id, instrument, informant, assessed_on) WHERE stands;
CREATE INDEX assessment_by_client ON assessment (client_id, assessed_on, id);
CREATE INDEX assessment_by_milestone ON assessment (milestone_id);
CREATE FUNCTION refuse_other_assessment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR NOT OLD.stands OR NEW.stands
        OR (to_jsonb(NEW) - 'stands') IS DISTINCT FROM (to_jsonb(OLD) - 'stands') THEN
        RAISE EXCEPTION 'aftercare:append_only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER assessment_only_ends BEFORE UPDATE OR DELETE ON assessment
    FOR EACH ROW EXECUTE FUNCTION refuse_other_assessment();

-- What a milestone asks for, and what has answered it.
CREATE TABLE milestone_instrument (
    milestone_id    UUID NOT NULL REFERENCES milestone (id),
    instrument      TEXT NOT NULL,
    assessment_id   UUID REFERENCES assessment (id),
    excused_at      TIMESTAMPTZ,
    excused_by      TEXT,
    excuse_reason   BYTEA,
    PRIMARY KEY (milestone_id, instrument),
    CHECK (excused_at IS NULL OR assessment_id IS NULL),
    CHECK ((excused_at IS NULL) = (excused_by IS NULL) AND (excused_at IS NULL) = (excuse_reason IS NULL))
);
CREATE INDEX milestone_instrument_by_assessment ON milestone_instrument (assessment_id);

-- Who finds a listed milestone among the own: who is responsible for the client, and who leads sessions of the client.
-- It follows from plans and sessions, and is kept so that the own ones are a page read too.
CREATE TABLE milestone_carer (
    milestone_id    UUID NOT NULL REFERENCES milestone (id),
    counsellor_id   UUID NOT NULL REFERENCES counsellor (id),
    due_on          DATE NOT NULL,
    PRIMARY KEY (milestone_id, counsellor_id)
);
CREATE INDEX milestone_carer_by_due ON milestone_carer (counsellor_id, due_on, milestone_id);

-- Whose client somebody is: who leads or led sessions of the client, and who is responsible for the open plan.
CREATE VIEW own_client AS
    SELECT client_id, counsellor_id FROM seen
    UNION ALL
    SELECT client_id, counsellor_id FROM follow_up_plan WHERE closing IS NULL AND client_id IS NOT NULL;

-- What somebody has learned. Never changed.
CREATE TABLE concern (
    id              UUID PRIMARY KEY,
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    client_id       UUID NOT NULL REFERENCES client (id),
    kind            TEXT NOT NULL CHECK (kind IN ('NEW_DISCLOSURE', 'CONTACT_WITH_ACCUSED', 'THREAT', 'MISSING_CHILD')),
    learned_at      TIMESTAMPTZ NOT NULL,
    text            BYTEA NOT NULL,
    reported_at     TIMESTAMPTZ NOT NULL,
    reported_by     TEXT NOT NULL
);
CREATE TRIGGER concern_append_only BEFORE UPDATE OR DELETE ON concern
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- A call upon a person. It is raised once by each cause.
CREATE TABLE escalation (
    id                  UUID PRIMARY KEY,
    version             BIGINT NOT NULL,
    organisation_id     UUID NOT NULL REFERENCES organisation (id),
    client_id           UUID NOT NULL REFERENCES client (id),
    counsellor_id       UUID NOT NULL REFERENCES counsellor (id),
    level               TEXT NOT NULL CHECK (level IN ('R1', 'R2', 'R3')),
    trigger_code        TEXT NOT NULL CHECK (trigger_code IN ('RISK_ITEM', 'RISK_ITEM_UNKNOWN', 'TOTAL_ROSE',
                            'WORSENED', 'RISK_SYMPTOM', 'NEW_DISCLOSURE', 'CONTACT_WITH_ACCUSED', 'THREAT',
                            'MISSING_CHILD', 'NO_SHOW_WHILE_OPEN', 'TWO_NO_SHOWS')),
    assessment_id       UUID REFERENCES assessment (id),
    attendance_id       UUID REFERENCES attendance (id),
    concern_id          UUID REFERENCES concern (id),
    zone                TEXT NOT NULL,
    raised_at           TIMESTAMPTZ NOT NULL,
    due_at              TIMESTAMPTZ NOT NULL,
    passed_on_at        TIMESTAMPTZ,
    acknowledged_at     TIMESTAMPTZ,
    acknowledged_by     TEXT,
    resolved_at         TIMESTAMPTZ,
    resolved_by         TEXT,
    action              TEXT CHECK (action IN ('LIVE_CONTACT', 'CLINICAL_REVIEW', 'WELFARE_CHECK',
                            'EMERGENCY_SERVICES', 'REFERRAL', 'NOTHING_NEEDED')),
    note                BYTEA,
    UNIQUE (trigger_code, assessment_id),
    UNIQUE (trigger_code, attendance_id),
    UNIQUE (concern_id),
    CHECK ((assessment_id IS NOT NULL)::int + (attendance_id IS NOT NULL)::int + (concern_id IS NOT NULL)::int = 1),
    CHECK (raised_at <= due_at),
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL)),
    CHECK ((resolved_at IS NULL) = (resolved_by IS NULL) AND (resolved_at IS NULL) = (action IS NULL)
        AND (resolved_at IS NULL) = (note IS NULL)),
    CHECK (resolved_at IS NULL OR acknowledged_at IS NOT NULL)
);
CREATE INDEX escalation_open ON escalation (organisation_id, due_at, id) WHERE resolved_at IS NULL;
CREATE INDEX escalation_all ON escalation (organisation_id, due_at, id);
CREATE INDEX escalation_by_client ON escalation (client_id, resolved_at);

-- A report that the law demands.
CREATE TABLE mandatory_report (
    id              UUID PRIMARY KEY,
    version         BIGINT NOT NULL,
    organisation_id UUID NOT NULL REFERENCES organisation (id),
    client_id       UUID NOT NULL REFERENCES client (id),
    concern_id      UUID NOT NULL UNIQUE REFERENCES concern (id),
    learned_at      TIMESTAMPTZ NOT NULL,
    due_at          TIMESTAMPTZ NOT NULL,
    reported_at     TIMESTAMPTZ,
    recipient       TEXT CHECK (recipient IN ('SPECIAL_JUVENILE_POLICE_UNIT', 'LOCAL_POLICE', 'ALREADY_REPORTED')),
    reference       BYTEA,
    recorded_at     TIMESTAMPTZ,
    recorded_by     TEXT,
    CHECK ((reported_at IS NULL) = (recipient IS NULL) AND (reported_at IS NULL) = (reference IS NULL)
        AND (reported_at IS NULL) = (recorded_at IS NULL) AND (reported_at IS NULL) = (recorded_by IS NULL)),
    -- Somebody else may have reported it before it became known here.
    CHECK (recipient = 'ALREADY_REPORTED' OR learned_at <= reported_at)
);
CREATE INDEX mandatory_report_open ON mandatory_report (organisation_id, due_at, id) WHERE reported_at IS NULL;
CREATE INDEX mandatory_report_all ON mandatory_report (organisation_id, due_at, id);
CREATE INDEX mandatory_report_by_client ON mandatory_report (client_id);

-- An event of a case. Never changed: a correction takes its place.
CREATE TABLE case_event (
    id              UUID PRIMARY KEY,
    case_file_id    UUID NOT NULL REFERENCES case_file (id),
    kind            TEXT NOT NULL CHECK (kind IN ('REPORT', 'INFORMATION', 'HOME_NOT_SAFE', 'CARE_ARRANGED',
                        'CWC_COURT_TOLD', 'PRODUCED_BEFORE_CWC', 'SUPPORT_PERSON_ASSIGNED', 'SUPPORT_PERSON_WAIVED',
                        'SUPPORT_PERSON_REPORT', 'SUPPORT_PERSON_ENDED', 'MEDICAL_EXAMINATION', 'AGE_TEST_ORDERED',
                        'AGE_TEST_DONE', 'COGNIZANCE', 'CHILD_EVIDENCE_RECORDED', 'TRIAL_ENDED', 'RELIEF_RECOMMENDED',
                        'RELIEF_PAID', 'COMPENSATION_ORDERED', 'COMPENSATION_PAID')),
    happened_at     TIMESTAMPTZ NOT NULL,
    happened_on     DATE NOT NULL,
    time_known      BOOLEAN NOT NULL,
    source          BYTEA NOT NULL,
    actor           BYTEA NOT NULL,
    withdrawn       BOOLEAN NOT NULL,
    recorded_at     TIMESTAMPTZ NOT NULL,
    recorded_by     TEXT NOT NULL,
    supersedes_id   UUID UNIQUE,
    reason          BYTEA,
    UNIQUE (id, case_file_id),
    FOREIGN KEY (supersedes_id, case_file_id) REFERENCES case_event (id, case_file_id),
    CHECK ((supersedes_id IS NULL) = (reason IS NULL)),
    CHECK (NOT withdrawn OR supersedes_id IS NOT NULL)
);
CREATE INDEX case_event_by_case ON case_event (case_file_id, happened_at, id);
CREATE TRIGGER case_event_append_only BEFORE UPDATE OR DELETE ON case_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The session that was booked for a milestone. A moved session hands the milestone on to the one that takes its place.
CREATE TABLE milestone_session (
    session_id      UUID PRIMARY KEY REFERENCES session (id) ON DELETE CASCADE,
    milestone_id    UUID NOT NULL REFERENCES milestone (id)
);
CREATE INDEX milestone_session_by_milestone ON milestone_session (milestone_id);

CREATE TRIGGER assessment_no_truncate BEFORE TRUNCATE ON assessment
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER concern_no_truncate BEFORE TRUNCATE ON concern
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER case_event_no_truncate BEFORE TRUNCATE ON case_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
