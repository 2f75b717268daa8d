"""A disposal that stops behind the service says why to whoever looks at it."""

from __future__ import annotations

import threading
from pathlib import Path

from api_kit import letters_office
from holdfast.core.identity import public_id, row_id
from holdfast.retention.disposal import Asked, freeze
from holdfast.storage.governance.disposals import PlannedItem
from holdfast.storage.rights.users import user_view


def test_disposal_that_stopped_behind_says_why(tmp_path: Path) -> None:
    with letters_office(tmp_path) as office:
        office.hire("ann", "compliance")
        office.hire("legal", "legal")
        store = office.services.store
        asked = Asked(user_view(store, "ann").person_id)
        item = PlannedItem(row_id("msg", office.found("legal", "budget")[0]), "{}", 1)
        kept = freeze(store, [item], asked, store.now_ms())
        path = f"/disposals/{public_id('dsp', kept.id)}"
        assert office.get("ann", path)["trouble"] == ""
        served = office.client.app.state.served  # type: ignore[attr-defined]
        served.dispose("ann", kept.id, asked)  # it is planned, and nothing more
        for thread in threading.enumerate():
            if thread.name == f"disposal-{kept.id}":
                thread.join()
        shown = office.get("ann", path)
        assert (shown["state"], shown["trouble"]) == ("planned", "The disposal is planned.")
        assert shown["remains"]["originals"] == 0
        assert office.found("legal", "budget")
