"""The composition root: with the command line the only place that knows every adapter."""

import os

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from connectors.registry import mapping_for
from gateway.adapters.db.case_shelf import SqliteCaseShelf
from gateway.adapters.db.days import SqliteDays
from gateway.adapters.db.duty_list import SqliteDuties
from gateway.adapters.db.evidence_index import SqliteChildEvidence, SqliteEvidenceIndex
from gateway.adapters.db.inspections import SqliteInspections
from gateway.adapters.db.instruments import SqliteInstruments
from gateway.adapters.db.leads import SqliteLeads
from gateway.adapters.db.ledger_refresh import LedgerDay
from gateway.adapters.db.ledgers import SqliteLedgers
from gateway.adapters.db.mappings import SqliteToldChildren
from gateway.adapters.db.purging import SqlitePurging
from gateway.adapters.db.reports import SqliteReports
from gateway.adapters.db.resolutions import SqliteResolutions
from gateway.adapters.db.transient import Transient
from gateway.adapters.documents.templates import load_offices, load_templates
from gateway.adapters.documents.writer import FileDocumentWriter
from gateway.adapters.export import ListWriter
from gateway.adapters.files import Files
from gateway.background import lifespan_of
from gateway.domain.errors import HuxueError
from gateway.domain.log.note import MalformedNote
from gateway.ground import Ground, lay_ground
from gateway.http.auth import Authenticator
from gateway.http.context import Context, Notices
from gateway.http.dpop import ProofReader
from gateway.http.fastlane import FastLane
from gateway.http.holder import Binding
from gateway.http.logging import configure
from gateway.http.middleware import SecurityHeaders
from gateway.http.nonces import Nonces
from gateway.http.oauth import TokenServer
from gateway.http.openapi import document
from gateway.http.peers import Peers
from gateway.http.problems import on_domain_error, on_http_error, on_unexpected, on_validation_error
from gateway.http.rates import RateBook
from gateway.http.routers import (
    audit,
    cases,
    catalogue,
    deletions,
    disclosures,
    duties,
    entrance,
    exchanges,
    handovers,
    identity,
    jobs,
    leads,
    ledgers,
    notices,
    pseudonyms,
    referrals,
    reports,
)
from gateway.lists import build_lists, placement_of
from gateway.log import LogParts, build_log
from gateway.parts import Parts
from gateway.services.aid_duties import AidDuties
from gateway.services.alerts import Alerts
from gateway.services.ask import Ask
from gateway.services.ask_advice import AskAdvice
from gateway.services.casefacts import CaseFacts
from gateway.services.cases import Cases
from gateway.services.casework import Casework
from gateway.services.catalogue import CatalogueView
from gateway.services.child_file import ChildFile
from gateway.services.child_lists.placement import ADVICE
from gateway.services.daily import Daily, DayTask
from gateway.services.deletions import Deletions
from gateway.services.disclosures import Disclosures
from gateway.services.duties import Duties
from gateway.services.duty_actions import DutyActions
from gateway.services.duty_ends import DutyEnds
from gateway.services.employer_hits import ListEmployers
from gateway.services.escalation import Escalation
from gateway.services.explain import Explain
from gateway.services.export import Export
from gateway.services.fetch_document import FetchDocument
from gateway.services.health import Health
from gateway.services.instruments import CaseInstruments, InstrumentDeskwork
from gateway.services.issue import Issue
from gateway.services.ledgers import LedgerPages
from gateway.services.list import ListRecords
from gateway.services.mapping import Mapping
from gateway.services.purge import Purge
from gateway.services.reporting import MakeReports, Reporting
from gateway.services.resolve import Resolve
from gateway.services.serve import Serve
from gateway.services.sweep import DailySweep
from gateway.services.tables import Lists
from gateway.services.upload import AgencyMapping, Upload
from gateway.services.use_resolution import UseResolution
from gateway.settings import Settings
from gateway.start import NotReady, prepare_data
from gateway.version import version


def build(settings: Settings) -> Parts:
    """Put the parts together; raises NotReady, PolicyError, KeyRingError or RulebookError."""
    prepare_data(settings)
    ground = lay_ground(settings)
    child_lists = build_lists(ground.store, ground.keys, ground.clock, ground.rulebook)
    lists = ListRecords(ground.evidence, child_lists.values(), ground.cursors)
    log, purge, daily = _log(ground), _purge(ground, lists), _daily(ground)
    return Parts(
        store=ground.store,
        keys=ground.keys,
        ring=ground.ring,
        journal=ground.journal,
        points=ground.points,
        rulebook=ground.rulebook,
        jobs=ground.jobs,
        daily=daily,
        lists=child_lists,
        ledgers=ground.ledgers,
        transient=Transient(ground.store),
        clock=ground.clock,
        purge=purge,
        context=_context(ground, lists, log, _health(ground, log, purge, daily), daily),
        log=log,
    )


