#!/usr/bin/env bash
# 64 people sign in at once: memory, hashes per second against the library's own rate, and /verify meanwhile.
# Exits with 1 when a promise is missed. About a minute after the build; leave the machine alone meanwhile.
#   benches/storm.sh [--rounds N]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/benches/build.sh"
exec python3 "$root/benches/measure/storm.py" "$vestibule" "$kit" "$@"
