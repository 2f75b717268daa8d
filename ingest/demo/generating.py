"""Write the demo's mailboxes to disk, and say what a search in them must find."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from holdfast.core.errors import Refused
from holdfast.ingest.demo import story
from holdfast.ingest.demo.correspondence import SPAN_S, START, Correspondence, Letter
from holdfast.ingest.demo.messages import Draft, compose, date_text
from holdfast.ingest.demo.people import HARBOUR, TRADING, Person, staff

DEFAULT_MESSAGES = 3_000
MIN_MESSAGES = 200
_DOMAINS = (HARBOUR, TRADING)
_BUFFER_BYTES = 4 * 1024 * 1024
_QUOTABLE = re.compile(rb"^(>*From )", re.MULTILINE)
_MAILDIRS = {"leila.hartmann": "Sent", "bai.lu": "&XfJT0ZAB-"}
"""Whose mail lies in a Maildir, and what the folder of sent mail is called (已发送)."""


@dataclass(frozen=True, slots=True)
class DemoQuery:
    """A search that must find planted mail."""

    query: str
    """In the product's query language."""
    expected: int
    """Exact number of interactions that match."""
    language: str
    about: str


@dataclass(frozen=True, slots=True)
class DemoStory:
    """What was written, and what must be found in it."""

    seed: int
    stored: int
    """Messages in all mailboxes together: captures of an import."""
    originals: int
    """Different byte strings among them."""
    interactions: int
    """Different mails among them."""
    mailboxes: tuple[Path, ...]
    """Each mbox file and each Maildir."""
    queries: tuple[DemoQuery, ...]


@dataclass(frozen=True, slots=True)
class _Copy:
    """One message in one mailbox."""

    owner: Person
    is_sent: bool
    raw: bytes
    sender: str
    at: int


def generate(target: Path, *, seed: int, messages: int = DEFAULT_MESSAGES) -> DemoStory:
    """Write the mail of two companies below `target`; the same seed gives the same bytes.

    `<company>/<person>/Inbox.mbox` and `Sent.mbox` (mboxrd) for most, a Maildir for one each.

    Args:
        target: A directory; made if needed, and empty otherwise.
        seed: Of everything.
        messages: How many are stored in all mailboxes together; at least `MIN_MESSAGES`.

    Raises:
        Refused: `target` holds something, or `messages` is too small for the story.
    """
    if messages < MIN_MESSAGES:
        raise Refused(f"A demo needs at least {MIN_MESSAGES} messages.")
    if target.exists() and any(target.iterdir()):
        raise Refused("The directory for the demo is not empty.", next_step="Name a new one.")
    writer, originals, interactions, stored = _Writer(target), 0, 0, 0
    for letter, count in _letters(seed, messages):
        copies = _copies(letter)[:count]
        for copy in copies:
            writer.add(copy)
        stored += len(copies)
        interactions += 1
        originals += len({copy.raw for copy in copies})
    writer.flush()
    return DemoStory(seed, stored, originals, interactions, writer.mailboxes(), _queries())


def _letters(seed: int, messages: int) -> Iterator[tuple[Letter, int]]:
    """Yield letters, and how many copies of each to store; the planted ones are all among them."""
    makes = Correspondence(seed)
    planted = _planted(makes)
    reserved, stored = sum(_count(letter) for letter in planted), 0
    while planted or stored < messages:
        now = START + SPAN_S * stored // messages
        if planted and (planted[0].draft.at <= now or stored + reserved >= messages):
            letter = planted.pop(0)
            count = _count(letter)
            reserved -= count
        else:
            letter = makes.next(now)
            count = min(_count(letter), messages - reserved - stored)
        if count > 0:
            yield letter, count
        stored += count


def _planted(makes: Correspondence) -> list[Letter]:
    """Return the story and the bulletins in the order of time."""
    found: list[Letter] = []
    for mail in story.story_mails():
        answered = (found[mail.answers].draft.message_id,) if mail.answers >= 0 else ()
        draft = Draft(
            sender=mail.sender,
            to=mail.to,
            at=START + int(mail.at * SPAN_S),
            subject=mail.subject,
            body=mail.body,
            charset=mail.charset,
            message_id=makes.message_id(mail.sender.domain),
            references=answered,
            files=mail.files,
        )
        found.append(Letter(draft, mail.to))
    office = staff(HARBOUR)[5]
    for number in range(story.BULLETINS):
        subject, body = story.bulletin(number)
        draft = Draft(
            sender=office,
            to=staff(HARBOUR)[2:3],
            at=START + SPAN_S * (2 * number + 1) // (2 * story.BULLETINS),
            subject=subject,
            body=body,
            charset="utf-8",
            message_id=makes.message_id(HARBOUR),
        )
        found.append(Letter(draft, draft.to))
    return sorted(found, key=lambda letter: letter.draft.at)


