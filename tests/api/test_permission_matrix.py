"""F61: every role at every outlet, over made-up scopes: each shows what the judge allows."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from permission_matrix import Matrix, matrix_office

COMPANIES = 6


def test_f61_every_outlet_shows_what_the_judge_allows(tmp_path: Path) -> None:
    with matrix_office(tmp_path) as office:
        matrix = Matrix(office, random.Random(11))
        matrix.read_all()
        matrix.judge(companies=COMPANIES)
    assert matrix.scopes > COMPANIES
    assert {outlet for _, outlet, status in matrix.asked if status == 200} >= {
        "search", "record", "original", "thread", "room", "contact/timeline", "changes",
    }  # fmt: skip


def test_f61_matrix_finds_out_an_outlet_that_forgets_the_scope(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.api.routes.threads.visible", lambda principal, found: found)
    with matrix_office(tmp_path) as office:
        matrix = Matrix(office, random.Random(11))
        matrix.read_all()
        with pytest.raises(AssertionError):
            matrix.judge(companies=10 * COMPANIES)


@pytest.mark.parametrize(
    ("place", "broken"),
    [
        ("holdfast.api.asking.as_seen", lambda record, scope: record),
        ("holdfast.indexer.withheld.guard_recipients", lambda node, knowers: node),
        ("holdfast.storage.catalogue.copies.may_have", lambda *_, **__: True),
        ("holdfast.core.hidden_recipients.is_withheld", lambda record, knowers: bool(knowers)),
    ],
)
def test_matrix_finds_out_an_outlet_that_tells_hidden_recipients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, broken: object
) -> None:
    monkeypatch.setattr(place, broken)
    with matrix_office(tmp_path) as office:
        matrix = Matrix(office, random.Random(11))
        matrix.read_all()
        with pytest.raises(AssertionError):
            matrix.judge(companies=10 * COMPANIES)
