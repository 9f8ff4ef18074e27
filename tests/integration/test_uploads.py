"""Handing in files over HTTP: receipts, templates, errors files, refusals, keys, languages, and two at once."""

import csv
import io
import json
import socket
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx
import openpyxl
import pytest
import xlsxwriter

from gateway.http.wire import Receipt
from schemas.records import DATASETS
from tests.harness import PURPOSES, XLSX, TestGateway, running
from tests.people import STUDENT_HEADINGS, attendance, csv_file, resident_id, student

FACTS = (
    *("subject", "identifier", "student_register", "attendance", "relief_register", "disability_assessment"),
    *("school", "upload", "idempotency", "lead", "case_file", "duty", "lead_event", "stored_file", "job"),
)


def counts(gateway: TestGateway) -> dict[str, int]:
    """How many rows each table holds."""
    connection = gateway.database()
    found = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in FACTS}
    connection.close()
    return found


def taken(gateway: TestGateway, rows: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    """The receipt of student rows."""
    answer = gateway.upload("student-register", csv_file(rows), **more)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def errors(receipt: dict[str, Any]) -> list[tuple[int, str]]:
    return [(flaw["row"], flaw["code"]) for flaw in receipt["errors"]]


def xlsx(rows: list[dict[str, str]]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
            sheet.write_row(at, 0, row)
    return out.getvalue()


# --- receipts -----------------------------------------------------------------------------------------------


def test_a_receipt_counts_every_row_and_names_every_error(gateway: TestGateway) -> None:
    rows = [student(2), student(3, 年级="高一"), student(4, 现住址行政区划="530423999"), student(2)]
    receipt = taken(gateway, rows)
    assert Receipt.model_validate(receipt).model_dump() == receipt
    shown = {name: receipt[name] for name in ("rows", "accepted", "unchanged", "rejected", "skipped")}
    assert shown == {"rows": 4, "accepted": 2, "unchanged": 1, "rejected": 1, "skipped": 0}
    [flaw] = receipt["errors"]
    assert (flaw["row"], flaw["column"], flaw["code"], flaw["value_hint"]) == (3, "年级", "bad_code", "字字")
    assert "一年级" in flaw["message"]
    assert [(w["row"], w["code"]) for w in receipt["warnings"]] == [(4, "unknown_region")]
    assert receipt["warnings_total"] == 1
    assert receipt["upload_id"].startswith("up-")
    kept = gateway.database().execute("SELECT id, receipt FROM upload").fetchall()
    assert [(row[0], json.loads(row[1])) for row in kept] == [(receipt["upload_id"], receipt)]


def test_an_upload_leaves_one_audit_entry_with_the_receipts_digest(gateway: TestGateway) -> None:
    receipt = taken(gateway, [student()])
    [entry] = [entry for entry in gateway.audit() if entry["action"] == "upload"]
    assert (entry["decision"], entry["detail"], entry["count"]) == ("permit", receipt["upload_id"], 1)


def test_no_receipt_and_no_table_holds_a_name_or_number(gateway: TestGateway) -> None:
    row, bad = student(2), student(3, 年级="高一")
    receipt = taken(gateway, [row, bad])
    dump = "\n".join(gateway.database().iterdump()) + json.dumps(receipt, ensure_ascii=False)
    stored = b"".join(path.read_bytes() for path in (gateway.data / "files").iterdir())
    for person in (row, bad):
        for heading in ("姓名", "身份证件号", "学籍号"):
            assert person[heading] not in dump
            assert person[heading].encode() not in stored


def test_the_same_file_twice_changes_nothing(gateway: TestGateway) -> None:
    first = taken(gateway, [student(2), student(3)])
    before = counts(gateway)
    second = taken(gateway, [student(2), student(3)])
    assert (first["accepted"], second["accepted"], second["unchanged"]) == (2, 0, 2)
    assert {**counts(gateway), "upload": before["upload"]} == before


def test_a_changed_row_is_accepted_and_the_others_are_unchanged(gateway: TestGateway) -> None:
    taken(gateway, [student(2), student(3), student(4)])
    changes = [student(2, 年级="五年级"), student(3), student(4, 姓名="测试改")]
    receipt = taken(gateway, changes)
    assert (receipt["accepted"], receipt["unchanged"]) == (2, 1)
    assert counts(gateway)["subject"] == 3
    grades = gateway.database().execute("SELECT grade FROM student_register ORDER BY grade").fetchall()
    assert [row[0] for row in grades] == [4, 4, 5]


@pytest.mark.parametrize("media_type", [XLSX, "application/x-ndjson", "application/json"])
def test_every_format_lands_the_same(gateway: TestGateway, media_type: str) -> None:
    rows = [student(2), student(3, 年级="高一")]
    body = {
        XLSX: xlsx(rows),
        "application/x-ndjson": "\n".join(map(json.dumps, rows)).encode(),
        "application/json": json.dumps(rows).encode(),
    }[media_type]
    receipt = gateway.upload("student-register", body, media_type).json()
    assert (receipt["accepted"], receipt["rejected"]) == (1, 1)
    assert taken(gateway, [student(2)])["unchanged"] == 1


def test_content_type_parameters_and_case_are_tolerated(gateway: TestGateway) -> None:
    answer = gateway.upload("student-register", csv_file([student()]), "Text/CSV; charset=utf-8")
    assert answer.json()["accepted"] == 1


def test_english_is_answered_in_english(gateway: TestGateway) -> None:
    receipt = taken(gateway, [student(年级="高一")], headers={"Accept-Language": "en"})
    assert receipt["errors"][0]["message"].startswith("Not one of the permitted values")
    problem = gateway.upload("student-register", b"x,y\r\n", headers={"Accept-Language": "en"})
    assert problem.headers["content-language"] == "en"
    assert problem.json()["title"] == "Invalid record"
    assert problem.json()["errors"][0]["message"].startswith("No heading row was found")


# --- templates ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["xlsx", "csv"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_a_templates_sample_is_no_child_and_its_form_uploads_cleanly(
    gateway: TestGateway, dataset: str, form: str
) -> None:
    schema = DATASETS[dataset]
    role = PURPOSES[dataset][0]
    answer = gateway.call.get(
        f"/v1/exchanges/{dataset}/template", params={"format": form}, headers=gateway.headers(role)
    )
    assert answer.status_code == 200
    assert f'filename="{dataset}.{form}"' in answer.headers["content-disposition"]
    if form == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
        assert sheet is not None
        lists = {rule.formula1 for rule in sheet.data_validations.dataValidation}
        assert len(sheet.data_validations.dataValidation) == sum(
            bool(place.codes) for place in schema.columns
        )
        assert all(text.startswith('"') for text in lists)
    else:
        assert answer.content.startswith(b"\xef\xbb\xbf")
    if dataset in ("attendance", "aid-payments", "focus-groups"):
        taken(gateway, [student()])
    receipt = gateway.upload(dataset, answer.content, XLSX if form == "xlsx" else "text/csv").json()
    assert (receipt["rows"], receipt["skipped"], receipt["errors"], receipt["warnings"]) == (0, 1, [], [])
    if dataset == "case-outcome":  # its rows need an accepted referral: see test_referrals.py
        return
    filled = {column.header: column.sample for column in schema.columns}
    others = {"身份证件号": "", "身份证件类型": "其他"} if "身份证件类型" in filled else {}
    receipt = gateway.upload(dataset, csv_file([{**filled, **others, **_CHANGED[dataset]}])).json()
    assert (receipt["rows"], receipt["accepted"], receipt["errors"]) == (1, 1, [])


_CHANGED = {
    "student-register": {"学籍号": "J123456789012345678"},
    "attendance": {"缺勤天数": "1", "学籍号": student()["学籍号"]},
    "relief-register": {"起始日期": "2026-02-01"},
    "disability-assessment": {"残疾等级": "四级"},
    "sightings": {"处理措施": "罚款"},
    "aid-payments": {"金额": "500", "学籍号": student()["学籍号"]},
    "focus-groups": {"类别": "流动", "学籍号": student()["学籍号"]},
}


def test_there_is_no_template_of_what_is_not_uploaded(gateway: TestGateway) -> None:
    for exchange in ("applicant-check", "nothing"):
        answer = gateway.call.get(
            f"/v1/exchanges/{exchange}/template", headers=gateway.headers("education/registrar")
        )
        assert answer.status_code == 403
    other = gateway.call.get(
        "/v1/exchanges/attendance/template",
        params={"format": "pdf"},
        headers=gateway.headers("education/registrar"),
    )
    assert other.status_code == 400
    assert gateway.call.get("/v1/exchanges/attendance/template").status_code == 401


# --- the errors file ----------------------------------------------------------------------------------------

REGISTRAR = "education/registrar"


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("utf-8", ","), ("utf-8-sig", ";"), ("gb18030", "\t"), ("utf-16", ",")]
)
def test_the_errors_file_of_a_csv_comes_as_it_went(
    gateway: TestGateway, encoding: str, delimiter: str
) -> None:
    bad = student(3, 年级="高一", 学校名称="=1+1")
    body = csv_file([student(2), bad], encoding, delimiter)
    receipt = gateway.upload("student-register", body).json()
    answer = gateway.call.get(receipt["errors_file"], headers=gateway.headers(REGISTRAR))
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/csv")
    assert answer.content.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig")
    text = answer.content.decode(encoding)
    headings, row = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    assert headings == [*STUDENT_HEADINGS, "原文件行号", "错误说明"]
    assert row[:-2] == list({**bad, "学校名称": "'=1+1"}.values())
    assert row[-2] == "3"
    assert row[-1].startswith("年级：内容不在可选范围内")


