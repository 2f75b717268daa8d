"""The witness file: only ever added to, never begun twice, readable after a crash."""

from __future__ import annotations

import fcntl
import resource
import signal
from pathlib import Path

import pytest

from holdfast.core.errors import Corrupt, Unavailable
from holdfast.storage.anchoring.witness import Remembered, Witness

NOTE = "holdfast/one\n3\ncm9vdA==\n\n— holdfast/one c2lnbmF0dXJl\n".encode()


def no_check(note: bytes) -> None:
    assert note


def line(at_ms: int, token: bytes | None = None) -> Remembered:
    return Remembered(0, at_ms, NOTE, token)


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    found = Witness(tmp_path / "witness")
    found.add(line(1), no_check, may_begin=True)
    return found


def times(witness: Witness) -> list[int]:
    return [one.at_ms for one in witness.lines()]


def test_what_was_added_is_remembered_byte_for_byte(witness: Witness) -> None:
    witness.add(line(2, b"\x00token"), no_check, may_begin=False)
    first, second = witness.lines()
    assert (first.number, first.at_ms, first.note, first.token) == (1, 1, NOTE, None)
    assert (second.number, second.note, second.token) == (2, NOTE, b"\x00token")
    assert witness.last() is not None
    assert times(witness) == [1, 2]


def test_file_that_is_gone_is_not_begun_anew(witness: Witness) -> None:
    """Its disk is not mounted, or somebody took it away: a new one would hide that."""
    witness.path.unlink()
    with pytest.raises(Unavailable, match="is not there"):
        witness.add(line(2), no_check, may_begin=False)
    assert not witness.path.exists()
    assert witness.last() is None
    with pytest.raises(Unavailable, match="is not there"):
        times(witness)


def test_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="is not there"):
        Witness(tmp_path / "unmounted" / "witness").add(line(1), no_check, may_begin=True)
    assert not (tmp_path / "unmounted").exists()


def test_last_line_is_asked_before_anything_is_added(witness: Witness) -> None:
    before = witness.path.read_bytes()

    def refuse(note: bytes) -> None:
        assert note == NOTE
        raise Corrupt("It is another log.")

    with pytest.raises(Corrupt, match="another log"):
        witness.add(line(2), refuse, may_begin=False)
    assert witness.path.read_bytes() == before


@pytest.mark.parametrize("cut", [1, 2, 10, 60])
def test_line_that_a_crash_cut_off_counts_as_never_written(witness: Witness, cut: int) -> None:
    witness.add(line(2), no_check, may_begin=False)
    witness.path.write_bytes(witness.path.read_bytes()[:-cut])
    left = [1] if cut > 1 else [1, 2]
    assert times(witness) == left
    witness.add(line(3), no_check, may_begin=False)
    assert times(witness) == [*left, 3]
    assert witness.path.read_bytes().startswith(b'{"at":1,')


def test_first_line_that_a_crash_cut_off_is_followed(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "witness")
    witness.path.write_bytes(b'{"at')
    witness.add(line(2), no_check, may_begin=True)
    assert times(witness) == [2]


DAMAGED = (
    b'{"at":1}\n',
    b'{"at":1,"note":"\xff","v":1}\n',
    b'{"at":1,"note":"","token":"x","v":1}\n',
)


@pytest.mark.parametrize("text", DAMAGED)
def test_damaged_line_is_named(witness: Witness, text: bytes) -> None:
    witness.path.write_bytes(witness.path.read_bytes() + text)
    with pytest.raises(Corrupt, match="Line 2"):
        times(witness)
    with pytest.raises(Corrupt, match="The last line"):
        witness.last()


def test_file_of_another_kind_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "witness"
    path.write_text("root:x:0:0\n")
    with pytest.raises(Corrupt, match="no line of ours"):
        Witness(path).add(line(1), no_check, may_begin=True)
    assert path.read_text() == "root:x:0:0\n"


def test_folder_in_its_place_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        Witness(tmp_path).add(line(1), no_check, may_begin=True)
    with pytest.raises(Unavailable):
        Witness(tmp_path).last()


def test_another_writer_is_not_waited_for(witness: Witness) -> None:
    with witness.path.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="Another process"):
            witness.add(line(2), no_check, may_begin=False)
    assert times(witness) == [1]


def test_disk_that_refuses_is_unavailable(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:

    size = witness.path.stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, before[1]))
        with pytest.raises(Unavailable, match="writing the witness file"):
            witness.add(line(2), no_check, may_begin=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert times(witness) == [1]
    witness.add(line(3), no_check, may_begin=False)
    assert times(witness) == [1, 3]
