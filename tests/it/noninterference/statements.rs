//! What takes as long: whatever police may not know of is looked for with the same statements, which meet the same
//! number of rows. Whoever measures the time of an answer learns from it what its bytes say, and no more.

use aftercare::grpc::pb;
use aftercare::grpc::pb::compliance_service_client::ComplianceServiceClient;
use tonic::Code;
use tonic::transport::Channel;

use crate::police::of_nobody;
use crate::process::{Serving, token, with_token};
use crate::support::treatment::{Treated, create_order, lookup, order_of};
use crate::support::{Engine, TestApp};

/// How the service is asked about one reference; gives the code of the answer.
async fn ask(client: &mut ComplianceServiceClient<Channel>, token: &str, reference: &str, rpc: &str) -> Code {
    let (lookup, reference) = (lookup(), reference.to_owned());
    let answered = match rpc {
        "CheckCompliance" => {
            let request = pb::CheckComplianceRequest { lookup, reference };
            client.check_compliance(with_token(token, request)).await.map(drop)
        }
        "BatchCheckCompliance" => {
            let request = pb::BatchCheckComplianceRequest { lookup, references: vec![reference] };
            client.batch_check_compliance(with_token(token, request)).await.map(drop)
        }
        _ => {
            let request = pb::IssueComplianceStatementRequest { lookup, reference, ..Default::default() };
            client.issue_compliance_statement(with_token(token, request)).await.map(drop)
        }
    };
    answered.map_or_else(|status| status.code(), |()| Code::Ok)
}

/// Whether a text bounds a transaction. On SQLite several share one, and who begins and who ends it is chance.
fn bounds(text: &str) -> bool {
    ["BEGIN", "SAVEPOINT", "RELEASE", "COMMIT", "ROLLBACK"].iter().any(|word| text.starts_with(word))
}

/// The statements of each call of an RPC, with the number of rows that they met, sorted: a connection of SQLite is a
/// thread, and which of two threads writes its line first says nothing of which statement came first.
fn statements(log: &str, rpc: &str) -> Vec<Vec<String>> {
    let (mut calls, mut call) = (Vec::new(), Vec::new());
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let spans = line["spans"].as_array().into_iter().flatten();
        let within = spans.filter_map(|it| it["method"].as_str()).any(|it| it.ends_with(&format!("/{rpc}")));
        if !within || line["target"] != "sqlx::query" {
            continue;
        }
        let fields = &line["fields"];
        let text = fields["db.statement"].as_str().filter(|it| !it.is_empty()).or(fields["summary"].as_str());
        let text = text.unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
        if bounds(&text) {
            continue;
        }
        let met = if text.starts_with("SELECT") { &fields["rows_returned"] } else { &fields["rows_affected"] };
        call.push(format!("{text} [{met}]"));
        // Whatever becomes of it, the trail is what a call writes last, alone or together with what waited.
        if text.contains("INSERT INTO audit_event") {
            call.sort();
            calls.push(std::mem::take(&mut call));
        }
    }
    calls
}

async fn alike(engine: Engine) {
    let mut app = TestApp::start(engine).await;
    let mut it = Treated::new(&app).await;
    it.session(&app, "2026-01-05").await;
    let survivor = it.ngo.survivor().await;
    let mandate = pb::MandateBasis::Voluntary.into();
    let willing = pb::TreatmentOrder { mandate, ..order_of(&it.ngo.offender().await) };
    let willing = create_order(&it.ngo.coordinator, willing).await.unwrap();
    let elsewhere = pb::TreatmentOrder { jurisdiction: "KL-EKM".into(), ..order_of(&it.ngo.offender().await) };
    let elsewhere = create_order(&it.ngo.coordinator, elsewhere).await.unwrap();
    let untreated = it.ngo.offender().await;
    app.stop().await;

    let none_of_their_business = [
        of_nobody(7),
        survivor.reference,
        willing.reference,
        elsewhere.reference,
        untreated.reference,
        it.client.reference.clone(),
    ];
    let url = app.db.url.clone();
    let url = (engine == Engine::Postgres).then_some(url.as_str());
    let database: Vec<&str> = url.iter().flat_map(|url| ["--database-url", url]).collect();
    let police = [&["--role", "police", "--jurisdiction", "KL-TVM"], &database[..]].concat();
    let police = token(&app.data_dir(), &police);
    let serving = Serving::start(&app.data_dir(), url);
    let mut client = ComplianceServiceClient::new(serving.channel().await);
    let rpcs = ["CheckCompliance", "BatchCheckCompliance", "IssueComplianceStatement"];
    for rpc in rpcs {
        // The first call prepares what later ones reuse.
        let mut codes = Vec::new();
        for reference in none_of_their_business[..1].iter().chain(&none_of_their_business) {
            codes.push(ask(&mut client, &police, reference, rpc).await);
        }
        assert!(codes.iter().all(|code| *code == codes[0]), "{rpc}: {codes:?}");
        assert_eq!(ask(&mut client, &police, &it.reference, rpc).await, Code::Ok, "{rpc}");
    }
    let (_, log) = serving.end("-TERM");
    for rpc in rpcs {
        let calls = statements(&log, rpc);
        assert_eq!(calls.len(), none_of_their_business.len() + 2, "{rpc}: one transaction each");
        let [_, unknown, others @ .., known] = &calls[..] else { unreachable!("{rpc}") };
        assert!(unknown.len() > 3, "{rpc}: {unknown:?}");
        for other in others {
            assert_eq!(unknown, other, "{rpc}");
        }
        assert_ne!(unknown, known, "{rpc}: what is theirs to know takes its own time");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_police_may_not_know_of_takes_the_same_statements_on_sqlite() {
    alike(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_police_may_not_know_of_takes_the_same_statements_on_postgres() {
    alike(Engine::Postgres).await;
}
