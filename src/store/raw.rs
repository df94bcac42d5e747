//! Stored values as their bytes, for what is hashed: a value that the service would never write can be read too.
//!
//! | value | what its bytes are, on both engines |
//! |---|---|
//! | text | its UTF-8 |
//! | id, bytes | themselves |
//! | instant | microseconds since 1970, as a number |

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Postgres, Sqlite, Type};

/// The bytes of a text, an id or bytes.
#[derive(Clone, Debug)]
pub(super) struct Raw(pub(super) Vec<u8>);

impl Type<Sqlite> for Raw {
    fn type_info() -> SqliteTypeInfo {
        <Vec<u8> as Type<Sqlite>>::type_info()
    }

    fn compatible(_: &SqliteTypeInfo) -> bool {
        true
    }
}

impl<'r> Decode<'r, Sqlite> for Raw {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        <Vec<u8> as Decode<'r, Sqlite>>::decode(value).map(Self)
    }
}

impl Type<Postgres> for Raw {
    fn type_info() -> PgTypeInfo {
        <Vec<u8> as Type<Postgres>>::type_info()
    }

    fn compatible(_: &PgTypeInfo) -> bool {
        true
    }
}

impl<'r> Decode<'r, Postgres> for Raw {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Self(value.as_bytes()?.to_vec()))
    }
}

/// From the epoch of PostgreSQL, the beginning of 2000, back to that of everybody else.
const EPOCH: i64 = 946_684_800_000_000;

/// An instant, also one that no calendar has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Micros(pub(super) i64);

impl Type<Sqlite> for Micros {
    fn type_info() -> SqliteTypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }
}

impl<'r> Decode<'r, Sqlite> for Micros {
    fn decode(value: SqliteValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as Decode<'r, Sqlite>>::decode(value).map(Self)
    }
}

impl Type<Postgres> for Micros {
    fn type_info() -> PgTypeInfo {
        <chrono::DateTime<chrono::Utc> as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Micros {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = value.as_bytes()?.try_into()?;
        Ok(Self(i64::from_be_bytes(bytes).wrapping_add(EPOCH)))
    }
}
