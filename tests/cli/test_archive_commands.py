"""`init`, `import`, `show`, `thread`, `ledger`, `verify`, `audit`, `config` as people use them."""

from __future__ import annotations

import hashlib
import json
import stat
import tomllib
from pathlib import Path

import pytest

from cli_archive import Desk, letter, write_mbox

ACTIVE = {*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)} - {0x0A}


def first_id(desk: Desk, query: str) -> str:
    return desk.run("search", query, "--format", "ids").out.split()[0]


TRAVELLED = b"""\
Received: from b.example (b.example [192.0.2.2]) by c.example with ESMTP id 2;
 Tue, 05 Mar 2024 10:21:30 +0800
Received: from a.example (\x1b[31ma.example [198.51.100.3]) by b.example with ESMTPS id 1;
 Tue, 05 Mar 2024 10:20:40 +0800
From: Anna Berg <anna@a.example>
To: li@our.example
Subject: from afar
Date: Tue, 5 Mar 2024 10:20:30 +0800
Message-ID: <far@a.example>

hi
"""


class TestInit:
    def test_new_archive_has_data_keys_apart_and_commented_settings(self, own: Desk) -> None:
        ran = own.run("init", "--name", "acme", "--internal-domain", "acme.example")
        assert "Created the archive acme." in ran.out
        text = (own.data / "holdfast.toml").read_text(encoding="utf-8")
        written = tomllib.loads(text)
        assert written["archive"] == {"name": "acme", "internal_domains": ["acme.example"]}
        assert "# segment_mib = 256" in text
        keys = own.data.with_name("data.keys")
        assert stat.S_IMODE(keys.stat().st_mode) == 0o700
        assert not any(path.name.startswith("keyring") for path in own.data.rglob("*"))

    def test_settings_file_with_every_comment_removed_says_the_defaults(self, own: Desk) -> None:
        own.run("init")
        before = own.run("config", "show", "--json").json
        file = own.data / "holdfast.toml"
        lines = file.read_text(encoding="utf-8").splitlines()
        opened = [line.removeprefix("# ") if " = " in line else line for line in lines]
        file.write_text("\n".join(opened), encoding="utf-8")
        after = own.run("config", "show", "--json").json
        assert [s["value"] for s in before["settings"]] == [s["value"] for s in after["settings"]]

    def test_second_init_changes_nothing(self, own: Desk) -> None:
        own.run("init", "--name", "acme")
        before = (own.data / "holdfast.toml").read_bytes()
        ran = own.run("init", "--name", "acme", "--zone", "UTC")
        assert "is there already" in ran.out
        assert "was not changed" in ran.err
        assert (own.data / "holdfast.toml").read_bytes() == before

    def test_folder_that_cannot_be_made_is_unavailable(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        assert "Error:" in Desk(tmp_path / "file/data").run("init", status=7).err


class TestWithoutArchive:
    @pytest.mark.parametrize(
        "words",
        [("search", "a"), ("show", "msg_1"), ("ledger",), ("verify",), ("audit", "log"),
         ("contact", "find", "a")],
    )  # fmt: skip
    def test_command_says_what_to_do(self, own: Desk, words: tuple[str, ...]) -> None:
        ran = own.run(*words, status=4)
        assert "There is no archive in" in ran.err
        assert "holdfast init" in ran.err
        assert not own.data.exists()


class TestImport:
    def test_import_counts_and_second_run_adds_nothing(self, own: Desk, tmp_path: Path) -> None:
        mbox = write_mbox(tmp_path / "a.mbox")
        first = own.run("import", mbox, "--json").json
        assert (first["schema"], first["offered"], first["new"]) == ("holdfast.import/1", 5, 5)
        second = own.run("import", mbox, "--json").json
        assert (second["offered"], second["new"], second["unchanged"]) == (5, 0, 5)

    def test_summary_says_what_happened_and_what_is_next(self, own: Desk, tmp_path: Path) -> None:
        ran = own.run("import", write_mbox(tmp_path / "a.mbox"), "-j", 1)
        assert "5 new messages" in ran.out
        assert "holdfast import --undo bat_" in ran.err

    def test_same_mail_from_another_source_is_a_duplicate(self, own: Desk, tmp_path: Path) -> None:
        mbox = write_mbox(tmp_path / "a.mbox")
        own.run("import", mbox)
        again = own.run("import", mbox, "--source", "other", "--json").json
        assert (again["new"], again["duplicates"]) == (0, 5)

    def test_dry_run_writes_nothing(self, own: Desk, tmp_path: Path) -> None:
        ran = own.run("import", write_mbox(tmp_path / "a.mbox"), "--dry-run")
        assert "Nothing was written" in ran.err
        assert not own.data.exists()

    def test_undo_takes_an_import_back_and_the_same_import_brings_it_again(
        self, own: Desk, tmp_path: Path
    ) -> None:
        mbox = write_mbox(tmp_path / "a.mbox")
        batch = own.run("import", mbox, "--json").json["batch"]
        undone = own.run("import", "--undo", batch, "--json").json
        assert (undone["captures"], undone["interactions"]) == (5, 5)
        assert own.run("search", "*", "--count").out == "0\n"
        own.run("import", mbox)
        assert own.run("search", "*", "--count").out == "5\n"

    def test_path_that_is_not_there_is_not_found(self, own: Desk, tmp_path: Path) -> None:
        assert "Error:" in own.run("import", tmp_path / "none", status=4).err

    def test_import_of_nothing_is_a_usage_error(self, own: Desk) -> None:
        own.run("import", status=2)
        own.run("import", "x", "--undo", "bat_0000000000000", status=2)

    def test_unreadable_file_makes_it_partial_and_is_listed(
        self, own: Desk, tmp_path: Path
    ) -> None:
        write_mbox(tmp_path / "in/a.mbox")
        (tmp_path / "in/broken.zip").write_bytes(b"PK\x03\x04 broken")
        ran = own.run("import", tmp_path / "in", "--source", "s", status=3)
        assert "holdfast ledger --failed" in ran.err
        failed = own.run("ledger", "--failed", "--json").json
        assert any("broken.zip" in item["item"] for item in failed["items"])


class TestShow:
    def test_message_is_shown_with_people_text_attachments_and_origin(self, archive: Desk) -> None:
        out = archive.run("show", first_id(archive, "harbour")).out
        for wanted in (
            "Budget for the harbour", "Anna Berg <anna@berg.example>", "2024-03-18 17:00",
            "Li Qiang", "plan.txt", "The budget is attached",
        ):  # fmt: skip
            assert wanted in out

    def test_raw_is_the_original_to_the_byte(self, archive: Desk) -> None:
        for number, query in ((0, "msgid:offer@jia.example"), (3, "harmless")):
            assert archive.run("show", first_id(archive, query), "--raw").raw == letter(number)

    def test_message_is_named_by_message_id_or_hash_too(self, archive: Desk) -> None:
        sha256 = hashlib.sha256(letter(2)).hexdigest()
        for name in ("budget@our.example", "<budget@our.example>", sha256, sha256[:12]):
            assert "Budget for the harbour" in archive.run("show", name).out

    def test_verify_reads_the_original_again(self, archive: Desk) -> None:
        out = archive.run("show", "budget@our.example", "--verify").out
        assert f"{hashlib.sha256(letter(2)).hexdigest()}  intact" in out

    def test_headers_in_order(self, archive: Desk) -> None:
        lines = archive.run("show", "budget@our.example", "--headers").out.splitlines()
        assert lines[0] == "Message-ID: <budget@our.example>"
        fields = archive.run("show", "budget@our.example", "--headers", "--json").json["headers"]
        assert fields[1] == {"name": "From", "value": "Anna Berg <anna@berg.example>"}

    def test_headers_are_followed_by_the_way_that_they_tell(
        self, own: Desk, tmp_path: Path
    ) -> None:
        letter = tmp_path / "far.eml"
        letter.write_bytes(TRAVELLED)
        own.run("import", letter)
        out = own.run("show", "far@a.example", "--headers").out
        assert "Received: from b.example" in out
        way = out.partition("Way")[2].splitlines()[2:]
        assert [line.split()[0] for line in way] == ["1", "2"]
        assert "a.example" in way[0]
        assert "50 s" in way[1]
        assert "\x1b" not in out
        told = own.run("show", "far@a.example", "--headers", "--json").json
        assert [hop["by"] for hop in told["hops"]] == ["b.example", "c.example"]
        assert told["hops"][1]["at"] == "2024-03-05T02:21:30Z"
        assert (told["anomalies"], told["failure"]) == ([], None)
        chinese = own.run("--lang", "zh", "show", "far@a.example", "--headers").out
        assert "传递路径" in chinese

    def test_message_beside_another_of_its_message_id_says_so(
        self, own: Desk, tmp_path: Path
    ) -> None:
        for name, text in (("a", b"hi"), ("b", b"other words")):
            (tmp_path / f"{name}.eml").write_bytes(TRAVELLED.replace(b"hi", text))
        own.run("import", tmp_path / "a.eml")
        assert "same Message-ID" not in own.run("show", "far@a.example").out
        own.run("import", tmp_path / "b.eml")
        for name in own.run("search", "is:conflict", "--format", "ids").out.split():
            assert "same Message-ID and differs" in own.run("show", name).out
            assert "Message-ID 相同" in own.run("--lang", "zh", "show", name).out

    def test_json_has_text_and_captures(self, archive: Desk) -> None:
        shown = archive.run("show", "budget@our.example", "--json").json
        assert shown["schema"] == "holdfast.interaction/1"
        assert "budget is attached" in shown["text"]
        assert shown["captures"][0]["custodian"] == "Li Qiang"

    def test_conversation_in_order(self, archive: Desk) -> None:
        by_message = archive.run("show", "answer@our.example", "--thread").out
        lines = by_message.splitlines()
        assert "2 messages" in lines[0]
        assert "王敏" in lines[1]
        name = lines[0].partition(":")[0]
        assert archive.run("thread", name).out == by_message
        assert archive.run("thread", "offer@jia.example").out == by_message
        shown = archive.run("thread", name, "--json").json
        assert [m["message_id"] for m in shown["messages"]] == [
            "offer@jia.example", "answer@our.example",
        ]  # fmt: skip

    def test_unknown_names_are_not_found(self, archive: Desk) -> None:
        archive.run("show", "msg_0000000000000", status=4)
        archive.run("show", "nobody@nowhere.example", status=4)
        archive.run("thread", "thr_0000000000000", status=4)
        archive.run("show", "msg_short", status=2)

    def test_every_reading_is_in_the_audit_log(self, archive: Desk) -> None:
        name = first_id(archive, "harbour")
        for words in (("show", name), ("show", name, "--raw"), ("show", name, "--headers")):
            before = archive.run("audit", "log", "--subject", name, "--json").lines
            archive.run(*words)
            after = archive.run("audit", "log", "--subject", name, "--json").lines
            assert [one["leaf"]["kind"] for one in after[len(before) :]] == ["read"]

    @pytest.mark.parametrize(
        "extra", [(), ("--headers",), ("--json",), ("--thread",), ("--headers", "--json")]
    )
    def test_hostile_mail_cannot_act_on_the_terminal(
        self, archive: Desk, extra: tuple[str, ...]
    ) -> None:
        ran = archive.run("show", "hostile@evil.example", *extra)
        assert [hex(ord(c)) for c in ran.out + ran.err if ord(c) in ACTIVE] == []


class TestLedger:
    def test_offers_equal_the_sum_of_their_ends(self, archive: Desk) -> None:
        (source,) = archive.run("ledger", "--json").json["sources"]
        assert source["source"] == "letters"
        assert source["offered"] == source["filed"] == 5
        assert "letters" in archive.run("ledger").out

    def test_source_that_is_not_there_is_not_found(self, archive: Desk) -> None:
        assert "Known: letters" in archive.run("ledger", "--source", "none", status=4).err
        archive.run("ledger", "--source", "letters")

    def test_nothing_failed_is_said(self, archive: Desk) -> None:
        assert "Nothing failed" in archive.run("ledger", "--failed").err

    def test_empty_archive_says_what_is_next(self, own: Desk) -> None:
        own.run("init")
        assert "holdfast import PATH" in own.run("ledger").err


class TestVerify:
    def test_untouched_archive_is_intact(self, archive: Desk) -> None:
        assert "Intact" in archive.run("verify").out
        shown = archive.run("verify", "--json").json
        assert (shown["is_intact"], shown["originals"]) == (True, 5)

    def test_part_of_it_by_date_or_sample(self, archive: Desk) -> None:
        assert archive.run("verify", "--since", "2100-01-01", "--json").json["originals"] == 0
        assert archive.run("verify", "--sample", "2", "--json").json["originals"] <= 5
        archive.run("verify", "--all", "--sample", "2", status=2)
        archive.run("verify", "--since", "yesterday", status=2)

    def test_one_flipped_byte_is_found_and_named(self, own: Desk, tmp_path: Path) -> None:
        own.run("import", write_mbox(tmp_path / "a.mbox"))
        (segment,) = (own.data / "segments").glob("*")
        raw = bytearray(segment.read_bytes())
        raw[len(raw) // 2] ^= 1
        segment.chmod(0o600)
        segment.write_bytes(raw)
        ran = own.run("verify", status=6)
        assert "original" in ran.out
        assert segment.stem in ran.out
        found = own.run("verify", "--json", status=6).lines
        assert found[-1]["findings"] == len(found) - 1 > 0


class TestAudit:
    def test_log_verifies_and_a_kept_checkpoint_stays_its_beginning(
        self, archive: Desk, tmp_path: Path
    ) -> None:
        archive.run("audit", "export", tmp_path / "log")
        assert (tmp_path / "log/log.vkey").read_text(encoding="utf-8").startswith("holdfast")
        archive.run("search", "one more entry")
        ran = archive.run("audit", "verify", "--against", tmp_path / "log/checkpoint")
        assert "still begins with" in ran.out
        archive.run("audit", "verify", "--against", tmp_path / "none", status=2)
        archive.run("audit", "export", tmp_path / "log", status=5)

    def test_log_names_actors_and_kinds(self, archive: Desk) -> None:
        archive.run("search", "harbour", "--as", "legal1")
        assert "legal1" in archive.run("audit", "log", "--limit", 5).out
        (entry,) = archive.run("audit", "log", "--kind", "import", "--json").lines
        assert entry["leaf"]["kind"] == "import"

    def test_entries_hold_no_content(self, archive: Desk) -> None:
        entries = archive.run("audit", "log", "--limit", 10_000, "--json").out
        assert "harbour" not in entries
        assert "wang" not in entries


class TestConfig:
    def test_origin_of_each_value_is_shown(self, own: Desk) -> None:
        own.run("init", "--name", "acme")
        out = own.run("config", "show", "--origin", "--set", "vault.segment_mib=9").out
        name = next(line for line in out.splitlines() if line.startswith("archive.name"))
        size = next(line for line in out.splitlines() if line.startswith("vault.segment_mib"))
        assert name.split()[1:] == ["acme", str(own.data / "holdfast.toml")]
        assert size.split()[1:] == ["9", "flag"]
        assert "acme" in own.run("config", "show").out

    def test_check_lists_every_mistake(self, own: Desk) -> None:
        assert "defaults are in force" in own.run("config", "check").out
        own.run("init")
        assert "valid" in own.run("config", "check").out
        (own.data / "holdfast.toml").write_text("[valut]\na=1\n[index]\nheap_mb=2\n")
        out = own.run("config", "check", status=2).out
        assert "valut.a" in out
        assert "'index.heap_mib'" in out

    def test_every_command_refuses_wrong_settings(self, own: Desk) -> None:
        assert "Did you mean" in own.run("ledger", status=2, HOLDFAST_VAULT__SEGMENTMIB="1").err
        own.run("ledger", "--set", "nonsense", status=2)


class TestContact:
    def test_contact_is_found_by_name_address_and_pinyin(self, archive: Desk) -> None:
        for text in ("王敏", "wang.min@jia.example", "wangmin", "jia.example"):
            found = archive.run("contact", "find", text, "--json").json["contacts"]
            assert "王敏" in [one["name"] for one in found]
        assert "wang.min@jia.example" in archive.run("contact", "find", "王敏").out
        assert "Nobody" in archive.run("contact", "find", "nobody").err

    def test_timeline_has_both_directions_and_pages(self, archive: Desk) -> None:
        out = archive.run("contact", "timeline", "wang.min@jia.example").out
        assert "←" in out
        assert "→" in out
        page = archive.run("contact", "timeline", "王敏", "--limit", 1, "--json").json
        assert [e["direction"] for e in page["entries"]] == ["out"]
        rest = archive.run("contact", "timeline", "王敏", "--cursor", page["cursor"], "--json").json
        assert [e["direction"] for e in rest["entries"]] == ["in"]
        part = archive.run(
            "contact", "timeline", "王敏", "--after", "2024-03-15T10:30",
            "--before", "2024-03-16", "--json",
        ).json  # fmt: skip
        assert len(part["entries"]) == 1
        archive.run("contact", "timeline", "王敏", "--after", "soon", status=2)

    def test_merge_makes_one_trail_and_undo_two_again(self, own: Desk, tmp_path: Path) -> None:
        own.run("import", write_mbox(tmp_path / "a.mbox"))
        both = ("wang.min@jia.example", "wang.min@mail.example")
        assert "Nothing was changed" in own.run("contact", "merge", *both, "--dry-run").err
        hint = own.run("contact", "merge", *both).err
        merge = hint.split()[-1]
        trail = own.run("contact", "timeline", both[0], "--json").json["entries"]
        assert len(trail) == 3
        assert merge in own.run("contact", "show", both[1]).out
        own.run("contact", "undo", merge)
        trail = own.run("contact", "timeline", both[0], "--json").json["entries"]
        assert len(trail) == 2

    def test_contact_is_shown_with_its_addresses(self, archive: Desk) -> None:
        assert "wang.min@jia.example" in archive.run("contact", "show", "王敏").out
        shown = archive.run("contact", "show", "li@our.example", "--json").json
        assert shown["is_internal"] is True

    def test_name_of_several_is_refused_with_the_choice(self, archive: Desk) -> None:
        ran = archive.run("contact", "show", "example", status=2)
        assert ran.err.count("con_") > 1
        archive.run("contact", "show", "nobody", status=4)


def test_results_go_to_standard_output_alone(archive: Desk) -> None:
    for words in (("search", "*", "--format", "jsonl"), ("verify", "--json")):
        for line in archive.run(*words).out.splitlines():
            json.loads(line)
