"""Listeners that are broken on purpose: the checks that the real one passes must find them out."""

from __future__ import annotations

import asyncio
import errno
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from archive_kit import settings_in
from catalogue_lock import impatient
from fault_bugs import BUGS
from fault_disk import can_loop, can_mount, loop_disk, memory_disk
from faulty_files import Deaf, FaultyFiles, Stubborn
from holdfast.ingest.pipeline import accept
from holdfast.ingest.recovery import file_sealed
from holdfast.ingest.smtp import arriving, committing, session
from holdfast.ingest.smtp.arriving import Arriving
from holdfast.ingest.smtp.committing import GroupCommit, Letter
from holdfast.ingest.smtp.config import Certificate, Login, SmtpConfig
from holdfast.ingest.smtp.crowd import Crowd
from holdfast.ingest.smtp.door import Door
from holdfast.ingest.smtp.session import JournalSession
from holdfast.settings import Settings
from holdfast.storage.frames import prepare
from holdfast.storage.local_vault import LocalVault
from holdfast.wiring.founding import create_archive
from holdfast.wiring.runs import parser_pool
from smtp_checks import (
    SMALL_BYTES,
    SMUGGLED,
    caps_connections,
    drops_what_came_in_clear,
    ends_content_that_trickles,
    ends_endless_noops,
    ends_garbage,
    ends_silence,
    guessable,
    keeps_as_one,
    keeps_long_lines,
    keeps_nothing_of_what_is_cut_off,
    keeps_other_words_of_one_message_id,
    keeps_what_is_sent_again,
    limits_guessing,
    refuses_strangers,
    refuses_what_is_too_large,
    relays_nothing,
    takes_little_memory,
)
from smtp_faults import (
    Faults,
    answers_on_a_disk_that_becomes_read_only,
    answers_while_the_catalogue_is_locked,
    poison_costs_itself_alone,
    refuses_for_now,
    takes_mail_again_when_there_is_room,
)
from smtp_kit import CONFIG, Listening, bounded, listening, make_certificate

pytestmark = pytest.mark.unmeasured

Plant = pytest.MonkeyPatch
SOON_S = 0.5
"""A broken listener is not waited for longer; the good one has a minute."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def read_as_the_library_does(plant: Plant) -> None:
    """Content is read line by line, and a line has a limit."""
    plant.setattr(JournalSession, "smtp_DATA", SMTP.smtp_DATA)
    plant.setattr(JournalSession, "line_length_limit", SMTP.line_length_limit)


def take_the_cut_for_the_end(plant: Plant) -> None:
    """What has come when the sender goes is the message."""
    receive = JournalSession._receive

    async def receiving(self: JournalSession, arriving: Arriving) -> str:
        try:
            return await receive(self, arriving)
        except (asyncio.IncompleteReadError, asyncio.CancelledError):
            return ""

    plant.setattr(JournalSession, "_receive", receiving)


def take_the_broken_for_the_end(plant: Plant) -> None:
    """What has come when the connection breaks is the message; a sender may go in order."""
    receive = JournalSession._receive

    async def receiving(self: JournalSession, arriving: Arriving) -> str:
        try:
            return await receive(self, arriving)
        except (asyncio.CancelledError, ConnectionError):
            if self._reader.exception() is None:
                raise
            return ""

    plant.setattr(JournalSession, "_receive", receiving)


def unbounded(**bounds: Any) -> Callable[[Plant], None]:
    """Sessions keep to other bounds than those that the listener was given."""

    def plant_it(plant: Plant) -> None:
        begin = Door.__init__

        def beginning(self: Door, config: SmtpConfig, *rest: Any) -> None:
            begin(self, config, *rest)
            self.config = replace(config, bounds=replace(config.bounds, **bounds))

        plant.setattr(Door, "__init__", beginning)

    return plant_it


def keep_in_memory(plant: Plant) -> None:
    """A message of any size is held in memory while it arrives."""
    plant.setattr(arriving, "MEMORY_BYTES", 1 << 40)


def hear_any_garbage(plant: Plant) -> None:
    """Whoever sends what is no command may go on with it."""
    push = SMTP.push
    plant.setattr(JournalSession, "push", lambda self, status: push(self, status))


def count_no_commands(plant: Plant) -> None:
    """A client may say what costs nothing as often as it likes, as in the library's default."""
    begin = JournalSession.__init__

    def beginning(self: JournalSession, door: Door, **options: Any) -> None:
        begin(self, door, **{**options, "command_call_limit": None})

    plant.setattr(JournalSession, "__init__", beginning)


