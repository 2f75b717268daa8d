"""What servers write, read back: names of folders, sets of UIDs, FETCH responses."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imapclient import imap_utf7
from imapclient.exceptions import ProtocolError

from holdfast.core.errors import Refused
from holdfast.ingest.imap import fetching
from holdfast.ingest.imap.account import Account, read, written
from holdfast.ingest.imap.failures import Busy, SaidNo, refusal
from holdfast.ingest.imap.hosts import is_loopback
from holdfast.ingest.imap.names import Folder, chosen, item_key, matches, name_in
from holdfast.ingest.imap.replies import replies
from holdfast.ingest.imap.uid_sets import packed, unpacked
from imap_checks import keeps_names_apart


def test_f30_hostile_names_are_kept_apart() -> None:
    keeps_names_apart()


NAMES = st.text(min_size=1, max_size=12)
WIRES = st.binary(min_size=1, max_size=12)


@given(st.lists(WIRES, min_size=2, max_size=2, unique=True), st.integers(1), st.integers(1))
def test_no_two_folders_share_a_key(wires: list[bytes], uidvalidity: int, uid: int) -> None:
    first, second = (Folder(one) for one in wires)
    if wires[0].upper() != wires[1].upper() or wires[0].upper() != b"INBOX":
        assert first.key != second.key
    assert item_key(first.key, uidvalidity, uid).count("/") == 2


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_name_of_any_script_comes_back(name: str) -> None:
    folder = Folder(imap_utf7.encode(name))
    assert folder.name == ("INBOX" if name.upper() == "INBOX" and name.isascii() else name)
    assert name_in(folder.key) == folder.name


@pytest.mark.parametrize("wire", [b"&broken", b"&2D0-", b"caf\xc3\xa9", b"&AGE-"])
def test_name_that_is_no_canonical_utf7_stands_as_it_is(wire: bytes) -> None:
    folder = Folder(wire)
    assert folder.name == wire.decode("latin-1")
    assert folder.key == f"={wire.hex()}"
    assert name_in(folder.key) == folder.name


def test_patterns_take_brackets_and_case_and_composition_as_people_do() -> None:
    gmail = Folder(b"[Gmail]/All Mail", ("\\all",))
    assert matches(gmail, "[gmail]/all*")
    assert not matches(gmail, "G/All Mail")
    assert matches(gmail, "\\All")
    assert matches(Folder(imap_utf7.encode("Re\u0301sume\u0301s")), "R\u00e9sum\u00e9s")
    parent = Folder(b"Box", ("\\noselect",))
    assert chosen([parent, gmail], (), ()) == [gmail]
    assert chosen([gmail], ("*",), ("\\all",)) == []


@given(st.sets(st.integers(1, 2**32 - 1) | st.integers(1, 40)))
def test_sets_of_uids_come_back(uids: set[int]) -> None:
    assert unpacked(packed(uids)) == sorted(uids)


def test_neighbours_are_a_range() -> None:
    assert packed([7, 5, 6, 2, 2]) == "2,5:7"


def test_two_answers_with_one_number_are_two_messages() -> None:
    data = [
        (b"5 (UID 10 BODY[] {1}", b"a"),
        b")",
        (b"5 (UID 11 BODY[] {1}", b"b"),
        b" FLAGS (\\Seen 7))",
        b"9 (FLAGS (\\Seen))",
    ]
    first, second = replies(data)
    assert (first.uid, first.body, second.uid, second.body) == (10, b"a", 11, b"b")
    assert second.flags == ("\\Seen", "7")


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ('"15-Mar-2024 10:22:00 +0800"', datetime(2024, 3, 15, 2, 22, tzinfo=UTC)),
        ('" 5-mar-2024 00:00:00 +0000"', datetime(2024, 3, 5, tzinfo=UTC)),
        ('"5-Foo-2024 00:00:00 +0000"', None),
        ('"nonsense"', None),
        ('"01-Jan-0001 00:00:00 +1400"', None),
        ("NIL", None),
        ("12", None),
    ],
)
def test_internal_date_is_read_or_left_open(said: str, at: datetime | None) -> None:
    (found,) = replies([f"1 (UID 1 INTERNALDATE {said})".encode()])
    assert found.received_at == at


@pytest.mark.parametrize("line", [b"1 (UID)", b"1 FLAGS", b"x (UID 1)", b"1", b"1 (UID 1"])
def test_answer_of_another_form_is_not_guessed(line: bytes) -> None:
    with pytest.raises(ProtocolError):
        list(replies([line]))


def test_answers_without_a_usable_uid_are_nobodys() -> None:
    assert list(replies([b"1 (UID 0)", b"2 (UID 4294967296)", b"3 (UID x)", b"4 (7 8)"])) == []


def test_labels_are_decoded_and_control_characters_replaced() -> None:
    line = (
        b'1 (UID 1 FLAGS (a) X-GM-LABELS ("&V4NXPpCuTvY-" "&" "b\x01" caf\xc3\xa9) RFC822.SIZE x)'
    )
    (found,) = replies([line])
    assert found.flags[:2] == ("a", "垃圾邮件")
    assert found.flags[3:] == ("b\ufffd", "caf\u00e9")
    assert found.size_bytes is None


def test_account_comes_back_and_plaintext_must_be_asked_for() -> None:
    account = Account("Mail.Example", "ann", 143, "none", ("A*",), allows_plaintext=True)
    assert read(written(account)) == account
    assert account.identity == '{"host":"mail.example","user":"ann"}'
    assert [is_loopback(host) for host in ("127.0.0.9", "[::1]", "localhost", "h", "10.0.0.1")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    with pytest.raises(Refused, match="in clear"):
        Account("10.0.0.1", "ann", 143, "none")


def test_refusals_are_told_apart_by_what_helps() -> None:
    assert isinstance(refusal("X", b"[THROTTLED] later"), Busy)
    said = refusal("X", b"no\r\nway " + b"x" * 500)
    assert isinstance(said, SaidNo)
    assert "\r" not in str(said)
    assert len(str(said)) < 300


def test_large_messages_that_dead_runs_left_are_removed(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    names = {pid: f"{fetching._owner()}-{pid}-x.mail" for pid in (ended.pid, os.getpid(), 1)}
    for name in (*names.values(), "elsewhere-1-x.mail", "x.frames"):
        (tmp_path / name).touch()
    fetching.sweep(tmp_path)
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {names[os.getpid()], names[1], "elsewhere-1-x.mail", "x.frames"}


WORDS = st.lists(
    st.sampled_from([b"\\Seen", b"$Forwarded", b"7", b"caf\xc3\xa9", b"a]b"]), max_size=3
)
DATES = st.sampled_from(
    [b"15-Mar-2024 10:22:00 +0800", b" 5-mar-2024 00:00:00 -0330", b"5-Foo-2024 1", b"nonsense"]
)


@given(
    st.lists(st.tuples(st.integers(0, 2**32), st.integers(0, 99), WORDS, DATES), max_size=4),
    st.lists(st.tuples(st.integers(1, 99), st.binary(max_size=9), st.booleans()), max_size=4),
)
def test_quick_reading_gives_what_the_thorough_one_gives(
    lines: list[tuple[int, int, list[bytes], bytes]], bodies: list[tuple[int, bytes, bool]]
) -> None:
    data: list[bytes | tuple[bytes, bytes]] = [
        b'5 (UID %d RFC822.SIZE %d INTERNALDATE "%s" FLAGS (%s))'
        % (uid, size, date, b" ".join(flags))
        for uid, size, flags, date in lines
    ]
    for uid, body, is_first in bodies:
        head = b"5 (UID %d BODY[] {%d}" if is_first else b"5 (BODY[] {%d}"
        data.append((head % ((uid, len(body)) if is_first else (len(body),)), body))
        data.append(b")" if is_first else b" UID %d)" % uid)
    unusual = b"6 (UID 3 MODSEQ (9))"
    thorough = list(replies([*data, unusual]))
    assert list(replies(data)) == thorough[:-1]
