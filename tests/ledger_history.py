"""What a history of a ledger says of a day: the definition that the store's own queries are held against."""

from collections.abc import Iterable
from datetime import date

from gateway.domain.ledger import Interval


def as_of(history: Iterable[Interval], day: date) -> Interval | None:
    """The interval of one child and ledger that stood on that day."""
    return next((each for each in history if _covers(each, day)), None)


def _covers(interval: Interval, day: date) -> bool:
    return interval.valid_from <= day and (interval.valid_to is None or day < interval.valid_to)
