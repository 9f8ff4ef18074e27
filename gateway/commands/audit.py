"""`huxue audit verify | export | head`: checking the evidence without asking the gateway."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from gateway.adapters.keys import verify_head
from gateway.adapters.logs.database import DatabaseLog, opened
from gateway.adapters.logs.export import ExportedLog, NotAnExport, write_export
from gateway.adapters.witnesses import read_keys
from gateway.domain.log.checkpoint import parse_checkpoint
from gateway.domain.log.note import MalformedNote, SignedNote, Vkey, parse_note, parse_vkey
from gateway.domain.log.verifying import LogSource, Trust, Verdict, check
from gateway.settings import Settings
from gateway.start import NotReady

app = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")]
Notes = Annotated[
    list[Path] | None,
    typer.Option(
        "--against", help="以前留存的检查点，可多个 / checkpoint kept from earlier; may be repeated"
    ),
]


@app.command("verify", help="核验存证日志 / check the evidence: exit code 1 and the first bad entry")
def verify(
    data: Annotated[Path | None, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")] = None,
    export: Annotated[Path | None, typer.Option(help="导出文件 / an export, instead of --data")] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(
            help="受信任的日志或见证公钥，可多个；缺省读 log.vkey / trusted key, may be repeated; default: log.vkey"
        ),
    ] = None,
    against: Notes = None,
    since: Annotated[
        Path | None, typer.Option(help="只核验此检查点之后 / only what came after this checkpoint")
    ] = None,
) -> None:
    """Offline: no gateway needs to run, and one that runs is not disturbed."""
    if (data is None or export is not None) and (export is None or not export.is_file()):
        raise NotReady("name a data folder (--data) or an export that is there (--export)")
    keys = _keys(key or [], data, export)
    trust = Trust(
        keys=[each for each in keys if not each.cosigns],
        verify=verify_head,
        against=[_note(path) for path in against or []],
        since=_note(since) if since else None,
        witnesses=[each for each in keys if each.cosigns],
    )
    try:
        with _source(data, export) as source, _bar() as tick:
            verdict = check(source, trust, tick)
    except sqlite3.Error as error:
        raise NotReady(f"the store cannot be read: {type(error).__name__}") from None
    except NotAnExport:
        raise NotReady(f"{export} is not an export of a log, or was cut off") from None
    _say(verdict, trust.since)


def _say(verdict: Verdict, since: SignedNote | None) -> None:
    """The verdict; what was not looked at is not called whole."""
    if verdict.finding is not None:
        typer.echo(f"✗ {verdict.finding.zh}\n✗ {verdict.finding.en}")
        raise typer.Exit(1)
    rest = verdict.unsealed
    zh, en = "日志完好", "the log is whole"
    if since is not None:
        before = parse_checkpoint(since.text).size
        zh, en = (
            f"自该检查点以来完好（此前 {before} 条未核验）",
            f"whole since that checkpoint (the {before} entries before it were not checked)",
        )
    typer.echo(f"✓ {zh}：{verdict.size} 条已封存，核验 {verdict.looked} 条，{rest} 条待封存")
    typer.echo(f"✓ {en}: {verdict.size} sealed, {verdict.looked} checked, {rest} waiting to be sealed")
    for key in verdict.keys:
        typer.echo(f"  签名公钥 signed by {key.text}")


@contextmanager
def _source(data: Path | None, export: Path | None) -> Iterator[LogSource]:
    if export is not None:
        yield ExportedLog(export)
    else:
        with _store(data or Path()) as log:
            yield log


@contextmanager
def _store(data: Path) -> Iterator[DatabaseLog]:
    path = Settings(data=data).store_path
    if not path.is_file():
        raise NotReady(f"no store in {data}")
    with opened(path) as log:
        yield log


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """A progress bar where a person looks on; on standard error, so that the verdict can be piped."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("核验 verify", total=None)
        yield lambda done, of: progress.update(task, completed=done, total=max(done, of))


def _keys(given: list[str], data: Path | None, export: Path | None) -> list[Vkey]:
    """Those given; without any log's key among them, those of the public file beside the store or the export."""
    try:
        keys = [parse_vkey(text) for text in given]
        if not any(not each.cosigns for each in keys):
            beside = export.parent / "log.vkey" if export else Settings(data=data or Path()).log_key_path
            keys += read_keys(beside)
    except FileNotFoundError:
        if data is not None and not data.is_dir():
            raise NotReady(f"no data folder {data}") from None
        raise NotReady("no key to check signatures by: name one with --key") from None
    except MalformedNote:
        raise NotReady("--key or log.vkey is not a key of a log") from None
    return keys


def _note(path: Path) -> SignedNote:
    try:
        return parse_note(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotReady(f"{path} is not there") from None
    except (OSError, UnicodeDecodeError, MalformedNote):
        raise NotReady(f"{path} is not a checkpoint") from None


@app.command("export", help="导出存证日志供异地核验 / write the log to a file, to be checked elsewhere")
def export(data: Data, out: Annotated[Path, typer.Option(help="导出文件 / file to write")]) -> None:
    """Names no child; an existing file is not overwritten."""
    try:
        with _store(data) as log:
            count = write_export(log, out)
    except FileExistsError:
        raise NotReady(f"{out} is already there and is not overwritten") from None
    except OSError as error:
        raise NotReady(f"cannot write {out}: {error.strerror}") from None
    typer.echo(f"{count} 条 / entries: {out}")


@app.command("head", help="打印检查点 / print the newest signed head; the keys go to standard error")
def head(data: Data) -> None:
    """To be kept elsewhere and given to `verify --against`."""
    with _store(data) as log:
        heads = log.heads()
        if not heads:
            raise NotReady("nothing is sealed yet")
        lines = "".join(log.cosignatures(heads[-1].size))
    typer.echo(heads[-1].note + lines, nl=False)
    typer.echo(heads[-1].vkey, err=True)
