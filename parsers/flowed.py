"""Joins lines that were broken only for the way (RFC 3676); must not touch other lines.

Only for `delsp=yes`, by which programs break text of scripts without spaces: there the space at the
end of a line belongs to the break, so that words on both sides of it would never be found together.
"""

from __future__ import annotations

_SIGNATURE = "-- "


def is_flowed(form: str, delsp: str) -> bool:
    """Say whether lines of text with these parameters (RFC 3676, 4) are to be joined."""
    return delsp.lower() == "yes" and form.lower() == "flowed"


def join_lines(text: str) -> str:
    """Return the text with each line that ends in a space joined to the next of equal quote depth.

    Args:
        text: With line feeds as line ends.
    """
    pieces: list[str] = []
    flows, depth = False, 0
    for line in text.split("\n"):
        content = line.lstrip(">")
        said = content.removeprefix(" ")  # stuffed (4.4), or the space after `>`
        is_joined = flows and len(line) - len(content) == depth
        depth = len(line) - len(content)
        if is_joined:
            pieces[-1] = pieces[-1][:-1]
            pieces.append(said)
        else:
            pieces.append(f"\n{line}" if pieces else line)
        flows = said.endswith(" ") and said != _SIGNATURE
    return "".join(pieces)
