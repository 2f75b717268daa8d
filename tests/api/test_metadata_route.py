"""What people add to a record over HTTP: in versions, masked for who may not see numbers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_kit import Office, office
from archive_kit import bring_in, settings_in
from cli_archive import write_mbox
from holdfast.wiring.founding import create_archive


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("desk")
    settings = settings_in(folder, service={"requests_per_minute": 0})
    create_archive(settings)
    bring_in(settings, write_mbox(folder / "letters.mbox"))
    with office(settings) as opened:
        opened.hire("legal", "legal")
        opened.hire("boss", "member", addresses=("boss@our.example",))
        yield opened


def test_change_is_a_version_and_the_former_words_stay(desk: Office) -> None:
    record = desk.found("legal", "harbour")[0]
    path = f"/records/{record}/metadata"
    first = desk.ask("legal", "GET", path)
    assert first.json()["version"] == 0
    tag = {"If-Match": first.headers["etag"]}
    change = {"add_tags": ["port"], "add_notes": ["Ring 13800138000"], "summary": "a budget"}
    after = desk.ask("legal", "PATCH", path, json=change, headers=tag)
    assert (after.status_code, after.json()["tags"]) == (200, ["port"])
    assert desk.ask("legal", "PATCH", path, json=change, headers=tag).status_code == 412
    desk.ask("legal", "PATCH", path, json={"remove_tags": ["port"], "owner": "Li"})
    now = desk.get("legal", path)
    assert (now["tags"], now["owner"], now["summary"]) == ([], "Li", "a budget")
    versions = desk.get("legal", f"/records/{record}/versions")
    assert [one["version"] for one in versions] == sorted(one["version"] for one in versions)
    fields = {each["field"]: each for each in versions[-1]["changes"]}
    assert (fields["tags"]["before"], fields["tags"]["after"]) == (["port"], [])
    assert "13800138000" not in desk.ask("legal", "GET", path).text
    assert "13800138000" not in desk.ask("legal", "GET", f"/records/{record}/versions").text


def test_metadata_follows_the_scope_of_its_record(desk: Office) -> None:
    record = desk.found("legal", "harbour")[0]
    desk.get("boss", f"/records/{record}/metadata", 404)
    desk.get("boss", f"/records/{record}/versions", 404)
    assert desk.ask("boss", "PATCH", f"/records/{record}/metadata", json={}).status_code in {
        403,
        404,
    }


def test_empty_change_is_refused(desk: Office) -> None:
    record = desk.found("legal", "harbour")[0]
    answer = desk.ask("legal", "PATCH", f"/records/{record}/metadata", json={})
    assert answer.json()["code"] == "refused"
