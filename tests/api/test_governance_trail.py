"""Who reads what is held and what goes is in the audit log, as who reads records."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_kit import Office, letters_office


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The five letters, and a lawyer."""
    with letters_office(tmp_path_factory.mktemp("trail")) as opened:
        opened.hire("legal", "legal")
        opened.hire("ann", "compliance")
        yield opened


def test_each_reading_of_what_governs_is_in_the_audit_log(court: Office) -> None:
    matter = court.post("legal", "/matters", 201, json={"name": "K1"})["id"]
    order = {"name": "all", "reason": "dispute", "query": "harbour"}
    hold = court.post("legal", f"/matters/{matter}/holds", 201, json=order)["hold"]["id"]
    floor = {"name": "years", "kind": "floor", "days": 10}
    court.post("ann", "/policies", 201, json=floor)
    for path, what, subject in (
        ("/matters", "matters", ""), (f"/matters/{matter}", "matter", matter),
        (f"/matters/{matter}/holds", "holds", matter), ("/holds", "holds", ""),
        (f"/holds/{hold}", "hold", hold), (f"/holds/{hold}/notices", "notices", hold),
        ("/notices", "notices", ""), ("/policies", "policies", ""), ("/disposals", "disposals", ""),
        ("/policies/years", "policy", ""), ("/retention/conflicts", "conflicts", ""),
    ):  # fmt: skip
        before = len(court.entries("govern_read"))
        court.get("legal", path)
        newest, *older = court.entries("govern_read")
        assert len(older) == before, path
        assert (newest["what"], newest["actor"]) == (what, "legal")
        assert newest["subject"] == subject, path
