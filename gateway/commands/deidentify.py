"""`huxue deidentify measure`."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.app import build
from gateway.domain.predicate import is_region
from gateway.services.measure import Measure
from gateway.settings import Settings
from gateway.start import NotReady

app = typer.Typer(no_args_is_help=True)

Data = Annotated[Path, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")]
_WIDTH = 100


@app.callback()
def deidentify() -> None:
    """De-identification."""


@app.command("measure", help="测量名单的去标识化效果：k、l、重标识风险 / k, l and re-identification risk")
def measure(
    data: Data,
    region: Annotated[
        str | None, typer.Option(help="行政区划，默认每个已上报的县 / region; default: every county")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="另存为 JSON / write JSON too")] = None,
) -> None:
    """Every list as each role gets it, before and after it is made coarser; exit code 1 where k is not reached."""
    reports = measured(data, region)
    console = Console(width=None if Console().is_terminal else _WIDTH, highlight=False)
    for report in reports:
        _show(console, report)
    if not reports:
        typer.echo("没有可测量的名单 / no list to measure")
    if out is not None:
        out.write_text(json.dumps(reports, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    if not all(report["k_reached"] for report in reports):
        raise typer.Exit(1)


def measured(data: Path, region: str | None) -> list[dict[str, Any]]:
    """The reports of a data folder; NotReady when there is none, or no such region."""
    if not (data.is_dir() and Settings(data=data).store_path.exists()):
        raise NotReady(f"missing: store in {data}")
    if region is not None and not is_region(region):
        raise NotReady("--region has 2, 4, 6, 9 or 12 digits")
    parts = build(Settings(data=data))
    try:
        regions = [region] if region else parts.counties()
        return Measure(parts.points.bundle, parts.lists)(regions)
    finally:
        parts.store.close()


def _show(console: Console, report: Mapping[str, Any]) -> None:
    title = (
        f"{report['exchange']}  {report['role']}  {report['region']}\n"
        f"准标识符 quasi-identifiers: {', '.join(report['quasi_identifiers']) or '—'}"
    )
    table = Table(title=title, title_justify="left")
    for head in ("指标", "measure", "概化前 before", "概化后 after"):
        table.add_column(head, justify="right" if " " in head else "left")
    for zh, en, before, after in _lines(report):
        table.add_row(zh, en, before, after)
    console.print(table)
    _say(console, report)


def _lines(report: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    before, after = report["before"], report["after"]
    for zh, en, name in (("记录", "records", "records"), ("等价类", "classes", "classes"), ("k", "k", "k")):
        yield zh, en, str(before[name]), str(after[name])
    yield "各大小的等价类数", "classes by size", _sizes(before["sizes"]), _sizes(after["sizes"])
    for name in before["l"]:
        yield f"l（{name}）", "distinct l-diversity", str(before["l"][name]), str(after["l"][name])
    above = f"风险高于 {report['threshold']:g} 的记录"
    for attack, zh in (("prosecutor", "检察官攻击"), ("journalist", "记者攻击")):
        one, two = before["risk"][attack], after["risk"][attack]
        yield f"{zh}：最大风险", f"{attack}, maximum", _share(one["maximum"]), _share(two["maximum"])
        yield f"{zh}：平均风险", f"{attack}, average", _share(one["average"]), _share(two["average"])
        yield (
            f"{zh}：{above}",
            f"{attack}, above",
            _share(one["above_threshold"]),
            _share(two["above_threshold"]),
        )
    risks = before["risk"]["marketer"], after["risk"]["marketer"]
    yield "营销者攻击：平均风险", "marketer, average", _share(risks[0]), _share(risks[1])


def _share(value: float) -> str:
    return f"{value:.1%}"


def _sizes(sizes: Sequence[Mapping[str, int]]) -> str:
    """The small sizes one by one, the rest together: ``2×1 4×5 ≥10×21``."""
    small = [f"{each['size']}×{each['classes']}" for each in sizes if each["size"] < 10]
    large = sum(each["classes"] for each in sizes if each["size"] >= 10)
    return " ".join([*small, *([f"≥10×{large}"] if large else [])]) or "—"


def _say(console: Console, report: Mapping[str, Any]) -> None:
    for note in report["generalised"]:
        told, where = note["to"] or "不再提供 withheld", "、".join(note["where"])
        console.print(f"  {note['field']} → {told}：{where}")
    if report["k_reached"]:
        console.print(f"  ✓ 达到 k = {report['k']} / k is reached")
    else:
        console.print(f"  ✗ 名单少于 k = {report['k']} 名儿童，未达到 / fewer children than k on the list")
