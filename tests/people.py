"""Invented people and small files for tests. Nobody here exists: ids are computed, names are made up."""

from collections.abc import Sequence
from datetime import date

from schemas.identifiers import resident_id_check

EMPLOYER = "91530423MA6K2JJF8R"

STUDENT_HEADINGS = [
    "姓名",
    "性别",
    "出生日期",
    "身份证件类型",
    "身份证件号",
    "学籍号",
    "学校标识码",
    "学校名称",
    "年级",
    "就读方式",
    "学生状态",
    "状态日期",
    "现住址行政区划",
    "家庭经济困难",
    "留守儿童",
    "单亲家庭",
]


def resident_id(birth: date = date(2015, 3, 5), number: int = 2, area: str = "530423") -> str:
    """A valid, invented id number; `number` 0–999 makes it a different child (even: female)."""
    first = f"{area}{birth:%Y%m%d}{number:03d}"
    return first + resident_id_check(first)


def student(number: int = 2, birth: date = date(2015, 3, 5), **changes: str) -> dict[str, str]:
    """One row of the student register by Chinese heading; `changes` by heading override it."""
    id_number = resident_id(birth, number)
    row = {
        "姓名": f"测试{chr(0x4E00 + number)}",
        "性别": "女" if number % 2 == 0 else "男",
        "出生日期": birth.isoformat(),
        "身份证件类型": "居民身份证",
        "身份证件号": id_number,
        "学籍号": "G" + id_number,
        "学校标识码": "2153001234",
        "学校名称": "示范小学",
        "年级": "四年级",
        "就读方式": "走读",
        "学生状态": "在校",
        "状态日期": "2026-09-01",
        "现住址行政区划": "530423101",
        "家庭经济困难": "否",
        "留守儿童": "否",
        "单亲家庭": "否",
    }
    return {**row, **changes}


def attendance(number: int = 2, **changes: str) -> dict[str, str]:
    """One month of a pupil; `changes` by heading override it."""
    row = {
        "学籍号": "G" + resident_id(number=number),
        "月份": "2026-10",
        "应到天数": "22",
        "缺勤天数": "2",
        "连续缺勤天数": "1",
        "事由": "",
    }
    return {**row, **changes}


def sighting(number: int | None = 2, **changes: str) -> dict[str, str]:
    """What an inspector found at an employer: that child at work, or nobody; `changes` by heading override it."""
    row = {
        "统一社会信用代码": EMPLOYER,
        "用人单位名称": "示范加工厂",
        "检查日期": "2026-11-18",
        "地点": "一号车间",
        "行政区划": "530423101",
        "身份证号": "" if number is None else resident_id(number=number),
        "检查结果": "未发现使用童工" if number is None else "确认使用童工",
        "处理措施": "无" if number is None else "责令改正",
    }
    return {**row, **changes}


def payment(number: int = 2, birth: date = date(2015, 3, 5), **changes: str) -> dict[str, str]:
    """One payment of aid to a pupil; `changes` by heading override it."""
    row = {
        "学籍号": "G" + resident_id(birth, number),
        "学期": "2026年秋季",
        "资助类别": "生活补助",
        "金额": "250",
        "发放日期": "2026-10-20",
    }
    return {**row, **changes}


def focus(number: int = 2, birth: date = date(2015, 3, 5), **changes: str) -> dict[str, str]:
    """One row of the school's focus groups; `changes` by heading override it."""
    row = {
        "学籍号": "G" + resident_id(birth, number),
        "类别": "学习困难",
        "起始日期": "2026-09-02",
        "终止日期": "",
    }
    return {**row, **changes}


def assessment(number: int = 2, birth: date = date(2015, 3, 5), **changes: str) -> dict[str, str]:
    """One disability assessment; `changes` by heading override it."""
    row = {
        "姓名": f"测试{chr(0x4E00 + number)}",
        "身份证号": resident_id(birth, number),
        "残疾类别": "听力",
        "残疾等级": "三级",
        "评估日期": "2026-10-11",
        "教育适宜性": "可随班就读",
        "现住址行政区划": "530423101",
        "是否需要支持服务": "是",
    }
    return {**row, **changes}


def relief(number: int = 2, birth: date = date(2015, 3, 5), **changes: str) -> dict[str, str]:
    """One row of the relief register; `changes` by heading override it."""
    row = {
        "姓名": f"测试{chr(0x4E00 + number)}",
        "身份证号": resident_id(birth, number),
        "救助类别": "低保",
        "起始日期": "2026-09-15",
        "终止日期": "",
        "行政区划": "530423101",
    }
    return {**row, **changes}


def csv_file(rows: Sequence[dict[str, str]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Rows as a delimited file with their headings first."""
    headings = list(rows[0])
    lines = [headings, *([row[heading] for heading in headings] for row in rows)]
    return "".join(delimiter.join(line) + "\r\n" for line in lines).encode(encoding)
