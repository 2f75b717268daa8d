"""Lists the exports of chat systems that an import can read, and finds which one some files are.

The list is explicit: an export is one module and one line here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from holdfast.ingest.readers.chats.crm_pages import HUBSPOT, ZOHO
from holdfast.ingest.readers.chats.mattermost import MattermostBulk
from holdfast.ingest.readers.chats.mattermost_compliance import MattermostCompliance
from holdfast.ingest.readers.chats.salesforce import SalesforceExport
from holdfast.ingest.readers.chats.slack import SlackExport
from holdfast.ingest.readers.chats.tables import TableExport
from holdfast.ingest.readers.chats.teams import TeamsExport
from holdfast.ingest.readers.chats.telegram import TelegramExport
from holdfast.ingest.readers.chats.tree import Tree
from holdfast.ingest.readers.chats.wecom import WecomExport
from holdfast.ingest.readers.chats.whatsapp import WhatsAppExport
from holdfast.ingest.readers.offers import Offered


class Export(Protocol):
    """One kind of export."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def is_export(self, tree: Tree) -> bool:
        """Tell whether these files are such an export; reads at most their beginnings."""
        ...

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield everything that the files hold; every file is accounted for.

        Raises:
            Unpackable: A member cannot be unpacked.
            OSError: One cannot be read.
        """
        ...


EXPORTS: tuple[Export, ...] = (
    SlackExport(),
    WecomExport(),
    TeamsExport(),
    TelegramExport(),
    WhatsAppExport(),
    MattermostBulk(),
    MattermostCompliance(),
    SalesforceExport(),
    HUBSPOT,
    ZOHO,
    TableExport(),
)
"""In the order in which they are asked."""


def export_of(tree: Tree) -> Export | None:
    """Return the kind of export that these files are; None for none that is known."""
    return next((export for export in EXPORTS if export.is_export(tree)), None)
