//! The built-in issuer: EdDSA tokens signed with a key in the data directory. For loopback only.

use std::io;
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::key_file::KeyFile;
use super::memory::{Memory, Name};
use crate::domain::access::{Authority, Identity, Role};
use crate::domain::text::Code;
use crate::rng::Rng;
use crate::usecase::call::{Authenticator, Identified, Refused};

const ISSUER: &str = "aftercare-builtin";
const AUDIENCE: &str = "aftercare";
pub(super) const KEY_FILE: &str = "issuer.key";
/// How far clocks may differ.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// The longest a token of this issuer lives.
pub const LONGEST_LIFE: TimeDelta = TimeDelta::hours(24);
/// A process has one key for as long as it runs.
const KEYS: u64 = 0;

/// The issuer, which also checks its tokens.
pub struct Builtin {
    encoding: EncodingKey,
    decoding: DecodingKey,
    memory: Memory<Signed>,
}

/// What a token says whose signature is good, and in which seconds it is.
struct Signed {
    identity: Identity,
    begins: i64,
    ends: i64,
}

impl std::fmt::Debug for Builtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Builtin([redacted])")
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counsellor: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jurisdiction: Option<String>,
}

/// A token to be issued.
#[derive(Clone, Debug)]
pub struct Grant {
    /// To whom.
    pub principal: String,
    /// What the bearer may be; none for a service account, of which the service knows.
    pub authority: Option<Authority>,
    /// From when.
    pub at: DateTime<Utc>,
    /// For how long; at most [`LONGEST_LIFE`].
    pub life: TimeDelta,
    /// Its id.
    pub id: Uuid,
}

impl Builtin {
    /// The issuer whose key lies in a directory; whoever comes first makes it.
    pub fn open(directory: &Path, rng: &dyn Rng) -> io::Result<Self> {
        let key = KeyFile::new(directory, KEY_FILE).open(rng)?;
        let der = key.to_pkcs8_der().map_err(io::Error::other)?;
        let public = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        let decoding = DecodingKey::from_ed_components(&public).map_err(io::Error::other)?;
        Ok(Self { encoding: EncodingKey::from_ed_der(der.as_bytes()), decoding, memory: Memory::new() })
    }

    /// Signs a token.
    pub fn issue(&self, grant: &Grant) -> Result<String, jsonwebtoken::errors::Error> {
        let authority = grant.authority.as_ref();
        let life = grant.life.min(LONGEST_LIFE);
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: grant.principal.clone(),
            iat: grant.at.timestamp(),
            nbf: grant.at.timestamp(),
            exp: (grant.at + life).timestamp(),
            jti: grant.id,
            role: authority.map(|it| it.role().to_string()),
            organisation: authority.and_then(Authority::organisation_id).map(|id| id.0),
            counsellor: authority.and_then(Authority::counsellor_id).map(|id| id.0),
            jurisdiction: authority.and_then(Authority::jurisdiction).map(ToString::to_string),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::EdDSA), &claims, &self.encoding)
    }
}

impl Authenticator for Builtin {
    fn identify<'a>(&'a self, token: &'a str, now: DateTime<Utc>) -> Identified<'a> {
        let identity = self.check(token, now);
        Box::pin(async move { identity })
    }
}

impl Builtin {
    fn check(&self, token: &str, now: DateTime<Utc>) -> Result<Identity, Refused> {
        let name = Name::of(token);
        if let Some(signed) = self.memory.find(&name, KEYS) {
            return signed.at(now);
        }
        let signed = self.read(token)?;
        let identity = signed.at(now)?;
        self.memory.keep(name, KEYS, Arc::new(signed));
        Ok(identity)
    }

    fn read(&self, token: &str) -> Result<Signed, Refused> {
        let mut rules = Validation::new(Algorithm::EdDSA);
        rules.set_issuer(&[ISSUER]);
        rules.set_audience(&[AUDIENCE]);
        rules.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // The crate would ask the machine's clock; ours is asked at every call.
        rules.validate_exp = false;
        rules.validate_nbf = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.decoding, &rules)
            .map_err(|_| Refused::Forged("form, signature, algorithm, issuer or audience"))?
            .claims;
        if claims.sub.is_empty() || claims.sub.len() > 200 {
            return Err(Refused::Claim("sub"));
        }
        let instant = |seconds, name| DateTime::from_timestamp_secs(seconds).ok_or(Refused::Claim(name));
        let identity = Identity {
            authority: authority(&claims)?,
            principal: claims.sub,
            token_id: Some(claims.jti.to_string()),
            issued_at: instant(claims.iat, "iat")?,
            until: instant(claims.exp, "exp")? + LEEWAY,
        };
        Ok(Signed { identity, begins: claims.nbf, ends: claims.exp })
    }
}

impl Signed {
    /// Who calls, if the token is good at an instant.
    fn at(&self, now: DateTime<Utc>) -> Result<Identity, Refused> {
        if self.ends <= (now - LEEWAY).timestamp() {
            Err(Refused::Expired)
        } else if self.begins > (now + LEEWAY).timestamp() {
            Err(Refused::NotYetValid)
        } else {
            Ok(self.identity.clone())
        }
    }
}

fn authority(claims: &Claims) -> Result<Option<Authority>, Refused> {
    use crate::domain::ids::{CounsellorId, OrganisationId};
    let Some(role) = &claims.role else { return Ok(None) };
    let role = role.parse::<Role>().map_err(|_| Refused::Claim("role"))?;
    let organisation = || claims.organisation.map(OrganisationId).ok_or(Refused::Claim("organisation"));
    Ok(Some(match role {
        Role::Admin => Authority::Admin,
        Role::Auditor => Authority::Auditor,
        Role::Coordinator => Authority::Coordinator { organisation_id: organisation()? },
        Role::ClinicalLead => Authority::ClinicalLead { organisation_id: organisation()? },
        Role::Counsellor => Authority::Counsellor {
            organisation_id: organisation()?,
            counsellor_id: claims.counsellor.map(CounsellorId).ok_or(Refused::Claim("counsellor"))?,
        },
        Role::Police => Authority::Police {
            jurisdiction: claims
                .jurisdiction
                .as_deref()
                .and_then(|raw| Code::parse(raw).ok())
                .ok_or(Refused::Claim("jurisdiction"))?,
        },
    }))
}