def test_the_errors_file_of_an_xlsx_is_an_xlsx_that_can_be_corrected_and_sent_again(
    gateway: TestGateway,
) -> None:
    receipt = gateway.upload("student-register", xlsx([student(2), student(3, 年级="高一")]), XLSX).json()
    answer = gateway.call.get(receipt["errors_file"], headers=gateway.headers(REGISTRAR))
    assert answer.headers["content-type"] == XLSX
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    assert book.active is not None
    assert book.active.max_row == 2
    book.active.cell(2, STUDENT_HEADINGS.index("年级") + 1).value = "四年级"
    out = io.BytesIO()
    book.save(out)
    again = gateway.upload("student-register", out.getvalue(), XLSX).json()
    assert (again["rows"], again["accepted"], again["errors"]) == (1, 1, [])


@pytest.mark.parametrize("media_type", ["application/x-ndjson", "application/json"])
def test_the_errors_file_of_json_is_json(gateway: TestGateway, media_type: str) -> None:
    rows = [student(2), student(3, 年级="高一")]
    ndjson = media_type.endswith("ndjson")
    body = "\n".join(map(json.dumps, rows)) if ndjson else json.dumps(rows)
    receipt = gateway.upload("student-register", body.encode(), media_type).json()
    answer = gateway.call.get(receipt["errors_file"], headers=gateway.headers(REGISTRAR))
    assert answer.headers["content-type"] == media_type
    [row] = [json.loads(answer.text)] if ndjson else answer.json()
    assert row["姓名"] == rows[1]["姓名"]
    assert (row["原文件行号"], row["错误说明"][:3]) == ("2", "年级：")