def _daily(ground: Ground) -> Daily:
    """What a new day brings, in this order: leads first, then what hangs on them."""
    book = ground.rulebook
    everywhere: tuple[DayTask, ...] = (Escalation(book), MakeReports(book, ground.keys))
    tasks: tuple[DayTask, ...] = (
        DailySweep(book),
        CaseFacts(book, ground.evidence),
        *ground.referring.days,
        LedgerDay(book),
        AidDuties(book),
        DutyEnds(book),
        *everywhere,
    )
    days = SqliteDays(ground.store, ground.keys)
    return Daily(days, tasks, ground.clock, ground.evidence, everywhere)


def _log(ground: Ground) -> LogParts:
    try:
        return build_log(ground.settings, ground.store, ground.keys, ground.evidence, ground.clock)
    except (MalformedNote, OSError) as error:
        raise NotReady(f"keys of logs and witnesses cannot be read: {error}") from None


def _tables(ground: Ground, children: ListRecords) -> Lists:
    """Every list behind the generic routes."""
    kept = SqliteInspections(ground.store)
    employers = ListEmployers(ground.evidence, kept, ground.cursors, ground.clock, ground.rulebook)
    return Lists(ground.evidence, children, employers)


def _purge(ground: Ground, lists: ListRecords) -> Purge:
    return Purge(
        SqlitePurging(ground.store, ground.keys, ground.clock),
        ground.sealed_files,
        ground.notices,
        ground.rulebook,
        ground.clock,
        ground.policy_version,
        lists.forget_old,
    )


def _health(ground: Ground, log: LogParts, purge: Purge, daily: Daily) -> Health:
    """What /health/ready says, and what it warns of: the calendar, and whatever the parts have to say."""
    rulebook, clock, ring = ground.rulebook, ground.clock, ground.ring

    def warnings() -> list[str]:
        known = rulebook.duties.calendar.knows(clock.today())
        missing = [] if known else [f"no holiday calendar for {clock.today().year}: weekends only"]
        return [*missing, *log.warnings(), *purge.warnings(), *ring.warnings, *daily.warnings()]

    return Health(ground.store.probe, ground.policy_version, clock, ground.journal.notify, warnings)


def _context(ground: Ground, lists: ListRecords, log: LogParts, health: Health, daily: Daily) -> Context:
    settings, evidence = ground.settings, ground.evidence
    keys, clock = ground.keys, ground.clock
    binding, rates = _binding(ground), RateBook(ground.limits)
    tables = _tables(ground, lists)
    duties = Duties(evidence, SqliteDuties(ground.store), keys, clock, ground.cursors, ground.rulebook)
    return Context(
        public_url=settings.issuer,
        max_upload_bytes=settings.max_upload_mb * 2**20,
        auth=_auth(ground, binding, rates),
        tokens=TokenServer(ground.clients, lambda: keys.token_key, settings.issuer, settings.audiences),
        binding=binding,
        rates=rates,
        jwks=lambda: {"keys": [key.as_dict(private=False) for key in keys.token_keys]},
        evidence=evidence,
        ask=Ask(evidence, keys, clock, ground.rulebook, ground.guard),
        ask_advice=_ask_advice(ground),
        upload=_upload(ground, daily),
        lists=lists,
        tables=tables,
        mapping=Mapping(evidence, SqliteToldChildren(ground.store), keys, clock),
        export=_export(ground, tables),
        alerts=Alerts(
            evidence, SqliteLeads(ground.store, ground.journal), keys, clock, ground.cursors, ground.rulebook
        ),
        reporting=Reporting(
            evidence, SqliteReports(ground.store), ground.keys, ground.clock, ground.rulebook, Files()
        ),
        cases=Cases(evidence, SqliteCaseShelf(ground.store), keys, clock, ground.cursors, ground.rulebook),
        child_file=ChildFile(evidence, keys, clock, ground.guard, ground.rulebook),
        explain=Explain(evidence, SqliteLeads(ground.store, ground.journal), keys, clock, ground.rulebook),
        duties=duties,
        duty_actions=DutyActions(evidence, duties, clock, ground.rulebook, _agencies(ground)),
        ledgers=_ledgers(ground),
        deletions=Deletions(evidence, ground.notices, clock),
        catalogue=CatalogueView(ground.points),
        health=health,
        resolve=_resolve(ground),
        notices=_notices(ground),
        refer=ground.referring.refer,
        referral_steps=ground.referring.steps,
        handing=ground.referring.handing(log.key),
        disclosures=_disclosures(ground),
        files=Files(),
        store=ground.sealed_files,
        transparency=log.transparency,
        trail=log.trail,
        witness=log.witness,
    )


