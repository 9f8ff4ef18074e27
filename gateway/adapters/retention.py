"""Reads and lints `policies/retention.yaml`: what is unknown, missing, negative or out of order stops the start."""

from collections.abc import Collection, Mapping
from typing import Any

from gateway.adapters.places import COPIES
from gateway.domain.retention import DatasetRule, Period, PurposeRule, ReceiptRule, Retention
from gateway.domain.schooling import Thresholds
from schemas.records import DATASETS

_EVENTS: Mapping[str, frozenset[str]] = {
    "student-register": frozenset({"schooling"}),
    "attendance": frozenset({"schooling", "month"}),
    "relief-register": frozenset({"schooling", "relief_end"}),
    "disability-assessment": frozenset({"schooling", "assessed"}),
    "sightings": frozenset({"schooling", "inspected"}),
    "focus-groups": frozenset({"schooling", "focus_end"}),
}
"""What a dataset's rows can tell the beginning of a period from; a dataset not named here knows `schooling`."""

_CLOCKS = frozenset({"made", "closed", "expires", "receipt", "notice"})
_PROOF_YEARS = 3


def read_retention(body: Mapping[str, Any], purposes: Collection[str], limits: Thresholds) -> Retention:
    """The policy; ValueError names what does not fit."""
    _same("top level", body, {"version", "ages", "datasets", "child", "open_work", "copies", *_TAIL})
    _same("datasets", body["datasets"], DATASETS)
    _same("copies", body["copies"], COPIES - DATASETS.keys())
    _expect(body["child"]["from"] == "schooling", "child: counts from schooling")
    found = Retention(
        version=str(body["version"]),
        compulsory_age=_age(body["ages"]["compulsory"]),
        majority=_age(body["ages"]["majority"]),
        lapse_age=_age(body["open_work"]["lapses_at"]),
        child=_period("child", body["child"]["keep"]),
        datasets={name: _dataset(name, rule, purposes) for name, rule in body["datasets"].items()},
        copies={name: _copy(name, rule) for name, rule in body["copies"].items()},
        receipts_due=_receipts(body["receipts_due"]),
    )
    check_order(found, limits)
    proof = _period("provision_records", body["provision_records"]["at_least"])
    _expect(proof.years >= _PROOF_YEARS, f"provision_records: at least {_PROOF_YEARS} years")
    return found


_TAIL = ("receipts_due", "provision_records")


def _dataset(name: str, body: Mapping[str, Any], purposes: Collection[str]) -> DatasetRule:
    rules = body["purposes"]
    _expect(bool(rules), f"{name}: names no purpose")
    for purpose, rule in rules.items():
        _expect(purpose in purposes, f"{name}: unknown purpose {purpose}")
        known = _EVENTS.get(name, frozenset({"schooling"}))
        _expect(rule["from"] in known, f"{name}/{purpose}: cannot count from {rule['from']}")
        _sourced(f"{name}/{purpose}", rule)
    _expect(isinstance(body["held_by_open_work"], bool), f"{name}: held_by_open_work is true or false")
    kept = {each: PurposeRule(rule["from"], _period(name, rule["keep"])) for each, rule in rules.items()}
    return DatasetRule(kept, body["held_by_open_work"])


def _copy(name: str, body: Mapping[str, Any]) -> Period:
    _expect(body["from"] in _CLOCKS, f"{name}: cannot count from {body['from']}")
    _sourced(name, body)
    return _period(name, body["keep"])


def _period(name: str, body: Mapping[str, Any]) -> Period:
    for unit, count in body.items():
        whole = isinstance(count, int) and not isinstance(count, bool)
        _expect(whole and count >= 0, f"{name}: {unit} is a whole number, not negative")
    _expect(bool(body), f"{name}: an empty period")
    return Period(**body)


def _receipts(body: Mapping[str, Any]) -> ReceiptRule:
    days, working = body["days"], body["working_days"]
    _expect(
        isinstance(days, int) and days > 0 and isinstance(working, bool), "receipts_due: days, working_days"
    )
    return ReceiptRule(days, working)


def _age(value: object) -> int:
    _expect(isinstance(value, int) and value > 0, "an age is a whole number of years")
    return int(str(value))


def check_order(found: Retention, limits: Thresholds) -> None:
    """ValueError where something would be gone before it may be forgotten, or before the thresholds call it stale."""
    """Figures that would make a copy come back, or be missing while a rule still needs it."""
    _expect(found.compulsory_age <= found.majority, "ages: majority comes after the compulsory age")
    _expect(found.lapse_age >= found.majority, "open_work: nothing lapses before majority")
    child = _hours(found.child)
    for name, rule in found.datasets.items():
        kept = [_hours(each.keep) for each in rule.purposes.values() if each.since == "schooling"]
        _expect(max(kept, default=0) <= child, f"{name}: kept longer than the child")
        _expect(not kept or len(kept) == len(rule.purposes), f"{name}: purposes count from different events")
    register, advice = (
        max((_hours(each.keep) for each in found.datasets[name].purposes.values()), default=0)
        for name in ("student-register", "disability-assessment")
    )
    _expect(register == child, "student-register: goes with the child")
    _expect(advice <= register, "disability-assessment: outlives the register, and leads would open anew")
    _expect(
        _hours(found.copies["leads"]) >= child, "leads: a lead would be forgotten while its register stands"
    )
    absence = min(_hours(each.keep) for each in found.datasets["attendance"].purposes.values())
    _expect(
        absence >= 24 * limits.attendance_stale_days, "attendance: gone before thresholds.yaml calls it stale"
    )
    _expect(
        _hours(found.copies["idempotency"]) <= _hours(found.copies["receipts"]),
        "receipts: gone before the Idempotency-Key that repeats them",
    )


def _hours(period: Period) -> int:
    """Roughly, for comparing two periods."""
    return 24 * (period.years * 365 + period.months * 30 + period.days) + period.hours


def _same(what: str, found: Collection[str], wanted: Collection[str]) -> None:
    unknown, missing = sorted(set(found) - set(wanted)), sorted(set(wanted) - set(found))
    _expect(not unknown, f"{what}: unknown {', '.join(unknown)}")
    _expect(not missing, f"{what}: missing {', '.join(missing)}")


def _sourced(name: str, body: Mapping[str, Any]) -> None:
    _expect(bool(body["source"]), f"{name}: no source")


def _expect(so: bool, otherwise: str) -> None:
    if not so:
        raise ValueError(f"retention.yaml: {otherwise}")
