"""Having one's own heads cosigned by witnesses, and noticing when a witness has seen another history."""

import asyncio
from collections.abc import Sequence

from gateway.domain.log.checkpoint import Head, cosigned_at, decimal
from gateway.domain.log.merkle import consistency_proof
from gateway.domain.log.note import MalformedNote, SignedNote, Verify, parse_note, parse_signatures
from gateway.domain.log.ports import Lease, LogStore, Peer
from gateway.domain.log.tiles import perfect_from
from gateway.domain.ports import Clock
from gateway.services.evidence import Evidence
from gateway.services.witness import raise_fork, submission

LEASE = "submit"
_OK, _DIFFERS, _NO_PROOF = 200, 409, 422
_ATTEMPTS = 3


class Witnessing:
    """The use case: `submit` from time to time. What went wrong is in `warnings`; it stops nothing."""

    def __init__(
        self,
        log: LogStore,
        lease: Lease,
        peers: Sequence[Peer],
        verify: Verify,
        evidence: Evidence,
        clock: Clock,
    ) -> None:
        self._log, self._lease, self._peers, self._verify = log, lease, peers, verify
        self._evidence, self._clock = evidence, clock
        self._told: set[str] = set()
        self.warnings: dict[str, str] = {}

    async def submit(self) -> None:
        """The newest head to every witness that has not signed it."""
        if not self._peers or not await asyncio.to_thread(self._lease.take, LEASE, self._clock.now()):
            return
        for peer in self._peers:
            await self._submit(peer)

    async def _submit(self, peer: Peer) -> None:
        """One witness: its last word tells where the proof starts; a few attempts, since heads move on."""
        name = peer.key.name
        try:
            old = signed = await asyncio.to_thread(self._log.last_cosigned, name)
            for _ in range(_ATTEMPTS):
                head = await asyncio.to_thread(self._log.head)
                if head is None or head.size == signed:
                    return
                after = await self._exchange(peer, head, min(old, head.size))
                if after is None:
                    return
                old = after
            self.warnings[name] = f"witness {name}: no agreement on where to start"
        except (OSError, MalformedNote) as error:
            self.warnings[name] = f"witness {name}: {type(error).__name__}"

    async def _exchange(self, peer: Peer, head: Head, old: int) -> int | None:
        """None when there is nothing more to do now; otherwise the size from which to try again."""
        proof = await asyncio.to_thread(consistency_proof, perfect_from(self._log.tile), old, head.size)
        reply = await peer.post(submission(old, proof, head.note))
        if reply.status == _OK:
            await self._keep(peer, head, reply.text)
        elif reply.status == _DIFFERS:
            return await self._elsewhere(peer, head, old, decimal(reply.text.strip()))
        elif reply.status == _NO_PROOF:
            await self._forked(peer, head, "no-proof")
        else:
            self.warnings[peer.key.name] = f"witness {peer.key.name}: answered {reply.status}"
        return None

    async def _elsewhere(self, peer: Peer, head: Head, old: int, known: int) -> int | None:
        newest = await asyncio.to_thread(self._log.head)
        if newest is not None and known > newest.size:
            await self._forked(peer, head, "witness-is-ahead")
            return None
        if known == old:
            await self._forked(peer, head, "same-size")
            return None
        return known

    async def _keep(self, peer: Peer, head: Head, lines: str) -> None:
        text = parse_note(head.note).text
        ours = [each for each in parse_signatures(lines) if each.key_id == peer.key.key_id]
        at = cosigned_at(SignedNote(text, tuple(ours)), peer.key, self._verify)
        if at is None:
            self.warnings[peer.key.name] = f"witness {peer.key.name}: its signature does not hold"
            return
        line = ours[-1].line
        await asyncio.to_thread(self._log.add_cosignature, head.size, peer.key.name, line, at)
        self.warnings.pop(peer.key.name, None)
        self._told.discard(peer.key.name)

    async def _forked(self, peer: Peer, head: Head, reason: str) -> None:
        """Said once for each witness: the entry makes a new head, which would be refused again."""
        name = peer.key.name
        self.warnings[name] = f"witness {name}: has seen another history of this log ({reason})"
        if name in self._told:
            return
        self._told.add(name)
        facts = {"reason": reason, "size": head.size, "side": "log", "witness": name}
        origin = parse_note(head.note).text.partition("\n")[0]
        await raise_fork(self._evidence, self._clock, origin, name, facts)
