//! What is held about a client, read part by part in one transaction. What belongs to another organisation, or is about
//! anybody else, is left out here.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::item::Item;
use crate::domain::assessment::{Assessment, Reading, beside_each_other};
use crate::domain::audit::{Listed, Outcome};
use crate::domain::client::{Case, Client};
use crate::domain::export::{ExportPart, Reader, is_disclosure};
use crate::domain::ids::{Id, PlanId};
use crate::domain::instrument::Catalogue;
use crate::domain::noun::Record;
use crate::store::attendance::{Of, Texts};
use crate::store::client::Outline;
use crate::store::noun::{Listing, Stored};
use crate::store::{
    Lock, Order, Tx, assessment, attendance, audit_list, break_glass, case, concern, escalation, followup, milestone,
    note, overriding, police, session, transfer, treatment, waitlist,
};
use crate::usecase::attendance::ParticipantHistory;
use crate::usecase::error::Result;
use crate::usecase::followup::plan::View;
use crate::usecase::transfer::Shown;
use crate::usecase::treatment::opened;

/// How many rows are read at once.
const MOST: i64 = 500;

/// Reads every part that is for a reader, in the order of the parts.
pub async fn everything(
    tx: &mut Tx,
    instruments: &Catalogue,
    of: &Outline,
    reader: Reader,
    now: DateTime<Utc>,
) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for part in ExportPart::ALL.iter().copied().filter(|part| reader.is_given(*part)) {
        items.extend(match part {
            ExportPart::Client => {
                let found = Client::find(tx, of.id, Lock::None).await?;
                found.map(|it| Item::Client(Box::new(it))).into_iter().collect()
            }
            ExportPart::Guardian => listed(tx, of, of.id.uuid(), Item::Guardian).await?,
            ExportPart::Consent => listed(tx, of, of.id.uuid(), Item::Consent).await?,
            ExportPart::NoContact => listed(tx, of, of.id.uuid(), Item::NoContact).await?,
            ExportPart::Conflict => listed(tx, of, of.id.uuid(), Item::Conflict).await?,
            ExportPart::LegalHold => listed(tx, of, of.id.uuid(), Item::LegalHold).await?,
            ExportPart::Case | ExportPart::Proceeding => cases(tx, of, part).await?,
            ExportPart::Session | ExportPart::Override => sessions(tx, of, part).await?,
            ExportPart::Attendance => attended(tx, of).await?,
            ExportPart::Note => note::of_client(tx, of.id).await?.into_iter().map(Item::Note).collect(),
            ExportPart::WaitlistEntry => {
                let own = waitlist::of_client(tx, of.id).await?.into_iter();
                own.map(|it| Item::WaitlistEntry(Box::new(it))).collect()
            }
            ExportPart::Order | ExportPart::Lookup => orders(tx, of, part, now).await?,
            ExportPart::Plan => plans(tx, of).await?,
            ExportPart::Excuse => {
                let own = milestone::excuses(tx, of.id).await?.into_iter();
                own.map(|(id, instrument, excused)| Item::Excuse(id, instrument, excused)).collect()
            }
            ExportPart::Assessment => assessments(tx, instruments, of).await?,
            ExportPart::Escalation => escalations(tx, of, now).await?,
            ExportPart::MandatoryReport => reports(tx, of).await?,
            ExportPart::BreakGlass => {
                let own = break_glass::of_client(tx, of.id).await?.into_iter();
                own.filter(|it| it.organisation_id == of.organisation_id)
                    .map(|it| Item::BreakGlass(Box::new(it)))
                    .collect()
            }
            ExportPart::Transfer => {
                let own = of.organisation_id;
                let all = transfer::of_client(tx, of.id, own).await?.into_iter();
                all.map(|transfer| Item::Transfer(Box::new(Shown { transfer, own }))).collect()
            }
            ExportPart::Disclosure => disclosures(tx, of).await?,
        });
    }
    Ok(items)
}

/// Everything that is listed within something.
async fn listed<N: Stored>(
    tx: &mut Tx,
    of: &Outline,
    within: Uuid,
    item: impl Fn(Record<N>) -> Item,
) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let listing =
            Listing { visible_to: Some(of.organisation_id), within: Some(within), side: None, after, most: MOST };
        let rows = N::list(tx, &listing).await?;
        let Some(last) = rows.last() else { return Ok(items) };
        after = Some(last.id.uuid());
        items.extend(rows.into_iter().map(&item));
    }
}

async fn cases(tx: &mut Tx, of: &Outline, part: ExportPart) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for id in case::of_client(tx, of.id).await? {
        let Some(mut it) = Case::find(tx, id, Lock::None).await? else { continue };
        if it.organisation_id != of.organisation_id {
            continue;
        }
        if part == ExportPart::Proceeding {
            items.extend(listed(tx, of, id.uuid(), Item::Proceeding).await?);
        } else {
            it.content.parties.retain(|(party, _)| *party == of.id);
            items.push(Item::Case(it));
        }
    }
    Ok(items)
}

async fn sessions(tx: &mut Tx, of: &Outline, part: ExportPart) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for it in session::of_client(tx, of.id).await? {
        if part == ExportPart::Override {
            let broken = overriding::about(tx, it.id, of.id).await?;
            items.extend(broken.into_iter().map(|broken| Item::Override(it.id, broken)));
        } else {
            items.push(Item::Session(Box::new(it.as_of_client(of.id))));
        }
    }
    Ok(items)
}

