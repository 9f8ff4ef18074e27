"""Which service makes which list: those of children, and the one of employers."""

from gateway.domain.audit import AuditEntry
from gateway.domain.decision import Grant
from gateway.domain.errors import Malformed
from gateway.domain.listing import Table
from gateway.services import employer_hits
from gateway.services.employer_hits import ListEmployers
from gateway.services.evidence import Evidence, Request
from gateway.services.list import ListRecords


class Lists:
    """Every list exchange behind the generic routes."""

    def __init__(self, evidence: Evidence, children: ListRecords, employers: ListEmployers) -> None:
        self._evidence, self._children, self._employers = evidence, children, employers

    async def decide(self, request: Request) -> Grant:
        """The grant for one of the lists; a list with a route of its own is not there."""
        if request.exchange != employer_hits.EXCHANGE:
            return await self._children.decide(request)
        grant = await self._evidence.decide(request)
        if request.term is not None:
            await self._evidence.failed(request, grant, Malformed.name)
            zh, en = "该名单没有学期，请勿填写 term。", "This list has no terms; leave out term."
            raise Malformed.of("bad_field", zh, en, "/term")
        return grant

    def detail(self, request: Request) -> str:
        """What the evidence says of the part that was asked for; nothing of a whole list."""
        return "" if request.exchange == employer_hits.EXCHANGE else self._children.detail(request)

    def page(
        self, request: Request, grant: Grant, limit: int, cursor: str | None, since: str | None = None
    ) -> tuple[bytes, AuditEntry]:
        """One page's bytes and its entry. Malformed where a list of children is asked for since some time: what is
        new on it would single children out."""
        if grant.exchange == employer_hits.EXCHANGE:
            return self._employers.page(request, grant, limit, cursor, since)
        if since is not None:
            zh, en = "该名单只提供完整内容，请勿填写 since。", "This list is given whole; leave out since."
            raise Malformed.of("bad_field", zh, en, "/since")
        return self._children.page(request, grant, limit, cursor)

    def table(self, request: Request, grant: Grant) -> Table:
        """The whole list, for a file."""
        if grant.exchange == employer_hits.EXCHANGE:
            return self._employers.table(request, grant)
        return self._children.table(request, grant)
