"""Rows of one file compared with each other: the same record once, a repetition, or a contradiction.

A record is recognised by the child and the dataset's key columns. A row without id number is found by its student
number, and finds by it. Two different id numbers with one student number are two children: that conflict is settled
in the store.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.domain.cells import Problem, Value
from schemas.records import Dataset

Columns = Mapping[str, Sequence[Value | Problem]]
Key = tuple[Value | Problem, ...]

_IDENTIFIERS = ("id_number", "student_number")


@dataclass(slots=True)
class Compared:
    """Indexes of rows: kept, said again in the same words, and contradicting an earlier row."""

    kept: Sequence[int]
    repeated: list[int] = field(default_factory=list)
    contradicted: list[int] = field(default_factory=list)


def compare(dataset: Dataset, columns: Columns, sound: Sequence[int]) -> Compared:
    """Sort the sound rows; quick when no identifier stands twice."""
    if _all_different(dataset, columns):
        return Compared(sound)
    kept: list[int] = []
    found = Compared(kept)
    seen: dict[Key, Key] = {}
    for index in sound:
        row = tuple(values[index] for values in columns.values())
        earlier = _earlier(dataset, columns, index, row, seen)
        if earlier is None:
            kept.append(index)
        else:
            (found.repeated if earlier == row else found.contradicted).append(index)
    return found


def _all_different(dataset: Dataset, columns: Columns) -> bool:
    """Whether no identifier stands twice with the same key, so that no row needs comparing with another."""
    if dataset.otherwise:
        return False
    # a column the file lacks is alike in all rows
    keys = [columns[name] for name in dataset.key if name in columns]
    for name in _IDENTIFIERS:
        if name in columns:
            written = columns[name] if not keys else list(zip(columns[name], *keys, strict=True))
            blank = sum(value is None for value in columns[name])
            if len(set(written)) + max(0, blank - 1) < len(written):
                return False
    return True


def _earlier(dataset: Dataset, columns: Columns, index: int, row: Key, seen: dict[Key, Key]) -> Key | None:
    """The first of this row's names under which an earlier row is known; its names are learnt on the way."""
    earlier: Key | None = None
    for name, known_as in _names(dataset, columns, index):
        earlier = earlier or seen.get(name)
        seen.setdefault(known_as, row)
    return earlier


def _names(dataset: Dataset, columns: Columns, index: int) -> Iterator[tuple[Key, Key]]:
    """Pairs: the name to look an earlier row up by, and the name this row is known by afterwards."""
    further = tuple(columns[name][index] for name in dataset.key if name in columns)
    if dataset.otherwise:
        key = _employers_own(dataset, columns, index, further)
        yield key, key
        return
    id_number = columns["id_number"][index] if "id_number" in columns else None
    subject = columns[dataset.subject][index]
    key = (id_number or subject, *further)
    yield key, key
    if "id_number" in dataset.by_name and dataset.subject != "id_number":
        mine, other = ("with id", "without id") if id_number is not None else ("without id", "with id")
        yield (other, subject), (mine, subject)


def _employers_own(dataset: Dataset, columns: Columns, index: int, further: Key) -> Key:
    """The key of a row that may name nobody."""
    subject = columns[dataset.subject][index] if dataset.subject in columns else None
    if subject is not None:
        return subject, *further
    return None, *further, *(columns[name][index] if name in columns else None for name in dataset.otherwise)