def test_the_errors_file_is_for_its_own_client_only(gateway: TestGateway) -> None:
    receipt = taken(gateway, [student(年级="高一")])
    other = gateway.fetch_token(gateway.credentials(REGISTRAR))
    for headers, status in (
        ({"Authorization": f"Bearer {other}"}, 403),
        (gateway.headers("gateway/auditor"), 403),
        ({}, 401),
        (gateway.headers(REGISTRAR), 200),
    ):
        assert gateway.call.get(receipt["errors_file"], headers=headers).status_code == status


def test_a_file_without_errors_has_no_errors_file(gateway: TestGateway) -> None:
    assert taken(gateway, [student()])["errors_file"] is None
    assert list((gateway.data / "files").iterdir()) == []


# --- Idempotency-Key ----------------------------------------------------------------------------------------


def test_a_repeated_key_gives_the_same_receipt_and_writes_nothing_but_its_evidence(
    gateway: TestGateway,
) -> None:
    rows, key = [student(2), student(3, 年级="高一")], {"Idempotency-Key": "键-1".encode().hex()}
    first = taken(gateway, rows, headers=key)
    before, entries = counts(gateway), gateway.audit()
    assert taken(gateway, rows, headers=key) == first
    assert counts(gateway) == before
    [told] = gateway.audit()[len(entries) :]
    assert (told["decision"], told["answer_digest"]) == ("permit", entries[-1]["answer_digest"])


