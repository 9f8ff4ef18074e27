"""Reads the county's own figures from `policies/`: rules, thresholds, duties, retention, aid. Wrong files stop the start."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from gateway.adapters.aid import FILE as AID_FILE
from gateway.adapters.aid import read_aid
from gateway.adapters.casebook import read_cases
from gateway.adapters.coarsening import load_disclosure
from gateway.adapters.counties import Bodies, overrides
from gateway.adapters.reportbook import read_reports
from gateway.adapters.retention import check_order, read_retention
from gateway.domain.duties import Calendar, DutyBook, DutyRule
from gateway.domain.employers import Repeated
from gateway.domain.retention import Retention
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import Rule
from gateway.domain.schooling import Thresholds


class RulebookError(ValueError):
    """A file that says something no code understands; the message names the file and the place."""


def load_rulebook(folder: Path) -> Rulebook:
    """Everything under one roof; raises RulebookError."""
    try:
        return _load(folder)
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        raise RulebookError(f"{folder.name}: {type(error).__name__}: {error}") from error


def _load(folder: Path) -> Rulebook:
    bodies = {
        "cases": _yaml(folder / "cases.yaml"),
        "duties": _yaml(folder / "duties.yaml")["duties"],
        "thresholds": _yaml(folder / "thresholds.yaml"),
    }
    duties = {name: _duty(name, body) for name, body in bodies["duties"].items()}
    rules_file = _yaml(folder / "rules.yaml")
    rules = {name: _rule(name, body, rules_file["version"]) for name, body in rules_file["rules"].items()}
    for rule in rules.values():
        for duty in (rule.duty, *rule.further_duties):
            if duty not in duties:
                raise RulebookError(f"rules.yaml: {rule.id} names the duty {duty}, which duties.yaml lacks")
    limits = Thresholds(**bodies["thresholds"])
    book = DutyBook(duties, load_calendar(folder / "calendar"))
    roles = _yaml(folder / "roles.yaml")
    retention = read_retention(_yaml(folder / "retention.yaml"), roles["purposes"], limits)
    cases = read_cases(bodies["cases"], roles["roles"], duties)
    aid = read_aid(_yaml(folder / AID_FILE))
    reports = read_reports(_yaml(folder / "reports.yaml"), roles["roles"], duties)
    repeated = _repeated(_yaml(folder / "enforcement.yaml")["repeated"], retention)
    base = Rulebook(
        rules=rules,
        limits=limits,
        duties=book,
        disclosure=load_disclosure(folder),
        retention=retention,
        cases=cases,
        reports=reports,
        repeated=repeated,
        aid=aid,
    )
    found = overrides(folder, bodies)
    return replace(base, counties={code: _county(base, roles["roles"], own) for code, own in found.items()})


def _county(base: Rulebook, roles: Collection[str], bodies: Bodies) -> Rulebook:
    """The book of a county that has changed lines of these files."""
    limits = Thresholds(**bodies["thresholds"])
    check_order(base.retention, limits)
    duties = {name: _duty(name, body) for name, body in bodies["duties"].items()}
    cases = read_cases(bodies["cases"], roles, duties)
    return replace(base, limits=limits, duties=DutyBook(duties, base.duties.calendar), cases=cases)


def _repeated(body: dict[str, Any], retention: Retention) -> Repeated:
    """Hits older than inspections are kept cannot be counted: such a window would promise what nobody can see."""
    hits, months = body["hits"], body["within_months"]
    if not all(isinstance(each, int) and not isinstance(each, bool) and each > 0 for each in (hits, months)):
        raise RulebookError("enforcement.yaml: hits and within_months are whole numbers above 0")
    kept = retention.copies["inspections"]
    if months > kept.years * 12 + kept.months:
        raise RulebookError("enforcement.yaml: the window is longer than retention.yaml keeps inspections")
    return Repeated(hits, months)


def load_calendar(folder: Path) -> Calendar:
    """Every year's file."""
    years = [_yaml(path) for path in sorted(folder.glob("*.yaml"))]
    return Calendar(
        holidays=frozenset(day for year in years for day in _days(year["holidays"])),
        workdays=frozenset(day for year in years for day in _days(year["workdays"])),
        years=frozenset(int(year["year"]) for year in years),
    )


def _days(values: list[Any]) -> list[date]:
    if not all(isinstance(value, date) for value in values):
        raise RulebookError("calendar: every day is a date")
    return values


def _duty(name: str, body: dict[str, Any]) -> DutyRule:
    return DutyRule(
        id=name,
        title_zh=body["title_zh"],
        title_en=body["title_en"],
        owner=body["owner"],
        days=int(body["days"]),
        working_days=bool(body["working_days"]),
        otherwise=body.get("otherwise"),
    )


def _rule(name: str, body: dict[str, Any], version: str) -> Rule:
    return Rule(
        id=name,
        title_zh=body["title_zh"],
        title_en=body["title_en"],
        duty=body["duty"],
        further_duties=tuple(body.get("further_duties", ())),
        version=version,
    )


def _yaml(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise RulebookError(f"{path.name} is not a mapping")
    return found
