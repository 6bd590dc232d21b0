"""What ``proscribe assess`` reads and writes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.errors import ProscribeError, UnreadableFile, Where
from proscribe.files import reason
from proscribe.text import Language, Text, language

if TYPE_CHECKING:
    from proscribe.assess.model import Assessment
    from proscribe.cli.assess import Wanted

LANGUAGES: tuple[Language, ...] = ("en", "fr")


class ConflictingFiles(ProscribeError):
    """A result would be written over a file that is read, or over another result."""

    code = "assess.conflicting-output"


def keep_apart(wanted: Wanted) -> None:
    """Raise ConflictingFiles where one file would be read and written, or written twice."""
    inputs = (wanted.path, wanted.rubric, wanted.review, *wanted.observations)
    taken = {path.resolve() for path in inputs if path is not None}
    outputs = [*pages(wanted), wanted.sarif, wanted.cyclonedx, wanted.out]
    for path in outputs:
        if path is None:
            continue
        _check_place(path)
        if path.resolve() in taken:
            raise ConflictingFiles(
                Text(
                    f"{path} is to be written, and is read or written as something else",
                    f"{path} serait écrit, mais il est lu ou écrit à un autre titre",
                ),
                remedy=Text("Give every result a file of its own.", "Donnez à chaque résultat son propre fichier."),
            )
        taken.add(path.resolve())


def _check_place(path: Path) -> None:
    """Raise UnreadableFile where a result cannot be put, before the work and not after it."""
    if path.is_dir():
        why = Text("a folder; a file is wanted here", "un dossier; il faut ici un fichier")
    elif not path.parent.is_dir():
        why = Text(f"there is no folder {path.parent}", f"le dossier {path.parent} n'existe pas")
    else:
        return
    raise UnreadableFile(
        Text(f"cannot be written: {why.en}", f"écriture impossible : {why.fr}"),
        remedy=Text("Name a file in a folder that exists.", "Nommez un fichier dans un dossier qui existe."),
        where=Where(file=str(path)),
    )


def pages(wanted: Wanted) -> list[Path]:
    """The HTML files that are asked for: one, or one a language in a folder."""
    if wanted.html is None:
        return []
    if wanted.html.is_dir():
        return [wanted.html / f"assessment-{one}.html" for one in LANGUAGES]
    return [wanted.html]


def assessment_of(wanted: Wanted) -> tuple[bytes, Assessment]:
    """The canonical bytes and the assessment of a package, or those of a saved one.

    Raises what ``engine.assess`` raises, or InvalidDocument where a saved assessment does not fit its schema.
    """
    if not _is_document(wanted.path):
        from proscribe.assess.sandbox import Worker

        # It starts first: while it loads what reads a package, this process loads what shows one.
        with Worker().start() as worker:
            import msgspec  # noqa: F401
            import rich.console  # noqa: F401

            from proscribe.assess import engine
            from proscribe.cli import assess_view  # noqa: F401

            data = engine.assess(wanted.path, wanted.engine_options(), worker=worker)
        return data, engine.load(data)
    from proscribe.assess.model import Assessment
    from proscribe.documents import read, to_bytes

    wanted.refuse(
        "rubric",
        "review",
        "observations",
        why=Text("no effect on a saved assessment", "sans effet sur une évaluation enregistrée"),
    )
    saved = read(Assessment, wanted.path)
    return to_bytes(saved), saved


def _is_document(path: Path) -> bool:
    """Whether a file is JSON and no package, by its first character.

    Raises UnreadableFile for what is no file: a pipe gives its bytes once, and they are read more than once.
    """
    if path.exists() and not path.is_file():
        raise UnreadableFile(
            Text("is neither a file nor a folder", "n'est ni un fichier ni un dossier"),
            remedy=Text("Save it as a file first.", "Enregistrez d'abord le contenu dans un fichier."),
            where=Where(file=str(path)),
        )
    try:
        with path.open("rb") as stream:
            return stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{"
    except OSError as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error.strerror}", f"lecture impossible : {reason(error).fr}"),
            remedy=Text("Check the path and its permissions.", "Vérifiez le chemin et les droits d'accès."),
            where=Where(file=str(path)),
        ) from error


def write(wanted: Wanted, data: bytes, assessment: Assessment) -> list[Path]:
    """Write every file that is asked for, each whole or not at all; returns their paths.

    What is no plain file (``/dev/stdout``, a pipe) is written to, and never replaced by one.
    """
    written = []
    for path, content in _contents(wanted, data, assessment):
        written.append(path)
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            continue
        scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            scratch.write_bytes(content)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
    return written


def _contents(wanted: Wanted, data: bytes, assessment: Assessment) -> Iterator[tuple[Path, bytes]]:
    if wanted.out is not None:
        yield wanted.out, data
    if wanted.html is not None:
        from proscribe.assess.emit.page import page

        chosen = LANGUAGES if wanted.html.is_dir() else (language(),)
        for path, one in zip(pages(wanted), chosen, strict=True):
            yield path, page(assessment, one).encode()
    if wanted.sarif is not None:
        from proscribe.assess.emit.sarif import sarif

        yield wanted.sarif, _json(sarif(assessment))
    if wanted.cyclonedx is not None:
        from proscribe.assess.emit.cyclonedx import bom

        yield wanted.cyclonedx, _json(bom(assessment))


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()
