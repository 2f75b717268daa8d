from __future__ import annotations

import hashlib
import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from archive_kit import bring_in, settings_in, write_mbox
from holdfast.api.pages import messages
from holdfast.core.errors import Corrupt
from holdfast.core.records import NO_TRUST
from holdfast.core.rights import Role
from holdfast.ingest.viewing import VIEW_LIMITS, NotShown, Viewer
from holdfast.storage.audit_proofs import check_proof
from holdfast.storage.audit_reading import Asked, audit_entries
from holdfast.wiring.founding import create_archive
from pages_kit import House, Visitor, flat, house, ids


def found(browser: Visitor, query: str) -> str:
    """The id of the one message that a query finds."""
    listed = ids(browser.get(f"/search?q={query}").text)
    assert len(listed) == 1
    return listed[0]


@pytest.fixture(scope="session")
def painted(legal: Visitor) -> str:
    return found(legal, "subject:painted")


def side(browser: Visitor, name: str, tab: str) -> str:
    return browser.get(f"/records/{name}?tab={tab}").text


def test_the_text_is_the_first_side_with_quotations_folded(legal: Visitor) -> None:
    name = found(legal, "agreed")
    shown = legal.get(f"/records/{name}").text
    assert "Agreed, the discount is fine." in flat(shown)
    assert re.search(r'<details class="quote"\s*>\s*<summary>\s*Quoted text, 1 line', shown)
    marked = legal.get(f"/records/{name}?q=quoted").text
    assert re.search(r'<details class="quote" open>', marked)
    assert "<mark>quoted</mark>" in marked


def test_people_and_time_stand_above_with_the_zone(legal: Visitor) -> None:
    shown = flat(legal.get(f"/records/{found(legal, 'agreed')}").text)
    assert "Li Qiang <li@our.example>" in shown
    assert "boss@our.example" in shown
    assert "2024-03-15 11:00:00 CST (Asia/Shanghai)" in shown
    assert "same Message-ID" not in shown


def test_message_beside_another_of_its_message_id_says_so(tmp_path: Path) -> None:
    letters = [
        b"Message-ID: <one@a.example>\nFrom: a@a.example\n\n%b\n" % word
        for word in (b"first", b"second")
    ]
    settings = settings_in(tmp_path)
    create_archive(settings)
    bring_in(settings, write_mbox(tmp_path / "a.mbox", letters))
    with house(settings) as opened:
        browser = opened.seat("legal", Role.LEGAL)
        for word in ("first", "second"):
            shown = flat(browser.get(f"/records/{found(browser, word)}").text)
            assert "Another message has the same Message-ID and differs." in shown


def test_numbers_are_shown_once_for_a_reason_that_is_kept(
    premises: House, legal: Visitor, painted: str
) -> None:
    assert "13800138000" not in legal.get(f"/records/{painted}").text
    reason = "Asked by the court"
    shown = legal.send(f"/records/{painted}", 200, reason=reason)
    assert "13800138000" in shown.text
    assert "Numbers are shown this once" in flat(shown.text)
    assert premises.noted("read")[0]["unmask_reason"] == reason
    assert "13800138000" not in legal.get(f"/records/{painted}").text
    legal.send(f"/records/{painted}", 422, reason="")
    member = premises.browser().sign_in("compliance")
    member.send(f"/records/{painted}", 403, reason=reason)
    assert "Show masked numbers" not in member.get(f"/records/{painted}").text


def test_the_html_side_frames_what_is_harmless(legal: Visitor, painted: str) -> None:
    shown = side(legal, painted, "html")
    frame = re.search(r"<iframe\b([^>]*)>", shown)
    assert frame is not None
    assert re.search(r"\bsandbox(?!\s*=)", frame[1])
    assert 'referrerpolicy="no-referrer"' in frame[1]
    assert "1 remote picture was not loaded." in flat(shown)
    assert "beacon.example" in flat(shown)


def test_the_framed_document_can_run_load_and_open_nothing(legal: Visitor, painted: str) -> None:
    answer = legal.get(f"/records/{painted}/html")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert policy.endswith("; sandbox")
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in answer.text
    assert "onclick" not in answer.text
    assert "beacon.example" not in answer.text
    assert '<img src="data:image/gif;base64,R0lGOD' in answer.text
    assert '<a title="https://far.example/?a=1&amp;b=2">far</a>' in answer.text
    assert "href" not in answer.text


def test_html_shows_numbers_and_so_is_for_who_may_have_originals(
    premises: House, painted: str
) -> None:
    member = premises.browser().sign_in("compliance")
    assert "tab=html" not in member.get(f"/records/{painted}").text
    member.get(f"/records/{painted}?tab=html", 403)
    member.get(f"/records/{painted}/html", 403)


def test_without_html_the_text_is_shown_and_it_is_said(legal: Visitor) -> None:
    shown = flat(side(legal, found(legal, "agreed"), "html"))
    assert "This message has no HTML; its text is shown." in shown
    assert "Agreed, the discount is fine." in shown


def test_html_that_costs_too_much_gives_way_to_the_text() -> None:
    deep = b"<div>" * 40_000 + b"deep"
    head = b"Subject: deep\r\nMIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n"
    with Viewer(replace(VIEW_LIMITS, wall_s=600.0)) as viewer:  # a busy machine is slow, not wrong
        assert viewer.html(head + deep, NO_TRUST) == NotShown("cpu")
        assert not isinstance(viewer.html(head + b"<p>fine</p>", NO_TRUST), NotShown)


