"""A legal instrument as a file: to the officer who issued it, or to a colleague by a resolution of the colleague's own.

The file is written first and told last: its digest is in the evidence, and in the child's list of who looked, before a
byte leaves. What was withdrawn, or belongs to a case that is over, is not handed out.
"""

import hashlib
from asyncio import to_thread
from dataclasses import dataclass

from gateway.domain.errors import Conflict, HuxueError, NotPermitted
from gateway.domain.instrument_record import Instrument, Instruments, InstrumentState
from gateway.domain.instruments import DocumentWriter, Format
from gateway.domain.principal import Principal
from gateway.services.instruments import Hand, InstrumentDeskwork, Told
from gateway.services.issue import identity_grant
from gateway.services.use_resolution import Asking, UseResolution


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which document, in which form, and by which resolution if the caller did not issue it."""

    principal: Principal
    instrument: str
    kind: Format
    resolution: str | None = None


class FetchDocument:
    """The use case."""

    def __init__(
        self,
        desk: InstrumentDeskwork,
        using: UseResolution,
        instruments: Instruments,
        writer: DocumentWriter,
    ) -> None:
        self._desk, self._using, self._instruments, self._writer = desk, using, instruments, writer

    async def __call__(self, wanted: Wanted) -> bytes:
        """The file's bytes. NotPermitted, Conflict, Unprintable."""
        desk = self._desk
        request, grant = await desk.named(wanted.principal)
        identity = await identity_grant(desk, wanted.principal)
        kept = await to_thread(self._instruments.kept, wanted.instrument, grant.rows)
        try:
            if kept is None or not _may_try(kept[0], wanted):
                raise NotPermitted
            content = await to_thread(self._writer.render, kept[1], wanted.kind)
        except HuxueError as error:
            await desk.evidence.failed(request, grant, error.name)
            raise

        def work(hand: Hand) -> Told:
            asking = Asking(hand.transaction, *identity, hand.now)
            found = self._allowed(hand, asking, wanted)
            digest = hashlib.sha256(content).hexdigest()
            return content, self._using.entry(asking, found.subject, f"document {found.id}", digest)

        return await desk.perform((request, grant), work)

    def _allowed(self, hand: Hand, asking: Asking, wanted: Wanted) -> Instrument:
        desk = self._desk
        found, case = desk.own(hand, wanted.instrument)
        if found.state is InstrumentState.VOIDED:
            voided = Conflict("该文书已撤回。", "The notice was withdrawn.")
            raise desk.refusal(hand, voided, found.subject)
        if found.issued_by(hand.who):
            self._using.count(asking, found.subject)
            return found
        if wanted.resolution is None:
            raise desk.refusal(hand, NotPermitted(), found.subject)
        resolution = self._using.checked(asking, wanted.resolution, case.ref)
        self._using.count(asking, found.subject)
        self._using.spend(asking, resolution)
        return found


def _may_try(found: Instrument, wanted: Wanted) -> bool:
    """Looked at before anything is written, so that nobody else learns even whether it prints; decided in the commit."""
    who = wanted.principal
    return found.of_team(who) and (found.issued_by(who) or wanted.resolution is not None)
