//! Whoever waits is placed in one order, and offered what will do.

use super::*;
use crate::domain::ids::ClientId;
use crate::domain::time::DayTime;
use uuid::Uuid;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn span(from: &str, until: &str) -> Span {
    Span::new(at(from), at(until)).unwrap()
}

fn entry(number: u128, joined_at: &str) -> Entry {
    Entry {
        id: WaitlistEntryId(Uuid::from_u128(number)),
        version: 1,
        organisation_id: OrganisationId(Uuid::nil()),
        side: Side::Survivor,
        attendee: Attendee { client_id: ClientId(Uuid::nil()), guardian_id: None, interpreter: false, order_id: None },
        service: CareService::Counselling,
        length: TimeDelta::minutes(60),
        wishes: Wishes::default(),
        escalated: false,
        joined_at: at(joined_at),
        ended: None,
    }
}

fn opening() -> Opening {
    Opening {
        counsellor_id: CounsellorId(Uuid::from_u128(7)),
        venue_id: Some(VenueId(Uuid::from_u128(8))),
        district: Some(Code::parse("KL-TVM").unwrap()),
        zone: chrono_tz::Asia::Kolkata,
    }
}

#[test]
fn the_order_is_band_then_longest_wait_then_id() {
    let early = entry(3, "2026-11-01T00:00:00Z");
    let (late, same) = (entry(1, "2026-11-02T00:00:00Z"), entry(2, "2026-11-02T00:00:00Z"));
    let escalated = Entry { escalated: true, ..entry(9, "2026-11-09T00:00:00Z") };
    let child = entry(8, "2026-11-08T00:00:00Z");
    let mut all = [late.rank(false), early.rank(false), child.rank(true), same.rank(false), escalated.rank(false)];
    all.sort();
    let ids: Vec<u128> = all.iter().map(|it| it.id.0.as_u128()).collect();
    assert_eq!(ids, [9, 8, 3, 1, 2]);
    assert_eq!(all.map(|it| it.band())[..3], [Band::Escalated, Band::Child, Band::Standard]);
}

#[test]
fn a_time_will_do_when_every_wish_is_met() {
    let ten = span("2026-11-24T04:30:00Z", "2026-11-24T05:30:00Z");
    let met = |wishes: Wishes| wishes.admit(&opening(), ten);
    assert!(met(Wishes::default()));
    let day = |text: &str| Some(text.parse().unwrap());
    let from = |hour| {
        vec![Availability { day: Day::Tuesday, starts: DayTime::new(hour, 0).unwrap(), ends: DayTime::END_OF_DAY }]
    };
    for (wishes, expected) in [
        (Wishes { counsellor_id: Some(opening().counsellor_id), ..Default::default() }, true),
        (Wishes { counsellor_id: Some(CounsellorId(Uuid::nil())), ..Default::default() }, false),
        (Wishes { modality: Some(Modality::InPerson), ..Default::default() }, true),
        (Wishes { modality: Some(Modality::Remote), ..Default::default() }, false),
        (Wishes { venue_id: opening().venue_id, ..Default::default() }, true),
        (Wishes { venue_id: Some(VenueId(Uuid::nil())), ..Default::default() }, false),
        (Wishes { district: Some(Code::parse("KL-EKM").unwrap()), ..Default::default() }, false),
        (Wishes { first_day: day("2026-11-24"), last_day: day("2026-11-24"), ..Default::default() }, true),
        (Wishes { first_day: day("2026-11-25"), ..Default::default() }, false),
        (Wishes { last_day: day("2026-11-23"), ..Default::default() }, false),
        (Wishes { times: from(10), ..Default::default() }, true),
        (Wishes { times: from(11), ..Default::default() }, false),
    ] {
        assert_eq!(met(wishes.clone()), expected, "{wishes:?}");
    }
}

#[test]
fn a_longer_time_has_room_on_the_grid() {
    let free = span("2026-11-24T04:40:00Z", "2026-11-24T06:00:00Z");
    let starts: Vec<_> =
        entry(1, "2026-11-01T00:00:00Z").times_in(&opening(), free).iter().map(|it| it.starts_at()).collect();
    // 10:10, then 10:15 and 10:30 in Asia/Kolkata.
    assert_eq!(starts, [at("2026-11-24T04:40:00Z"), at("2026-11-24T04:45:00Z"), at("2026-11-24T05:00:00Z")]);
    let shorter = span("2026-11-24T04:40:00Z", "2026-11-24T05:30:00Z");
    assert_eq!(entry(1, "2026-11-01T00:00:00Z").times_in(&opening(), shorter), []);
}

#[test]
fn an_offer_leaves_time_for_an_answer_and_for_notice() {
    let now = at("2026-11-23T04:00:00Z");
    let expiry = |hours, notice| Offer::expiry(now, now + TimeDelta::hours(hours), TimeDelta::hours(notice));
    assert_eq!(expiry(72, 2), Some(now + TimeDelta::hours(24)));
    assert_eq!(expiry(10, 2), Some(now + TimeDelta::hours(8)));
    assert_eq!(expiry(3, 2), Some(now + TimeDelta::hours(1)));
    assert_eq!(Offer::expiry(now, now + TimeDelta::minutes(179), TimeDelta::hours(2)), None);
}

#[test]
fn the_holder_of_an_offer_is_known_by_its_name() {
    let id = WaitlistOfferId(Uuid::from_u128(5));
    assert_eq!(Offer::of_holder(&Offer::holder(id)), Some(id));
    assert_eq!(Offer::of_holder("coordinator|x||waitlist:y"), None);
}
