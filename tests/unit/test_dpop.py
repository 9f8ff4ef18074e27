"""Proofs of possession, read and refused one fault at a time; RFC 9449's and RFC 8705's own examples."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from gateway.domain.base64url import b64, unb64
from gateway.domain.errors import Malformed, TokenNotBound
from gateway.http.dpop import ProofReader, Target, token_hash
from gateway.http.jwks import public_key
from gateway.http.nonces import WINDOW_SECONDS, Nonces
from gateway.http.peers import certificate_thumbprint
from tests.proofs import Ed25519, Es256, part

HERE, PATH = "https://gateway.example", "/v1/exchanges/applicant-check/ask"
NOW = 1_800_000_000.0
TOKEN = "token-of-the-test"

RFC_TOKEN_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs"
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2"
    "In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2"
    "VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37"
    "xRZT3Lg"
)
RFC_RESOURCE_PROOF = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0Rs"
    "cEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2"
    "In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm"
    "90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbV"
    "FFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
RFC_THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
RFC_ACCESS_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
RFC_8705_CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBBjCBrAIBAjAKBggqhkjOPQQDAjAPMQ0wCwYDVQQDDARtdGxzMB4XDTE4MTAx
ODEyMzcwOVoXDTIyMDUwMjEyMzcwOVowDzENMAsGA1UEAwwEbXRsczBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABNcnyxwqV6hY8QnhxxzFQ03C7HKW9OylMbnQZjjJ
/Au08/coZwxS7LfA4vOLS9WuneIXhbGGWvsDSb0tH6IxLm8wCgYIKoZIzj0EAwID
SQAwRgIhAP0RC1E+vwJD/D1AGHGzuri+hlV/PpQEKTWUVeORWz83AiEA5x2eXZOV
bUlJSGQgjwD5vaUaKlLR50Q2DmFfQj1L+SY=
-----END CERTIFICATE-----
"""
RFC_8705_THUMBPRINT = "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"


def derive(prefix: str, *parts: bytes) -> str:
    return f"{prefix}-{parts[0].hex()}"


NONCES = Nonces(derive)
NONCE = NONCES.current(NOW)


@pytest.fixture
def reader() -> ProofReader:
    return ProofReader([HERE, "http://127.0.0.1:8420"], Nonces(derive))


KEY = Es256()
THUMBPRINT = public_key("ES256", KEY.jwk)[1]
TARGET = Target("POST", PATH, token_hash(TOKEN), THUMBPRINT)


def made(
    key: Es256 = KEY, url: str = HERE + PATH, header: dict[str, Any] | None = None, **claims: Any
) -> str:
    given = {"iat": int(NOW), "nonce": NONCE, "ath": token_hash(TOKEN), **claims}
    return key.proof("POST", url, header, **given)


def refusal(reader: ProofReader, text: str, target: Target = TARGET) -> str:
    with pytest.raises(TokenNotBound) as caught:
        reader.read(text, target, NOW)
    assert caught.value.detail_zh
    assert caught.value.detail_en
    return caught.value.reason


class TestExamples:
    @pytest.mark.parametrize("text", [RFC_TOKEN_PROOF, RFC_RESOURCE_PROOF])
    def test_rfc_9449_proofs_verify_and_have_its_thumbprint(self, text: str) -> None:
        head, body, signature = text.split(".")
        header = json.loads(unb64(head))
        verify, thumbprint, _ = public_key(header["alg"], header["jwk"])
        assert thumbprint == RFC_THUMBPRINT
        assert verify(unb64(signature), f"{head}.{body}".encode())
        assert not verify(unb64(signature), f"{head}.{body}x".encode())

    def test_rfc_9449_proof_says_what_the_rfc_says(self) -> None:
        assert json.loads(unb64(RFC_TOKEN_PROOF.split(".")[1])) == {
            "jti": "-BwC3ESc6acc2lTc",
            "htm": "POST",
            "htu": "https://server.example.com/token",
            "iat": 1562262616,
        }

    def test_rfc_9449_proof_without_a_nonce_is_told_to_use_one(self) -> None:
        reader = ProofReader(["https://server.example.com"], Nonces(derive))
        assert refusal(reader, RFC_TOKEN_PROOF, Target("POST", "/token")) == "use_dpop_nonce"

    def test_rfc_9449_ath(self) -> None:
        assert token_hash(RFC_ACCESS_TOKEN) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"

    def test_rfc_8037_thumbprint(self) -> None:
        x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
        jwk = {"kty": "OKP", "crv": "Ed25519", "x": x}
        assert public_key("Ed25519", jwk)[1] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    def test_rfc_8705_certificate_in_both_forms(self) -> None:
        body = "".join(RFC_8705_CERTIFICATE.splitlines()[1:-1])
        assert certificate_thumbprint(quote(RFC_8705_CERTIFICATE)) == RFC_8705_THUMBPRINT
        assert certificate_thumbprint(f":{body}:") == RFC_8705_THUMBPRINT


