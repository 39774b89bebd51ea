"""A real SMTP server for tests: takes mails, keeps them as files, and can be told to be difficult.

Prints its port once it listens, and ends when its standard input is closed, so that it never outlives the test.
Needs aiosmtpd (Debian: python3-aiosmtpd).

Each mail becomes two files: NUMBER.json (what was said in the conversation) and NUMBER.eml (the mail itself).
Recipients: unknown@... is refused for good, busy@... for now; both answers repeat the address, as real servers do.
"""

import argparse
import asyncio
import itertools
import json
import logging
import pathlib
import ssl
import sys
import warnings

from aiosmtpd.smtp import SMTP, AuthResult


class Mailbox:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.numbers = itertools.count(1)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown@"):
            return f"550 5.1.1 <{address}>: Recipient address rejected"
        if address.startswith("busy@"):
            return f"450 4.2.1 <{address}>: mailbox busy"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        number = next(self.numbers)
        said = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "hello": session.host_name,
            "tls": session.ssl is not None,
            "login": session.auth_data.login.decode() if session.auth_data else None,
        }
        (self.directory / f"{number}.eml").write_bytes(envelope.original_content)
        (self.directory / f"{number}.json").write_text(json.dumps(said))
        return "250 OK"


def authenticator(login):
    user, password = (part.encode() for part in login.split(":", 1))

    def authenticate(server, session, envelope, mechanism, data):
        right = data.login == user and data.password == password
        return AuthResult(success=right, handled=False, auth_data=data if right else None)

    return authenticate


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--directory", required=True)
    parser.add_argument("--certificate", help="offers STARTTLS with this PEM file")
    parser.add_argument("--key")
    parser.add_argument("--implicit-tls", action="store_true", help="TLS from the first byte instead of STARTTLS")
    parser.add_argument("--login", help="USER:PASSWORD, then required")
    arguments = parser.parse_args()

    context = None
    if arguments.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments.certificate, arguments.key)
    mailbox = Mailbox(arguments.directory)
    options = {"hostname": "mail.example.org", "loop": asyncio.get_running_loop()}
    if context and not arguments.implicit_tls:
        options |= {"tls_context": context, "require_starttls": True}
    if arguments.login:
        options |= {
            "authenticator": authenticator(arguments.login),
            "auth_required": True,
            "auth_require_tls": not arguments.implicit_tls,
        }

    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(mailbox, **options), "127.0.0.1", 0, ssl=context if arguments.implicit_tls else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


# Refused certificates and the like are what the tests are about.
logging.getLogger("mail.log").setLevel(logging.CRITICAL)
warnings.simplefilter("ignore")
asyncio.run(main())
