"""Getting in: only the client's own fresh assertion, used once, and only while the client is not revoked."""

import hashlib
import hmac
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey
from joserfc.jws import JWSRegistry

from connectors.transports.tokens import token_form
from gateway.adapters.db.clients import insert_client
from gateway.cli import main
from gateway.domain.base64url import b64, unb64
from gateway.domain.model import ClientRecord
from tests.harness import COUNTY, TestGateway, private, running
from tests.proofs import part

Key = ECKey | OKPKey


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    with running(tmp_path_factory.mktemp("entrance") / "data") as found:
        yield found


class Client:
    """A registered client and every way to sign, right or wrong."""

    def __init__(self, gateway: TestGateway, key: Key | None = None) -> None:
        self.gateway = gateway
        self.key: Key = key or ECKey.generate_key("P-256", auto_kid=True)
        self.id = f"test-{os.urandom(6).hex()}"
        public = {name: str(value) for name, value in self.key.as_dict(private=False).items()}
        record = ClientRecord(self.id, "education", "dropout_lead", COUNTY, None, public, datetime.now(UTC))
        with gateway.parts.store.writing() as connection:
            insert_client(connection, record)

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        usual = {
            "iss": self.id,
            "sub": self.id,
            "aud": f"{self.gateway.url}/oauth2/token",
            "jti": os.urandom(12).hex(),
            "iat": now,
            "exp": now + 60,
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def sign(self, claims: dict[str, Any], alg: str = "ES256", key: Any = None, **header: Any) -> str:
        registry = JWSRegistry(algorithms=[alg])
        return jwt.encode({"alg": alg, **header}, claims, key or self.key, registry=registry)

    def token(self, assertion: str, **form: str) -> httpx.Response:
        return self.gateway.call.post("/oauth2/token", data={**token_form(assertion), **form})


@pytest.fixture
def client(gateway: TestGateway) -> Client:
    return Client(gateway)


def use(gateway: TestGateway, token: str) -> int:
    return gateway.call.get("/v1/leads", headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_client_gets_a_token_and_the_token_works(gateway: TestGateway, client: Client) -> None:
    answer = client.token(client.sign(client.claims()))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] <= 300
    assert use(gateway, body["access_token"]) == 200


def test_a_token_says_who_it_is_for_and_nothing_of_a_child(gateway: TestGateway, client: Client) -> None:
    token = client.token(client.sign(client.claims())).json()["access_token"]
    found = jwt.decode(token, gateway.parts.keys.token_key, algorithms=["ES256"])
    assert found.header["typ"] == "at+jwt"
    expected = {
        "sub": client.id,
        "agency": "education",
        "role": "dropout_lead",
        "region": COUNTY,
        "scope": "huxue",
    }
    assert {name: found.claims[name] for name in expected} == expected
    assert found.claims["iss"] == found.claims["aud"] == gateway.url
    assert found.claims["exp"] - found.claims["iat"] <= 300


@pytest.mark.parametrize("alg", ["Ed25519", "EdDSA"])
def test_an_ed25519_key_signs_too(gateway: TestGateway, alg: str) -> None:
    client = Client(gateway, OKPKey.generate_key("Ed25519", auto_kid=True))
    answer = client.token(signed_by_hand(client, alg))
    assert answer.status_code == 200, answer.text
    assert use(gateway, answer.json()["access_token"]) == 200


def signed_by_hand(client: Client, alg: str) -> str:
    """An assertion without the library's opinion of its algorithm."""
    head = part({"alg": alg, "typ": "JWT"})
    text = f"{head}.{part(client.claims())}"
    return f"{text}.{b64(client.key.private_key.sign(text.encode()))}"  # type: ignore[union-attr, call-arg]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
@pytest.mark.parametrize("path", ["", "/oauth2/token"])
def test_the_gateway_may_be_named_by_issuer_or_endpoint(client: Client, host: str, path: str) -> None:
    audience = f"http://{host}:{client.gateway.port}{path}"
    assert client.token(client.sign(client.claims(aud=audience))).status_code == 200
    assert client.token(client.sign(client.claims(aud=[audience]))).status_code == 200


WRONG_CLAIMS: dict[str, Callable[[], dict[str, Any]]] = {
    "expired": lambda: {"exp": int(time.time()) - 60, "iat": int(time.time()) - 120},
    "long expired": lambda: {"exp": 1},
    "not yet valid": lambda: {"nbf": int(time.time()) + 120},
    "issued in the future": lambda: {"iat": int(time.time()) + 120},
    "lives an hour": lambda: {"exp": int(time.time()) + 3600},
    "lives six minutes": lambda: {"exp": int(time.time()) + 360},
    "lives forever": lambda: {"exp": None},
    "exp is a text": lambda: {"exp": "tomorrow"},
    "exp is a fraction": lambda: {"exp": time.time() + 60.5},
    "exp is beyond all calendars": lambda: {"exp": 10**30},
    "exp is true": lambda: {"exp": True},
    "another audience": lambda: {"aud": "https://elsewhere.example/oauth2/token"},
    "no audience": lambda: {"aud": None},
    "an audience that is no text": lambda: {"aud": 5},
    "no jti": lambda: {"jti": None},
    "a jti that is no text": lambda: {"jti": 12345678},
    "a short jti": lambda: {"jti": "1234567"},
    "a long jti": lambda: {"jti": "x" * 201},
    "no issuer": lambda: {"iss": None},
    "another issuer": lambda: {"iss": "somebody-else"},
    "no subject": lambda: {"sub": None},
    "a subject that is no text": lambda: {"sub": 5},
    "an unknown subject": lambda: {"sub": "nobody", "iss": "nobody"},
    "an endless subject": lambda: {"sub": "x" * 5000, "iss": "x" * 5000},
}


@pytest.mark.parametrize("wrong", WRONG_CLAIMS)
def test_an_assertion_that_claims_wrongly_is_refused_alike(client: Client, wrong: str) -> None:
    answer = client.token(client.sign(client.claims(**WRONG_CLAIMS[wrong]())))
    assert answer.status_code in (400, 401), answer.text
    assert answer.json() == {"error": "invalid_client"}


def test_an_assertion_is_used_once(client: Client) -> None:
    assertion = client.sign(client.claims())
    assert client.token(assertion).status_code == 200
    again = client.token(assertion)
    assert again.status_code in (400, 401)
    assert again.json() == {"error": "invalid_client"}


def test_a_jti_is_the_clients_own(gateway: TestGateway, client: Client) -> None:
    other = Client(gateway)
    for each in (client, other):
        assert each.token(each.sign(each.claims(jti="the-same-jti"))).status_code == 200
    assert client.token(client.sign(client.claims(jti="the-same-jti"))).status_code in (400, 401)


def test_an_assertion_spoilt_by_a_stranger_does_not_use_up_its_jti(client: Client) -> None:
    claims = client.claims()
    client.token(client.sign(claims, key=ECKey.generate_key("P-256")))
    assert client.token(client.sign(claims)).status_code == 200


def unsigned(client: Client) -> str:
    return f"{part({'alg': 'none'})}.{part(client.claims())}."


def with_public_key_as_secret(client: Client) -> str:
    """The classic confusion: HMAC under the public key, which everybody knows."""
    secret = OctKey.import_key(json.dumps(client.key.as_dict(private=False)))
    return client.sign(client.claims(), "HS256", secret)


def with_public_pem_as_secret(client: Client) -> str:
    head = part({"alg": "HS256"})
    text = f"{head}.{part(client.claims())}"
    secret = client.key.as_pem(private=False)
    return f"{text}.{b64(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def with_key_in_the_header(client: Client) -> str:
    own = ECKey.generate_key("P-256")
    registry = JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    header = {"alg": "ES256", "jwk": own.as_dict(private=False)}
    return jws.serialize_compact(header, json.dumps(client.claims()), own, registry=registry)


def cut_short(client: Client) -> str:
    return client.sign(client.claims())[:-4]


def with_other_claims(client: Client) -> str:
    head, _, signature = client.sign(client.claims()).split(".")
    return f"{head}.{part(client.claims())}.{signature}"


FORGERIES: dict[str, Callable[[Client], str]] = {
    "another key": lambda client: client.sign(client.claims(), key=ECKey.generate_key("P-256")),
    "another curve": lambda client: client.sign(client.claims(), "ES384", ECKey.generate_key("P-384")),
    "an rsa-sized text": lambda client: "x" * 9000,
    "none": unsigned,
    "HS256 with the public key": with_public_key_as_secret,
    "HS256 with the public pem": with_public_pem_as_secret,
    "its own key in the header": with_key_in_the_header,
    "cut short": cut_short,
    "other claims": with_other_claims,
    "the gateway's own token": lambda client: client.token(client.sign(client.claims())).json()[
        "access_token"
    ],
    "no jwt": lambda client: "not-a-jwt",
    "two dots": lambda client: "..",
    "no object": lambda client: client.sign(client.claims()).split(".")[0] + ".W10.AAAA",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_assertion_is_refused_alike(client: Client, forgery: str) -> None:
    answer = client.token(FORGERIES[forgery](client))
    assert answer.status_code in (400, 401), answer.text
    assert answer.json() == {"error": "invalid_client"}
    assert "www-authenticate" not in answer.headers or "assertion" not in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "unsupported_grant_type"),
        ({"client_assertion_type": "x"}, "invalid_client"),
        ({"client_assertion": ""}, "invalid_client"),
    ],
)
def test_a_form_of_another_kind_is_refused(client: Client, form: dict[str, str], error: str) -> None:
    answer = client.token(client.sign(client.claims()), **form)
    assert answer.status_code in (400, 401)
    assert answer.json() == {"error": error}


