"""What the log shows: its head, tiles, consistency proofs, and receipts for answers that were given."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from gateway.domain.audit import leaf_hash
from gateway.domain.decision import Grant, Treatment
from gateway.domain.errors import HuxueError, Malformed, NotPermitted
from gateway.domain.log.checkpoint import Head
from gateway.domain.log.merkle import EMPTY_ROOT, HASH_BYTES, consistency_proof, inclusion_proof
from gateway.domain.log.note import Vkey
from gateway.domain.log.ports import LogStore, Placed
from gateway.domain.log.tiles import WIDTH, MissingTile, perfect_from, width_at
from gateway.domain.moments import to_second
from gateway.domain.principal import Principal
from gateway.services.evidence import Evidence, Request
from schemas.catalogue import EXCHANGES, Action

EXCHANGE = "audit-log"


@dataclass(frozen=True, slots=True)
class Receipt:
    """`body` as JSON; None while the entry waits for the next sealing."""

    body: bytes | None

    def without_entry(self) -> "Receipt":
        """The proof alone."""
        return Receipt(orjson.dumps({**orjson.loads(self.body), "entry": None}) if self.body else None)


class Transparency:
    """The use case. Heads, proofs and tiles hold hashes only: anybody with a token may have them."""

    def __init__(self, log: LogStore, evidence: Evidence, key: Callable[[], Vkey]) -> None:
        self._log, self._evidence, self._key = log, evidence, key

    def head(self) -> Mapping[str, object]:
        """The newest head; size 0 and no checkpoint before the first entry is sealed."""
        head = self._log.head()
        lines = self._log.cosignatures(head.size) if head else ()
        return {
            "origin": self._key().name,
            "size": head.size if head else 0,
            "root": _encoded(head.root if head else EMPTY_ROOT),
            "at": to_second(head.at) if head else None,
            "checkpoint": head.note + "".join(lines) if head else None,
            "cosignatures": list(lines),
            "vkey": head.vkey if head else self._key().text,
        }

    def checkpoint(self) -> str:
        """The newest head as a signed note; NotPermitted, as for whatever is not there, before the first."""
        head = self._log.head()
        if head is None:
            raise NotPermitted
        return self._note(head)

    def _note(self, head: Head) -> str:
        return head.note + "".join(self._log.cosignatures(head.size))

    def consistency(self, first: int, second: int | None) -> Mapping[str, object]:
        """That the tree of `second` entries (default: all sealed) continues that of `first`."""
        head = self._log.head()
        size = head.size if head else 0
        last = size if second is None else second
        if not 0 <= first <= last <= size:
            zh, en = f"日志现有 {size} 条已封存记录。", f"The log has {size} sealed entries."
            raise Malformed.of("bad_parameter", zh, en, "/query/to")
        proof = consistency_proof(perfect_from(self._log.tile), first, last)
        return {"from": first, "to": last, "proof": [_encoded(each) for each in proof]}

    def tile(self, level: int, index: int, width: int) -> bytes:
        """The hashes of a tile that a sealed head calls for; NotPermitted for any other."""
        head = self._log.head()
        if head is None or not 1 <= width <= width_at(level, index, head.size):
            raise NotPermitted
        return self._log.tile(level, index)[: width * HASH_BYTES]

    def own(self, principal: Principal, reference: str) -> Receipt | None:
        """The receipt of an answer this client got; None when it is somebody else's, or none at all."""
        placed = self._log.placed(reference)
        if placed is None or orjson.loads(placed.body)["client"] != principal.client:
            return None
        return self._receipt(reference, placed)

    def any(self, reference: str) -> Receipt | None:
        """The receipt whosesoever it is; whether the caller may see it is decided before."""
        placed = self._log.placed(reference)
        return self._receipt(reference, placed) if placed else None

    def regions(self, reference: str) -> Sequence[str]:
        """Whose answer it was, and about children of which region: what the auditor's reach is measured by."""
        placed = self._log.placed(reference)
        body = orjson.loads(placed.body) if placed else {}
        return [str(body[name]) for name in ("region", "asked_region") if name in body]

    async def refuse(self, principal: Principal) -> None:
        """Somebody else's reference and an unknown one look alike, and both are recorded."""
        await self._evidence.refused(principal, "unknown-reference")
        raise NotPermitted

    async def audited(self, principal: Principal, reference: str, purpose: str) -> Receipt:
        """The auditor's look, in the evidence before it is told."""
        request = Request(principal, Action.LIST, EXCHANGE, purpose, principal.region)
        grant = await self._evidence.decide(request)
        seen = [{"region": region, "sealed": False} for region in self.regions(reference)]
        receipt = self.any(reference) if any(grant.rows.evaluate(each) for each in seen) else None
        if receipt is None:
            await self._evidence.failed(request, grant, "unknown-reference")
            raise NotPermitted
        entry = self._evidence.entry(request, grant, count=1, detail=f"receipt:{reference}")
        await self._evidence.journal.record(entry)
        return receipt if _everything(grant) else receipt.without_entry()

    def _receipt(self, reference: str, placed: Placed) -> Receipt:
        head = self._log.head()
        if placed.index is None or head is None:
            return Receipt(None)
        return Receipt(orjson.dumps(self._proof(reference, placed, placed.index, head)))

    def _proof(self, reference: str, placed: Placed, index: int, head: Head) -> Mapping[str, object]:
        start = index % WIDTH * HASH_BYTES
        told = self._log.tile(0, index // WIDTH)[start : start + HASH_BYTES]
        if not told == placed.leaf == leaf_hash(placed.body):
            raise HuxueError("该记录与日志不符。", "The entry is not what the log says.")
        try:
            proof = inclusion_proof(perfect_from(self._log.tile), index, head.size)
        except MissingTile:
            raise HuxueError("日志不完整。", "The log is not whole.") from None
        return {
            "reference": reference,
            "leaf_index": index,
            "tree_size": head.size,
            "leaf": _encoded(placed.leaf),
            "proof": [_encoded(each) for each in proof],
            "checkpoint": self._note(head),
            "vkey": head.vkey,
            "entry": _shown(placed.body),
        }


def _everything(grant: Grant) -> bool:
    """The text that was hashed cannot be masked without breaking it: it is shown whole, or not."""
    return all(grant.fields.get(field.name) is Treatment.KEEP for field in EXCHANGES[EXCHANGE].fields)


def _shown(body: bytes) -> str | None:
    """The bytes that were hashed, as text. Entries of release 0.1 named the child's id: they are not shown."""
    return body.decode() if "v" in orjson.loads(body) else None


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
