"""A row predicate as one SQL boolean expression for SQLite and PostgreSQL.

Values are always bound; only column expressions from the code's own mapping, checked to be plain names, are
written into the text. Every leaf is made false on NULL, so that `NOT` never turns an unknown into a yes.
"""

import re
from collections.abc import Iterable, Mapping

from gateway.domain.predicate import All, And, Equals, Has, InRegion, IsTrue, Not, Nothing, Or, Predicate

_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?")


def to_sql(predicate: Predicate, columns: Mapping[str, str]) -> tuple[str, dict[str, object]]:
    """The expression and its parameters, named `row_0`, `row_1`, … (`:row_0` in the text).

    `columns` maps each attribute to a column (`name` or `table.name`), or to `NULL` or `FALSE` where the
    table has none. Raises ValueError for an attribute without a column or a column that is not a plain
    name.
    """
    writer = _Writer(columns)
    return writer.write(predicate), writer.parameters


class _Writer:
    """Collects the parameters while the tree is written down."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        self.parameters: dict[str, object] = {}
        self._columns = columns

    def write(self, predicate: Predicate) -> str:
        match predicate:
            case All():
                return "TRUE"
            case Nothing():
                return "FALSE"
            case Not(part):
                return f"NOT {self.write(part)}"
            case And(parts):
                return self._join(" AND ", parts)
            case Or(parts):
                return self._join(" OR ", parts)
            case Has(attribute):
                return f"({self._column(attribute)} IS NOT NULL)"
            case IsTrue(attribute):
                return f"COALESCE({self._column(attribute)} = TRUE, FALSE)"
            case Equals(attribute, value):
                return f"COALESCE({self._column(attribute)} = {self._bind(value)}, FALSE)"
            case InRegion(attribute, region):
                return self._in_region(self._column(attribute), region)

    def _join(self, word: str, parts: Iterable[Predicate]) -> str:
        written = [self.write(part) for part in parts]
        if not written:
            return "TRUE" if word == " AND " else "FALSE"
        return f"({word.join(written)})"

    def _in_region(self, column: str, region: str) -> str:
        """The range serves the index; the prefix itself holds whatever the column's collation."""
        low = self._bind(region)
        tests = [f"{column} >= {low}", f"substr({column}, 1, {self._bind(len(region))}) = {low}"]
        if above := next_region(region):
            tests.insert(1, f"{column} < {self._bind(above)}")
        return f"COALESCE({' AND '.join(tests)}, FALSE)"

    def _column(self, attribute: str) -> str:
        column = self._columns.get(attribute, "")
        if not _COLUMN.fullmatch(column):
            raise ValueError(f"no plain column for attribute {attribute}")
        return column

    def _bind(self, value: object) -> str:
        name = f"row_{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"


def next_region(region: str) -> str | None:
    """The least digits above everything below `region`: 5304 → 5305, 530499 → 5305; None above 99.

    Digits only: a character past "9" would sort before the digits in some PostgreSQL collations.
    """
    stem = region.rstrip("9")
    return f"{stem[:-1]}{int(stem[-1]) + 1}" if stem else None
