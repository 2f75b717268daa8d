"""Walks over the folders of an account and yields what is new in each; takes nothing in."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from holdfast.core.errors import HoldfastError
from holdfast.ingest.imap.failures import SaidNo
from holdfast.ingest.imap.fetching import WINDOW, FolderFetch, Place
from holdfast.ingest.imap.found import Course, Found
from holdfast.ingest.imap.gathering import gathered
from holdfast.ingest.imap.later import Later
from holdfast.ingest.imap.link import Link, Renumbered
from holdfast.ingest.imap.names import NO_FOLDER, Folder, chosen, lack, matches, name_in
from holdfast.ingest.imap.resyncing import Examined, Since
from holdfast.ingest.imap.scope import Judging, insisted_range
from holdfast.ingest.imap.session import Session
from holdfast.ingest.imap.uid_sets import packed, unpacked
from holdfast.ingest.readers.offers import Fetched
from holdfast.ingest.sources.bench import SCHEDULE
from holdfast.ingest.sources.troubles import is_asked_again
from holdfast.storage.catalogue.ledger import known_items
from holdfast.storage.catalogue.mailboxes import (
    KeptMailbox,
    Seen,
    failed_offers,
    failed_since,
    item_states,
    kept_sizes,
    mailboxes_of,
    note_outside,
    note_seen,
    note_trouble,
    note_vanished,
)
from holdfast.storage.catalogue.source_schedule import Settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from holdfast.core.custody import Unkept
    from holdfast.ingest.imap.gathering import Read
    from holdfast.ingest.imap.plan import Plan
    from holdfast.ingest.imap.scope import Range
    from holdfast.ingest.sources.bench import Ask, Bench

FAILED = frozenset({"failed", "quarantined"})
COUNTED_MS = 6 * 3_600_000
"""So long the count of a folder that is left out is good for runs of the schedule."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What matters here of how an item is found again."""

    kind: str


Job = tuple[Folder, "KeptMailbox | None"]
"""A folder, and how it stood the last time."""


