//! What consents are due soon, for whoever has to ask for them.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::local_today;
use crate::domain::consent::due::{Due, DuePlace, DueReason, Window};
use crate::domain::consent::{ConsentPurpose, ConsentSubject};
use crate::domain::ids::{ClientId, Id, OrganisationId};
use crate::domain::reference::Reference;
use crate::domain::rules::RuleCode;
use crate::domain::session::StateWord;
use crate::store::session::Listing;
use crate::store::{Tx, client, client_index, consent, guardian, session};
use crate::usecase::call::{Call, disclosed};
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::world::World;

/// A consent that is due, and the reference of whom it is about.
#[derive(Clone, Debug)]
pub struct DueSoon {
    /// What is due.
    pub due: Due,
    /// Of whom.
    pub reference: Reference,
}

/// Lists what is due within some days, today included, of the clients of the organisation; and of sessions to come,
/// those that no consent covers, however far away. The read is audited, for who comes of age has a birthday.
pub async fn list_consents_due(
    world: &World,
    call: &Call,
    within: TimeDelta,
    page: &Page,
) -> Result<(Vec<DueSoon>, String)> {
    let after: Option<DuePlace> = page.after(world, call)?;
    let organisation_id = call.sees()?.ok_or(Error::Denied)?;
    let mut tx = world.db().begin_read().await?;
    let first = local_today(&mut tx, organisation_id, world.now()).await?;
    let mut all = of_clients(&mut tx, organisation_id, Window { first, last: first + within }).await?;
    all.extend(of_sessions(&mut tx, world, organisation_id).await?);
    all.retain(|it| after.is_none_or(|after| it.due.place() > after));
    all.sort_unstable_by_key(|it| it.due.place());
    drop(tx);
    let (rows, next) = page.cut(world, call, all, |it| it.due.place());
    let clients: BTreeSet<ClientId> = rows.iter().map(|it| it.due.client_id).collect();
    disclosed(world, call, clients.into_iter().map(Id::uuid), ["CONSENTS_DUE".into()]).await?;
    Ok((rows, next))
}

/// Who comes of age, and whose consents expire.
async fn of_clients(tx: &mut Tx, organisation_id: OrganisationId, window: Window) -> Result<Vec<DueSoon>> {
    let days = window.first.iter_days().take_while(|day| *day <= window.last);
    let mut ids: BTreeSet<ClientId> = client_index::of_age(tx, organisation_id, days).await?.into_iter().collect();
    ids.extend(consent::expiring(tx, organisation_id, window.first, window.last).await?);
    let ids: Vec<ClientId> = ids.into_iter().collect();
    let (mut consents, mut guardians) = (consent::of_clients(tx, &ids).await?, guardian::of_clients(tx, &ids).await?);
    let mut all = Vec::new();
    for client in client::subjects(tx, &ids).await? {
        let guardians = guardians.remove(&client.id).unwrap_or_default();
        let subject = ConsentSubject { born_on: client.born_on.clone(), guardians };
        let consents = consents.remove(&client.id).unwrap_or_default();
        let due = Due::of_client(client.id, &subject, &consents, window);
        all.extend(due.into_iter().map(|due| DueSoon { due, reference: client.reference.clone() }));
    }
    Ok(all)
}

/// Participants whom no consent covers: they were flagged when what they rest on changed.
async fn of_sessions(tx: &mut Tx, world: &World, organisation_id: OrganisationId) -> Result<Vec<DueSoon>> {
    let listing = Listing {
        organisation_id: Some(organisation_id),
        starts_from: Some(world.now()),
        states: vec![StateWord::Booked],
        flagged: true,
        most: i64::MAX,
        ..Listing::default()
    };
    let mut all = Vec::new();
    for session in session::list(tx, &listing).await? {
        for it in session.participants.iter().filter(|it| it.flags.contains(&RuleCode::ConsentMissing)) {
            let due = Due {
                on: session.on_date(),
                why: DueReason::SessionUncovered,
                client_id: it.attendee.client_id,
                purpose: ConsentPurpose::Care,
                consent_id: None,
                session_id: Some(session.id),
            };
            all.push(DueSoon { due, reference: it.reference.clone() });
        }
    }
    Ok(all)
}
