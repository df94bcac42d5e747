//! Reads the fields of a request, and remembers everything that is wrong with them.

use chrono::{DateTime, NaiveDate, TimeDelta, Timelike, Utc};
use prost::Message;
use prost_types::{Duration, Timestamp};
use tonic::Request;

use super::words::Word;
use crate::domain::ids::{Id, OrganisationId};
use crate::domain::personal::Personal;
use crate::domain::text::{Fault, bounded};
use crate::domain::time::{DayTime, sensible};
use crate::grpc::pb::google::r#type as gt;
use crate::usecase::call::{Call, Request as RequestKey};
use crate::usecase::error::{Error, FieldViolation, Result};
use crate::usecase::page::{LARGEST, Page};
use crate::usecase::world::World;

/// Collects what is wrong; a getter gives nothing for a wrong field, and [`Fields::finish`] then
/// refuses the request with all of them.
#[derive(Default)]
pub struct Fields {
    wrong: Vec<FieldViolation>,
    prefix: String,
}

impl Fields {
    /// Fields of a message inside the request: their names get a prefix.
    pub fn inside(prefix: &str) -> Self {
        Self { prefix: format!("{prefix}."), ..Self::default() }
    }

    /// Notes a wrong field.
    pub fn wrong<T>(&mut self, field: &str, says: impl Into<String>) -> Option<T> {
        self.wrong.push(FieldViolation { field: format!("{}{field}", self.prefix), says: says.into() });
        None
    }

    /// Takes over what is wrong with fields that were read apart.
    pub fn take(&mut self, other: Self) {
        self.wrong.extend(other.wrong);
    }

