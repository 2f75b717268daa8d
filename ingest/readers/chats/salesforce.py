"""Name the items of a Salesforce data export: the rows of its tables of activities.

Other tables of the export are kept as files: nothing is known of what they say.
"""

from __future__ import annotations

from collections.abc import Iterator

from holdfast.ingest.readers.chats.csv_spans import header_of, row_spans
from holdfast.ingest.readers.chats.media import media_of, offered_file
from holdfast.ingest.readers.chats.tree import Item, Member, Tree, offered
from holdfast.ingest.readers.offers import Offered
from holdfast.parsers.chat.salesforce import CHANNEL
from holdfast.parsers.chat.values import Context

_HEAD_BYTES = 64 << 10
_COLUMNS = {
    "salesforce.task": frozenset(("id", "whoid", "subject", "activitydate", "status", "ownerid")),
    "salesforce.email": frozenset(("id", "fromaddress", "toaddress", "incoming", "messagedate")),
    "salesforce.event": frozenset(("id", "whoid", "subject", "startdatetime", "ownerid")),
}


class SalesforceExport:
    """Tables of a data export."""

    name = "salesforce"

    def is_export(self, tree: Tree) -> bool:
        """Tell by the header of a table."""
        return any(_form(one)[0] for one in tree.members.values())

    def offers(self, tree: Tree) -> Iterator[Offered]:
        """Yield the rows of activities, and other files whole."""
        for one in media_of(tree).values():
            form, headers = _form(one)
            if form:
                yield from _rows(one, form, headers, tree)
            else:
                extra = {"filename": one.name}
                yield offered_file(one, Context(CHANNEL, tree.rules.tenant, extra=extra))


def _form(one: Member) -> tuple[str, list[str]]:
    """Return what the rows of a table are, and its columns; nothing for another file."""
    if not one.name.lower().endswith(".csv"):
        return "", []
    names = header_of(one.begins(_HEAD_BYTES))
    found = (form for form, columns in _COLUMNS.items() if columns <= set(names))
    return next(found, ""), names


def _rows(one: Member, form: str, headers: list[str], tree: Tree) -> Iterator[Offered]:
    context = Context(CHANNEL, tree.rules.tenant, zone=tree.rules.zone, extra={"headers": headers})
    with one.mapped() as (spot, content):
        for place, span in enumerate(row_spans(content)):
            if place:
                item = Item(form, context, span.start, span.end - span.start)
                yield offered(spot, content, item)
