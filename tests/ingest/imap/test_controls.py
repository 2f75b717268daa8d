"""Connectors that are broken on purpose: the checks that the real one passes must find them out."""

from __future__ import annotations

import imaplib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from archive_kit import found, kept, settings_in
from fault_bugs import BUGS
from holdfast.core.custody import Unkept
from holdfast.ingest import bulk
from holdfast.ingest.imap import fetching, session
from holdfast.ingest.imap.account import Account
from holdfast.ingest.imap.failures import Lost, SaidNo
from holdfast.ingest.imap.fetching import FolderFetch, Place
from holdfast.ingest.imap.names import item_key
from holdfast.ingest.imap.session import Session, connect
from holdfast.ingest.imap.signing import entrance
from holdfast.ingest.readers.offers import Fetched
from imap_kit import account_of, added, counted, ends, letter, plain_account, synced
from imap_script import Asked, Cut, Script, scripted
from server_dovecot import Dovecot
from source_kit import planned

SECRET = "open-sesame-84"
Plant = pytest.MonkeyPatch


def taken(folder: Path, script: Script, *later: Callable[[], None]) -> list[bytes]:
    """Sync, and once more after each change of the server; return all originals."""
    settings = settings_in(folder)
    with scripted(script):
        added(settings, plain_account(script.port), SECRET)
        synced(settings)
        for change in later:
            change()
            synced(settings)
    return kept(settings)


def forget_uidvalidity(plant: Plant) -> None:
    """A message is known by its folder and UID alone."""
    plant.setattr(Place, "key", lambda self, uid: item_key(self.folder.key, 1, uid))


@pytest.mark.parametrize("bug", [None, forget_uidvalidity])
def test_f20_other_messages_under_known_uids_are_taken_unless_uidvalidity_is_forgotten(
    tmp_path: Path, monkeypatch: Plant, bug: Callable[[Plant], None] | None
) -> None:
    if bug:
        bug(monkeypatch)
    script = Script({uid: letter(uid) for uid in (1, 2, 3)})

    def number_anew() -> None:
        script.uidvalidity += 1
        script.mail = {uid: letter(10 + uid) for uid in (1, 2, 3)}

    originals = taken(tmp_path, script, number_anew)
    expected = [letter(number) for number in (1, 2, 3, 11, 12, 13)]
    assert (originals == expected) == (bug is None)


def believe_every_answer(plant: Plant) -> None:
    """Whatever comes for a message is its original, as in a puller that looks at no size."""

    def batch(self: FolderFetch, wanted: Sequence[Any]) -> Iterator[Fetched]:
        for some, answer in self._each(wanted, fetching._bodies):
            assert isinstance(answer, dict)
            for one in some:
                yield Fetched(self.place.offered(one), answer.get(one.uid) or b"")

    plant.setattr(FolderFetch, "_batch", batch)


WRONG = {
    "f21 no bytes": b"* 2 FETCH (UID 2 BODY[] NIL)\r\n",
    "f22 no uid": b"* 2 FETCH (BODY[] {4}\r\nFrom)\r\n",
    "f23 too short": b"* 2 FETCH (UID 2 BODY[] {4}\r\nFrom)\r\n",
}


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("bug", [None, believe_every_answer])
def test_only_whole_messages_become_originals_unless_every_answer_is_believed(
    tmp_path: Path, monkeypatch: Plant, wrong: str, bug: Callable[[Plant], None] | None
) -> None:
    if bug:
        bug(monkeypatch)

    def twist(asked: Asked, answer: bytes) -> bytes:
        whole = b"* 2 FETCH (UID 2 BODY[] {%d}\r\n%b)\r\n" % (len(letter(2)), letter(2))
        return answer.replace(whole, WRONG[wrong])

    originals = taken(tmp_path, Script({uid: letter(uid) for uid in (1, 2, 3)}, twist))
    assert (originals == [letter(1), letter(3)]) == (bug is None)


def give_up_the_window(plant: Plant) -> None:
    """One message that breaks the connection costs all that were asked for with it."""

    def each(self: FolderFetch, items: Sequence[Any], ask: Callable[..., Any]) -> Iterator[Any]:
        try:
            yield items, ask(self.link.session(), items)
        except (Lost, SaidNo) as error:
            if isinstance(error, Lost):
                self.link.drop(error)
            yield items, error

    def batch(self: FolderFetch, wanted: Sequence[Any]) -> Iterator[Fetched | Unkept]:
        for some, answer in self._each(wanted, fetching._bodies):
            for one in some:
                if isinstance(answer, dict):
                    yield Fetched(self.place.offered(one), answer[one.uid])
                else:
                    yield self._failed(one.uid, "the window broke")

    plant.setattr(FolderFetch, "_each", each)
    plant.setattr(FolderFetch, "_batch", batch)


