//! The verifier on chains made by hand; whole databases are tampered with in `tests/it/audit`.

use super::*;
use crate::domain::statement::{PublicKey, SigningKey};

fn key(seed: u8) -> SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32]).into()
}

fn entry(number: u8) -> Entry {
    Entry {
        id: vec![number; 16],
        occurred_at: i64::from(number),
        principal: b"somebody".to_vec(),
        role: b"admin".to_vec(),
        organisation_id: None,
        action: b"act".to_vec(),
        outcome: b"DONE".to_vec(),
        reason: None,
        details: b"[]".to_vec(),
        subjects: b"[]".to_vec(),
        request_id: None,
    }
}

/// A good chain of nine, with heads at 3, 6 and 9.
fn chain(signer: &SigningKey) -> (Vec<Sealed>, Vec<StoredHead>) {
    let (mut seals, mut heads, mut hash) = (Vec::new(), Vec::new(), Hash::GENESIS);
    for position in 1..=9 {
        let entry = entry(position as u8);
        hash = link(&hash, position, &entry.canonical());
        seals.push(Sealed { position, event_id: entry.id.clone(), hash: hash.0.to_vec(), entry: Some(entry) });
        if position % 3 == 0 {
            heads.push(head(signer, position, hash));
        }
    }
    (seals, heads)
}

fn head(signer: &SigningKey, position: i64, hash: Hash) -> StoredHead {
    let kid = signer.public().kid();
    let sealed_at = chrono::DateTime::from_timestamp_micros(position).unwrap();
    let signed = Head { position, hash, sealed_at, kid: kid.clone() }.sign(signer);
    let (kid, signature) = (kid.as_str().into(), signed.signature.to_vec());
    StoredHead { position, hash: hash.0.to_vec(), sealed_at: position, kid, signature }
}

fn stored(key: PublicKey) -> (String, Vec<u8>) {
    (key.kid().to_string(), key.to_bytes().to_vec())
}

/// What is found, in pages of four, when the first key is trusted.
fn found(seals: &[Sealed], heads: &[StoredHead]) -> Report {
    let anchors = Anchors::new([key(1).public()], &[stored(key(1).public()), stored(key(2).public())]);
    let mut verifier = Verifier::after(0, Hash::GENESIS, anchors, None);
    let mut before = 0;
    for page in seals.chunks(4) {
        let last = page.last().unwrap().position;
        let of_page: Vec<_> = heads.iter().filter(|it| (before + 1..=last).contains(&it.position)).cloned().collect();
        verifier.page(page, &of_page);
        before = last;
    }
    let beyond: Vec<_> = heads.iter().filter(|it| it.position > before).cloned().collect();
    verifier.end(&beyond)
}

fn faults(seals: &[Sealed], heads: &[StoredHead]) -> Vec<String> {
    found(seals, heads).faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_chain_is_proven_to_its_end() {
    let (seals, heads) = chain(&key(1));
    let report = found(&seals, &heads);
    assert_eq!((report.events, report.heads, report.end, report.proven_until), (9, 3, 9, 9));
    assert_eq!(report.faults, []);
    // Of a key that only the database knows: nothing is wrong, and nothing proven.
    let (seals, heads) = chain(&key(2));
    let report = found(&seals, &heads);
    assert_eq!((report.faults, report.proven_until), (vec![], 0));
    assert_eq!(found(&[], &[]).faults, []);
}

#[test]
fn each_fault_is_named_where_it_is() {
    let changed = |position: i64| Fault::Changed { position };
    type Tamper = fn(&mut Vec<Sealed>, &mut Vec<StoredHead>);
    let cases: [(Tamper, Vec<Fault>); 12] = [
        (|seals, _| seals[4].entry.as_mut().unwrap().action.push(b'x'), vec![changed(5)]),
        (|seals, _| seals[4].hash[0] ^= 1, vec![changed(5)]),
        (|seals, _| seals[4].entry = None, vec![Fault::Gone { position: 5, event_id: vec![5; 16] }]),
        (|seals, _| drop(seals.drain(3..5)), vec![Fault::Missing { from: 4, until: 5 }]),
        (
            |seals, _| {
                let (one, other) = (seals[1].entry.clone(), seals[7].entry.clone());
                (seals[1].entry, seals[7].entry) = (other, one);
            },
            vec![Fault::Swapped { one: 2, other: 8 }],
        ),
        (
            |seals, _| {
                let (one, other) = (seals[1].entry.clone(), seals[2].entry.clone());
                (seals[1].entry, seals[2].entry) = (other, one);
            },
            vec![Fault::Swapped { one: 2, other: 3 }],
        ),
        (|_, heads| heads[1].hash[0] ^= 1, vec![Fault::HeadForged { position: 6 }]),
        (|_, heads| heads[1].sealed_at += 1, vec![Fault::HeadForged { position: 6 }]),
        (|_, heads| heads[1] = head(&key(1), 6, Hash([9; 32])), vec![Fault::HeadDiffers { position: 6 }]),
        (
            |_, heads| heads[1] = head(&key(3), 6, Hash([9; 32])),
            vec![Fault::HeadKey { position: 6, kid: key(3).public().kid() }],
        ),
        (
            |seals, _| seals.truncate(8),
            vec![Fault::HeadBeyond { position: 9, end: 8 }, Fault::Headless { from: 7, until: 8 }],
        ),
        (|_, heads| heads.truncate(2), vec![Fault::Headless { from: 7, until: 9 }]),
    ];
    for (at, (tamper, expected)) in cases.into_iter().enumerate() {
        let (mut seals, mut heads) = chain(&key(1));
        tamper(&mut seals, &mut heads);
        assert_eq!(found(&seals, &heads).faults, expected, "case {at}");
    }
}

/// Whoever can compute hashes and has no key gets as far as the next head.
#[test]
fn a_chain_that_was_hashed_anew_meets_the_heads() {
    let (mut seals, heads) = chain(&key(1));
    seals[4].entry.as_mut().unwrap().action.push(b'x');
    let mut previous = Hash::from_bytes(&seals[3].hash).unwrap();
    for it in &mut seals[4..] {
        previous = link(&previous, it.position, &it.entry.as_ref().unwrap().canonical());
        it.hash = previous.0.to_vec();
    }
    let of = |position: i64| format!("head at position {position}: it does not fit the chain");
    assert_eq!(faults(&seals, &heads), [of(6), of(9)]);
}

#[test]
fn many_faults_are_counted() {
    let anchors = Anchors::new([key(1).public()], &[("nobody".into(), vec![0; 32])]);
    let mut verifier = Verifier::after(0, Hash::GENESIS, anchors, None);
    let seal = |position| Sealed { position, event_id: vec![0; 16], hash: vec![0; 32], entry: Some(entry(1)) };
    verifier.page(&(1..=300).map(seal).collect::<Vec<_>>(), &[]);
    let report = verifier.rest();
    assert_eq!(report.faults[0], Fault::KeyForged { name: "nobody".into() });
    assert_eq!((report.faults.len(), report.unnamed), (MOST_NAMED, 201));
}
