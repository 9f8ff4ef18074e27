"""Proofs of possession for tests, right ones and wrong ones."""

import hashlib
import json
import os
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from gateway.domain.base64url import b64


def part(value: object) -> str:
    return b64(json.dumps(value).encode())


def ath(token: str) -> str:
    return b64(hashlib.sha256(token.encode()).digest())


class Es256:
    """A P-256 key that signs proofs."""

    alg = "ES256"

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        numbers = self.key.public_key().public_numbers()
        x, y = (b64(value.to_bytes(32, "big")) for value in (numbers.x, numbers.y))
        self.jwk: dict[str, Any] = {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign(self, text: str) -> bytes:
        r, s = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def proof(self, method: str, url: str, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A proof; `header` and `claims` replace what it would say, None leaves a claim out."""
        head = {"typ": "dpop+jwt", "alg": self.alg, "jwk": self.jwk, **(header or {})}
        body = {"jti": b64(os.urandom(12)), "htm": method, "htu": url, "iat": int(time.time()), **claims}
        signed = f"{part(head)}.{part({name: value for name, value in body.items() if value is not None})}"
        return f"{signed}.{b64(self.sign(signed))}"


class Ed25519(Es256):
    """An Ed25519 key that signs proofs."""

    alg = "Ed25519"

    def __init__(self) -> None:
        self.private = ed25519.Ed25519PrivateKey.generate()
        self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(self.private.public_key().public_bytes_raw())}

    def sign(self, text: str) -> bytes:
        return self.private.sign(text.encode())
