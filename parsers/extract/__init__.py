"""Text of attached files, one module a format; must not write to disk, and runs in the jail.

`extract` tells of trouble by value; what native code does beyond that, the jail has to hold.
"""

from holdfast.parsers.extract.outcome import Extracted
from holdfast.parsers.extract.registry import can_extract, extract, is_text

__all__ = ["Extracted", "can_extract", "extract", "is_text"]
