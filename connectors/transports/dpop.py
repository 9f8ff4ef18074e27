"""The client's side of DPoP (RFC 9449): a key of this process's own, and a proof for every request made with it.

The key is made anew for each client object and never written down, so that a token that was overheard or logged is of
no use to anyone. ES256, because it is what verifies fastest.
"""

import base64
import hashlib
import json
import secrets
from datetime import datetime

import httpx
from joserfc import jws
from joserfc.jwk import ECKey

NONCE_WANTED = "use_dpop_nonce"
_NONCE_LIMIT = 200


class Holder:
    """Holds the key, and the nonce that the gateway gave last. `repr` shows neither."""

    def __init__(self) -> None:
        self._key = ECKey.generate_key("P-256")
        public = {name: str(value) for name, value in self._key.as_dict(private=False).items()}
        jwk = {name: public[name] for name in ("kty", "crv", "x", "y")}
        self._header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}
        self._nonce: str | None = None

    def __repr__(self) -> str:
        return "Holder(…)"

    def headers(self, method: str, url: str, now: datetime, token: str | None = None) -> dict[str, str]:
        """The headers for one request: the proof, and the token if there is one already."""
        proof = {"DPoP": self._proof(method, url, now, token)}
        return proof if token is None else {**proof, "Authorization": f"DPoP {token}"}

    def learn(self, answer: httpx.Response) -> bool:
        """Take the nonce in an answer; whether it is another one than before."""
        nonce = answer.headers.get("DPoP-Nonce")
        if nonce is None or nonce == self._nonce or len(nonce) > _NONCE_LIMIT:
            return False
        self._nonce = nonce
        return True

    def _proof(self, method: str, url: str, now: datetime, token: str | None) -> str:
        claims: dict[str, object] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": str(httpx.URL(url).copy_with(query=None, fragment=None)),
            "iat": int(now.timestamp()),
        }
        if self._nonce is not None:
            claims["nonce"] = self._nonce
        if token is not None:
            digest = hashlib.sha256(token.encode()).digest()
            claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return jws.serialize_compact(self._header, json.dumps(claims), self._key, algorithms=["ES256"])
