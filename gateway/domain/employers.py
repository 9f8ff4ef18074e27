"""Employers: how their code is read, and which of them are found with children at work again and again.

Sources: GB 32100-2015 (the code); 禁止使用童工规定 art. 2 (under sixteen), 6 (each child a violation; a business licence is
withdrawn where the order to correct is not followed).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from gateway.domain.retention import Period
from schemas.identifiers import IdentifierError, parse_resident_id, parse_uscc

LABOUR_AGE = 16
"""禁止使用童工规定 art. 2: nobody may employ a person under sixteen."""


def employer_code(text: str) -> str | None:
    """A unified social credit code as it is kept; an id number typed in its place would be kept with it: None.

    A mistyped id number too: what has an id's shape must at least have a right check character of its own.
    """
    try:
        code = parse_uscc(text)
    except IdentifierError:
        return None
    if not code.value[:17].isdigit():
        return code.value
    try:
        parse_resident_id(code.value)
    except IdentifierError as error:
        return code.value if error.code == "bad_code" or code.checksum_ok else None
    return None


@dataclass(frozen=True, slots=True)
class Repeated:
    """`policies/enforcement.yaml`: from how many confirmed hits within how many months an employer counts as repeated."""

    hits: int
    months: int

    def since(self, today: date) -> date:
        """The first day that counts today."""
        return Period(months=-self.months).after(today)

    def crossing(self, days: Sequence[date], today: date) -> tuple[date, date] | None:
        """(the hit that made the employer a repeated one, the first hit of its window); None when it is none today.

        `days`: one for each confirmed hit, in any order. A crossing lasts while hit follows hit closely enough.
        """
        ordered = sorted(days)
        found: tuple[date, date] | None = None
        for index, day in enumerate(ordered):
            first = index - self.hits + 1
            close = first >= 0 and ordered[first] >= self.since(day)
            found = (found or (day, ordered[first])) if close else None
        recent = [day for day in ordered if day >= self.since(today)]
        return found if len(recent) >= self.hits else None
