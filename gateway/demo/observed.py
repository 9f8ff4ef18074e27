"""What came of the story: everything the check compares with the county's truth."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.demo.folder import Applicant

EMPLOYER = "91350100M000100Y43"
"""The example of GB 32100-2015: an employer nobody has to invent."""

Item = Mapping[str, Any]


@dataclass(slots=True)
class Observed:
    """Answers as the gateway gave them, and what the agencies' own systems made of them.

    `receipts` by dataset; `leads` before any applicant was asked about; `answers` by the applicant's number;
    `listed` the rows of the records pages, `exported` those of the NDJSON file; `said` what each page and the
    manifest say of themselves (k, what was generalised); `audit` the evidence.
    """

    receipts: dict[str, list[Item]] = field(default_factory=dict)
    leads: list[Item] = field(default_factory=list)
    answers: dict[int, Item] = field(default_factory=dict)
    needy: Item = field(default_factory=dict)
    listed: list[Item] = field(default_factory=list)
    exported: list[Item] = field(default_factory=list)
    said: list[Item] = field(default_factory=list)
    licences: list[tuple[Applicant, Item]] = field(default_factory=list)
    attempts: list[Item] = field(default_factory=list)
    acknowledged: Item = field(default_factory=dict)
    audit: list[Item] = field(default_factory=list)

    def total(self, dataset: str, name: str) -> int:
        """A count over the receipts of a dataset."""
        return sum(int(receipt.get(name, 0)) for receipt in self.receipts.get(dataset, ()))

    def errors(self, dataset: str) -> list[Item]:
        """The rows of a dataset that came back, in the order of the receipts."""
        return [flaw for receipt in self.receipts.get(dataset, ()) for flaw in receipt["errors"]]
