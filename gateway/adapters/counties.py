"""Reads `policies/counties/<code>.yaml`: the lines of cases.yaml, duties.yaml and thresholds.yaml that a county changes.

A county changes values, it adds nothing: a county, section or key that nobody knows, and a value of another kind than
the default's, stop the start. Evidence is the exception: a county may ask for more of it.
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from gateway.adapters.yaml_text import parse
from gateway.domain.predicate import COUNTY_DIGITS
from schemas.codes.region import regions

FOLDER = "counties"
_FREE = "evidence"

Bodies = Mapping[str, Mapping[str, Any]]
"""Section → its default lines: `cases`, `duties`, `thresholds`."""


def overrides(folder: Path, defaults: Bodies) -> dict[str, Bodies]:
    """Each county's sections, whole, by its code; ValueError names the file and the place."""
    return {path.stem: _county(path, defaults) for path in sorted((folder / FOLDER).glob("*.yaml"))}


def _county(path: Path, defaults: Bodies) -> Bodies:
    if len(path.stem) != COUNTY_DIGITS or not regions().is_known(path.stem):
        raise ValueError(f"{FOLDER}/{path.name}: no county has that code")
    own = parse(path.read_text(encoding="utf-8"))
    where = f"{FOLDER}/{path.name}"
    _check_keys(where, own, defaults)
    return {
        name: _merged(f"{where}: {name}", default, own[name]) if name in own else default
        for name, default in defaults.items()
    }


def _merged(where: str, default: Any, own: Any) -> Any:
    """The default with the county's values in it. A mapping is merged line by line; any other value takes its place."""
    if type(own) is not type(default) and default is not None:
        raise ValueError(f"{where}: should be of the kind {type(default).__name__}")
    if not isinstance(default, Mapping):
        return own
    known = default if where.rpartition(" ")[2] != _FREE else {**default, **own}
    _check_keys(where, own, {**known, **_optional(where)})
    return {
        **default,
        **{name: _merged(f"{where} {name}", known.get(name), value) for name, value in own.items()},
    }


def _optional(where: str) -> Mapping[str, None]:
    """A duty may have lines that the default leaves out."""
    words = where.partition(": ")[2].split()
    return dict.fromkeys(("otherwise",)) if words[:1] == ["duties"] and len(words) == _DUTY_DEPTH else {}


_DUTY_DEPTH = 2


def _check_keys(where: str, own: Any, known: Collection[str]) -> None:
    if not isinstance(own, Mapping):
        raise ValueError(f"{where}: is not a mapping")
    if unknown := [str(name) for name in own if name not in known]:
        raise ValueError(f"{where}: unknown: {', '.join(unknown)}")
