//! Sessions: find a time, book it, cancel it, read it.

mod book;
mod cancel;
mod offer;
mod read;
mod search;

pub use book::{BookSession, Wanted};
pub use cancel::CancelSession;
pub use offer::book_session;
pub use read::{Filter, get_session, list_sessions};
pub use search::{DEFAULT_WINDOW, FindSlots, LONGEST_WINDOW, find_slots};

/// The word for it in sentences.
pub(super) const WORD: &str = "session";
