"""What the worker's child may not do, tried in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from proscribe.assess import isolation
from proscribe.assess.worker import _signal

FILTERED = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
TRY = """
import errno, os, socket, sys, tempfile
from proscribe.assess.isolation import isolate
folder = sys.argv[1]
missing = isolate(memory=512 << 20, cpu_seconds=2)
assert missing == (), missing
{attempt}
"""


def attempt(code: str, folder) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", TRY.format(attempt=code), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.skipif(not FILTERED, reason="no system-call filter for this system")
@pytest.mark.parametrize(
    "code",
    [
        "socket.socket()",
        "socket.create_connection(('127.0.0.1', 9))",
        "open(os.path.join(folder, 'new'), 'w')",
        "open(os.path.join(folder, 'kept'), 'a')",
        "open(os.path.join(folder, 'kept'), 'r+')",
        "os.unlink(os.path.join(folder, 'kept'))",
        "os.rename(os.path.join(folder, 'kept'), os.path.join(folder, 'gone'))",
        "os.mkdir(os.path.join(folder, 'made'))",
        "os.execv(sys.executable, [sys.executable, '-c', ''])",
        "os.fork()",
        "os.kill(os.getppid(), 0)",
        "os.truncate(os.path.join(folder, 'kept'), 0)",
        "os.chmod(os.path.join(folder, 'kept'), 0o777)",
        "os.utime(os.path.join(folder, 'kept'))",
        "os.link(os.path.join(folder, 'kept'), os.path.join(folder, 'twin'))",
        "os.symlink('kept', os.path.join(folder, 'twin'))",
        "os.mkfifo(os.path.join(folder, 'pipe'))",
        "os.setxattr(os.path.join(folder, 'kept'), 'user.x', b'x')",
    ],
)
def test_it_may_not(code, tmp_path):
    (tmp_path / "kept").write_text("x")
    done = attempt(code, tmp_path)
    assert "PermissionError" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text() == "x"


@pytest.mark.skipif(not FILTERED, reason="no system-call filter for this system")
def test_it_may_read_and_hold_bytes_in_memory(tmp_path):
    (tmp_path / "kept").write_text("x")
    code = "assert open(os.path.join(folder, 'kept')).read() == 'x'\nos.write(os.memfd_create('a'), b'x')\nimport numpy"
    assert attempt(code, tmp_path).returncode == 0


@pytest.mark.skipif(not FILTERED, reason="no system-call filter for this system")
def test_it_may_start_threads(tmp_path):
    code = "import threading; one = threading.Thread(target=print, args=('there',)); one.start(); one.join()"
    assert attempt(code, tmp_path).stdout == "there\n"


@pytest.mark.skipif(not FILTERED, reason="no system-call filter for this system")
def test_the_same_calls_by_their_x32_numbers_are_denied(tmp_path):
    """A filter sees the architecture of x86-64 there. Numbers: socket, and clone without any flag."""
    numbers = (41, 56, 0x40000000 + 41, 0x40000000 + 59) if platform.machine() == "x86_64" else (198, 220)
    code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in {numbers}:
    assert libc.syscall(number, 0, 0, 0, 0, 0) == -1
    assert ctypes.get_errno() == errno.EPERM, (number, ctypes.get_errno())
assert libc.syscall(435, 0, 0) == -1 and ctypes.get_errno() == errno.ENOSYS
"""
    done = attempt(code, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_anonymous_files_are_limited(tmp_path):
    code = """
descriptor = os.memfd_create("a")
for _ in range(40):
    os.write(descriptor, bytes(16 << 20))
"""
    assert "File too large" in attempt(code, tmp_path).stderr
    assert "Too many open files" in attempt("held = [os.memfd_create('a') for _ in range(1000)]", tmp_path).stderr


def test_memory_and_time_are_limited(tmp_path):
    assert "MemoryError" in attempt("bytearray(1 << 30)", tmp_path).stderr
    assert attempt("while True: pass", tmp_path).returncode < 0


def test_a_system_without_a_filter_is_said(monkeypatch):
    monkeypatch.setattr(isolation.platform, "machine", lambda: "riscv64")
    assert isolation._filter_calls() is False


def test_it_does_not_outlive_whoever_started_it(tmp_path):
    """The worker between is killed; what it had forked ends with it."""
    code = """
import os, sys, time
from proscribe.assess.isolation import isolate
child = os.fork()
if child == 0:
    isolate()
    print(os.getpid(), flush=True)
    time.sleep(60)
time.sleep(60)
"""
    if not FILTERED:
        pytest.skip("no system-call filter for this system")
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as between:
        assert between.stdout is not None
        child = int(between.stdout.readline())
        between.kill()
        between.wait()
        assert between.stdout.read() == ""  # its end of the pipe closes when it ends
    assert not Path(f"/proc/{child}/cmdline").exists() or not Path(f"/proc/{child}/cmdline").read_bytes()


def test_a_signal_without_a_name_is_told_by_its_number():
    assert (_signal(9), _signal(35)) == ("SIGKILL", "signal 35")
