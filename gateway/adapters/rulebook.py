"""Reads the county's own figures from `policies/`: rules, thresholds, duties, retention, aid. Wrong files stop the start."""

from collections.abc import Collection
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from gateway.adapters.aid import FILE as AID_FILE
from gateway.adapters.aid import read_aid
from gateway.adapters.casebook import check_county, read_cases
from gateway.adapters.coarsening import load_disclosure
from gateway.adapters.counties import Bodies, overrides
from gateway.adapters.reportbook import read_reports
from gateway.adapters.retention import check_order, read_retention
from gateway.adapters.yaml_text import parse
from gateway.domain.duties import DONE, Calendar, DutyBook, DutyRule
from gateway.domain.employers import Repeated
from gateway.domain.retention import Retention
from gateway.domain.rulebook import Rulebook
from gateway.domain.rules import (
    ASK,
    ASKED,
    ASSESSED,
    DAY,
    FIGURES,
    FILE,
    HANDOVER,
    INSPECTION,
    STATUS,
    Condition,
    Rule,
)
from gateway.domain.schooling import Thresholds


class RulebookError(ValueError):
    """A file that says something no code understands; the message names the file and the place."""


def load_rulebook(folder: Path) -> Rulebook:
    """Everything under one roof; raises RulebookError."""
    try:
        return _load(folder)
    except (KeyError, TypeError, AttributeError, ValueError, OSError, yaml.YAMLError) as error:
        raise RulebookError(f"{folder.name}: {type(error).__name__}: {error}") from error


def _load(folder: Path) -> Rulebook:
    duties_file = _yaml(folder / "duties.yaml")
    remind, escalate = int(duties_file["remind_days"]), int(duties_file["escalate_days"])
    lapse = _positive(int(duties_file["lapse_days"]), "lapse_days")
    bodies = {
        "cases": _yaml(folder / "cases.yaml"),
        "duties": duties_file["duties"],
        "thresholds": _yaml(folder / "thresholds.yaml"),
    }
    duties = {name: _duty(name, body, remind) for name, body in bodies["duties"].items()}
    rules_file = _yaml(folder / "rules.yaml")
    roles = _yaml(folder / "roles.yaml")
    rules = {
        name: _rule(name, body, rules_file["version"], roles["roles"])
        for name, body in rules_file["rules"].items()
    }
    for rule in rules.values():
        for duty in (rule.duty, *rule.further_duties):
            if duty not in duties:
                raise RulebookError(f"rules.yaml: {rule.id} names the duty {duty}, which duties.yaml lacks")
    limits = Thresholds(**bodies["thresholds"])
    wait = _positive(int(duties_file["wait_days"]), "wait_days")
    calendar = load_calendar(folder / "calendar")
    book = DutyBook(duties, calendar, _positive(escalate, "escalate_days"), lapse, wait)
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
    return replace(
        base, counties={code: _county(base, roles["roles"], own, remind) for code, own in found.items()}
    )


def _county(base: Rulebook, roles: Collection[str], bodies: Bodies, remind_days: int) -> Rulebook:
    """The book of a county that has changed lines of these files."""
    limits = Thresholds(**bodies["thresholds"])
    check_order(base.retention, limits)
    duties = {name: _duty(name, body, remind_days) for name, body in bodies["duties"].items()}
    cases = read_cases(bodies["cases"], roles, duties)
    check_county(base.cases, cases)
    return replace(base, limits=limits, duties=replace(base.duties, rules=duties, _known={}), cases=cases)


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


def _positive(days: int, what: str) -> int:
    if days < 1:
        raise RulebookError(f"duties.yaml: {what} is at least 1")
    return days


