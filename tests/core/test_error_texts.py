"""Failures in the reader's language: every text that is raised has its Chinese, values stay."""

from __future__ import annotations

import re
from collections import Counter
from string import Formatter
from typing import TYPE_CHECKING

import pytest

from holdfast.core.error_texts import told, translated
from holdfast.core.errors import Refused
from holdfast.core.errors_zh import TEXTS, WORDS
from tests.support.error_texts import ROOT, Found, error_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

BUILT = {
    "The body may have {} bytes.": ("api/envelope.py", "The body may have {most} bytes."),
}
