"""Tells whether processes of this machine live; it ends none."""

from __future__ import annotations

import os


def is_alive(process_id: int) -> bool:
    """Tell whether a process of this number is there, whoever it belongs to."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True
