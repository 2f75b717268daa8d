"""Holdfast, an archive of mail and chat that keeps the original and can prove it.

This module must not import anything: `import holdfast` stays free of work.
"""

__version__ = "0.1.0"
