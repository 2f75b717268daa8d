"""Tags, notes and versions from the command line."""

from __future__ import annotations

from pathlib import Path

import pysqlite3
import pytest

from cli_archive import Desk, write_mbox


@pytest.fixture
def desk(own: Desk, tmp_path: Path) -> Desk:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    return own


def ids(desk: Desk, query: str) -> list[str]:
    return desk.run("search", query, "--format", "ids").out.split()


def test_tag_is_added_by_query_found_listed_and_taken_back(desk: Desk) -> None:
    assert "2 messages" in desk.run("tag", "add", "q1", "--query", "discount", "--dry-run").out
    assert ids(desk, "tag:q1") == []
    done = desk.run("tag", "add", "q1", "--query", "discount", "--json").json
    assert (done["changed"], done["unchanged"], done["missing"]) == (2, 0, 0)
    assert ids(desk, "tag:Q1") == ids(desk, "discount")
    assert desk.run("tag", "list", "--json").json["tags"] == [{"tag": "q1", "messages": 2}]
    assert "q1" in desk.run("tag", "list").out
    preview = desk.run("annotate", "--undo", done["job"], "--dry-run", "--json").json
    assert preview["meant"] == 2
    assert "2 changed" in desk.run("annotate", "--undo", done["job"]).out
    assert ids(desk, "tag:q1") == []
    assert "no tags" in desk.run("tag", "list").err


def test_tag_is_removed_from_named_messages(desk: Desk) -> None:
    one, other = ids(desk, "discount")
    desk.run("tag", "add", "urgent", one, other)
    ran = desk.run("tag", "remove", "URGENT", one)
    assert "1 changed, 0 were so already" in ran.out
    assert "holdfast annotate --undo job_" in ran.err
    assert ids(desk, "tag:urgent") == [other]
    assert "0 changed, 1 were so already" in desk.run("tag", "remove", "urgent", one).out


def test_which_messages_must_be_said_one_way(desk: Desk) -> None:
    (one,) = ids(desk, "lighthouse")
    assert "not clear" in desk.run("tag", "add", "x", status=2).err
    assert "not clear" in desk.run("tag", "add", "x", one, "--query", "*", status=2).err
    assert "Nothing is to be changed" in desk.run("annotate", one, status=2).err
    desk.run("tag", "add", "x", "nobody@nowhere.example", status=4)
    desk.run("annotate", "--undo", "job_0sad7cvhm0102", status=4)


def test_summary_edited_three_times_shows_three_versions(desk: Desk) -> None:
    (one,) = ids(desk, "lighthouse")
    raw = desk.run("show", one, "--raw").raw
    for text in ("first", "second", "third"):
        desk.run("annotate", one, "--summary", text, "--as", f"user-{text}")
    shown = desk.run("versions", one, "--json").json["versions"]
    assert [v["version"] for v in shown] == [1, 2, 3]
    assert [v["actor"] for v in shown] == ["user-first", "user-second", "user-third"]
    assert [v["changes"] for v in shown][1] == [
        {"field": "summary", "before": "first", "after": "second"}
    ]
    assert shown[2]["state"]["summary"] == "third"
    assert desk.run("show", one, "--raw").raw == raw
    table = desk.run("versions", one).out
    assert "user-second" in table
    assert "third" in table
    assert "third" in desk.run("versions", one, "--diff", "1", "3").out
    diff = desk.run("versions", one, "--diff", "0", "2", "--json").json
    assert diff["fields"] == [{"field": "summary", "before": "", "after": "second"}]
    assert "Nothing differs" in desk.run("versions", one, "--diff", "2", "2").err
    desk.run("versions", one, "--diff", "2", "9", status=4)


def test_every_field_is_set_and_shown(desk: Desk) -> None:
    (one,) = ids(desk, "lighthouse")
    assert "Nobody has added" in desk.run("versions", one).err
    desk.run(
        "annotate", one, "--note", "call back", "--link", "https://crm.example/7", "--owner",
        "ann", "--retain-from", "2024-05-01",
    )  # fmt: skip
    (version,) = desk.run("versions", one, "--json").json["versions"]
    state = version["state"]
    assert [note["text"] for note in state["notes"]] == ["call back"]
    assert (state["links"], state["owner"]) == (["https://crm.example/7"], "ann")
    assert state["retain_from"] == "2024-04-30T16:00:00.000Z"
    shown = desk.run("versions", one).out
    assert "2024-05-01" in shown
    assert "call back" in shown
    desk.run(
        "annotate", one, "--remove-note", "call back", "--remove-link", "https://crm.example/7",
        "--owner", "", "--retain-from", "",
    )  # fmt: skip
    state = desk.run("versions", one, "--json").json["versions"][1]["state"]
    assert (state["notes"], state["links"], state["owner"]) == ([], [], "")
    assert state["retain_from"] is None


def test_older_look_is_a_conflict(desk: Desk) -> None:
    (one,) = ids(desk, "lighthouse")
    assert "version 1" in desk.run("annotate", one, "--summary", "a", "--expect", 0).out
    ran = desk.run("annotate", one, "--summary", "b", "--expect", 1, "--json")
    assert ran.json["version"] == 2
    assert (
        "changed it meanwhile"
        in desk.run("annotate", one, "--summary", "c", "--expect", 1, status=5).err
    )
    desk.run("annotate", "--query", "*", "--summary", "c", "--expect", 1, status=2)


def test_undo_says_what_others_set_since(desk: Desk) -> None:
    one, _ = ids(desk, "discount")
    done = desk.run("annotate", "--query", "discount", "--owner", "ann", "--json").json
    desk.run("annotate", one, "--owner", "bob")
    ran = desk.run("annotate", "--undo", done["job"])
    assert "1 changed" in ran.out
    assert "1 keep what others set since" in ran.err


def test_edited_version_is_named_by_verify(desk: Desk) -> None:
    (one,) = ids(desk, "lighthouse")
    desk.run("annotate", one, "--summary", "true words")
    desk.run("verify")
    with pysqlite3.connect(desk.data / "catalogue.sqlite3") as connection:
        connection.execute(
            "UPDATE interaction_versions SET change = replace(change, 'true', 'odd')"
        )
    ran = desk.run("verify", status=6)
    assert one in ran.out + ran.err
    assert "Version 1" in ran.out + ran.err


def test_edited_state_is_named_by_verify(desk: Desk) -> None:
    (one,) = ids(desk, "lighthouse")
    desk.run("annotate", one, "--summary", "true words")
    with pysqlite3.connect(desk.data / "catalogue.sqlite3") as connection:
        connection.execute("UPDATE metadata_values SET summary = 'odd words'")
    ran = desk.run("verify", status=6)
    assert one in ran.out + ran.err
