"""Domain errors as RFC 9457 problems, once, at the edge. No personal data, no policy text, no stack."""

import secrets

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.domain import errors
from gateway.domain.errors import Flaw, HuxueError
from gateway.domain.redaction import scrubbed
from gateway.http.jwks import ALGORITHMS
from gateway.http.language import language
from gateway.http.logging import log
from gateway.http.middleware import SECURITY_HEADERS

STATUS: dict[str, int] = {
    "malformed": 400,
    "unknown-purpose": 400,
    "invalid-resident-id": 400,
    "unauthenticated": 401,
    "token-not-bound": 401,
    "not-permitted": 403,
    "purpose-not-granted": 403,
    "region-out-of-reach": 403,
    "quota-exceeded-enumeration": 403,
    "officer-unnamed": 403,
    "conflict": 409,
    "idempotency-mismatch": 409,
    "identity-unreadable": 409,
    "stale": 412,
    "too-large": 413,
    "unsupported-media": 415,
    "invalid-record": 422,
    "unprintable": 422,
    "rate-limited": 429,
    "internal": 500,
    "source-unavailable": 503,
}


_ALGORITHMS = " ".join(ALGORITHMS)


def correlation_id(request: Request) -> str:
    """The id by which this request is found in the log; made on first use."""
    state = request.scope.setdefault("state", {})
    if "correlation_id" not in state:
        state["correlation_id"] = "c-" + secrets.token_hex(10)
    return str(state["correlation_id"])


def problem(request: Request, error: HuxueError) -> Response:
    """The problem document of an error."""
    lang = language(request.headers.get("accept-language"))
    status, correlation = STATUS[error.name], correlation_id(request)
    body: dict[str, object] = {
        "type": f"{request.app.state.public_url}/problems/{error.name}",
        "title": error.title_en if lang == "en" else error.title_zh,
        "status": status,
        "detail": scrubbed(error.detail_en if lang == "en" else error.detail_zh)
        or (error.title_en if lang == "en" else error.title_zh),
        "correlation_id": correlation,
    }
    if error.flaws:
        body["errors"] = [_flaw(flaw, lang) for flaw in error.flaws]
    log.info("problem", name=error.name, status=status, correlation_id=correlation)
    return Response(
        orjson.dumps(body),
        status,
        headers={**_headers(error), "X-Correlation-Id": correlation, "Content-Language": lang},
        media_type="application/problem+json",
    )


def _headers(error: HuxueError) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, errors.TokenNotBound):
        headers["WWW-Authenticate"] = f'DPoP error="{error.reason}", algs="{_ALGORITHMS}"'
    elif isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = f'Bearer error="invalid_token", DPoP algs="{_ALGORITHMS}"'
    retry = getattr(error, "retry_after", None)
    if retry is not None:
        headers["Retry-After"] = str(retry)
    return headers


def _flaw(flaw: Flaw, lang: str) -> dict[str, object]:
    parts = {
        "code": flaw.code,
        "message": scrubbed(flaw.message_en if lang == "en" else flaw.message_zh),
        "pointer": scrubbed(flaw.pointer) if flaw.pointer else flaw.pointer,
        "row": flaw.row,
        "column": flaw.column,
        "value_hint": flaw.value_hint,
    }
    return {name: value for name, value in parts.items() if value is not None}


async def on_domain_error(request: Request, error: Exception) -> Response:
    """Handler for every error the gateway raises on purpose."""
    assert isinstance(error, HuxueError)  # noqa: S101 - registered for nothing else
    return problem(request, error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """A path or method that is not there looks like one that is not permitted; FastAPI's own errors are malformed."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    if status in (404, 405, 401, 403):
        return problem(request, errors.NotPermitted())
    return problem(request, errors.Malformed())


async def on_validation_error(request: Request, error: Exception) -> Response:
    """A parameter that does not fit: which one, never its value."""
    flaws = tuple(
        Flaw(
            "bad_parameter",
            "参数缺失或格式不符。",
            "Missing, or not of the right form.",
            pointer="/" + "/".join(str(part) for part in item.get("loc", ())),
        )
        for item in getattr(error, "errors", list)()
    )
    return problem(request, errors.Malformed("请求参数有误。", "A parameter does not fit.", flaws))


async def on_unexpected(request: Request, error: Exception) -> Response:
    """Anything else: logged by type and place, told as an internal error."""
    log.error("unexpected", exc_info=error, correlation_id=correlation_id(request))
    answer = problem(request, HuxueError())
    answer.headers.update(dict(SECURITY_HEADERS))
    return answer
