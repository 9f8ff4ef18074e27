"""Referrals and hand-overs put together: the use cases, what a new day brings, and the file of outcomes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from gateway.adapters.db.engine import Store
from gateway.adapters.db.handovers import SqliteHandovers
from gateway.adapters.db.referrals import SqliteReferrals
from gateway.adapters.keys import FileKeyRing
from gateway.adapters.keys.heads import verify_head
from gateway.adapters.referralbook import load_referrals
from gateway.adapters.rulebook import RulebookError
from gateway.domain.log.note import Vkey
from gateway.domain.ports import Clock
from gateway.domain.referral import ReferralBook
from gateway.domain.rulebook import Rulebook
from gateway.services.arrival import Arrivals, Signing
from gateway.services.case_outcome import CaseOutcomes
from gateway.services.casework import Casework
from gateway.services.daily import DayTask
from gateway.services.evidence import Evidence
from gateway.services.handover import Handing
from gateway.services.handover_days import HandoverDays
from gateway.services.refer import Refer
from gateway.services.referral_days import ReferralDays
from gateway.services.referral_desk import ReferralOffice
from gateway.services.referral_steps import ReferralSteps
from gateway.services.upload import RowWork


@dataclass(frozen=True, slots=True)
class ReferringParts:
    """Everything around referrals; `handing` takes the key that signs packages, which the log brings."""

    refer: Refer
    steps: ReferralSteps
    days: tuple[DayTask, ...]
    works: Mapping[str, RowWork]
    handing: Callable[[Callable[[], Vkey]], Handing]


def build_referring(
    policies: Path, store: Store, keys: FileKeyRing, evidence: Evidence, clock: Clock, rulebook: Rulebook
) -> ReferringParts:
    """RulebookError when `referrals.yaml` names what nobody knows, or shows what nobody may see."""
    book = _book(policies, rulebook)
    office, casework = ReferralOffice(evidence, book, keys, clock), Casework(rulebook)

    def handing(key: Callable[[], Vkey]) -> Handing:
        arrivals = Arrivals(rulebook, book.handover, keys, Signing(key, verify_head))
        handovers = SqliteHandovers(store, keys)
        return Handing(evidence, handovers, casework, rulebook, book, keys, clock, arrivals)

    return ReferringParts(
        refer=Refer(office, SqliteReferrals(store, keys), rulebook),
        steps=ReferralSteps(office, casework, rulebook),
        days=(ReferralDays(office, rulebook), HandoverDays(evidence)),
        works={"case-outcome": CaseOutcomes(book, casework, rulebook)},
        handing=handing,
    )


def _book(policies: Path, rulebook: Rulebook) -> ReferralBook:
    try:
        return load_referrals(policies, rulebook)
    except (KeyError, TypeError, AttributeError, ValueError, OSError) as error:
        raise RulebookError(f"{policies.name}: {type(error).__name__}: {error}") from error
