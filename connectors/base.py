"""How an agency declares itself: the datasets it hands over, in its own words, and the exchanges it uses.

A connector is checked against `schemas/` when its class is made: one that does not fit cannot be imported.
"""

import unicodedata
from collections import Counter, abc
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

from schemas.catalogue import EXCHANGES
from schemas.codes.tables import table
from schemas.identifiers import IdentifierError
from schemas.records import DATASETS, Column, Dataset

_INVISIBLE = str.maketrans("", "", "\ufeff\u200b\u200c\u200d\u2060")


def normal_heading(text: str) -> str:
    """A heading as it is compared: NFKC, without blanks, invisible characters and the `*` of required."""
    plain = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    return "".join(plain.split()).strip("*").casefold()


def normal_code(text: str) -> str:
    """A code text as code texts are compared: NFKC, trimmed, case folded (as `schemas.codes.tables` does)."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


@dataclass(frozen=True)
class Mapping:
    """One dataset in an agency's own words.

    `headings`: field name → the agency's own column headings, besides the template's.
    `codes`: field name → the agency's own code text → the schema's canonical code.
    """

    dataset: str
    headings: abc.Mapping[str, tuple[str, ...]]
    codes: abc.Mapping[str, abc.Mapping[str, str]]
    _fields: abc.Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        codes = {name: MappingProxyType(dict(own)) for name, own in self.codes.items()}
        object.__setattr__(self, "headings", MappingProxyType(dict(self.headings)))
        object.__setattr__(self, "codes", MappingProxyType(codes))
        object.__setattr__(self, "_fields", dict(_readings(self)))

    def field_of(self, heading: str) -> str | None:
        """The field a column heading stands for, by the template's or the agency's list; None if unknown."""
        return self._fields.get(normal_heading(heading))

    def code_of(self, field_name: str, text: str) -> str:
        """The canonical code of an agency's code text.

        Raises KeyError when there is no such field or it has no code table, IdentifierError (`bad_code`) when
        neither the agency nor the schema knows the text.
        """
        codes = DATASETS[self.dataset].by_name[field_name].codes
        if codes is None:
            raise KeyError(field_name)
        own = {normal_code(key): code for key, code in self.codes.get(field_name, {}).items()}
        return own.get(normal_code(text)) or table(codes).parse(text)


class Connector:
    """An agency. Subclass it once in `connectors/<agency>/connector.py`; there is nothing to instantiate.

    `provides` has one mapping for every dataset whose provider the agency is; `asks` the exchanges it uses;
    `roles` the roles, without the agency, under which its systems sign in. TypeError when it does not fit.
    """

    agency: ClassVar[str] = ""
    title_zh: ClassVar[str] = ""
    title_en: ClassVar[str] = ""
    provides: ClassVar[tuple[Mapping, ...]] = ()
    asks: ClassVar[tuple[str, ...]] = ()
    roles: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        wrong = list(_misfits(cls))
        if wrong:
            raise TypeError(f"connector {cls.__name__} does not fit schemas/: {'; '.join(wrong)}")


def _misfits(cls: type[Connector]) -> Iterator[str]:
    for name in ("agency", "title_zh", "title_en"):
        if not isinstance(getattr(cls, name), str) or not getattr(cls, name):
            yield f"{name} is missing"
    if not cls.roles or len(set(cls.roles)) < len(cls.roles):
        yield "roles must name each role of its systems once"
    yield from _misfit_exchanges(cls)
    for mapping in cls.provides:
        yield from _misfit_mapping(cls.agency, mapping)


def _misfit_exchanges(cls: type[Connector]) -> Iterator[str]:
    for exchange in cls.asks:
        if exchange not in EXCHANGES:
            yield f"asks: no exchange {exchange!r} in the catalogue"
    given = Counter(mapping.dataset for mapping in cls.provides)
    for name, times in given.items():
        if times > 1:
            yield f"provides: {name!r} is mapped twice"
    for dataset in DATASETS.values():
        if dataset.provider == cls.agency and dataset.id not in given:
            yield f"provides: dataset {dataset.id!r} of this agency is not mapped"


def _misfit_mapping(agency: str, mapping: Mapping) -> Iterator[str]:
    dataset = DATASETS.get(mapping.dataset)
    if dataset is None:
        yield f"provides: no dataset {mapping.dataset!r} in schemas.records"
        return
    if dataset.provider != agency:
        yield f"provides: dataset {dataset.id!r} is provided by {dataset.provider}, not by {agency}"
    yield from _misfit_headings(dataset, mapping)
    for name, own in mapping.codes.items():
        column = dataset.by_name.get(name)
        if column is None:
            yield f"{dataset.id}: codes for {name!r}, which is no field of it"
        else:
            yield from _misfit_codes(dataset.id, column, own)


def _misfit_headings(dataset: Dataset, mapping: Mapping) -> Iterator[str]:
    for name in mapping.headings:
        if name not in dataset.by_name:
            yield f"{dataset.id}: headings for {name!r}, which is no field of it"
    claims: dict[str, set[str]] = {}
    for heading, name in _readings(mapping):
        claims.setdefault(heading, set()).add(name)
    for heading, names in claims.items():
        if not heading:
            yield f"{dataset.id}: an empty heading for {', '.join(sorted(names))}"
        elif len(names) > 1:
            yield f"{dataset.id}: heading {heading!r} stands for {' and '.join(sorted(names))}"


def _misfit_codes(dataset: str, column: Column, own: abc.Mapping[str, str]) -> Iterator[str]:
    if column.codes is None:
        yield f"{dataset}: codes for {column.name!r}, which has no code table"
        return
    codes = table(column.codes)
    texts: dict[str, str] = {}
    for text, code in own.items():
        if code not in codes.codes():
            yield f"{dataset}.{column.name}: {code!r} is no code of the table {column.codes}"
        elif _read_by_schema(column.codes, text) not in {None, code}:
            yield f"{dataset}.{column.name}: the schema reads {text!r} as another code than {code!r}"
        elif texts.setdefault(normal_code(text), code) != code:
            yield f"{dataset}.{column.name}: {text!r} stands for two codes"


def _read_by_schema(codes: str, text: str) -> str | None:
    try:
        return table(codes).parse(text)
    except IdentifierError:
        return None


def _readings(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Every (normal heading, field) of the template, if the dataset exists, and of the agency."""
    dataset = DATASETS.get(mapping.dataset)
    for column in dataset.columns if dataset else ():
        for heading in column.headings:
            yield normal_heading(heading), column.name
    for name, headings in mapping.headings.items():
        for heading in headings:
            yield normal_heading(heading), name
