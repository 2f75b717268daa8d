"""No outlet tells of a recipient whom the sender hid from whoever asks."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select, update

from api_kit import Office, office
from archive_kit import bring_in, settings_in, write_mbox
from export_kit import verdict
from holdfast.core.identity import row_id
from holdfast.core.query import Phrase
from holdfast.core.records import CaptureFacts, SmtpFacts
from holdfast.core.rights import Reach
from holdfast.storage.catalogue.engine import reading, writing
from holdfast.storage.catalogue.schema import captures, custodians
from holdfast.storage.rights.grants import NewGrant, add_grant
from holdfast.storage.rights.principals import Door, principal_of
from holdfast.storage.rights.teams import create_team, join_team
from holdfast.storage.rights.users import found_user
from holdfast.storage.store import Store
from holdfast.storage.webhooks.audience import Audience
from pages_kit import House, Visitor

SECRET = re.compile("quokka|zanzibar|hush|mole@|burrow", re.IGNORECASE)
"""What only the recipients bring whom the sender hid."""
PLAIN = ("open words of the treaty", "<treaty@our.example>")
WAYS = (
    "bcc:quokka", "with:quokka", "quokka", "zanzibar", "with:zanzibar", "quokka@hush.example",
    "address:quokka@hush.example", "domain:hush.example", "company:hush.example", "with:quok*",
    "with:quokke~1", "with:re:/quokka/", '"quokka zanzibar"~3', "header:bcc", "header:bcc=quokka",
    "with:mole", "address:mole@our.example", "custodian:mole@our.example", "source:burrow",
    "envelope:quokka", "expanded:quokka", "header:delivered-to",
)  # fmt: skip


def letter(*fields: str) -> bytes:
    """Return the letter, with these fields before those that all its copies have."""
    return "\n".join(
        [
            *fields,
            f"Message-ID: {PLAIN[1]}",
            "From: Boss <boss@our.example>",
            "To: Li Qiang <li@our.example>",
            "Date: Fri, 15 Mar 2024 10:22:00 +0800",
            "Subject: The treaty",
            "",
            PLAIN[0],
            "",
        ]
    ).encode()


@pytest.fixture(scope="module")
def hush(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One letter with blind copies, in the mailboxes of its sender and of two who received it."""
    folder = tmp_path_factory.mktemp("letters")
    settings = settings_in(
        folder,
        archive={"internal_domains": ["our.example"]},
        service={"requests_per_minute": 0},
    )
    bcc = "Bcc: Quokka Zanzibar <quokka@hush.example>, mole@our.example"
    for box, fields in (
        ("boss@our.example", (bcc,)),
        ("li@our.example", ("Received: from a by b for <li@our.example>",)),
        ("mole@our.example", ("X-Note: burrow",)),
    ):
        name = "burrow" if box.startswith("mole") else box.partition("@")[0]
        bring_in(settings, write_mbox(folder / f"{name}.mbox", [letter(*fields)]), custodian=box)
    with office(settings) as opened:
        delivered(opened.services.store, "li@our.example")
        for login in ("boss", "li", "mole"):
            opened.hire(login, "member", addresses=(f"{login}@our.example",))
        opened.hire("legal", "legal")
        opened.hire("chief", "manager", addresses=("chief@our.example",))
        opened.hire("head", "manager", addresses=("head@our.example",))
        opened.hire("granted", "manager")
        store = opened.services.store
        for team, members in (("readers", ("li", "chief")), ("writers", ("boss", "head"))):
            create_team(store, team)
            for one in members:
                join_team(store, team, one)
        add_grant(store, NewGrant("granted", Reach.QUERY, "treaty", Phrase("treaty")))
        yield opened


def delivered(store: Store, custodian: str) -> None:
    """Let the captures of a mailbox have come by SMTP, for all who received the letter."""
    said = ("li@our.example", "quokka@hush.example", "mole@our.example")
    facts = CaptureFacts(smtp=SmtpFacts("192.0.2.1", "mx", "boss@our.example", said))
    of = select(custodians.c.id).where(custodians.c.name == custodian)
    with writing(store.engine) as connection:
        connection.execute(
            update(captures)
            .where(captures.c.custodian_id.in_(of))
            .values(facts=msgspec.json.encode(facts).decode())
        )


