"""How a dataset is declared: its columns, what each may hold, and what makes two rows the same record."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Classification = Literal["identifier", "quasi", "sensitive", "plain"]


class Kind(StrEnum):
    """What a cell holds; each kind has one reader (`gateway.domain.cells`)."""

    NAME = "name"
    RESIDENT_ID = "resident_id"
    STUDENT_NUMBER = "student_number"
    DATE = "date"
    MONTH = "month"
    CODE = "code"
    INTEGER = "integer"
    REGION = "region"
    SCHOOL_CODE = "school_code"
    USCC = "uscc"
    TEXT = "text"
    TERM = "term"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a dataset.

    `header` is the Chinese heading of the template, `name` the English one and the field name;
    `aliases` are headings seen in agencies' own files. `codes` names a table of `schemas.codes.tables`.
    `minimum`/`maximum` bound integers, and money in fen; `not_future` refuses dates after the law date.
    """

    name: str
    header: str
    kind: Kind
    classification: Classification
    required: bool = False
    codes: str | None = None
    not_future: bool = False
    minimum: int = 0
    maximum: int = 0
    aliases: tuple[str, ...] = ()
    sample: str = ""

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading under which this column is recognised."""
        return (self.header, self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A record type that one agency provides.

    `subject` names the column that says whose record it is; `key` the columns which, with the subject,
    make two rows the same record: in one file, the same key with other content is `duplicate_in_file`.

    `otherwise`: a row may name nobody, as a fact about an employer does; these columns then take the subject's place
    in the key. Empty: every row is somebody's.
    """

    id: str
    title_zh: str
    title_en: str
    provider: str
    columns: tuple[Column, ...]
    subject: str
    key: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {column.name: column for column in self.columns})
        if len(self.by_name) != len(self.columns):
            raise TypeError(f"dataset {self.id} names a column twice")
        for name in (self.subject, *self.key, *self.otherwise):
            if name not in self.by_name:
                raise TypeError(f"dataset {self.id} has no column {name}")

    def required(self) -> Iterator[Column]:
        """The columns without which a file cannot be read."""
        return (column for column in self.columns if column.required)
