//! The one place where text about a person becomes bytes at rest, and back.
//!
//! Today the bytes are the text behind a format number; encryption under a key per owner comes
//! here and nowhere else, which is why every call names the owner and the column.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};
use uuid::Uuid;

use super::db::Tx;
use super::error::{Error, Result};
use crate::domain::personal::Personal;

/// Bytes at rest of a text about a person.
#[derive(Clone)]
pub struct Sealed(Vec<u8>);

/// Format of the bytes: text as it is.
const PLAIN: u8 = 0;

impl Tx {
    /// Makes a text about `owner` ready to be stored in `column` (`table.column`).
    pub async fn seal(&mut self, _owner: Uuid, _column: &'static str, text: &Personal) -> Result<Sealed> {
        let mut bytes = Vec::with_capacity(text.expose().len() + 1);
        bytes.push(PLAIN);
        bytes.extend_from_slice(text.expose().as_bytes());
        Ok(Sealed(bytes))
    }

    /// Reads what [`Tx::seal`] made for the same owner and column.
    pub async fn open(&mut self, owner: Uuid, column: &'static str, sealed: Sealed) -> Result<Personal> {
        let wrong = || Error::Inconsistent { table: column, what: owner.to_string() };
        match sealed.0.split_first() {
            Some((&PLAIN, text)) => Ok(Personal::new(String::from_utf8(text.to_vec()).map_err(|_| wrong())?)),
            _ => Err(wrong()),
        }
    }
}

macro_rules! bytes {
    ($db:ty, $info:ty, $buffer:ty, $value:ident) => {
        impl Type<$db> for Sealed {
            fn type_info() -> $info {
                <Vec<u8> as Type<$db>>::type_info()
            }

            fn compatible(info: &$info) -> bool {
                <Vec<u8> as Type<$db>>::compatible(info)
            }
        }

        impl<'q> Encode<'q, $db> for Sealed {
            fn encode_by_ref(&self, buffer: &mut $buffer) -> std::result::Result<IsNull, BoxDynError> {
                <Vec<u8> as Encode<'q, $db>>::encode_by_ref(&self.0, buffer)
            }
        }

        impl<'r> Decode<'r, $db> for Sealed {
            fn decode(value: $value<'r>) -> std::result::Result<Self, BoxDynError> {
                <Vec<u8> as Decode<'r, $db>>::decode(value).map(Self)
            }
        }
    };
}
bytes!(Sqlite, SqliteTypeInfo, SqliteArgumentsBuffer, SqliteValueRef);
bytes!(Postgres, PgTypeInfo, PgArgumentBuffer, PgValueRef);
