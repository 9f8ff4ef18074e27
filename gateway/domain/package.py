"""The package in which a case's history travels to another county: JSON, and a signed note that names its digest.

It is signed by the key that signs the log's heads; its first line is none that a head of any log begins with, so that
neither can be taken for the other. It names no child: a package for another gateway would have to carry who it is,
sealed for that gateway (docs/decisions/0025).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson

from gateway.domain.case import Actor, CaseEntry, CaseFile, EntryKind, State
from gateway.domain.log.note import MalformedNote, Signature, SignedNote, Verify, Vkey, parse_note
from gateway.domain.observation import ASIDE

TITLE = "huxue.example/case-handover/v1"
ORIGIN = "handed_over_from"
"""Marks a line of a history that another county wrote."""


@dataclass(frozen=True, slots=True)
class Package:
    """What was read of a package whose signature holds."""

    handover: str
    region: str
    to_region: str
    state: State
    previous: State | None
    observed_from: date | None
    entries: Sequence[Mapping[str, Any]]


def written(
    handover: str,
    to_region: str,
    case: CaseFile,
    entries: Sequence[CaseEntry],
    key: Vkey,
    sign: Callable[[bytes], bytes],
) -> str:
    """The package as it is handed around: JSON with `payload` and `note`."""
    payload = orjson.dumps(
        {
            "state": case.state.value,
            "previous": case.previous.value if case.previous else None,
            "observed_from": case.observed_from.isoformat() if case.observed_from else None,
            "entries": [_entry(each) for each in entries],
        },
        option=orjson.OPT_SORT_KEYS,
    ).decode()
    text = _text(handover, case.region, to_region, payload)
    note = SignedNote(text, (Signature(key.name, key.key_id, sign(text.encode())),))
    return orjson.dumps({"note": note.whole, "payload": payload}).decode()


def read(package: str, key: Vkey, verify: Verify) -> Package:
    """The package, if that key signed this very history; MalformedNote otherwise."""
    try:
        found = orjson.loads(package)
        note, payload = parse_note(found["note"]), found["payload"]
        title, handover, region, to_region, _digest = note.text.rstrip("\n").split("\n")
        body = orjson.loads(payload)
    except (KeyError, TypeError, ValueError) as error:
        raise MalformedNote("not a package") from error
    signed = any(
        verify(key.algorithm, key.public_key, note.text.encode(), each.value) for each in note.of(key)
    )
    if not signed or title != TITLE or note.text != _text(handover, region, to_region, payload):
        raise MalformedNote("no signature of that key, or of another history")
    return Package(
        handover,
        region,
        to_region,
        State(body["state"]),
        State(body["previous"]) if body["previous"] else None,
        date.fromisoformat(body["observed_from"]) if body["observed_from"] else None,
        body["entries"],
    )


def digest(package: str) -> str:
    """SHA-256 of the file, 64 hex digits."""
    return hashlib.sha256(package.encode()).hexdigest()


def _text(handover: str, region: str, to_region: str, payload: str) -> str:
    sha = hashlib.sha256(payload.encode()).hexdigest()
    return f"{TITLE}\n{handover}\n{region}\n{to_region}\n{sha}\n"


def _entry(entry: CaseEntry) -> dict[str, object]:
    return {
        "number": entry.number,
        "kind": entry.kind.value,
        "on": entry.on.isoformat(),
        "at": entry.at.isoformat(),
        "by": [entry.by.client, entry.by.officer, entry.by.agency, entry.by.role],
        "step": entry.step,
        "origin": entry.origin.value if entry.origin else None,
        "to": entry.to.value if entry.to else None,
        "body": dict(entry.body),
        "words": dict(entry.words),
    }


def copied(package: Package, each: Mapping[str, Any], case: CaseFile, goes_on: bool) -> CaseEntry:
    """A line of the package as a line of the receiver's history, marked with where it comes from; `goes_on`: the case
    takes up the state that these lines led to."""
    origin = {"region": package.region, "handover": package.handover, "number": each["number"]}
    body = {**each["body"], ORIGIN: origin}
    return CaseEntry(
        case=case.ref,
        region=case.region,
        kind=EntryKind(each["kind"]),
        on=date.fromisoformat(each["on"]),
        at=datetime.fromisoformat(each["at"]),
        by=Actor(*each["by"]),
        step=each["step"],
        origin=State(each["origin"]) if each["origin"] else None,
        to=State(each["to"]) if each["to"] else None,
        body=body if goes_on else {**body, ASIDE: True},
        words=each["words"],
    )
