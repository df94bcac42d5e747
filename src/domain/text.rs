//! Text from outside: trimmed, NFC-normalised, bounded, and checked against what it stands for.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

/// Why a value was refused: a sentence that says what would be right, without the value itself,
/// which may be personal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Fault(String);

impl Fault {
    /// A fault with the given sentence.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Normalises a text and checks that its length, in characters, lies in `length`; control
/// characters are refused.
pub fn bounded(raw: &str, length: std::ops::RangeInclusive<usize>) -> Result<String, Fault> {
    normal(raw, length, |_| false)
}

/// As [`bounded`], for a text of several lines, which end in `\n`.
pub fn lines(raw: &str, length: std::ops::RangeInclusive<usize>) -> Result<String, Fault> {
    normal(&raw.replace("\r\n", "\n"), length, |c| c == '\n')
}

fn normal(raw: &str, length: std::ops::RangeInclusive<usize>, allowed: impl Fn(char) -> bool) -> Result<String, Fault> {
    let (least, most) = (*length.start(), *length.end());
    // Normalising cannot shrink a text below a third, so an absurd one is refused unread.
    let text: String = if raw.len() > most.saturating_mul(16) { raw.into() } else { raw.trim().nfc().collect() };
    let count = text.chars().count();
    if count > most {
        Err(Fault::new(format!("must have at most {most} characters")))
    } else if count == 0 && least > 0 {
        Err(Fault::new("must not be empty"))
    } else if count < least {
        Err(Fault::new(format!("must have at least {least} characters")))
    } else if text.chars().any(|c| c.is_control() && !allowed(c)) {
        Err(Fault::new("must not contain control characters"))
    } else {
        Ok(text)
    }
}

/// A name of anything: 1 to 200 characters.
pub fn name(raw: &str) -> Result<String, Fault> {
    bounded(raw, 1..=200)
}

/// A short code of an organisation, site, district and the like: 1 to 32 of `A–Z 0–9 . _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(String);

impl Code {
    /// Checks a code.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        let text = raw.trim();
        let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || ".-_".contains(c);
        if text.is_empty() {
            Err(Fault::new("must not be empty"))
        } else if text.len() > 32 || !text.chars().all(plain) {
            Err(Fault::new("must be 1 to 32 of A-Z, 0-9, \".\", \"_\" and \"-\""))
        } else {
            Ok(Self(text.into()))
        }
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A language by its BCP 47 tag, in canonical case; known to the IANA registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Language(String);

impl Language {
    /// Checks a tag.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        let wrong = || Fault::new("must be a BCP 47 language tag such as \"ml\", \"hi\" or \"en\"");
        let text = raw.trim();
        if text.len() > 35 {
            return Err(wrong());
        }
        let tag = language_tags::LanguageTag::parse(text).map_err(|_| wrong())?;
        tag.validate().map_err(|_| wrong())?;
        Ok(Self(tag.into_string()))
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether two tags mean one spoken language, whatever region or script they add.
    pub fn is_like(&self, other: &Self) -> bool {
        let primary = |tag: &str| tag.split('-').next().map(str::to_ascii_lowercase);
        primary(&self.0) == primary(&other.0)
    }
}

/// An IANA zone by its name.
pub fn zone(raw: &str) -> Result<Tz, Fault> {
    raw.trim().parse().map_err(|_| Fault::new("must be an IANA zone such as \"Asia/Kolkata\""))
}
