"""An ask about one assessed child; `exchanges` hands it over, so that the route stays one."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from gateway.domain.errors import HuxueError, Unauthenticated
from gateway.http.bodies import PrivateBody
from gateway.http.context import context
from gateway.http.wire import JSON_LIMIT, decode, json_response, read_body
from gateway.services.ask_advice import AdviceQuestion


class AdviceSubject(PrivateBody):
    """The child: by the caller's own pseudonym, or by resident id."""

    resident_id: str | None = None
    pseudonym: str | None = None


class AdviceBody(PrivateBody):
    """`POST /v1/exchanges/placement-advice/ask`."""

    purpose: str
    subject: AdviceSubject


_DECODER = msgspec.json.Decoder(AdviceBody)


async def ask_advice(request: Request) -> Response:
    """The advice about one child, already in the evidence when it leaves."""
    app = context(request)
    caller = await app.auth.caller(request)
    try:
        body = decode(_DECODER, await read_body(request, JSON_LIMIT))
    except HuxueError:
        await app.auth.spend(caller)
        raise
    if not app.auth.alive(caller.session):
        raise Unauthenticated
    subject = body.subject
    question = AdviceQuestion(
        caller.principal, body.purpose, subject.resident_id, subject.pseudonym, caller.proof
    )
    try:
        return json_response(await app.ask_advice(question))
    except HuxueError as error:
        await app.auth.unspent(caller, error)
        raise
