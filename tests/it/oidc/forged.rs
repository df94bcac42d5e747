//! Tricks with tokens, from the book. Each is signed or encoded as well as it can be.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};

use super::fake::{Fake, Manner};
use super::keys::{Signer, encode, sign};
use super::{claims, lets_in, refuses, taking, with, without};
use crate::on_both_engines;
use crate::support::{Ngo, pem};

on_both_engines! {
    async fn a_good_token_lets_in_whichever_way_it_is_signed(app) {
        let (ed, es, rs) = (Signer::ed25519("ed"), Signer::p256("es"), Signer::rsa(2048));
        let fake = Fake::start(Manner::Good, &[&ed.jwk, &es.jwk, &rs.jwk]).await;
        let door = taking(&app, &fake).await;
        let channel = door.channel();
        let good = claims(&fake.issuer, app.now());
        for signer in [&ed, &es, &*rs] {
            lets_in(&channel, "signed", &signer.sign(&good)).await;
            lets_in(&channel, "of an unnamed key", &signer.sign_under(&json!({ "alg": signer.algorithm }), &good)).await;
        }
        for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
            lets_in(&channel, typ, &ed.sign_under(&with(&ed.header(), "typ", typ), &good)).await;
        }
        lets_in(&channel, "RFC 9864", &ed.sign_under(&with(&ed.header(), "alg", "Ed25519"), &good)).await;
        let fine = [
            ("for several", with(&good, "aud", json!(["elsewhere", "aftercare"]))),
            ("among other roles", with(&good, "role", json!(["offline_access", "admin"]))),
            ("with fractions", with(&good, "exp", json!(app.now().timestamp() as f64 + 1.5))),
            ("a clock that is behind", with(&good, "nbf", app.now().timestamp() + 60)),
            ("a clock that is ahead", with(&good, "exp", app.now().timestamp() - 59)),
            ("a day", with(&good, "exp", app.now().timestamp() + 86_400)),
        ];
        for (what, claims) in fine {
            let claims = if what.contains("ahead") { with(&claims, "iat", app.now().timestamp() - 600) } else { claims };
            lets_in(&channel, what, &ed.sign(&claims)).await;
        }
    }

    async fn whoever_forges_a_token_learns_nothing(app) {
        let (ed, es, rs) = (Signer::ed25519("ed"), Signer::p256("es"), Signer::rsa(2048));
        let (own, weak) = (Signer::ed25519("own"), Signer::rsa(1024));
        let secret = b"a secret that is long enough for HMAC with SHA-256";
        let mut fake_keys = vec![ed.jwk.clone(), es.jwk.clone(), rs.jwk.clone(), weak.jwk.clone()];
        // Keys for other purposes, or of which nothing fits together.
        fake_keys.push(json!({ "kty": "oct", "kid": "oct", "k": encode(secret), "alg": "HS256" }));
        let misfits = [("enc", "use", json!("enc")), ("ops", "key_ops", json!(["sign"])), ("alg", "alg", json!("RS256"))];
        for (id, name, value) in &misfits {
            fake_keys.push(with(&with(&own.jwk, "kid", *id), name, value.clone()));
        }
        fake_keys.extend([json!(null), json!({ "kty": 7 }), json!({ "kty": "EC", "crv": "P-256", "kid": "x", "x": "A" })]);
        let fake = Fake::start(Manner::Good, &fake_keys.iter().collect::<Vec<_>>()).await;
        let door = taking(&app, &fake).await;
        let channel = door.channel();
        let good = claims(&fake.issuer, app.now());
        lets_in(&channel, "good", &rs.sign(&good)).await;

        for (what, token) in unsigned(&ed, &good).into_iter().chain(confused(&ed, &es, &rs, &good)) {
            refuses(&channel, &what, token).await;
        }
        for (id, _, _) in &misfits {
            refuses(&channel, id, own.sign_under(&with(&own.header(), "kid", *id), &good)).await;
        }
        let hmac = EncodingKey::from_secret(secret);
        let header = json!({ "alg": "HS256", "typ": "JWT", "kid": "oct" }).to_string();
        refuses(&channel, "symmetric", sign(&hmac, Algorithm::HS256, &header, &good.to_string())).await;
        refuses(&channel, "1024 bits", weak.sign(&good)).await;
        for (what, token) in brought(&own, &ed, &good) {
            refuses(&channel, what, token).await;
        }
        for (what, token) in misshapen(&ed, &good) {
            refuses(&channel, what, token).await;
        }
        lets_in(&channel, "good", &ed.sign(&good)).await;
    }

    async fn a_token_that_says_too_little_too_much_or_something_else_is_refused(app) {
        let ngo = Ngo::new(&app, "NGO-A").await;
        let ed = Signer::ed25519("ed");
        let fake = Fake::start(Manner::Good, &[&ed.jwk]).await;
        let door = taking(&app, &fake).await;
        let channel = door.channel();
        let (now, good) = (app.now().timestamp(), claims(&fake.issuer, app.now()));
        lets_in(&channel, "good", &ed.sign(&good)).await;
        let as_role = |role: &str| with(&good, "role", role);
        let wrong = [
            ("expired", with(&with(&good, "iat", now - 600), "exp", now - 60)),
            ("not yet valid", with(&good, "nbf", now + 61)),
            ("of tomorrow", with(&good, "iat", now + 61)),
            ("over before it began", with(&good, "exp", now)),
            ("good for too long", with(&good, "exp", now + 86_401)),
            ("for ever", with(&good, "exp", 1_u64 << 60)),
            ("no end", without(&good, "exp")),
            ("an end in words", with(&good, "exp", "tomorrow")),
            ("no beginning", without(&good, "iat")),
            ("before time", with(&good, "iat", -1)),
            ("beyond time", with(&good, "nbf", 1e300)),
            ("no issuer", without(&good, "iss")),
            ("other issuer", with(&good, "iss", "https://example.org")),
            ("almost this issuer", with(&good, "iss", format!("{}/", fake.issuer))),
            ("several issuers", with(&good, "iss", json!([fake.issuer]))),
            ("no audience", without(&good, "aud")),
            ("other audience", with(&good, "aud", "elsewhere")),
            ("almost this audience", with(&good, "aud", "Aftercare")),
            ("other audiences", with(&good, "aud", json!(["elsewhere", { "aftercare": 1 }]))),
            ("nobody", without(&good, "sub")),
            ("nobody in words", with(&good, "sub", " ")),
            ("a number", with(&good, "sub", 7)),
            ("a long name", with(&good, "sub", "x".repeat(201))),
            ("two lines", with(&good, "sub", "a\nb")),
            ("id of another kind", with(&good, "jti", 7)),
            ("no role", without(&good, "role")),
            ("unknown role", as_role("owner")),
            ("almost a role", as_role("Admin")),
            ("two roles", with(&good, "role", json!(["admin", "auditor"]))),
            ("roles by name", with(&good, "role", json!({ "admin": true }))),
            ("nobody's coordinator", as_role("coordinator")),
            ("coordinator of the unknown", with(&as_role("coordinator"), "organisation", "NGO-B")),
            ("coordinator of several", with(&as_role("coordinator"), "organisation", json!(["NGO-A"]))),
            ("nobody's lead", as_role("clinical_lead")),
            ("no counsellor", with(&as_role("counsellor"), "organisation", ngo.id.as_str())),
            (
                "unknown counsellor",
                with(&with(&as_role("counsellor"), "organisation", "NGO-A"), "counsellor", "NOBODY"),
            ),
            ("police of nowhere", as_role("police")),
            ("police of no district", with(&as_role("police"), "jurisdiction", "not a code")),
        ];
        for (what, claims) in wrong {
            refuses(&channel, what, ed.sign(&claims)).await;
        }
        // Said twice: one reader takes the first, another the last.
        let said = good.to_string();
        for (name, value) in [("role", "auditor"), ("exp", "1"), ("sub", "else"), ("anything", "else")] {
            let twice = format!("{},\"{name}\":\"{value}\",\"{name}\":{}}}", &said[..said.len() - 1], good["sub"]);
            refuses(&channel, name, ed.sign_text(&ed.header().to_string(), &twice)).await;
        }
        let inside = format!("{},\"a\":[{{\"b\":1,\"b\":1}}]}}", &said[..said.len() - 1]);
        refuses(&channel, "twice inside", ed.sign_text(&ed.header().to_string(), &inside)).await;
        let header = format!("{{\"alg\":\"none\",\"alg\":\"EdDSA\",\"kid\":\"{}\"}}", ed.id);
        refuses(&channel, "two algorithms", ed.sign_text(&header, &said)).await;
        // The service account of a subject is nobody, as long as there is none.
        lets_in(&channel, "good", &ed.sign(&good)).await;
    }
}

