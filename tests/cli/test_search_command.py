"""`search` finds, counts, explains itself, and never lets mail act on the terminal."""

from __future__ import annotations

import json

import pytest

from cli_archive import Desk

ACTIVE = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x0A}


def test_words_people_and_dates_are_found_together(archive: Desk) -> None:
    ran = archive.run("search", "discount", "from:anna", "after:2024-03-16", "has:attachment")
    assert "Budget for the harbour" in ran.out
    assert "some discount" in ran.out
    assert "1 message, 1 shown. Dates are in Asia/Shanghai." in ran.err


@pytest.mark.parametrize("query", ["8.5 折", "发件人:王敏", "from:wangmin 合同", "主题:报价單"])
def test_chinese_is_found_by_any_part_of_it(archive: Desk, query: str) -> None:
    ran = archive.run("search", query, "--format", "json")
    assert "报价单确认" in [hit["subject"] for hit in ran.json["hits"]]


def test_result_names_the_attachment_that_matched(archive: Desk) -> None:
    assert "[plan.txt] lighthouse renovation" in archive.run("search", "lighthouse").out


def test_count_is_a_bare_number(archive: Desk) -> None:
    assert archive.run("search", "discount", "--count").out == "2\n"
    shown = archive.run("search", "discount", "--count", "--format", "json").json
    assert shown == {"schema": "holdfast.count/1", "total": 2}


def test_ids_lead_to_the_messages(archive: Desk) -> None:
    ids = archive.run("search", "discount", "--format", "ids").out.split()
    assert len(ids) == 2
    for one in ids:
        assert "discount" in archive.run("show", one).out


def test_json_states_its_schema_the_query_and_where_it_matched(archive: Desk) -> None:
    shown = archive.run("search", "harbour", "--format", "json").json
    assert shown["schema"] == "holdfast.search/1"
    assert shown["total"] == 1
    assert shown["zone"] == "Asia/Shanghai"
    (snippet,) = shown["hits"][0]["snippets"]
    start, end = snippet["marks"][0]
    assert snippet["text"][start:end] == "harbour"


def test_json_lines_give_one_hit_each(archive: Desk) -> None:
    hits = archive.run("search", "discount", "--format", "jsonl").lines
    assert [hit["schema"] for hit in hits] == ["holdfast.hit/1"] * 2


def test_pages_follow_each_other_by_cursor(archive: Desk) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        page = archive.run(
            "search", "*", "--limit", 2, "--sort", "oldest", "--cursor", cursor, "--format", "json"
        ).json
        seen += [hit["message_id"] for hit in page["hits"]]
        cursor = page["cursor"]
        if not cursor:
            break
    assert seen == [
        "offer@jia.example",
        "answer@our.example",
        "budget@our.example",
        "hostile@evil.example",
        "wang2@mail.example",
    ]


def test_facets_count_what_was_found(archive: Desk) -> None:
    facets = archive.run("search", "*", "--facets", "custodian,month", "--format", "json").json
    assert facets["facets"]["custodian"] == [{"value": "Li Qiang", "count": 5}]
    assert facets["facets"]["month"] == [{"value": "2024-03", "count": 5}]
    assert "2024-03" in archive.run("search", "*", "--facets", "month").out


def test_collapse_shows_one_message_of_a_thread(archive: Desk) -> None:
    ran = archive.run("search", "报价单", "--collapse", "thread")
    assert ran.out.count("msg_") == 1
    assert "and 1 more of it" in ran.out
    assert "2 messages in one group, 1 shown" in ran.err


def test_explain_prints_the_tree_and_opens_no_archive(own: Desk) -> None:
    ran = own.run("search", "--explain", "from:wang 报价 NOT draft")
    assert ran.out.splitlines()[0] == "all of"
    assert '"wang" in the sender' in ran.out
    assert "In full:" in ran.err
    shown = own.run("search", "--explain", "a or b", "--format", "json").json
    assert shown["schema"] == "holdfast.query/1"
    assert len(shown["warnings"]) == 1


def test_query_that_is_not_understood_is_refused_with_a_caret(archive: Desk) -> None:
    ran = archive.run("search", "(budget OR", status=2)
    assert ran.out == ""
    assert "Error:" in ran.err
    assert "\n(budget OR\n" in ran.err
    assert "^" in ran.err


def test_misspelt_operator_is_refused_not_searched(archive: Desk) -> None:
    assert archive.run("search", "form:anna", status=2).out == ""


def test_lower_case_or_is_warned_of(archive: Desk) -> None:
    assert "write OR for the operator" in archive.run("search", "budget or discount").err


def test_search_without_hits_succeeds_and_says_which_term_emptied_it(archive: Desk) -> None:
    ran = archive.run("search", "discount", "xyzzy")
    assert ran.out == ""
    assert '"xyzzy" matches nothing' in ran.err
    assert '"discount" matches 2; without it 0' in ran.err
    assert 'Nothing matches "xyzzy"' in archive.run("search", "xyzzy").err


@pytest.mark.parametrize("output", ["table", "json", "jsonl", "ids"])
def test_hostile_mail_cannot_act_on_the_terminal(archive: Desk, output: str) -> None:
    ran = archive.run("search", "harmless", "--format", output)
    assert [hex(ord(c)) for c in ran.out + ran.err if ord(c) in ACTIVE] == []
    assert ran.out


def test_hostile_subject_survives_json_exactly(archive: Desk) -> None:
    (hit,) = json.loads(archive.run("search", "harmless", "--format", "json").out)["hits"]
    assert hit["subject"] == " ]0;owned \u202egpj.exe"  # the parser cleans header fields


def test_search_is_in_the_audit_log_before_anything_is_printed(archive: Desk) -> None:
    before = archive.run("audit", "log", "--kind", "search", "--limit", 10_000, "--json").lines
    archive.run("search", "harbour", "--as", "auditor")
    after = archive.run("audit", "log", "--kind", "search", "--limit", 10_000, "--json").lines
    assert len(after) == len(before) + 1
    assert after[-1]["actor"] == "auditor"
    assert after[-1]["number"] is not None


def test_unknown_facet_sort_and_cursor_are_refused(archive: Desk) -> None:
    archive.run("search", "a", "--facets", "colour", status=2)
    archive.run("search", "a", "--sort", "colour", status=2)
    archive.run("search", "a", "--cursor", "colour", status=2)