def wait_for_ever(plant: Plant) -> None:
    """Nobody looks how long a client has been silent."""
    plant.setattr(JournalSession, "_timeout_cb", lambda self: None)


def count_nobody(plant: Plant) -> None:
    """Everybody comes in."""
    plant.setattr(Crowd, "refusal", lambda self, peer: "")


def relay(plant: Plant) -> None:
    """Mail for any address is taken."""
    plant.setattr(SmtpConfig, "takes", lambda self, recipient: True)


def trust_everybody(plant: Plant) -> None:
    """It does not matter where a client comes from."""
    plant.setattr(SmtpConfig, "trusts", lambda self, peer: True)


FAR = (ip_network("192.0.2.0/24"),)
Check = Callable[[Listening], None]
CONTROLS: dict[str, tuple[Callable[[Plant], None], SmtpConfig, Check, str]] = {
    "f15": (read_as_the_library_does, CONFIG, keeps_long_lines, "a long line was refused"),
    "f16": (
        take_the_cut_for_the_end,
        CONFIG,
        keeps_nothing_of_what_is_cut_off,
        "half a message was answered",
    ),
    "f16 broken": (
        take_the_broken_for_the_end,
        CONFIG,
        keeps_nothing_of_what_is_cut_off,
        "half a message was kept",
    ),
    "f17": (
        unbounded(message_bytes=1 << 40),
        bounded(message_bytes=SMALL_BYTES),
        refuses_what_is_too_large,
        "the stated size was believed",
    ),
    "f17 memory": (keep_in_memory, CONFIG, takes_little_memory, "it took"),
    "f18 garbage": (
        hear_any_garbage,
        bounded(errors=5),
        lambda listener: ends_garbage(listener, 5),
        "garbage has no end",
    ),
    "f18 noops": (
        count_no_commands,
        bounded(noops=5),
        lambda listener: ends_endless_noops(listener, 5),
        "NOOP has no end",
    ),
    "f18 silence": (
        wait_for_ever,
        bounded(idle_s=0.2),
        lambda listener: ends_silence(listener, SOON_S),
        "silence has no end",
    ),
    "f18 session": (
        unbounded(session_s=3600),
        bounded(session_s=0.2),
        lambda listener: ends_silence(listener, SOON_S),
        "silence has no end",
    ),
    "f18 content": (
        unbounded(data_s=3600),
        bounded(data_s=0.2),
        lambda listener: ends_content_that_trickles(listener, SOON_S),
        "content has no end",
    ),
    "f18 all": (count_nobody, bounded(connections=2), caps_connections, "one too many came in"),
    "f18 peer": (
        count_nobody,
        bounded(connections_per_peer=2),
        caps_connections,
        "one too many came in",
    ),
    "f19 recipient": (relay, CONFIG, relays_nothing, "another address took mail"),
    "f19 peer": (
        trust_everybody,
        replace(CONFIG, networks=FAR, login=Login("exchange", "s3cret")),
        refuses_strangers,
        "a stranger may deliver",
    ),
}


@pytest.mark.parametrize("control", CONTROLS)
def test_broken_listener_is_found_out(settings: Settings, monkeypatch: Plant, control: str) -> None:
    bug, config, check, words = CONTROLS[control]
    bug(monkeypatch)
    with listening(settings, config) as listener, pytest.raises(AssertionError, match=words):
        check(listener)


def test_f16_file_that_stays_open_is_found_out(settings: Settings, monkeypatch: Plant) -> None:
    close, held = Arriving.close, list[Arriving]()
    monkeypatch.setattr(Arriving, "close", lambda self: held.append(self))
    with listening(settings) as listener, pytest.raises(AssertionError, match="a file of it"):
        keeps_nothing_of_what_is_cut_off(listener)
    for one in held:
        close(one)


def test_f13_each_other_end_of_data_is_found_out(settings: Settings, monkeypatch: Plant) -> None:
    with listening(settings) as listener:
        for end in SMUGGLED:
            monkeypatch.setattr(session, "END", end)
            with pytest.raises(AssertionError, match="smuggled"):
                keeps_as_one(listener, end)


