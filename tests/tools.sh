# shellcheck shell=bash
# Sourced by tests/run.sh and .ci/run, in the root of the tree: installs what is missing on a Debian
# machine and says where it is. What is not Debian's goes under target/, so that nothing is left in
# the tree and `cargo clean` removes it.
#
# Sets postgres_bin; exports AFTERCARE_TEST_PG_DUMP, AFTERCARE_TEST_PG_RESTORE, AFTERCARE_TEST_PSQL,
# AFTERCARE_TEST_PYTHON, AFTERCARE_TEST_BUF and AFTERCARE_TEST_OIDC.

readonly buf_version=1.75.0
tools=$PWD/target/tools

fail() {
    echo "$0: $*" >&2
    exit 1
}

# apt_install WHAT_FOR PACKAGE…
apt_install() {
    local purpose=$1 as_root=()
    shift
    command -v apt-get >/dev/null || fail "$purpose is missing and there is no apt-get: install it by hand"
    ((EUID == 0)) || as_root=(sudo)
    echo "Installing $* ($purpose)"
    "${as_root[@]}" apt-get update -q || fail "apt-get update failed; it is needed for $purpose"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" </dev/null ||
        fail "apt-get could not install $purpose"
}

# The newest server's initdb; the other programs stand beside it.
find_initdb() {
    local found
    found=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
    [[ -n $found ]] || found=$(command -v initdb) || return 0
    echo "$found"
}

install_postgres() {
    local initdb version
    initdb=$(find_initdb)
    if [[ -z $initdb ]]; then
        apt_install 'the PostgreSQL server' postgresql
        initdb=$(find_initdb)
    fi
    [[ -n $initdb ]] || fail 'PostgreSQL cannot be had, and half of the tests need it'
    version=$("$initdb" --version | grep -oE '[0-9]+' | head -n 1)
    ((version >= 15)) || fail "PostgreSQL 15 or later is needed; $initdb is version $version"
    # shellcheck disable=SC2034 # tests/run.sh reads it
    postgres_bin=${initdb%/initdb}
    export AFTERCARE_TEST_PG_DUMP=$postgres_bin/pg_dump AFTERCARE_TEST_PG_RESTORE=$postgres_bin/pg_restore
    export AFTERCARE_TEST_PSQL=$postgres_bin/psql
}

install_python() {
    local venv=$tools/python wanted=tests/python/requirements.txt
    export AFTERCARE_TEST_PYTHON=$venv/bin/python
    # The copy is made last, so a half-made environment is never taken for a whole one.
    cmp -s "$wanted" "$venv/requirements.txt" && return
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install 'Python with venv' python3 python3-venv
    echo "Installing Python packages: $(grep -v '^#' "$wanted" | xargs)"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$AFTERCARE_TEST_PYTHON" -m pip install --quiet --disable-pip-version-check --requirement "$wanted"
    cp "$wanted" "$venv/requirements.txt"
}

install_buf() {
    local prefix=$tools/buf-$buf_version
    if [[ ! -e $prefix/installed ]]; then
        command -v npm >/dev/null || apt_install 'npm' nodejs npm
        echo "Installing buf $buf_version"
        rm -rf "$prefix"
        mkdir -p "$prefix"
        npm install --loglevel=error --ignore-scripts --no-save --no-package-lock --prefix "$prefix" \
            "@bufbuild/buf@$buf_version" </dev/null
        touch "$prefix/installed"
    fi
    # The program itself, which npm chose for this machine; the package's own is a wrapper that needs node.
    AFTERCARE_TEST_BUF=$(compgen -G "$prefix/node_modules/@bufbuild/buf-linux-*/bin/buf") || fail 'npm brought no buf'
    export AFTERCARE_TEST_BUF
}

# What the lock file says, by its digests; node runs it.
install_oidc_provider() {
    local prefix=$tools/oidc-provider wanted=tests/node/package-lock.json
    export AFTERCARE_TEST_OIDC=$prefix
    cmp -s "$wanted" "$prefix/installed" && return
    { command -v node && command -v npm; } >/dev/null || apt_install 'node and npm' nodejs npm
    echo 'Installing an OpenID Connect provider'
    rm -rf "$prefix"
    mkdir -p "$prefix"
    cp tests/node/package.json "$wanted" "$prefix"
    npm ci --loglevel=error --ignore-scripts --prefix "$prefix" </dev/null
    cp "$wanted" "$prefix/installed"
}

# One installation at a time: a second run waits for the first, then finds everything there.
mkdir -p "$tools"
exec {installing}>"$tools/.lock"
flock "$installing"
install_postgres
install_python
install_buf
install_oidc_provider
exec {installing}>&-
