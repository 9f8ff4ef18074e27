"""Every route of the application declares who may call it and where its purpose stands, and keeps its word."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from gateway.http.declared import AuthenticatorName, PurposePlace
from gateway.http.routers import (
    audit,
    cases,
    catalogue,
    deletions,
    disclosures,
    duties,
    entrance,
    exchanges,
    handovers,
    identity,
    jobs,
    leads,
    ledgers,
    notices,
    pseudonyms,
    referrals,
    reports,
)
from tests.harness import TestGateway

MODULES = (
    *(entrance, catalogue, exchanges, jobs, leads, identity, disclosures, audit, deletions, pseudonyms),
    *(cases, duties, ledgers, notices, reports, referrals, handovers),
)
ROUTERS = tuple(module.router for module in MODULES)
# The document about the routes; the framework's own.
FRAMEWORKS_OWN = {"/openapi.json"}


def walk(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    """Every route, those of included routers too."""
    for route in routes:
        inner = getattr(getattr(route, "original_router", route), "routes", None)
        if inner:
            yield from walk(inner)
        else:
            yield route


def key(route: APIRoute) -> str:
    return f"{'|'.join(sorted(route.methods))} {route.path}"


DECLARED = [route for router in ROUTERS for route in walk(router.routes) if isinstance(route, APIRoute)]


@pytest.fixture(scope="module")
def document(county: TestGateway) -> dict[str, Any]:
    return county.call.get("/openapi.json").json()


def test_the_application_has_these_routes_and_no_other(county: TestGateway) -> None:
    found = list(walk(county.app.routes))
    assert {key(route) for route in found if isinstance(route, APIRoute)} == set(map(key, DECLARED))
    assert {route.path for route in found if not isinstance(route, APIRoute)} == FRAMEWORKS_OWN
    assert len(DECLARED) > 15


@pytest.mark.parametrize("route", DECLARED, ids=key)
def test_a_route_declares_authenticator_and_purpose(route: APIRoute) -> None:
    extra = route.openapi_extra or {}
    assert extra.get("x-authenticator") in get_args(AuthenticatorName)
    assert extra.get("x-purpose") in get_args(PurposePlace)
    assert route.summary


@pytest.mark.parametrize("route", DECLARED, ids=key)
def test_a_purpose_in_the_query_is_a_parameter_and_one_in_the_body_a_member(route: APIRoute) -> None:
    extra = route.openapi_extra or {}
    names = {parameter.name for parameter in route.dependant.query_params}
    assert ("purpose" in names) is (extra["x-purpose"] == "query")
    if extra["x-purpose"] == "body":
        assert "purpose" in extra["requestBody"]["content"]["application/json"]["schema"]["required"]


def guarded() -> list[tuple[str, str]]:
    return [
        (method, re.sub(r"\{[^}]*\}", "x", route.path))
        for route in DECLARED
        if (route.openapi_extra or {}).get("x-authenticator") == "access_token"
        for method in sorted(route.methods)
    ]


@pytest.mark.parametrize(("method", "path"), guarded())
@pytest.mark.parametrize("header", [None, "Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5", "x"], ids=str)
def test_without_a_token_every_guarded_route_says_unauthenticated(
    county: TestGateway, method: str, path: str, header: str | None
) -> None:
    headers = {"Authorization": header} if header is not None else {}
    query = {"purpose": "child_relief", "region": "530423"}
    answer = county.call.request(method, path, params=query, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["type"].endswith("/problems/unauthenticated")
    assert "x-content-type-options" in answer.headers


@pytest.mark.parametrize(("method", "path"), guarded())
def test_a_query_parameter_that_there_is_none_of_is_refused(
    county: TestGateway, method: str, path: str
) -> None:
    if path.endswith("/ask"):
        return  # past the framework; its query is never looked at
    headers = county.headers("education/dropout_lead")
    for query, pointer in (("regoin=530423", "/query/regoin"), ("530423201503050011=1", "/query")):
        answer = county.call.request(method, f"{path}?{query}", headers=headers)
        assert answer.status_code == 400
        (flaw,) = answer.json()["errors"]
        assert (flaw["code"], flaw["pointer"]) == ("unknown_parameter", pointer)


def test_a_parameter_that_stands_twice_is_refused_not_the_last_one_taken(county: TestGateway) -> None:
    headers = county.headers("education/dropout_lead")
    answer = county.call.get("/v1/duties?region=530423&region=530424", headers=headers)
    assert answer.status_code == 400
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/query/region"]


def test_a_guarded_route_does_not_read_the_body_of_a_stranger(county: TestGateway) -> None:
    answer = county.call.post("/v1/exchanges/applicant-check/ask", content=b"x" * 100_000)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        re.sub(r"\{[^}]*\}", "malformed", route.path)
        for route in DECLARED
        if (route.openapi_extra or {}).get("x-authenticator") == "public"
    ],
)
def test_a_public_route_answers_anybody(county: TestGateway, path: str) -> None:
    assert county.call.get(path).status_code == 200


def test_the_document_has_every_route(document: dict[str, Any]) -> None:
    written = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    declared = {(route.path, method) for route in DECLARED for method in route.methods}
    assert written == {(path.replace(":path}", "}"), method) for path, method in declared}


def references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == "$ref")
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_the_document_is_whole(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert {"title", "version"} <= set(document["info"])
    ids = [
        operation["operationId"] for methods in document["paths"].values() for operation in methods.values()
    ]
    assert len(ids) == len(set(ids))
    for reference in references(document):
        node: Any = document
        for part in reference.removeprefix("#/").split("/"):
            assert part in node, reference
            node = node[part]


def test_every_operation_is_well_formed(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            placed = {each["name"] for each in operation.get("parameters", []) if each["in"] == "path"}
            assert placed == set(re.findall(r"\{([^}]*)\}", path))
            assert all(each["required"] for each in operation.get("parameters", []) if each["in"] == "path")
            assert operation["responses"]
            assert all("description" in each for each in operation["responses"].values())
            for requirement in operation.get("security", []):
                assert set(requirement) <= set(schemes)
            assert bool(operation.get("security")) is (operation["x-authenticator"] == "access_token")


def test_refusals_are_documented_as_problems(document: dict[str, Any]) -> None:
    problem = document["components"]["schemas"]["Problem"]
    assert {"type", "title", "status", "detail", "correlation_id"} <= set(problem["required"])
    for methods in document["paths"].values():
        for operation in methods.values():
            if operation["x-authenticator"] == "access_token":
                assert {"401", "403", "503"} <= set(operation["responses"])
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert "application/problem+json" in response["content"]


def test_no_answer_promises_the_frameworks_own_error(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in str(document["paths"])


def test_a_path_or_method_that_is_not_there_looks_like_one_not_permitted(county: TestGateway) -> None:
    headers = county.headers("education/dropout_lead")
    answers = [
        county.call.get("/v1/nothing", headers=headers),
        county.call.put("/v1/leads", headers=headers),
        county.call.get("/docs", headers=headers),
        county.call.get("/v1/catalogue/nothing", headers=headers),
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({tuple(sorted(shape(answer).items())) for answer in answers}) == 1


def shape(answer: httpx.Response) -> dict[str, str]:
    return {name: str(value) for name, value in answer.json().items() if name != "correlation_id"}
