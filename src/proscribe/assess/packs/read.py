"""One pack file, read strictly: header, sources, rows in order, nothing unknown, nothing without a source."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from proscribe.assess.errors import BrokenPack
from proscribe.assess.packs.model import (
    PACKS,
    ApiRow,
    CapabilityRow,
    HostRow,
    JurisdictionRow,
    OperatorRow,
    PackHeader,
    PermissionRow,
    SdkRow,
)
from proscribe.assess.packs.rows import Misfit, to_row
from proscribe.assess.profile import Reference
from proscribe.canonical import digest_bytes
from proscribe.errors import Where
from proscribe.text import Text

T = TypeVar("T")

LARGEST = 16 << 20  # bytes; the largest shipped pack has about 0.3 MiB

_SCAN = json.JSONDecoder().raw_decode  # json.loads without its detours: there are 3,700 lines
_VERSION = re.compile(r"[0-9]{4}\.(?:0[1-9]|1[0-2])\.[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A pack's row type and what its rows are sorted by."""

    row: type[Any]
    key: Callable[[Any], tuple[str, ...]]


KINDS: dict[str, Kind] = {
    "permissions": Kind(PermissionRow, lambda row: (row.name,)),
    "apis": Kind(ApiRow, lambda row: (row.kind, row.watch, row.capability, row.argument, row.signature)),
    "capabilities": Kind(CapabilityRow, lambda row: (row.id,)),
    "sdks": Kind(SdkRow, lambda row: (row.id,)),
    "hosts": Kind(HostRow, lambda row: (row.domain,)),
    "operators": Kind(OperatorRow, lambda row: (row.id,)),
    "jurisdictions": Kind(JurisdictionRow, lambda row: (row.country,)),
}


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack file. ``rows`` hold the row type that ``KINDS`` names, in the order of the file."""

    path: Path
    header: PackHeader
    reference: Reference
    rows: tuple[Any, ...]

    def where(self, position: int, field: str = "") -> Where:
        """The place of the row at ``position`` (from 0); the header is line 1."""
        return Where(file=str(self.path), row=position + 2, field=field)


def is_version(text: str) -> bool:
    """Whether a text is a version like ``2026.11.1``."""
    return _VERSION.fullmatch(text) is not None


def newness(version: str) -> tuple[int, ...]:
    """``2026.11.1`` as numbers, to be compared."""
    return tuple(int(part) for part in version.split("."))


def read_pack(path: Path, expected: str = "") -> Pack:
    """Read one pack. ``expected``: the pack it has to be; "" takes any known one. Raises BrokenPack."""
    data = _bytes(path)
    lines = _text(path, data).split("\n")
    if lines.pop():
        raise broken(
            Where(file=str(path), row=len(lines) + 1),
            Text(
                "the last line is not ended: the file was cut short",
                "la dernière ligne n'est pas terminée\u00a0: fichier tronqué",
            ),
        )
    header = _header(path, lines, expected)
    return Pack(
        path=path,
        header=header,
        reference=Reference(id=header.pack, version=header.version, digest=digest_bytes(data)),
        rows=_rows(path, header, lines[1:]),
    )


def broken(where: Where, what: Text, remedy: Text | None = None) -> BrokenPack:
    """The error of a pack, with the next step that fits most faults."""
    return BrokenPack(what, remedy=remedy or _REPAIR, where=where)


_REPAIR = Text(
    "Correct that row, or put the pack back: 'proscribe data verify' tells which packs differ from the shipped ones.",
    "Corrigez cette ligne ou remettez l'ensemble en place\u00a0: «\u00a0proscribe data verify\u00a0» indique lesquels "
    "diffèrent de ceux qui sont livrés.",
)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise broken(
            Where(file=str(path)),
            Text(f"cannot be read: {reason}", f"lecture impossible\u00a0: {reason}"),
            Text(
                "Check the path; where a shipped pack is missing, install this release again.",
                "Vérifiez le chemin; s'il manque un ensemble livré, réinstallez la présente version.",
            ),
        ) from error
    if len(data) > LARGEST:
        raise broken(
            Where(file=str(path)),
            Text(
                f"larger than {LARGEST} bytes: not a data pack",
                f"plus de {LARGEST} octets\u00a0: pas un ensemble de données",
            ),
        )
    return data


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise broken(Where(file=str(path), row=row), Text("not UTF-8 text", "pas du texte UTF-8")) from error


def _header(path: Path, lines: list[str], expected: str) -> PackHeader:
    header = _line(PackHeader, path, 1, lines[0] if lines else "")
    where = Where(file=str(path), row=1, field="pack")
    if header.pack not in PACKS or (expected and header.pack != expected):
        wanted = expected or ", ".join(PACKS)
        raise broken(
            where,
            Text(
                f"this is pack {header.pack!r}, not {wanted}",
                f"ceci est l'ensemble «\u00a0{header.pack}\u00a0» et non {wanted}",
            ),
        )
    if not is_version(header.version):
        raise broken(
            Where(file=str(path), row=1, field="version"),
            Text(
                f"{header.version!r} is not a version like 2026.11.1",
                f"«\u00a0{header.version}\u00a0» n'est pas une version comme 2026.11.1",
            ),
        )
    ids = [source.id for source in header.sources]
    if len(set(ids)) != len(ids) or not all(ids):
        raise broken(
            Where(file=str(path), row=1, field="sources"),
            Text("a source has no id, or two have the same", "une source est sans identifiant, ou deux ont le même"),
        )
    return header


def _rows(path: Path, header: PackHeader, lines: list[str]) -> tuple[Any, ...]:
    kind = KINDS[header.pack]
    sources = {source.id for source in header.sources}
    rows: list[Any] = []
    before: tuple[str, ...] = ()
    for number, line in enumerate(lines, start=2):
        row = _line(kind.row, path, number, line)
        if row.source not in sources:
            raise broken(
                Where(file=str(path), row=number, field="source"),
                Text(
                    f"there is no source {row.source!r} in the header",
                    f"l'en-tête ne contient pas de source «\u00a0{row.source}\u00a0»",
                ),
            )
        key = kind.key(row)
        if key <= before:
            same = key == before
            raise broken(
                Where(file=str(path), row=number),
                Text("this row stands twice", "cette ligne figure deux fois")
                if same
                else Text(
                    "rows are not sorted: this one comes too late",
                    "les lignes ne sont pas triées\u00a0: celle-ci vient trop tard",
                ),
            )
        before = key
        rows.append(row)
    return tuple(rows)


def _line(cls: type[T], path: Path, number: int, line: str) -> T:
    try:
        value, end = _SCAN(line)
    except (ValueError, RecursionError):
        end = -1
    if end != len(line):
        raise broken(Where(file=str(path), row=number), Text("not a line of JSON", "pas une ligne de JSON"))
    try:
        return to_row(cls, value)
    except Misfit as error:
        raise broken(Where(file=str(path), row=number, field=error.field), _MISFITS[error.problem]) from error


_MISFITS = {
    "unknown": Text("there is no such field", "ce champ n'existe pas"),
    "missing": Text("this field is missing", "ce champ manque"),
    "wrong": Text("this value is of the wrong kind", "cette valeur n'est pas du bon type"),
}
