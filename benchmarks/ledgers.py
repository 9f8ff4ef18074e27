"""The ledgers and duties of 500,000 children: after one day's files, and page by page, on the store and over HTTP."""

import os
import random
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import FileIO
from pathlib import Path
from statistics import median

from benchmarks.server import Gateway, gateway
from gateway.adapters.db.ledger_refresh import SqliteLedgerKeeper
from gateway.adapters.db.ledgers import SqliteLedgers
from gateway.app import build
from gateway.domain.ledger import Ledger
from gateway.domain.ledger_desk import LedgerQuery
from gateway.domain.predicate import All, Equals, InRegion
from gateway.parts import Parts
from gateway.services.daily import Daily
from gateway.settings import Settings

CHILDREN = 500_000
COUNTY, TODAY = "530423", date(2026, 11, 20)
_SCHOOLS = tuple(f"21530{number:05d}" for number in range(400))
_TOWNSHIPS = tuple(f"{COUNTY}{number}" for number in range(100, 116))
_PAGES = 20


Spread = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figures:
    """Seconds of whole recomputations, and the slowest of some pages in milliseconds; `asked` is over HTTP, median and
    slowest, and `disk` the same of a small write with fsync after each of those pages: no evidence is faster than that."""

    first_seconds: float
    day_seconds: float
    quiet_seconds: float
    pages: dict[str, float]
    asked: dict[str, Spread]
    disk: Spread
    peak_megabytes: float


def measure(folder: Path, children: int = CHILDREN) -> Figures:
    """Fill a store, keep its ledgers, take in a day's files, keep them again; then read."""
    parts = build(Settings(data=folder / "ledgers", profile="demo", as_of=TODAY, log_level="WARNING"))
    try:
        _fill(parts, children)
        first = _seconds(lambda: parts.ledgers.refresh(COUNTY, TODAY))
        tomorrow = TODAY + timedelta(days=1)
        _days_files(parts, children, tomorrow)
        day = _seconds(lambda: _live(parts, tomorrow))
        quiet = _seconds(lambda: _live(parts, tomorrow + timedelta(days=1)))
        pages = dict(_pages(SqliteLedgers(parts.store), tomorrow + timedelta(days=1)))
    finally:
        parts.context.binding.close()
        parts.store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    asked, disk = _asked(folder / "ledgers", tomorrow + timedelta(days=1))
    return Figures(first, day, quiet, pages, asked, disk, peak)


def _asked(data: Path, today: date) -> tuple[dict[str, Spread], Spread]:
    """The same lists as an officer's system asks for them: policy, mask, pseudonyms and evidence included."""
    with gateway(data, as_of=today.isoformat()) as served:
        headers = served.token("education/dropout_lead")
        wanted: dict[str, dict[str, str | int]] = {
            "school-age": {"limit": 100},
            "school-age, pages of 5,000": {"limit": 5000},
            "school-age, an earlier day": {"limit": 100, "as_of": TODAY.isoformat()},
            "school-age, a township": {"limit": 100, "region": _TOWNSHIPS[0]},
            "suspected": {"limit": 100},
            "dropped-out": {"limit": 100},
            "dropped-out, pages of 5,000": {"limit": 5000},
            "": {},
        }
        synced: list[float] = []
        with (data / "beside").open("wb", buffering=0) as beside:
            found = {
                name or "counts of all three": _spread(
                    _walked(served, headers, name.partition(",")[0], query, beside, synced)
                )
                for name, query in wanted.items()
            }
    return found, _spread(synced)


def _walked(
    served: Gateway,
    headers: dict[str, str],
    ledger: str,
    query: dict[str, str | int],
    beside: FileIO,
    synced: list[float],
) -> list[float]:
    """The first pages over HTTP, in milliseconds; after each, a write to the same disk by itself."""
    took, cursor = [], None
    for _ in range(_PAGES):
        params = {**query, **({"cursor": cursor} if cursor else {})}
        start = time.perf_counter()
        answer = served.call.get(f"/v1/ledgers/{ledger}".rstrip("/"), params=params, headers=headers)
        took.append((time.perf_counter() - start) * 1000)
        answer.raise_for_status()
        synced.append(_seconds(lambda: _synced(beside)) * 1000)
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            break
    return took


def _synced(file: FileIO) -> None:
    file.write(bytes(4096))
    os.fsync(file.fileno())


def _spread(took: list[float]) -> Spread:
    return median(took), max(took)


def _seconds(work: object) -> float:
    start = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - start


