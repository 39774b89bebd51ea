#!/usr/bin/env python3
"""Writes the corpus of SAML responses that the tests read: valid/, attacks/ and cases.tsv. Keys are made once and kept.

    python3 -m venv /tmp/corpus && /tmp/corpus/bin/pip install signxml==5.2.0 lxml cryptography
    /tmp/corpus/bin/python tests/corpus/saml/generate.py

Every file is one message, before base64, named after what it tries. cases.tsv says for each what must become of it:
`accepted` or the reason of the refusal, the certificates that the provider is known by, and settings. The clock of all
messages stands at NOW. The tests need no Python; this is run when a case is added, and its output is committed.
"""

import base64
import copy
import datetime
import hashlib
import hmac
import os
import pathlib
import re

from cryptography import x509
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import CanonicalizationMethod, DigestAlgorithm, SignatureMethod, XMLSigner, methods

HERE = pathlib.Path(__file__).parent
NOW = datetime.datetime(2026, 3, 1, 12, 0, 0)
IDP = "https://idp.example.org/saml"
SP = "https://login.example.org/login/corp/metadata"
ACS = "https://login.example.org/login/corp/acs"
REQUEST = "_request-1"
P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = DS + "enveloped-signature"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
VICTIM, ATTACKER = "anna", "mallory"

CASES = []


# --- keys ---------------------------------------------------------------------------------------------------------------

def key_pair(name, make):
    key_file, cert_file = HERE / "keys" / f"{name}.key.pem", HERE / "keys" / f"{name}.cert.pem"
    if not key_file.exists():
        key = make()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert = (
            x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(NOW - datetime.timedelta(days=30))
            .not_valid_after(NOW + datetime.timedelta(days=36500)).sign(key, hashes.SHA256())
        )
        key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key = serialization.load_pem_private_key(key_file.read_bytes(), None)
    return key, x509.load_pem_x509_certificate(cert_file.read_bytes())


def rsa_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


RSA = key_pair("idp-rsa", rsa_key)
RSA2 = key_pair("idp-rsa2", rsa_key)
EC = key_pair("idp-ec", lambda: ec.generate_private_key(ec.SECP256R1()))
OTHER = key_pair("other", rsa_key)
SPKEY = key_pair("sp", rsa_key)
SPKEY2 = key_pair("sp2", rsa_key)


# --- messages -----------------------------------------------------------------------------------------------------------

