"""Directories over HTTP: who may send one, what it answers, and taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from directory_kit import vcard
from holdfast.core.rights import Reach
from holdfast.storage.rights.grants import NewGrant, add_grant
from holdfast.wiring.founding import create_archive

WANG = "wang.min@jia.example"
CARD = vcard("FN:王敏", f"EMAIL:{WANG}", "X-WECHAT:wx_min", "TEL:none")


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Office]:
    made = settings_in(tmp_path, service={"requests_per_minute": 0})
    create_archive(made)
    bring_in(made, write_mbox(tmp_path / "letters.mbox"))
    with office(made) as opened:
        opened.hire("legal", "legal")
        opened.hire("li", "member", addresses=("li@our.example",))
        opened.hire("chief", "manager", addresses=("boss@our.example",))
        add_grant(opened.services.store, NewGrant("chief", Reach.OWN))
        yield opened


def send(firm: Office, who: str, query: str, status: int = 200) -> Any:
    answer = firm.ask(who, "POST", f"/contacts/import?{query}", content=CARD.encode())
    assert answer.status_code == status, answer.text
    return answer.json()


def test_directory_is_tried_sent_repeated_and_taken_back(firm: Office) -> None:
    tried = send(firm, "legal", "name=a.vcf&dry_run=true")
    assert (tried["changed"], tried["batch"]) == (1, "")
    done = send(firm, "legal", "name=a.vcf")
    assert (done["changed"], done["remarks"], done["problems"][0]["place"]) == (1, 1, "card 1")
    found = firm.get("legal", "/contacts?address=wechat:wx_min")["contacts"]
    assert [one["name"] for one in found] == ["王敏"]
    assert send(firm, "legal", "name=a.vcf")["unchanged"] == 1
    undone = firm.post("legal", f"/contacts/import/{done['batch']}/undo")
    assert (undone["links"], undone["contacts"]) == (1, 1)
    assert firm.get("legal", "/contacts?address=wechat:wx_min")["contacts"] == []


def test_who_may_not_or_sees_a_part_is_refused(firm: Office) -> None:
    send(firm, "li", "name=a.vcf", 403)
    send(firm, "chief", "name=a.vcf", 403)
    firm.post("chief", "/contacts/import/bat_0000000000000/undo", 403)


def test_request_that_names_no_file_is_refused(firm: Office) -> None:
    send(firm, "legal", "country=86", 422)
    send(firm, "legal", "name=..", 400)
    send(firm, "legal", "name=a.vcf&country=x", 400)
    send(firm, "legal", "name=a.vcf&system=Not%20one", 422)
