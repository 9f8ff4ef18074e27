"""The root keys: what a ring's body holds, in memory and as JSON. Nothing here is ever shown.

Body, format 2: ``{"format": 2, "suite": …, "roots": {name: {version: {"secret", "public"?, "created", "retires"?}}}}``,
secrets in base64. Format 1 (release 0.1) had no times, no key for tree heads and one version of each; it is read as
version 1 of everything. Its key for tree heads follows from its `ids` root, so that it is the same at every start.
"""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import ECKey

from gateway.adapters.keys.heads import generate_head_key
from gateway.adapters.keys.suites import INTL, ROOT_BYTES, Suite, suite_of

NAMES = ("index", "identity", "files", "ids", "pseudonym", "log", "token")
TURNING = ("pseudonym", "index", "identity", "files", "log", "token")
"""`ids` does not turn: leads, cases and duties are found again by the id that it gives them."""

_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
"""When a key of format 1 was made: unknown, but before this release."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one root. Without a secret it only says which public key was in use until when."""

    number: int
    secret: bytes | None = field(repr=False)
    created: datetime
    retires: datetime | None = None
    public: bytes | None = field(default=None, repr=False)

    def __reduce__(self) -> str:
        raise TypeError("root secrets are not pickled")


@dataclass(frozen=True, slots=True)
class Roots:
    """Every version of every root, oldest first."""

    suite: Suite
    versions: Mapping[str, tuple[Version, ...]]

    def __repr__(self) -> str:
        return "Roots(…)"

    def __reduce__(self) -> str:
        raise TypeError("root secrets are not pickled")

    def of(self, name: str) -> tuple[Version, ...]:
        """The versions of a root."""
        return self.versions[name]

    def with_versions(self, name: str, versions: tuple[Version, ...]) -> "Roots":
        """The same with other versions of one root."""
        return replace(self, versions={**self.versions, name: versions})

    def __deepcopy__(self, _memo: object) -> "Roots":
        raise TypeError("root secrets are not copied")


def new_version(suite: Suite, name: str, number: int, created: datetime) -> Version:
    """A fresh key for that use."""
    public = None
    if name == "log":
        secret, public = generate_head_key(suite.heads)
    elif name == "token":
        key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        secret = json.dumps(key.as_dict(private=True)).encode()
    else:
        secret = os.urandom(ROOT_BYTES)
    return Version(number, secret, created, None, public)


def new_roots(suite: Suite, now: datetime) -> Roots:
    """A new ring: version 1 of everything."""
    return Roots(suite, {name: (new_version(suite, name, 1, now),) for name in NAMES})


def to_body(roots: Roots) -> dict[str, Any]:
    """The ring as JSON values, format 2."""
    return {
        "format": 2,
        "suite": roots.suite.name,
        "roots": {
            name: {str(each.number): _written(each) for each in versions}
            for name, versions in roots.versions.items()
        },
    }


def _written(version: Version) -> dict[str, str]:
    times = {"created": version.created, "retires": version.retires}
    keys = {"secret": version.secret, "public": version.public}
    return {
        **{name: base64.b64encode(raw).decode() for name, raw in keys.items() if raw is not None},
        **{name: moment.isoformat() for name, moment in times.items() if moment is not None},
    }


def from_body(body: dict[str, Any]) -> Roots:
    """A ring out of its JSON values; ValueError, KeyError, TypeError or AttributeError when it is none."""
    if "format" not in body:
        return _from_first_format(body)
    if body["format"] != 2:
        raise ValueError("a format of another release")
    suite = suite_of(body["suite"])
    versions = {name: _read(body["roots"][name]) for name in NAMES}
    return Roots(suite, versions)


def _read(versions: dict[str, dict[str, str]]) -> tuple[Version, ...]:
    if not versions:
        raise ValueError("a root without a version")
    return tuple(
        sorted((_version(int(number), each) for number, each in versions.items()), key=lambda v: v.number)
    )


def _version(number: int, written: dict[str, str]) -> Version:
    keys = {
        name: base64.b64decode(written[name], validate=True)
        for name in ("secret", "public")
        if name in written
    }
    retires = datetime.fromisoformat(written["retires"]) if "retires" in written else None
    created = datetime.fromisoformat(written["created"])
    return Version(number, keys.get("secret"), created, retires, keys.get("public"))


def _from_first_format(body: dict[str, Any]) -> Roots:
    secrets = {name: {1: body["roots"][name]} for name in ("index", "identity", "files", "ids")}
    secrets["pseudonym"] = {int(number): text for number, text in body["pseudonym"].items()}
    versions = {
        name: tuple(
            Version(number, base64.b64decode(text), _BEGINNING) for number, text in sorted(each.items())
        )
        for name, each in secrets.items()
    }
    token = json.dumps(dict(body["token"])).encode()
    seed = INTL.derive(versions["ids"][0].secret or b"", "huxue/log")
    public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    versions["log"] = (Version(1, seed, _BEGINNING, None, public),)
    versions["token"] = (Version(1, token, _BEGINNING),)
    return Roots(suite_of(body["suite"]), versions)
