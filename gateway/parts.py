"""What the composition root puts together, by name: for the application, its background work and the command line."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.adapters.cedar import CedarDecisionPoint
from gateway.adapters.clock import SystemClock
from gateway.adapters.db.engine import Store
from gateway.adapters.db.jobs import SqliteJobs
from gateway.adapters.db.journal import GroupCommitJournal
from gateway.adapters.db.ledger_refresh import SqliteLedgerKeeper
from gateway.adapters.db.transient import Transient
from gateway.adapters.keys import FileKeyRing
from gateway.adapters.keys.watch import RingWatch
from gateway.domain.rulebook import Rulebook
from gateway.http.context import Context
from gateway.log import LogParts
from gateway.services.child_lists.making import ChildList
from gateway.services.daily import Daily
from gateway.services.purge import Purge


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that is put together, for the application, the command line and the tests."""

    store: Store
    keys: FileKeyRing
    ring: RingWatch
    journal: GroupCommitJournal
    points: CedarDecisionPoint
    rulebook: Rulebook
    jobs: SqliteJobs
    daily: Daily
    lists: Mapping[str, ChildList]
    ledgers: SqliteLedgerKeeper
    transient: Transient
    clock: SystemClock
    purge: Purge
    context: Context
    log: LogParts

    def counties(self) -> list[str]:
        """Every county that has handed in anything."""
        return list(self.daily.counties())
