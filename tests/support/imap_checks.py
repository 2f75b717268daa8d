"""What must hold of the IMAP connector whatever a server does; broken ones must fail the same."""

from __future__ import annotations

import errno
import random
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from imapclient import imap_utf7
from sqlalchemy import select

from archive_kit import findings, found, opened, settings_in
from catalogue_lock import locked
from fault_command import PROGRAM, start
from fault_disk import grow, loop_disk, memory_disk
from faulty_files import FaultyFiles
from holdfast.core.errors import Corrupt, Refused, Unavailable
from holdfast.ingest.imap import fetching
from holdfast.ingest.imap.failures import SignInRefused
from holdfast.ingest.imap.link import GaveUp
from holdfast.ingest.imap.names import Folder
from holdfast.ingest.imap.session import connect
from holdfast.ingest.imap.signing.oauth import REFRESH, Credentials, Oauth, sealed
from holdfast.ingest.imap.signing.tokens import Tokens
from holdfast.ingest.outbound.addresses import Place, may_reach
from holdfast.ingest.outbound.dialling import Dial
from holdfast.ingest.sources import leasing
from holdfast.settings import Settings
from holdfast.storage.catalogue.accounts import accounts_of
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import captures, source_items
from holdfast.storage.local_vault import LocalVault
from imap_kit import (
    LARGE_BODY,
    Patience,
    added,
    counted,
    expected,
    held,
    letter,
    plain_account,
    synced,
)
from imap_script import Asked, Cut, Script, honest, scripted, signing_in_gets
from token_server import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TokenService
from token_server import serving as serving_tokens

SECRET = "open-sesame-84"
Plant = pytest.MonkeyPatch


def mail(*uids: int) -> dict[int, bytes]:
    """A folder with these messages."""
    return {uid: letter(uid % 9973) for uid in uids}


@contextmanager
def serving(folder: Path, script: Script, **changes: Any) -> Iterator[Settings]:
    """An archive with the script's only account as its source."""
    settings = settings_in(folder)
    with scripted(script):
        added(settings, plain_account(script.port, **changes), SECRET)
        yield settings


def reasons(settings: Settings) -> dict[str, tuple[str, str, bool]]:
    """Of the items without an original: key → end, reason, may be asked for again."""
    query = select(source_items).where(source_items.c.original_id.is_(None))
    with opened(settings) as services, reading(services.store.engine) as connection:
        return {
            row.item_key: (row.state, row.reason, row.is_retryable)
            for row in connection.execute(query)
        }


def finds_far_uids_in_three_trips(folder: Path) -> None:
    """A first sync asks three times, wherever the UIDs begin (F24)."""
    first = 743_000_000
    script = Script(mail(first, first + 9, first + 5_000_000))
    with serving(folder, script) as settings:
        assert synced(settings).counts.new == 3
    assert [one for one in script.asked if one.startswith("UID")] == [
        "UID SEARCH ALL",
        "UID FETCH 743000000,743000009,748000000 (UID RFC822.SIZE INTERNALDATE FLAGS)",
        "UID FETCH 743000000,743000009,748000000 (UID BODY.PEEK[])",
    ], "other round trips"


def takes_muddled_uids_once(folder: Path) -> None:
    """Duplicate, unsorted and impossible UIDs come to the messages that are there (F25)."""
    script = Script(mail(2**32 - 1, 3, 2**32 - 2))

    def muddled(asked: Asked, answer: bytes) -> bytes:
        if asked.words != "UID SEARCH ALL":
            return answer
        return answer.replace(b"* SEARCH", b"* SEARCH 3 3 4294967296\r\n* SEARCH 4294967295", 1)

    script.twist = muddled
    with serving(folder, script) as settings:
        done = synced(settings)
        assert (done.found.at_server, done.counts.new) == (3, 3), "the list was believed"
        assert synced(settings).counts.offered == 0


def reconciles_what_was_not_counted(folder: Path) -> None:
    """A server counts no change that it makes, and a reconciling run finds all the same (F26)."""
    script = Script(mail(1, 2), capabilities="IMAP4rev1 CONDSTORE")

    def uncounted(asked: Asked, answer: bytes) -> bytes:
        if "CHANGEDSINCE" in asked.words:
            return f"{asked.tag} OK nothing\r\n".encode()
        return answer.replace(b"stable\r\n", b"stable\r\n* OK [HIGHESTMODSEQ 5] still\r\n")

    script.twist = uncounted
    with serving(folder, script) as settings:
        synced(settings)
        script.flags = "\\Seen \\Flagged"
        script.mail[2] = letter(500)
        lied_to = synced(settings)
        assert (lied_to.found.flagged, lied_to.counts.offered) == (0, 0)
        done = synced(settings, reconciles=True)
        assert (done.found.flagged, done.counts.new) == (2, 1), "the count was believed"
        assert held(settings) == expected({"INBOX": [letter(1), letter(2), letter(500)]})
        assert findings(settings) == []


