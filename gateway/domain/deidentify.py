"""The one masking function: what a grant releases of a record, and in which form. Every channel goes through it.

A record is built at the finest form the contract allows (an age band, a township); treatments only take away.
What comes out is a `Released`, made in this module only: whatever writes an answer takes nothing else, so a record
that was not masked does not get as far as the bytes (mypy, and `tests/architecture/test_one_mask.py`).
What is no record of an exchange (a log line, an error, a receipt) passes `gateway.domain.redaction` instead.
Sources: GB/T 37964-2019 (methods of de-identification), GB/T 42460-2023.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NewType

from gateway.domain.decision import Grant, Treatment
from schemas.catalogue import Exchange

KEY = "pseudonym"
_PSEUDONYMS = frozenset({KEY, "pseudonyms", "child"})
"""Fields that come as the consumer's own pseudonyms: of one child (on a ledger `child`), or one child's under every key
version."""

Record = Mapping[str, object]
Released = NewType("Released", dict[str, object])
"""A record as one caller may have it: the granted fields in the contract's order, treated."""

Treat = Callable[[object], object]


def _keep(value: object) -> object:
    return value


def _presence(value: object) -> object:
    return value not in (None, "", (), [])


def _suppress(_value: object) -> object:
    return None


_TREATS: dict[Treatment, Treat] = {
    Treatment.KEEP: _keep,
    Treatment.PRESENCE: _presence,
    Treatment.GENERALISE: _keep,
    Treatment.BAND: _keep,
    Treatment.PSEUDONYM: _keep,
    Treatment.SUPPRESS: _suppress,
}
"""GENERALISE, BAND and PSEUDONYM keep here: a record comes with its bands, townships and the consumer's pseudonym.
Under PSEUDONYM any other field than the pseudonyms is null: nothing here could make a pseudonym of it."""

_FINEST = frozenset({Treatment.KEEP, Treatment.GENERALISE, Treatment.BAND, Treatment.PSEUDONYM})


class Mask:
    """A grant made ready for many records. Fields the grant does not release are not in what comes out.

    `part` narrows it to the fields that this answer has at all; `words` are those that come out, with their treatment.
    """

    def __init__(self, exchange: Exchange, grant: Grant, part: frozenset[str] | None = None) -> None:
        self.names: Sequence[str] = tuple(
            field.name
            for field in exchange.fields
            if self._out(grant, field.name) and (part is None or field.name in part)
        )
        self.told = frozenset(name for name in self.names if _kept(name, grant.fields[name]))
        """The fields whose value comes out as it is in the record."""
        self.sources = frozenset(source for name in self.told for source in exchange.field(name).derived_from)
        """The datasets that what is told is derived from."""
        words = treatments(grant)
        self.words: Mapping[str, str] = words if part is None else {name: words[name] for name in self.names}
        self._treats = tuple((name, self._treat(grant, name)) for name in self.names)
        self._plain = len(self.told) == len(self.names)

    @staticmethod
    def _out(grant: Grant, name: str) -> bool:
        return grant.fields.get(name, Treatment.WITHHOLD) is not Treatment.WITHHOLD

    def _treat(self, grant: Grant, name: str) -> Treat:
        treatment = grant.fields[name]
        return _TREATS[treatment] if name in self.told or treatment not in _FINEST else _suppress

    def apply(self, record: Record) -> Released:
        """The released fields in the contract's order."""
        if self._plain:
            return Released({name: record[name] for name in self.names})
        return Released({name: treat(record[name]) for name, treat in self._treats})


def _kept(name: str, treatment: Treatment) -> bool:
    return treatment in _FINEST and (treatment is not Treatment.PSEUDONYM or name in _PSEUDONYMS)


def coarser(record: Released, values: Record) -> Released:
    """The record with coarser values of fields it has; it gains none."""
    return Released({name: values.get(name, value) for name, value in record.items()})


def without_key(record: Released) -> Released:
    """The record but for the pseudonym, which a list keeps apart."""
    return Released({name: value for name, value in record.items() if name != KEY})


def with_keys(keys: Sequence[str], kinds: Sequence[int], alike: Sequence[Released]) -> list[Released]:
    """Rows of a list whose grant releases the pseudonym: each its own, and what its kind says besides."""
    return [Released({KEY: key, **alike[kind]}) for key, kind in zip(keys, kinds, strict=True)]


def treatments(grant: Grant) -> dict[str, str]:
    """Field → treatment in words, for the evidence and the catalogue."""
    return {name: treatment.name.lower() for name, treatment in grant.fields.items()}
