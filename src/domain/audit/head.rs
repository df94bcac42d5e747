//! Heads: the last position of the chain at some instant and its hash, signed. Whoever keeps one elsewhere can tell
//! later whether anything up to it was changed, or the chain cut off before it.
//!
//! A head is a compact JWS (RFC 7515, EdDSA) of one form only, so that it is made anew from its row, and checked by any
//! JOSE library.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::chain::Hash;
use crate::domain::statement::{KeySet, Kid, PublicKey, SigningKey};

const ALGORITHM: &str = "EdDSA";
/// So that neither a statement nor a token passes for a head (RFC 8725 3.11).
const TYPE: &str = "aftercare-audit-head+jwt";
const ISSUER: &str = "aftercare-audit";

/// What a head says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last position that it seals.
    pub position: i64,
    /// The hash there.
    pub hash: Hash,
    /// When it was made, in whole microseconds.
    pub sealed_at: DateTime<Utc>,
    /// The key that signs it.
    pub kid: Kid,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: Kid,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    iss: String,
    position: i64,
    hash: String,
    sealed_at: String,
}

impl Head {
    /// What is signed: header and payload of the JWS.
    fn signed_text(&self) -> String {
        let header = Header { alg: ALGORITHM.into(), typ: TYPE.into(), kid: self.kid.clone() };
        let sealed_at = self.sealed_at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let claims = Claims { iss: ISSUER.into(), position: self.position, hash: self.hash.to_string(), sealed_at };
        // Texts and numbers alone, which always can be written.
        let part = |json: serde_json::Result<String>| URL_SAFE_NO_PAD.encode(json.unwrap_or_default());
        [part(serde_json::to_string(&header)), part(serde_json::to_string(&claims))].join(".")
    }

    /// Signs it; the key must be the one that it names.
    pub fn sign(self, key: &SigningKey) -> SignedHead {
        let signature = key.signature(self.signed_text().as_bytes());
        SignedHead { head: self, signature }
    }
}

/// A head with a signature, good or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHead {
    /// What it says.
    pub head: Head,
    /// The signature.
    pub signature: [u8; 64],
}

impl SignedHead {
    /// Whether this key signed it, under its own name.
    pub fn is_of(&self, key: PublicKey) -> bool {
        key.kid() == self.head.kid && key.made(&self.signature, self.head.signed_text().as_bytes())
    }

    /// The compact JWS.
    pub fn token(&self) -> String {
        format!("{}.{}", self.head.signed_text(), URL_SAFE_NO_PAD.encode(self.signature))
    }

    /// Reads a compact JWS of the one form that there is. Says nothing about its signature.
    pub fn parse(token: &str) -> Option<Self> {
        let [header, claims, signature]: [Vec<u8>; 3] = token
            .split('.')
            .map(|part| URL_SAFE_NO_PAD.decode(part).ok())
            .collect::<Option<Vec<_>>>()?
            .try_into()
            .ok()?;
        let header: Header = serde_json::from_slice(&header).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        let head = Head {
            position: claims.position,
            hash: Hash::from_hex(&claims.hash)?,
            sealed_at: claims.sealed_at.parse().ok()?,
            kid: header.kid,
        };
        let it = Self { head, signature: signature.try_into().ok()? };
        (it.token() == token).then_some(it)
    }
}

/// A head to be kept elsewhere, with the key by which it is checked: a JSON Web Key Set with one member more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The head.
    pub head: SignedHead,
    /// The key that it names.
    pub key: PublicKey,
}

/// Why something is no exported head.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// It has not the form of one.
    #[error("it has not the form that audit-head gives it")]
    Form,
    /// It names a key that is not in it.
    #[error("it names a key that is not in it")]
    Key,
    /// It was changed, or not signed with the key that it names.
    #[error("its signature is wrong: it was changed, or not signed with the key that it names")]
    Signature,
}

impl Exported {
    /// The document.
    pub fn to_json(&self) -> String {
        let mut document: serde_json::Value =
            serde_json::from_str(&KeySet::new([self.key]).to_json()).unwrap_or_default();
        document["head"] = self.head.token().into();
        document.to_string()
    }

    /// Reads a document. That its signature is good by its own key says only that it is whole: whose key it is must
    /// be known from elsewhere.
    pub fn parse(json: &[u8]) -> Result<Self, Forged> {
        #[derive(Deserialize)]
        struct Document {
            head: String,
        }
        let document: Document = serde_json::from_slice(json).map_err(|_| Forged::Form)?;
        let keys = KeySet::parse(json).map_err(|_| Forged::Form)?;
        let head = SignedHead::parse(document.head.trim()).ok_or(Forged::Form)?;
        let key = keys.find(&head.head.kid).ok_or(Forged::Key)?;
        if head.is_of(key) { Ok(Self { head, key }) } else { Err(Forged::Signature) }
    }
}
