"""The county's own figures, read from `policies/` once at start."""

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.domain.aid import AidBook
from gateway.domain.coarsening import Rule as DisclosureRule
from gateway.domain.duties import DutyBook
from gateway.domain.retention import Retention
from gateway.domain.rules import Rule
from gateway.domain.schooling import Thresholds


@dataclass(frozen=True, slots=True)
class Rulebook:
    """Lead rules, thresholds, duties and the calendar; how coarse each list must be; how long copies are kept; aid."""

    rules: Mapping[str, Rule]
    limits: Thresholds
    duties: DutyBook
    disclosure: Mapping[str, DisclosureRule]
    retention: Retention
    aid: AidBook
