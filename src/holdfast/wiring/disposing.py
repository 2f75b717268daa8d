"""Carries out a disposal to its certificate: items, index, vault, database; decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from holdfast.core.errors import Conflict
from holdfast.core.ports import SearchIndex
from holdfast.core.query import Node, Scope
from holdfast.indexer.hits import every_hit
from holdfast.retention.certificates import Surroundings, conclude, remains_told
from holdfast.retention.disposal import Asked, Execution
from holdfast.retention.judging import Search
from holdfast.storage.catalogue.cleaning import clean
from holdfast.storage.governance.destroying import TOUCHED
from holdfast.storage.governance.disposals import KeptDisposal, disposal_of
from holdfast.storage.governance.remains import remains_of
from holdfast.storage.upkeep import compact
from holdfast.wiring.archive import Services
from holdfast.wiring.engines import log_origin

OWNER = "retention"
"""Whose search it is: a rule is about the whole archive, whoever runs it."""


def search_of(index: SearchIndex) -> Search:
    """Return a search over the whole archive, oldest first, for retention rules."""

    def search(node: Node) -> Iterator[list[int]]:
        return every_hit(index, node, Scope.whole_archive(OWNER), sort="oldest")

    return search


def execute(
    services: Services, disposal_id: int, asked: Asked, on_item: Callable[[str], None]
) -> KeptDisposal:
    """Carry out an approved disposal, or go on with one that was interrupted, to its certificate.

    One that has its certificate is returned as it is.

    Raises:
        NotFound: There is no such disposal.
        Conflict: It is not approved, cools off, or the clock cannot be believed.
        Unavailable: A part cannot be cleared now. What was destroyed stays destroyed; the same
            again goes on.
    """
    kept = disposal_of(services.store, disposal_id)
    if kept.state == "executed":
        return kept
    execution = Execution(services.store, disposal_id)
    execution.begin(asked)
    execution.run(on_item)
    space = _clear(services, disposal_id)
    services.desk.sequencer.run()
    services.log.refresh()
    return conclude(
        services.store,
        disposal_id,
        Surroundings(
            origin=log_origin(services.store.engine),
            checkpoint=services.log.note.decode(),
            backup_days=services.settings.governance.backup_days,
            space=space,
        ),
        services.store.keyring.signing_key(),
    )


def _clear(services: Services, disposal_id: int) -> dict[str, Any]:
    """Clear out of every file what belonged to destroyed messages.

    Returns:
        What was done, and what could not go yet: a certificate must not claim more (F54).
    """
    services.vault.close()  # its open segment could not be rewritten
    index = {"written_again": services.desk.feed.purge()}
    freed = compact(services.store)
    left = remains_of(services.store, disposal_id)
    return {
        "index": index,
        "vault": {"freed_bytes": freed, "remains": remains_told(left)},
        "catalogue": clean(services.store.engine, TOUCHED),
    }


def certificate_of(services: Services, disposal_id: int) -> bytes:
    """Return the certificate of a disposal that has ended, as it was signed.

    Raises:
        NotFound: There is no such disposal.
        Conflict: It has none yet.
    """
    kept = disposal_of(services.store, disposal_id)
    if kept.certificate is None:
        raise Conflict(
            "The disposal has no certificate yet.",
            next_step="It gets one when all of its items are settled.",
            state=kept.state,
        )
    return kept.certificate
