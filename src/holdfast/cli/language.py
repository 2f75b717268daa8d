"""Choose the language of messages: `--lang`, else the environment; knows no message itself."""

from __future__ import annotations

import os
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Language(StrEnum):
    """Languages of the messages."""

    EN = "en"
    ZH = "zh"


_VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""In the order of POSIX (Base Definitions, 8.2): the first that is set decides."""


def chosen(wanted: str = "") -> Language:
    """Return the wanted language, else the environment's, else English."""
    name = wanted or next((os.environ[one] for one in _VARIABLES if os.environ.get(one)), "")
    return Language.ZH if name.lower().startswith("zh") else Language.EN


def messages(wanted: str = "") -> Mapping[str, str]:
    """Return the catalogue of the wanted language, else of the environment's; English is empty."""
    if chosen(wanted) is not Language.ZH:
        return {}
    from holdfast.cli.words_zh import MESSAGES

    return MESSAGES
