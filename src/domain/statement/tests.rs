use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::domain::text::Code;

fn key(seed: u8) -> SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).into()
}

fn claims() -> Claims {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let as_of = day("2026-01-21");
    Claims {
        iss: ISSUER.into(),
        iat: "2026-01-21T04:30:00Z".parse().unwrap(),
        exp: "2026-01-21T18:30:00Z".parse().unwrap(),
        sub: Reference::from_random([7; 8]),
        statement: 3,
        compliance: Compliance {
            status: Shown::AtRisk,
            as_of,
            credits: 2,
            required: 12,
            changed_on: as_of,
            breach_on: None,
            enforcement_due_on: None,
            unrecorded_sessions: 1,
            corrected: true,
        },
        policy: PolicyVersion { code: Code::parse("STANDARD").unwrap(), version: 2 },
        chain: Chain { head: Digest([0xab; 32]) },
        corrections: vec![day("2026-01-15"), day("2026-01-19")],
    }
}

fn b64(bytes: impl AsRef<[u8]>) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// A token with another header, signed as it then reads.
fn headed(key: &SigningKey, header: &Value, claims: &Claims) -> String {
    let signed = format!("{}.{}", b64(header.to_string()), b64(serde_json::to_string(claims).unwrap()));
    format!("{signed}.{}", b64(key.signature(signed.as_bytes())))
}

