"""The template of a dataset: headings, drop-down lists, one sample row."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.domain.sheet import code_choices
from schemas.records import Dataset


@dataclass(frozen=True, slots=True)
class Template:
    """One sheet: `choices` gives the drop-down list of each column, empty where anything may be written."""

    title: str
    headings: Sequence[str]
    sample: Sequence[str]
    choices: Sequence[tuple[str, ...]]


def template_rows(dataset: Dataset) -> Template:
    """The dataset's template. Required headings bear no mark, so that a filled template reads like any file."""
    columns = dataset.columns
    return Template(
        title=dataset.title_zh,
        headings=[column.header for column in columns],
        sample=[column.sample for column in columns],
        choices=[code_choices(column) for column in columns],
    )
