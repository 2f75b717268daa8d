"""`/healthz` and `/readyz`: whether the process lives, and whether its parts can be reached."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlalchemy import text

from holdfast.api.door import Archive
from holdfast.api.served import Served
from holdfast.core.errors import HoldfastError
from holdfast.core.ports import SearchRequest
from holdfast.core.query import NOTHING, Scope
from holdfast.storage.catalogue.engine import reading

router = APIRouter(tags=["health"])


@router.get("/healthz", operation_id="healthz")
def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    operation_id="readyz",
    responses={503: {"description": "A part cannot be reached"}},
)
def readyz(served: Archive) -> JSONResponse:
    """Say of each part whether it can be used now."""
    checks = {name: _state(check, served) for name, check in _CHECKS.items()}
    is_ready = all(one == "ok" for one in checks.values())
    body = {"status": "ok" if is_ready else "unavailable", "checks": checks}
    return JSONResponse(body, 200 if is_ready else 503)


def _catalogue(served: Served) -> None:
    with reading(served.store.engine) as connection:
        connection.execute(text("SELECT 1"))


def _index(served: Served) -> None:
    served.index().search(SearchRequest(NOTHING, Scope("readyz", NOTHING), limit=0))


def _vault(served: Served) -> None:
    served.store.vault.segment_names()


_CHECKS: dict[str, Callable[[Served], None]] = {
    "catalogue": _catalogue,
    "index": _index,
    "vault": _vault,
}


def _state(check: Callable[[Served], None], served: Served) -> str:
    try:
        check(served)
    except HoldfastError as error:
        return type(error).__name__.lower()  # the cause may name hosts: who asks is not known
    return "ok"
