"""Two real gateways: the province's cosigns the county's heads, and finds out when the county tells two histories."""

import asyncio
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from gateway.adapters.keys import FileKeyRing, create_keyring, load_keyring, verify_head
from gateway.adapters.keys.stores import make_passphrase
from gateway.app import create_app
from gateway.cli import app
from gateway.domain.log.checkpoint import Checkpoint, cosigned_at, log_key, signed, witness_key
from gateway.domain.log.merkle import consistency_proof
from gateway.domain.log.note import Vkey, parse_note
from gateway.domain.log.ports import Reply
from gateway.domain.log.tiles import perfect_from
from gateway.services.witness import submission
from gateway.settings import Settings
from gateway.start import NotReady
from tests.harness import TestGateway, running
from tests.people import resident_id

ADULT = resident_id(date(1990, 1, 1), 2)
ADD = "/v1/witness/add-checkpoint"
COUNTY_LOG, PROVINCE_LOG = "county.example/log", "province.example/log"


@pytest.fixture(autouse=True)
def _by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sealed and submitted when a test says so."""
    monkeypatch.setattr("gateway.log.SEAL_SECONDS", 3600.0)
    monkeypatch.setattr("gateway.log.SUBMIT_SECONDS", 3600.0)


def ring(data: Path) -> FileKeyRing:
    data.mkdir(exist_ok=True, mode=0o700)
    if not (data / "keyring.json").exists():
        make_passphrase(data / "keyring.json")
        word = (data / "keyring.passphrase").read_text(encoding="ascii").strip()
        create_keyring(data / "keyring.json", passphrase=word)
    return load_keyring(data / "keyring.json", demo=True)


class Pair:
    """A county, its province's witness, and their keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.county_keys, self.province_keys = ring(folder / "county"), ring(folder / "province")
        self.key = log_key(COUNTY_LOG, "ed25519", self.county_keys.head_public_key)
        self.witness = witness_key(PROVINCE_LOG, "ed25519", self.province_keys.head_public_key)
        (folder / "logs.txt").write_text(f"# the county's log\n{self.key.text}\n")

    @contextmanager
    def province(self) -> Iterator[TestGateway]:
        settings = {"log_origin": PROVINCE_LOG, "witnessed_logs": self.folder / "logs.txt"}
        with running(self.folder / "province", **settings) as found:
            yield found

    @contextmanager
    def county(self, province: TestGateway | None, data: str = "county") -> Iterator[TestGateway]:
        witnesses = f"{province.url}/v1/witness {self.witness.text}" if province else ""
        with running(self.folder / data, log_origin=COUNTY_LOG, witnesses=witnesses) as found:
            yield found


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def grow(gateway: TestGateway, count: int = 3) -> None:
    for _ in range(count):
        assert gateway.ask(ADULT).status_code == 200
    gateway.parts.log.sealer.seal()


def submit(gateway: TestGateway) -> list[str]:
    """As the running gateway does every ten seconds; what it warns of afterwards."""
    asyncio.run(gateway.parts.log.witnessing.submit())
    return gateway.parts.log.warnings()


def alarms(gateway: TestGateway) -> list[dict[str, Any]]:
    found = gateway.call.get("/v1/audit/alarms", headers=gateway.headers("gateway/auditor", "53"))
    assert found.status_code == 200
    return [each for each in found.json()["items"] if each["rule"] == "log-fork"]


def head(gateway: TestGateway) -> dict[str, Any]:
    return gateway.call.get("/v1/audit/head", headers=gateway.headers("gateway/auditor", "53")).json()


def post(gateway: TestGateway, body: str | bytes) -> httpx.Response:
    return gateway.call.post(ADD, content=body.encode() if isinstance(body, str) else body)


def name(answer: httpx.Response) -> str:
    return str(answer.json()["type"].rsplit("/", 1)[1])


