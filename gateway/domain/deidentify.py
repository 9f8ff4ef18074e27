"""The one masking function: what a grant releases of a record, and in which form. Every channel goes through it.

A record is built at the finest form the contract allows (an age band, a township); treatments only take away.
Sources: GB/T 37964-2019 (methods of de-identification), GB/T 42460-2023.
"""

from collections.abc import Callable, Mapping, Sequence

from gateway.domain.decision import Grant, Treatment
from schemas.catalogue import Exchange

TOWNSHIP_DIGITS = 9

Record = Mapping[str, object]
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
"""GENERALISE, BAND and PSEUDONYM keep here: a record comes with its bands, townships and the consumer's pseudonym."""

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
        self._treats = tuple((name, _TREATS[grant.fields[name]]) for name in self.names)
        words = treatments(grant)
        self.words: Mapping[str, str] = words if part is None else {name: words[name] for name in self.names}
        self._plain = all(grant.fields[name] in _FINEST for name in self.names)

    @staticmethod
    def _out(grant: Grant, name: str) -> bool:
        return grant.fields.get(name, Treatment.WITHHOLD) is not Treatment.WITHHOLD

    def apply(self, record: Record) -> dict[str, object]:
        """The released fields in the contract's order."""
        if self._plain:
            return {name: record[name] for name in self.names}
        return {name: treat(record[name]) for name, treat in self._treats}


def treatments(grant: Grant) -> dict[str, str]:
    """Field → treatment in words, for the evidence and the catalogue."""
    return {name: treatment.name.lower() for name, treatment in grant.fields.items()}
