//! What the files and the dumps of the databases tell, and what a backup tells after an erasure.

use std::fs;
use std::path::Path;

use aftercare::grpc::pb;
use aftercare::store::{Db, Target};
use uuid::Uuid;

use super::{erase, get, guardians, hindered, known, place, release};
use crate::on_both_engines;
use crate::support::escalation::{acknowledge, concern, escalations, report, resolve, resolving};
use crate::support::followup::clinical_lead;
use crate::support::{
    Actor, Ngo, TestApp, amend, amending, book, booking, date, decide, deciding, own_consent, record, recording, tool,
};

/// In every planted value, and nowhere else.
const MARK: &str = "Planted-Quokka";
/// As dumps write bytes.
const HEX: &str = "506c616e7465642d51756f6b6b61";

fn planted(what: &str) -> String {
    format!("{MARK} {what}")
}

/// The bytes of the data and of the key store, as whoever steals a disk or a backup has them.
fn at_rest(app: &TestApp) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in fs::read_dir(app.data_dir()).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().contains(".db") {
            all.extend(fs::read(entry.path()).unwrap());
        }
    }
    if matches!(app.db.target, Target::Postgres(_)) {
        all.extend(dump(app));
    }
    all
}

fn dump(app: &TestApp) -> Vec<u8> {
    let output = tool("AFTERCARE_TEST_PG_DUMP").args(["--no-owner", &app.db.url]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn tells(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Plants a value in every field of the client and of those around.
async fn plant_people(ngo: &Ngo) -> pb::Client {
    let me = &ngo.coordinator;
    let client = ngo
        .survivor_with(|client| {
            (client.name, client.phone) = (planted("name"), planted("1234567890"));
            (client.address, client.born_on) = (planted("address"), Some(date("1987-03-14")));
        })
        .await;
    let guardian = pb::Guardian {
        client_id: client.id.clone(),
        name: planted("guardian"),
        phone: planted("5550100"),
        relation: planted("relation"),
        standing: 1,
        ..Default::default()
    };
    let request = pb::CreateGuardianRequest { guardian: Some(guardian), ..Default::default() };
    me.clients().create_guardian(request).await.unwrap();
    let consent = pb::Consent { purpose: pb::ConsentPurpose::FollowUp.into(), ..own_consent(&client) };
    let consent = ngo.consent(consent).await.unwrap();
    let (consent_id, etag, reason) = (consent.id, consent.etag, planted("withdrawal"));
    let request = pb::WithdrawConsentRequest { consent_id, etag, reason, ..Default::default() };
    me.clients().withdraw_consent(request).await.unwrap();
    let hold = pb::LegalHold { client_id: client.id.clone(), reason: planted("hold"), ..Default::default() };
    let request = pb::PlaceLegalHoldRequest { hold: Some(hold), ..Default::default() };
    let hold = me.clients().place_legal_hold(request).await.unwrap().into_inner().hold.unwrap();
    let (hold_id, etag, reason) = (hold.id, hold.etag, planted("release"));
    let request = pb::ReleaseLegalHoldRequest { hold_id, etag, reason, ..Default::default() };
    me.clients().release_legal_hold(request).await.unwrap();
    let case = ngo.party_of("12/2026", "Example Nagar", &client).await;
    let event = pb::RecordCaseEventRequest {
        case_id: case.id,
        kind: 1,
        happened_on: Some(date("2026-11-20")),
        source: planted("source"),
        actor: planted("actor"),
        zone: "Asia/Kolkata".into(),
        ..Default::default()
    };
    me.follow_up().record_case_event(event).await.unwrap();
    client
}

/// Plants a value in every text about a session, and in a concern.
async fn plant_words(app: &TestApp, ngo: &mut Ngo, counsellor: &pb::Counsellor, client: &pb::Client) {
    let mut request = booking(ngo, counsellor, client, "2026-11-24T00:30:00Z");
    let rule = pb::BookingRule::OutsideWorkingHours.into();
    request.overrides = vec![pb::RuleOverride { rule, reason: planted("override") }];
    let session = book(&ngo.coordinator, request).await.unwrap();
    app.clock.set("2026-11-24T06:00:00Z".parse().unwrap());
    ngo.sign_in(app);
    let me = ngo.as_counsellor(app, counsellor);
    let first = record(&me, recording(&session, client, pb::AttendanceOutcome::AttendedComplied)).await.unwrap();
    let mut wrong = amending(&session, client, &first.etag, pb::AttendanceOutcome::NoShow);
    wrong.reason = planted("amendment");
    let second = amend(&me, wrong).await.unwrap();
    let mut verdict = deciding(&session, client, &second.etag, true);
    (verdict.evidence_reference, verdict.verifier) = (planted("evidence"), planted("verifier"));
    decide(&me, verdict).await.unwrap();
    let (session_id, client_id) = (session.id.clone(), client.id.clone());
    let note = pb::WriteSessionNoteRequest { session_id, client_id, text: planted("note"), ..Default::default() };
    me.attendance().write_session_note(note).await.unwrap();
    let mut learned = concern(client, pb::ConcernKind::Threat);
    learned.text = planted("concern");
    report(&me, learned).await.unwrap();
    let lead = clinical_lead(app, ngo);
    for raised in escalations(&lead).await {
        let taken = acknowledge(&lead, &raised).await.unwrap();
        let mut resolution = resolving(&taken, pb::EscalationAction::LiveContact);
        resolution.note = planted("resolution");
        resolve(&lead, resolution).await.unwrap();
    }
}

/// Every text that the store seals, by table and column, as its sources say.
fn sealed_columns() -> Vec<(String, String)> {
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut all = Vec::new();
    // What stands in directories are tests.
    for entry in fs::read_dir(store).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        let text = fs::read_to_string(entry.path()).unwrap();
        for literal in text.split('"').skip(1).step_by(2) {
            let word = |it: &str| !it.is_empty() && it.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            match literal.split_once('.') {
                Some((table, column))
                    if word(table) && word(column) && table != "toml" && !matches!(column, "toml" | "db") =>
                {
                    all.push((table.to_owned(), column.to_owned()));
                }
                _ => {}
            }
        }
    }
    all.sort();
    all.dedup();
    all
}

/// The lengths and the first bytes of what stands in a column.
async fn column(app: &TestApp, table: &str, column: &str) -> Vec<(i64, Vec<u8>)> {
    let of = match app.db.target {
        Target::Sqlite(_) => {
            format!("SELECT length({column}), substr({column}, 1, 1) FROM {table} WHERE {column} IS NOT NULL")
        }
        Target::Postgres(_) => {
            format!(
                "SELECT length({column})::bigint, substring({column} FROM 1 FOR 1) FROM {table} WHERE {column} IS NOT NULL"
            )
        }
    };
    let mut tx = Db::open(&app.db.target, 1).await.unwrap().begin_read().await.unwrap();
    tx.sql(Box::leak(of.into_boxed_str())).all().await.unwrap()
}

on_both_engines! {
    async fn neither_files_nor_dumps_tell_anything(app) {
        let mut ngo = Ngo::new(&app, "A").await;
        let counsellor = ngo.counsellor_with("C1", pb::Side::Survivor, |it| it.name = planted("counsellor")).await;
        let client = plant_people(&ngo).await;
        plant_words(&app, &mut ngo, &counsellor, &client).await;
        let (gone, other) = (ngo.survivor().await, Ngo::new(&app, "B").await);
        crate::transfer::proposing(&ngo, &gone, &other, &planted("transfer")).await.unwrap();
        assert_eq!(get(&ngo.coordinator, &client).await.name, planted("name"));
        let bytes = at_rest(&app);
        assert!(tells(&bytes, &client.reference) && !bytes.is_empty(), "the files are those of the service");
        for text in [MARK, HEX, &HEX.to_uppercase(), "1987-03-14", "Quokka"] {
            assert!(!tells(&bytes, text), "{text}");
        }
        // Nor in a form that the search does not know: whatever is sealed looks like it.
        let columns = sealed_columns();
        assert!(columns.len() > 25, "{columns:?}");
        let mut seen = 0;
        for (table, name) in &columns {
            for (length, first) in column(&app, table, name).await {
                assert_eq!((first.as_slice(), length % 32), (&[1u8][..], 29), "{table}.{name}");
                seen += 1;
            }
        }
        assert!(seen >= 20, "{seen}");
    }

    async fn a_backup_from_before_does_not_bring_anybody_back(app) {
        let mut app = app;
        let ngo = Ngo::new(&app, "A").await;
        let client = known(&ngo).await;
        ngo.guardian(&client, pb::GuardianStanding::Safe).await;
        let kept = ngo.survivor().await;
        let hold = place(&ngo.coordinator, &client, None).await.unwrap();
        let refused = erase(&ngo.coordinator, &client).await.unwrap_err();
        assert_eq!(hindered(&refused).0, "LEGAL_HOLD");
        release(&ngo.coordinator, &hold).await.unwrap();

        app.stop().await;
        let backup = back_up(&app);
        app.restart().await;
        let me = signed_in(&app, &ngo);
        erase(&me, &client).await.unwrap();
        app.stop().await;
        restore(&app, &backup).await;
        app.restart().await;
        let me = signed_in(&app, &ngo);

        // The data does not know of the erasure, and has nothing to tell.
        let found = get(&me, &client).await;
        assert_eq!((found.name.as_str(), found.phone.as_str(), found.born_on, found.erased_at), ("", "", None, None));
        assert_eq!(guardians(&me, &client).await[0].name, "");
        assert_eq!(get(&me, &kept).await.name, kept.name);
        // Nor does the key store, in any of its bytes.
        let owner: Uuid = client.id.parse().unwrap();
        let mut tx = Db::open(&app.db.key_store, 1).await.unwrap().begin_read().await.unwrap();
        let sql = tx.sql("SELECT wrapped, destroyed_at FROM data_key WHERE owner_id = $1").bind(owner);
        let (wrapped, destroyed_at) = sql.maybe::<(Option<Vec<u8>>, Option<i64>)>().await.unwrap().unwrap();
        assert!(wrapped.is_none() && destroyed_at.is_some());
    }
}

fn signed_in(app: &TestApp, ngo: &Ngo) -> Actor {
    ngo.another_coordinator(app)
}

/// The data without its keys, as backups have it.
fn back_up(app: &TestApp) -> Vec<u8> {
    match &app.db.target {
        Target::Sqlite(file) => {
            assert!(!file.with_extension("db-wal").exists(), "the service has closed it");
            fs::read(file).unwrap()
        }
        Target::Postgres(_) => dump(app),
    }
}

async fn restore(app: &TestApp, backup: &[u8]) {
    match &app.db.target {
        Target::Sqlite(file) => {
            for suffix in ["db-wal", "db-shm"] {
                let _ = fs::remove_file(file.with_extension(suffix));
            }
            fs::write(file, backup).unwrap();
        }
        Target::Postgres(_) => {
            let script = app.data_dir().join("backup.sql");
            fs::write(&script, [b"DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n", backup].concat()).unwrap();
            let mut psql = tool("AFTERCARE_TEST_PSQL");
            psql.args(["--quiet", "--no-psqlrc", "--file"]).arg(&script).arg(&app.db.url);
            let output = psql.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
    }
}
