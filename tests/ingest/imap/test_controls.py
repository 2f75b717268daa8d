"""Connectors that are broken on purpose: the checks that the real one passes must find them out."""

from __future__ import annotations

import imaplib
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from archive_kit import found, kept, settings_in
from catalogue_lock import impatient
from fault_bugs import BUGS
from fault_disk import can_loop, can_mount
from faulty_files import Deaf, Stubborn
from holdfast.core.custody import Unkept
from holdfast.ingest import bulk, taking_in
from holdfast.ingest.imap import fetching, replies, session
from holdfast.ingest.imap.account import Account
from holdfast.ingest.imap.failures import Lost, SaidNo
from holdfast.ingest.imap.fetching import FolderFetch, Place
from holdfast.ingest.imap.later import Later
from holdfast.ingest.imap.link import GaveUp, Link
from holdfast.ingest.imap.metering import Meter
from holdfast.ingest.imap.names import Folder, item_key
from holdfast.ingest.imap.session import Session, connect
from holdfast.ingest.imap.signing import entrance
from holdfast.ingest.imap.uid_sets import MOST
from holdfast.ingest.imap.walking import Walk
from holdfast.ingest.outbound import addresses, dialling, posting
from holdfast.ingest.outbound.dialling import Dial
from holdfast.ingest.readers.offers import Fetched
from holdfast.storage.local_vault import LocalVault
from imap_checks import (
    BROKEN,
    FULL,
    READ_ONLY,
    SECRET,
    asks_no_service_of_the_own_network,
    asks_once_for_a_refused_sign_in,
    chooses_folders_by_the_names_that_people_see,
    costs_an_evil_name_its_folder_alone,
    finds_far_uids_in_three_trips,
    goes_nowhere_unasked,
    goes_on_when_it_may_write_again,
    goes_on_where_the_server_went_down,
    keeps_all_of_it_when_the_disk_failed,
    keeps_every_membership,
    keeps_names_apart,
    looks_up_a_name_once,
    reads_no_flood,
    reconciles_what_was_not_counted,
    sees_an_address_inside_another,
    takes_all_of_it_when_the_lock_is_gone,
    takes_all_of_it_when_there_is_room,
    takes_muddled_uids_once,
    takes_the_large_one_when_the_spool_has_room,
    waits_for_a_busy_server,
)
from imap_kill import fill, killed_while_fetching
from imap_kit import account_of, added, counted, ends, letter, plain_account, synced
from imap_script import Asked, Cut, Script, scripted
from server_dovecot import Dovecot
from source_kit import planned

pytestmark = pytest.mark.unmeasured

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
    for taker, name in ((bulk.Import, "_settle"), (taking_in.Taking, "_add")):
        plant.setattr(taker, name, getattr(taker, name))  # put back behind the test
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


def ask_range_by_range(plant: Plant) -> None:
    """UIDs are looked for from 1 on, a hundred million at a time."""

    def uids(self: Session, among: Iterable[int] | None = None) -> list[int]:
        step = 10**8
        asked = range(1, MOST, step) if among is None else ()
        return [u for at in asked for u in self._searched(f"UID {at}:{at + step - 1}")]

    plant.setattr(Session, "uids", uids)


def believe_the_list(plant: Plant) -> None:
    """What SEARCH says is what there is."""

    def searched(self: Session, criteria: str) -> list[int]:
        return [int(one) for line in self._uid("SEARCH", criteria) for one in line.split()]

    plant.setattr(Session, "_searched", searched)


def believe_the_count(plant: Plant) -> None:
    """Where a server counts changes, a reconciling run too asks for what was counted."""
    init = Later.__init__

    def beginning(self: Later, *given: Any, **_more: Any) -> None:
        init(self, *given[:4])

    plant.setattr(Later, "__init__", beginning)


def compare_no_sizes(plant: Plant) -> None:
    """A message that is known is not looked at again."""
    plant.setattr(FolderFetch, "differing", lambda self, kept: [])


def come_back_at_once(plant: Plant) -> None:
    """A server that is busy is asked again without a pause."""
    plant.setattr(Link, "_wait", lambda self, error, tried: None)


def take_a_refusal_for_trouble(plant: Plant) -> None:
    """A password that is refused may be taken the next time."""
    plant.setattr(entrance, "sign_in_refusal", lambda account, words: Lost("No."))


