"""Officers at work on cases: what tests of several files need."""

from typing import Any

import httpx

from tests.harness import COUNTY, TestGateway
from tests.people import csv_file

LEAD, RETURN, TEACHER = "education/dropout_lead", "township/return_officer", "school/class_teacher"
TOWN, OTHER_TOWN = "530423101", "530423102"
SCHOOL, OTHER_SCHOOL = "2153001234", "2153009999"
OUT = {"学生状态": "辍学", "状态日期": "2026-10-09"}
BACK = {"学生状态": "在校", "状态日期": "2026-11-20"}
ELSEWHERE = "530424"

VERIFY = {"finding": "dropped_out", "found_on": "2026-11-19", "note": "家访确认"}
PLAN = {
    "responsible": "张校长",
    "deadline": "2027-01-10",
    "measures": ["home_visit", "aid"],
    "note": "先解决住宿",
}
PERSUADE = {"responsible": "驻村干部", "deadline": "2026-12-20", "measure": "home_visit"}
VISIT = {
    "who": ["李专干", "王老师"],
    "on": "2026-11-19",
    "how": "home_visit",
    "met": "guardian",
    "result": "undecided",
}


class Officer:
    """One officer at work on cases."""

    def __init__(
        self, gateway: TestGateway, role: str, region: str = COUNTY, school: str | None = None
    ) -> None:
        self.gateway, self.headers = gateway, gateway.headers(role, region, school)

    def get(self, path: str = "", **query: Any) -> httpx.Response:
        return self.gateway.call.get(f"/v1/cases{path}", params=query, headers=self.headers)

    def post(self, path: str, body: object, key: str | None = None) -> httpx.Response:
        headers = {**self.headers, **({"Idempotency-Key": key} if key else {})}
        return self.gateway.call.post(f"/v1/cases{path}", json=body, headers=headers)

    def cases(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.get(**query)
        assert answer.status_code == 200, answer.text
        return list(answer.json()["items"])

    def case(self, ref: str) -> dict[str, Any]:
        answer = self.get(f"/{ref}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def step(self, ref: str, step: str, key: str | None = None, **evidence: object) -> httpx.Response:
        return self.post(f"/{ref}/steps", {"step": step, "evidence": evidence}, key)

    def take(self, ref: str, step: str, **evidence: object) -> dict[str, Any]:
        answer = self.step(ref, step, **evidence)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def register(gateway: TestGateway, *rows: dict[str, str], region: str = COUNTY) -> None:
    answer = gateway.upload("student-register", csv_file(rows), region=region)
    assert answer.status_code == 200, answer.text
    assert answer.json()["rejected"] == 0, answer.text
