"""Holds every outlet of the service against the judge: each role, each action, made-up scopes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from api_kit import Office, office
from archive_kit import bring_in, settings_in, write_mbox
from chat_kit import written
from company_kit import MAILBOXES, SHORTEST_MS, Company, Somebody
from holdfast.core.identity import public_id
from holdfast.core.records import Record
from holdfast.core.rights import ROLES, Action
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import records
from holdfast.storage.catalogue.schema import contacts, interactions
from holdfast.storage.rights.api_keys import NewKey, create_key
from holdfast.wiring.founding import create_archive

if TYPE_CHECKING:
    from holdfast.settings import Settings
    from holdfast.storage.store import Store

WORDS = ("tulip", "rose", "oak")
BATCHES = ("A@x.example", "somebody", "")
MAILS = 21
_names = count()


def made_up_mail(rnd: random.Random, number: int) -> bytes:
    """Return a letter between some of the people, in one of six threads."""
    people = [*MAILBOXES, "z@z.example"]
    first = number - number % 6
    lines = [
        f"Message-ID: <{number}@x.example>",
        *([f"References: <{first}@x.example>"] if number != first else []),
        f"From: {rnd.choice(people)}",
        f"To: {', '.join(rnd.sample(people, rnd.randrange(1, 3)))}",
        *([f"Bcc: {', '.join(rnd.sample(people, number % 3))}"] if number % 3 else []),
        f"Subject: about {first}",
        f"Date: Mon, 2 Mar 2026 10:{number:02}:00 +0000",
        "",
        " ".join(rnd.sample(WORDS, rnd.randrange(3))) or "nothing",
        "",
    ]
    return "\n".join(lines).encode()


@contextmanager
def matrix_office(folder: Path, settings: Settings | None = None) -> Iterator[Office]:
    """Serve an archive of mail in three mailboxes, and of a room."""
    rnd = random.Random(7)
    chosen = settings or settings_in(folder, service={"requests_per_minute": 0})
    create_archive(chosen)
    for number, custodian in enumerate(BATCHES):
        letters = [made_up_mail(rnd, one) for one in range(number, MAILS, len(BATCHES))]
        bring_in(chosen, write_mbox(folder / f"{number}.mbox", letters), custodian=custodian)
    lines = [f"25/03/24, 10:0{n} - {who}: {WORDS[n % 3]} {n}\n" for n, who in enumerate("ABABA")]
    room = written(folder / "room", {"WhatsApp Chat with B.txt": "".join(lines)})
    bring_in(chosen, room, custodian="c@y.example")
    with office(chosen) as opened:
        yield opened


@dataclass(slots=True)
class Matrix:
    """An archive, and how often each role was asked at each outlet."""

    office: Office
    rnd: random.Random
    asked: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    scopes: int = 0
    known: dict[int, Record] = field(default_factory=dict)
    people: list[int] = field(default_factory=list)

    @property
    def store(self) -> Store:
        """The archive."""
        return self.office.services.store

    def read_all(self) -> None:
        """Read what there is, past all rights."""
        with reading(self.store.engine) as connection:
            ids = list(connection.scalars(select(interactions.c.id)))
            self.people = list(connection.scalars(select(contacts.c.id)))
        self.known = {one.id: one for one in records(self.store, ids)}

    def judge(self, companies: int) -> None:
        """Make up so many companies, and judge what each of their people is answered."""
        for _ in range(companies):
            self.judge_company()

    def judge_company(self) -> None:
        """Make up three people with scopes, and ask for everything as each of them."""
        company = Company(self.rnd, self.store, records=self.known, contacts=self.people)
        company.settle_in()
        ended = self.store.now_ms() + SHORTEST_MS
        while self.store.now_ms() <= ended:  # what runs out by itself has done so
            continue
        for one in company.people:
            if one.is_enabled:
                Asker(self, company, one).ask_everything()
                self.scopes += 1


@dataclass
class Asker:
    """One of them, and what the judge says they see."""

    matrix: Matrix
    company: Company
    one: Somebody

    @cached_property
    def key(self) -> str:
        """An API key of theirs, which the office knows by their login."""
        login = self.one.view.login
        _, secret = create_key(self.matrix.store, NewKey(login=login, name=f"k{next(_names)}"))
        self.matrix.office.keys[login] = secret
        return login

    @cached_property
    def seen(self) -> dict[int, Record]:
        """Return what they may see."""
        known = self.matrix.known.items()
        return {number: r for number, r in known if self.company.sees(self.one, r)}

    def ask_everything(self) -> None:
        """Ask at every outlet, whatever the role may do."""
        for outlet in (
            self.search, self.records, self.originals, self.threads, self.rooms, self.contacts,
            self.changes, self.preview,
        ):  # fmt: skip
            outlet()

    def may(self, action: Action) -> bool:
        """Tell what docs/security.md says of the role."""
        return action in ROLES[self.one.view.role]

    def answer(self, outlet: str, method: str, path: str, **more: Any) -> Any:
        """Ask; return the JSON of an answer, or the status of a refusal."""
        got = self.matrix.office.ask(self.key, method, path, **more)
        self.matrix.asked[self.one.view.role.value, outlet, got.status_code] += 1
        if not got.is_success:
            return got.status_code
        is_json = got.headers["content-type"].startswith("application/json")
        return got.json() if is_json else got.content

    def each(self, outlet: str, action: Action, path: Callable[[int], str], ids: Any) -> None:
        """Ask for one thing after the other: there within the scope, else as if it were not."""
        for number, is_seen in ids:
            got = self.answer(outlet, "GET", path(number))
            wanted = 403 if not self.may(action) else None if is_seen else 404
            assert (got if isinstance(got, int) else None) == wanted, (outlet, path(number), got)

    def search(self) -> None:
        order = {"query": "", "limit": 1000, "facets": ["month", "sender"], "facet_limit": 1000}
        got = self.answer("search", "POST", "/search", json=order)
        if not self.may(Action.SEARCH):
            assert got == 403
            return
        found = {hit["record"]["id"] for hit in got["hits"]}
        assert found == {public_id("msg", one) for one in self.seen}
        assert got["total"] == len(self.seen)
        assert sum(each["count"] for each in got["facets"].get("month", [])) == len(self.seen)
        for word in WORDS:
            wanted = sum(word in one.body for one in self.seen.values())
            assert self.answer("search", "POST", "/search", json={"query": word})["total"] == wanted

        for address in (*MAILBOXES, "z@z.example"):
            wanted = sum(address.lower() in self.told(one) for one in self.seen.values())
            order = {"query": f"address:{address}"}
            assert self.answer("search", "POST", "/search", json=order)["total"] == wanted

    def told(self, record: Record) -> set[str]:
        """Return the addresses of whom they are told as recipients or senders of a record."""
        return {p.address.lower() for p in self.company.told(self.one, record)}

    def records(self) -> None:
        ids = [(one, one in self.seen) for one in self.matrix.known]
        self.each("record", Action.READ, lambda n: f"/records/{public_id('msg', n)}", ids)
        for one in self.seen.values() if self.may(Action.READ) else ():
            got = self.answer("record", "GET", f"/records/{public_id('msg', one.id)}")
            assert {p["address"].lower() for p in got["participants"]} == self.told(one)

    def originals(self) -> None:
        if self.may(Action.ORIGINAL):
            is_told = {n: self.company.may_have(self.one, r) for n, r in self.seen.items()}
        else:
            is_told = {}
        known = list(self.matrix.known)[::3]
        ids = [(one, one in self.seen) for one in known if is_told.get(one, True)]
        path = "/records/{}/original"
        self.each("original", Action.ORIGINAL, lambda n: path.format(public_id("msg", n)), ids)
        for one in known:
            if not is_told.get(one, True):
                got = self.answer("original", "GET", path.format(public_id("msg", one)))
                assert got == 403, (one, got)

    def threads(self) -> None:
        for thread in {one.thread_id for one in self.matrix.known.values()}:
            got = self.answer("thread", "GET", f"/threads/{public_id('thr', thread)}")
            seen = [one.id for one in self.seen.values() if one.thread_id == thread]
            if not self.may(Action.READ):
                assert got == 403
            elif not seen:
                assert got == 404
            else:
                assert got["total"] == len(seen)
                assert {one["id"] for one in got["records"]} == {public_id("msg", n) for n in seen}

    def rooms(self) -> None:
        rooms = {one.conversation_id for one in self.matrix.known.values()} - {0, None}
        for room in rooms:
            path = f"/conversations/{public_id('cnv', room)}/messages"
            got = self.answer("room", "GET", path)
            lines = [one for one in self.seen.values() if one.conversation_id == room]
            spoken = {public_id("msg", one.id) for one in lines if "aside" not in one.marks}
            if not self.may(Action.READ):
                assert got == 403
            elif not lines:
                assert got == 404
            else:
                assert {one["record"]["id"] for one in got["lines"]} == spoken

    def contacts(self) -> None:
        for number in self.matrix.people:
            took_part = [
                one
                for one in self.seen.values()
                if any(p.contact_id == number for p in self.company.told(self.one, one))
            ]
            trail = {public_id("msg", o.id) for o in took_part if "aside" not in o.marks}
            wanted = 403 if not self.may(Action.CONTACTS) else None
            if wanted is None and not took_part and not self.sees_all:
                wanted = 404
            self._contact(public_id("con", number), wanted, trail)

    @cached_property
    def sees_all(self) -> bool:
        """Whether nothing narrows what they see: then contacts without messages are there too."""
        grants = self.one.grants
        wide = {"legal", "compliance"}
        whole = any(g.kind.value == "all" and not g.is_denied and not g.is_over for g in grants)
        is_wide = self.one.view.role.value in wide and not any(not g.is_denied for g in grants)
        return (whole or is_wide) and not any(g.is_denied and not g.is_over for g in grants)

    def _contact(self, name: str, wanted: int | None, trail: set[str]) -> None:
        for outlet in ("", "/timeline", "/portrait"):
            got = self.answer(f"contact{outlet}", "GET", f"/contacts/{name}{outlet}")
            assert (got if isinstance(got, int) else None) == wanted, (outlet, got, wanted)
            if wanted is None and outlet == "/timeline":
                assert {one["id"] for one in got["entries"]} == trail
                assert got["total"] == len(trail)
            if wanted is None and outlet == "/portrait":
                assert got["messages"] == len(trail)

    def changes(self) -> None:
        got = self.answer("changes", "GET", "/changes?limit=1000")
        if not self.may(Action.CONTACTS):
            assert got == 403
            return
        told = {one["id"] for one in got["changes"] if one["type"] == "record"}
        assert told == {public_id("msg", one) for one in self.seen}

    def preview(self) -> None:
        got = self.answer("export", "POST", "/exports", json={"query": "", "is_preview": True})
        if not self.may(Action.EXPORT):
            assert got == 403
            return
        assert got["records"] == len(self.seen)
