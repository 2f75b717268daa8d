"""What happens is told to whoever asked and may know of it: signed, at least once, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from archive_kit import bring_in
from cli_archive import write_mbox
from holdfast.core.identity import public_id, row_id
from holdfast.core.rights import Action
from holdfast.ingest.jobs.telling import RETRIES_S, payload
from holdfast.ingest.outbound.signatures import signed_headers
from holdfast.storage.catalogue.batches import undo_batch
from holdfast.storage.catalogue.contacts import find
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.merging import merge, undo
from holdfast.storage.catalogue.webhook_tables import webhook_events
from holdfast.storage.rights.api_keys import NewKey, create_key, revoke_key
from holdfast.storage.webhooks.deliveries import add_test, forget_told, replay
from holdfast.storage.webhooks.endpoints import (
    ALL,
    Changes,
    change_endpoint,
    find_endpoint,
    remove_endpoint,
    rotate_secret,
)
from webhook_kit import Bureau, Receiver, bureau, receiving, signature


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Bureau]:
    with bureau(tmp_path) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def letters(office: Bureau, folder: Path, numbers: range = range(5)) -> None:
    """Archive letters while the archive is open."""
    bring_in(office.settings, write_mbox(folder / f"letters{numbers.start}.mbox", numbers))


def test_signature_is_that_of_the_specification() -> None:
    """Its test vector; computed again apart from the program, with OpenSSL's HMAC."""
    key = bytes.fromhex("31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0")
    made = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [key, b"other"]
    )
    first, _, second = made.pop("webhook-signature").partition(" ")
    assert first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert second.startswith("v1,")
    assert second != first
    assert made == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
    }