#[test]
fn the_bytes_of_a_statement_are_these() {
    // Whoever changes these breaks every program that reads statements.
    let expected = concat!(
        r#"{"iss":"aftercare-compliance","iat":1768969800,"exp":1769020200,"sub":"8888-8888-X","statement":3,"#,
        r#""compliance":{"status":"AT_RISK","as_of":"2026-01-21","credits":2,"required":12,"changed_on":"2026-01-21","#,
        r#""unrecorded_sessions":1,"corrected":true},"policy":{"code":"STANDARD","version":2},"#,
        r#""chain":{"head":"abababababababababababababababababababababababababababababababab"},"#,
        r#""corrections":["2026-01-15","2026-01-19"]}"#,
    );
    assert_eq!(serde_json::to_string(&claims()).unwrap(), expected);
    assert_eq!(key(1).sign(&claims()).unwrap(), key(1).sign(&claims()).unwrap());
    let header = format!(r#"{{"alg":"EdDSA","typ":"aftercare-statement+jwt","kid":"{}"}}"#, key(1).public().kid());
    assert!(key(1).sign(&claims()).unwrap().starts_with(&b64(header)));
}

#[test]
fn the_thumbprint_is_that_of_rfc_8037() {
    // RFC 8037, appendix A.1 to A.3.
    let seed = b"\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";
    let key: SigningKey = ed25519_dalek::SigningKey::from_bytes(seed).into();
    assert_eq!(key.public().kid().as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    let set: Value = serde_json::from_str(&KeySet::new([key.public()]).to_json()).unwrap();
    assert_eq!(set["keys"][0]["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(format!("{key:?}"), "SigningKey(kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k)");
}

#[test]
fn a_statement_is_checked_by_the_key_it_names() {
    let token = key(1).sign(&claims()).unwrap();
    let set = KeySet::new([key(2).public(), key(1).public()]);
    let verified = verify(&token, &set).unwrap();
    assert_eq!((verified.kid.clone(), &verified.claims), (key(1).public().kid(), &claims()));
    let alone = KeySet::new([key(2).public()]);
    assert_eq!(verify(&token, &alone), Err(Rejected::UnknownKey(key(1).public().kid())));
    // The name of a key that is in the set does not help another one.
    let header = json!({ "alg": "EdDSA", "typ": "aftercare-statement+jwt", "kid": key(1).public().kid() });
    assert_eq!(verify(&headed(&key(2), &header, &claims()), &set), Err(Rejected::Signature));
}

#[test]
fn it_is_current_to_its_end_and_good_for_ever() {
    let verified = verify(&key(1).sign(&claims()).unwrap(), &KeySet::new([key(1).public()])).unwrap();
    assert!(verified.is_current("2026-01-21T18:29:59.999999Z".parse().unwrap()));
    assert!(!verified.is_current("2026-01-21T18:30:00Z".parse().unwrap()));
}

#[test]
fn every_other_header_is_refused_however_well_it_is_signed() {
    let (kid, typ) = (key(1).public().kid(), "aftercare-statement+jwt");
    let set = KeySet::new([key(1).public()]);
    let answer = |header: Value| verify(&headed(&key(1), &header, &claims()), &set);
    assert!(answer(json!({ "alg": "EdDSA", "typ": typ, "kid": kid })).is_ok());
    for alg in ["none", "None", "HS256", "Ed25519", "ES256", ""] {
        let refused = answer(json!({ "alg": alg, "typ": typ, "kid": kid }));
        assert_eq!(refused, Err(Rejected::Header("algorithm", "EdDSA")), "{alg}");
    }
    for typ in ["JWT", "at+jwt", ""] {
        let refused = answer(json!({ "alg": "EdDSA", "typ": typ, "kid": kid }));
        assert_eq!(refused, Err(Rejected::Header("type", "aftercare-statement+jwt")), "{typ}");
    }
    for header in [
        json!({ "alg": "EdDSA", "typ": typ }),
        json!({ "alg": "EdDSA", "kid": kid }),
        json!({ "alg": "EdDSA", "typ": typ, "kid": kid, "crit": ["b64"], "b64": false }),
        json!({ "alg": "EdDSA", "typ": typ, "kid": kid, "jwk": {} }),
        json!([]),
    ] {
        assert_eq!(answer(header.clone()), Err(Rejected::Form("header")), "{header}");
    }
    assert_eq!(verify(&key(1).sign(&Claims { iss: "x".into(), ..claims() }).unwrap(), &set), Err(Rejected::Issuer));
    for no_token in ["", ".", "..", "a.b.c", "a.b.c.d", &"x".repeat(70_000)] {
        assert!(matches!(verify(no_token, &set), Err(Rejected::Form(_))), "{no_token}");
    }
}

#[test]
fn a_key_set_of_somebody_else_is_read_with_care() {
    let ours: Value = serde_json::from_str(&KeySet::new([key(1).public()]).to_json()).unwrap();
    let mut jwk = ours["keys"][0].clone();
    let parse = |keys: Value| KeySet::parse(json!({ "keys": keys }).to_string().as_bytes());
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
    assert_eq!(parse(json!([rsa, jwk])), Ok(KeySet::new([key(1).public()])));
    jwk["kid"] = json!(key(2).public().kid());
    assert!(parse(json!([jwk])).is_err(), "a key under another key's name");
    // Not a point of the curve, and one under which signatures mean nothing.
    for x in [b64([1; 31]), b64([2; 32]), b64([0; 32])] {
        assert!(parse(json!([{ "kty": "OKP", "crv": "Ed25519", "x": x }])).is_err(), "{x}");
    }
    assert!(KeySet::parse(b"[]").is_err());
    assert_eq!(parse(json!([])), Ok(KeySet::default()));
}

proptest! {
    #[test]
    fn one_changed_character_anywhere_is_noticed(at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]") {
        let mut token = key(1).sign(&claims()).unwrap();
        let at = at.index(token.len());
        prop_assume!(token[at..=at] != to);
        token.replace_range(at..=at, &to);
        prop_assert!(verify(&token, &KeySet::new([key(1).public()])).is_err());
    }

    #[test]
    fn a_digest_reads_back(bytes: [u8; 32]) {
        let text = Digest(bytes).to_string();
        prop_assert_eq!(Digest::try_from(text.clone()), Ok(Digest(bytes)));
        for wrong in [text[1..].to_owned(), text[1..].to_owned() + "g", text[1..].to_owned() + "A"] {
            prop_assert!(Digest::try_from(wrong).is_err());
        }
    }
}
