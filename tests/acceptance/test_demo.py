"""`huxue demo --once`: zero only when every answer is the county's truth, and nobody is named on the way."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli import main
from gateway.demo.county.generator import generate
from tests.harness import SAMPLE

SECRETS: list[str] = json.loads((SAMPLE / "expected.json").read_text(encoding="utf-8"))["never_in_any_output"]
ID_LIKE = re.compile(r"(?<![0-9a-z])\d{6}[\d*]{8,11}[\dXx]?(?![0-9a-z])")


@pytest.fixture
def own_process_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The command line changes the mask of new files and the environment: put both back. Gives a TMPDIR."""
    mask, environment = os.umask(0o077), dict(os.environ)
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    yield temporary
    os.umask(mask)
    os.environ.clear()
    os.environ.update(environment)


def demo(monkeypatch: pytest.MonkeyPatch, county: Path, *more: str) -> int:
    """The exit code of `huxue demo --once` in this process."""
    monkeypatch.setattr(sys, "argv", ["huxue", "demo", "--once", "--county", str(county), *more])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(str(ended.value.code))


def test_the_sample_county(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from gateway.cli import main; main()"]
    ended = subprocess.run(
        [*command, "demo", "--once", "--county", str(SAMPLE)],
        env={
            **os.environ,
            "TMPDIR": str(tmp_path),
            "HUXUE_DATABASE_URL": f"sqlite:///{tmp_path}/not-mine.db",
        },
        capture_output=True,
        timeout=90,
        check=False,
    )
    told = ended.stdout.decode() + ended.stderr.decode()
    assert ended.returncode == 0, told
    assert "全部相符" in told
    assert [number for number, secret in enumerate(SECRETS) if secret in told] == []
    assert ID_LIKE.search(told) is None
    assert "\x1b" not in told
    assert "\r" not in told
    assert list(tmp_path.iterdir()) == []  # its folder is gone, and no real gateway's store was touched


def test_mismatches_are_named(
    tmp_path: Path,
    own_process_state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    county = tmp_path / "county"
    shutil.copytree(SAMPLE, county)
    truth = json.loads((county / "expected.json").read_text(encoding="utf-8"))
    truth["needy"]["total"] += 1
    truth["errors"]["attendance"][0] = [572, "bad_code"]
    truth["leads_after_upload"]["placement-missing"] -= 1
    truth["never_in_any_output"].append("must_not_hire")  # every answer has it: the search must find it
    (county / "expected.json").write_text(json.dumps(truth, ensure_ascii=False), encoding="utf-8")
    lines = (county / "applicants.jsonl").read_text(encoding="utf-8").splitlines()
    third = json.loads(lines[2])
    third["expect"]["out_of_school"], third["lead"] = "no", False
    lines[2] = json.dumps(third)
    (county / "applicants.jsonl").write_text("\n".join(lines), encoding="utf-8")

    assert demo(monkeypatch, county) == 1
    told = capfd.readouterr().out
    named = [line for line in told.splitlines() if line.startswith("✗ ")]
    for what in (
        "total: 应为 / expected 167, 得到 / got 166",
        "row 572: 未报 / not reported bad_code",
        "row 572: 多报 / not expected unknown_student",
        "placement-missing: 应为 / expected 8, 得到 / got 9",
        "applicant 3: out_of_school: 应为 / expected no, 得到 / got yes",
        "applicant 3: lead: 应为 / expected False, 得到 / got True",
        f"human_resources POST /v1/exchanges/applicant-check/… 200: never_in_any_output[{len(SECRETS) + 1}]",
        f"stdout: never_in_any_output[{len(SECRETS) + 1}]",
    ):
        assert any(what in line for line in named), (what, named)
    assert [number for number, secret in enumerate(SECRETS) if secret in told] == []
    assert list(own_process_state.iterdir()) == []


def test_a_county_so_small_that_townships_are_told_of_together(
    tmp_path: Path,
    own_process_state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    generate(tmp_path / "county", children=200, seed=1)
    assert demo(monkeypatch, tmp_path / "county") == 0, capfd.readouterr().out
    told = capfd.readouterr().out
    assert re.search(r"乡镇 township +│ 530423 +│", told)
    assert "全部相符" in told


@pytest.mark.parametrize("missing", ["expected.json", "applicants.jsonl", "relief-register.csv", None])
def test_a_folder_that_is_no_county(
    missing: str | None,
    tmp_path: Path,
    own_process_state: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    county = tmp_path / "county"
    if missing is not None:
        shutil.copytree(SAMPLE, county)
        (county / missing).unlink()
    assert demo(monkeypatch, county) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1
    assert (missing or "expected.json").removesuffix(".csv") in told.err
