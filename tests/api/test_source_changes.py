"""Sources over HTTP: added, changed, tried and removed, with secrets that never come back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office, empty_office
from holdfast.core.errors import Conflict, NotFound, Refused
from holdfast.ingest.folder.place import KIND as FOLDER
from holdfast.ingest.folder.place import watched
from holdfast.ingest.folder.place import written as written_folder
from holdfast.ingest.imap.account import KIND, written
from holdfast.ingest.imap.signing.oauth import unsealed
from holdfast.ingest.source_changing import Changes, change_source
from holdfast.ingest.webhooks.dry_run import map_to_try
from holdfast.storage.catalogue.accounts import NewAccount, add_account, find_account, open_secret
from imap_kit import letter, plain_account
from imap_script import Script, scripted

SECRET = "open-sesame-84-times"
MAILBOX = {"host": "imap.example.com", "user": "ann@example.com", "excludes": ["Junk"]}
MAP = {"fields": {"id": "$.ref", "body": "$.body.words"}}


@pytest.fixture
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with empty_office(tmp_path_factory.mktemp("post")) as opened:
        opened.hire("it", "it")
        opened.hire("legal", "legal")
        yield opened


def add(post: Office, name: str = "mail", status: int = 201, **more: Any) -> Any:
    """Add a source; by default a mailbox."""
    said = {"name": name, "secret": SECRET, **({} if "webhook" in more else {"mailbox": MAILBOX})}
    return post.post("it", "/sources", status, json={**said, **more})


def test_mailbox_is_added_with_a_secret_that_is_in_no_answer(post: Office) -> None:
    made = add(post, custodian="Ann", is_paused=True)
    assert (made["source"]["kind"], made["source"]["state"]) == ("imap", "paused")
    assert made["settings"] == {
        "user": "ann@example.com", "host": "imap.example.com", "port": 993, "tls": "implicit",
        "folders": [], "excludes": ["Junk"],
    }  # fmt: skip
    assert made["plan"]["every"] == 300
    texts = [post.ask("it", "GET", path).text for path in ("/sources", "/sources/mail")]
    assert all(SECRET not in text for text in texts)
    store = post.services.store
    assert open_secret(store, find_account(store, "mail").source_id) == SECRET.encode()
    (entry,) = post.entries("account_added")
    assert entry["actor"] == "it"


def test_mailbox_by_tokens_keeps_each_secret_where_it_belongs(post: Office) -> None:
    tokens = {"flow": "refresh-token", "client_id": "app"}
    mailbox = {"preset": "gmail", "user": "ann@gmail.com", "tokens": tokens}
    made = add(post, mailbox=mailbox, client_secret="of-the-app")
    assert made["settings"]["host"] == "imap.gmail.com"
    store = post.services.store
    kept = unsealed(open_secret(store, find_account(store, "mail").source_id))
    assert (kept.refresh_token, kept.client_secret, kept.password) == (SECRET, "of-the-app", "")


def test_what_names_files_or_networks_of_the_host_is_not_taken(post: Office) -> None:
    for foreign in (
        {"ca_file": "/etc/passwd"},
        {"allows_private": True},
        {"proxy": "http://10.0.0.1:8080"},
        {"tls": "none"},
    ):
        add(post, status=422, mailbox=MAILBOX | foreign)
    add(post, status=422, folder={"path": "/etc"})
    assert post.get("it", "/sources") == []


def test_source_that_cannot_be_is_refused(post: Office) -> None:
    add(post)
    assert "already" in add(post, status=409)["detail"]
    hook = {"vendor": "generic"}
    assert "one thing" in add(post, "both", 400, mailbox=MAILBOX, webhook=hook)["detail"]
    assert "one thing" in add(post, "none", 400, mailbox=None)["detail"]
    assert "webhooks" in add(post, "odd", 400, webhook={"vendor": "fax"})["detail"]
    assert "printed" in add(post, "a\nb", 400)["detail"]
    assert "path" in add(post, "a/b", 400)["detail"]
    assert "custodian" in add(post, "c", 400, custodian="A\0")["detail"]
    tokens = {"flow": "refresh-token", "client_id": "app", "token_url": "https://[x"}
    assert "https" in add(post, "t", 400, mailbox=MAILBOX | {"tokens": tokens})["detail"]
    assert [one["name"] for one in post.get("it", "/sources")] == ["mail"]


def test_source_is_changed_as_it_was_read(post: Office) -> None:
    add(post)
    tag = post.ask("it", "GET", "/sources/mail").headers["ETag"]
    change = {"every": 60, "only": ["*@partner.example"], "folder": ["INBOX"]}
    path = "/sources/mail"
    first = post.ask("it", "PATCH", path, json=change, headers={"If-Match": tag})
    assert first.status_code == 200, first.text
    plan = first.json()["plan"]
    assert (plan["every"], plan["only"], plan["exclude"]) == (60, ["*@partner.example"], ["Junk"])
    assert first.json()["settings"]["folders"] == ["INBOX"]
    again = post.ask("it", "PATCH", path, json={"every": 70}, headers={"If-Match": tag})
    assert again.status_code == 412
    assert post.get("it", path)["plan"]["every"] == 60
    assert post.ask("it", "PATCH", path, json={"keep": True}).status_code == 422
    assert post.ask("it", "PATCH", path, json={"only": [""]}).status_code == 422
    lifted = post.ask("it", "PATCH", path, json={"only": [], "exclude": []}).json()["plan"]
    assert (lifted["only"], lifted["exclude"]) == ([], [])
    assert post.ask("it", "PATCH", path, json={"since": "March"}).status_code == 400


def test_change_to_what_somebody_else_changed_is_not_made(post: Office) -> None:
    add(post)
    store = post.services.store
    seen = find_account(store, "mail")
    change_source(store, seen, Changes(every=60))
    with pytest.raises(Conflict):
        change_source(store, seen, Changes(since="2024-01-01"))
    assert change_source(store, find_account(store, "mail"), Changes())["since"] == ""


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_time_that_is_no_number_would_spoil_the_list_of_sources(
    post: Office, seconds: float
) -> None:
    add(post)
    store = post.services.store
    kept = find_account(store, "mail")
    for changes in (Changes(every=seconds), Changes(late=seconds), Changes(reconcile=seconds)):
        with pytest.raises(Refused):
            change_source(store, kept, changes)


def test_webhook_is_added_tried_and_changed(post: Office) -> None:
    made = add(post, "crm", webhook={"vendor": "generic", "settings": MAP})
    assert (made["source"]["kind"], made["settings"]["vendor"]) == ("hook", "generic")
    sample = {"ref": "7", "body": {"words": "hello"}}
    found = post.post("it", "/sources/crm/dry-run", json=sample)
    assert found["problem"] == ""
    (body,) = (one for one in found["fields"] if one["name"] == "body")
    assert (body["found"], body["is_mapped"], body["is_missed"]) == (["hello"], True, False)
    missed = post.post("it", "/sources/crm/dry-run", json={"ref": "7"})
    assert [one["name"] for one in missed["fields"] if one["is_missed"]] == ["body"]
    changed = post.ask("it", "PATCH", "/sources/crm", json={"late": 60})
    assert changed.json()["plan"] == {"every": 300, "late": 60}
    assert made["settings"]["settings"] == MAP
    assert "by itself" in post.post("it", "/sources/crm/sync", 400)["detail"]
    assert post.post("it", "/sources/crm/test")["is_ok"]
    add(post)
    assert post.post("it", "/sources/mail/dry-run", 400, json=sample)["detail"]


def test_half_a_character_is_refused(post: Office) -> None:
    half = json.dumps({"fields": {"id": "\ud800"}})
    add(post, "crm", webhook={"vendor": "generic", "settings": MAP})
    for path, body in (
        ("/sources/crm/dry-run", half),
        ("/sources", json.dumps({"name": "x", "secret": SECRET, "webhook": {"vendor": "generic"}})
         .replace('"generic"', f'"generic", "settings": {half}')),
    ):  # fmt: skip
        sent = {"content": body, "headers": {"Content-Type": "application/json"}}
        assert post.ask("it", "POST", path, **sent).status_code in {400, 422}
    folder = json.dumps({"folder": ["\ud800"]})
    sent = {"content": folder, "headers": {"Content-Type": "application/json"}}
    assert post.ask("it", "PATCH", "/sources/crm", **sent).status_code == 422


def test_secret_that_holds_something_else_is_not_told(post: Office) -> None:
    secret = '{"open-sesame":1}'
    refused = add(post, "crm", 400, webhook={"vendor": "generic"}, secret=secret)
    assert "sesame" not in str(refused)


def test_way_that_lies_on_the_host_is_walked_there(post: Office, tmp_path: Path) -> None:
    place = watched(tmp_path, 0.0, keeps=False)
    new = NewAccount("drop", FOLDER, place.identity, written_folder(place))
    add_account(post.services.store, new, b"")
    assert "on the host" in post.post("it", "/sources/drop/test", 400)["detail"]
    assert list(tmp_path.iterdir()) == []


def test_source_runs_when_it_is_asked_to_unless_it_rests(post: Office) -> None:
    add(post, is_paused=True)
    assert "paused" in post.post("it", "/sources/mail/sync", 409)["detail"]
    post.post("it", "/sources/mail/resume")
    assert post.post("it", "/sources/mail/sync", 202)["next_at"] is None


def test_removed_source_has_no_secret_any_more(post: Office) -> None:
    add(post)
    store = post.services.store
    number = find_account(store, "mail").source_id
    assert post.ask("it", "DELETE", "/sources/mail").status_code == 204
    assert post.ask("it", "DELETE", "/sources/mail").status_code == 404
    with pytest.raises(NotFound, match="no secret"):
        open_secret(store, number)


def test_way_to_a_source_is_walked_and_shows_no_mail(post: Office) -> None:
    with scripted(Script({1: letter(1, subject="very private")})) as script:
        account = plain_account(script.port)
        new = NewAccount("mail", KIND, account.identity, written(account))
        add_account(post.services.store, new, SECRET.encode())
        found = post.post("it", "/sources/mail/test")
    assert found["is_ok"], found
    steps = {one["step"]: one["found"] for one in found["steps"]}
    assert "INBOX" in steps["folders"]
    assert steps["samples"] == ""
    assert "private" not in str(found)


def test_f64_server_in_the_own_network_is_not_reached(post: Office) -> None:
    with scripted(Script({1: letter(1)})) as script:
        add(post, mailbox={"host": "127.0.0.1", "port": script.port, "user": "ann"})
        found = post.post("it", "/sources/mail/test")
        chinese = post.post("it", "/sources/mail/test", headers={"Accept-Language": "zh"})
        assert script.asked == []
    assert chinese["steps"][0]["cause"] == "该名称无法解析，或位于主机的内部网络中。"
    assert (found["is_ok"], len(found["steps"])) == (False, 1)
    assert found["steps"][0]["step"] == "address"
    assert "127.0.0.1" not in str(found)  # nor what other names of the host's network mean


def test_sources_are_for_who_looks_after_them(post: Office) -> None:
    add(post)
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/sync"), ("POST", "/test"),
        ("POST", "/dry-run"),
    ):  # fmt: skip
        body: dict[str, Any] = {"json": {}} if method == "PATCH" or path == "/dry-run" else {}
        assert post.ask("legal", method, f"/sources/mail{path}", **body).status_code == 403
        assert post.ask("it", method, f"/sources/none{path}", **body).status_code == 404
    refused = {"name": "x", "secret": "x", "mailbox": MAILBOX}
    assert post.ask("legal", "POST", "/sources", json=refused).status_code == 403


@pytest.mark.parametrize("vendor", ["slack", "feishu", "dingtalk", "wecom", "teams"])
def test_vendor_without_a_map_says_so(vendor: str) -> None:
    with pytest.raises(Refused, match="have no map"):
        map_to_try(vendor, "")
