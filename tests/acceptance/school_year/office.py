"""The agencies' clients in a year's script: a real gateway over HTTP only, started again as the days go by."""

from __future__ import annotations

import shutil
import time
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import yaml

import policies
from connectors.transports.rest import Credentials
from tests.acceptance.school_year.people import COUNTY
from tests.harness import TestGateway

PATIENCE = 60.0


Seat = tuple[str, str, str]
"""An officer's place: role, region, and which of them where there are several."""


class Gateway(TestGateway):
    """A gateway of the year; its clients are registered once and known to every later start."""

    def __init__(self, data: Path, day: date, known: dict[Seat, Credentials], **more: Any) -> None:
        super().__init__(data, law_date=day, **more)
        self._known = known
        self._seated: dict[Seat, str] = {}

    def headers(self, role: str, region: str = COUNTY, school: str | None = None) -> dict[str, str]:
        """`school` tells colleagues of one role apart: nobody here is bound to a school."""
        seat = (role, region, school or "")
        if seat not in self._known:
            self._known[seat] = self.credentials(role, region)
        if seat not in self._seated:
            officer = f"of-{self._known[seat].client_id}" if role.startswith("justice/") else None
            self._seated[seat] = self.fetch_token(self._known[seat], officer)
        return {"Authorization": f"Bearer {self._seated[seat]}"}


class Office:
    """Moves the law date, and speaks to whatever gateway is up."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._policies = _with_wide_limits(folder / "policies")
        self._known: dict[Seat, Credentials] = {}
        self._running: Gateway | None = None
        self.starts = 0

    @property
    def gateway(self) -> Gateway:
        assert self._running is not None, "no day has come yet"
        return self._running

    def day_comes(self, day: date, again: bool) -> None:
        """The law date is `day`: on the running gateway, or, with `again`, on one started anew after days of rest."""
        if again or self._running is None:
            self.closes()
            self.starts += 1
            self._running = Gateway(self._data, day, self._known, policies=self._policies)
            self._running.start()
        else:
            self.gateway.parts.clock._law_date = day  # type: ignore[attr-defined]
            self.gateway.parts.daily.run()
        self._wait_for(day)

    def _wait_for(self, day: date) -> None:
        """The days between are lived through beside the first answers: whoever acts today waits for them."""
        deadline = time.monotonic() + PATIENCE
        while self.gateway.parts.daily._done != day:
            assert time.monotonic() < deadline, f"{day} was not lived through"
            time.sleep(0.01)

    def closes(self) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None

    # --- calls -------------------------------------------------------------------------------------------

    def post(self, path: str, role: str, body: Any, region: str = COUNTY, seat: str | None = None) -> Any:
        """What the gateway answers; a problem fails."""
        answer = self.gateway.call.post(path, json=body, headers=self.gateway.headers(role, region, seat))
        return _checked(answer)

    def get(self, path: str, role: str, region: str = COUNTY, **params: Any) -> Any:
        answer = self.gateway.call.get(path, params=params, headers=self.gateway.headers(role, region))
        return _checked(answer)

    def every(self, path: str, role: str, region: str = COUNTY, **params: Any) -> list[dict[str, Any]]:
        """All items of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = self.get(
                path, role, region, **params, limit=1000, **({"cursor": cursor} if cursor else {})
            )
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return found


def _checked(answer: httpx.Response) -> Any:
    request = answer.request
    said = f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:600]}"
    assert answer.is_success, said
    return answer.json() if answer.content else None


def _with_wide_limits(folder: Path) -> Path:
    """The policies as they are, but one officer may do in a minute of the test what takes a year."""
    shutil.copytree(Path(policies.__file__).parent, folder)
    limits = yaml.safe_load((folder / "limits.yaml").read_text(encoding="utf-8"))
    limits["rates"]["default"]["officer"] = limits["rates"]["default"]["client"]
    (folder / "limits.yaml").write_text(yaml.safe_dump(limits, allow_unicode=True), encoding="utf-8")
    return folder
