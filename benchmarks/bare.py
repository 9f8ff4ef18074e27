"""The bare frameworks that the gateway is measured against, served in the same way."""

from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Subject(BaseModel):
    """The person asked about."""

    resident_id: str


class Question(BaseModel):
    """The body of an ask."""

    purpose: str
    subject: Subject
    employer_uscc: str | None = None


class Inner(BaseModel):
    """The fields of an answer."""

    under_16: bool
    out_of_school: str
    exception_possible: bool
    verdict: str
    lead: str | None


class Answer(BaseModel):
    """An answer of the same shape as the gateway's."""

    reference: str
    as_of: str
    answer: Inner
    missing_sources: list[str]


fastapi_app = FastAPI()
_ANSWER = Answer(
    reference="ref-aaaaaaaaaaaaaaaaaaaaaaaaaa",
    as_of="2026-11-20T00:00:00Z",
    answer=Inner(
        under_16=True, out_of_school="no", exception_possible=False, verdict="must_not_hire", lead="lead-a"
    ),
    missing_sources=[],
)


@fastapi_app.get("/hello", response_model=Answer)
async def hello() -> Answer:
    """No body, no work: the most favourable bare handler."""
    return _ANSWER


@fastapi_app.post("/ask", response_model=Answer)
async def ask(question: Question) -> Answer:
    """A body read and an answer written, and nothing in between."""
    return _ANSWER


async def _starlette(_request: Request) -> Response:
    return JSONResponse({"answer": "no"})


starlette_app = Starlette(routes=[Route("/hello", _starlette)])
