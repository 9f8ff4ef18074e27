"""Which children need relief and do not have it, and in which terms they may be told of.

Source: 未成年人保护法 art. 91 (困境未成年人分类保障). Disability is not among the classes: an assessment serves
education and rehabilitation only (残疾人教育条例 art. 20).
"""

from datetime import date

from gateway.domain.model import Schooling
from schemas.identifiers import age_on

NEED_FLAGS = ("economic_hardship", "left_behind", "single_parent")
GONE = frozenset({"graduated", "deceased"})
ADULT_AGE = 18

_BANDS = ((5, "0-5"), (8, "6-8"), (11, "9-11"), (15, "12-15"), (17, "16-17"))


def age_band(birth: date, today: date) -> str:
    """The band a child's age falls into; the contract's three, and one on either side of compulsory age."""
    age = age_on(birth, today)
    return next(band for limit, band in _BANDS if age <= limit)


def need_classes(flags: tuple[bool, bool, bool], out_of_school: Schooling) -> list[str]:
    """The classes of need, in the contract's order; empty when the child is not needy."""
    classes = [name for name, held in zip(NEED_FLAGS, flags, strict=True) if held]
    return [*classes, "out_of_school"] if out_of_school == "yes" else classes


def schooling_word(out_of_school: Schooling) -> str:
    """`in`, `out` or `unknown`; a graduate is on no list of needy pupils, so `completed` never gets here."""
    return {"yes": "out", "no": "in"}.get(out_of_school, "unknown")
