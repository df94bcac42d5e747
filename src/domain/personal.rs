//! Text about a person. It is stored, compared and sent to those who may see it, and printed
//! never: not in logs, errors, panics or debug output.

use secrecy::{ExposeSecret, SecretString};

/// Text about a person; prints as `[redacted]`, and its memory is cleared when dropped.
#[derive(Clone, Default)]
pub struct Personal(SecretString);

impl Personal {
    /// Takes a text into custody.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The text itself. Every call of this is a place to look at in a privacy review.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl std::fmt::Debug for Personal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl PartialEq for Personal {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Personal {}

// Serialised only to compare two versions of a record; the value must not travel with it.
impl serde::Serialize for Personal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}
