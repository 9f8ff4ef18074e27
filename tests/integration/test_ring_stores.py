"""A gateway on a sealed ring, on a ring in the environment, on a ring in a hardware module; what it says without."""

import base64
import json
import os
import pty
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.adapters.db.migrate import upgrade
from gateway.adapters.keys.envelope import PassphraseLock
from gateway.adapters.keys.roots import Roots, new_roots, to_body
from gateway.adapters.keys.secret import Secret
from gateway.adapters.keys.stores import FileRing
from gateway.adapters.keys.suites import INTL
from tests.harness import free_port, private
from tests.parts import part

WORDS = "a passphrase nobody guesses 护学"
PIN = "73194628"
CLI = [sys.executable, "-c", "from gateway.cli import main; main()"]


def run(*words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A command of `huxue`, with nothing to type at."""
    return subprocess.run(
        [*CLI, *words],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def served(data: Path, *more: str, **environment: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """`huxue serve` in production; the process and its address. Its log is serve.log beside the data folder."""
    port = free_port()
    command = [*CLI, "serve", "--data", str(data), "--port", str(port), *more]
    with (data.parent / "serve.log").open("wb") as log:
        env = {**os.environ, **environment}
        server = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait(lambda: ready(url) is not None or server.poll() is not None)
            assert server.poll() is None, (data.parent / "serve.log").read_text()
            yield server, url
        finally:
            server.send_signal(signal.SIGTERM)
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait(10)


def wait(done: Any) -> None:
    deadline = time.monotonic() + 120
    while not done():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def ready(url: str) -> dict[str, Any] | None:
    try:
        return dict(httpx.get(f"{url}/health/ready", trust_env=False).json())
    except httpx.TransportError:
        return None


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    """What a refused command said: a single line besides the log, no stack."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [each for each in done.stderr.strip().splitlines() if not each.startswith("{")]
    return line


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    file = tmp_path / "words"
    file.write_text(WORDS + "\n", encoding="utf-8")
    file.chmod(0o600)
    return file


def test_a_ring_is_made_sealed_or_not_at_all(data: Path) -> None:
    assert "HUXUE_KEYRING_PASSPHRASE_FILE" in one_line(run("keys", "create", "--data", str(data)))
    assert not (data / "keyring.json").exists()
    short = run("keys", "create", "--data", str(data), HUXUE_KEYRING_PASSPHRASE="short")
    assert "at least 12 characters" in one_line(short)
    made = run("keys", "create", "--data", str(data), HUXUE_KEYRING_PASSPHRASE=WORDS)
    assert made.returncode == 0, made.stderr
    assert private(data / "keyring.json")
    assert "header" in json.loads((data / "keyring.json").read_text())
    again = run("keys", "create", "--data", str(data), HUXUE_KEYRING_PASSPHRASE=WORDS)
    assert "never overwritten" in one_line(again)


def test_production_does_not_start_without_the_passphrase(data: Path, words: Path) -> None:
    run("keys", "create", "--data", str(data), HUXUE_KEYRING_PASSPHRASE=WORDS)
    said = one_line(run("serve", "--data", str(data), "--port", str(free_port())))
    assert "HUXUE_KEYRING_PASSPHRASE_FILE" in said
    wrong = run(
        "serve", "--data", str(data), "--port", str(free_port()), HUXUE_KEYRING_PASSPHRASE="wrong one!"
    )
    assert "does not open the key ring" in one_line(wrong)
    assert "wrong one!" not in wrong.stderr + wrong.stdout
    words.chmod(0o644)
    said = one_line(
        run(
            "serve", "--data", str(data), "--port", str(free_port()), HUXUE_KEYRING_PASSPHRASE_FILE=str(words)
        )
    )
    assert "chmod 600" in said
    words.chmod(0o600)
    with served(data, HUXUE_KEYRING_PASSPHRASE_FILE=str(words)) as (_, url):
        assert (ready(url) or {})["status"] == "ready"


def test_production_does_not_read_the_demos_passphrase(data: Path) -> None:
    """A demo's folder is no production's; and a file named beside the ring by chance opens nothing."""
    data.mkdir()
    beside = data / "keyring.passphrase"
    beside.write_text(WORDS)
    beside.chmod(0o600)
    assert "demo only" in one_line(run("keys", "create", "--data", str(data)))
    assert not (data / "keyring.json").exists()
    run("keys", "create", "--data", str(data), HUXUE_KEYRING_PASSPHRASE=WORDS)
    for command in (
        ("serve", "--port", str(free_port())),
        ("keys", "list"),
        ("purge",),
        ("deidentify", "measure"),
    ):
        said = one_line(run(*command, "--data", str(data)))
        assert "demo only" in said, command
        assert WORDS not in said
    listed = run("keys", "list", "--data", str(data), HUXUE_PROFILE="demo")
    assert listed.returncode == 0, listed.stderr
    with served(data, HUXUE_KEYRING_PASSPHRASE_FILE=str(beside)) as (_, url):
        assert (ready(url) or {})["status"] == "ready"


def test_a_ring_of_another_suite_is_refused(data: Path) -> None:
    given = {"HUXUE_KEYRING_PASSPHRASE": WORDS}
    run("keys", "create", "--data", str(data), HUXUE_CIPHER_SUITE="gm", **given)
    said = one_line(run("serve", "--data", str(data), "--port", str(free_port()), **given))
    assert "suite gm" in said
    assert "HUXUE_CIPHER_SUITE=gm" in said
    with served(data, HUXUE_CIPHER_SUITE="gm", **given) as (_, url):
        assert (ready(url) or {})["status"] == "ready"


def test_workers_get_the_passphrase_and_no_process_shows_it(data: Path) -> None:
    run("keys", "create", "--data", str(data), HUXUE_KEYRING_PASSPHRASE=WORDS)
    given = {"HUXUE_KEYRING_PASSPHRASE": WORDS, "HUXUE_LOG_LEVEL": "DEBUG"}
    with served(data, "--workers", "2", **given) as (server, _):
        log = data.parent / "serve.log"
        wait(lambda: log.read_text().count('"started"') == 2)
        workers = children(server.pid)
        assert len(workers) >= 2
        for worker in workers:
            shown = b"".join(
                (Path("/proc") / str(worker) / name).read_bytes() for name in ("cmdline", "environ")
            )
            assert WORDS.encode() not in shown
        assert WORDS.encode() not in (Path("/proc") / str(server.pid) / "cmdline").read_bytes()
        assert WORDS not in log.read_text()


def children(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(each) for each in listed]


def test_a_served_gateway_leaves_no_core(data: Path, words: Path) -> None:
    run("keys", "create", "--data", str(data), HUXUE_KEYRING_PASSPHRASE=WORDS)
    with served(data, HUXUE_KEYRING_PASSPHRASE_FILE=str(words)) as (server, _):
        assert resource.prlimit(server.pid, resource.RLIMIT_CORE) == (0, 0)


def test_a_bare_ring_is_told_of_and_sealed_under_a_running_gateway(data: Path, words: Path) -> None:
    data.mkdir(mode=0o700)
    FileRing(data / "keyring.json", None).create(new_roots(INTL, datetime.now(UTC)))
    given = {"HUXUE_KEYRING_PASSPHRASE_FILE": str(words)}
    with served(data) as (_, url):
        assert any("huxue keys seal" in each for each in (ready(url) or {})["warnings"])
        sealed = run("keys", "seal", "--data", str(data), **given)
        assert sealed.returncode == 0, sealed.stderr
        assert acts(data)[-1] == "keys-sealed"
    with served(data, **given) as (_, url):
        assert not any("seal" in each for each in (ready(url) or {})["warnings"])
    assert "sealed already" in one_line(run("keys", "seal", "--data", str(data), **given))
    listed = run("keys", "list", "--data", str(data), **given)
    assert listed.stdout.count("in use") == 7
    assert listed.stderr == ""


def acts(data: Path) -> list[str]:
    """What the evidence says an operator did, oldest first."""
    with closing(sqlite3.connect(data / "huxue.db")) as connection:
        rows = connection.execute("SELECT body FROM audit_entry ORDER BY seq").fetchall()
    found = [json.loads(row[0]) for row in rows]
    return [each["detail"] for each in found if each["client"] == "huxue-command"]


def test_a_ring_is_in_the_evidence_from_its_first_start_on(data: Path, words: Path) -> None:
    """It is made before there is a store to say so in; the same ring is said once, another one again."""
    given = {"HUXUE_KEYRING_PASSPHRASE_FILE": str(words)}
    assert run("keys", "create", "--data", str(data), **given).returncode == 0
    assert not (data / "huxue.db").exists()
    for more in ([], ["--workers", "2"]):
        with served(data, *more, **given):
            (first,) = acts(data)
    today = datetime.now(UTC).date().isoformat()
    assert re.fullmatch(rf"keys-first-used:intl made={today}T\d\d:\d\d:\d\dZ", first)

    (data / "keyring.json").rename(data / "lost.json")
    assert run("keys", "create", "--data", str(data), **given).returncode == 0
    assert acts(data) == [first, "keys-created:intl"], "a ring made beside a store is told of at once"
    with served(data, **given):
        created, used = acts(data)[1:]
    assert (created, used.split()[0]) == ("keys-created:intl", "keys-first-used:intl")


def test_a_ring_that_is_there_already_is_neither_made_nor_told_of(data: Path, words: Path) -> None:
    given = {"HUXUE_KEYRING_PASSPHRASE_FILE": str(words)}
    run("keys", "create", "--data", str(data), **given)
    upgrade(f"sqlite:///{data / 'huxue.db'}")
    assert "never overwritten" in one_line(run("keys", "create", "--data", str(data), **given))
    assert "sealed already" in one_line(run("keys", "seal", "--data", str(data), **given))
    assert acts(data) == []


def secrets_in(roots: Roots) -> list[bytes]:
    """Every secret of a ring in every way it might be written."""
    found: list[bytes] = []
    for versions in roots.versions.values():
        for version in versions:
            raw = version.secret or b""
            if raw.startswith(b'{"'):
                text = json.loads(raw)["d"]
                found += [text.encode(), base64.urlsafe_b64decode(text + "==")]
                continue
            found += [raw, base64.b64encode(raw), base64.urlsafe_b64encode(raw).rstrip(b"=")]
            found += [raw.hex().encode(), repr(raw).encode()]
    return [each for each in found if each]


def test_no_key_is_logged_listed_or_answered(data: Path, words: Path) -> None:
    given = {"HUXUE_KEYRING_PASSPHRASE_FILE": str(words), "HUXUE_LOG_LEVEL": "DEBUG"}
    run("keys", "create", "--data", str(data), **given)
    roots = FileRing(data / "keyring.json", PassphraseLock(lambda: Secret(WORDS.encode()))).load()
    shown = b""
    with served(data, **given) as (server, url):
        for path in ("health/ready", ".well-known/jwks.json", "openapi.json", "version", "v1/leads", "x"):
            shown += httpx.get(f"{url}/{path}", trust_env=False).content
        shown += httpx.post(f"{url}/oauth2/token", content=b"x" * 300, trust_env=False).content
        good = (data / "keyring.json").read_bytes()
        (data / "keyring.json").write_bytes(good[:-9])
        wait(lambda: any("cannot be read" in each for each in (ready(url) or {})["warnings"]))
        shown += json.dumps(ready(url)).encode()
        (data / "keyring.json").write_bytes(good)
        os.kill(server.pid, signal.SIGABRT)
        server.wait(10)
    for words_ in (("keys", "list"), ("keys", "create"), ("keys", "seal"), ("keys", "nothing")):
        done = run(*words_, "--data", str(data), **given)
        shown += (done.stdout + done.stderr).encode()
    left = [path for path in data.parent.rglob("*") if path.is_file() and path != words]
    shown += b"".join(path.read_bytes() for path in left)
    assert not any("core" in path.name for path in left)
    assert [each for each in secrets_in(roots) if each in shown] == []
    assert WORDS.encode() not in shown


def test_a_ring_from_the_environment(data: Path) -> None:
    data.mkdir(mode=0o700)
    body = base64.b64encode(json.dumps(to_body(new_roots(INTL, datetime.now(UTC)))).encode()).decode()
    assert "HUXUE_KEYRING_BODY" in one_line(
        run("serve", "--data", str(data), "--port", str(free_port()), HUXUE_KEYRING="env:")
    )
    with served(data, "--workers", "2", HUXUE_KEYRING="env:", HUXUE_KEYRING_BODY=body) as (server, url):
        wait(lambda: (data.parent / "serve.log").read_text().count('"started"') == 2)
        assert (ready(url) or {})["status"] == "ready"
        for worker in children(server.pid):
            assert body.encode() not in (Path("/proc") / str(worker) / "environ").read_bytes()
    assert not (data / "keyring.json").exists()


# --- a hardware module -------------------------------------------------------------------------------------


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A private token of a real SoftHSM; the settings that name it."""
    tool = part("softhsm2", "softhsm2-util", "libsofthsm2", "softhsm2-common")
    module = part("softhsm2", "libsofthsm2.so", "libsofthsm2")
    tokens, pin = tmp_path / "tokens", tmp_path / "pin"
    tokens.mkdir()
    config = tmp_path / "softhsm2.conf"
    config.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(config))
    init = [str(tool), "--init-token", "--free", "--label", "county", "--pin", PIN, "--so-pin", "12345678"]
    subprocess.run(init, check=True, capture_output=True)
    pin.write_text(PIN)
    pin.chmod(0o600)
    return {
        "HUXUE_KEYRING": "pkcs11:",
        "HUXUE_PKCS11_MODULE": str(module),
        "HUXUE_PKCS11_TOKEN": "county",
        "HUXUE_PKCS11_PIN_FILE": str(pin),
    }


def start(data: Path, given: dict[str, str]) -> str:
    return one_line(run("serve", "--data", str(data), "--port", str(free_port()), **given))


def test_a_gateway_on_a_hardware_modules_ring(data: Path, token: dict[str, str], tmp_path: Path) -> None:
    made = run("keys", "create", "--data", str(data), **token)
    assert made.returncode == 0, made.stderr
    assert json.loads((data / "keyring.json").read_text())["header"]["lock"] == "pkcs11"
    assert "a hardware module" in one_line(
        run("keys", "list", "--data", str(data), HUXUE_KEYRING_PASSPHRASE=WORDS)
    )
    gone = tmp_path / "gone"
    with served(data, "--workers", "2", **token) as (_, url):
        assert (ready(url) or {})["status"] == "ready"
        shutil.move(tmp_path / "tokens", gone)
        os.utime(data / "keyring.json")
        said: list[str] = []  # kept: the next answer may be the other worker's, which has not looked yet
        wait(lambda: said.extend((ready(url) or {}).get("warnings", ())) or said)
        told = said[0]
        assert "cannot be read" in told
        assert PIN not in told
        jwks = httpx.get(f"{url}/.well-known/jwks.json", trust_env=False)
        assert len(jwks.json()["keys"]) == 1
        assert (ready(url) or {})["status"] == "ready"
        shutil.move(gone, tmp_path / "tokens")
        os.utime(data / "keyring.json")
        wait(lambda: [(ready(url) or {})["warnings"] for _ in range(8)] == [[]] * 8)
    assert PIN not in (tmp_path / "serve.log").read_text()


def test_without_its_module_a_gateway_says_what_to_do_and_no_pin(
    data: Path, token: dict[str, str], tmp_path: Path
) -> None:
    run("keys", "create", "--data", str(data), **token)
    said = [
        start(data, {**token, "HUXUE_PKCS11_MODULE": "/nowhere/lib.so"}),
        start(data, {**token, "HUXUE_PKCS11_TOKEN": "other"}),
        start(data, {**token, "HUXUE_PKCS11_TOKEN": ""}),
        start(data, {**token, "HUXUE_PKCS11_PIN_FILE": str(tmp_path / "none")}),
    ]
    (tmp_path / "pin").write_text("99999999")
    said.append(start(data, token))
    (tmp_path / "pin").write_text(PIN)
    without = {name: value for name, value in token.items() if name != "HUXUE_PKCS11_PIN_FILE"}
    said.append(start(data, without))
    shutil.rmtree(tmp_path / "tokens")
    said.append(start(data, token))
    expected = [
        "HUXUE_PKCS11_MODULE",
        "no token other",
        "HUXUE_PKCS11_TOKEN",
        "cannot read",
        "refused the PIN",
    ]
    for line, words in zip(said, [*expected, "HUXUE_PKCS11_PIN", "check that it is"], strict=True):
        assert words in line
    assert not [line for line in said if PIN in line or "99999999" in line]


def test_another_token_of_the_same_name_does_not_open_the_ring(
    data: Path, token: dict[str, str], tmp_path: Path
) -> None:
    run("keys", "create", "--data", str(data), **token)
    shutil.rmtree(tmp_path / "tokens")
    (tmp_path / "tokens").mkdir()
    tool = part("softhsm2", "softhsm2-util", "libsofthsm2", "softhsm2-common")
    init = [str(tool), "--init-token", "--free", "--label", "county", "--pin", PIN, "--so-pin", "12345678"]
    subprocess.run(init, check=True, capture_output=True)
    assert "holds no key" in start(data, token)
    other = run("keys", "create", "--data", str(tmp_path / "other"), **token)
    assert other.returncode == 0
    said = start(data, token)
    assert "check that it is there" in said or "does not open" in said


# --- a person at a terminal --------------------------------------------------------------------------------


def typed(*words: str, lines: tuple[str, ...]) -> str:
    """A command of `huxue` at a terminal of its own, and what it showed; each line is typed when it is asked for."""
    process, terminal = pty.fork()
    if process == 0:  # pragma: no cover - another process
        os.execv(CLI[0], [*CLI, *words])
    shown = ""
    left, asked = list(lines), 0
    while True:
        try:
            read = os.read(terminal, 4096)
        except OSError:
            break
        if not read:
            break
        shown += read.decode(errors="replace")
        prompt = len(shown.rstrip())  # a prompt may come in two pieces: it is answered once
        if left and prompt > asked and shown[:prompt].endswith(":"):
            asked = prompt
            os.write(terminal, f"{left.pop(0)}\n".encode())
    os.waitpid(process, 0)
    os.close(terminal)
    return shown


def test_at_a_terminal_the_passphrase_is_asked_for_and_not_shown(data: Path) -> None:
    words = "typed by a person 1"
    differ = typed("keys", "create", "--data", str(data), lines=(words, "typed by a person 2"))
    assert "the two passphrases differ" in differ
    assert not (data / "keyring.json").exists()
    made = typed("keys", "create", "--data", str(data), lines=(words, words))
    assert "made " in made
    listed = typed("keys", "list", "--data", str(data), lines=(words,))
    assert listed.count("in use") == 7
    refused = typed("keys", "list", "--data", str(data), lines=("another one altogether",))
    assert "does not open the key ring" in refused
    assert words not in differ + made + listed
