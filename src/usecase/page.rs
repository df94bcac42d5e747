//! Pages: where the next one begins, in a token that only this installation can make and that
//! fits only the query it came from.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::call::Call;
use super::error::{Error, Result};
use super::world::World;

/// The most rows of a page.
pub const LARGEST: usize = 500;
const MAC: usize = 16;

/// Which page of an answer is wanted.
#[derive(Clone, Debug)]
pub struct Page {
    /// At most so many, 1 to [`LARGEST`].
    pub size: usize,
    /// Token of the page before; empty for the first.
    pub token: String,
    /// Every other field of the request, encoded: what the token must fit.
    pub query: Vec<u8>,
}

impl Page {
    /// Where this page begins.
    pub fn after<P: DeserializeOwned>(&self, world: &World, call: &Call) -> Result<Option<P>> {
        if self.token.is_empty() {
            return Ok(None);
        }
        let wrong = || Error::field("page_token", "must be the next_page_token of the same query");
        let bytes = URL_SAFE_NO_PAD.decode(&self.token).map_err(|_| wrong())?;
        let (mac, position) = bytes.split_at_checked(MAC).ok_or_else(wrong)?;
        let differs = |(one, other): (&u8, &u8)| one ^ other;
        if mac.iter().zip(&self.mac(world, call, position)).map(differs).fold(0, |all, bits| all | bits) != 0 {
            return Err(wrong());
        }
        serde_json::from_slice(position).map(Some).map_err(|_| wrong())
    }

    /// The rows of this page, of which one more than asked for was read, and the token of the next.
    pub fn cut<T, P: Serialize>(
        &self,
        world: &World,
        call: &Call,
        mut rows: Vec<T>,
        position: impl Fn(&T) -> P,
    ) -> (Vec<T>, String) {
        let more = rows.len() > self.size;
        rows.truncate(self.size);
        let token = match rows.last() {
            Some(last) if more => self.token_after(world, call, &position(last)),
            _ => String::new(),
        };
        (rows, token)
    }

    /// How many rows to read: one more than the page holds, to know whether there is another.
    pub fn most(&self) -> usize {
        self.size + 1
    }

    /// The token of a page that begins after a position.
    pub fn token_after<P: Serialize>(&self, world: &World, call: &Call, position: &P) -> String {
        let position = serde_json::to_vec(position).unwrap_or_default();
        let mut bytes = self.mac(world, call, &position);
        bytes.extend(position);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn mac(&self, world: &World, call: &Call, position: &[u8]) -> Vec<u8> {
        let identity = call.caller().identity();
        let parts = [call.method().as_bytes(), identity.as_bytes(), &self.query, position];
        let mut text = Vec::new();
        for part in parts {
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part);
        }
        let mut mac = world.digest("page", &text);
        mac.truncate(MAC);
        mac
    }
}
