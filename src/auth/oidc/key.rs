//! The public keys of a provider, as its key set has them (RFC 7517).

use jsonwebtoken::DecodingKey;
use serde::Deserialize;

/// How a token may be signed. There is no fourth way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// Ed25519.
    EdDsa,
    /// ECDSA over P-256 with SHA-256.
    Es256,
    /// RSA PKCS #1 v1.5 with SHA-256.
    Rs256,
}

impl Algorithm {
    /// The algorithm of a name; `Ed25519` is what RFC 9864 calls EdDSA with that curve.
    pub(super) fn named(name: &str) -> Option<Self> {
        match name {
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "ES256" => Some(Self::Es256),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    pub(super) fn verified_as(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Self::Es256 => jsonwebtoken::Algorithm::ES256,
            Self::Rs256 => jsonwebtoken::Algorithm::RS256,
        }
    }
}

/// A key that signs tokens.
#[derive(Clone)]
pub(super) struct Key {
    /// Its name; not every provider gives it one.
    pub(super) id: Option<String>,
    /// What it is for, and nothing else.
    pub(super) algorithm: Algorithm,
    /// The key.
    pub(super) public: DecodingKey,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

/// The most keys of a set that are looked at; a provider has two or three. \[P\]
const MOST_KEYS: usize = 64;
/// Bytes of the modulus of an RSA key: 2048 bits are the least that is safe, and beyond 8192 a signature takes long to
/// check.
const MODULUS: std::ops::RangeInclusive<usize> = 256..=1024;

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

/// What of a key matters here. Names and forms that are not known are no error: the key is for something else then.
#[derive(Deserialize)]
struct Entry {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    r#use: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The keys of a set that sign tokens in a way that is accepted; none if it is no set.
pub(super) fn keys(set: &[u8]) -> Option<Vec<Key>> {
    let set: Set = serde_json::from_slice(set).ok()?;
    let entries = set.keys.into_iter().take(MOST_KEYS);
    Some(entries.filter_map(|it| serde_json::from_value::<Entry>(it).ok().and_then(key)).collect())
}

fn key(entry: Entry) -> Option<Key> {
    let signs = entry.r#use.as_deref().is_none_or(|it| it == "sig");
    let verifies = entry.key_ops.as_ref().is_none_or(|all| all.iter().any(|it| it == "verify"));
    if !signs || !verifies {
        return None;
    }
    let (algorithm, public) = match (entry.kty.as_str(), entry.crv.as_deref()) {
        ("OKP", Some("Ed25519")) => (Algorithm::EdDsa, DecodingKey::from_ed_components(&entry.x?).ok()?),
        ("EC", Some("P-256")) => (Algorithm::Es256, DecodingKey::from_ec_components(&entry.x?, &entry.y?).ok()?),
        ("RSA", None) => (Algorithm::Rs256, rsa(&entry.n?, &entry.e?)?),
        _ => return None,
    };
    let agrees = entry.alg.is_none_or(|name| Algorithm::named(&name) == Some(algorithm));
    agrees.then_some(Key { id: entry.kid, algorithm, public })
}

fn rsa(modulus: &str, exponent: &str) -> Option<DecodingKey> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let bytes = URL_SAFE_NO_PAD.decode(modulus).ok()?;
    let leading = bytes.iter().take_while(|&&byte| byte == 0).count();
    // The first byte of 2048 bits is at least 128.
    let (length, first) = (bytes.len() - leading, bytes.get(leading)?);
    let strong = MODULUS.contains(&length) && (length > *MODULUS.start() || *first >= 0x80);
    if strong { DecodingKey::from_rsa_components(modulus, exponent).ok() } else { None }
}
