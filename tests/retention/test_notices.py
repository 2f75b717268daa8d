from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from holdfast.retention.notices import LANGUAGES, NoticeFacts, notice_text

MARCH, JUNE = datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("from_at", [None, MARCH])
@pytest.mark.parametrize("to_at", [None, JUNE])
def test_a_notice_names_custodian_matter_and_bounds(
    language: str, from_at: datetime | None, to_at: datetime | None
) -> None:
    text = notice_text(NoticeFacts("王敏", "Case 7", from_at, to_at, " Ask Lee. "), language)
    assert "王敏" in text
    assert "Case 7" in text
    assert "\n\nAsk Lee.\n\n" in text
    assert ("2024-03-01" in text) == (from_at is not None)
    assert ("2024-06-01" in text) == (to_at is not None)
    assert "{" not in text


def test_an_instant_within_a_day_is_written_whole() -> None:
    at = datetime(2024, 3, 1, 8, 30, tzinfo=timezone(timedelta(hours=8)))
    text = notice_text(NoticeFacts("Ann", "K", at, None), "en")
    assert "from 2024-03-01 08:30 UTC+08:00 " in text
    assert "\n\n\n" not in text
