"""Who an agency's system says it is: the credentials file, the signed assertion, the address it talks to."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from connectors.transports.rest import (
    Credentials,
    CredentialsError,
    GatewayClient,
    client_assertion,
)
from tests.fakes_gateway import BASE, NOW


def document(**changes: Any) -> dict[str, Any]:
    key = ECKey.generate_key("P-256", {"kid": "k-1"}).as_dict(private=True)
    whole = {"client_id": "c-1", "agency": "health", "role": "disability_assessor", "region": "530423"}
    return {**whole, "school": None, "alg": "ES256", "key": key, **changes}


def written(path: Path, content: str, mode: int = 0o600) -> Path:
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    return path


class TestCredentials:
    def test_file_of_client_add_is_loaded(self, tmp_path: Path) -> None:
        whole = document(school="2153001234")
        loaded = Credentials.load(written(tmp_path / "c.json", json.dumps(whole)))
        assert (loaded.client_id, loaded.agency, loaded.role) == ("c-1", "health", "disability_assessor")
        assert (loaded.region, loaded.school, loaded.key.kid) == ("530423", "2153001234", "k-1")

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666])
    def test_file_that_others_may_read_is_refused(self, tmp_path: Path, mode: int) -> None:
        path = written(tmp_path / "c.json", json.dumps(document()), mode)
        with pytest.raises(CredentialsError, match="chmod 600"):
            Credentials.load(path)

    @pytest.mark.parametrize(
        "changes",
        [
            {"client_id": ""},
            {"agency": None},
            {"role": 3},
            {"region": None},
            {"alg": "none"},
            {"alg": "RS256"},
            {"school": 3},
            {"key": None},
            {"key": "text"},
            {"key": {"kty": "EC"}},
            {"key": ECKey.generate_key("P-256", {"kid": "k"}).as_dict(private=False)},
            {"key": ECKey.generate_key("P-256", private=True).as_dict(private=True)},
            {"key": ECKey.generate_key("P-384", {"kid": "k"}).as_dict(private=True)},
            {"key": {"kty": "oct", "k": "c2VjcmV0", "kid": "k"}},
        ],
    )
    def test_member_that_is_wrong_is_named_and_not_shown(self, changes: dict[str, Any]) -> None:
        with pytest.raises(CredentialsError, match=next(iter(changes))) as caught:
            Credentials.of(document(**changes))
        assert "c2VjcmV0" not in str(caught.value)

    @pytest.mark.parametrize("content", ["", "[]", "{", "3", "\ud83d".encode("utf-8", "replace").decode()])
    def test_file_that_is_no_such_document_is_refused(self, tmp_path: Path, content: str) -> None:
        with pytest.raises(CredentialsError):
            Credentials.load(written(tmp_path / "c.json", content))

    def test_file_that_is_missing_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CredentialsError, match="读不到"):
            Credentials.load(tmp_path / "none.json")

    def test_repr_is_without_the_key(self) -> None:
        whole = document()
        shown = repr(Credentials.of(whole))
        assert "c-1" in shown
        assert not any(whole["key"][part] in shown for part in ("d", "x", "y"))


def test_assertion_says_what_rfc_7523_asks_for() -> None:
    credentials = Credentials.of(document())
    first, second = (client_assertion(credentials, f"{BASE}/oauth2/token", NOW) for _ in range(2))
    token = jwt.decode(first, credentials.key, algorithms=["ES256"])
    assert token.header == {"alg": "ES256", "kid": "k-1", "typ": "JWT"}
    jti = token.claims.pop("jti")
    now = int(NOW.timestamp())
    expected = {"iss": "c-1", "sub": "c-1", "aud": f"{BASE}/oauth2/token", "iat": now, "exp": now + 60}
    assert token.claims == expected
    assert jti != jwt.decode(second, credentials.key, algorithms=["ES256"]).claims["jti"]


class TestAddress:
    @pytest.mark.parametrize(
        "url", ["http://gateway.example", "ftp://gateway.example", "gateway.example", ""]
    )
    def test_address_that_sends_in_the_clear_is_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match="https"):
            GatewayClient(url, Credentials.of(document()))

    @pytest.mark.parametrize(
        "url", ["https://gateway.example/", "http://127.0.0.1:8000", "http://localhost:80"]
    )
    def test_address_that_is_private_is_taken(self, url: str) -> None:
        client = GatewayClient(url, Credentials.of(document()))
        assert client.base_url == url.rstrip("/")
        asyncio.run(client.aclose())

    def test_closed_network_may_be_declared(self) -> None:
        client = GatewayClient("http://gateway:8000", Credentials.of(document()), plaintext=True)
        assert client.base_url == "http://gateway:8000"
        asyncio.run(client.aclose())
