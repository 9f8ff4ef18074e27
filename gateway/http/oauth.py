"""The token endpoint: OAuth 2 client credentials, client authenticated by `private_key_jwt` (RFC 7523, RFC 9068).

Authlib's server parts carry the protocol. Ours: assertions live five minutes at most and are used once, only ES256
and EdDSA sign them, and a token says agency, role and region of the client that asked.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from authlib.oauth2.rfc6749 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry

from gateway.domain.model import ClientRecord
from gateway.domain.ports import Clients

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
TOKEN_SECONDS = 300
ASSERTION_SECONDS = 300
ASSERTION_ALGORITHMS = ["ES256", "Ed25519", "EdDSA"]
_LEEWAY = 30
_METHOD = "private_key_jwt"
_SCOPE = "huxue"
_TEXT_LIMIT = 8192


class _OAuthClient:
    """What Authlib asks of a client."""

    def __init__(self, record: ClientRecord) -> None:
        self.record = record

    def get_client_id(self) -> str:
        return self.record.id

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == _METHOD and endpoint == "token"

    def check_grant_type(self, grant_type: str) -> bool:
        return bool(grant_type == ClientCredentialsGrant.GRANT_TYPE)

    def get_allowed_scope(self, _scope: str) -> str:
        return _SCOPE


class _Request(OAuth2Request):  # type: ignore[misc]
    """A token request; TLS ends at the proxy in front, so the address given to Authlib is https by construction."""

    def __init__(self, form: Mapping[str, str]) -> None:
        super().__init__("POST", "https://gateway" + TOKEN_PATH)
        self.payload = BasicOAuth2Payload(dict(form))

    @property
    def form(self) -> Mapping[str, str]:
        return self.payload.data  # type: ignore[no-any-return]


class _Grant(ClientCredentialsGrant):  # type: ignore[misc]
    TOKEN_ENDPOINT_AUTH_METHODS = (_METHOD,)


class _Assertion(JWTBearerClientAssertion):  # type: ignore[misc]
    """Client assertions: short-lived, used once, signed with an algorithm of ours."""

    CLIENT_AUTH_METHOD = _METHOD

    def __init__(self, clients: Clients, audiences: list[str]) -> None:
        super().__init__(leeway=_LEEWAY)
        self._clients, self._audiences = clients, audiences

    def get_audiences(self) -> list[str]:
        return self._audiences

    def extract_assertion(self, assertion: str) -> Any:
        if len(assertion) > _TEXT_LIMIT:
            raise InvalidClientError
        return super().extract_assertion(assertion)

    def resolve_client_public_key(self, client: _OAuthClient) -> Mapping[str, str]:
        return client.record.public_key

    def process_assertion_claims(self, assertion: str, key: Any) -> Any:
        """Decode with the client's own key and only with our algorithms."""
        if not isinstance(key, ECKey | OKPKey):
            raise InvalidClientError
        try:
            token = jwt.decode(assertion, key, registry=_REGISTRY)
        except (JoseError, ValueError) as error:
            raise InvalidClientError from error
        self.verify_claims(token.claims)
        return token.claims

    def validate_jti(self, claims: Mapping[str, Any], jti: object) -> bool:
        expires = claims["exp"]
        if (
            not isinstance(jti, str)
            or not jti.isascii()
            or not 8 <= len(jti) <= 200
            or not isinstance(expires, int)
        ):
            return False
        if expires > time.time() + ASSERTION_SECONDS + _LEEWAY:
            raise InvalidClientError(description="An assertion lives five minutes at most.")
        return self._clients.use_assertion(claims["sub"], jti, datetime.fromtimestamp(expires + _LEEWAY, UTC))


class _Registry(JWSRegistry):
    """`EdDSA` (RFC 8037) is read as what it means here, `Ed25519` (RFC 9864)."""

    def get_alg(self, name: str) -> Any:
        return super().get_alg("Ed25519" if name == "EdDSA" else name)


_REGISTRY = _Registry(algorithms=ASSERTION_ALGORITHMS)


class _TokenGenerator(JWTBearerTokenGenerator):  # type: ignore[misc]
    """RFC 9068 access tokens with the claims of the interface contract."""

    def __init__(self, issuer: str, key: Callable[[], ECKey]) -> None:
        super().__init__(issuer, alg="ES256", expires_generator=lambda *_: TOKEN_SECONDS)
        self._key = key

    def get_jwks(self) -> ECKey:
        return self._key()

    def get_audiences(self, _client: Any, _user: Any, _scope: Any) -> str:
        return str(self.issuer)

    def get_extra_claims(
        self, client: _OAuthClient, _type: str, _user: Any, _scope: str
    ) -> dict[str, object]:
        record = client.record
        claims: dict[str, object] = {
            "agency": record.agency,
            "role": record.role,
            "region": record.region,
            "scope": _SCOPE,
        }
        return {**claims, "school": record.school} if record.school else claims


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """An answer of the token endpoint: RFC 6749 §5.1 or §5.2."""

    status: int
    body: Mapping[str, object]
    headers: Mapping[str, str]


class TokenServer(AuthorizationServer):  # type: ignore[misc]
    """Authlib's authorization server over our clients; synchronous, for worker threads."""

    def __init__(self, clients: Clients, key: Callable[[], ECKey], issuer: str, audiences: list[str]) -> None:
        super().__init__()
        self._clients = clients
        self.register_client_auth_method(_METHOD, _Assertion(clients, audiences))
        self.register_grant(_Grant)
        self.register_token_generator("default", _TokenGenerator(issuer, key))

    def query_client(self, client_id: str) -> _OAuthClient | None:
        """An active client; a revoked one does not exist."""
        if len(client_id) > 100 or not client_id.isascii():
            return None
        record = self._clients.get(client_id)
        return _OAuthClient(record) if record and record.revoked_at is None else None

    def save_token(self, token: Any, request: Any) -> None:
        """Tokens are self-contained; there is nothing to keep."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """No signals are used."""

    def create_oauth2_request(self, request: Mapping[str, str]) -> _Request:
        """The form of a token request as Authlib wants it."""
        return _Request(request)

    def handle_response(self, status: int, body: Any, headers: Any) -> TokenAnswer:
        """Authlib's answer as ours; error descriptions are dropped, so that nothing is learnt by probing."""
        content = json.loads(body) if isinstance(body, str) else dict(body)
        if status != 200:
            content = {"error": content.get("error", "invalid_request")}
        return TokenAnswer(status, content, {"Cache-Control": "no-store", **dict(headers)})

    def token(self, form: Mapping[str, str]) -> TokenAnswer:
        """Answer a token request."""
        try:
            answer: TokenAnswer = self.create_token_response(form)
        except (RecursionError, ValueError):
            # A claim that is no text, or a nest of brackets, before the signature could be looked at.
            return TokenAnswer(400, {"error": "invalid_client"}, {"Cache-Control": "no-store"})
        return answer


def metadata(issuer: str) -> dict[str, object]:
    """RFC 8414 authorization server metadata."""
    return {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "jwks_uri": issuer + "/.well-known/jwks.json",
        "grant_types_supported": [ClientCredentialsGrant.GRANT_TYPE],
        "response_types_supported": [],
        "scopes_supported": [_SCOPE],
        "token_endpoint_auth_methods_supported": [_METHOD],
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
    }
