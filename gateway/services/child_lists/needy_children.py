"""`needy-children`: who needs relief and has none, with the schooling and whether aid was paid this term."""

from collections.abc import Iterable, Sequence
from datetime import date

from gateway.domain.aid import PAYMENTS, AidBook
from gateway.domain.model import Schooling, SubjectId
from gateway.domain.needy import age_band, need_classes, schooling_word
from gateway.domain.ports import Clock, Likeness, Lists, PaidIn
from gateway.domain.predicate import COUNTY_DIGITS, TOWNSHIP_DIGITS, Predicate
from gateway.domain.rulebook import Rulebook
from gateway.domain.schooling import REGISTER, judge
from gateway.services.child_lists.making import Gathered, Likely, no_part


class NeedyChildren:
    """`gateway.services.child_lists.making.Noun`."""

    exchange = "needy-children"

    def __init__(self, lists: Lists, clock: Clock, rulebook: Rulebook) -> None:
        self._lists, self._clock, self._book = lists, clock, rulebook

    def part(self, asked: str | None) -> None:
        """There are none."""
        return no_part(asked)

    def parts(self) -> Sequence[None]:
        """The whole list."""
        return (None,)

    def gather(self, rows: Predicate, region: str, part: str | None) -> Gathered:
        """Every needy child of the region that the rows allow."""
        today, paid = self._clock.today(), _paid(self._book.aid, self._clock.today())
        paying = self._lists.paying_counties(paid.term)
        kinds = _Kinds(today, self._book, paying)
        subjects, indexes = kinds.read(self._lists.needy(rows, region, today, paid))
        places = [str(record["township"]) for record in kinds.records]
        silent = not kinds.counties <= paying or (
            len(region) >= COUNTY_DIGITS and region[:COUNTY_DIGITS] not in paying
        )
        as_of, stale = self._freshness(region, today)
        missing = (*((REGISTER,) if stale else ()), *((PAYMENTS,) if silent else ()))
        return Gathered(subjects, indexes, kinds.records, places, as_of, missing)

    def _freshness(self, region: str, today: date) -> tuple[date | None, bool]:
        as_of = self._lists.register_as_of(region)
        return as_of, as_of is None or (today - as_of).days > self._book.of(region).limits.register_stale_days

    def population(self, region: str) -> Sequence[Likely]:
        """Every child of the registers under eighteen."""
        today = self._clock.today()
        return [
            Likely(
                _record(age_band(birth, today), sex, residence[:TOWNSHIP_DIGITS], (), "unknown", None),
                residence[:TOWNSHIP_DIGITS],
                count,
            )
            for birth, sex, residence, count in self._lists.population(region, today)
        ]

    def version(self) -> object:
        """Of the facts."""
        return self._lists.version()


def _paid(book: AidBook, today: date) -> PaidIn:
    return PaidIn(book.current(today).code, book.schemes)


class _Kinds:
    """What is told of a child besides the pseudonym; each different telling is made once."""

    def __init__(self, today: date, book: Rulebook, paying: frozenset[str]) -> None:
        self._today, self._book, self._paying = today, book, paying
        self._known: dict[tuple[Likeness, str], int] = {}
        self._bands: dict[date, str] = {}
        self._indexes: dict[tuple[object, ...], int] = {}
        self.records: list[dict[str, object]] = []
        self.counties: set[str] = set()

    def read(self, rows: Iterable[tuple[SubjectId, Likeness, date]]) -> tuple[list[SubjectId], list[int]]:
        """The needy ones of the children, and the index of what is told of each."""
        subjects: list[SubjectId] = []
        indexes: list[int] = []
        index_of = self.index_of
        for subject, likeness, birth in rows:
            index = index_of(likeness, birth)
            if index >= 0:
                subjects.append(subject)
                indexes.append(index)
        return subjects, indexes

    def index_of(self, likeness: Likeness, birth: date) -> int:
        """The index of what is told of such a child; -1 when the child is not needy."""
        band = self._bands.get(birth)
        if band is None:
            band = self._bands[birth] = age_band(birth, self._today)
        found = self._known.get((likeness, band))
        if found is None:
            found = self._known[likeness, band] = self._learn(likeness, band)
        return found

    def _learn(self, alike: Likeness, band: str) -> int:
        schooling = judge(alike.standings, self._today, self._book.of(alike.county).limits).out_of_school
        classes = need_classes(alike.flags, schooling)
        if not classes:
            return -1
        self.counties.add(alike.county)
        aid = True if alike.aid else False if alike.county in self._paying else None
        told = (band, alike.sex, alike.residence[:TOWNSHIP_DIGITS], tuple(classes), schooling, aid)
        found = self._indexes.get(told)
        if found is None:
            found = self._indexes[told] = len(self.records)
            self.records.append(_record(*told))
        return found


def _record(
    band: str,
    sex: str | None,
    township: str,
    classes: tuple[str, ...],
    schooling: Schooling,
    aid: bool | None,
) -> dict[str, object]:
    """The contract's fields; the pseudonym's place is kept for the mask."""
    return {
        "pseudonym": None,
        "age_band": band,
        "sex": sex,
        "township": township,
        "need_classes": list(classes),
        "schooling": schooling_word(schooling),
        "aid_received": aid,
    }
