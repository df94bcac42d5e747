//! What the audit trail tells of each change, by its request id: nothing is forgotten of it.

use std::collections::BTreeMap;

use aftercare::store::Tx;
use uuid::Uuid;

use crate::history::act::Act;
use crate::history::log::{Call, End};

/// How often a change was made, and told again to whoever asked again: a caller, or the service itself when it did not
/// learn whether it was made.
#[derive(Clone, Copy, Default)]
pub struct Told {
    made: u32,
    replayed: u32,
}

pub type Trail = BTreeMap<Uuid, Told>;

pub async fn read(tx: &mut Tx) -> Trail {
    let sql = "SELECT request_id, CASE WHEN CAST(details AS TEXT) LIKE '%REPLAYED%' THEN 1 ELSE 0 END
                 FROM audit_event WHERE outcome = 'DONE' AND request_id IS NOT NULL";
    let mut trail = Trail::new();
    for (request_id, replayed) in tx.sql(sql).all::<(Uuid, i32)>().await.unwrap() {
        let told = trail.entry(request_id).or_default();
        *(if replayed == 1 { &mut told.replayed } else { &mut told.made }) += 1;
    }
    trail
}

/// Notes which calls were answered with what had been made before, and tells what was acknowledged and not made, and
/// made and refused.
pub fn compare(trail: &Trail, calls: &mut [Call]) -> Vec<String> {
    let mut wrong = Vec::new();
    for call in calls {
        let Some(act) = call.change().cloned() else { continue };
        let told = trail.get(&act.request_id()).copied().unwrap_or_default();
        call.replayed |= told.replayed > 0;
        match &call.end {
            End::Done if told.made == 0 => wrong.push(format!("gone: {act:?} was acknowledged and was never made")),
            // A hold may have expired before its caller asks again.
            End::Refused { reason, .. } if told.made > 0 && !matches!(act, Act::Hold(_)) => {
                wrong.push(format!("refused: {act:?} was refused as {reason} and was made"));
            }
            _ => {}
        }
    }
    wrong
}
