"""Every mbox variant, cut into the bytes that a delivery agent was given."""

from __future__ import annotations

import mailbox
import re
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.core.errors import Refused
from holdfast.core.records import RawItem
from holdfast.ingest.readers import windows
from holdfast.ingest.readers.contents import PlanRules
from holdfast.ingest.readers.mbox import unquote
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.planning import plan
from holdfast.ingest.readers.reading import Reader, ReaderConfig

CORPUS = Path(__file__).parents[2] / "corpus"
LINE = b"From alice@a.example Sat Feb  3 10:00:00 2001\n"
ONE = b"From: a@a.example\nSubject: one\n\nbody one\n"
TWO = b"From: b@b.example\nSubject: two\n\nbody two\n"


def offers(path: Path, data: bytes | None = None, quoting: str = "auto") -> list[Offered]:
    if data is not None:
        path.write_bytes(data)
    return list(plan(path, PlanRules(quoting=quoting)))


def originals(found: list[Offered]) -> list[bytes]:
    with Reader() as reader:
        items = [reader.read(offered) for offered in found]
    assert all(isinstance(item, RawItem) for item in items), items
    return [item.raw for item in items if isinstance(item, RawItem)]


@pytest.fixture
def box(tmp_path: Path) -> Path:
    return tmp_path / "box.mbox"


def test_members_lose_their_from_line_and_the_empty_line_after_them(box: Path) -> None:
    found = offers(box, LINE + ONE + b"\n" + LINE + TWO + b"\n")
    assert originals(found) == [ONE, TWO]
    assert [(o.offset, o.length) for o in found] == [
        (len(LINE), len(ONE)),
        (2 * len(LINE) + len(ONE) + 1, len(TWO)),
    ]
    assert found[0].facts.from_line == LINE.decode().rstrip("\n")
    assert found[0].facts.member == f"{len(LINE)}+{len(ONE)}"
    assert (found[0].facts.quoting, found[0].facts.folder) == ("mboxrd", "box")


def test_only_one_empty_line_belongs_to_the_container(box: Path) -> None:
    found = offers(box, LINE + ONE + b"\n\n\n" + LINE + TWO + b"\n\n")
    assert originals(found) == [ONE + b"\n\n", TWO + b"\n"]


def test_member_without_empty_line_after_it_loses_nothing(box: Path) -> None:
    assert originals(offers(box, LINE + ONE + LINE + TWO)) == [ONE, TWO]


def test_last_line_may_lack_its_end(box: Path) -> None:
    assert originals(offers(box, LINE + ONE + b"tail")) == [ONE + b"tail"]


def test_crlf_stays_and_its_separator_goes(box: Path) -> None:
    one = ONE.replace(b"\n", b"\r\n")
    line = LINE.replace(b"\n", b"\r\n")
    assert originals(offers(box, (line + one + b"\r\n") * 2)) == [one, one]
    found = offers(box, (LINE + one + b"\n") * 2)
    assert originals(found) == [one, one]


def test_byte_order_mark_and_empty_lines_before_the_first_member_are_passed(box: Path) -> None:
    found = offers(box, b"\xef\xbb\xbf\r\n\n" + LINE + ONE)
    assert originals(found) == [ONE]
    assert found[0].offset == 6 + len(LINE)


def test_rd_quoting_loses_one_sign_in_every_line(box: Path) -> None:
    kept = b"A: b\n\nFrom x\n>From y\n>>From z\n> From\n>Fromage\n"
    stored = re.sub(rb"(?m)^(>*From )", rb">\1", kept)
    assert originals(offers(box, LINE + stored + b"\n" + LINE + ONE)) == [kept, ONE]


def test_o_quoting_leaves_double_signs_alone(box: Path) -> None:
    found = offers(box, LINE + b"A: b\n\n>From x\n>>From y\n", quoting="mboxo")
    assert originals(found) == [b"A: b\n\nFrom x\n>>From y\n"]
    assert found[0].facts.quoting == "mboxo"


def test_quoting_that_does_not_exist_is_refused(box: Path) -> None:
    with pytest.raises(Refused):
        offers(box, LINE, quoting="mboxx")


