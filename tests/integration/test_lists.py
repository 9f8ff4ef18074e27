"""Lists: whole, paged without loss, the same as file and as page, and safe to open in a spreadsheet."""

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import openpyxl
import polars as pl
import pytest

from gateway.adapters.export import ListWriter
from gateway.domain.jobs import Job
from gateway.domain.listing import Table
from gateway.domain.model import SubjectId
from tests.harness import COUNTY, SAMPLE, TestGateway, running
from tests.people import csv_file, resident_id, student

RECORDS, EXPORT = "/v1/exchanges/needy-children/records", "/v1/exchanges/needy-children/export"
RELIEF = "civil_affairs/relief_officer"
EXPECTED = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))
HARD = {"家庭经济困难": "是"}
FIELDS = ["pseudonym", "age_band", "sex", "township", "need_classes", "schooling", "aid_received"]


def page(gateway: TestGateway, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
    asked = {"purpose": "child_relief", "region": COUNTY, **query}
    return gateway.call.get(RECORDS, params=asked, headers=headers or gateway.headers(RELIEF))


def every(gateway: TestGateway, limit: int = 5000, **query: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = page(gateway, limit=limit, **query, **({"cursor": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        assert len(answer.json()["items"]) <= limit
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


def export(
    gateway: TestGateway, form: str = "ndjson", region: str = COUNTY
) -> tuple[dict[str, Any], httpx.Response]:
    """The manifest and the file of a finished export."""
    headers = gateway.headers(RELIEF)
    body = {"purpose": "child_relief", "region": region, "format": form}
    started = gateway.call.post(EXPORT, json=body, headers=headers)
    assert started.status_code == 202
    while (done := gateway.call.get(started.headers["content-location"], headers=headers)).status_code == 202:
        assert done.headers["retry-after"] == "1"
        assert done.headers["x-progress"].endswith("%")
    assert done.status_code == 200, done.text
    return done.json(), gateway.call.get(done.json()["files"][0]["url"], headers=headers)


@pytest.mark.parametrize("limit", [1, 7, 165, 166, 167, 5000])
def test_pages_of_any_size_are_the_same_list(county: TestGateway, limit: int) -> None:
    items = every(county, limit)
    assert items == every(county)
    assert len(items) == EXPECTED["needy"]["total"]
    names = [item["pseudonym"] for item in items]
    assert names == sorted(set(names)), "ordered by pseudonym, nobody twice"
    assert all(list(item) == FIELDS for item in items)


def test_the_last_page_has_no_cursor_and_a_stale_one_no_rows(county: TestGateway) -> None:
    last = every(county)[-1]["pseudonym"]
    assert page(county, limit=EXPECTED["needy"]["total"]).json()["next_cursor"] is None
    beyond = page(county, cursor=last).json()
    assert (beyond["items"], beyond["next_cursor"]) == ([], None)
    assert (
        len(page(county, cursor="ca1-" + "2" * 32, limit=5000).json()["items"]) == EXPECTED["needy"]["total"]
    )


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 5001}, {"limit": "x"}, {"cursor": "x" * 36}, {"cursor": "x" * 201}],
    ids=lambda q: str(q)[:20],
)
def test_a_limit_or_cursor_out_of_bounds_is_malformed(county: TestGateway, query: dict[str, Any]) -> None:
    assert page(county, **query).status_code == 400


@pytest.mark.parametrize(("as_of", "status"), [("2026-11-20", 200), ("2026-11-19", 400), ("yesterday", 400)])
def test_a_list_is_as_of_today(county: TestGateway, as_of: str, status: int) -> None:
    assert page(county, as_of=as_of).status_code == status


def test_a_page_says_of_when_it_is_and_what_is_missing(county: TestGateway) -> None:
    body = page(county).json()
    assert body["as_of"] == "2026-11-20T00:00:00Z"
    assert body["missing_sources"] == ["aid-payments"]
    assert {item["aid_received"] for item in body["items"]} == {None}


@pytest.mark.parametrize("township", sorted(EXPECTED["needy"]["per_township"]))
def test_a_region_below_the_county_narrows_the_list(county: TestGateway, township: str) -> None:
    items = every(county, region=township)
    assert len(items) == EXPECTED["needy"]["per_township"][township]
    assert {item["township"] for item in items} == {township}
    whole = {item["pseudonym"]: item for item in every(county)}
    assert all(whole[item["pseudonym"]] == item for item in items)


def test_an_officer_of_a_township_gets_that_township(county: TestGateway) -> None:
    headers = county.headers(RELIEF, "530423101")
    answer = page(county, headers, region="530423101", limit=5000)
    assert len(answer.json()["items"]) == EXPECTED["needy"]["per_township"]["530423101"]
    assert page(county, headers).status_code == 403


def test_disability_is_in_no_answer(county: TestGateway) -> None:
    _, file = export(county)
    text = page(county, limit=5000).text + file.text
    for word in ("disab", "残疾", "assess", "category", "grade", "special_school", "mainstream"):
        assert word not in text
    assert {name for item in every(county) for name in item["need_classes"]} <= {
        "economic_hardship",
        "left_behind",
        "single_parent",
        "out_of_school",
    }


def parsed(form: str, body: bytes) -> list[dict[str, Any]]:
    """A file's rows as the page shows them."""
    if form == "ndjson":
        return [json.loads(line) for line in body.decode().splitlines()]
    if form == "parquet":
        return pl.read_parquet(io.BytesIO(body)).to_dicts()
    if form == "csv":
        assert body.startswith(b"\xef\xbb\xbf"), "or Excel reads it as GBK"
        rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
        head, *values = sheet.iter_rows(values_only=True)
        rows = [dict(zip(map(str, head), row, strict=True)) for row in values]
    for row in rows:
        row["need_classes"] = row["need_classes"].split("|")
        row["aid_received"] = row["aid_received"] or None
    return rows


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet", "xlsx"])
def test_a_file_holds_what_the_pages_hold(county: TestGateway, form: str) -> None:
    manifest, file = export(county, form)
    (entry,) = manifest["files"]
    assert file.status_code == 200
    assert hashlib.sha256(file.content).hexdigest() == entry["sha256"]
    assert (entry["bytes"], entry["rows"]) == (len(file.content), EXPECTED["needy"]["total"])
    assert file.headers["content-type"].startswith(entry["media_type"])
    assert int(file.headers["content-length"]) == len(file.content)
    assert f'filename="needy-children.{form}"' in file.headers["content-disposition"]
    assert (manifest["as_of"], manifest["missing_sources"]) == ("2026-11-20T00:00:00Z", ["aid-payments"])
    assert manifest["deleted"] == []
    assert manifest["expires"] > manifest["transaction_time"]
    assert parsed(form, file.content) == every(county)


@pytest.mark.parametrize("form", ["ndjson", "csv", "parquet", "xlsx"])
def test_an_empty_list_is_an_empty_file(gateway: TestGateway, form: str) -> None:
    manifest, file = export(gateway, form)
    assert (file.status_code, manifest["files"][0]["rows"]) == (200, 0)
    assert hashlib.sha256(file.content).hexdigest() == manifest["files"][0]["sha256"]
    assert parsed(form, file.content) == []


def test_a_file_on_disk_is_sealed(county: TestGateway) -> None:
    manifest, file = export(county)
    stored = county.data / "files" / manifest["files"][0]["url"].rsplit("/", 1)[-1]
    assert every(county)[0]["pseudonym"].encode() in file.content
    assert every(county)[0]["pseudonym"].encode() not in stored.read_bytes()


def test_an_export_in_no_format_or_with_no_region_is_malformed(county: TestGateway) -> None:
    for body in ({"region": COUNTY, "format": "pdf"}, {}, {"region": "x"}, {"region": COUNTY, "format": 5}):
        answer = county.call.post(
            EXPORT, json={"purpose": "child_relief", **body}, headers=county.headers(RELIEF)
        )
        assert answer.status_code == 400


def test_cancelling_removes_the_file(county: TestGateway) -> None:
    manifest, file = export(county)
    assert file.status_code == 200
    url, headers = manifest["files"][0]["url"], county.headers(RELIEF)
    job = newest_job(county)
    assert county.call.delete(f"/v1/jobs/{job}", headers=headers).status_code == 202
    assert county.call.get(url, headers=headers).status_code == 403
    assert not (county.data / "files" / url.rsplit("/", 1)[-1]).exists()
    assert county.call.get(f"/v1/jobs/{job}", headers=headers).status_code == 409
    assert county.call.delete(f"/v1/jobs/{job}", headers=headers).status_code == 409


def newest_job(gateway: TestGateway) -> str:
    with gateway.database() as connection:
        found = connection.execute("SELECT id FROM job ORDER BY created_at DESC LIMIT 1").fetchone()[0]
    connection.close()
    return str(found)


def test_after_its_expiry_a_file_is_gone(county: TestGateway) -> None:
    manifest, _ = export(county)
    url, headers = manifest["files"][0]["url"], county.headers(RELIEF)
    name, job = url.rsplit("/", 1)[-1], newest_job(county)
    with county.database() as connection:
        connection.execute(
            "UPDATE stored_file SET expires_at = '2026-01-01 00:00:00.000000' WHERE id = ?", (name,)
        )
        connection.execute("UPDATE job SET expires_at = '2026-01-01 00:00:00.000000' WHERE id = ?", (job,))
    connection.close()
    assert county.call.get(url, headers=headers).status_code == 403
    assert county.call.get(f"/v1/jobs/{job}", headers=headers).status_code == 403
    assert (county.data / "files" / name).exists()
    assert county.parts.context.export.expire() == 1
    assert not (county.data / "files" / name).exists()


def test_a_file_whose_bytes_are_gone_is_an_error_and_not_an_answer_cut_off(county: TestGateway) -> None:
    manifest, _ = export(county)
    url = manifest["files"][0]["url"]
    (county.data / "files" / url.rsplit("/", 1)[-1]).unlink()
    answer = county.call.get(url, headers=county.headers(RELIEF))
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (500, "internal")


def test_a_job_that_a_stopped_gateway_left_is_failed(gateway: TestGateway) -> None:
    jobs, now = gateway.parts.jobs, gateway.parts.context.evidence._clock.now()
    jobs.add(Job("job-1", "c", "needy-children", "child_relief", COUNTY, "csv", "running", 0.0, now, now))
    jobs.fail_running()
    found = jobs.get("job-1", "c")
    assert found is not None
    assert (found.state, found.error) == ("failed", "interrupted")
    assert jobs.get("job-1", "another") is None


@pytest.fixture(scope="module")
def relief(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """Children with and without relief, by number."""
    with running(tmp_path_factory.mktemp("relief") / "data") as gateway:
        rows = [student(number, **HARD) for number in (2, 4, 6, 8, 10)]
        rows += [
            student(12),
            student(14, 留守儿童="是"),
            student(16, **HARD, 学生状态="毕业", 状态日期="2026-07-01"),
        ]
        rows.append(student(18, 学生状态="辍学", 状态日期="2026-10-09"))
        rows.append(
            student(20, **HARD, 身份证件类型="无证件", 身份证件号="", 学籍号="J" + resident_id(number=20))
        )
        answer = gateway.upload("student-register", csv_file(rows))
        assert (answer.status_code, answer.json()["rejected"]) == (200, 0), answer.text
        periods = {
            2: ("2026-01-01", ""),
            4: ("2026-01-01", "2026-11-20"),
            6: ("2026-01-01", "2026-11-19"),
            8: ("2026-11-21", ""),
        }
        kept = [
            {
                "姓名": "测试",
                "身份证号": resident_id(number=number),
                "救助类别": "低保",
                "起始日期": start,
                "终止日期": end,
                "行政区划": "530423101",
            }
            for number, (start, end) in periods.items()
        ]
        answer = gateway.upload("relief-register", csv_file(kept))
        assert (answer.status_code, answer.json()["rejected"]) == (200, 0), answer.text
        yield gateway


def listed(gateway: TestGateway) -> dict[int, dict[str, Any]]:
    """The list's items by the number of the child they are about."""
    keys, items = gateway.parts.keys, {item["pseudonym"]: item for item in every(gateway)}
    found = {}
    with gateway.database() as connection:
        for number in range(2, 22, 2):
            lookup = keys.lookup("resident_id", resident_id(number=number))
            row = connection.execute(
                "SELECT subject_id FROM identifier WHERE lookup = ?", (lookup,)
            ).fetchone()
            if row and (name := keys.pseudonym("civil_affairs", row[0])) in items:
                found[number] = items.pop(name)
    connection.close()
    assert items == {}, "somebody else is on the list"
    return found


def test_only_children_without_relief_in_force_are_listed(relief: TestGateway) -> None:
    assert set(listed(relief)) == {6, 8, 10, 14, 18}


def test_each_listed_child_with_its_needs_and_schooling(relief: TestGateway) -> None:
    items = listed(relief)
    assert (items[10]["need_classes"], items[10]["schooling"]) == (["economic_hardship"], "in")
    assert items[14]["need_classes"] == ["left_behind"]
    assert (items[18]["need_classes"], items[18]["schooling"]) == (["out_of_school"], "out")
    assert (items[10]["age_band"], items[10]["sex"], items[10]["township"]) == ("9-11", "female", "530423101")


def test_a_new_upload_is_in_the_next_page(gateway: TestGateway) -> None:
    assert every(gateway) == []
    gateway.upload("student-register", csv_file([student(2, **HARD)]))
    assert len(every(gateway)) == 1
    gateway.upload("student-register", csv_file([student(2)]))
    assert every(gateway) == []


NOW = datetime(2026, 11, 20, tzinfo=UTC)
FORMULAS = ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\r=1", "\n=1", "=cmd|' /C calc'!A0"]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_no_cell_starts_a_formula(form: str, text: str) -> None:
    alike = [{"a": text, "b": [text, "x"]}, {"a": None, "b": []}, {"a": "plain", "b": ["y"]}]
    body = ListWriter().write(
        form, Table(["k1", "k2", "k3"], [SubjectId(bytes(16))] * 3, [0, 1, 2], alike, ("a", "b"), NOW, ())
    )
    if form == "csv":
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline="")))[1:]
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(body)).worksheets[0]
        assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
        rows = [[str(value or "") for value in row] for row in sheet.iter_rows(min_row=2, values_only=True)]
    cells = [cell for row in rows for cell in row]
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert cells[0].startswith("'")
    assert "plain" in cells
