"""The files of ``proscribe check``: JSON and CSV, written row by row so that memory does not grow with the findings."""

from __future__ import annotations

import csv
import errno
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from proscribe.cli.output import writes_all
from proscribe.documents import to_json
from proscribe.errors import DiskFull, ProscribeError, Where
from proscribe.evaluate.check import lookalikes, violations
from proscribe.evaluate.model import Finding
from proscribe.files import reason
from proscribe.text import Text

if TYPE_CHECKING:
    from proscribe.evaluate.model import CheckReport
    from proscribe.evaluate.result import Evaluated
    from proscribe.inventory.model import Snapshot

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class UnwritableFile(ProscribeError):
    """A result file that cannot be written."""

    code = "file.unwritable"


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """Open a result file; a fault names it. UTF-8, line ends as the content says."""
    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        where = Where(file=str(path))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                Text("no room left on the disk", "espace disque insuffisant"),
                remedy=Text("Free some space and try again.", "Libérez de l'espace et réessayez."),
                where=where,
            ) from error
        raise UnwritableFile(
            Text(f"cannot be written: {error.strerror}", f"écriture impossible : {reason(error).fr}"),
            remedy=Text(
                "Choose another place, or check the permissions.",
                "Choisissez un autre emplacement, ou vérifiez les droits d'accès.",
            ),
            where=where,
        ) from error


def write_json(stream: TextIO, report: CheckReport, evaluated: Evaluated) -> None:
    """Write the report as one ``proscribe.check`` document; its two lists of findings are streamed."""
    escaped = not writes_all(stream)
    head = to_json(report)
    del head["violations"], head["lookalikes"]
    stream.write(json.dumps(head, ensure_ascii=escaped, indent=2).removesuffix("\n}"))
    for name, found in (("violations", violations(evaluated)), ("lookalikes", lookalikes(evaluated))):
        stream.write(f',\n  "{name}": [')
        between = "\n    "
        for finding in found:
            stream.write(between + json.dumps(to_json(finding), ensure_ascii=escaped))
            between = ",\n    "
        stream.write("]" if between == "\n    " else "\n  ]")
    stream.write("\n}\n")


def write_csv(target: str, evaluated: Evaluated) -> None:
    """Write every finding as CSV to a file, or to standard output for "-"."""
    if target == "-":
        _csv(sys.stdout, evaluated)
        return
    with writing(Path(target)) as stream:
        stream.write("\ufeff")  # without it spreadsheet programs take the file for a legacy encoding
        _csv(stream, evaluated)


def _csv(stream: TextIO, evaluated: Evaluated) -> None:
    names = [field.name for field in fields(Finding)]
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(["finding", *names])
    for finding in evaluated.findings():
        kind = "violation" if finding.match.is_violation else "lookalike"
        writer.writerow([kind, *(_cell(getattr(finding, name)) for name in names)])


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("+00:00", "Z")
    text = str(value)
    # App names come from strangers; a spreadsheet program would run one that begins like a formula.
    return "'" + text if text.startswith(_FORMULA) else text


def write_problems(snapshot: Snapshot, target: Path) -> None:
    """Write every row that could not be used, as JSON lines: file, row, field, what, remedy."""
    with writing(target) as stream, (snapshot.path / "problems.jsonl").open(encoding="utf-8") as problems:
        shutil.copyfileobj(problems, stream)