def the_record(hush: Office, who: str) -> str:
    (found,) = hush.found(who, "")
    return found


def people(hush: Office, who: str) -> set[tuple[str, str]]:
    record = hush.get(who, f"/records/{the_record(hush, who)}")
    return {(one["role"], one["address"]) for one in record["participants"]}


OPEN = {("from", "boss@our.example"), ("to", "li@our.example")}
HIDDEN = {("bcc", "quokka@hush.example"), ("bcc", "mole@our.example")}


@pytest.mark.parametrize("who", ["li", "chief"])
def test_recipient_sees_nobody_who_was_hidden(hush: Office, who: str) -> None:
    assert people(hush, who) == OPEN


@pytest.mark.parametrize("who", ["boss", "head", "legal", "granted"])
def test_sender_and_wide_grants_see_everybody(hush: Office, who: str) -> None:
    assert people(hush, who) == OPEN | HIDDEN


def test_blind_copied_member_sees_itself_alone(hush: Office) -> None:
    assert people(hush, "mole") == OPEN | {("delivered_to", "mole@our.example")}
    for query in ("with:mole", "address:mole@our.example", "mole"):
        assert len(hush.found("mole", query)) == 1
    for query in ("bcc:mole", "quokka", "domain:hush.example"):
        assert hush.found("mole", query) == []


@pytest.mark.parametrize("query", WAYS)
@pytest.mark.parametrize("who", ["li", "chief"])
def test_no_query_finds_by_whom_it_hides(hush: Office, who: str, query: str) -> None:
    assert hush.search(who, query)["total"] == 0
    assert hush.search(who, f"NOT ({query})")["total"] == 1


@pytest.mark.parametrize(
    "query", ["bcc:quokka", "quokka", "domain:hush.example", "header:bcc=quokka", "with:quok*"]
)
@pytest.mark.parametrize("who", ["boss", "legal", "head", "granted"])
def test_who_may_see_them_finds_by_them(hush: Office, who: str, query: str) -> None:
    assert hush.search(who, query)["total"] == 1


def answers(hush: Office, who: str) -> Iterator[tuple[str, Any]]:
    """Yield what every outlet of the interface says to somebody, by its path."""
    name = the_record(hush, who)
    order = {"query": "treaty OR boss OR li", "facets": list(FACETS), "facet_limit": 1000}
    found = hush.post(who, "/search", json=order)
    yield "/search", found
    record = hush.get(who, f"/records/{name}")
    contacts = {one["contact_id"] for one in record["participants"]} - {None}
    assert contacts
    paths = [
        f"/records/{name}", f"/records/{name}/headers", f"/records/{name}/metadata",
        f"/records/{name}/versions", f"/threads/{record['thread_id']}", "/changes?limit=1000",
        "/contacts?q=example", "/contacts?q=our", "/contacts/silent?days=1",
        "/contacts/follow-ups?days=1", "/contacts/suggestions",
        "/companies/our.example/timeline", "/conversations?q=a",
    ]  # fmt: skip
    for contact in contacts:
        paths += [f"/contacts/{contact}{side}" for side in ("", "/timeline", "/portrait")]
        paths.append(f"/contacts/{contact}/timeline?rollup=company")
    for path in paths:
        answer = hush.ask(who, "GET", path)
        assert answer.status_code in {200, 403}, (path, answer.text)
        yield path, answer.text


FACETS = (
    "sender", "domain", "company", "custodian", "channel", "source", "month", "filetype", "tag",
)  # fmt: skip


@pytest.mark.parametrize("who", ["li", "chief"])
def test_no_answer_holds_a_word_that_only_the_hidden_bring(hush: Office, who: str) -> None:
    for path, told in answers(hush, who):
        assert not SECRET.search(str(told)), (path, told)


def test_control_who_sees_everything_is_told_by_the_same_outlets(hush: Office) -> None:
    telling = [path for path, told in answers(hush, "legal") if SECRET.search(str(told))]
    assert {"/search", "/contacts?q=example", "/companies/our.example/timeline"} <= set(telling)
    assert len(telling) > 10


