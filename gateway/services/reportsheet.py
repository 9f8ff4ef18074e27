"""Reports as a table for people: one report a row, headings in Chinese with English beside."""

from collections.abc import Mapping, Sequence

from gateway.domain.cells import Cell
from gateway.domain.deidentify import Released
from gateway.domain.reporting import FIGURES

_COLUMNS: Mapping[str, str] = {
    "title_zh": "报告 Report",
    "period": "报告期 Period",
    "region": "行政区划 Region",
    "school": "学校 School",
    "status": "状态 Status",
    "due_on": "签发期限 Due",
    "signed_by": "签发人 Signed by",
    "signed_on": "签发日期 Signed on",
}
_STATUS = {"due": "待签发 due", "overdue": "逾期 overdue", "signed": "已签发 signed"}


def tabled(items: Sequence[Released]) -> tuple[list[str], list[list[Cell]]]:
    """Headings and rows; a figure that differs from what was stated or is known now says so in the last column."""
    headings = [*_COLUMNS.values(), *(f"{zh} {en}" for zh, en in FIGURES.values()), "不符之处 Disagreements"]
    return headings, [_row(item) for item in items]


def _row(item: Released) -> list[Cell]:
    cells: list[Cell] = [_text(item.get(name)) for name in _COLUMNS]
    cells[4] = _STATUS.get(str(item.get("status")), "")
    figures = item.get("figures")
    counts = figures if isinstance(figures, Mapping) else {}
    return [*cells, *(_text(counts.get(name)) for name in FIGURES), _differences(item.get("disagreements"))]


def _differences(told: object) -> str:
    lines = told if isinstance(told, list) else []
    return "；".join(
        f"{each['place']} {each['title_zh']}：{each['finding_zh']}，"
        f"{'原报' if each['later'] else '自报'}{each['stated']}，事实{each['facts']}"
        for each in lines
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)