    /// The value built from every field, or every violation.
    pub fn finish<T>(self, build: impl FnOnce() -> Option<T>) -> Result<T> {
        match build() {
            Some(value) if self.wrong.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.wrong)),
        }
    }

    /// A value that others have read, or what is wrong with both.
    pub fn and<T>(mut self, read: Result<T>) -> Result<T> {
        match read {
            Err(Error::Invalid(more)) => {
                self.wrong.extend(more);
                Err(Error::Invalid(self.wrong))
            }
            read => self.finish(|| Some(())).and(read),
        }
    }

    /// A text that some parser of the domain understands.
    pub fn parse<T>(&mut self, field: &str, raw: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<T> {
        parse(raw).map_err(|fault| self.wrong::<T>(field, fault.to_string())).ok()
    }

    /// As [`Fields::parse`], or none when empty.
    pub fn maybe<T>(&mut self, field: &str, raw: &str, parse: impl Fn(&str) -> Result<T, Fault>) -> Option<Option<T>> {
        if raw.is_empty() { Some(None) } else { self.parse(field, raw, parse).map(Some) }
    }

    /// A list of such texts, at least one, without repeats.
    pub fn parse_all<T: PartialEq>(
        &mut self,
        field: &str,
        raw: &[String],
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Vec<T>> {
        let texts = raw.iter().enumerate();
        let all: Vec<_> = texts.map(|(at, text)| self.parse(&format!("{field}[{at}]"), text, &parse)).collect();
        self.distinct(field, all.into_iter().collect::<Option<_>>()?)
    }

    fn distinct<T: PartialEq>(&mut self, field: &str, all: Vec<T>) -> Option<Vec<T>> {
        match all.len() {
            0 => self.wrong(field, "must have at least one value"),
            1..=100 if all.iter().enumerate().all(|(at, one)| !all[..at].contains(one)) => Some(all),
            1..=100 => self.wrong(field, "must not repeat a value"),
            _ => self.wrong(field, "must have at most 100 values"),
        }
    }

    /// Text about a person.
    pub fn personal(&mut self, field: &str, raw: &str, length: std::ops::RangeInclusive<usize>) -> Option<Personal> {
        self.parse(field, raw, |raw| bounded(raw, length.clone())).map(Personal::new)
    }

    /// A required id.
    pub fn id<I: Id>(&mut self, field: &str, raw: &str) -> Option<I> {
        match raw.parse() {
            Ok(id) => Some(id),
            Err(_) if raw.is_empty() => self.wrong(field, "is required"),
            Err(_) => self.wrong(field, "must be an id (a UUID)"),
        }
    }

    /// An id, or none when empty.
    pub fn maybe_id<I: Id>(&mut self, field: &str, raw: &str) -> Option<Option<I>> {
        if raw.is_empty() { Some(None) } else { self.id(field, raw).map(Some) }
    }

    /// The organisation named, or the caller's own.
    pub fn organisation(&mut self, field: &str, raw: &str, call: &Call) -> Option<OrganisationId> {
        match call.caller().authority.organisation_id() {
            Some(own) if raw.is_empty() => Some(own),
            _ => self.id(field, raw),
        }
    }

    /// A required enum.
    pub fn word<W: Word>(&mut self, field: &str, number: i32) -> Option<W> {
        W::from_wire(number).or_else(|| self.wrong(field, format!("must be one of {}", W::all())))
    }

    /// An enum, or none when unspecified.
    pub fn maybe_word<W: Word>(&mut self, field: &str, number: i32) -> Option<Option<W>> {
        if number == 0 { Some(None) } else { self.word(field, number).map(Some) }
    }

    /// A list of enums, at least one, without repeats.
    pub fn words<W: Word + PartialEq>(&mut self, field: &str, numbers: &[i32]) -> Option<Vec<W>> {
        let all: Vec<_> =
            numbers.iter().enumerate().map(|(at, number)| self.word(&format!("{field}[{at}]"), *number)).collect();
        self.distinct(field, all.into_iter().collect::<Option<_>>()?)
    }

    /// An instant, or none when absent.
    pub fn maybe_instant(&mut self, field: &str, raw: Option<&Timestamp>) -> Option<Option<DateTime<Utc>>> {
        let Some(raw) = raw else { return Some(None) };
        let nanos = u32::try_from(raw.nanos).ok();
        let at = nanos.and_then(|nanos| DateTime::from_timestamp(raw.seconds, nanos));
        match at.filter(|at| sensible(at.date_naive()).is_some()) {
            Some(at) if at.nanosecond() % 1_000 == 0 => Some(Some(at)),
            Some(_) => self.wrong(field, "must be in whole microseconds"),
            None => self.wrong(field, "must be an instant between the years 1900 and 2200"),
        }
    }

    /// A required instant in whole minutes.
    pub fn minute(&mut self, field: &str, raw: Option<&Timestamp>) -> Option<DateTime<Utc>> {
        match self.maybe_instant(field, raw)? {
            Some(at) if at.timestamp() % 60 == 0 && at.nanosecond() == 0 => Some(at),
            Some(_) => self.wrong(field, "must be in whole minutes"),
            None => self.wrong(field, "is required"),
        }
    }

    /// A duration in whole minutes within bounds, or a default when absent.
    pub fn minutes(
        &mut self,
        field: &str,
        raw: Option<&Duration>,
        bounds: std::ops::RangeInclusive<TimeDelta>,
        absent: Option<TimeDelta>,
    ) -> Option<TimeDelta> {
        let (least, most) = (bounds.start().num_minutes(), bounds.end().num_minutes());
        match raw {
            None => absent.or_else(|| self.wrong(field, "is required")),
            Some(Duration { seconds, nanos: 0 }) if seconds % 60 == 0 && (least..=most).contains(&(seconds / 60)) => {
                Some(TimeDelta::seconds(*seconds))
            }
            Some(_) => self.wrong(field, format!("must be {least} to {most} whole minutes")),
        }
    }

    /// A duration in whole days within bounds, or a default when absent.
    pub fn days(
        &mut self,
        field: &str,
        raw: Option<&Duration>,
        bounds: std::ops::RangeInclusive<i64>,
        absent: TimeDelta,
    ) -> Option<TimeDelta> {
        const DAY: i64 = 24 * 60 * 60;
        match raw {
            None => Some(absent),
            Some(Duration { seconds, nanos: 0 }) if seconds % DAY == 0 && bounds.contains(&(seconds / DAY)) => {
                Some(TimeDelta::seconds(*seconds))
            }
            Some(_) => self.wrong(field, format!("must be {} to {} whole days", bounds.start(), bounds.end())),
        }
    }

    /// A count within bounds, or none when absent.
    pub fn maybe_count(
        &mut self,
        field: &str,
        raw: Option<i32>,
        bounds: std::ops::RangeInclusive<u32>,
    ) -> Option<Option<u32>> {
        let Some(raw) = raw else { return Some(None) };
        match u32::try_from(raw).ok().filter(|count| bounds.contains(count)) {
            Some(count) => Some(Some(count)),
            None => self.wrong(field, format!("must be {} to {}", bounds.start(), bounds.end())),
        }
    }

    /// A text that some parser of the domain understands, or none when empty.
    pub fn maybe_parse<T>(
        &mut self,
        field: &str,
        raw: &str,
        parse: impl Fn(&str) -> Result<T, Fault>,
    ) -> Option<Option<T>> {
        if raw.is_empty() { Some(None) } else { self.parse(field, raw, parse).map(Some) }
    }

    /// A calendar date, or none when absent.
    pub fn maybe_date(&mut self, field: &str, raw: Option<&gt::Date>) -> Option<Option<NaiveDate>> {
        let Some(raw) = raw else { return Some(None) };
        let parts = u32::try_from(raw.month).ok().zip(u32::try_from(raw.day).ok());
        let date = parts.and_then(|(month, day)| NaiveDate::from_ymd_opt(raw.year, month, day)).and_then(sensible);
        match date {
            Some(date) => Some(Some(date)),
            None => self.wrong(field, "must be a calendar date between the years 1900 and 2200"),
        }
    }

    /// A required calendar date.
    pub fn date(&mut self, field: &str, raw: Option<&gt::Date>) -> Option<NaiveDate> {
        match self.maybe_date(field, raw)? {
            Some(date) => Some(date),
            None => self.wrong(field, "is required"),
        }
    }

    /// A time of day in whole minutes, 24:00 included.
    pub fn day_time(&mut self, field: &str, raw: Option<&gt::TimeOfDay>) -> Option<DayTime> {
        let time = raw.filter(|raw| raw.seconds == 0 && raw.nanos == 0);
        let parts = time.and_then(|raw| u32::try_from(raw.hours).ok().zip(u32::try_from(raw.minutes).ok()));
        parts
            .and_then(|(hour, minute)| DayTime::new(hour, minute))
            .or_else(|| self.wrong(field, "must be a time of day in whole minutes, 00:00 to 24:00"))
    }

    /// The version that an etag stands for.
    pub fn etag(&mut self, field: &str, raw: &str) -> Option<i64> {
        match raw.parse() {
            Ok(version) => Some(version),
            Err(_) if raw.is_empty() => self.wrong(field, "is required: the etag last read"),
            Err(_) => self.wrong(field, "must be an etag as it was read"),
        }
    }

    /// Size and token of a page; `query` is the request without them.
    pub fn page(&mut self, size: i32, token: &str, default: usize, query: &impl Message) -> Option<Page> {
        let size = match usize::try_from(size) {
            Ok(0) => default,
            Ok(size) if size <= LARGEST => size,
            _ => return self.wrong("page_size", format!("must be 1 to {LARGEST}, or 0 for the default")),
        };
        Some(Page { size, token: token.to_owned(), query: query.encode_to_vec() })
    }
}

/// The call that the gate let in, and the message.
pub fn open<M>(request: Request<M>) -> Result<(Call, M)> {
    let (_, mut extensions, message) = request.into_parts();
    let call = extensions.remove::<Call>().ok_or(Error::Unauthenticated)?;
    Ok((call, message))
}

/// A message with a request id.
pub trait Keyed: Message {
    /// The request id; empty when the caller gave none.
    fn request_id(&self) -> &str;
}

/// As [`open`], for a mutation: under its request id, if it has one. The fields hold what is wrong
/// with that id, and are to be finished with all others.
pub fn open_mutation<M: Keyed>(world: &World, request: Request<M>) -> Result<(Call, M, Fields)> {
    let (call, message) = open(request)?;
    let mut fields = Fields::default();
    let id = fields.maybe_id::<uuid::Uuid>("request_id", message.request_id()).flatten();
    let digest = || world.digest("request", &message.encode_to_vec());
    let call = call.under(id.map(|id| RequestKey { id, digest: digest() }));
    Ok((call, message, fields))
}

macro_rules! keyed {
    ($($message:ident),* $(,)?) => {$(
        impl $crate::grpc::fields::Keyed for $crate::grpc::pb::$message {
            fn request_id(&self) -> &str {
                &self.request_id
            }
        }
    )*};
}
pub(super) use keyed;

/// A date for the wire.
pub fn date(date: NaiveDate) -> gt::Date {
    use chrono::Datelike;
    let small = |number: u32| i32::try_from(number).unwrap_or_default();
    gt::Date { year: date.year(), month: small(date.month()), day: small(date.day()) }
}

/// A time of day for the wire.
pub fn day_time(time: DayTime) -> gt::TimeOfDay {
    let small = |number: u32| i32::try_from(number).unwrap_or_default();
    gt::TimeOfDay { hours: small(time.hour()), minutes: small(time.minute()), seconds: 0, nanos: 0 }
}

/// An instant for the wire.
pub fn timestamp(at: DateTime<Utc>) -> Option<Timestamp> {
    Some(Timestamp { seconds: at.timestamp(), nanos: i32::try_from(at.timestamp_subsec_nanos()).ok()? })
}

/// A duration for the wire.
pub fn duration(length: TimeDelta) -> Option<Duration> {
    Some(Duration { seconds: length.num_seconds(), nanos: 0 })
}

/// A count for the wire.
pub fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// An optional id for the wire.
pub fn id_text<I: Id>(id: Option<I>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}
