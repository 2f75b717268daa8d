"""Connectors that believe wrong answers, or lose what they were given, are found out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.custody import End, Unkept
from holdfast.ingest.imap import account, fetching, link, scope, walking
from holdfast.ingest.imap.fetching import FolderFetch
from holdfast.ingest.imap.metering import Meter
from holdfast.ingest.imap.replies import Reply
from holdfast.ingest.imap.session import Session
from holdfast.ingest.readers.offers import Fetched, Offered
from holdfast.storage.catalogue import mailboxes
from holdfast.storage.catalogue.mailboxes import note_seen
from imap_answers import (
    asks_thrice_then_quarantines,
    binds_what_was_numbered_anew,
    counts_what_is_gone,
    goes_on_over_broken_connections,
    guesses_no_description,
    notices_what_another_session_expunges,
    reads_no_flood_of_messages,
    sends_no_line_break,
    takes_large_messages_in_parts,
    takes_no_draft_again_and_again,
)
from server_dovecot import Dovecot, User

pytestmark = pytest.mark.unmeasured

Plant = pytest.MonkeyPatch
Bug = Callable[[Plant], None]


def pass_over_what_is_gone(plant: Plant) -> None:
    """Of a message that went away nobody says anything."""
    items = FolderFetch.items

    def some(self: FolderFetch, uids: Sequence[int]) -> Iterator[Fetched | Unkept]:
        for one in items(self, uids):
            if not (isinstance(one, Unkept) and one.end is End.GONE):
                yield one

    plant.setattr(FolderFetch, "items", some)


def take_the_gone_for_failed(plant: Plant) -> None:
    """The server is not asked whether it has the message still."""
    plant.setattr(FolderFetch, "_present", lambda self, uids: set(uids))


def guess_by_position(plant: Plant) -> None:
    """A description without a UID is that of the message that has none."""
    describe = Session.describe

    def guessing(self: Session, uids: Sequence[int]) -> list[Reply]:
        found = describe(self, uids)
        left = [uid for uid in uids if uid not in {one.uid for one in found}]
        sizes = {one.uid: one.size_bytes for one in found}
        return [*found, *(Reply(uid, sizes[min(sizes)]) for uid in left)]

    plant.setattr(Session, "describe", guessing)


def give_up_what_is_not_described(plant: Plant) -> None:
    """What the server says nothing of is not there."""
    plant.setattr(FolderFetch, "_present", lambda self, uids: set[int]())


def ask_once(plant: Plant) -> None:
    """A body that is not as long as it should be is not asked for again."""
    plant.setattr(fetching, "TRIES", 1)


def believe_the_literal(plant: Plant) -> None:
    """What the server says of a size does not matter."""

    def believing(self: FolderFetch, reply: Reply, first: bytes | None, _cause: str) -> Fetched:
        return Fetched(self.place.offered(reply), first or b"")

    plant.setattr(FolderFetch, "_again", believing)


def let_arguments_in(plant: Plant) -> None:
    """What is configured is not looked at."""
    plant.setattr(account, "refuse_controls", lambda value: None)


def read_any_length(plant: Plant) -> None:
    """What the server sends is read."""
    plant.setattr(Meter, "_take", lambda self, size_bytes: None)


def read_at_once(plant: Plant) -> None:
    """A message of any size comes in one piece."""
    plant.setattr(fetching, "LARGE_BYTES", 1 << 40)


CONTROLS: dict[str, tuple[Bug, Callable[[Path], None], str]] = {
    "f21 passed over": (pass_over_what_is_gone, counts_what_is_gone, "gone is not told"),
    "f21 failed": (take_the_gone_for_failed, counts_what_is_gone, "gone is not told"),
    "f22 guessed": (guess_by_position, guesses_no_description, "it was guessed"),
    "f22 given up": (give_up_what_is_not_described, guesses_no_description, "it was guessed"),
    "f23 once": (ask_once, partial(asks_thrice_then_quarantines, said=10), "asked for 1 times"),
    "f23 short": (
        believe_the_literal, partial(asks_thrice_then_quarantines, said=10), "believed",
    ),
    "f23 long": (
        believe_the_literal, partial(asks_thrice_then_quarantines, said=100_000), "believed",
    ),
    "f31 settings": (let_arguments_in, lambda _: sends_no_line_break("a\r\nb"), "it was taken"),
    "f32 flood": (read_any_length, reads_no_flood_of_messages, "it was read"),
    "f32 parts": (read_at_once, takes_large_messages_in_parts, "read at once"),
}  # fmt: skip


@pytest.mark.parametrize("control", CONTROLS)
def test_connector_that_believes_answers_is_found_out(
    tmp_path: Path, monkeypatch: Plant, control: str
) -> None:
    bug, check, words = CONTROLS[control]
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        check(tmp_path)


def mark_with_uids(plant: Plant) -> None:
    """Each message is given a field that tells its UID, as some programs do."""

    def marked(offered: Offered, body: Any) -> Fetched:
        return Fetched(offered, b"X-UID: " + offered.key.encode() + b"\r\n" + body)

    plant.setattr(fetching, "Fetched", marked)


def tell_no_reset(plant: Plant) -> None:
    """Another UIDVALIDITY is written down, and nobody hears of it."""

    def noted(*given: Any) -> bool:
        note_seen(*given)
        return False

    plant.setattr(walking, "note_seen", noted)


def log_no_reset(plant: Plant) -> None:
    """Another UIDVALIDITY leaves nothing in the log."""
    plant.setattr(mailboxes, "record_events", lambda *_: None)


def lose_heart(plant: Plant) -> None:
    """A connection that breaks is the end of the run."""
    plant.setattr(link, "MOST_LOSSES", 1)


def pass_over_the_window(plant: Plant) -> None:
    """What a broken connection had been asked for is not asked for again."""
    each = FolderFetch._each

    def asked(self: FolderFetch, items: Sequence[Any], ask: Any) -> Iterator[Any]:
        for some, answer in each(self, items, ask):
            yield some, answer if len(some) == len(items) else dict[int, bytes]()

    plant.setattr(FolderFetch, "_each", asked)


def take_drafts(plant: Plant) -> None:
    """A message that is being written is one like any other."""
    plant.setattr(scope, "is_draft", lambda folder, reply: False)


ServerCheck = Callable[[Path, Dovecot, User], None]
AT_SERVER: dict[str, tuple[Bug, ServerCheck, str]] = {
    "f20 marked": (mark_with_uids, binds_what_was_numbered_anew, "another original"),
    "f20 untold": (tell_no_reset, binds_what_was_numbered_anew, "nobody is told"),
    "f20 unlogged": (log_no_reset, binds_what_was_numbered_anew, "it is not logged"),
    "f21 passed over": (
        pass_over_what_is_gone, notices_what_another_session_expunges, "gone is not told",
    ),
    "f21 failed": (
        take_the_gone_for_failed, notices_what_another_session_expunges, "gone is not told",
    ),
    "f29 given up": (lose_heart, goes_on_over_broken_connections, "it was given up"),
    "f29 left out": (pass_over_the_window, goes_on_over_broken_connections, "something is left"),
    "drafts": (take_drafts, takes_no_draft_again_and_again, "a draft was archived"),
}  # fmt: skip


@pytest.mark.parametrize("control", AT_SERVER)
def test_connector_that_loses_what_a_server_has_is_found_out(
    tmp_path: Path, dovecot_server: Dovecot, monkeypatch: Plant, control: str
) -> None:
    bug, check, words = AT_SERVER[control]
    bug(monkeypatch)
    user = dovecot_server.user(f"answers-{control.replace(' ', '-')}")
    with pytest.raises(AssertionError, match=words):
        check(tmp_path, dovecot_server, user)
