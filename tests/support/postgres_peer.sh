#!/usr/bin/env bash
# A real PostgreSQL for tests, in a folder of its own.
#
# postgres_peer.sh FSYNC           makes one, starts it, prints "ready FOLDER PORT", and ends it when its standard input is
#                                  closed, so that it never outlives the test
# postgres_peer.sh ACTION FOLDER   does something to one: kill, start, restart, pause, go, stop
#
# Needs Debian's postgresql; its programs lie where no path leads.
set -euo pipefail
self=$(readlink -f "${BASH_SOURCE[0]}")

programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
if [ -n "$programs" ]; then PATH="$programs:$PATH"; fi
# PostgreSQL refuses to run as root.
if [ "$(id -u)" -eq 0 ]; then
  as() { setpriv --reuid=postgres --regid=postgres --clear-groups -- "$@"; }
else
  as() { "$@"; }
fi
# all SIGNAL FOLDER   to the server and to each of its processes; the server first, lest it puts new ones in their place
all() {
  local server others
  server=$(head -n 1 "$2/data/postmaster.pid" 2>/dev/null) || return 0
  others=$(ps -o pid= --ppid "$server") || true
  kill "-$1" "$server" $others 2>/dev/null || true
  if [ "$1" = KILL ]; then
    # Until none of them is left: the last one lets go of the memory that they share.
    for process in $server $others; do timeout 10 tail --pid="$process" -f /dev/null || true; done
  fi
}
start() { (cd "$1" && as pg_ctl -s -w -t 30 -D "$1/data" -l "$1/data/log" start >/dev/null 2>&1 </dev/null); }

if [ $# -eq 2 ]; then
  case $1 in
    kill) all KILL "$2" ;;
    start) rm -f "$2/data/postmaster.pid"; start "$2" ;;
    restart) (cd "$2" && as pg_ctl -s -w -m fast -D "$2/data" -l "$2/data/log" restart >/dev/null 2>&1 </dev/null) ;;
    pause) all STOP "$2" ;;
    go) all CONT "$2" ;;
    stop)
      # It keeps nothing that would be missed; the surest way is the shortest.
      all KILL "$2"
      rm -rf "$2"
      ;;
  esac
  exit 0
fi

folder=$(mktemp -d /tmp/vestibule-postgres.XXXXXX)
if [ "$(id -u)" -eq 0 ]; then chown postgres "$folder"; fi
chmod 755 "$folder"
end() { "$self" stop "$folder" 2>/dev/null || true; rm -rf "$folder"; }
trap end EXIT
cd "$folder"
as initdb -D "$folder/data" -U vestibule --auth=trust --encoding=UTF8 --locale=C --no-sync >"$folder/initdb.log" 2>&1 ||
  { cat "$folder/initdb.log" >&2; exit 1; }
# A port that is free now; where another program takes it meanwhile, the next one is tried.
for _ in 1 2 3; do
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat >"$folder/data/postgresql.auto.conf" <<CONF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = '$folder'
max_connections = 300
shared_buffers = 64MB
fsync = $1
full_page_writes = $1
CONF
  if start "$folder"; then break; fi
  cat "$folder/data/log" >&2
done
as createdb -h "$folder" -p "$port" -U vestibule vestibule
echo "ready $folder $port"
# Until our end of the pipe is closed.
cat >/dev/null