@dataclass(frozen=True, slots=True)
class Walk:
    """One walk over one connection, or several side by side; `offers` is called once."""

    source_id: int
    plan: Plan
    link: Link
    bench: Bench
    ask: Ask
    found: Found = field(default_factory=Found)
    course: Course = field(default_factory=Course)

    def offers(self) -> Iterator[Fetched | Unkept]:
        """Yield what is new, folder by folder.

        Raises:
            HoldfastError: The server fails; what was yielded counts.
        """
        before = mailboxes_of(self.bench.desk.store, self.source_id)
        jobs = [(folder, before.get(folder.key)) for folder in self._folders(before)]
        # News is little: it is here before another connection is.
        most = 1 if self.ask.news is not None else self.link.account.connections
        with ExitStack() as links:
            beside = [partial(self._beside, links)] * (min(most, len(jobs)) - 1)
            yield from gathered(
                jobs,
                [lambda: self._guarded, *beside],
                is_stopped=self.course.is_stopped.is_set,
            )

    def _beside(self, links: ExitStack) -> Read[Job] | None:
        """Return what reads over one more connection; None where the server allows none."""
        link = self.link.another()
        links.callback(link.__exit__)
        return replace(self, link=link)._guarded if link.is_let_in() else None

    def _guarded(self, job: Job) -> Iterator[Fetched | Unkept]:
        folder, before = job
        if self._is_cut():
            return
        try:
            yield from self._folder(folder, before)
        except (SaidNo, Renumbered) as error:
            self._trouble(folder, error)

    def _is_cut(self) -> bool:
        """Tell whether to stop; never before something new came, or the next run got no further."""
        course = self.course
        if course.has_new and self.bench.is_over():
            course.is_cut = True
        return course.is_cut

    def _folders(self, before: Mapping[str, KeptMailbox]) -> Sequence[Folder]:
        account = self.link.account
        listed = self.link.ask(Session.folders)
        names = {one.key for one in listed if one.is_selectable}
        gone = {*note_vanished(self.bench.desk.store, self.source_id, names), *self._missed(before)}
        self.found.vanished.extend(sorted(name_in(one) for one in gone - names))
        if self.ask.folders:
            self._miss(listed, self.ask.folders)
            return chosen(listed, self.ask.folders, ())
        self._miss(listed, (*account.folders, *account.excludes))
        taken = chosen(listed, account.folders, account.excludes)
        self.found.lack = lack(listed, account.folders) if taken else NO_FOLDER
        if self.ask.news is not None:
            return [one for one in taken if one.key in self.ask.news]
        own = [one for one in listed if one.is_selectable and one.foreign is None]
        outside = [one for one in own if one not in taken]
        self._count_outside([one for one in outside if not self._is_counted(before.get(one.key))])
        return taken

    def _missed(self, before: Mapping[str, KeptMailbox]) -> Iterator[str]:
        """Yield what vanished so lately that somebody may not have heard of it."""
        since_ms = self.bench.desk.store.now_ms() - self.plan.late_s * 1000
        for one in before.values():
            if one.vanished_ms is not None and one.vanished_ms > since_ms:
                yield one.name

    def _miss(self, listed: Sequence[Folder], patterns: Sequence[str]) -> None:
        for pattern in patterns:
            if not any(matches(one, pattern) for one in listed):
                self.found.unmatched.append(pattern)

    def _is_counted(self, before: KeptMailbox | None) -> bool:
        """Tell whether a count is good for now: where labels are folders there may be hundreds."""
        if before is None or not before.rule or before.vanished_ms or self.ask.why != SCHEDULE:
            return False
        return self.bench.desk.store.now_ms() - before.reconciled_ms < COUNTED_MS

    def _count_outside(self, folders: Sequence[Folder]) -> None:
        """Note how many messages a folder has that a rule leaves out: they are no secret."""
        for folder in folders:
            try:
                counts = self.link.ask(partial(Session.counts, folder=folder))
            except SaidNo as error:
                self._trouble(folder, error)
                continue
            validity, messages = counts.get(b"UIDVALIDITY", 0), counts.get(b"MESSAGES", 0)
            seen = Seen(folder.key, validity, messages, "", rule=self._rule(folder))
            note_outside(self.bench.desk.store, self.source_id, seen)

    def _rule(self, folder: Folder) -> str:
        """Return the rule that leaves a folder out; empty when it is taken."""
        account = self.link.account
        if chosen([folder], account.folders, account.excludes):
            return ""
        by = next((one for one in account.excludes if matches(folder, one)), "")
        return f"exclude {by}" if by else f"folders {' '.join(account.folders)}"

    def _folder(self, folder: Folder, before: KeptMailbox | None) -> Iterator[Fetched | Unkept]:
        examined = self.link.examine(folder, self._since(before))
        place = Place(folder, examined.uidvalidity)
        is_same = before is not None and before.uidvalidity == examined.uidvalidity
        known = before if is_same else None
        uids = self._resynced(place, examined, known)
        if uids is None:
            examined = replace(examined, changes=None)
            uids = self._confirmed(self._uids(folder, known), known)
        rule = self._rule(folder)
        seen = Seen(folder.key, examined.uidvalidity, len(uids), packed(uids), rule=rule)
        self._note(place, seen, uids, known)
        wanted = self._wanted(place, uids, known)
        insisted = self._insisted(place, wanted, known)
        drafts = self._drafts(place, wanted, known)
        judge = Judging(self.plan, folder, self.link, self.ask.backfill, insisted, drafts)
        fetch = FolderFetch(self.link, place, self.bench.spool, judge, insisted)
        for one in fetch.items(wanted):
            yield one
            if isinstance(one, Fetched):
                self.course.has_new = True
            if self._is_cut():
                return
        if self.ask.reconciles and self.link.account.has_exact_sizes:
            yield from fetch.items(fetch.differing(self._sizes(place, uids)))
        if not (self.ask.only_failed or self.ask.backfill):
            self._settle(place, examined, uids, known)

    def _since(self, before: KeptMailbox | None) -> Since | None:
        """Return what a look may be a continuation of; one that compares everything is of none."""
        asks_all = self.ask.reconciles or self.ask.backfill is not None or self.ask.only_failed
        if before is None or not before.modseq or asks_all:
            return None
        return Since(before.uidvalidity, before.modseq)

    def _resynced(
        self, place: Place, examined: Examined, known: KeptMailbox | None
    ) -> list[int] | None:
        """Return what the folder has by what changed in it; None where that does not add up.

        A server may be wrong about what vanished, and we may have missed something: then the count
        differs. What has no end in the ledger is never given up for what a server says here.
        """
        if examined.changes is None or known is None:
            return None
        before, vanished = unpacked(known.uids), examined.changes.vanished
        fresh = self.link.ask(lambda session: session.uids_above(max(before, default=0)))
        gone = [uid for uid in before if uid in vanished]
        found = sorted({*(uid for uid in before if uid not in vanished), *fresh})
        if len(found) != examined.messages or self._unknown(place, gone):
            return None
        return found

    def _uids(self, folder: Folder, known: KeptMailbox | None) -> list[int]:
        """Return what the folder has; in search of news, only what is new is asked for."""
        if known is not None and self.ask.news is not None:
            fresh = self.link.ask(lambda session: session.uids_above(known.settled_uid))
            return sorted({*unpacked(known.uids), *fresh})
        uids = self.link.ask(Session.uids)
        return self._recounted(folder, uids) if self.ask.reconciles else uids

    def _confirmed(self, uids: list[int], known: KeptMailbox | None) -> list[int]:
        """Ask for what the list lacks by itself: a list that is cut short deletes nothing."""
        lacking = sorted(set(unpacked(known.uids) if known else ()).difference(uids))
        there: list[int] = []
        for start in range(0, len(lacking), WINDOW):
            some = lacking[start : start + WINDOW]
            try:
                there += self.link.ask(partial(Session.uids, among=some))
            except SaidNo:  # the next look will tell
                there += some
        return sorted({*uids, *there}) if there else uids

    def _recounted(self, folder: Folder, uids: list[int]) -> list[int]:
        """Compare the list with the count; ask once more where they differ, and say so."""
        count = partial(Session.counts, folder=folder)
        if self.link.ask(count).get(b"MESSAGES", 0) == len(uids):
            return uids
        again = self.link.ask(Session.uids)
        counted = self.link.ask(count).get(b"MESSAGES", 0)
        if counted != len(again):
            self.found.differing[folder.name] = (counted, len(again))
        return sorted({*uids, *again})  # what is gone by now ends as `gone`

    def _wanted(
        self, place: Place, uids: Sequence[int], known: KeptMailbox | None
    ) -> Sequence[int]:
        """Return what to ask for: what the ledger has no end of, or one that may be better now."""
        if self.ask.only_failed or self.ask.backfill is not None:
            return self._again(place, uids)
        if self.ask.news is not None and known is not None:
            uids = [uid for uid in uids if uid > known.settled_uid]
        unknown = self._unknown(place, uids)
        return self._worth_asking(place, unknown) if self.ask.why == SCHEDULE else unknown

    def _worth_asking(self, place: Place, uids: Sequence[int]) -> list[int]:
        """Leave out most of what has failed for long: whoever asks by hand has it tried."""
        store, every_s = self.bench.desk.store, self.plan.every_s
        keys = {place.key(uid): uid for uid in uids}
        since = failed_since(store, self.source_id, list(keys))
        now_ms = store.now_ms()
        ages = {key: max(now_ms - at_ms, 0) / 1000 for key, at_ms in since.items()}
        return [
            uid
            for key, uid in keys.items()
            if key not in ages or is_asked_again(ages[key], every_s)
        ]

    def _unknown(self, place: Place, uids: Sequence[int]) -> list[int]:
        unknown: list[int] = []
        for start in range(0, len(uids), WINDOW):
            keys = {place.key(uid): uid for uid in uids[start : start + WINDOW]}
            known = known_items(self.bench.desk.store, self.source_id, list(keys))
            unknown.extend(uid for key, uid in keys.items() if key not in known)
        return unknown

    def _again(self, place: Place, uids: Sequence[int]) -> list[int]:
        """Return what failed; for a backfill also what a rule left out, and what is new."""
        keys = {place.key(uid): uid for uid in uids}
        states = item_states(self.bench.desk.store, self.source_id, list(keys))
        if self.ask.only_failed:
            return [uid for key, uid in keys.items() if states.get(key) in FAILED]
        again = FAILED | {"skipped"}
        return [uid for key, uid in keys.items() if key not in states or states[key] in again]

    def _insisted(
        self, place: Place, uids: Sequence[int], known: KeptMailbox | None
    ) -> dict[int, Range]:
        """Return what this backfill asks for, or an earlier one asked for and did not get."""
        if self.ask.backfill is not None:
            return dict.fromkeys(uids, self.ask.backfill)
        keys = {place.key(uid): uid for uid in uids} if known is not None else {}
        failed = failed_offers(self.bench.desk.store, self.source_id, list(keys))
        kinds = {key: msgspec.json.decode(offer, type=_Kind).kind for key, offer in failed.items()}
        ranges = {keys[key]: insisted_range(kind) for key, kind in kinds.items()}
        return {uid: days for uid, days in ranges.items() if days is not None}

    def _drafts(
        self, place: Place, uids: Sequence[int], known: KeptMailbox | None
    ) -> frozenset[int]:
        """Return those that were left out before and are asked for again: drafts alone are."""
        keys = {place.key(uid): uid for uid in uids} if known is not None else {}
        states = item_states(self.bench.desk.store, self.source_id, list(keys))
        return frozenset(keys[key] for key, state in states.items() if state == "skipped")

    def _sizes(self, place: Place, uids: Sequence[int]) -> dict[int, int]:
        keys = {place.key(uid): uid for uid in uids}
        sizes = kept_sizes(self.bench.desk.store, self.source_id, list(keys))
        return {uid: sizes[key] for key, uid in keys.items() if key in sizes}

    def _settle(
        self, place: Place, examined: Examined, uids: Sequence[int], known: KeptMailbox | None
    ) -> None:
        """Note that the folder was read to its end, with what changed in it since."""
        store, compares_all = self.bench.desk.store, self.ask.reconciles
        later = Later(store, self.source_id, self.link, place, compares_all)
        changed = later.flags(uids, examined, known)
        last, key = max(uids, default=0), place.folder.key
        settled = Settled(key, examined.uidvalidity, last, changed.modseq, changed.flags_uid)
        with self.course.lock:
            self.found.flagged += changed.noted
            self.course.settled.append(settled)

    def _note(
        self, place: Place, seen: Seen, uids: Sequence[int], known: KeptMailbox | None
    ) -> None:
        store = self.bench.desk.store
        if known is not None:
            before = set(unpacked(known.uids))
            later = Later(store, self.source_id, self.link, place)
            gone = sorted(before.difference(uids))
            later.deleted(gone)
            later.returned([uid for uid in uids if uid <= known.settled_uid and uid not in before])
            seen = replace(seen, expunged=len(gone))
        is_reset = note_seen(store, self.source_id, seen)
        with self.course.lock:
            if is_reset:
                self.found.resets.append(place.folder.name)
            self.found.folders += 1
            self.found.at_server += seen.messages
            self.found.expunged += seen.expunged

    def _trouble(self, folder: Folder, error: HoldfastError) -> None:
        self.found.troubled[folder.name] = error.cause
        note_trouble(self.bench.desk.store, self.source_id, folder.key, error.cause)
