"""Files taken out of messages over HTTP: the very bytes, under a name that harms nobody."""

from __future__ import annotations

import hashlib

import pytest

from api_kit import Office
from holdfast.api import originals
from holdfast.api.originals import disposition
from holdfast.ingest.viewing import NotShown


@pytest.fixture
def plan(house: Office) -> str:
    """The path of the attachment's route."""
    record = house.found("legal", "lighthouse")[0]
    (part,) = house.get("legal", f"/records/{record}")["attachment_parts"]
    assert part["sha256"] == hashlib.sha256(b"lighthouse renovation").hexdigest()
    return f"/records/{record}/attachments/{part['path']}"


def test_attachment_is_decoded_and_its_taking_is_noted(house: Office, plan: str) -> None:
    answer = house.ask("legal", "GET", plan)
    assert answer.content == b"lighthouse renovation"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert house.entries("read")[0]["how"] == "attachment"
    house.get("li", plan, 403)
    house.get("boss", plan, 403)
    house.get("legal", f"{plan}.1", 404)


def test_attachment_that_is_not_the_one_filed_is_damage(
    house: Office, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(originals, "_opened", lambda *_: b"another file")
    answer = house.get("legal", plan, 500)
    assert answer["code"] == "corrupt"
    assert "another file" not in str(answer)


def test_message_that_is_too_dear_to_open_is_refused_with_the_way_out(
    house: Office, plan: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr(originals, "MAX_OPENED_BYTES", 10)
        assert "Take the original" in house.get("legal", plan, 400)["detail"]
    viewer = house.client.app.state.served.viewer  # type: ignore[attr-defined]
    monkeypatch.setattr(viewer, "file", lambda *_: NotShown("cpu"))
    assert "Take the original" in house.get("legal", plan, 400)["detail"]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("plan.txt", "filename=\"plan.txt\"; filename*=UTF-8''plan.txt"),
        ("../../etc/passwd", "filename=\"etcpasswd\"; filename*=UTF-8''etcpasswd"),
        (
            'a"; x=y\r\nSet-Cookie: b',
            "filename=\"a_ x=ySet-Cookie b\"; filename*=UTF-8''a%3B%20x%3DySet-Cookie%20b",
        ),
        ("\u202egpj.exe", "filename=\"gpj.exe\"; filename*=UTF-8''gpj.exe"),
        ("报价.pdf", "filename=\"__.pdf\"; filename*=UTF-8''%E6%8A%A5%E4%BB%B7.pdf"),
        (" .. ", "filename=\"attachment\"; filename*=UTF-8''attachment"),
        ("x" * 400, f"filename=\"{'x' * 150}\"; filename*=UTF-8''{'x' * 150}"),
    ],
)
def test_names_of_senders_are_made_harmless(name: str, field: str) -> None:
    assert disposition(name) == f"attachment; {field}"