def waits_for_a_busy_server(folder: Path) -> None:
    """A server that is busy is waited for, ever longer, and then left for another time (F27)."""
    script = Script(mail(1))
    script.twist = signing_in_gets("NO [LIMIT] too many connections")
    patience = Patience()
    with serving(folder, script) as settings:
        done = synced(settings, pause=patience)
        assert isinstance(done.error, GaveUp), "it was not waited for"
        assert len(patience.asked_s) == 4, "it was not waited for"
        assert all(7.5 <= one <= 120 for one in patience.asked_s)
        script.twist = honest
        assert synced(settings).counts.new == 1


def asks_once_for_a_refused_sign_in(folder: Path) -> None:
    """A password that is refused is not tried again, and not told (F28)."""
    script = Script(mail(1))
    script.twist = signing_in_gets(f"NO [AUTHENTICATIONFAILED] not {SECRET}")
    with serving(folder, script) as settings:
        done = synced(settings)
    assert len(script.of("LOGIN")) == 1, "it was tried again"
    assert isinstance(done.error, SignInRefused)
    assert SECRET not in f"{done.error} {done.error.__cause__}", "the secret is told"


def goes_on_where_the_server_went_down(folder: Path, plant: Plant) -> None:
    """A server goes down in the middle of a folder; the next run takes the rest alone (F29)."""
    plant.setattr(fetching, "BATCH_ITEMS", 2)
    script = Script(mail(*range(1, 7)))

    def going_down(asked: Asked, answer: bytes) -> bytes:
        if len(script.of("BODY.PEEK[]")) > 1:
            raise Cut
        return answer

    script.twist = going_down
    with serving(folder, script) as settings:
        first = synced(settings)
        assert (first.counts.new, type(first.error)) == (2, GaveUp)
        script.twist = honest
        script.asked.clear()
        done = synced(settings)
        assert (done.counts.new, done.is_whole) == (4, True), "what was listed was not taken"
        assert script.of("UID FETCH")[0].startswith("UID FETCH 3:6 ")
        assert held(settings) == expected({"INBOX": script.mail.values()})


def costs_an_evil_name_its_folder_alone(folder: Path) -> None:
    """A folder whose name would be a command is left out, and said; the others come (F30)."""
    evil = b'() "/" {9}\r\nA\r\nB NOOP'
    script = Script(mail(1), listed=(evil, b'() "/" INBOX'))
    with serving(folder, script) as settings:
        done = synced(settings)
    assert not script.of("NOOP"), "the name became a command"
    assert done.counts.new == 1, "it cost another folder"
    assert len(done.found.troubled) == 1


def chooses_folders_by_the_names_that_people_see(folder: Path) -> None:
    """Patterns in any script choose folders whose names cross the wire encoded."""
    names = ("项目/合同", "项目/草稿", "Résumés", "INBOX")
    listed = tuple(b'() "/" "' + imap_utf7.encode(name) + b'"' for name in names)
    script = Script(mail(1), listed=listed)
    chosen: dict[str, Any] = {"folders": ("项目/*", "RÉSUMÉS"), "excludes": ("*/草稿",)}
    with serving(folder, script, **chosen) as settings:
        assert synced(settings).found.unmatched == [], "a pattern means nothing"
        assert set(held(settings)) == {"项目/合同", "Résumés"}, "other folders were taken"


HOSTILE = [
    b"a/b", b"a%2Fb", b"a%b", b"=6162", b"ab", b'a "b"', b"caf&AOk-", b"caf\xc3\xa9", b"&2D3eAA-",
    b"&2D0-", b"a\r\nb", b"a\0b", b"inbox", b"INBOX/x", b"..", b"&Jjo-/&Jjo-",
]  # fmt: skip
"""Names of folders as servers wrote them."""


def keeps_names_apart() -> None:
    """No two folders share a key, and a key has no part that is not of the name (F30)."""
    keys = [Folder(wire).key for wire in HOSTILE]
    assert len(set(keys)) == len(HOSTILE), "two folders share a key"
    assert not [one for one in keys if set(one) & set("/\r\n\0")], "a name became a part of a key"


