"""A county's folder: the agencies' files, what must follow from them, and the applicants to ask about."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from connectors.transports.files import read_drop
from gateway.start import NotReady
from schemas.records import DATASETS

BUNDLED = Path(__file__).resolve().parent / "county" / "data"
_MEMBERS = ("as_of", "county", "counts", "errors", "needy", "leads_after_upload", "never_in_any_output")

_NEEDY = ("per_township", "classes")


@dataclass(frozen=True, slots=True)
class Applicant:
    """Somebody who looks for work: the only thing ever said of them here is their `number` in the file."""

    number: int
    resident_id: str
    expect: Mapping[str, Any]
    lead: bool

    @property
    def child(self) -> bool:
        """Whether they are under sixteen, as the file says."""
        return bool(self.expect.get("under_16"))


@dataclass(frozen=True, slots=True)
class County:
    """The truth of `expected.json` and `applicants.jsonl`, beside the folder the agencies' files are in."""

    folder: Path
    as_of: date
    code: str
    counts: Mapping[str, Mapping[str, int]]
    errors: Mapping[str, list[tuple[int, str]]]
    needy: Mapping[str, Any]
    leads: Mapping[str, int]
    secrets: tuple[str, ...]
    applicants: tuple[Applicant, ...]

    def files(self, dataset: str) -> list[Path]:
        """The files that hold a dataset."""
        return [path for path, *_ in read_drop(self.folder, dataset)]


def read_county(folder: Path) -> County:
    """The county in `folder`; NotReady says in one line what is missing or cannot be read."""
    try:
        county = _county(folder)
    except OSError as error:
        raise NotReady(f"{folder} 不是县级数据目录 / is no county folder: {_what(error)}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotReady(f"{folder}: 内容无法识别 / cannot be understood: {_what(error)}") from None
    missing = [dataset for dataset in county.counts if not county.files(dataset)]
    if missing:
        raise NotReady(f"{folder}: 缺少文件 / no file for {', '.join(missing)}")
    return county


def _county(folder: Path) -> County:
    truth = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    lines = (folder / "applicants.jsonl").read_text(encoding="utf-8").splitlines()
    as_of, code, counts, errors, needy, leads, secrets = (truth[name] for name in _MEMBERS)
    if unknown := sorted({*counts, *errors} - DATASETS.keys()):
        raise ValueError(f"no dataset {', '.join(unknown)}")
    return County(
        folder=folder,
        as_of=date.fromisoformat(as_of),
        code=str(code),
        counts={dataset: _counts(found) for dataset, found in counts.items()},
        errors={dataset: [(int(row), str(code)) for row, code in found] for dataset, found in errors.items()},
        needy={"total": int(needy["total"]), **{name: _counts(needy[name]) for name in _NEEDY}},
        leads=_counts(leads),
        secrets=tuple(secrets),
        applicants=tuple(_applicant(n, line) for n, line in enumerate(lines, 1) if line.strip()),
    )


def _counts(found: Mapping[str, Any]) -> dict[str, int]:
    return {str(name): int(count) for name, count in found.items()}


def _applicant(number: int, line: str) -> Applicant:
    asked = json.loads(line)
    return Applicant(number, str(asked["resident_id"]), dict(asked["expect"]), bool(asked["lead"]))


def _what(error: Exception) -> str:
    """What went wrong without the content of the file: a name of a file or member, never a value of it."""
    if isinstance(error, OSError):
        return f"{Path(error.filename).name if error.filename else ''} {error.strerror}".strip()
    if isinstance(error, json.JSONDecodeError):
        return "not JSON"
    return f"{type(error).__name__} {error}" if isinstance(error, KeyError) else type(error).__name__
