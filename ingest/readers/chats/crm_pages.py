"""Name the items of pages that the API of a CRM gave: activities of HubSpot, notes of Zoho.

A page is a JSON object with a list inside, or such a list alone. A system is one line here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from holdfast.ingest.readers.chats.json_spans import NotJson, elements
from holdfast.ingest.readers.chats.leftovers import ended_unknown
from holdfast.ingest.readers.chats.tree import Item, Member, Tree, damaged, offered
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.values import Context

_HEAD_BYTES = 1 << 16
_LOOKED_AT = 50
"""Files whose beginnings are read before it is said that this is no such export."""


@dataclass(frozen=True, slots=True)
class CrmPages:
    """Pages of one system."""

    name: str
    form: str
    listed: bytes
    """What the list in a page is called."""
    mark: re.Pattern[bytes]
    """What tells such a page from all others, near its beginning."""

    def is_export(self, tree: Tree) -> bool:
        """Tell by the beginning of a file."""
        found = [one for path, one in tree.members.items() if path.lower().endswith(".json")]
        return any(self._is_page(one) for one in found[:_LOOKED_AT])

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield what the pages list; other files are counted and left."""
        context = Context(self.name, tree.rules.tenant)
        for path, one in tree.members.items():
            if path.lower().endswith(".json") and self._is_page(one):
                yield from self._listed(one, context)
            else:
                yield ended_unknown(one, f"{self.name}_file_unknown")

    def _is_page(self, one: Member) -> bool:
        return self.mark.search(one.begins(_HEAD_BYTES)) is not None

    def _listed(self, one: Member, context: Context) -> Iterator[Offered]:
        with one.mapped() as (spot, content):
            try:
                for start, end in elements(content, self.listed):
                    yield offered(spot, content, Item(self.form, context, start, end - start))
            except NotJson as error:
                yield damaged(spot, "json", error)


HUBSPOT = CrmPages(
    "hubspot", "hubspot.activity", b"results",
    re.compile(rb'"hs_(?:call|email|meeting|note|task|communication)_[a-z_]+"\s*:'),
)  # fmt: skip
ZOHO = CrmPages("zoho", "zoho.note", b"data", re.compile(rb'"Note_(?:Content|Title)"\s*:'))
