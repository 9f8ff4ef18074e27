"""The transparency log put together for the application, and the work it does beside answering."""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from gateway.adapters.db.engine import Store
from gateway.adapters.db.log import SqliteLease, SqliteLog, keep_origin
from gateway.adapters.db.trail import SqliteTrail
from gateway.adapters.db.witness import SqliteWitness
from gateway.adapters.keys import FileKeyRing, verify_head
from gateway.adapters.witnesses import by_origin, publish_key, read_keys, read_witnesses
from gateway.domain.log.checkpoint import log_key, witness_key
from gateway.domain.log.note import Vkey
from gateway.domain.ports import Clock
from gateway.http.logging import log
from gateway.services.evidence import Evidence
from gateway.services.sealing import Sealer
from gateway.services.trail import Trail
from gateway.services.transparency import Transparency
from gateway.services.witness import Witness
from gateway.services.witnessing import Witnessing
from gateway.settings import Settings

SEAL_SECONDS = 1.0
SUBMIT_SECONDS = 10.0


def origin_for(wanted: str, public_key: bytes) -> str:
    """The log's name: what the settings say, or one made of its first key."""
    return wanted or f"huxue/{hashlib.sha256(public_key).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class LogParts:
    """Everything around the log."""

    key: Callable[[], Vkey]
    sealer: Sealer
    witnessing: Witnessing
    transparency: Transparency
    trail: Trail
    witness: Witness
    troubles: dict[str, str]

    def warnings(self) -> list[str]:
        """For /health/ready."""
        return [*self.troubles.values(), *self.witnessing.warnings.values()]

    async def sealing(self) -> None:
        """Every second, off the event loop, for as long as the gateway runs."""
        while True:
            await asyncio.sleep(SEAL_SECONDS)
            await self._guarded("sealing", asyncio.to_thread(self.sealer.seal))

    async def submitting(self) -> None:
        """At most every ten seconds."""
        while True:
            await asyncio.sleep(SUBMIT_SECONDS)
            await self._guarded("witnessing", self.witnessing.submit())

    async def _guarded(self, name: str, work: Coroutine[Any, Any, object]) -> None:
        """A failure is said and tried again; answers go on, their entries wait to be sealed."""
        try:
            await work
            self.troubles.pop(name, None)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next turn tries again
            if name not in self.troubles:
                log.error(name, exc_info=error)
            self.troubles[name] = f"{name} of the log fails: {type(error).__name__}"


def build_log(
    settings: Settings, store: Store, keys: FileKeyRing, evidence: Evidence, clock: Clock
) -> LogParts:
    """Raises MalformedNote or OSError when a key in the settings cannot be read."""
    origin = keep_origin(store, origin_for(settings.log_origin, keys.head_public_key))
    published: set[Vkey] = set()

    def key() -> Vkey:
        """Today's key; a new one is in the public file before it signs anything."""
        found = log_key(origin, keys.head_algorithm, keys.head_public_key)
        if found not in published:
            publish_key(settings.log_key_path, found)
            published.add(found)
        return found

    def own() -> Vkey:
        return witness_key(origin, keys.head_algorithm, keys.head_public_key)

    key()
    sealed, lease = SqliteLog(store), SqliteLease(store)
    watched = by_origin(read_keys(settings.witnessed_logs) if settings.witnessed_logs else [])
    peers = read_witnesses(settings.witnesses)
    return LogParts(
        key=key,
        sealer=Sealer(sealed, lease, keys, clock, key),
        witnessing=Witnessing(sealed, lease, peers, verify_head, evidence, clock),
        transparency=Transparency(sealed, evidence, key),
        trail=Trail(evidence, SqliteTrail(store), clock),
        witness=Witness(SqliteWitness(store), watched, verify_head, keys, clock, own, evidence),
        troubles={},
    )
