from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.core.rights import Reach, Role
from holdfast.indexer.query_parser import parse_query
from holdfast.storage.governance.holds import list_holds
from holdfast.storage.rights.grants import NewGrant, add_grant
from holdfast.wiring.founding import create_archive
from pages_kit import House, Visitor, flat, house


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The five letters, served, to place holds on."""
    folder = tmp_path_factory.mktemp("court")
    settings = settings_in(
        folder, archive={"zone": "Asia/Shanghai"}, service={"requests_per_minute": 0}
    )
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"), custodian="Li Qiang")
    with house(settings) as opened:
        for role in (Role.LEGAL, Role.COMPLIANCE, Role.MEMBER, Role.AUDITOR):
            opened.hire(role.value, role)
        yield opened


@pytest.fixture(scope="module")
def counsel(court: House) -> Visitor:
    return court.browser().sign_in("legal")


def open_matter(browser: Visitor, name: str) -> str:
    return str(browser.send("/matters", name=name, reference="HK 17").headers["location"])


def place(browser: Visitor, matter: str, **fields: str) -> str:
    """Place a hold; return its id."""
    given = {"name": "Discounts", "reason": "Court order", "q": "discount", **fields}
    sent = browser.send(f"{matter}/hold", 303, **given)
    return str(sent.headers["location"]).partition("#")[2]


def test_a_matter_is_opened_and_listed(counsel: Visitor) -> None:
    place_of = open_matter(counsel, "Dispute <1>")
    listed = counsel.get("/matters").text
    assert "Dispute &lt;1&gt;" in listed
    assert "HK 17" in listed
    shown = counsel.get(place_of).text
    assert "It has no holds" in flat(shown)
    again = counsel.send("/matters", 400, name="Dispute <1>", about="kept words")
    assert "There is a matter called" in again.text
    assert "kept words" in again.text
    counsel.send("/matters", 400, name="")


def test_a_hold_is_counted_before_it_is_placed(court: House, counsel: Visitor) -> None:
    matter = open_matter(counsel, "Preview")
    form = counsel.get(f"{matter}/hold").text
    assert "would be held" not in form
    fields = "name=A&reason=B&q=discount&custodians=Li+Qiang，Nobody&step=preview"
    shown = flat(counsel.get(f"{matter}/hold?{fields}").text)
    assert "2 messages would be held." in shown
    assert "it is held once it does: Nobody" in shown
    assert court.noted("hold_preview")[0]["held"] == 2
    assert "It has no holds" in flat(counsel.get(matter).text)


@pytest.mark.parametrize(
    ("fields", "held"),
    [
        ("first=2024-03-18&last=2024-03-18", 1),
        ("first=2024-03-15&last=2024-03-15", 2),
        ("last=2024-03-14", 0),
        ("custodians=Li+Qiang", 5),
        ("custodians=Somebody", 0),
        ("q=lighthouse&spares=no", 1),
    ],
)
def test_days_people_and_words_limit_a_hold(counsel: Visitor, fields: str, held: int) -> None:
    matter = open_matter(counsel, f"Limits {fields}")
    shown = counsel.get(f"{matter}/hold?name=A&reason=B&step=preview&{fields}").text
    word = "message" if held == 1 else "messages"
    assert f"{held} {word} would be held." in flat(shown)


@pytest.mark.parametrize("fields", ["q=(", "first=tomorrow", "first=2024-03-02&last=2024-03-01"])
def test_what_cannot_be_used_is_said_and_what_was_written_stays(
    counsel: Visitor, fields: str
) -> None:
    matter = open_matter(counsel, f"Wrong {fields}")
    answer = counsel.client.get(f"{matter}/hold?name=Kept&reason=B&step=preview&{fields}")
    if answer.status_code == 200:  # an empty span is refused when it is placed
        answer = counsel.send(
            f"{matter}/hold", 400, name="Kept", reason="B", first="2024-03-02", last="2024-03-01"
        )
    assert answer.status_code == 400
    assert "That was not done." in answer.text
    assert 'value="Kept"' in answer.text


def test_a_placed_hold_shows_what_it_holds_and_where(counsel: Visitor) -> None:
    matter = open_matter(counsel, "Placed")
    hold = place(counsel, matter)
    shown = counsel.get(matter).text
    assert f'id="{hold}"' in shown
    assert "in force" in flat(shown)
    assert "2 messages" in flat(shown)
    assert f"/search?q=hold%3A{hold}" in shown
    found = re.search(r'data-id="(msg_\w+)"', counsel.get("/search?q=agreed").text)
    assert found is not None
    origin = counsel.get(f"/records/{found[1]}?tab=provenance").text
    assert "Placed: Discounts" in flat(origin)
    counsel.send(f"{matter}/hold", 400, name="Discounts", reason="again")


def test_a_release_takes_two_persons(court: House, counsel: Visitor) -> None:
    matter = open_matter(counsel, "Release")
    hold = place(counsel, matter)
    step = f"{matter}/holds/{hold}/release"
    counsel.send(step, 400, step="ask", reason="")
    counsel.send(step, step="ask", reason="Settled")
    shown = flat(counsel.get(matter).text)
    assert "its release waits for approval" in shown
    assert "You asked for it: another person must approve." in shown
    assert "Settled" in shown
    assert "Approve the release" not in shown
    refused = counsel.send(step, 403, step="approve")
    assert "Who asked for the release cannot approve it." in refused.text
    second = court.browser().sign_in("compliance")
    assert "Approve the release" in second.get(matter).text
    second.send(step, step="approve")
    shown = flat(second.get(matter).text)
    assert "its release is approved" in shown
    assert "ends" in shown
    counsel.send(step, step="withdraw")
    assert "Ask for its release" in flat(counsel.get(matter).text)
    counsel.send(step, 400, step="forget")
    counsel.send(f"{matter}/holds/hld_0000000000001/release", 404, step="ask", reason="x")


def test_a_notice_is_written_and_its_code_shown_once(counsel: Visitor) -> None:
    matter = open_matter(counsel, "Notice")
    hold = place(counsel, matter)
    step = f"{matter}/holds/{hold}/notice"
    answer = counsel.send(step, 200, custodian="Li Qiang", about="Ask Anna.")
    code = re.search(r'<code class="code">([0-9a-z]{20})</code>', answer.text)
    assert code is not None
    assert "To Li Qiang" in answer.text
    assert "Ask Anna." in answer.text
    shown = counsel.get(matter).text
    assert code[1] not in shown
    assert "not yet" in flat(shown)
    counsel.send(step, 400, custodian=" ")


def test_a_matter_closes_when_nothing_is_held_for_it(counsel: Visitor) -> None:
    matter = open_matter(counsel, "Closing")
    place(counsel, matter)
    counsel.send(f"{matter}/close", 400)
    empty = open_matter(counsel, "Empty")
    counsel.send(f"{empty}/close")
    assert "Empty" not in counsel.get("/matters").text
    assert "Empty" in counsel.get("/matters?closed=1").text
    assert "Place a hold" not in counsel.get(empty).text


def test_rights_are_those_of_the_role(court: House, counsel: Visitor) -> None:
    matter = open_matter(counsel, "Rights")
    for login in ("member", "auditor"):
        browser = court.browser().sign_in(login)
        for path in ("/matters", matter, f"{matter}/hold"):
            browser.get(path, 403)
    reviewer = court.browser().sign_in("compliance")
    assert "Place a hold" not in reviewer.get(matter).text
    reviewer.get(f"{matter}/hold", 403)
    reviewer.send(f"{matter}/hold", 403, name="x", reason="y")
    counsel.post(f"{matter}/hold", 403, {"name": "x", "reason": "y"})
    for path in ("/matters/mat_0000000000001", "/matters/nonsense"):
        counsel.get(path, 404)


def test_who_sees_less_is_counted_less(court: House, counsel: Visitor) -> None:
    node = parse_query("from:wang", now=datetime.now(UTC), zone=UTC).node
    matter = open_matter(counsel, "Narrow")
    hold = place(counsel, matter)
    court.hire("narrow", Role.LEGAL)
    add_grant(court.services.store, NewGrant("narrow", Reach.QUERY, "from:wang", node))
    browser = court.browser().sign_in("narrow")
    shown = flat(browser.get(f"{matter}/hold?name=A&reason=B&q=discount&step=preview").text)
    assert "0 messages would be held." in shown
    assert "the hold holds all others too" in shown
    assert hold in browser.get(matter).text
    assert "2 messages" not in flat(browser.get(matter).text)


def test_a_form_beyond_every_bound_is_refused_whole(counsel: Visitor) -> None:
    matter = open_matter(counsel, "Bounds")
    given = {"name": "A", "reason": "B"}
    long = counsel.send(f"{matter}/hold", 400, **given, q="x" * 20_001)
    assert "more than 20000 characters" in flat(long.text)
    many = ",".join(f"C{number}" for number in range(201))
    full = counsel.send(f"{matter}/hold", 400, **given, custodians=many)
    assert "More than 200 custodians." in flat(full.text)
    assert "It has no holds" in flat(counsel.get(matter).text)


def test_release_on_a_page_waits_as_long_as_the_settings_say(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, governance={"release_delay_days": 90})
    create_archive(settings)
    with house(settings) as opened:
        first = opened.seat("asks", Role.LEGAL)
        matter = open_matter(first, "Patience")
        step = f"{matter}/holds/{place(first, matter)}/release"
        first.send(step, step="ask", reason="settled")
        opened.seat("approves", Role.LEGAL).send(step, step="approve")
        (hold,) = list_holds(opened.services.store)
        assert hold.release.ends_ms is not None
        assert hold.release.approved_ms is not None
        assert hold.release.ends_ms - hold.release.approved_ms == 90 * 86_400_000
