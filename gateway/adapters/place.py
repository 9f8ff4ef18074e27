"""What a place is: a table or kind of file in which a copy of a child's data can be, with the rule that ends it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

SUBJECT = "random id of the child"
LOOKUP = "keyed look-up of an identifier"
SEALED = "sealed identity, or the key to it"
FACT = "fact about the child"
TEXT = "free text or a document"
PSEUDONYM = "the child as one agency knows it"
SET = "random ids of children, or the digest of such a set"


@dataclass(frozen=True, slots=True)
class Place:
    """A table. `rule` is a row of `policies/retention.yaml`: `child`, a dataset, or a kind of copy."""

    id: str
    zh: str
    en: str
    rule: str
    holds: Mapping[str, str] = field(default_factory=dict)
    child: str | None = None
    lookup: str | None = None
    through: tuple[str, str] | None = None
    expires: str | None = None
    clock: str | None = None
    only: str = "1"
    stays: str = ""
