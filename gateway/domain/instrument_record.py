"""A legal instrument as it is kept: issued, served, or withdrawn; what must have gone before it; when its term ends.

Until it is served no time runs (行政强制法 art. 35; 义务教育法 art. 58). The day of service does not count: a term of
seven days from the first ends with the eighth.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from gateway.domain.case import CaseFile, State
from gateway.domain.errors import Conflict, Flaw, Malformed
from gateway.domain.instruments import Document, Kind, Template, in_words, is_line
from gateway.domain.model import SubjectId
from gateway.domain.predicate import Predicate
from gateway.domain.principal import Principal

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COUNTY_ROLE = "education/dropout_lead"
_MOST_WITNESSES = 5
_LONGEST = 40


class InstrumentState(StrEnum):
    """Where an instrument stands. Its number stays its own in each."""

    ISSUED = "issued"
    SERVED = "served"
    VOIDED = "voided"


class ServiceMethod(StrEnum):
    """How it was served (民事诉讼法 art. 88-95, by way of 行政强制法 art. 38)."""

    DIRECT = "direct"  # 直接送达
    LODGING = (
        "lodging"  # 转交送达: left with an adult of the household, or with whoever takes it for the guardian
    )
    MAIL = "mail"  # 邮寄送达: the day on the receipt
    PUBLIC = "public"  # 公告送达: the day on which the announcement counts as service
    REFUSED_LEFT = "refused_left"  # 留置送达: refused, left behind before witnesses


@dataclass(frozen=True, slots=True)
class Service:
    """Proof of service 送达回证. `proof` is the SHA-256 of the signed and scanned return; `repr` shows no person."""

    served_on: date
    method: ServiceMethod
    recipient_relation: str = field(repr=False)
    proof: str
    witnesses: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument. `office` is the region in whose name it was issued, `county` that of the case."""

    id: str
    kind: Kind
    number: str
    subject: SubjectId = field(repr=False)
    case: str
    county: str
    office: str
    role: str
    client: str
    officer: str
    issued_at: datetime
    issued_on: date
    state: InstrumentState = InstrumentState.ISSUED
    service: Service | None = None
    due_on: date | None = None
    void_reason: str | None = field(default=None, repr=False)

    def expired(self, today: date) -> bool:
        """Whether it was served and its term is over."""
        return self.state is InstrumentState.SERVED and self.due_on is not None and self.due_on < today

    def pending(self, today: date) -> bool:
        """Whether it still has to be served or to be obeyed."""
        return self.state is not InstrumentState.VOIDED and not self.expired(today)

    def issued_by(self, who: Principal) -> bool:
        """Whether this is the very officer who issued it."""
        return (self.client, self.officer) == (who.client, who.officer)

    def of_team(self, who: Principal) -> bool:
        """Whether this officer is of the office that issued it."""
        return (self.role, self.office) == (who.role, who.region)

    def voidable_by(self, who: Principal) -> bool:
        """By its office, or by the county above: a child who moves to another township is not to be stuck."""
        return self.of_team(who) or (who.role == _COUNTY_ROLE and who.region == self.county)


def earlier(
    template: Template, of_case: Iterable[Instrument], state: State, today: date
) -> Instrument | None:
    """The instrument that the new one refers to, None where it refers to none; Conflict when it may not be issued.

    It may not while the case's state is another, while one of its kind is still to be served or obeyed, or, where it
    follows others, unless the last of them that was served has expired.
    """
    known = list(of_case)
    if state not in template.states:
        raise Conflict("个案当前状态不得发出此文书。", "The case's state does not allow this notice.")
    if any(each.kind is template.kind and each.pending(today) for each in known):
        raise Conflict("同类文书尚未送达或期限未满。", "One of this kind is still to be served or obeyed.")
    if not template.follows:
        return None
    served = [each for each in known if each.kind in template.follows and each.service is not None]
    last = max(served, key=_when_served, default=None)
    if last is None or not last.expired(today):
        raise Conflict(
            "须先送达前一文书且其期限已满。", "An earlier notice must have been served, and its term be over."
        )
    return last


