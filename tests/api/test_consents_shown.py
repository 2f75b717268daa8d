"""What WeCom's people agreed to, as the API, the page and the command line show it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from cli_archive import Desk
from holdfast.core.identity import public_id
from holdfast.core.rights import Role
from holdfast.settings import Settings
from holdfast.storage.catalogue.contact_fields import change_fields
from holdfast.storage.catalogue.contacts import find
from holdfast.wiring.founding import create_archive
from pages_kit import flat, house

LATER = 4_000_000_000_000
"""After whatever a person sets today."""


def words(folder: Path, what: str, at_ms: int) -> Path:
    message = {
        "msgid": f"m{at_ms}", "action": "send", "from": "wm1", "tolist": ["zhang"],
        "msgtype": what, "msgtime": at_ms, what: {"userid": "wm1", f"{what}_time": at_ms},
    }  # fmt: skip
    path = folder / f"{what}.jsonl"
    path.write_text(json.dumps(message), "utf-8")
    return path


@pytest.fixture
def told(tmp_path: Path) -> Settings:
    settings = settings_in(tmp_path, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, words(tmp_path, "agree", 1_700_000_000_000))
    return settings


@pytest.fixture
def firm(told: Settings) -> Iterator[Office]:
    with office(told) as opened:
        opened.hire("legal", "legal")
        yield opened


def test_api_shows_what_holds_beside_what_people_set(
    told: Settings, firm: Office, tmp_path: Path
) -> None:
    path = f"/contacts/{firm.contact('wecom:wm1')}"
    fields = firm.get("legal", f"{path}/fields")
    (state,) = fields["consent_states"]
    assert fields["consents"] == {}
    assert (state["channel"], state["state"], state["actor"]) == ("wecom", "agreed", "")
    assert state["at"] == "2023-11-14T22:13:20.000Z"
    assert firm.get("legal", f"/records/{state['record_id']}")["kind"] == "consent"
    changed = firm.ask("legal", "PATCH", path, json={"consents": {"wecom": "withdrawn"}}).json()
    (state,) = changed["consent_states"]
    assert (state["state"], state["record_id"], state["overrules"]) == ("withdrawn", None, "")
    assert state["actor"]
    bring_in(told, words(tmp_path, "disagree", LATER))
    fields = firm.get("legal", f"{path}/fields")
    (state,) = fields["consent_states"]
    assert (state["state"], state["overrules"]) == ("refused", "withdrawn")
    assert fields["consents"] == {"wecom": "withdrawn"}


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", ("Consent to archiving", "refused", "told by the system", "withdrawn")),
        ("zh", ("存档授权", "不同意", "由系统通知", "已撤回同意")),
    ],
)
def test_contact_page_shows_what_holds(
    told: Settings, tmp_path: Path, language: str, shown: tuple[str, ...]
) -> None:
    with house(told) as opened:
        opened.hire("legal", Role.LEGAL)
        legal = opened.browser(language).sign_in("legal")
        store = opened.services.store
        contact = find(store, "wecom:wm1", 1)[0].id
        change_fields(store, contact, {"consents": (("wecom", "withdrawn"),)})
        bring_in(told, words(tmp_path, "disagree", LATER))
        page = flat(legal.get(f"/contacts/{public_id('con', contact)}").text)
    assert all(one in page for one in shown)


def test_command_line_shows_what_holds(tmp_path: Path) -> None:
    own = Desk(tmp_path / "data")
    own.run("init")
    own.run("import", words(own.data.parent, "disagree", 1_700_000_000_000))
    assert "wecom: refused 2023-11-1" in own.run("contact", "show", "wecom:wm1").out
    own.run("contact", "set", "wecom:wm1", "--consent", "wecom=agreed")
    own.run("import", words(own.data.parent, "agree", LATER))
    own.run("import", words(own.data.parent, "disagree", LATER + 1))
    assert " < agreed " in own.run("contact", "show", "wecom:wm1").out
    fields = own.run("contact", "show", "wecom:wm1", "--json").json["fields"]
    assert fields["consents"] == {"wecom": "agreed"}
    (state,) = fields["consent_states"]
    assert (state["state"], state["overrules"]) == ("refused", "agreed")
