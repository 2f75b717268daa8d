"""A9: what people add is versioned, what was altered behind the archive's back is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive_kit import findings
from holdfast.core.identity import row_id
from holdfast.storage.catalogue.engine import reading
from holdfast.storage.catalogue.reading import captures_of
from holdfast.storage.catalogue.schema import originals
from story_kit import house


@pytest.mark.unmeasured
def test_a9_three_versions_and_exactly_what_was_altered(tmp_path: Path) -> None:
    with house(tmp_path) as (office, settings):
        one = office.found("legal1", "8.5 折")[0]
        other = office.found("legal1", "lighthouse")[0]
        before = office.ask("legal1", "GET", f"/records/{one}/original").content
        for summary in ("first", "second", "third"):
            path = f"/records/{one}/metadata"
            tag = office.ask("legal1", "GET", path).headers["etag"]
            changed = office.ask(
                "legal1", "PATCH", path, json={"summary": summary}, headers={"If-Match": tag}
            )
            assert changed.status_code == 200, changed.text
        versions = office.get("legal1", f"/records/{one}/versions")
        pairs = [
            (change["before"], change["after"])
            for version in versions
            for change in version["changes"]
            if change["field"] == "summary"
        ]
        assert pairs == [("", "first"), ("first", "second"), ("second", "third")]
        assert {version["actor"] for version in versions} == {"legal1"}
        assert office.ask("legal1", "GET", f"/records/{one}/original").content == before
        store = office.services.store
        office.services.desk.sequencer.run()
        capture = captures_of(store, row_id("msg", other))[0]
        with reading(store.engine) as connection:
            row = connection.execute(
                originals.select().where(originals.c.id == capture.original_id)
            ).one()
    assert findings(settings) == []
    flip(next(settings.data.rglob(f"*{row.segment}*")), row.offset + row.length - 3)
    named = findings(settings)
    assert named
    assert all(capture.sha256 in json.dumps([f.name, f.cause]) or f.part == "segment" or
               f.name in {other} or f.part == "original" for f in named)  # fmt: skip


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))