def counted(body: bytes) -> bytes:
    return b"Subject: s\nContent-Length: %d\n\n" % len(body) + body


def test_content_length_that_lands_protects_bare_from_lines(box: Path) -> None:
    one = counted(b"text\n\n" + LINE + b"Subject: not a member\n\n>From quoted\n")
    found = offers(box, LINE + one + b"\n" + LINE + counted(b"two\n") + b"\n")
    assert originals(found) == [one, counted(b"two\n")]
    assert found[0].facts.quoting == "mboxcl2"


def test_content_length_with_quoting_is_cl(box: Path) -> None:
    found = offers(box, LINE + counted(b">From x\n") + b"\n" + LINE + counted(b"y\n"))
    assert found[0].facts.quoting == "mboxcl"
    assert originals(found)[0].endswith(b"\n\nFrom x\n")


def test_content_length_that_misses_is_ignored(box: Path) -> None:
    wrong = b"Content-Length: 3\n\nlonger than three\n"
    found = offers(box, (LINE + counted(b"x\n") + b"\n") * 3 + LINE + wrong + b"\n" + LINE + ONE)
    assert originals(found) == [counted(b"x\n")] * 3 + [wrong, ONE]


def test_sender_cannot_hide_later_members_by_content_length(box: Path) -> None:
    after = b"\n" + LINE + ONE
    hiding = b"Content-Length: %d\n\nx\n" % (2 + len(after))
    assert originals(offers(box, (LINE + TWO + b"\n") * 3 + LINE + hiding + after)) == [
        *[TWO] * 3,
        hiding,
        ONE,
    ]


def test_content_length_beyond_the_end_is_noted(box: Path) -> None:
    cut = b"Content-Length: 999\n\ncut he"
    found = offers(box, (LINE + counted(b"x\n") + b"\n") * 3 + LINE + cut)
    assert originals(found)[-1] == cut
    assert [o.facts.note for o in found] == ["", "", "", "truncated_tail"]


def test_exact_length_keeps_trailing_empty_lines_and_missing_line_ends(box: Path) -> None:
    one, two = counted(b"x\n\n\n"), counted(b"no end")
    found = offers(box, LINE + one + b"\n" + LINE + two + b"\n\n" + LINE + two)
    assert originals(found) == [one, two, two]


@pytest.mark.parametrize(
    "line",
    [
        b"From user at host.example  Sat Feb  3 10:00:00 2001\n",
        b"From - Sat Feb 03 10:00:00 2001\n",
        b"From ???@??? Sat Feb 03 10:00:00 2001\n",
        b"From ???@???\n",
        b"From a@b.example Sat Feb  3 10:00:00 EET 2001\n",
        b"From a@b.example Sat Feb  3 10:00:00 2001 +0200\n",
        b"From a@b.example Sat, 03 Feb 2001 10:00:00 +0200\n",
        b"From a@b.example 2001-02-03 10:00\n",
        b'From "a b"@c.example Sat Feb  3 10:00 2001\n',
        b"From  Sat Feb  3 10:00:00 2001\n",
    ],
)
def test_from_lines_of_many_programs_begin_a_member(box: Path, line: bytes) -> None:
    assert originals(offers(box, line + ONE + b"\n" + line + TWO)) == [ONE, TWO]


@pytest.mark.parametrize(
    "text",
    [
        b"\nFrom the office in 2004 we moved\nto another town\n",
        b"\nFrom 10:30 on the office is closed: 2004 was no better\nso long\n",
        b"From alice@a.example Sat Feb  3 10:00:00 2001\nno header follows, no blank before\n",
        b"\nFrom here\nSubject: looks like one, but has no date\n",
        b"\nFrom " + b"x" * 2000 + b" Sat Feb  3 10:00:00 2001\nSubject: y\n",
    ],
)
def test_bare_from_in_a_body_does_not_cut_it(box: Path, text: bytes) -> None:
    assert originals(offers(box, LINE + ONE + text + b"\n" + LINE + TWO)) == [ONE + text, TWO]


def test_member_without_a_byte_is_still_a_member(box: Path) -> None:
    found = offers(box, LINE + ONE + b"\n" + LINE + LINE + TWO)
    assert originals(found) == [ONE, b"", TWO]


