"""Directories, Maildirs and single files: everything ends as a reference."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import msgspec
import pytest

from holdfast.core.errors import NotFound
from holdfast.core.records import RawItem
from holdfast.ingest.readers.maildir import decode_utf7, parse_keywords, split_name
from holdfast.ingest.readers.offers import Offered, Unreadable, local, portable
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader, ReaderConfig

CORPUS = Path(__file__).parents[2] / "corpus"
MAIL = b"From: a@a.example\r\nSubject: one\r\n\r\nbody\r\n"
LINE = b"From alice@a.example Sat Feb  3 10:00:00 2001\n"


def put(root: Path, name: str, data: bytes = MAIL) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def by_name(root: Path) -> dict[str, Offered]:
    """References by what they are called on disk."""
    found = list(plan(root))
    assert len({o.key for o in found}) == len(found)
    assert [o.key for o in plan(root)] == [o.key for o in found]
    return {str(local(o.container).relative_to(root.resolve())): o for o in found}


def read(offered: Offered) -> RawItem | Unreadable:
    with Reader() as reader:
        return reader.read(offered)


def raw(offered: Offered) -> bytes:
    item = read(offered)
    assert isinstance(item, RawItem), item
    return item.raw


def test_references_survive_the_way_to_another_process(tmp_path: Path) -> None:
    put(tmp_path, "a.eml")
    put(tmp_path, "b.mbox", LINE + MAIL)
    for offered in plan(tmp_path):
        coded = msgspec.msgpack.encode(offered)
        assert msgspec.msgpack.decode(coded, type=Offered) == offered


def test_mixed_tree_ends_whole(tmp_path: Path) -> None:
    put(tmp_path, "a.eml")
    put(tmp_path, "b.txt")
    put(tmp_path, "c.msg")
    put(tmp_path, "d/17.")
    put(tmp_path, "e.txt", b"Just a note: nothing more\n")
    put(tmp_path, "f.eml", b"")
    put(tmp_path, "g.eml", b"\x00\x01 no header at all")
    put(tmp_path, "h.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    put(tmp_path, "i.pst", b"!BDN\0\0\0\0SM")
    put(tmp_path, "j.ost", b"!BDN\0\0\0\0SO")
    put(tmp_path, ".DS_Store", b"x")
    put(tmp_path, "d/Thumbs.db", b"x")
    put(tmp_path, "Inbox.msf", b"x")
    put(tmp_path, "k.eml", b"\xef\xbb\xbf\r\n\r\n" + MAIL)
    put(tmp_path, "l", MAIL.decode().encode("utf-16"))
    ends = {name: (o.kind, o.facts.note) for name, o in by_name(tmp_path).items()}
    assert ends == {
        ".DS_Store": ("skipped", "os_litter"),
        "Inbox.msf": ("skipped", "mail_program_index"),
        "a.eml": ("eml", ""),
        "b.txt": ("eml", ""),
        "c.msg": ("eml", ""),
        "d/17.": ("eml", ""),
        "d/Thumbs.db": ("skipped", "os_litter"),
        "e.txt": ("unknown", "not_recognised_as_mail"),
        "f.eml": ("skipped", "empty_file"),
        "g.eml": ("eml", ""),
        "h.msg": ("unknown", "format_not_supported_yet:msg"),
        "i.pst": ("unknown", "format_not_supported_yet:pst"),
        "j.ost": ("unknown", "format_not_supported_yet:ost"),
        "k.eml": ("eml", ""),
        "l": ("eml", ""),
    }


def test_unknown_and_skipped_references_give_their_reason(tmp_path: Path) -> None:
    put(tmp_path, "e.txt", b"Just a note\n")
    (offered,) = plan(tmp_path)
    assert read(offered) == Unreadable("not_recognised_as_mail", retryable=False)


def test_file_is_given_byte_for_byte(tmp_path: Path) -> None:
    path = put(tmp_path, "x/a.eml", LINE + MAIL + b"\n\n")
    (offered,) = plan(path)
    assert raw(offered) == path.read_bytes()
    assert (offered.kind, offered.facts.folder, offered.facts.received_at) == ("eml", "", None)


def test_several_members_in_a_file_named_eml_are_an_mbox(tmp_path: Path) -> None:
    path = put(tmp_path, "a.eml", (LINE + MAIL.replace(b"\r", b"") + b"\n") * 2)
    assert [o.kind for o in plan(path)] == ["mbox", "mbox"]


def test_file_replaced_under_the_same_name_gets_another_key(tmp_path: Path) -> None:
    path = put(tmp_path, "a.eml")
    (before,) = plan(path)
    put(tmp_path, "a.eml", MAIL.replace(b"one", b"eno"))
    (after,) = plan(path)
    assert before.key != after.key


def test_folder_is_where_the_file_lies(tmp_path: Path) -> None:
    put(tmp_path, "alice/Projects/a.eml")
    put(tmp_path, "alice/Sent.mbox", LINE + MAIL)
    put(tmp_path, "bob.sbd/Old", LINE + MAIL)
    folders = {name: o.facts.folder for name, o in by_name(tmp_path).items()}
    assert folders == {
        "alice/Projects/a.eml": "alice/Projects",
        "alice/Sent.mbox": "alice/Sent",
        "bob.sbd/Old": "bob/Old",
    }


def test_large_file_is_given_as_a_mapping(tmp_path: Path) -> None:
    path = put(tmp_path, "a.eml", MAIL + b"x" * 10_000)
    (offered,) = plan(path)
    with Reader(ReaderConfig(map_above_bytes=1000)) as reader:
        item = reader.read(offered)
    assert isinstance(item, RawItem)
    assert not isinstance(item.raw, bytes)
    assert item.raw[:] == path.read_bytes()


def test_names_that_are_not_utf_8_can_be_read_again(tmp_path: Path) -> None:
    name = os.fsdecode("合同 100%.eml".encode("gb18030"))
    put(tmp_path, name)
    (offered,) = plan(tmp_path)
    msgspec.msgpack.encode(offered)
    assert raw(offered) == MAIL
    assert local(portable(name)) == Path(name)
    assert "100%25.eml" in offered.key


def test_links_and_special_files_are_not_followed(tmp_path: Path) -> None:
    put(tmp_path, "real/a.eml")
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "z.eml").symlink_to(tmp_path / "real/a.eml")
    os.mkfifo(tmp_path / "pipe")
    ends = {o.key: (o.kind, o.facts.note) for o in plan(tmp_path)}
    assert ends.pop("file:link") == ("skipped", "link")
    assert ends.pop("file:z.eml") == ("skipped", "link")
    assert ends.pop("file:pipe") == ("skipped", "special_file")
    assert list(ends.values()) == [("eml", "")]


def test_imported_path_itself_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path, "real/a.eml")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (offered,) = plan(tmp_path / "link")
    assert raw(offered) == MAIL


def test_path_with_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        list(plan(tmp_path / "nothing"))


def test_directory_and_file_that_cannot_be_opened_are_offered(tmp_path: Path) -> None:
    path = put(tmp_path, "shut/a.eml")
    if os.geteuid() == 0:
        path.unlink()
        path.symlink_to("a.eml")
        (offered,) = plan(tmp_path)
        assert offered.facts.note == "link"
        return
    path.chmod(0)
    (offered,) = plan(tmp_path)
    assert read(offered) == Unreadable("io_error:eacces", retryable=True)
    path.parent.chmod(0)
    (offered,) = plan(tmp_path)
    path.parent.chmod(0o700)
    assert read(offered) == Unreadable("io_error:eacces", retryable=True)


def test_file_gone_after_planning_is_retryable(tmp_path: Path) -> None:
    path = put(tmp_path, "a.eml")
    (offered,) = plan(path)
    path.unlink()
    assert read(offered) == Unreadable("io_error:enoent", retryable=True)


def test_file_changed_after_planning_is_retryable(tmp_path: Path) -> None:
    path = put(tmp_path, "a.eml")
    (offered,) = plan(path)
    path.write_bytes(MAIL + b"more")
    assert read(offered) == Unreadable("file_changed", retryable=True)


# Maildir


def maildir(root: Path) -> Path:
    for name in ("cur", "new", "tmp", ".Sent/cur", ".Sent/new", ".Sent/tmp"):
        (root / name).mkdir(parents=True)
    return root


def test_maildir_messages_have_folder_flags_and_keywords(tmp_path: Path) -> None:
    root = maildir(tmp_path)
    put(root, "cur/1.a.host,S=41:2,FRSab")
    put(root, "new/2.b.host")
    put(root, ".Sent/cur/3.c.host;2,S")
    put(root, ".&XeVPXA-.&Vv5O9g-/cur/4.d.host:2,")
    put(root, "dovecot-keywords", b"0 $Forwarded\n1 urgent\n")
    found = by_name(root)
    assert found.pop("dovecot-keywords").facts.note == "mail_server_bookkeeping"
    facts = {
        name.rpartition("/")[2][0]: (o.facts.folder, o.facts.flags) for name, o in found.items()
    }
    assert facts == {
        "1": ("INBOX", ("F", "R", "S", "$Forwarded", "urgent")),
        "2": ("INBOX", ()),
        "3": ("Sent", ("S",)),
        "4": ("工作/图件", ()),
    }
    assert all(raw(o) == MAIL and o.kind == "maildir" for o in found.values())


def test_no_message_of_a_maildir_is_opened_to_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = maildir(tmp_path)
    put(root, "cur/1.a.host:2,S")
    put(root, ".Sent/cur/2.b.host;2,")
    opened: list[str] = []
    open_file = os.open

    def noting(path: str, flags: int) -> int:
        opened.append(path)
        return open_file(path, flags)

    monkeypatch.setattr(os, "open", noting)
    assert len(list(plan(root))) == 2
    assert opened == []


def test_message_keeps_its_key_when_flags_and_directory_change(tmp_path: Path) -> None:
    root = maildir(tmp_path)
    path = put(root, "new/2.b.host")
    (before,) = plan(root)
    path.rename(root / "cur/2.b.host:2,RS")
    (after,) = plan(root)
    assert before.key == after.key == "maildir:2.b.host+41"


def test_two_copies_with_different_flags_have_two_keys(tmp_path: Path) -> None:
    root = maildir(tmp_path)
    put(root, "cur/1.a:2,")
    put(root, "cur/1.a:2,S")
    put(root, "new/1.a")
    assert len(by_name(root)) == 3


def test_unfinished_deliveries_and_bookkeeping_are_counted_not_read(tmp_path: Path) -> None:
    root = maildir(tmp_path)
    put(root, "tmp/1.a")
    put(root, "tmp/deeper/2.a")
    for name in ("dovecot.index.log", "subscriptions", ".Sent/maildirfolder", "courierimapuiddb"):
        put(root, name, b"x")
    notes = {name: o.facts.note for name, o in by_name(root).items()}
    assert notes.pop("tmp/1.a") == notes.pop("tmp/deeper/2.a") == "maildir_tmp"
    assert set(notes.values()) == {"mail_server_bookkeeping"}
    assert len(notes) == 4


def test_maildirs_deeper_in_a_tree_are_named_by_their_place(tmp_path: Path) -> None:
    root = maildir(tmp_path / "alice" / "Maildir")
    put(root, "cur/1.a:2,S")
    put(root, ".Sent/cur/2.a:2,S")
    put(root, "notes.eml")
    folders = {name: o.facts.folder for name, o in by_name(tmp_path).items()}
    assert folders == {
        "alice/Maildir/cur/1.a:2,S": "alice/Maildir",
        "alice/Maildir/.Sent/cur/2.a:2,S": "alice/Maildir/Sent",
        "alice/Maildir/notes.eml": "alice/Maildir",
    }


def test_messages_that_the_server_compressed_are_given_as_received(tmp_path: Path) -> None:
    root = maildir(tmp_path)
    put(root, "cur/1.a,S=41:2,S", gzip.compress(MAIL))
    (offered,) = plan(root)
    assert raw(offered) == MAIL


def test_directory_of_messages_that_is_imported_alone(tmp_path: Path) -> None:
    put(tmp_path, "cur/1.a:2,S")
    (offered,) = plan(tmp_path / "cur")
    assert raw(offered) == MAIL


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("1.a:2,FS", ("1.a", ("F", "S"))),
        ("1.a;2,", ("1.a", ())),
        ("1.a!2,T", ("1.a", ("T",))),
        ("1.a:1,x", ("1.a:1,x", ())),
        ("1.a", ("1.a", ())),
    ],
)
def test_info_is_split_from_the_unique_name(name: str, wanted: tuple[str, tuple[str, ...]]) -> None:
    assert split_name(name, {}) == wanted


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Entw&APw-rfe", "Entwürfe"),
        ("R&-D", "R&D"),
        ("&g0l6Pw-", "草稿"),
        ("&!!-", "&!!-"),
        ("&A-", "&A-"),
        ("&2AA-", "&2AA-"),
    ],
)
def test_folder_names_are_decoded_or_left(name: str, wanted: str) -> None:
    assert decode_utf7(name) == wanted


def test_keyword_lines_that_make_no_sense_are_passed() -> None:
    assert parse_keywords("0 a\n25 z\n26 no\nx y\n\n-1 no\n999999 no\n") == {"a": "a", "z": "z"}


# Apple Mail


@pytest.mark.parametrize("name", ["plaintext.emlx", "richtext.emlx"])
def test_apple_mail_file_gives_the_message_alone(name: str) -> None:
    path = CORPUS / "emlx" / name
    (offered,) = plan(path)
    item = read(offered)
    assert isinstance(item, RawItem)
    data = path.read_bytes()
    start = data.index(b"\n") + 1
    assert item.raw == data[start : start + int(data[:start])]
    assert item.facts.flags[0] == "read"
    assert item.facts.note.startswith("date-received=1")
    assert item.facts.received_at is None


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"41\n" + MAIL, MAIL),
        (b"41\n" + MAIL + b"<plist>broken", MAIL),
        (b"41\n" + MAIL + b"<!DOCTYPE p [<!ENTITY a 'b'>]><plist><dict/></plist>", MAIL),
        (b"42\n" + MAIL, None),
        (b"9" * 40 + b"\n" + MAIL, None),
        (b"4 1\n" + MAIL, None),
    ],
)
def test_broken_apple_mail_file(tmp_path: Path, data: bytes, wanted: bytes | None) -> None:
    (offered,) = plan(put(tmp_path, "1.emlx", data))
    item = read(offered)
    if wanted is None:
        assert item == Unreadable("damaged:emlx", retryable=False)
    else:
        assert isinstance(item, RawItem)
        assert item.raw == wanted


def test_apple_mail_file_without_its_attachments_says_so(tmp_path: Path) -> None:
    (offered,) = plan(put(tmp_path, "1.partial.emlx", b"41\n" + MAIL))
    assert offered.facts.note == "attachments_kept_apart"


def test_file_gone_while_the_tree_is_walked_is_offered(tmp_path: Path) -> None:
    put(tmp_path, "a.eml")
    gone = put(tmp_path, "b.eml")
    walk = plan(tmp_path)
    next(walk)
    gone.unlink()
    (offered,) = walk
    assert (offered.kind, offered.facts.note) == ("unknown", "io_error:enoent")
    assert read(offered) == Unreadable("io_error:enoent", retryable=True)


@pytest.mark.parametrize(
    ("name", "data", "kind"),
    [
        ("a", b"X-Any: one\n two\nFrom: a@a.example\n\nx", "eml"),
        ("a", b"X-Any: one\nY-Any: two\n\nFrom: a@a.example\n", "unknown"),
        ("a", b"X-Any: one", "unknown"),
        ("a", b"From the desk of nobody\nwho writes a letter\n", "unknown"),
        ("a", b"From " + b"x" * 2000 + b"\nSubject: y\n", "unknown"),
        ("a", b"From somebody\nSubject: y\n\nx\n", "mbox"),
        ("a.tar", b"no tar at all", "unknown"),
        ("a.emlx", b"Subject: no count\n\nx\n", "eml"),
        ("a.zst", b"\x28\xb5\x2f\xfd", "unknown"),
        ("winmail.dat", b"\x78\x9f\x3e\x22", "unknown"),
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "unknown"),
    ],
)
def test_content_decides_what_a_file_is(tmp_path: Path, name: str, data: bytes, kind: str) -> None:
    (offered,) = plan(put(tmp_path, name, data))
    assert offered.kind == kind
