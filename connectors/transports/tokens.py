"""The access token of a client: fetched when first needed, kept until shortly before it runs out.

Authlib can do this too, but its httpx integration warns that httpx is deprecated, and warnings are errors.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx

from connectors.transports.credentials import Credentials, client_assertion
from connectors.transports.dpop import NONCE_WANTED, Holder
from connectors.transports.refusals import GatewayFault, GatewayUnreachable, refusal

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MARGIN = timedelta(seconds=30)

Clock = Callable[[], datetime]


def token_form(assertion: str) -> dict[str, str]:
    """The form of a token request (RFC 7523 §2.2)."""
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }


class Tokens:
    """The one token of a client at a time; callers who need a new one together wait for the same."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        endpoint: str,
        credentials: Credentials,
        clock: Clock,
        holder: Holder | None = None,
        officer: str | None = None,
    ) -> None:
        """With a `holder` the token is bound to its key; `officer` is who is at work."""
        self._http = http
        self._holder, self._officer = holder, officer
        self._endpoint = endpoint
        self._credentials = credentials
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._until = datetime.min.replace(tzinfo=UTC)

    async def current(self, refused: str | None = None) -> str:
        """The token; a new one when it is about to run out, or is the very one the gateway just `refused`.

        Raises GatewayRefusal when the client is not known any more, GatewayUnreachable, GatewayFault.
        """
        async with self._lock:
            now = self._clock()
            if self._token == (refused or "") or now >= self._until:
                self._token, seconds = await self._fetch(now)
                self._until = now + timedelta(seconds=seconds) - MARGIN
            return self._token

    async def _fetch(self, now: datetime) -> tuple[str, int]:
        answer = await self._post(now)
        if self._holder is not None and self._holder.learn(answer) and _wants_nonce(answer):
            answer = await self._post(now)
        if not answer.is_success:
            raise await refusal(answer)
        try:
            body = answer.json()
            token, seconds, kind = str(body["access_token"]), int(body["expires_in"]), str(body["token_type"])
        except (ValueError, KeyError, TypeError):
            raise GatewayFault("malformed-token") from None
        if kind.lower() != ("bearer" if self._holder is None else "dpop"):
            raise GatewayFault("token-not-bound")
        return token, seconds

    async def _post(self, now: datetime) -> httpx.Response:
        form = token_form(client_assertion(self._credentials, self._endpoint, now, self._officer))
        proof = {} if self._holder is None else self._holder.headers("POST", self._endpoint, now)
        try:
            return await self._http.post(self._endpoint, data=form, headers=proof)
        except httpx.RequestError as error:
            raise GatewayUnreachable(type(error).__name__) from None


def _wants_nonce(answer: httpx.Response) -> bool:
    try:
        return answer.status_code == 400 and bool(answer.json().get("error") == NONCE_WANTED)
    except (ValueError, AttributeError):
        return False
