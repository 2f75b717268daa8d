"""Killable children for code that reads hostile bytes; must not know what the code does.

`run_once` forks a child for one item, `Errands` does for a process with threads and keys; `Pool`
keeps children for many. None ever unpickles, opens a file or trusts what a child says about its
length.
"""

from holdfast.ingest.jail.confinement import Limits
from holdfast.ingest.jail.errands import Errands
from holdfast.ingest.jail.once import held_limits, run_once
from holdfast.ingest.jail.outcomes import Failed, Killed, Ok, Outcome, Reason, read_result
from holdfast.ingest.jail.pool import Pool, PoolConfig, TaskResult

__all__ = [
    "Errands",
    "Failed",
    "Killed",
    "Limits",
    "Ok",
    "Outcome",
    "Pool",
    "PoolConfig",
    "Reason",
    "TaskResult",
    "held_limits",
    "read_result",
    "run_once",
]