def test_html_of_an_original_beyond_the_bound_gives_way_to_the_text(
    legal: Visitor, painted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "MAX_OPENED_BYTES", 100)
    shown = flat(side(legal, painted, "html"))
    assert "costs more than a page may" in shown
    assert "Call" in shown


def test_a_query_that_cannot_be_read_marks_nothing(legal: Visitor, painted: str) -> None:
    for query in ("(", ""):
        shown = legal.get(f"/records/{painted}", params={"q": query}).text
        assert "<mark" not in shown
        assert "today" in shown


def test_headers_show_the_way_as_a_table(legal: Visitor, painted: str) -> None:
    shown = side(legal, painted, "headers")
    rows = re.findall(r"<tr>(.*?)</tr>", shown, flags=re.S)
    assert len(rows) == 3
    last = flat(rows[2])
    assert "2024-03-21 17:00:09 CST" in last
    assert "7 s" in last
    assert "in.our.example" in last
    assert "<dt>Message-ID</dt>" in shown
    assert "&lt;painted@jia.example&gt;" in shown
    assert "name no hops" in flat(side(legal, found(legal, "agreed"), "headers"))


def test_attachments_show_type_size_hash_and_text(legal: Visitor) -> None:
    shown = side(legal, found(legal, "lighthouse"), "attachments")
    words = flat(shown)
    assert "plan.txt" in words
    assert "text/plain" in words
    assert "21 B" in words
    assert hashlib.sha256(b"lighthouse renovation").hexdigest() in words
    assert "lighthouse renovation" in words
    assert "no attachments" in flat(side(legal, found(legal, "agreed"), "attachments"))


def test_a_file_is_saved_as_what_it_is_and_by_who_may_have_originals(
    premises: House, legal: Visitor
) -> None:
    name = found(legal, "lighthouse")
    link = re.search(
        rf'href="(/records/{name}/attachments/[^"]+)"', side(legal, name, "attachments")
    )
    assert link is not None
    answer = legal.get(link[1])
    assert answer.content == b"lighthouse renovation"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="plan.txt"')
    assert "sandbox" in answer.headers["content-security-policy"]
    assert premises.noted("read")[0]["how"] == "attachment"
    legal.get(f"/records/{name}/attachments/9.9", 404)
    member = premises.browser().sign_in("compliance")
    assert link[1] not in side(member, name, "attachments")
    member.get(link[1], 403)


def test_provenance_is_proven_by_the_log(premises: House, legal: Visitor) -> None:
    name = found(legal, "lighthouse")
    shown = side(legal, name, "provenance")
    words = flat(shown)
    assert "Li Qiang" in words
    assert "letters.mbox" in words
    assert "Nothing holds it." in words
    assert "Retention kept: no ceiling has passed" in words
    assert "(taken into the archive)" in words
    assert re.search(r"✓ Proven: entry \d+ of \d+", words)
    address = re.search(r'href="(/records/[^"]*/proof/cap_\w+)"', shown)
    assert address is not None
    proof = legal.get(address[1])
    assert proof.headers["content-disposition"].startswith('attachment; filename="cap_')
    assert proof.text.startswith("c2sp.org/tlog-proof@v1\n")
    store, log = premises.services.store, premises.services.log
    public = store.keyring.signing_key().public_key()
    capture = address[1].rpartition("/")[2]
    entries, _ = audit_entries(store, Asked(kind="capture", subject=capture))
    leaf = entries[0].leaf.encode()
    origin = log.checkpoint.origin
    assert check_proof(proof.content, leaf, public, origin).size == log.size
    with pytest.raises(Corrupt):
        check_proof(proof.content, leaf.replace(b"capture", b"captura"), public, origin)
    legal.get(f"/records/{name}/proof/cap_0000000000001", 404)


def test_an_altered_log_is_said_to_be_damaged(
    premises: House, legal: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = premises.services.log
    monkeypatch.setattr(type(log), "entry", lambda self, index: b"{}")
    shown = flat(side(legal, found(legal, "lighthouse"), "provenance"))
    assert "The log does not have this capture: run holdfast verify." in shown
    assert "✓" not in shown


def test_each_side_is_noted_as_what_it_is(premises: House, legal: Visitor, painted: str) -> None:
    for tab in ("text", "html", "headers", "attachments", "provenance"):
        side(legal, painted, tab)
        noted = premises.noted("read")[0]
        assert (noted["how"], noted["subject"]) == (tab, painted)
    legal.get(f"/records/{painted}/html")
    assert premises.noted("read")[0]["how"] == "frame"


@pytest.mark.parametrize("name", ["msg_0000000000001", "nonsense", "msg_", "../x", "con_1"])
def test_what_is_not_there_is_not_found_whatever_it_is_called(legal: Visitor, name: str) -> None:
    answer = legal.get(f"/records/{name}", 404)
    assert answer.headers["content-type"].startswith("text/html")


def test_hostile_names_are_text(legal: Visitor) -> None:
    name = found(legal, "harmless")
    for tab in ("text", "headers"):
        shown = side(legal, name, tab)
        assert not set(shown) & {"\x1b", "\x07", "\u202e", "\x00"}
    assert "␛]0;owned" in html.unescape(side(legal, name, "text"))
