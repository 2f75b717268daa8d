"""Trouble is told when it begins, now and then, and when it is over; each message is counted."""

from __future__ import annotations

from holdfast.ingest.smtp.alarm import AGAIN_S, Alarm

BROKEN = "the disk is read-only"


def not_kept(messages: int, cause: str = BROKEN) -> dict[str, object]:
    return {"event": "smtp.not_kept", "messages": messages, "cause": cause}


def test_trouble_that_lasts_is_told_once_in_a_while_with_all_its_messages() -> None:
    told: list[dict[str, object]] = []
    now = [100.0]
    alarm = Alarm(told.append, lambda: now[0])
    alarm.well()
    assert told == []
    alarm.trouble(3, BROKEN)
    alarm.trouble(4, BROKEN)
    assert told == [not_kept(3)]
    now[0] += AGAIN_S
    alarm.trouble(5, "the disk is gone")
    assert told[1:] == [not_kept(9, "the disk is gone")]
    alarm.trouble(1, "the disk is gone")
    alarm.well()
    alarm.well()
    assert told[2:] == [not_kept(1, "the disk is gone"), {"event": "smtp.kept_again"}]
    alarm.trouble(2, BROKEN)
    assert told[4:] == [not_kept(2)]  # another one, told at once


def test_what_is_untold_at_the_end_is_told() -> None:
    told: list[dict[str, object]] = []
    alarm = Alarm(told.append, lambda: 1.0)
    alarm.trouble(1, BROKEN)
    alarm.trouble(7, BROKEN)
    alarm.end()
    alarm.end()
    assert told == [not_kept(1), not_kept(7)]
