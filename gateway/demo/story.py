"""The four stories, acted: every step an agency takes, it takes through its own system, over HTTP."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from connectors.transports.rest import GatewayError
from gateway.demo import scenes
from gateway.demo.folder import Applicant
from gateway.demo.observed import EMPLOYER, Item, Observed
from gateway.demo.stage import BrokenStoryError, Stage
from gateway.demo.tell import Teller

PUSHES = (
    ("student-register", "education", "/register/push"),
    ("attendance", "education", "/attendance/push"),
    ("relief-register", "civil_affairs", "/relief/push"),
    ("disability-assessment", "health", "/assessments/push"),
)


def perform(stage: Stage, teller: Teller) -> Observed:
    """Act and tell everything. Raises BrokenStoryError when a step fails that should not."""
    seen = Observed()
    registers_come_in(stage, teller, seen)
    applicants_are_checked(stage, teller, seen)
    needy_children_are_listed(stage, teller, seen)
    leads_are_taken_up(stage, teller, seen)
    seen.audit = audit(stage)
    scenes.audit(teller, seen)
    return seen


def registers_come_in(stage: Stage, teller: Teller, seen: Observed) -> None:
    """Story (i): education, civil affairs and health hand in their files; education's inbox fills."""
    scenes.opening_of_registers(teller)
    wanted = [push for push in PUSHES if push[0] in stage.county.counts]
    with teller.progress("上报名册", "registers", len(wanted)) as step:
        for dataset, agency, path in wanted:
            receipts = stage.call(agency, "POST", path)["receipts"]
            seen.receipts[dataset] = [receipt["receipt"] for receipt in receipts]
            step()
    scenes.receipts(teller, seen)
    stage.call("education", "POST", "/inbox/pull")
    seen.leads = stage.call("education", "GET", "/inbox")["leads"]


def applicants_are_checked(stage: Stage, teller: Teller, seen: Observed) -> None:
    """Story (ii): human resources asks about each applicant before anybody is hired."""
    scenes.what_a_checker_gets(teller, _catalogue(stage, "human_resources", "recruitment_checker"))
    decisions: dict[int, Item] = {}
    with teller.progress("核查求职者", "applicants", len(stage.county.applicants)) as step:
        for applicant in stage.county.applicants:
            body = {"resident_id": applicant.resident_id, "employer_uscc": EMPLOYER}
            decisions[applicant.number] = stage.call("human_resources", "POST", "/checks", body)
            step()
    told = {answer["reference"]: answer for answer in stage.wire.find("human_resources", "/ask")}
    for number, decision in decisions.items():
        seen.answers[number] = {**told.get(decision["reference"], {}), "decision": decision["decision"]}
    scenes.applicants(teller, seen)


def needy_children_are_listed(stage: Stage, teller: Teller, seen: Observed) -> None:
    """Story (iii): civil affairs learns which needy children it does not serve, under its own pseudonyms."""
    with teller.progress("困境儿童名单", "needy children"):
        seen.needy = stage.call("civil_affairs", "POST", "/needy/pull")
        pages = stage.wire.find("civil_affairs", "/needy-children/records")
        seen.listed = [row for page in pages for row in page["items"]]
        manifest, seen.exported = _export(stage)
        seen.said = [*pages, manifest]
    fields = _catalogue(stage, "civil_affairs", "relief_officer")["needy-children"]["fields"]
    scenes.needy(teller, seen, {field["name"]: field["treatment"] for field in fields}, manifest)


def leads_are_taken_up(stage: Stage, teller: Teller, seen: Observed) -> None:
    """Story (iv): placement leads at education, a licence refused, and justice refused altogether."""
    stage.call("education", "POST", "/inbox/pull")
    inbox = stage.call("education", "GET", "/inbox")["leads"]
    scenes.inbox(teller, seen, inbox)
    seen.acknowledged = _acknowledge(stage, inbox)
    scenes.acknowledged(teller, seen)
    seen.licences = [(one, _licence(stage, one)) for one in _first_child_and_adult(stage)]
    scenes.licences(teller, seen)
    seen.attempts = stage.call("justice", "POST", "/try")["attempts"]
    scenes.attempts(teller, seen)


def audit(stage: Stage) -> list[Item]:
    """Every entry of the evidence, oldest first, read beside the running gateway."""
    store = f"{stage.settings.store_path.as_uri()}?mode=ro"
    with closing(sqlite3.connect(store, uri=True)) as connection:
        rows = connection.execute("SELECT body FROM audit_entry ORDER BY seq")
        return [json.loads(body) for (body,) in rows]


def _catalogue(stage: Stage, agency: str, role: str) -> dict[str, Item]:
    """The catalogue as that role sees it, by exchange."""

    async def fetch() -> Any:
        async with stage.client(agency, role) as client:
            return await client.catalogue()

    return {item["id"]: item for item in _asked(fetch)["items"]}


def _export(stage: Stage) -> tuple[Item, list[Item]]:
    """The needy list as an NDJSON file: its manifest and its rows."""

    async def fetch() -> Any:
        async with stage.client("civil_affairs", "relief_officer") as client:
            return await client.export("needy-children", "child_relief", stage.county.code)

    export = _asked(fetch)
    lines = [line for file in export.files for line in file.content.splitlines()]
    return export.manifest, [json.loads(line) for line in lines]


def _asked(fetch: Any) -> Any:
    try:
        return asyncio.run(fetch())
    except GatewayError as error:
        raise BrokenStoryError(str(error)) from None


def _acknowledge(stage: Stage, inbox: list[Item]) -> Item:
    """The first placement lead, or the first of all, is taken up; nothing when there is none."""
    for lead in sorted(inbox, key=lambda lead: lead["rule"] != "placement-missing"):
        answer: Item = stage.call("education", "POST", f"/inbox/{lead['id']}/acknowledge")
        return answer
    return {}


def _licence(stage: Stage, applicant: Applicant) -> Item:
    body = {"resident_id": applicant.resident_id, "application_no": f"演示-{applicant.number:04d}"}
    answer: Item = stage.call("market_regulation", "POST", "/licences", body)
    return answer


def _first_child_and_adult(stage: Stage) -> Iterator[Applicant]:
    for child in (True, False):
        yield from [one for one in stage.county.applicants if one.child is child][:1]
