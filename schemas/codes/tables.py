"""The small code tables of the record types: what may stand in a cell, and the one code it means.

The rows are in `data/codes.csv`, each with its source. A further spelling that an agency uses is added there.
"""

import csv
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from schemas.identifiers import IdentifierError

Language = Literal["zh", "en"]

DATA: Final = Path(__file__).parent / "data" / "codes.csv"


class Code(NamedTuple):
    """One row of `codes.csv`; `aliases` are further spellings, `valid_from` the year of the source."""

    table: str
    code: str
    label_zh: str
    label_en: str
    aliases: tuple[str, ...]
    valid_from: int
    source: str

    @property
    def spellings(self) -> tuple[str, ...]:
        """Everything that means this code."""
        return (self.code, self.label_zh, self.label_en, *self.aliases)


class CodeTable:
    """One code table. Raises `KeyError` for a name that `codes.csv` does not have."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rows = {row.code: row for row in _rows()[name]}
        self._codes = {_key(text): row.code for row in self._rows.values() for text in row.spellings}

    def parse(self, text: str | float) -> str:
        """Return the canonical code of a code, a label or an alias, after NFKC, trimming and case folding.

        A spreadsheet's number is taken as well: 1, 1.0 and "1.0" are "1".
        Raises `IdentifierError` (`bad_code`); the message names the table, not the text.
        """
        key = _key(str(text))
        found = self._codes.get(key) or self._codes.get(key.removesuffix(".0"))
        if found is None:
            raise IdentifierError("bad_code", f"not a value of the code table {self.name}")
        return found

    def codes(self) -> tuple[str, ...]:
        """Return the canonical codes in the order of the table."""
        return tuple(self._rows)

    def labels_zh(self) -> tuple[str, ...]:
        """Return the Chinese labels in the order of the table, as a drop-down list shows them."""
        return tuple(row.label_zh for row in self._rows.values())

    def label(self, code: str, lang: Language = "zh") -> str:
        """Return the label of a canonical code. Raises `KeyError` for anything else."""
        row = self._rows[code]
        return row.label_zh if lang == "zh" else row.label_en


@cache
def table(name: str) -> CodeTable:
    """Return the code table `name`, built once. Raises `KeyError`."""
    return CodeTable(name)


def table_names() -> tuple[str, ...]:
    """Return the names of all code tables."""
    return tuple(_rows())


def _key(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


@cache
def _rows() -> dict[str, list[Code]]:
    tables: dict[str, list[Code]] = {}
    with DATA.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            tables.setdefault(row["table"], []).append(_code(row))
    return tables


def _code(row: dict[str, str]) -> Code:
    aliases = tuple(row["aliases"].split("|")) if row["aliases"] else ()
    texts = (row["table"], row["code"], row["label_zh"], row["label_en"])
    return Code(*texts, aliases, int(row["valid_from"]), row["source"])
