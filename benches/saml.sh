#!/usr/bin/env bash
# Verifying a SAML response, gate and both verifiers, may take three times as long as xmlsec1 --verify on the same message.
# Prints both and fails above that. Optimised builds only: a debug build says nothing.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
source tests/support/packages.sh
need_command cc gcc
need_saml_libraries
need_command xmlsec1 xmlsec1
need_rust "$root"

most=3
corpus=tests/corpus/saml
build=${CARGO_TARGET_DIR:-$root/target}
cargo bench --bench micro -- 'saml/verify a response' --noplot
ours=$(python3 -c '
import json, sys
print(json.load(open(sys.argv[1]))["mean"]["point_estimate"] / 1e3)
' "$build/criterion/saml/verify a response/new/estimates.json")

# The time of one is that of many, without that of starting the program.
times() {
  python3 - "$1" "$corpus" <<'PY'
import subprocess, sys, time
count, corpus = sys.argv[1], sys.argv[2]
command = ["xmlsec1", "--verify", "--repeat", count, "--pubkey-cert-pem", f"{corpus}/keys/idp-rsa.cert.pem",
           "--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:protocol:Response", f"{corpus}/valid/response-signed.xml"]
begun = time.monotonic()
subprocess.run(command, check=True, capture_output=True)
print(time.monotonic() - begun)
PY
}
few=$(times 100)
many=$(times 2100)
theirs=$(python3 -c 'import sys; print((float(sys.argv[2]) - float(sys.argv[1])) / 2000 * 1e6)' "$few" "$many")
python3 -c '
import sys
ours, theirs, most = map(float, sys.argv[1:])
print(f"ours {ours:.0f} µs, xmlsec1 {theirs:.0f} µs, {ours / theirs:.2f} times as long; at most {most:.0f} are allowed")
sys.exit(ours > most * theirs)
' "$ours" "$theirs" "$most"
