//! The secret of an installation, from which keyed digests are made: the same on every process.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use uuid::Uuid;

use super::db::Tx;
use super::error::{Error, Result};

/// A keyed digest: equal for equal texts of one purpose, and worth nothing to who lacks the secret.
pub type Digest = Vec<u8>;

/// Makes the installation's row, if it is the first to.
pub async fn ensure(tx: &mut Tx, id: Uuid, secret: [u8; 32]) -> Result<()> {
    tx.sql("INSERT INTO installation (id, singleton, secret) VALUES ($1, 1, $2) ON CONFLICT DO NOTHING")
        .bind(id)
        .bind(secret.to_vec())
        .run()
        .await
        .map(drop)
}

/// The digest of a text, by the secret of this installation.
pub async fn digest(tx: &mut Tx, purpose: &str, text: &[u8]) -> Result<Digest> {
    let secret = secret(tx).await?;
    Ok(keyed(&secret, purpose, text))
}

/// The secret itself, for those who make many digests.
pub async fn secret(tx: &mut Tx) -> Result<Vec<u8>> {
    let found = tx.sql("SELECT secret FROM installation").maybe::<(Vec<u8>,)>().await?;
    found.map(|row| row.0).ok_or_else(|| Error::Inconsistent { table: "installation", what: "no row".into() })
}

/// HMAC-SHA-256 of a purpose and a text.
pub fn keyed(secret: &[u8], purpose: &str, text: &[u8]) -> Digest {
    // HMAC takes a key of any length, so this cannot fail.
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret).unwrap_or_else(|_| unreachable!("any key length"));
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}
