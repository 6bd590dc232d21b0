"""What a process may do once it reads a stranger's bytes: little memory, little time, no network, no file written.

Limits hold on every POSIX system; the system-call filter needs Linux on x86-64 or arm64. ``isolate`` says what held.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from dataclasses import dataclass

MEMORY = 1536 << 20
CPU_SECONDS = 60

# struct seccomp_data: number at 0, architecture at 4, arguments from 16, 8 bytes each.
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
_ALLOW, _DENY = 0x7FFF0000, 0x00050001  # EPERM
_WRITES = 0o3 | 0o100 | 0o1000  # any access but reading, creating, truncating


@dataclass(frozen=True, slots=True)
class _Machine:
    """Audit architecture, calls that are denied, and the opening calls with the number of their flags argument."""

    audit: int
    denied: tuple[int, ...]
    opening: tuple[tuple[int, int], ...]


# socket connect bind execve execveat ptrace rename* unlink* mkdir* creat io_uring openat2; open(at) by their flags.
_MACHINES = {
    "x86_64": _Machine(
        0xC000003E, (41, 42, 49, 59, 322, 101, 82, 264, 316, 87, 263, 83, 258, 85, 425, 437), ((2, 1), (257, 2))
    ),
    "aarch64": _Machine(0xC00000B7, (198, 203, 200, 221, 281, 117, 38, 276, 35, 34, 425, 437), ((56, 2),)),
}


def isolate(*, memory: int = MEMORY, cpu_seconds: int = CPU_SECONDS) -> tuple[str, ...]:
    """Limit this process for good. Returns what could not be limited here, in stable words (empty: everything held)."""
    missing = []
    try:
        import resource
    except ImportError:
        return ("memory", "processor-time", "network", "files")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
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
    no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(no_new_privileges, 1, 0, 0, 0) != 0:
        return False
    return bool(libc.prctl(set_seccomp, filter_mode, header, 0, 0) == 0)


def _program(machine: _Machine) -> bytes:
    """The filter in classic BPF: deny some calls by number, opening for anything but reading, allow the rest."""

    def line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
        return struct.pack("<HBBI", code, if_true, if_false, value)

    lines = [line(_LOAD, 4), line(_EQUAL, machine.audit, 1, 0), line(_RETURN, _DENY), line(_LOAD, 0)]
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
    lines.append(line(_RETURN, _ALLOW))
    return b"".join(lines)
