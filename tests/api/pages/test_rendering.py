"""Numbers as pages write them, and the language that a client asked for."""

from __future__ import annotations

import pytest

from holdfast.api.pages.rendering import amount, size
from holdfast.api.words import preferred


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (5 << 20, "5.0 MiB"),
        (3 << 30, "3.0 GiB"),
        (2 << 40, "2.0 TiB"),
        (9000 << 40, "9000.0 TiB"),
    ],
)
def test_sizes_are_in_powers_of_1024(count: int, said: str) -> None:
    assert size(count) == said


def test_amounts_set_thousands_apart() -> None:
    assert amount(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("de, zh;q=0.2, en;q=0.7", "en"),
        ("zh;q=soon, en;q=0.1", "en"),
        ("zh;level=1", "zh"),
        ("fr", "en"),
    ],
)
def test_language_is_the_one_liked_best_of_those_we_speak(accepted: str, language: str) -> None:
    assert preferred(accepted) == language
