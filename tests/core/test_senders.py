"""Who wrote a record is named in one line, also where a room speaks and nobody sent it."""

from __future__ import annotations

import pytest

from holdfast.core.kinds import EMAIL, Role
from holdfast.core.records import RecordParticipant
from holdfast.core.senders import sender_of
from query_kit import sample_record

ANN = RecordParticipant(Role.FROM, "Ann", "ann@x.example")
DESK = RecordParticipant(Role.SENDER, "", "desk@x.example")
BOB = RecordParticipant(Role.JOINED, "", "slack:U2")


@pytest.mark.parametrize(
    ("channel", "people", "name"),
    [
        (EMAIL, (BOB, DESK, ANN), "Ann"),
        (EMAIL, (BOB, DESK), "desk@x.example"),
        (EMAIL, (BOB,), ""),
        ("slack", (BOB,), "slack:U2"),
        ("slack", (), ""),
    ],
)
def test_sender(channel: str, people: tuple[RecordParticipant, ...], name: str) -> None:
    assert sender_of(sample_record(channel=channel, participants=people)) == name
