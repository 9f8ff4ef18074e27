"""Who is calling: access tokens verified once and remembered until they expire; the client asked for every time."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey
from starlette.requests import Request

from gateway.domain.errors import Unauthenticated
from gateway.domain.ports import Clients
from gateway.domain.principal import Principal

_CLAIMS = ("sub", "agency", "role", "region")
_REMEMBERED = 10_000
_TOKEN_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Session:
    """A verified token: its principal, and when it is over (seconds since the epoch)."""

    principal: Principal
    expires: float


class Authenticator:
    """Verifies access tokens (RFC 9068) of our own issuer. A revoked client fails at once, whatever its token says."""

    def __init__(self, clients: Clients, keys: Callable[[], Sequence[ECKey]], issuer: str) -> None:
        self._clients, self._keys = clients, keys
        self._verified: dict[str, Session] = {}
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": issuer},
            exp={"essential": True},
            sub={"essential": True},
        )

    def principal(self, request: Request) -> Principal:
        """The caller; Unauthenticated when there is no valid token of an active client."""
        return self.session(request).principal

    def session(self, request: Request) -> Session:
        """The caller with the time their token is over."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("请先取得访问令牌。", "An access token is needed.")
        session = self._verified.get(token) or self._verify(token)
        if session.expires <= time.time():
            self._verified.pop(token, None)
            raise Unauthenticated("访问令牌已过期。", "The access token has expired.")
        if not self.alive(session):
            raise Unauthenticated
        return session

    def alive(self, session: Session) -> bool:
        """Whether the token still counts: not over, and its client not revoked."""
        return session.expires > time.time() and self._clients.is_active(session.principal.client)

    def _verify(self, token: str) -> Session:
        if len(token) > _TOKEN_LIMIT:
            raise Unauthenticated
        try:
            found = self._decoded(token)
            self._claims.validate(found.claims)
        except (JoseError, ValueError):
            raise Unauthenticated("访问令牌无效或已过期。", "The access token is not valid.") from None
        claims = found.claims
        if found.header.get("typ") != "at+jwt" or not all(
            isinstance(claims.get(name), str) for name in _CLAIMS
        ):
            raise Unauthenticated
        principal = Principal(
            client=claims["sub"],
            agency=claims["agency"],
            role=f"{claims['agency']}/{claims['role']}",
            region=claims["region"],
            school=claims.get("school"),
        )
        return self._remember(token, Session(principal, float(claims["exp"])))

    def _decoded(self, token: str) -> Any:
        """By the signing key, or by one that signed until lately."""
        first, *others = self._keys()
        try:
            return jwt.decode(token, first, algorithms=["ES256"])
        except BadSignatureError:
            for key in others:
                with contextlib.suppress(BadSignatureError):
                    return jwt.decode(token, key, algorithms=["ES256"])
            raise

    def _remember(self, token: str, session: Session) -> Session:
        if len(self._verified) >= _REMEMBERED:
            now = time.time()
            self._verified = {key: each for key, each in self._verified.items() if each.expires > now}
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
        self._verified[token] = session
        return session
