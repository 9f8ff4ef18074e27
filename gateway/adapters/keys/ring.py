"""The key ring in memory: everything done with a secret key, under the suite and the versions its body names.

Each use derives its own key by HKDF (RFC 5869) with its purpose as info, so no two uses share a key. The pseudonym
key is derived per consumer and key version (GB/T 37964: pseudonyms by keyed hash); pseudonyms hash the random
subject id, never the id number, so a leaked key opens nothing by trying id numbers.

A ring takes new versions while it works (`adopt`). A new version is used some seconds after it was made, when every
worker has read it; from its first moment all understand it.
"""

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from joserfc.jwk import ECKey

from gateway.adapters.keys.base32 import base32, base32_many
from gateway.adapters.keys.heads import HeadAlgorithm, HeadSigner
from gateway.adapters.keys.roots import Roots, Version
from gateway.adapters.keys.suites import Cipher, Mac, SuiteName
from gateway.domain.model import Pseudonym, SubjectId

LOOKUP_BYTES = 20
PSEUDONYM_BYTES = 20
ACTIVATION = timedelta(seconds=5)
"""How long after it was made a version is first used: longer than a worker takes to read the ring again."""

_NONCE = 12

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


class HeadKey(NamedTuple):
    """A public key that signs or signed tree heads; `until` when a newer one took over."""

    algorithm: HeadAlgorithm
    public: bytes
    since: datetime
    until: datetime | None


def in_use(versions: Sequence[Version], now: datetime) -> list[Version]:
    """Those with a secret: first the one in use (the newest that everybody knows), then the others, newest first."""
    held = sorted((each for each in versions if each.secret is not None), key=lambda each: -each.number)
    known = [each for each in held if each.created + ACTIVATION <= now] or held[-1:]
    return [known[0], *(each for each in held if each is not known[0])]


