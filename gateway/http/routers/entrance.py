"""Getting in: the token endpoint, its metadata and keys; and what anyone may see: health, version, problem types."""

import asyncio
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from gateway.domain.errors import Malformed, NotPermitted, TokenNotBound, problem_types
from gateway.domain.model import ClientRecord
from gateway.domain.principal import Principal
from gateway.http.context import Context, context
from gateway.http.declared import declare
from gateway.http.language import language
from gateway.http.oauth import TOKEN_PATH, TokenAnswer, metadata, oauth_error
from gateway.http.problems import STATUS
from gateway.http.wire import JSON_LIMIT, dump, json_response, read_body
from gateway.version import version

router = APIRouter(redirect_slashes=False)

_FORM = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "required": ["grant_type", "client_assertion_type", "client_assertion"],
                "properties": {
                    name: {"type": "string"}
                    for name in ("grant_type", "client_assertion_type", "client_assertion", "scope")
                },
            }
        }
    },
}


@router.post(
    TOKEN_PATH,
    tags=["oauth"],
    summary="取得访问令牌 / Get an access token",
    **declare("client_assertion", "none", 429, request=_FORM),
)
async def token(request: Request) -> Response:
    """OAuth 2 client credentials with `private_key_jwt`; errors as RFC 6749 §5.2."""
    body = await read_body(request, JSON_LIMIT)
    try:
        form = dict(parse_qsl(body.decode("ascii"), max_num_fields=20))
    except ValueError:
        raise Malformed from None
    answer = await _answer(request, form)
    return json_response(dump(answer.body), answer.status, {"Pragma": "no-cache", **_plain(answer.headers)})


async def _answer(request: Request, form: dict[str, str]) -> TokenAnswer:
    """Failed attempts are counted by address; a proof is spent only once the client is known."""
    app, address = context(request), context(request).binding.peers.address(request)
    barred = app.rates.barred(address)
    if barred is not None:
        raise barred.error()
    try:
        proof, confirmation = app.binding.at_token_endpoint(request, TOKEN_PATH)
        answer = await asyncio.to_thread(app.tokens.token, form, confirmation)
        if answer.client is not None:
            await _count(app, answer.client, answer.officer)
            if proof is not None:
                await app.evidence.journal.spend(proof)
    except TokenNotBound as error:
        answer = oauth_error(error.reason)
    if answer.status != 200 and answer.body["error"] != "use_dpop_nonce":
        app.rates.failed(address)
    return answer


async def _count(app: Context, client: ClientRecord, officer: str | None) -> None:
    """RateLimited when a client asks for too many tokens; the first refusal of a window is in the evidence."""
    refusal = app.rates.token(client.id)
    if refusal is None:
        return
    if refusal.first:
        role = f"{client.agency}/{client.role}"
        who = Principal(client.id, client.agency, role, client.region, client.school, officer)
        await app.evidence.refused(who, refusal.error().name)
    raise refusal.error()


def _plain(headers: object) -> dict[str, str]:
    return {str(name): str(value) for name, value in dict(headers).items() if name != "Content-Type"}  # type: ignore[call-overload]


@router.get(
    "/.well-known/oauth-authorization-server",
    tags=["oauth"],
    summary="授权服务器元数据 / Authorization server metadata",
    **declare("public", "none"),
)
async def server_metadata(request: Request) -> Response:
    """RFC 8414."""
    app = context(request)
    return Response(
        dump(metadata(app.public_url, app.binding.peers.certificates)), media_type="application/json"
    )


@router.get(
    "/.well-known/jwks.json", tags=["oauth"], summary="公钥 / Public keys", **declare("public", "none")
)
async def jwks(request: Request) -> Response:
    """RFC 7517 key set of the token signer."""
    return Response(dump(context(request).jwks()), media_type="application/json")


@router.get("/health/live", tags=["health"], summary="存活 / Alive", **declare("public", "none"))
async def live() -> Response:
    """The process answers."""
    return Response(dump({"status": "live"}), media_type="application/json")


@router.get("/health/ready", tags=["health"], summary="就绪 / Ready", **declare("public", "none", 503))
async def ready(request: Request) -> Response:
    """200 when the store can be written to and policies are loaded; 503 and what is missing otherwise."""
    report = await asyncio.to_thread(context(request).health.report)
    status = 200 if report["status"] == "ready" else 503
    return Response(dump(report), status, media_type="application/json")


@router.get("/version", tags=["health"], summary="版本 / Version", **declare("public", "none"))
async def show_version(request: Request) -> Response:
    """Software and policy versions."""
    policies = context(request).health.policy_version
    return Response(dump({"version": version(), "policies": policies}), media_type="application/json")


@router.get(
    "/problems/{name}",
    tags=["health"],
    summary="错误类型说明 / A problem type",
    **declare("public", "none", 403),
)
async def describe_problem(name: str, request: Request) -> Response:
    """What a problem type means, in the caller's language."""
    kind = problem_types().get(name)
    if kind is None:
        raise NotPermitted
    english = language(request.headers.get("accept-language")) == "en"
    title = kind.title_en if english else kind.title_zh
    return PlainTextResponse(f"{name} ({STATUS[name]})\n{title}\n{kind.__doc__}\n")
