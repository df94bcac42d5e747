//! The waitlist on the wire; its methods are part of SchedulingService.

use tonic::Request;

use super::client::person::{availability, availability_pb};
use super::fields::{Fields, count, date, duration, id_text, keyed, open, open_mutation, timestamp};
use super::pb;
use super::session::Scheduling;
use super::session::wire::{length, overrides, session_pb};
use super::words::Word;
use crate::domain::code::Modality;
use crate::domain::party::{Attendee, Party};
use crate::domain::rules::RuleCode;
use crate::domain::slots::DEFAULT_STEP;
use crate::domain::text::Code;
use crate::domain::waitlist::{Entry, EntryEnded, EntryEnding, Offer, Wishes};
use crate::usecase::error::Result;
use crate::usecase::mutate;
use crate::usecase::session::{FindSlots, place};
use crate::usecase::waitlist::{
    Answer, AnswerOffer, Filter, JoinWaitlist, LeaveWaitlist, Outlook, Place, Waiting, list_offers, list_waitlist,
};

keyed!(JoinWaitlistRequest, LeaveWaitlistRequest, AnswerOfferRequest);

impl Scheduling {
    pub(super) async fn join(&self, request: Request<pb::JoinWaitlistRequest>) -> Result<pb::JoinWaitlistResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let client_id = f.id("client_id", &pb.client_id);
        let service = f.word("service", pb.service);
        let length = length(&mut f, pb.length.as_ref());
        let wishes = wishes(&mut f, &pb.wishes.clone().unwrap_or_default());
        let guardian_id = f.maybe_id("guardian_id", &pb.guardian_id);
        let join = f.finish(|| {
            let wishes = wishes?;
            let (client_id, guardian_id) = (client_id?, guardian_id?);
            let attendee = Attendee { client_id, guardian_id, interpreter: pb.interpreter, order_id: None };
            let wanted = FindSlots {
                party: Party::one_to_one(attendee.clone()),
                service: service?,
                length: length?,
                window_starts_at: None,
                window_ends_at: None,
                counsellor_id: wishes.counsellor_id,
                venue_id: wishes.venue_id,
                district: wishes.district.clone(),
                modality: wishes.modality,
                step: DEFAULT_STEP,
                preferred_counsellor_id: None,
            };
            Some(JoinWaitlist { attendee, wanted, wishes, escalated: pb.escalated })
        })?;
        let entry = mutate(&self.world, call, join).await?;
        Ok(pb::JoinWaitlistResponse { entry: Some(entry_pb(&entry)) })
    }

    pub(super) async fn leave(&self, request: Request<pb::LeaveWaitlistRequest>) -> Result<pb::LeaveWaitlistResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let entry_id = f.id("entry_id", &pb.entry_id);
        let version = if pb.etag.is_empty() { Some(None) } else { f.etag("etag", &pb.etag).map(Some) };
        let leave = f.finish(|| Some(LeaveWaitlist { entry_id: entry_id?, version: version? }))?;
        let entry = mutate(&self.world, call, leave).await?;
        Ok(pb::LeaveWaitlistResponse { entry: Some(entry_pb(&entry)) })
    }

    pub(super) async fn list_waitlist(
        &self,
        request: Request<pb::ListWaitlistRequest>,
    ) -> Result<pb::ListWaitlistResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let side = f.maybe_word("side", pb.side);
        let service = f.maybe_word("service", pb.service);
        let counsellor_id = f.maybe_id("counsellor_id", &pb.counsellor_id);
        let client_id = f.maybe_id("client_id", &pb.client_id);
        let query = pb::ListWaitlistRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
        let page = f.page(pb.page_size, &pb.page_token, 20, &query);
        let (filter, page) = f.finish(|| {
            let filter =
                Filter { side: side?, service: service?, counsellor_id: counsellor_id?, client_id: client_id? };
            Some((filter, page?))
        })?;
        let (places, next_page_token) = list_waitlist(&self.world, &call, filter, &page).await?;
        Ok(pb::ListWaitlistResponse { places: places.iter().map(place_pb).collect(), next_page_token })
    }

    pub(super) async fn list_offers(&self, request: Request<pb::ListOffersRequest>) -> Result<pb::ListOffersResponse> {
        let (call, pb) = open(request)?;
        let mut f = Fields::default();
        let query = pb::ListOffersRequest::default();
        let page = f.page(pb.page_size, &pb.page_token, 50, &query);
        let page = f.finish(|| page)?;
        let (offers, next_page_token) = list_offers(&self.world, &call, &page).await?;
        let open = |it: &Waiting| pb::OpenOffer {
            offer: Some(offer_pb(&it.offer)),
            entry: Some(entry_pb(&it.entry)),
            hold: it.hold.as_ref().map(session_pb),
        };
        Ok(pb::ListOffersResponse { offers: offers.iter().map(open).collect(), next_page_token })
    }

    pub(super) async fn answer(&self, request: Request<pb::AnswerOfferRequest>) -> Result<pb::AnswerOfferResponse> {
        let (call, pb, mut f) = open_mutation(&self.world, request)?;
        let offer_id = f.id("offer_id", &pb.offer_id);
        let guardian_id = f.maybe_id("guardian_id", &pb.guardian_id);
        let overrides = overrides(&mut f, &pb.overrides);
        let answer = match pb.answer() {
            pb::OfferAnswer::Unspecified => f.wrong("answer", "must be OFFER_ANSWER_ACCEPT or OFFER_ANSWER_DECLINE"),
            pb::OfferAnswer::Accept => {
                guardian_id.zip(overrides).map(|(guardian_id, overrides)| Answer::Accept { guardian_id, overrides })
            }
            pb::OfferAnswer::Decline => {
                if !pb.guardian_id.is_empty() {
                    f.wrong::<()>("guardian_id", "must be empty when an offer is declined");
                }
                if !pb.overrides.is_empty() {
                    f.wrong::<()>("overrides", "must be empty when an offer is declined");
                }
                Some(Answer::Decline)
            }
        };
        let answer = f.finish(|| Some(AnswerOffer { offer_id: offer_id?, answer: answer? }))?;
        let answered = place(&self.world, call, answer).await?;
        Ok(pb::AnswerOfferResponse {
            offer: Some(offer_pb(&answered.offer)),
            entry: Some(entry_pb(&answered.entry)),
            session: answered.session.as_ref().map(session_pb),
        })
    }
}