def take_the_listed_for_taken(plant: Plant) -> None:
    """What a folder had when it was last listed counts as taken: a cursor that runs ahead."""
    plant.setattr(Walk, "_wanted", Walk._wanted)  # put back behind the test
    BUGS["take_the_listed_for_taken"]()


def send_names_as_they_are(plant: Plant) -> None:
    """Names of folders go to the server whatever is in them."""
    plant.setattr(Session, "_checked", lambda self, folder: b'"' + folder.wire + b'"')


def compare_names_as_sent(plant: Plant) -> None:
    """Patterns are compared with what crosses the wire."""
    plant.setattr(Folder, "name", property(lambda self: self.wire.decode()))


def let_one_folder_end_all(plant: Plant) -> None:
    """Whatever goes wrong with a folder ends the run."""
    plant.setattr(Walk, "_guarded", lambda self, job: self._folder(*job))


def read_any_length(plant: Plant) -> None:
    """What the server says of a length is read."""
    plant.setattr(Meter, "_take", lambda self, size_bytes: None)


def leave_out_labels(plant: Plant) -> None:
    """Only flags are facts."""
    plant.setattr(replies, "_label", lambda text: "")


Check = Callable[[Path, Plant], None]
CONTROLS: dict[str, tuple[Callable[[Plant], None], Check, str]] = {
    "f12 folders": (
        merge_by_message_id,
        lambda folder, _: keeps_every_membership(folder),
        "a folder is missing",
    ),
    "f12 labels": (
        leave_out_labels,
        lambda folder, _: keeps_every_membership(folder),
        "a label is missing",
    ),
    "f24": (
        ask_range_by_range,
        lambda folder, _: finds_far_uids_in_three_trips(folder),
        "other round trips",
    ),
    "f25": (
        believe_the_list,
        lambda folder, _: takes_muddled_uids_once(folder),
        "the list was believed",
    ),
    "f26 flags": (
        believe_the_count,
        lambda folder, _: reconciles_what_was_not_counted(folder),
        "the count was believed",
    ),
    "f26 messages": (
        compare_no_sizes,
        lambda folder, _: reconciles_what_was_not_counted(folder),
        "the count was believed",
    ),
    "f27": (
        come_back_at_once,
        lambda folder, _: waits_for_a_busy_server(folder),
        "it was not waited for",
    ),
    "f28": (
        take_a_refusal_for_trouble,
        lambda folder, _: asks_once_for_a_refused_sign_in(folder),
        "it was tried again",
    ),
    "f29": (
        take_the_listed_for_taken,
        goes_on_where_the_server_went_down,
        "what was listed was not taken",
    ),
    "f30 command": (
        send_names_as_they_are,
        lambda folder, _: costs_an_evil_name_its_folder_alone(folder),
        "the name became a command",
    ),
    "f30 others": (
        let_one_folder_end_all,
        lambda folder, _: costs_an_evil_name_its_folder_alone(folder),
        "it cost another folder",
    ),
    "folders": (
        compare_names_as_sent,
        lambda folder, _: chooses_folders_by_the_names_that_people_see(folder),
        "a pattern means nothing",
    ),
    "f32": (read_any_length, lambda folder, _: reads_no_flood(folder), "it was read"),
    "f5": (
        lambda plant: None,
        lambda folder, plant: keeps_all_of_it_when_the_disk_failed(folder, plant, Deaf(), FULL),
        "nobody was told",
    ),
    "f4": (
        lambda plant: None,
        lambda folder, plant: keeps_all_of_it_when_the_disk_failed(
            folder, plant, Stubborn(), BROKEN
        ),
        "nobody was told",
    ),
    "f7": (
        lambda plant: None,
        lambda folder, plant: keeps_all_of_it_when_the_disk_failed(
            folder, plant, Deaf(), READ_ONLY
        ),
        "nobody was told",
    ),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_broken_connector_is_found_out(tmp_path: Path, monkeypatch: Plant, control: str) -> None:
    bug, check, words = CONTROLS[control]
    bug(monkeypatch)
    with pytest.raises(AssertionError, match=words):
        check(tmp_path, monkeypatch)


def test_f6_disk_that_is_not_heard_is_found_out(
    tmp_path: Path, monkeypatch: Plant, need: Callable[[object, str], None]
) -> None:
    need(can_mount(), "this host does not let us mount")
    monkeypatch.setattr(LocalVault, "__init__", LocalVault.__init__)  # put back behind the test
    BUGS["ignore_the_disk"]()
    with pytest.raises(AssertionError, match="nobody was told"):
        takes_all_of_it_when_there_is_room(tmp_path)


def blame_the_server(plant: Plant) -> None:
    """Whatever ends a walk is a trouble of the server."""
    plant.setattr(fetching, "Unspooled", GaveUp)


def blame_the_message(plant: Plant) -> None:
    """A message that finds no room is one that the server does not give."""
    plant.setattr(fetching, "Unspooled", SaidNo)


@pytest.mark.parametrize("bug", [blame_the_server, blame_the_message])
def test_f6_full_spool_that_is_laid_to_others_is_found_out(
    tmp_path: Path,
    monkeypatch: Plant,
    need: Callable[[object, str], None],
    bug: Callable[[Plant], None],
) -> None:
    need(can_mount(), "this host does not let us mount")
    bug(monkeypatch)
    with pytest.raises(AssertionError, match="nobody was told"):
        takes_the_large_one_when_the_spool_has_room(tmp_path)


def test_f7_cursor_that_runs_ahead_is_found_out_by_a_read_only_disk(
    tmp_path: Path, monkeypatch: Plant, need: Callable[[object, str], None]
) -> None:
    need(can_loop("ext4"), "no loop device, or no ext4")
    take_the_listed_for_taken(monkeypatch)  # in the runs that may write again
    with pytest.raises(AssertionError, match="what was listed was not taken"):
        goes_on_when_it_may_write_again(tmp_path)


def test_f8_cursor_that_runs_ahead_is_found_out_by_a_locked_catalogue(
    tmp_path: Path, monkeypatch: Plant
) -> None:
    impatient(monkeypatch)
    take_the_listed_for_taken(monkeypatch)
    with pytest.raises(AssertionError, match="what was listed was not taken"):
        takes_all_of_it_when_the_lock_is_gone(tmp_path, monkeypatch)


def test_f30_names_that_are_keys_as_they_are_are_found_out(monkeypatch: Plant) -> None:
    monkeypatch.setattr(Folder, "key", property(lambda self: self.name))
    with pytest.raises(AssertionError, match=r"share a key|part of a key"):
        keeps_names_apart()


def judge_the_name(plant: Plant) -> None:
    """What is named is looked at, not what it means."""
    plant.setattr(dialling, "resolved", lambda place, *, allows_private: [place.host])


def test_f64_name_that_is_not_looked_up_is_found_out(monkeypatch: Plant) -> None:
    judge_the_name(monkeypatch)
    with pytest.raises(AssertionError, match="it was reached"):
        goes_nowhere_unasked()


def test_f64_address_inside_another_that_is_not_seen_is_found_out(monkeypatch: Plant) -> None:
    monkeypatch.setattr(addresses, "_meant", lambda address: [address])
    with pytest.raises(AssertionError, match="it may be reached"):
        sees_an_address_inside_another()


def test_f64_name_that_is_looked_up_twice_is_found_out(monkeypatch: Plant) -> None:
    def opening(self: Dial, place: addresses.Place) -> socket.socket:
        addresses.resolved(place, allows_private=self.allows_private)
        return socket.create_connection((place.host, place.port), self.connect_s)

    monkeypatch.setattr(Dial, "open", opening)
    with pytest.raises(AssertionError, match="looked up again"):
        looks_up_a_name_once(monkeypatch)


def test_f64_service_that_is_asked_wherever_it_lies_is_found_out(monkeypatch: Plant) -> None:
    def connect_tcp(self: object, host: str, port: int, *_rest: Any, **_more: Any) -> Any:
        wire = socket.create_connection((host, port), 30)
        return posting._Stream(wire, time.monotonic() + 30)

    monkeypatch.setattr(posting._Network, "connect_tcp", connect_tcp)
    with pytest.raises(AssertionError, match="it was asked"):
        asks_no_service_of_the_own_network()


def test_f1_cursor_that_runs_ahead_is_found_out_by_a_kill(
    tmp_path: Path, dovecot_server: Dovecot, monkeypatch: Plant
) -> None:
    user = dovecot_server.user("killed-control")
    mail = {"INBOX": [letter(number) for number in range(8)]}
    fill(user, mail)
    take_the_listed_for_taken(monkeypatch)  # in the runs after the kill
    figures = killed_while_fetching(tmp_path, user, mail)
    assert (figures.killed_alive, figures.doubled, figures.missing) == (1, 0, 8)
