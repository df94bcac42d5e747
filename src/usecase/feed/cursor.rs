//! Cursors: a position in a topic, that only this installation can make or read and that fits only this topic.
//!
//! Not even the distance of two of them can be read: how much happened elsewhere in an organisation is not for
//! everybody who follows a part of it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::feed::Topic;
use crate::usecase::error::{Error, Result};
use crate::usecase::world::World;

const MAC: usize = 16;
const POSITION: usize = size_of::<i64>();

/// The cursor of a position: what comes after it is what is new.
pub fn cursor(world: &World, topic: &Topic, position: i64) -> String {
    let position = position.to_be_bytes();
    let mut bytes = mac(world, topic, position);
    bytes.extend(masked(world, &bytes, position));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The position of a cursor of this topic.
pub fn position(world: &World, topic: &Topic, cursor: &str) -> Result<i64> {
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (given, hidden) = bytes.split_at_checked(MAC)?;
        let position = masked(world, given, hidden.try_into().ok()?);
        let differs = |(one, other): (&u8, &u8)| one ^ other;
        let all = given.iter().zip(&mac(world, topic, position)).map(differs).fold(0, |all, bits| all | bits);
        (all == 0).then(|| i64::from_be_bytes(position))
    };
    read().ok_or_else(|| Error::field("cursor", "must be a cursor of this stream, as it was received"))
}

fn mac(world: &World, topic: &Topic, position: [u8; POSITION]) -> Vec<u8> {
    let mut text = position.to_vec();
    text.extend(topic.to_string().as_bytes());
    let mut mac = world.digest("cursor", &text);
    mac.truncate(MAC);
    mac
}

/// A position with what only its own MAC gives, and so the same twice is the position itself.
fn masked(world: &World, mac: &[u8], mut position: [u8; POSITION]) -> [u8; POSITION] {
    for (byte, mask) in position.iter_mut().zip(world.digest("cursor position", mac)) {
        *byte ^= mask;
    }
    position
}
