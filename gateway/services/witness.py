"""A witness cosigns heads of other gateways' logs that continue all it has seen of them (C2SP tlog-witness).

It refuses a head that contradicts what it has seen, keeps both signed notes, and raises an alarm: whoever runs a log
cannot show one history to the county and another to the province. The alarm needs two heads of one size, both signed by
the log: anybody may call, and anybody can hand in a true head with a wrong proof. Such a head is refused and kept, and
compared with every head of its size that comes later.
"""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.alarms import LOG_FORK
from gateway.domain.audit import AuditEntry
from gateway.domain.errors import InvalidRecord, Malformed, NotPermitted
from gateway.domain.log.checkpoint import Checkpoint, cosigned, decimal, parse_checkpoint, signed_by
from gateway.domain.log.merkle import HASH_BYTES, verify_consistency
from gateway.domain.log.note import MalformedNote, SignedNote, Verify, Vkey, parse_note
from gateway.domain.log.ports import FORKED, UNPROVEN, Seen, WitnessStore
from gateway.domain.model import AlarmDraft
from gateway.domain.ports import Clock, KeyRing, Transaction
from gateway.domain.principal import Principal
from gateway.services.evidence import Evidence, Request
from gateway.services.transparency import EXCHANGE
from schemas.catalogue import Action

_MOST_PROOF_LINES = 63


def itself(client: str) -> Principal:
    """The gateway, where it acts by itself: of no region."""
    return Principal(client=client, agency="gateway", role="gateway/log", region="")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A request to cosign, read but not believed."""

    old: int
    proof: tuple[bytes, ...]
    note: SignedNote
    checkpoint: Checkpoint


def parse_submission(text: str) -> Submitted:
    """Old size, proof, blank line, checkpoint; MalformedNote when it is not so."""
    first, _, whole = text.partition("\n\n")
    lines = first.split("\n")
    word, _, size = lines[0].partition(" ")
    if word != "old" or len(lines) - 1 > _MOST_PROOF_LINES:
        raise MalformedNote("no old size")
    note = parse_note(whole)
    return Submitted(decimal(size), tuple(map(_hash, lines[1:])), note, parse_checkpoint(note.text))


def submission(old: int, proof: Sequence[bytes], note: str) -> str:
    """The text `parse_submission` reads."""
    lines = "".join(f"{base64.b64encode(each).decode()}\n" for each in proof)
    return f"old {old}\n{lines}\n{note}"


def _hash(line: str) -> bytes:
    try:
        found = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedNote("not a hash") from None
    if len(found) != HASH_BYTES:
        raise MalformedNote("not a hash")
    return found


@dataclass(frozen=True, slots=True)
class Cosigned:
    """The witness's signature line."""

    line: str


@dataclass(frozen=True, slots=True)
class Differs:
    """The size of the newest head this witness has cosigned: the submission has to start there."""

    size: int


class Witness:
    """The use case. `logs` are the keys of the logs it has agreed to watch."""

    def __init__(
        self,
        store: WitnessStore,
        logs: Mapping[str, Sequence[Vkey]],
        verify: Verify,
        keys: KeyRing,
        clock: Clock,
        key: Callable[[], Vkey],
        evidence: Evidence,
    ) -> None:
        self._store, self._logs, self._verify = store, logs, verify
        self._keys, self._clock, self._key, self._evidence = keys, clock, key, evidence

    async def add_checkpoint(self, body: bytes) -> Cosigned | Differs:
        """Cosigned, or the size to start from.

        Raises Malformed; NotPermitted for a log that is not watched or a note it did not sign; InvalidRecord for a
        proof that does not hold.
        """
        try:
            asked = parse_submission(body.decode())
            known = self._logs.get(asked.checkpoint.origin, ())
            if signed_by(asked.note, known, self._verify) is None:
                raise NotPermitted
        except (MalformedNote, UnicodeDecodeError):
            raise Malformed("不是有效的检查点。", "Not a checkpoint to cosign.") from None
        if asked.old > asked.checkpoint.size:
            raise Malformed("检查点小于起点。", "The checkpoint is smaller than the old size.")
        return await self._judge(asked)

    async def _judge(self, asked: Submitted) -> Cosigned | Differs:
        checkpoint = asked.checkpoint
        newest = await asyncio.to_thread(self._store.newest, checkpoint.origin)
        for other in await asyncio.to_thread(self._store.signed_at, checkpoint.origin, checkpoint.size):
            if other.root != checkpoint.root:
                await self._report(checkpoint, other.note, asked.note.whole)
                return Differs(newest.size if newest else 0)
        if asked.old != (newest.size if newest else 0):
            return Differs(newest.size if newest else 0)
        if newest is not None and not verify_consistency(
            newest.size, checkpoint.size, newest.root, checkpoint.root, asked.proof
        ):
            await self._keep(checkpoint.origin, newest.note, asked.note.whole, UNPROVEN)
            raise InvalidRecord("一致性证明不成立。", "The consistency proof does not hold.")
        return await self._accept(asked, newest)

    async def _accept(self, asked: Submitted, newest: Seen | None) -> Cosigned | Differs:
        """Kept before it is signed: whatever happens in between, no smaller or other head is signed later."""
        checkpoint, now = asked.checkpoint, self._clock.now()
        new = Seen(checkpoint.size, checkpoint.root, asked.note.whole)
        if not await asyncio.to_thread(self._store.accept, checkpoint.origin, newest, new, now):
            later = await asyncio.to_thread(self._store.newest, checkpoint.origin)
            return Differs(later.size if later else 0)
        return Cosigned(cosigned(asked.note.text, self._key(), self._keys.sign_head, now).line)

    async def _report(self, checkpoint: Checkpoint, known: str, offered: str) -> None:
        """The alarm is raised and both notes are kept, once for every pair; the alarm first, so that none is lost."""
        origin = checkpoint.origin
        if await asyncio.to_thread(self._store.is_new_fork, origin, known, offered, FORKED):
            facts = {"reason": FORKED, "size": checkpoint.size, "side": "witness"}
            await raise_fork(self._evidence, self._clock, origin, FORKED, facts)
            await self._keep(origin, known, offered, FORKED)

    async def _keep(self, origin: str, known: str, offered: str, reason: str) -> None:
        if await asyncio.to_thread(self._store.is_new_fork, origin, known, offered, reason):
            now = self._clock.now()
            await asyncio.to_thread(self._store.keep_fork, origin, known, offered, reason, now)


async def raise_fork(
    evidence: Evidence, clock: Clock, origin: str, key: str, facts: Mapping[str, object]
) -> None:
    """The alarm and its entry, together."""
    request = Request(itself("gateway"), Action.LIST, EXCHANGE, "audit", "")
    draft = AlarmDraft(LOG_FORK, "", origin, f"{origin}/{key}", facts)

    def work(transaction: Transaction) -> tuple[None, AuditEntry]:
        transaction.raise_alarm(draft, clock.now())
        return None, evidence.entry(request, None, "refuse", detail=f"{LOG_FORK}:{key}")

    await evidence.journal.perform(work)
