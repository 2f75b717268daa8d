"""Large items on their way: nothing in clear on the disk, and nothing else taken for them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from holdfast.core.errors import Corrupt
from holdfast.ingest.orders import Order, Report, encode, reports_decoder
from holdfast.ingest.readers.offers import Offered
from holdfast.ingest.readers.sealed_files import SealedFile, SealedWriter, opened
from holdfast.ingest.workbench import workbench


def written(path: Path, *pieces: bytes) -> SealedFile:
    with path.open("xb") as file:
        writer = SealedWriter(path, file)
        for piece in pieces:
            writer.write(piece)
        return writer.finished()


def test_what_is_written_comes_back_and_lies_there_in_no_readable_form(tmp_path: Path) -> None:
    text = b"Subject: secret plans\r\n" * 200_000
    sealed = written(tmp_path / "a", text[:17], text[17:3_000_000], text[3_000_000:])
    found = opened(sealed.path, sealed.key, sealed.size_bytes, sealed.content_id)
    assert found[:] == text
    raw = sealed.path.read_bytes()
    assert (len(raw), b"secret" in raw) == (len(text), False)
    assert repr(sealed.key) not in repr(sealed)
    again = written(tmp_path / "b", text)
    assert again.path.read_bytes() != raw


def test_any_change_of_the_file_is_seen(tmp_path: Path) -> None:
    sealed = written(tmp_path / "a", os.urandom(3_000_000))
    raw = sealed.path.read_bytes()
    for wrong in (raw[:-1], raw[:5] + b"!" + raw[6:], b""):
        sealed.path.write_bytes(wrong)
        with pytest.raises(Corrupt, match="changed on its way"):
            opened(sealed.path, sealed.key, sealed.size_bytes, sealed.content_id)


def test_worker_that_cannot_read_the_file_says_so(tmp_path: Path) -> None:
    offered = Offered("k", str(tmp_path / "gone"), "imap", 1, 9)
    work = workbench()
    (report,) = reports_decoder.decode(work(encode([Order(offered, file_key=b"k" * 32)])))
    assert report == Report(unreadable="io_error: spool", is_retryable=True)
