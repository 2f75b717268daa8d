"""Whoever makes keys for others is not two persons by it: acts of two are for people themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from api_kit import Office, letters_office, office
from archive_kit import findings, settings_in
from holdfast.storage.catalogue.engine import writing
from holdfast.storage.catalogue.rights_tables import api_keys, users
from holdfast.wiring.founding import create_archive


@pytest.fixture(scope="module")
def court(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """Two of each who decide, with keys of their own and others that an administrator made."""
    with letters_office(tmp_path_factory.mktemp("eyes"), custodian="Li Qiang") as opened:
        opened.hire("chief", "admin")
        for role in ("legal", "compliance"):
            for number in (1, 2):
                login = f"{role}{number}"
                opened.hire(login, role)
                order = {"login": login, "name": "convenient"}
                opened.keys[f"forged {login}"] = opened.post("chief", "/keys", 201, json=order)[
                    "key"
                ]
        yield opened


def refused(court: Office, who: str, path: str, **more: Any) -> None:
    """Send as somebody whom an administrator pretends to be."""
    answer = court.post(who, path, 403, **more)
    assert (answer["code"], answer["hindrance"]) == ("not_in_person", "key")
    assert "Account" in answer["detail"]
    said = court.entries("refused")[0]
    assert (said["hindrance"], said["actor"]) == ("key", who.removeprefix("forged "))


def placed(court: Office, name: str) -> str:
    matter = court.post("legal1", "/matters", 201, json={"name": name})["id"]
    order = {"name": "all", "reason": "dispute", "query": "harbour"}
    hold = court.post("legal1", f"/matters/{matter}/holds", 201, json=order)["hold"]
    return f"/holds/{hold['id']}/release"


def test_release_is_neither_asked_for_nor_approved_by_a_key_of_others(court: Office) -> None:
    path = placed(court, "K1")
    refused(court, "forged legal1", path, json={"reason": "settled"})
    court.post("legal1", path, json={"reason": "settled"})
    refused(court, "forged legal2", f"{path}/approve")
    refused(court, "forged compliance1", f"{path}/approve")
    assert court.post("legal2", f"{path}/approve")["release"]["needs"] == "delay"
    taken_back = court.post("forged legal1", f"{path}/withdraw")
    assert taken_back["release"]["needs"] == "request", "what only keeps takes nobody"


def test_key_that_such_a_key_made_counts_no_more_than_it(court: Office) -> None:
    path = placed(court, "K2")
    court.post("legal1", path, json={"reason": "settled"})
    order = {"login": "legal2", "name": "washed"}
    made = court.post("forged legal2", "/keys", 201, json=order)
    assert made["is_own"] is False
    court.keys["forged legal2 again"] = made["key"]
    assert court.post("forged legal2 again", f"{path}/approve", 403)["code"] == "not_in_person"
    own = court.post("legal2", "/keys", 201, json=order)
    assert own["is_own"] is True
    court.post(own["key"], f"{path}/approve")
    for who, login in (("chief", "legal2"), ("chief", "chief")):
        other = court.post(who, "/keys", 201, json={"login": login, "name": "x"})
        assert other["is_own"] is (who == login)


def test_policy_that_shortens_is_neither_proposed_nor_approved_by_a_key_of_others(
    court: Office,
) -> None:
    short = {"name": "soon", "kind": "ceiling", "days": 1}
    digest = court.post("forged compliance1", "/policies/simulate", json=short)["digest"]
    refused(court, "forged compliance1", "/policies", json={**short, "simulation": digest})
    court.get("compliance1", "/policies/soon", 404)
    court.propose("compliance1", short)
    refused(court, "forged compliance2", "/policies/soon/approve")
    assert court.post("compliance2", "/policies/soon/approve")["in_force_at"] is not None
    court.post("forged compliance2", "/policies/soon/withdraw")
    floor = {"name": "long", "kind": "floor", "days": 10, "query": "harbour"}
    kept = court.post("forged compliance1", "/policies", 201, json=floor)
    assert kept["in_force_at"] is not None, "what only lengthens takes nobody"
    refused(court, "forged compliance1", "/policies/long/retire")


def test_disposal_is_neither_planned_reviewed_nor_approved_by_a_key_of_others(
    court: Office,
) -> None:
    refused(court, "forged compliance1", "/disposals", json={})
    path = "/disposals/dsp_0000000000000"
    refused(court, "forged compliance1", f"{path}/review", json={})
    refused(court, "forged compliance2", f"{path}/approve", json={"manifest": "0" * 64})
    court.post("compliance2", f"{path}/approve", 404, json={"manifest": "0" * 64})
    checked = {"is_clock_checked": True}
    refused(court, "forged compliance1", f"{path}/execute", json=checked)
    court.post("forged compliance1", f"{path}/execute", 404, json={})


def test_users_and_keys_say_whose_doing_they_are(court: Office) -> None:
    order = {"login": "legal1-too", "role": "legal", "person": "legal1"}
    made = court.post("chief", "/users", 201, json=order)
    assert (made["is_unclaimed"], made["is_password_own"], made["handled_at"]) == (
        True, False, None,
    )  # fmt: skip
    mine = {one["name"]: one["is_own"] for one in court.get("legal1", "/keys")}
    assert (mine["test"], mine["convenient"]) == (True, False)


def test_key_or_password_that_the_database_calls_ones_own_is_named(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    create_archive(settings)
    with office(settings) as opened:
        opened.hire("legal", "legal")
        opened.hire("other", "legal", person="legal")
        opened.services.desk.sequencer.run()
        assert findings(settings) == []
        for values, table in (
            ({"is_own": False}, api_keys), ({"is_password_own": True}, users),
            ({"handled_ms": 1}, users), ({"is_unclaimed": False}, users),
        ):  # fmt: skip
            row = table.c.id == max(_ids(opened, table))
            with writing(opened.services.store.engine) as connection:
                before = connection.execute(table.select().where(row)).one()._asdict()
                connection.execute(update(table).where(row).values(**values))
            named = {api_keys: "key", users: "user"}[table]
            assert [one.part for one in findings(settings)] == [named], values
            with writing(opened.services.store.engine) as connection:
                connection.execute(update(table).where(row).values(**before))


def _ids(opened: Office, table: Any) -> list[int]:
    with writing(opened.services.store.engine) as connection:
        return [row.id for row in connection.execute(table.select())]
