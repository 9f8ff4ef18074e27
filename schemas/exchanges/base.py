"""What an exchange is: who provides it, how it is used, what it may at most release, and from which datasets.

Sharing classes follow 政务数据共享条例 (国务院令第809号) art. 10: unconditional 无条件, conditional 有条件, withheld 不予共享.
A field names every dataset it is derived from, so that a policy which forbids a dataset walls off the field too.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from schemas.records import DATASETS, Classification

SharingClass = Literal["unconditional", "conditional", "withheld"]


class Action(StrEnum):
    """What a caller does with an exchange; Cedar's action ids."""

    ASK = "ask"
    LIST = "list"
    UPLOAD = "upload"
    SUBSCRIBE = "subscribe"
    REFER = "refer"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Field:
    """One value an exchange may release: `name` in the answer, `derived_from` the datasets it tells about."""

    name: str
    title_zh: str
    classification: Classification
    derived_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A data product: who provides it, how it is used, what it may at most release."""

    id: str
    title_zh: str
    title_en: str
    action: Action
    provider: str
    sharing: SharingClass
    purposes: tuple[str, ...]
    legal_basis: str
    fields: tuple[Field, ...] = ()
    dataset: str | None = None

    def field(self, name: str) -> Field:
        """The field of that name; KeyError when the exchange has none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)


REGISTER = ("student-register",)
SCHOOLING = ("student-register", "attendance")
NEEDY = ("student-register", "relief-register")
FOCUS = ("focus-groups",)
SIGHTINGS = ("sightings",)
PAID = ("student-register", "aid-payments")
AID = ("student-register", "relief-register", "aid-payments")
ASSESSED = ("disability-assessment",)
ALL = ("student-register", "attendance", "relief-register", "disability-assessment", "sightings")


def upload(dataset: str, law: str, *purposes: str) -> Exchange:
    """The upload exchange of a dataset bears the dataset's own id; it releases a receipt and nothing else."""
    record = DATASETS[dataset]
    return Exchange(
        id=dataset,
        title_zh=record.title_zh,
        title_en=record.title_en,
        action=Action.UPLOAD,
        provider=record.provider,
        sharing="conditional",
        purposes=purposes,
        legal_basis=law,
        dataset=dataset,
    )
