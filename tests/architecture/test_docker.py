"""The container files agree with the code, the Makefile and each other. No engine is needed, and none is used."""

import re
import tomllib
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from gateway.cli import app
from gateway.http.routers import entrance
from gateway.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker/compose.county.yaml").read_text(encoding="utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FINAL = DOCKERFILE.rpartition("\nFROM ")[2]


def _environment(stage: str) -> dict[str, str]:
    block = "".join(re.findall(r"^ENV ((?:.*\\\n)*.*)$", stage, re.MULTILINE))
    return dict(re.findall(r"(\w+)=(\S+)", block))


IMAGE = _environment(FINAL)


# --- built as the Makefile installs ------------------------------------------------------------------------


def test_the_same_uv_everywhere() -> None:
    made = re.findall(r"^UV_VERSION := (.+)$", MAKEFILE, re.MULTILINE)
    assert re.findall(r"^ARG UV_VERSION=(.+)$", DOCKERFILE, re.MULTILINE) == made
    assert "'uv==$(UV_VERSION)'" in MAKEFILE
    assert '"uv==${UV_VERSION}"' in DOCKERFILE


def test_both_install_what_is_locked() -> None:
    assert "uv sync --frozen" in MAKEFILE
    steps = re.findall(r"uv sync .*", DOCKERFILE)
    assert steps
    assert all(step.startswith("uv sync --frozen --no-dev") for step in steps)


def test_the_interpreter_is_one_the_project_takes() -> None:
    wanted = PROJECT["project"]["requires-python"].removeprefix(">=")
    images = re.findall(r"^FROM python:([\d.]+)-slim", DOCKERFILE, re.MULTILINE)
    assert images == [wanted, wanted]
    assert f"sys.version_info < ({wanted.replace('.', ', ')})" in MAKEFILE


def test_every_package_gets_into_the_image_and_nothing_is_copied_that_is_kept_out() -> None:
    copied = [
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for name in line.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    assert set(copied) == let_in
    assert all((ROOT / name).exists() for name in copied)
    assert set(PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= let_in


def test_the_key_ring_is_kept_out_of_the_image_and_of_git() -> None:
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert any(fnmatch("gateway/keyring.json", line) for line in ignored)
    assert (ROOT / "docker" / ".gitignore").read_text(encoding="utf-8").split() == ["keys/"]


# --- run as somebody who may do little ---------------------------------------------------------------------


def test_nobody_is_root() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["10001:10001"]
    assert "--uid 10001" in FINAL
    assert not re.findall(r"^(?:RUN|COPY|ADD) ", FINAL.rpartition("\nUSER ")[2], re.MULTILINE)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_a_service_writes_where_it_must_only(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert [mount.partition(":")[0] for mount in service["tmpfs"]] == ["/tmp"]
    assert "privileged" not in service
    assert "user" not in service


def test_the_data_folder_is_a_named_volume_of_the_user() -> None:
    folder = IMAGE["HUXUE_DATA"]
    assert COMPOSE["services"]["gateway"]["volumes"] == [f"data:{folder}"]
    assert "data" in COMPOSE["volumes"]
    assert f"--owner=huxue --group=huxue --mode=0700 {folder}" in FINAL
    assert f"VOLUME {folder}" in FINAL


def test_the_key_ring_is_a_secret_that_keys_create_made() -> None:
    gateway, keys = COMPOSE["services"]["gateway"], COMPOSE["services"]["keys"]
    folder, _, mounted = keys["volumes"][0].partition(":")
    for secret, name in zip(
        gateway["secrets"], ("HUXUE_KEYRING", "HUXUE_KEYRING_PASSPHRASE_FILE"), strict=True
    ):
        assert secret["target"] == gateway["environment"][name]
        source = COMPOSE["secrets"][secret["source"]]["file"]
        assert source == keys["environment"][name].replace(mounted, folder, 1)
    assert keys["profiles"] == ["keys"]
    assert not any("keyring" in str(value) for name, value in IMAGE.items() if name != "HUXUE_KEYRING")


# --- commands, settings, ports -----------------------------------------------------------------------------


def _leaf(words: list[str]) -> Any:
    found: Any = get_command(app)
    for word in words:
        found = found.commands[word]
    return found


def test_commands_exist() -> None:
    assert re.findall(r"^ENTRYPOINT (.+)$", FINAL, re.MULTILINE) == ['["huxue"]']
    (command,) = re.findall(r"^CMD (\[.+\])$", FINAL, re.MULTILINE)
    for words in (yaml.safe_load(command), *(each["command"] for each in COMPOSE["services"].values())):
        leaf = _leaf(words)
        required = [each for each in leaf.params if each.required]
        assert all(each.envvar in IMAGE for each in required)


@pytest.mark.parametrize(
    "file",
    ["docker/Dockerfile", "docker/compose.county.yaml", "docker/README.md", "README.md", "SECURITY.md"],
)
def test_variables_are_settings(file: str) -> None:
    named = set(re.findall(r"HUXUE_([A-Z_]+)", (ROOT / file).read_text(encoding="utf-8")))
    assert {name.lower() for name in named} <= set(Settings.model_fields)


def test_the_countys_settings_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    given = COMPOSE["services"]["gateway"]["environment"]
    assert given["HUXUE_PUBLIC_URL"].startswith("${HUXUE_PUBLIC_URL:?")
    for name, value in {**IMAGE, **given, "HUXUE_PUBLIC_URL": "https://huxue.county.example"}.items():
        if name.startswith("HUXUE_"):
            monkeypatch.setenv(name, str(value))
    settings = Settings()
    assert settings.profile == "production"
    assert settings.issuer == "https://huxue.county.example"
    assert settings.keyring_path == Path("/run/secrets/keyring.json")
    assert settings.store_path == Path(IMAGE["HUXUE_DATA"]) / "huxue.db"


def test_one_port() -> None:
    port = IMAGE["HUXUE_PORT"]
    assert re.findall(r"^EXPOSE (\d+)$", FINAL, re.MULTILINE) == [port]
    assert COMPOSE["services"]["gateway"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert str(Settings.model_fields["port"].default) == port


def test_the_health_check_asks_what_is_served() -> None:
    (path,) = re.findall(r"'(/health/\w+)'", FINAL)
    assert path in {getattr(route, "path", "") for route in entrance.router.routes}
    assert "HEALTHCHECK" in FINAL


def test_the_image_bears_the_projects_version() -> None:
    tags = {service["image"] for service in COMPOSE["services"].values()}
    assert tags == {f"huxue:{PROJECT['project']['version']}"}
    assert PROJECT["project"]["version"] == version("huxue")
