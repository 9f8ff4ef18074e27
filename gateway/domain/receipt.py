"""What a clerk is told of a file: every bad row with its column, what is wrong and what to do, and no personal data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.sheet import RowFlaw, code_choices
from schemas.records import Dataset, Kind

MESSAGES: dict[str, tuple[str, str]] = {
    "missing_required": ("此项必填，请补填。", "This cell must be filled in."),
    "bad_code": (
        "内容不在可选范围内，请按模板下拉列表填写。",
        "Not one of the permitted values; use the template's list.",
    ),
    "bad_date": (
        "日期无法识别或不存在，请按 2026-03-05 的格式填写。",
        "Not a date that exists; write it as 2026-03-05.",
    ),
    "out_of_range": ("数值超出允许范围，请核对。", "The value is out of range; check it."),
    "future_date": ("日期晚于今天，请核对。", "The date lies in the future; check it."),
    "bad_checksum": (
        "证件号末位校验不符，请对照证件逐位核对。",
        "The id number's last character does not fit; check each digit.",
    ),
    "precision_lost": (
        "证件号被表格软件当作数字，末几位已丢失；请将单元格设为“文本”后按证件重新填写。",
        "The spreadsheet has rounded this number; set the cell to text and type it again from the card.",
    ),
    "birth_date_mismatch": (
        "出生日期与证件号中的日期不一致，请核对两处。",
        "The birth date differs from the id number's.",
    ),
    "unknown_student": (
        "学籍系统中没有该学籍号，请先上报学籍或核对号码。",
        "No register has this student number; hand in the register first, or check the number.",
    ),
    "duplicate_in_file": (
        "同一学生在本文件中出现多次且内容不同，请只保留正确的一行。",
        "The same child stands in this file twice with different content; keep the right row only.",
    ),
    "identity_conflict": (
        "该学籍号已属于另一证件号的学生，请核对学籍号和证件号。",
        "This student number belongs to a child with another id number; check both.",
    ),
    "unknown_region": (
        "行政区划代码不在代码表中，已受理，请核对。",
        "This region code is in no table; accepted, please check.",
    ),
    "unknown_area": (
        "证件号前六位的地区代码不在代码表中，已受理，请核对。",
        "The id number's area is in no table; accepted, please check.",
    ),
    "uscc_checksum": (
        "统一社会信用代码末位校验不符，已受理，请核对。",
        "The last character of the employer's code does not fit; accepted, please check.",
    ),
    "child_not_named": (
        "确认使用童工但未填儿童证件号：已计入该单位，未能通知教育部门，请尽快补报。",
        "Child labour is confirmed and no child is named: counted, but education could not be told; name the child.",
    ),
    "not_under_16": (
        "检查当日此人已满十六周岁，请勿填写其证件号。",
        "This person was sixteen or older on that day; leave the id number out.",
    ),
    "personal_data": (
        "此栏不得填写证件号或电话号码。",
        "No id number or phone number may stand here.",
    ),
    "outside_reach": (
        "该地点不在本单位辖区内，请由属地单位上报。",
        "This place lies outside your region; its own office hands it in.",
    ),
    "unknown_referral": (
        "没有这份已由本单位接收的移送，请核对移送编号。",
        "No referral of that number was accepted by this agency; check the number.",
    ),
    "outcome_differs": (
        "该移送已以另一结果或日期办结，请核对。",
        "This referral was closed with another outcome or date; check it.",
    ),
    "before_acceptance": (
        "日期早于接收移送之日，请核对。",
        "The date lies before the day on which the referral was accepted; check it.",
    ),
    "no_header": (
        "没有找到表头，请使用模板的表头：",
        "No heading row was found; these headings are missing: ",
    ),
    "wrong_dataset": ("这份文件像是另一类数据：", "This file looks like other data: "),
    "not_a_spreadsheet": (
        "文件不是可读取的表格，请另存为 xlsx 或 csv 后重新上传。",
        "This is not a readable table; save it as xlsx or csv.",
    ),
    "too_large": (
        "文件过大或行列过多，请拆分后上传。",
        "The file has too many bytes, rows or columns; split it.",
    ),
    "encrypted": ("文件已加密，请取消密码后重新上传。", "The file is encrypted; remove the password."),
    "zip_bomb": ("文件展开后异常巨大，已拒绝。", "The file unpacks to an abnormal size; refused."),
}


_SHAPES: dict[Kind, tuple[str, str]] = {
    Kind.RESIDENT_ID: ("证件号应为18位，请对照证件填写。", "An id number has 18 characters; check the card."),
    Kind.STUDENT_NUMBER: ("学籍号应以 G、L 或 J 开头，请核对。", "A student number starts with G, L or J."),
    Kind.REGION: ("行政区划代码应为6、9或12位数字。", "A region code has 6, 9 or 12 digits."),
    Kind.SCHOOL_CODE: ("学校标识码应为数字或字母。", "A school code has digits or letters only."),
    Kind.NAME: ("姓名应为文字，请核对是否填错列。", "A name has letters; is this the right column?"),
    Kind.INTEGER: ("此处应填整数。", "Fill in a whole number."),
    Kind.USCC: (
        "统一社会信用代码应为18位，且不得填写身份证件号。",
        "An employer's code has 18 characters and is no id number.",
    ),
    Kind.TERM: (
        "学期无法识别，请按 2026-2027-1（秋季）、2026-2027-2（春季）的格式填写。",
        "Not a term; write it as 2026-2027-1 (autumn) or 2026-2027-2 (spring).",
    ),
    Kind.MONEY: (
        "金额无法识别，请填写元，最多两位小数。",
        "Not an amount; write yuan with two decimals at most.",
    ),
    Kind.TEXT: ("内容无法识别，请重新填写。", "This text cannot be read; type it again."),
}
"""What a wrong code means where there is no list to choose from."""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """rows = accepted + unchanged + rejected; `skipped` are titles, blank rows, totals and remarks."""

    rows: int
    accepted: int
    unchanged: int
    rejected: int
    skipped: int


def message(code: str, dataset: Dataset, field: str, language: str) -> str:
    """What is wrong and what to do; for a code list, the permitted values too."""
    column = dataset.by_name.get(field)
    zh, en = MESSAGES[code]
    if column is not None and code == "bad_code":
        zh, en = _SHAPES.get(column.kind, (zh, en))
    choices = code_choices(column) if column is not None and code == "bad_code" else ()
    if language == "en":
        return f"{en} ({' / '.join(choices)})" if choices else en
    return f"{zh}可填：{'、'.join(choices)}" if choices else zh


def flaw_json(flaw: RowFlaw, dataset: Dataset, language: str) -> dict[str, object]:
    """One refused cell as the receipt shows it."""
    return {
        "row": flaw.row,
        "column": flaw.column,
        "field": flaw.field,
        "code": flaw.code,
        "message": message(flaw.code, dataset, flaw.field, language),
        "value_hint": flaw.hint,
    }


def sentences(flaws: Sequence[RowFlaw], dataset: Dataset) -> Mapping[int, str]:
    """Row number → all that is wrong with it, for the errors file."""
    found: dict[int, list[str]] = {}
    for flaw in flaws:
        text = f"{flaw.column}：{message(flaw.code, dataset, flaw.field, 'zh')}"
        found.setdefault(flaw.row, []).append(text)
    return {row: " ".join(texts) for row, texts in found.items()}