def test_members_are_found_across_the_chunks_that_are_read(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "CHUNK_BYTES", 64)
    wanted = [b"Subject: %d\n\n%s\n" % (n, b"From " * n) for n in range(60)]
    data = b"".join(LINE + message + b"\n" for message in wanted)
    assert originals(offers(box, data)) == wanted
    many = [counted(b"a\n\n" + LINE + b"B: c\n" * n) for n in range(60)]
    assert originals(offers(box, b"".join(LINE + m + b"\n" for m in many))) == many


def test_members_of_a_grown_file_keep_their_keys(box: Path) -> None:
    before = offers(box, LINE + ONE + b"\n" + LINE + TWO + b"\n")
    after = offers(box, box.read_bytes() + LINE + ONE + b"\n")
    assert [o.key for o in after][:2] == [o.key for o in before]
    assert len({o.key for o in after}) == 3


def test_tail_that_was_half_written_gets_a_new_key_when_whole(box: Path) -> None:
    (half,) = offers(box, LINE + ONE[:-4])
    (whole,) = offers(box, LINE + ONE)
    assert half.key != whole.key


def test_other_bytes_in_the_same_place_get_another_key(box: Path) -> None:
    (first,) = offers(box, LINE + ONE)
    (second,) = offers(box, LINE + ONE.replace(b"one", b"eno"))
    assert first.key != second.key


def test_keys_do_not_tell_where_the_file_lies(tmp_path: Path) -> None:
    keys = []
    for name in ("here", "there"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "box").write_bytes(LINE + ONE)
        keys.append([o.key for o in plan(tmp_path / name)])
    assert keys[0] == keys[1]
    assert keys[0][0].startswith("mbox:sub/box@0+")


def test_file_that_changes_after_planning_is_not_read_wrongly(box: Path) -> None:
    found = offers(box, LINE + ONE + b"\n" + LINE + TWO)
    box.write_bytes(LINE + TWO + b"\n" + LINE + ONE)
    with Reader() as reader:
        assert {reader.read(o) for o in found} == {_changed()}
    box.write_bytes(LINE)
    with Reader() as reader:
        assert {reader.read(o) for o in found} == {_changed()}


def _changed() -> object:
    from holdfast.ingest.readers.offers import Unreadable

    return Unreadable("file_changed", retryable=True)


def test_large_members_are_read_through_a_mapping_with_the_same_result(box: Path) -> None:
    body = b"B: c\n\n" + b">From x\n>>From y\nplain\n" * 2000
    found = offers(box, LINE + ONE + b"\n" + LINE + body)
    with Reader(ReaderConfig(map_above_bytes=100)) as reader:
        items = [reader.read(o) for o in found]
    assert [item.raw for item in items if isinstance(item, RawItem)] == originals(found)


@pytest.mark.parametrize("name", sorted(p.name for p in (CORPUS / "imaptest").glob("*.mbox")))
def test_members_equal_those_of_the_standard_library(name: str) -> None:
    path = CORPUS / "imaptest" / name
    with closing(mailbox.mbox(path, create=False)) as oracle:
        wanted = [oracle.get_bytes(key) for key in oracle.iterkeys()]
    assert originals(offers(path)) == wanted


def test_members_equal_those_of_mime4j_less_the_separator() -> None:
    folder = CORPUS / "mime4j-mbox"
    wanted = [(folder / f"mbox.rlug-{n}").read_bytes() for n in range(5)]
    assert [raw + b"\n" for raw in originals(offers(folder / "mbox.rlug"))] == wanted


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("pipermail-twisted/2001-February.txt", 10),
        ("pipermail-twisted/2001-June.txt", 20),
        ("tika-mbox/complex.mbox", 3),
        ("tika-mbox/simple.mbox", 2),
        ("tika-mbox/quoted.mbox", 1),
        ("tika-mbox/testMBOX_complex.mbox", 1),
    ],
)
def test_archives_of_other_programs_give_every_member(name: str, count: int) -> None:
    found = offers(CORPUS / name)
    assert len(originals(found)) == count
    assert {o.kind for o in found} == {"mbox"}


# An independent writer of each variant; a message is a list of lines.

