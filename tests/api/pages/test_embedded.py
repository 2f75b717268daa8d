"""A trail in a frame: five minutes, one contact, one key's scope; nothing else opens it."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from httpx2 import Response

from api_kit import PREFIX, Office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.api.passes import Pass, issue, opened
from holdfast.core.rights import Action
from holdfast.storage.keyring import Keyring
from holdfast.storage.rights.api_keys import NewKey, create_key, revoke_key
from holdfast.storage.rights.users import disable_user
from holdfast.wiring.founding import create_archive
from moved_clock import MovedClock, office_in_time
from pages_kit import flat

CRM = "https://crm.example"


@dataclass(slots=True)
class Window:
    """One archive whose trails a CRM shows."""

    office: Office
    clock: MovedClock

    def contact(self, address: str) -> str:
        """The public id of whoever has the address."""
        found = self.office.get("legal", f"/contacts?q={address}")["contacts"]
        return str(found[0]["id"])

    def asked(self, who: str, address: str) -> str:
        """Ask for an address that shows a trail."""
        made = self.office.post(who, f"/contacts/{self.contact(address)}/embed", 201)
        return str(made["url"])

    def look(self, url: str, status: int = 200, language: str = "en") -> Response:
        """Load it, as a frame does: without a key and without cookies."""
        headers = {"Accept-Language": language}
        answer: Response = self.office.client.get(url, headers=headers)
        assert answer.status_code == status, (answer.status_code, answer.text[:2000])
        return answer


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    folder = tmp_path_factory.mktemp("window")
    settings = settings_in(
        folder,
        archive={"internal_domains": ["our.example"], "zone": "Asia/Shanghai"},
        service={"requests_per_minute": 0},
        outgoing={"embedders": [CRM, "http://localhost:8080"]},
    )
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"))
    with office_in_time(settings) as (office, clock):
        office.hire("legal", "legal")
        office.hire("admin", "admin")
        office.hire("boss", "member", addresses=("boss@our.example",))
        yield Window(office, clock)


def test_trail_is_shown_in_frames_of_the_named_sites_alone(window: Window) -> None:
    url = window.asked("legal", "li@our.example")
    assert url.startswith("/embed/timeline?pass=")
    answer = window.look(url)
    text = flat(answer.text)
    assert "5 interactions" in text
    assert "Budget for the harbour" in text
    policy = answer.headers["content-security-policy"]
    assert f"frame-ancestors {CRM} http://localhost:8080" in policy
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "x-frame-options" not in answer.headers
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "no-store" in answer.headers["cache-control"]
    assert "<script" not in answer.text
    assert "set-cookie" not in answer.headers
    assert "\x1b" not in answer.text
    other = window.office.client.get("/sign-in")
    assert other.headers["x-frame-options"] == "DENY"


def test_trail_is_chinese_where_it_is_asked_for(window: Window) -> None:
    url = window.asked("legal", "li@our.example")
    assert "5 条往来" in flat(window.look(url, language="zh-CN").text)
    assert '<html lang="zh-CN">' in window.look(f"{url}&lang=zh").text
    assert "此视图已关闭" in window.look("/embed/timeline?pass=x&lang=zh", 403).text


def test_trail_holds_what_the_key_may_see_and_nothing_else(window: Window) -> None:
    text = flat(window.look(window.asked("boss", "wang.min@jia.example")).text)
    assert "1 interaction" in text
    assert "1 interactions" not in text
    anna = window.contact("anna@berg.example")
    assert window.office.post("boss", f"/contacts/{anna}/embed", 404)["code"] == "not_found"
    assert window.office.post("admin", f"/contacts/{anna}/embed", 403)["action"] == "contacts"


def test_asking_and_looking_are_in_the_audit_log(window: Window) -> None:
    url = window.asked("legal", "anna@berg.example")
    window.look(url)
    anna = window.contact("anna@berg.example")
    asked, looked = window.office.entries("embed")[0], window.office.entries("read")[0]
    assert (asked["actor"], asked["subject"]) == ("legal", anna)
    assert (looked["actor"], looked["subject"], looked["how"]) == ("legal", anna, "embedded")
    assert looked["key"] == asked["key"]


def test_address_is_over_after_five_minutes(window: Window) -> None:
    url = window.asked("legal", "anna@berg.example")
    window.clock.wait(seconds=295)
    window.look(url)
    window.clock.wait(seconds=6)
    refused = window.look(url, 403)
    assert "This view is closed" in refused.text
    assert "anna" not in refused.text.lower()
    assert f"frame-ancestors {CRM}" in refused.headers["content-security-policy"]


Read = Callable[[Keyring, str, int], Pass | None]
GIVEN = Pass(1, 3, 2, 10_000)


def refuses_every_change(read: Read, keyring: Keyring) -> None:
    raw = base64.urlsafe_b64decode(issue(keyring, GIVEN))
    for at in range(len(raw)):
        forged = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        text = base64.urlsafe_b64encode(forged).decode()
        assert read(keyring, text, 0) is None, "it opened"


def refuses_what_is_over(read: Read, keyring: Keyring) -> None:
    made = issue(keyring, GIVEN)
    assert read(keyring, made, 9_999) == GIVEN
    assert read(keyring, made, 10_000) is None, "it opened"


def believing(_keyring: Keyring, text: str, now_ms: int) -> Pass | None:
    """A seeded bug: looks at no signature."""
    _, _, user, key, contact, until = struct.unpack(">BIQQQQ", base64.urlsafe_b64decode(text)[:37])
    return Pass(user, key, contact, until) if until > now_ms else None


def timeless(keyring: Keyring, text: str, _now_ms: int) -> Pass | None:
    """A seeded bug: looks at no clock."""
    return opened(keyring, text, 0)


def test_no_bit_of_a_pass_can_be_another_and_none_outlives_its_time(window: Window) -> None:
    keyring = window.office.services.store.keyring
    refuses_every_change(opened, keyring)
    refuses_what_is_over(opened, keyring)
    with pytest.raises(AssertionError, match="it opened"):
        refuses_every_change(believing, keyring)
    with pytest.raises(AssertionError, match="it opened"):
        refuses_what_is_over(timeless, keyring)


def test_texts_that_are_no_passes_open_nothing(window: Window) -> None:
    place, _, text = window.asked("legal", "anna@berg.example").partition("pass=")
    for forged in ("", "x", "x" * len(text), text[:-1], f"{text}A", f"+{text[1:]}", f"é{text[1:]}"):
        window.look(f"{place}pass={forged}", 403)


def test_pass_of_another_keyring_opens_nothing(window: Window, tmp_path: Path) -> None:
    ours = window.office.services.store.keyring
    theirs = Keyring.create(tmp_path / "keys/keyring.json")
    given = replace(GIVEN, key_id=None)
    assert opened(ours, issue(ours, given), 0) == given
    made = issue(theirs, given)
    assert opened(ours, made, 0) is None
    theirs.rotate()
    assert opened(theirs, made, 0) == given
    assert theirs.derived(b"a", 1) != theirs.derived(b"b", 1) != theirs.derived(b"b", 2)


def test_revoked_key_narrower_key_and_disabled_user_open_nothing_more(window: Window) -> None:
    store = window.office.services.store
    window.office.hire("lee", "legal")
    key, secret = create_key(store, NewKey("lee", actions=(Action.SEARCH, Action.CONTACTS)))
    by_key, by_user = (window.asked(who, "anna@berg.example") for who in (secret, "lee"))
    window.look(by_key)
    revoke_key(store, key.id)
    window.look(by_key, 403)
    window.look(by_user)
    disable_user(store, "lee")
    window.look(by_user, 403)
    blind, secret = create_key(store, NewKey("legal", actions=(Action.SEARCH,)))
    assert blind.actions == (Action.SEARCH,)
    anna = window.contact("anna@berg.example")
    window.office.post(secret, f"/contacts/{anna}/embed", 403)


def test_long_trail_goes_on_page_by_page(window: Window, tmp_path: Path) -> None:
    settings = window.office.services.settings
    mails = [
        f"Message-ID: <n{n}@far.example>\nFrom: far@far.example\nTo: li@our.example\n"
        f"Date: Mon, 3 Jun 2024 10:{n:02d}:00 +0000\nSubject: number {n}\n\ncall 13800138000\n"
        for n in range(30)
    ]
    path = tmp_path / "far.mbox"
    path.write_text("".join(f"From x@x Mon Jun  3 10:00:00 2024\n{one}\n" for one in mails))
    bring_in(settings, path)
    first = window.look(window.asked("legal", "far@far.example"))
    assert "30 interactions" in flat(first.text)
    assert "13800138000" not in first.text
    more = re.search(r'href="(/embed/timeline[^"]+)"', first.text)
    assert more is not None
    second = window.look(more[1].replace("&amp;", "&"))
    seen = re.findall(r'href="/records/(msg_\w+)"', first.text + second.text)
    assert len(seen) == len(set(seen)) == 30
    assert (
        window.look(more[1].replace("&amp;", "&").replace("cursor=", "cursor=x")).status_code == 200
    )


def test_where_nobody_is_named_no_frame_shows_it(house: Office) -> None:
    found = house.get("legal", "/contacts?q=anna@berg.example")["contacts"][0]["id"]
    url = house.post("legal", f"/contacts/{found}/embed", 201)["url"]
    answer = house.client.get(url)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-frame-options"] == "DENY"
    assert PREFIX not in url