@pytest.mark.parametrize("body", ["", "x", "a=1&" * 30, "grant_type=client_credentials"])
def test_something_that_is_no_form_is_refused(gateway: TestGateway, body: str) -> None:
    answer = gateway.call.post(
        "/oauth2/token", content=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert answer.status_code in (400, 401)


def test_a_secret_in_the_form_is_no_way_in(client: Client) -> None:
    answer = client.gateway.call.post(
        "/oauth2/token",
        data={"grant_type": "client_credentials", "client_id": client.id, "client_secret": ""},
    )
    assert answer.status_code in (400, 401)


def test_revoking_a_client_counts_at_once(gateway: TestGateway, client: Client) -> None:
    token = client.token(client.sign(client.claims())).json()["access_token"]
    assert use(gateway, token) == 200
    assert gateway.revoke(client.id)
    assert use(gateway, token) == 401
    refused = client.token(client.sign(client.claims()))
    assert refused.json() == {"error": "invalid_client"}
    assert not gateway.revoke(client.id)


def crafted(
    client: Client, key: Any = None, alg: str = "ES256", typ: str | None = "at+jwt", **changes: Any
) -> str:
    """An access token as the gateway would sign it, but for the changes."""
    now, issuer = int(time.time()), client.gateway.url
    usual = {
        "iss": issuer,
        "aud": issuer,
        "sub": client.id,
        "client_id": client.id,
        "iat": now,
        "exp": now + 300,
        "jti": os.urandom(8).hex(),
        "agency": "education",
        "role": "dropout_lead",
        "region": COUNTY,
        "scope": "huxue",
    }
    claims = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    header = {"alg": alg, **({"typ": typ} if typ else {})}
    signer = key or client.gateway.parts.keys.token_key
    return jwt.encode(header, claims, signer, registry=JWSRegistry(algorithms=[alg]))


def test_the_crafted_token_as_such_works(gateway: TestGateway, client: Client) -> None:
    assert use(gateway, crafted(client)) == 200


WRONG_TOKENS: dict[str, Callable[[], dict[str, Any]]] = {
    "expired": lambda: {"exp": int(time.time()) - 1},
    "lives forever": lambda: {"exp": None},
    "exp is a text": lambda: {"exp": "tomorrow"},
    "another issuer": lambda: {"iss": "https://elsewhere.example"},
    "no issuer": lambda: {"iss": None},
    "another audience": lambda: {"aud": "https://elsewhere.example"},
    "no audience": lambda: {"aud": None},
    "no subject": lambda: {"sub": None},
    "an unknown subject": lambda: {"sub": "nobody"},
    "a subject that is no text": lambda: {"sub": 5},
    "no agency": lambda: {"agency": None},
    "no role": lambda: {"role": None},
    "a list of roles": lambda: {"role": ["dropout_lead"]},
    "no region": lambda: {"region": None},
    "not yet valid": lambda: {"nbf": int(time.time()) + 3600},
    "another type": lambda: {"typ": "JWT"},
    "no type": lambda: {"typ": None},
    "another key": lambda: {"key": ECKey.generate_key("P-256")},
}


@pytest.mark.parametrize("wrong", WRONG_TOKENS)
def test_an_access_token_that_is_not_ours_or_not_good_any_more_is_refused(
    gateway: TestGateway, client: Client, wrong: str
) -> None:
    assert use(gateway, crafted(client, **WRONG_TOKENS[wrong]())) == 401


def test_a_tampered_access_token_is_refused(gateway: TestGateway, client: Client) -> None:
    head, body, signature = crafted(client).split(".")
    claims = json.loads(unb64(body))
    claims["region"] = "53"
    forged = part(claims)
    assert use(gateway, f"{head}.{forged}.{signature}") == 401
    assert use(gateway, f"{head}.{body}.{signature[:-2]}AA") == 401
    assert use(gateway, f"{head}.{body}.") == 401


def test_an_access_token_ends_while_it_is_remembered(gateway: TestGateway, client: Client) -> None:
    token = crafted(client, exp=int(time.time()) + 2)
    assert use(gateway, token) == 200
    time.sleep(2.1)
    assert use(gateway, token) == 401


def test_an_assertion_is_no_access_token(gateway: TestGateway, client: Client) -> None:
    assert use(gateway, client.sign(client.claims())) == 401


def test_a_token_of_a_role_that_does_not_exist_may_do_nothing(gateway: TestGateway, client: Client) -> None:
    assert use(gateway, crafted(client, role="no_such_role")) == 403
    assert use(gateway, crafted(client, agency="no_such_agency")) == 403
    assert use(gateway, crafted(client, region="everywhere")) == 403


def test_metadata_is_rfc_8414s(gateway: TestGateway) -> None:
    found = gateway.call.get("/.well-known/oauth-authorization-server").json()
    assert found["issuer"] == gateway.url
    assert found["token_endpoint"] == f"{gateway.url}/oauth2/token"
    assert found["token_endpoint_auth_methods_supported"] == ["private_key_jwt"]
    assert {"ES256", "EdDSA"} <= set(found["token_endpoint_auth_signing_alg_values_supported"])
    assert found["grant_types_supported"] == ["client_credentials"]
    assert gateway.call.get(found["jwks_uri"]).status_code == 200


def test_published_keys_are_public_and_verify_tokens(gateway: TestGateway, client: Client) -> None:
    keys = gateway.call.get("/.well-known/jwks.json").json()["keys"]
    assert len(keys) == 1
    assert keys[0]["kid"]
    assert not {"d", "k", "p", "q"} & set(keys[0])
    token = client.token(client.sign(client.claims())).json()["access_token"]
    assert jwt.decode(token, ECKey.import_key(keys[0]), algorithms=["ES256"]).claims["sub"] == client.id


def huxue(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    command = [sys.executable, "-W", "error", "-c", "from gateway.cli import main; main()", *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HUXUE_")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=clean | environment
    )


Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Command]:
    """The command line in this process: its exit code and all it said."""
    umask = os.umask(0o077)
    handlers, raising = list(logging.getLogger().handlers), logging.raiseExceptions

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["huxue", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        return int(left.value.code or 0), shown.out + shown.err

    yield run
    os.umask(umask)
    logging.getLogger().handlers, logging.raiseExceptions = handlers, raising


def adding(gateway: TestGateway, out: Path, **changes: str) -> list[str]:
    given = {"agency": "human_resources", "role": "recruitment_checker", "region": COUNTY, **changes}
    options = [part for name, value in given.items() for part in (f"--{name}", value)]
    return ["client", "add", "--data", str(gateway.data), "--out", str(out), *options]


def test_the_command_line_adds_uses_and_revokes_a_client(
    gateway: TestGateway, tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "client.json"
    added = huxue(*adding(gateway, out))
    assert (added.returncode, added.stderr) == (0, "")
    assert private(out)
    document = json.loads(out.read_text())
    assert added.stdout.strip() == document["client_id"]
    assert document["key"]["d"] not in added.stdout

    token = huxue("token", "--client", str(out), "--url", gateway.url)
    assert (token.returncode, token.stderr) == (0, "")
    headers = {"Authorization": f"Bearer {token.stdout.strip()}"}
    assert gateway.call.get("/v1/catalogue", headers=headers).status_code == 200

    revoked = huxue("client", "revoke", "--data", str(gateway.data), "--client", str(out))
    assert (revoked.returncode, revoked.stdout.strip()) == (0, f"revoked {document['client_id']}")
    assert gateway.call.get("/v1/catalogue", headers=headers).status_code == 401
    code, shown = command("token", "--client", str(out), "--url", gateway.url)
    assert code == 2
    assert "Traceback" not in shown
    assert "eyJ" not in shown
    code, shown = command("client", "revoke", "--data", str(gateway.data), "--client", document["client_id"])
    assert code == 2
    assert "no active client" in shown
    acts = [each for each in gateway.acts() if document["client_id"] in each["detail"]]
    assert [(each["detail"].partition(":")[0], each["region"]) for each in acts] == [
        ("client-added", COUNTY),
        ("client-revoked", COUNTY),
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"role": "no_such_role"}, "no role human_resources/no_such_role"),
        ({"agency": "no_such_agency"}, "no role no_such_agency/recruitment_checker"),
        ({"region": "12345"}, "2, 4, 6, 9 or 12 digits"),
        ({"agency": "school", "role": "class_teacher"}, "--school"),
        ({"school": "2153001234"}, "--school"),
        ({"agency": "school", "role": "class_teacher", "school": "!"}, "4 to 20 letters or digits"),
    ],
    ids=str,
)
def test_a_client_that_cannot_be_is_named_clearly(
    gateway: TestGateway, tmp_path: Path, command: Command, changes: dict[str, str], said: str
) -> None:
    code, shown = command(*adding(gateway, tmp_path / "client.json", **changes))
    assert code == 2
    assert said in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "client.json").exists()


def test_a_key_file_is_never_overwritten(gateway: TestGateway, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "client.json"
    out.write_text("precious")
    code, shown = command(*adding(gateway, out))
    assert code == 2
    assert "already there" in shown
    assert out.read_text() == "precious"


def test_a_missing_data_folder_is_said_and_not_made(tmp_path: Path, command: Command) -> None:
    missing = tmp_path / "none"
    code, shown = command("client", "revoke", "--data", str(missing), "--client", "x")
    assert code == 2
    assert "missing: data folder" in shown
    assert not missing.exists()


@pytest.mark.parametrize(
    ("more", "said"), [((), "huxue keys create"), (("--as-of", "2026-11-20"), "demo profile only")]
)
def test_production_does_not_start_on_nothing(
    tmp_path: Path, command: Command, more: tuple[str, ...], said: str
) -> None:
    code, shown = command("serve", "--port", "0", "--data", str(tmp_path / "none"), *more)
    assert code == 2
    assert said in shown
