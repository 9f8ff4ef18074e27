"""`huxue purge`: what is past its purpose goes; with `--dry-run` it is only told."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from gateway.adapters.places import TABLES
from gateway.app import build
from gateway.domain.retention import Removed
from gateway.services.purge import Report
from gateway.settings import Settings
from gateway.start import NotReady

Data = Annotated[Path, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")]

_NAMES = {place.id: (place.zh, place.en) for place in TABLES}
_REASONS = {
    "child": (
        "儿童义务教育终止且保存期满，身份密钥已销毁",
        "schooling and its retention are over: crypto-shredded",
    ),
    "unknown-child": ("无任何部门登记该儿童，保存期满", "nobody holds anything about the child any more"),
    "leads": ("线索办结后保存期满", "closed long enough"),
    "open-work": ("已成年，线索与个案终止", "of age: open leads and cases lapse"),
    "receipts": ("回执保存期满", "receipts kept long enough"),
    "idempotency": ("幂等键到期", "expired"),
    "exports": ("导出与错误文件到期", "exports and error files expired"),
    "assertions": ("断言到期", "expired"),
    "alarms": ("告警保存期满", "alarms kept long enough"),
    "notices": ("回执确认后保存期满", "confirmed long enough ago"),
    "notices-unreceived": ("长期无回执，代号不再保存", "never confirmed: the pseudonym is not kept for ever"),
}
_BY_DATASET = ("该数据用途已结束，保存期满", "the purpose of the dataset and its retention are over")


def purge(
    data: Data,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说明，不删除 / tell, remove nothing")] = False,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="法定日期 / law date (demo profile only)")
    ] = None,
    profile: Annotated[str | None, typer.Option(help="production | demo")] = None,
) -> None:
    """Beside a running gateway or without one. Says per place how many rows go and why; nothing about anybody."""
    if not data.is_dir():
        raise NotReady(f"missing: data folder {data}")
    parts = build(_settings(data, as_of, profile))
    try:
        report = parts.purge.run(keep=not dry_run, most_rows=None)
    finally:
        parts.store.close()
    for line in _lines(report, dry_run):
        typer.echo(line)


def _settings(data: Path, as_of: str | None, profile: str | None) -> Settings:
    try:
        day = date.fromisoformat(as_of) if as_of else None
    except ValueError:
        raise NotReady("--as-of is a date, e.g. 2026-11-20") from None
    given = {"as_of": day, "profile": profile}
    return Settings(data=data, **{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]


def _lines(report: Report, dry_run: bool) -> Iterable[str]:
    yield "将删除（试运行，未改动） / would go (dry run, nothing changed):" if dry_run else "已删除 / gone:"
    yield from _counts([*report.removed, *report.lapsed])
    if report.held:
        yield f"  保存期满但仍有未办结线索或个案的儿童 / past their deadline, held by open work: {report.held}"
    if report.overdue_receipts:
        yield f"  逾期未回执的删除通知 / receipts of deletion notices overdue: {report.overdue_receipts}"


def _counts(parts: Iterable[Removed]) -> Iterable[str]:
    lines = []
    for part in parts:
        zh, en = _NAMES[part.place]
        why_zh, why_en = _REASONS.get(part.rule, _BY_DATASET)
        lines.append(f"  {zh} {en}: {part.count} （{why_zh} / {why_en}）")
    return lines or ["  无 / nothing"]
