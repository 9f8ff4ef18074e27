"""The record types, one dataset a file."""

from schemas.records.attendance import ATTENDANCE
from schemas.records.base import Classification, Column, Dataset, Kind
from schemas.records.case_outcome import CASE_OUTCOME
from schemas.records.disability_assessment import DISABILITY_ASSESSMENT
from schemas.records.relief_register import RELIEF_REGISTER
from schemas.records.student_register import STUDENT_REGISTER

DATASETS: dict[str, Dataset] = {
    dataset.id: dataset
    for dataset in (STUDENT_REGISTER, ATTENDANCE, RELIEF_REGISTER, DISABILITY_ASSESSMENT, CASE_OUTCOME)
}

__all__ = [
    "ATTENDANCE",
    "CASE_OUTCOME",
    "DATASETS",
    "DISABILITY_ASSESSMENT",
    "RELIEF_REGISTER",
    "STUDENT_REGISTER",
    "Classification",
    "Column",
    "Dataset",
    "Kind",
]
