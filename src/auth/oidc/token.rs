//! The form of a token (RFC 7515, 7519): read strictly, and believed only once its signature is checked.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::json;
use super::key::{Algorithm, Key};
use crate::usecase::call::Refused;

/// The most bytes of a token. Nothing that is longer is looked at.
pub(super) const LONGEST: usize = 8 * 1024;
/// Longest name of a key.
const LONGEST_ID: usize = 256;
/// What a header must not have: extensions that have to be understood, keys that the token brings itself or says where
/// to find, and what belongs to encryption or compression.
const NEVER: [&str; 7] = ["crit", "jwk", "jku", "x5u", "x5c", "enc", "zip"];

/// A token whose signature nobody has checked yet.
#[derive(Debug)]
pub(super) struct Token<'t> {
    /// How it says that it is signed.
    pub(super) algorithm: Algorithm,
    /// By which key; not every provider says so.
    pub(super) key_id: Option<String>,
    signed: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Token<'t> {
    /// Takes a token apart.
    pub(super) fn read(text: &'t str) -> Result<Self, Refused> {
        if text.len() > LONGEST {
            return Err(Refused::Forged("too long"));
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refused::Forged("form"))?;
        let (header, payload) = signed.split_once('.').ok_or(Refused::Forged("form"))?;
        if payload.contains('.') {
            return Err(Refused::Forged("form"));
        }
        let header = object(header).ok_or(Refused::Forged("header"))?;
        if NEVER.iter().any(|name| header.contains_key(*name)) {
            return Err(Refused::Forged("header with an extension or a key"));
        }
        if !header.get("typ").is_none_or(is_known_type) {
            return Err(Refused::Forged("type"));
        }
        let named = header.get("alg").and_then(Value::as_str).and_then(Algorithm::named);
        let algorithm = named.ok_or(Refused::Forged("algorithm"))?;
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) if id.len() <= LONGEST_ID => Some(id.clone()),
            Some(_) => return Err(Refused::Forged("name of the key")),
        };
        Ok(Self { algorithm, key_id, signed, payload, signature })
    }

    /// Whether a key is the one that it says it is signed by.
    pub(super) fn names(&self, key: &Key) -> bool {
        key.algorithm == self.algorithm && self.key_id.as_ref().is_none_or(|id| key.id.as_ref() == Some(id))
    }

    /// What it says, if this key has signed it.
    pub(super) fn claims(&self, key: &Key) -> Result<Map<String, Value>, Refused> {
        let signed = self.signed.as_bytes();
        let good = jsonwebtoken::crypto::verify(self.signature, signed, &key.public, key.algorithm.verified_as());
        if !good.unwrap_or(false) {
            return Err(Refused::Forged("signature"));
        }
        object(self.payload).ok_or(Refused::Forged("claims"))
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    json::object(&URL_SAFE_NO_PAD.decode(part).ok()?)
}

/// RFC 7519 5.1 and RFC 9068 2.1, with or without `application/` before it.
fn is_known_type(typ: &Value) -> bool {
    let Some(typ) = typ.as_str().map(str::to_ascii_lowercase) else { return false };
    matches!(typ.strip_prefix("application/").unwrap_or(&typ), "jwt" | "at+jwt")
}
