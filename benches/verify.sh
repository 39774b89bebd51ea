#!/usr/bin/env bash
# What a session check costs, against a bare axum handler on the same machine: CPU per request, memory, start.
# Exits with 1 when a promise is missed. About three minutes after the build; leave the machine alone meanwhile.
#   benches/verify.sh [--rounds N] [--seconds N] [--sessions N]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/benches/build.sh"
exec python3 "$root/benches/measure/verify.py" "$vestibule" "$kit" "$@"
