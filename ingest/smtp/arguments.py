"""Reads arguments of commands where the library would refuse a message for good; answers nobody."""

from __future__ import annotations

import re

_WITHIN = r"[^<>\"\x00-\x1f\x7f]"
_PATH = re.compile(rf"\s*<((?:\"(?:\\.|[^\"\\\x00-\x1f\x7f])*\"|{_WITHIN})+)>(.*)\Z", re.DOTALL)
_UNQUOTED = re.compile(r"\s*<([^<>\x00-\x1f\x7f]+)>(.*)\Z", re.DOTALL)
_ROUTE = re.compile(r"\A@[^:\"]+:")
_SUBMITTER = re.compile(r"\sAUTH=(?:<>|[^\s<>]+)(?=\s|\Z)", re.IGNORECASE)


def read_path(argument: str) -> tuple[str, str] | None:
    """Return the address within angle brackets as it is written, and what follows them.

    Who sent a copy is a fact of it, and mail servers of all times let odd names through: to refuse
    one that is none by the rules, as the library does, would lose the copy. A route before the
    address counts for nothing (RFC 5321, section 4.1.1.3).

    Args:
        argument: Behind `FROM:` or `TO:`.
    """
    found = _PATH.match(argument) or _UNQUOTED.match(argument)
    return (_ROUTE.sub("", found[1]), found[2]) if found else None


def without_submitter(argument: str | None) -> str | None:
    """Return what MAIL says without who submitted the message first.

    Whoever offers AUTH must take that (RFC 4954, section 5). We note nothing of it.
    """
    path, end, options = (argument or "").partition(">")
    return path + end + _SUBMITTER.sub("", options) if end else argument
