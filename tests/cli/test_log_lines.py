"""F68: logs are lines of JSON, one an event, and hold neither content nor secrets."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast.cli import safe_text
from holdfast.ingest import library_notes
from holdfast.ingest.library_notes import libraries_told
from holdfast.ingest.smtp import listening
from holdfast.ingest.smtp.config import SmtpConfig
from holdfast.ingest.smtp.door import Door
from log_checks import each_event_is_one_safe_line, nothing_secret_is_logged

pytestmark = pytest.mark.unmeasured
Plant = pytest.MonkeyPatch


def test_f68_each_event_is_one_line_escaped_and_cut() -> None:
    each_event_is_one_safe_line()


def test_f68_hostile_mail_wrong_passwords_and_forged_webhooks_leave_no_words(
    tmp_path: Path,
) -> None:
    nothing_secret_is_logged(tmp_path)


def test_f68_error_of_a_library_is_told_by_kind_and_place() -> None:
    told: list[object] = []
    logger = logging.getLogger("a.library")
    with libraries_told(told.append, "a.library"):
        try:
            raise ValueError("words of a client")
        except ValueError:
            logger.exception("%r session", "words of a client")
        logger.info("nothing of note")
    (event,) = told
    assert isinstance(event, dict)
    (place,) = event.pop("places")
    assert place.startswith("test_log_lines.py:")
    assert event == {
        "event": "library.error", "logger": "a.library", "cause": "%r session",
        "error": "ValueError",
    }  # fmt: skip
    assert not logger.handlers
    assert logger.propagate


# What is broken on purpose


def test_f68_line_that_is_not_escaped_is_found_out(monkeypatch: Plant) -> None:
    def bare(event: dict[str, object]) -> str:
        return "{" + ",".join(f'"{name}":"{text}"' for name, text in event.items()) + "}\n"

    monkeypatch.setattr(safe_text, "log_line", bare)
    with pytest.raises(AssertionError, match="line ends: more than one line"):
        each_event_is_one_safe_line()


def test_f68_json_that_keeps_what_acts_is_found_out(monkeypatch: Plant) -> None:
    monkeypatch.setattr(safe_text, "_UNSAFE_IN_JSON", re.compile("(?!)"))
    with pytest.raises(AssertionError, match="separators: more than one line"):
        each_event_is_one_safe_line()


def test_f68_line_without_an_end_is_found_out(monkeypatch: Plant) -> None:
    monkeypatch.setattr(safe_text, "LOGGED_CHARS", 10_000_000)
    with pytest.raises(AssertionError, match="long: the line is not cut"):
        each_event_is_one_safe_line()


def test_f68_address_in_a_refusal_is_found_out(tmp_path: Path, monkeypatch: Plant) -> None:
    takes, refuse = SmtpConfig.takes, Door.refuse
    asked: list[str] = []

    def noting(self: SmtpConfig, to: str) -> bool:
        asked.append(to)
        return takes(self, to)

    def refusing(self: Door, peer: str, cause: str, **facts: object) -> None:
        refuse(self, peer, cause, **facts, to=asked[-1:])

    monkeypatch.setattr(SmtpConfig, "takes", noting)
    monkeypatch.setattr(Door, "refuse", refusing)
    with pytest.raises(AssertionError, match="is in the log"):
        nothing_secret_is_logged(tmp_path)


def test_f68_words_that_a_library_was_given_are_found_out(
    tmp_path: Path, monkeypatch: Plant
) -> None:
    def whole(self: logging.Handler, record: logging.LogRecord) -> None:
        cause = record.getMessage()
        self._report({"event": "library.warning", "cause": cause})  # type: ignore[attr-defined]

    monkeypatch.setattr(library_notes._Told, "emit", whole)
    with pytest.raises(AssertionError, match="is in the log"):
        nothing_secret_is_logged(tmp_path)


def test_f68_library_that_is_left_alone_is_found_out(tmp_path: Path, monkeypatch: Plant) -> None:
    @contextmanager
    def alone(*_: object) -> Iterator[None]:
        yield

    monkeypatch.setattr(listening, "libraries_told", alone)
    with pytest.raises(AssertionError, match=r"not looked at|no event"):
        nothing_secret_is_logged(tmp_path)
