"""DPoP proofs made beforehand, by processes of their own, so that the load generator only sends them.

A proof counts once and its nonce is good for two to four minutes: a round's proofs are made just before the round.
"""

import hashlib
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime

import httpx
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from benchmarks.server import Gateway
from connectors.transports.rest import Credentials, client_assertion
from connectors.transports.tokens import token_form
from gateway.domain.base64url import b64

_HASH = ECDSA(SHA256())


class Holder:
    """A token bound to a key, and as many proofs for it as are wanted."""

    def __init__(self, gateway: Gateway, credentials: Credentials) -> None:
        self._gateway, self._credentials = gateway, credentials
        self._key = generate_private_key(SECP256R1())
        numbers = self._key.public_key().public_numbers()
        x, y = (b64(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": x, "y": y}}
        self._head = b64(json.dumps(header).encode())

    def fresh(self, path: str, count: int) -> tuple[str, list[str]]:
        """A new token, and that many proofs for POST requests to a path of the gateway."""
        token, nonce = self._token()
        secret = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        claims = {
            "htm": "POST",
            "htu": self._gateway.url + path,
            "iat": int(time.time()),
            "ath": b64(hashlib.sha256(token.encode()).digest()),
            "nonce": nonce,
        }
        parts = [(secret, self._head, claims, count // 2)] * 2
        with ProcessPoolExecutor(2) as pool:
            return token, [proof for made in pool.map(_made, parts) for proof in made]

    def _token(self) -> tuple[str, str]:
        url = f"{self._gateway.url}/oauth2/token"
        nonce = ""
        while True:
            claims = {"htm": "POST", "htu": url, "iat": int(time.time()), "nonce": nonce}
            answer = self._ask(url, _proof(self._key, self._head, claims))
            nonce = answer.headers.get("DPoP-Nonce", nonce)
            if answer.status_code == 200:
                return answer.json()["access_token"], nonce

    def _ask(self, url: str, proof: str) -> httpx.Response:
        assertion = client_assertion(self._credentials, url, datetime.now(UTC))
        return self._gateway.call.post("/oauth2/token", data=token_form(assertion), headers={"DPoP": proof})


def _made(part: tuple[bytes, str, dict[str, object], int]) -> list[str]:
    secret, head, claims, count = part
    key = load_der_private_key(secret, None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return [_proof(key, head, claims) for _ in range(count)]


def _proof(key: EllipticCurvePrivateKey, head: str, claims: dict[str, object]) -> str:
    signed = f"{head}.{b64(json.dumps({**claims, 'jti': b64(os.urandom(12))}).encode())}"
    r, s = decode_dss_signature(key.sign(signed.encode(), _HASH))
    return f"{signed}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
