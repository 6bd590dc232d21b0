"""The system-call filter, run here as the kernel runs it: for both machines, whichever this one is."""

from __future__ import annotations

import ctypes
import os
import struct
from types import SimpleNamespace

import pytest

from proscribe.assess import isolation

ALLOW, DENIED, UNKNOWN = 0x7FFF0000, 0x00050001, 0x00050026
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# Numbers by name from the kernel's tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
DENIED_CALLS = {
    "x86_64": {
        "socket": 41, "connect": 42, "bind": 49, "fork": 57, "vfork": 58, "execve": 59, "execveat": 322, "ptrace": 101,
        "kill": 62, "tgkill": 234, "rename": 82, "renameat": 264, "renameat2": 316, "unlink": 87, "unlinkat": 263,
        "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "symlink": 88, "truncate": 76, "chmod": 90, "fchmodat": 268,
        "chown": 92, "mknod": 133, "setxattr": 188, "mount": 165, "setns": 308, "bpf": 321, "io_uring_setup": 425,
        "openat2": 437, "pidfd_getfd": 438, "process_vm_writev": 311, "userfaultfd": 323,
    },
    "aarch64": {
        "socket": 198, "connect": 203, "bind": 200, "execve": 221, "execveat": 281, "ptrace": 117, "kill": 129,
        "tgkill": 131, "renameat": 38, "renameat2": 276, "unlinkat": 35, "mkdirat": 34, "linkat": 37, "symlinkat": 36,
        "truncate": 45, "fchmod": 52, "fchmodat": 53, "fchownat": 54, "mknodat": 33, "setxattr": 5, "mount": 40,
        "setns": 268, "unshare": 97, "bpf": 280, "io_uring_setup": 425, "openat2": 437, "pidfd_getfd": 438,
        "process_vm_writev": 271, "userfaultfd": 282,
    },
}  # fmt: skip
ALLOWED_CALLS = {
    "x86_64": {"read": 0, "write": 1, "mmap": 9, "futex": 202, "memfd_create": 319, "exit_group": 231, "fstat": 5},
    "aarch64": {"read": 63, "write": 64, "mmap": 222, "futex": 98, "memfd_create": 279, "exit_group": 94, "fstat": 80},
}
OPENS = {"x86_64": {"open": (2, 1), "openat": (257, 2)}, "aarch64": {"openat": (56, 2)}}
CLONE = {"x86_64": 56, "aarch64": 220}


def run(program: bytes, number: int, *arguments: int, audit: int) -> int:
    """What the filter returns for one call: classic BPF, as far as the filter may use it."""
    six = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("<IIQ6Q", number, audit, 0, *six)
    lines = list(struct.iter_unpack("<HBBI", program))
    value = at = 0
    while True:
        code, if_true, if_false, operand = lines[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            value = struct.unpack_from("<I", data, operand)[0]
        elif code == 0x54:
            value &= operand
        else:
            holds = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
            at += if_true if holds else if_false


@pytest.mark.parametrize("machine", AUDIT)
class TestFilter:
    @pytest.fixture
    def ask(self, machine):
        program = isolation._program(isolation._MACHINES[machine])
        return lambda number, *arguments: run(program, number, *arguments, audit=AUDIT[machine])

    def test_calls_that_reach_out_or_change_something_are_denied(self, machine, ask):
        assert {name for name, number in DENIED_CALLS[machine].items() if ask(number) != DENIED} == set()

    def test_what_reading_and_computing_need_is_allowed(self, machine, ask):
        assert {name for name, number in ALLOWED_CALLS[machine].items() if ask(number) != ALLOW} == set()

    def test_opening_is_for_reading_alone(self, machine, ask):
        close_on_exec, directory = 0o2000000, os.O_DIRECTORY
        for number, place in OPENS[machine].values():
            before = [0] * place
            for flags in (os.O_RDONLY, close_on_exec, directory):
                assert ask(number, *before, flags) == ALLOW
            for flags in (os.O_WRONLY, os.O_RDWR, 0o100, 0o1000, 0o101 | close_on_exec):
                assert ask(number, *before, flags) == DENIED

    def test_threads_and_no_processes(self, machine, ask):
        thread = 0x3D0F00  # as the C library makes one
        assert ask(CLONE[machine], thread) == ALLOW
        assert ask(CLONE[machine], 17) == DENIED  # SIGCHLD alone: a fork
        assert ask(435) == UNKNOWN  # clone3: libraries go back to clone

    def test_another_architecture_s_numbers_are_denied(self, machine, ask):
        program = isolation._program(isolation._MACHINES[machine])
        for audit in (0x40000003, 0x40000028, *(one for name, one in AUDIT.items() if name != machine)):
            assert run(program, 0, audit=audit) == DENIED
        assert ask(0x40000000) == DENIED

    def test_every_way_through_ends(self, machine, ask):
        """Whatever the number: a jump beyond the end is an IndexError here, and no filter at all in the kernel."""
        for number in range(600):
            for argument in (0, 1, 0o100, 0x10000):
                assert ask(number, argument, argument, argument) in (ALLOW, DENIED, UNKNOWN)


class Libc:
    """Stands in for the C library, so that this process stays free."""

    def __init__(self, fails: int | None = None) -> None:
        self.asked: list[int] = []
        self.fails = fails

    def prctl(self, option: int, *_: object) -> int:
        self.asked.append(option)
        return -1 if option == self.fails else 0


@pytest.fixture
def limits(monkeypatch):
    """What was limited, by name; nothing of it is."""
    import resource

    found: dict[str, tuple[int, int]] = {}
    names = {
        getattr(resource, name): name for name in dir(resource) if name.startswith("RLIMIT_") and name != "RLIMIT_OFILE"
    }
    monkeypatch.setattr(resource, "setrlimit", lambda which, pair: found.__setitem__(names[which], pair))
    return found


def test_every_limit_is_set_to_what_was_asked(monkeypatch, limits):
    libc = Libc()
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: libc)
    monkeypatch.setattr(isolation.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(isolation, "sys", SimpleNamespace(platform="linux", byteorder="little"))
    assert isolation.isolate(memory=7 << 20, cpu_seconds=3) == ()
    assert limits["RLIMIT_AS"] == (7 << 20, 7 << 20)
    assert limits["RLIMIT_CPU"] == (3, 4)
    assert limits["RLIMIT_CORE"] == (0, 0)
    assert limits["RLIMIT_FSIZE"] == (isolation.FILE, isolation.FILE)
    assert limits["RLIMIT_NOFILE"][0] <= isolation.OPEN_FILES
    assert libc.asked == [1, 38, 22]  # ends with its parent, no new privileges, and only then the filter


@pytest.mark.parametrize("fails", [38, 22])
def test_a_kernel_that_refuses_the_filter_is_said(monkeypatch, limits, fails):
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Libc(fails))
    monkeypatch.setattr(isolation.platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(isolation, "sys", SimpleNamespace(platform="linux", byteorder="little"))
    assert isolation.isolate() == ("network", "files")
    assert limits  # and what can be limited is, all the same


def test_a_system_that_cannot_limit_memory_says_so(monkeypatch, limits):
    import resource

    def refuses(which: int, pair: tuple[int, int]) -> None:
        if which == resource.RLIMIT_AS:
            raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuses)
    monkeypatch.setattr(isolation.platform, "machine", lambda: "riscv64")
    assert isolation.isolate() == ("memory", "network", "files")


def test_a_system_without_limits_says_so(monkeypatch):
    monkeypatch.setitem(isolation.sys.modules, "resource", None)
    assert isolation.isolate() == ("memory", "processor-time", "network", "files")
