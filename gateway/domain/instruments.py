"""Legal instruments 法律文书: the orders and reminders that are served on a child's guardian, and how one is worded.

(`Notice` is already the word for a deletion notice; in the contract these are `notices`.) The words stand in
`policies/notices/<kind>.yaml`; here is what may be put into their gaps. A value is text and stays text: it is put in
once, is never read again for further gaps, and may hold no sign that does not print.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal, Protocol

from gateway.domain.case import State
from gateway.domain.errors import Flaw, Malformed

GAP = re.compile(r"\{([a-z_]+)\}")
"""How a gap is written in a text."""

Source = Literal["officer", "vault", "gateway"]


class Kind(StrEnum):
    """What is served."""

    RETURN_ORDER = "return-order"  # 限期复学通知书
    CORRECTION_ORDER = "correction-order"  # 责令改正通知书
    REMINDER = "enforcement-reminder"  # 催告书


class Format(StrEnum):
    """As what file a document is written."""

    PDF = "pdf"
    DOCX = "docx"


@dataclass(frozen=True, slots=True)
class Slot:
    """A gap: who fills it, with a line of text of at most `most` characters or with a day."""

    name: str
    title_zh: str
    source: Source
    most: int = 60
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Template:
    """The wording of one kind, and the rules for it.

    `duty` is the row of `policies/duties.yaml` with the days to comply; `follows` names kinds of which one must have
    been served and have expired, none where the list is empty; `states` are the case's states in which it is issued.
    """

    kind: Kind
    title: str
    title_en: str
    number: str
    duty: str
    issued_by: frozenset[str]
    states: frozenset[State]
    follows: tuple[Kind, ...]
    legal_basis: tuple[str, ...]
    slots: Mapping[str, Slot]
    addressee: str
    body: tuple[str, ...]

    def texts(self) -> tuple[str, ...]:
        """Everything that has gaps and is shown."""
        return (self.addressee, *self.body)

    def asked_of_officer(self) -> frozenset[str]:
        """The gaps an officer fills."""
        return frozenset(name for name, slot in self.slots.items() if slot.source == "officer")


@dataclass(frozen=True, slots=True)
class Document:
    """A worded instrument: final, the same whenever it is written to a file. `repr` shows the title alone."""

    title: str
    number: str
    issuer: str
    issued_on: date
    addressee: str
    paragraphs: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Document({self.title}, …)"


class DocumentWriter(Protocol):
    """Writes documents as files."""

    def render(self, document: Document, kind: Format) -> bytes:
        """The file; Unprintable when it needs a character that the embedded font lacks. Same words, same bytes."""
        ...


def in_words(day: date) -> str:
    """2026年11月20日."""
    return f"{day.year}年{day.month}月{day.day}日"


def checked(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """What an officer gave, cleaned, for exactly the gaps an officer fills.

    Malformed with a flaw for each that is missing, unknown or not a line of text; the flaws never hold the value.
    """
    wanted = template.asked_of_officer()
    flaws = [
        _flaw(name, "unknown_field", "没有这一项", "No such item") for name in sorted(given.keys() - wanted)
    ]
    cleaned = {}
    for name in sorted(wanted):
        value = _clean(template.slots[name], given.get(name, ""))
        if isinstance(value, Flaw):
            flaws.append(value)
        else:
            cleaned[name] = value
    if flaws:
        raise Malformed(flaws=tuple(flaws))
    return cleaned


def worded(template: Template, values: Mapping[str, str], head: tuple[str, str, date]) -> Document:
    """The document; `head` is number, issuer and day of issue. Malformed when a gap has no value or a value no gap."""
    number, issuer, issued_on = head
    flaws = [_missing(template.slots[name]) for name in sorted(template.slots.keys() - values.keys())]
    flaws += [
        _flaw(name, "unknown_field", "没有这一项", "No such item")
        for name in sorted(values.keys() - template.slots.keys())
    ]
    flaws += [
        _flaw(name, "bad_text", "须为一行可打印的文字", "One line of printable text")
        for name in sorted(values)
        if not is_line(values[name])
    ]
    if flaws:
        raise Malformed(flaws=tuple(flaws))
    return Document(
        title=template.title,
        number=number,
        issuer=issuer,
        issued_on=issued_on,
        addressee=_filled(template.addressee, values),
        paragraphs=tuple(_filled(text, values) for text in template.body),
    )


def _filled(text: str, values: Mapping[str, str]) -> str:
    # One pass: what a value looks like is of no consequence.
    return GAP.sub(lambda gap: values[gap.group(1)], text)


def is_line(text: str) -> bool:
    """Whether a text is one line that prints: no control, format (bidirectional), private or unassigned character."""
    return bool(text.strip()) and not any(
        unicodedata.category(each) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for each in text
    )


def _clean(slot: Slot, value: object) -> str | Flaw:
    if not isinstance(value, str) or not value.strip():
        return _missing(slot)
    text = unicodedata.normalize("NFC", value.strip())
    if len(text) > slot.most or not is_line(text):
        return _flaw(slot.name, "bad_text", "须为一行可打印的文字", "One line of printable text")
    if not slot.is_date:
        return text
    try:
        return in_words(date.fromisoformat(text))
    except ValueError:
        return _flaw(slot.name, "bad_date", "须为 YYYY-MM-DD 格式的日期", "A date, YYYY-MM-DD")


def _missing(slot: Slot) -> Flaw:
    return _flaw(slot.name, "missing_required", f"未填写：{slot.title_zh}", "Not filled in")


def _flaw(name: str, code: str, zh: str, en: str) -> Flaw:
    # An unknown name is the caller's own text: it is not echoed unless it looks like a name.
    return Flaw(code, zh, en, pointer=f"/slots/{name}" if GAP.fullmatch(f"{{{name}}}") else "/slots")


def numbered(template: Template, region_short: str, year: int, serial: int) -> str:
    """The number of an instrument, such as 530423教控复字〔2026〕第0001号."""
    return template.number.format(region=region_short, year=year, serial=serial)
