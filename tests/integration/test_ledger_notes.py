"""What is noted of a child on a day reaches the ledgers of that day, though the ledgers have not come to it yet."""

from datetime import date
from typing import Any

from tests.harness import LAW_DATE, TestGateway
from tests.people import csv_file, student

LEAD = "education/dropout_lead"


def _told(gateway: TestGateway, ledger: str) -> list[dict[str, Any]]:
    answer = gateway.call.get(f"/v1/ledgers/{ledger}", headers=gateway.headers(LEAD))
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


def test_a_step_on_a_day_that_the_ledgers_have_not_begun(gateway: TestGateway) -> None:
    away = student(2, 学生状态="辍学", 状态日期="2026-10-09")
    assert gateway.upload("student-register", csv_file([away])).status_code == 200
    (line,) = _told(gateway, "dropped-out")
    assert (line["status"], line["since"]) == ("suspected", LAW_DATE.isoformat())
    tomorrow = date(2026, 11, 21)
    gateway.parts.clock._law_date = tomorrow  # type: ignore[attr-defined]
    step = {"step": "verify", "evidence": {"finding": "dropped_out", "found_on": tomorrow.isoformat()}}
    answer = gateway.call.post(f"/v1/cases/{line['case']}/steps", json=step, headers=gateway.headers(LEAD))
    assert answer.status_code == 200, answer.text
    (line,) = _told(gateway, "dropped-out")
    assert (line["status"], line["since"]) == ("verified", tomorrow.isoformat())
