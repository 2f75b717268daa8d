"""Who writes what when: threads, replies with quotes, lists, newsletters, machines; one by one."""

from __future__ import annotations

import base64
import heapq
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from holdfast.ingest.demo import files, people
from holdfast.ingest.demo.messages import Draft, date_text
from holdfast.ingest.demo.people import Person
from holdfast.ingest.demo.phrases import Chance, Phrasebook, phrasebooks

_Element = TypeVar("_Element")

START = 1_704_700_800
"""Monday, 8 January 2024, 08:00 UTC."""
SPAN_S = 547 * 86_400
"""Eighteen months."""
_QUOTED_LINES = 36
_CHARSETS = {
    "en": ("utf-8", "utf-8", "utf-8", "windows-1252", "us-ascii"),
    "zh": ("utf-8", "utf-8", "gb2312", "gb2312", "gb18030"),
    "tw": ("big5",),
    "ja": ("iso-2022-jp",),
}
_PREFIXES = {"en": "Re: ", "zh": "回复：", "tw": "回覆: ", "ja": "Re: "}
_MAILERS = (
    "X-Mailer: Foxmail 7.2.25.331[cn]",
    "User-Agent: Mozilla Thunderbird",
    "X-Mailer: Microsoft Outlook 16.0",
    "X-Mailer: Apple Mail (2.3774.300.61)",
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A draft, and whom it reaches: a list's members, blind copies."""

    draft: Draft
    readers: tuple[Person, ...]


@dataclass(slots=True)
class _Thread:
    """A conversation that goes on."""

    members: list[Person]
    language: str
    charset: str
    subject: str
    left: int
    """Replies still to come."""
    is_html: bool
    last: Draft | None = None
    references: tuple[str, ...] = ()
    readers: tuple[Person, ...] = ()
    headers: tuple[str, ...] = ()


class Correspondence:
    """Makes up letters in the order of time; the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - made-up text
        self._chance = self._dice.random
        self._books = phrasebooks()
        self._staff = {d: people.staff(d) for d in (people.HARBOUR, people.TRADING)}
        self._customers = people.customers(self._chance, 45)
        self._files = _file_pool(self._books, self._chance)
        self._waiting: list[tuple[int, int, _Thread]] = []
        self._count = 0

    def next(self, now: int) -> Letter:
        """Return the next letter: a reply that is due at `now` (Unix seconds), else a new one."""
        if self._waiting and self._waiting[0][0] <= now:
            at, _, thread = heapq.heappop(self._waiting)
            return self._reply(thread, at)
        roll = self._chance()
        if roll < 0.10:
            return self._newsletter(now)
        if roll < 0.16:
            return self._notice(now)
        return self._opening(self._new_thread(roll), now)

    def message_id(self, domain: str) -> str:
        """Return a new Message-ID, without brackets."""
        self._count += 1
        return f"{self._dice.getrandbits(48):012x}.{self._count}@{domain}"

    def _new_thread(self, roll: float) -> _Thread:
        home = self._staff[people.HARBOUR if self._chance() < 0.5 else people.TRADING]
        me, length = self._one(home), int(1 + 6 * self._chance() ** 2)
        if roll < 0.24:
            return self._list_thread(length)
        if roll < 0.58:
            others = [person for person in home if person != me]
            start = int(len(others) * self._chance())
            members = [me, *others[start : start + 1 + length % 3]]
            language = me.language
        elif roll < 0.90:
            outsider = self._one(self._customers)
            members, language = [outsider, me], outsider.language
        else:
            other = self._staff[people.TRADING if me.domain == people.HARBOUR else people.HARBOUR]
            members, language = [me, self._one(other)], "en"
        return self._thread(members, language, length)

    def _thread(self, members: list[Person], language: str, left: int) -> _Thread:
        subject = self._one(self._books[language].subjects).render(self._chance)
        charset = self._one(_CHARSETS[language])
        return _Thread(members, language, charset, subject, left, self._chance() < 0.3)

    def _list_thread(self, length: int) -> _Thread:
        address = self._one(people.LISTS)
        home = address.domain.partition(".")[2]
        thread = self._thread([self._one(self._staff[home]), address], address.language, length)
        thread.subject = f"[{address.mailbox}] {thread.subject}"
        thread.readers = tuple(p for p in self._staff[home] if self._chance() < 0.3)
        thread.headers = (
            f"List-Id: <{address.mailbox}.{address.domain}>",
            f"List-Post: <mailto:{address.address}>",
            "Precedence: list",
        )
        return thread

    def _opening(self, thread: _Thread, at: int) -> Letter:
        return self._letter(thread, at, self._body(thread, ""))

    def _reply(self, thread: _Thread, at: int) -> Letter:
        if thread.headers:
            home = thread.members[1].domain.partition(".")[2]
            thread.members[0] = self._one(self._staff[home])
        else:
            thread.members.append(thread.members.pop(0))
        if not thread.subject.startswith(_PREFIXES[thread.language]):
            thread.subject = _PREFIXES[thread.language] + thread.subject
        quoted = "" if thread.last is None else _quoted(thread.last, self._chance())
        return self._letter(thread, at, self._body(thread, quoted))

    def _letter(self, thread: _Thread, at: int, body: str) -> Letter:
        sender, to, *others = thread.members
        file_kind = thread.language if thread.language in self._files else "en"
        draft = Draft(
            sender=sender,
            to=(to,),
            cc=tuple(others),
            at=at,
            subject=thread.subject,
            body=body,
            charset=thread.charset,
            message_id=self.message_id(sender.domain),
            references=thread.references,
            headers=(
                *self._signed(sender),
                *thread.headers,
                _MAILERS[len(sender.address) % len(_MAILERS)],
            ),
            is_html_too=thread.is_html,
            is_8bit=len(sender.address) % 4 == 0,
            files=(self._one(self._files[file_kind]),) if self._chance() < 0.07 else (),
        )
        thread.last, thread.references = draft, (*thread.references, draft.message_id)[-8:]
        if thread.left > 0:
            thread.left -= 1
            later = at + 600 + int(self._dice.expovariate(1 / 40_000))
            heapq.heappush(self._waiting, (later, self._count, thread))
        return Letter(draft, thread.readers or (to, *others))

    def _body(self, thread: _Thread, quoted: str) -> str:
        book, chance = self._books[thread.language], self._chance
        sender, reader = thread.members[0], thread.members[1]
        paragraphs = [self._one(book.greetings).format(first=reader.first)]
        for _ in range(2 + int(6 * chance())):
            paragraphs.append(_wrapped(book.paragraph(chance, 1 + int(5 * chance())), thread))
        if chance() < 0.25:
            year = time.gmtime(thread.last.at if thread.last else START).tm_year
            paragraphs.append(
                f"Ref. {sender.mailbox[:2].upper()}-{year}-{self._dice.getrandbits(17):06}"
            )
        paragraphs.append(f"{self._one(book.closings)}\n{sender.name}")
        if sender.title:
            phone = f"+44 20 7946 0{sum(sender.address.encode()) % 900 + 100}"
            paragraphs.append(f"-- \n{sender.name}\n{sender.title}\n{sender.company}\n{phone}")
        if quoted:
            paragraphs.append(quoted)
        return "\n\n".join(paragraphs) + "\n"

    def _newsletter(self, at: int) -> Letter:
        sender = self._one(people.NEWSLETTERS)
        home = self._staff[people.HARBOUR if sender.language == "en" else people.TRADING]
        readers = tuple(person for person in home if self._chance() < 0.4) or home[:1]
        book = self._books[sender.language]
        texts = [book.news[int(len(book.news) * self._chance())] for _ in range(6)]
        body = "\n\n".join(text.render(self._chance) for text in texts)
        link = f"https://{sender.domain}/u/{self._dice.getrandbits(64):016x}"
        headers = (
            f"List-Unsubscribe: <{link}>",
            f"List-Id: <weekly.{sender.domain}>",
            "Precedence: bulk",
        )
        draft = self._machine_draft(sender, home[0], at, f"{body}\n\n{link}\n", headers)
        return Letter(draft, readers)

    def _notice(self, at: int) -> Letter:
        sender = self._one(people.MACHINES)
        home = self._staff[
            people.TRADING if sender.domain.endswith(people.TRADING) else people.HARBOUR
        ]
        reader = self._one(home)
        notice = self._one(self._books[sender.language].notices).render(self._chance)
        body = f"{notice}\n\nNo. {self._dice.getrandbits(24)}\n"
        draft = self._machine_draft(sender, reader, at, body, ("Auto-Submitted: auto-generated",))
        return Letter(draft, (reader,))

    def _machine_draft(
        self, sender: Person, to: Person, at: int, body: str, headers: tuple[str, ...]
    ) -> Draft:
        return Draft(
            sender=sender,
            to=(to,),
            at=at,
            subject=body.partition("\n")[0].rstrip(".。"),
            body=body,
            charset="utf-8",
            message_id=self.message_id(sender.domain),
            headers=(*self._signed(sender), *headers),
            is_html_too="Precedence: bulk" in headers,
        )

    def _signed(self, sender: Person) -> tuple[str, ...]:
        """Return the signature that servers of other companies put on their mail (RFC 6376)."""
        if sender.domain in self._staff:
            return ()
        sign = base64.b64encode(self._dice.randbytes(128)).decode()
        lines = "\n\t".join(sign[at : at + 70] for at in range(0, len(sign), 70))
        return (
            f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={sender.domain};\n"
            f"\ts=s1; h=from:to:subject:date; bh={sign[:43]}=;\n\tb={lines}",
        )

    def _one(self, pool: Sequence[_Element]) -> _Element:
        return pool[int(len(pool) * self._chance())]


def _quoted(last: Draft, roll: float) -> str:
    """Return the message that is answered, in one of the ways of mail programs."""
    lines = last.body.rstrip("\n").split("\n")[:_QUOTED_LINES]
    name, address, language = last.sender.name, last.sender.address, last.sender.language
    when = date_text(last.at, language)
    if language == "zh" and roll < 0.4:
        to = last.to[0]
        head = (
            f"发件人: {name} <{address}>\n发送时间: {when}\n收件人: {to.name}\n主题: {last.subject}"
        )
        return "\n".join((f"-----原始邮件-----\n{head}\n", *lines))
    if language != "zh" and roll < 0.3:
        head = f"From: {name} <{address}>\nSent: {when}\nTo: {last.to[0].name}"
        return "\n".join((f"-----Original Message-----\n{head}\nSubject: {last.subject}\n", *lines))
    marked = (f">{line}" if line.startswith(">") else f"> {line}" for line in lines)
    if language == "zh":
        return "\n".join((f"在 {when}，{name} <{address}> 写道：", *marked))
    return "\n".join((f"On {when}, {name} <{address}> wrote:", *marked))


def _wrapped(paragraph: str, thread: _Thread) -> str:
    """Return the paragraph in lines as the program of the thread makes them."""
    if thread.is_html:
        return paragraph
    if thread.language == "en":
        return _filled(paragraph, 72)
    if thread.charset == "utf-8":
        return paragraph
    return "\n".join(paragraph[at : at + 36] for at in range(0, len(paragraph), 36))


def _filled(paragraph: str, width: int) -> str:
    lines, start = [], 0
    while len(paragraph) - start > width:
        stop = paragraph.rfind(" ", start, start + width + 1)
        if stop < 0:
            break
        lines.append(paragraph[start:stop])
        start = stop + 1
    lines.append(paragraph[start:])
    return "\n".join(lines)


def _file_pool(books: dict[str, Phrasebook], chance: Chance) -> dict[str, tuple[files.File, ...]]:
    """Return the files that letters carry: made once, sent often."""
    found: dict[str, tuple[files.File, ...]] = {}
    for language, stem in (("en", "report"), ("zh", "报告")):
        book, made = books[language], []
        for number in range(4):
            lines = [book.paragraph(chance, 2) for _ in range(4)]
            rows = [(line[:24], int(9_999 * chance())) for line in lines]
            name = f"{stem}-{number + 1}"
            shade = (int(255 * chance()), int(255 * chance()), 40 * number)
            made += [
                files.docx(f"{name}.docx", lines),
                files.xlsx(f"{name}.xlsx", rows),
                files.pptx(f"{name}.pptx", lines),
                files.plain(f"{name}.txt", "\n".join(lines)),
                files.png(f"{name}.png", shade),
            ]
            if language == "en":
                ascii_only = [line.encode("ascii", "replace").decode() for line in lines]
                made.append(files.pdf(f"{name}.pdf", ascii_only))
        found[language] = tuple(made)
    return found
