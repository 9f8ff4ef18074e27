"""A small county living through years: real store, real services, a clock that is set. And an oracle of deadlines.

The oracle reads raw rows and knows the figures of `policies/retention.yaml` by heart; it shares no code with the purge.
"""

import asyncio
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway import ground
from gateway.app import build
from gateway.domain.principal import Principal
from gateway.parts import Parts
from gateway.services.ask import Question
from gateway.services.evidence import Request
from gateway.services.upload import File
from gateway.settings import Settings
from schemas.catalogue import Action
from tests.people import csv_file, resident_id, sighting, student

COUNTY = "530423"
SIGHTINGS_A_DAY = 0.01
Snapshot = dict[Any, date | None]
"""What is kept, and its last day; None: as long as something else is."""


class SetClock:
    """`gateway.domain.ports.Clock`: noon in Shanghai of a day that the test sets."""

    def __init__(self, day: date) -> None:
        self.day = day

    def now(self) -> datetime:
        return datetime(self.day.year, self.day.month, self.day.day, 4, tzinfo=UTC)

    def today(self) -> date:
        return self.day


def years(day: date, count: int) -> date:
    """The same day some years on; 28 February for the 29th."""
    try:
        return day.replace(year=day.year + count)
    except ValueError:
        return day.replace(year=day.year + count, day=28)


def past(until: date | None, today: date) -> bool:
    return until is not None and until < today


def day_of(text: str) -> date:
    return date.fromisoformat(text[:10])


@dataclass
class Person:
    number: int
    birth: date

    @property
    def id(self) -> str:
        return resident_id(self.birth, self.number)


def who(role: str) -> Principal:
    agency, _, name = role.partition("/")
    return Principal(f"c-{name}", agency, f"{agency}/{name}", COUNTY)


