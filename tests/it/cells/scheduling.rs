//! Sessions, series, groups, and who waits.

use aftercare::grpc::pb;

use super::made::absence;
use super::objects::Objects;
use super::recipes;
use crate::support::series::weekly;
use crate::support::{at, date, minutes, time_of_day};

const SERVICE: i32 = pb::CareService::Counselling as i32;
const IN_PERSON: i32 = pb::Modality::InPerson as i32;

fn window(days: i64) -> Option<prost_types::Timestamp> {
    at("2026-12-01T03:00:00Z").map(|it| prost_types::Timestamp { seconds: it.seconds + days * 86_400, ..it })
}

fn every_tuesday(it: &Objects) -> pb::BookSeriesRequest {
    weekly(&it.ngo, &it.counsellor, &it.client, 3)
}

recipes! { "SchedulingService", |it, _role|
    FindSlots FindSlotsRequest Survivor {
        client_id: it.client.id.clone(),
        service: SERVICE,
        length: Some(minutes(60)),
        window_starts_at: window(0),
        window_ends_at: window(2),
    }
    HoldSlot HoldSlotRequest Survivor {
        client_id: it.client.id.clone(),
        counsellor_id: it.counsellor.id.clone(),
        service: SERVICE,
        modality: IN_PERSON,
        venue_id: it.ngo.venue.id.clone(),
        starts_at: at("2026-12-03T04:30:00Z"),
        length: Some(minutes(60)),
    }
    ReleaseHold ReleaseHoldRequest Survivor { hold_id: it.hold.id.clone() }
    BookSession BookSessionRequest Survivor {
        client_id: it.client.id.clone(),
        counsellor_id: it.counsellor.id.clone(),
        service: SERVICE,
        modality: IN_PERSON,
        venue_id: it.ngo.venue.id.clone(),
        starts_at: at("2026-12-04T04:30:00Z"),
        length: Some(minutes(60)),
    }
    RescheduleSession RescheduleSessionRequest Survivor {
        session_id: it.session.id.clone(),
        etag: it.session.etag.clone(),
        reason: pb::CancelReason::Client.into(),
        starts_at: at("2026-12-05T04:30:00Z"),
    }
    ReassignCounsellor ReassignCounsellorRequest Survivor {
        session_id: it.session.id.clone(),
        etag: it.session.etag.clone(),
        counsellor_id: it.colleague.id.clone(),
    }
    ProposeSubstitutes ProposeSubstitutesRequest Organisation { counsellor_id: it.counsellor.id.clone() }
    ReassignSessions ReassignSessionsRequest Survivor {
        items: vec![pb::Reassignment {
            session_id: it.session.id.clone(),
            etag: it.session.etag.clone(),
            counsellor_id: it.colleague.id.clone(),
            ..Default::default()
        }],
    }
    AddParticipant AddParticipantRequest Survivor {
        session_id: it.group.id.clone(),
        participant: Some(pb::WantedParticipant { client_id: it.client.id.clone(), ..Default::default() }),
    }
    RemoveParticipant RemoveParticipantRequest Survivor {
        session_id: it.group.id.clone(),
        etag: it.group.etag.clone(),
        client_id: it.client.id.clone(),
        reason: pb::CancelReason::Client.into(),
    }
    RecordPastSession RecordPastSessionRequest Survivor {
        client_id: it.client.id.clone(),
        counsellor_id: it.counsellor.id.clone(),
        service: SERVICE,
        modality: IN_PERSON,
        venue_id: it.ngo.venue.id.clone(),
        starts_at: at("2026-11-19T04:30:00Z"),
        length: Some(minutes(60)),
        reason: "the line was down".into(),
        attendances: vec![absence(&it.client)],
    }
    CancelSession CancelSessionRequest Survivor {
        session_id: it.session.id.clone(),
        etag: it.session.etag.clone(),
        reason: pb::CancelReason::Client.into(),
    }
    BookSeries BookSeriesRequest Survivor {
        client_id: it.client.id.clone(),
        counsellor_id: it.counsellor.id.clone(),
        service: SERVICE,
        modality: IN_PERSON,
        venue_id: it.ngo.venue.id.clone(),
        length: Some(minutes(60)),
        first_date: Some(date("2027-01-05")),
        time: Some(time_of_day(10, 0)),
        rule: every_tuesday(it).rule,
        mode: pb::SeriesMode::AllOrNothing.into(),
    }
    ScheduleProgramme ScheduleProgrammeRequest Survivor {
        programme_id: it.programme.id.clone(),
        client_id: it.client.id.clone(),
        counsellor_id: it.counsellor.id.clone(),
        modality: IN_PERSON,
        venue_id: it.ngo.venue.id.clone(),
        first_date: Some(date("2027-02-01")),
        week: vec![pb::WeeklySlot { day: 3, time: Some(time_of_day(10, 0)) }],
        mode: pb::SeriesMode::AllOrNothing.into(),
    }
    GetSeries GetSeriesRequest Survivor { series_id: it.series.id.clone() }
    RescheduleSeries RescheduleSeriesRequest Survivor {
        series_id: it.series.id.clone(),
        etag: it.series.etag.clone(),
        from_number: 3,
        reason: pb::CancelReason::Client.into(),
        time: Some(time_of_day(12, 0)),
        mode: pb::SeriesMode::AllOrNothing.into(),
    }
    CancelSeries CancelSeriesRequest Survivor {
        series_id: it.series.id.clone(),
        etag: it.series.etag.clone(),
        from_number: 3,
        reason: pb::CancelReason::Client.into(),
    }
    GetSession GetSessionRequest Survivor { session_id: it.session.id.clone() }
    ListSessions ListSessionsRequest Care {}
    WatchSessions WatchSessionsRequest Care {}
    ListSessionOverrides ListSessionOverridesRequest Survivor { session_id: it.session.id.clone() }
    ExportCalendar ExportCalendarRequest Survivor {
        counsellor_id: it.counsellor.id.clone(),
        starts_from: window(0),
        starts_before: window(7),
    }
    JoinWaitlist JoinWaitlistRequest Survivor {
        client_id: it.client.id.clone(),
        service: SERVICE,
        length: Some(minutes(60)),
    }
    LeaveWaitlist LeaveWaitlistRequest Survivor { entry_id: it.entry.id.clone() }
    ListWaitlist ListWaitlistRequest Care {}
    ListOffers ListOffersRequest Care {}
    AnswerOffer AnswerOfferRequest Survivor {
        offer_id: it.offer.id.clone(),
        answer: pb::OfferAnswer::Decline.into(),
    }
}
