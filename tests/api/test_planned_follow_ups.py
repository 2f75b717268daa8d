"""What tables planned, as the API, the page, the command line and webhooks tell of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from cli_archive import Desk
from holdfast.core.rights import Role
from holdfast.settings import Settings
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.webhook_tables import webhook_events
from holdfast.storage.webhooks.reminders import remind
from holdfast.wiring.founding import create_archive
from pages_kit import flat, house

NOW = datetime.now(UTC)


def visits(folder: Path, *rows: tuple[int, str, int | None]) -> Path:
    """Write visits: so many days ago, what was said, in so many days from now the next."""
    lines = ["拜访时间,类型,电话,联系人,纪要,下次跟进,负责人"]
    for ago, text, ahead in rows:
        at = f"{NOW - timedelta(days=ago):%Y-%m-%d %H:%M}"
        due = "" if ahead is None else f"{NOW + timedelta(days=ahead):%Y-%m-%d}"
        lines.append(f"{at},拜访,13800138000,王敏,{text},{due},li")
    path = folder / f"visits{len(rows)}.csv"
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.fixture
def planned(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, visits(tmp_path, (20, "bring samples", -2)))
    return settings


@pytest.fixture
def firm(planned: Settings) -> Iterator[Office]:
    with office(planned) as opened:
        opened.hire("legal", "legal")
        opened.hire("eve", "member", addresses=("eve@x.org",))
        yield opened


def test_plan_that_is_due_is_listed_until_somebody_was_in_touch(
    planned: Settings, firm: Office, tmp_path: Path
) -> None:
    found = firm.get("legal", "/contacts/follow-ups")
    (one,) = found["planned"]
    assert (found["planned_total"], found["total"]) == (1, 0)
    assert one["contact_ids"] == [firm.contact("+8613800138000")]
    assert one["due_at"] == f"{NOW - timedelta(days=2):%Y-%m-%d}T00:00:00.000Z"
    assert 2 * 86_400 <= one["overdue_seconds"] < 4 * 86_400
    assert one["entry"]["kind"] == "visit"
    assert "bring samples" in firm.get("legal", f"/records/{one['entry']['id']}")["text"]
    assert firm.get("eve", "/contacts/follow-ups")["planned_total"] == 0
    other = tmp_path / "other.csv"
    other.write_text("拜访时间,类型,电话,纪要,下次跟进\n2024-03-05,拜访,13900139000,x,2024-03-12\n")
    bring_in(planned, other)
    found = firm.get("legal", "/contacts/follow-ups?limit=1")
    assert (len(found["planned"]), found["planned_total"]) == (1, 2)
    assert found["planned"][0]["due_at"] == "2024-03-12T00:00:00.000Z"
    bring_in(planned, visits(tmp_path, (1, "brought", None), (20, "bring samples", -2)))
    assert firm.get("legal", "/contacts/follow-ups")["planned_total"] == 1


def test_plan_is_told_of_once(firm: Office) -> None:
    hook = {"url": "https://crm.example/in", "owner": "legal", "events": ["follow_up.due"]}
    firm.hire("admin", "admin")
    firm.post("admin", "/webhooks", 201, json=hook)
    store = firm.services.store
    assert (remind(store), remind(store)) == (1, 0)
    with reading(store.engine) as connection:
        (event,) = connection.execute(select(webhook_events)).all()
    detail = json.loads(event.detail)
    assert (event.kind, detail["reason"]) == ("follow_up.due", "planned")
    assert detail["due_at"] == f"{NOW - timedelta(days=2):%Y-%m-%d}T00:00:00Z"
    assert detail["contact"] == firm.contact("+8613800138000")


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Follow-ups due", "1 contact", "due")), ("zh", ("待跟进", "1 位联系人", "到期："))],
)
def test_page_lists_what_is_due(planned: Settings, language: str, words: tuple[str, ...]) -> None:
    with house(planned) as opened:
        opened.hire("legal", Role.LEGAL)
        page = opened.browser(language).sign_in("legal").get("/contacts/follow-ups").text
    assert all(one in flat(page) for one in (*words, "王敏", "bring samples"))


def test_command_line_lists_what_is_due_and_what_waits(tmp_path: Path) -> None:
    own = Desk(tmp_path / "data")
    own.run("init")
    own.run("import", visits(tmp_path, (20, "bring samples", -2)))
    asked = tmp_path / "asked.eml"
    at = f"{NOW - timedelta(days=5):%a, %d %b %Y %H:%M:%S} +0000"
    asked.write_text(
        "From: Ann <ann@far.example>\nTo: li@our.example\nMessage-ID: <a@far.example>\n"
        f"Date: {at}\nSubject: Price?\n\nHow much?\n"
    )
    own.run("--set", "archive.internal_domains=our.example", "import", asked)
    found = own.run("contact", "follow-ups", "--json").json["follow_ups"]
    assert [one["reason"] for one in found] == ["unanswered", "planned"]
    assert "due_at" in found[1]
    assert "written_at" in found[0]
    assert all(len(one["contact_ids"]) == 1 for one in found)
    shown = own.run("contact", "follow-ups").out
    assert found[1]["record_id"] in shown
    assert "Price?" in shown
    assert "Price?" not in own.run("contact", "follow-ups", "--days", "30").out