@dataclass
class County:
    """The county's gateway, its people, and what it told."""

    parts: Parts
    clock: SetClock
    data: Path
    people: list[Person]
    dice: random.Random
    told: set[bytes] = field(default_factory=set)
    gone: Counter[str] = field(default_factory=Counter)
    notices: int = 0
    inspectors: random.Random = field(default_factory=lambda: random.Random(11))

    @property
    def db(self) -> sqlite3.Connection:
        return self.parts.store.reader

    # --- what happens ------------------------------------------------------------------------------------

    async def hand_in(self, dataset: str, role: str, purpose: str, rows: list[dict[str, str]]) -> None:
        asked = Request(who(role), Action.UPLOAD, dataset, purpose, COUNTY)
        grant = await self.parts.context.evidence.decide(asked)
        key = f"k{self.clock.day}{dataset}" if self.dice.random() < 0.5 else None
        self.parts.context.upload.land(asked, grant, File(csv_file(rows), "csv", key))

    def _pupils(self, most: int) -> list[Person]:
        """Children of the ages a register shows, a few too old for it among them."""
        fitting = [p for p in self.people if 5 <= (self.clock.day - p.birth).days / 365.25 < 18.5]
        return self.dice.sample(fitting, min(len(fitting), self.dice.randint(1, most)))

    async def register(self) -> None:
        states = ["在校"] * 6 + ["辍学", "转出", "毕业", "死亡", "休学"]
        rows = []
        for person in self._pupils(4):
            since = self.clock.day - timedelta(days=self.dice.randint(0, 60))
            since = max(since, person.birth)
            state = self.dice.choice(states)
            rows.append(
                student(
                    person.number, person.birth, 学生状态=state, 状态日期=since.isoformat(), 家庭经济困难="是"
                )
            )
        if rows and self.dice.random() < 0.2:
            rows.append({**rows[0], "姓名": "", "学籍号": ""})  # refused: makes an errors file
        if rows:
            await self.hand_in("student-register", "education/registrar", "student_registration", rows)

    async def attendance(self) -> None:
        month = (self.clock.day.replace(day=1) - timedelta(days=self.dice.randint(1, 200))).strftime("%Y-%m")
        rows = [
            {
                "学籍号": "G" + p.id,
                "月份": month,
                "应到天数": "20",
                "缺勤天数": (days := str(self.dice.choice([0, 0, 8]))),
                "连续缺勤天数": days,
            }
            for p in self._pupils(3)
        ]
        if rows:
            await self.hand_in("attendance", "education/registrar", "attendance_reporting", rows)

    async def relief(self) -> None:
        start = self.clock.day - timedelta(days=self.dice.randint(0, 500))
        end = self.dice.choice(["", (start + timedelta(days=self.dice.randint(1, 900))).isoformat()])
        rows = [
            {
                "姓名": "测试甲",
                "身份证号": p.id,
                "救助类别": "低保",
                "起始日期": start.isoformat(),
                "终止日期": end,
                "行政区划": "530423101",
            }
            for p in self._pupils(2)
            if p.birth < start
        ]
        if rows:
            await self.hand_in(
                "relief-register", "civil_affairs/register_keeper", "relief_registration", rows
            )

    async def aid(self) -> None:
        rows = [
            {
                "学籍号": f"G{p.id}",
                "学期": f"{self.clock.day.year}年秋季",
                "金额": "312.50",
                "发放日期": self.clock.day.isoformat(),
            }
            for p in self._pupils(2)
        ]
        if rows:
            await self.hand_in("aid-payments", "education/aid_officer", "aid_delivery", rows)

    async def focus(self) -> None:
        end = self.dice.choice(["", (self.clock.day + timedelta(days=200)).isoformat()])
        rows = [
            {
                "学籍号": f"G{p.id}",
                "类别": self.dice.choice(["学习困难", "不良行为"]),
                "起始日期": self.clock.day.isoformat(),
                "终止日期": end,
            }
            for p in self._pupils(1)
        ]
        if rows:
            await self.hand_in("focus-groups", "education/registrar", "student_registration", rows)

    async def assessment(self) -> None:
        rows = [
            {
                "姓名": "测试乙",
                "身份证号": p.id,
                "残疾类别": "听力",
                "残疾等级": "三级",
                "评估日期": (self.clock.day - timedelta(days=self.dice.randint(0, 30))).isoformat(),
                "教育适宜性": "可随班就读",
                "现住址行政区划": "530423101",
            }
            for p in self._pupils(1)
        ]
        if rows:
            await self.hand_in(
                "disability-assessment", "health/disability_assessor", "disability_assessment", rows
            )

    async def sighting(self) -> None:
        """A child at work, some weeks ago; and the visit that found nobody. By dice of its own."""
        day = self.clock.day - timedelta(days=self.inspectors.randint(0, 30))
        children = [p for p in self.people if years(p.birth, 16) > day > p.birth]
        found = self.inspectors.choice(["确认使用童工", "确认使用童工", "待查"])
        rows = [sighting(None, 检查日期=day.isoformat())]
        if children:
            whom = self.inspectors.choice(children)
            rows.append(sighting(检查日期=day.isoformat(), 身份证号=whom.id, 检查结果=found))
        await self.hand_in("sightings", "human_resources/labour_inspector", "labour_inspection", rows)

    async def ask(self) -> None:
        person = self.dice.choice(self.people)
        if person.birth < self.clock.day:
            await self.parts.context.ask(
                Question(
                    who("human_resources/recruitment_checker"),
                    "applicant-check",
                    "child_labour_check",
                    person.id,
                )
            )

    async def export(self) -> None:
        asked = Request(
            who("civil_affairs/relief_officer"), Action.LIST, "needy-children", "child_relief", COUNTY
        )
        grant = await self.parts.context.evidence.decide(asked)
        export = self.parts.context.export
        job = await export.start(asked, grant, "csv")
        await asyncio.gather(*export._running.values())
        assert (await export.get(job.id, asked.principal)).state == "done"
        self.told |= set(self.parts.context.lists.table(asked, grant).subjects)

    async def confirm(self) -> None:
        rows = self.db.execute("SELECT id FROM deletion_notice WHERE received_at IS NULL").fetchall()
        if rows:
            principal = who("civil_affairs/relief_officer")
            await self.parts.context.deletions.receive(principal, self.dice.choice(rows)[0])

    async def happen(self) -> None:
        """Something of a day; most days nothing."""
        chances = (
            (self.register, 0.05),
            (self.attendance, 0.05),
            (self.relief, 0.02),
            (self.assessment, 0.01),
            (self.aid, 0.01),
            (self.focus, 0.01),
            (self.ask, 0.02),
            (self.export, 0.03),
            (self.confirm, 0.03),
        )
        for what, chance in chances:
            if self.dice.random() < chance:
                await what()
        if self.inspectors.random() < SIGHTINGS_A_DAY:
            await self.sighting()

    def keep_house(self) -> None:
        """What the running gateway does every minute, after the day's rules."""
        self.parts.purge.tick()
        self.parts.context.export.expire()
        self.parts.context.lists.forget_old()

    # --- what is checked ---------------------------------------------------------------------------------

    def check_day(self, there: Snapshot, after: Snapshot) -> None:
        """Nothing past its last day is left; nothing went before it was past."""
        today = self.clock.day
        late = {key[0]: until for key, until in after.items() if until is not None and until < today}
        assert not late, f"{today}: outlived {late}"
        early = {key[0]: there[key] for key in there.keys() - after.keys() if not past(there[key], today)}
        assert not early, f"{today}: went early {early}"
        self.gone.update(key[0] for key in there.keys() - after.keys())
        cards = {row[0] for row in self.db.execute("SELECT id FROM stored_file")}
        assert {path.name for path in (self.data / "files").iterdir()} == cards
        vault = {row[0] for row in self.db.execute("SELECT id FROM subject")}
        for kept in self.parts.context.lists._kept.values():
            assert vault.issuperset(kept.table.subjects)

    def known_as(self) -> dict[bytes, str]:
        """How civil affairs knows the children it was told of."""
        there = {row[0] for row in self.db.execute("SELECT id FROM subject")} & self.told
        return {each: self.parts.keys.pseudonym("civil_affairs", each) for each in there}  # type: ignore[arg-type]

    def check_told(self, known: dict[bytes, str]) -> None:
        """Of every child that stood in a list and went, its recipient has a notice with its own pseudonym."""
        left = {row[0] for row in self.db.execute("SELECT id FROM subject")}
        notices = {
            name
            for (text,) in self.db.execute(
                "SELECT pseudonyms FROM deletion_notice WHERE agency = 'civil_affairs'"
            )
            for name in orjson.loads(text)
        }
        went = {name for each, name in known.items() if each not in left}
        assert went <= notices
        self.notices += len(went)

    # --- the oracle --------------------------------------------------------------------------------------

    def births(self) -> dict[bytes, date]:
        """Whom the vault knows by which id number: by the keyed look-up, not by what is sealed."""
        look = self.parts.keys.lookup
        known = dict(self.db.execute("SELECT lookup, subject_id FROM identifier"))
        return {
            known[key]: person.birth
            for person in self.people
            if (key := look("resident_id", person.id)) in known
        }

    def child_ends(self, births: dict[bytes, date]) -> dict[bytes, date]:
        """When each child's schooling ends."""
        rows: dict[bytes, list[tuple[str, date]]] = {}
        for subject, status, since in self.db.execute(
            "SELECT subject_id, status, status_date FROM student_register"
        ):
            rows.setdefault(subject, []).append((status, day_of(since)))
        found = {}
        for subject, birth in births.items():
            end, standing = years(birth, 18), rows.get(subject, [])
            (state, since), *others = standing or [("none", birth)]
            assert not others, "one county, one register"
            if state == "graduated":
                end = min(end, max(years(birth, 16), since))
            found[subject] = since if state == "deceased" else end
        return found

    def working(self) -> set[bytes]:
        return {
            row[0]
            for row in self.db.execute(
                "SELECT subject_id FROM lead WHERE status <> 'closed'"
                " UNION SELECT subject_id FROM case_file WHERE ended_on IS NULL"
            )
        }

    def snapshot(self) -> Snapshot:
        """Every copy there is, and its last day as things stand now: what is past it goes today."""
        births = self.births()
        ends, today = self.child_ends(births), self.clock.day
        adults = {each for each, birth in births.items() if today >= years(birth, 18)}
        held = self.working() - adults  # what is open about an adult lapses today
        limit = {each: None if each in held else years(end, 1) for each, end in ends.items()}
        kept = self._facts(limit, ends)
        self._work(kept, limit)
        self._vault(kept, limit)
        self._clocks(kept)
        return {(table, *key): until for (table, _, *key), until in kept.items()}

    def _facts(self, limit: dict[bytes, date | None], ends: dict[bytes, date]) -> "_Kept":
        kept: _Kept = {}
        for (subject,) in self.db.execute("SELECT subject_id FROM student_register"):
            kept["student_register", subject, subject] = limit[subject]
        for subject, month in self.db.execute("SELECT subject_id, month FROM attendance"):
            first = date.fromisoformat(month + "-01")
            last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
            kept["attendance", subject, subject, month] = earlier(years(last, 2), limit[subject])
        for subject, start, end in self.db.execute(
            "SELECT subject_id, from_date, to_date FROM relief_register"
        ):
            own = years(day_of(end), 1) if end else None
            kept["relief_register", subject, subject, start] = earlier(own, limit[subject])
        for subject, day in self.db.execute("SELECT subject_id, assessed_on FROM disability_assessment"):
            own = None if limit[subject] is None else ends[subject] + timedelta(days=180)
            kept["disability_assessment", subject, subject, day] = earlier(own, limit[subject])
        for subject, inspection, day in self.db.execute(
            "SELECT subject_id, inspection_id, inspected_on FROM sighting"
        ):
            kept["sighting", subject, inspection] = earlier(years(day_of(day), 2), limit[subject])
        for subject, day in self.db.execute("SELECT subject_id, paid_on FROM aid_payment"):
            kept["aid_payment", subject, subject, day] = earlier(ends[subject], limit[subject])
        for subject, start, end in self.db.execute("SELECT subject_id, from_date, to_date FROM focus_group"):
            own = day_of(end) + timedelta(days=180) if end else None
            kept["focus_group", subject, subject, start] = earlier(own, limit[subject])
        return kept

    def _work(self, kept: "_Kept", limit: dict[bytes, date | None]) -> None:
        """Leads and cases two years from their end; neither goes before the child's last case is as long over."""
        ends: dict[bytes, list[date | None]] = {}
        cases = self.db.execute("SELECT ref, subject_id, ended_on FROM case_file").fetchall()
        for _, subject, ended in cases:
            ends.setdefault(subject, []).append(before(years(day_of(ended), 2)) if ended else None)
        leads: dict[bytes, list[date | None]] = {}
        for lead, subject, status, at in self.db.execute(
            "SELECT id, subject_id, status, updated_at FROM lead"
        ):
            own = before(years(day_of(at), 2)) if status == "closed" else None
            own = latest([own, *ends.get(subject, [])])
            kept["lead", subject, lead] = earlier(own, limit[subject])
            leads.setdefault(subject, []).append(own)
        for ref, subject, _ in cases:
            own = latest([*leads.get(subject, []), *ends[subject]])
            kept["case_file", subject, ref] = earlier(own, limit[subject])

    def _vault(self, kept: "_Kept", limit: dict[bytes, date | None]) -> None:
        """An identity as long as anything is held about the child, and at least half a year from when it was made."""
        about: dict[bytes, list[date | None]] = {}
        for (_, subject, *_), until in kept.items():
            about.setdefault(subject, []).append(until)
        for subject, made in self.db.execute("SELECT id, created_on FROM subject").fetchall():
            young = day_of(made) + timedelta(days=180)
            held = about.get(subject)
            if held is None:
                kept["subject", subject, subject] = young
            elif limit[subject] is None or None in held:
                kept["subject", subject, subject] = None
            else:
                kept["subject", subject, subject] = earlier(latest([*held, young]), limit[subject])
            for (lookup,) in self.db.execute(
                "SELECT lookup FROM identifier WHERE subject_id = ?", (subject,)
            ):
                kept["identifier", subject, lookup] = kept["subject", subject, subject]

    def _clocks(self, kept: "_Kept") -> None:
        """Copies with a clock of their own, in moments that are all noon here."""
        for table, key in (("idempotency", "key"), ("stored_file", "id"), ("job", "id")):
            for name, expires in self.db.execute(f"SELECT {key}, expires_at FROM {table}"):
                kept[table, b"", name] = before(day_of(expires))
        for name, made, received in self.db.execute("SELECT id, made_at, received_at FROM deletion_notice"):
            last = day_of(received) + timedelta(days=30) if received else years(day_of(made), 2)
            kept["deletion_notice", b"", name] = before(last)
        for name, day in self.db.execute("SELECT id, inspected_on FROM inspection"):
            kept["inspection", b"", name] = before(years(day_of(day), 3))
        newest = {
            row[0] for row in self.db.execute("SELECT max(rowid) FROM upload GROUP BY region, exchange")
        }
        for row, name, received, receipt in self.db.execute(
            "SELECT rowid, id, received_at, receipt FROM upload"
        ):
            last = before(years(day_of(received), 1))
            kept["upload", b"", name] = None if row in newest else last
            if receipt != "{}":
                kept["receipt", b"", name] = last


