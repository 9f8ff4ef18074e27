"""The record types, one dataset a file."""

from schemas.records.aid_payments import AID_PAYMENTS
from schemas.records.attendance import ATTENDANCE
from schemas.records.base import Classification, Column, Dataset, Kind
from schemas.records.case_outcome import CASE_OUTCOME
from schemas.records.disability_assessment import DISABILITY_ASSESSMENT
from schemas.records.focus_groups import FOCUS_GROUPS
from schemas.records.relief_register import RELIEF_REGISTER
from schemas.records.sightings import SIGHTINGS
from schemas.records.student_register import STUDENT_REGISTER

DATASETS: dict[str, Dataset] = {
    dataset.id: dataset
    for dataset in (
        STUDENT_REGISTER,
        ATTENDANCE,
        RELIEF_REGISTER,
        DISABILITY_ASSESSMENT,
        SIGHTINGS,
        AID_PAYMENTS,
        FOCUS_GROUPS,
        CASE_OUTCOME,
    )
}

__all__ = [
    "AID_PAYMENTS",
    "ATTENDANCE",
    "CASE_OUTCOME",
    "DATASETS",
    "DISABILITY_ASSESSMENT",
    "FOCUS_GROUPS",
    "RELIEF_REGISTER",
    "SIGHTINGS",
    "STUDENT_REGISTER",
    "Classification",
    "Column",
    "Dataset",
    "Kind",
]
