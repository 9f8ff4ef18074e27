"""Keys turn while a gateway answers: every answer stays right, nothing is lost, what was begun is ended."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.db.engine import Store
from gateway.adapters.db.resolutions import SqliteResolutionDesk
from gateway.adapters.db.rewrap import Rewrap
from gateway.adapters.keys import FileKeyRing, load_keyring
from gateway.adapters.keys.roots import TURNING, Roots
from gateway.adapters.keys.rotation import turned
from gateway.adapters.keys.stores import FileRing, RingPlace, open_store
from tests.harness import COUNTY, TestGateway, running
from tests.people import csv_file, resident_id, student

CLI = [sys.executable, "-c", "from gateway.cli import main; main()", "keys"]


@pytest.fixture(autouse=True)
def _demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands on a demo's folder: only there is the passphrase beside the ring read."""
    monkeypatch.setenv("HUXUE_PROFILE", "demo")


RELIEF = "civil_affairs/relief_officer"
CHILD = "530423201402163242"


def keys_command(data: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = [*CLI, words[0], "--data", str(data), *words[1:]]
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "HUXUE_PROFILE": "demo"},
    )


def turn(data: Path, key: str, *more: str) -> str:
    done = keys_command(data, "rotate", "--key", key, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ring_file(data: Path) -> FileRing:
    store = open_store(RingPlace("", data / "keyring.json", demo=True))
    assert isinstance(store, FileRing)
    return store


def until(done: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def needy(gateway: TestGateway, limit: int = 1000) -> list[dict[str, Any]]:
    """The whole list, page by page."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"purpose": "child_relief", "region": COUNTY, "limit": limit}
        answer = gateway.call.get(
            "/v1/exchanges/needy-children/records",
            params={**query, **({"cursor": cursor} if cursor else {})},
            headers=gateway.headers(RELIEF),
        )
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
        if cursor is None:
            return items


def told(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["answer"])


@contextmanager
def traffic(gateway: TestGateway) -> Iterator[list[object]]:
    """Threads that ask and list without a pause; what was not as before, at the end."""
    wrong: list[object] = []
    expected, size = told(gateway.ask(CHILD)), len(needy(gateway))
    over = threading.Event()

    def work(check: Callable[[], object]) -> None:
        while not over.is_set():
            try:
                found = check()
            except Exception as error:  # noqa: BLE001 - told at the end
                found = error
            if found is not True:
                wrong.append(found)

    def asks() -> object:
        found = told(gateway.ask(CHILD))
        return found == expected or found

    def lists() -> object:
        items = needy(gateway, limit=7)
        names = [each["pseudonym"] for each in items]
        prefixes = {name[:4] for name in names}
        return (len(set(names)) == size and len(prefixes) == 1 and names == sorted(names)) or names

    threads = [threading.Thread(target=work, args=(check,)) for check in (asks, asks, lists)]
    for thread in threads:
        thread.start()
    try:
        yield wrong
    finally:
        over.set()
        for thread in threads:
            thread.join()


def counts(data: Path) -> tuple[int, int]:
    store = Store(data / "huxue.db")
    found = [
        store.reader.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("subject", "lead")
    ]
    store.close()
    return found[0], found[1]


def test_every_key_turns_in_mid_traffic_and_every_answer_stays_right(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        gateway.ask(CHILD)
        before = counts(data)
        opened = [each["id"] for each in gateway.leads()]
        with traffic(gateway) as wrong:
            for key in TURNING:
                assert key in turn(data, key)
            until(lambda: gateway.parts.keys.pseudonym_versions("civil_affairs")[0] == 2)
            receipts = gateway.upload_sample()
        assert wrong == []
        assert {each["accepted"] for each in receipts.values()} == {0}
        assert counts(data) == before
        assert [each["id"] for each in gateway.leads()] == opened
        assert all(each["pseudonym"].startswith("ca2-") for each in needy(gateway))
        assert len(gateway.call.get("/.well-known/jwks.json").json()["keys"]) == 2
        assert len(gateway.parts.keys.head_public_keys) == 2
    until(lambda: keys_command(data, "list").stdout.count("overlapping") == len(TURNING))


def test_the_old_index_goes_when_it_is_over_and_every_child_is_still_found(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        expected = told(gateway.ask(CHILD))
        rows = identifiers(gateway)
        turn(data, "index")
        turn(data, "identity")
        assert len(identifiers(gateway)) == 2 * len(rows)
        assert "dropped nothing" in keys_command(data, "tidy").stdout
        age(data)
        assert keys_command(data, "tidy").stdout.strip() == "dropped index, identity"
        left = identifiers(gateway)
        assert len(left) == len(rows)
        assert not set(left) & set(rows)
        assert sorted(left.values()) == sorted(rows.values())
        until(lambda: gateway.parts.keys.index_versions == (2,))
        assert told(gateway.ask(CHILD)) == expected
        assert {each["accepted"] for each in gateway.upload_sample().values()} == {0}
        for subject, data_key, sealed in gateway.database().execute(
            "SELECT id, data_key, sealed FROM subject"
        ):
            assert gateway.parts.keys.open_identity(subject, data_key, sealed)


def identifiers(gateway: TestGateway) -> dict[bytes, bytes]:
    with gateway.database() as connection:
        return dict(connection.execute("SELECT lookup, subject_id FROM identifier"))


def age(data: Path, names: tuple[str, ...] = ("index", "identity", "pseudonym")) -> None:
    """As if the overlap were over."""
    store = ring_file(data)
    store.save(over(store.load(), names))


def over(roots: Roots, names: tuple[str, ...]) -> Roots:
    past = datetime.now(UTC) - timedelta(seconds=1)
    for name in names:
        ended = tuple(replace(each, retires=past) if each.retires else each for each in roots.of(name))
        roots = roots.with_versions(name, ended)
    return roots


def test_what_cannot_be_computed_anew_keeps_its_key_in_the_ring(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        with gateway.database() as connection:
            (subject,) = connection.execute("SELECT id FROM subject LIMIT 1").fetchone()
            stray = ("INSERT INTO identifier VALUES (?, 'student_number', ?)", (b"\x7f" * 20, subject))
            connection.execute(*stray)
        turn(data, "index")
        age(data)
        kept = keys_command(data, "tidy")
        assert kept.stdout.strip() == "dropped nothing"
        assert "1 rows are under an old key" in kept.stderr
        assert b"\x7f" * 20 in identifiers(gateway)
        with gateway.database() as connection:
            connection.execute("DELETE FROM identifier WHERE lookup = ?", (b"\x7f" * 20,))
        assert keys_command(data, "tidy").stdout.strip() == "dropped index"


def test_a_killed_rotation_is_ended_by_the_next(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        expected = told(gateway.ask(CHILD))
        rows = identifiers(gateway)
        command = [*CLI, "rotate", "--data", str(data), "--key", "all"]
        for _ in range(2):
            killed = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            until(lambda: len(ring_file(data).load().of("index")) == 2)
            time.sleep(0.3)
            os.kill(killed.pid, signal.SIGKILL)
            killed.wait(10)
            assert told(gateway.ask(CHILD)) == expected
        said = turn(data, "all")
        begun = said.splitlines()[0].removeprefix("finishing what was begun: ")
        assert begun in ("identity, index, files", "index, files")  # by how far a key got before the kill
        assert [len(ring_file(data).load().of(name)) for name in TURNING] == [2] * len(TURNING)
        assert len(identifiers(gateway)) == 2 * len(rows)
        age(data)
        keys_command(data, "tidy")
        until(lambda: gateway.parts.keys.index_versions == (2,))
        assert told(gateway.ask(CHILD)) == expected


def test_a_child_met_during_the_overlap_is_one_child_for_whoever_knows_either_key(tmp_path: Path) -> None:
    """A worker that has not read the new ring yet looks under the old key only."""
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload("student-register", csv_file([student(2), student(4)]))
        stale = FileKeyRing(gateway.parts.keys.roots)
        turn(data, "index")
        until(lambda: gateway.parts.keys.index_versions == (2, 1))
        asked, uploaded = resident_id(number=6), student(8)
        lead = told(gateway.ask(asked))["lead"]
        rows = [student(2), student(4), uploaded]
        receipt = gateway.upload("student-register", csv_file(rows)).json()
        assert (receipt["accepted"], receipt["unchanged"]) == (1, 2)
        known = identifiers(gateway)
        for number in (asked, uploaded["身份证件号"]):
            both = [ring.lookup("resident_id", number) for ring in (stale, gateway.parts.keys)]
            assert both[0] != both[1]
            assert known[both[0]] == known[both[1]]
        with gateway.database() as connection:
            old = stale.lookup("resident_id", resident_id(number=10))
            connection.execute(
                "INSERT INTO identifier SELECT ?, 'resident_id', id FROM subject LIMIT 1", (old,)
            )
        subjects = counts(data)[0]
        assert told(gateway.ask(asked))["lead"] == lead
        gateway.ask(resident_id(number=10))
        assert counts(data)[0] == subjects == 4


class Stopped(Exception):
    """The pass stops here."""


@pytest.mark.parametrize("job", ["index", "identity"])
def test_a_pass_goes_on_from_where_it_stopped(tmp_path: Path, job: str) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        now = datetime.now(UTC) - timedelta(minutes=1)
        roots = turned(gateway.parts.keys.roots, [job], now, timedelta(days=30))
        rewrap = Rewrap(gateway.parts.store, FileKeyRing(roots))
        rewrap.begin(job, 2)
        seen: list[int] = []

        def stop(rows: int) -> None:
            seen.append(rows)
            raise Stopped

        with pytest.raises(Stopped):
            rewrap.run(job, stop)
        assert rewrap.unfinished(job) == 2
        again = Rewrap(gateway.parts.store, FileKeyRing(roots))
        found = again.run(job)
        assert again.unfinished(job) is None
        assert found.left == 0
        assert found.seen > 0
        second = Rewrap(gateway.parts.store, FileKeyRing(roots))
        second.begin(job, 2)
        whole = second.run(job, drop=True)
        assert whole.left == 0
        if job == "identity":
            assert (whole.written, whole.seen) == (0, found.seen + seen[0])


def test_two_rotations_exclude_each_other(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data), ring_file(data).exclusive():
        refused = keys_command(data, "rotate", "--key", "log")
        assert refused.returncode == 2
        assert "another" in refused.stderr
        assert len(ring_file(data).load().of("log")) == 1


def test_a_key_that_does_not_turn_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "data"):
        for name in ("ids", "x"):
            refused = keys_command(tmp_path / "data", "rotate", "--key", name)
            assert refused.returncode == 2
            assert "Traceback" not in refused.stderr


# --- sealed words of officers -------------------------------------------------------------------------------


def with_resolutions(gateway: TestGateway, count: int = 1) -> list[str]:
    """Resolutions of one child, each asked for with a reason, rejected with a note; their ids."""
    gateway.upload("student-register", csv_file([student(2, 学生状态="辍学", 状态日期="2026-10-09")]))
    asking, second = (
        {"Authorization": f"Bearer {gateway.fetch_token(gateway.credentials('education/dropout_lead'))}"}
        for _ in range(2)
    )
    case = gateway.leads()[0]["case"]
    found = []
    for number in range(count):
        wish = {"case": case, "purpose": "dropout_control", "reason": f"需上门家访核实，第{number}次"}
        answer = gateway.call.post("/v1/identity/resolutions", json=wish, headers=asking)
        assert answer.status_code == 201, answer.text
        found.append(str(answer.json()["id"]))
        path = f"/v1/identity/resolutions/{found[-1]}/reject"
        rejected = gateway.call.post(path, json={"reason": "理由不足，请补充"}, headers=second)
        assert rejected.status_code == 200, rejected.text
    return found


def words(gateway: TestGateway, resolution: str) -> tuple[str, str | None]:
    """The reason and the note, opened by the ring the gateway has."""
    with gateway.parts.store.writing() as connection:
        found = SqliteResolutionDesk(connection, gateway.parts.keys).get(resolution, None)
    assert found is not None
    return found.reason, found.note


def test_the_words_of_a_resolution_outlive_the_key_of_files(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        resolutions = with_resolutions(gateway, 3)
        turn(data, "files")
        age(data, ("files",))
        assert keys_command(data, "tidy").stdout.strip() == "dropped files"
        assert [each.number for each in ring_file(data).load().of("files")] == [2]
        fresh = FileKeyRing(ring_file(data).load())
        until(lambda: gateway.parts.keys.roots.of("files") == fresh.roots.of("files"))
        for number, resolution in enumerate(resolutions):
            assert words(gateway, resolution) == (f"需上门家访核实，第{number}次", "理由不足，请补充")


def test_words_that_open_under_no_key_keep_the_old_one_in_the_ring(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        (resolution,) = with_resolutions(gateway)
        with gateway.database() as connection:
            connection.execute("UPDATE resolution SET note = CAST(x'00' || note AS BLOB)")
        assert "1 rows stay under the old key" in keys_command(data, "rotate", "--key", "files").stderr
        age(data, ("files",))
        kept = keys_command(data, "tidy")
        assert kept.stdout.strip() == "dropped nothing"
        assert "1 rows are under an old key" in kept.stderr
        assert len(ring_file(data).load().of("files")) == 2
        with gateway.database() as connection:
            connection.execute("UPDATE resolution SET note = substr(note, 2)")
        assert keys_command(data, "tidy").stdout.strip() == "dropped files"
        until(lambda: len(gateway.parts.keys.roots.of("files")) == 1)
        assert words(gateway, resolution)[1] == "理由不足，请补充"


def test_a_killed_turn_of_the_key_of_files_is_ended_by_the_next(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        (resolution,) = with_resolutions(gateway)
        before = words(gateway, resolution)
        command = [*CLI, "rotate", "--data", str(data), "--key", "files"]
        killed = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: len(ring_file(data).load().of("files")) == 2)
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(10)
        age(data, ("files",))
        refused = keys_command(data, "tidy")
        assert (refused.returncode, "files is not re-wrapped" in refused.stderr) == (2, True)
        assert "finishing what was begun: files" in turn(data, "files")
        assert [each.number for each in ring_file(data).load().of("files")] == [2]
        until(lambda: len(gateway.parts.keys.roots.of("files")) == 1)
        assert words(gateway, resolution) == before


# --- the log ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suite", "algorithm"), [("intl", "ed25519"), ("gm", "sm2")])
def test_a_log_whose_key_turned_while_it_ran_verifies_offline_by_both_keys(
    tmp_path: Path, suite: str, algorithm: str
) -> None:
    data = tmp_path / "data"
    with running(data, cipher_suite=suite) as gateway:
        gateway.ask(CHILD)
        gateway.parts.log.sealer.seal()
        first = gateway.parts.log.key()
        turn(data, "log")
        until(lambda: gateway.parts.log.key() != first)
        gateway.ask(CHILD)
        gateway.parts.log.sealer.seal()
        second = gateway.parts.log.key()
        while_it_runs = verified(data)
    assert (first.algorithm, second.algorithm) == (algorithm, algorithm)
    age(data, ("log",))
    assert keys_command(data, "tidy").stdout.strip() == "dropped log"
    for said in (while_it_runs, verified(data)):
        assert [line.rpartition(" ")[2] for line in said if "signed by" in line] == [first.text, second.text]
    alone = audit("verify", "--data", str(data), "--key", second.text)
    assert (alone.returncode, "key that is not trusted" in alone.stdout) == (1, True)


def audit(*words: str) -> "subprocess.CompletedProcess[str]":
    command = [*CLI[:-1], "audit", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def verified(data: Path) -> list[str]:
    done = audit("verify", "--data", str(data))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


# --- the mapping -------------------------------------------------------------------------------------------


def fetch(gateway: TestGateway, version: object, role: str = RELIEF, region: str = COUNTY) -> Any:
    headers = gateway.headers(role, region)
    return gateway.call.post("/v1/pseudonyms/mapping", json={"from": version}, headers=headers)


def test_the_mapping_is_what_the_lists_show_and_is_told_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        assert fetch(gateway, 1).status_code == 403
        before = {each["pseudonym"]: each for each in needy(gateway)}
        turn(data, "pseudonym")
        until(lambda: gateway.parts.keys.pseudonym_versions("civil_affairs")[0] == 2)
        for version in (2, 3, 0, -1):
            assert fetch(gateway, version).status_code == 403
        for malformed in ("1", None, 1.5, True):
            assert fetch(gateway, malformed).status_code == 400
        assert fetch(gateway, 1, "human_resources/recruitment_checker").status_code == 403
        assert fetch(gateway, 1, "human_resources/recruitment_checker").status_code == 403
        elsewhere = fetch(gateway, 1, RELIEF, "530424")
        assert elsewhere.json()["items"] == []
        answer = fetch(gateway, 1)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert (body["from"], body["to"]) == (1, 2)
        after = {each["pseudonym"]: each for each in needy(gateway)}
        pairs = {each["old"]: each["new"] for each in body["items"]}
        assert set(pairs) == set(before)
        assert set(pairs.values()) == set(after)
        for old, new in pairs.items():
            assert {**before[old], "pseudonym": None} == {**after[new], "pseudonym": None}
        entry = next(each for each in gateway.audit() if each["reference"] == body["reference"])
        assert entry["detail"] == "mapping:1:2"
        assert entry["count"] == len(before)
        assert entry["members"]
        assert fetch(gateway, 1).status_code == 409
        assert gateway.audit()[-1]["decision"] == "refuse"
        assert "say --again" in keys_command(data, "mapping", "--agency", "civil_affairs").stderr
        assert keys_command(data, "mapping", "--agency", "health", "--again").returncode == 2
        assert keys_command(data, "mapping", "--agency", "civil_affairs", "--again").returncode == 0
        assert fetch(gateway, 1).json()["items"] == body["items"]
        assert fetch(gateway, 1).status_code == 409
        acts = [each["detail"] for each in gateway.acts()]
        assert acts[-1] == "mapping-allowed-again:civil_affairs"
        assert "keys-rotated:pseudonym overlap=30d" in acts
        assert not any("health" in act for act in acts), "nothing was allowed, nothing is said"


def test_after_the_overlap_no_way_leads_from_old_to_new(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        needy(gateway)
        turn(data, "pseudonym", "--overlap-days", "0")
        until(lambda: gateway.parts.keys.pseudonym_versions("civil_affairs") == (2,))
        assert fetch(gateway, 1).status_code == 403
        assert gateway.audit()[-1]["detail"] == "mapping:unknown-version"
        assert needy(gateway)[0]["pseudonym"].startswith("ca2-")


def test_only_children_the_agency_was_told_of_are_mapped(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        page = gateway.call.get(
            "/v1/exchanges/needy-children/records",
            params={"purpose": "child_relief", "region": COUNTY, "limit": 3},
            headers=gateway.headers(RELIEF),
        ).json()["items"]
        turn(data, "pseudonym")
        until(lambda: gateway.parts.keys.pseudonym_versions("civil_affairs")[0] == 2)
        items = fetch(gateway, 1).json()["items"]
        assert [each["old"] for each in items] == [each["pseudonym"] for each in page]


def test_a_list_begun_under_the_old_key_is_read_to_its_end_under_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data) as gateway:
        gateway.upload_sample()
        whole = [each["pseudonym"] for each in needy(gateway)]
        turn(data, "pseudonym")
        until(lambda: gateway.parts.keys.pseudonym_versions("civil_affairs")[0] == 2)
        rest = gateway.call.get(
            "/v1/exchanges/needy-children/records",
            params={"purpose": "child_relief", "region": COUNTY, "limit": 1000, "cursor": whole[4]},
            headers=gateway.headers(RELIEF),
        ).json()["items"]
        assert [each["pseudonym"] for each in rest] == whole[5:]


# --- the national suite ------------------------------------------------------------------------------------


def test_a_gateway_of_the_national_suite_does_everything(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running(data, cipher_suite="gm") as gateway:
        receipts = gateway.upload_sample()
        assert receipts["student-register"]["accepted"] > 0
        expected = told(gateway.ask(CHILD))
        assert expected["under_16"] is True
        assert {each["accepted"] for each in gateway.upload_sample().values()} == {0}
        assert needy(gateway)
        assert gateway.leads()
        asked = {"purpose": "child_relief", "region": COUNTY, "format": "csv"}
        headers = gateway.headers(RELIEF)
        job = gateway.call.post("/v1/exchanges/needy-children/export", json=asked, headers=headers)
        where = job.headers["content-location"]
        until(lambda: gateway.call.get(where, headers=headers).status_code == 200)
        file = gateway.call.get(where, headers=headers).json()["files"][0]
        assert len(gateway.call.get(file["url"], headers=headers).content) == file["bytes"]
        turn(data, "all")
        until(lambda: gateway.parts.keys.index_versions[0] == 2)
        assert told(gateway.ask(CHILD)) == expected
        assert len(gateway.call.get(file["url"], headers=headers).content) == file["bytes"]
        assert gateway.parts.keys.head_algorithm == "sm2"
    assert load_keyring(data / "keyring.json", demo=True).suite == "gm"
    assert json.loads((data / "keyring.json").read_text())["header"]["suite"] == "gm"
