"""Whom a sender hid stays hidden when that is learnt later, elsewhere, or by way of a mailbox."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterator

import pytest

from api_kit import Office, office
from archive_kit import bring_in, settings_in, write_mbox
from holdfast.core.rights import Role
from holdfast.storage.rights.teams import create_team, join_team
from pages_kit import House


def letter(subject: str, *fields: str, day: int = 15) -> bytes:
    name = subject.replace(" ", ".")
    return "\n".join(
        [
            *fields,
            f"Message-ID: <{name}@our.example>",
            "From: Boss <boss@our.example>",
            "To: Li Qiang <li@our.example>",
            f"Date: Fri, {day} Mar 2024 10:22:00 +0800",
            f"Subject: {subject}",
            "",
            f"words of {subject}",
            "",
        ]
    ).encode()


def crm_table() -> bytes:
    row = {
        "Id": "02s5g00000AAAAB", "FromAddress": "boss@our.example",
        "ToAddress": "li@our.example", "BccAddress": "quokka@hush.example",
        "MessageDate": "2024-03-20T02:00:00.000Z", "Subject": "crm note", "TextBody": "noted",
        "Incoming": "false",
    }  # fmt: skip
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row), quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue().encode()


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Mail to Li; that it has blind copies is learnt, or never, from mailboxes taken in later."""
    folder = tmp_path_factory.mktemp("later")
    settings = settings_in(
        folder,
        archive={"internal_domains": ["our.example"]},
        service={"requests_per_minute": 0},
    )
    taken = (
        ("li", [letter("told late"), letter("never told")]),
        ("boss", [letter("told late", "Bcc: Quokka <quokka@hush.example>", day=15)]),
        ("mole", [letter("never told", "X-Note: burrow")]),
        ("mole", [letter("mole first", "X-Note: burrow")]),
        ("wang", [
            letter("to wang", "Cc: wang@out.example", "Bcc: li2@our.example, x@y.example", day=10),
            letter("hidden wang", "Bcc: wang@out.example, x@y.example", day=25),
        ]),
    )  # fmt: skip
    for number, (login, letters) in enumerate(taken):
        name = {"mole": f"burrow{number}"}.get(login, login)
        box = folder / f"{name}.mbox"
        bring_in(settings, write_mbox(box, letters), custodian=f"{login}@our.example")
    crm = folder / "crm"
    crm.mkdir()
    (crm / "EmailMessage.csv").write_bytes(crm_table())
    bring_in(settings, crm)
    with office(settings) as opened:
        for login in ("boss", "li", "mole"):
            opened.hire(login, "member", addresses=(f"{login}@our.example",))
        opened.hire("legal", "legal")
        opened.hire("chief", "manager", addresses=("chief@our.example",))
        store = opened.services.store
        create_team(store, "readers")
        for one in ("li", "chief"):
            join_team(store, "readers", one)
        yield opened


@pytest.mark.parametrize("who", ["li", "chief"])
def test_blind_copies_that_a_crm_notes_are_hidden(later: Office, who: str) -> None:
    (name,) = later.found(who, "subject:note")
    assert later.search("legal", "quokka subject:note")["total"] == 1
    assert later.search("boss", "quokka subject:note")["total"] == 1
    assert later.search(who, "quokka")["total"] == 0
    assert later.search(who, "address:quokka@hush.example")["total"] == 0
    assert later.get(who, "/contacts?address=quokka@hush.example")["contacts"] == []
    assert "quokka" not in str(later.get(who, f"/records/{name}"))
    assert "quokka" not in str(later.get(who, f"/records/{name}/headers"))
    if who == "chief":
        later.get(who, f"/records/{name}/original", 403)


@pytest.mark.parametrize(("who", "day"), [("li", "2024-03-10"), ("legal", "2024-03-25")])
def test_silence_is_counted_by_what_is_in_the_scope(later: Office, who: str, day: str) -> None:
    """The last letter hides Wang from Li: to Li, Wang is silent since the one before."""
    (found,) = [
        one
        for one in later.get(who, "/contacts/silent?days=30&limit=200")["contacts"]
        if one["contact"]["identities"][0]["value"] == "wang@out.example"
    ]
    assert found["last_contact_at"].startswith(day)


def test_silent_contacts_of_a_scope_come_page_by_page(later: Office) -> None:
    whole = later.get("li", "/contacts/silent?days=30&limit=200")["contacts"]
    pages, cursor = [], ""
    while True:
        page = later.get("li", f"/contacts/silent?days=30&limit=1&cursor={cursor}")
        pages += page["contacts"]
        cursor = page["next"]
        if not cursor:
            break
    assert pages == whole
    assert later.get("li", "/contacts/silent?days=3660")["contacts"] == []


def variants(later: Office, who: str, query: str) -> list[str]:
    """Return what originals of the letter are given to somebody."""
    (name,) = later.found("legal", query)
    given = []
    for sha256 in later.get("legal", f"/records/{name}")["sha256"]:
        answer = later.ask(who, "GET", f"/records/{name}/original?sha256={sha256}")
        assert answer.status_code in {200, 403, 404}
        given += [answer.text] * (answer.status_code == 200)
    return given


