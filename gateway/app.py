"""The composition root: with the command line the only place that knows every adapter."""

import contextlib
import os
from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from connectors.registry import mapping_for
from gateway.adapters.cedar import CedarDecisionPoint, load
from gateway.adapters.clock import AsOfClock, SystemClock
from gateway.adapters.db.clients import SqliteClients
from gateway.adapters.db.engine import Store
from gateway.adapters.db.evidence_index import SqliteChildEvidence, SqliteEvidenceIndex
from gateway.adapters.db.jobs import SqliteJobs
from gateway.adapters.db.journal import GroupCommitJournal
from gateway.adapters.db.leads import SqliteLeads
from gateway.adapters.db.lists import SqliteLists
from gateway.adapters.db.mappings import SqliteToldChildren
from gateway.adapters.db.migrate import upgrade
from gateway.adapters.db.notices import SqliteNotices
from gateway.adapters.db.purging import SqlitePurging
from gateway.adapters.db.registers import SqliteRegisters
from gateway.adapters.db.resolutions import SqliteResolutions
from gateway.adapters.db.transient import Transient
from gateway.adapters.db.turn import Turn
from gateway.adapters.export import ListWriter
from gateway.adapters.files import Files
from gateway.adapters.filestore import SealedFileStore
from gateway.adapters.keys import FileKeyRing
from gateway.adapters.keys.roots import new_roots
from gateway.adapters.keys.secret import take
from gateway.adapters.keys.stores import (
    PASSPHRASE,
    EnvironmentRing,
    FileRing,
    RingPlace,
    make_passphrase,
    open_store,
)
from gateway.adapters.keys.suites import suite_of
from gateway.adapters.keys.watch import RingWatch
from gateway.adapters.limits import load_limits
from gateway.adapters.rulebook import load_rulebook
from gateway.background import lifespan_of
from gateway.domain.decision import PolicyError
from gateway.domain.errors import HuxueError
from gateway.domain.log.note import MalformedNote
from gateway.domain.rulebook import Rulebook
from gateway.http.auth import Authenticator
from gateway.http.context import Context
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
    catalogue,
    deletions,
    disclosures,
    entrance,
    exchanges,
    identity,
    jobs,
    leads,
    pseudonyms,
)
from gateway.log import LogParts, build_log
from gateway.parts import Parts
from gateway.services.alerts import Alerts
from gateway.services.ask import Ask
from gateway.services.catalogue import CatalogueView
from gateway.services.cursor import Cursors
from gateway.services.daily import Daily
from gateway.services.deletions import Deletions
from gateway.services.disclosures import Disclosures
from gateway.services.evidence import Evidence
from gateway.services.export import Export
from gateway.services.guard import Guard
from gateway.services.health import Health
from gateway.services.list import ListRecords, NeedyChildren
from gateway.services.mapping import Mapping
from gateway.services.purge import Purge
from gateway.services.resolve import Resolve
from gateway.services.upload import AgencyMapping, Upload
from gateway.settings import Settings
from gateway.version import version


class NotReady(Exception):
    """What is missing for a start, in words for the person who starts it."""


def prepare_data(settings: Settings) -> None:
    """Bring the data folder up to date. Production makes no keys: it says what is missing (NotReady)."""
    if settings.profile == "demo":
        settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_ring(settings)
    elif settings.as_of is not None:
        raise NotReady("--as-of is for the demo profile only")
    missing = [
        f"{what} ({how})"
        for what, path, how in (
            (f"data folder {settings.data}", settings.data, "mkdir it, owned by the service, mode 0700"),
            (f"key ring {settings.keyring_path}", settings.keyring_path, "huxue keys create --data DIR"),
        )
        if not path.exists() and not (path == settings.keyring_path and settings.keyring.startswith("env:"))
    ]
    if missing:
        raise NotReady("missing: " + "; ".join(missing))
    upgrade(f"sqlite:///{settings.store_path}")


def ring_store(settings: Settings) -> FileRing | EnvironmentRing:
    """Where the settings say the key ring is; nothing is read yet."""
    return open_store(
        RingPlace(
            where=settings.keyring,
            path=settings.keyring_path,
            passphrase_file=settings.keyring_passphrase_file,
            body_file=settings.keyring_body_file,
            module=settings.pkcs11_module,
            token=settings.pkcs11_token,
            pin_file=settings.pkcs11_pin_file,
            demo=settings.profile == "demo",
        )
    )


def _make_ring(settings: Settings) -> None:
    """The demo makes what is missing: a ring, and for a file a passphrase beside it."""
    store = ring_store(settings)
    if isinstance(store, FileRing) and not store.path.exists():
        if not settings.keyring.startswith("pkcs11:"):
            make_passphrase(store.path)
        with contextlib.suppress(FileExistsError):
            store.create(new_roots(suite_of(settings.cipher_suite), datetime.now(UTC)))


def open_ring(settings: Settings) -> RingWatch:
    """The key ring, read; NotReady when it is not of the suite that the settings name."""
    watch = RingWatch(ring_store(settings))
    if watch.ring.suite != settings.cipher_suite:
        raise NotReady(
            f"the key ring is of suite {watch.ring.suite} and HUXUE_CIPHER_SUITE is {settings.cipher_suite}:"
            f" set HUXUE_CIPHER_SUITE={watch.ring.suite}, or name another ring"
        )
    if watch.warnings and _seal_is_expected(settings):
        raise NotReady(
            f"the key ring {settings.keyring_path} is not sealed, though a passphrase or hardware module is set:"
            " if it is release 0.1's, run `huxue keys seal`; if it was sealed before, somebody has replaced it"
        )
    return watch


