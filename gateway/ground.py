"""What nearly every part of the gateway stands on, made once."""

from dataclasses import dataclass

from gateway.adapters.cedar import CedarDecisionPoint, usable
from gateway.adapters.clock import AsOfClock, SystemClock
from gateway.adapters.db.clients import SqliteClients
from gateway.adapters.db.engine import Store
from gateway.adapters.db.jobs import SqliteJobs
from gateway.adapters.db.journal import GroupCommitJournal
from gateway.adapters.db.ledger_refresh import SqliteLedgerKeeper
from gateway.adapters.db.notices import SqliteNotices
from gateway.adapters.db.registers import SqliteRegisters
from gateway.adapters.db.turn import Turn
from gateway.adapters.filestore import SealedFileStore
from gateway.adapters.keys import FileKeyRing
from gateway.adapters.keys.watch import RingWatch
from gateway.adapters.limits import load_limits
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.limits import LimitBook
from gateway.domain.rulebook import Rulebook
from gateway.referring import ReferringParts, build_referring
from gateway.services.cursor import Cursors
from gateway.services.evidence import Evidence
from gateway.services.guard import Guard
from gateway.settings import Settings
from gateway.start import open_ring


@dataclass(frozen=True, slots=True)
class Ground:
    """What nearly every part stands on."""

    settings: Settings
    points: CedarDecisionPoint
    rulebook: Rulebook
    referring: ReferringParts
    limits: LimitBook
    clock: SystemClock
    ring: RingWatch
    store: Store
    journal: GroupCommitJournal
    evidence: Evidence
    guard: Guard
    clients: SqliteClients
    registers: SqliteRegisters
    notices: SqliteNotices
    jobs: SqliteJobs
    sealed_files: SealedFileStore
    cursors: Cursors
    ledgers: SqliteLedgerKeeper

    @property
    def keys(self) -> FileKeyRing:
        """The ring's keys of now."""
        return self.ring.ring

    def policy_version(self) -> str:
        """Of the policies that decide now."""
        return self.points.version


def lay_ground(settings: Settings) -> Ground:
    """Raises PolicyError, KeyRingError, RulebookError."""
    points = CedarDecisionPoint(usable(settings.policies))
    rulebook = load_rulebook(settings.policies)
    limits = load_limits(settings.policies, points.bundle.registry.roles)
    clock = AsOfClock(settings.as_of) if settings.as_of else SystemClock()
    ring, store = open_ring(settings), Store(settings.store_path)
    keys = ring.ring
    journal = GroupCommitJournal(store, keys, clock)
    evidence = Evidence(points, journal, clock, frozenset(points.bundle.registry.purposes))
    return Ground(
        settings=settings,
        points=points,
        rulebook=rulebook,
        referring=build_referring(settings.policies, store, keys, evidence, clock, rulebook),
        limits=limits,
        clock=clock,
        ring=ring,
        store=store,
        journal=journal,
        evidence=evidence,
        guard=Guard(evidence, limits, clock),
        clients=SqliteClients(store, Turn(store)),
        registers=SqliteRegisters(store, keys, clock),
        notices=SqliteNotices(store),
        jobs=SqliteJobs(store),
        sealed_files=SealedFileStore(settings.data / "files", keys),
        cursors=Cursors(keys),
        ledgers=SqliteLedgerKeeper(store, rulebook),
    )
