"""What the gateway does by itself on a day it lives is in the evidence of that day: everything, once, however late."""

import json
from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from gateway.domain.landing import RegisterTransaction
from gateway.domain.principal import Principal
from gateway.services.evidence import Request
from gateway.services.upload import File
from schemas.catalogue import Action
from tests.harness import COUNTY
from tests.integration.test_days import OUT, START, Office, office
from tests.people import csv_file, student

END = date(2026, 12, 3)
HARD = {"家庭经济困难": "是"}
ROLES = {
    "student-register": ("education/registrar", "student_registration"),
    "relief-register": ("civil_affairs/register_keeper", "relief_registration"),
}


def hand_in(where: Office, dataset: str, rows: list[dict[str, str]], region: str = COUNTY) -> None:
    role, purpose = ROLES[dataset]
    who = Principal("registrar", role.partition("/")[0], role, region)
    asked = (who, Action.UPLOAD, dataset, purpose, region)
    receipt = where.parts.context.upload.land(
        Request(*asked), where.parts.points.decide(*asked), File(csv_file(rows), "csv")
    )
    assert receipt["rejected"] == 0, receipt


def entries(where: Office) -> list[dict[str, Any]]:
    """What the gateway did by itself, as it stands in the chain, oldest first."""
    rows = where.query("SELECT body FROM audit_entry ORDER BY seq")
    found = [json.loads(body) for (body,) in rows]
    return [each for each in found if each["role"] == "gateway/system"]


def told(where: Office) -> list[tuple[str, str, str]]:
    """Day, exchange and what: without references and case numbers, which differ from store to store."""
    return [
        (each["law_date"], each["exchange"], each["detail"].partition(" case-")[0]) for each in entries(where)
    ]


def counted(where: Office, exchange: str) -> Counter[str]:
    """How many of what the days' own entries of an exchange say, together."""
    found: Counter[str] = Counter()
    for each in entries(where):
        if each["exchange"] == exchange and each["detail"].startswith("day:"):
            day, *whats = each["detail"].split(" ")
            assert day == f"day:{each['law_date']}"
            counts = {what: int(many) for what, many in (part.split(":") for part in whats)}
            assert each["count"] == sum(counts.values())
            found.update(counts)
    return found


def fill(where: Office) -> None:
    """A dropout, a pupil who has just left for nowhere, and children in need."""
    out = student(2, **{**OUT, "状态日期": "2026-08-20"})
    gone = student(4, 学生状态="转出", 状态日期="2026-08-25")
    hand_in(where, "student-register", [out, gone, student(6, **HARD), student(8, **HARD), student(10)])


def standing(where: Office) -> Counter[str]:
    rows = where.query("SELECT 'duties ' || status, count(*) FROM duty GROUP BY 1")
    rows += where.query("SELECT 'duties', count(*) FROM duty UNION ALL SELECT 'leads', count(*) FROM lead")
    rows += where.query(
        "SELECT 'cases', count(*) FROM case_file UNION ALL SELECT 'reports', count(*) FROM report"
    )
    rows += where.query("SELECT 'escalated', count(*) FROM duty WHERE escalated_on IS NOT NULL")
    rows += where.query("SELECT 'reminded', count(*) FROM duty WHERE reminded_on IS NOT NULL")
    return Counter(dict(rows))


def test_each_effect_of_each_missed_day_has_its_entry_of_that_day() -> None:
    with office() as where:
        fill(where)
        before, first = standing(where), len(entries(where))
        where.at(END).parts.daily.run()
        made = standing(where) - before
        new = entries(where)[first:]
        duties = counted(where, "duties")
        assert duties["opened"] == made["duties"] > 0
        assert duties["reminded"] == made["reminded"] > 0
        assert duties["escalated"] >= made["escalated"] > 0
        assert counted(where, "reports")["made"] == made["reports"] > 0
        assert counted(where, "leads")["opened"] == made["leads"] > 0
        assert counted(where, "cases")["opened"] == made["cases"] > 0
        assert all(each["decision"] == "permit" for each in new)
        days = [each["law_date"] for each in new]
        assert days == sorted(days)
        assert "2026-10-01" in days, "the reports of September"
        assert END.isoformat() not in set(days[:-3]), "a day caught up late is that day's"


def test_replay_and_restart_write_nothing_twice() -> None:
    with office() as where, office() as there:
        for each in (where, there):
            fill(each)
        for ahead in range(1, (END - START).days + 1):
            there.at(START + timedelta(days=ahead)).parts.daily.run()
        where.at(END).parts.daily.run()
        assert told(where) == told(there), "lived late or in time, the evidence is the same"
        before = len(entries(where))
        where.parts.daily.run()
        where.parts.daily._done = None
        where.parts.daily.run()
        assert len(entries(where)) == before


def test_a_case_that_moves_with_its_child_does_so_in_the_evidence() -> None:
    with office() as where:
        fill(where)
        where.at(START + timedelta(days=2))
        with where.parts.store.writing() as db:
            db.execute("UPDATE student_register SET residence = '530423102'")
        where.at(START + timedelta(days=9)).parts.daily.run()
        (placed,) = [each for each in entries(where) if each["detail"].startswith("placed case-")]
        assert (placed["law_date"], placed["exchange"]) == ("2026-09-02", "cases")
        assert placed["subject"], "with the child, as the steps of its case are"


def test_a_day_that_breaks_off_leaves_no_entry_of_what_did_not_happen() -> None:
    class Breaks:
        def run(self, transaction: RegisterTransaction, _region: str, day: date, _now: object) -> None:
            if day == START + timedelta(days=2):
                raise RuntimeError("the power goes")

    with office() as where:
        fill(where)
        tasks = where.parts.daily.tasks
        where.parts.daily.tasks = (*tasks, Breaks())
        with pytest.raises(RuntimeError):
            where.at(END).parts.daily.run()
        assert {day for day, _, _ in told(where)} <= {"2026-09-01", "2026-09-02"}
        where.parts.daily.tasks = tasks
        where.parts.daily.run()
        assert "2026-09-03" in {day for day, _, _ in told(where)}
