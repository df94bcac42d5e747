//! Clients that are not tonic: Python's grpcio with stubs from proto/, and `buf curl`, which knows
//! only what reflection tells it.

use std::process::{Command, Output, Stdio};

use aftercare::domain::access::TABLE;
use aftercare::grpc::pb;
use serde_json::{Value, json};

use crate::on_both_engines;
use crate::support::{Ngo, TestApp, book, booking, tool};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

on_both_engines! {
    async fn python_finds_books_repeats_and_is_refused(app) {
        let ngo = Ngo::new(&app, "NGO-PY").await;
        let room = ngo.room("R1").await;
        ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;

        let mut python = tool("AFTERCARE_TEST_PYTHON");
        python.arg(format!("{ROOT}/tests/python/book.py")).arg(app.address.to_string()).arg(&client.id);
        python.env("AFTERCARE_TOKEN", &ngo.coordinator.token);
        let answer = json_of(run(python).await);

        assert_eq!(answer["slots"], 20);
        assert_eq!(answer["session"], answer["session_again"], "one request id, one session");
        let session = ngo.session(answer["session"].as_str().unwrap()).await;
        assert_eq!(answer["local_start"], session.local_start);
        assert_eq!((session.client_id, session.room_id), (client.id, room.id));
        let refusal = json!({
            "code": "FAILED_PRECONDITION",
            "reason": "BOOKING_REFUSED",
            "domain": "aftercare",
            "rules": ["COUNSELLOR_BUSY", "CLIENT_BUSY", "ROOM_BUSY"],
            "alternatives": 3,
        });
        assert_eq!(answer["refusal"], refusal);
    }

    async fn buf_calls_what_reflection_describes(app) {
        let ngo = Ngo::new(&app, "NGO-BUF").await;

        let services = lines(curl(&app, "", &["--list-services"]).await);
        for service in ["DirectoryService", "ClientService", "SchedulingService"] {
            assert!(services.contains(&format!("aftercare.v1.{service}")), "{services:?}");
        }
        let methods = lines(curl(&app, "", &["--list-methods"]).await);
        for (rpc, _) in TABLE {
            assert!(methods.iter().any(|method| method == rpc), "{rpc} is not in {methods:?}");
        }

        let bearer = bearer(&ngo);
        let which = json!({ "organisationId": ngo.id }).to_string();
        let rpc = "aftercare.v1.DirectoryService/GetOrganisation";
        let answer = json_of(curl(&app, rpc, &["--header", &bearer, "--data", &which]).await);
        assert_eq!(answer["organisation"]["code"], "NGO-BUF");

        let rpc = "aftercare.v1.SchedulingService/ListSessions";
        let listed = json_of(curl(&app, rpc, &["--header", &bearer]).await);
        assert_eq!(listed.as_object().unwrap().keys().collect::<Vec<_>>(), ["watchCursor"]);
        let denied = curl_output(&app, rpc, &["--protocol", "grpc", "--http2-prior-knowledge"]).await;
        assert_eq!(denied.status.code(), Some(i32::from(tonic::Code::Unauthenticated) << 3), "{denied:?}");
    }

    async fn grpc_web_works_over_http_1_1(app) {
        let ngo = Ngo::new(&app, "NGO-WEB").await;
        let client = ngo.survivor().await;
        let which = json!({ "clientId": client.id }).to_string();
        // Reflection streams both ways, which HTTP/1.1 cannot: the schema is read from the tree.
        let schema = format!("{ROOT}/proto");
        let how = ["--protocol", "grpcweb", "--schema", &schema, "--verbose"];
        let what = ["--header", &bearer(&ngo), "--data", &which];
        let output = curl_output(&app, "aftercare.v1.ClientService/GetClient", &[&how[..], &what[..]].concat()).await;
        let spoken = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(spoken.contains("HTTP/1.1 200 OK"), "{spoken}");
        assert_eq!(json_of(checked(output))["client"]["reference"], client.reference);
    }

    async fn a_stream_works_over_grpc_web(app) {
        let ngo = Ngo::new(&app, "NGO-WEB").await;
        let counsellor = ngo.counsellor("C1", pb::Side::Survivor).await;
        let client = ngo.survivor().await;
        let listed = ngo.coordinator.scheduling().list_sessions(pb::ListSessionsRequest::default()).await.unwrap();
        let session = book(&ngo.coordinator, booking(&ngo, &counsellor, &client, "2026-11-24T04:30:00Z")).await.unwrap();
        let schema = format!("{ROOT}/proto");
        let from = json!({ "cursor": listed.into_inner().watch_cursor }).to_string();
        let mut buf = tool("AFTERCARE_TEST_BUF");
        buf.args(["curl", "--protocol", "grpcweb", "--schema", &schema, "--header", &bearer(&ngo), "--data", &from]);
        buf.arg(format!("http://{}/aftercare.v1.SchedulingService/WatchSessions", app.address));
        // It ends when the stream does; what it was told of until then is on its output.
        let mut watching = buf.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = watching.stdout.take().unwrap();
        let first = tokio::task::spawn_blocking(move || {
            let messages = serde_json::Deserializer::from_reader(stdout).into_iter::<Value>();
            messages.map(Result::unwrap).find(|it| it.get("session").is_some())
        });
        let first = first.await.unwrap().expect("a change");
        assert_eq!((&first["session"]["id"], &first["version"]), (&json!(session.id), &json!("1")));
        watching.kill().unwrap();
        watching.wait().unwrap();
    }
}

fn bearer(ngo: &Ngo) -> String {
    format!("Authorization: Bearer {}", ngo.coordinator.token)
}

/// `buf curl` on an RPC (or on the whole service), which must succeed.
async fn curl(app: &TestApp, rpc: &str, options: &[&str]) -> Output {
    let options = [&["--protocol", "grpc", "--http2-prior-knowledge"], options].concat();
    checked(curl_output(app, rpc, &options).await)
}

async fn curl_output(app: &TestApp, rpc: &str, options: &[&str]) -> Output {
    let mut buf = tool("AFTERCARE_TEST_BUF");
    buf.arg("curl").args(options).arg(format!("http://{}/{rpc}", app.address));
    output(buf).await
}

async fn run(command: Command) -> Output {
    checked(output(command).await)
}

async fn output(mut command: Command) -> Output {
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

fn checked(output: Output) -> Output {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn json_of(output: Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn lines(output: Output) -> Vec<String> {
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}
