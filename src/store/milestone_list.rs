//! Pages of the milestones that wait to be done: one statement for each way of asking, so that each is read by its index.

use chrono::NaiveDate;

use super::error::Result;
use super::tx::Tx;
use crate::domain::ids::{CaseId, ClientId, CounsellorId, MilestoneId, OrganisationId};

/// Whose milestones are listed.
#[derive(Clone, Copy, Debug)]
pub enum Of {
    /// Those of an organisation.
    Organisation(OrganisationId),
    /// Those for which a counsellor is responsible.
    Responsible(CounsellorId),
    /// Those that a counsellor finds among the own.
    Carer(CounsellorId),
    /// Those of a survivor.
    Client(ClientId),
    /// Those of a case.
    Case(CaseId),
}

/// Milestones of survivors, or of cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Of survivors.
    FollowUp,
    /// Steps of procedure.
    Procedure,
}

/// Which of the listed milestones.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Only of this kind.
    pub kind: Option<Kind>,
    /// Only those for which this counsellor is responsible.
    pub counsellor_id: Option<CounsellorId>,
    /// After this due day and id.
    pub after: (NaiveDate, MilestoneId),
    /// Due on this day or earlier.
    pub until: NaiveDate,
    /// At most so many.
    pub most: i64,
}

/// A page of the milestones that wait to be done, by due day and id.
pub async fn listed(tx: &mut Tx, of: Of, wanted: &Wanted) -> Result<Vec<(MilestoneId, NaiveDate)>> {
    let (text, id) = match (of, wanted.kind) {
        (Of::Organisation(id), None) => (LISTED, id.0),
        (Of::Organisation(id), Some(Kind::FollowUp)) => (LISTED_OF_CLIENTS, id.0),
        (Of::Organisation(id), Some(Kind::Procedure)) => (LISTED_OF_CASES, id.0),
        // Only survivors have somebody who is responsible, or finds them among the own.
        (Of::Responsible(_) | Of::Carer(_) | Of::Client(_), Some(Kind::Procedure))
        | (Of::Case(_), Some(Kind::FollowUp)) => return Ok(Vec::new()),
        (Of::Responsible(id), _) => (LISTED_OF_RESPONSIBLE, id.0),
        (Of::Carer(id), _) => (LISTED_OF_CARER, id.0),
        (Of::Client(id), _) => (LISTED_OF_CLIENT, id.0),
        (Of::Case(id), _) => (LISTED_OF_CASE, id.0),
    };
    let sql = tx.sql(text).bind(id).bind(wanted.after.0).bind(wanted.after.1).bind(wanted.until).bind(wanted.most);
    sql.bind(wanted.counsellor_id).all().await
}

const LISTED: &str = "SELECT id, due_on FROM milestone
      WHERE organisation_id = $1 AND listed = TRUE AND (due_on, id) > ($2, $3) AND due_on <= $4
        AND (CAST($6 AS UUID) IS NULL OR counsellor_id = $6)
      ORDER BY due_on, id LIMIT $5";
const LISTED_OF_CLIENTS: &str = "SELECT id, due_on FROM milestone
      WHERE organisation_id = $1 AND listed = TRUE AND counsellor_id IS NOT NULL
        AND (due_on, id) > ($2, $3) AND due_on <= $4 AND (CAST($6 AS UUID) IS NULL OR counsellor_id = $6)
      ORDER BY due_on, id LIMIT $5";
const LISTED_OF_CASES: &str = "SELECT id, due_on FROM milestone
      WHERE organisation_id = $1 AND listed = TRUE AND counsellor_id IS NULL
        AND (due_on, id) > ($2, $3) AND due_on <= $4 AND CAST($6 AS UUID) IS NULL
      ORDER BY due_on, id LIMIT $5";
const LISTED_OF_RESPONSIBLE: &str = "SELECT id, due_on FROM milestone
      WHERE counsellor_id = $1 AND listed = TRUE AND (due_on, id) > ($2, $3) AND due_on <= $4
        AND (CAST($6 AS UUID) IS NULL OR counsellor_id = $6)
      ORDER BY due_on, id LIMIT $5";
const LISTED_OF_CARER: &str = "SELECT mine.milestone_id AS id, mine.due_on FROM milestone_carer AS mine
      WHERE mine.counsellor_id = $1 AND (mine.due_on, mine.milestone_id) > ($2, $3) AND mine.due_on <= $4
        AND (CAST($6 AS UUID) IS NULL OR EXISTS (
             SELECT 1 FROM milestone WHERE milestone.id = mine.milestone_id AND milestone.counsellor_id = $6))
      ORDER BY mine.due_on, mine.milestone_id LIMIT $5";
const LISTED_OF_CLIENT: &str = "SELECT milestone.id, due_on FROM milestone
       JOIN follow_up_plan AS plan ON plan.id = milestone.plan_id
      WHERE plan.client_id = $1 AND listed = TRUE AND (due_on, milestone.id) > ($2, $3) AND due_on <= $4
        AND (CAST($6 AS UUID) IS NULL OR milestone.counsellor_id = $6)
      ORDER BY due_on, milestone.id LIMIT $5";
const LISTED_OF_CASE: &str = "SELECT milestone.id, due_on FROM milestone
       JOIN follow_up_plan AS plan ON plan.id = milestone.plan_id
      WHERE plan.case_file_id = $1 AND listed = TRUE AND (due_on, milestone.id) > ($2, $3) AND due_on <= $4
        AND CAST($6 AS UUID) IS NULL
      ORDER BY due_on, milestone.id LIMIT $5";
