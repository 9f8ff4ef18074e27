"""The auditor's guide is followed to the letter, on a gateway of its own; its script is held against many receipts."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.harness import process

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "auditor.md").read_text(encoding="utf-8")
STEPS = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
(SCRIPT,) = re.findall(r"^```python\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent
CLIENTS = (
    ("human_resources", "recruitment_checker"),
    ("gateway", "auditor"),
    ("gateway", "counter_clerk"),
)


class Auditor:
    """A shell in a folder of its own, as the guide prepares it; every step sees what the ones before set."""

    def __init__(self, folder: Path, data: Path, url: str) -> None:
        self.folder, self.keys, self.data = folder, folder / "keys", data
        self.environment = {
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "URL": url,
            "DATA": str(data),
            "KEYS": str(self.keys),
        }
        self.before = ""

    def follow(self, step: str) -> "subprocess.CompletedProcess[str]":
        script = f"{self.before}\nset -e\n{step}"
        done = subprocess.run(
            ["bash", "-c", script],
            check=False,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        self.before += "\n".join(re.findall(r"^\w+\(\).*$", step, re.MULTILINE)) + "\n"
        return done

    def register(self, agency: str, role: str) -> None:
        words = ["client", "add", "--data", str(self.data), "--agency", agency, "--role", role]
        words += ["--region", "530423", "--out", str(self.keys / f"{role}.json")]
        subprocess.run([str(BIN / "huxue"), *words], check=True, capture_output=True)


@pytest.fixture
def auditor(tmp_path: Path) -> Iterator[Auditor]:
    with process(tmp_path / "data") as (_, url):
        found = Auditor(tmp_path / "desk", tmp_path / "data", url)
        found.keys.mkdir(parents=True)
        for agency, role in CLIENTS:
            found.register(agency, role)
        (found.folder / "check_receipt.py").write_text(SCRIPT)
        yield found


def test_the_guide_is_followed_step_by_step(auditor: Auditor) -> None:
    ask, fetch, check, whole, delete, verify, export, child, uses, page, look = STEPS
    for _ in range(3):  # a demo has asked before the auditor comes
        answered = auditor.follow(ask)
        assert (answered.returncode, "ref-" in answered.stdout) == (0, True), answered.stderr
        auditor.before = ""
    auditor.before = ask.splitlines()[0]
    assert "leaf_index" in auditor.follow(fetch).stdout
    checked = auditor.follow(check)
    assert (checked.returncode, checked.stdout.startswith("相符 OK")) == (0, True), checked
    sound = auditor.follow(whole)
    assert (sound.returncode, "日志完好" in sound.stdout) == (0, True), sound
    seen = auditor.follow(look)
    assert (seen.returncode, '"items":[{' in seen.stdout) == (0, True), seen
    assert '"client-added:' in seen.stdout
    assert '"under_16":true' in auditor.follow(child).stdout
    told = auditor.follow(uses)
    assert "招用工核查员" in told.stdout, told
    assert auditor.follow(page).returncode == 0
    printed = (auditor.folder / "uses.html").read_text(encoding="utf-8")
    assert "招用工核查员" in printed
    assert "窗口人员" in printed  # the clerk's own first look
    assert "530423201805149154" not in printed
    assert auditor.follow(delete).returncode == 0
    caught = auditor.follow(verify)
    assert (caught.returncode, caught.stdout) == (1, _removed()), caught
    carried = auditor.follow(export)
    assert (carried.returncode, "entry was removed (index 2)" in carried.stdout) == (1, True), carried
    tampered(auditor)


def _removed() -> str:
    return "✗ 记录被删除 (第 2 条)\n✗ the entry was removed (index 2)\n"


def tampered(auditor: Auditor) -> None:
    """The script sees every way in which answer and receipt can fail to fit."""
    receipt: dict[str, Any] = json.loads((auditor.folder / "receipt.json").read_text())
    answer = (auditor.folder / "answer.json").read_bytes()
    log, size, rest = receipt["checkpoint"].split("\n", 2)
    for wrong in (
        {"entry": receipt["entry"].replace("permit", "refuse")},
        {"leaf_index": 0},
        {"tree_size": receipt["tree_size"] + 1},
        {"proof": receipt["proof"][:-1]},
        {"proof": [*receipt["proof"], receipt["leaf"]]},
        {"checkpoint": f"{log}\n{int(size) + 1}\n{rest}"},
    ):
        assert _script(auditor, answer, {**receipt, **wrong}) == 1, wrong
    assert _script(auditor, answer.replace(b"no_bar", b"refer"), receipt) == 1
    assert _script(auditor, answer, receipt) == 0


def _script(auditor: Auditor, answer: bytes, receipt: dict[str, Any]) -> int:
    (auditor.folder / "a.json").write_bytes(answer)
    (auditor.folder / "r.json").write_text(json.dumps(receipt))
    return auditor.follow("python3 check_receipt.py a.json r.json").returncode