def at(seconds):
    return (NOW + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def message(**o):
    """A response; every part can be replaced or left out (None)."""
    o = {
        "user": VICTIM, "id": "_response-1", "aid": "_assertion-1", "issued": 0, "aissued": 0, "destination": ACS,
        "irt": REQUEST, "cirt": REQUEST, "issuer": IDP, "aissuer": IDP, "status": "Success", "audience": SP,
        "recipient": ACS, "nb": -60, "noa": 300, "cnoa": 300, "cnb": None, "authn": -30, "snoa": 28800,
        "method": "urn:oasis:names:tc:SAML:2.0:cm:bearer", "conditions": True, "statement": True, "groups": ["staff"],
        "extra": "", "ctx": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport", "index": "_session-1",
        "nameid": None, "confirmation": True, "subject": True, "version": "2.0", "attributes": "", "more_conditions": "",
        "audiences": None, "raw_issued": None, "inner": "", "format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
        "issuer_format": None, "qualifier": None,
    } | o

    def attr(name, value):
        return "" if value is None else f' {name}="{value}"'

    def when(name, seconds):
        return "" if seconds is None else f' {name}="{at(seconds)}"'

    restrictions = [[o["audience"]]] if o["audiences"] is None else o["audiences"]
    audience = "".join(
        "<saml:AudienceRestriction>" + "".join(f"<saml:Audience>{one}</saml:Audience>" for one in these)
        + "</saml:AudienceRestriction>" for these in restrictions if these != [None])
    conditions = (
        f'<saml:Conditions{when("NotBefore", o["nb"])}{when("NotOnOrAfter", o["noa"])}>{audience}{o["more_conditions"]}'
        "</saml:Conditions>" if o["conditions"] else "")
    confirmation = (
        f'<saml:SubjectConfirmation Method="{o["method"]}"><saml:SubjectConfirmationData{when("NotBefore", o["cnb"])}'
        f'{when("NotOnOrAfter", o["cnoa"])}{attr("Recipient", o["recipient"])}{attr("InResponseTo", o["cirt"])}/>'
        "</saml:SubjectConfirmation>" if o["confirmation"] else "")
    name = o["nameid"] or f'<saml:NameID{attr("Format", o["format"])}{attr("SPNameQualifier", o["qualifier"])}>{o["user"]}</saml:NameID>'
    subject = f"<saml:Subject>{name}{confirmation}</saml:Subject>" if o["subject"] else ""
    statement = (
        f'<saml:AuthnStatement{when("AuthnInstant", o["authn"])}{attr("SessionIndex", o["index"])}'
        f'{when("SessionNotOnOrAfter", o["snoa"])}><saml:AuthnContext><saml:AuthnContextClassRef>{o["ctx"]}'
        "</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>" if o["statement"] else "")
    groups = "".join(f'<saml:AttributeValue xsi:type="xs:string">{one}</saml:AttributeValue>' for one in o["groups"])
    attributes = (
        '<saml:AttributeStatement><saml:Attribute Name="urn:oid:0.9.2342.19200300.100.1.3" FriendlyName="mail" '
        'NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:uri"><saml:AttributeValue xsi:type="xs:string">'
        f'{o["user"]}@example.org</saml:AttributeValue></saml:Attribute><saml:Attribute Name="groups">{groups}'
        f'</saml:Attribute>{o["attributes"]}</saml:AttributeStatement>')
    issuer = "" if o["issuer"] is None else f'<saml:Issuer{attr("Format", o["issuer_format"])}>{o["issuer"]}</saml:Issuer>'
    assertion_issuer = "" if o["aissuer"] is None else f'<saml:Issuer>{o["aissuer"]}</saml:Issuer>'
    text = (
        f'<samlp:Response xmlns:samlp="{P}" xmlns:saml="{A}"{attr("ID", o["id"])} Version="{o["version"]}" '
        f'IssueInstant="{o["raw_issued"] or at(o["issued"])}"{attr("Destination", o["destination"])}{attr("InResponseTo", o["irt"])}>'
        f'{issuer}<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{o["status"]}"/>'
        f'</samlp:Status>{o["extra"]}<saml:Assertion xmlns:saml="{A}" xmlns:xs="http://www.w3.org/2001/XMLSchema" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"{attr("ID", o["aid"])} Version="2.0" '
        f'IssueInstant="{at(o["aissued"])}">{assertion_issuer}{subject}{conditions}{statement}{attributes}{o["inner"]}'
        "</saml:Assertion></samlp:Response>")
    return etree.fromstring(text)


def q(ns, name):
    return f"{{{ns}}}{name}"


def assertion_of(root):
    return root.find(q(A, "Assertion"))


def place(target, signature):
    issuer = target.find(q(A, "Issuer"))
    target.insert(0 if issuer is None else 1, signature)


def signed(target, key=RSA, algorithm=SignatureMethod.RSA_SHA256, digest=DigestAlgorithm.SHA256):
    """Signs with signxml, as providers do; returns the signature."""
    if isinstance(key[0], ec.EllipticCurvePrivateKey) and algorithm == SignatureMethod.RSA_SHA256:
        algorithm = SignatureMethod.ECDSA_SHA256
    signer = XMLSigner(
        method=methods.enveloped, signature_algorithm=algorithm, digest_algorithm=digest,
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0)
    pem = key[1].public_bytes(serialization.Encoding.PEM).decode()
    result = signer.sign(copy.deepcopy(target), key=key[0], cert=pem, reference_uri="#" + target.get("ID"))
    signature = result.find(q(DS, "Signature"))
    signature.tail = None
    result.remove(signature)
    place(target, signature)
    return signature


def c14n(element, without=None):
    element = etree.fromstring(etree.tostring(element, with_tail=False))
    if without is not None:
        for one in element.findall(q(DS, "Signature")):
            element.remove(one)
    return etree.tostring(element, method="c14n", exclusive=True)


def own(target, *, key=RSA, signature_method=MORE + "rsa-sha256", digest_method=XENC + "sha256", digest=hashlib.sha256,
        uri=None, transforms=(ENVELOPED, EXC), c14n_method=EXC, value=None, transform_xml=None, references=1, keyinfo=None,
        method_children=""):
    """Signs by hand, for what signxml rightly refuses to make."""
    uri = "#" + target.get("ID") if uri is None else uri
    digested = base64.b64encode(digest(c14n(target, without=True)).digest()).decode()
    inner = transform_xml or "".join(f'<ds:Transform Algorithm="{one}"/>' for one in transforms)
    attribute = "" if uri is False else f' URI="{uri}"'
    reference = (
        f"<ds:Reference{attribute}><ds:Transforms>{inner}</ds:Transforms><ds:DigestMethod "
        f'Algorithm="{digest_method}"/><ds:DigestValue>{digested}</ds:DigestValue></ds:Reference>')
    info = (
        f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{c14n_method}"/><ds:SignatureMethod '
        f'Algorithm="{signature_method}">{method_children}</ds:SignatureMethod>{reference * references}</ds:SignedInfo>')
    octets = etree.tostring(etree.fromstring(info), method="c14n", exclusive=True)
    if value is None:
        hash_of = {"rsa-sha1": hashes.SHA1, "rsa-sha512": hashes.SHA512}.get(signature_method.rsplit("#")[-1], hashes.SHA256)
        value = key[0].sign(octets, rsa_padding.PKCS1v15(), hash_of())
    elif callable(value):
        value = value(octets)
    info_key = keyinfo or ""
    text = (
        f'<ds:Signature xmlns:ds="{DS}">{info}<ds:SignatureValue>{base64.b64encode(value).decode()}</ds:SignatureValue>'
        f"{info_key}</ds:Signature>")
    signature = etree.fromstring(text)
    place(target, signature)
    return signature


def der(cert):
    return base64.b64encode(cert.public_bytes(serialization.Encoding.DER)).decode()


def encrypt(root, *, to=SPKEY, data="http://www.w3.org/2009/xmlenc11#aes256-gcm", transport=XENC + "rsa-oaep-mgf1p",
            cipher=None, wrapped=None, plaintext=None, key_method="", reference=None):
    """Replaces the assertion by its encryption."""
    assertion = assertion_of(root)
    text = plaintext if plaintext is not None else etree.tostring(assertion, with_tail=False)
    size = {"aes128": 16, "aes192": 24, "aes256": 32, "triplede": 24}[data.rsplit("#")[-1][:8].split("-")[0]]
    key = os.urandom(size)
    if cipher is None:
        if data.endswith("gcm"):
            nonce = os.urandom(12)
            cipher = nonce + AESGCM(key).encrypt(nonce, text, None)
        else:
            block = algorithms.TripleDES if "triple" in data else algorithms.AES
            iv = os.urandom(block.block_size // 8)
            padder = padding.PKCS7(block.block_size).padder()
            padded = padder.update(text) + padder.finalize()
            encryptor = Cipher(block(key), modes.CBC(iv)).encryptor()
            cipher = iv + encryptor.update(padded) + encryptor.finalize()
    if wrapped is None:
        pad = rsa_padding.PKCS1v15() if transport.endswith("rsa-1_5") else rsa_padding.OAEP(
            rsa_padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
        wrapped = to[1].public_key().encrypt(key, pad)
    b64 = lambda data: base64.b64encode(data).decode()
    cipher_data = reference or f"<xenc:CipherValue>{b64(cipher)}</xenc:CipherValue>"
    xml = (
        f'<saml:EncryptedAssertion xmlns:saml="{A}"><xenc:EncryptedData xmlns:xenc="{XENC}" xmlns:ds="{DS}" '
        f'Type="{XENC}Element"><xenc:EncryptionMethod Algorithm="{data}"/><ds:KeyInfo><xenc:EncryptedKey>'
        f'<xenc:EncryptionMethod Algorithm="{transport}">{key_method}</xenc:EncryptionMethod><xenc:CipherData>'
        f"<xenc:CipherValue>{b64(wrapped)}</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        f"<xenc:CipherData>{cipher_data}</xenc:CipherData></xenc:EncryptedData></saml:EncryptedAssertion>")
    root.replace(assertion, etree.fromstring(xml))
    return root


def text_of(root):
    return root if isinstance(root, (str, bytes)) else etree.tostring(root, encoding="unicode")


def keep(folder, name, root, expected, certificates="rsa", options=""):
    text = text_of(root)
    data = text if isinstance(text, bytes) else text.encode()
    (HERE / folder / f"{name}.xml").write_bytes(data)
    CASES.append((f"{folder}/{name}.xml", expected, certificates, options or "-"))


def valid(name, root, certificates="rsa", options=""):
    keep("valid", name, root, "accepted", certificates, options)


def attack(name, root, expected, certificates="rsa", options=""):
    keep("attacks", name, root, expected, certificates, options)


def both_forms(build):
    """The same message with the response signed, and with the assertion signed."""
    for form in ("response", "assertion"):
        root = build()
        signed(root if form == "response" else assertion_of(root))
        yield form, root


# --- what must be accepted ------------------------------------------------------------------------------------------------

def make_valid():
    for form, root in both_forms(message):
        valid(f"{form}-signed", root)
    root = message()
    signed(assertion_of(root))
    signed(root)
    valid("both-signed", root)
    for form in ("response", "assertion"):
        root = message()
        signed(root if form == "response" else assertion_of(root), EC)
        valid(f"{form}-signed-ec", root, "ec")
    root = message()
    signed(root, RSA2)
    valid("rollover-second-certificate", root, "rsa,rsa2")
    root = message()
    signed(root)
    valid("rollover-mixed-types", root, "ec,rsa")
    root = message()
    signed(assertion_of(root), EC)
    valid("rollover-mixed-types-ec", root, "rsa,ec")
    root = message()
    signed(root, algorithm=SignatureMethod.RSA_SHA512, digest=DigestAlgorithm.SHA512)
    valid("rsa-sha512", root)
    root = message(issuer=None, destination=None)
    signed(assertion_of(root))
    valid("assertion-signed-bare-response", root)
    root = message(groups=[f"group-{i:04}" for i in range(800)])
    signed(root)
    valid("many-groups", root)
    root = message(audiences=[["https://else.example.org", SP], [SP]])
    signed(root)
    valid("several-audiences", root)
    root = message(user="anna &amp; &#246;sten &lt;x&gt;")
    signed(root)
    valid("escaped-characters", root)
    root = message(raw_issued="2026-03-01T12:00:00.123456Z", more_conditions="<saml:OneTimeUse/>")
    signed(root)
    valid("fractions-of-a-second", root)
    root = message(qualifier=SP, format=None)
    signed(assertion_of(root))
    valid("qualified-name", root)
    root = message(irt=None, cirt=None)
    signed(root)
    valid("unsolicited", root, options="unsolicited")
    pretty = text_of(message()).replace("samlp:", "saml2p:").replace("xmlns:samlp", "xmlns:saml2p")
    root = etree.fromstring(pretty)
    signed(root)
    valid("other-prefixes", root)
    root = message()
    signed(root)
    valid("with-declaration", b'<?xml version="1.0" encoding="UTF-8"?>\n' + text_of(root).encode())
    for size in ("128", "256"):
        method = f"http://www.w3.org/2009/xmlenc11#aes{size}-gcm"
        root = message()
        signed(assertion_of(root))
        valid(f"encrypted-gcm{size}-assertion-signed", encrypt(root, data=method))
        root = encrypt(message(), data=method)
        signed(root)
        valid(f"encrypted-gcm{size}-response-signed", root)
    root = message()
    signed(assertion_of(root))
    encrypt(root)
    signed(root)
    valid("encrypted-both-signed", root)
    root = message()
    signed(assertion_of(root), EC)
    valid("encrypted-ec", encrypt(root), "rsa,ec")
    root = message()
    signed(assertion_of(root))
    valid("encrypted-for-the-older-key", encrypt(root, to=SPKEY2))
    root = encrypt(message(), to=SPKEY2)
    signed(root)
    valid("encrypted-for-the-older-key-response-signed", root)
    root = encrypt(message(), data=XENC + "aes128-cbc")
    signed(root)
    valid("encrypted-cbc-where-allowed", root, options="cbc")
    root = encrypt(message(), data=XENC + "aes256-cbc")
    signed(root)
    valid("encrypted-cbc256-where-allowed", root, options="cbc")
    root = message(ctx="urn:oasis:names:tc:SAML:2.0:ac:classes:X509", authn=0)
    signed(root)
    valid("fresh-and-in-the-right-way", root, options="force,context=urn:oasis:names:tc:SAML:2.0:ac:classes:X509")


# --- signature wrapping -----------------------------------------------------------------------------------------------------

def evil_assertion(original, same_id):
    evil = copy.deepcopy(original)
    for signature in evil.findall(q(DS, "Signature")):
        evil.remove(signature)
    if not same_id:
        evil.set("ID", "_evil-assertion")
    evil.find(f".//{q(A, 'NameID')}").text = ATTACKER
    return evil


def evil_response(original, same_id):
    evil = copy.deepcopy(original)
    for signature in evil.findall(q(DS, "Signature")):
        evil.remove(signature)
    if not same_id:
        evil.set("ID", "_evil-response")
    evil.find(f".//{q(A, 'NameID')}").text = ATTACKER
    return evil


def xsw(number, root, form, same_id):
    """The eight shapes of Somorovsky et al., "On Breaking SAML" (2012)."""
    holder = root if form == "response" else assertion_of(root)
    signature = holder.find(q(DS, "Signature"))
    if number in (1, 2):
        if form == "response":
            evil = evil_response(root, same_id)
            bare = copy.deepcopy(root)
            bare.remove(bare.find(q(DS, "Signature")))
            moved = copy.deepcopy(signature)
            if number == 1:
                place(evil, moved)
                moved.append(bare)
            else:
                evil.insert(1, bare)
                evil.insert(2, moved)
            return evil
        evil = evil_assertion(holder, same_id)
        bare = copy.deepcopy(holder)
        bare.remove(bare.find(q(DS, "Signature")))
        moved = copy.deepcopy(signature)
        if number == 1:
            place(evil, moved)
            moved.append(bare)
        else:
            evil.insert(1, bare)
            evil.insert(2, moved)
        root.replace(holder, evil)
        return root
    original = assertion_of(root)
    evil = evil_assertion(original, same_id)
    where = list(root).index(original)
    own_signature = original.find(q(DS, "Signature"))
    if number == 3:
        root.insert(where, evil)
    elif number == 4:
        root.replace(original, evil)
        evil.append(original)
    elif number in (5, 6, 8):
        moved = copy.deepcopy(own_signature if own_signature is not None else signature)
        bare = copy.deepcopy(original)
        for one in bare.findall(q(DS, "Signature")):
            bare.remove(one)
        root.replace(original, evil)
        place(evil, moved)
        if number == 5:
            root.append(bare)
        elif number == 6:
            moved.append(bare)
        else:
            etree.SubElement(moved, q(DS, "Object")).append(bare)
    elif number == 7:
        extensions = etree.Element(q(P, "Extensions"))
        extensions.append(evil)
        root.insert(1, extensions)
    return root


def make_wrapping():
    for number in range(1, 9):
        for same_id in (False, True):
            for form, root in both_forms(message):
                suffix = "same-id" if same_id else "new-id"
                attack(f"xsw{number}-{form}-signed-{suffix}", xsw(number, root, form, same_id), "structure")

    root = message()
    signed(assertion_of(root))
    evil = evil_assertion(assertion_of(root), False)
    root.insert(2, evil)
    attack("two-assertions-one-unsigned", root, "structure")
    root = message()
    signed(assertion_of(root))
    two = copy.deepcopy(assertion_of(root))
    two.set("ID", "_assertion-2")
    root.append(two)
    attack("two-assertions", root, "structure")
    root = message()
    signed(root)
    outer = evil_response(root, False)
    outer.append(root)
    attack("nested-response", outer, "structure")
    root = message()
    signed(assertion_of(root))
    data = root.find(f".//{q(A, 'SubjectConfirmationData')}")
    data.append(evil_assertion(assertion_of(root), False))
    attack("assertion-in-subject-confirmation-data", root, "structure")
    root = message()
    signed(assertion_of(root))
    advice = etree.SubElement(assertion_of(root), q(A, "Advice"))
    advice.append(evil_assertion(assertion_of(root), False))
    attack("advice", root, "structure")
    root = message()
    signature = signed(assertion_of(root))
    etree.SubElement(signature, q(DS, "Object")).append(evil_assertion(assertion_of(root), False))
    attack("object-smuggling", root, "structure")
    root = message()
    signature = signed(root)
    root.remove(signature)
    root.find(q(P, "Status")).append(signature)
    attack("signature-moved-into-status", root, "structure")
    root = message()
    signature = signed(assertion_of(root))
    assertion_of(root).remove(signature)
    place(root, signature)
    attack("assertion-signature-moved-to-response", root, "signature_shape")
    root = message()
    signature = signed(root)
    root.remove(signature)
    place(assertion_of(root), signature)
    attack("response-signature-moved-to-assertion", root, "signature_shape")
    root = message()
    signed(assertion_of(root))
    foreign = etree.fromstring(text_of(evil_assertion(assertion_of(root), False)).replace(A, "urn:evil"))
    root.insert(2, foreign)
    attack("namespace-confusion-assertion", root, "structure")
    root = message()
    signed(root)
    foreign = etree.fromstring(f'<x:Signature xmlns:x="urn:evil"/>')
    root.insert(1, foreign)
    attack("namespace-confusion-signature", root, "structure")
    root = message()
    signature = signed(root)
    twin = copy.deepcopy(signature)
    root.insert(2, twin)
    attack("two-signatures", root, "structure")


# --- XML itself -------------------------------------------------------------------------------------------------------------

def make_xml():
    for form, root in both_forms(lambda: message(user=f"{VICTIM}@example.org.evil.com")):
        text = text_of(root)
        split = text.replace(f"{VICTIM}@example.org.evil.com</saml:NameID>", f"{VICTIM}@example.org<!---->.evil.com</saml:NameID>")
        attack(f"comment-in-name-{form}-signed", split, "forbidden")
        split = text.replace(f"{VICTIM}@example.org.evil.com</saml:NameID>", f"{VICTIM}@example.org<?x?>.evil.com</saml:NameID>")
        attack(f"processing-instruction-in-name-{form}-signed", split, "forbidden")
        split = text.replace(f"{VICTIM}@example.org.evil.com</saml:NameID>", f"{VICTIM}@example.org<![CDATA[.evil.com]]></saml:NameID>")
        attack(f"cdata-in-name-{form}-signed", split, "forbidden")
        split = text.replace("<saml:Issuer>", "<saml:Issuer><!-- x -->")
        attack(f"comment-in-issuer-{form}-signed", split, "forbidden")
    root = message()
    signed(root)
    text = text_of(root)
    attack("doctype", "<!DOCTYPE Response>" + text, "forbidden")
    attack("doctype-external", '<!DOCTYPE Response SYSTEM "http://127.0.0.1:9/evil.dtd">' + text, "forbidden")
    attack("doctype-attlist", '<!DOCTYPE Response [<!ATTLIST saml:Assertion ID ID #REQUIRED>]>' + text, "forbidden")
    attack("entity-in-name", '<!DOCTYPE r [<!ENTITY e "mallory">]>' + text.replace(f">{VICTIM}<", ">&e;<"), "forbidden")
    attack("entity-undeclared", text.replace(f">{VICTIM}<", ">&e;<"), "forbidden")
    attack("entity-external-file", '<!DOCTYPE r [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + text.replace(f">{VICTIM}<", ">&e;<"), "forbidden")
    attack("entity-external-http", '<!DOCTYPE r [<!ENTITY e SYSTEM "http://127.0.0.1:9/x">]>' + text.replace(f">{VICTIM}<", ">&e;<"), "forbidden")
    laughs = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha"}">' for i in range(12))
    attack("billion-laughs", f"<!DOCTYPE r [{laughs}]>" + text.replace(f">{VICTIM}<", ">&l11;<"), "forbidden")
    blowup = f'<!DOCTYPE r [<!ENTITY a "{"x" * 10000}">]>' + text.replace(f">{VICTIM}<", ">" + "&a;" * 1000 + "<")
    attack("quadratic-blowup", blowup, "forbidden")
    attack("bomb-depth", text.replace("<saml:Assertion ", "<a>" * 5000 + "</a>" * 5000 + "<saml:Assertion ", 1), "too_large")
    attack("bomb-elements", text.replace("<saml:Assertion ", "<a/>" * 20000 + "<saml:Assertion ", 1), "too_large")
    attack("bomb-attributes", text.replace("<saml:Assertion ", "<saml:Assertion " + " ".join(f'a{i}="x"' for i in range(500)) + " ", 1), "too_large")
    attack("bomb-attribute-value", text.replace('Version="2.0"', f'Version="2.0" Consent="{"x" * 20000}"', 1), "too_large")
    attack("bomb-namespaces", text.replace("<saml:Assertion ", "<saml:Assertion " + " ".join(f'xmlns:n{i}="urn:n{i}"' for i in range(500)) + " ", 1), "too_large")
    attack("bomb-bytes", text.replace(f">{VICTIM}<", f">{'x' * 300000}<"), "too_large")
    attack("trailing-garbage", text + "garbage", "malformed")
    attack("second-root", text + "<a/>", "malformed")
    attack("unclosed", text[:-len("</samlp:Response>")], "malformed")
    attack("truncated", text[: len(text) // 2], "malformed")
    attack("nul-byte", text.replace(f">{VICTIM}<", f">{VICTIM}\0.evil<"), "malformed")
    attack("nul-reference", text.replace(f">{VICTIM}<", f">{VICTIM}&#0;.evil<"), "malformed")
    attack("attribute-twice", text.replace('Version="2.0"', 'Version="2.0" Version="1.1"', 1), "malformed")
    attack("prefix-undeclared", text.replace("<samlp:Status>", "<evil:Status>").replace("</samlp:Status>", "</evil:Status>"), "malformed")
    attack("encoding-utf7", b'<?xml version="1.0" encoding="UTF-7"?>' + text.encode(), "forbidden")
    attack("encoding-utf16", text.encode("utf-16"), "encoding")
    attack("xml-1-1", '<?xml version="1.1"?>' + text, "forbidden")
    attack("void-canonicalization-relative-namespace", text.replace("<saml:Assertion ", '<saml:Assertion xmlns:v="1" ', 1), "forbidden")
    attack("xml-id", text.replace("<samlp:Status>", '<samlp:Status xml:id="_assertion-1">'), "forbidden")
    attack("xml-base", text.replace("<samlp:Status>", '<samlp:Status xml:base="http://127.0.0.1:9/">'), "forbidden")
    attack("not-xml", "hello", "malformed")
    attack("empty", "", "malformed")
    attack("html", "<!DOCTYPE html><html><body>Sign in</body></html>", "forbidden")
    attack("duplicate-id-response-and-assertion", text.replace("_assertion-1", "_response-1"), "structure")
    attack("duplicate-id-lower-case-attribute", text.replace("<samlp:Status>", '<samlp:Status id="_assertion-1">'), "structure")
    attack("duplicate-id-other-case-value", text.replace("<samlp:Status>", '<samlp:Status Id="_ASSERTION-1">'), "structure")
    attack("id-empty", text.replace('ID="_assertion-1"', 'ID=""'), "structure")
    attack("id-missing", text.replace(' ID="_assertion-1"', ""), "structure")
    attack("id-with-spaces", text.replace('ID="_assertion-1"', 'ID="_assertion 1"'), "structure")
    attack("extensions", text.replace("<samlp:Status>", "<samlp:Extensions/><samlp:Status>"), "structure")
    attack("text-between-elements", text.replace("<samlp:Status>", "mallory<samlp:Status>"), "structure")
    attack("soap-envelope", f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{text}</s:Body></s:Envelope>', "structure")
    attack("saml-1-1", text.replace('Version="2.0"', 'Version="1.1"'), "structure")
    attack("logout-response-at-the-acs", text.replace("samlp:Response", "samlp:LogoutResponse"), "structure")


# --- signatures -------------------------------------------------------------------------------------------------------------

def make_signatures():
    attack("unsigned", message(), "unsigned")
    attack("unsigned-no-certificate-known", message(), "unsigned", "-")
    root = message()
    signed(root)
    attack("no-certificate-known", root, "no_certificate", "-")
    root = message()
    signed(root)
    attack("signed-by-another-provider", root, "signature", "rsa2")
    for form, root in both_forms(message):
        holder = root if form == "response" else assertion_of(root)
        holder.remove(holder.find(q(DS, "Signature")))
        attack(f"signature-removed-{form}-signed", root, "unsigned")
    for form in ("response", "assertion"):
        root = message(user=ATTACKER)
        signed(root if form == "response" else assertion_of(root), OTHER)
        attack(f"other-key-with-certificate-in-keyinfo-{form}-signed", root, "signature")
        root = message(user=ATTACKER)
        target = root if form == "response" else assertion_of(root)
        info = f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{der(RSA[1])}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        own(target, key=OTHER, keyinfo=info)
        attack(f"other-key-posing-as-the-known-certificate-{form}-signed", root, "signature")
    for form, root in both_forms(message):
        root.find(f".//{q(A, 'NameID')}").text = ATTACKER
        attack(f"tampered-name-{form}-signed", root, "signature")
    for form, root in both_forms(message):
        root.find(f".//{q(A, 'AttributeValue')}").text = "mallory@evil.example"
        attack(f"tampered-attribute-{form}-signed", root, "signature")
    root = message()
    signed(root)
    value = root.find(f".//{q(DS, 'DigestValue')}")
    value.text = base64.b64encode(hashlib.sha256(b"evil").digest()).decode()
    attack("tampered-digest", root, "signature")
    root = message()
    signed(root)
    root.find(f".//{q(A, 'NameID')}").text = ATTACKER
    value = root.find(f".//{q(DS, 'DigestValue')}")
    value.text = base64.b64encode(hashlib.sha256(c14n(root, without=True)).digest()).decode()
    attack("tampered-name-and-digest", root, "signature")
    root = message()
    signed(root)
    root.find(f".//{q(DS, 'SignatureValue')}").text = base64.b64encode(os.urandom(256)).decode()
    attack("random-signature-value", root, "signature")
    root = message()
    signed(root)
    root.find(f".//{q(DS, 'SignatureValue')}").text = ""
    attack("empty-signature-value", root, "signature_shape")
    root = message()
    signed(root)
    root.find(f".//{q(DS, 'SignatureValue')}").text = base64.b64encode(b"\0").decode()
    attack("one-byte-signature-value", root, "signature")
    root = message()
    signed(root, EC)
    root.find(f".//{q(DS, 'SignatureValue')}").text = base64.b64encode(bytes(64)).decode()
    attack("psychic-signature", root, "signature", "ec")
    public = RSA[1].public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    pem = RSA[1].public_bytes(serialization.Encoding.PEM)
    for name, secret in (("public-key", public), ("certificate", pem)):
        root = message(user=ATTACKER)
        own(root, signature_method=MORE + "hmac-sha256", value=lambda octets: hmac.digest(secret, octets, "sha256"))
        attack(f"algorithm-confusion-hmac-with-{name}", root, "algorithm")
    root = message(user=ATTACKER)
    own(root, signature_method=MORE + "hmac-sha256", method_children="<ds:HMACOutputLength>1</ds:HMACOutputLength>", value=b"\0")
    attack("hmac-truncated", root, "algorithm")
    for name in ("none", "", "http://www.w3.org/2001/04/xmldsig-more#none"):
        root = message(user=ATTACKER)
        own(root, signature_method=name, value=b"\0")
        attack(f"algorithm-none-{len(name)}", root, "algorithm")
    root = message()
    own(root, signature_method=DS + "rsa-sha1", digest_method=DS + "sha1", digest=hashlib.sha1, value=b"x" * 256)
    attack("sha1", root, "algorithm")
    root = message()
    own(root, digest_method=DS + "sha1", digest=hashlib.sha1)
    attack("sha1-digest", root, "algorithm")
    root = message()
    own(root, signature_method=DS + "dsa-sha1", value=b"x" * 40)
    attack("dsa-sha1", root, "algorithm")
    root = message()
    own(root, signature_method=MORE + "rsa-md5", value=b"x" * 256)
    attack("md5", root, "algorithm")
    root = message()
    own(root, signature_method=MORE + "ecdsa-sha256")
    attack("algorithm-confusion-rsa-as-ecdsa", root, "signature")
    for name, uri in (
        ("external-http", "http://127.0.0.1:9797/ssrf"), ("external-file", "file:///etc/passwd"), ("empty", ""),
        ("missing", False), ("xpointer-root", "#xpointer(/)"), ("xpointer-id", "#xpointer(id('_response-1'))"),
        ("other-element", "#_assertion-1"), ("no-such-element", "#_nothing"), ("hash-only", "#"),
        ("relative", "response.xml"),
    ):
        root = message()
        own(root, uri=uri)
        attack(f"reference-{name}", root, "signature_shape")
    root = message()
    own(root, references=0)
    attack("reference-none", root, "signature_shape")
    root = message()
    own(root, references=2)
    attack("reference-twice", root, "signature_shape")
    xpath = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>not(ancestor-or-self::*[local-name()="NameID"])</ds:XPath></ds:Transform>'
    for name, inner in (
        ("xpath", f'<ds:Transform Algorithm="{ENVELOPED}"/>{xpath}<ds:Transform Algorithm="{EXC}"/>'),
        ("xpath-only", xpath),
        ("xpath-slow", f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>{"count(//. | //@* | //namespace::*) " * 1}</ds:XPath></ds:Transform>'),
        ("xpath-filter2", f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"/>'),
        ("xslt", f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/"><xsl:value-of select="document(\'http://127.0.0.1:9797/xslt\')"/></xsl:template></xsl:stylesheet></ds:Transform>'),
        ("base64", f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{DS}base64"/>'),
        ("comments", f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="{EXC}WithComments"/>'),
        ("inclusive", f'<ds:Transform Algorithm="{ENVELOPED}"/><ds:Transform Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"/>'),
        ("none", ""),
        ("many", f'<ds:Transform Algorithm="{ENVELOPED}"/>' + f'<ds:Transform Algorithm="{EXC}"/>' * 500),
        ("no-enveloped", f'<ds:Transform Algorithm="{EXC}"/>'),
    ):
        root = message()
        own(root, transform_xml=inner or " ")
        attack(f"transform-{name}", root, "algorithm")
    root = message()
    own(root, c14n_method="http://www.w3.org/TR/2001/REC-xml-c14n-20010315")
    attack("canonicalization-inclusive", root, "algorithm")
    root = message()
    own(root, c14n_method=EXC + "WithComments")
    attack("canonicalization-with-comments", root, "algorithm")
    root = message()
    own(root, c14n_method="urn:void")
    attack("canonicalization-unknown", root, "algorithm")
    root = message()
    signature = signed(root)
    info = signature.find(q(DS, "SignedInfo"))
    signature.insert(0, copy.deepcopy(info))
    attack("two-signed-infos", root, "signature_shape")
    root = message()
    signature = signed(root)
    value = signature.find(f".//{q(DS, 'DigestValue')}")
    value.addnext(copy.deepcopy(value))
    attack("two-digest-values", root, "signature_shape")
    for name, inner in (
        ("retrieval-method", f'<ds:RetrievalMethod URI="http://127.0.0.1:9797/key"/>'),
        ("foreign-element", '<x:Key xmlns:x="urn:evil"/>'),
    ):
        root = message()
        own(root, keyinfo=f"<ds:KeyInfo>{inner}</ds:KeyInfo>")
        attack(f"keyinfo-{name}", root, "structure" if name == "retrieval-method" else "signature_shape")
    root = message()
    own(assertion_of(root))
    root.find(q(P, "Status")).find(q(P, "StatusCode")).set("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
    attack("failed-status-around-a-signed-assertion", root, "status")
    root = message()
    signed(assertion_of(root))
    signed(root, OTHER)
    attack("assertion-signed-response-by-other-key", root, "signature")
    root = message()
    signed(assertion_of(root), OTHER)
    signed(root)
    attack("response-signed-assertion-by-other-key", root, "disagreement")


# --- what it says -----------------------------------------------------------------------------------------------------------

def make_words():
    hoK = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
    for name, options, expected in (
        ("conditions-missing", {"conditions": False}, "conditions"),
        ("condition-unknown", {"more_conditions": '<x:Unless xmlns:x="urn:x"/>'}, "conditions"),
        ("audience-missing", {"audience": None}, "audience"),
        ("audience-wrong", {"audience": "https://else.example.org"}, "audience"),
        ("audience-prefix", {"audience": SP + ".evil"}, "audience"),
        ("audience-empty", {"audiences": [[]]}, "audience"),
        ("audience-one-restriction-wrong", {"audiences": [[SP], ["https://else.example.org"]]}, "audience"),
        ("issuer-wrong", {"aissuer": "https://evil.example"}, "issuer"),
        ("issuer-of-response-wrong", {"issuer": "https://evil.example"}, "issuer"),
        ("issuer-with-other-case", {"aissuer": IDP.upper(), "issuer": None}, "issuer"),
        ("issuer-empty", {"aissuer": ""}, "issuer"),
        ("issuer-missing", {"aissuer": None}, "structure"),
        ("issuer-no-entity", {"issuer_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"}, "issuer"),
        ("recipient-wrong", {"recipient": "https://evil.example/acs"}, "confirmation"),
        ("recipient-missing", {"recipient": None}, "confirmation"),
        ("recipient-other-provider", {"recipient": ACS.replace("corp", "other")}, "confirmation"),
        ("destination-wrong", {"destination": "https://evil.example/acs"}, "destination"),
        ("destination-empty", {"destination": ""}, "destination"),
        ("in-response-to-wrong", {"irt": "_request-2"}, "in_response_to"),
        ("in-response-to-missing", {"irt": None, "cirt": None}, "in_response_to"),
        ("in-response-to-of-confirmation-wrong", {"cirt": "_request-2"}, "in_response_to"),
        ("in-response-to-of-confirmation-missing", {"cirt": None}, "in_response_to"),
        ("expired", {"noa": -61}, "expired"),
        ("expired-confirmation", {"cnoa": -61}, "expired"),
        ("expired-session", {"snoa": -61}, "expired"),
        ("not-yet-valid", {"nb": 61}, "not_yet"),
        ("not-yet-valid-confirmation", {"cnb": 61}, "not_yet"),
        ("issued-in-the-future", {"issued": 61}, "not_yet"),
        ("assertion-issued-in-the-future", {"aissued": 61}, "not_yet"),
        ("issued-long-ago", {"issued": -361}, "expired"),
        ("assertion-issued-long-ago", {"aissued": -361}, "expired"),
        ("authenticated-in-the-future", {"authn": 61}, "authn_statement"),
        ("confirmation-without-end", {"cnoa": None}, "confirmation"),
        ("confirmation-missing", {"confirmation": False}, "confirmation"),
        ("confirmation-holder-of-key", {"method": hoK}, "confirmation"),
        ("confirmation-sender-vouches", {"method": hoK.replace("holder-of-key", "sender-vouches")}, "confirmation"),
        ("statement-missing", {"statement": False}, "authn_statement"),
        ("statement-without-instant", {"authn": None}, "authn_statement"),
        ("subject-missing", {"subject": False}, "subject"),
        ("name-empty", {"user": ""}, "subject"),
        ("name-with-spaces-around", {"user": f" {VICTIM}"}, "subject"),
        ("name-with-elements", {"nameid": f"<saml:NameID>{VICTIM}<x/></saml:NameID>"}, "subject"),
        ("name-twice", {"nameid": f"<saml:NameID>{VICTIM}</saml:NameID><saml:NameID>{ATTACKER}</saml:NameID>"}, "structure"),
        ("name-encrypted", {"nameid": "<saml:EncryptedID/>"}, "structure"),
        ("attribute-pollution", {"attributes": '<saml:Attribute Name="groups"><saml:AttributeValue>admins</saml:AttributeValue></saml:Attribute>'}, "structure"),
        ("attribute-without-name", {"attributes": "<saml:Attribute><saml:AttributeValue>x</saml:AttributeValue></saml:Attribute>"}, "structure"),
        ("attribute-with-elements", {"attributes": '<saml:Attribute Name="x"><saml:AttributeValue><x/></saml:AttributeValue></saml:Attribute>'}, "structure"),
        ("authorization-decision", {"inner": '<saml:AuthzDecisionStatement Resource="x" Decision="Permit"/>'}, "structure"),
        ("advice-empty", {"inner": "<saml:Advice/>"}, "structure"),
        ("time-without-zone", {"raw_issued": "2026-03-01T12:00:00"}, "structure"),
        ("time-with-offset", {"raw_issued": "2026-03-01T12:00:00+00:00"}, "structure"),
        ("time-nonsense", {"raw_issued": "yesterday"}, "structure"),
        ("status-requester", {"status": "Requester"}, "status"),
        ("status-empty", {"status": ""}, "status"),
    ):
        for form, root in both_forms(lambda: message(**options)):
            attack(f"{name}-{form}-signed", root, expected)
    root = message(destination=None)
    signed(root)
    attack("destination-missing-on-a-signed-response", root, "destination")
    root = message()
    signed(root)
    attack("answer-where-no-question-was-asked", root, "in_response_to", options="unsolicited")
    root = message(authn=-120)
    signed(root)
    attack("not-fresh-though-demanded", root, "authn_statement", options="force")
    root = message()
    signed(root)
    attack("another-way-than-demanded", root, "authn_statement", options="context=urn:oasis:names:tc:SAML:2.0:ac:classes:X509")
    root = message()
    root.remove(assertion_of(root))
    signed(root)
    attack("no-assertion", root, "structure")
    root = message(status="Responder")
    root.remove(assertion_of(root))
    attack("provider-says-no", root, "status")
    root = message()
    signed(root)
    attack("replay", root, "replay", options="seen")


# --- encryption -------------------------------------------------------------------------------------------------------------

def make_encryption():
    def fresh(sign=True):
        root = message()
        if sign:
            signed(assertion_of(root))
        return root

    def over(root):
        signed(root)
        return root

    attack("encrypted-rsa-1-5", encrypt(fresh(), transport=XENC + "rsa-1_5"), "algorithm")
    attack("encrypted-cbc", encrypt(fresh(), data=XENC + "aes128-cbc"), "algorithm")
    attack("encrypted-cbc-response-signed", over(encrypt(fresh(False), data=XENC + "aes256-cbc")), "algorithm")
    attack("encrypted-cbc-unsigned-response-where-allowed", encrypt(fresh(), data=XENC + "aes128-cbc"), "algorithm", options="cbc")
    attack("encrypted-triple-des", encrypt(fresh(), data=XENC + "tripledes-cbc"), "algorithm", options="cbc")
    attack("encrypted-algorithm-unknown", encrypt(fresh(), data="urn:x#aes128", cipher=b"x" * 64), "algorithm")
    for length in (0, 1, 11, 12, 27, 28):
        attack(f"encrypted-short-ciphertext-{length:02}", encrypt(fresh(), cipher=b"x" * length), "decryption")
        attack(f"encrypted-short-ciphertext-{length:02}-response-signed", over(encrypt(fresh(False), cipher=b"x" * length)), "signature")
    for length in (0, 1, 16, 17, 32):
        attack(f"encrypted-short-cbc-{length:02}", over(encrypt(fresh(False), data=XENC + "aes128-cbc", cipher=b"x" * length)), "signature", options="cbc")
    attack("encrypted-short-key", encrypt(fresh(), wrapped=b"x"), "decryption")
    attack("encrypted-empty-key", encrypt(fresh(), wrapped=b""), "decryption")
    attack("encrypted-for-somebody-else", encrypt(fresh(), to=OTHER), "decryption")
    attack("encrypted-for-somebody-else-response-signed", over(encrypt(fresh(False), to=OTHER)), "signature")
    attack("encrypted-unsigned", encrypt(fresh(False)), "unsigned")
    attack("encrypted-unsigned-no-certificate-known", encrypt(fresh(False)), "no_certificate", "-")
    root = message(user=ATTACKER)
    signed(assertion_of(root), OTHER)
    attack("encrypted-signed-by-other-key", encrypt(root), "signature")
    attack("encrypted-not-xml", encrypt(fresh(), plaintext=b"hello"), "structure")
    attack("encrypted-empty", encrypt(fresh(), plaintext=b""), "structure")
    attack("encrypted-not-xml-response-signed", over(encrypt(fresh(False), plaintext=b"hello")), "structure")
    attack("encrypted-unclosed", encrypt(fresh(), plaintext=b"<saml:Assertion"), "malformed")
    attack("encrypted-two-assertions", encrypt(fresh(), plaintext=etree.tostring(assertion_of(fresh())) * 2), "structure")
    inside = text_of(assertion_of(fresh())).replace(f">{VICTIM}<", f">{VICTIM}<!-- -->.evil<")
    attack("encrypted-comment-inside", encrypt(fresh(), plaintext=inside.encode()), "forbidden")
    attack("encrypted-doctype-inside", encrypt(fresh(), plaintext=b'<!DOCTYPE a [<!ENTITY e "x">]>' + etree.tostring(assertion_of(fresh()))), "forbidden")
    twice = encrypt(fresh())
    nested = etree.tostring(twice.find(q(A, "EncryptedAssertion")))
    attack("encrypted-twice", encrypt(fresh(), plaintext=nested), "structure")
    root = message(user=ATTACKER)
    own(assertion_of(root), transform_xml='<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"><ds:XPath>1</ds:XPath></ds:Transform>')
    attack("encrypted-xpath-inside", encrypt(root), "algorithm")
    root = message()
    own(assertion_of(root), uri="http://127.0.0.1:9797/ssrf")
    attack("encrypted-external-reference-inside", encrypt(root), "signature_shape")
    root = encrypt(fresh(), reference='<xenc:CipherReference URI="http://127.0.0.1:9797/cipher"/>')
    attack("encrypted-cipher-reference", root, "structure")
    root = encrypt(fresh())
    info = root.find(f".//{q(DS, 'KeyInfo')}")
    info.append(copy.deepcopy(info[0]))
    attack("encrypted-two-keys", root, "structure")
    root = encrypt(fresh())
    info = root.find(f".//{q(DS, 'KeyInfo')}")
    info.remove(info[0])
    attack("encrypted-no-key", root, "structure")
    root = encrypt(fresh())
    root.append(evil_assertion(assertion_of(fresh()), False))
    attack("encrypted-beside-a-plain-assertion", root, "structure")
    root = encrypt(fresh())
    root.append(copy.deepcopy(root.find(q(A, "EncryptedAssertion"))))
    attack("encrypted-beside-another", root, "structure")
    root = encrypt(fresh())
    value = root.find(q(A, "EncryptedAssertion")).findall(f".//{q(XENC, 'CipherValue')}")[-1]
    data = bytearray(base64.b64decode(value.text))
    data[-1] ^= 1
    value.text = base64.b64encode(bytes(data)).decode()
    attack("encrypted-tampered-tag", root, "decryption")
    root = message()
    signed(assertion_of(root), OTHER)
    encrypt(root)
    signed(root)
    attack("encrypted-inner-signature-by-other-key", root, "disagreement")


def main():
    for folder in ("valid", "attacks"):
        (HERE / folder).mkdir(exist_ok=True)
        for old in (HERE / folder).glob("*.xml"):
            old.unlink()
    for make in (make_valid, make_wrapping, make_xml, make_signatures, make_words, make_encryption):
        make()
    names = [case[0] for case in CASES]
    assert len(names) == len(set(names)), [name for name in names if names.count(name) > 1]
    lines = ["# file\tbecomes\tcertificates\tsettings"] + ["\t".join(case) for case in sorted(CASES)]
    (HERE / "cases.tsv").write_text("\n".join(lines) + "\n")
    print(f"{len(CASES)} messages")


if __name__ == "__main__":
    main()
