"""Endpoints and hooks over HTTP: who may set them up, what they are told, and what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.core.rights import Action
from holdfast.storage.rights.api_keys import NewKey, create_key
from holdfast.wiring.founding import create_archive
from webhook_kit import HOST, Receiver, receiving, signature, tell_all


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("desk")
    settings = settings_in(
        folder,
        service={"requests_per_minute": 0},
        outgoing={"private_hosts": [HOST], "public_url": "https://archive.example/"},
    )
    create_archive(settings)
    with office(settings) as opened:
        for role in ("admin", "it", "legal", "manager", "crm", "member"):
            opened.hire(role, role)
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


def archive(desk: Office, folder: Path, number: int) -> None:
    numbers = range(number, number + 1)
    bring_in(desk.services.settings, write_mbox(folder / "one.mbox", numbers))


def added(desk: Office, receiver: Receiver, **more: Any) -> Any:
    body = {"url": receiver.url, "owner": "legal", **more}
    return desk.post("admin", "/webhooks", 201, json=body)


def test_endpoint_is_added_shown_changed_rotated_and_removed(
    desk: Office, receiver: Receiver
) -> None:
    made = added(desk, receiver, events=["hold.changed"], name="crm")
    assert made["secret"].startswith("whsec_")
    path = f"/webhooks/{made['webhook']['id']}"
    read = desk.ask("it", "GET", path)
    assert read.json() == made["webhook"]
    assert made["secret"] not in read.text
    tag = {"If-Match": read.headers["etag"]}
    change = {"events": ["export.ready", "hold.changed"], "is_paused": True}
    done = desk.ask("it", "PATCH", path, json=change, headers=tag)
    assert (done.json()["state"], done.json()["version"]) == ("paused", 2)
    assert done.json()["events"] == ["hold.changed", "export.ready"]
    assert desk.ask("it", "PATCH", path, json={"name": "x"}, headers=tag).status_code == 412
    newer = desk.post("it", f"{path}/rotate", json={"overlap_hours": 1})
    assert newer["secret"] != made["secret"]
    assert newer["webhook"]["older_secret_until"]
    assert desk.ask("it", "DELETE", path).status_code == 204
    desk.get("it", path, 404)
    assert [one["act"] for one in desk.entries("webhook")][:4][::-1] == [
        "add", "change", "rotate", "remove",
    ]  # fmt: skip


@pytest.mark.parametrize("who", ["legal", "crm", "member", "manager"])
def test_only_who_runs_the_archive_sets_up_endpoints(desk: Office, who: str) -> None:
    assert (
        desk.post(who, "/webhooks", 403, json={"url": "https://x.example/"})["code"] == "forbidden"
    )
    desk.get(who, "/webhooks", 403)


@pytest.mark.parametrize(
    "url",
    [
        "http://crm.example/", "https://10.0.0.1/", "https://[::1]/", "https://169.254.169.254/",
        "https://me:secret@crm.example/", "https://crm.example/#here", "https://crm.example:25/",
        "ftp://crm.example/", "https://", "crm", "https://crm.example/ x",
    ],
)  # fmt: skip
def test_address_that_would_never_be_sent_to_is_refused(desk: Office, url: str) -> None:
    assert desk.post("admin", "/webhooks", 400, json={"url": url})["code"] == "refused"
    hook = {"target_url": url, "event": "contact.created"}
    assert desk.post("crm", "/hooks", 400, json=hook)["code"] == "refused"


def test_event_that_is_none_is_refused(desk: Office, receiver: Receiver) -> None:
    body = {"url": receiver.url, "events": ["message.read"]}
    assert "message.archived" in desk.post("admin", "/webhooks", 400, json=body)["detail"]


def test_log_is_paged_and_a_delivery_is_told_again(
    desk: Office, receiver: Receiver, tmp_path: Path
) -> None:
    made = added(desk, receiver)
    path = f"/webhooks/{made['webhook']['id']}"
    receiver.statuses = [400]
    asked = desk.post("it", f"{path}/test", 202)
    assert (asked["event"], asked["state"], asked["subject"]) == ("webhook.test", "waiting", None)
    tell_all(desk.services.store)
    archive(desk, tmp_path, 0)
    tell_all(desk.services.store)
    kinds = {one.event["type"] for one in receiver.heard}
    assert kinds == {"webhook.test", "message.archived", "contact.created"}
    first = desk.get("it", f"{path}/deliveries?limit=2")
    rest = desk.get("it", f"{path}/deliveries?limit=200&cursor={first['next']}")
    both = [*first["deliveries"], *rest["deliveries"]]
    assert len({one["id"] for one in both}) == len(both) == 4
    (failed,) = desk.get("it", f"{path}/deliveries?state=waiting")["deliveries"]
    assert (failed["status"], failed["attempts"], failed["answer"]) == (400, 1, "ok")
    desk.post("it", f"{path}/deliveries/{failed['id']}/replay", 409)
    done = both[0]
    desk.post("it", f"{path}/deliveries/{done['id']}/replay", 202)
    tell_all(desk.services.store)
    assert [one.id for one in receiver.heard].count(done["webhook_id"]) == 2
    desk.post("it", f"{path}/deliveries/dlv_0000000000000/replay", 404)
    desk.ask("it", "DELETE", path)


def test_program_subscribes_itself_and_is_told_within_its_scope(
    desk: Office, receiver: Receiver, tmp_path: Path
) -> None:
    """As Zapier does: subscribe, sample, unsubscribe."""
    hook = {"target_url": receiver.url, "event": "contact.created"}
    mine = desk.post("legal", "/hooks", 201, json=hook)
    other = desk.post("crm", "/hooks", 201, json={**hook, "target_url": receiver.url + "/crm"})
    assert desk.get("legal", "/hooks") == [{k: mine[k] for k in ("id", "target_url", "event")}]
    assert desk.ask("legal", "DELETE", f"/hooks/{other['id']}").status_code == 404
    archive(desk, tmp_path, 2)
    tell_all(desk.services.store)
    assert {one.path for one in receiver.heard} == {"/in"}  # the CRM's key sees nothing yet
    (sample,) = desk.get("crm", "/hooks/samples/contact.created")
    for one in receiver.heard:
        assert one.headers["webhook-signature"] == signature(mine["secret"], one)
        assert one.event.keys() == sample.keys()
        assert one.event["data"].keys() == sample["data"].keys()
        link = one.event["data"]["links"]["self"].removeprefix("https://archive.example/api/v1")
        assert desk.get("legal", link)["id"] == one.event["data"]["id"]
    assert desk.ask("legal", "DELETE", f"/hooks/{mine['id']}").status_code == 204
    assert desk.get("legal", "/hooks") == []


def test_hooks_need_a_key_that_may_subscribe(desk: Office) -> None:
    store = desk.services.store
    _, secret = create_key(store, NewKey("crm", actions=(Action.SEARCH,)))
    hook = {"target_url": "https://hooks.example/x", "event": "contact.created"}
    desk.post(secret, "/hooks", 403, json=hook)
    desk.post("member", "/hooks", 403, json=hook)
    unknown = desk.post("crm", "/hooks", 422, json={**hook, "event": "x"})
    assert unknown["errors"][0]["pointer"] == "/body/event"
    desk.get("crm", "/hooks/samples/x", 404)
    samples = cast("list[dict[str, Any]]", desk.get("crm", "/hooks/samples/integrity.failed"))
    assert samples[0]["type"] == "integrity.failed"


def test_hold_and_export_are_told_to_whom_they_concern(
    desk: Office, receiver: Receiver, tmp_path: Path
) -> None:
    made = added(desk, receiver, events=["hold.changed", "export.ready"])
    desk.post("admin", "/webhooks", 201, json={
        "url": receiver.url + "/manager", "owner": "manager",
        "events": ["hold.changed", "export.ready"],
    })  # fmt: skip
    matter = desk.post("legal", "/matters", 201, json={"name": "K1"})
    hold = {"name": "all", "reason": "letter", "query": "harbour"}
    placed = desk.post("legal", f"/matters/{matter['id']}/holds", 201, json=hold)["hold"]
    export = desk.post("legal", "/exports", 202, json={"query": ""})["export"]
    desk.ended_export("legal", export["id"])
    own = desk.post("manager", "/exports", 202, json={"query": ""})["export"]
    desk.ended_export("manager", own["id"])
    tell_all(desk.services.store)
    told = {(one.path, one.event["type"], one.event["data"]["id"]) for one in receiver.heard}
    assert told == {
        ("/in", "hold.changed", placed["id"]),
        ("/in", "export.ready", export["id"]),
        ("/in", "export.ready", own["id"]),
        ("/in/manager", "export.ready", own["id"]),
    }
    desk.ask("it", "DELETE", f"/webhooks/{made['webhook']['id']}")
