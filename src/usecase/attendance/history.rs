//! Everything that was recorded and decided, superseded or not.

use uuid::Uuid;

use super::own_session;
use crate::domain::attendance::History;
use crate::domain::client::Client;
use crate::domain::ids::{ClientId, CounsellorId, Id, ParticipantId, SessionId};
use crate::domain::noun::Noun;
use crate::domain::reference::Reference;
use crate::store::attendance::{self, Listing, Of, Texts};
use crate::store::{Lock, Tx, client};
use crate::usecase::break_glass;
use crate::usecase::call::{Call, traced};
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::work::{Mutation, Work, mutate};
use crate::usecase::world::World;

/// Everything that was recorded and decided about one participant of one session.
#[derive(Clone, Debug)]
pub struct ParticipantHistory {
    /// The participant.
    pub id: ParticipantId,
    /// The session.
    pub session_id: SessionId,
    /// The client.
    pub client_id: ClientId,
    /// The client's reference code.
    pub reference: Reference,
    /// What was recorded and decided.
    pub history: History,
}

/// Lists what was recorded of a session, or of a client in the sessions of which the caller may know.
#[derive(Clone, Debug)]
pub struct ListAttendance {
    /// Of what.
    pub of: Of,
    /// With what people wrote: reasons and evidence. The read is then audited.
    pub texts: bool,
    /// Which page.
    pub page: Page,
}

/// A page of it, by the start of the session.
pub async fn list_attendance(
    world: &World,
    call: Call,
    wanted: ListAttendance,
) -> Result<(Vec<ParticipantHistory>, String)> {
    if wanted.texts {
        return mutate(world, call, wanted).await;
    }
    let subject = match wanted.of {
        Of::Session(id) => id.uuid(),
        Of::Client(id) => id.uuid(),
    };
    traced(world, &call, subject, wanted.read(world, &call).await).await
}

impl ListAttendance {
    async fn read(&self, world: &World, call: &Call) -> Result<(Vec<ParticipantHistory>, String)> {
        let mut tx = world.db().begin_read().await?;
        let own = call.caller().authority.counsellor_id();
        self.page(&mut tx, world, call, Texts::Closed, own).await
    }

    async fn page(
        &self,
        tx: &mut Tx,
        world: &World,
        call: &Call,
        texts: Texts,
        led_by: Option<CounsellorId>,
    ) -> Result<(Vec<ParticipantHistory>, String)> {
        match self.of {
            Of::Session(id) => drop(own_session(tx, call, id).await?),
            Of::Client(id) if led_by.is_some() => known(tx, call, id).await?,
            // Whoever sees more than the own sessions was let in by the organisation, or in an emergency.
            Of::Client(id) => of_organisation(tx, call, id).await?,
        }
        let listing = Listing {
            organisation_id: call.sees()?,
            counsellor_id: led_by,
            of: self.of,
            after: self.page.after(world, call)?,
            most: i64::try_from(self.page.most()).unwrap_or(i64::MAX),
        };
        let rows = attendance::recorded(tx, &listing).await?;
        let (rows, next) = self.page.cut(world, call, rows, |row| (row.starts_at(), row.id));
        let of: Vec<_> = rows.iter().map(|row| (row.id, row.client_id)).collect();
        let mut histories = attendance::histories(tx, &of, texts).await?;
        let all = rows.into_iter().map(|row| ParticipantHistory {
            history: histories.remove(&row.id).unwrap_or_default(),
            id: row.id,
            session_id: row.session_id,
            client_id: row.client_id,
            reference: row.client_reference,
        });
        Ok((all.collect(), next))
    }
}

/// Refuses a client of whom the caller may not know.
async fn known(tx: &mut Tx, call: &Call, id: ClientId) -> Result<()> {
    of_organisation(tx, call, id).await?;
    match call.caller().authority.counsellor_id() {
        Some(counsellor_id) if !client::seen_by(tx, id, counsellor_id).await? => Err(Error::NotFound(Client::WORD)),
        _ => Ok(()),
    }
}

async fn of_organisation(tx: &mut Tx, call: &Call, id: ClientId) -> Result<()> {
    let outline = client::outline(tx, id, Lock::None).await?.ok_or(Error::NotFound(Client::WORD))?;
    call.manages(Some(outline.organisation_id), Client::WORD)
}

impl Mutation for ListAttendance {
    type Answer = (Vec<ParticipantHistory>, String);

    async fn run(&self, work: &mut Work<'_>) -> Result<Self::Answer> {
        let own = work.call.caller().authority.counsellor_id();
        let led_by = match self.of {
            Of::Session(id) => {
                work.touched(id.uuid());
                own
            }
            Of::Client(id) => {
                work.touched(id.uuid());
                if break_glass::lets_in(work, id).await? { None } else { own }
            }
        };
        let answer = self.page(&mut work.tx, work.world, work.call, Texts::Opened, led_by).await?;
        for one in &answer.0 {
            work.touched(one.session_id.uuid());
            work.touched(one.client_id.uuid());
        }
        Ok(answer)
    }

    fn result_id(&self, _answer: &Self::Answer) -> Uuid {
        Uuid::nil()
    }

    async fn replay(&self, work: &mut Work<'_>, _result_id: Uuid) -> Result<Self::Answer> {
        self.run(work).await
    }
}
