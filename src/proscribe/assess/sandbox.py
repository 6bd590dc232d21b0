"""Ask the worker process and get an answer or an error; a worker that dies is an error of its own, with its cause."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from proscribe.assess.errors import WorkerDied
from proscribe.assess.isolation import CPU_SECONDS, MEMORY
from proscribe.errors import ProscribeError, Where
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.assess.engine import Options  # the process is started before this is loaded


UNLIMITED: set[str] = set()
"""Limits that a worker of this process could not put on its children (see ``isolation.isolate``)."""


class Worker:
    """One worker process, started at the first question and kept for the next. Not for several threads at once."""

    def __init__(self, *, memory: int = MEMORY, cpu_seconds: int = CPU_SECONDS, seconds: float = 120.0) -> None:
        self._limits = {"memory": memory, "cpu": cpu_seconds, "seconds": seconds}
        self._process: subprocess.Popen[bytes] | None = None
        self.last: dict[str, Any] = {}  # what the last answer cost: seconds, cpu (seconds), memory (bytes), missing

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> Worker:
        """Start the process now, to have it ready when the first question comes."""
        if self._process is None or self._process.poll() is not None:
            # Nothing of ours runs on several threads there, and idle ones would only cost memory.
            environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "proscribe.assess.worker"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment,
            )  # fmt: skip
        return self

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            if process.stdin:
                with suppress(BrokenPipeError):  # a question may still lie there that nobody will read
                    process.stdin.close()
            if process.stdout:
                process.stdout.close()
            process.terminate()
            process.wait()

    def ask(self, request: dict[str, Any]) -> bytes:
        """One question, one answer. Raises what the worker raised, or WorkerDied."""
        file = str(request.get("path", ""))
        self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise _died(file, "not started")
        try:
            process.stdin.write(json.dumps({**self._limits, **request}).encode() + b"\n")
            process.stdin.flush()
            header = json.loads(process.stdout.readline() or b"null")
            body = _exactly(process.stdout, header["length"]) if header else b""
        except (OSError, ValueError, EOFError) as error:
            self.close()
            raise _died(file, str(error)) from error
        if not header:
            self.close()
            raise _died(file, "silent")
        self.last = {key: header.get(key) for key in ("seconds", "cpu", "memory", "missing")}
        UNLIMITED.update(header.get("missing") or ())
        if header["ok"]:
            return body
        if "error" in header:
            raise _rebuilt(header["error"])
        raise _died(file, str(header["died"]))


def ask(do: str, request: dict[str, Any], options: Options, *, worker: Worker | None = None) -> bytes:
    """Ask a worker, or one made for this question."""
    whole = {
        "do": do,
        "rubric": _text(options.rubric),
        "review": _text(options.review),
        "observations": [str(file) for file in options.observations],
        "packs": _text(options.packs),
        **request,
    }
    if worker is not None:
        return worker.ask(whole)
    with Worker() as own:
        return own.ask(whole)


def _text(path: Path | None) -> str | None:
    return str(path) if path else None


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) < length:
        raise EOFError(f"{len(data)} of {length} bytes")
    return data


def _rebuilt(parts: dict[str, Any]) -> ProscribeError:
    """The error the worker raised, of the same class."""
    file, row, field = parts["where"]
    waiting = [ProscribeError]
    kind: type[ProscribeError] = ProscribeError
    while waiting:
        cls = waiting.pop()
        if cls.code == parts["code"]:
            kind = cls
        waiting += cls.__subclasses__()
    error = kind(Text(*parts["what"]), remedy=Text(*parts["remedy"]), where=Where(file, row, field))
    if error.code != parts["code"]:
        error.__class__ = type(kind.__name__, (kind,), {"code": parts["code"]})
    return error


_CAUSES = {
    "SIGKILL": Text("the system ended it (out of memory?)", "le système l'a arrêté (mémoire épuisée?)"),
    "SIGXCPU": Text("it used up its processor time", "il a épuisé son temps de calcul"),
    "memory": Text("it used up its memory", "il a épuisé sa mémoire"),
    "silent": Text("it ended before it answered", "il s'est terminé avant de répondre"),
    "overdue": Text("it did not answer in time", "il n'a pas répondu à temps"),
}


def _died(file: str, cause: str) -> WorkerDied:
    why = _CAUSES.get(cause) or Text(f"it ended with {cause}", f"il s'est terminé par {cause}")
    return WorkerDied(
        Text("the process that read it did not finish: ", "le processus qui le lisait n'a pas terminé\u00a0: ") + why,
        remedy=Text(
            "Treat the package as not assessed; it may have been made to break readers. Keep the file and report it.",
            "Tenez le paquet pour non évalué; il a pu être conçu pour faire échouer les lecteurs. "
            "Conservez le fichier et signalez-le.",
        ),
        where=Where(file=file),
    )
