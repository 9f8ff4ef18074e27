"""What was told, as the files that agencies hand in."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from tests.acceptance.school_year import days
from tests.acceptance.school_year.people import FAR_SCHOOL, JUNIOR, PRIMARY, Absence, Child, Told

HEADINGS = {
    "student-register": "姓名 性别 出生日期 身份证件类型 身份证件号 学籍号 学校标识码 学校名称 年级 就读方式 学生状态 状态日期"
    " 现住址行政区划 家庭经济困难 留守儿童 单亲家庭",
    "attendance": "学籍号 月份 应到天数 缺勤天数 连续缺勤天数 事由",
    "relief-register": "姓名 身份证号 救助类别 起始日期 终止日期 行政区划",
    "disability-assessment": "姓名 身份证号 残疾类别 残疾等级 评估日期 教育适宜性 现住址行政区划 评估机构",
}
_SCHOOLS = {code: (name, place) for code, name, place in (*PRIMARY, *JUNIOR, FAR_SCHOOL)}


def rows(told: Told) -> Iterator[list[str]]:
    """The lines of the file, without its headings."""
    for child, said in told.says.items():
        match told.dataset:
            case "student-register":
                yield _register_row(told, child)
            case "attendance":
                yield from (_attendance_row(child, month, absence) for month, absence in said)
            case "relief-register":
                end = said.end.isoformat() if said.end else ""
                start = said.start.isoformat()
                yield [child.name, child.resident_id or "", said.relief_class, start, end, child.township]
            case _:
                day = said.assessed_on.isoformat()
                kind = [said.category, said.grade, day, said.suitability]
                yield [child.name, child.resident_id or "", *kind, child.township, "县人民医院"]


def _register_row(told: Told, child: Child) -> list[str]:
    entry = told.says[child]
    far = told.county == FAR_SCHOOL[2][:6]
    code = FAR_SCHOOL[0] if far else entry.school or child.school[0]
    name, place = _SCHOOLS[code]
    return [
        child.name,
        child.sex,
        child.birth.isoformat(),
        child.id_type,
        child.resident_id or "",
        child.student_number,
        code,
        name,
        str(child.grade),
        child.boarding,
        entry.status,
        entry.since.isoformat(),
        place if far else child.township,
        "是" if child.hardship else "否",
        "是" if child.left_behind else "否",
        "否",
    ]


def _attendance_row(child: Child, month: str, absence: Absence) -> list[str]:
    counts = (days.school_days(month), absence.absent, absence.longest)
    return [child.student_number, month, *map(str, counts), absence.reason]


def as_csv(told: Told) -> bytes:
    """The file in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(HEADINGS[told.dataset].split())
    writer.writerows(rows(told))
    return text.getvalue().encode()
