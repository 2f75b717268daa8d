"""Every test that asks for `office` gets two persons in a fresh archive, and mail to dispose of."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from catalogue_kit import START, Filing, Mail, new_store
from disposal_kit import Hands, Office

MAILS = (
    Mail(subject="Budget", body="budget one"),
    Mail(subject="Offer", body="offer two", at=START + timedelta(hours=1)),
    Mail(subject="Invoice", body="invoice three", at=START + timedelta(hours=2)),
)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Two persons, who know what they are doing."""
    store = new_store(tmp_path)
    yield Office.of(store, Hands(START + timedelta(seconds=10)))
    store.engine.dispose()


@pytest.fixture
def ids(office: Office) -> list[int]:
    """Three messages: of budget, offer and invoice."""
    filed = Filing(office.store, source="box", custodian="li")(*MAILS)
    return [one.filed.interaction_id for one in filed]