def test_heads_are_cosigned_as_the_log_grows(pair: Pair) -> None:
    with pair.province() as province, pair.county(province) as county:
        for _ in range(3):
            grow(county)
            assert submit(county) == []
            shown = head(county)
            note = parse_note(shown["checkpoint"])
            assert cosigned_at(note, pair.witness, verify_head) is not None
            assert shown["cosignatures"] == [note.signatures[-1].line]
        assert alarms(province) == alarms(county) == []
    key = CliRunner().invoke(
        app, ["audit", "verify", "--data", str(pair.folder / "county"), "--key", pair.witness.text]
    )
    assert key.exit_code == 0, key.output
    with sqlite3.connect(pair.folder / "county" / "huxue.db") as database:
        database.execute("UPDATE audit_cosignature SET line = (SELECT min(line) FROM audit_cosignature)")
    database.close()
    found = CliRunner().invoke(
        app, ["audit", "verify", "--data", str(pair.folder / "county"), "--key", pair.witness.text]
    )
    assert (found.exit_code, "witness's signature does not fit" in found.output) == (1, True)


def test_a_witness_that_cannot_be_reached_is_only_warned_of(pair: Pair) -> None:
    with pair.province() as province:
        pass
    with pair.county(province) as county:
        grow(county)
        said = f"witness {PROVINCE_LOG}: ConnectionError"
        assert submit(county) == [said]
        assert said in county.call.get("/health/ready").json()["warnings"]
        assert county.ask(ADULT).status_code == 200
        assert alarms(county) == []


class Babbler:
    """A witness that answers something that is no size."""

    def __init__(self, key: Vkey) -> None:
        self.key = key

    async def post(self, _body: str) -> Reply:
        return Reply(409, "\u0663 or so\n")


def test_a_witness_that_answers_nonsense_keeps_the_others_from_nothing(pair: Pair) -> None:
    babbler = Babbler(witness_key("babbler.example/log", "ed25519", pair.county_keys.head_public_key))
    with pair.province() as province, pair.county(province) as county:
        witnessing = county.parts.log.witnessing
        witnessing._peers = (babbler, *witnessing._peers)
        grow(county)
        assert submit(county) == ["witness babbler.example/log: MalformedNote"]
        assert len(head(county)["cosignatures"]) == 1


def test_an_older_copy_put_back_is_noticed_and_not_cosigned_again(pair: Pair) -> None:
    """The gateway itself raises the alarm; its witness has seen no contradiction, only heads without a proof."""
    with pair.province() as province:
        with pair.county(province) as county:
            grow(county)
            with county.parts.store.writing():
                backup(pair.folder / "county", pair.folder / "older")
            grow(county)
            assert submit(county) == []
            size = head(county)["size"]
        with pair.county(province, "older") as restored:
            assert "another history" in submit(restored)[0]
            (alarm,) = alarms(restored)
            assert alarm["about"] == COUNTY_LOG
            assert alarm["facts"][0]["reason"] == "witness-is-ahead"
            assert "another history" in submit(restored)[0]
            assert (
                alarms(restored)[0]["raised"] == 1
            )  # said once: its entry alone would make a new head each time
            while head(restored)["size"] <= size:
                grow(restored)
            assert "another history" in submit(restored)[0]
            assert head(restored)["cosignatures"] == []
            assert alarms(province) == []
            assert forks(pair) == ["no-proof"]


def forks(pair: Pair) -> list[str]:
    connection = sqlite3.connect(pair.folder / "province" / "huxue.db")
    rows = connection.execute("SELECT known, offered, reason FROM log_fork ORDER BY at").fetchall()
    connection.close()
    for known, offered, _ in rows:
        assert known != offered
        assert {parse_note(each).text.split("\n")[0] for each in (known, offered)} == {COUNTY_LOG}
    return [reason for _, _, reason in rows]


def backup(source: Path, target: Path) -> None:
    target.mkdir(mode=0o700)
    inside, outside = sqlite3.connect(source / "huxue.db"), sqlite3.connect(target / "huxue.db")
    inside.backup(outside)
    inside.close()
    outside.close()
    for path in source.glob("keyring*"):
        shutil.copy(path, target)