def keep_what_came_in_clear(plant: Plant) -> None:
    """What was read ahead of TLS is heard behind it (CVE-2024-34083)."""
    made = JournalSession.connection_made

    def keeping(self: JournalSession, transport: asyncio.BaseTransport) -> None:
        reader: Any = getattr(self, "_reader", None)
        ahead = bytes(reader._buffer) if reader is not None else b""
        made(self, transport)
        if ahead:
            self._reader.feed_data(ahead)

    plant.setattr(JournalSession, "connection_made", keeping)


def test_f14_what_is_heard_behind_tls_is_found_out(
    settings: Settings, tmp_path: Path, monkeypatch: Plant
) -> None:
    keep_what_came_in_clear(monkeypatch)
    config = replace(CONFIG, certificate=Certificate(*make_certificate(tmp_path)))
    with listening(settings, config) as secured, pytest.raises(AssertionError, match="injected"):
        drops_what_came_in_clear(secured)


def forget_guesses(plant: Plant) -> None:
    """Nobody counts wrong passwords."""
    plant.setattr(Crowd, "note_failed_login", lambda self, peer: None)


def count_guesses_of_all(plant: Plant) -> None:
    """Wrong passwords count for everybody."""
    note, may = Crowd.note_failed_login, Crowd.may_log_in
    plant.setattr(Crowd, "note_failed_login", lambda self, peer: note(self, ""))
    plant.setattr(Crowd, "may_log_in", lambda self, peer: may(self, ""))


@pytest.mark.parametrize(
    ("bug", "words"),
    [(forget_guesses, "guessed on"), (count_guesses_of_all, "others are shut out")],
)
def test_guessing_without_a_limit_of_its_own_is_found_out(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    words: str,
) -> None:
    bug(monkeypatch)
    certificate = Certificate(*make_certificate(tmp_path))
    config = replace(guessable(login_failures=3), certificate=certificate)
    with listening(settings, config) as secured, pytest.raises(AssertionError, match=words):
        limits_guessing(secured, 3)


def add_a_trace_field(plant: Plant) -> None:
    """Each delivery gets a field of its own, as of a relay."""

    def adding(content: Any, *, spool: Path) -> Any:
        return prepare(b"Received: %s\r\n" % secrets.token_bytes(8) + bytes(content), spool=spool)

    plant.setattr(committing, "prepare", adding)


def drop_what_is_known(plant: Plant) -> None:
    """The same bytes again are answered, and not written down."""
    known: set[bytes] = set()

    def dropping(offers: Sequence[Any], *rest: Any) -> Any:
        fresh = [one for one in offers if one.prepared.content_id not in known]
        known.update(one.prepared.content_id for one in offers)
        return accept(fresh, *rest) if fresh else None

    plant.setattr(committing, "accept", dropping)


@pytest.mark.parametrize(
    ("bug", "words"),
    [(add_a_trace_field, "another original"), (drop_what_is_known, "a receipt is missing")],
)
def test_f9_message_sent_again_is_found_out(
    settings: Settings, monkeypatch: Plant, bug: Callable[[Plant], None], words: str
) -> None:
    bug(monkeypatch)
    with (
        listening(settings) as listener,
        parser_pool(settings) as pool,
        pytest.raises(AssertionError, match=words),
    ):
        keeps_what_is_sent_again(listener, lambda: file_sealed(listener.services.desk, pool))


def test_f11_merging_by_message_id_is_found_out(settings: Settings, monkeypatch: Plant) -> None:
    known: set[bytes] = set()

    def merging(self: GroupCommit, group: Sequence[Letter]) -> Exception | None:
        fresh = [one for one in group if _message_id(one) not in known]
        known.update(map(_message_id, group))
        return kept(self, fresh) if fresh else None

    kept = GroupCommit._kept
    monkeypatch.setattr(GroupCommit, "_kept", merging)
    with (
        listening(settings) as listener,
        pytest.raises(AssertionError, match="one stood for both"),
    ):
        keeps_other_words_of_one_message_id(listener)


def _message_id(letter: Letter) -> bytes:
    return bytes(letter.content).partition(b"Message-ID:")[2].partition(b"\r\n")[0]


def none(_plant: Plant) -> None:
    """The session is as it should be."""


def refuse_for_good(plant: Plant) -> None:
    """What could not be kept is refused as if it never could be."""
    plant.setattr(session, "_answer_to", lambda trouble: "554 5.3.0 It could not be kept")


