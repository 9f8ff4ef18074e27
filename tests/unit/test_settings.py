"""Settings: what is refused, and under which addresses clients may name the gateway."""

from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from gateway.settings import Settings
from gateway.start import NotReady, prepare_data
from tests.harness import private


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATA", "PROFILE", "HOST", "PORT", "PUBLIC_URL", "AS_OF", "KEYRING"):
        monkeypatch.delenv(f"HUXUE_{name}", raising=False)


def test_the_data_folder_has_no_default() -> None:
    with pytest.raises(ValidationError, match="data"):
        Settings()


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUXUE_DATA", "/srv/huxue")
    monkeypatch.setenv("HUXUE_PORT", "9000")
    settings = Settings()
    assert (settings.data, settings.port) == (Path("/srv/huxue"), 9000)
    assert settings.profile == "production"


def test_settings_do_not_change(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Settings(data=tmp_path).port = 1


@pytest.mark.parametrize(
    "given",
    [
        {"port": 70000},
        {"workers": 0},
        {"profile": "test"},
        {"as_of": "2026-02-30"},
        {"database_url": "postgresql://x"},
        {"cipher_suite": "none"},
        {"max_upload_mb": 0},
        {"log_level": "TRACE"},
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings(data=tmp_path, **given)


def test_a_law_date_is_for_the_demo_only(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="demo profile only"):
        prepare_data(Settings(data=tmp_path, as_of=date(2026, 11, 20)))


def test_production_makes_nothing_and_says_what_is_missing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with pytest.raises(NotReady) as found:
        prepare_data(Settings(data=data))
    assert "data folder" in str(found.value)
    assert "huxue keys create" in str(found.value)
    assert not data.exists()


def test_the_demo_makes_its_folder_and_keys_for_itself_only(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", profile="demo", as_of=date(2026, 11, 20))
    prepare_data(settings)
    assert private(settings.keyring_path)
    assert private(settings.data)
    before = settings.keyring_path.read_bytes()
    prepare_data(settings)
    assert settings.keyring_path.read_bytes() == before


def test_on_loopback_every_name_of_it_is_an_audience(tmp_path: Path) -> None:
    audiences = Settings(data=tmp_path, port=8420).audiences
    for host in ("127.0.0.1", "localhost", "[::1]"):
        assert f"http://{host}:8420" in audiences
        assert f"http://{host}:8420/oauth2/token" in audiences


def test_with_a_public_address_that_is_the_only_audience(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, public_url="https://huxue.example/")
    assert settings.issuer == "https://huxue.example"
    assert settings.audiences == ["https://huxue.example", "https://huxue.example/oauth2/token"]


def test_another_address_brings_no_loopback_audiences(tmp_path: Path) -> None:
    assert Settings(data=tmp_path, host="10.1.2.3", port=1).audiences == [
        "http://10.1.2.3:1",
        "http://10.1.2.3:1/oauth2/token",
    ]


@pytest.mark.parametrize(
    ("host", "shown"),
    [("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]"), ("h.local", "h.local")],
)
def test_the_address_that_is_called(tmp_path: Path, host: str, shown: str) -> None:
    assert Settings(data=tmp_path, host=host, port=5).issuer == f"http://{shown}:5"
