"""The worker process from inside: what a child may end as, and that there is an answer each time."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from proscribe.assess import worker
from proscribe.assess.engine import load

Request = dict[str, Any]


def request(path: Path, **changed: Any) -> Request:
    plain = {"do": "assess", "path": str(path), "rubric": None, "review": None, "observations": [], "packs": None}
    return {**plain, "memory": 1 << 30, "cpu": 10, **changed}


# ---- what is asked ---------------------------------------------------------------------------------------------------


def test_an_assessment(built: Path, built_report: bytes) -> None:
    assert worker.answer(request(built)) == ({"ok": True}, built_report)


def test_a_recheck(built: Path, built_report: bytes, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    report.write_bytes(built_report)
    header, body = worker.answer(request(built, do="recheck", report=str(report)))
    assert header == {"ok": True}
    assert json.loads(body)["kind"] == "proscribe.recheck"
    assert json.loads(body)["failed"] == 0


def test_options_arrive(built: Path, tmp_path: Path) -> None:
    review = tmp_path / "review.yaml"
    review.write_text("kind: proscribe.review\nschema: 1\napp_id: org.example.other\nas_of: 2026-11-22\n")
    header, body = worker.answer(request(built, review=str(review)))
    assert (header["ok"], header["error"]["code"], body) == (False, "assess.wrong-review", b"")


def test_an_error_made_on_purpose_is_an_answer_with_all_its_parts(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    header, body = worker.answer(request(tmp_path / "letter.txt"))
    assert body == b""
    error = header["error"]
    assert error["code"] == "assess.not-a-package"
    assert all(len(error[part]) == 2 and all(error[part]) for part in ("what", "remedy"))
    assert error["where"] == [str(tmp_path / "letter.txt"), None, ""]


# ---- the child -------------------------------------------------------------------------------------------------------


class Ended(BaseException):
    """Instead of the end of this process."""


def in_place(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Request], tuple[dict[str, Any], bytes]]
) -> tuple[int, dict[str, Any], bytes]:
    """The child's part, without a child: its status, the header and the body it wrote."""
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        raise Ended

    monkeypatch.setattr(worker.os, "_exit", end)
    monkeypatch.setattr(worker, "isolate", lambda **limits: ("memory",) if limits["memory"] == 7 else ())
    monkeypatch.setattr(worker, "answer", answer)
    reading, writing = os.pipe()
    with pytest.raises(Ended):
        worker._child(request(Path("x"), memory=7), writing)
    data, overdue = worker._receive(reading, time.monotonic() + 60)
    assert not overdue
    head, _, body = data.partition(b"\n")
    return statuses[0], json.loads(head), body


def test_a_child_says_what_could_not_be_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    status, header, body = in_place(monkeypatch, lambda _: ({"ok": True}, b"{}\n{}"))
    assert (status, header, body) == (0, {"ok": True, "missing": ["memory"]}, b"{}\n{}")


def fails(error: Exception) -> Callable[[Request], tuple[dict[str, Any], bytes]]:
    def answer(_: Request) -> tuple[dict[str, Any], bytes]:
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "died"),
    [
        (MemoryError(), "memory"),
        (RuntimeError("can't start new thread"), "memory"),
        (RuntimeError("something else"), "RuntimeError at proscribe.assess.worker:"),
        (KeyError("secret of the package"), "KeyError at proscribe.assess.worker:"),
    ],
    ids=str,
)
def test_a_child_that_fails_says_how_and_nothing_of_the_package(
    monkeypatch: pytest.MonkeyPatch, error: Exception, died: str
) -> None:
    status, header, body = in_place(monkeypatch, fails(error))
    assert (status, header["ok"], body) == (0, False, b"")
    assert header["died"].startswith(died)
    assert "secret" not in header["died"]


def test_a_child_that_cannot_even_write_ends_with_a_status(monkeypatch: pytest.MonkeyPatch) -> None:
    statuses: list[int] = []

    def end(status: int) -> None:
        statuses.append(status)
        raise Ended

    monkeypatch.setattr(worker.os, "_exit", end)
    monkeypatch.setattr(worker, "isolate", fails(OSError("no limits")))
    _, writing = os.pipe()
    with pytest.raises(Ended):
        worker._child(request(Path("x")), writing)
    os.close(writing)
    assert statuses == [1]


