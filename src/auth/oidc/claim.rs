//! What a token says, by the claims that the configuration names; of the token itself, when it is good and for whom.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value};

use crate::config::{Claims, Provider};
use crate::domain::access::Role;
use crate::usecase::call::Refused;

type Members = Map<String, Value>;

/// How far clocks may differ.
pub(super) const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// The longest name of who calls, and of what is named for them.
const LONGEST: usize = 200;

/// What a good token says of its bearer, in the provider's words.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) principal: String,
    pub(super) token_id: Option<String>,
    pub(super) times: Times,
    pub(super) role: Option<Role>,
    pub(super) organisation: Option<String>,
    pub(super) counsellor: Option<String>,
    pub(super) jurisdiction: Option<String>,
}

impl Said {
    /// What the claims of a token say, whose signature is good, if it is for this service.
    pub(super) fn by(claims: &Members, provider: &Provider) -> Result<Self, Refused> {
        if claims.get("iss").and_then(Value::as_str) != Some(provider.issuer.as_str()) {
            return Err(Refused::Forged("issuer"));
        }
        if !words(claims.get("aud").ok_or(Refused::Forged("audience"))?).any(|it| it == provider.audience) {
            return Err(Refused::Forged("audience"));
        }
        let times = Times::of(claims, provider.longest_life)?;
        let names = &provider.claims;
        let principal = text(claims, &names.principal, "principal")?.ok_or(Refused::Claim("principal"))?;
        Ok(Self {
            principal,
            token_id: text(claims, "jti", "jti")?,
            times,
            role: role(claims, names)?,
            organisation: text(claims, &names.organisation, "organisation")?,
            counsellor: text(claims, &names.counsellor, "counsellor")?,
            jurisdiction: text(claims, &names.jurisdiction, "jurisdiction")?,
        })
    }
}

/// For when a token is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// When it was issued.
    pub(super) issued_at: DateTime<Utc>,
    /// From when on it is no longer good.
    pub(super) until: DateTime<Utc>,
    begins_at: DateTime<Utc>,
}

impl Times {
    fn of(claims: &Members, longest: TimeDelta) -> Result<Self, Refused> {
        let issued_at = instant(claims, "iat")?.ok_or(Refused::Claim("iat"))?;
        let ends_at = instant(claims, "exp")?.ok_or(Refused::Claim("exp"))?;
        let begins_at = instant(claims, "nbf")?.unwrap_or(issued_at).max(issued_at);
        if ends_at <= issued_at || ends_at - issued_at > longest {
            return Err(Refused::Claim("exp"));
        }
        Ok(Self { issued_at, until: ends_at + LEEWAY, begins_at })
    }

    /// Refuses a token that is not good at an instant.
    pub(super) fn judge(&self, now: DateTime<Utc>) -> Result<(), Refused> {
        if self.until <= now {
            Err(Refused::Expired)
        } else if self.begins_at > now + LEEWAY {
            Err(Refused::NotYetValid)
        } else {
            Ok(())
        }
    }
}

/// Seconds since the beginning of 1970; a fraction, which RFC 7519 allows, is cut off.
fn instant(claims: &Members, name: &'static str) -> Result<Option<DateTime<Utc>>, Refused> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    // The year 9999 is before 2^38 seconds, so nothing computed from it overflows.
    let sane = |seconds: &f64| (0.0..253_402_300_800.0).contains(seconds);
    #[allow(clippy::cast_possible_truncation, reason = "it is in range, and the fraction is to be cut off")]
    let seconds = value.as_f64().filter(sane).map(|it| it as i64);
    seconds.and_then(DateTime::from_timestamp_secs).map(Some).ok_or(Refused::Claim(name))
}

/// The one role among the words of a claim; none when there is no such claim.
fn role(claims: &Members, names: &Claims) -> Result<Option<Role>, Refused> {
    let Some(value) = find(claims, &names.role) else { return Ok(None) };
    let known = |word: &str| match names.roles.is_empty() {
        true => word.parse().ok(),
        false => names.roles.get(word).copied(),
    };
    let mut found = words(value).filter_map(known).collect::<BTreeSet<Role>>();
    match (found.pop_first(), found.is_empty()) {
        (Some(role), true) => Ok(Some(role)),
        _ => Err(Refused::Claim("role")),
    }
}

/// A claim that is a word of reasonable length, if it is there at all.
fn text(claims: &Members, path: &str, name: &'static str) -> Result<Option<String>, Refused> {
    match find(claims, path) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(word)) if is_name(word) => Ok(Some(word.clone())),
        Some(_) => Err(Refused::Claim(name)),
    }
}

fn is_name(word: &str) -> bool {
    !word.trim().is_empty() && word.len() <= LONGEST && !word.contains(char::is_control)
}

/// The words of a claim that is one, or a list of some.
fn words(value: &Value) -> impl Iterator<Item = &str> {
    let one = std::slice::from_ref(value);
    value.as_array().map_or(one, Vec::as_slice).iter().filter_map(Value::as_str)
}

/// The claim of a name, or else what a path of names leads to.
fn find<'c>(claims: &'c Members, path: &str) -> Option<&'c Value> {
    let deeper = |(dot, _)| find(claims.get(&path[..dot])?.as_object()?, &path[dot + 1..]);
    claims.get(path).or_else(|| path.match_indices('.').find_map(deeper))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(value: Value) -> Members {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn an_exact_name_comes_before_a_path() {
        let claims = members(json!({
            "a.b": 1, "a": { "b": 2, "c": 3, "d.e": 4 }, "https://example.org/role": 5, "https://example.org": { "x.y": 6 },
        }));
        let found = |path: &str| find(&claims, path).and_then(Value::as_i64);
        let expected = [
            ("a.b", Some(1)),
            ("a.c", Some(3)),
            ("a.d.e", Some(4)),
            ("https://example.org/role", Some(5)),
            ("https://example.org.x.y", Some(6)),
            ("a.b.c", None),
            ("a.", None),
            (".a", None),
            ("", None),
        ];
        for (path, value) in expected {
            assert_eq!(found(path), value, "{path}");
        }
    }

    #[test]
    fn exactly_one_role_comes_out() {
        let roles = [("Beraterin".to_owned(), Role::Counsellor), ("Berater".to_owned(), Role::Counsellor)];
        let mapped = Claims { roles: roles.into(), ..Claims::default() };
        let said = |value: Value, names: &Claims| role(&members(json!({ "role": value })), names).ok().flatten();
        let ours = Claims::default();
        assert_eq!(said(json!("police"), &ours), Some(Role::Police));
        assert_eq!(said(json!(["offline_access", "police"]), &ours), Some(Role::Police));
        assert_eq!(said(json!(["auditor", "police"]), &ours), None);
        assert_eq!(said(json!(["Berater", "Beraterin"]), &mapped), Some(Role::Counsellor));
        assert_eq!(said(json!("counsellor"), &mapped), None);
        for wrong in [json!(null), json!([]), json!(7), json!({ "police": true }), json!(["Police"])] {
            assert!(role(&members(json!({ "role": wrong })), &ours).is_err());
        }
        assert!(matches!(role(&Members::new(), &ours), Ok(None)));
    }
}
