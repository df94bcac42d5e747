//! The keys of statements: the private one of a process, and the set of public ones by which everybody
//! checks (RFC 7517, RFC 8037). A key's name is its thumbprint (RFC 7638), so that nobody can give a key
//! the name of another.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::text::Fault;

/// The name of a key: 43 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Kid(String);

impl Kid {
    /// Reads a name.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        let named = URL_SAFE_NO_PAD.decode(raw).is_ok_and(|bytes| bytes.len() == 32);
        if named {
            Ok(Self(raw.into()))
        } else {
            Err(Fault::new("must be the kid of a key: 43 characters of base64url"))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Kid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for Kid {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::parse(text)
    }
}

/// The public half of a key: a point of the curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key with these bytes, if they are one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let key = VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
        // Under a weak key one signature fits many texts.
        (!key.is_weak()).then_some(Self(key))
    }

    /// Its 32 bytes.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Its name.
    pub fn kid(self) -> Kid {
        // Exactly the members that RFC 8037 2 wants, in the order of RFC 7638 3.
        let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, self.x());
        Kid(URL_SAFE_NO_PAD.encode(Sha256::digest(members)))
    }

    /// Whether a signature of a text was made by it; malleable ones were not.
    pub(in crate::domain) fn made(self, signature: &[u8; 64], text: &[u8]) -> bool {
        self.0.verify_strict(text, &signature.into()).is_ok()
    }

    fn x(self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.as_bytes())
    }
}

/// The private half of a key. It prints as nothing but the name of the public one.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// Its public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    pub(in crate::domain) fn signature(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }
}

impl From<ed25519_dalek::SigningKey> for SigningKey {
    fn from(key: ed25519_dalek::SigningKey) -> Self {
        Self(key)
    }
}

impl AsRef<ed25519_dalek::SigningKey> for SigningKey {
    fn as_ref(&self) -> &ed25519_dalek::SigningKey {
        &self.0
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public().kid())
    }
}

/// The public keys by which statements are checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<PublicKey>);

/// One key as RFC 8037 writes it. What else a set of somebody else says of it does not matter here.
#[derive(Serialize, Deserialize)]
struct Jwk<'a> {
    kty: &'a str,
    crv: &'a str,
    x: String,
    kid: Kid,
    #[serde(rename = "use")]
    used_for: &'a str,
    alg: &'a str,
}

#[derive(Serialize)]
struct Jwks<'a> {
    keys: Vec<Jwk<'a>>,
}

#[derive(Deserialize)]
struct AnyJwks {
    keys: Vec<serde_json::Map<String, serde_json::Value>>,
}

impl KeySet {
    /// A set of keys, which stay in this order.
    pub fn new(keys: impl IntoIterator<Item = PublicKey>) -> Self {
        Self(keys.into_iter().collect())
    }

    /// The key of a name.
    pub fn find(&self, kid: &Kid) -> Option<PublicKey> {
        self.0.iter().copied().find(|key| key.kid() == *kid)
    }

    /// Every key.
    pub fn iter(&self) -> impl Iterator<Item = PublicKey> {
        self.0.iter().copied()
    }

    /// The set as JSON, for every JOSE library.
    pub fn to_json(&self) -> String {
        let jwk = |key: &PublicKey| Jwk {
            kty: "OKP",
            crv: "Ed25519",
            x: key.x(),
            kid: key.kid(),
            used_for: "sig",
            alg: super::jws::ALGORITHM,
        };
        // Strings alone, which always can be written.
        serde_json::to_string(&Jwks { keys: self.0.iter().map(jwk).collect() }).unwrap_or_default()
    }

    /// Reads a set. Keys of other kinds are passed over, as RFC 7517 5 asks; a key under a name that is not
    /// its own makes the whole set worthless.
    pub fn parse(json: &[u8]) -> Result<Self, Fault> {
        let set: AnyJwks = serde_json::from_slice(json).map_err(|_| Fault::new("must be a JSON Web Key Set"))?;
        let text = |jwk: &serde_json::Map<_, _>, member: &str| {
            jwk.get(member).and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        let mut keys = Vec::new();
        for jwk in &set.keys {
            if (text(jwk, "kty").as_deref(), text(jwk, "crv").as_deref()) != (Some("OKP"), Some("Ed25519")) {
                continue;
            }
            let x = text(jwk, "x").and_then(|x| URL_SAFE_NO_PAD.decode(x).ok());
            let key = x.and_then(|x| PublicKey::from_bytes(&x)).ok_or_else(|| Fault::new("has a key that is none"))?;
            if text(jwk, "kid").is_some_and(|kid| kid != key.kid().as_str()) {
                return Err(Fault::new("has a key whose kid is not its thumbprint"));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }
}