type Forged = Vec<(String, String)>;

/// Without a signature, or with one that is not the token's.
fn unsigned(ed: &Signer, good: &Value) -> Forged {
    let token = ed.sign(good);
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = ed.sign(&with(good, "sub", "other"));
    let mut forged: Forged = ["none", "None", "NONE", "nOnE", "", "HS256"]
        .map(|alg| {
            let header = encode(json!({ "alg": alg, "typ": "JWT", "kid": ed.id }).to_string());
            (format!("alg {alg}"), format!("{header}.{}.{signature}", encode(good.to_string())))
        })
        .into();
    let header = encode(json!({ "alg": "none" }).to_string());
    forged.push(("none at all".into(), format!("{header}.{}.", encode(good.to_string()))));
    forged.push(("without signature".into(), format!("{signed}.")));
    forged.push(("another's signature".into(), format!("{signed}.{}", other.rsplit_once('.').unwrap().1)));
    forged.push(("zeroes".into(), format!("{signed}.{}", encode([0; 64]))));
    forged
}

/// A key that is used for what it is not.
fn confused(ed: &Signer, es: &Signer, rs: &Signer, good: &Value) -> Forged {
    let mut forged = Vec::new();
    for signer in [ed, es, rs] {
        // The public key is what everybody has: as a secret it must be none.
        let pem = pem("PUBLIC KEY", &signer.public);
        let raw = signer.jwk.get("x").or(signer.jwk.get("n")).unwrap().as_str().unwrap();
        let secrets = [
            pem.clone().into_bytes(),
            pem.trim_end().as_bytes().to_vec(),
            signer.public.clone(),
            signer.jwk.to_string().into_bytes(),
            raw.as_bytes().to_vec(),
            base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(raw).unwrap(),
            STANDARD.encode(&signer.public).into_bytes(),
        ];
        for (number, secret) in secrets.iter().enumerate() {
            for (name, algorithm) in [("HS256", Algorithm::HS256), ("HS512", Algorithm::HS512)] {
                let header = json!({ "alg": name, "typ": "JWT", "kid": signer.id }).to_string();
                let token = sign(&EncodingKey::from_secret(secret), algorithm, &header, &good.to_string());
                forged.push((format!("{name} with the public key of {}, form {number}", signer.id), token));
            }
        }
        for other in [ed, es, rs].into_iter().filter(|other| other.id != signer.id) {
            let what = format!("{} under the name of {}", signer.id, other.id);
            forged.push((what, signer.sign_under(&with(&signer.header(), "kid", other.id.as_str()), good)));
            let what = format!("{} that says it is {}", signer.id, other.id);
            forged.push((what, signer.sign_under(&other.header(), good)));
        }
    }
    for (name, algorithm) in [("RS384", Algorithm::RS384), ("RS512", Algorithm::RS512), ("PS256", Algorithm::PS256)] {
        let header = with(&rs.header(), "alg", name).to_string();
        forged.push((name.into(), sign(&rs.key, algorithm, &header, &good.to_string())));
    }
    forged
}