def _agencies(ground: Ground) -> list[str]:
    """Every agency but the gateway itself."""
    return [agency for agency in ground.points.bundle.registry.agencies if agency != "gateway"]


def _ledgers(ground: Ground) -> LedgerPages:
    return LedgerPages(
        ground.evidence,
        SqliteLedgers(ground.store),
        ground.ledgers,
        ground.keys,
        ground.clock,
        ground.cursors,
        ground.rulebook,
    )


def _binding(ground: Ground) -> Binding:
    """How tokens are held to their holders."""
    settings = ground.settings
    proofs = ProofReader(settings.addresses, Nonces(ground.keys.derived_id))
    peers = Peers(settings.proxies, settings.client_cert_header)
    return Binding(proofs, peers, settings.only_bound)


def _auth(ground: Ground, binding: Binding, rates: RateBook) -> Authenticator:
    keys, issuer = ground.keys, ground.settings.issuer
    return Authenticator(ground.clients, lambda: keys.token_keys, issuer, binding, rates, ground.evidence)


def _ask_advice(ground: Ground) -> AskAdvice:
    placement = placement_of(ADVICE, ground.store, ground.clock, ground.rulebook)
    return AskAdvice(ground.evidence, placement, ground.keys, ground.clock, ground.guard)


def _upload(ground: Ground, daily: Daily) -> Upload:
    return Upload(
        ground.evidence,
        ground.registers,
        Files(),
        ground.sealed_files,
        ground.keys,
        ground.clock,
        ground.rulebook,
        agency_mapping,
        daily.before,
        ground.referring.works,
    )


def _export(ground: Ground, tables: Lists) -> Export:
    return Export(
        ground.evidence,
        tables,
        ListWriter(),
        ground.jobs,
        ground.sealed_files,
        ground.notices,
        ground.clock,
        ground.rulebook.retention.copies["exports"],
    )


def _resolve(ground: Ground) -> Resolve:
    return Resolve(
        ground.evidence,
        SqliteResolutions(ground.store, ground.keys),
        ground.clients,
        ground.keys,
        ground.clock,
        ground.limits,
        ground.guard,
    )


def _notices(ground: Ground) -> Notices:
    """Legal instruments: worded from `policies/notices/`, which must fit the duties."""
    settings, evidence, book = ground.settings, ground.evidence, ground.rulebook
    templates = load_templates(settings.policies, book.duties.rules)
    desk = InstrumentDeskwork(evidence, ground.clock, templates, load_offices(settings.policies))
    using = UseResolution(evidence, ground.clients, ground.guard)
    kept = SqliteInstruments(ground.store, ground.keys)
    return Notices(
        Issue(desk, using, book),
        Serve(desk, Casework(book), book),
        CaseInstruments(desk, kept),
        FetchDocument(desk, using, kept, FileDocumentWriter()),
    )


def _disclosures(ground: Ground) -> Disclosures:
    return Disclosures(
        ground.evidence,
        SqliteEvidenceIndex(ground.store),
        SqliteChildEvidence(ground.store),
        ground.keys,
        ground.clock,
        lambda: ground.points.bundle.registry,
        ground.guard,
    )


def agency_mapping(dataset: str) -> AgencyMapping:
    """The headings and codes of the agency that provides a dataset, from its connector."""
    mapping = mapping_for(dataset)
    return AgencyMapping(mapping.headings, mapping.codes)


def create_app(settings: Settings) -> FastAPI:
    """The gateway as an ASGI application."""
    parts = build(settings)
    app = FastLane(
        title="护学 Huxue",
        version=version(),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        redirect_slashes=False,
        lifespan=lifespan_of(parts),
    )
    app.handler = exchanges.ask
    app.state.context = parts.context
    app.state.parts = parts
    app.state.public_url = settings.issuer
    for module in (
        entrance,
        catalogue,
        exchanges,
        jobs,
        leads,
        cases,
        duties,
        ledgers,
        identity,
        disclosures,
        audit,
        deletions,
        pseudonyms,
        notices,
        reports,
        referrals,
        handovers,
    ):
        app.include_router(module.router)
    app.add_exception_handler(HuxueError, on_domain_error)
    app.add_exception_handler(HTTPException, on_http_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(Exception, on_unexpected)
    app.add_middleware(SecurityHeaders)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    return app


def app_from_environment() -> FastAPI:
    """For several worker processes: each builds the application from `HUXUE_…`."""
    settings = Settings()
    os.umask(0o077)
    configure(settings.log_level)
    return create_app(settings)