LINES = st.one_of(
    st.sampled_from(
        [b"", b"From x", b">From x", b">>From y", b"From a@b Sat Feb  3 10:00:00 2001"]
    ),
    st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").replace(b"\r", b"")),
)
MESSAGES = st.lists(st.lists(LINES, max_size=8), min_size=1, max_size=6)


def assembled(number: int, lines: list[bytes], end: bytes) -> bytes:
    return end.join([b"Subject: %d" % number, b"X-Y: z", b"", *lines, b""])


def stored(message: bytes, variant: str) -> bytes:
    if variant == "mboxrd":
        message = re.sub(rb"(?m)^(>*From )", rb">\1", message)
    elif variant in ("mboxo", "mboxcl"):
        message = re.sub(rb"(?m)^From ", b">From ", message)
    if variant in ("mboxcl", "mboxcl2"):
        head, blank, body = message.partition(b"\n\n")
        message = head + b"\nContent-Length: %d" % len(body) + blank + body
    return message


@given(
    MESSAGES,
    st.sampled_from(["mboxo", "mboxrd", "mboxcl", "mboxcl2"]),
    st.sampled_from([b"\n", b"\r\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_any_variant_stores_comes_back_byte_for_byte(
    box: Path, messages: list[list[bytes]], variant: str, end: bytes
) -> None:
    end = b"\n" if variant in ("mboxcl", "mboxcl2") else end
    if variant in ("mboxo", "mboxcl"):  # these cannot tell a quoted line from one that was so
        messages = [[line for line in m if not line.startswith(b">")] for m in messages]
    wanted = [assembled(n, lines, end) for n, lines in enumerate(messages)]
    data = b"".join(LINE + stored(message, variant) + end for message in wanted)
    bare = any(line.startswith(b"From ") for lines in messages for line in lines)
    quoted = any(line.startswith(b">") for lines in messages for line in lines)
    # Only a person can tell mboxo from mboxrd, and mboxcl2 from mboxcl where no body proves it.
    is_told = variant == "mboxo" or (variant == "mboxcl2" and quoted and not bare)
    quoting = variant if is_told else "auto"
    found = offers(box, data, quoting)
    read = [re.sub(rb"\nContent-Length: \d+", b"", raw) for raw in originals(found)]
    assert read == wanted
    assert [o.key for o in offers(box, quoting=quoting)] == [o.key for o in found]


@given(
    st.lists(st.sampled_from([b"From ", b"\n", LINE, b">", b"a: b\n", b"\r\n", b"x"]), max_size=60)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_byte_of_any_file_is_lost(box: Path, pieces: list[bytes]) -> None:
    data = LINE + b"".join(pieces)
    found = offers(box, data)
    position = 0
    for offered in found:
        between = data[position : offered.offset]
        assert re.fullmatch(rb"(\r?\n)?From [^\n]*\n?", between), between
        position = offered.offset + offered.length
    assert re.fullmatch(rb"(\r?\n)?", data[position:])
    assert len({o.key for o in found}) == len(found)


def test_quoting_is_undone_only_at_the_beginning_of_lines() -> None:
    assert unquote(memoryview(b">From a >From b\n"), "mboxrd") == b"From a >From b\n"
    assert unquote(memoryview(b">From a\n"), "mboxcl2") == b">From a\n"


def test_content_length_before_an_undated_from_line_does_not_land(box: Path) -> None:
    one = counted(b"x\n")
    wrong = b"Content-Length: 2\n\ny\n\nFrom here on\nmore\n"
    far = b"Subject: y\n" + b"X-Long: %s\n" % (b"z" * 300_000) + b"Content-Length: 2\n\ny\n"
    data = (LINE + one + b"\n") * 4 + LINE + wrong + b"\n" + LINE + far
    assert originals(offers(box, data)) == [*[one] * 4, wrong, far]


def test_mailbox_that_a_mail_program_shortens_meanwhile_ends_early(
    box: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "CHUNK_BYTES", 64)
    box.write_bytes((LINE + ONE + b"\n") * 200)
    found = plan(box)
    first = next(found)
    box.write_bytes((LINE + ONE + b"\n") * 30)
    rest = list(found)
    assert len(rest) <= 30
    assert originals([first]) == [ONE]
