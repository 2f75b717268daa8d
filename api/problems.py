"""Turn failures into `application/problem+json` (RFC 9457): the only map to HTTP statuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from holdfast.api.faults import fault
from holdfast.api.words import preferred, said
from holdfast.core.error_texts import told, translated
from holdfast.core.errors import Conflict, Corrupt, HoldfastError, NotFound, Refused, Unavailable
from holdfast.core.rights import Forbidden, NotInPerson
from holdfast.indexer.query_language.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

MEDIA_TYPE = "application/problem+json"
DOCS = "https://holdfast.example/docs/api#"
"""Where a problem's type is explained: a name, which need not be reachable."""
RETRY_AFTER_S = 5
LANGUAGE = "holdfast.language"
"""Where a page leaves the language that its reader chose, in the scope of the request."""


class Unauthenticated(HoldfastError):
    """Nobody is known by what was shown; which part of it was wrong is not said."""


class TooManyRequests(HoldfastError):
    """More requests than the limit; fact `retry_after_s` says when to come again."""


class StaleVersion(Conflict):
    """The thing was changed since it was read (If-Match)."""


class Unprocessable(Refused):
    """Understood, and wrong: fact `pointer` names the place in the body."""


class KeyReused(Refused):
    """The Idempotency-Key belongs to another request."""


class InProgress(Conflict):
    """The same request, with the same Idempotency-Key, is being done."""


CODES: tuple[tuple[type[HoldfastError], int, str], ...] = (
    (Unauthenticated, 401, "unauthenticated"),
    (NotInPerson, 403, "not_in_person"),
    (Forbidden, 403, "forbidden"),
    (NotFound, 404, "not_found"),
    (InProgress, 409, "in_progress"),
    (StaleVersion, 412, "stale_version"),
    (Conflict, 409, "conflict"),
    (TooManyRequests, 429, "too_many_requests"),
    (QueryError, 400, "query_not_understood"),
    (KeyReused, 422, "key_reused"),
    (Unprocessable, 422, "unprocessable"),
    (Refused, 400, "refused"),
    (Unavailable, 503, "unavailable"),
    (Corrupt, 500, "corrupt"),
)
"""Kind of error → status and code; the first that fits."""
_SHOWN_FACTS = (
    "caret",
    "position",
    "matters",
    "ids",
    "action",
    "pointer",
    "version",
    "hindrance",
)
_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "media_type"}


def problem(request: Request, kind: tuple[int, str], detail: str, **facts: object) -> JSONResponse:
    """Return the answer of one failure.

    Args:
        request: What failed.
        kind: Status and code.
        detail: Cause and next step, in the language of `reader_language`.
        facts: Further members; `errors` is a list of pointers and details.
    """
    status, code = kind
    language = reader_language(request)
    body: dict[str, Any] = {
        "type": DOCS + code,
        "title": said(f"problem.{code}", language),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": request.scope.get("holdfast.request_id", ""),
        "errors": [],
        **facts,
    }
    headers = {"Content-Language": language, "Vary": "Accept-Language"}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in {429, 503}:
        headers["Retry-After"] = str(body.get("retry_after_s", RETRY_AFTER_S))
    return JSONResponse(body, status, headers, MEDIA_TYPE)


def reader_language(request: Request) -> str:
    """Return the language that was chosen on the pages, else what the client asks for."""
    chosen = request.scope.get(LANGUAGE)
    return str(chosen) if chosen else preferred(request.headers.get("accept-language", ""))


ReaderLanguage = Annotated[str, Depends(reader_language)]


def status_of(error: HoldfastError) -> tuple[int, str]:
    """Return status and code of a failure."""
    for kind, status, code in CODES:
        if isinstance(error, kind):
            return status, code
    return 500, "failed"


def _known(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HoldfastError):  # the framework hands over what was asked for
        raise error
    status, code = status_of(error)
    facts = {name: error.facts[name] for name in _SHOWN_FACTS if name in error.facts}
    if "retry_after_s" in error.facts:
        facts["retry_after_s"] = error.facts["retry_after_s"]
    language = reader_language(request)
    cause = translated(error.cause, language)
    errors: list[dict[str, object]] = []
    if isinstance(error, QueryError):
        where = said("query.position", language).format(position=error.position)
        errors = [{"pointer": "/query", "detail": f"{cause}{where}"}]
    elif "pointer" in facts:
        errors = [{"pointer": facts.pop("pointer"), "detail": cause}]
    return problem(request, (status, code), told(error, language), **{**facts, "errors": errors})


def _invalid(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    language = reader_language(request)
    errors = [
        {"pointer": "/" + "/".join(map(str, one["loc"])), "detail": fault(one, language)}
        for one in error.errors()
    ]
    detail = errors[0]["detail"] if errors else ""
    return problem(request, (422, "unprocessable"), detail, errors=errors)


def _http(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    code = _HTTP_CODES.get(error.status_code, "refused")
    language = reader_language(request)
    detail = translated(str(error.detail), language)
    answer = problem(request, (error.status_code, code), detail)
    answer.headers.update(error.headers or {})
    return answer


DETAILED: dict[type[Exception], Callable[[Request, Exception], JSONResponse]] = {
    HoldfastError: _known,
    RequestValidationError: _invalid,
    HTTPException: _http,
}
"""Kind of failure → what says it as a problem."""
