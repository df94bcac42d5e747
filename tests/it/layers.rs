//! Who may import whom. The arrows point one way, and the test reads them off the source.

use std::fs;
use std::path::{Path, PathBuf};

/// A layer and what it may name of this crate.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &["domain"]),
    ("chain.rs", &[]),
    ("clock.rs", &[]),
    ("rng.rs", &[]),
    ("span.rs", &["span"]),
    ("unique.rs", &[]),
    ("telemetry.rs", &["config", "span", "unique"]),
    ("store", &["store", "chain", "domain", "clock", "rng", "span"]),
    ("usecase", &["usecase", "chain", "store", "domain", "clock", "rng"]),
    ("grpc", &["grpc", "chain", "span", "unique", "usecase", "domain"]),
    ("jobs", &["jobs", "chain", "span", "usecase", "domain"]),
    ("metrics", &["metrics", "chain", "grpc", "usecase"]),
    ("auth", &["auth", "chain", "config", "usecase", "domain", "rng"]),
    ("transport", &["transport", "chain", "config"]),
    ("config.rs", &["config", "domain", "store"]),
    ("config", &["config", "domain"]),
    (
        "app.rs",
        &["auth", "clock", "config", "domain", "grpc", "jobs", "metrics", "rng", "store", "transport", "usecase"],
    ),
    (
        "cli",
        &[
            "app",
            "auth",
            "chain",
            "cli",
            "clock",
            "config",
            "domain",
            "grpc",
            "rng",
            "store",
            "telemetry",
            "transport",
            "usecase",
        ],
    ),
];

/// A library and the places that may name it.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("sqlx", &["store"]),
    ("tonic", &["grpc", "app.rs", "cli/demo", "telemetry.rs", "transport/connection.rs"]),
    ("prost", &["grpc", "cli/demo"]),
    (
        "tokio",
        &[
            "app.rs",
            "auth/oidc",
            "cli",
            "grpc/admission.rs",
            "grpc/deadline.rs",
            "grpc/measure.rs",
            "jobs",
            "metrics/page.rs",
            "metrics/sent.rs",
            "store",
            "telemetry.rs",
            "transport",
            "usecase",
        ],
    ),
    ("hyper", &["auth/oidc/fetch.rs", "config/issuer.rs", "metrics/page.rs"]),
    ("prometheus_client", &["metrics"]),
    ("opentelemetry", &["app.rs", "grpc/span.rs", "metrics/sent.rs", "telemetry.rs"]),
    ("opentelemetry_sdk", &["grpc/span.rs", "telemetry.rs"]),
    ("opentelemetry_otlp", &["telemetry.rs"]),
    ("tracing_opentelemetry", &["grpc/span.rs", "telemetry.rs"]),
    ("rustls", &["auth/oidc/fetch.rs", "transport"]),
    ("tokio_rustls", &["auth/oidc/fetch.rs", "transport"]),
    ("clap", &["cli", "config/settings.rs", "main.rs"]),
    ("governor", &["usecase/limit.rs"]),
    ("jsonwebtoken", &["auth"]),
    ("ed25519_dalek", &["auth", "domain/statement", "domain/audit/verify/tests.rs"]),
    ("rrule", &["domain/recurrence.rs"]),
];

fn sources() -> Vec<(String, String)> {
    under("src").into_iter().map(|(name, text)| (name, code_of(&text))).collect()
}

/// The files of a directory, by name in it.
fn under(directory: &str) -> Vec<(String, String)> {
    fn walk(directory: &Path, into: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, into);
            } else if path.extension().is_some_and(|it| it == "rs") {
                into.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    let mut files = Vec::new();
    walk(&root, &mut files);
    let name = |path: &PathBuf| path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

/// The code, without comments and without the tests at its end.
fn code_of(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// What follows each mention of `crate::`.
fn mentions(code: &str) -> Vec<&str> {
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$'))
        .map(|(at, it)| code[at + it.len()..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
        .filter(|name| !name.is_empty())
        .collect()
}

fn names_library(code: &str, library: &str) -> bool {
    let word = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '"');
    code.match_indices(&format!("{library}::")).any(|(at, _)| word(at))
}

#[test]
fn the_arrows_point_one_way() {
    let sources = sources();
    assert!(sources.len() > 40, "the sources were not found");
    for (layer, may) in ARROWS {
        let own: Vec<_> = sources.iter().filter(|(name, _)| name.split('/').next() == Some(layer)).collect();
        assert!(!own.is_empty(), "no layer {layer}");
        for (name, code) in own {
            for mentioned in mentions(code) {
                assert!(may.contains(&mentioned), "src/{name} names crate::{mentioned}");
            }
        }
    }
}

#[test]
fn each_library_has_its_place() {
    for (name, code) in sources() {
        for (library, places) in LIBRARIES {
            let allowed = places.iter().any(|place| name.starts_with(place));
            assert!(allowed || !names_library(&code, library), "src/{name} names {library}");
        }
    }
}

#[test]
fn no_file_grows_too_long() {
    for (name, code) in sources() {
        assert!(code.lines().count() <= 400, "src/{name} has {} lines", code.lines().count());
    }
    let tests = under("tests");
    assert!(tests.len() > 100, "the tests were not found");
    for (name, text) in tests {
        assert!(text.lines().count() <= 400, "tests/{name} has {} lines", text.lines().count());
    }
}
