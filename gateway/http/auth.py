"""Who is calling: access tokens verified once and remembered until they expire; the client asked for every time."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from starlette.requests import Request

from gateway.domain.errors import HuxueError, TokenNotBound, Unauthenticated
from gateway.domain.ports import Clients, Possession
from gateway.domain.principal import Principal
from gateway.http.dpop import Proof, token_hash
from gateway.http.holder import Binding, Confirmation
from gateway.http.rates import Admission, RateBook
from gateway.http.wire import header
from gateway.services.evidence import Evidence

_CLAIMS = ("sub", "agency", "role", "region")
_REMEMBERED = 10_000
_TOKEN_LIMIT = 4096

Keys = Callable[[], Sequence[ECKey]]
"""The keys that tokens may be signed with now, the newest first."""


@dataclass(frozen=True, slots=True)
class Session:
    """A verified token: its principal, when it is over (seconds since the epoch), and what it is bound to."""

    principal: Principal
    expires: float
    confirmation: Confirmation


class Caller(NamedTuple):
    """A request's session, and the proof that came with it, which somebody has yet to spend.

    With a proof there is an `admission`, asked by whoever spends it: only then is the request one of the holder's.
    """

    request: Request
    session: Session
    proof: Possession | None = None
    admission: Admission | None = None

    @property
    def principal(self) -> Principal:
        """Who it is, if the proof is right."""
        return self.session.principal


class Authenticator:
    """Verifies access tokens (RFC 9068) of our own issuer. A revoked client fails at once, whatever its token says."""

    def __init__(
        self, clients: Clients, keys: Keys, issuer: str, binding: Binding, rates: RateBook, evidence: Evidence
    ) -> None:
        self._clients, self._keys = clients, keys
        self._binding, self._rates, self._evidence = binding, rates, evidence
        self._verified: dict[str, Session] = {}
        self._claims = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": issuer},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def principal(self, request: Request) -> Principal:
        """The caller; Unauthenticated when there is no valid token of an active client."""
        return (await self.session(request)).principal

    async def session(self, request: Request) -> Session:
        """The caller with the time their token is over; a proof is spent, in a commit of its own."""
        caller = await self.caller(request)
        await self.spend(caller)
        return caller.session

    async def spend(self, caller: Caller) -> None:
        """Spend the caller's proof by itself, where nothing else will be committed."""
        if caller.proof is None:
            return
        try:
            await self._evidence.journal.spend(caller.proof)
        except HuxueError as error:
            await self.unspent(caller, error)
            raise

    async def unspent(self, caller: Caller, error: HuxueError) -> None:
        """After an error of what was to spend the proof: one that did not count is counted, but not as the holder's.

        Of the holder's own requests the first that is too many in a window is in the evidence, a flood is not.
        """
        if caller.admission is None:
            return
        if isinstance(error, TokenNotBound):
            self._rates.disproved(caller.principal.client, self._binding.peers.address(caller.request))
        refusal = caller.admission.refusal
        if refusal is not None and refusal.first:
            await self._evidence.refused(caller.principal, refusal.error().name)

    async def caller(self, request: Request) -> Caller:
        """For the hot path: whoever calls this hands the proof to the journal before anything is told."""
        scheme, _, token = next(iter(header(request, b"authorization")), "").partition(" ")
        scheme = scheme.lower()
        if scheme not in ("bearer", "dpop") or not token:
            raise Unauthenticated("请先取得访问令牌。", "An access token is needed.")
        session = self._verified.get(token) or self._verify(token)
        if session.expires <= time.time():
            self._verified.pop(token, None)
            raise Unauthenticated("访问令牌已过期。", "The access token has expired.")
        if not self.alive(session):
            raise Unauthenticated
        proof = self._binding.check(request, scheme, session.confirmation)
        if proof is None:
            await self._count(session.principal)
            return Caller(request, session)
        proof.admission = self._admission(request, session.principal, proof)
        return Caller(request, session, self._binding.looked_at(proof), proof.admission)

    def alive(self, session: Session) -> bool:
        """Whether the token still counts: not over, and its client not revoked."""
        return session.expires > time.time() and self._clients.is_active(session.principal.client)

    def _admission(self, request: Request, principal: Principal, proof: Proof) -> Admission:
        """In the holder's name nothing is counted or written before the proof has counted: another may flood with it.

        RateLimited when the holder's own requests used the window up, and where too many proofs did not count: from
        there only a right one is heard.
        """
        refusal = self._rates.used_up(principal)
        if refusal is None and self._rates.doubts(principal.client):
            refusal = self._rates.doubted(principal.client, self._binding.peers.address(request))
            if refusal is not None and proof.held():
                refusal = None
        if refusal is not None:
            raise refusal.error()
        return Admission(self._rates, principal)

    async def _count(self, principal: Principal) -> None:
        """RateLimited when there were too many requests; the first of a window is in the evidence, a flood is not."""
        refusal = self._rates.request(principal)
        if refusal is not None:
            if refusal.first:
                await self._evidence.refused(principal, refusal.error().name)
            raise refusal.error()

    def _verify(self, token: str) -> Session:
        claims = self._decoded(token) if len(token) <= _TOKEN_LIMIT else None
        if claims is None or not all(isinstance(claims.get(name), str) for name in _CLAIMS):
            raise Unauthenticated("访问令牌无效或已过期。", "The access token is not valid.")
        principal = Principal(
            client=claims["sub"],
            agency=claims["agency"],
            role=f"{claims['agency']}/{claims['role']}",
            region=claims["region"],
            school=claims.get("school"),
            officer=claims.get("officer"),
        )
        bound = claims.get("cnf") or {}
        confirmation = Confirmation(token_hash(token), bound.get("jkt"), bound.get("x5t#S256"))
        return self._remember(token, Session(principal, float(claims["exp"]), confirmation))

    def _decoded(self, token: str) -> Mapping[str, Any] | None:
        for key in self._keys():
            try:
                found = jwt.decode(token, key, algorithms=["ES256"])
                self._claims.validate(found.claims)
            except (JoseError, ValueError):
                continue
            return found.claims if found.header.get("typ") == "at+jwt" else None
        return None

    def _remember(self, token: str, session: Session) -> Session:
        if len(self._verified) >= _REMEMBERED:
            now = time.time()
            self._verified = {key: each for key, each in self._verified.items() if each.expires > now}
            if len(self._verified) >= _REMEMBERED:
                self._verified.clear()
        self._verified[token] = session
        return session