def test_a_key_with_another_body_is_a_mismatch(gateway: TestGateway) -> None:
    key = {"Idempotency-Key": "k-1"}
    taken(gateway, [student(2)], headers=key)
    before = counts(gateway)
    answer = gateway.upload("student-register", csv_file([student(3)]), headers=key)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (409, "idempotency-mismatch")
    assert counts(gateway) == before


def test_a_key_is_the_clients_own_and_of_one_exchange(gateway: TestGateway) -> None:
    key = {"Idempotency-Key": "k-1"}
    first = taken(gateway, [student(2)], headers=key)
    other = gateway.fetch_token(gateway.credentials(REGISTRAR))
    second = taken(gateway, [student(2)], headers={**key, "Authorization": f"Bearer {other}"})
    assert second["upload_id"] != first["upload_id"]
    assert gateway.upload("attendance", csv_file([attendance()]), headers=key).json()["accepted"] == 1


def test_a_refused_file_does_not_use_up_its_key(gateway: TestGateway) -> None:
    key = {"Idempotency-Key": "k-1"}
    assert gateway.upload("student-register", b"x\r\n", headers=key).status_code == 422
    assert taken(gateway, [student()], headers=key)["accepted"] == 1


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_of_the_wrong_length_is_malformed(gateway: TestGateway, key: str) -> None:
    answer = gateway.upload("student-register", csv_file([student()]), headers={"Idempotency-Key": key})
    assert answer.status_code == 400
    assert counts(gateway)["upload"] == 0


def test_a_key_given_twice_is_malformed(gateway: TestGateway) -> None:
    path = "/v1/exchanges/student-register/uploads?purpose=student_registration"
    keys = [*gateway.headers(REGISTRAR).items(), ("Idempotency-Key", "k-1"), ("Idempotency-Key", "k-2")]
    answer = gateway.call.post(
        path, content=csv_file([student()]), headers=[*keys, ("Content-Type", "text/csv")]
    )
    assert (answer.status_code, counts(gateway)["upload"]) == (400, 0)


def test_two_at_once_with_one_key_get_one_receipt(gateway: TestGateway) -> None:
    rows = [student(number) for number in range(200)]
    receipts = at_once(gateway, [rows] * 4, {"Idempotency-Key": "k-1"})
    assert [receipt == receipts[0] for receipt in receipts] == [True] * 4
    assert counts(gateway)["upload"] == 1


# --- refusals -----------------------------------------------------------------------------------------------

OLE2 = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def _bomb() -> bytes:
    out = io.BytesIO(xlsx([student()]))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/x.bin", bytes(30 << 20))
    return out.getvalue()


