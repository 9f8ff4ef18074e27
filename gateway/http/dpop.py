"""DPoP (RFC 9449): proofs that a caller holds the key its token is bound to.

Everything but the signature is checked at once. The signature is verified beside the event loop (see
`gateway.http.inspector`), and `Proof.held` is asked before anything is written or told (`gateway.adapters.db.journal`).
"""

import hashlib
from collections.abc import Callable, Sequence
from urllib.parse import unquote, urlsplit

import msgspec

from gateway.domain.base64url import b64, unb64
from gateway.domain.errors import HuxueError, TokenNotBound
from gateway.http.inspector import Inspector
from gateway.http.jwks import ALGORITHMS, KeyFormatError, PublicKey, public_key
from gateway.http.nonces import Nonces
from gateway.http.verifier import pack

PROOF_LIMIT = 4096
PAST_SECONDS = 300
FUTURE_SECONDS = 60
_KEYS_KEPT = 4096
_PORTS = {"http": 80, "https": 443}


class _Header(msgspec.Struct):
    typ: str
    alg: str
    jwk: dict[str, object]
    crit: object = None
    b64: object = None


class _Claims(msgspec.Struct):
    jti: str
    htm: str
    htu: str
    iat: float
    ath: str | None = None
    nonce: str | None = None


_HEADER = msgspec.json.Decoder(_Header)
_CLAIMS = msgspec.json.Decoder(_Claims)


def token_hash(token: str) -> str:
    """`ath`: base64url of SHA-256 of the access token (RFC 9449 §4.2), as a proof must state it."""
    return b64(hashlib.sha256(token.encode()).digest())


def refused(zh: str, en: str, reason: str = "invalid_dpop_proof") -> TokenNotBound:
    """A proof that does not count: what is wrong with it, so that an honest client's author finds it."""
    return TokenNotBound(zh, en, reason)


class Proof:
    """`gateway.domain.ports.Possession`: one proof, read; whether its signature is right is found out once."""

    __slots__ = (
        *("_found", "_inspector", "_public", "_signature", "_signed", "_tell"),
        *("admission", "expires", "key"),
    )

    def __init__(self, key: bytes, expires: int, public: PublicKey, signature: bytes, signed: bytes) -> None:
        self.key, self.expires = key, expires
        self._public, self._signature, self._signed = public, signature, signed
        self._found: bool | None = None
        self._inspector: Inspector | None = None
        self._tell: Callable[[], None] | None = None
        self.admission: Callable[[], HuxueError | None] | None = None

    def __repr__(self) -> str:
        return "Proof(…)"

    @property
    def thumbprint(self) -> str:
        """Of the key that it was made with."""
        return self._public.thumbprint

    @property
    def wire(self) -> bytes:
        """As the verifier reads it."""
        return pack(self._public.wire, self._signature, self._signed)

    def handed(self, inspector: Inspector) -> "Proof":
        """The inspector may look at it beforehand."""
        self._inspector = inspector  # before it is taken: it may be settled within that call
        if not inspector.take(self):
            self._inspector = None
        return self

    def pending(self, tell: Callable[[], None]) -> bool:
        """Whether somebody is still looking; then `tell` is called once it is known."""
        if self._inspector is None:
            return False
        self._tell = tell
        return True

    def settle(self, right: bool | None) -> None:
        """See `gateway.http.inspector.Waiting`."""
        tell, self._tell = self._tell, None  # no cycle is left for the collector
        self._found, self._inspector = right, None
        if tell is not None:
            tell()

    def held(self) -> bool:
        """Whether the signature is right; looks at once where nobody has."""
        if self._found is None:
            self._found = self._public.verify(self._signature, self._signed)
        return self._found

    def admitted(self) -> HuxueError | None:
        """Whatever `admission` says."""
        return self.admission() if self.admission is not None else None


class Target(msgspec.Struct, frozen=True):
    """What a proof must be made for: the method, the path, and at a resource the token's hash and its key."""

    method: str
    path: str
    token_hash: str | None = None
    thumbprint: str | None = None


