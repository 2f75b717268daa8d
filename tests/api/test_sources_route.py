"""Sources over HTTP: their runs, and how they rest and go on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from api_kit import Office, empty_office
from holdfast.storage.catalogue.accounts import NewAccount, add_account
from holdfast.storage.catalogue.source_runs import EndedRun, begin_run, end_run


@pytest.fixture
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with empty_office(tmp_path_factory.mktemp("post")) as opened:
        opened.hire("it", "it")
        opened.hire("legal", "legal")
        yield opened


def test_source_rests_goes_on_and_shows_its_runs(post: Office) -> None:
    store = post.services.store
    source = add_account(store, NewAccount("main", "imap", '"main"', "{}"), b"hush-hush")
    run = begin_run(store, source, "command", "worker")
    end_run(store, run, EndedRun("done", counts='{"new":3}'))
    begin_run(store, source, "schedule", "worker")
    newest, first = post.get("it", "/sources/main/runs")
    assert (newest["outcome"], newest["ended_at"]) == ("running", None)
    assert (first["outcome"], first["counts"], first["why"]) == ("done", {"new": 3}, "command")
    assert len(post.get("it", "/sources/main/runs?limit=1")) == 1
    assert post.post("it", "/sources/main/pause")["state"] == "paused"
    assert post.post("it", "/sources/main/resume")["state"] != "paused"
    assert "hush" not in post.ask("it", "GET", "/sources").text


def test_sources_are_for_who_looks_after_them(post: Office) -> None:
    for path in ("runs", "pause", "resume"):
        method = "GET" if path == "runs" else "POST"
        assert post.ask("legal", method, f"/sources/main/{path}").status_code == 403
        assert post.ask("it", method, f"/sources/none/{path}").status_code == 404
