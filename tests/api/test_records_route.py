"""Single records over HTTP: whole for who may see them, not there for others."""

from __future__ import annotations

import hashlib

import pytest

from api_kit import Office
from cli_archive import letter


@pytest.fixture
def offer(house: Office) -> str:
    return house.found("legal", "8.5 折")[0]


def test_record_has_people_text_and_origin(house: Office, offer: str) -> None:
    record = house.get("legal", f"/records/{offer}")
    assert record["text"].startswith("价格可以按")
    assert record["captures"][0]["custodian"] == "Li Qiang"
    assert [one["role"] for one in record["participants"]] == ["from", "to"]
    assert house.entries("read")[0]["subject"] == offer


def test_original_is_byte_identical_and_names_its_digest(house: Office, offer: str) -> None:
    answer = house.ask("legal", "GET", f"/records/{offer}/original")
    assert answer.content == letter(0)
    digest = hashlib.sha256(letter(0)).hexdigest()
    assert answer.headers["etag"] == f'"{digest}"'
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.headers["content-disposition"] == f'attachment; filename="{offer}.eml"'
    assert "immutable" in answer.headers["cache-control"]


def test_original_of_another_name_is_not_there(house: Office, offer: str) -> None:
    house.get("legal", f"/records/{offer}/original?sha256={'0' * 64}", 404)


def test_headers_are_whole(house: Office, offer: str) -> None:
    names = [one["name"] for one in house.get("legal", f"/records/{offer}/headers")]
    assert names[:3] == ["Message-ID", "From", "To"]


def test_record_outside_the_scope_is_as_absent_as_one_that_never_was(
    house: Office, offer: str
) -> None:
    for path in ("", "/headers"):
        hidden = house.get("boss", f"/records/{offer}{path}", 404)
        absent = house.get("boss", f"/records/msg_0000000000000{path}", 404)
        for one in (hidden, absent):
            one.pop("request_id")
        assert hidden["title"] == absent["title"]
        assert hidden["detail"].replace(offer, "X") == absent["detail"].replace(
            "msg_0000000000000", "X"
        )


@pytest.mark.parametrize("name", ["msg_", "x", "con_0000000000000", "msg_%00", "msg_zzzzzzzzzzzzz"])
def test_names_that_are_none_are_not_found(house: Office, name: str) -> None:
    house.get("legal", f"/records/{name}", 404)


def test_member_may_not_take_originals(house: Office, offer: str) -> None:
    assert house.get("li", f"/records/{offer}")["id"] == offer
    assert house.get("li", f"/records/{offer}/original", 403)["action"] == "original"


def test_thread_shows_what_is_in_the_scope(house: Office, offer: str) -> None:
    thread = house.get("legal", f"/records/{offer}")["thread_id"]
    assert house.get("legal", f"/threads/{thread}")["total"] == 2
    assert house.get("boss", f"/threads/{thread}")["total"] == 1
    house.get("boss", "/threads/thr_0000000000000", 404)


def test_every_answer_carries_an_id_and_is_not_kept_by_caches(house: Office) -> None:
    answer = house.ask("legal", "GET", "/records/msg_0000000000000", headers={"X-Request-ID": "r1"})
    assert answer.headers["x-request-id"] == "r1" == answer.json()["request_id"]
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_body_beyond_the_bound_is_refused_unread(house: Office) -> None:
    answer = house.ask("legal", "POST", "/search", content=b"x" * (2 * 1024 * 1024))
    assert answer.status_code == 413
    pieces = (b"x" * 65536 for _ in range(40))
    assert house.ask("legal", "POST", "/search", content=pieces).status_code == 413