def test_a_history_rewritten_with_the_real_key_is_noticed_by_both(pair: Pair) -> None:
    """The keeper changes an entry, throws tiles and heads away and lets the gateway seal everything anew."""
    with pair.province() as province:
        with pair.county(province) as county:
            grow(county, 4)
            assert submit(county) == []
        connection = sqlite3.connect(pair.folder / "county" / "huxue.db")
        for (trigger,) in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE audit_entry SET leaf = zeroblob(32) WHERE seq = 2")
        for table in ("audit_tile", "audit_head", "audit_cosignature", "log_lease"):
            connection.execute(f"DELETE FROM {table}")
        connection.commit()
        connection.close()
        with pair.county(province) as rewritten:
            rewritten.parts.log.sealer.seal()
            assert "same-size" in submit(rewritten)[0]
            assert [each["facts"][0]["side"] for each in alarms(rewritten)] == ["log"]
        assert [each["facts"][0]["reason"] for each in alarms(province)] == ["same-size"]
        assert forks(pair) == ["same-size"]


def made(pair: Pair, size: int, root: bytes, key: Vkey | None = None) -> str:
    return signed(Checkpoint(COUNTY_LOG, size, root), key or pair.key, pair.county_keys.sign_head).whole


def test_what_the_protocol_says(pair: Pair) -> None:
    with pair.province() as province, pair.county(None) as county:
        grow(county, 5)
        first = head(county)
        tree = perfect_from(county.parts.log.sealer._log.tile)
        accepted = post(province, submission(0, [], first["checkpoint"]))
        assert (accepted.status_code, accepted.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        note = parse_note(first["checkpoint"] + accepted.text)
        at = cosigned_at(note, pair.witness, verify_head)
        assert at is not None
        assert abs((datetime.now(UTC) - at).total_seconds()) < 60
        assert post(province, submission(first["size"], [], first["checkpoint"])).status_code == 200
        grow(county, 5)
        second = head(county)
        stale = post(province, submission(0, [], second["checkpoint"]))
        assert (stale.status_code, stale.text) == (409, f"{first['size']}\n")
        assert stale.headers["content-type"].startswith("text/x.tlog.size")
        proof = consistency_proof(tree, first["size"], second["size"])
        good = submission(first["size"], proof, second["checkpoint"])
        bad = post(province, submission(first["size"], proof[::-1], second["checkpoint"]))
        assert (bad.status_code, name(bad)) == (422, "invalid-record")
        assert forks(pair) == ["no-proof"]
        assert post(province, good).status_code == 200
        late = post(province, submission(first["size"], [], first["checkpoint"]))
        assert (late.status_code, late.text) == (409, f"{second['size']}\n")
        assert alarms(province) == []


def test_strangers_and_nonsense_are_refused(pair: Pair) -> None:
    with pair.province() as province:
        stranger = log_key("other.example/log", "ed25519", pair.county_keys.head_public_key)
        foreign = signed(Checkpoint(stranger.name, 1, bytes(32)), stranger, pair.county_keys.sign_head).whole
        forged = made(pair, 1, bytes(32)).replace("AAAA", "AAAB", 1)
        mine = signed(Checkpoint(COUNTY_LOG, 1, bytes(32)), pair.key, pair.province_keys.sign_head).whole
        assert post(province, submission(0, [], foreign)).status_code == 403
        assert post(province, submission(0, [], forged)).status_code == 400
        assert post(province, submission(0, [], mine)).status_code == 400
        valid = made(pair, 3, bytes(32))
        for body in (
            "",
            "old\n\n" + valid,
            "old x\n\n" + valid,
            "old 01\n\n" + valid,
            "old 0\nx\n\n" + valid,
            "old 0\nAAAA\n\n" + valid,
            "old 0\n" + valid,
            submission(0, [bytes(32)] * 64, valid),
            submission(4, [], valid),
            submission(0, [], valid)[:-5],
            b"\xff\xfe",
        ):
            assert post(province, body).status_code == 400, body
        assert post(province, b"x" * 70_000).status_code == 413
        assert alarms(province) == []
        connection = province.database()
        assert connection.execute("SELECT count(*) FROM witnessed_head").fetchone() == (0,)
        connection.close()


def test_a_fork_is_reported_once_however_often_it_is_offered(pair: Pair) -> None:
    with pair.province() as province:
        assert post(province, submission(0, [], made(pair, 3, bytes(32)))).status_code == 200
        for _ in range(3):
            refused = post(province, submission(3, [], made(pair, 3, b"\1" * 32)))
            assert (refused.status_code, refused.text) == (409, "3\n")
        (alarm,) = alarms(province)
        assert alarm["title_zh"] == "另一网关的日志出现分叉"
        assert (alarm["raised"], alarm["facts"]) == (
            1,
            [{"reason": "same-size", "size": 3, "side": "witness"}],
        )
        entries = [entry for entry in province.audit() if entry["detail"].startswith("log-fork")]
        assert [entry["decision"] for entry in entries] == ["refuse"]
        assert forks(pair) == ["same-size"]


def test_a_true_head_with_a_wrong_proof_raises_no_alarm(pair: Pair) -> None:
    """Heads are shown to every client: whoever has a newer one could cry wolf with it."""
    with pair.province() as province, pair.county(province) as county:
        grow(county)
        submit(county)
        size = head(county)["size"]
        grow(county)
        newer = head(county)["checkpoint"]
        for proof in ([], [bytes(32)], [bytes(32)] * 5):
            assert post(province, submission(size, proof, newer)).status_code == 422
        before = len(province.audit())
        assert alarms(province) == []
        assert {entry["detail"] for entry in province.audit()} & {"log-fork:no-proof"} == set()
        assert forks(pair) == ["no-proof"]
        assert submit(county) == []  # the log itself proves it, and nothing speaks against it
        assert len(head(county)["cosignatures"]) == 1
        assert alarms(county) == alarms(province) == []
        assert before <= len(province.audit())


@pytest.mark.parametrize("proven", [False, True], ids=["unproven", "proven"])
def test_a_head_without_a_proof_is_held_against_what_comes_later(pair: Pair, proven: bool) -> None:
    """Two heads of one size, both signed by the log, are a fork, whoever handed them in."""
    with pair.province() as province, pair.county(None) as county:
        grow(county)
        first = head(county)
        assert post(province, submission(0, [], first["checkpoint"])).status_code == 200
        grow(county)
        second, tree = head(county), perfect_from(county.parts.log.sealer._log.tile)
        other = made(pair, second["size"], b"\1" * 32)
        assert post(province, submission(first["size"], [], other)).status_code == 422
        assert alarms(province) == []
        proof = consistency_proof(tree, first["size"], second["size"]) if proven else []
        late = post(province, submission(first["size"], proof, second["checkpoint"]))
        assert (late.status_code, late.text) == (409, f"{first['size']}\n")
        (alarm,) = alarms(province)
        assert alarm["facts"] == [{"reason": "same-size", "size": second["size"], "side": "witness"}]
        assert forks(pair) == ["no-proof", "same-size"]


def test_two_submissions_at_once_are_not_both_signed(pair: Pair) -> None:
    """Both fit what the witness knew: whichever comes second has to start from the first."""
    with pair.province() as province:

        async def both() -> list[int]:
            async with httpx.AsyncClient(base_url=province.url, trust_env=False) as client:
                answers = await asyncio.gather(
                    *(
                        client.post(ADD, content=submission(0, [], made(pair, 3, bytes([n]) * 32)))
                        for n in range(8)
                    )
                )
            return [answer.status_code for answer in answers]

        statuses = asyncio.run(both())
        assert statuses.count(200) == 1
        assert set(statuses) == {200, 409}


@pytest.mark.parametrize(
    "given",
    [
        {"witnesses": "http://x"},
        {"witnesses": "ftp://x y"},
        {"witnessed_logs": Path("/none")},
        {"log_origin": "a b"},
    ],
)
def test_settings_that_cannot_be_read_are_said_at_the_start(tmp_path: Path, given: dict[str, Any]) -> None:
    with pytest.raises(NotReady, match="keys of logs and witnesses"):
        create_app(Settings(data=tmp_path / "data", profile="demo", **given))


def test_a_log_keeps_its_name(pair: Pair) -> None:
    with pair.county(None) as county:
        grow(county)
    with running(pair.folder / "county", log_origin="renamed.example/log") as again:
        grow(again)
        assert head(again)["origin"] == COUNTY_LOG
