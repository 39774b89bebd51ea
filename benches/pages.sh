#!/usr/bin/env bash
# How long pages take, from the request to the whole answer, one at a time on a kept connection. Exits with 1 when the
# median of a page is above 5 ms. Half a minute after the build; leave the machine alone meanwhile.
#   benches/pages.sh [--requests N]
# Against another binary, without building: python3 benches/measure/pages.py BINARY
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
source "$root/benches/build.sh"
exec python3 "$root/benches/measure/pages.py" "$vestibule" "$@"
