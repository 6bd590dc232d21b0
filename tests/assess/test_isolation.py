"""What the worker's child may not do, tried in a process of its own."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from proscribe.assess import isolation

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


def test_memory_and_time_are_limited(tmp_path):
    assert "MemoryError" in attempt("bytearray(1 << 30)", tmp_path).stderr
    assert attempt("while True: pass", tmp_path).returncode < 0


def test_a_system_without_a_filter_is_said(monkeypatch):
    monkeypatch.setattr(isolation.platform, "machine", lambda: "riscv64")
    assert isolation._filter_calls() is False
