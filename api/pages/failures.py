"""Let what fails on a page leave as a page in words; what fails in the API stays as it was.

The map from errors to statuses is that of `api.problems`: this module only dresses its answers.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException

from holdfast.api.pages.rendering import render
from holdfast.api.pages.visits import SignInNeeded, failed_visit, language_of
from holdfast.api.problems import DETAILED, LANGUAGE, problem, reader_language
from holdfast.core.error_texts import translated
from holdfast.core.errors import HoldfastError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI, Request, Response

_BROKE = "Something broke here; the request was not finished."
_NOT_PAGES = ("/api/", "/healthz", "/readyz", "/static/")


def install(app: FastAPI) -> None:
    """Handle every failure: of pages in words, of all else as problems."""
    for kind in (HoldfastError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _dressed(DETAILED[kind]))
    app.add_exception_handler(SignInNeeded, _to_sign_in)
    app.add_exception_handler(Exception, _dressed(_unforeseen))


def is_page(request: Request) -> bool:
    """Tell whether a person's browser looks at the answer."""
    return not request.url.path.startswith(_NOT_PAGES)


def _dressed(
    detailed: Callable[[Request, Exception], JSONResponse],
) -> Callable[[Request, Exception], Response]:
    def handle(request: Request, error: Exception) -> Response:
        if not is_page(request):
            return detailed(request, error)
        request.scope[LANGUAGE] = language_of(request)
        return _page(request, detailed(request, error))

    return handle


def _page(request: Request, answer: JSONResponse) -> Response:
    about: dict[str, Any] = json.loads(bytes(answer.body))
    page = render(failed_visit(request), "failure.html", {"problem": about}, answer.status_code)
    for name in ("retry-after", "allow"):
        if name in answer.headers:
            page.headers[name] = answer.headers[name]
    return page


def _unforeseen(request: Request, _error: Exception) -> JSONResponse:
    """Say that something broke here; what it was is in the log of the server alone."""
    detail = translated(_BROKE, reader_language(request))
    return problem(request, (500, "failed"), detail)


def _to_sign_in(request: Request, _error: Exception) -> Response:
    target = "/sign-in"
    if request.method == "GET":
        place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target += "?" + urlencode({"next": place})
    if request.headers.get("hx-request"):  # a part of a page: the whole page must go
        return JSONResponse({}, 401, {"HX-Redirect": "/sign-in"})
    return RedirectResponse(target, 303)