@pytest.mark.parametrize("who", ["li", "chief"])
def test_hidden_contacts_are_not_there(hush: Office, who: str) -> None:
    for address in ("quokka@hush.example", "mole@our.example"):
        contact = hush.contact(address)
        assert hush.get(who, f"/contacts?address={address}")["contacts"] == []
        resolved = hush.post(who, "/contacts/resolve", json={"addresses": [address]})
        assert resolved["contacts"] == [None]
        for side in ("", "/timeline", "/portrait"):
            hush.get(who, f"/contacts/{contact}{side}", 404)
    assert hush.get(who, "/companies/hush.example/timeline")["total"] == 0


def test_direction_and_mailboxes_do_not_tell(hush: Office) -> None:
    """A blind copy to somebody outside makes the letter `out`; to its recipient it is internal."""
    of = {who: hush.get(who, f"/records/{the_record(hush, who)}") for who in ("li", "legal")}
    assert (of["li"]["direction"], of["legal"]["direction"]) == ("internal", "out")
    assert of["li"]["custodians"] == ["li@our.example"]
    assert [one["custodian"] for one in of["li"]["captures"]] == ["li@our.example"]
    assert len(of["legal"]["captures"]) == 3
    assert hush.search("li", "direction:out")["total"] == 0
    assert hush.search("li", "custodian:li@our.example")["total"] == 1


def test_session_that_delivered_it_does_not_tell(hush: Office) -> None:
    said = {}
    for who in ("li", "legal"):
        captures_ = hush.get(who, f"/records/{the_record(hush, who)}")["captures"]
        said[who] = [one["smtp"]["recipients"] for one in captures_ if one["smtp"]]
    assert said["li"] == [["li@our.example"]]
    assert len(said["legal"][0]) == 3


def test_header_fields_that_may_name_them_are_withheld(hush: Office) -> None:
    path = f"/records/{the_record(hush, 'li')}/headers"
    names = {one["name"] for one in hush.get("li", path)}
    assert {"From", "To", "Subject", "Message-ID"} <= names
    assert not {"Bcc", "Received", "X-Note"} & names


@pytest.mark.parametrize(("who", "status"), [("chief", 403), ("head", 200), ("legal", 200)])
def test_originals_that_may_name_them_are_refused(hush: Office, who: str, status: int) -> None:
    name = the_record(hush, "legal")
    for sha256 in ("", *hush.get("legal", f"/records/{name}")["sha256"]):
        answer = hush.ask(who, "GET", f"/records/{name}/original?sha256={sha256}")
        assert answer.status_code == status
        if status == 403:
            assert "hid" in answer.json()["detail"]
            assert not SECRET.search(answer.text)
            assert hush.entries("refused")[0]["subject"] == name


def package(hush: Office, who: str, **order: Any) -> dict[str, str]:
    made = hush.post(who, "/exports", 202, json={"query": "treaty", **order})
    export = hush.ended_export(who, made["export"]["id"])
    assert export["state"] in {"complete", "partial"}, export
    answer = hush.ask(who, "GET", f"/exports/{export['id']}/file")
    whole = zipfile.ZipFile(io.BytesIO(answer.content))
    return {one: whole.read(one).decode(errors="replace") for one in whole.namelist()}


@pytest.mark.parametrize("is_masked", [False, True])
def test_export_lists_what_it_withholds(hush: Office, is_masked: bool) -> None:  # noqa: FBT001
    told = package(hush, "chief", is_masked=is_masked)
    for name, text in told.items():
        assert not SECRET.search(text), name
    assert not any(name.startswith("originals/") for name in told)
    assert PLAIN[0] in told["texts/0000001.txt"]
    assert ("original_withheld" in told["exceptions.csv"]) is not is_masked


def test_export_of_who_sees_them_holds_them(hush: Office) -> None:
    told = package(hush, "head")
    assert "original_withheld" not in told["exceptions.csv"]
    assert any(SECRET.search(text) for name, text in told.items() if "originals/" in name)
    assert SECRET.search(told["index.jsonl"])


