from __future__ import annotations

from pathlib import Path

from archive_kit import bring_in, findings, message, settings_in, write_mbox
from holdfast.ingest.demo.tampering import tampered_copy
from holdfast.settings import Settings


def test_verify_names_the_changed_bit_of_the_copy_and_nothing_in_the_archive(
    tmp_path: Path,
) -> None:
    settings = settings_in(tmp_path)
    bring_in(settings, write_mbox(tmp_path / "in.mbox", [message(n) for n in range(50)]))
    copy = tmp_path / "copy"
    for _ in range(2):
        tampered_copy(settings.data, settings.keys_folder, copy)
        assert {"original"} <= {finding.part for finding in findings(settings_at(copy))}
    assert findings(settings) == []


def settings_at(folder: Path) -> Settings:
    return settings_in(folder.parent, data=folder)
