//! What the audit trail costs: how fast a long one is sealed and checked, and how much booking slows down while the
//! sealer works.

use std::time::Duration;

use aftercare::auth::audit_key;
use aftercare::domain::statement::SigningKey;
use aftercare::jobs;
use aftercare::rng::SeededRng;
use aftercare::store::codec::Instant as At;
use aftercare::usecase::audit::{Sealer, verify_whole};
use tokio::time::Instant;
use uuid::Uuid;

use super::calls;
use super::database::Fresh;
use super::load::{Call, Crowd};
use super::service::{Cast, Service};
use super::{Options, Result};

/// Events that are written by one statement, and by one transaction.
const ROWS: usize = 256;
const STATEMENTS: usize = 40;

/// Writes so many events as the service would, seals them with the service's own sealer, and checks them.
pub async fn check(options: &Options, fresh: &Fresh, service: &Service, events: usize) -> Result<()> {
    println!("{}", fresh.describe().await?);
    let key = key(options, fresh)?;
    let begun = present();
    fill(service, events).await?;
    told("written", events, begun);
    fresh.settle().await?;
    let begun = present();
    let mut sealer = Sealer::new(service.world.clone(), key.clone());
    while sealer.turn().await? {}
    told("sealed", events, begun);
    fresh.settle().await?;
    for _ in 0..3 {
        let begun = present();
        let report = verify_whole(service.world.db(), vec![key.public()], None).await?;
        told("verified", usize::try_from(report.events)?, begun);
        let whole = report.faults.is_empty() && report.proven_until == report.end;
        if !whole || report.events < events as u64 {
            return Err(format!("not what was written: {report:?}").into());
        }
        println!("           {} heads", report.heads);
    }
    Ok(())
}

/// Books with and without the sealer, by turns, in one run over one database.
pub async fn compare(options: &Options, fresh: &Fresh, service: &Service, cast: &Cast, crowd: &Crowd) -> Result<()> {
    println!("{}", fresh.describe().await?);
    let key = key(options, fresh)?;
    let booking = calls::all(cast, options.seed).into_iter().find(|call| call.name() == "BookSession");
    let booking: Call = booking.ok_or("no such call")?;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..options.sealer_rounds {
        // What was not sealed meanwhile is none of the next round's business.
        let mut sealer = Sealer::new(service.world.clone(), key.clone());
        while sealer.turn().await? {}
        let sealer = jobs::Sealer::start(&service.world, key.clone());
        let measured = crowd.measure(&booking, crowd.most()).await?;
        sealer.drain(Duration::from_secs(60)).await;
        with.push(measured.per_second());
        let measured = crowd.measure(&booking, crowd.most()).await?;
        without.push(measured.per_second());
        println!("with {:>7.0}/s   without {:>7.0}/s", with[with.len() - 1], without[without.len() - 1]);
    }
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    println!("with the sealer {:.1} % of without", 100.0 * mean(&with) / mean(&without));
    Ok(())
}

/// The key that the service has registered.
fn key(options: &Options, fresh: &Fresh) -> Result<SigningKey> {
    Ok(audit_key(fresh.directory.path(), &SeededRng::from_seed(options.seed))?)
}

async fn fill(service: &Service, events: usize) -> Result<()> {
    let world = &service.world;
    let people: Vec<Uuid> = (0..20_000).map(|_| world.uuid()).collect();
    let organisation_id = world.uuid();
    let mut written = 0;
    while written < events {
        let mut tx = world.db().begin_write().await?;
        for _ in 0..STATEMENTS {
            let rows = ROWS.min(events - written);
            if rows == 0 {
                break;
            }
            let mut sql = tx.sql_rows(
                "INSERT INTO audit_event (id, occurred_at, principal, role, organisation_id, action, outcome, details,
                    subjects, request_id) VALUES {($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)}",
                rows,
            );
            for row in written..written + rows {
                let subjects: Vec<_> = (0..4).map(|nth| people[(row * 7 + nth * 1_013) % people.len()]).collect();
                sql = sql
                    .bind(world.uuid())
                    .bind(At(world.now()))
                    .bind(format!("coordinator{}@example", row % 50))
                    .bind("coordinator")
                    .bind(organisation_id)
                    .bind("aftercare.v1.SchedulingService/BookSession")
                    .bind("DONE")
                    .bind("[]")
                    .bind(serde_json::to_string(&subjects)?)
                    .bind(world.uuid());
            }
            sql.run().await?;
            written += rows;
        }
        tx.commit().await?;
    }
    Ok(())
}

fn told(what: &str, events: usize, begun: Instant) {
    let lasted = begun.elapsed().as_secs_f64();
    println!("{what:<10} {events} events in {lasted:.1} s, {:.0}/s", events as f64 / lasted);
}

#[allow(clippy::disallowed_methods, reason = "what is measured is the machine's time")]
fn present() -> Instant {
    Instant::now()
}