fn wishes(f: &mut Fields, pb: &pb::WaitlistWishes) -> Option<Wishes> {
    let counsellor_id = f.maybe_id("wishes.counsellor_id", &pb.counsellor_id);
    let modality = f.maybe_word("wishes.modality", pb.modality);
    let venue_id = f.maybe_id("wishes.venue_id", &pb.venue_id);
    let district = f.maybe("wishes.district", &pb.district, Code::parse);
    let first_day = f.maybe_date("wishes.first_day", pb.first_day.as_ref());
    let last_day = f.maybe_date("wishes.last_day", pb.last_day.as_ref());
    let times = availability(f, "wishes.times", &pb.times);
    if modality == Some(Some(Modality::Remote)) {
        for (field, raw) in [("wishes.venue_id", &pb.venue_id), ("wishes.district", &pb.district)] {
            if !raw.is_empty() {
                f.wrong::<()>(field, "must be empty for remote sessions");
            }
        }
    }
    if first_day.flatten().zip(last_day.flatten()).is_some_and(|(first, last)| last < first) {
        f.wrong::<()>("wishes.last_day", "must not be before first_day");
    }
    Some(Wishes {
        counsellor_id: counsellor_id?,
        modality: modality?,
        venue_id: venue_id?,
        district: district?,
        first_day: first_day?,
        last_day: last_day?,
        times: times?,
    })
}

fn wishes_pb(it: &Wishes) -> pb::WaitlistWishes {
    pb::WaitlistWishes {
        counsellor_id: id_text(it.counsellor_id),
        modality: it.modality.map(Word::to_wire).unwrap_or_default(),
        venue_id: id_text(it.venue_id),
        district: it.district.as_ref().map(ToString::to_string).unwrap_or_default(),
        first_day: it.first_day.map(date),
        last_day: it.last_day.map(date),
        times: it.times.iter().map(availability_pb).collect(),
    }
}

pub(in crate::grpc) fn entry_pb(it: &Entry) -> pb::WaitlistEntry {
    let (ending, ended_at, session_id) = match it.ended {
        None => (0, None, None),
        Some(EntryEnded::Booked(at, session_id)) => (EntryEnding::Booked.to_wire(), timestamp(at), Some(session_id)),
        Some(EntryEnded::Left(at)) => (EntryEnding::Left.to_wire(), timestamp(at), None),
    };
    pb::WaitlistEntry {
        id: it.id.to_string(),
        etag: it.version.to_string(),
        organisation_id: it.organisation_id.to_string(),
        client_id: it.attendee.client_id.to_string(),
        service: it.service.to_wire(),
        length: duration(it.length),
        wishes: Some(wishes_pb(&it.wishes)),
        guardian_id: id_text(it.attendee.guardian_id),
        interpreter: it.attendee.interpreter,
        escalated: it.escalated,
        joined_at: timestamp(it.joined_at),
        ending,
        ended_at,
        session_id: id_text(session_id),
    }
}

fn offer_pb(it: &Offer) -> pb::WaitlistOffer {
    let ended = it.ended.as_ref();
    pb::WaitlistOffer {
        id: it.id.to_string(),
        entry_id: it.entry_id.to_string(),
        session_id: it.session_id.to_string(),
        starts_at: timestamp(it.span.starts_at()),
        ends_at: timestamp(it.span.ends_at()),
        offered_at: timestamp(it.offered_at),
        expires_at: timestamp(it.expires_at),
        ending: ended.map(|it| it.how.to_wire()).unwrap_or_default(),
        ended_at: ended.and_then(|it| timestamp(it.at)),
        ended_by: ended.map(|it| it.by.clone()).unwrap_or_default(),
    }
}

fn place_pb(it: &Place) -> pb::WaitlistPlace {
    pb::WaitlistPlace {
        entry: Some(entry_pb(&it.entry)),
        client_reference: it.reference.to_string(),
        band: it.band.to_wire(),
        position: count(it.position),
        offer: it.offer.as_ref().map(offer_pb),
        coming_session_id: id_text(it.coming),
        outlook: Some(outlook_pb(&it.outlook)),
    }
}

fn outlook_pb(it: &Outlook) -> pb::WaitlistOutlook {
    let exclusion = |(rule, many): &(RuleCode, u32)| pb::Exclusion { rule: rule.to_wire(), counsellors: count(*many) };
    pb::WaitlistOutlook {
        free_slots: count(it.free),
        slots_at_other_times: count(it.elsewhen),
        exclusions: it.exclusions.iter().map(exclusion).collect(),
        counsellors: count(it.counsellors),
    }
}
