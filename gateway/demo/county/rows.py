"""From a child to its row in each of the four files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gateway.demo.county.planting import CATEGORIES, Child
from gateway.demo.county.spelling import Cell, Clerk

REGISTER, ATTENDANCE = "student-register", "attendance"
RELIEF, ASSESSMENT = "relief-register", "disability-assessment"
COLUMNS: dict[str, tuple[str, ...]] = {
    REGISTER: (
        *("姓名", "性别", "出生日期", "身份证件类型", "身份证件号", "学籍号", "学校标识码", "学校名称"),
        *(
            "年级",
            "就读方式",
            "学生状态",
            "状态日期",
            "现住址行政区划",
            "家庭经济困难",
            "留守儿童",
            "单亲家庭",
        ),
    ),
    ATTENDANCE: ("学籍号", "月份", "应到天数", "缺勤天数", "连续缺勤天数", "事由"),
    RELIEF: ("姓名", "身份证号", "救助类别", "起始日期", "终止日期", "行政区划"),
    ASSESSMENT: (
        *("姓名", "身份证号", "残疾类别", "残疾等级"),
        *("评估日期", "教育适宜性", "现住址行政区划", "评估机构"),
    ),
}
ASSESSORS = ("护学演示县康复中心", "护学演示县第一医院")
ACCEPTED, UNCHANGED = "accepted", "unchanged"
Cells = dict[str, Cell]


@dataclass(slots=True)
class Row:
    """One row: `fate` is `accepted`, `unchanged` or the code of its refusal; rows sort by `order`."""

    order: float
    cells: Cells
    child: Child
    fate: str = ACCEPTED


def month_before(as_of: date) -> str:
    """Give the month before the law date as YYYY-MM."""
    year, month = (as_of.year, as_of.month - 1) if as_of.month > 1 else (as_of.year - 1, 12)
    return f"{year}-{month:02d}"


def cells_of(dataset: str, child: Child, clerk: Clerk, as_of: date) -> Cells:
    """Write a child's row of `dataset`; spelling differs from call to call, content does not."""
    if dataset == REGISTER:
        values = _register(child, clerk)
    elif dataset == ATTENDANCE:
        values = _attendance(child, as_of)
    else:
        values = _relief(child, clerk) if dataset == RELIEF else _assessment(child, clerk)
    return dict(zip(COLUMNS[dataset], values, strict=True))


def _register(child: Child, clerk: Clerk) -> tuple[Cell, ...]:
    who, at = child.person, child.enrolment
    assert at is not None  # noqa: S101 - only registered children are written here
    flags = (
        "是" if need in at.needs else "否" for need in ("economic_hardship", "left_behind", "single_parent")
    )
    return (
        *(who.name, who.sex, clerk.day(who.birth), who.id_type, clerk.resident_id(who.resident_id)),
        *(at.student_number, at.school.code, at.school.name, clerk.grade(at.grade), at.boarding),
        *(at.status, clerk.day(at.since), who.township, *flags),
    )


def _attendance(child: Child, as_of: date) -> tuple[Cell, ...]:
    month, at = child.absence, child.enrolment
    assert at is not None and month is not None  # noqa: S101, PT018
    return (at.student_number, month_before(as_of), month.expected, month.absent, month.longest, month.reason)


def _relief(child: Child, clerk: Clerk) -> tuple[Cell, ...]:
    who, relief = child.person, child.relief
    assert relief is not None  # noqa: S101
    end = clerk.day(relief.end) if relief.end else None
    number = clerk.resident_id(who.resident_id)
    return (who.name, number, relief.relief_class, clerk.day(relief.start), end, who.township)


def _assessment(child: Child, clerk: Clerk) -> tuple[Cell, ...]:
    who, found = child.person, child.assessment
    assert found is not None  # noqa: S101
    category, grade = clerk.category(found.category, CATEGORIES), clerk.severity(found.grade)
    number = clerk.resident_id(who.resident_id)
    # Which hospital follows from the child, so that a repeated row has the same content.
    assessor = ASSESSORS[who.birth.day % len(ASSESSORS)]
    return (
        who.name,
        number,
        category,
        grade,
        clerk.day(found.assessed_on),
        found.suitability,
        who.township,
        assessor,
    )
