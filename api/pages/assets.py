"""Serve the files that pages need: styles and scripts, from the package and nowhere else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, Request, Response

from holdfast.core.errors import NotFound

STATIC = Path(__file__).resolve().parents[1] / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
"""By suffix: files of other kinds there are not served."""
_FOR_EVER = "public, max-age=31536000, immutable"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    content: bytes
    media_type: str
    url: str
    """With the beginning of its hash, so that browsers may keep it for ever."""


def load_assets() -> dict[str, Asset]:
    """Read all files, by name."""
    found = {}
    for path in sorted(STATIC.iterdir()):
        if path.suffix in TYPES:
            content = path.read_bytes()
            version = hashlib.sha256(content).hexdigest()[:12]
            url = f"/static/{version}/{path.name}"
            found[path.name] = Asset(content, TYPES[path.suffix], url)
    return found


@router.get("/static/{version}/{name}")
def read_asset(version: str, name: str, request: Request) -> Response:
    """Return one file; of an older version, the one that is there now, not to be kept."""
    assets: dict[str, Asset] = request.app.state.pages.assets
    asset = assets.get(name)
    if asset is None:
        raise NotFound("There is no such file.")
    is_current = asset.url == f"/static/{version}/{name}"
    headers = {"Cache-Control": _FOR_EVER if is_current else "no-cache"}
    return Response(asset.content, media_type=asset.media_type, headers=headers)
