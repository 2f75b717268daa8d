"""An instant that UTC cannot write is refused where it is given, and none makes an answer fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_kit import Office, letters_office

NEVER = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
LAST = "9999-12-31T23:59:59Z"


@pytest.fixture
def letters(tmp_path: Path) -> Iterator[Office]:
    """The five letters, a lawyer, and somebody who governs."""
    with letters_office(tmp_path) as opened:
        opened.hire("legal", "legal")
        opened.hire("ann", "compliance")
        yield opened


@pytest.mark.parametrize("at", NEVER)
def test_instant_outside_the_calendar_is_refused_and_nothing_is_kept(
    letters: Office, at: str
) -> None:
    record = letters.found("legal", "harbour")[0]
    draft = {"name": "soon", "kind": "ceiling", "days": 1, "at": at}
    letters.post("ann", "/policies/simulate", 422, json=draft)
    for path in ("/retention/simulation", f"/records/{record}/retention"):
        refused = letters.get("ann", path, 422, params={"at": at})
        assert "should be" in refused["detail"]
    path = f"/records/{record}/metadata"
    tag = letters.ask("legal", "GET", path).headers["etag"]
    sent = letters.ask("legal", "PATCH", path, json={"retain_from": at}, headers={"If-Match": tag})
    assert sent.status_code == 422
    assert letters.get("legal", path)["retain_from"] is None
    matter = letters.post("legal", "/matters", 201, json={"name": "K1"})["id"]
    hold = {"name": "all", "reason": "dispute", "query": "", "from_at": at}
    letters.post("legal", f"/matters/{matter}/holds", 422, json=hold)
    assert letters.get("legal", "/holds") == []


def test_days_that_end_past_the_calendar_are_shown_as_its_end(letters: Office) -> None:
    record = letters.found("legal", "harbour")[0]
    floor = {"name": "long", "kind": "floor", "days": 36_500}
    letters.post("ann", "/policies", 201, json=floor)
    path = f"/records/{record}/metadata"
    tag = letters.ask("legal", "GET", path).headers["etag"]
    order = {"json": {"retain_from": LAST}, "headers": {"If-Match": tag}}
    assert letters.ask("legal", "PATCH", path, **order).json()["retain_from"].startswith("9999")
    kept = letters.get("ann", f"/records/{record}/retention")
    assert kept["retain_until"].startswith("9999-12-31")
