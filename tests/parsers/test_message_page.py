"""The way of a message is explained, or it is said that it cannot be."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.parsers.message_page import Journey, JourneyFailed, describe_headers

TWO_HOPS = b"""\
Received: from b.example (b.example [192.0.2.2]) by c.example with ESMTPS id 2;
 Tue, 5 Mar 2024 10:00:07 +0000
Received: from a.example (a.example [192.0.2.1]) by b.example with SMTP id 1;
 Tue, 5 Mar 2024 10:00:02 +0000
Subject: x

hi
"""


def test_hops_are_listed_oldest_first_with_their_delays() -> None:
    journey = describe_headers(TWO_HOPS)
    assert isinstance(journey, Journey)
    assert [hop.receiver.split()[0] for hop in journey.hops] == ["b.example", "c.example"]
    assert [hop.delay_s for hop in journey.hops] == [0.0, 5.0]
    assert journey.hops[1].at == datetime(2024, 3, 5, 10, 0, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    "raw", [b"To: " + b"(" * 20_000 + b"\n\nhi", b'Content-Type: text/x; charset="a\0b"\n\n\xe9']
)
def test_header_that_breaks_the_library_is_reported_as_a_value(raw: bytes) -> None:
    assert isinstance(describe_headers(raw), Journey | JourneyFailed)


@given(st.binary(max_size=200))
def test_any_bytes_are_explained_or_refused(raw: bytes) -> None:
    assert isinstance(describe_headers(raw), Journey | JourneyFailed)
