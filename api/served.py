"""What the routes work with: one archive, open, safe to use from many threads.

It must not know how the archive was opened, nor what HTTP is.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from holdfast.ingest.outbound.courier import Courier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from holdfast.api.config import ApiConfig
    from holdfast.api.oidc.provider import Provider
    from holdfast.core.ports import SearchIndex
    from holdfast.core.rights import Principal
    from holdfast.ingest.index_home import Home
    from holdfast.ingest.viewing import Viewer
    from holdfast.ingest.webhooks.intake import Hooks
    from holdfast.retention.disposal import Asked
    from holdfast.storage.audit import Sequencer
    from holdfast.storage.store import Store
    from holdfast.storage.tlog_tiles import TileLog


@dataclass(slots=True)
class Served:
    """One archive as the service uses it."""

    config: ApiConfig
    store: Store
    home: Home
    log: TileLog
    wake: Callable[[str], None]
    """Says that jobs of a kind may be due."""
    sequencer: Sequencer
    dispose: Callable[[str, int, Asked], None]
    """Carries out, behind, a disposal that has begun: on whose behalf (login), which."""
    exports: Path
    """Folder for packages that are taken from here; they hold mail in clear."""
    work: Path
    """Folder for what unfinished exports need."""
    viewer: Viewer
    """Reads originals for pages, in children."""
    hooks: Hooks
    """Keeps what webhooks bring."""
    provider: Provider | None = None
    """Through which people may sign in to the pages."""
    courier: Courier = field(default_factory=Courier)
    """Knows which endpoints would be told; the service itself tells nobody."""
    troubles: dict[int, str] = field(default_factory=dict)
    """Disposal → why what was carried out behind stopped, until it goes on."""
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False)

    def index(self) -> SearchIndex:
        """Return the index in use.

        Raises:
            Unavailable: It cannot be opened now.
        """
        with self._opening:  # else two threads would open the folder twice
            return self.home.index()

    def store_of(self, principal: Principal) -> Store:
        """Return the store as this principal uses it: what it writes is of them."""
        return replace(self.store, actor=principal.pid)
