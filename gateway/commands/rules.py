"""`huxue rules backtest`: what a rule would have done, before it is switched on. Figures alone; no child, no key."""

import json
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from gateway.adapters.db.history import reading
from gateway.adapters.rulebook import load_rulebook
from gateway.domain.backtest import Figures
from gateway.services.backtest import Backtest, Report, Trial
from gateway.settings import Settings
from gateway.start import NotReady

app = typer.Typer(no_args_is_help=True)

HELP = "回测线索规则 / back-test the lead rules"
Data = Annotated[Path, typer.Option(envvar="HUXUE_DATA", help="数据目录 / data folder")]
_UNDEFINED = "无从计算 / undefined"
_COLUMNS = (
    "月份 month | 命中 named = 属实 confirmed + 误报 wrong + 未核实 never verified | 准确率 precision"
    " | 实际辍学 out，其中命中 named | 召回率 recall | 每名经办人 leads per officer"
)


@app.callback()
def rules() -> None:
    """Rules of policies/rules.yaml."""


@app.command(
    "backtest", help="启用前在历史数据上试算一条规则 / try a rule over the history before it is switched on"
)
def backtest(
    data: Data,
    rule: Annotated[str, typer.Option(help="规则 / rule of policies/rules.yaml")],
    first: Annotated[str, typer.Option("--from", help="起始日 / first day, YYYY-MM-DD")],
    last: Annotated[str, typer.Option("--to", help="截止日 / last day, YYYY-MM-DD")],
    figures: Annotated[
        list[str] | None, typer.Option("--set", help="改用的数值 / figure to try, e.g. absence_days=3")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False,
) -> None:
    """Beside a running gateway or without one; the store is opened read-only. Exit code 1 when it cannot be tried."""
    settings = Settings(data=data)
    if not settings.store_path.is_file():
        raise NotReady(f"missing: store in {data}")
    trial = Trial(rule, _day(first, "--from"), _day(last, "--to"), dict(map(_figure, figures or ())))
    if trial.last < trial.first:
        raise NotReady("--to lies before --from")
    with reading(settings.store_path) as history:
        report = Backtest(history, load_rulebook(settings.policies))(trial)
    typer.echo(json.dumps(_record(report), ensure_ascii=False) if as_json else "\n".join(_lines(report)))


def _day(text: str, option: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotReady(f"{option} is a date, e.g. 2026-11-20") from None


def _figure(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not (name and number.isascii() and number.isdigit() and int(number) > 0):
        raise NotReady("--set is a figure of thresholds.yaml and a number above 0, e.g. absence_days=3")
    return name, int(number)


def _record(report: Report) -> dict[str, object]:
    trial = report.trial
    return {
        "rule": trial.rule,
        "enabled": report.enabled,
        "set": dict(trial.figures),
        "from": trial.first.isoformat(),
        "to": trial.last.isoformat(),
        "truth": ["cases", "student-register"] if report.registered else ["cases"],
        "officers": report.officers,
        "months": [_month(each) for each in report.months],
    }


def _month(each: Figures) -> dict[str, object]:
    """None where a figure is undefined."""
    return {
        "month": each.period.first.isoformat()[:7],
        "named": each.named,
        "confirmed": each.confirmed,
        "wrong_report": each.wrong,
        "never_verified": each.unverified,
        "precision": each.precision,
        "out_of_school": each.out,
        "out_of_school_named": each.caught,
        "recall": each.recall,
        "leads_per_officer": {"mean": each.load.mean, "maximum": each.load.most},
    }


def _lines(report: Report) -> Iterable[str]:
    trial = report.trial
    state = "已启用 / enabled" if report.enabled else "未启用 / not enabled"
    figures = "".join(f" {name}={value}" for name, value in sorted(trial.figures.items()))
    truth = "个案与学籍 / cases and registers" if report.registered else "仅个案 / cases alone"
    yield f"{trial.rule}{figures}（{state}） {trial.first} – {trial.last}"
    yield f"以何为实 / taken as true: {truth}；经办人 / officers: {report.officers}"
    yield "未被任何规则命中者多不为人知，召回率偏高 / who was never named is seldom known: recall is at most this"
    yield _COLUMNS
    for each in report.months:
        yield (
            f"{each.period.first.isoformat()[:7]} | {each.named} = {each.confirmed} + {each.wrong}"
            f" + {each.unverified} | {_share(each.precision)} | {each.out}, {each.caught}"
            f" | {_share(each.recall)} | {_mean(each.load.mean)}, max {each.load.most}"
        )


def _share(value: float | None) -> str:
    return _UNDEFINED if value is None else f"{value:.1%}"


def _mean(value: float | None) -> str:
    return _UNDEFINED if value is None else f"mean {value:.2f}"
