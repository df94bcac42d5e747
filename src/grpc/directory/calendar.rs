//! Holiday calendars and their versions on the wire.

use std::collections::BTreeMap;

use super::wire::{Wire, Within, id_of, list, wire_fields};
use crate::domain::directory::HolidayCalendar;
use crate::domain::noun::Record;
use crate::domain::text::{self, Code};
use crate::grpc::fields::{Fields, date, timestamp};
use crate::grpc::pb;
use crate::usecase::World;
use crate::usecase::call::Call;
use crate::usecase::directory::{Version, get_holiday_calendar};
use crate::usecase::error::Result;

impl Wire for HolidayCalendar {
    wire_fields!(HolidayCalendar, "holiday_calendar": organisation_id, code, name, holidays);

    fn to_pb(it: &Record<Self>) -> pb::HolidayCalendar {
        let holiday =
            |(on, name): (&chrono::NaiveDate, &String)| pb::Holiday { date: Some(date(*on)), name: name.clone() };
        pb::HolidayCalendar {
            id: id_of(it),
            etag: it.version.to_string(),
            organisation_id: it.organisation_id.to_string(),
            code: it.code.to_string(),
            name: it.name.clone(),
            holidays: it.holidays.iter().map(holiday).collect(),
            created_at: timestamp(it.created_at),
            updated_at: timestamp(it.updated_at),
        }
    }

    fn from_pb(pb: &pb::HolidayCalendar, call: &Call) -> Result<Self> {
        let mut f = Fields::inside(Self::FIELD);
        let organisation_id = f.organisation("organisation_id", &pb.organisation_id, call);
        let code = f.parse("code", &pb.code, Code::parse);
        let name = f.parse("name", &pb.name, text::name);
        let mut holidays = BTreeMap::new();
        if pb.holidays.len() > Self::MOST_DAYS {
            f.wrong::<()>("holidays", format!("must have at most {} days", Self::MOST_DAYS));
        }
        for (at, holiday) in pb.holidays.iter().take(Self::MOST_DAYS).enumerate() {
            let day = f.date(&format!("holidays[{at}].date"), holiday.date.as_ref());
            let name = f.parse(&format!("holidays[{at}].name"), &holiday.name, text::name);
            if let (Some(day), Some(name)) = (day, name)
                && holidays.insert(day, name).is_some()
            {
                f.wrong::<()>(&format!("holidays[{at}].date"), "must not repeat a day");
            }
        }
        f.finish(|| Some(Self { organisation_id: organisation_id?, code: code?, name: name?, holidays }))
    }
}

/// Reads a calendar as it is, or as it was.
pub async fn get(world: &World, call: &Call, pb: &pb::GetHolidayCalendarRequest) -> Result<pb::HolidayCalendar> {
    let mut f = Fields::default();
    let id = f.id("holiday_calendar_id", &pb.holiday_calendar_id);
    let version = match (pb.etag.as_str(), pb.as_of.as_ref()) {
        ("", None) => Some(Version::Present),
        (etag, None) => f.etag("etag", etag).map(Version::Number),
        ("", as_of) => f.maybe_instant("as_of", as_of).flatten().map(Version::At),
        (_, Some(_)) => f.wrong("as_of", "must stand without etag"),
    };
    let (id, version) = f.finish(|| Some((id?, version?)))?;
    Ok(HolidayCalendar::to_pb(&get_holiday_calendar(world, call, id, version).await?))
}

/// Reads a page of calendars without their days, and so without etags: whoever wrote one back would
/// strike out every day.
pub async fn page(
    world: &World,
    call: &Call,
    pb: &pb::ListHolidayCalendarsRequest,
) -> Result<pb::ListHolidayCalendarsResponse> {
    let within: Within<'_> = Some(("organisation_id", &pb.organisation_id));
    let query = pb::ListHolidayCalendarsRequest { page_size: 0, page_token: String::new(), ..pb.clone() };
    let (mut holiday_calendars, next_page_token) =
        list::<HolidayCalendar>(world, call, within, (pb.page_size, &pb.page_token), &query).await?;
    holiday_calendars.iter_mut().for_each(|calendar| calendar.etag.clear());
    Ok(pb::ListHolidayCalendarsResponse { holiday_calendars, next_page_token })
}
