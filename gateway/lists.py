"""The lists of children put together: each noun with what it reads of the store."""

from gateway.adapters.db.aid_rows import SqliteAidRows
from gateway.adapters.db.assessments import SqliteAssessments
from gateway.adapters.db.engine import Store
from gateway.adapters.db.lists import SqliteLists
from gateway.domain.ports import Clock, KeyRing
from gateway.domain.rulebook import Rulebook
from gateway.services.child_lists.aid_gap import AidGap
from gateway.services.child_lists.making import ChildList
from gateway.services.child_lists.needy_children import NeedyChildren
from gateway.services.child_lists.placement import ADVICE, OUTCOMES, Placement


def build_lists(store: Store, keys: KeyRing, clock: Clock, book: Rulebook) -> dict[str, ChildList]:
    """Every list of children, by exchange."""
    nouns = (
        NeedyChildren(SqliteLists(store), clock, book),
        AidGap(SqliteAidRows(lambda: store.reader), clock, book),
        placement_of(ADVICE, store, clock, book),
        placement_of(OUTCOMES, store, clock, book),
    )
    return {noun.exchange: ChildList(noun, keys, clock, book) for noun in nouns}


def placement_of(exchange: str, store: Store, clock: Clock, book: Rulebook) -> Placement:
    """Assessed children, in the words of that exchange."""
    return Placement(exchange, SqliteAssessments(store), clock, book)