_Kept = dict[Any, date | None]


def earlier(own: date | None, limit: date | None) -> date | None:
    """The earlier of two days; None is no limit."""
    return min((day for day in (own, limit) if day is not None), default=None)


def latest(days: list[date | None]) -> date | None:
    """The latest of days; None is no limit."""
    return None if None in days else max(day for day in days if day is not None)


def before(day: date) -> date:
    """A copy that goes at a moment of a day had its last whole day before."""
    return day - timedelta(days=1)


async def live(county: County, days: int) -> None:
    """Day after day: things happen, then the house is kept, and nothing is too late or too early."""
    seen: list[bytes] = []
    for _ in range(days):
        county.clock.day += timedelta(days=1)
        await county.happen()
        county.parts.daily.run()
        there = county.snapshot()
        known = county.known_as()
        county.keep_house()
        after = county.snapshot()
        county.check_day(there, after)
        county.check_told(known)
        rows = county.db.execute("SELECT body FROM audit_entry WHERE seq > ? ORDER BY seq", (len(seen),))
        seen += [row[0] for row in rows]
    assert [row[0] for row in county.db.execute("SELECT body FROM audit_entry ORDER BY seq")] == seen


def ten_years(data: Path, seed: int, births: list[date], start: date, days: int = 3652) -> "County":
    """A county of these children from `start` on."""
    clock = SetClock(start)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ground, "SystemClock", lambda: clock)
        parts = build(Settings(data=data, profile="demo"))
    parts.store.writer.execute("PRAGMA synchronous=OFF")  # ten years of flushing prove nothing here
    people = [Person(2 * number, birth) for number, birth in enumerate(births, 1)]
    county = County(parts, clock, data, people, random.Random(seed))
    try:
        asyncio.run(live(county, days))
    finally:
        parts.store.close()
    return county
