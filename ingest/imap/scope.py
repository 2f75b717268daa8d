"""Decides which messages a source leaves out, and by which rule; fetches none of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date
from typing import TYPE_CHECKING

from holdfast.ingest.imap.account import KIND
from holdfast.ingest.imap.failures import SaidNo
from holdfast.ingest.imap.plan import read_day
from holdfast.parsers.addresses import parse_addresses
from holdfast.parsers.defects import Defects
from holdfast.parsers.headers import decoded_fields, read_header
from holdfast.storage.catalogue.unkept import RULE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from holdfast.ingest.imap.link import Link
    from holdfast.ingest.imap.names import Folder
    from holdfast.ingest.imap.plan import Plan
    from holdfast.ingest.imap.replies import Reply

_MOST_HEADER = 64 * 1024
"""Longer ones are not judged: they are read here, outside the jail."""
_INSISTED = f"{KIND}.backfill "
DRAFTS = f"{RULE}drafts"
SILENTLY = ""
"""Leaves a message out for this run alone: the ledger stays as it is."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a backfill takes, whatever the rules leave out."""

    since: str = ""
    until: str = ""

    def holds(self, reply: Reply) -> bool:
        """Tell whether the server received the message within the days."""
        return not _outside(self.since, self.until, reply)

    @property
    def kind(self) -> str:
        """How the reference to an item says that a backfill of these days asked for it."""
        return f"{_INSISTED}{self.since}..{self.until}"


def insisted_range(kind: str) -> Range | None:
    """Return the days of the backfill that asked for an item; None where none did."""
    if not kind.startswith(_INSISTED):
        return None
    since, _, until = kind.removeprefix(_INSISTED).partition("..")
    return Range(since, until)


@dataclass(frozen=True, slots=True)
class Judging:
    """The rules that apply in one folder."""

    plan: Plan
    folder: Folder
    link: Link
    within: Range | None = None
    """Of a backfill; then the plan's rules do not count."""
    insisted: Mapping[int, Range] = field(default_factory=dict)
    """UID → days of a backfill that asked for it and did not get it: no rule leaves it out."""
    drafts: frozenset[int] = frozenset()
    """UIDs that were left out as drafts before, and may have been sent since under the same UID."""

    def __call__(self, replies: Sequence[Reply]) -> Mapping[int, str]:
        """Return the UIDs that are left out, each with the rule."""
        if self.within is not None:
            return {one.uid: SILENTLY for one in replies if not self.within.holds(one)}
        found = {one.uid: rule for one in replies if (rule := self._rule(one))}
        if self.plan.asks_people:
            left = [one.uid for one in replies if one.uid not in found]
            found |= self._strangers(left)
        for one in replies:
            if one.uid in self.insisted and self.insisted[one.uid].holds(one):
                found.pop(one.uid, None)
        still = {uid for uid in self.drafts if found.get(uid) == DRAFTS}
        return found | dict.fromkeys(still, SILENTLY)

    def _rule(self, reply: Reply) -> str:
        plan = self.plan
        if plan.drafts == "sent" and is_draft(self.folder, reply):
            return DRAFTS
        if _outside(plan.since, "", reply):
            return f"{RULE}since {plan.since}"
        if _outside("", plan.until, reply):
            return f"{RULE}until {plan.until}"
        return ""

    def _strangers(self, uids: Sequence[int]) -> dict[int, str]:
        """Judge by the addresses in the header; what gives none is taken."""
        if not uids:
            return {}
        headers = {one.uid: one.header for one in self._headers(uids)}
        found: dict[int, str] = {}
        for uid in uids:
            people = addresses_in(headers.get(uid) or b"")
            if not people:
                continue
            if any(_is_one_of(one, self.plan.strangers) for one in people):
                found[uid] = f"{RULE}without {' '.join(self.plan.strangers)}"
            elif self.plan.people and not any(_is_one_of(p, self.plan.people) for p in people):
                found[uid] = f"{RULE}only {' '.join(self.plan.people)}"
        return found

    def _headers(self, uids: Sequence[int]) -> Sequence[Reply]:
        """Ask once for all; where the server does not tell, nothing is left out by addresses."""
        try:
            return self.link.ask(lambda session: session.headers(uids))
        except SaidNo:
            return ()


def is_draft(folder: Folder, reply: Reply) -> bool:
    """Tell whether a message is being written: each time it is saved it is another message."""
    flags = {flag.lower() for flag in reply.flags}
    return "\\draft" in flags or is_of_drafts(folder)


def is_of_drafts(folder: Folder) -> bool:
    """Tell whether whatever lies in the folder is being written."""
    return "\\drafts" in folder.flags


def addresses_in(header: bytes) -> set[str]:
    """Return the addresses that a header names, in lower case; none of one that is too long."""
    if len(header) > _MOST_HEADER:
        return set()
    defects = Defects()
    fields = decoded_fields(read_header(header, 0, len(header), defects), defects)
    return {
        box.address.lower()
        for _, value in fields
        for box in parse_addresses(value).mailboxes
        if box.address
    }


def _is_one_of(address: str, patterns: Sequence[str]) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.lower().split("*"))), address)
        for pattern in patterns
    )


def _outside(since: str, until: str, reply: Reply) -> bool:
    """Tell whether the server received it on another day (UTC); unknown days are inside."""
    if reply.received_at is None or not (since or until):
        return False
    day: date = reply.received_at.astimezone(UTC).date()
    return bool(since and day < read_day(since)) or bool(until and day > read_day(until))
