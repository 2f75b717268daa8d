"""What must become of messages whatever answers a server gives for them; twisted and real ones."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import select

from archive_kit import findings, opened, settings_in
from holdfast.core.errors import Refused
from holdfast.ingest.imap.account import Account
from holdfast.ingest.imap.failures import SaidNo
from holdfast.ingest.imap.names import Folder
from holdfast.ingest.imap.session import connect
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.schema import audit_events
from imap_checks import SECRET, mail, reasons, serving
from imap_kill import fill
from imap_kit import (
    LARGE_BODY,
    account_of,
    added,
    counted,
    ends,
    expected,
    held,
    letter,
    plain_account,
    synced,
)
from imap_script import Asked, Cut, Script, scripted
from imap_tap import tapped
from server_dovecot import Dovecot, User

MIB = 1 << 20


def counts_what_is_gone(folder: Path) -> None:
    """A message that is expunged between description and body is gone, and counted so (F21)."""
    script = Script(mail(1, 2, 3))

    def expunged(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words and 2 in script.mail:
            del script.mail[2]
            return script.answer(Asked(asked.tag, asked.words, (1, 3)))
        return answer

    script.twist = expunged
    with serving(folder, script) as settings:
        done = synced(settings)
        found = (done.counts.new, done.counts.gone, done.is_whole)
        assert found == (2, 1, True), "what is gone is not told"
        assert reasons(settings) == {"INBOX/7/2": ("gone", "expunged_before_capture", False)}
        assert counted(settings)["originals"] == 2


def notices_what_another_session_expunges(folder: Path, server: Dovecot, user: User) -> None:
    """Two messages go in another session while bodies are asked for (F21)."""
    user.append("INBOX", *(letter(number) for number in range(6)))
    settings = settings_in(folder)
    with tapped(server.port) as tap:
        added(settings, account_of(user, port=tap.port, tls="none"), server.password)
        tap.acts.append((b"BODY.PEEK[]", lambda: user.expunge("INBOX", 2, 5)))
        done = synced(settings)
    found = (done.counts.new, done.counts.gone, done.is_whole)
    assert found == (4, 2, True), "what is gone is not told"
    assert ends(settings) == {"filed": 4, "gone": 2}
    assert held(settings) == expected({"INBOX": [letter(number) for number in (0, 2, 3, 5)]})
    assert findings(settings) == []


def guesses_no_description(folder: Path) -> None:
    """A description that names no UID is nobody's, and the message stays to be asked for (F22)."""

    def nameless(asked: Asked, answer: bytes) -> bytes:
        return answer.replace(b"UID 2 RFC822", b"RFC822")

    with serving(folder, Script(mail(1, 2, 3), nameless)) as settings:
        assert synced(settings).counts.failed == 1, "it was guessed"
        assert reasons(settings) == {
            "INBOX/7/2": ("failed", "not_given: the server says nothing of it", True)
        }, "it is not asked for again"


def asks_thrice_then_quarantines(folder: Path, said: int) -> None:
    """A literal unlike its stated size is asked for three times, then said to be doubtful (F23).

    Args:
        folder: For everything.
        said: What RFC822.SIZE says of it.
    """
    script = Script(mail(1, 2, 3), said_sizes={2: said})
    with serving(folder, script) as settings:
        assert synced(settings).counts.quarantined == 1, "it was believed"
        state, reason, is_retryable = reasons(settings)["INBOX/7/2"]
    assert (state, is_retryable) == ("quarantined", True)
    assert reason.startswith(f"size_differs: stated {said}, received {len(letter(2))}, sha256 ")
    bodies = script.of("BODY.PEEK[]")
    asked = [one for one in bodies if "1:3" in one or "FETCH 2 " in one]
    assert len(asked) == 3, f"it was asked for {len(asked)} times"


def sends_no_line_break(evil: str) -> None:
    """A line break in any argument is refused before the wire (F31)."""
    wrong: list[dict[str, Any]] = [
        {"host": evil}, {"user": evil}, {"folders": (evil,)}, {"excludes": (evil,)},
    ]  # fmt: skip
    for values in wrong:
        said = ""
        try:
            Account(**{"host": "h", "user": "u", **values})
        except Refused as error:
            said = error.cause
        assert "line break" in said, f"it was taken: {list(values)}"
    script = Script(mail(1))
    with scripted(script):
        session = connect(plain_account(script.port))
        with suppress(Refused):
            session.sign_in(evil.encode())
        session.sign_in(SECRET.encode())
        with suppress(SaidNo):
            session.examine(Folder(evil.encode()))
        session.close()
    assert not [one for one in script.asked if one.startswith(("EXAMINE", "b"))], "it was sent"


