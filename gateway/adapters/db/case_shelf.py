"""Cases as they are kept, a page at a time; limited by the grant's predicate."""

from gateway.adapters.db.cases import CASE, CASE_COLUMNS, case_of
from gateway.adapters.db.engine import Store
from gateway.adapters.predicate_sql import to_sql
from gateway.domain.case import CaseFile, CaseQuery
from gateway.domain.predicate import All, And, InRegion


class SqliteCaseShelf:
    """`gateway.domain.case.CaseShelf` over the embedded store; for worker threads."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, query: CaseQuery) -> list[CaseFile]:
        """One page, ordered by reference: the order tells nothing."""
        asked = InRegion("region", query.region) if query.region else All()
        where, binds = to_sql(And((query.rows, asked)), CASE_COLUMNS)
        if query.state is not None:
            where, binds["f_state"] = f"{where} AND c.state = :f_state", query.state.value
        if query.after is not None:
            where, binds["f_after"] = f"{where} AND c.ref > :f_after", query.after
        rows = self._store.reader.execute(
            f"SELECT {CASE} FROM case_file c WHERE {where} ORDER BY c.ref LIMIT :f_limit",
            {**binds, "f_limit": query.limit},
        )
        return [case_of(row) for row in rows]
