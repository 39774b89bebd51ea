#!/usr/bin/env bash
# Synchronising 10,000 people, 500 groups and 65,000 memberships from slapd, against ldapsearch reading the same in pages:
# wall time of the first run and of one with nothing to change, and how much memory rises. Exits with 1 when a promise is
# missed. About a minute after the build; leave the machine alone meanwhile.
#   benches/directory.sh [--rounds N] [--people N] [--groups N] [--members N]
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/benches/build.sh"
export PATH="$PATH:/usr/sbin"
need_server slapd slapd
need_command ldapsearch ldap-utils
exec python3 "$root/benches/measure/directory.py" "$vestibule" "$@"
