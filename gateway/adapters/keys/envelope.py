"""A sealed ring: ``{"header": {...}, "body": …}``, the body encrypted under a key that a lock gives.

The header (suite, lock, its parameters, nonce) is authenticated with the body, so none of it can be changed. The lock
is a passphrase (Argon2id, RFC 9106) or a key inside a hardware module.
"""

import base64
import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from gateway.adapters.keys.errors import KeyRingError
from gateway.adapters.keys.roots import Roots, from_body, to_body
from gateway.adapters.keys.secret import Secret
from gateway.adapters.keys.suites import suite_of

_NONCE = 12
_SALT = 16
_ITERATIONS, _LANES, _MEMORY_KIB = 3, 4, 65_536
_MOST = {"iterations": 16, "lanes": 16, "memory_kib": 1 << 20}

Parameters = Mapping[str, Any]


class Lock(Protocol):
    """Gives the key of an envelope. `kind` stands in the header."""

    kind: str

    def make(self, size: int) -> tuple[Parameters, bytes]:
        """Parameters for the header, and the key of `size` bytes they lead to."""
        ...

    def key(self, parameters: Parameters, size: int) -> bytes:
        """The key again; KeyRingError when it cannot be had."""
        ...

    def refusal(self) -> str:
        """What to say when the key does not open the envelope."""
        ...


class PassphraseLock:
    """Argon2id over a passphrase; asked for once, derived once a salt."""

    kind = "argon2id"

    def __init__(self, ask: Callable[[], Secret]) -> None:
        self._ask = ask
        self._secret: Secret | None = None
        self._known: dict[tuple[object, ...], bytes] = {}
        self._last: Parameters | None = None

    def __repr__(self) -> str:
        return "PassphraseLock(…)"

    def __reduce__(self) -> str:
        raise TypeError("a lock is not pickled")

    def make(self, size: int) -> tuple[Parameters, bytes]:
        """The salt stays the same while the process lives; every envelope has a nonce of its own."""
        parameters = self._last or {
            "salt": base64.b64encode(os.urandom(_SALT)).decode(),
            "iterations": _ITERATIONS,
            "lanes": _LANES,
            "memory_kib": _MEMORY_KIB,
        }
        return parameters, self.key(parameters, size)

    def key(self, parameters: Parameters, size: int) -> bytes:
        """Derive, or remember. Parameters beyond all measure are refused: a ring must not eat the machine."""
        if any(not 0 < int(parameters[name]) <= most for name, most in _MOST.items()):
            raise ValueError("parameters beyond measure")
        mark = (*sorted(parameters.items()), size)
        if mark not in self._known:
            self._known[mark] = self._derive(parameters, size)
        self._last = parameters
        return self._known[mark]

    def _derive(self, parameters: Parameters, size: int) -> bytes:
        self._secret = self._secret or self._ask()
        return Argon2id(
            salt=base64.b64decode(parameters["salt"], validate=True),
            length=size,
            iterations=int(parameters["iterations"]),
            lanes=int(parameters["lanes"]),
            memory_cost=int(parameters["memory_kib"]),
        ).derive(self._secret.reveal())

    def refusal(self) -> str:
        """A wrong passphrase and a changed file look the same."""
        return "the passphrase does not open the key ring (or the file was changed)"


def is_sealed(document: Any) -> bool:
    """Whether this is an envelope rather than a bare ring."""
    return isinstance(document, dict) and "header" in document


def seal(roots: Roots, lock: Lock) -> dict[str, Any]:
    """The ring in an envelope."""
    parameters, key = lock.make(roots.suite.cipher_bytes)
    nonce = os.urandom(_NONCE)
    header = {
        "sealed": 1,
        "suite": roots.suite.name,
        "lock": lock.kind,
        "parameters": dict(parameters),
        "nonce": base64.b64encode(nonce).decode(),
    }
    body = json.dumps(to_body(roots)).encode()
    sealed = roots.suite.cipher(key).encrypt(nonce, body, _associated(header))
    return {"header": header, "body": base64.b64encode(sealed).decode()}


def unseal(document: dict[str, Any], lock: Lock) -> Roots:
    """The ring out of its envelope; KeyRingError with the lock's words when it does not open.

    ValueError, KeyError, TypeError or AttributeError when it is no envelope.
    """
    header = document["header"]
    if header["sealed"] != 1:
        raise ValueError("an envelope of another release")
    if header["lock"] != lock.kind:
        raise KeyRingError(_OTHER_LOCK[lock.kind])
    suite = suite_of(header["suite"])
    nonce, sealed = (base64.b64decode(text, validate=True) for text in (header["nonce"], document["body"]))
    key = lock.key(header["parameters"], suite.cipher_bytes)
    try:
        body = suite.cipher(key).decrypt(nonce, sealed, _associated(header))
    except InvalidTag:
        raise KeyRingError(lock.refusal()) from None
    return from_body(json.loads(body))


_OTHER_LOCK = {
    "argon2id": "the key ring is sealed by a hardware module: set HUXUE_KEYRING=pkcs11:",
    "pkcs11": "the key ring is sealed by a passphrase, not by the hardware module: unset HUXUE_KEYRING",
}


def _associated(header: Mapping[str, Any]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