def _duty(name: str, body: dict[str, Any], remind_days: int = 1) -> DutyRule:
    """A reminder comes before the last day and never on the first: a duty of fewer days than that has none."""
    own, days = body.get("remind_days"), int(body["days"])
    if own is not None and not 0 <= int(own) < max(days, 1):
        raise RulebookError(f"duties.yaml: {name}: remind_days lies between 0 and its days")
    what = tuple(body.get("what", ()))
    if unknown := sorted(set(what) - set(DONE)):
        raise RulebookError(f"duties.yaml: {name}: what: unknown {', '.join(unknown)}")
    return DutyRule(
        id=name,
        title_zh=body["title_zh"],
        title_en=body["title_en"],
        owner=body["owner"],
        days=int(body["days"]),
        working_days=bool(body["working_days"]),
        otherwise=body.get("otherwise"),
        remind_days=int(own) if own is not None else (remind_days if days > remind_days else 0),
        what=what,
    )


_RULE_WORDS = {"title_zh", "title_en", "duty", "further_duties", "when", "enabled", "event", "seen_by"}


def _rule(name: str, body: dict[str, Any], version: str, roles: Collection[str]) -> Rule:
    if unknown := sorted(body.keys() - _RULE_WORDS):
        raise RulebookError(f"rules.yaml: {name}: unknown {', '.join(unknown)}")
    when = _condition(name, body["when"]) if "when" in body else None
    enabled, events = _yes(name, body.get("enabled", True)), _several(name, "event", body)
    _check_events(name, events, when, enabled)
    seen = _several(name, "seen_by", body)
    if unknown := sorted(seen - set(roles)):
        raise RulebookError(f"rules.yaml: {name}: seen_by names {', '.join(unknown)}, which roles.yaml lacks")
    return Rule(
        id=name,
        title_zh=body["title_zh"],
        title_en=body["title_en"],
        duty=body["duty"],
        further_duties=tuple(body.get("further_duties", ())),
        version=version,
        when=when,
        enabled=enabled,
        events=events,
        seen_by=seen,
    )


def _several(name: str, what: str, body: dict[str, Any]) -> frozenset[str]:
    """A list of different words, at least one."""
    found = body.get(what)
    if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
        raise RulebookError(f"rules.yaml: {name}: {what} is a list of at least one")
    if len(set(found)) != len(found):
        raise RulebookError(f"rules.yaml: {name}: {what} says one thing twice")
    return frozenset(found)


def _check_events(name: str, events: frozenset[str], when: Condition | None, enabled: bool) -> None:
    """A condition is looked at where its facts come in, nowhere else. A case that was handed over needs its lead."""
    if when is None:
        fits = events in ({INSPECTION}, {HANDOVER})
    else:
        fits = events == {ASK} if when.word == ASKED else events <= {FILE, DAY}
    if not fits:
        raise RulebookError(
            f"rules.yaml: {name}: its condition is not looked at on {', '.join(sorted(events))}"
        )
    if events == {HANDOVER} and not enabled:
        raise RulebookError(f"rules.yaml: {name}: what is handed over cannot be left without a lead")


def _yes(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise RulebookError(f"rules.yaml: {name}: enabled is true or false")
    return value


def _condition(name: str, body: dict[str, Any]) -> Condition:
    """One word of the closed list with what it is about; anything else is no rule."""
    body = dict(body)
    if body.get(ASSESSED) is not None and body.pop("enrolled", None) is not False:
        raise RulebookError(f"rules.yaml: {name}: assessed stands with enrolled: false")
    allowed = {
        STATUS: {"dropped_out"},
        ASSESSED: {"can_attend"},
        ASKED: {"applicant-check", "licence-check", "registration-check"},
    }
    if len(body) != 1:
        raise RulebookError(f"rules.yaml: {name}: when is one condition")
    ((word, of),) = body.items()
    fits = of in allowed[word] if word in allowed else word in FIGURES and _is_figure(of)
    if not fits:
        raise RulebookError(f"rules.yaml: {name}: no such condition: {word}")
    return Condition(word, of)


def _is_figure(of: object) -> bool:
    if isinstance(of, int) and not isinstance(of, bool):
        return of > 0
    return isinstance(of, str) and of in {each.name for each in fields(Thresholds)}


def _yaml(path: Path) -> dict[str, Any]:
    found = parse(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise RulebookError(f"{path.name} is not a mapping")
    return found