def _seal_is_expected(settings: Settings) -> bool:
    """Whoever can write files but knows no passphrase must not hand the gateway keys of his own."""
    given = take(PASSPHRASE, settings.keyring_passphrase_file) is not None
    return given or settings.keyring.startswith("pkcs11:")


def build(settings: Settings) -> Parts:
    """Put the parts together; raises NotReady, PolicyError, KeyRingError or RulebookError."""
    prepare_data(settings)
    bundle = load(settings.policies)
    failing = bundle.failing_cases()
    if failing:
        raise PolicyError(failing)
    points = CedarDecisionPoint(bundle)
    rulebook = load_rulebook(settings.policies)
    clock = AsOfClock(settings.as_of) if settings.as_of else SystemClock()
    ring = open_ring(settings)
    keys = ring.ring
    store = Store(settings.store_path)
    journal = GroupCommitJournal(store, keys, clock)
    evidence = Evidence(points, journal, clock, frozenset(bundle.registry.purposes))
    turn = Turn(store)
    clients, jobs_, files = SqliteClients(store, turn), SqliteJobs(store), Files()
    file_store = SealedFileStore(settings.data / "files", keys)
    registers = SqliteRegisters(store, keys, clock)
    cursors, needy = Cursors(keys), NeedyChildren(SqliteLists(store), keys, clock, rulebook)
    lists = ListRecords(evidence, needy, clock, cursors)
    sealed = _log(settings, store, keys, evidence, clock)
    limits = load_limits(settings.policies, bundle.registry.roles)
    rates, binding, guard = RateBook(limits), _binding(settings, keys), Guard(evidence, limits, clock)
    notices = SqliteNotices(store)
    purging = SqlitePurging(store, keys, clock)
    purge = Purge(purging, file_store, notices, rulebook, clock, lambda: points.version, lists.forget_old)
    warnings = _warnings(rulebook, clock, sealed.warnings, purge.warnings, lambda: ring.warnings)
    context = Context(
        public_url=settings.issuer,
        max_upload_bytes=settings.max_upload_mb * 2**20,
        auth=Authenticator(clients, lambda: keys.token_keys, settings.issuer, binding, rates, evidence),
        tokens=TokenServer(clients, lambda: keys.token_key, settings.issuer, settings.audiences),
        binding=binding,
        rates=rates,
        jwks=lambda: {"keys": [key.as_dict(private=False) for key in keys.token_keys]},
        evidence=evidence,
        ask=Ask(evidence, keys, clock, rulebook, guard),
        upload=Upload(evidence, registers, files, file_store, keys, clock, rulebook, agency_mapping),
        lists=lists,
        mapping=Mapping(evidence, SqliteToldChildren(store), keys, clock),
        export=Export(
            evidence,
            lists,
            ListWriter(),
            jobs_,
            file_store,
            notices,
            clock,
            rulebook.retention.copies["exports"],
        ),
        alerts=Alerts(evidence, SqliteLeads(store, journal), keys, clock, cursors),
        deletions=Deletions(evidence, notices, clock),
        catalogue=CatalogueView(points),
        health=Health(store.probe, lambda: points.version, clock, journal.notify, warnings),
        resolve=Resolve(evidence, SqliteResolutions(store, keys), clients, keys, clock, limits, guard),
        disclosures=Disclosures(
            evidence,
            SqliteEvidenceIndex(store),
            SqliteChildEvidence(store),
            keys,
            clock,
            lambda: points.bundle.registry,
            guard,
        ),
        files=files,
        store=file_store,
        transparency=sealed.transparency,
        trail=sealed.trail,
        witness=sealed.witness,
    )
    daily, transient = Daily(registers, rulebook, clock), Transient(store)
    return Parts(
        store,
        keys,
        ring,
        journal,
        points,
        rulebook,
        jobs_,
        daily,
        needy,
        transient,
        clock,
        purge,
        context,
        sealed,
    )


def _log(
    settings: Settings, store: Store, keys: FileKeyRing, evidence: Evidence, clock: SystemClock
) -> LogParts:
    try:
        return build_log(settings, store, keys, evidence, clock)
    except (MalformedNote, OSError) as error:
        raise NotReady(f"keys of logs and witnesses cannot be read: {error}") from None


def _warnings(
    rulebook: Rulebook, clock: SystemClock, *parts: Callable[[], list[str]]
) -> Callable[[], list[str]]:
    """What /health/ready warns of: the calendar, and whatever the parts have to say."""

    def now() -> list[str]:
        known = rulebook.duties.calendar.knows(clock.today())
        missing = [] if known else [f"no holiday calendar for {clock.today().year}: weekends only"]
        return [*missing, *(warning for part in parts for warning in part())]

    return now


def _binding(settings: Settings, keys: FileKeyRing) -> Binding:
    """How tokens are held to their holders."""
    proofs = ProofReader(settings.addresses, Nonces(keys.derived_id))
    peers = Peers(settings.proxies, settings.client_cert_header)
    return Binding(proofs, peers, settings.only_bound)


def recover(settings: Settings) -> None:
    """Once, before any worker starts: jobs that a stopped gateway left running will never finish."""
    store = Store(settings.store_path)
    SqliteJobs(store).fail_running()
    store.close()


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
        identity,
        disclosures,
        audit,
        deletions,
        pseudonyms,
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
