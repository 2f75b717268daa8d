"""`reindex` and `keys rotate` leave everything findable, readable and intact."""

from __future__ import annotations

import shutil
from pathlib import Path

from cli_archive import Desk, write_mbox


def test_index_that_was_lost_is_made_again(own: Desk, tmp_path: Path) -> None:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    shutil.rmtree(own.data / "index")
    ran = own.run("search", "discount")
    assert "5 not yet indexed" in ran.err
    assert own.run("reindex", "--json").json["queued"] == 5
    assert own.run("search", "discount", "--count").out == "2\n"
    assert "not yet indexed" not in own.run("search", "discount").err


def test_full_reindex_gives_the_same_results(own: Desk, tmp_path: Path) -> None:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    before = own.run("search", "*", "--format", "jsonl").out
    assert "5 messages" in own.run("reindex", "--full").out
    assert own.run("reindex", "--full", "--json").json["indexed"] == 5
    assert own.run("search", "*", "--format", "jsonl").out == before


def test_agreeing_index_is_said_to_agree(own: Desk, tmp_path: Path) -> None:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    assert "agrees" in own.run("reindex", "--missing").out
    own.run("reindex", "--missing", "--full", status=2)


def test_rotated_keys_open_everything(own: Desk, tmp_path: Path) -> None:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    assert "Key 2 is in use; the keys of 5 originals" in own.run("keys", "rotate").out
    assert own.run("verify", "--json").json["is_intact"] is True
    assert "discount" in own.run("show", "budget@our.example").out


def test_doctor_answers_and_heals_the_index(own: Desk, tmp_path: Path) -> None:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    shutil.rmtree(own.data / "index")
    looked = own.run("doctor", "--dry-run", "--json").lines
    assert "index" not in [one["examined"] for one in looked]
    states = {one["examined"]: one["state"] for one in own.run("doctor", "--json").lines}
    assert states["index"] == "healed"
    assert states["audit log"] == "ok"
    assert "it holds what the catalogue holds" in own.run("doctor").out
    assert own.run("search", "discount", "--count").out == "2\n"


def test_doctor_ends_with_one_when_something_is_bad(own: Desk, tmp_path: Path) -> None:
    own.run("import", write_mbox(tmp_path / "a.mbox"))
    (own.data / "log/checkpoint").write_text("altered")
    assert own.run("doctor", status=None).status in {1, 6}
