//! What an error says, with its causes: the logs of every form have the whole of it.

use std::error::Error;

/// An error and its causes, in one line.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