def _queries() -> tuple[DemoQuery, ...]:
    mails = story.story_mails()
    counted = tuple(
        DemoQuery(query, sum(mail.says(query.strip('"')) for mail in mails), language, about)
        for query, language, about in story.QUERIES
    )
    query, language, about = story.BULLETIN_QUERY
    return (*counted, DemoQuery(query, story.BULLETINS, language, about))


def _holders(letter: Letter) -> tuple[Person, ...]:
    """Return those of the two companies who have a copy in their inbox."""
    return tuple(person for person in dict.fromkeys(letter.readers) if person.domain in _DOMAINS)


def _count(letter: Letter) -> int:
    return len(_holders(letter)) + (letter.draft.sender.domain in _DOMAINS)


def _copies(letter: Letter) -> list[_Copy]:
    """Return the stored copies: equal within a company, with a trace for each reader beyond it."""
    draft, raw = letter.draft, compose(letter.draft)
    address, domain = draft.sender.address, draft.sender.domain
    found = [_Copy(draft.sender, True, raw, address, draft.at)] if domain in _DOMAINS else []
    for reader in _holders(letter):
        trace = b"" if reader.domain == domain else _trace(draft, reader)
        found.append(_Copy(reader, False, trace + raw, address, draft.at))
    return found


def _trace(draft: Draft, reader: Person) -> bytes:
    """Return what the servers on the way put before a message (RFC 5321, 4.4)."""
    origin, home = draft.sender.domain, reader.domain
    queue, _, serial = draft.message_id.partition("@")[0].partition(".")
    hop = 2 + int(serial) % 200
    return (
        f"Return-Path: <{draft.sender.address}>\nDelivered-To: {reader.address}\n"
        f"Received: from mx.{origin} (mx.{origin} [203.0.113.{hop}])\n"
        f"\tby mail.{home} (Postfix) with ESMTPS id {queue[:10].upper()}\n"
        f"\tfor <{reader.address}>; {date_text(draft.at + 4, reader.language)}\n"
        f"Received: from [192.0.2.{hop}] (unknown [192.0.2.{hop}])\n"
        f"\tby mx.{origin} with ESMTPSA id {queue};\n\t{date_text(draft.at + 1, 'en')}\n"
        f"Authentication-Results: mail.{home}; spf=pass smtp.mailfrom={origin}\n"
    ).encode("ascii")


class _Writer:
    """Keeps the mailboxes; what is added is written some megabytes at a time."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._paths: dict[tuple[str, bool], Path] = {}
        self._waiting: dict[Path, list[bytes]] = {}
        self._waiting_bytes = 0
        self._number = 0
        for domain in _DOMAINS:
            for person in staff(domain):
                self._paths[person.address, True] = self._made(person, is_sent=True)
                self._paths[person.address, False] = self._made(person, is_sent=False)

    def mailboxes(self) -> tuple[Path, ...]:
        """Return every mbox file and Maildir folder, by name."""
        return tuple(sorted(path for path in self._paths.values() if path.exists()))

    def add(self, copy: _Copy) -> None:
        """Put a message into its mailbox."""
        path = self._paths[copy.owner.address, copy.is_sent]
        self._number += 1
        if copy.owner.mailbox in _MAILDIRS:
            flags = "S" if self._number % 3 else "RS"
            name = f"{copy.at}.M{self._number}P1.demo,S={len(copy.raw)}:2,{flags}"
            (path / "cur" / name).write_bytes(copy.raw)
            return
        raw = _QUOTABLE.sub(rb">\1", copy.raw) if b"From " in copy.raw else copy.raw
        day = time.asctime(time.gmtime(copy.at))
        line = f"From {copy.sender} {day}\n".encode("ascii")
        self._waiting.setdefault(path, []).extend((line, raw, b"\n"))
        self._waiting_bytes += len(raw)
        if self._waiting_bytes > _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting."""
        for path, pieces in self._waiting.items():
            with path.open("ab") as file:
                file.write(b"".join(pieces))
        self._waiting.clear()
        self._waiting_bytes = 0

    def _made(self, person: Person, *, is_sent: bool) -> Path:
        home = self._target / person.domain.partition(".")[0] / person.mailbox
        home.mkdir(parents=True, exist_ok=True)
        if person.mailbox not in _MAILDIRS:
            return home / ("Sent.mbox" if is_sent else "Inbox.mbox")
        path = home / "Maildir"
        path = path / f".{_MAILDIRS[person.mailbox]}" if is_sent else path
        for name in ("cur", "new", "tmp"):
            (path / name).mkdir(parents=True, exist_ok=True)
        return path
