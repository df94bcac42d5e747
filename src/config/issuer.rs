//! Who issues the tokens, and what the claims of a provider mean.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;

use chrono::TimeDelta;
use hyper::Uri;
use serde::Deserialize;

use crate::domain::access::Role;

/// Who issues the tokens.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Issuer {
    /// The service itself, with a key in its data directory.
    Builtin,
    /// An OpenID Connect provider.
    Provider(SafeUrl),
}

impl FromStr for Issuer {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be \"builtin\" or the https:// URL of a provider; http:// is for loopback only";
        if text == "builtin" { Ok(Self::Builtin) } else { text.parse().map(Self::Provider).map_err(|_| WRONG) }
    }
}

impl TryFrom<String> for Issuer {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// An `https` URL, or an `http` one of this machine: nobody else can change what is read from it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SafeUrl {
    text: String,
    uri: Uri,
}

impl FromStr for SafeUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "must be an https:// URL; http:// is for loopback only";
        let uri: Uri = text.parse().map_err(|_| WRONG)?;
        let plain = !text.contains(['?', '#', '@']);
        let safe = match uri.scheme_str() {
            Some("https") => uri.host().is_some_and(|host| !host.is_empty()),
            Some("http") => uri.host().is_some_and(is_this_machine),
            _ => false,
        };
        if plain && safe { Ok(Self { text: text.into(), uri }) } else { Err(WRONG) }
    }
}

impl TryFrom<String> for SafeUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl SafeUrl {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }
}

fn is_this_machine(host: &str) -> bool {
    use std::net::IpAddr;
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|it| it.is_loopback())
}

/// A provider of tokens, and what its tokens mean here.
#[derive(Clone, Debug)]
pub struct Provider {
    /// Its issuer, exactly as its tokens have it.
    pub issuer: SafeUrl,
    /// What its tokens for this service have as audience.
    pub audience: String,
    /// Certificates of who may vouch for it, instead of the public authorities.
    pub authority: Option<PathBuf>,
    /// Where in a token what stands.
    pub claims: Claims,
    /// The longest a token may be good.
    pub longest_life: TimeDelta,
}

/// Where in a token what stands: for each the name of a claim, or a path into one such as `realm_access.roles`. A
/// claim of exactly that name comes first, since names may be URLs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    /// Who the bearer is, for the audit trail.
    pub principal: String,
    /// What the bearer may be: a word or a list, of which exactly one must be a role of this service.
    pub role: String,
    /// Id or code of the organisation.
    pub organisation: String,
    /// Id of the counsellor, or the code in the organisation.
    pub counsellor: String,
    /// District code of the jurisdiction.
    pub jurisdiction: String,
    /// The provider's words for roles and ours. Without any, the provider is taken to use ours.
    pub roles: BTreeMap<String, Role>,
}

impl Default for Claims {
    fn default() -> Self {
        Self {
            principal: "sub".into(),
            role: "role".into(),
            organisation: "organisation".into(),
            counsellor: "counsellor".into(),
            jurisdiction: "jurisdiction".into(),
            roles: BTreeMap::new(),
        }
    }
}
