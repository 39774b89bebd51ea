"""An OpenID provider of another make (PyPI oidc-provider-mock, on Authlib) for the tests, on a port of its own. Registers a
client, prints issuer, client id and secret, and ends with its standard input. Argument: redirect address."""

import json
import logging
import os
import sys
import threading
import urllib.request

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
logging.disable(logging.CRITICAL)

import werkzeug.serving
from oidc_provider_mock import User, app

anna = User(
    sub="anna",
    claims={
        "email": "anna@corp.example",
        "email_verified": True,
        "name": "Anna Berg",
        "preferred_username": "anna",
    },
)
provider = app(require_client_registration=True, require_nonce=True, user_claims=[anna])
server = werkzeug.serving.make_server("127.0.0.1", 0, provider, threaded=True)
issuer = f"http://127.0.0.1:{server.server_port}"


threading.Thread(target=server.serve_forever, daemon=True).start()
request = urllib.request.Request(
    f"{issuer}/oauth2/clients",
    data=json.dumps({"redirect_uris": [sys.argv[1]], "token_endpoint_auth_method": "client_secret_post"}).encode(),
    headers={"Content-Type": "application/json"},
)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
with opener.open(request) as answer:
    client = json.load(answer)
print(issuer, client["client_id"], client["client_secret"], flush=True)
sys.stdin.read()
