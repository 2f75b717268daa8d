"""A seccomp filter without a library: no network, no new programs, no changes to files.

Must not be applied to a process that goes on to do anything but read bytes and answer.
Layout and constants: Linux `include/uapi/linux/{filter,seccomp,audit}.h`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from dataclasses import dataclass

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2

_LOAD_WORD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_GREATER_OR_EQUAL = 0x35
_JUMP_ANY_BIT = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

_AT_NUMBER = 0
_AT_ARCHITECTURE = 4
_AT_ARGUMENTS = 16
_X32_CALLS = 0x40000000
_CLONE_THREAD = 0x00010000
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, slots=True)
class Machine:
    """Numbers of system calls on one architecture."""

    audit: int
    denied: tuple[int, ...]
    forking: tuple[int, ...]
    """Denied unless the child may fork."""
    signalling: tuple[int, ...]
    """Allowed with the own process as first argument alone."""
    clone: int
    opening: tuple[tuple[int, int], ...]
    """(call, index of the argument with the flags)."""


# Numbers 424 and up are the same everywhere: pidfd_send_signal, io_uring_setup, pidfd_open,
# pidfd_getfd, fchmodat2.
_DENIED_EVERYWHERE = (424, 425, 434, 438, 452)
_CLONE3, _OPENAT2 = 435, 437
"""Answered with "not known", so that the C library takes the calls whose flags can be seen."""

MACHINES = {
    "x86_64": Machine(
        audit=0xC000003E,
        denied=(
            *(41, 42, 43, 49, 50, 288),  # socket connect accept bind listen accept4
            *(59, 322, 101, 310, 311),  # execve execveat ptrace process_vm_readv/writev
            *(165, 166, 272, 308, 321),  # mount umount2 unshare setns bpf
            *(248, 249, 250, 298, 304, 323),  # add_key request_key keyctl perf open_by_handle uffd
            *(85, 87, 263, 82, 264, 316),  # creat unlink unlinkat rename renameat renameat2
            *(83, 258, 84, 86, 265, 88, 266),  # mkdir mkdirat rmdir link linkat symlink symlinkat
            *(133, 259, 76, 90, 91, 268),  # mknod mknodat truncate chmod fchmod fchmodat
            *(92, 93, 94, 260, 188, 189, 190),  # chown fchown lchown fchownat setxattr l f
            *(129, 297, 132, 235, 261, 280),  # rt_sigqueueinfo rt_tgsigqueueinfo utime…
        ),
        forking=(57, 58),
        signalling=(62, 200, 234),
        clone=56,
        opening=((2, 1), (257, 2)),
    ),
    "aarch64": Machine(
        audit=0xC00000B7,
        denied=(
            *(198, 203, 202, 200, 201, 242),  # socket connect accept bind listen accept4
            *(221, 281, 117, 270, 271),  # execve execveat ptrace process_vm_readv/writev
            *(40, 39, 97, 268, 280),  # mount umount2 unshare setns bpf
            *(217, 218, 219, 241, 265, 282),  # add_key request_key keyctl perf open_by_handle uffd
            *(35, 38, 276, 34, 37, 36, 33),  # unlinkat renameat renameat2 mkdirat linkat symlinkat
            *(45, 52, 53, 54, 55, 5, 6, 7),  # truncate fchmod fchmodat fchownat fchown setxattr l f
            *(138, 240, 88),  # rt_sigqueueinfo rt_tgsigqueueinfo utimensat
        ),
        forking=(),
        signalling=(129, 130, 131),
        clone=220,
        opening=((56, 2),),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def deny_system_calls(*, may_fork: bool) -> bool:  # pragma: no cover - in children alone
    """Filter this process for good; return whether the kernel took the filter.

    Denied calls fail with EPERM, so that a library that merely tries goes on.
    """
    if platform.machine() not in MACHINES or sys.platform != "linux":
        return False
    code = assemble(MACHINES[platform.machine()], os.getpid(), may_fork=may_fork)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    done: int = libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0)
    return done == 0


def assemble(machine: Machine, process_id: int, *, may_fork: bool) -> bytes:
    """Return the filter program for a child, in the kernel's own layout."""
    denied = machine.denied + _DENIED_EVERYWHERE
    code = _step(_LOAD_WORD, _AT_ARCHITECTURE)
    code += _step(_JUMP_EQUAL, machine.audit, 1, 0) + _step(_RETURN, _KILL_PROCESS)
    code += _step(_LOAD_WORD, _AT_NUMBER)
    if machine.audit == MACHINES["x86_64"].audit:
        code += _step(_JUMP_GREATER_OR_EQUAL, _X32_CALLS, 0, 1) + _step(_RETURN, _KILL_PROCESS)
    for number in denied if may_fork else denied + machine.forking:
        code += _answer(number, errno.EPERM)
    code += _answer(_OPENAT2, errno.ENOSYS)
    for number, flags in machine.opening:
        code += _on_argument(number, flags, _step(_JUMP_ANY_BIT, _WRITING, 0, 1))
    if not may_fork:
        code += _answer(_CLONE3, errno.ENOSYS)
        code += _on_argument(machine.clone, 0, _step(_JUMP_ANY_BIT, _CLONE_THREAD, 1, 0))
        for number in machine.signalling:
            code += _on_argument(number, 0, _step(_JUMP_EQUAL, process_id, 1, 0))
    return code + _step(_RETURN, _ALLOW)


def _step(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, value)


def _answer(number: int, error: int) -> bytes:
    return _step(_JUMP_EQUAL, number, 0, 1) + _step(_RETURN, _ERRNO | error)


def _on_argument(number: int, index: int, test: bytes) -> bytes:
    """Deny a call unless `test`, on the low half of an argument, jumps over the refusal."""
    return (
        _step(_JUMP_EQUAL, number, 0, 4)
        + _step(_LOAD_WORD, _AT_ARGUMENTS + 8 * index)
        + test
        + _step(_RETURN, _ERRNO | errno.EPERM)
        + _step(_RETURN, _ALLOW)
    )
