"""Days are lived through in order, once, whether the gateway was there or not: what is owed comes out the same."""

import json
import sqlite3
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.adapters.clock import AsOfClock
from gateway.app import build
from gateway.domain.landing import RegisterTransaction
from gateway.domain.principal import Principal
from gateway.parts import Parts
from gateway.services.evidence import Request
from gateway.services.upload import File
from gateway.settings import Settings
from schemas.catalogue import Action
from tests.harness import COUNTY, process, running
from tests.integration.test_duties import LEAD, OUT, register, see
from tests.people import csv_file, student

START = date(2026, 9, 1)
STATUSES = ("在校", "辍学", "转出", "毕业", "死亡")
REGISTRAR = Principal("registrar", "education", "education/registrar", COUNTY)
CHILDREN = (2, 4, 6)


class Office:
    """The parts of a gateway without a server, and a clock that is set by hand."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def at(self, day: date) -> "Office":
        assert isinstance(self.parts.clock, AsOfClock)
        self.parts.clock._law_date = day
        return self

    def upload(self, *rows: dict[str, str]) -> None:
        request = Request(REGISTRAR, Action.UPLOAD, "student-register", "student_registration", COUNTY)
        who = (REGISTRAR, Action.UPLOAD, "student-register", "student_registration", COUNTY)
        receipt = self.parts.context.upload.land(
            request, self.parts.points.decide(*who), File(csv_file(rows), "csv")
        )
        assert receipt["rejected"] == 0, receipt

    def rows(self) -> list[Any]:
        """Leads and duties, each child known by its school: what differs from store to store is left out."""
        leads = self.query("SELECT school, rule, status, episode, due_on, facts FROM lead")
        duties = self.query(
            "SELECT school, kind, owner, residence, due_on, status, reminded_on, escalated_to, escalated_on, above,"
            " done_on, done_by FROM duty"
        )
        events = self.query(
            "SELECT l.school, e.kind, count(*) FROM lead_event e JOIN lead l ON l.id = e.lead_id GROUP BY 1, 2"
        )
        return [sorted(each, key=repr) for each in (leads, duties, events)]

    def query(self, statement: str) -> list[Any]:
        return self.parts.store.reader.execute(statement).fetchall()

    def marks(self) -> list[Any]:
        return self.query("SELECT key, value FROM meta WHERE key LIKE 'day/%'")


@contextmanager
def office(day: date = START) -> Iterator[Office]:
    with tempfile.TemporaryDirectory() as folder:
        parts = build(Settings(data=Path(folder), profile="demo", as_of=day, log_level="ERROR"))
        yield Office(parts)
        parts.store.close()


def row(child: int, status: str, day: date) -> dict[str, str]:
    return student(child, 学生状态=status, 状态日期=day.isoformat(), 学校标识码=f"21530012{child:02d}")


Event = tuple[int, int, str]
events = st.lists(
    st.tuples(st.integers(0, 45), st.sampled_from(CHILDREN), st.sampled_from(STATUSES)), max_size=8
).map(sorted)


def happen(where: Office, plan: list[Event], day: date) -> None:
    for ahead, child, status in plan:
        if START + timedelta(days=ahead) == day:
            where.upload(row(child, status, day))


def consistent(where: Office) -> None:
    """A standing duty has a reason to stand, an open lead's first duty is there once, nothing is there twice."""
    lost = where.query(
        "SELECT d.id FROM duty d JOIN lead l ON l.id = d.lead_id WHERE d.status IN ('open', 'waiting')"
        " AND l.status = 'closed'"
    )
    per_episode = Counter(
        (school, rule)
        for school, rule, duty in where.query(
            "SELECT l.school, l.rule, d.id FROM lead l JOIN duty d ON d.lead_id = l.id"
            " WHERE l.status <> 'closed' AND d.status = 'open'"
        )
    )
    standing = where.query("SELECT school, rule FROM lead WHERE status <> 'closed'")
    assert lost == []
    assert per_episode == Counter(standing)
    total = where.query("SELECT sum(episode + 1) FROM lead")[0][0] or 0
    assert where.query("SELECT count(*) FROM duty WHERE lead_id IS NOT NULL")[0][0] == total


