"""First and repeated synchronisation of a large directory against a paged ldapsearch. Run by benches/directory.sh."""

import argparse
import os
import random
import resource
import shutil
import socket
import sqlite3
import statistics
import subprocess
import tempfile
import time

from process import Gates, free_port

BASE = "dc=example,dc=org"
PEOPLE = f"ou=people,{BASE}"
GROUPS = f"ou=groups,{BASE}"
# What a synchronisation asks for by default, so that both get the same from the server.
SUBJECT = ["objectGUID", "entryUUID", "nsUniqueId", "ipaUniqueID"]
STANDING = ["userAccountControl", "accountExpires", "nsAccountLock", "loginDisabled", "pwdAccountLockedTime", "shadowExpire"]
WANTED = ["uid", "displayName", "cn", "mail", *SUBJECT, *STANDING]


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("vestibule")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--people", type=int, default=10_000)
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--members", type=int, default=65_000)
    return parser.parse_args()


def entries(args):
    """LDIF of everything; the same with each run."""
    dice = random.Random(7)
    yield f"dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n"
    for base in (PEOPLE, GROUPS):
        name = base.split(",")[0][3:]
        yield f"dn: {base}\nobjectClass: organizationalUnit\nou: {name}\n\n"
    for number in range(args.people):
        yield (
            f"dn: uid=u{number},{PEOPLE}\nobjectClass: inetOrgPerson\nuid: u{number}\ncn: Person {number}\n"
            f"sn: {number}\nmail: u{number}@example.org\n\n"
        )
    each = args.members // args.groups
    for number in range(args.groups):
        members = dice.sample(range(args.people), min(each, args.people))
        lines = "".join(f"member: uid=u{member},{PEOPLE}\n" for member in members)
        yield f"dn: cn=g{number},{GROUPS}\nobjectClass: groupOfNames\ncn: g{number}\n{lines}\n"


def start_slapd(folder, port, args):
    """A directory with all entries; the process."""
    os.mkdir(os.path.join(folder, "db"))
    schemas = "".join(f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
    configuration = os.path.join(folder, "slapd.conf")
    with open(configuration, "w", encoding="utf-8") as out:
        out.write(
            f"{schemas}modulepath /usr/lib/ldap\nmoduleload back_mdb\nsizelimit unlimited\ndatabase mdb\nsuffix {BASE}\n"
            f"directory {folder}/db\nmaxsize 1073741824\nindex objectClass eq\naccess to * by * read\n"
        )
    ldif = os.path.join(folder, "all.ldif")
    with open(ldif, "w", encoding="utf-8") as out:
        out.writelines(entries(args))
    subprocess.run(["slapadd", "-q", "-f", configuration, "-l", ldif], check=True)
    command = ["slapd", "-f", configuration, "-h", f"ldap://127.0.0.1:{port}", "-d", "0"]
    slapd = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return slapd
        except OSError:
            if slapd.poll() is not None:
                raise SystemExit("slapd ended before it answered")
            time.sleep(0.01)


def configure(folder, port):
    configuration = os.path.join(folder, "vestibule.toml")
    with open(configuration, "w", encoding="utf-8") as out:
        out.write(
            f'data_dir = "{folder}/data"\n[log]\nlevel = "error"\n[[directory]]\nslug = "ldap"\nhosts = ["127.0.0.1:{port}"]\nsecurity = "none"\n'
            f'danger_plain = true\nbase_dn = "{PEOPLE}"\nfilter = "(objectClass=inetOrgPerson)"\ncreate_accounts = true\n'
            f'[[directory.group_sync]]\nfilter = "(objectClass=groupOfNames)"\nbase_dn = "{GROUPS}"\nmembers = "member"\n'
        )
    return configuration


def timed(command):
    """Wall time in seconds and the largest memory in MiB."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"{command[0]} failed")
    return time.perf_counter() - before, usage.ru_maxrss / 1024


def ldapsearch(port):
    """What both searches of a synchronisation read, by the reference."""
    address = ["ldapsearch", "-x", "-LLL", "-H", f"ldap://127.0.0.1:{port}", "-E", "pr=1000/noprompt"]
    people, _ = timed([*address, "-b", PEOPLE, "(objectClass=inetOrgPerson)", *WANTED])
    groups, _ = timed([*address, "-b", GROUPS, "(objectClass=groupOfNames)", "cn", "member", *SUBJECT])
    return people + groups


def writes(folder):
    """What a second run must not change."""
    with sqlite3.connect(f"file:{folder}/data/vestibule.db?mode=ro", uri=True) as database:
        count = lambda table: database.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]
        return [count(table) for table in ("account", "identity", "user_group", "membership", "audit_event", "change_notice")]


def main():
    args = arguments()
    gates = Gates()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        slapd = start_slapd(folder, port, args)
        try:
            configuration = configure(folder, port)
            sync = [args.vestibule, "sync", "--config", configuration]
            reference, first, again, rise = [], [], [], []
            for _ in range(args.rounds):
                shutil.rmtree(f"{folder}/data", ignore_errors=True)
                # The folder, the keys and the schema are there already in a service that runs.
                start, idle = timed([args.vestibule, "rotate-keys", "--list", "--config", configuration])
                start, idle = timed([args.vestibule, "rotate-keys", "--list", "--config", configuration])
                reference.append(ldapsearch(port))
                seconds, memory = timed(sync)
                first.append(seconds - start)
                rise.append(memory - idle)
                before = writes(folder)
                seconds, memory = timed(sync)
                again.append(seconds - start)
                rise.append(memory - idle)
                if writes(folder) != before:
                    raise SystemExit("a run with nothing to change has written")
            accounts, _, groups, memberships, *_ = before
            print(f"{accounts} accounts, {groups} groups, {memberships} memberships")
            base = statistics.median(reference)
            print(f"ldapsearch, paged: {base:.3f} s; first: {statistics.median(first):.3f} s; again: {statistics.median(again):.3f} s")
            gates.at_most("first synchronisation, against ldapsearch", statistics.median(first) / base, 3, "x")
            gates.at_most("with nothing to change, against ldapsearch", statistics.median(again) / base, 2, "x")
            gates.at_most("rise of memory", max(rise), 60, " MiB")
        finally:
            slapd.terminate()
            slapd.wait()
    gates.end()


if __name__ == "__main__":
    main()
