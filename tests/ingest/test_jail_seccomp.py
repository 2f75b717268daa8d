"""The filter of system calls, run by a small machine here for architectures that we are not on."""

from __future__ import annotations

import errno
import os
import struct

import pytest

from holdfast.ingest.jail.seccomp import MACHINES, Machine, assemble

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
UNKNOWN = 0x00050000 | errno.ENOSYS
OWN, OTHER = 4242, 1


def verdict(program: bytes, audit: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """Run a filter on one call, as linux/filter.h describes it."""
    padded = [*arguments, *[0] * (6 - len(arguments))]
    facts = struct.pack("=IIQ6Q", number, audit, 0, *padded)
    steps = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        operation, if_true, if_false, value = steps[at]
        at += 1
        if operation == 0x06:
            return int(value)
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("=I", facts, value)
            continue
        holds = {
            0x15: accumulator == value,
            0x35: accumulator >= value,
            0x45: bool(accumulator & value),
        }[operation]
        at += if_true if holds else if_false


@pytest.fixture(params=sorted(MACHINES))
def machine(request: pytest.FixtureRequest) -> Machine:
    return MACHINES[request.param]


def test_reading_and_answering_are_allowed(machine: Machine) -> None:
    program = assemble(machine, OWN, may_fork=False)
    for number in {0, 1, 3, 9, 11, 12, 63, 64, 66, 214, 222} - set(machine.denied):
        assert verdict(program, machine.audit, number) == ALLOW


def test_every_denied_call_is_refused(machine: Machine) -> None:
    program = assemble(machine, OWN, may_fork=False)
    for number in (*machine.denied, *machine.forking, 425):
        assert verdict(program, machine.audit, number) == REFUSE


def test_files_are_opened_for_reading_alone(machine: Machine) -> None:
    program = assemble(machine, OWN, may_fork=False)
    for number, index in machine.opening:
        for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_CREAT, os.O_RDONLY | os.O_TRUNC):
            arguments = (0,) * index + (flags,)
            assert verdict(program, machine.audit, number, arguments) == REFUSE
        reading = (0,) * index + (os.O_RDONLY | os.O_CLOEXEC,)
        assert verdict(program, machine.audit, number, reading) == ALLOW
    assert verdict(program, machine.audit, 437) == UNKNOWN


def test_signals_reach_the_own_process_alone(machine: Machine) -> None:
    program = assemble(machine, OWN, may_fork=False)
    for number in machine.signalling:
        assert verdict(program, machine.audit, number, (OWN,)) == ALLOW
        assert verdict(program, machine.audit, number, (OTHER,)) == REFUSE


def test_threads_are_allowed_and_processes_only_on_demand(machine: Machine) -> None:
    confined = assemble(machine, OWN, may_fork=False)
    forking = assemble(machine, OWN, may_fork=True)
    assert verdict(confined, machine.audit, machine.clone, (0x00010000,)) == ALLOW
    assert verdict(confined, machine.audit, machine.clone, (17,)) == REFUSE
    assert verdict(confined, machine.audit, 435) == UNKNOWN
    assert verdict(forking, machine.audit, machine.clone, (17,)) == ALLOW
    for number in machine.signalling:
        assert verdict(forking, machine.audit, number, (OTHER,)) == ALLOW


def test_calls_of_another_architecture_end_the_child(machine: Machine) -> None:
    program = assemble(machine, OWN, may_fork=True)
    assert verdict(program, 0x40000003, 11) == KILL


def test_calls_by_the_x32_numbers_end_the_child() -> None:
    x86 = MACHINES["x86_64"]
    assert verdict(assemble(x86, OWN, may_fork=True), x86.audit, 0x40000000) == KILL
