"""The process that reads strangers' packages: ``python -m proscribe.assess.worker``, spoken to through ``sandbox``.

It imports what reading needs once, then forks for every package: the child limits itself (``isolation``), reads one
package, hands its answer up a pipe and ends. A crash, a runaway or a bomb costs that child alone.

Requests are lines of JSON on standard input. An answer is a line of JSON (``ok``, ``length``, ``missing``, ``seconds``,
``cpu``, ``memory``, or an error's parts) and ``length`` bytes.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any, BinaryIO

from proscribe.assess.isolation import isolate
from proscribe.errors import ProscribeError
from proscribe.text import Text

WALL_SECONDS = 120.0
ANSWER_BYTES = 256 << 20


def main() -> None:
    """Answer requests until standard input ends."""
    _prepare()
    for line in sys.stdin.buffer:
        header, body = _in_child(json.loads(line))
        _write(sys.stdout.buffer, header, body)


def _prepare() -> None:
    """Import once what every child needs, so that each begins with it."""
    gc.disable()  # nothing of what is loaded here is garbage, and looking for some takes a tenth of the time
    import proscribe.assess.gather  # noqa: F401
    from proscribe.assess.engine import warm

    warm()
    gc.freeze()  # children neither search nor copy it
    gc.enable()


def _write(stream: BinaryIO, header: dict[str, Any], body: bytes) -> None:
    stream.write(json.dumps({**header, "length": len(body)}).encode() + b"\n" + body)
    stream.flush()


def _in_child(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Run one request in a fork of this process; whatever becomes of it, there is an answer."""
    reading, writing = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _child(request, writing)
    os.close(writing)
    data, overdue = _receive(reading, began + float(request.get("seconds", WALL_SECONDS)))
    if overdue:
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    cpu = round(usage.ru_utime + usage.ru_stime, 3)
    spent = {"seconds": round(time.monotonic() - began, 3), "cpu": cpu, "memory": usage.ru_maxrss << 10}
    code = os.waitstatus_to_exitcode(status)
    head, found, body = data.partition(b"\n")
    if overdue:
        return {"ok": False, "died": "overdue", **spent}, b""
    if code != 0 or not found:
        return {"ok": False, "died": _signal(-code) if code < 0 else f"exit {code}", **spent}, b""
    return {**json.loads(head), **spent}, body


def _signal(number: int) -> str:
    """A signal by its name; those for real time have none."""
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def _receive(reading: int, until: float) -> tuple[bytes, bool]:
    """Everything the child writes, up to a size and a time; (bytes, whether the time or the size ran out)."""
    chunks: list[bytes] = []
    total = 0
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], max(0.0, until - time.monotonic()))
            if not ready or total > ANSWER_BYTES:
                return b"", True
            chunk = pipe.read(1 << 20)
            if not chunk:
                return b"".join(chunks), False
            chunks.append(chunk)
            total += len(chunk)


def _child(request: dict[str, Any], writing: int) -> None:
    """Limit this process, do the work, write the answer and end; never returns."""
    status = 1
    try:
        missing = isolate(memory=int(request["memory"]), cpu_seconds=int(request["cpu"]))
        try:
            header, body = answer(request)
        except MemoryError:
            header, body = {"ok": False, "died": "memory"}, b""
        except Exception as error:  # noqa: BLE001 (a fault of ours must reach whoever asked, with its place)
            starved = isinstance(error, RuntimeError) and "start new thread" in str(error)
            header, body = {"ok": False, "died": "memory" if starved else _place(error)}, b""
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps({**header, "missing": missing}).encode() + b"\n" + body)
        status = 0
    finally:
        os._exit(status)


def _place(error: Exception) -> str:
    """Where a fault of this program happened: type, module and line, without anything of the package's content."""
    trace = error.__traceback__
    place = ""
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        if str(module).startswith("proscribe."):
            place = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"


def answer(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Do what a request asks: ``assess`` or ``recheck``. An error made on purpose is an answer, too."""
    from proscribe.assess.engine import Options, assess_here, recheck_here

    options = Options(
        rubric=_path(request["rubric"]),
        review=_path(request["review"]),
        observations=tuple(Path(file) for file in request["observations"]),
        packs=_path(request["packs"]),
    )
    try:
        if request["do"] == "recheck":
            return {"ok": True}, recheck_here(Path(request["report"]), Path(request["path"]), options)
        return {"ok": True}, assess_here(Path(request["path"]), options)
    except ProscribeError as error:
        return {"ok": False, "error": _parts(error)}, b""


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None


def _parts(error: ProscribeError) -> dict[str, Any]:
    def both(text: Text) -> list[str]:
        return [text.en, text.fr]

    where = error.where
    return {
        "code": error.code,
        "what": both(error.what),
        "remedy": both(error.remedy),
        "where": [where.file, where.row, where.field],
    }


if __name__ == "__main__":
    main()
