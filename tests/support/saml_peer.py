#!/usr/bin/env python3
"""A SAML identity provider of another make, pysaml2: reads a request of ours and answers it.

    saml_peer.py FOLDER QUERY [encrypt|assertion|response]

FOLDER holds sp.xml (our metadata), key.pem and cert.pem. Prints the value of SAMLResponse.
"""

import base64
import sys
from urllib.parse import parse_qs

from saml2 import BINDING_HTTP_REDIRECT
from saml2.config import IdPConfig
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server

folder, query, mode = sys.argv[1], sys.argv[2], sys.argv[3]
base = "https://pysaml2.example.org"
config = IdPConfig().load({
    "entityid": f"{base}/idp",
    "service": {"idp": {
        "endpoints": {"single_sign_on_service": [(f"{base}/sso", BINDING_HTTP_REDIRECT)]},
        "name_id_format": [NAMEID_FORMAT_PERSISTENT],
        "want_authn_requests_signed": True,
        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
    }},
    "key_file": f"{folder}/key.pem", "cert_file": f"{folder}/cert.pem",
    "metadata": {"local": [f"{folder}/sp.xml"]}, "xmlsec_binary": "/usr/bin/xmlsec1",
    "signing_algorithm": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
    "digest_algorithm": "http://www.w3.org/2001/04/xmlenc#sha256",
})
server = Server(config=config)
fields = {name: values[0] for name, values in parse_qs(query).items()}
asked = server.parse_authn_request(
    fields["SAMLRequest"], BINDING_HTTP_REDIRECT, relay_state=fields.get("RelayState"),
    sigalg=fields["SigAlg"], signature=fields["Signature"])
where = server.response_args(asked.message)
name = NameID(format=NAMEID_FORMAT_PERSISTENT, text="id-of-anna")
response = server.create_authn_response(
    {"uid": ["anna"], "mail": ["anna@example.org"], "displayName": ["Anna of Corp"]},
    in_response_to=where["in_response_to"], destination=where["destination"], sp_entity_id=where["sp_entity_id"],
    name_id=name, authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password", "authn_auth": base},
    sign_response=mode != "assertion", sign_assertion=mode != "response", encrypt_assertion=False,
    sign_alg="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", digest_alg="http://www.w3.org/2001/04/xmlenc#sha256")
print(base64.b64encode(str(response).encode()).decode())
