"""Who looked, as a page the guardian takes home: one file, no script, no style, nothing fetched; prints as it stands.

Made of the very answer the interface gives, so that both say the same. No id number and no name is on it.
"""

from collections.abc import Mapping
from datetime import datetime
from html import escape
from typing import Any
from zoneinfo import ZoneInfo

_LOCAL = ZoneInfo("Asia/Shanghai")

_OBJECT = (
    (
        "您有权了解、查阅和复制该儿童的个人信息，并可要求限制或者拒绝处理（《个人信息保护法》第四十四条、第四十五条）；"
        "发现信息有误的，可要求更正、补充（第四十六条）；具有第四十七条所列情形的，可要求删除。",
        "You may know, consult and copy this child's data and have its use restricted or refused (Personal Information"
        " Protection Law, art. 44, 45); have it corrected (art. 46); and, in the cases of art. 47, erased.",
    ),
    (
        "办理方式：请持本页向出具本页的窗口提出，写明凭证编号；由网关转交该机构，并书面答复处理结果和理由。"
        "对答复不服的，可向政务数据主管部门投诉，或者依法向人民法院提起诉讼（第五十条）。",
        "How: hand this page in at the counter that issued it, with the reference concerned. The agency concerned"
        " answers in writing and gives its reasons. If you disagree, complain to the data-sharing authority, or go to"
        " court (art. 50).",
    ),
)


def disclosures_page(answer: Mapping[str, Any]) -> bytes:
    """The page in UTF-8; every value escaped."""
    issued = datetime.fromisoformat(answer["as_of"]).astimezone(_LOCAL)
    parts = [
        "<!doctype html>",
        '<html lang="zh-CN"><head><meta charset="utf-8">',
        "<title>儿童个人信息使用清单 Who used this child\u2019s data</title></head><body>",
        "<h1>儿童个人信息使用清单<br><small>Who used this child\u2019s data</small></h1>",
        f"<p>出具日期 Date of issue: {issued:%Y-%m-%d}<br>凭证编号 Reference: {escape(answer['reference'])}</p>",
        *_totals(answer),
        *_uses(answer),
        "<h2>说明 <small>Notes</small></h2>",
        *(_both(note["zh"], note["en"]) for note in answer["notes"]),
        "<h2>如有异议 <small>How to object</small></h2>",
        *(_both(zh, en) for zh, en in _OBJECT),
        "</body></html>",
    ]
    return "\n".join(parts).encode()


def _both(zh: str, en: str) -> str:
    return f'<p>{escape(zh)}<br><small lang="en">{escape(en)}</small></p>'


def _totals(answer: Mapping[str, Any]) -> list[str]:
    rows = [
        f"<tr><td>{escape(each['title_zh'])} {escape(each['title_en'])}</td><td>{each['uses']:d}</td></tr>"
        for each in answer.get("totals", ())
    ]
    head = "<tr><th>机构 Agency</th><th>次数 Uses</th></tr>"
    return [
        f"<h2>共 {answer.get('total', 0):d} 次使用 <small>Uses in all</small></h2>",
        f'<table border="1" cellpadding="4">{head}{"".join(rows)}</table>',
    ]


def _uses(answer: Mapping[str, Any]) -> list[str]:
    items = [
        f'<li>{escape(item.get("sentence", ""))}<br><small lang="en">{escape(item.get("sentence_en", ""))}</small>'
        f"<br><small>{escape(item.get('reference', ''))}</small></li>"
        for item in answer["items"]
    ]
    shown = "<h2>使用记录（由近及远） <small>Uses, newest first</small></h2>"
    if not items:
        return [shown, "<p>没有可以出具的使用记录。 There is no use to tell of.</p>"]
    more = "<p>续见下页。 Continued on the next page.</p>" if answer["next_cursor"] else ""
    return [shown, f"<ol>{''.join(items)}</ol>", more]
