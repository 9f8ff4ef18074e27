"""Files as the use cases see them: a grid of cells and the format to answer in. Adapters read and write the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gateway.domain.cells import Cell
from gateway.domain.template import Template

Kind = Literal["csv", "xlsx", "ndjson", "json"]


@dataclass(frozen=True, slots=True)
class Format:
    """How a file was written, so that its errors file can be written the same way."""

    kind: Kind
    encoding: str = "utf-8"
    delimiter: str = ","

    @property
    def media_type(self) -> str:
        """The media type of such a file, with its charset where it is text."""
        if self.kind == "csv":
            return f"{MEDIA_TYPES[self.kind]}; charset={self.encoding.removesuffix('-sig')}"
        return MEDIA_TYPES[self.kind]


MEDIA_TYPES: dict[Kind, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """One grid of a file. `first_row` is the number its first row has for the person who looks at it.

    It is 1, but for files without a heading line of their own (NDJSON): there the headings stand in row 0.
    """

    name: str
    grid: Sequence[Sequence[Cell]]
    first_row: int = 1


class UnreadableFile(Exception):
    """The file as a whole is refused: `not_a_spreadsheet`, `too_large`, `encrypted` or `zip_bomb`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class SpreadsheetFiles(Protocol):
    """Reads what agencies hand over, writes what they get back."""

    def read(self, body: bytes, kind: Kind) -> tuple[Format, list[Sheet]]:
        """Every sheet; raises UnreadableFile."""
        ...

    def write(self, form: Format, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> bytes:
        """A table in that format; no cell ever starts a formula."""
        ...

    def template(self, form: str, template: Template) -> tuple[Format, bytes]:
        """A template as xlsx (with drop-down lists) or csv."""
        ...
