//! Neutral reference codes of clients, such as `K7M2-9QXD-7`.
//!
//! The same shape on both sides, random, without a letter that could be read as a side; the last
//! character checks the others, so that a mistyped reference is noticed without asking whether
//! it exists.

use serde::{Deserialize, Serialize};

use super::text::Fault;

/// 31 characters, a prime, so that the check finds every wrong or swapped character.
const ALPHABET: &[u8; 31] = b"123456789ABCDEFGHJKLMNPQRTUVWXY";
const RANDOM: usize = 8;

/// A client's reference code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// The reference made of eight random bytes.
    pub fn from_random(bytes: [u8; RANDOM]) -> Self {
        Self::assemble(bytes.map(|byte| usize::from(byte) % ALPHABET.len()))
    }

    /// Reads a reference; case, spaces and dashes do not matter.
    pub fn parse(raw: &str) -> Result<Self, Fault> {
        // The example is one that is accepted: people try it.
        let wrong = || Fault::new("must be a reference code such as K7M2-9QXD-7, copied exactly");
        if raw.len() > 64 {
            return Err(wrong());
        }
        let values: Vec<usize> = raw
            .bytes()
            .filter(|byte| !matches!(byte, b'-' | b' '))
            .map(|byte| ALPHABET.iter().position(|known| *known == byte.to_ascii_uppercase()))
            .collect::<Option<_>>()
            .ok_or_else(wrong)?;
        let (check, rest) = values.split_last().ok_or_else(wrong)?;
        let rest: [usize; RANDOM] = rest.try_into().map_err(|_| wrong())?;
        if check_value(&rest) == *check { Ok(Self::assemble(rest)) } else { Err(wrong()) }
    }

    /// The code as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn assemble(values: [usize; RANDOM]) -> Self {
        let letter = |value: &usize| char::from(ALPHABET[value % ALPHABET.len()]);
        let (left, right) = values.split_at(RANDOM / 2);
        let text = |half: &[usize]| half.iter().map(letter).collect::<String>();
        Self(format!("{}-{}-{}", text(left), text(right), letter(&check_value(&values))))
    }
}

/// A weighted sum modulo the prime; the weights differ and none is zero.
fn check_value(values: &[usize; RANDOM]) -> usize {
    values.iter().enumerate().map(|(place, value)| (place + 2) * value).sum::<usize>() % ALPHABET.len()
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_example_of_the_refusal_is_a_reference() {
        let says = Reference::parse("").unwrap_err().to_string();
        let example = says.split([' ', ',']).find(|word| word.contains('-')).unwrap();
        assert_eq!(Reference::parse(example).unwrap().as_str(), example);
    }

    proptest! {
        #[test]
        fn a_reference_reads_back(bytes: [u8; RANDOM]) {
            let reference = Reference::from_random(bytes);
            prop_assert_eq!(Reference::parse(&reference.as_str().to_lowercase()).unwrap(), reference);
        }

        #[test]
        fn one_wrong_or_swapped_character_is_noticed(bytes: [u8; RANDOM], at in 0usize..9, to in 0usize..31) {
            let good: Vec<u8> = Reference::from_random(bytes).as_str().bytes().filter(|b| *b != b'-').collect();
            let mut wrong = good.clone();
            wrong[at] = ALPHABET[to];
            let mut swapped = good.clone();
            swapped.swap(at, (at + 1) % 9);
            for text in [wrong, swapped] {
                if text != good {
                    prop_assert!(Reference::parse(std::str::from_utf8(&text).unwrap()).is_err());
                }
            }
        }
    }
}
