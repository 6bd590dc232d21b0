"""What a process may do once it reads a stranger's bytes: little memory, little time, no network, no file changed.

It may start threads but no processes, signal nobody, and does not outlive whoever started it. Limits hold on every
POSIX system; the system-call filter needs Linux on x86-64 or arm64. ``isolate`` says what held.
"""

from __future__ import annotations

import ctypes
import platform
import signal
import struct
import sys
from dataclasses import dataclass

MEMORY = 1536 << 20
CPU_SECONDS = 60
FILE = 256 << 20
"""Bytes of one anonymous file, which the limit on address space does not count."""
OPEN_FILES = 128

# struct seccomp_data: number at 0, architecture at 4, arguments from 16, 8 bytes each.
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_AT_LEAST, _ANY_BIT = 0x35, 0x45
_ALLOW, _DENY, _NO_CALL = 0x7FFF0000, 0x00050001, 0x00050026  # EPERM, ENOSYS
_WRITES = 0o3 | 0o100 | 0o1000  # any access but reading, creating, truncating
_THREAD = 0x10000  # CLONE_THREAD
_OTHER_ABI = 0x40000000  # x32 calls are those of x86-64 by other numbers; no other system's numbers come near


@dataclass(frozen=True, slots=True)
class _Machine:
    """Audit architecture, calls that are denied, the opening calls with the number of their flags argument, clone."""

    audit: int
    denied: tuple[int, ...]
    opening: tuple[tuple[int, int], ...]
    clone: int


_CLONE3 = 435  # its flags lie in memory, where no filter looks; libraries go back to clone
_ANYWHERE = (424, 425, 437, 438, 452)  # pidfd_send_signal io_uring_setup openat2 pidfd_getfd fchmodat2
_X86_64 = (
    *(41, 42, 49),  # socket connect bind
    *(57, 58, 59, 322, 101, 310, 311),  # fork vfork execve execveat ptrace process_vm_readv process_vm_writev
    *(62, 129, 200, 234, 297),  # kill rt_sigqueueinfo tkill tgkill rt_tgsigqueueinfo
    *(82, 264, 316, 87, 263, 83, 258, 84, 85, 86, 265, 88, 266),  # rename* unlink* mkdir* rmdir creat link* symlink*
    *(76, 90, 91, 268, 92, 93, 94, 260, 133, 259),  # truncate chmod* chown* mknod*
    *(132, 235, 261, 280, 188, 189, 190, 197, 198, 199),  # utime* setxattr* removexattr*
    *(165, 166, 272, 308, 321, 298, 323, 304),  # mount umount2 unshare setns bpf perf_event_open userfaultfd by_handle
    *(29, 64, 68, 240, 248, 249, 250),  # shmget semget msgget mq_open add_key request_key keyctl: they outlive it
)
_AARCH64 = (
    *(198, 203, 200),
    *(221, 281, 117, 270, 271),
    *(129, 138, 130, 131, 240),
    *(38, 276, 35, 34, 37, 36),
    *(45, 52, 53, 55, 54, 33),
    *(88, 5, 6, 7, 14, 15, 16),
    *(40, 39, 97, 268, 280, 241, 282, 265),
    *(194, 190, 186, 180, 217, 218, 219),
)
_MACHINES = {
    "x86_64": _Machine(0xC000003E, (*_X86_64, *_ANYWHERE), ((2, 1), (257, 2)), 56),
    "aarch64": _Machine(0xC00000B7, (*_AARCH64, *_ANYWHERE), ((56, 2),), 220),
}


def isolate(*, memory: int = MEMORY, cpu_seconds: int = CPU_SECONDS) -> tuple[str, ...]:
    """Limit this process for good. Returns what could not be limited here, in stable words (empty: everything held)."""
    missing = []
    try:
        import resource
    except ImportError:
        return ("memory", "processor-time", "network", "files")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE, FILE))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    few = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (few, few))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    try:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    except (ValueError, OSError):
        missing.append("memory")
    if not _filter_calls():
        missing += ["network", "files"]
    return tuple(missing)


def _filter_calls() -> bool:
    """Install the system-call filter. False where this system has none."""
    machine = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or machine is None or sys.byteorder != "little":
        return False
    program = _program(machine)
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP" if ctypes.sizeof(ctypes.c_void_p) == 8 else "HxxP", len(program) // 8,
                         ctypes.addressof(code))  # fmt: skip
    libc = ctypes.CDLL(None, use_errno=True)
    parent_death, no_new_privileges, set_seccomp, filter_mode = 1, 38, 22, 2
    libc.prctl(parent_death, int(signal.SIGKILL), 0, 0, 0)
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(set_seccomp, filter_mode, header, 0, 0) == 0)


def _program(machine: _Machine) -> bytes:
    """The filter in classic BPF: some calls are denied, and processes, and opening for more than reading."""

    def line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, value)

    lines = [line(_LOAD, 4), line(_EQUAL, machine.audit, 1, 0), line(_RETURN, _DENY), line(_LOAD, 0)]
    lines += [line(_AT_LEAST, _OTHER_ABI, 0, 1), line(_RETURN, _DENY)]
    lines += [line(_EQUAL, _CLONE3, 0, 1), line(_RETURN, _NO_CALL)]
    for number in machine.denied:
        lines += [line(_EQUAL, number, 0, 1), line(_RETURN, _DENY)]
    for number, argument in machine.opening:
        lines += [
            line(_EQUAL, number, 0, 5),
            line(_LOAD, 16 + 8 * argument),
            line(_AND, _WRITES),
            line(_EQUAL, 0, 1, 0),
            line(_RETURN, _DENY),
            line(_RETURN, _ALLOW),
        ]
    lines += [
        line(_EQUAL, machine.clone, 0, 3),
        line(_LOAD, 16),
        line(_ANY_BIT, _THREAD, 1, 0),
        line(_RETURN, _DENY),
        line(_RETURN, _ALLOW),
    ]
    return b"".join(lines)