def test_archived_message_is_told_signed_and_thin(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    legal = office.hire("legal", "legal")
    endpoint, secret = office.listen(receiver.url, legal, "message.archived")
    letters(office, tmp_path)
    office.work()
    assert receiver.kinds == ["message.archived"] * 5
    assert len({one.id for one in receiver.heard}) == 5
    for one in receiver.heard:
        assert one.headers["webhook-signature"] == signature(secret, one)
        assert set(one.event) == {"type", "timestamp", "data"}
        assert set(one.event["data"]) == {"id", "links"}
        assert len(one.body) < 20_000
        assert "discount" not in one.body.decode()
    assert [one.state for one in office.log(endpoint)] == ["delivered"] * 5
    office.work()
    assert len(receiver.heard) == 5


def test_contacts_are_told_of_when_they_are_met_merged_and_split(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    legal = office.hire("legal", "legal")
    office.listen(receiver.url, legal, "contact.created", "contact.updated")
    letters(office, tmp_path)
    office.work()
    assert set(receiver.kinds) == {"contact.created"}
    known = {public_id("con", one.id) for text in ("jia.example", "our.example", "berg.example",
             "evil.example", "mail.example") for one in find(office.store, text, 50)}  # fmt: skip
    assert set(receiver.ids) == known
    assert len(receiver.ids) == len(known)
    first, second = (find(office.store, text, 1)[0].id for text in
                     ("wang.min@jia.example", "wang.min@mail.example"))  # fmt: skip
    receiver.heard.clear()
    done = merge(office.store, first, second)
    undo(office.store, done)
    office.work()
    assert set(receiver.kinds) == {"contact.updated"}
    one, two = public_id("con", first), public_id("con", second)
    assert receiver.ids == [one, one, two]
    assert receiver.heard[0].event["data"]["merged"] == two


def test_contact_is_told_of_when_it_agrees_to_be_archived_and_when_that_is_undone(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    office.listen(receiver.url, office.hire("legal", "legal"), "contact.updated")
    message = {
        "msgid": "m1",
        "action": "send",
        "from": "wm1",
        "tolist": ["zhang"],
        "msgtype": "agree",
        "agree": {"userid": "wm1", "agree_time": 1_700_000_000_000},
    }
    path = tmp_path / "wecom.jsonl"
    path.write_text(json.dumps(message), "utf-8")
    summary = bring_in(office.settings, path)
    office.work()
    contact = public_id("con", find(office.store, "wecom:wm1", 1)[0].id)
    assert receiver.ids == [contact]
    undo_batch(office.store, row_id("bat", summary.batch))
    office.work()
    assert receiver.ids == [contact, contact]


def test_record_outside_of_the_owner_s_scope_is_not_told_of(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    boss = office.hire("boss", "member", addresses=("boss@our.example",))
    every = office.hire("legal", "legal")
    mine, _ = office.listen(receiver.url, boss, "message.archived", "contact.created")
    office.listen(receiver.url + "/all", every, "message.archived", "contact.created")
    admin, _ = office.listen(receiver.url + "/admin", office.hire("root", "admin"), *ALL)
    letters(office, tmp_path)
    office.work()
    told = [one for one in receiver.heard if one.path == "/in"]
    rest = [one for one in receiver.heard if one.path == "/in/all"]
    mails = [one.event["data"]["id"] for one in told if one.event["type"] == "message.archived"]
    people = [one.event["data"]["id"] for one in told if one.event["type"] == "contact.created"]
    assert len([one for one in rest if one.event["type"] == "message.archived"]) == 5
    assert len(mails) == 1  # boss is in the copies of one letter alone
    seen = {public_id("con", find(office.store, text, 1)[0].id) for text in
            ("wang.min@jia.example", "li@our.example", "boss@our.example")}  # fmt: skip
    assert set(people) == seen
    assert len(office.log(mine)) == 4
    assert office.log(admin) == []


def test_key_that_is_over_or_may_less_is_told_nothing_more(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    legal = office.hire("legal", "legal")
    narrow, _ = create_key(office.store, NewKey("legal", actions=(Action.SUBSCRIBE,)))
    wide, _ = create_key(office.store, NewKey("legal"))
    office.listen(receiver.url + "/narrow", legal, "message.archived", key_id=narrow.id)
    office.listen(receiver.url + "/wide", legal, "message.archived", key_id=wide.id)
    letters(office, tmp_path, range(1))
    office.work()
    assert [one.path for one in receiver.heard] == ["/in/wide"]
    revoke_key(office.store, wide.id)
    letters(office, tmp_path, range(1, 2))
    office.work()
    assert len(receiver.heard) == 1


def test_failure_is_tried_again_later_with_the_same_id(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint, secret = office.listen(
        receiver.url, office.hire("legal", "legal"), "message.archived"
    )
    letters(office, tmp_path, range(1))
    receiver.statuses, receiver.body = [500, 503], b"away\x1b[2J " + b"x" * 5000
    office.work()
    (kept,) = office.log(endpoint)
    assert (kept.state, kept.attempts, kept.status) == ("waiting", 1, 500)
    assert len(kept.answer) == 200
    assert "\x1b" not in kept.answer
    office.work()
    assert len(receiver.heard) == 1
    office.clock.wait(seconds=6)
    office.work()
    assert [one.status for one in office.log(endpoint)] == [503]
    office.clock.wait(seconds=331)
    office.work()
    (kept,) = office.log(endpoint)
    assert (kept.state, kept.attempts, kept.status) == ("delivered", 3, 200)
    assert len({one.id for one in receiver.heard}) == 1
    assert len({one.body for one in receiver.heard}) == 1
    stamps = [int(one.headers["webhook-timestamp"]) for one in receiver.heard]
    assert stamps[2] - stamps[0] >= 330
    assert all(one.headers["webhook-signature"] == signature(secret, one) for one in receiver.heard)


def test_tries_end_after_three_days_and_a_replay_begins_anew(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint, _ = office.listen(receiver.url, office.hire("legal", "legal"), "message.archived")
    letters(office, tmp_path, range(1))
    receiver.status = 400
    for wait_s in (0, *RETRIES_S):
        office.clock.wait(seconds=wait_s * 1.2)
        office.work()
    (kept,) = office.log(endpoint)
    assert (kept.state, kept.attempts) == ("failed", 10)
    assert 3 * 24 * 3600 <= sum(RETRIES_S) <= 4 * 24 * 3600
    office.clock.wait(days=3)
    office.work()
    assert len(receiver.heard) == 10
    receiver.status = 204
    replay(office.store, find_endpoint(office.store, endpoint.id), kept.id)
    office.work()
    assert len({one.id for one in receiver.heard}) == 1
    assert office.log(endpoint)[0].state == "delivered"
    office.clock.wait(days=31)
    assert forget_told(office.store) == 1
    assert forget_told(office.store) == 0
    assert office.log(endpoint) == []


def test_endpoint_that_says_it_is_gone_is_left_alone(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint, _ = office.listen(receiver.url, office.hire("legal", "legal"), "message.archived")
    letters(office, tmp_path, range(2))
    receiver.statuses = [410]
    office.work()
    assert sorted(one.state for one in office.log(endpoint)) == ["failed", "void"]
    assert find_endpoint(office.store, endpoint.id).state == "gone"
    letters(office, tmp_path, range(2, 3))
    office.work()
    assert len(receiver.heard) == 1
    change_endpoint(office.store, endpoint.id, Changes(is_paused=False))
    letters(office, tmp_path, range(3, 4))
    office.work()
    assert len(receiver.heard) == 2


def test_paused_endpoint_is_told_when_it_is_resumed(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint, _ = office.listen(receiver.url, office.hire("legal", "legal"), "message.archived")
    change_endpoint(office.store, endpoint.id, Changes(is_paused=True))
    letters(office, tmp_path, range(2))
    office.work()
    assert receiver.heard == []
    change_endpoint(office.store, endpoint.id, Changes(is_paused=False))
    office.work()
    assert len(receiver.heard) == 2


def test_dead_endpoint_rests_while_others_are_told(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    legal = office.hire("legal", "legal")
    dead, _ = office.listen("http://127.0.0.1:9/", legal, "message.archived")
    live, _ = office.listen(receiver.url, legal, "message.archived")
    letters(office, tmp_path)
    office.work()
    assert len(receiver.heard) == 5
    tried = [one for one in office.log(dead) if one.attempts]
    assert len(tried) == 1, "it is not tried for each happening"
    assert "broke" in tried[0].error
    assert find_endpoint(office.store, dead.id).failures == 1
    assert find_endpoint(office.store, live.id).failures == 0


def test_rotated_secret_signs_beside_the_older_one_for_a_while(
    office: Bureau, receiver: Receiver
) -> None:
    endpoint, old = office.listen(receiver.url, office.hire("legal", "legal"))
    _, new = rotate_secret(office.store, endpoint.id, 2)
    for _ in range(2):
        add_test(office.store, endpoint.id)
        office.work()
        office.clock.wait(hours=3)
    both, alone = receiver.heard
    signed = both.headers["webhook-signature"].split(" ")
    assert signed == [signature(new, both), signature(old, both)]
    assert alone.headers["webhook-signature"] == signature(new, alone)
    _, newest = rotate_secret(office.store, endpoint.id, 0)
    add_test(office.store, endpoint.id)
    office.work()
    assert receiver.heard[2].headers["webhook-signature"] == signature(newest, receiver.heard[2])


def test_removed_endpoint_is_told_nothing_and_keeps_no_secret(
    office: Bureau, receiver: Receiver, tmp_path: Path
) -> None:
    endpoint, secret = office.listen(receiver.url, office.hire("legal", "legal"))
    letters(office, tmp_path, range(1))
    remove_endpoint(office.store, endpoint.id)
    office.work()
    assert receiver.heard == []
    raw = b"".join(path.read_bytes() for path in office.settings.data.rglob("*") if path.is_file())
    assert secret.encode() not in raw
    assert secret.removeprefix("whsec_").encode() not in raw


def test_nobody_who_asked_means_nothing_is_kept(office: Bureau, tmp_path: Path) -> None:
    letters(office, tmp_path)
    with reading(office.store.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(webhook_events)) == 0


def test_links_begin_with_the_public_address() -> None:
    read = json.loads(
        payload("hold.changed", 7, 1614265330123, ({"act": "place"}, "https://a.example/"))
    )
    assert read == {
        "type": "hold.changed",
        "timestamp": "2021-02-25T15:02:10.123Z",
        "data": {
            "id": public_id("hld", 7),
            "act": "place",
            "links": {"self": f"https://a.example/api/v1/holds/{public_id('hld', 7)}"},
        },
    }
