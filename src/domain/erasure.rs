//! Erasure: why the data about somebody goes, and how somebody is looked up without telling who it is.

use unicode_normalization::UnicodeNormalization;

use super::code::words;
use super::personal::Personal;

words! {
    /// Why a client was erased.
    ErasureReason {
        /// The client, or who answers for the client, asked for it (DPDP Act s.12).
        Requested = "REQUESTED",
        /// The consent that the data rested on was withdrawn.
        ConsentWithdrawn = "CONSENT_WITHDRAWN",
        /// The time for which it had to be kept is over.
        RetentionEnded = "RETENTION_ENDED",
        /// The client should never have been recorded.
        RecordedInError = "RECORDED_IN_ERROR",
    }
}

/// What equal names have in common: compatible forms, case and spaces do not matter. Nothing of an empty name.
pub fn name_key(name: &Personal) -> Option<Personal> {
    let folded: String = name.expose().nfkc().collect::<String>().to_lowercase();
    let words: Vec<_> = folded.nfkc().collect::<String>().split_whitespace().map(str::to_owned).collect();
    Some(Personal::new(words.join(" "))).filter(|key| !key.is_empty())
}

/// What equal Indian telephone numbers have in common: ten digits, however the country or the trunk is written. Nothing
/// of what has no digit.
pub fn phone_key(phone: &Personal) -> Option<Personal> {
    let digits: String = phone.expose().nfkc().filter(char::is_ascii_digit).collect();
    let national = ["0091", "91", "0"]
        .iter()
        .find_map(|prefix| digits.strip_prefix(prefix).filter(|rest| rest.len() == 10))
        .unwrap_or(&digits);
    Some(Personal::new(national.to_owned())).filter(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(key: Option<Personal>) -> Option<String> {
        key.map(|key| key.expose().to_owned())
    }

    #[test]
    fn one_name_has_one_key() {
        for written in ["Asha Example", " asha   EXAMPLE ", "\u{ff21}sha\u{a0}Example", "Asha\tExample"] {
            assert_eq!(of(name_key(&Personal::new(written.into()))).as_deref(), Some("asha example"), "{written}");
        }
        assert_ne!(name_key(&Personal::new("AshaExample".into())), name_key(&Personal::new("Asha Example".into())));
        assert_eq!(of(name_key(&Personal::new("  ".into()))), None);
    }

    #[test]
    fn one_telephone_has_one_key() {
        for written in ["98765 43210", "+91 98765-43210", "0091 9876543210", "09876543210", "(987) 654 3210"] {
            assert_eq!(of(phone_key(&Personal::new(written.into()))).as_deref(), Some("9876543210"), "{written}");
        }
        assert_eq!(of(phone_key(&Personal::new("100".into()))).as_deref(), Some("100"));
        assert_eq!(of(phone_key(&Personal::new("none".into()))), None);
    }
}