@pytest.fixture(scope="module")
def browsers(hush: Office) -> dict[str, Visitor]:
    house = House(hush.services, hush.client.app)  # type: ignore[arg-type]
    made = {}
    store = hush.services.store
    for login, role in (("li2", "member"), ("chief2", "manager"), ("legal2", "legal")):
        made[login] = house.seat(login, role, addresses=(f"{login[:-1]}@our.example",))  # type: ignore[arg-type]
    create_team(store, "readers again")
    for one in ("li2", "chief2"):
        join_team(store, "readers again", one)
    return made


def pages(hush: Office, seen: Visitor, who: str) -> Iterator[tuple[str, str]]:
    """Yield the words of every page about the letter, by its path."""
    name = the_record(hush, who)
    record = hush.get(who, f"/records/{name}")
    tabs = ("text", "headers", "attachments", "provenance")
    paths = [f"/records/{name}?tab={tab}" for tab in tabs]
    paths += [f"/records/{name}/pane?q=treaty", "/search?q=treaty", "/search/rows?q=treaty"]
    paths += ["/", "/contacts?q=example", "/contacts/silent?days=1", "/contacts/follow-ups?days=1"]
    for person in record["participants"]:
        paths.append(f"/contacts/{person['contact_id']}")
    for path in paths:
        answer = seen.client.get(path, follow_redirects=True)
        assert answer.status_code == 200, (path, answer.text[:500])
        yield path, answer.text


@pytest.mark.parametrize(("login", "who"), [("li2", "li"), ("chief2", "chief")])
def test_no_page_holds_a_word_that_only_the_hidden_bring(
    hush: Office, browsers: dict[str, Visitor], login: str, who: str
) -> None:
    for path, text in pages(hush, browsers[login], who):
        assert not SECRET.search(text), (path, SECRET.search(text))


def test_control_pages_tell_who_sees_everything(hush: Office, browsers: dict[str, Visitor]) -> None:
    seen = pages(hush, browsers["legal2"], "legal")
    telling = [path for path, text in seen if SECRET.search(text)]
    assert len(telling) >= 6, telling


def test_withheld_package_verifies(hush: Office, tmp_path: Path) -> None:
    made = hush.post("chief", "/exports", 202, json={"query": "treaty"})["export"]
    assert hush.ended_export("chief", made["id"])["state"] == "partial"
    file = tmp_path / "package.zip"
    file.write_bytes(hush.ask("chief", "GET", f"/exports/{made['id']}/file").content)
    said = verdict(file)
    assert (said.status, said.bad) == (0, []), said.out


@pytest.mark.parametrize("who", ["li", "chief"])
def test_embedded_trail_shows_nobody_who_is_hidden(hush: Office, who: str) -> None:
    boss = hush.contact("boss@our.example")
    url = hush.post(who, f"/contacts/{boss}/embed", 201)["url"]
    page = hush.client.get("/embed/timeline?" + url.partition("?")[2])
    assert page.status_code == 200
    assert "The treaty" in page.text
    assert not SECRET.search(page.text)
    hidden = hush.contact("quokka@hush.example")
    hush.post(who, f"/contacts/{hidden}/embed", 404)


@dataclass(frozen=True)
class Told:
    """An event as `Audience` reads it."""

    id: int
    kind: str
    subject_id: int
    contact_id: int | None


@pytest.mark.parametrize(
    ("who", "is_told"), [("li", False), ("chief", False), ("boss", True), ("legal", True)]
)
def test_nobody_is_told_of_contacts_that_are_hidden_from_them(
    hush: Office, who: str, *, is_told: bool
) -> None:
    store = hush.services.store
    met = [row_id("con", hush.contact(f"{one}@our.example")) for one in ("li", "boss")]
    hidden = row_id("con", hush.contact("quokka@hush.example"))
    with reading(store.engine) as connection:
        asker = principal_of(connection, found_user(connection, who), Door(""), store.now_ms())
    events = [Told(n, "contact.created", one, one) for n, one in enumerate([hidden, *met])]
    letter_id = row_id("msg", the_record(hush, who))
    events.append(Told(9, "message.archived", letter_id, None))
    told = Audience(store, asker).of(events)  # type: ignore[arg-type]
    assert told == {1, 2, 9} | ({0} if is_told else set())
