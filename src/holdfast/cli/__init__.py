"""The command line: translate words into calls and values into text; must not decide anything.

Nothing heavy may be imported before a command runs, so that help appears at once.
"""

from holdfast.cli.app import main

__all__ = ["main"]
