"""Pages for people, drawn here and served from one origin; they decide nothing about the archive.

`ROUTERS` is the whole list. A page uses the same functions as the API, under the same rights.
"""

from __future__ import annotations

from holdfast.api.pages import (
    account,
    assets,
    embedded,
    matters,
    messages,
    people,
    searching,
    signing,
    vouching,
)

ROUTERS = (
    assets.router,
    signing.router,
    account.router,
    vouching.router,
    searching.router,
    messages.router,
    people.router,
    matters.router,
    embedded.router,
)
