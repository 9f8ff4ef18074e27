"""The year driven through a gateway: what agencies hand in and do, over HTTP; and what it tells at every month end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from tests.acceptance.school_year import days, files
from tests.acceptance.school_year.known import Line
from tests.acceptance.school_year.office import Office
from tests.acceptance.school_year.owed import WITHOUT_CASE, owed
from tests.acceptance.school_year.people import COUNTY, ELSEWHERE, TOWNSHIPS, Act, Child, Told, World
from tests.acceptance.school_year.reported import reported, signing_days
from tests.acceptance.school_year.steps import EVIDENCE, GUARDIAN, outcome, service, slots, visit
from tests.acceptance.school_year.truth import Truth

LEAD, TOWNSHIP = "education/dropout_lead", "township/return_officer"
JUSTICE, CHECKER = "justice/legal_aid_officer", "human_resources/recruitment_checker"
SEATS = ((LEAD, COUNTY), (JUSTICE, COUNTY), (LEAD, ELSEWHERE))
"""Whoever must be there to receive what is sent."""
COUNTYS = ("lost-students", "county-quarterly", "register-analysis")
PURPOSE = {"purpose": "dropout_control"}
STANDING = {"open": "owed", "overdue": "overdue", "done": "done", "cancelled": "dropped"}
LEDGERS = ("school-age", "suspected", "dropped-out")


class Year:
    """One world, one gateway, one truth."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world, self.truth, self.office = world, Truth(world), Office(folder)
        self._child_of: dict[str, Child] = {}
        self._name_of: dict[Child, str] = {}
        self._referrals: dict[Child, str] = {}
        self._told: dict[date, dict[str, dict[Child, Line]]] = {}
        self._duties: set[str] = set()
        self._cases: list[dict[str, Any]] | None = None

    def days(self, until: date) -> Iterator[date]:
        """Every day on which something is handed in or done, and every month end; the gateway lives through the rest."""
        found = sorted({*self.world.days(), *days.month_ends(), *signing_days()})
        for day in (each for each in found if each <= until):
            told, acts = self.world.on(day)
            self.office.day_comes(day, again=day in days.month_ends())
            self._cases = None
            for role, region in SEATS:
                self.office.gateway.headers(role, region)
            for each in told:
                self._hand_in(each)
            if day == days.START:
                self.office.get(f"/v1/ledgers/{LEDGERS[0]}", LEAD, **PURPOSE)
            if acts:
                self._learn_names()
            if day in signing_days():
                self._sign()
            self.truth.until(day)
            for act in acts:
                if act not in self.truth.needless:
                    self._act(act)
            yield day

    # --- what is handed in and done ----------------------------------------------------------------------

    def _hand_in(self, told: Told) -> None:
        answer = self.office.gateway.upload(told.dataset, files.as_csv(told), region=told.county)
        assert answer.status_code == 200, answer.text[:600]
        receipt = answer.json()
        assert not receipt["rejected"], (told.day, told.dataset, receipt["errors"][:3])

    def _sign(self) -> None:
        """The county and one township sign what is theirs."""
        for role, region, kinds in ((LEAD, COUNTY, COUNTYS), (TOWNSHIP, TOWNSHIPS[0], ("township-monthly",))):
            for kind in kinds:
                for report in self.office.every(
                    "/v1/reports", role, region, **PURPOSE, kind=kind, status="due"
                ):
                    self.office.post(f"/v1/reports/{report['id']}/sign", role, PURPOSE, region)

    def _learn_names(self) -> None:
        """By which pseudonym the county's education bureau knows each child: read from the test's own side."""
        gateway = self.office.gateway
        with gateway.database() as connection:
            rows = connection.execute("SELECT lookup, subject_id FROM identifier").fetchall()
        connection.close()
        known, keys = {bytes(lookup): bytes(subject) for lookup, subject in rows}, gateway.parts.keys
        for child in self.world.children:
            if child not in self._name_of and (subject := known.get(_lookup(keys, child))):
                name = str(keys.pseudonym("education", subject))  # type: ignore[arg-type]
                self._name_of[child], self._child_of[name] = name, child

    def _act(self, act: Act) -> None:
        getattr(self, f"_{act.what}")(act)

    def _case(self, child: Child) -> str:
        """The child's open case, as the bureau's list of leads and cases names it."""
        name = self._name_of[child]
        found = [each for each in self._open_cases() if each["pseudonym"] == name]
        assert len(found) == 1, f"{child}: {len(found)} open cases"
        return str(found[0]["ref"])

    def _open_cases(self) -> list[dict[str, Any]]:
        """Looked up once a day and again after every upload."""
        if self._cases is None:
            listed = self.office.every("/v1/cases", LEAD, **PURPOSE)
            self._cases = [each for each in listed if each["ended_on"] is None]
        return self._cases

    def _step(self, act: Act) -> None:
        name = act.more["name"]
        evidence = {"into": self._case(act.more["of"])} if name == "merge" else EVIDENCE[name](act)
        self._take(act, "steps", {"step": name, "evidence": evidence})

    def _visit(self, act: Act) -> None:
        self._take(act, "visits", visit(act))

    def _take(self, act: Act, what: str, body: dict[str, Any]) -> None:
        """By the township's officer what is done at the door, by the county's what is decided."""
        at_the_door = what == "visits" or act.more["name"] in ("verify", "persuade", "return", "confirm")
        role, region = (TOWNSHIP, act.child.township) if at_the_door else (LEAD, COUNTY)
        told = self.office.post(f"/v1/cases/{self._case(act.child)}/{what}", role, body, region)
        if told["ended_on"]:
            self._cases = None

    def _notice(self, act: Act) -> None:
        """Asked for, approved by a colleague, issued and served."""
        case = self._case(act.child)
        wish = {"purpose": "dropout_control", "reason": "需签发文书并送达监护人", "case": case}
        asked = self.office.post("/v1/identity/resolutions", LEAD, wish)
        self.office.post(f"/v1/identity/resolutions/{asked['id']}/approve", LEAD, {}, seat="second")
        body = {"kind": act.more["kind"], "resolution": asked["id"], "slots": slots(act)}
        issued = self.office.post(f"/v1/cases/{case}/notices", LEAD, body)
        self.office.post(f"/v1/notices/{issued['id']}/service", LEAD, service(act.day))

    def _refer(self, act: Act) -> None:
        body = {"to": "justice", "case": self._case(act.child), "measure": "court", "guardian": GUARDIAN}
        sent = self.office.post("/v1/exchanges/case-referral/referrals", LEAD, {**PURPOSE, **body})
        self._referrals[act.child] = sent["id"]

    def _hand_over(self, act: Act) -> None:
        body = {"case": self._case(act.child), "to_region": ELSEWHERE}
        self._referrals[act.child] = self.office.post("/v1/handovers", LEAD, body)["id"]

    def _hand_over_accepted(self, act: Act) -> None:
        path = f"/v1/handovers/{self._referrals[act.child]}/accept"
        self.office.post(path, LEAD, None, ELSEWHERE)
        self._cases = None

    def _accept(self, act: Act) -> None:
        self.office.post(f"/v1/referrals/{self._referrals[act.child]}/accept", JUSTICE, {})

    def _outcome(self, act: Act) -> None:
        """Justice hands in what the court said: the case goes on."""
        answer = self.office.gateway.call.post(
            "/v1/exchanges/case-outcome/uploads",
            params={"purpose": "legal_aid"},
            content=outcome(self._referrals[act.child], act.day),
            headers={**self.office.gateway.headers(JUSTICE), "Content-Type": "text/csv"},
        )
        assert answer.status_code == 200, answer.text
        assert not answer.json()["rejected"], answer.text

    def _ask(self, act: Act) -> None:
        body = {"purpose": "child_labour_check", "subject": {"resident_id": act.child.resident_id}}
        employer = {"employer_uscc": "91350100M000100Y43"}
        self.office.post("/v1/exchanges/applicant-check/ask", CHECKER, {**body, **employer})
        self._cases = None

    # --- what is told at a month end ---------------------------------------------------------------------

    def compare(self, day: date) -> list[str]:
        """Where the gateway's ledgers and duties differ from the truth; empty when nowhere."""
        self._learn_names()
        self._told[day] = self.truth.ledgers()
        found = self._ledgers_differ(day)
        listed = self.office.every("/v1/cases", LEAD, **PURPOSE)
        return found + self._cases_differ(day, listed) + self._duties_differ(day, listed)

    def look_back(self) -> list[str]:
        """Where a ledger as of a past month end differs from what was known on that day."""
        return [each for day in self._told for each in self._ledgers_differ(day, as_of=day.isoformat())]

    def _ledgers_differ(self, day: date, **asked: str) -> list[str]:
        found: list[str] = []
        for ledger in LEDGERS:
            items = self.office.every(f"/v1/ledgers/{ledger}", LEAD, **PURPOSE, **asked)
            found += _differences(f"{day} {ledger}", self._told[day][ledger], self._lines(items))
        return found

    def _lines(self, items: list[dict[str, Any]]) -> dict[Child, Line]:
        lines: dict[Child, Line] = {}
        for item in items:
            child = self._child_of[item["child"]]
            assert child not in lines, f"{child} stands twice on a ledger"
            since = date.fromisoformat(item["since"])
            lines[child] = Line(item["status"], since, item["carried_forward"])
        return lines

    def _cases_differ(self, day: date, listed: list[dict[str, Any]]) -> list[str]:
        """Each case by child, state and the day of its last step: none too many, none too few."""
        want = Counter(
            (child, case.state, case.states[-1][0])
            for child, known in self.truth.known.items()
            for case in known.cases
        )
        got = Counter(
            (self._child_of[item["pseudonym"]], item["state"], date.fromisoformat(item["since"]))
            for item in listed
        )
        return _too_many_or_few(f"{day} case", want, got)

    def _duties_differ(self, day: date, listed: list[dict[str, Any]]) -> list[str]:
        """Each duty by child, kind, last day, standing and whom it went up to: none too many, none too few."""
        want = Counter(
            (
                None if each.kind in WITHOUT_CASE else each.child,
                each.kind,
                each.due,
                each.standing(day),
                each.level(day),
            )
            for each in [*owed(self.truth.events, day), *reported(self.world, day)]
        )
        children = {item["ref"]: self._child_of[item["pseudonym"]] for item in listed}
        got: Counter[Any] = Counter()
        items = self.office.every("/v1/duties", LEAD, **PURPOSE)
        ids = {item["id"] for item in items}
        assert len(ids) == len(items), "a duty is listed twice"
        assert ids >= self._duties, "a duty that was there is gone"
        self._duties = ids
        for item in items:
            child = children[item["case"]] if item["case"] else None
            due = date.fromisoformat(item["due_on"])
            got[child, item["duty"], due, STANDING[item["status"]], item["escalated_to"]] += 1
        return _too_many_or_few(f"{day} duty", want, got)


def _too_many_or_few(where: str, want: Counter[Any], got: Counter[Any]) -> list[str]:
    lost = [f"{where} lost: {what}" for what in (want - got).elements()]
    return lost + [f"{where} too many: {what}" for what in (got - want).elements()]


def _differences(where: str, want: dict[Child, Line], got: dict[Child, Line]) -> list[str]:
    children = {*want, *got}
    wrong = [child for child in children if want.get(child) != got.get(child)]
    return [
        f"{where}: {child}: truth {want.get(child)}, told {got.get(child)}"
        for child in sorted(wrong, key=repr)
    ]


def _lookup(keys: Any, child: Child) -> bytes:
    if child.resident_id:
        return bytes(keys.lookup("resident_id", child.resident_id))
    return bytes(keys.lookup(f"student_number/{COUNTY}", child.student_number))
