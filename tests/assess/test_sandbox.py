"""Asking a worker: whatever it says, or does not, is bytes or an error with a cause."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proscribe.assess import sandbox
from proscribe.assess.engine import Options
from proscribe.assess.errors import NotAPackage, WorkerDied
from proscribe.assess.sandbox import Worker
from proscribe.errors import ProscribeError, UnreadableFile

SAYS = """
import sys
sys.stdin.buffer.readline()
sys.stdout.buffer.write({answer!r})
sys.stdout.buffer.flush()
"""


def worker_that_says(answer: bytes) -> Worker:
    """A worker whose process answers the first question with these bytes and ends."""
    worker = Worker()
    command = [sys.executable, "-c", SAYS.format(answer=answer)]
    worker._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return worker


def ask(answer: bytes) -> bytes:
    with worker_that_says(answer) as worker:
        return worker.ask({"path": "a.apk"})


def test_an_answer_is_its_bytes() -> None:
    with worker_that_says(
        b'{"ok": true, "length": 3, "seconds": 1.5, "cpu": 1.0, "memory": 7, "missing": []}\nabc'
    ) as one:
        assert one.ask({}) == b"abc"
        assert one.last == {"seconds": 1.5, "cpu": 1.0, "memory": 7, "missing": []}


def test_limits_that_do_not_hold_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "UNLIMITED", set())
    assert ask(b'{"ok": true, "length": 0, "missing": ["network", "files"]}\n') == b""
    assert {"network", "files"} == sandbox.UNLIMITED


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (b"", "ended before it answered"),
        (b"null\n", "ended before it answered"),
        (b"Traceback\n", "it ended with"),
        (b'{"ok": true, "length": 30}\nabc', "3 of 30 bytes"),
        (b'{"ok": false, "length": 0, "died": "SIGKILL"}\n', "the system ended it"),
        (b'{"ok": false, "length": 0, "died": "SIGXCPU"}\n', "processor time"),
        (b'{"ok": false, "length": 0, "died": "memory"}\n', "its memory"),
        (b'{"ok": false, "length": 0, "died": "overdue"}\n', "in time"),
        (b'{"ok": false, "length": 0, "died": "SIGSEGV"}\n', "it ended with SIGSEGV"),
    ],
)
def test_a_worker_that_dies_is_an_error_with_its_cause(answer: bytes, cause: str) -> None:
    with pytest.raises(WorkerDied, match=cause) as caught:
        ask(answer)
    assert caught.value.where.file == "a.apk"
    assert caught.value.what.fr != caught.value.what.en


ERROR = (
    '{{"ok": false, "length": 0, "error": {{"code": "{}", "what": ["a", "b"], "remedy": ["c", "d"], '
    '"where": ["f", 3, "x"]}}}}\n'
)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("assess.not-a-package", NotAPackage),
        (UnreadableFile.code, UnreadableFile),
        ("nobody.knows-this", ProscribeError),
    ],
)
def test_an_error_is_of_its_class_again(code: str, kind: type[ProscribeError]) -> None:
    with pytest.raises(kind) as caught:
        ask(ERROR.format(code).encode())
    error = caught.value
    assert (error.code, error.what.en, error.what.fr, error.remedy.fr) == (code, "a", "b", "d")
    assert (error.where.file, error.where.row, error.where.field) == ("f", 3, "x")
    assert ProscribeError.code != "nobody.knows-this"


def test_a_worker_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker()
    monkeypatch.setattr(worker, "start", lambda: worker)
    with pytest.raises(WorkerDied, match="not started"):
        worker.ask({"path": "a.apk"})
    worker.close()  # and there is nothing to end


def test_a_question_that_was_never_read_does_not_hinder_the_end() -> None:
    worker = worker_that_says(b"")
    process = worker._process
    assert process is not None
    assert process.stdin is not None
    process.kill()
    process.wait()
    process.stdin.write(b"x" * 10)  # still in the buffer
    worker.close()
    assert process.stdout is not None
    assert process.stdout.closed


def test_options_are_asked_for_by_path(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(Worker, "ask", lambda _, request: asked.append(request) or b"")
    options = Options(rubric=Path("r"), review=Path("v"), observations=(Path("o"), Path("p")), packs=Path("k"))
    sandbox.ask("recheck", {"path": "a"}, options)
    sandbox.ask("assess", {"path": "a"}, Options())
    assert asked == [
        {"do": "recheck", "path": "a", "rubric": "r", "review": "v", "observations": ["o", "p"], "packs": "k"},
        {"do": "assess", "path": "a", "rubric": None, "review": None, "observations": [], "packs": None},
    ]