@pytest.mark.parametrize("text", ["", ":", "::", ":x:", "x", ":MIIB", "%FF", "%", "-" * 20_000, "中"])
def test_a_certificate_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        certificate_thumbprint(text)


class TestAccepted:
    @pytest.mark.parametrize("key", [Es256(), Ed25519()], ids=["ES256", "Ed25519"])
    def test_a_right_proof_is_held(self, reader: ProofReader, key: Es256) -> None:
        thumbprint = public_key(key.alg, key.jwk)[1]
        target = Target("POST", PATH, token_hash(TOKEN), thumbprint)
        proof = reader.read(made(key), target, NOW)
        assert proof.held()
        assert proof.thumbprint == thumbprint
        assert NOW < proof.expires <= NOW + 2 * WINDOW_SECONDS
        assert repr(proof) == "Proof(…)"

    def test_eddsa_is_the_old_name_of_ed25519(self, reader: ProofReader) -> None:
        key = Ed25519()
        target = Target("POST", PATH, token_hash(TOKEN), public_key("EdDSA", key.jwk)[1])
        assert reader.read(made(key, header={"alg": "EdDSA"}), target, NOW).held()

    @pytest.mark.parametrize(
        "url",
        [
            f"{HERE}{PATH}?a=b#c",
            f"HTTPS://GATEWAY.example{PATH}",
            f"{HERE}:443{PATH}",
            f"http://127.0.0.1:8420{PATH}",
            f"{HERE}/v1/exchanges/applicant%2Dcheck/ask",
        ],
    )
    def test_the_same_address_otherwise_written(self, reader: ProofReader, url: str) -> None:
        assert reader.read(made(url=url), TARGET, NOW).held()

    def test_an_id_makes_a_key_of_its_own(self, reader: ProofReader) -> None:
        first, again = (reader.read(made(jti="the-same-id"), TARGET, NOW).key for _ in range(2))
        assert first == again
        assert first != reader.read(made(jti="another-id"), TARGET, NOW).key
        assert len(first) == 16


PRIVATE = b64(KEY.key.private_numbers().private_value.to_bytes(32, "big"))
OTHER = Es256()


