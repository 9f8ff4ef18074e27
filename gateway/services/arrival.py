"""What goes along when a case is handed over, and what becomes of it where it arrives."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from gateway.domain.case import CaseFile
from gateway.domain.case import State as CaseState
from gateway.domain.errors import Conflict, SourceUnavailable
from gateway.domain.handover import Handover, arriving
from gateway.domain.log.note import MalformedNote, Verify, Vkey
from gateway.domain.model import LeadDraft
from gateway.domain.package import Package, copied, read, written
from gateway.domain.ports import KeyRing, Transaction
from gateway.domain.principal import Principal
from gateway.domain.referral import HandoverTerms
from gateway.domain.rulebook import Rulebook
from gateway.services.opening import Opening


@dataclass(frozen=True, slots=True)
class Signing:
    """The gateway's key of now, and how signatures are checked."""

    key: Callable[[], Vkey]
    verify: Verify


class Arrivals:
    """Packs a history and signs it; reads it again, signature first; opens the case at the receiver."""

    def __init__(self, rulebook: Rulebook, terms: HandoverTerms, keys: KeyRing, signing: Signing) -> None:
        self._book, self._terms, self._keys, self._signing = rulebook, terms, keys, signing

    def packed(self, transaction: Transaction, handover_id: str, case: CaseFile, to_region: str) -> str:
        """The history as it stands now, signed."""
        entries = transaction.cases.entries(case.ref)
        return written(handover_id, to_region, case, entries, self._signing.key(), self._keys.sign_head)

    def unpacked(self, package: str, found: Handover) -> Package:
        """Conflict unless our key signed it, for this very hand-over."""
        try:
            opened = read(package, self._signing.key(), self._signing.verify)
        except MalformedNote:
            raise Conflict("移交文件签名不符。", "The package's signature does not hold.") from None
        if (opened.handover, opened.region, opened.to_region) != (found.id, found.region, found.to_region):
            raise Conflict("移交文件与移交不符。", "The package is of another hand-over.")
        return opened

    def arrive(
        self,
        transaction: Transaction,
        old: CaseFile,
        package: Package,
        who: Principal,
        today: date,
        now: datetime,
    ) -> CaseFile:
        """The receiver's case: the one it has, or a new one; with a lead, by which its team sees the child."""
        self._lead(transaction, old, package, today, now)
        new = transaction.cases.current_case_of(package.to_region, old.subject)
        if new is None:  # the lead has just opened it; raised past the commit, so that all is undone
            raise SourceUnavailable
        goes_on = new.state is CaseState.SUSPECTED  # one that is further on here stays where it is
        for each in package.entries:
            transaction.cases.write(copied(package, each, new, goes_on))
        arrived = _taken_up(new, package, today) if goes_on else new
        if old.sealed and not new.sealed:
            arrived = replace(arrived, sealed=True, owner=who.officer)
        transaction.cases.update(arrived)
        return arrived

    def _lead(
        self, transaction: Transaction, old: CaseFile, package: Package, today: date, now: datetime
    ) -> None:
        rule, region = self._book.rules[self._terms.rule], package.to_region
        draft = LeadDraft(
            subject=old.subject,
            rule=rule.id,
            region=region,
            residence=region,
            due_on=self._book.of(region).duties.due(rule.duty, today),
            facts=({"fact": rule.id, "on": today.isoformat()},),
            rule_version=rule.version,
        )
        Opening(self._book, today, now).lead(transaction, draft, {"handover": package.handover})


def _taken_up(new: CaseFile, package: Package, today: date) -> CaseFile:
    """The receiver's case where the sender's stood."""
    return replace(
        new,
        state=arriving(package.state),
        previous=package.previous,
        since=today,
        observed_from=package.observed_from,
    )
