"""The OpenAPI document: FastAPI's, with the shapes of answers that are written as bytes, and how one gets in."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from gateway.http.case_shapes import CASE_MODELS
from gateway.http.declared import problem_response
from gateway.http.oauth import TOKEN_PATH
from gateway.http.report_shapes import ReportModel
from gateway.http.wire import MODELS, ProblemModel

_MODELS: tuple[type[BaseModel], ...] = (*MODELS, *CASE_MODELS, ReportModel)


def document(app: FastAPI) -> dict[str, Any]:
    """The document, made once."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, routes=app.routes)
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = ProblemModel.model_json_schema()
        for model in _MODELS:
            schemas[model.__name__] = _shape(model)
        _own_errors(found)
        found["components"]["securitySchemes"] = {
            "access_token": {
                "type": "oauth2",
                "flows": {"clientCredentials": {"tokenUrl": TOKEN_PATH, "scopes": {"huxue": "护学"}}},
            }
        }
        app.openapi_schema = found
    return app.openapi_schema


def _shape(model: type[BaseModel]) -> dict[str, Any]:
    """The model's schema; models inside it stand beside it, not in it."""
    found = model.model_json_schema(ref_template="#/components/schemas/{model}")
    found.pop("$defs", None)
    return found


def _own_errors(found: dict[str, Any]) -> None:
    """A parameter that does not fit is `malformed` here, not the framework's own 422."""
    for methods in found["paths"].values():
        for operation in methods.values():
            if _FRAMEWORKS in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
                operation["responses"].setdefault("400", problem_response(400))
    for name in (_FRAMEWORKS, "ValidationError"):
        found["components"]["schemas"].pop(name, None)


_FRAMEWORKS = "HTTPValidationError"