def reads_no_flood_of_messages(folder: Path) -> None:
    """Forty thousand messages that nobody asked for are not read into memory (F32)."""
    raw = letter(77)
    one = b"* 9 FETCH (UID 9 BODY[] {%d}\r\n%b)\r\n" % (len(raw), raw)

    def flooding(asked: Asked, answer: bytes) -> bytes:
        if "BODY.PEEK[]" in asked.words:
            raise Cut(one * 40_000)
        return answer

    with serving(folder, Script(mail(1), flooding)) as settings:
        done = synced(settings)
        assert (done.counts.new, done.counts.failed) == (0, 1)
        assert "more than was asked for" in reasons(settings)["INBOX/7/1"][1], "it was read"


def takes_large_messages_in_parts(folder: Path) -> None:
    """A large message comes in parts, through a file, and whole (F32)."""
    large = letter(1) + LARGE_BODY
    script = Script({1: large, 2: letter(2)})
    with serving(folder, script) as settings:
        assert synced(settings).counts.new == 2
        assert held(settings) == expected({"INBOX": script.mail.values()})
        assert list((settings.data / "spool").iterdir()) == []
        assert findings(settings) == []
    parts = script.of("BODY.PEEK[]<")
    assert len(parts) == len(large) // MIB + 1, "it was read at once"
    assert all(one.endswith(f".{MIB}>])") or f".{MIB}>" in one for one in parts)


def binds_what_was_numbered_anew(folder: Path, server: Dovecot, user: User) -> None:
    """Another UIDVALIDITY is told and logged, and makes no message another one (F20)."""
    user.append("INBOX", *(letter(number) for number in range(10)))
    settings = settings_in(folder)
    added(settings, account_of(user), server.password)
    synced(settings)
    user.number_anew()
    user.append("INBOX", letter(10))
    done = synced(settings)
    assert (done.counts.new, done.counts.duplicates) == (1, 10), "another original"
    counts = counted(settings)
    assert counts == {"originals": 11, "interactions": 11, "captures": 21}, "another original"
    assert ends(settings) == {"filed": 11, "duplicate": 10}
    assert done.found.resets == ["INBOX"], "nobody is told"
    assert synced(settings).counts.offered == 0
    assert findings(settings) == []
    with opened(settings) as services, reading(services.store.engine) as connection:
        kinds = connection.scalars(select(audit_events.c.kind)).all()
    assert kinds.count("uidvalidity") == 1, "it is not logged"


def goes_on_over_broken_connections(folder: Path, server: Dovecot, user: User) -> None:
    """A connection that breaks again and again costs nothing (F29)."""
    mails = {"INBOX": [letter(number) for number in range(200)]}
    fill(user, mails)
    settings = settings_in(folder)
    with tapped(server.port) as tap:
        added(settings, account_of(user, port=tap.port), server.password)
        tap.cuts_at.extend([9_000, 30_000, 45_000, 60_000])
        done = synced(settings)
    assert done.error is None, "it was given up"
    assert done.counts.new == 200, "something is left out"
    assert tap.connections >= 4
    assert held(settings) == expected(mails)


def takes_no_draft_again_and_again(folder: Path, server: Dovecot, user: User) -> None:
    """Of a message that is saved twenty times while it is written, what was sent is taken."""
    settings = settings_in(folder)
    added(settings, account_of(user), server.password)
    for version in range(20):
        user.append("Drafts", letter(1, body=f"version {version}"), flags="(\\Draft)")
        if version % 5 == 4:
            synced(settings)
        user.expunge("Drafts", 1)
    user.append("INBOX", letter(2), flags="(\\Draft)")
    user.append("Sent", letter(1, body="version 19"))
    done = synced(settings)
    assert counted(settings)["originals"] == 1, "a draft was archived"
    assert (done.counts.new, ends(settings)) == (1, {"filed": 1, "skipped": 5})
    assert set(held(settings)) == {"Sent"}
