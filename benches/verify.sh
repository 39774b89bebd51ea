#!/usr/bin/env bash
# What a session check costs, against a bare axum handler on the same machine: CPU per request, memory, start.
# Exits with 1 when a promise is missed. About three minutes after the build; leave the machine alone meanwhile.
#   benches/verify.sh [--rounds N] [--seconds N] [--sessions N]
#   benches/verify.sh --redis [the same]   sessions in Redis: hot and cold, the CPU of Redis counted in, memory of Redis
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/benches/build.sh"
program=verify.py
if [ "${1:-}" = --redis ]; then
  shift
  program=redis.py
  need_server redis-server redis-server
  need_command redis-cli redis-tools
fi
exec python3 "$root/benches/measure/$program" "$vestibule" "$kit" "$@"
