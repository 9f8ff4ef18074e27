"""Every route declares who may call it and where its purpose stands; a test walks the application and holds it so."""

from typing import Any, Literal

AuthenticatorName = Literal["access_token", "client_assertion", "log_signature", "public"]
PurposePlace = Literal["body", "query", "fixed", "none"]

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_TEXTS = {
    400: "请求有误 / Malformed, unknown purpose or invalid id",
    401: "未通过身份验证 / Unauthenticated",
    403: "无权或不存在 / Not permitted, or not there",
    409: "冲突 / Conflict",
    413: "过大 / Too large",
    415: "类型不支持 / Unsupported media type",
    429: "请求过于频繁 / Rate limited",
    422: "数据无法受理 / Invalid record",
    503: "暂不可用 / Source unavailable",
}


def problem_response(status: int) -> dict[str, Any]:
    """A problem of that status, for the OpenAPI document."""
    return {"description": _TEXTS[status], "content": _PROBLEM}


def declare(
    authenticator: AuthenticatorName,
    purpose: PurposePlace,
    *statuses: int,
    request: dict[str, Any] | None = None,
    answer: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Keyword arguments for a FastAPI route: its declaration, its problems, its bodies."""
    extra: dict[str, Any] = {"x-authenticator": authenticator, "x-purpose": purpose}
    if authenticator == "access_token":
        extra["security"] = [{"access_token": []}]
        statuses = (*statuses, 400, 401, 403, 429, 503)
    if request is not None:
        extra["requestBody"] = request
    responses: dict[int | str, dict[str, Any]] = {
        status: problem_response(status) for status in sorted(set(statuses))
    }
    if answer is not None:
        responses[200] = answer
    return {"openapi_extra": extra, "responses": responses}
