"""The key ring: pseudonyms, look-ups, sealing, signatures over tree heads, in both suites."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.keys import create_keyring, load_keyring, verify_head
from gateway.domain.model import SubjectId

_ROUNDS = 5
_MANY = 500_000
_SOME = 20_000
_FEW = 300


@dataclass(frozen=True, slots=True)
class KeyWork:
    """One kind of work in one suite; the best of several rounds."""

    name: str
    suite: str
    rate: float


def measure(folder: Path) -> list[KeyWork]:
    """Each kind of work in each suite."""
    return [work for suite in ("intl", "gm") for work in _suite(folder, suite)]


def _suite(folder: Path, suite: str) -> list[KeyWork]:
    path = folder / f"bench-{suite}.json"
    create_keyring(path, suite)
    ring = load_keyring(path)
    subjects = [SubjectId(hashlib.md5(b"%d" % number).digest()) for number in range(_MANY)]
    some = subjects[:_SOME]
    signature = ring.sign_head(b"head")

    def lookups() -> None:
        for number in range(_SOME):
            ring.lookup("resident_id", f"5304232015{number:08d}")

    def singles() -> None:
        for subject in some:
            ring.pseudonym("civil_affairs", subject)

    def verifying() -> None:
        for _ in range(_FEW):
            verify_head(ring.head_algorithm, ring.head_public_key, b"head", signature)

    works: list[tuple[str, int, Callable[[], object]]] = [
        ("pseudonyms, in bulk", _MANY, lambda: ring.pseudonyms("civil_affairs", subjects)),
        ("pseudonyms, one by one", _SOME, singles),
        ("look-ups, one by one", _SOME, lookups),
        ("identities sealed", _SOME, lambda: ring.seal_identities(some, [b"x" * 120] * _SOME)),
        ("tree heads signed", _FEW, lambda: [ring.sign_head(b"head") for _ in range(_FEW)]),
        ("tree heads verified", _FEW, verifying),
    ]
    return [KeyWork(name, suite, _rate(count, work)) for name, count, work in works]


def _rate(count: int, work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return count / best


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as found:
        for each in measure(Path(found)):
            print(f"{each.suite:5} {each.name:25} {each.rate:12,.0f} /s")
