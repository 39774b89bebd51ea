#!/usr/bin/env bash
# What a second node costs and brings: CPU per session check with one node and with two, on one PostgreSQL and one Redis.
# Exits with 1 when two nodes are worth less than 1.7 of one. A minute after the build; leave the machine alone meanwhile.
#   benches/nodes.sh [--rounds N] [--seconds N] [--sessions N]
# Against another binary, without building: python3 benches/measure/nodes.py BINARY KIT
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/benches/build.sh"
need_server redis-server redis-server
need_command redis-cli redis-tools
need_server /usr/lib/postgresql/15/bin/initdb postgresql-15
need_command setpriv util-linux
exec python3 "$root/benches/measure/nodes.py" "$vestibule" "$kit" "$@"
