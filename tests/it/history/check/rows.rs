//! What is left in the database: everything whole, of whatever was acknowledged and of whatever was not; and every
//! change with the one event in the audit trail that tells of it.

use aftercare::store::Tx;
use aftercare::store::codec::Instant;
use uuid::Uuid;

use super::super::scene::Scene;

/// Each finds what may not be there, by id.
const NEVER: [(&str, &str); 15] = [
    ("a request without what it made", "SELECT request_id FROM request WHERE result_id IS NULL"),
    (
        "a request without its one event",
        "SELECT r.request_id FROM request r
           LEFT JOIN (SELECT request_id, count(*) AS events FROM audit_event
                       WHERE outcome = 'DONE' AND CAST(details AS TEXT) NOT LIKE '%REPLAYED%'
                       GROUP BY request_id) a ON a.request_id = r.request_id
          WHERE COALESCE(a.events, 0) <> 1",
    ),
    (
        "attendance that was recorded and is not there",
        "SELECT request_id FROM request
          WHERE (method LIKE '%/RecordAttendance' OR method LIKE '%/AmendAttendance')
            AND result_id NOT IN (SELECT id FROM attendance)",
    ),
    (
        "an assessment that was submitted and is not there",
        "SELECT request_id FROM request
          WHERE method LIKE '%/SubmitAssessment' AND result_id NOT IN (SELECT id FROM assessment)",
    ),
    (
        "a session or a series that was booked and is not there",
        "SELECT request_id FROM request
          WHERE (method LIKE '%/BookSession' OR method LIKE '%/RescheduleSession' OR method LIKE '%/BookSeries')
            AND result_id NOT IN (SELECT id FROM session)
            AND result_id NOT IN (SELECT series_id FROM session WHERE series_id IS NOT NULL)",
    ),
    (
        "an event of a request that was not done",
        "SELECT a.request_id FROM audit_event a
          WHERE a.outcome = 'DONE' AND a.request_id IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM request r WHERE r.request_id = a.request_id)",
    ),
    (
        "a session that nobody has asked for",
        "SELECT s.id FROM session s
          WHERE s.id NOT IN (SELECT result_id FROM request WHERE result_id IS NOT NULL)
            AND (s.series_id IS NULL OR s.series_id NOT IN (SELECT result_id FROM request WHERE result_id IS NOT NULL))",
    ),
    (
        "a session that stands without the time of its counsellor",
        "SELECT s.id FROM session s
          WHERE s.state = 'BOOKED'
            AND NOT EXISTS (SELECT 1 FROM occupancy o WHERE o.session_id = s.id AND o.resource_id = s.counsellor_id)",
    ),
    (
        "a participant without the time for it",
        "SELECT p.session_id FROM session_participant p JOIN session s ON s.id = p.session_id
          WHERE s.state = 'BOOKED' AND p.removed_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM occupancy o WHERE o.session_id = s.id AND o.resource_id = p.client_id)",
    ),
    (
        "time that is taken for nothing",
        "SELECT o.session_id FROM occupancy o JOIN session s ON s.id = o.session_id
          WHERE s.state IN ('CANCELLED', 'RESCHEDULED')",
    ),
    (
        "time of somebody who is not there",
        "SELECT o.session_id FROM occupancy o JOIN session s ON s.id = o.session_id
          WHERE o.kind = 'CLIENT' AND NOT EXISTS (
                SELECT 1 FROM session_participant p
                 WHERE p.session_id = s.id AND p.client_id = o.resource_id AND p.removed_at IS NULL)",
    ),
    (
        "a session in person whose side is not at the site",
        "SELECT s.id FROM session s
          WHERE s.state = 'BOOKED' AND s.modality = 'IN_PERSON'
            AND NOT EXISTS (SELECT 1 FROM site_presence p WHERE p.session_id = s.id AND p.side = s.side)",
    ),
    (
        "somebody at a site without a session",
        "SELECT p.session_id FROM site_presence p JOIN session s ON s.id = p.session_id
          WHERE s.state IN ('CANCELLED', 'RESCHEDULED')",
    ),
    (
        "a session that was moved to nowhere",
        "SELECT s.id FROM session s
          WHERE s.state = 'RESCHEDULED'
            AND NOT EXISTS (SELECT 1 FROM session n WHERE n.id = s.successor_id AND n.supersedes_id = s.id)",
    ),
    (
        "a series of which there is a part",
        "SELECT series_id FROM session
          WHERE series_id IS NOT NULL AND supersedes_id IS NULL GROUP BY series_id HAVING count(*) <> 3",
    ),
];

/// Everything that is wrong with what is left.
pub async fn check(tx: &mut Tx) -> Vec<String> {
    let mut wrong = Vec::new();
    for (what, sql) in NEVER {
        for (id,) in tx.sql(sql).all::<(Uuid,)>().await.unwrap() {
            wrong.push(format!("half: {what}: {id}"));
        }
    }
    for (survivor, accused) in linked(tx).await {
        wrong.push(format!("meeting: linked at one site on one day in the end: {survivor} {accused}"));
    }
    for (who, both) in overlapping(tx).await {
        wrong.push(format!("overlap: {who} is in two places in the end: {both}"));
    }
    wrong
}

/// Whose sessions overlap, by what the sessions themselves say.
async fn overlapping(tx: &mut Tx) -> Vec<(Uuid, Uuid)> {
    let sql = "SELECT a.counsellor_id, b.id FROM session a JOIN session b ON b.counsellor_id = a.counsellor_id
                WHERE a.state = 'BOOKED' AND b.state = 'BOOKED' AND a.id < b.id
                  AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at
               UNION ALL
               SELECT p.client_id, b.id
                 FROM session_participant p JOIN session a ON a.id = p.session_id
                 JOIN session_participant q ON q.client_id = p.client_id JOIN session b ON b.id = q.session_id
                WHERE a.state = 'BOOKED' AND b.state = 'BOOKED' AND a.id < b.id
                  AND p.removed_at IS NULL AND q.removed_at IS NULL
                  AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at";
    tx.sql(sql).all().await.unwrap()
}

/// Sessions in person of a survivor and of the accused of one case, at one site on one local day.
async fn linked(tx: &mut Tx) -> Vec<(Uuid, Uuid)> {
    let sql = "SELECT a.id, a.starts_at, b.id, b.starts_at
                 FROM case_party p
                 JOIN session_participant ap ON ap.client_id = p.client_id AND ap.removed_at IS NULL
                 JOIN session a ON a.id = ap.session_id AND a.state = 'BOOKED' AND a.modality = 'IN_PERSON'
                 JOIN venue av ON av.id = a.venue_id
                 JOIN case_party q ON q.case_file_id = p.case_file_id AND q.role = 'ACCUSED'
                 JOIN session_participant bp ON bp.client_id = q.client_id AND bp.removed_at IS NULL
                 JOIN session b ON b.id = bp.session_id AND b.state = 'BOOKED' AND b.modality = 'IN_PERSON'
                 JOIN venue bv ON bv.id = b.venue_id AND bv.site_id = av.site_id
                WHERE p.role = 'SURVIVOR'";
    let pairs: Vec<(Uuid, Instant, Uuid, Instant)> = tx.sql(sql).all().await.unwrap();
    let on_one_day = |(a, a_at, b, b_at): (Uuid, Instant, Uuid, Instant)| {
        (Scene::day(a_at.0) == Scene::day(b_at.0)).then_some((a, b))
    };
    pairs.into_iter().filter_map(on_one_day).collect()
}
