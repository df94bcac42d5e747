//! What follows when a survivor does not come: a welfare check while something presses, a review after two in a row.

use super::escalation::{About, is_pressing, raise};
use crate::domain::attendance::{Attendance, History};
use crate::domain::code::Side;
use crate::domain::escalation::Cause;
use crate::domain::escalation::no_show::{Mark, two_in_a_row};
use crate::domain::escalation::rule::{NO_SHOW_WHILE_OPEN, TWO_NO_SHOWS};
use crate::domain::ids::ClientId;
use crate::domain::session::Session;
use crate::store::attendance::{self, Texts};
use crate::store::{Lock, session};
use crate::usecase::error::Result;
use crate::usecase::work::Work;

/// How many recorded sessions are looked at: more than that say nothing in a row for nobody.
const LOOKED_AT: i64 = 50;

/// Raises what follows from a change of what was recorded or decided of one participant. The client must be locked, and
/// the change written. Each no-show raises each once, whatever is corrected around it.
pub(super) async fn evaluate(
    work: &mut Work<'_>,
    session: &Session,
    client_id: ClientId,
    history: &History,
) -> Result<()> {
    if session.side != Side::Survivor {
        return Ok(());
    }
    if let Mark::NoShow(record) = Mark::of(history) {
        // What another process has raised meanwhile is seen, whatever its clock says; what was raised after an older
        // record is no reason, even when that is decided upon or corrected now.
        let current = history.current().map(|it| it.id);
        let is_older = |it: &&Attendance| it.id == record && (Some(record) != current || it.at < work.now);
        let older = history.records.iter().find(is_older).map(|it| it.at);
        if is_pressing(work, client_id, older).await? {
            raise(work, about(session, client_id), NO_SHOW_WHILE_OPEN, Cause::Attendance(record)).await?;
        }
    }
    let latest = attendance::latest(&mut work.tx, client_id, LOOKED_AT).await?;
    let of: Vec<_> = latest.iter().map(|it| (it.id, it.client_id)).collect();
    let histories = attendance::histories(&mut work.tx, &of, Texts::Closed).await?;
    let in_order = latest.iter().filter_map(|it| Some((it.session_id, histories.get(&it.id)?)));
    let (ids, histories): (Vec<_>, Vec<_>) = in_order.unzip();
    let Some((place, record)) = two_in_a_row(histories) else { return Ok(()) };
    let of_later = if ids[place] == session.id {
        about(session, client_id)
    } else {
        let Some(later) = session::find(&mut work.tx, ids[place], Lock::None).await? else { return Ok(()) };
        about(&later, client_id)
    };
    raise(work, of_later, TWO_NO_SHOWS, Cause::Attendance(record)).await.map(drop)
}

/// An escalation names the counsellor of the session, whose zone counts.
fn about(session: &Session, client_id: ClientId) -> About {
    let Session { organisation_id, counsellor_id, zone, .. } = *session;
    About { organisation_id, client_id, counsellor_id, zone }
}