def _far_cell() -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet().write_string("XFD1048576", "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("body", "media_type", "status", "name", "code"),
    [
        (b"", "text/csv", 422, "invalid-record", "no_header"),
        (b"x,y\r\n1,2\r\n", "text/csv", 422, "invalid-record", "no_header"),
        (csv_file([attendance()]), "text/csv", 422, "invalid-record", "wrong_dataset"),
        (b"%PDF-1.7\n", XLSX, 415, "unsupported-media", "not_a_spreadsheet"),
        (b"%PDF-1.7\n", "text/csv", 415, "unsupported-media", "not_a_spreadsheet"),
        (b"", XLSX, 415, "unsupported-media", "not_a_spreadsheet"),
        (OLE2, XLSX, 415, "unsupported-media", "not_a_spreadsheet"),
        (b"[", "application/json", 415, "unsupported-media", "not_a_spreadsheet"),
        (OLE2 + "EncryptedPackage".encode("utf-16-le"), XLSX, 422, "invalid-record", "encrypted"),
        (_bomb(), XLSX, 413, "too-large", "zip_bomb"),
        (_far_cell(), XLSX, 413, "too-large", "too_large"),
        (b"," * 5_000, "text/csv", 413, "too-large", "too_large"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_cannot_be_read_is_refused_and_leaves_only_its_evidence(
    shared: TestGateway, body: bytes, media_type: str, status: int, name: str, code: str
) -> None:
    before, entries = counts(shared), len(shared.audit())
    answer = shared.upload("student-register", body, media_type)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    problem = answer.json()
    assert (problem["type"].rsplit("/", 1)[1], problem["errors"][0]["code"]) == (name, code)
    assert counts(shared) == before
    assert list((shared.data / "files").iterdir()) == []
    [entry] = shared.audit()[entries:]
    assert (entry["decision"], entry["detail"], entry["count"]) == ("fail", name, 0)


def test_the_missing_headings_are_named(shared: TestGateway) -> None:
    row = student()
    del row["学籍号"]
    problem = shared.upload("student-register", csv_file([row])).json()
    assert problem["detail"].endswith("：学籍号")


@pytest.mark.parametrize(
    "media_type", [None, "", "application/octet-stream", "text/plain", "multipart/form-data"]
)
def test_an_unknown_content_type_is_unsupported(shared: TestGateway, media_type: str | None) -> None:
    before = counts(shared)
    headers = {**shared.headers(REGISTRAR), **({} if media_type is None else {"Content-Type": media_type})}
    answer = shared.call.post(
        "/v1/exchanges/student-register/uploads",
        params={"purpose": "student_registration"},
        content=csv_file([student()]),
        headers=headers,
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (415, "unsupported_media")
    assert counts(shared) == before


def _head(gateway: TestGateway, *more: str) -> bytes:
    lines = (
        "POST /v1/exchanges/student-register/uploads?purpose=student_registration HTTP/1.1",
        f"Host: 127.0.0.1:{gateway.port}",
        f"Authorization: {gateway.headers(REGISTRAR)['Authorization']}",
        "Content-Type: text/csv",
        *more,
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _answer(connection: socket.socket) -> bytes:
    found = b""
    while b"too_large" not in found and (part := connection.recv(65_536)):
        found += part
    return found


def test_a_body_declared_too_large_is_refused_before_it_is_sent(shared: TestGateway) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), 10) as connection:
        connection.sendall(_head(shared, f"Content-Length: {200 << 20}"))
        answer = _answer(connection)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"problems/too-large" in answer


def test_a_body_of_unknown_length_is_refused_as_soon_as_it_grows_too_large(tmp_path: Path) -> None:
    """The answer comes while the body has not ended, and never would."""
    chunk = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    with running(tmp_path / "data", max_upload_mb=2) as gateway:
        with socket.create_connection(("127.0.0.1", gateway.port), 10) as connection:
            connection.sendall(_head(gateway, "Transfer-Encoding: chunked") + 3 * chunk)
            assert _answer(connection).startswith(b"HTTP/1.1 413")
        last = gateway.audit()[-1]
        assert (last["decision"], last["detail"]) == ("fail", "too-large")
        assert gateway.upload("student-register", csv_file([student()])).status_code == 200


@pytest.mark.parametrize(
    ("role", "exchange", "purpose", "status"),
    [
        ("education/registrar", "student-register", "child_relief", 403),
        ("education/registrar", "student-register", "attendance_reporting", 403),
        ("education/registrar", "student-register", "no_such_purpose", 400),
        ("education/registrar", "relief-register", "relief_registration", 403),
        ("education/registrar", "disability-assessment", "disability_assessment", 403),
        ("education/registrar", "applicant-check", "student_registration", 403),
        ("education/registrar", "no-such-exchange", "student_registration", 403),
        ("education/dropout_lead", "student-register", "student_registration", 403),
        ("human_resources/recruitment_checker", "student-register", "student_registration", 403),
        ("civil_affairs/register_keeper", "disability-assessment", "disability_assessment", 403),
        ("health/disability_assessor", "relief-register", "relief_registration", 403),
        ("gateway/operator", "student-register", "student_registration", 403),
        ("school/class_teacher", "student-register", "student_registration", 403),
    ],
)
def test_whoever_may_not_upload_is_refused_and_nothing_is_written(
    shared: TestGateway, role: str, exchange: str, purpose: str, status: int
) -> None:
    before, entries = counts(shared), len(shared.audit())
    answer = shared.call.post(
        f"/v1/exchanges/{exchange}/uploads",
        params={"purpose": purpose},
        content=csv_file([student()]),
        headers={**shared.headers(role), "Content-Type": "text/csv"},
    )
    assert answer.status_code == status
    assert counts(shared) == before
    [entry] = shared.audit()[entries:]
    assert entry["decision"] == "refuse"


def test_no_token_and_no_purpose(shared: TestGateway) -> None:
    body = csv_file([student()])
    url = "/v1/exchanges/student-register/uploads"
    nobody = shared.call.post(url, params={"purpose": "student_registration"}, content=body)
    assert nobody.status_code == 401
    headers = {**shared.headers(REGISTRAR), "Content-Type": "text/csv"}
    assert shared.call.post(url, content=body, headers=headers).status_code == 400


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """One gateway for the refusals, which write nothing."""
    with running(tmp_path_factory.mktemp("shared") / "data") as found:
        yield found


# --- who is who ---------------------------------------------------------------------------------------------


def test_a_student_number_that_moves_to_another_id_is_a_conflict(gateway: TestGateway) -> None:
    taken(gateway, [student(2)])
    receipt = taken(gateway, [student(3, 学籍号=student(2)["学籍号"]), student(4)])
    assert (errors(receipt), receipt["accepted"]) == ([(2, "identity_conflict")], 1)
    assert counts(gateway)["subject"] == 2


def test_two_ids_with_one_student_number_in_one_file_are_a_conflict(gateway: TestGateway) -> None:
    receipt = taken(gateway, [student(2), student(3, 学籍号=student(2)["学籍号"])])
    assert (errors(receipt), receipt["accepted"]) == ([(3, "identity_conflict")], 1)


WITHOUT_ID = {"身份证件类型": "其他", "身份证件号": "", "学籍号": "J53042320150000002"}


def test_a_child_that_gets_an_id_is_the_same_child(gateway: TestGateway) -> None:
    taken(gateway, [student(2, **WITHOUT_ID)])
    receipt = taken(gateway, [student(2, 学籍号=WITHOUT_ID["学籍号"])])
    assert (receipt["accepted"], receipt["errors"]) == (1, [])
    after = counts(gateway)
    assert (after["subject"], after["identifier"], after["student_register"]) == (1, 2, 1)
    # And under a proper student number later it is still the same child, by its id.
    assert taken(gateway, [student(2)])["accepted"] == 1
    assert counts(gateway)["subject"] == 1


def test_a_child_known_under_two_student_numbers_stands_twice_in_one_file(gateway: TestGateway) -> None:
    taken(gateway, [student(2, 学籍号=WITHOUT_ID["学籍号"])])
    taken(gateway, [student(2)])
    twice = [attendance(2), attendance(2, 学籍号=WITHOUT_ID["学籍号"], 缺勤天数="9")]
    receipt = gateway.upload("attendance", csv_file(twice)).json()
    assert (receipt["accepted"], errors(receipt)) == (1, [(3, "duplicate_in_file")])
    assert gateway.database().execute("SELECT days_absent FROM attendance").fetchall() == [(2,)]


def test_the_rows_of_a_child_without_and_with_id_in_one_file_are_a_duplicate(gateway: TestGateway) -> None:
    receipt = taken(gateway, [student(2, **WITHOUT_ID), student(2, 学籍号=WITHOUT_ID["学籍号"])])
    assert (receipt["accepted"], errors(receipt)) == (1, [(3, "duplicate_in_file")])
    assert counts(gateway)["identifier"] == 1


def test_relief_before_the_register_and_the_register_are_one_child(gateway: TestGateway) -> None:
    row = {
        "姓名": student(2)["姓名"],
        "身份证号": resident_id(number=2),
        "救助类别": "低保",
        "起始日期": "2026-01-01",
        "行政区划": "530423101",
    }
    assert gateway.upload("relief-register", csv_file([row])).json()["accepted"] == 1
    assert taken(gateway, [student(2)])["accepted"] == 1
    assert counts(gateway)["subject"] == 1


def test_attendance_of_a_pupil_nobody_registered_is_unknown_student(gateway: TestGateway) -> None:
    taken(gateway, [student(2)])
    receipt = gateway.upload("attendance", csv_file([attendance(2), attendance(3)])).json()
    assert (receipt["accepted"], errors(receipt)) == (1, [(3, "unknown_student")])
    assert counts(gateway)["subject"] == 1


def test_a_class_teacher_writes_of_the_own_school_only(gateway: TestGateway) -> None:
    taken(gateway, [student(2), student(3, 学校标识码="2153009999", 学校名称="他校")])
    answer = gateway.call.post(
        "/v1/exchanges/attendance/uploads",
        params={"purpose": "attendance_reporting"},
        content=csv_file([attendance(2), attendance(3), attendance(4)]),
        headers={
            **gateway.headers("school/class_teacher", school="2153001234"),
            "Content-Type": "text/csv",
        },
    )
    receipt = answer.json()
    assert (receipt["accepted"], errors(receipt)) == (1, [(3, "unknown_student"), (4, "unknown_student")])
    # Another school's pupil looks like one whom nobody knows.
    messages = {json.dumps({**flaw, "row": 0}) for flaw in receipt["errors"]}
    assert len(messages) == 1


# --- two at once --------------------------------------------------------------------------------------------


def at_once(
    gateway: TestGateway, files: list[list[dict[str, str]]], headers: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    """The receipts of files handed in at the same moment, from a thread and a connection each."""
    together = Barrier(len(files))
    every = {**gateway.headers(REGISTRAR), "Content-Type": "text/csv", **(headers or {})}

    def send(body: bytes) -> dict[str, Any]:
        with httpx.Client(base_url=gateway.url, timeout=60, trust_env=False) as client:
            together.wait(10)
            answer = client.post(
                "/v1/exchanges/student-register/uploads",
                params={"purpose": "student_registration"},
                content=body,
                headers=every,
            )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    with ThreadPoolExecutor(len(files)) as pool:
        return list(pool.map(send, [csv_file(rows) for rows in files]))


def test_two_uploads_of_the_same_new_file_make_each_child_once(gateway: TestGateway) -> None:
    rows = [student(number) for number in range(300)]
    receipts = at_once(gateway, [rows, rows, rows])
    assert sum(receipt["accepted"] for receipt in receipts) == 300
    assert all(receipt["accepted"] + receipt["unchanged"] == 300 for receipt in receipts)
    after = counts(gateway)
    assert (after["subject"], after["identifier"], after["student_register"]) == (300, 300, 300)


def test_two_files_at_once_about_one_child_make_one_child(gateway: TestGateway) -> None:
    files = [
        [student(2, 年级="四年级"), *(student(number) for number in range(3, 200))],
        [student(2, 年级="五年级"), *(student(number) for number in range(200, 400))],
    ]
    receipts = at_once(gateway, files)
    assert [receipt["accepted"] for receipt in receipts] == [198, 201]
    assert counts(gateway)["subject"] == 398
    stored = gateway.database().execute("SELECT grade, upload_id FROM student_register").fetchall()
    own = {row for row in stored if row[0] == 5} or {row for row in stored if row[0] == 4}
    assert {row[1] for row in own} <= {receipt["upload_id"] for receipt in receipts}


@pytest.mark.parametrize("number", range(5))
def test_two_ids_claiming_one_new_student_number_at_once_stay_two_children(
    shared_writes: TestGateway, number: int
) -> None:
    """Whichever comes first has the number; the other is told, and never merged into the first."""
    born = date(2014, 1, 1 + number)
    one, other = student(2, born), student(3, born, 学籍号=student(2, born)["学籍号"])
    before = counts(shared_writes)["subject"]
    receipts = at_once(shared_writes, [[one], [other]])
    assert sorted(errors(receipt) for receipt in receipts) == [[], [(2, "identity_conflict")]]
    assert counts(shared_writes)["subject"] == before + 1


@pytest.fixture(scope="module")
def shared_writes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestGateway]:
    """One gateway for tests that write children of their own."""
    with running(tmp_path_factory.mktemp("shared-writes") / "data") as found:
        yield found


def test_an_identity_keeps_what_a_later_file_does_not_tell(gateway: TestGateway) -> None:
    """A child with an id who later comes without one keeps the id number in the vault."""
    first = student(31)
    later = student(31, 身份证件类型="其他", 身份证件号="", 姓名="测试改名")
    assert gateway.upload("student-register", csv_file([first])).json()["accepted"] == 1
    assert gateway.upload("student-register", csv_file([later])).json()["accepted"] == 1
    assert gateway.upload("student-register", csv_file([later])).json()["unchanged"] == 1
    with gateway.database() as connection:
        rows = connection.execute("SELECT id, data_key, sealed FROM subject").fetchall()
    connection.close()
    assert len(rows) == 1
    identity = json.loads(gateway.parts.keys.open_identity(*rows[0]))
    assert identity["resident_id"] == first["身份证件号"]
    assert identity["name"] == "测试改名"


def test_a_student_number_names_the_child_whose_id_it_holds(gateway: TestGateway) -> None:
    """G and the own id number is not kept beside the id; it is found all the same, and is nobody else's."""
    first, second = student(41), student(42)
    stranger = student(43, 学籍号=first["学籍号"])
    assert gateway.upload("student-register", csv_file([first])).json()["accepted"] == 1
    assert counts(gateway)["identifier"] == 1
    receipt = gateway.upload("student-register", csv_file([stranger])).json()
    assert [flaw["code"] for flaw in receipt["errors"]] == ["identity_conflict"]
    row = {
        "学籍号": first["学籍号"],
        "月份": "2026-10",
        "应到天数": "20",
        "缺勤天数": "0",
        "连续缺勤天数": "0",
    }
    assert gateway.upload("attendance", csv_file([row])).json()["accepted"] == 1
    without_id = {**first, "身份证件类型": "其他", "身份证件号": "", "年级": "五年级"}
    assert gateway.upload("student-register", csv_file([without_id])).json()["accepted"] == 1
    assert counts(gateway)["subject"] == 1
    holder = student(44, 学籍号=second["学籍号"])
    assert gateway.upload("student-register", csv_file([holder])).json()["accepted"] == 1
    receipt = gateway.upload("student-register", csv_file([second])).json()
    assert [flaw["code"] for flaw in receipt["errors"]] == ["identity_conflict"]
    assert counts(gateway)["subject"] == 2
