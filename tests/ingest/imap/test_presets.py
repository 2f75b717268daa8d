"""What is known of services: where they are, what they bear, and what to bring."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from holdfast.cli.commands.sources import AddOptions
from holdfast.core.errors import Refused
from holdfast.ingest.imap.account import PRESETS, preset
from holdfast.ingest.imap.plan import plan_for
from holdfast.ingest.source_adding import Mailbox, account_for

DOCS = Path(__file__).resolve().parents[3] / "docs"
HOSTS = {
    "gmail": "imap.gmail.com",
    "outlook": "outlook.office365.com",
    "exchange": "",
    "qq": "imap.qq.com",
    "exmail.qq": "imap.exmail.qq.com",
    "163": "imap.163.com",
    "126": "imap.126.com",
    "aliyun": "imap.qiye.aliyun.com",
    "generic": "",
}


def test_every_service_has_its_host() -> None:
    assert {name: one.host for name, one in PRESETS.items()} == HOSTS


@pytest.mark.parametrize("name", HOSTS)
def test_account_is_made_of_what_is_known_and_what_is_said(name: str) -> None:
    account = account_for(Mailbox("" if HOSTS[name] else "mail.x.example", "ann", preset=name))
    assert account.host == (HOSTS[name] or "mail.x.example")
    assert (account.port, account.tls) == (993, "implicit")
    assert account.has_exact_sizes is (name not in {"outlook", "exchange"})
    assert account.folders == (("\\All", "\\Junk", "\\Trash") if name == "gmail" else ())
    own = account_for(Mailbox("own.x.example", "ann", preset=name, folders=("INBOX",)))
    assert (own.host, own.folders) == ("own.x.example", ("INBOX",))


@pytest.mark.parametrize("name", sorted(set(HOSTS) - {"generic", "exchange"}))
def test_large_services_are_looked_at_rarely(name: str) -> None:
    assert plan_for(name).every_s >= 600 > plan_for("generic").every_s
    assert plan_for(name).watches <= 2


@pytest.mark.parametrize("name", HOSTS)
def test_every_preset_stands_where_people_look(name: str) -> None:
    words = [(DOCS / page).read_text("utf-8") for page in ("cli.md", "connectors/imap.md")]
    assert f"`{name}`" in words[0]
    assert name == "generic" or all(f"`{name}`" in one for one in words)
    told = AddOptions.__annotations__["preset"]
    assert re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.]\w)", str(told))


def test_other_service_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(Refused, match="no preset"):
        preset("hotmail")
