"""Invented people: names, births that fit a grade, and valid but made-up id numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

SURNAMES = (
    "柏岑楚丁范葛顾郝纪康蓝黎梁林柳龙卢罗马莫倪潘彭乔邱任沈施宋苏谭唐田汪韦温夏谢熊徐薛叶易余袁岳曾詹邹"
)
GIVEN = "安柏晨澄川丹冬帆枫禾恒虹嘉江洁锦静凯岚乐林琳玲露敏明宁鹏平青晴然睿舒松泰婷文霞晓星旭雅阳瑶毅颖悦云泽"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECK_CHARACTERS = "10X98765432"

RESIDENT = "居民身份证"
RESIDENCE_PERMIT = "港澳台居民居住证"
FOREIGN_PERMIT = "外国人永久居留身份证"
NO_ID = "其他"

# Areas that tables often lack: withdrawn (522401), young (659012, 330113), remade (500156): seen on cards.
ODD_AREAS = ("522401", "659012", "330113", "500156")
PERMIT_AREAS = ("810000", "820000", "830000")
# The 2023 format: 9, province of issue, country of nationality (ISO 3166 numeric); same check character.
FOREIGN_AREAS = ("953104", "953418", "953704")


@dataclass(slots=True, frozen=True)
class Person:
    """Who somebody is, apart from any register; `resident_id` is None for a birth nobody registered."""

    name: str
    sex: str
    birth: date
    id_type: str
    resident_id: str | None
    township: str


def check_character(first17: str) -> str:
    """Give the 18th character of an id number (GB 11643, ISO 7064 MOD 11-2)."""
    return CHECK_CHARACTERS[sum(int(d) * w for d, w in zip(first17, WEIGHTS, strict=True)) % 11]


def years_before(day: date, years: int) -> date:
    """Give the same calendar day `years` earlier; 29 February falls back to the 28th."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def age_on(birth: date, day: date) -> int:
    """Count full years on `day`; the birthday itself already counts."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def school_year(day: date) -> int:
    """Give the calendar year in which the school year of `day` began (1 September)."""
    return day.year if day.month >= 9 else day.year - 1


class PeopleMaker:
    """Makes people nobody is; never hands out the same id number twice."""

    def __init__(self, rng: random.Random, county: str, as_of: date, townships: tuple[str, ...]) -> None:
        self._rng = rng
        self._county = county
        self._as_of = as_of
        self._townships = townships
        self._used: set[str] = set()

    def birth_for(self, grade: int, years_late: int = 0) -> date:
        """Draw a birth date: six by 31 August of the year of entry, `years_late` years older on demand.

        Grade 10 stands for those who have just left grade 9.
        """
        newest = date(school_year(self._as_of) - grade - 5 - years_late, 8, 31)
        return newest - timedelta(days=self._rng.randrange(365))

    def birth_at_age(self, youngest: int, oldest: int) -> date:
        """Draw a birth date of somebody aged `youngest`..`oldest` full years on the law date."""
        newest = years_before(self._as_of, youngest)
        return newest - timedelta(days=self._rng.randrange((oldest - youngest + 1) * 365))

    def person(self, birth: date, id_type: str | None = None) -> Person:
        """Make one person born on `birth`; without `id_type` nearly all hold a resident id."""
        sex = self._rng.choice("男女")
        kind = id_type or self._id_type()
        number = None if kind == NO_ID else self.number(self._area(kind), birth, sex)
        return Person(self._name(), sex, birth, kind, number, self._rng.choice(self._townships))

    def student_number(self, person: Person, temporary: bool = False) -> str:
        """Make a 学籍号: G + id; L + an id-shaped number that is not the id; J + digits without any id."""
        if person.resident_id is None:
            return "J" + "".join(self._rng.choices("0123456789", k=18))
        if temporary:
            return "L" + self.number(person.resident_id[:6], person.birth, person.sex)
        return "G" + person.resident_id

    def number(self, area: str, birth: date, sex: str) -> str:
        """Make an unused id number: area, birth, a sequence odd for 男, check character."""
        while True:
            sequence = self._rng.randrange(0, 500) * 2 + (sex == "男")
            first17 = f"{area}{birth:%Y%m%d}{sequence:03d}"
            if first17 not in self._used:
                self._used.add(first17)
                return first17 + check_character(first17)

    def _id_type(self) -> str:
        draw = self._rng.random()
        if draw < 0.0003:
            return FOREIGN_PERMIT
        return RESIDENCE_PERMIT if draw < 0.004 else RESIDENT

    def _area(self, id_type: str) -> str:
        if id_type == RESIDENCE_PERMIT:
            return self._rng.choice(PERMIT_AREAS)
        if id_type == FOREIGN_PERMIT:
            return self._rng.choice(FOREIGN_AREAS)
        draw = self._rng.random()
        if draw < 0.04:
            return self._rng.choice(ODD_AREAS)
        return "530402" if draw < 0.12 else self._county

    def _name(self) -> str:
        length = 2 if self._rng.random() < 0.8 else 1
        return self._rng.choice(SURNAMES) + "".join(self._rng.choices(GIVEN, k=length))