@pytest.mark.parametrize("bug", [None, give_up_the_window])
def test_one_bad_message_costs_itself_alone_unless_its_window_is_given_up(
    tmp_path: Path, monkeypatch: Plant, bug: Callable[[Plant], None] | None
) -> None:
    if bug:
        bug(monkeypatch)

    def poisoned(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words and 3 in asked.uids:
            raise Cut(answer[: len(answer) // 2])
        return answer

    originals = taken(tmp_path, Script({uid: letter(uid) for uid in range(1, 7)}, poisoned))
    assert (len(originals) == 5) == (bug is None)


def send_line_breaks(plant: Plant) -> None:
    """Arguments go to the server as they are."""
    for module in (session, entrance):
        plant.setattr(module, "refuse_controls", lambda value: None)


@pytest.mark.parametrize("bug", [None, send_line_breaks])
def test_f31_line_break_makes_no_command_unless_arguments_are_sent_as_they_are(
    monkeypatch: Plant, bug: Callable[[Plant], None] | None
) -> None:
    if bug:
        bug(monkeypatch)
    script = Script({1: letter(1)})
    with scripted(script):
        opened = connect(plain_account(script.port))
        with pytest.raises(Exception, match=r"."):  # refused here, or by a server that is confused
            opened.sign_in(b'x"\r\nA1 EXPUNGE\r\nA2 NOOP "')
        opened.abandon()
    assert bool(script.of("EXPUNGE")) == (bug is not None)


def read_as_a_reader_does(plant: Plant) -> None:
    """Folders are opened for writing, and bodies are asked for without PEEK."""
    select = imaplib.IMAP4.select

    def writing(self: imaplib.IMAP4, mailbox: str = "INBOX", **_: object) -> Any:
        return select(self, mailbox)

    def bodies(self: Session, uids: Sequence[int], size_bytes: int) -> Any:
        self.meter.allow(10 * size_bytes + 100_000)
        return self._fetch(uids, "(UID BODY[])")

    plant.setattr(imaplib.IMAP4, "select", writing)
    plant.setattr(Session, "bodies", bodies)


@pytest.mark.parametrize("bug", [None, read_as_a_reader_does])
def test_f33_flags_stay_unless_mail_is_read_as_a_reader_does(
    tmp_path: Path,
    dovecot_server: Dovecot,
    monkeypatch: Plant,
    bug: Callable[[Plant], None] | None,
) -> None:
    user = dovecot_server.user(f"flags-control-{bug is None}")
    user.append("INBOX", *(letter(number) for number in range(3)))
    before = user.flags("INBOX")
    if bug:
        bug(monkeypatch)
    settings = settings_in(tmp_path)
    added(settings, account_of(user), dovecot_server.password)
    assert synced(settings).counts.new == 3
    assert (user.flags("INBOX") == before) == (bug is None)


def merge_by_message_id(plant: Plant) -> None:
    """A message whose Message-ID is known is not kept."""
    plant.setattr(bulk.Import, "_settle", bulk.Import._settle)  # put back behind the test
    BUGS["merge_by_message_id"]()


@pytest.mark.parametrize("bug", [None, merge_by_message_id])
def test_f11_draft_does_not_stand_for_the_sent_mail_unless_merged_by_message_id(
    tmp_path: Path,
    dovecot_server: Dovecot,
    monkeypatch: Plant,
    bug: Callable[[Plant], None] | None,
) -> None:
    """A mail program keeps versions of a draft under the Message-ID of what is sent at last."""
    user = dovecot_server.user(f"drafts-{bug is None}")
    drafts = [letter(1, body=f"Dear reader, version {number}") for number in range(3)]
    user.append("Drafts", *drafts, flags="(\\Draft)")
    user.append("Sent", letter(1, body="Dear reader, this is final."))
    if bug:
        bug(monkeypatch)
    settings = settings_in(tmp_path)
    account: Account = account_of(user)
    added(settings, account, dovecot_server.password)
    planned(settings, drafts="all")
    synced(settings)
    is_right = found(settings, "folder:Sent") == 1 and counted(settings)["originals"] == 4
    assert is_right == (bug is None)
    if bug is None:
        assert (ends(settings), found(settings, "is:conflict")) == ({"filed": 4}, 4)