/// A token that brings its key, or says where to find one, or asks for what nobody knows.
fn brought(own: &Signer, ed: &Signer, good: &Value) -> Vec<(&'static str, String)> {
    let certificate = STANDARD.encode(&own.public);
    let headers = [
        ("its key", own, "jwk", own.jwk.clone()),
        ("the right key", ed, "jwk", ed.jwk.clone()),
        ("a place of keys", own, "jku", json!("https://example.org/keys")),
        ("a place of keys, well signed", ed, "jku", json!("https://example.org/keys")),
        ("a place of a certificate", ed, "x5u", json!("https://example.org/certificate")),
        ("a certificate", own, "x5c", json!([certificate])),
        ("what must be understood", ed, "crit", json!(["exp"])),
        ("nothing that must be understood", ed, "crit", json!([])),
        ("an unencoded payload", ed, "crit", json!(["b64"])),
        ("compression", ed, "zip", json!("DEF")),
        ("encryption", ed, "enc", json!("A256GCM")),
        ("a key by number", ed, "kid", json!(7)),
        ("no key", ed, "kid", json!(null)),
        ("a key with a long name", ed, "kid", json!("k".repeat(257))),
        ("a key by path", own, "kid", json!("../../../../dev/null")),
        ("an unknown key", own, "kid", json!("own")),
        ("the known key's name", own, "kid", json!("ed")),
        ("another type", ed, "typ", json!("logout+jwt")),
        ("a type that is none", ed, "typ", json!(["JWT"])),
    ];
    headers
        .map(|(what, signer, name, value)| (what, signer.sign_under(&with(&signer.header(), name, value), good)))
        .into()
}

/// What is no token by its form.
fn misshapen(ed: &Signer, good: &Value) -> Vec<(&'static str, String)> {
    let token = ed.sign(good);
    let parts: Vec<&str> = token.split('.').collect();
    vec![
        ("nothing", String::new()),
        ("dots", "..".into()),
        ("two parts", format!("{}.{}", parts[0], parts[2])),
        ("four parts", format!("{token}.{}", parts[2])),
        ("five parts", format!("{token}.{}.{}", parts[1], parts[2])),
        ("a space inside", format!("{} .{}.{}", parts[0], parts[1], parts[2])),
        ("padding", format!("{}==.{}.{}", parts[0], parts[1], parts[2])),
        ("padding after it", format!("{token}=")),
        ("a shorter signature", token[..token.len() - 2].to_owned()),
        ("a list", ed.sign_text("[]", &good.to_string())),
        ("claims that are a list", ed.sign_text(&ed.header().to_string(), "[]")),
        ("claims that are none", ed.sign_text(&ed.header().to_string(), "")),
        ("more after the claims", ed.sign_text(&ed.header().to_string(), &format!("{good}{good}"))),
        ("deep", ed.sign_text(&ed.header().to_string(), &("[".repeat(3000) + &"]".repeat(3000)))),
        // More than that does not fit into the headers of a request.
        ("long", ed.sign(&with(good, "more", "x".repeat(6000)))),
        ("too long for anybody", "x".repeat(12_000)),
    ]
}