class TestRefused:
    @pytest.mark.parametrize(
        ("claims", "reason"),
        [
            ({"htm": "GET"}, "invalid_dpop_proof"),
            ({"htm": "post"}, "invalid_dpop_proof"),
            ({"htm": None}, "invalid_dpop_proof"),
            ({"htu": None}, "invalid_dpop_proof"),
            ({"iat": None}, "invalid_dpop_proof"),
            ({"iat": "now"}, "invalid_dpop_proof"),
            ({"iat": int(NOW) - 301}, "invalid_dpop_proof"),
            ({"iat": int(NOW) + 61}, "invalid_dpop_proof"),
            ({"jti": None}, "invalid_dpop_proof"),
            ({"jti": "short"}, "invalid_dpop_proof"),
            ({"jti": "x" * 257}, "invalid_dpop_proof"),
            ({"ath": None}, "invalid_dpop_proof"),
            ({"ath": token_hash("another")}, "invalid_dpop_proof"),
            ({"nonce": None}, "use_dpop_nonce"),
            ({"nonce": ""}, "use_dpop_nonce"),
            ({"nonce": "dpop-made-up"}, "use_dpop_nonce"),
            ({"nonce": NONCES.current(NOW - 2 * WINDOW_SECONDS)}, "use_dpop_nonce"),
        ],
    )
    def test_a_claim_that_is_wrong(self, reader: ProofReader, claims: dict[str, Any], reason: str) -> None:
        assert refusal(reader, made(**claims)) == reason

    @pytest.mark.parametrize(
        "url",
        [
            f"http://gateway.example{PATH}",
            f"https://gateway.example:8443{PATH}",
            f"https://other.example{PATH}",
            f"{HERE}/v1/leads",
            HERE,
            f"{HERE}{PATH}/",
            f"{HERE}.evil.example{PATH}",
            f"https://gateway.example:x{PATH}",
            PATH,
            "https://[",
        ],
    )
    def test_another_address(self, reader: ProofReader, url: str) -> None:
        assert refusal(reader, made(url=url)) == "invalid_dpop_proof"

    @pytest.mark.parametrize(
        "header",
        [
            {"alg": "none"},
            {"alg": "HS256"},
            {"alg": "ES384"},
            {"alg": "RS256"},
            {"alg": "Ed25519"},
            {"typ": "JWT"},
            {"typ": None},
            {"crit": ["b64"], "b64": False},
            {"b64": False},
            {"jwk": None},
            {"jwk": {}},
            {"jwk": {"kty": "oct", "k": b64(b"secret")}, "alg": "HS256"},
            {"jwk": {"kty": "oct", "k": b64(b"secret")}},
            {"jwk": {**KEY.jwk, "d": PRIVATE}},
            {"jwk": {**KEY.jwk, "crv": "P-384"}},
            {"jwk": {**KEY.jwk, "x": b64(bytes(32))}},
            {"jwk": {**KEY.jwk, "x": b64(bytes(31))}},
            {"jwk": {**KEY.jwk, "x": 3}},
            {"jwk": {**KEY.jwk, "y": KEY.jwk["x"]}},
        ],
    )
    def test_a_header_that_is_wrong(self, reader: ProofReader, header: dict[str, Any]) -> None:
        assert refusal(reader, made(header=header)) == "invalid_dpop_proof"

    def test_a_secret_key_is_told_nowhere(self, reader: ProofReader) -> None:
        with pytest.raises(TokenNotBound) as caught:
            reader.read(made(header={"jwk": {**KEY.jwk, "d": PRIVATE}}), TARGET, NOW)
        assert PRIVATE not in str(caught.value) + caught.value.detail_en + caught.value.detail_zh
        assert caught.value.__cause__ is None

    def test_another_key_than_the_tokens(self, reader: ProofReader) -> None:
        assert refusal(reader, made(OTHER)) == "invalid_token"

    def test_the_holders_key_with_anothers_signature(self, reader: ProofReader) -> None:
        assert not reader.read(made(OTHER, header={"jwk": KEY.jwk}), TARGET, NOW).held()

    @pytest.mark.parametrize(
        "change", [lambda s: s[:-4], lambda s: s + "AAAA", lambda s: "A" * 86, lambda _: ""]
    )
    def test_a_signature_that_is_wrong(self, reader: ProofReader, change: Callable[[str], str]) -> None:
        head, body, signature = made().split(".")
        assert not reader.read(f"{head}.{body}.{change(signature)}", TARGET, NOW).held()

    def test_a_body_that_was_changed(self, reader: ProofReader) -> None:
        head, _, signature = made().split(".")
        _, body, _ = made().split(".")
        assert not reader.read(f"{head}.{body}.{signature}", TARGET, NOW).held()

    @pytest.mark.parametrize(
        "text",
        [
            "",
            ".",
            "..",
            "...",
            "x",
            "a.b.c",
            "中.文.字",
            "[].[].",
            f"{part([])}.{part([])}.x",
            "." + "x" * 5000,
            b64(b"[" * 2000) + ".e30.e30",
        ],
    )
    def test_text_that_is_no_proof(self, reader: ProofReader, text: str) -> None:
        assert refusal(reader, text) == "invalid_dpop_proof"

    def test_a_proof_that_is_too_long(self, reader: ProofReader) -> None:
        assert refusal(reader, made(padding="x" * 4096)) == "invalid_dpop_proof"

    def test_padding_and_plain_base64_are_not_base64url(self, reader: ProofReader) -> None:
        head, body, signature = made().split(".")
        assert refusal(reader, f"{head}=.{body}.{signature}") == "invalid_dpop_proof"
        assert refusal(reader, f"{head}.{body}.+/{signature[2:]}") == "invalid_dpop_proof"


class TestNonces:
    def test_the_same_in_every_process_and_good_for_two_windows(self) -> None:
        one, other = Nonces(derive), Nonces(derive)
        nonce = one.current(NOW)
        assert other.expiry(nonce, NOW) is not None
        start = int(NOW) // WINDOW_SECONDS * WINDOW_SECONDS
        last = start + 2 * WINDOW_SECONDS - 1
        assert other.expiry(nonce, last) == start + 2 * WINDOW_SECONDS
        assert other.expiry(nonce, last + 1) is None

    def test_a_clock_a_little_ahead_is_understood(self) -> None:
        ahead = Nonces(derive).current(NOW + WINDOW_SECONDS)
        assert Nonces(derive).expiry(ahead, NOW) is not None

    def test_it_changes(self) -> None:
        nonces = Nonces(derive)
        assert nonces.current(NOW) != nonces.current(NOW + WINDOW_SECONDS)
