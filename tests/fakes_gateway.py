"""A gateway small enough to see through, behind `httpx.ASGITransport`: tokens, calls, refusals.

It holds invented children only, checks what the client must get right (assertion, purpose, region, cursor,
Last-Event-ID) and remembers every call.
"""

import asyncio
import hashlib
import json
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.transports.rest import Credentials, GatewayClient

BASE = "http://gateway.test"
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
CHILD = "530423201503050028"
EMPLOYER = "91350100M000100Y43"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PERMITTED = {
    ("education/registrar", "student-register", "student_registration"),
    ("education/registrar", "attendance", "attendance_reporting"),
    ("civil_affairs/register_keeper", "relief-register", "relief_registration"),
    ("health/disability_assessor", "disability-assessment", "disability_assessment"),
    ("justice/legal_aid_officer", "case-outcome", "legal_aid"),
    ("human_resources/recruitment_checker", "applicant-check", "child_labour_check"),
    ("human_resources/recruitment_checker", "registration-check", "child_labour_check"),
    ("human_resources/labour_inspector", "sightings", "labour_inspection"),
    ("market_regulation/market_inspector", "employer-hits", "labour_inspection"),
    ("market_regulation/licence_registrar", "licence-check", "licence_check"),
    ("civil_affairs/relief_officer", "needy-children", "child_relief"),
    ("civil_affairs/relief_officer", "aid-gap", "aid_delivery"),
    ("education/aid_officer", "aid-gap", "aid_delivery"),
    ("education/aid_officer", "aid-payments", "aid_delivery"),
    ("education/registrar", "focus-groups", "student_registration"),
    ("education/placement_officer", "placement-advice", "placement"),
    ("health/disability_assessor", "placement-outcomes", "disability_assessment"),
}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


