"""The system clock, and one whose law date stands still for demonstrations and acceptance tests."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

_LAW_ZONE = ZoneInfo("Asia/Shanghai")


class SystemClock:
    """Real time; the law date is today's in Asia/Shanghai."""

    def now(self) -> datetime:
        """UTC, with its zone."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The law date."""
        return datetime.now(_LAW_ZONE).date()


class AsOfClock(SystemClock):
    """Real time of day, but the law date is given (`--as-of`, demo profile only)."""

    def __init__(self, law_date: date) -> None:
        self._law_date = law_date

    def today(self) -> date:
        """The law date that was given."""
        return self._law_date