def _when_served(each: Instrument) -> tuple[date, datetime]:
    day = each.service.served_on if each.service else each.issued_on
    return day, each.issued_at


def told_of(before: Instrument | None) -> Mapping[str, str]:
    """What a text says of the instrument before it."""
    if before is None or before.service is None or before.due_on is None:
        return {}
    return {
        "earlier_number": before.number,
        "earlier_served_on": in_words(before.service.served_on),
        "earlier_due_on": in_words(before.due_on),
    }


def check_service(service: Service, issued_on: date, today: date) -> None:
    """Malformed unless the day lies between issue and today and the proof is whole; the flaws hold no value."""
    flaws = []
    if not issued_on <= service.served_on <= today:
        flaws.append(
            _flaw("/served_on", "不得早于签发日或晚于今日", "Not before issue, and not in the future")
        )
    if not _SHA256.fullmatch(service.proof):
        flaws.append(
            _flaw("/proof", "须为送达回证扫描件的 SHA-256", "SHA-256 of the scanned return, 64 hex digits")
        )
    if not _is_name(service.recipient_relation):
        flaws.append(_flaw("/recipient_relation", "须填写收件人与监护人的关系", "Who took it"))
    if len(service.witnesses) > _MOST_WITNESSES or not all(map(_is_name, service.witnesses)):
        flaws.append(_flaw("/witnesses", "见证人须为至多五人的姓名", "Names of at most five witnesses"))
    if service.method is ServiceMethod.REFUSED_LEFT and not service.witnesses:
        flaws.append(_flaw("/witnesses", "留置送达须有见证人", "What is left behind needs a witness"))
    if flaws:
        raise Malformed(flaws=tuple(flaws))


def _is_name(text: str) -> bool:
    return is_line(text) and len(text) <= _LONGEST


def _flaw(pointer: str, zh: str, en: str) -> Flaw:
    return Flaw("bad_field", zh, en, pointer=pointer)


def record_of(found: Instrument, template: Template) -> dict[str, object]:
    """An instrument as the contract shows it, before the mask; nobody's name but the witnesses' is in it."""
    service = found.service
    return {
        "id": found.id,
        "kind": found.kind.value,
        "title": template.title,
        "number": found.number,
        "case": found.case,
        "office": found.office,
        "state": found.state.value,
        "issued_on": found.issued_on.isoformat(),
        "due_on": found.due_on.isoformat() if found.due_on else None,
        "service": _service(service) if service else None,
    }


def _service(service: Service) -> dict[str, object]:
    return {
        "served_on": service.served_on.isoformat(),
        "method": service.method.value,
        "recipient_relation": service.recipient_relation,
        "witnesses": list(service.witnesses),
        "proof": service.proof,
    }


class InstrumentDesk(Protocol):
    """Instruments inside one write transaction: what is read there, nobody changes meanwhile."""

    def case(self, ref: str, rows: Predicate) -> CaseFile | None:
        """The case, if it is among the rows."""
        ...

    def next_serial(self, office: str, year: int, kind: Kind) -> int:
        """The next running number, taken: with the transaction it stays taken, without it nothing was."""
        ...

    def add(self, instrument: Instrument, serial: int, document: Document) -> None:
        """Keeps a new one, its wording sealed."""
        ...

    def get(self, instrument_id: str, rows: Predicate) -> Instrument | None:
        """The instrument, if its case is among the rows."""
        ...

    def of_case(self, case: str) -> list[Instrument]:
        """Every one of a case, oldest first."""
        ...

    def move(self, instrument: Instrument, changed: Instrument) -> bool:
        """Keeps the changed one if it is still where `instrument` says; False when somebody else was first."""
        ...


class Instruments(Protocol):
    """Instruments as they are kept, read without a transaction; from worker threads."""

    def of_case(self, case: str, rows: Predicate) -> list[Instrument] | None:
        """Every one of a case that is among the rows, oldest first; None when it is not."""
        ...

    def kept(self, instrument_id: str, rows: Predicate) -> tuple[Instrument, Document] | None:
        """It and its wording, if its case is among the rows."""
        ...
