from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from catalogue_kit import START, Filing, Mail, new_store
from disposal_kit import Hands, Office, searching
from holdfast.core.errors import Conflict
from holdfast.ingest.tending import tend
from holdfast.retention.disposal import Asked, plan

DAYS = 5


def due(folder: Path) -> Office:
    """Return an archive with one message that has been due for a day, planned and looked at."""
    store = new_store(folder)
    office = Office.of(store, Hands(START + timedelta(seconds=10)))
    Filing(office.store, source="box", custodian="li")(Mail(subject="Budget", body="budget"))
    office.rule("ceiling", 1)
    assert plan(office.store, searching(office.store), Asked(office.ann)) is not None
    return office


def test_a_service_that_runs_for_days_does_not_take_its_own_clock_for_one_that_jumped(
    tmp_path: Path,
) -> None:
    office = due(tmp_path)
    for _ in range(24 * DAYS):
        office.hands.forward(hours=1)
        tend(office.store)
    assert plan(office.store, searching(office.store), Asked(office.ann)) is None  # and no refusal
    office.store.engine.dispose()


def test_f56_a_clock_that_jumps_while_somebody_tends_is_not_followed(tmp_path: Path) -> None:
    office = due(tmp_path)
    office.hands.forward(hours=1)
    tend(office.store)
    office.hands.forward(days=DAYS)
    tend(office.store)
    with pytest.raises(Conflict, match="a day ahead"):
        plan(office.store, searching(office.store), Asked(office.ann))
    office.hands.forward(days=-DAYS)
    tend(office.store)
    assert plan(office.store, searching(office.store), Asked(office.ann)) is None
    office.store.engine.dispose()