@pytest.mark.parametrize("who", ["li", "chief"])
def test_blind_copy_that_a_later_copy_tells_of_is_hidden(later: Office, who: str) -> None:
    """The sender's copy names it, which was taken in after the recipient's."""
    (name,) = later.found(who, "subject:late")
    for query in ("bcc:quokka", "address:quokka@hush.example", "with:quokka subject:late"):
        for one in ("legal", "boss"):
            assert later.search(one, f"{query} subject:late")["total"] == 1, query
        assert later.search(who, query)["total"] == 0, query
        assert later.search(who, f"subject:late NOT {query}")["total"] == 1, query
    assert "quokka" in str(later.get("boss", f"/records/{name}"))
    for part in ("", "/headers"):
        assert "quokka" not in str(later.get(who, f"/records/{name}{part}")), part
    assert variants(later, "legal", "subject:late") != []
    assert variants(later, who, "subject:late") == []
    assert later.ask(who, "GET", f"/records/{name}/original").status_code == 403


def test_variant_out_of_another_mailbox_is_not_given(later: Office) -> None:
    assert len(variants(later, "legal", "subject:never")) == 2
    (given,) = variants(later, "chief", "subject:never")
    assert "burrow" not in given
    (name,) = later.found("chief", "subject:never")
    whole = later.ask("chief", "GET", f"/records/{name}/original")
    assert whole.text == given


@pytest.mark.parametrize(
    ("query", "state"), [("subject:late", "partial"), ("subject:never", "complete")]
)
def test_variants_are_in_no_export(later: Office, query: str, state: str) -> None:
    made = later.post("chief", "/exports", 202, json={"query": query})["export"]
    assert later.ended_export("chief", made["id"])["state"] == state
    content = later.ask("chief", "GET", f"/exports/{made['id']}/file").content
    whole = zipfile.ZipFile(io.BytesIO(content))
    for name in whole.namelist():
        assert not re.search(rb"quokka|burrow|mole@|boss\.mbox", whole.read(name)), name


@pytest.mark.parametrize("who", ["li", "chief"])
@pytest.mark.parametrize("subject", ["late", "never"])
def test_mailboxes_of_others_are_told_by_nothing(later: Office, who: str, subject: str) -> None:
    """The copy of somebody who was blind-copied says nothing of it, but for where it lies."""
    boxes = {"boss", "mole", "burrow"}
    order = {"query": f"subject:{subject}", "facets": ["custodian", "source"]}
    found = later.post(who, "/search", json=order)
    (name,) = later.found(who, f"subject:{subject}")
    record = later.get(who, f"/records/{name}")
    headers = later.get(who, f"/records/{name}/headers")
    told = [found["facets"], record["captures"], record["custodians"], record["sources"], headers]
    for one in told:
        assert not re.search(r"boss\.mbox|mole|burrow|X-Note", str(one)), one
    assert record["custodians"] == ["li@our.example"]
    assert {one["custodian"] for one in record["captures"]} <= {"li@our.example"}
    own = "" if subject == "late" else record["sources"][0]  # all are withheld with the hidden
    assert record["sources"] == [own] * bool(own)
    assert later.search(who, f"subject:{subject} custodian:li@our.example")["total"] == 1
    for one in later.get("legal", f"/records/{name}")["sources"]:
        is_own = one == own
        assert later.search(who, f'subject:{subject} source:"{one}"')["total"] == is_own
        assert later.search(who, f'subject:{subject} NOT source:"{one}"')["total"] == (not is_own)
    for box in boxes:
        assert later.search(who, f"subject:{subject} custodian:{box}@our.example")["total"] == 0
    assert later.search("legal", "subject:never custodian:mole@our.example")["total"] == 1
    assert later.search("mole", "subject:never custodian:mole@our.example")["total"] == 1


def test_what_only_anothers_copy_has_is_not_shown(later: Office) -> None:
    """Of a letter that was taken in from the mailbox of one whom nobody may know of."""
    (name,) = later.found("chief", "subject:first")
    fields = {one["name"] for one in later.get("chief", f"/records/{name}/headers")}
    assert {"From", "To", "Subject"} <= fields
    assert "X-Note" not in fields
    assert later.search("chief", "subject:first header:x-note")["total"] == 0
    assert later.search("legal", "subject:first header:x-note")["total"] == 1
    assert variants(later, "chief", "subject:first") == []
    assert later.ask("chief", "GET", f"/records/{name}/original").status_code == 403


@pytest.mark.parametrize("subject", ["late", "never", "first"])
def test_no_page_tells_of_mailboxes_of_others(later: Office, subject: str) -> None:
    house = House(later.services, later.client.app)  # type: ignore[arg-type]
    seen = house.seat(f"chief-{subject}", Role.MANAGER, addresses=("chief@our.example",))
    join_team(later.services.store, "readers", f"chief-{subject}")
    (name,) = later.found("chief", f"subject:{subject}")
    for tab in ("text", "headers", "attachments", "provenance"):
        page = seen.client.get(f"/records/{name}?tab={tab}", follow_redirects=True)
        assert page.status_code == 200
        assert not re.search(r"quokka|boss\.mbox|mole@|burrow|X-Note", page.text), tab
