"""Administrative regions of China (GB/T 2260 and the statistical codes below it) with their history.

The project writes a region in SHORT form, so that containment is prefix: province `53`, prefecture `5304`,
county `530423`, township `530423100`, village 12 digits. A prefecture-level city without counties keeps four
digits (东莞 is `4419`, not 441900). Where the facts come from: `data/SOURCES.md`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal

from schemas.identifiers import IdentifierError, normalise

Level = Literal["province", "prefecture", "county", "township", "village"]

DATA: Final = Path(__file__).parent / "data"
_LEVELS: Final[dict[int, Level]] = {2: "province", 4: "prefecture", 6: "county", 9: "township", 12: "village"}
_ABOVE: Final = {4: 2, 6: 4, 9: 6, 12: 9}
_PADDING: Final = {4: "00", 6: "00", 9: "000", 12: "000"}
# Names of codes that exist to hold others together; an address does not mention them.
_UNSPOKEN: Final = frozenset(("市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"))


@dataclass(frozen=True, slots=True)
class Region:
    """One region as it was called from `valid_from` up to, not including, `valid_to`.

    Both are years, None where unknown or open; a `valid_from` of 1981 means 1981 or earlier.
    `successor` is the code to which the whole region passed: None while in force and also where it was
    divided, when `successors` has them all.
    """

    code: str
    name: str
    level: Level
    valid_from: int | None = None
    valid_to: int | None = None
    successor: str | None = None
    successors: tuple[str, ...] = ()


def normalise_region(text: str) -> str:
    """Return the SHORT form of a region code written with 2, 4, 6, 9 or 12 digits, zeros at the end or not.

    530000 → 53, 530400 → 5304, 530423000000 → 530423. The region need not exist.
    Raises `IdentifierError` (`bad_code`) for any other shape.
    """
    code = normalise(text)
    if len(code) not in _LEVELS or not (code.isascii() and code.isdigit()) or code[0] == "0":
        raise IdentifierError("bad_code", "a region code has 2, 4, 6, 9 or 12 digits")
    while len(code) > 2 and code.endswith(_PADDING[len(code)]):
        code = code[: _ABOVE[len(code)]]
    return code


def level_of(code: str) -> Level:
    """Return the level of a region code, SHORT or long. Raises `IdentifierError` (`bad_code`)."""
    return _LEVELS[len(normalise_region(code))]


def within(code: str, ancestor: str) -> bool:
    """Whether the region `code` is `ancestor` or lies inside it; both in SHORT form.

    False, never an error, for a text whose length is no level: `530` contains nothing.
    """
    return len(code) in _LEVELS and len(ancestor) in _LEVELS and code.startswith(ancestor)


class RegionTable:
    """The regions of one edition of the table. Codes may be given in SHORT or long form throughout."""

    def __init__(self, records: dict[str, tuple[Region, ...]], townships: dict[str, str]) -> None:
        """Take the records of each code down to the county, newest first, and the name of each township."""
        self._records = records
        self._townships = townships

    @classmethod
    def load(cls, folder: Path) -> "RegionTable":
        """Read `region.csv` and `township.csv` (UTF-8, no quoting) from `folder`.

        Raises `OSError` where a file is missing and `ValueError` where it is not such a table.
        """
        return cls(_read_records(folder / "region.csv"), _read_townships(folder / "township.csv"))

    def get(self, code: str) -> Region | None:
        """Return the region, if withdrawn as last named; None if unknown, and for every village."""
        short = _short(code)
        if len(short) == 9:
            name = self._townships.get(short)
            return None if name is None else Region(short, name, "township")
        history = self._records.get(short)
        return None if history is None else history[0]

    def history(self, code: str) -> tuple[Region, ...]:
        """Return every record of a code down to the county, newest first; empty if unknown."""
        return self._records.get(_short(code), ())

    def is_known(self, code: str) -> bool:
        """Whether the code is or was in use; a village is known when its township is."""
        short = _short(code)
        return short[:9] in self._townships if len(short) >= 9 else short in self._records

    def name(self, code: str) -> str:
        """Return the full name, such as 云南省玉溪市通海县.

        Below the last known level the code stands in brackets. A text that is no region code is not echoed,
        since it may be an id in the wrong column: its name is empty.
        """
        short = _short(code)
        region = self.get(short)
        last_year = region.valid_to - 1 if region and region.valid_to else None
        path: list[str] = []
        for part in reversed(self.ancestors(short)):
            above = self._in(part, last_year)
            if above is not None and above.name not in {*_UNSPOKEN, *path[-1:]}:
                path.append(above.name)
        own = region.name if region else f"({short})" if short else ""
        return "".join(path) + own

    def _in(self, code: str, year: int | None) -> Region | None:
        """The region as named in `year`: a withdrawn county goes with its prefecture of then."""
        if year is not None:
            for region in self.history(code):
                if (region.valid_from or 0) <= year < (region.valid_to or 9999):
                    return region
        return self.get(code)

    def ancestors(self, code: str) -> tuple[str, ...]:
        """Return the codes above, nearest first, province last, SHORT; empty for a province or a non-code."""
        short = _short(code)
        cuts = (normalise_region(short[:cut]) for cut in (9, 6, 4, 2) if cut < len(short))
        return tuple(dict.fromkeys(cuts))

    def __iter__(self) -> Iterator[Region]:
        """Every region down to the township, provinces first, each once and as last named."""
        yield from sorted(
            (history[0] for history in self._records.values()), key=lambda region: len(region.code)
        )
        for code, name in self._townships.items():
            yield Region(code, name, "township")


@lru_cache(maxsize=4)
def regions(folder: Path = DATA) -> RegionTable:
    """Return the table that comes with the project or, from `folder`, a newer edition; each is read once."""
    return RegionTable.load(folder)


def _short(code: str) -> str:
    """Return the SHORT form, or an empty text: a lookup of something else answers "unknown"."""
    try:
        return normalise_region(code)
    except IdentifierError:
        return ""


def _lines(path: Path, header: str) -> list[str]:
    first, *rest = path.read_text(encoding="utf-8-sig").splitlines()
    if first != header:
        raise ValueError(f"{path.name} must begin with the line {header}")
    return rest


def _read_records(path: Path) -> dict[str, tuple[Region, ...]]:
    records: dict[str, tuple[Region, ...]] = {}
    for line in _lines(path, "code,name,valid_from,valid_to,successor"):
        region = _record(*line.split(","))
        earlier = records.get(region.code)
        records[region.code] = (region,) if earlier is None else _newest_first((region, *earlier))
    return records


def _record(code: str, name: str, valid_from: str, valid_to: str, successor: str) -> Region:
    after = tuple(successor.split("|")) if successor else ()
    start, end = int(valid_from) if valid_from else None, int(valid_to) if valid_to else None
    return Region(code, name, _LEVELS[len(code)], start, end, after[0] if len(after) == 1 else None, after)


def _newest_first(history: tuple[Region, ...]) -> tuple[Region, ...]:
    return tuple(sorted(history, key=_recency, reverse=True))


def _recency(region: Region) -> tuple[int, int]:
    # An open end is the present; a missing beginning is the oldest.
    return region.valid_to or 9999, region.valid_from or 0


def _read_townships(path: Path) -> dict[str, str]:
    townships: dict[str, str] = {}
    for line in _lines(path, "code,name"):
        code, name = line.split(",")
        townships[code] = name
    return townships