@settings(max_examples=6)
@given(events, st.integers(46, 75))
def test_days_lived_one_by_one_or_all_at_once_leave_the_same(plan: list[Event], last: int) -> None:
    end = START + timedelta(days=last)
    with office() as there, office() as away:
        for where in (there, away):
            where.upload(*(row(child, "在校", START) for child in CHILDREN))
        for ahead in range(last + 1):
            day = START + timedelta(days=ahead)
            there.at(day).parts.daily.run()
            happen(there, plan, day)
            if any(START + timedelta(days=each[0]) == day for each in plan):
                happen(away.at(day), plan, day)  # nobody looked at the clock meanwhile
                consistent(away)
        away.at(end).parts.daily.run()
        assert away.rows() == there.rows()
        assert away.marks() == there.marks() == [(f"day/{COUNTY}", end.isoformat())]
        consistent(there)
        before = there.rows()
        there.parts.daily.run()
        assert there.rows() == before


def test_a_day_that_breaks_off_is_lived_again_and_none_is_skipped() -> None:
    class Power(Exception):
        """It goes."""

    class Breaking:
        def __init__(self) -> None:
            self.left, self.seen = 3, list[date]()

        def run(self, transaction: RegisterTransaction, _region: str, day: date, _now: object) -> None:
            assert transaction.today == day
            if self.left == 0:
                raise Power
            self.left -= 1
            self.seen.append(day)

    with office() as where:
        where.upload(row(2, "辍学", START))
        task = Breaking()
        where.parts.daily.tasks = (*where.parts.daily.tasks, task)
        where.at(START + timedelta(days=9))
        with pytest.raises(Power):
            where.parts.daily.run()
        assert where.marks() == [(f"day/{COUNTY}", "2026-09-04")]
        task.left = 100
        where.parts.daily.run()
        assert task.seen == [START + timedelta(days=ahead) for ahead in range(1, 10)]
        first = where.query("SELECT escalated_to, escalated_on FROM duty")
        assert first == [("township@530423101", "2026-09-05")]  # Friday the 4th was the last day


def test_of_two_processes_one_lives_a_day() -> None:
    """Both see it missed; the one that comes second finds the mark when its turn to write comes."""
    with office() as where:
        where.upload(row(2, "辍学", START))
        days = where.parts.daily._days
        with days.living(COUNTY, START + timedelta(days=1)) as mine:
            assert mine is not None
        with days.living(COUNTY, START + timedelta(days=1)) as late:
            assert late is None
        lived: list[date] = []
        where.at(START + timedelta(days=30))

        class Note:
            def run(self, _transaction: object, _region: str, day: date, _now: object) -> None:
                lived.append(day)

        where.parts.daily.tasks = (Note(),)
        threads = [threading.Thread(target=where.parts.daily.run) for _ in range(3)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert lived == [START + timedelta(days=ahead) for ahead in range(2, 31)]


def test_a_clock_that_was_set_back_does_nothing_and_warns() -> None:
    with office() as where:
        where.upload(row(2, "辍学", START))
        where.at(START + timedelta(days=20)).parts.daily.run()
        before, marks = where.rows(), where.marks()
        where.at(START + timedelta(days=3)).parts.daily.run()
        assert (where.rows(), where.marks()) == (before, marks)
        (warning,) = where.parts.daily.warnings()
        assert "2026-09-21" in warning
        where.at(START + timedelta(days=21)).parts.daily.run()
        assert where.parts.daily.warnings() == []


def test_when_the_gateway_answers_it_has_lived_through_the_days_between(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, law_date=date(2026, 9, 1)) as gateway:
        register(gateway, student(2, **{**OUT, "状态日期": "2026-08-20"}))
        credentials = gateway.credentials(LEAD)
    with process(data, "--as-of", "2026-09-16") as (_server, _url):
        marks = sqlite3.connect(data / "huxue.db")
        assert marks.execute("SELECT value FROM meta WHERE key LIKE 'day/%'").fetchall() == [("2026-09-16",)]
        duty = marks.execute("SELECT escalated_to, escalated_on, reminded_on FROM duty").fetchall()
        assert duty == [(f"education@{COUNTY}", "2026-09-11", "2026-09-03")]
        days = [
            (entry["law_date"], entry["detail"])
            for entry in (
                json.loads(body[0]) for body in marks.execute("SELECT body FROM audit_entry ORDER BY seq")
            )
            if entry["exchange"] == "duties"
        ]
        assert days == [
            ("2026-09-03", "day:2026-09-03 reminded:1"),
            ("2026-09-05", "day:2026-09-05 escalated:1"),
            ("2026-09-11", "day:2026-09-11 escalated:1"),
        ]
        marks.close()
    with running(data, law_date=date(2026, 9, 16)) as gateway:
        headers = {"Authorization": f"Bearer {gateway.fetch_token(credentials)}"}
        answer = gateway.call.get("/v1/duties", params={"overdue": True}, headers=headers)
        assert [each["status"] for each in answer.json()["items"]] == ["overdue"]
        assert see(gateway, LEAD, overdue=False) == []
