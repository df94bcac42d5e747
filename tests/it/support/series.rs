//! Series in the domain's words.

use aftercare::grpc::pb;
use prost::Message;
use tonic::Status;

use super::actor::Actor;
use super::app::TestApp;
use super::ngo::{Ngo, booking, date, minutes, time_of_day};

/// The first Tuesday of the tests.
pub const TUESDAY: &str = "2026-11-24";

/// Every Tuesday at 10:00 for an hour, all or none.
pub fn weekly(ngo: &Ngo, counsellor: &pb::Counsellor, client: &pb::Client, count: u32) -> pb::BookSeriesRequest {
    let one = booking(ngo, counsellor, client, "2026-11-24T04:30:00Z");
    pb::BookSeriesRequest {
        client_id: one.client_id,
        counsellor_id: one.counsellor_id,
        service: one.service,
        modality: one.modality,
        venue_id: one.venue_id,
        length: Some(minutes(60)),
        first_date: Some(date(TUESDAY)),
        time: Some(time_of_day(10, 0)),
        rule: format!("FREQ=WEEKLY;BYDAY=TU;COUNT={count}"),
        mode: pb::SeriesMode::AllOrNothing.into(),
        ..Default::default()
    }
}

/// As far as it fits.
pub fn what_fits(request: pb::BookSeriesRequest) -> pb::BookSeriesRequest {
    pb::BookSeriesRequest { mode: pb::SeriesMode::BookWhatFits.into(), ..request }
}

pub async fn book_series(actor: &Actor, request: pb::BookSeriesRequest) -> Result<pb::BookSeriesResponse, Status> {
    Ok(actor.scheduling().book_series(request).await?.into_inner())
}

pub async fn get_series(actor: &Actor, id: &str) -> Result<pb::Series, Status> {
    let request = pb::GetSeriesRequest { series_id: id.into() };
    Ok(actor.scheduling().get_series(request).await?.into_inner().series.unwrap())
}

/// The sessions of a series as they stand: number, local start and state.
pub fn standing(series: &pb::Series) -> Vec<(i32, &str, pb::SessionState)> {
    let sessions = series.occurrences.iter().filter_map(|it| Some((it.number, it.session.as_ref()?)));
    sessions.map(|(number, it)| (number, it.local_start.as_str(), it.state())).collect()
}

/// The local starts of the sessions of a series.
pub fn starts(series: &pb::Series) -> Vec<&str> {
    standing(series).into_iter().map(|(_, start, _)| start).collect()
}

/// The session that stands under a number.
pub fn session_of(series: &pb::Series, number: i32) -> &pb::Session {
    series.occurrences.iter().find(|it| it.number == number).and_then(|it| it.session.as_ref()).unwrap()
}

/// Which sessions a refused series names.
pub fn refused_occurrences(status: &Status) -> Vec<pb::RefusedOccurrence> {
    let all = tonic_types::pb::Status::decode(status.details()).unwrap();
    let found = all.details.iter().find(|any| any.type_url.ends_with("aftercare.v1.SeriesRefusal"));
    pb::SeriesRefusal::decode(&found.unwrap().value[..]).unwrap().occurrences
}

/// Closes the organisation's site on some days.
pub async fn close(app: &TestApp, ngo: &Ngo, days: &[&str]) {
    let holiday = |day: &&str| pb::Holiday { date: Some(date(day)), name: "Example Day".into() };
    let calendar = pb::HolidayCalendar {
        code: "CAL".into(),
        name: "Example".into(),
        holidays: days.iter().map(holiday).collect(),
        ..Default::default()
    };
    let request = pb::CreateHolidayCalendarRequest { holiday_calendar: Some(calendar), ..Default::default() };
    let made = ngo.coordinator.directory().create_holiday_calendar(request).await.unwrap().into_inner();
    let site = pb::Site { holiday_calendar_id: made.holiday_calendar.unwrap().id, ..ngo.site.clone() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["holiday_calendar_id".into()] });
    let request = pb::UpdateSiteRequest { site: Some(site), update_mask, ..Default::default() };
    app.admin().directory().update_site(request).await.unwrap();
}
