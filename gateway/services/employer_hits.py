"""`employer-hits`: the employers at which labour inspection confirmed children at work. A list of employers, not of children.

Nothing of a child is read for it: an employer's own rows are counted. A caller's flag `repeated` is made of the rows the
caller may see, so that it tells of no other county.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.deidentify import Mask, Released
from gateway.domain.errors import Malformed
from gateway.domain.inspections import EmployerHits, HitQuery, Inspections
from gateway.domain.listing import Table
from gateway.domain.ports import Clock
from gateway.domain.rulebook import Rulebook
from gateway.services import pages
from gateway.services.cursor import Cursors
from gateway.services.evidence import Evidence, Request
from schemas.catalogue import EXCHANGES

EXCHANGE = "employer-hits"
SOURCE = "sightings"
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")


class ListEmployers:
    """The use case: one page, evidence first. For worker threads."""

    def __init__(
        self, evidence: Evidence, inspections: Inspections, cursors: Cursors, clock: Clock, rulebook: Rulebook
    ) -> None:
        self._evidence, self._inspections, self._cursors = evidence, inspections, cursors
        self._clock, self._book = clock, rulebook

    def page(
        self, request: Request, grant: Grant, limit: int, cursor: str | None, since: str | None = None
    ) -> tuple[bytes, AuditEntry]:
        """One page's bytes and the entry that must be committed before they leave. Malformed for a `since` that is
        no month, or a cursor of another kind."""
        begin = _month(since)
        after = self._cursors.read(cursor, request, released=False)
        query = HitQuery(grant.rows, request.region, begin, after, limit + 1)
        shown, last = pages.cut(self._inspections.employers(query), limit)
        mask = Mask(EXCHANGES[EXCHANGE], grant)
        page = pages.Page(
            self._told(mask, request, shown, begin),
            self._cursors.told(last.employer_uscc if last else None, request, released=False),
            *self._freshness(request.region),
            disclosure=_ABOUT_EMPLOYERS,
            fields=mask.words,
        )
        return pages.written(self._evidence, request, grant, page)

    def table(self, request: Request, grant: Grant) -> Table:
        """The whole list, for a file."""
        found = self._inspections.employers(HitQuery(grant.rows, request.region))
        mask = Mask(EXCHANGES[EXCHANGE], grant)
        as_of, missing = self._freshness(request.region)
        return Table(
            keys=[each.employer_uscc for each in found],
            subjects=(),
            kinds=range(len(found)),
            alike=self._told(mask, request, found, None),
            names=tuple(mask.names),
            as_of=as_of,
            missing_sources=missing,
            key_told=False,
            words=mask.words,
        )

    def _told(
        self, mask: Mask, request: Request, found: Sequence[EmployerHits], begin: date | None
    ) -> list[Released]:
        return [mask.apply(self._record(request.region, each, begin)) for each in found]

    def _record(self, region: str, found: EmployerHits, begin: date | None) -> dict[str, object]:
        counted = [day for day in found.days if begin is None or day >= begin]
        repeated = self._book.of(region).repeated.crossing(found.days, self._clock.today())
        return {
            "employer_uscc": found.employer_uscc,
            "confirmed_hits": len(counted),
            "last_hit_month": f"{counted[-1]:%Y-%m}",
            "repeated": repeated is not None,
        }

    def _freshness(self, region: str) -> tuple[datetime, tuple[str, ...]]:
        """Where no file of inspection ever came, an empty list says nothing: the source is missing."""
        as_of = self._inspections.as_of(region)
        missing = () if as_of else (SOURCE,)
        return datetime.combine(as_of or self._clock.today(), time(), UTC), missing


_ABOUT_EMPLOYERS: Mapping[str, object] = {"k": None, "k_reached": True, "generalised": []}
"""The members that every page of a list bears: nothing was made coarser, since no row is about a child."""


def _month(text: str | None) -> date | None:
    """The first day of ``YYYY-MM``. A day is refused: two lists a day apart would tell the day of a hit."""
    if text is None:
        return None
    found = _MONTH.fullmatch(text)
    if found is None:
        zh, en = "since 应为月份，如 2026-03。", "since is a month, as 2026-03."
        raise Malformed.of("bad_field", zh, en, "/since")
    return date(int(found[1]), int(found[2]), 1)
