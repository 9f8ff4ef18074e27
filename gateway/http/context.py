"""What the routers need, put together once by `gateway.app`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from starlette.requests import Request

from gateway.domain.errors import NotPermitted
from gateway.domain.jobs import FileStore
from gateway.domain.spreadsheet import SpreadsheetFiles
from gateway.http.auth import Authenticator
from gateway.http.holder import Binding
from gateway.http.oauth import TokenServer
from gateway.http.rates import RateBook
from gateway.services.alerts import Alerts
from gateway.services.ask import Ask
from gateway.services.ask_advice import AskAdvice
from gateway.services.cases import Cases
from gateway.services.catalogue import CatalogueView
from gateway.services.child_file import ChildFile
from gateway.services.deletions import Deletions
from gateway.services.disclosures import Disclosures
from gateway.services.duties import Duties
from gateway.services.duty_actions import DutyActions
from gateway.services.evidence import Evidence
from gateway.services.explain import Explain
from gateway.services.export import Export
from gateway.services.fetch_document import FetchDocument
from gateway.services.handover import Handing
from gateway.services.health import Health
from gateway.services.instruments import CaseInstruments
from gateway.services.issue import Issue
from gateway.services.ledgers import LedgerPages
from gateway.services.list import ListRecords
from gateway.services.mapping import Mapping
from gateway.services.refer import Refer
from gateway.services.referral_steps import ReferralSteps
from gateway.services.reporting import Reporting
from gateway.services.resolve import Resolve
from gateway.services.serve import Serve
from gateway.services.tables import Lists
from gateway.services.trail import Trail
from gateway.services.transparency import Transparency
from gateway.services.upload import Upload
from gateway.services.witness import Witness
from schemas.catalogue import EXCHANGES, Action, Exchange


@dataclass(frozen=True, slots=True)
class Notices:
    """The use cases around legal instruments, `notices` in the contract."""

    issue: Issue
    serve: Serve
    of_case: CaseInstruments
    fetch: FetchDocument


@dataclass(frozen=True, slots=True)
class Context:
    """The use cases behind the routes, and the edge's own parts."""

    public_url: str
    max_upload_bytes: int
    auth: Authenticator
    tokens: TokenServer
    binding: Binding
    rates: RateBook
    jwks: Callable[[], dict[str, object]]
    evidence: Evidence
    ask: Ask
    ask_advice: AskAdvice
    upload: Upload
    lists: ListRecords
    tables: Lists
    mapping: Mapping
    export: Export
    alerts: Alerts
    cases: Cases
    child_file: ChildFile
    explain: Explain
    duties: Duties
    duty_actions: DutyActions
    ledgers: LedgerPages
    deletions: Deletions
    reporting: Reporting
    catalogue: CatalogueView
    health: Health
    resolve: Resolve
    notices: Notices
    refer: Refer
    referral_steps: ReferralSteps
    handing: Handing
    disclosures: Disclosures
    files: SpreadsheetFiles
    store: FileStore
    transparency: Transparency
    trail: Trail
    witness: Witness
    landings: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))
    listings: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))


def context(request: Request) -> Context:
    """The application's context."""
    return cast(Context, request.app.state.context)


def exchange_of(name: str, action: Action) -> Exchange:
    """The exchange, when it exists and is used that way; NotPermitted otherwise, as for any other refusal."""
    exchange = EXCHANGES.get(name)
    if exchange is None or exchange.action is not action:
        raise NotPermitted
    return exchange
