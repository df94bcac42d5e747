//! The signature: compact JWS with exactly one algorithm, one type and no options.
//!
//! Written here rather than with `jsonwebtoken`, which the tokens use: that one would accept headers it does not
//! understand (`crit`, RFC 7515 4.1.11) and signatures in more than one form. Evidence has one form.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::key::{KeySet, Kid, SigningKey};
use super::{Claims, ISSUER};

/// The one algorithm (RFC 8037 3.1).
pub(super) const ALGORITHM: &str = "EdDSA";
/// The one type, so that no other token of ours passes for a statement (RFC 8725 3.11).
const TYPE: &str = "aftercare-statement+jwt";
/// A statement of an order with a thousand corrections has a quarter of this.
const MOST_BYTES: usize = 64 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: Kid,
}

/// A statement whose signature and form are good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The key that signed it.
    pub kid: Kid,
    /// What it states.
    pub claims: Claims,
}

impl Verified {
    /// Whether it may still be taken for the present. Afterwards it goes on proving what was stated.
    pub fn is_current(&self, now: DateTime<Utc>) -> bool {
        now < self.claims.exp
    }
}

/// Why something is no statement of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// It has not the form of a signed statement.
    #[error("this is no signed statement: its {0} cannot be read")]
    Form(&'static str),
    /// Its header asks for something else than what statements are.
    #[error("this is no signed statement: its {0} is not {1}")]
    Header(&'static str, &'static str),
    /// The key is not in the set: it is somebody else's, or it was revoked.
    #[error("it names the key {0}, which is not in the key set: unknown, or revoked")]
    UnknownKey(Kid),
    /// Something was changed after it was signed, or it was never signed with that key.
    #[error("its signature is wrong: it was changed, or not signed with the key it names")]
    Signature,
    /// It is signed, and yet not a statement of ours.
    #[error("its issuer is not {ISSUER}")]
    Issuer,
}

impl SigningKey {
    /// Signs claims; equal claims give equal bytes.
    pub fn sign(&self, claims: &Claims) -> Result<String, serde_json::Error> {
        let header = Header { alg: ALGORITHM.into(), typ: TYPE.into(), kid: self.public().kid() };
        let part = |json: String| URL_SAFE_NO_PAD.encode(json);
        let signed = [part(serde_json::to_string(&header)?), part(serde_json::to_string(claims)?)].join(".");
        let signature = URL_SAFE_NO_PAD.encode(self.signature(signed.as_bytes()));
        Ok(format!("{signed}.{signature}"))
    }
}

/// Checks a statement against a set of keys. Its age is no reason to reject it.
pub fn verify(token: &str, keys: &KeySet) -> Result<Verified, Rejected> {
    if token.len() > MOST_BYTES {
        return Err(Rejected::Form("size"));
    }
    let parts: [&str; 3] =
        token.split('.').collect::<Vec<_>>().try_into().map_err(|_| Rejected::Form("three parts"))?;
    let [header, payload, signature] = parts.map(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let header = header.and_then(|json| serde_json::from_slice::<Header>(&json).ok());
    let header = header.ok_or(Rejected::Form("header"))?;
    // Before the key is looked for: what is signed in another way is not ours, whoever's it is.
    if header.alg != ALGORITHM {
        return Err(Rejected::Header("algorithm", ALGORITHM));
    }
    if header.typ != TYPE {
        return Err(Rejected::Header("type", TYPE));
    }
    let key = keys.find(&header.kid).ok_or_else(|| Rejected::UnknownKey(header.kid.clone()))?;
    let signature: Option<[u8; 64]> = signature.and_then(|bytes| bytes.try_into().ok());
    let signature = signature.ok_or(Rejected::Form("signature"))?;
    let (signed, _) = token.rsplit_once('.').ok_or(Rejected::Form("three parts"))?;
    if !key.made(&signature, signed.as_bytes()) {
        return Err(Rejected::Signature);
    }
    let claims = payload.and_then(|json| serde_json::from_slice::<Claims>(&json).ok());
    let claims = claims.ok_or(Rejected::Form("content"))?;
    if claims.iss != ISSUER {
        return Err(Rejected::Issuer);
    }
    Ok(Verified { kid: header.kid, claims })
}
