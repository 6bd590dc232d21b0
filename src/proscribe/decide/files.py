"""A case as files: every step and every document one readable file, so that git keeps, shows and compares it.

    case.json                               the head of the case
    steps/001-intake.json                   one file a step, in order
    documents/<kind>-<16 hex digits>.json   every document that a step names, once
    SHA256SUMS                              of all of these; ``sha256sum --check SHA256SUMS``

Files are what ``write_case`` writes, to the byte: sorted keys, two spaces, one line feed at the end. Anything else is
refused with its place. Whoever rewrites a whole case consistently cannot be found out by its files alone; the digest of
its last step, noted elsewhere, or the ledger, do that.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from proscribe.canonical import Digest
from proscribe.decide.file import CaseFile
from proscribe.decide.model import Case, Step
from proscribe.decide.process import CaseAltered, altered, replay
from proscribe.documents import Document, digest, from_json, to_json
from proscribe.errors import ProscribeError, UnreadableFile, Where
from proscribe.text import Text

D = TypeVar("D", bound=Document)

SUMS = "SHA256SUMS"
MAX_BYTES = 64 << 20
"""Of one file: a plan of a million devices is smaller."""
_FOLDERS = ("steps", "documents")
_NAME = re.compile(r"case\.json|steps/\d{3,}-[a-z]+\.json|documents/[a-z0-9-]+-[0-9a-f]{16}\.json")
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)")


class FolderInUse(ProscribeError):
    """The folder holds another case, or files that are no case."""

    code = "decide.folder-in-use"


def pretty(document: Document) -> bytes:
    """A document as its file holds it."""
    return (json.dumps(to_json(document), ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()


def case_files(file: CaseFile) -> dict[str, bytes]:
    """Every file of a case, by its name inside the folder."""
    found = {"case.json": pretty(file.case)}
    for step in file.steps:
        found[f"steps/{step.number:03d}-{step.stage}.json"] = pretty(step)
        for one in step.documents:
            found[_document_name(one.kind, one.digest)] = pretty(file.known[one.digest])
    found[SUMS] = _sums(found)
    return found


def write_case(folder: Path, file: CaseFile) -> None:
    """Write a case, or bring the folder of this same case up to date; other files beside it (.git) stay.

    Raises FolderInUse where the folder holds another case.
    """
    wanted = case_files(file)
    had = _present(folder)
    _own(folder, had, wanted)
    for name, body in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != body:
            path.write_bytes(body)
    for name in had - set(wanted):
        (folder / name).unlink()


def read_case(folder: Path, kinds: Mapping[str, type[Document]]) -> CaseFile:
    """Read a case, checking every byte, the chain, and that every step could be taken.

    Raises CaseAltered that names the file, UnreadableFile, or what a document that does not fit its kind raises.
    """
    bodies = _whole(folder)
    case = _document(Case, "case.json", bodies)
    places = sorted(
        (name for name in bodies if name.startswith("steps/")), key=lambda name: int(name[6:].split("-")[0])
    )
    steps = tuple(_document(Step, name, bodies) for name in places)
    known: dict[Digest, Document] = {}
    for step, place in zip(steps, places, strict=True):
        for one in step.documents:
            name = _document_name(one.kind, one.digest)
            if name not in bodies:
                raise altered(step.number, Text(f"{name} is not there", f"{name} est absent"), file=place)
            if one.kind not in kinds:
                raise altered(step.number, Text(f"unknown kind {one.kind}", f"type inconnu {one.kind}"), file=place)
            document = _document(kinds[one.kind], name, bodies)
            if digest(document) != one.digest:
                raise altered(
                    0,
                    Text("it is not the document its step names", "ce n'est pas le document que nomme l'étape"),
                    file=name,
                )
            known[one.digest] = document
    file = CaseFile(case, steps, known)
    _replayed(file, places)
    named = {"case.json", SUMS, *places, *(_document_name(doc.KIND, key) for key, doc in known.items())}
    for name in sorted(set(bodies) - named):
        raise altered(0, Text("no step names it", "aucune étape ne le nomme"), file=name)
    return file


def _replayed(file: CaseFile, places: list[str]) -> None:
    try:
        replay(file)
    except CaseAltered as error:
        number = int(error.where.field.rpartition(".")[2])
        raise altered(number, error.what, file=places[number - 1]) from error
    wrong = [
        place
        for step, place in zip(file.steps, places, strict=True)
        if place != f"steps/{step.number:03d}-{step.stage}.json"
    ]
    for place in wrong:
        raise altered(0, Text("its name is not that of its step", "son nom n'est pas celui de son étape"), file=place)


def _document_name(kind: str, value: Digest) -> str:
    return f"documents/{kind.removeprefix('proscribe.')}-{value.removeprefix('sha256:')[:16]}.json"


def _sums(bodies: Mapping[str, bytes]) -> bytes:
    lines = [f"{hashlib.sha256(body).hexdigest()}  {name}\n" for name, body in sorted(bodies.items()) if name != SUMS]
    return "".join(lines).encode()


def _present(folder: Path) -> set[str]:
    """The files of a case that are there; files of other names at the top are nobody's business."""
    if not folder.is_dir():
        return set()
    found = {name for name in ("case.json", SUMS) if (folder / name).exists()}
    for sub in _FOLDERS:
        found |= {path.relative_to(folder).as_posix() for path in (folder / sub).rglob("*") if not path.is_dir()}
    return found


