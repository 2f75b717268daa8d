"""A11: numbers are hidden from who may not see them, and no search tells them."""

from __future__ import annotations

import json

from api_kit import Office
from story_kit import CARD, PHONE


def test_a11_member_sees_masked_numbers_everywhere(home: Office) -> None:
    one = home.found("sales2", "发票")[0]
    shown = [home.get("sales2", f"/records/{one}"), home.search("sales2", "发票")]
    shown.append(home.get("sales2", f"/records/{one}/headers"))
    text = json.dumps(shown, ensure_ascii=False)
    assert PHONE not in text
    assert CARD not in text
    assert "138****8000" in text


def test_a11_f62_search_for_the_number_confirms_nothing_to_a_member(home: Office) -> None:
    for number in (PHONE, CARD, "138-0013-8000", "13800138001", PHONE[:7] + "*"):
        answer = home.search("sales2", number)
        assert (answer["total"], answer["guarded"] != []) == (0, True)
        assert home.search("sales2", f"NOT {number}")["total"] == home.search("sales2", "")["total"]


def test_a11_lawyer_finds_the_number_and_unmasks_it_with_a_reason(home: Office) -> None:
    one = home.found("legal1", PHONE)[0]
    assert PHONE not in home.get("legal1", f"/records/{one}")["text"]
    reason = "claim 7 asks for it"
    record = home.get("legal1", f"/records/{one}?unmask_reason={reason}")
    assert PHONE in record["text"]
    assert record["is_masked"] is False
    assert home.entries("read")[0]["unmask_reason"] == reason


def test_a11_reason_does_not_help_whoever_may_not_unmask(home: Office) -> None:
    one = home.found("sales2", "发票")[0]
    refused = home.get("sales2", f"/records/{one}?unmask_reason=please", 403)
    assert refused["action"] == "unmask"
