"""The key ring of suite `intl`: HMAC-SHA-256, AES-256-GCM, HKDF, ES256, from one sealed-off file of root keys.

Each use derives its own key by HKDF (RFC 5869) with its purpose as info, so no two uses share a key. The pseudonym
key is derived per consumer and key version (GB/T 37964: pseudonyms by keyed hash); pseudonyms hash the random
subject id, never the id number, so a leaked key opens nothing by trying id numbers.
"""

import base64
import json
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from joserfc.jwk import ECKey

from gateway.adapters.hmacs import Hmac
from gateway.domain.model import Pseudonym, SubjectId

LOOKUP_BYTES = 20
PSEUDONYM_BYTES = 20
_NONCE = 12
_SEAL_RANDOM = 32 + _NONCE + _NONCE

CONSUMER_PREFIXES = {
    "education": "ed",
    "school": "sc",
    "township": "tw",
    "civil_affairs": "ca",
    "human_resources": "hr",
    "health": "he",
    "market_regulation": "mr",
    "justice": "ju",
    "public_security": "ps",
    "gateway": "gw",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_ALPHABET = np.frombuffer(_LETTERS.encode(), dtype=np.uint8)
_BIT_WEIGHTS = np.array([16, 8, 4, 2, 1], dtype=np.uint8)


class KeyRingError(Exception):
    """The key file is missing, readable by others, or not a key file. Says what to do, never what it holds."""


@dataclass(frozen=True, slots=True)
class _Roots:
    """Root secrets as read from the file; never shown."""

    index: bytes
    identity: bytes
    files: bytes
    ids: bytes
    pseudonym: dict[int, bytes]
    token: dict[str, Any]

    def __repr__(self) -> str:
        return "_Roots(…)"

    def __reduce__(self) -> str:
        raise TypeError("root secrets are not pickled")


def create_keyring(path: Path) -> None:
    """Write a new key file (mode 0600). Raises FileExistsError: a key ring is never overwritten."""
    token = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    body = {
        "suite": "intl",
        "version": 1,
        "roots": {name: _b64(os.urandom(32)) for name in ("index", "identity", "files", "ids")},
        "pseudonym": {"1": _b64(os.urandom(32))},
        "token": token.as_dict(private=True),
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(body, file)
        file.flush()
        os.fsync(file.fileno())


def load_keyring(path: Path) -> "FileKeyRing":
    """The key ring in a file; KeyRingError when it is missing, open to others or malformed."""
    if not path.is_file():
        raise KeyRingError(f"no key ring at {path}: run `huxue keys create`")
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyRingError(f"the key ring {path} can be read by others: chmod 600 it")
    try:
        return FileKeyRing(_parse(json.loads(path.read_text(encoding="utf-8"))))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyRingError(f"{path} is not a key ring") from error


def _parse(body: dict[str, Any]) -> _Roots:
    roots = {name: base64.b64decode(text) for name, text in body["roots"].items()}
    pseudonym = {int(version): base64.b64decode(text) for version, text in body["pseudonym"].items()}
    return _Roots(**roots, pseudonym=pseudonym, token=body["token"])


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _decrypt(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes:
    """What stands behind the nonce; InvalidTag also for what is too short to have one (erased, cut off)."""
    if len(sealed) < _NONCE:
        raise InvalidTag
    return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)


def _derive(root: bytes, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info.encode()).derive(root)


_PAIRS = [a + b for a in _LETTERS for b in _LETTERS]
_SHIFTS = tuple(range(150, -1, -10))


def base32(raw: bytes) -> str:
    """RFC 4648 base32 in lower case of 20 bytes: ten bits at a time from a table."""
    number = int.from_bytes(raw, "big")
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def _base32(digests: Sequence[bytes]) -> list[str]:
    """RFC 4648 base32 in lower case of 20-byte digests, 32 characters each, many at once."""
    bits = np.unpackbits(np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(len(digests), -1), axis=1)
    codes = bits.reshape(len(digests), 32, 5) @ _BIT_WEIGHTS
    text = _ALPHABET[codes].tobytes().decode("ascii")
    return [text[start : start + 32] for start in range(0, len(text), 32)]


def verify_head(algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature holds; False for a malformed one and for an algorithm that is not known."""
    if algorithm != "ed25519":
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class FileKeyRing:
    """Suite `intl` over root keys held in memory. `repr` and pickling show nothing."""

    def __init__(self, roots: _Roots) -> None:
        self._roots = roots
        self._index = Hmac(_derive(roots.index, "huxue/index"))
        self._ids = Hmac(_derive(roots.ids, "huxue/ids"))
        self._wrap = AESGCM(_derive(roots.identity, "huxue/identity-wrap"))
        self._files: dict[str, AESGCM] = {}
        self._consumers: dict[str, tuple[str, Hmac]] = {}
        self._token = ECKey.import_key(roots.token)
        self._head = Ed25519PrivateKey.from_private_bytes(_derive(roots.ids, "huxue/log-head"))

    def __repr__(self) -> str:
        return "FileKeyRing(suite=intl)"

    def __reduce__(self) -> str:
        raise TypeError("a key ring is not pickled")

    @property
    def token_key(self) -> ECKey:
        """The key that signs access tokens."""
        return self._token

    @property
    def head_algorithm(self) -> Literal["ed25519", "sm2"]:
        """By which heads of the log are signed."""
        return "ed25519"

    @property
    def head_public_key(self) -> bytes:
        """The public half of the key that signs heads of the log."""
        return self._head.public_key().public_bytes_raw()

    def sign_head(self, message: bytes) -> bytes:
        """A signature under a head of the log, or under one of another log as its witness."""
        return self._head.sign(message)

    def lookup(self, kind: str, value: str) -> bytes:
        """Keyed index of an identifier: HMAC over kind, 0x00, value; 20 bytes."""
        return self._index.digest(f"{kind}\0{value}".encode())[:LOOKUP_BYTES]

    def lookups(self, kind: str, values: Sequence[str]) -> list[bytes]:
        """`lookup` over many values."""
        return self._index.digests(values, LOOKUP_BYTES, f"{kind}\0")

    def pseudonym(self, consumer: str, subject: SubjectId) -> Pseudonym:
        """How `consumer` knows the child, e.g. ``ca1-`` and 32 characters (160 bits)."""
        prefix, key = self._consumer(consumer)
        return Pseudonym(prefix + base32(key.digest(subject)[:PSEUDONYM_BYTES]))

    def pseudonyms(self, consumer: str, subjects: Sequence[SubjectId]) -> list[Pseudonym]:
        """`pseudonym` over many subjects, in their order."""
        if not subjects:
            return []
        prefix, key = self._consumer(consumer)
        return [Pseudonym(prefix + text) for text in _base32(key.digests(subjects, PSEUDONYM_BYTES))]

    def _consumer(self, consumer: str) -> tuple[str, Hmac]:
        found = self._consumers.get(consumer)
        if found is None:
            version = max(self._roots.pseudonym)
            key = _derive(self._roots.pseudonym[version], f"huxue/pseudonym/{consumer}/{version}")
            found = (f"{CONSUMER_PREFIXES[consumer]}{version}-", Hmac(key))
            self._consumers[consumer] = found
        return found

    def derived_id(self, prefix: str, *parts: bytes) -> str:
        """``prefix-`` and 26 characters (130 bits) over the length-framed parts."""
        framed = b"".join([len(part).to_bytes(4, "big") + part for part in (prefix.encode(), *parts)])
        return f"{prefix}-{base32(self._ids.digest(framed)[:PSEUDONYM_BYTES])[:26]}"

    def seal_identity(self, subject: SubjectId, identity: bytes) -> tuple[bytes, bytes]:
        """A fresh data key wraps the identity; the subject id is authenticated with both."""
        return self.seal_identities([subject], [identity])[0]

    def seal_identities(
        self, subjects: Sequence[SubjectId], identities: Sequence[bytes]
    ) -> list[tuple[bytes, bytes]]:
        """`seal_identity` over many: each has a data key and nonces of its own, drawn at once."""
        random, wrap, sealed = os.urandom(_SEAL_RANDOM * len(subjects)), self._wrap.encrypt, []
        for number, (subject, identity) in enumerate(zip(subjects, identities, strict=True)):
            start = number * _SEAL_RANDOM
            data_key, wrap_nonce = random[start : start + 32], random[start + 32 : start + 44]
            nonce = random[start + 44 : start + 56]
            body = nonce + AESGCM(data_key).encrypt(nonce, identity, subject)
            sealed.append((wrap_nonce + wrap(wrap_nonce, data_key, subject), body))
        return sealed

    def open_identity(self, subject: SubjectId, wrapped: bytes, sealed: bytes) -> bytes:
        """The identity; raises `cryptography.exceptions.InvalidTag` when anything was changed."""
        return _decrypt(AESGCM(_decrypt(self._wrap, wrapped, subject)), sealed, subject)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """AES-256-GCM under the purpose's own key; the nonce stands in front."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher(purpose).encrypt(nonce, plain, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """What `seal` sealed for the same purpose; InvalidTag otherwise."""
        return _decrypt(self._cipher(purpose), sealed, purpose.encode())

    def _cipher(self, purpose: str) -> AESGCM:
        kind = purpose.split(":", 1)[0]
        if kind not in self._files:
            self._files[kind] = AESGCM(_derive(self._roots.files, f"huxue/files/{kind}"))
        return self._files[kind]
