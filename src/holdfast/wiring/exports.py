"""Hands exporting the parts of an open archive that it needs; it exports nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdfast.discovery.export_order import Archive
from holdfast.wiring.places import EXPORTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from holdfast.wiring.archive import Services


def export_archive(services: Services, mask: Callable[[str], str] | None = None) -> Archive:
    """Return the archive as exporting takes it.

    Args:
        services: The open archive.
        mask: Hides numbers in texts, for orders that are masked.
    """
    return Archive(
        store=services.store,
        index=services.index,
        log=services.log,
        sequencer=services.desk.sequencer,
        work=services.settings.data / EXPORTS,
        mask=mask,
    )
