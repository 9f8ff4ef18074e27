"""Upload of 100,000 rows into an empty and a full store, and the export of 100,000 rows; with a row-by-row peer."""

import csv
import io
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pydantic import BaseModel, Field

from benchmarks.county import resident_ids, student_csv
from benchmarks.server import Gateway, gateway

ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Bulk:
    """One piece of bulk work."""

    name: str
    rows: int
    seconds: float
    peak_megabytes: float | None = None

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


class _PeerRow(BaseModel):
    """What a row-by-row validator of the usual kind would check; no checksum, no store."""

    name: str = Field(alias="姓名", max_length=64)
    birth_date: date = Field(alias="出生日期")
    id_number: str = Field(alias="身份证件号", pattern=r"^\d{17}[\dX]$")
    student_number: str = Field(alias="学籍号", min_length=10, max_length=21)
    school_code: str = Field(alias="学校标识码")
    grade: int = Field(alias="年级", ge=1, le=9)
    status: str = Field(alias="学生状态")
    status_date: date = Field(alias="状态日期")
    region: str = Field(alias="现住址行政区划", pattern=r"^\d{6,12}$")


def _peer(body: bytes) -> Bulk:
    start = time.perf_counter()
    rows = sum(1 for row in csv.DictReader(io.StringIO(body.decode())) if _PeerRow.model_validate(row))
    return Bulk(
        "peer: csv.DictReader + pydantic, validation only, nothing stored", rows, time.perf_counter() - start
    )


def measure(folder: Path) -> list[Bulk]:
    """Every piece, in order: each upload finds the store as the one before left it."""
    ids = resident_ids(ROWS)
    found = [_peer(student_csv(ids))]
    with gateway(folder / "bulk") as under_test:
        for name, body in (
            ("upload into an empty store, all new", student_csv(ids, needy=True)),
            ("upload into a full store, all changed", student_csv(ids, needy=True, changed=True)),
            ("the same file again, all unchanged", student_csv(ids, needy=True, changed=True)),
        ):
            seconds, receipt = under_test.upload(body)
            assert receipt["rows"] == ROWS
            assert receipt["rejected"] == 0
            found.append(Bulk(name, ROWS, seconds, under_test.peak_megabytes()))
        found += [
            _export(under_test, form, how)
            for form, how in (("ndjson", "list computed anew"), ("csv", "list kept from before"))
        ]
    return found


def _export(under_test: Gateway, form: str, how: str) -> Bulk:
    """From the request to the last byte of the file, through the job interface."""
    headers = under_test.token("civil_affairs/relief_officer")
    asked = {"purpose": "child_relief", "region": "530423", "format": form}
    start = time.perf_counter()
    answer = under_test.call.post("/v1/exchanges/needy-children/export", json=asked, headers=headers)
    location = answer.headers["content-location"]
    while (job := under_test.call.get(location, headers=headers)).status_code == 202:
        time.sleep(0.01)
    file = job.json()["files"][0]
    size = len(under_test.call.get(file["url"], headers=headers).content)
    seconds = time.perf_counter() - start
    assert size == file["bytes"]
    return Bulk(
        f"export as {form}, {how}, request to last byte", file["rows"], seconds, under_test.peak_megabytes()
    )
