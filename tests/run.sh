#!/usr/bin/env bash
# Runs every test, on both engines. Needs a Debian machine with Rust and a C compiler; tests/tools.sh
# installs the rest. Arguments go to `cargo test`: tests/run.sh --test it separation
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tests/tools.sh
source tests/tools.sh

cluster=$(mktemp -d "${TMPDIR:-/tmp}/aftercare-postgres.XXXXXX")

# PostgreSQL refuses to run as root; its package made a user for it.
as_postgres() (
    cd "$cluster"
    if ((EUID == 0)); then
        exec runuser -u postgres -- "$@"
    fi
    exec "$@"
)

stop_cluster() {
    if [[ -e $cluster/data/postmaster.pid ]]; then
        as_postgres "$postgres_bin/pg_ctl" stop --silent --mode=immediate --pgdata=data || true
    fi
    rm -rf "$cluster"
}
trap stop_cluster EXIT

free_port() {
    "$AFTERCARE_TEST_PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A throwaway cluster: it survives no crash, which makes it fast, and nobody else can connect.
# Tests run in parallel, each with a database and a pool of its own, hence the connections.
start_cluster() {
    ((EUID != 0)) || chown postgres: "$cluster"
    as_postgres "$postgres_bin/initdb" --pgdata=data --username=postgres --auth=trust --encoding=UTF8 \
        --locale=C.UTF-8 --no-sync >"$cluster/initdb.log" 2>&1 ||
        fail "initdb: $(cat "$cluster/initdb.log")"
    local settings=(
        "listen_addresses='127.0.0.1'" "unix_socket_directories=''" max_connections=300
        fsync=off synchronous_commit=off full_page_writes=off
    )
    printf '%s\n' "${settings[@]}" >>"$cluster/data/postgresql.conf"
    # A free port may be taken before the server has it; then another one is.
    local port
    for _ in 1 2 3 4 5; do
        port=$(free_port)
        if as_postgres "$postgres_bin/pg_ctl" start --silent --wait --pgdata=data --log=log --options="-p $port"; then
            export AFTERCARE_TEST_POSTGRES=postgres://postgres@127.0.0.1:$port/postgres
            return
        fi
    done
    fail "PostgreSQL does not start: $(tail -n 20 "$cluster/log")"
}

start_cluster
echo "Testing on SQLite and on $("$postgres_bin/postgres" --version)"
export AFTERCARE_TEST_LOG=$cluster/services.log CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-$([[ -t 1 ]] && echo always || echo never)}
touch "$AFTERCARE_TEST_LOG"
cargo test --locked "$@" 2>&1 | tee "$cluster/output"

# Every text about a person that tests make up bears one mark (tests/it/support/plant.rs): it stands in nothing that
# was printed, logged by a service or logged by the database.
readonly mark=Zyqvorn
for printed in "$cluster/output" "$AFTERCARE_TEST_LOG" "$cluster/log"; do
    if grep --text --max-count=3 "$mark" "$printed" >&2; then
        fail "a text about a person was printed: $(basename "$printed")"
    fi
done
echo "Nothing about a person stands in what was printed and logged ($(cat "$cluster/output" "$AFTERCARE_TEST_LOG" "$cluster/log" | wc -c) bytes)"