def _own(folder: Path, had: set[str], wanted: Mapping[str, bytes]) -> None:
    if not had:
        return
    path = folder / "case.json"
    if not path.exists() or path.read_bytes() != wanted["case.json"]:
        raise FolderInUse(
            Text("the folder does not hold this case", "le répertoire ne contient pas ce dossier de décision"),
            remedy=Text("Name an empty folder.", "Nommez un répertoire vide."),
            where=Where(file=str(folder)),
        )


def _whole(folder: Path) -> dict[str, bytes]:
    """Every file, read once; refused where one is missing, added or differs from SHA256SUMS."""
    present = _present(folder)
    if SUMS not in present:
        raise altered(0, Text("there is no such file", "ce fichier n'existe pas"), file=SUMS)
    listed: dict[str, str] = {}
    for row, line in enumerate(_read(folder, SUMS).decode("utf-8", "replace").splitlines(), start=1):
        match = _LINE.fullmatch(line)
        if match is None or not _NAME.fullmatch(match[2]):
            raise altered(
                0,
                Text(f"row {row} is not a digest and a name", f"la ligne {row} n'est pas une empreinte et un nom"),
                file=SUMS,
            )
        listed[match[2]] = match[1]
    bodies: dict[str, bytes] = {}
    for name in sorted(set(listed) | present - {SUMS}):
        if name not in present:
            raise altered(0, Text("it was taken out", "il a été retiré"), file=name)
        bodies[name] = _read(folder, name)
        if hashlib.sha256(bodies[name]).hexdigest() != listed.get(name):
            raise altered(
                0, Text("its bytes are not those of SHA256SUMS", "ses octets ne sont pas ceux de SHA256SUMS"), file=name
            )
    if "case.json" not in bodies:
        raise altered(0, Text("it was taken out", "il a été retiré"), file="case.json")
    bodies[SUMS] = _read(folder, SUMS)
    if bodies[SUMS] != _sums(bodies):
        raise altered(0, Text("it is not as it was written", "il n'est pas tel qu'il a été écrit"), file=SUMS)
    return bodies


def _read(folder: Path, name: str) -> bytes:
    path = folder / name
    if path.is_symlink() or path.stat().st_size > MAX_BYTES:
        raise UnreadableFile(
            Text("it is a link, or far too long", "c'est un lien, ou le fichier est bien trop long"),
            remedy=Text("Export the case again.", "Exportez de nouveau le dossier."),
            where=Where(file=str(path)),
        )
    return path.read_bytes()


def _document(cls: type[D], name: str, bodies: Mapping[str, bytes]) -> D:
    body = bodies[name]
    try:
        data: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise altered(0, Text("it is not JSON", "ce n'est pas du JSON"), file=name) from error
    document = from_json(cls, data, source=name)
    if pretty(document) != body:
        raise altered(0, Text("it is not as it was written", "il n'est pas tel qu'il a été écrit"), file=name)
    return document
