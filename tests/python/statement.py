"""Checks a signed statement with joserfc, a JOSE library that shares no code with ours.

    statement.py ADDRESS < STATEMENT

Fetches the key set over HTTP and prints, as JSON, what it made of the statement, of every copy of it with
one changed byte, and of forgeries. tests/it/statement.rs reads it.
"""

import base64
import hmac
import json
import sys
import urllib.error
import urllib.request

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

URL = "http://{}/.well-known/jwks.json"


def fetch(address, method):
    """Status, headers and body of an answer."""
    request = urllib.request.Request(URL.format(address), method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def raw(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def refusal(token, keys, algorithms=("EdDSA",)):
    """Why the library refuses a token; None if it does not."""
    try:
        jwt.decode(token, keys, algorithms=list(algorithms))
        return None
    except (JoseError, ValueError) as error:
        return type(error).__name__


def changed(token):
    """The part and the token, once for each byte of each part with one bit of it changed."""
    parts = token.split(".")
    for part, name in enumerate(["header", "payload", "signature"]):
        whole = raw(parts[part])
        for at in range(len(whole)):
            other = bytearray(whole)
            other[at] ^= 1 << at % 8
            yield name, ".".join([*parts[:part], b64(bytes(other)), *parts[part + 1 :]])


def forgeries(token, jwk):
    """Tokens that nobody signed with the private key."""
    header, payload, signature = token.split(".")
    fields = json.loads(raw(header))
    unsigned = b64(json.dumps({**fields, "alg": "none"}).encode())
    yield "none", f"{unsigned}.{payload}."
    yield "none, still signed", f"{unsigned}.{payload}.{signature}"
    # The public key, as whoever confuses it with a shared secret would use it.
    public = OKPKey.import_key(jwk)
    secrets = {"x": jwk["x"].encode(), "raw": raw(jwk["x"]), "pem": public.as_pem(private=False)}
    for name, secret in secrets.items():
        confused = b64(json.dumps({**fields, "alg": "HS256"}).encode()) + "." + payload
        yield f"HS256 with {name}", confused + "." + b64(hmac.digest(secret, confused.encode(), "sha256"))
    other = OKPKey.generate_key("Ed25519", {"kid": fields["kid"]})
    yield "another key", jwt.encode(fields, json.loads(raw(payload)), other, algorithms=["EdDSA"])


def main(address):
    token = sys.stdin.read().strip()
    status, headers, body = fetch(address, "GET")
    published = json.loads(body)
    keys = KeySet.import_key_set(published)
    good = jwt.decode(token, keys, algorithms=["EdDSA"])
    jwk = next(jwk for jwk in published["keys"] if jwk["kid"] == good.header["kid"])
    forged = dict(forgeries(token, jwk))
    accepted, seen = [], {}
    for part, other in changed(token):
        seen[part] = seen.get(part, 0) + 1
        if refusal(other, keys) is None:
            accepted.append([part, other])
    answer = {
        "status": status,
        "type": headers["content-type"],
        "kept": headers["cache-control"],
        "head": [fetch(address, "HEAD")[0], len(fetch(address, "HEAD")[2])],
        "length": int(fetch(address, "HEAD")[1]["content-length"]) - len(body),
        "others": {method: fetch(address, method)[0] for method in ["POST", "PUT", "DELETE"]},
        "members": sorted({member for jwk in published["keys"] for member in jwk}),
        "thumbprints": [OKPKey.import_key(jwk).thumbprint() == jwk["kid"] for jwk in published["keys"]],
        "header": good.header,
        "claims": good.claims,
        "changed": seen,
        "accepted": accepted,
        "forged": forged,
        "forged_accepted": [
            name for name, token in forged.items() if refusal(token, keys, ["EdDSA", "HS256"]) is None
        ],
        "without_its_key": refusal(token, OKPKey.generate_key("Ed25519")),
    }
    print(json.dumps(answer))


main(*sys.argv[1:])