class ProofReader:
    """Reads proofs for one gateway. `addresses` are the names it is called by, without a trailing slash."""

    def __init__(self, addresses: Sequence[str], nonces: Nonces) -> None:
        self._addresses = [_origin(address) for address in addresses]
        self._prefixes = tuple(addresses)
        self.nonces = nonces
        self._keys: dict[str, PublicKey] = {}

    def read(self, text: str, target: Target, now: float) -> Proof:
        """A proof for that target, its signature not looked at yet; TokenNotBound says what is wrong."""
        if len(text) > PROOF_LIMIT:
            raise refused("DPoP 证明过长。", "The DPoP proof is too long.")
        head, _, rest = text.partition(".")
        body, _, signature = rest.partition(".")
        try:
            public = self._keys.get(head) or _key(head)
            claims, raw = _CLAIMS.decode(unb64(body)), unb64(signature)
        except (ValueError, RecursionError, msgspec.DecodeError):
            zh = "DPoP 证明格式有误：须为 ES256 或 Ed25519 签名的 dpop+jwt，头中只含公钥。"
            en = "Not a DPoP proof: a dpop+jwt signed with ES256 or Ed25519, the public key in its header."
            raise refused(zh, en) from None
        if target.thumbprint is not None and public.thumbprint != target.thumbprint:
            raise refused("令牌绑定的是另一把密钥。", "The token is bound to another key.", "invalid_token")
        expires = self._check(claims, target, now)
        if target.thumbprint is not None:
            self._keep(head, public)
        key = hashlib.sha256(f"{public.thumbprint}\0{claims.jti}".encode()).digest()[:16]
        return Proof(key, expires, public, raw, text[: len(head) + 1 + len(body)].encode())

    def _check(self, claims: _Claims, target: Target, now: float) -> int:
        """RFC 9449 §4.3; when the proof is no longer taken."""
        if claims.htm != target.method or not self._is_here(claims.htu, target.path):
            zh, en = "DPoP 证明的 htm 或 htu 与请求不符。", "The proof's htm or htu is not this request's."
            raise refused(zh, en)
        if not 8 <= len(claims.jti) <= 256:
            raise refused("DPoP 证明的 jti 长度应为 8–256。", "The proof's jti has 8 to 256 characters.")
        if target.token_hash is not None and claims.ath != target.token_hash:
            raise refused("DPoP 证明的 ath 与令牌不符。", "The proof's ath is not this token's.")
        expires = self.nonces.expiry(claims.nonce, now) if claims.nonce is not None else None
        if expires is None:
            zh, en = "请使用网关给出的 nonce。", "Use the nonce that the gateway gives."
            raise refused(zh, en, "use_dpop_nonce")
        if not now - PAST_SECONDS <= claims.iat <= now + FUTURE_SECONDS:
            raise refused("DPoP 证明的 iat 不在时限内。", "The proof's iat is too old, or lies ahead.")
        return expires

    def _is_here(self, htu: str, path: str) -> bool:
        """Whether that is this request's address: query and fragment left out, scheme and host in any case."""
        if htu.endswith(path) and htu[: -len(path)] in self._prefixes:
            return True
        plain = htu.split("?", 1)[0].split("#", 1)[0]
        try:
            scheme, netloc, port, found = _origin(plain)
        except ValueError:
            return False
        return any(
            (scheme, netloc, port, found) == (*known[:3], known[3] + path) for known in self._addresses
        )

    def _keep(self, head: str, key: PublicKey) -> None:
        if head not in self._keys:
            if len(self._keys) >= _KEYS_KEPT:
                self._keys.clear()
            self._keys[head] = key


def _key(head: str) -> PublicKey:
    """The key in a proof's header; ValueError unless it is a header of ours, with a public key of ours."""
    header = _HEADER.decode(unb64(head))
    if (
        header.typ != "dpop+jwt"
        or header.alg not in ALGORITHMS
        or header.crit is not None
        or header.b64 is not None
    ):
        raise KeyFormatError
    return public_key(header.alg, header.jwk)


def _origin(url: str) -> tuple[str, str, int | None, str]:
    """Scheme, host, port and path, in the form in which two addresses are compared (RFC 3986 §6.2)."""
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port, unquote(parts.path)
