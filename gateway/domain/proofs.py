"""Reading one piece of evidence of a case's step: what was given, as it is kept; or what is wrong with it."""

from datetime import date

from gateway.domain.case import CASE_REF, Proof
from gateway.domain.errors import Flaw
from gateway.domain.freetext import NOTE_LENGTH, fault_of
from gateway.domain.predicate import is_school
from gateway.domain.proof_words import codes_zh, name_zh
from schemas.codes.region import regions

NAME_LENGTH = 40
LIST_LENGTH = 10


def read_proof(proof: Proof, value: object, today: date) -> object | Flaw:
    """The value as it is kept: dates as ISO text, numbers as numbers, texts without blanks around."""
    return _READERS[proof.kind](proof, value, today)


def _date(proof: Proof, value: object, today: date) -> object | Flaw:
    found = _day(proof, value, today)
    if isinstance(found, str) and date.fromisoformat(found) > today:
        return _wrong(proof, "future_date", "日期不能晚于今天", "the date lies in the future")
    return found


def _day(proof: Proof, value: object, _today: date) -> object | Flaw:
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        return _wrong(proof, "bad_date", "日期应为 YYYY-MM-DD", "a date is YYYY-MM-DD")


def _text(proof: Proof, value: object, _today: date) -> object | Flaw:
    return _words(proof, value, NOTE_LENGTH[1])


def _words(proof: Proof, value: object, longest: int) -> str | Flaw:
    if (fault := fault_of(value, (1, longest))) is not None:
        return _wrong(proof, *fault)
    return str(value).strip()


def _texts(proof: Proof, value: object, _today: date) -> object | Flaw:
    """Several short texts, kept a line each."""
    if not isinstance(value, list) or not 1 <= len(value) <= LIST_LENGTH:
        return _wrong(proof, "out_of_range", f"应为1至{LIST_LENGTH}项", f"a list of 1 to {LIST_LENGTH}")
    read = [_words(proof, each, NAME_LENGTH) for each in value]
    wrong = next((each for each in read if isinstance(each, Flaw)), None)
    return wrong or "\n".join(" ".join(str(each).split()) for each in read)


def _codes(proof: Proof, value: object, _today: date) -> object | Flaw:
    if not isinstance(value, list) or not value or any(each not in proof.codes for each in value):
        allowed = ", ".join(proof.codes)
        return _wrong(
            proof, "bad_code", f"应为下列之一或几项：{codes_zh(proof.codes)}", f"some of: {allowed}"
        )
    return [each for each in proof.codes if each in value]


def _number(proof: Proof, value: object, _today: date) -> object | Flaw:
    if isinstance(value, bool) or not isinstance(value, int):
        return _wrong(proof, "bad_code", "应为整数", "a whole number")
    return value


def _region(proof: Proof, value: object, _today: date) -> object | Flaw:
    if not isinstance(value, str) or not regions().is_known(value):
        return _wrong(proof, "unknown_region", "行政区划代码不存在", "no such region")
    return value


def _school(proof: Proof, value: object, _today: date) -> object | Flaw:
    """As a register names it, or its step could not be taken by the facts."""
    if not isinstance(value, str) or not is_school(value.upper()):
        return _wrong(proof, "bad_code", "学校标识码有误", "no school code")
    return value.upper()


def _case(proof: Proof, value: object, _today: date) -> object | Flaw:
    if not isinstance(value, str) or not CASE_REF.fullmatch(value):
        return _wrong(proof, "bad_code", "个案编号有误", "no case reference")
    return value


def _code(proof: Proof, value: object, _today: date) -> object | Flaw:
    if value not in proof.codes:
        allowed = ", ".join(proof.codes)
        return _wrong(proof, "bad_code", f"应为下列之一：{codes_zh(proof.codes)}", f"one of: {allowed}")
    return value


def _wrong(proof: Proof, code: str, zh: str, en: str) -> Flaw:
    return Flaw(
        code, f"{name_zh(proof.name)}：{zh}。", f"{proof.name}: {en}.", pointer=f"/evidence/{proof.name}"
    )


_READERS = {
    "date": _date,
    "day": _day,
    "text": _text,
    "texts": _texts,
    "number": _number,
    "region": _region,
    "school": _school,
    "case": _case,
    "code": _code,
    "codes": _codes,
}
