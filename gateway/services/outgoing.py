"""What is told of an exchange becomes bytes here and nowhere else among the services: only what a mask released gets in.

The members around a record are named one by one: an answer has no other place in which a value could travel.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson

from gateway.domain.deidentify import Released
from gateway.domain.moments import to_second


def answer(record: Released, *, reference: str, as_of: datetime, missing_sources: Sequence[str]) -> bytes:
    """The answer about one person."""
    return orjson.dumps(
        {
            "reference": reference,
            "as_of": to_second(as_of),
            "answer": record,
            "missing_sources": missing_sources,
        }
    )


def page(
    items: Sequence[Released],
    *,
    next_cursor: str | None,
    as_of: datetime,
    missing_sources: Sequence[str],
    reference: str,
    disclosure: Mapping[str, object] | None = None,
) -> bytes:
    """One page of a list or of leads; `disclosure` is `Table.disclosure`."""
    return orjson.dumps(
        {
            "items": items,
            "next_cursor": next_cursor,
            "as_of": to_second(as_of),
            "missing_sources": missing_sources,
            "reference": reference,
            **(disclosure or {}),
        }
    )


def single(record: Released) -> bytes:
    """One record by itself."""
    return orjson.dumps(record)


def referenced(record: Released, reference: str) -> bytes:
    """One record with the reference of its evidence."""
    return orjson.dumps({"reference": reference, **record})


def explained(
    record: Released,
    *,
    reference: str,
    title: tuple[str, str],
    because: tuple[str, str],
    version: str,
    thresholds: Mapping[str, int],
) -> bytes:
    """A lead with the rule that opened it, in the rule's own words: nothing of the child but the record."""
    rule = {
        "title_zh": title[0],
        "title_en": title[1],
        "when_zh": because[0],
        "when_en": because[1],
        "version": version,
        "thresholds": dict(thresholds),
    }
    return orjson.dumps({"reference": reference, **record, "explanation": rule})


def uses(
    items: Sequence[Released],
    head: Released,
    *,
    reference: str,
    as_of: datetime,
    next_cursor: str | None,
    notes: Sequence[tuple[str, str]],
) -> dict[str, object]:
    """Who used a child's data, still to be written as JSON or as a page; `notes` in Chinese and English."""
    return {
        "reference": reference,
        "as_of": to_second(as_of),
        **head,
        "items": items,
        "next_cursor": next_cursor,
        "missing_sources": [],
        "notes": [{"zh": zh, "en": en} for zh, en in notes],
    }


def event(record: Released, change: str) -> bytes:
    """One record in a stream, and what happened to it."""
    return orjson.dumps({**record, "change": change})


def digest(receipt: Mapping[str, object]) -> str:
    """SHA-256 of an upload's receipt, 64 hex digits: counts, and shapes in place of values."""
    return hashlib.sha256(orjson.dumps(receipt)).hexdigest()


def fingerprint(evidence: Mapping[str, object]) -> bytes:
    """SHA-256 of what a caller sent, to know it again; 32 bytes."""
    return hashlib.sha256(orjson.dumps(dict(evidence), option=orjson.OPT_SORT_KEYS)).digest()