def reads_no_flood(folder: Path) -> None:
    """A literal that is longer than what was asked for is not read into memory (F32)."""
    two_gib = b"* 2 FETCH (UID 2 BODY[] {2147483648}\r\n"

    def flooding(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words and 2 in asked.uids:
            raise Cut(two_gib + b"x" * 4_000_000)
        return answer

    with serving(folder, Script(mail(1, 2, 3), flooding)) as settings:
        done = synced(settings)
        assert (done.counts.new, done.counts.failed) == (2, 1)
        assert "more than was asked for" in reasons(settings)["INBOX/7/2"][1], "it was read"


def keeps_every_membership(folder: Path) -> None:
    """One message in several folders and under labels is one, and in each of them (F12)."""
    labels = ' X-GM-LABELS ("\\\\Inbox" work "to do" Q3) X-GM-MSGID 1278455344230334865'
    names = ("INBOX", "Sent", "Archive")
    script = Script(mail(1), capabilities="IMAP4rev1 X-GM-EXT-1", more=labels)
    script.listed = tuple(f'() "/" {name}'.encode() for name in names)
    with serving(folder, script) as settings:
        synced(settings)
        counts = counted(settings)
        is_one = (counts["originals"], counts["interactions"]) == (1, 1)
        assert is_one, "it is more than one message"
        assert counts["captures"] == 3, "a folder is missing"
        assert [found(settings, f"folder:{name}") for name in names] == [1, 1, 1]
        with opened(settings) as services, reading(services.store.engine) as connection:
            flags = connection.scalars(select(captures.c.flags)).all()
        said = "\\Seen \\Inbox work to do Q3"
        assert [one.replace('"', "") for one in flags] == [said] * 3, "a label is missing"


def told_by_a_run(settings: Settings) -> Unavailable:
    """Sync, and return the words in which the run ends."""
    said: Unavailable | None = None
    try:
        synced(settings)
    except Unavailable as error:
        said = error
    except Corrupt:  # what the disk said went unheard, and reading it back found that out
        pass
    assert said is not None, "nobody was told"
    return said


def keeps_all_of_it_when_the_disk_failed(
    folder: Path, plant: Plant, files: FaultyFiles, fault: tuple[str, int]
) -> None:
    """One failure of the disk ends the run in words; the next one takes everything (F4, F5)."""
    begin = LocalVault.__init__

    def beginning(self: LocalVault, config: Any, clock: Any, *_rest: Any) -> None:
        begin(self, config, clock, files)

    plant.setattr(LocalVault, "__init__", beginning)
    script = Script(mail(1, 2, 3))
    with serving(folder, script) as settings:
        files.fail(fault[0], 1, fault[1])
        said = told_by_a_run(settings)
        assert said.next_step
        assert not files.synced_again
        synced(settings)
        assert held(settings) == expected({"INBOX": script.mail.values()})
        assert findings(settings) == []


def takes_all_of_it_when_there_is_room(folder: Path) -> None:
    """A full disk ends the run in words; with room again the next one takes everything (F6)."""
    chance = random.Random(6)
    script = Script({uid: letter(uid, body=chance.randbytes(40_000).hex()) for uid in range(1, 31)})
    with serving(folder, script) as settings, memory_disk(settings.data / "segments", "480k") as at:
        said = told_by_a_run(settings)
        assert "full" in said.cause
        grow(at, "64m")
        synced(settings)
        assert held(settings) == expected({"INBOX": script.mail.values()})
        assert findings(settings) == []


def takes_the_large_one_when_the_spool_has_room(folder: Path) -> None:
    """A large message has no room on its way: the run ends in words, and the server is not blamed.

    With room again the next run takes everything (F6).
    """
    script = Script({1: letter(1) + LARGE_BODY, 2: letter(2)})
    with serving(folder, script) as settings, memory_disk(settings.data / "spool", "4m") as at:
        said = told_by_a_run(settings)
        assert "full" in said.cause
        assert list(at.glob("*.mail")) == [], "something is left on its way"
        with opened(settings) as services:
            (kept,) = accounts_of(services.store)
        assert kept.trouble == "", "the server is blamed"
        assert reasons(settings) == {}, "a message was given up"
        grow(at, "64m")
        synced(settings)
        assert held(settings) == expected({"INBOX": script.mail.values()})
        assert findings(settings) == []


def takes_all_of_it_when_the_lock_is_gone(folder: Path, plant: Plant) -> None:
    """Somebody locks the catalogue while bodies come; the next run takes everything (F8).

    Args:
        folder: For an archive that does not wait long for a lock.
        plant: Lets the second run see that the first one is no more.
    """
    script = Script(mail(1, 2, 3))
    with serving(folder, script) as settings, ExitStack() as lock:

        def locking(asked: Asked, answer: bytes) -> bytes:
            if "BODY.PEEK[]" in asked.words:
                script.twist = honest
                lock.enter_context(locked(settings))
            return answer

        script.twist = locking
        said = told_by_a_run(settings)
        assert "locked" in said.cause
        lock.close()
        plant.setattr(leasing, "is_dead", lambda owner: True)  # it could not give its lease back
        synced(settings)
        everything = expected({"INBOX": script.mail.values()})
        assert held(settings) == everything, "what was listed was not taken"
        assert findings(settings) == []


FULL, BROKEN = ("write", errno.ENOSPC), ("fsync", errno.EIO)
READ_ONLY = ("write", errno.EROFS)


def goes_on_when_it_may_write_again(folder: Path) -> None:
    """A disk becomes read-only while bodies come: one alert, and later everything is there (F7).

    Args:
        folder: For everything; the archive lies on an ext4 of its own in it.
    """
    script = Script(mail(1, 2))
    with loop_disk(folder / "loop", "ext4") as disk, scripted(script):
        settings = settings_in(disk.at, keys={"path": folder / "keys"})
        added(settings, plain_account(script.port), SECRET)
        synced(settings)

        def turning(asked: Asked, answer: bytes) -> bytes:
            if "BODY.PEEK[]" in asked.words:
                words = ["mount", "-o", "remount,abort,errors=remount-ro", str(disk.at)]
                subprocess.run(words, check=False)
            return answer

        script.mail |= mail(*range(3, 33))
        script.twist = turning
        words = [*PROGRAM, "--data", settings.data, "--set", f"keys.path={folder / 'keys'}"]
        ended = start([*words, "source", "sync", "-j", 1], folder / "run").finish()
        assert (ended.status, ended.has_traceback) == (7, False), ended.err
        assert ended.err.count("Error:") == 1, ended.err
        script.twist = honest
        disk.unmount()
        subprocess.run(["e2fsck", "-p", disk.image], capture_output=True, check=False)
        disk.mount()
        synced(settings)
        everything = expected({"INBOX": script.mail.values()})
        assert held(settings) == everything, "what was listed was not taken"
        assert synced(settings).counts.offered == 0
        assert findings(settings) == []


def goes_nowhere_unasked() -> None:
    """A name that means this machine leads nowhere unless that was allowed (F64)."""
    script = Script({})
    with scripted(script), suppress(Refused):
        connect(plain_account(script.port, allows_private=False)).close()
        raise AssertionError("it was reached")
    assert script.asked == []


def looks_up_a_name_once(plant: Plant) -> None:
    """A name that means another address a moment later leads to the one that was checked (F64)."""
    with scripted(Script({})) as meant, scripted(Script({})) as other:
        ports = [meant.port, other.port]

        def getaddrinfo(host: str, port: int, *_rest: Any, **_more: Any) -> list[Any]:
            at = ports.pop(0) if host == "rebinding.example" else port
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", at))]

        plant.setattr(socket, "getaddrinfo", getaddrinfo)
        with Dial(allows_private=True).open(Place("rebinding.example", meant.port)) as wire:
            assert wire.getpeername()[1] == meant.port, "it was looked up again"


def sees_an_address_inside_another() -> None:
    """An address that holds another one is judged by both (F64)."""
    assert not may_reach("2002:a9fe:a9fe::", allows_private=True), "it may be reached"
    assert not may_reach("2002:7f00:1::", allows_private=False), "it may be reached"


def asks_no_service_of_the_own_network() -> None:
    """Whoever gives tokens lies elsewhere, unless that was allowed (F64)."""
    service = TokenService()
    secret = sealed(Credentials(refresh_token=REFRESH_TOKEN, client_secret=CLIENT_SECRET))
    with serving_tokens(service) as service.port:
        oauth = Oauth(REFRESH, CLIENT_ID, service.url, "mail")
        tokens = Tokens(oauth, "ann", Memory(secret), Dial(), ssl.create_default_context())
        with suppress(Refused):
            tokens.access()
    assert service.asked == [], "it was asked"


@dataclass(slots=True)
class Memory:
    """The secret of a source, and a clock that a test sets."""

    secret: bytes
    at_ms: int = 1_000_000_000

    def latest(self) -> bytes:
        """Return it."""
        return self.secret

    def keep(self, secret: bytes) -> None:
        """Replace it."""
        self.secret = secret

    def now_ms(self) -> int:
        """Return the time that the test set."""
        return self.at_ms
