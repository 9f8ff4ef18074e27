"""Reads `policies/aid.yaml`: what aid comes to, who is entitled, when terms are. A wrong file stops the start."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from gateway.domain.aid import AidBook, MonthDay, TermDates
from schemas.codes.tables import table

FILE = "aid.yaml"
_STAGES = {"primary", "junior"}
_GRADES = {int(code) for code in table("grade").codes()}
_TERMS = {1, 2}
_LEAP_YEAR, _COMMON_YEAR = 2024, 2023
_MONTH_DAY_PARTS = 2


def read_aid(body: Mapping[str, Any]) -> AidBook:
    """The county's figures; ValueError names what does not fit."""
    _same("top level", body, {"version", "source", "yuan_a_year", "grades", "entitles", "schemes", "terms"})
    _expect(bool(body["source"]), "source: none is given")
    _same("yuan_a_year", body["yuan_a_year"], _STAGES)
    _same("grades", body["grades"], _STAGES)
    _same("entitles", body["entitles"], {"hardship", "relief_classes"})
    _same("terms", body["terms"], _TERMS)
    terms = {number: _dates(number, dates) for number, dates in body["terms"].items()}
    _expect(terms[1].starts > terms[2].starts, "terms: 1 is autumn, 2 the spring after it")
    return AidBook(
        version=str(body["version"]),
        yearly={stage: _sums(stage, sums) for stage, sums in body["yuan_a_year"].items()},
        stages=_stages(body["grades"]),
        hardship_entitles=_truth(body["entitles"]["hardship"]),
        relief_classes=_codes("relief_class", body["entitles"]["relief_classes"]),
        schemes=_codes("aid_scheme", body["schemes"]),
        terms=terms,
    )


def _sums(stage: str, sums: Mapping[str, Any]) -> Mapping[str, int]:
    _same(f"yuan_a_year/{stage}", sums, set(table("boarding").codes()))
    for boarding, yuan in sums.items():
        whole = isinstance(yuan, int) and not isinstance(yuan, bool)
        _expect(whole and yuan > 0, f"yuan_a_year/{stage}/{boarding}: whole yuan, more than none")
    return dict(sums)


def _stages(grades: Mapping[str, Any]) -> Mapping[int, str]:
    found = {grade: stage for stage, those in grades.items() for grade in those}
    _expect(sum(map(len, grades.values())) == len(found), "grades: one is in two stages")
    _same("grades", found, _GRADES)
    return found


def _codes(name: str, codes: Any) -> frozenset[str]:
    _expect(isinstance(codes, list) and bool(codes), f"{name}: a list, not an empty one")
    strange = set(codes) - set(table(name).codes())
    _expect(not strange, f"{name}: unknown {', '.join(sorted(map(str, strange)))}")
    return frozenset(codes)


def _dates(number: int, dates: Mapping[str, Any]) -> TermDates:
    _same(f"terms/{number}", dates, {"starts", "ends", "paid_by"})
    starts, ends, paid_by = (_day(number, dates[name]) for name in ("starts", "ends", "paid_by"))
    begin = date(_LEAP_YEAR, starts.month, starts.day)
    _expect(paid_by.after(begin) <= ends.after(begin), f"terms/{number}: paid_by lies inside the term")
    return TermDates(starts, ends, paid_by)


def _day(number: int, text: object) -> MonthDay:
    """``09-01``, a day that every year has."""
    parts = str(text).split("-")
    _expect(len(parts) == _MONTH_DAY_PARTS and all(map(str.isdecimal, parts)), f"terms/{number}: MM-DD")
    found = MonthDay(*map(int, parts))
    date(_COMMON_YEAR, found.month, found.day)
    return found


def _truth(value: object) -> bool:
    _expect(isinstance(value, bool), "entitles/hardship: true or false")
    return value is True


def _same(what: str, found: Any, wanted: set[Any]) -> None:
    _expect(isinstance(found, Mapping), f"{what}: a mapping")
    _expect(set(found) == wanted, f"{what}: {sorted(map(str, found))} should be {sorted(map(str, wanted))}")


def _expect(so: bool, otherwise: str) -> None:
    if not so:
        raise ValueError(f"{FILE}: {otherwise}")
