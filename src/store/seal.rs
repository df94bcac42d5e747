//! The one place where text about a person becomes bytes at rest, and back: encrypted under the key of whom it is
//! about, and bound to its place, so that it opens nowhere else.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueRef};
use sqlx::sqlite::{SqliteArgumentsBuffer, SqliteTypeInfo, SqliteValueRef};
use sqlx::{Decode, Encode, Postgres, Sqlite, Type};
use uuid::Uuid;

use super::cipher::{Digest, Key, context, padded, unpadded};
use super::error::{Error, KeyFault, Result};
use super::key_cache::Held;
use super::tx::Tx;
use super::vault::{Purpose, Vault};
use crate::domain::ids::Id;
use crate::domain::personal::Personal;

/// Bytes at rest of a text about a person.
#[derive(Clone)]
pub struct Sealed(Vec<u8>);

/// A row with texts about its owner.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    owner: Uuid,
    row: Uuid,
    part: &'a str,
}

impl<'a> Place<'a> {
    /// The row of an id, whose texts are about `owner`.
    pub fn of(owner: impl Id, row: impl Id) -> Self {
        Self { owner: owner.uuid(), row: row.uuid(), part: "" }
    }

    /// One of several rows that this id has: which.
    #[must_use]
    pub fn part(self, part: &'a str) -> Self {
        Self { part, ..self }
    }

    /// What binds the text of a column (`table.column`) to its place.
    fn context(&self, column: &str) -> Vec<u8> {
        context(&[b"field", self.owner.as_bytes(), self.row.as_bytes(), self.part.as_bytes(), column.as_bytes()])
    }
}

impl Tx {
    /// Makes a text ready to be stored in a column (`table.column`) of a row. [`Error::Erased`] when the owner's key was
    /// destroyed.
    pub async fn seal(&mut self, place: Place<'_>, column: &'static str, text: &Personal) -> Result<Sealed> {
        let vault = self.keys()?.clone();
        let key = match self.key(&vault, place.owner).await? {
            Some(Held::Key(key)) => key,
            Some(Held::Destroyed) => return Err(Error::Erased),
            None => {
                let key = Key::fresh(vault.rng());
                self.fresh.insert(place.owner, key.clone());
                key
            }
        };
        let bytes = padded(text.expose().as_bytes());
        Ok(Sealed(key.seal(vault.rng(), &place.context(column), &bytes)))
    }

    /// As [`Tx::seal`], for a text that may be absent.
    pub async fn seal_some(
        &mut self,
        place: Place<'_>,
        column: &'static str,
        text: Option<&Personal>,
    ) -> Result<Option<Sealed>> {
        match text {
            Some(text) => self.seal(place, column, text).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads what [`Tx::seal`] made for the same place; empty once the owner's key is destroyed.
    pub async fn open(&mut self, place: Place<'_>, column: &'static str, sealed: Sealed) -> Result<Personal> {
        let vault = self.keys()?.clone();
        let wrong = || Error::Inconsistent { table: column, what: place.row.to_string() };
        let key = match self.key(&vault, place.owner).await?.ok_or_else(wrong)? {
            Held::Key(key) => key,
            Held::Destroyed => return Ok(Personal::default()),
        };
        let bytes = key.open(&place.context(column), &sealed.0).ok_or_else(wrong)?;
        let text = unpadded(&bytes).and_then(|text| std::str::from_utf8(text).ok());
        Ok(Personal::new(text.ok_or_else(wrong)?.to_owned()))
    }

    /// Makes the keys of many owners ready before what they seal is read.
    pub async fn prepare_keys(&mut self, owners: impl IntoIterator<Item = Uuid>) -> Result<()> {
        self.keys()?.clone().prepare(owners).await
    }

    /// A keyed digest that every process of this installation makes alike.
    pub fn digest(&self, of: Purpose, purpose: &str, text: &[u8]) -> Result<Digest> {
        Ok(self.keys()?.digest(of, purpose, text))
    }

    async fn key(&self, vault: &Vault, owner: Uuid) -> Result<Option<Held>> {
        match self.fresh.get(&owner) {
            Some(key) => Ok(Some(Held::Key(key.clone()))),
            None => vault.find(owner).await,
        }
    }

    fn keys(&self) -> Result<&Vault> {
        self.vault.as_ref().ok_or_else(|| KeyFault::Locked.into())
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
