"""Put the service together: routes, failures, limits, and what every answer carries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from holdfast import __version__
from holdfast.api.envelope import Envelope
from holdfast.api.limits import Limiter
from holdfast.api.pages import ROUTERS as PAGE_ROUTERS
from holdfast.api.pages.failures import install
from holdfast.api.pages.rendering import load_pages
from holdfast.api.routes import ROUTERS, health
from holdfast.api.shapes.common import PROBLEMS

if TYPE_CHECKING:
    from holdfast.api.served import Served

PREFIX = "/api/v1"
_ABOUT = """Everything that the archive can do, within the rights of whoever asks.

Send `Authorization: Bearer holdfast_…`. Instants are RFC 3339 in UTC. Failures are
`application/problem+json`. Lists give a `next` cursor until they end; totals are exact.
"""


def create_app(served: Served) -> FastAPI:
    """Return the service of one archive; nothing happens until it is run."""
    app = FastAPI(
        title="Holdfast",
        version=__version__,
        description=_ABOUT,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # the framework's own pages load from a foreign host
        redoc_url=None,
    )
    app.state.served = served
    app.state.limiter = Limiter(served.config.requests_per_minute)
    app.state.pages = load_pages()
    install(app)
    for router in ROUTERS:
        app.include_router(router, prefix=PREFIX, responses=PROBLEMS)
    app.include_router(health.router)
    for router in PAGE_ROUTERS:
        app.include_router(router)
    app.add_middleware(Envelope, most_body_bytes=served.config.most_body_bytes)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Say in the document how to authenticate, which the framework cannot know."""
    document = app.openapi

    def described() -> dict[str, Any]:
        made = document()
        schemes = made.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["key"] = {"type": "http", "scheme": "bearer"}
        made["security"] = [{"key": []}]
        for path in ("/healthz", "/readyz"):
            for operation in made["paths"].get(path, {}).values():
                operation["security"] = []
        return made

    app.openapi = described  # type: ignore[method-assign]