# ---- the parent ------------------------------------------------------------------------------------------------------


def as_child(monkeypatch: pytest.MonkeyPatch, act: Callable[[int], object], **limits: Any) -> dict[str, Any]:
    """The header of the answer where a real child does ``act`` with the pipe it writes to."""

    def child(_: Request, writing: int) -> None:
        try:
            act(writing)
        finally:
            os._exit(3)

    monkeypatch.setattr(worker, "_child", child)
    header, body = worker._in_child(request(Path("x"), **limits))
    assert header["ok"] or body == b""
    assert header["seconds"] >= 0
    assert header["cpu"] >= 0
    assert header["memory"] > 1 << 20
    return header


def test_an_answer_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def act(writing: int) -> None:
        os.write(writing, b'{"ok": true, "missing": []}\nbody\nwith a line')
        os._exit(0)

    monkeypatch.setattr(worker, "_child", lambda _, writing: act(writing))
    header, body = worker._in_child(request(Path("x")))
    assert (header["ok"], header["missing"], body) == (True, [], b"body\nwith a line")


@pytest.mark.parametrize(
    ("act", "died"),
    [
        (lambda writing: os.write(writing, b'{"ok": true}\nhalf a body'), "exit 3"),
        (lambda _: os.kill(os.getpid(), signal.SIGXCPU), "SIGXCPU"),
        (lambda _: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"),
        (lambda _: os._exit(0), "exit 0"),
        (lambda writing: (os.write(writing, b"no end of line"), os._exit(0)), "exit 0"),
    ],
    ids=["half", "spent", "killed", "silent", "no-line"],
)
def test_whatever_becomes_of_the_child_there_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[int], object], died: str
) -> None:
    assert as_child(monkeypatch, act)["died"] == died


def test_a_child_that_takes_too_long_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    header = as_child(monkeypatch, lambda _: time.sleep(300), seconds=0.05)
    assert header["died"] == "overdue"
    assert header["cpu"] < 100


def test_a_child_that_writes_without_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "ANSWER_BYTES", 1 << 20)

    def endless(writing: int) -> None:
        while True:
            os.write(writing, bytes(1 << 16))

    assert as_child(monkeypatch, endless, seconds=100)["died"] == "overdue"


def test_every_line_of_input_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that children need loaded before the first one."""
    questions = [{"path": "a"}, {"path": "b"}]
    given = io.BytesIO("".join(json.dumps(one) + "\n" for one in questions).encode())
    taken = io.BytesIO()
    monkeypatch.setattr(worker.sys, "stdin", SimpleNamespace(buffer=given))
    monkeypatch.setattr(worker.sys, "stdout", SimpleNamespace(buffer=taken))
    monkeypatch.setattr(worker, "_in_child", lambda one: ({"ok": True, **one}, one["path"].encode() * 3))
    worker.main()
    taken.seek(0)
    for one in questions:
        header = json.loads(taken.readline())
        assert header == {"ok": True, **one, "length": 3}
        assert taken.read(3) == one["path"].encode() * 3
    assert taken.read() == b""


PREPARED = """
import sys
from pathlib import Path
from proscribe.assess import worker
worker._prepare()
before = set(sys.modules)
from proscribe.assess.engine import assess_here
body = assess_here(Path(sys.argv[1]))
sys.stderr.write(" ".join(sorted(set(sys.modules) - before)))
sys.stdout.buffer.write(body)
"""


def test_a_child_of_a_prepared_worker_has_nothing_left_to_import(built: Path, built_report: bytes) -> None:
    done = subprocess.run([sys.executable, "-c", PREPARED, str(built)], capture_output=True, check=True)
    assert load(done.stdout) == load(built_report)
    assert [name for name in done.stderr.decode().split() if name.startswith("proscribe")] == []
