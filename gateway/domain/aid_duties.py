"""What the duties about relief and aid read and write, inside one write transaction."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple, Protocol

from gateway.domain.aid import AidBook, PupilAid, Term, Told
from gateway.domain.duties import Moot
from gateway.domain.model import SubjectId

ASSESS_RELIEF, PAY_AID = "assess-relief", "pay-aid"


class Owed(NamedTuple):
    """A child about whom a duty is owed, where it lives and which school it goes to."""

    subject: SubjectId
    residence: str
    school: str | None


class AidDesk(Protocol):
    """Set by set, for one county's register."""

    def newly_needy(self, region: str, today: date) -> Sequence[Owed]:
        """Children in need with no relief in force about whom no assessment was ever owed, or only one that was cancelled.

        Nobody while civil affairs has handed in no relief register: its silence is no child's lack of relief.
        """
        ...

    def moot(self, region: str, today: date) -> Sequence[Moot]:
        """Standing duties of relief and aid that a register has made pointless: the child has died, is known no more;
        of relief also: came of age, graduated, is enrolled in another county, is in need no more."""
        ...

    def paid_since(self, region: str, terms: Collection[str]) -> Sequence[str]:
        """Standing duties to pay of other terms than these for which a payment was handed in since."""
        ...

    def relieved(self, region: str, today: date) -> Sequence[str]:
        """Standing assessments that a relief record has answered."""
        ...

    def enrolled(
        self, region: str, book: AidBook, term: Term, today: date
    ) -> Iterable[tuple[Owed, PupilAid]]:
        """Pupils of the county's register whom aid may be owed to or was paid to in the term."""
        ...

    def told(self, region: str, term: Term, today: date, stale_days: int) -> Told:
        """Which of the county's sources have spoken."""
        ...

    def standing(self, region: str, kind: str, part: str) -> dict[SubjectId, str]:
        """Child → its duty of that kind and part, done or not, unless it was cancelled."""
        ...

    def keep(self, region: str, kind: str, part: str, duties: Iterable[tuple[SubjectId, str]]) -> None:
        """Whose duties these are."""
        ...