def _live(parts: Parts, day: date) -> None:
    """A day as the gateway lives it, with all of its tasks: leads, cases, referrals, ledgers, aid, duties, reports."""
    from gateway.adapters.db.days import SqliteDays

    class _Clock:
        def today(self) -> date:
            return day

        def now(self) -> datetime:
            return datetime.combine(day, datetime.min.time(), UTC)

    Daily(SqliteDays(parts.store, parts.keys), parts.daily.tasks, _Clock(), parts.context.evidence).run()
    SqliteLedgerKeeper(parts.store, parts.rulebook).refresh(COUNTY, day)


def _fill(parts: Parts, children: int) -> None:
    random_ = random.Random(1)
    rows = sorted(_row(random_, TODAY, "up-1") for _ in range(children))
    with parts.store.writing() as db:
        _upload(parts, "up-1", TODAY)
        _upload(
            parts, "up-0", TODAY, "relief-register"
        )  # civil affairs has spoken: who is in need is owed an assessment
        db.executemany(f"INSERT INTO student_register VALUES ({', '.join('?' * 16)})", rows)


def _upload(parts: Parts, upload: str, day: date, dataset: str = "student-register") -> None:
    db = parts.store.writer
    db.execute(
        "INSERT INTO upload VALUES (?, ?, ?, 'education', 'bench', ?, ?, '', '{}')",
        (upload, COUNTY, dataset, day.isoformat(), f"{day} 08:00:00.000000"),
    )
    db.execute(
        "INSERT INTO ledger_pass (region, day, upload_id, dataset, position) VALUES (?, ?, ?, ?, x'')",
        (COUNTY, day.isoformat(), upload, dataset),
    )


def _row(random_: random.Random, day: date, upload: str) -> tuple[object, ...]:
    status = "dropped_out" if random_.random() < 0.002 else "enrolled"
    born = date(2010, 12, 1) + timedelta(days=random_.randrange(3600))
    return (
        COUNTY,
        os.urandom(16),
        random_.choice(_SCHOOLS),
        4,
        "day",
        status,
        "2026-09-01",
        random_.choice(_TOWNSHIPS),
        int(random_.random() < 0.03),
        0,
        0,
        None,
        born.isoformat(),
        1,
        day.isoformat(),
        upload,
    )


def _days_files(parts: Parts, children: int, day: date) -> None:
    """Every school hands in its register again: a fiftieth says something else, a thousandth is missing."""
    with parts.store.writing() as db:
        db.execute(
            "UPDATE student_register SET confirmed_on = ?, upload_id = 'up-2',"
            " status = CASE WHEN abs(random()) % 100 = 0 THEN 'on_leave' ELSE status END,"
            " residence = CASE WHEN abs(random()) % 100 = 0 THEN '530423120' ELSE residence END"
            " WHERE abs(random()) % 1000 > 0",
            (day.isoformat(),),
        )
        _upload(parts, "up-2", day)


def _pages(ledgers: SqliteLedgers, today: date) -> Iterator[tuple[str, float]]:
    asked = {
        "county, today": LedgerQuery(Ledger.SCHOOL_AGE, InRegion("region", COUNTY), COUNTY, today),
        "county, an earlier day": LedgerQuery(Ledger.SCHOOL_AGE, All(), COUNTY, TODAY),
        "township": LedgerQuery(Ledger.SCHOOL_AGE, InRegion("region", _TOWNSHIPS[0]), COUNTY, today),
        "school": LedgerQuery(Ledger.SCHOOL_AGE, Equals("school", _SCHOOLS[0]), COUNTY, today),
        "one status": LedgerQuery(Ledger.SCHOOL_AGE, All(), COUNTY, today, status="suspected"),
        "school, an earlier day": LedgerQuery(
            Ledger.SCHOOL_AGE, Equals("school", _SCHOOLS[0]), COUNTY, TODAY
        ),
        "dropped out": LedgerQuery(Ledger.DROPPED_OUT, All(), COUNTY, today),
    }
    for name, query in asked.items():
        yield name, _slowest(ledgers, query)
    yield "counts", _seconds(lambda: ledgers.counts(asked["county, today"])) * 1000


def _slowest(ledgers: SqliteLedgers, query: LedgerQuery) -> float:
    """Of the first pages, in milliseconds."""
    from dataclasses import replace

    slowest = 0.0
    for _ in range(_PAGES):
        start = time.perf_counter()
        found = ledgers.page(query)
        slowest = max(slowest, (time.perf_counter() - start) * 1000)
        if len(found) < query.limit:
            break
        query = replace(query, after=(found[-1].region, found[-1].subject))
    return slowest
