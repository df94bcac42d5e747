//! Keys that sign tokens, good and forged.

use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PublicKeyData};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey};
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

/// A private key, and its public half as a key set has it.
pub struct Signer {
    pub id: String,
    pub algorithm: Algorithm,
    pub key: EncodingKey,
    pub jwk: Value,
    /// SubjectPublicKeyInfo.
    pub public: Vec<u8>,
}

pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub fn ed25519(id: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ED25519).unwrap();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key_raw()) });
        Self::new(
            id,
            Algorithm::EdDSA,
            EncodingKey::from_ed_der(key.serialized_der()),
            jwk,
            key.subject_public_key_info(),
        )
    }

    pub fn p256(id: &str) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let (x, y) = key.public_key_raw()[1..].split_at(32);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        Self::new(
            id,
            Algorithm::ES256,
            EncodingKey::from_ec_der(key.serialized_der()),
            jwk,
            key.subject_public_key_info(),
        )
    }

    /// Making one takes seconds, so there is one of each length.
    pub fn rsa(bits: usize) -> Arc<Self> {
        static STRONG: OnceLock<Arc<Signer>> = OnceLock::new();
        static WEAK: OnceLock<Arc<Signer>> = OnceLock::new();
        let kept = if bits >= 2048 { &STRONG } else { &WEAK };
        kept.get_or_init(|| Arc::new(Self::fresh_rsa(bits))).clone()
    }

    fn fresh_rsa(bits: usize) -> Self {
        let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, bits).unwrap();
        let public = key.to_public_key();
        let jwk = json!({ "kty": "RSA", "n": encode(public.n().to_bytes_be()), "e": encode(public.e().to_bytes_be()) });
        let pkcs1 = rsa::pkcs1::EncodeRsaPrivateKey::to_pkcs1_der(&key).unwrap();
        assert!(key.to_pkcs8_der().is_ok());
        let spki = public.to_public_key_der().unwrap().into_vec();
        Self::new(&format!("rsa-{bits}"), Algorithm::RS256, EncodingKey::from_rsa_der(pkcs1.as_bytes()), jwk, spki)
    }

    fn new(id: &str, algorithm: Algorithm, key: EncodingKey, mut jwk: Value, public: Vec<u8>) -> Self {
        jwk["kid"] = id.into();
        jwk["use"] = "sig".into();
        Self { id: id.into(), algorithm, key, jwk, public }
    }

    /// How an honest token of this key begins.
    pub fn header(&self) -> Value {
        json!({ "alg": self.algorithm, "typ": "at+jwt", "kid": self.id })
    }

    pub fn sign(&self, claims: &Value) -> String {
        self.sign_under(&self.header(), claims)
    }

    /// Under any header at all.
    pub fn sign_under(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&header.to_string(), &claims.to_string())
    }

    /// Any text at all.
    pub fn sign_text(&self, header: &str, claims: &str) -> String {
        sign(&self.key, self.algorithm, header, claims)
    }
}

pub fn sign(key: &EncodingKey, algorithm: Algorithm, header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(claims));
    let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), key, algorithm).unwrap();
    format!("{signed}.{signature}")
}