class FileKeyRing:
    """`gateway.domain.ports.KeyRing` over root keys held in memory. `repr` and pickling show nothing."""

    def __init__(self, roots: Roots, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self.adopt(roots)

    def __repr__(self) -> str:
        return f"FileKeyRing(suite={self.suite})"

    def __reduce__(self) -> str:
        raise TypeError("a key ring is not pickled")

    def adopt(self, roots: Roots) -> None:
        """Work with these roots from now on. Each name is replaced at once: calls going on keep what they hold."""
        now, suite = self._now(), roots.suite
        held = {name: in_use(versions, now) for name, versions in roots.versions.items()}
        index = [
            (each.number, suite.mac(suite.derive(_secret(each), "huxue/index"))) for each in held["index"]
        ]
        ids = suite.mac(suite.derive(_secret(held["ids"][0]), "huxue/ids"))
        wraps = [
            (each.number, suite.cipher_for(_secret(each), "huxue/identity-wrap")) for each in held["identity"]
        ]
        tokens = [ECKey.import_key(json.loads(_secret(each))) for each in held["token"] if _live(each, now)]
        log = held["log"][0]
        head = HeadSigner(suite.heads, _secret(log), log.public or b"")
        self._roots, self._suite, self._held = roots, suite, held
        self._index, self._indexes = index[0][1], tuple(index)
        self._ids, self._wraps, self._tokens, self._head = ids, tuple(wraps), tokens, head
        self._files: dict[str, list[Cipher]] = {}
        self._consumers: dict[tuple[str, int | None], tuple[str, Mac]] = {}
        self._next = min((at for at in _changes(roots) if at > now), default=None)

    def tick(self) -> bool:
        """Take a version into use, or out of it, when its time has come. Whether anything changed."""
        if self._next is None or self._now() < self._next:
            return False
        self.adopt(self._roots)
        return True

    @property
    def roots(self) -> Roots:
        """The roots in memory; they show nothing."""
        return self._roots

    @property
    def suite(self) -> SuiteName:
        """`intl` or `gm`."""
        return self._roots.suite.name

    @property
    def made(self) -> datetime:
        """When the oldest of its keys was made."""
        return min(version.created for versions in self._roots.versions.values() for version in versions)

    @property
    def token_key(self) -> ECKey:
        """The key that signs access tokens: ES256 in both suites, as clients' libraries know no SM2."""
        return self._tokens[0]

    @property
    def token_keys(self) -> list[ECKey]:
        """Every key whose tokens still count, the signing one first."""
        return self._tokens

    @property
    def index_versions(self) -> tuple[int, ...]:
        """Versions of the index key under which somebody may be known; the one in use first."""
        return tuple([number for number, _ in self._indexes])

    def lookup(self, kind: str, value: str, version: int | None = None) -> bytes:
        """Keyed index of an identifier: HMAC over kind, 0x00, value; 20 bytes. By default under the key in use."""
        key = self._index if version is None else self._index_of(version)
        return key.digest(f"{kind}\0{value}".encode())[:LOOKUP_BYTES]

    def lookups(self, kind: str, values: Sequence[str], version: int | None = None) -> list[bytes]:
        """`lookup` over many values."""
        key = self._index if version is None else self._index_of(version)
        return key.digests(values, LOOKUP_BYTES, f"{kind}\0")

    def _index_of(self, version: int) -> Mac:
        return next(key for number, key in self._indexes if number == version)

    def pseudonym_versions(self, consumer: str) -> tuple[int, ...]:
        """Versions whose pseudonyms count as inputs; the one that new lists bear first."""
        if consumer not in CONSUMER_PREFIXES:
            raise KeyError(consumer)
        now, held = self._now(), self._held["pseudonym"]
        return tuple([each.number for each in held if each is held[0] or _live(each, now)])

    def pseudonym(self, consumer: str, subject: SubjectId, version: int | None = None) -> Pseudonym:
        """How `consumer` knows the child, e.g. ``ca1-`` and 32 characters (160 bits)."""
        prefix, key = self._consumer(consumer, version)
        return Pseudonym(prefix + base32(key.digest(subject)[:PSEUDONYM_BYTES]))

    def pseudonyms(
        self, consumer: str, subjects: Sequence[SubjectId], version: int | None = None
    ) -> list[Pseudonym]:
        """`pseudonym` over many subjects, in their order."""
        if not subjects:
            return []
        prefix, key = self._consumer(consumer, version)
        return base32_many(key.joined(subjects, PSEUDONYM_BYTES), prefix)  # type: ignore[return-value]

    def _consumer(self, consumer: str, version: int | None) -> tuple[str, Mac]:
        consumers = self._consumers
        found = consumers.get((consumer, version))
        if found is None:
            held = self._held["pseudonym"]
            root = held[0] if version is None else next(each for each in held if each.number == version)
            key = self._suite.derive(_secret(root), f"huxue/pseudonym/{consumer}/{root.number}")
            found = (f"{CONSUMER_PREFIXES[consumer]}{root.number}-", self._suite.mac(key))
            consumers[consumer, version] = found
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
        cipher, size, wrap = self._suite.cipher, self._suite.cipher_bytes, self._wraps[0][1].encrypt
        width, sealed = size + 2 * _NONCE, []
        random = os.urandom(width * len(subjects))
        for number, (subject, identity) in enumerate(zip(subjects, identities, strict=True)):
            own = random[number * width : (number + 1) * width]
            data_key, wrap_nonce, nonce = own[:size], own[size : size + _NONCE], own[size + _NONCE :]
            body = nonce + cipher(data_key).encrypt(nonce, identity, subject)
            sealed.append((wrap_nonce + wrap(wrap_nonce, data_key, subject), body))
        return sealed

    def open_identity(self, subject: SubjectId, wrapped: bytes, sealed: bytes) -> bytes:
        """The identity; raises `cryptography.exceptions.InvalidTag` when anything was changed."""
        data_key, _ = self._unwrap(subject, wrapped)
        return _decrypt(self._suite.cipher(data_key), sealed, subject)

    def rewrap(self, subject: SubjectId, wrapped: bytes) -> bytes | None:
        """The data key wrapped under the key in use; None when it is already. InvalidTag when it opens under none."""
        data_key, position = self._unwrap(subject, wrapped)
        if position == 0:
            return None
        nonce = os.urandom(_NONCE)
        return nonce + self._wraps[0][1].encrypt(nonce, data_key, subject)

    def _unwrap(self, subject: SubjectId, wrapped: bytes) -> tuple[bytes, int]:
        return _first_that_opens([cipher for _, cipher in self._wraps], wrapped, subject)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        """Encrypted under the purpose's own key; the nonce stands in front."""
        nonce = os.urandom(_NONCE)
        return nonce + self._ciphers(purpose)[0].encrypt(nonce, plain, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """What `seal` sealed for the same purpose; InvalidTag otherwise."""
        return _first_that_opens(self._ciphers(purpose), sealed, purpose.encode())[0]

    def reseal(self, purpose: str, sealed: bytes) -> bytes | None:
        """The same under the key in use; None when it is already. InvalidTag when it opens under none."""
        plain, position = _first_that_opens(self._ciphers(purpose), sealed, purpose.encode())
        return self.seal(purpose, plain) if position else None

    def _ciphers(self, purpose: str) -> list[Cipher]:
        files, kind = self._files, purpose.split(":", 1)[0]
        if kind not in files:
            files[kind] = [
                self._suite.cipher_for(_secret(each), f"huxue/files/{kind}") for each in self._held["files"]
            ]
        return files[kind]

    @property
    def head_algorithm(self) -> HeadAlgorithm:
        """What signs tree heads."""
        return self._head.algorithm

    @property
    def head_public_key(self) -> bytes:
        """The key in use: 32 bytes Ed25519, 65 bytes SM2."""
        return self._head.public

    @property
    def head_public_keys(self) -> list[HeadKey]:
        """Every key that ever signed heads, oldest first: old heads verify by them."""
        versions = self._roots.of("log")
        until = [each.created for each in versions[1:]] + [None]
        return [
            HeadKey(self._suite.heads, each.public or b"", each.created, end)
            for each, end in zip(versions, until, strict=True)
        ]

    def sign_head(self, message: bytes) -> bytes:
        """64 bytes: Ed25519's, or SM2's r and s."""
        return self._head.sign(message)


def _secret(version: Version) -> bytes:
    if version.secret is None:
        raise ValueError("a version without its secret")
    return version.secret


def _live(version: Version, now: datetime) -> bool:
    return version.retires is None or version.retires > now


def _changes(roots: Roots) -> list[datetime]:
    """When versions come into use and go out of it."""
    every = [each for versions in roots.versions.values() for each in versions]
    return [each.created + ACTIVATION for each in every] + [each.retires for each in every if each.retires]


def _decrypt(cipher: Cipher, sealed: bytes, context: bytes) -> bytes:
    """What stands behind the nonce; InvalidTag also for what is too short to have one (erased, cut off)."""
    if len(sealed) < _NONCE:
        raise InvalidTag
    return cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], context)


def _first_that_opens(ciphers: Sequence[Cipher], sealed: bytes, context: bytes) -> tuple[bytes, int]:
    """What the first of these opens, and which it was; InvalidTag when none does."""
    for position, cipher in enumerate(ciphers[:-1]):
        try:
            return _decrypt(cipher, sealed, context), position
        except InvalidTag:
            continue
    return _decrypt(ciphers[-1], sealed, context), len(ciphers) - 1
