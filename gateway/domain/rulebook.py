"""The county's own figures, read from `policies/` once at start."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.domain.aid import AidBook
from gateway.domain.case import CaseBook
from gateway.domain.coarsening import Rule as DisclosureRule
from gateway.domain.duties import DutyBook
from gateway.domain.employers import Repeated
from gateway.domain.predicate import COUNTY_DIGITS
from gateway.domain.reporting import ReportBook
from gateway.domain.retention import Retention
from gateway.domain.rules import Rule
from gateway.domain.schooling import Thresholds


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Lead rules, thresholds, duties, the calendar and the steps of a case; how coarse each list must be; how long
    copies are kept; when an employer counts as a repeated one; what aid comes to."""

    rules: Mapping[str, Rule]
    limits: Thresholds
    duties: DutyBook
    disclosure: Mapping[str, DisclosureRule]
    retention: Retention
    cases: CaseBook
    reports: ReportBook
    repeated: Repeated
    aid: AidBook
    counties: Mapping[str, "Rulebook"] = field(default_factory=dict)

    def of(self, region: str) -> "Rulebook":
        """The county's own book, where it has changed a line; this one otherwise."""
        return self.counties.get(region[:COUNTY_DIGITS], self)
