"""Rows that must be refused, one fault in each, and rows that say the same thing twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from gateway.demo.county.people import CHECK_CHARACTERS, RESIDENT
from gateway.demo.county.planting import ENROLLED, SUITABILITIES, Child, County, Planter
from gateway.demo.county.rows import ASSESSMENT, ATTENDANCE, REGISTER, RELIEF, UNCHANGED, Row, cells_of
from gateway.demo.county.spelling import Cell, Clerk

Spoil = Callable[[Child, date], Cell]
Fault = tuple[str, str, Spoil]
DUPLICATE = "duplicate_in_file"


def _put(value: Cell) -> Spoil:
    return lambda child, as_of: value


def _days_after(days: int) -> Spoil:
    return lambda child, as_of: (as_of + timedelta(days=days)).isoformat()


def _wrong_check(child: Child, as_of: date) -> Cell:
    number = str(child.person.resident_id)
    return number[:17] + CHECK_CHARACTERS[(CHECK_CHARACTERS.index(number[17]) + 3) % 11]


def _digits(child: Child) -> int:
    # A number has no X; its digits past the fifteenth are lost anyway.
    return int(str(child.person.resident_id)[:15]) * 1000


def _as_number(child: Child, as_of: date) -> Cell:
    return float(_digits(child))


def _scientific(child: Child, as_of: date) -> Cell:
    return f"{_digits(child):.5E}"


def _birth_off(days: int) -> Spoil:
    return lambda child, as_of: (child.person.birth + timedelta(days=days)).isoformat()


def _no_such_day(child: Child, as_of: date) -> Cell:
    return f"{as_of.year}-02-30"


ID, PERSON_ID = "身份证件号", "身份证号"
FAULTS: dict[str, tuple[Fault, ...]] = {
    REGISTER: (
        *(("missing_required", name, _put(None)) for name in ("姓名", ID, "学籍号", "学校标识码", "年级")),
        ("missing_required", "状态日期", _put(None)),
        ("bad_code", "学生状态", _put("借读中")),
        ("bad_code", "身份证件类型", _put("学生证")),
        ("bad_code", "就读方式", _put("半托")),
        ("bad_code", "家庭经济困难", _put("不清楚")),
        ("bad_date", "状态日期", _no_such_day),
        ("bad_date", "出生日期", _put("不详")),
        ("future_date", "状态日期", _days_after(1)),
        ("future_date", "状态日期", _days_after(90)),
        ("bad_checksum", ID, _wrong_check),
        ("precision_lost", ID, _as_number),
        ("birth_date_mismatch", "出生日期", _birth_off(1)),
        ("birth_date_mismatch", "出生日期", _birth_off(-366)),
    ),
    ATTENDANCE: (
        ("missing_required", "应到天数", _put(None)),
        ("missing_required", "连续缺勤天数", _put(None)),
        ("bad_date", "月份", lambda child, as_of: f"{as_of.year}-13"),
        ("out_of_range", "缺勤天数", _put(31)),
    ),
    RELIEF: (
        ("missing_required", "姓名", _put(None)),
        ("missing_required", "起始日期", _put(None)),
        ("bad_code", "救助类别", _put("小康")),
        ("bad_date", "起始日期", _no_such_day),
        ("bad_checksum", PERSON_ID, _wrong_check),
        ("precision_lost", PERSON_ID, _scientific),
    ),
    ASSESSMENT: (
        ("missing_required", PERSON_ID, _put(None)),
        ("missing_required", "教育适宜性", _put(None)),
        ("bad_code", "残疾类别", _put("嗅觉")),
        ("bad_code", "残疾等级", _put("九级")),
        ("bad_code", "教育适宜性", _put("待定")),
        ("bad_date", "评估日期", _no_such_day),
        ("future_date", "评估日期", _days_after(1)),
        ("bad_checksum", PERSON_ID, _wrong_check),
        ("precision_lost", PERSON_ID, _scientific),
    ),
}


class FaultPlanter:
    """Adds refused and repeated rows to the good rows of the four files."""

    def __init__(self, planter: Planter, county: County, times: int) -> None:
        self._planter = planter
        self._rng: random.Random = planter.rng
        self._county = county
        self._times = times
        # Attendance of a child whom nobody registered would be `unknown_student` besides its fault.
        self._reserve = [c for c in county.pupils if c.story == "no_good_attendance"]

    def spoiled(self, dataset: str, clerk: Clerk) -> list[Row]:
        """Make the rows with one fault each; their children are in no other row of the file."""
        rows = []
        for code, column, spoil in FAULTS[dataset] * self._times:
            child = self._victim(dataset)
            cells = cells_of(dataset, child, clerk, self._county.as_of)
            # A date cell or an untidy id elsewhere in the row stays: only this one cell is wrong.
            cells[column] = spoil(child, self._county.as_of)
            rows.append(Row(self._rng.random(), cells, child, code))
        return rows

    def unknown_students(self, clerk: Clerk) -> list[Row]:
        """Make attendance, some of it alarming, for student numbers that nobody registered."""
        rows = []
        for longest in (0, 9) * self._times:
            child = replace(self._planter.pupil(), absence=self._planter.month(longest))
            cells = cells_of(ATTENDANCE, child, clerk, self._county.as_of)
            rows.append(Row(self._rng.random(), cells, child, "unknown_student"))
        return rows

    def repeats(self, dataset: str, clerk: Clerk, good: list[Row]) -> list[Row]:
        """Repeat some rows further down: half with other content (refused), half the same (unchanged)."""
        likely = [row for row in good if self._may_repeat(dataset, row.child)]
        chosen = self._rng.sample(likely, 2 * min(len(likely) // 2, 2 * self._times))
        rows = []
        for i, first in enumerate(chosen):
            fate = (DUPLICATE, UNCHANGED)[i % 2]
            child = self._changed(dataset, first.child) if fate == DUPLICATE else first.child
            cells = cells_of(dataset, child, clerk, self._county.as_of)
            rows.append(Row(self._rng.uniform(first.order, 1), cells, child, fate))
        return rows

    def _victim(self, dataset: str) -> Child:
        planter = self._planter
        if dataset == ATTENDANCE:
            return replace(self._reserve.pop(), absence=planter.month(9))
        if dataset == REGISTER:
            child = planter.pupil("refused")
            while child.person.id_type != RESIDENT:
                child = planter.pupil("refused")
            return child
        child = planter.stranger(7, 14, "refused")
        child.relief = planter.relief(self._county.as_of - timedelta(days=100), None)
        child.assessment = planter.assessment(SUITABILITIES[0])
        return child

    @staticmethod
    def _may_repeat(dataset: str, child: Child) -> bool:
        """Only plain cases repeat, so that a repeat taken for the truth would show in leads or answers."""
        if dataset == RELIEF:
            return child.relief is not None and child.relief.end is None
        return dataset == ASSESSMENT or (child.story == "ordinary" and child.person.resident_id is not None)

    def _changed(self, dataset: str, child: Child) -> Child:
        """Give the child as a later, contradicting row has it."""
        if dataset == REGISTER and child.enrolment:
            later = replace(
                child.enrolment, status="辍学" if child.enrolment.status == ENROLLED else ENROLLED
            )
            return replace(child, enrolment=later)
        if dataset == ATTENDANCE:
            return replace(child, absence=self._planter.month(9))
        if dataset == RELIEF and child.relief:
            return replace(child, relief=replace(child.relief, end=child.relief.start + timedelta(days=3)))
        found = child.assessment
        return replace(child, assessment=replace(found, grade=found.grade % 4 + 1) if found else None)
