"""`python -m benchmarks`: run everything, print it, write RESULTS.md."""

import os
import platform
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import asks, bulk, keys, ledgers, log
from benchmarks.load import Load

RESULTS = Path(__file__).parent / "RESULTS.md"
_PACKAGES = (
    "fastapi",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "cedarpy",
    "cryptography",
    "polars",
    "pydantic",
)
_BASE = "bare FastAPI with response model, GET"


def main() -> None:
    """Run, print, write."""
    with tempfile.TemporaryDirectory(prefix="huxue-bench-") as folder:
        found_asks = asks.measure(Path(folder))
        found_bulk = bulk.measure(Path(folder))
        found_log = log.measure(Path(folder))
        found_keys = keys.measure(Path(folder))
        found_ledgers = ledgers.measure(Path(folder))
    text = _report(found_asks, found_bulk, found_log, found_keys, found_ledgers)
    print(text)
    RESULTS.write_text(text, encoding="utf-8")


def _report(
    found_asks: Sequence[tuple[str, Load]],
    found_bulk: Sequence[bulk.Bulk],
    found_log: log.Figures,
    found_keys: Sequence[keys.KeyWork],
    found_ledgers: ledgers.Figures,
) -> str:
    tables = [
        *_ask_table(found_asks),
        *_bulk_table(found_bulk),
        *_log_table(found_log),
        *_ledger_table(found_ledgers),
    ]
    return "\n".join([*_head(), *tables, "", *_key_table(found_keys), ""])


def _log_table(found: log.Figures) -> list[str]:
    return [
        "",
        f"## The transparency log: {log.ENTRIES:,} entries",
        "",
        "| what | figure |",
        "|---|---:|",
        f"| one sealer with nothing else to do, entries/s | {found.seal_rate:,.0f} |",
        f"| entries waiting at worst while {log.LIVE_RATE:,}/s are written | {found.behind:,} |",
        f"| an ask meanwhile, p99 ms | {found.ask_p99:.1f} |",
        f"| a receipt, p50 / p99 ms | {found.receipt_p50:.2f} / {found.receipt_p99:.2f} |",
        f"| `huxue audit verify` of all of it, s | {found.verify_seconds:.1f} |",
    ]


def _ledger_table(found: ledgers.Figures) -> list[str]:
    return [
        "",
        f"## The three ledgers: {ledgers.CHILDREN:,} children of one county",
        "",
        "| what | figure |",
        "|---|---:|",
        f"| made for the first time, s | {found.first_seconds:.1f} |",
        f"| leads, duties and ledgers after one day's files of every school, s | {found.day_seconds:.1f} |",
        f"| a day without a file, s | {found.quiet_seconds:.2f} |",
        *(f"| slowest of the first pages: {name}, ms | {each:.1f} |" for name, each in found.pages.items()),
        *(
            f"| over HTTP, with its evidence, median / slowest: {name}, ms | {each[0]:.1f} / {each[1]:.1f} |"
            for name, each in found.asked.items()
        ),
        "| the disk by itself meanwhile, a small write with fsync, median / slowest, ms |"
        f" {found.disk[0]:.1f} / {found.disk[1]:.1f} |",
        f"| peak memory, MB | {found.peak_megabytes:,.0f} |",
    ]


def _head() -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return [
        "# Results",
        "",
        "Written by `make bench`. Read ratios, not absolute figures: the machine is small and shared.",
        "",
        f"- {datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, CPython {platform.python_version()}, {versions}",
        "- One worker each, the load generator on the other core.",
        "",
    ]


def _ask_table(found: Sequence[tuple[str, Load]]) -> list[str]:
    base = next(load.rate for name, load in found if name == _BASE)
    lines = [
        "## `applicant-check`: token, policy, look-up, durable audit",
        "",
        f"{asks.CONNECTIONS} keep-alive connections, {asks.SECONDS:.0f} s each, median of {asks.ROUNDS} rounds by turns,"
        f" {asks.CHILDREN:,} children in the store. Ratio: to `{_BASE}`.",
        "",
        "| contender | requests/s | ratio | p50 ms | p99 ms | failures |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, load in found:
        lines.append(
            f"| {name} | {load.rate:,.0f} | {load.rate / base:.2f} | {load.p50:.2f} | {load.p99:.2f} | {load.failures} |"
        )
    rates = {name: load.rate for name, load in found}
    ratio = rates[asks.NATIONAL] / rates[asks.CHILD]
    return [*lines, "", f"A child's ask with keys of the suite gm to the same with intl: {ratio:.2f}.", ""]


def _bulk_table(found: Sequence[bulk.Bulk]) -> list[str]:
    lines = [
        "## Bulk: 100,000 rows over HTTP",
        "",
        "Uploads are read, validated, resolved against the vault, stored and receipted; seconds are the caller's."
        " Peak memory is the gateway process's so far.",
        "",
        "| work | rows/s | seconds | peak MB |",
        "|---|---:|---:|---:|",
    ]
    for each in found:
        peak = f"{each.peak_megabytes:,.0f}" if each.peak_megabytes else ""
        lines.append(f"| {each.name} | {each.rate:,.0f} | {each.seconds:.2f} | {peak} |")
    return lines


def _key_table(found: Sequence[keys.KeyWork]) -> list[str]:
    rates = {(each.name, each.suite): each.rate for each in found}
    names = dict.fromkeys(each.name for each in found)
    lines = [
        "## Keys: a second, on one core",
        "",
        "| work | intl | gm |",
        "|---|---:|---:|",
    ]
    return [
        *lines,
        *(f"| {name} | {rates[name, 'intl']:,.0f} | {rates[name, 'gm']:,.0f} |" for name in names),
    ]


if __name__ == "__main__":
    main()
