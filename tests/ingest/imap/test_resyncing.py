"""What changed in a folder is learnt while it is opened (QRESYNC), and believed if it adds up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archive_kit import findings, opened, settings_in
from holdfast.ingest.imap.resyncing import Examined
from holdfast.ingest.imap.uid_sets import uid_ranges, unpacked
from holdfast.ingest.imap.walking import Walk
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.later_facts import later_facts_of
from holdfast.storage.catalogue.mailboxes import KeptMailbox
from holdfast.storage.catalogue.schema import captures
from imap_kit import added, ends, expected, held, letter, plain_account, synced
from imap_script import Asked, Cut, Script, scripted
from imap_tap import tapped
from server_dovecot import Dovecot, wire

ABLE = "IMAP4rev1 ENABLE QRESYNC CONDSTORE UNSELECT"
NEWS = frozenset({"INBOX"})


@dataclass(slots=True)
class Telling:
    """A twist for a server that counts changes and tells of them, rightly or not."""

    modseq: int = 5
    vanished: bytes = b""
    lines: bytes = b""
    """Said besides, when it is asked what changed."""
    exists: int | None = None
    """Said instead of the count."""
    refused: bytes = b""
    """Answered, with the tag before it, to the question what changed."""
    is_cut: bool = False
    asked: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked, answer: bytes) -> bytes:
        if asked.words == "ENABLE QRESYNC":
            return b"* ENABLED QRESYNC\r\n" + answer
        if not asked.words.startswith("EXAMINE"):
            return answer
        said = b"* OK [HIGHESTMODSEQ %d] counted\r\n" % self.modseq
        if "QRESYNC" in asked.words:
            self.asked.append(asked.words)
            if self.is_cut:
                raise Cut
            if self.refused:
                return asked.tag.encode() + b" " + self.refused + b"\r\n"
            if self.vanished:
                said += b"* VANISHED (EARLIER) " + self.vanished + b"\r\n"
            said += self.lines
        if self.exists is not None:
            count = answer.partition(b"\r\n")[0]
            answer = answer.replace(count, b"* %d EXISTS" % self.exists)
        return said + answer


def deleted(settings: Settings) -> int:
    """Count the captures whose message is said to be gone."""
    with opened(settings) as services:
        with reading(services.store.engine) as connection:
            ids = connection.scalars(captures.select().with_only_columns(captures.c.id)).all()
        found = later_facts_of(services.store, sorted(ids))
    return sum(one[-1].is_deleted for one in found.values() if one)


def test_dovecot_tells_what_changed_while_the_folder_is_opened(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("resyncing")
    user.append("INBOX", *(letter(n) for n in range(5)))
    user.append("Other", *(letter(n) for n in range(5, 8)))
    settings = settings_in(tmp_path)
    with tapped(dovecot_server.port) as tap:
        account = plain_account(tap.port, user.name, connections=1)
        added(settings, account, dovecot_server.password)
        synced(settings)
        with user.signed_in() as client:
            client.select(wire("INBOX"))
            assert client.store("2", "+FLAGS", "(\\Flagged)")[0] == "OK"
        user.expunge("INBOX", 1)
        user.expunge("Other", 3)
        user.append("INBOX", letter(9))
        tap.commands.clear()
        again = synced(settings)
        asked = len(tap.of(b"QRESYNC ("))
        spared = tap.of(b"SEARCH ALL"), tap.of(b"CHANGEDSINCE")
        last = synced(settings)
    assert (asked, spared) == (2, ([], []))
    assert (again.found.flagged, again.found.expunged, again.counts.new) == (1, 2, 1)
    assert (last.found.flagged, last.found.expunged, last.counts.offered) == (0, 0, 0)
    assert deleted(settings) == 2
    mail = {"INBOX": [letter(n) for n in (0, 1, 2, 3, 4, 9)]}
    assert held(settings) == expected(mail | {"Other": [letter(n) for n in (5, 6, 7)]})
    assert findings(settings) == []


def test_deletion_that_a_look_for_news_saw_is_noted(
    tmp_path: Path, dovecot_server: Dovecot
) -> None:
    user = dovecot_server.user("resyncing-news")
    user.append("INBOX", letter(1), letter(2))
    settings = settings_in(tmp_path)
    added(settings, plain_account(dovecot_server.port, user.name), dovecot_server.password)
    synced(settings)
    user.expunge("INBOX", 1)
    user.append("INBOX", letter(3))
    assert synced(settings, why="mail", news=NEWS).counts.new == 1
    synced(settings)
    assert deleted(settings) == 1


def trust_the_server(plant: pytest.MonkeyPatch) -> None:
    """What it says has vanished is gone, and nothing is counted."""

    def believing(
        self: Walk, _place: object, examined: Examined, known: KeptMailbox | None
    ) -> list[int] | None:
        if examined.changes is None or known is None:
            return None
        vanished = examined.changes.vanished
        before = unpacked(known.uids)
        fresh = self.link.ask(lambda session: session.uids_above(max(before, default=0)))
        return sorted({*(uid for uid in before if uid not in vanished), *fresh})

    plant.setattr(Walk, "_resynced", believing)


@pytest.mark.parametrize("bug", [None, trust_the_server])
@pytest.mark.parametrize("vanished", [b"2", b"1:4294967295"])
def test_message_is_not_gone_because_a_server_says_so_unless_it_is_trusted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    vanished: bytes,
    bug: Callable[[pytest.MonkeyPatch], None] | None,
) -> None:
    if bug:
        bug(monkeypatch)
    telling = Telling()
    script = Script({uid: letter(uid) for uid in (1, 2, 5)}, telling, capabilities=ABLE)
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, plain_account(script.port), "secret")
        synced(settings)
        telling.modseq, telling.vanished = 9, vanished
        again = synced(settings)
    assert telling.asked == ['EXAMINE "INBOX" (QRESYNC (7 5))']
    is_right = (again.found.expunged, again.found.at_server, deleted(settings)) == (0, 3, 0)
    assert is_right == (bug is None)


@pytest.mark.parametrize("bug", [None, trust_the_server])
def test_message_that_was_not_had_is_asked_for_though_said_to_be_gone_unless_that_is_trusted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    bug: Callable[[pytest.MonkeyPatch], None] | None,
) -> None:
    if bug:
        bug(monkeypatch)
    telling = Telling()

    def withholding(asked: Asked, answer: bytes) -> bytes:
        if "UID FETCH 2 (UID BODY.PEEK[])" in asked.words or "1:2" in asked.words:
            raise Cut
        return telling(asked, answer)

    script = Script({1: letter(1), 2: letter(2)}, withholding, capabilities=ABLE)
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, plain_account(script.port), "secret")
        synced(settings)
        assert ends(settings) == {"filed": 1, "failed": 1}
        script.twist = telling
        telling.modseq, telling.vanished, telling.exists = 9, b"2", 1
        synced(settings)
    assert (ends(settings) == {"filed": 2}) == (bug is None)


@pytest.mark.parametrize(
    "telling",
    [
        Telling(modseq=9),
        Telling(modseq=9, refused=b"BAD what is that?"),
        Telling(modseq=9, refused=b"NO not now"),
        Telling(modseq=9, is_cut=True),
        Telling(modseq=9, vanished=b"none of it"),
        Telling(modseq=4, vanished=b"2"),
        Telling(modseq=9, lines=b"* 1 FETCH (UID 1 MODSEQ (9))\r\n"),
        Telling(modseq=9, lines=b"* VANISHED 1:5\r\n"),
    ],
    ids=["omits", "bad", "no", "cut", "garbage", "backwards", "no_flags", "of_another_folder"],
)
def test_server_that_tells_wrongly_or_not_at_all_is_compared_as_before(
    tmp_path: Path, telling: Telling
) -> None:
    script = Script({uid: letter(uid) for uid in (1, 2, 5)}, Telling(), capabilities=ABLE)
    settings = settings_in(tmp_path)
    with scripted(script):
        added(settings, plain_account(script.port), "secret")
        synced(settings)
        del script.mail[2]
        script.mail[8] = letter(8)
        script.twist = telling
        again = synced(settings)
        assert len(script.of("UID SEARCH ALL")) == 2
    assert telling.asked == ['EXAMINE "INBOX" (QRESYNC (7 5))']
    assert (again.found.expunged, again.found.at_server, again.counts.new) == (1, 3, 1)
    assert (again.found.flagged, deleted(settings)) == (0, 1)
    assert again.is_whole


def test_sets_of_servers_are_read_whatever_their_order() -> None:
    found = uid_ranges([b"7:5,1", b"2,6:9", b"4294967295"])
    assert [uid for uid in (1, 2, 3, 4, 5, 9, 10, 4294967295) if uid in found] == [
        1, 2, 5, 9, 4294967295,
    ]  # fmt: skip
    assert 1 not in uid_ranges([])
    with pytest.raises(ValueError, match="invalid"):
        uid_ranges([b"one"])
