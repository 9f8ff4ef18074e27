"""Is the gateway able to do its work, and as of which day does it judge?"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from gateway.domain.errors import Malformed, SourceUnavailable
from gateway.domain.ports import Clock

_PROBE_KEPT = timedelta(seconds=1)
"""Anyone may ask; the store is not written to for each."""


class Health:
    """Readiness, the law date asked for, and the bell that wakes waiting streams."""

    def __init__(
        self,
        probe: Callable[[], None],
        policy_version: Callable[[], str],
        clock: Clock,
        ring: Callable[[], None],
        warnings: Callable[[], list[str]],
    ) -> None:
        self._probe, self._policy_version, self._clock, self._ring = probe, policy_version, clock, ring
        self._warnings = warnings
        self._probed: tuple[datetime, bool] | None = None

    @property
    def policy_version(self) -> str:
        """The policy set in use."""
        return self._policy_version()

    def report(self) -> Mapping[str, object]:
        """`ready`, or `not_ready` with what is missing; warnings either way."""
        now = self._clock.now()
        if self._probed is None or now - self._probed[0] > _PROBE_KEPT:
            self._probed = (now, self._writable())
        missing = [] if self._probed[1] else ["store"]
        return {
            "status": "not_ready" if missing else "ready",
            "missing": missing,
            "warnings": self._warnings(),
        }

    def _writable(self) -> bool:
        try:
            self._probe()
        except SourceUnavailable:
            return False
        return True

    def check_as_of(self, asked: str | None) -> None:
        """Lists are answered as of today's law date; any other day is refused rather than answered wrongly."""
        if asked is not None and asked != self._clock.today().isoformat():
            zh, en = "目前只能查询当日名单。", "Lists are answered as of today only."
            raise Malformed.of("bad_date", zh, en, "/as_of")

    def leads_changed(self) -> None:
        """Wake the streams."""
        self._ring()
