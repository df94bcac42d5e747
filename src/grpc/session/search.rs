//! The search for free times, on the wire.

use tonic::Request;

use super::Scheduling;
use super::wire::{leads_twice, length, party, step};
use crate::domain::ids::{ClientId, GuardianId, MilestoneId};
use crate::domain::party::{Attendee, Party};
use crate::domain::rules::RuleCode;
use crate::domain::text::Code;
use crate::grpc::fields::{Fields, open};
use crate::grpc::pb;
use crate::grpc::slot::slot;
use crate::grpc::words::Word;
use crate::usecase::error::{Error, Result};
use crate::usecase::page::Page;
use crate::usecase::session::{self as usecase, FindSlots};

impl Scheduling {
    pub(super) async fn find(&self, request: Request<pb::FindSlotsRequest>) -> Result<pb::FindSlotsResponse> {
        let (call, pb) = open(request)?;
        let found = if pb.milestone_id.is_empty() {
            let (wanted, page) = wanted(&pb)?;
            usecase::find_slots(&self.world, &call, &wanted, &page).await?
        } else {
            let (milestone_id, of, page) = wanted_for(&pb)?;
            usecase::find_slots_for(&self.world, &call, milestone_id, of, &page).await?
        };
        let small = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        let exclusion =
            |(rule, count): &(RuleCode, u32)| pb::Exclusion { rule: rule.to_wire(), counsellors: small(*count) };
        Ok(pb::FindSlotsResponse {
            slots: found.slots.iter().map(slot).collect(),
            next_page_token: found.next_page_token,
            exclusions: found.exclusions.iter().map(exclusion).collect(),
            counsellors: small(found.counsellors),
        })
    }
}

/// What is looked for, and which page of it.
fn wanted(pb: &pb::FindSlotsRequest) -> Result<(FindSlots, Page)> {
    let mut f = Fields::default();
    let party = party(
        &mut f,
        &pb::BookSessionRequest {
            client_id: pb.client_id.clone(),
            guardian_id: pb.guardian_id.clone(),
            interpreter: pb.interpreter,
            order_id: pb.order_id.clone(),
            group: pb.group.clone(),
            ..Default::default()
        },
    );
    wanted_by(f, pb, party)
}

/// The milestone for which a time is looked for, what is looked for once its survivor is known, and which page of it.
fn wanted_for(pb: &pb::FindSlotsRequest) -> Result<(MilestoneId, impl FnOnce(ClientId) -> FindSlots, Page)> {
    let mut f = Fields::default();
    let milestone_id = f.id("milestone_id", &pb.milestone_id);
    let guardian_id: Option<Option<GuardianId>> = f.maybe_id("guardian_id", &pb.guardian_id);
    for (field, is_empty) in
        [("client_id", pb.client_id.is_empty()), ("group", pb.group.is_none()), ("order_id", pb.order_id.is_empty())]
    {
        if !is_empty {
            f.wrong::<()>(field, "must be empty when a milestone is named");
        }
    }
    let nobody = Party { co_facilitators: Vec::new(), participants: Vec::new(), capacity: 1 };
    let party = milestone_id.and(guardian_id).map(|_| nobody);
    let (wanted, page) = wanted_by(f, pb, party)?;
    let (guardian_id, interpreter) = (guardian_id.flatten(), pb.interpreter);
    let of = move |client_id| {
        let party = Party::one_to_one(Attendee { client_id, guardian_id, interpreter, order_id: None });
        FindSlots { party, ..wanted }
    };
    let milestone_id = milestone_id.ok_or_else(|| Error::field("milestone_id", "is required"))?;
    Ok((milestone_id, of, page))
}

/// What is looked for by who is to meet, and which page of it.
fn wanted_by(mut f: Fields, pb: &pb::FindSlotsRequest, party: Option<Party>) -> Result<(FindSlots, Page)> {
    let service = f.word("service", pb.service);
    let length = length(&mut f, pb.length.as_ref());
    let window_starts_at = f.maybe_instant("window_starts_at", pb.window_starts_at.as_ref());
    let window_ends_at = f.maybe_instant("window_ends_at", pb.window_ends_at.as_ref());
    let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
    let venue_id = f.maybe_id("venue_id", &pb.venue_id);
    let district =
        if pb.district.is_empty() { Some(None) } else { f.parse("district", &pb.district, Code::parse).map(Some) };
    let modality = f.maybe_word("modality", pb.modality);
    let step = step(&mut f, pb.step.as_ref());
    let preferred_counsellor_id = f.maybe_id("preferred_counsellor_id", &pb.preferred_counsellor_id);
    if leads_twice(party.as_ref(), counsellor_id.flatten()) {
        f.wrong::<()>("group.co_facilitator_ids", "must not name counsellor_id, who is to lead");
    }
    let query = pb::FindSlotsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
    let page = f.page(pb.page_size, &pb.page_token, 20, &query);
    f.finish(|| {
        let wanted = FindSlots {
            party: party?,
            service: service?,
            length: length?,
            window_starts_at: window_starts_at?,
            window_ends_at: window_ends_at?,
            counsellor_id: counsellor_id?,
            venue_id: venue_id?,
            district: district?,
            modality: modality?,
            step: step?,
            preferred_counsellor_id: preferred_counsellor_id?,
        };
        Some((wanted, page?))
    })
}