class Sleeps:
    """Instead of waiting: remembers for how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def call(client: GatewayClient, work: Callable[[GatewayClient], Awaitable[Any]]) -> Any:
    """What `work` makes with the client, which is closed afterwards."""

    async def within() -> Any:
        async with client:
            return await work(client)

    return asyncio.run(within())


def problem(status: int, name: str, **more: Any) -> Response:
    headers = {"Retry-After": "7"} if status == 503 else {}
    body = {
        "type": f"{BASE}/problems/{name}",
        "title": name,
        "status": status,
        "correlation_id": "c-0123456789",
    }
    return JSONResponse({**body, **more}, status, headers, "application/problem+json")


class FakeGateway:
    """The fake; every public attribute may be changed by a test before it calls."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.keys: dict[str, tuple[Credentials, ECKey]] = {}
        self.tokens: dict[str, str] = {}
        self.jtis: set[str] = set()
        self.calls: list[tuple[str, str]] = []
        self.expires_in = 300
        self.asked: list[dict[str, Any]] = []
        self.answers: dict[str, dict[str, Any]] = {"applicant-check": {}, "licence-check": {}}
        self.uploads: list[dict[str, Any]] = []
        self.refuse_uploads: Response | None = None
        self.upload_as_job = False
        self.items: list[dict[str, Any]] = []
        self.page_size = 2
        self.stuck_cursor = False
        self.files: dict[str, bytes] = {}
        self.manifest: dict[str, Any] = {}
        self.polls_left = 0
        self.job_location: str | None = "/v1/jobs/7"
        self.leads: dict[str, dict[str, Any]] = {}
        self.streams: list[bytes | Response] = []
        self.resumed_from: list[str | None] = []
        self.app = Starlette(routes=self._routes())

    def client(self, agency: str, role: str, **options: Any) -> GatewayClient:
        """A client of this fake, registered, on this fake's clock."""
        transport = httpx.ASGITransport(app=self.app)
        return GatewayClient(BASE, self.register(agency, role), transport, clock=self.clock, **options)

    def register(self, agency: str, role: str) -> Credentials:
        key = ECKey.generate_key("P-256", {"kid": f"{agency}-{role}-1"})
        credentials = Credentials(f"{agency}-{role}", agency, role, "530423", key)
        self.keys[credentials.client_id] = credentials, ECKey.import_key(key.as_dict(private=False))
        return credentials

    def add_file(self, name: str, content: bytes, rows: int, sha256: str | None = None) -> None:
        self.files[name] = content
        digest = sha256 or hashlib.sha256(content).hexdigest()
        entry = {"url": f"/v1/jobs/7/{name}", "rows": rows, "bytes": len(content), "sha256": digest}
        self.manifest.setdefault("files", []).append(entry)

    def count(self, path: str) -> int:
        return sum(1 for _, called in self.calls if called == path)

    def _routes(self) -> list[Route]:
        return [
            Route("/oauth2/token", self._token, methods=["POST"]),
            Route("/v1/catalogue", self._guarded(self._catalogue)),
            Route("/v1/exchanges/{exchange}/template", self._guarded(self._template)),
            Route("/v1/exchanges/{exchange}/ask", self._guarded(self._ask), methods=["POST"]),
            Route("/v1/exchanges/{exchange}/uploads", self._guarded(self._upload), methods=["POST"]),
            Route("/v1/exchanges/{exchange}/records", self._guarded(self._records)),
            Route("/v1/exchanges/{exchange}/export", self._guarded(self._export), methods=["POST"]),
            Route("/v1/jobs/7", self._guarded(self._job), methods=["GET", "DELETE"]),
            Route("/v1/jobs/7/{name}", self._guarded(self._file)),
            Route("/v1/leads", self._guarded(self._leads)),
            Route("/v1/leads/stream", self._guarded(self._stream)),
            Route("/v1/leads/{lead}/acknowledge", self._guarded(self._acknowledge), methods=["POST"]),
        ]

    async def _token(self, request: Request) -> Response:
        self.calls.append((request.method, request.url.path))
        values = dict(httpx.QueryParams((await request.body()).decode()))
        if set(values) != {"grant_type", "client_assertion_type", "client_assertion"}:
            return JSONResponse({"error": "invalid_request"}, 400)
        if (values["grant_type"], values["client_assertion_type"]) != ("client_credentials", ASSERTION_TYPE):
            return JSONResponse({"error": "unsupported_grant_type"}, 400)
        client_id = self._verified(values["client_assertion"])
        if client_id is None:
            return JSONResponse({"error": "invalid_client"}, 401)
        token = f"token-{len(self.jtis)}"
        self.tokens[token] = client_id
        kind = "DPoP" if "DPoP" in request.headers else "Bearer"
        return JSONResponse({"access_token": token, "token_type": kind, "expires_in": self.expires_in})

    def _verified(self, assertion: str) -> str | None:
        unverified = json.loads(urlsafe_b64decode(assertion.split(".")[1] + "=="))
        if unverified["iss"] not in self.keys:
            return None
        token = jwt.decode(assertion, self.keys[unverified["iss"]][1], algorithms=["ES256"])
        claims, now = token.claims, int(self.clock().timestamp())
        fresh = claims["jti"] not in self.jtis and claims["iat"] <= now < claims["exp"] <= now + 300
        self.jtis.add(claims["jti"])
        if claims["aud"] != f"{BASE}/oauth2/token" or claims["sub"] != claims["iss"] or not fresh:
            return None
        return str(claims["sub"])

    def _guarded(self, handler: Any) -> Any:
        async def guarded(request: Request) -> Response:
            self.calls.append((request.method, request.url.path))
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            if token not in self.tokens or (scheme == "DPoP") is not ("DPoP" in request.headers):
                return problem(401, "unauthenticated")
            answer: Response = await handler(request, self.keys[self.tokens[token]][0])
            return answer

        return guarded

    def _permits(self, caller: Credentials, request: Request, purpose: str | None) -> bool:
        triple = (f"{caller.agency}/{caller.role}", request.path_params["exchange"], purpose)
        return triple in PERMITTED

    async def _catalogue(self, _: Request, caller: Credentials) -> Response:
        return JSONResponse({"agency": caller.agency, "exchanges": []})

    async def _template(self, request: Request, _: Credentials) -> Response:
        return Response(f"{request.path_params['exchange']}.{request.query_params['format']}")

    async def _ask(self, request: Request, caller: Credentials) -> Response:
        body = await request.json()
        if not self._permits(caller, request, body.get("purpose")):
            return problem(403, "not-permitted", detail=json.dumps(body), title=json.dumps(body))
        if body["subject"]["resident_id"] != CHILD:
            return problem(400, "invalid-resident-id")
        self.asked.append(body)
        answer = self.answers[request.path_params["exchange"]]
        reference = f"ref-{len(self.asked)}"
        return JSONResponse(
            {"reference": reference, "as_of": "2026-11-20", "answer": answer, "missing_sources": []}
        )

    async def _upload(self, request: Request, caller: Credentials) -> Response:
        if not self._permits(caller, request, request.query_params.get("purpose")):
            return problem(403, "not-permitted")
        if self.refuse_uploads is not None:
            return self.refuse_uploads
        exchange, headers = request.path_params["exchange"], request.headers
        body = await request.body()
        kept = {"exchange": exchange, "body": body, "media_type": headers["Content-Type"]}
        self.uploads.append({**kept, "key": headers.get("Idempotency-Key")})
        receipt = {
            "upload_id": f"u-{len(self.uploads)}",
            "rows": 1,
            "accepted": 1,
            "rejected": 0,
            "errors": [],
        }
        if self.upload_as_job:
            self.manifest = receipt
            return self._started()
        return JSONResponse(receipt)

    async def _records(self, request: Request, caller: Credentials) -> Response:
        if not self._permits(caller, request, request.query_params.get("purpose")):
            return problem(403, "not-permitted")
        if request.query_params.get("region") != caller.region:
            return problem(403, "region-out-of-reach")
        return JSONResponse(self._page(self.items, request.query_params.get("cursor")))

    def _page(self, items: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
        start = int(cursor or 0)
        end = start + self.page_size
        following = "0" if self.stuck_cursor else str(end) if end < len(items) else None
        return {
            "items": items[start:end],
            "next_cursor": following,
            "as_of": "2026-11-20",
            "missing_sources": [],
        }

    async def _export(self, request: Request, caller: Credentials) -> Response:
        body = await request.json()
        if not self._permits(caller, request, body["purpose"]):
            return problem(403, "not-permitted")
        return self._started()

    def _started(self) -> Response:
        headers = {} if self.job_location is None else {"Content-Location": self.job_location}
        return Response(status_code=202, headers=headers)

    async def _job(self, request: Request, _: Credentials) -> Response:
        if request.method == "DELETE":
            return Response(status_code=204)
        if self.polls_left > 0:
            self.polls_left -= 1
            return Response(status_code=202, headers={"Retry-After": "3", "X-Progress": "half"})
        return JSONResponse(self.manifest)

    async def _file(self, request: Request, _: Credentials) -> Response:
        return Response(self.files[request.path_params["name"]])

    async def _leads(self, request: Request, caller: Credentials) -> Response:
        if (caller.agency, caller.role) != ("education", "dropout_lead"):
            return problem(403, "not-permitted")
        status = request.query_params.get("status")
        chosen = [lead for lead in self.leads.values() if status in {None, lead["status"]}]
        return JSONResponse(self._page(chosen, request.query_params.get("cursor")))

    async def _acknowledge(self, request: Request, _: Credentials) -> Response:
        lead = self.leads[request.path_params["lead"]]
        lead["status"] = "acknowledged"
        return JSONResponse(lead)

    async def _stream(self, request: Request, _: Credentials) -> Response:
        self.resumed_from.append(request.headers.get("Last-Event-ID"))
        answer = self.streams.pop(0)
        return answer if isinstance(answer, Response) else Response(answer, media_type="text/event-stream")
