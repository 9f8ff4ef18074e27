"""`huxue keys rotate | tidy | mapping`."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gateway.adapters.cedar import load
from gateway.adapters.clock import SystemClock
from gateway.adapters.db.effects import insert_entries, written
from gateway.adapters.db.engine import Store
from gateway.adapters.db.mappings import allow_again
from gateway.adapters.db.rewrap import JOBS, Rewrap, Rewrapped
from gateway.adapters.keys.ring import ACTIVATION, FileKeyRing
from gateway.adapters.keys.roots import TURNING, Roots
from gateway.adapters.keys.rotation import dropped, ended, turned
from gateway.adapters.keys.stores import FileRing
from gateway.commands.keys import app, file_store
from gateway.commands.operating import store_of, tell
from gateway.commands.settings import settings_from
from gateway.services.operation import operator_entry
from gateway.settings import Settings
from gateway.start import NotReady

Data = Annotated[Path, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")]
HELP = "密钥 / keys"
_MARGIN = timedelta(seconds=1)


@app.command("rotate", help="轮换密钥，不停服务 / turn keys without stopping the gateway")
def rotate(
    data: Data,
    key: Annotated[str, typer.Option(help=f"{' | '.join(TURNING)} | all")] = "all",
    overlap_days: Annotated[int, typer.Option(min=0, max=3660, help="新旧并行天数 / days both count")] = 30,
) -> None:
    """A new version of the key, then everything under the old one re-wrapped. After a crash: run it again."""
    if key not in (*TURNING, "all"):
        raise NotReady(f"no key {key} that turns; there are: {', '.join(TURNING)}, all")
    names = list(TURNING) if key == "all" else [key]
    settings = settings_from({"data": data})
    ring = file_store(settings)
    with ring.exclusive(), store_of(settings) as store:
        rewrap = Rewrap(store, FileKeyRing(ring.load()))
        jobs = _unfinished(ring, rewrap)
        begun = not jobs
        if jobs:
            typer.echo(f"finishing what was begun: {', '.join(jobs)}")
        else:
            act = f"keys-rotated:{','.join(names)} overlap={overlap_days}d"
            overlap = timedelta(days=overlap_days)
            jobs = _turn(ring, rewrap, names, overlap, lambda: tell(settings, store, act))
        _run(ring, store, jobs)
        _tidy(settings, ring, store)
        typer.echo(f"finished: {', '.join(names if begun else jobs)}")


def _unfinished(ring: FileRing, rewrap: Rewrap) -> list[str]:
    """Passes to a version the ring has already."""
    roots = ring.load()
    return [job for job in JOBS if rewrap.unfinished(job) == roots.of(job)[-1].number]


def _turn(
    ring: FileRing, rewrap: Rewrap, names: Sequence[str], overlap: timedelta, tell: Callable[[], None]
) -> list[str]:
    """The ring with new versions, on disk; the passes that must follow, which were written down before."""
    roots = turned(ring.load(), names, datetime.now(UTC), overlap)
    jobs = [name for name in JOBS if name in names]
    for job in jobs:
        rewrap.begin(job, roots.of(job)[-1].number)
    tell()
    ring.save(roots)
    return jobs


def _run(ring: FileRing, store: Store, jobs: Sequence[str]) -> None:
    """Every pass, once the new versions are in use everywhere."""
    if not jobs:
        return
    roots = ring.load()
    _wait(max(roots.of(job)[-1].created for job in jobs) + ACTIVATION + _MARGIN)
    rewrap = Rewrap(store, FileKeyRing(roots))
    for job in jobs:
        found = _shown(rewrap, job)
        if found.left:
            typer.echo(f"{job}: {found.left} rows stay under the old key, which stays in the ring", err=True)


def _wait(until: datetime) -> None:
    while (left := (until - datetime.now(UTC)).total_seconds()) > 0:
        time.sleep(min(left, 0.2))


def _shown(rewrap: Rewrap, job: str, drop: bool = False) -> Rewrapped:
    """A pass with a progress bar on standard error."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(job, total=rewrap.total(job))

        def told(rows: int) -> None:
            """The pass meets the rows that it writes itself again: the bar ends where it ends."""
            progress.advance(task, min(rows, progress.tasks[task].remaining or 0))

        return rewrap.run(job, told, drop)


@app.command("tidy", help="清除已到期且无人使用的旧密钥 / drop ended keys that nothing uses")
def tidy(data: Data) -> None:
    """Look through the store first; a key that something still needs stays."""
    settings = settings_from({"data": data})
    ring = file_store(settings)
    with ring.exclusive(), store_of(settings) as store:
        if jobs := _unfinished(ring, Rewrap(store, FileKeyRing(ring.load()))):
            raise NotReady(f"{', '.join(jobs)} is not re-wrapped to the end: run `huxue keys rotate`")
        gone = _tidy(settings, ring, store)
    typer.echo(f"dropped {', '.join(gone) or 'nothing'}")


def _tidy(settings: Settings, ring: FileRing, store: Store) -> list[str]:
    """Drop ended versions: of those that seal rows only when a last pass left none of them behind."""
    roots, now = ring.load(), datetime.now(UTC)
    over = [name for name in TURNING if ended(roots, name, now)]
    gone = [name for name in over if name not in JOBS or _nothing_left(store, roots, name)]
    if gone:
        tell(settings, store, f"keys-dropped:{','.join(gone)}")
        ring.save(dropped(roots, now, gone))
    return gone


def _nothing_left(store: Store, roots: Roots, job: str) -> bool:
    rewrap = Rewrap(store, FileKeyRing(roots))
    rewrap.begin(job, roots.of(job)[-1].number)
    found = _shown(rewrap, job, drop=True)
    if found.left:
        typer.echo(f"{job}: {found.left} rows are under an old key, which stays in the ring", err=True)
    return not found.left


@app.command(
    "mapping", help="允许部门再取一次代号对照 / allow an agency's old → new pseudonyms to be fetched again"
)
def mapping(
    data: Data,
    agency: Annotated[str, typer.Option(help="部门 / agency, e.g. civil_affairs")],
    again: Annotated[bool, typer.Option("--again", help="再取一次 / once more")] = False,
) -> None:
    """Counts for every mapping the agency has fetched."""
    if not again:
        raise NotReady("say --again to allow it")
    settings = settings_from({"data": data})
    entry = operator_entry(SystemClock(), load(settings.policies).version, f"mapping-allowed-again:{agency}")
    with store_of(settings) as store, store.writing() as connection:
        number = allow_again(connection, agency)
        if not number:
            raise NotReady("that agency has fetched no mapping")
        insert_entries(connection, [written(entry)])
    typer.echo(f"allowed again: {number}")
