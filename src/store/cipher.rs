//! How bytes are encrypted and digested. Nothing here knows whose they are or where keys come from.
//!
//! Sealed bytes are a format number, a nonce, and AES-256-GCM-SIV ciphertext with its tag. That cipher stays safe
//! when a nonce comes twice; all that this would tell is that two texts of one place are equal.

use std::sync::Arc;

use aes_gcm_siv::aead::{AeadInPlace, KeyInit};
use aes_gcm_siv::{Aes256GcmSiv, Nonce, Tag};
use hmac::{Hmac, Mac};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

use crate::rng::Rng;

/// Bytes of a key.
pub const KEY: usize = 32;
/// The format of sealed bytes.
const FORMAT: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;
/// Texts are filled up to a multiple of so many bytes: the length of a name or of an answer sheet tells something. \[P\]
const BLOCK: usize = 32;
/// Ends a text; what follows it fills up (ISO/IEC 7816-4).
const END: u8 = 0x80;

/// A keyed digest: equal for equal texts of one purpose, and worth nothing to who lacks the key.
pub type Digest = Vec<u8>;

/// A secret key. Prints nothing; its memory is cleared when the last copy is dropped.
#[derive(Clone)]
pub struct Key(Arc<SecretBox<[u8; KEY]>>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Key {
    /// A key that nobody has yet.
    pub fn fresh(rng: &dyn Rng) -> Self {
        Self(Arc::new(SecretBox::init_with_mut(|bytes: &mut [u8; KEY]| rng.fill(bytes))))
    }

    /// The key of these bytes, if they are as many as a key has.
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let exact = bytes.len() == KEY;
        exact.then(|| Self(Arc::new(SecretBox::init_with_mut(|key: &mut [u8; KEY]| key.copy_from_slice(bytes)))))
    }

    /// The bytes. Every call of this is a place to look at in a security review.
    pub(super) fn expose(&self) -> &[u8; KEY] {
        self.0.expose_secret()
    }

    /// Encrypts bytes so that they open only in the same context.
    pub fn seal(&self, rng: &dyn Rng, context: &[u8], bytes: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE];
        rng.fill(&mut nonce);
        let mut sealed = Vec::with_capacity(1 + NONCE + bytes.len() + TAG);
        sealed.push(FORMAT);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(bytes);
        let text = &mut sealed[1 + NONCE..];
        let encrypted = self.cipher().encrypt_in_place_detached(&Nonce::from(nonce), context, text);
        // It fails beyond 64 GiB alone.
        let tag = encrypted.unwrap_or_else(|_| unreachable!("texts are short"));
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// The bytes that were sealed in this context; nothing when these are others, were sealed elsewhere, or changed.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (&FORMAT, rest) = sealed.split_first()? else { return None };
        let (nonce, rest) = rest.split_first_chunk::<NONCE>()?;
        let (text, tag) = rest.split_last_chunk::<TAG>()?;
        let mut bytes = Zeroizing::new(text.to_vec());
        let (nonce, tag) = (Nonce::from(*nonce), Tag::from(*tag));
        self.cipher().decrypt_in_place_detached(&nonce, context, &mut bytes, &tag).ok()?;
        Some(bytes)
    }

    /// HMAC-SHA-256 of a purpose and a text.
    pub fn digest(&self, purpose: &str, text: &[u8]) -> Digest {
        // HMAC takes a key of any length, so this cannot fail.
        let mac = <Hmac<Sha256> as Mac>::new_from_slice(self.expose());
        let mut mac = mac.unwrap_or_else(|_| unreachable!("any key length"));
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(text);
        mac.finalize().into_bytes().to_vec()
    }

    fn cipher(&self) -> Aes256GcmSiv {
        Aes256GcmSiv::new(self.expose().into())
    }
}

/// What binds ciphertext to its place: every part with its length, so that no two lists of parts look alike.
pub fn context(parts: &[&[u8]]) -> Vec<u8> {
    let mut all = vec![FORMAT];
    for part in parts {
        all.extend_from_slice(&(part.len() as u64).to_be_bytes());
        all.extend_from_slice(part);
    }
    all
}

/// A text and its end, filled up to whole blocks.
pub fn padded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let whole = (text.len() / BLOCK + 1) * BLOCK;
    let mut bytes = Zeroizing::new(Vec::with_capacity(whole));
    bytes.extend_from_slice(text);
    bytes.push(END);
    bytes.resize(whole, 0);
    bytes
}

/// The text that was filled up.
pub fn unpadded(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().rposition(|byte| *byte != 0)?;
    (bytes[end] == END).then(|| &bytes[..end])
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::rng::SeededRng;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_filled_up_is_whole_blocks_and_comes_back(text in vec(any::<u8>(), 0..200)) {
            let bytes = padded(&text);
            prop_assert_eq!(bytes.len() % BLOCK, 0);
            prop_assert!(bytes.len() > text.len() && bytes.len() <= text.len() + BLOCK);
            prop_assert_eq!(unpadded(&bytes), Some(&text[..]));
        }

        #[test]
        fn what_is_sealed_opens_in_its_context_alone(
            text in vec(any::<u8>(), 0..100), context in vec(any::<u8>(), 0..40), other in vec(any::<u8>(), 0..40),
            seed: u64,
        ) {
            let rng = SeededRng::from_seed(seed);
            let (key, another) = (Key::fresh(&rng), Key::fresh(&rng));
            let sealed = key.seal(&rng, &context, &text);
            prop_assert_eq!(key.open(&context, &sealed).map(|it| it.to_vec()), Some(text));
            prop_assert!(another.open(&context, &sealed).is_none());
            prop_assert!(other == context || key.open(&other, &sealed).is_none());
        }

        #[test]
        fn changed_bytes_do_not_open(text in vec(any::<u8>(), 0..100), at: prop::sample::Index, bit in 0..8) {
            let rng = SeededRng::from_seed(1);
            let key = Key::fresh(&rng);
            let mut sealed = key.seal(&rng, b"here", &text);
            let at = at.index(sealed.len());
            sealed[at] ^= 1u8 << bit;
            prop_assert!(key.open(b"here", &sealed).is_none());
            prop_assert!(key.open(b"here", &sealed[..at]).is_none());
        }

        #[test]
        fn no_two_lists_of_parts_look_alike(one in vec(vec(any::<u8>(), 0..4), 0..4), other in vec(vec(any::<u8>(), 0..4), 0..4)) {
            let of = |parts: &[Vec<u8>]| context(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>());
            prop_assert_eq!(of(&one) == of(&other), one == other);
        }
    }

    #[test]
    fn a_key_prints_nothing() {
        let key = Key::of(&[7; KEY]).unwrap();
        assert_eq!(format!("{key:?}"), "[redacted]");
        assert!(Key::of(&[7; KEY - 1]).is_none());
    }
}
