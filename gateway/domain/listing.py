"""A whole list as one consumer gets it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gateway.domain.model import SubjectId

KEY = "pseudonym"


@dataclass(frozen=True, slots=True)
class Table:
    """Rows ordered by pseudonym; `names` are the released fields.

    Many children are alike but for the pseudonym: `kinds[i]` is the index in `alike` of what row i says besides it.
    `keys` order the rows even where the pseudonym itself is not released. `subjects` are the children, for the
    evidence only.
    """

    keys: Sequence[str]
    subjects: Sequence[SubjectId]
    kinds: Sequence[int]
    alike: Sequence[Mapping[str, object]]
    names: tuple[str, ...]
    as_of: datetime
    missing_sources: tuple[str, ...]

    @property
    def keyed(self) -> bool:
        """Whether rows bear their pseudonym."""
        return KEY in self.names

    def rows(self, start: int, stop: int) -> list[dict[str, object]]:
        """Rows as objects."""
        return [self._row(index) for index in range(start, stop)]

    def _row(self, index: int) -> dict[str, object]:
        key = {KEY: self.keys[index]} if self.keyed else {}
        return {**key, **self.alike[self.kinds[index]]}
