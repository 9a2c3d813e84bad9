#!/usr/bin/env bash
# Runs scim2-tester, a test suite for SCIM servers that somebody else wrote, against a service that
# runs by itself and a connector that nobody has sent anything to.
#
#   tests/scim2_tester.sh      needs scim2 under target/tools/scim2 (tests/install.sh puts it there)
#
# What the suite says stands before the last line, "N passed, N failed". What it finds merely
# acceptable has passed; what it skips counts neither way.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

scim2=$PWD/target/tools/scim2/bin/scim2
[[ -x $scim2 ]] || { echo "$scim2 is missing: tests/run installs it" >&2; exit 1; }
cargo build --quiet --bin portico || exit 1
portico=${CARGO_TARGET_DIR:-$PWD/target}/debug/portico
work=$(mktemp -d)
service=
trap '[[ -z $service ]] || kill "$service" 2>/dev/null; rm -rf "$work"' EXIT

# ask PROGRAM: the program's answer about the JSON that comes in.
ask() { python3 -c "import json, sys; value = json.load(sys.stdin); print($1)"; }

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(
    cd "$work" || exit
    printf 'public_url = "http://localhost:%s"\n[listen]\naddress = "127.0.0.1:%s"\n' "$port" "$port" \
        >portico.toml
    printf 'a secret that nobody asks for' >secret
)
env -C "$work" "$portico" organization create acme --json >/dev/null || exit
connected=$(env -C "$work" "$portico" organization connect acme --json --client-id scim2-tester \
    --authority https://login.microsoftonline.com/00000000-0000-4000-8000-000000000000 \
    --client-secret-file secret) || exit
url=$(ask 'value["scim_url"]' <<<"$connected")
password=$(ask 'value["scim_password"]' <<<"$connected")
env -C "$work" "$portico" serve >"$work/log" 2>&1 &
service=$!
for _ in {1..200}; do
    sleep 0.1
    if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
done

said=$work/said
SCIM_CLI_HEADERS="Authorization: Bearer $password" "$scim2" -u "$url" test >"$said" 2>&1
status=$?
cat "$said"
failed=$(grep --count --extended-regexp '^(ERROR|CRITICAL|DEVIATION) ' "$said")
passed=$(grep --count --extended-regexp '^(SUCCESS|COMPLIANT|ACCEPTABLE) ' "$said")
# A suite that ends otherwise than its lines say has failed all the same.
if ((failed == 0 && (status != 0 || passed < 100))); then failed=1; fi
echo "$passed passed, $failed failed"
((failed == 0))