@pytest.mark.parametrize(
    ("bug", "files", "fault", "code"),
    [(none, Stubborn, ("fsync", errno.EIO), "451"), (none, Deaf, ("write", errno.ENOSPC), "452"),
     (none, Deaf, ("write", errno.EROFS), "451"),
     (refuse_for_good, FaultyFiles, ("fsync", errno.EIO), "451")],
)  # fmt: skip
def test_f4_f5_other_answer_to_a_failing_disk_is_found_out(
    settings: Settings,
    monkeypatch: Plant,
    bug: Callable[[Plant], None],
    files: Callable[[], FaultyFiles],
    fault: tuple[str, int],
    code: str,
) -> None:
    bug(monkeypatch)
    faults = Faults(files())
    with (
        listening(settings, desk_of=faults.desk) as listener,
        pytest.raises(AssertionError, match="another answer"),
    ):
        refuses_for_now(listener, faults.files, fault, code)
    faults.close()


def test_f4_group_that_suffers_for_one_message_is_found_out(
    settings: Settings, monkeypatch: Plant
) -> None:
    def settle(self: GroupCommit, group: Sequence[Letter]) -> None:
        trouble = self._kept(group)
        for letter in group:
            letter.settle(trouble)

    monkeypatch.setattr(GroupCommit, "_settle", settle)
    with pytest.raises(AssertionError, match="other answers"):
        poison_costs_itself_alone(settings)


def test_fault_of_ours_that_is_refused_for_good_is_found_out(
    settings: Settings, monkeypatch: Plant
) -> None:
    refuse_for_good(monkeypatch)
    with pytest.raises(AssertionError, match="other answers"):
        poison_costs_itself_alone(settings)


def ignore_the_spool(plant: Plant) -> None:
    """What the spool refuses is left out of the message."""

    def added(arriving: Arriving, piece: bytes) -> str:
        with suppress(OSError):
            arriving.add(piece)
        return ""

    plant.setattr(session, "added", added)
    plant.setattr(session, "ended", lambda arriving: "")
    plant.setattr(Arriving, "content", lambda self: b"what there was room for")


def ignore_the_disk(plant: Plant) -> None:
    """The vault passes over what the disk refuses."""
    plant.setattr(LocalVault, "__init__", LocalVault.__init__)  # put back behind the test
    BUGS["ignore_the_disk"]()


@pytest.mark.parametrize(
    ("bug", "part"),
    [(ignore_the_spool, "spool"), (ignore_the_disk, "segments"), (refuse_for_good, "segments")],
)
def test_f6_other_answer_of_a_full_disk_is_found_out(
    settings: Settings,
    monkeypatch: Plant,
    need: Callable[[object, str], None],
    bug: Callable[[Plant], None],
    part: str,
) -> None:
    need(can_mount(), "this host does not let us mount")
    bug(monkeypatch)
    create_archive(settings)
    with (
        memory_disk(settings.data / part, "2m") as small,
        pytest.raises(AssertionError, match="another answer"),
    ):
        takes_mail_again_when_there_is_room(settings, small)


def answer_before_keeping(plant: Plant) -> None:
    """A sender hears 250 when everything was heard, whether it could be kept or not."""
    plant.setattr(JournalSession, "_keep", JournalSession._keep)  # put back behind the test
    BUGS["answer_before_keeping"]()


@pytest.mark.parametrize("bug", [answer_before_keeping, refuse_for_good])
def test_f8_other_answer_of_a_locked_catalogue_is_found_out(
    settings: Settings, monkeypatch: Plant, bug: Callable[[Plant], None]
) -> None:
    impatient(monkeypatch)
    bug(monkeypatch)
    with pytest.raises(AssertionError, match="another answer"):
        answers_while_the_catalogue_is_locked(settings)


def test_f7_permanent_refusal_by_a_read_only_disk_is_found_out(
    tmp_path: Path, monkeypatch: Plant, need: Callable[[object, str], None]
) -> None:
    need(can_loop("ext4"), "no loop device, or no ext4")
    refuse_for_good(monkeypatch)
    with loop_disk(tmp_path / "loop", "ext4") as disk:
        settings = settings_in(disk.at, keys={"path": tmp_path / "keys"})
        with pytest.raises(AssertionError, match="another answer"):
            answers_on_a_disk_that_becomes_read_only(disk, settings)