async fn attended(tx: &mut Tx, of: &Outline) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let listing = attendance::Listing {
            organisation_id: Some(of.organisation_id),
            counsellor_id: None,
            of: Of::Client(of.id),
            after,
            most: MOST,
        };
        let rows = attendance::recorded(tx, &listing).await?;
        let Some(last) = rows.last() else { return Ok(items) };
        after = Some((last.starts_at(), last.id));
        let ids: Vec<_> = rows.iter().map(|row| (row.id, row.client_id)).collect();
        let mut histories = attendance::histories(tx, &ids, Texts::Opened).await?;
        items.extend(rows.into_iter().map(|row| {
            Item::Attendance(ParticipantHistory {
                history: histories.remove(&row.id).unwrap_or_default(),
                id: row.id,
                session_id: row.session_id,
                client_id: row.client_id,
                reference: row.client_reference,
            })
        }));
    }
}

async fn orders(tx: &mut Tx, of: &Outline, part: ExportPart, now: DateTime<Utc>) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for id in treatment::of_client(tx, of.id).await? {
        let Some(order) = treatment::find(tx, id, Lock::None).await? else { continue };
        if part == ExportPart::Lookup {
            let all = police::lookups(tx, id, Uuid::max(), i64::MAX).await?;
            items.extend(all.into_iter().map(|it| Item::Lookup(id, it)));
        } else {
            items.push(Item::Order(Box::new(opened(tx, order, now).await?)));
        }
    }
    Ok(items)
}

async fn plans(tx: &mut Tx, of: &Outline) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    for plan in followup::of_client(tx, of.id).await? {
        let milestones = milestone::of_plan(tx, plan.id).await?;
        items.push(Item::Plan(View { plan, milestones }));
    }
    Ok(items)
}

/// Assessments that stand, beside each other as whoever follows the survivor up reads them; superseded ones alone.
async fn assessments(tx: &mut Tx, instruments: &Catalogue, of: &Outline) -> Result<Vec<Item>> {
    let plans: BTreeMap<PlanId, _> = followup::of_client(tx, of.id)
        .await?
        .into_iter()
        .map(|plan| (plan.id, plan.course().and_then(|it| it.report_on)))
        .collect();
    let event_on = |it: &Assessment| plans.get(&it.plan_id).copied().flatten();
    let own = assessment::of_client(tx, of.id).await?.into_iter();
    let (stand, superseded): (Vec<_>, Vec<_>) = own.partition(|it| it.stands);
    let mut readings: Vec<Reading> =
        superseded.into_iter().map(|it| Reading::alone(it.clone(), event_on(&it))).collect();
    let mut series: BTreeMap<_, Vec<Assessment>> = BTreeMap::new();
    for it in stand {
        series.entry((it.plan_id, it.form.instrument.clone(), it.form.informant)).or_default().push(it);
    }
    for one in series.into_values() {
        let event_on = one.first().and_then(event_on);
        readings.extend(beside_each_other(instruments, one, event_on));
    }
    readings.sort_by_key(|it| (it.assessment.assessed_on, it.assessment.id));
    Ok(readings.into_iter().map(|it| Item::Assessment(Box::new(it))).collect())
}

async fn escalations(tx: &mut Tx, of: &Outline, now: DateTime<Utc>) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let listing = escalation::Listing {
            organisation_id: of.organisation_id,
            counsellor_id: None,
            client_id: Some(of.id),
            resolved: true,
            named: None,
            now,
            after,
            most: MOST,
        };
        let rows = escalation::list(tx, &listing).await?;
        let Some(last) = rows.last() else { return Ok(items) };
        after = Some((last.due_at, last.id));
        items.extend(rows.into_iter().map(|it| Item::Escalation(Box::new(it))));
    }
}

async fn reports(tx: &mut Tx, of: &Outline) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let listing = concern::Listing {
            organisation_id: of.organisation_id,
            counsellor_id: None,
            client_id: Some(of.id),
            reported: true,
            after,
            most: MOST,
        };
        let rows = concern::reports(tx, &listing).await?;
        let Some(last) = rows.last() else { return Ok(items) };
        after = Some((last.due_at, last.id));
        items.extend(rows.into_iter().map(|it| Item::MandatoryReport(Box::new(it))));
    }
}

/// Who of the organisation, or which command, has read about the client. What anybody else did stays theirs, and what
/// was changed could tell of somebody on the other side.
async fn disclosures(tx: &mut Tx, of: &Outline) -> Result<Vec<Item>> {
    let mut items = Vec::new();
    let mut position = 0;
    loop {
        let rows = audit_list::about(tx, of.id.uuid(), Order::Ascending, position, MOST).await?;
        let Some(last) = rows.last().and_then(|it| it.position) else { return Ok(items) };
        position = last;
        let own = |it: &Listed| {
            it.organisation_id == Some(of.organisation_id)
                || (it.organisation_id.is_none() && it.principal.starts_with("program:"))
        };
        let read = |it: &Listed| it.outcome == Some(Outcome::Done) && is_disclosure(&it.action);
        items.extend(rows.into_iter().filter(|it| own(it) && read(it)).map(Item::Disclosure));
    }
}
