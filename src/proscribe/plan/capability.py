"""Capability rows: what a management system can do on a class of devices, as data (DESIGN rule 3).

A file is TOML::

    system = "intune"                     # "*" for what the platform allows at most

    [texts.reinventory]                   # wording that several rows share
    en = "A later inventory from the device."
    fr = "Un inventaire ultérieur de l'appareil."

    [[capability]]
    name = "ios-supervised-remove"        # the row's id is "<system>/<name>"
    verb = "remove"                       # observe | remove | block_launch | block_install
    platform = "ios"
    enrolment = "supervised"
    side = "whole"                        # whole | work | personal
    os_min = "15"                         # optional; inclusive
    os_max = "25"                         # optional; inclusive, 25.6 is in
    applies_to = "managed"                # optional: any (default) | managed | unmanaged | system
    effect = "full"                       # full | blind | report_only | impossible
    method = "uninstall_intent"           # absent exactly where the effect is impossible
    reach = "group"                       # device | group | policy; absent where the effect is impossible
    proved_by = "reinventory"             # a name in [texts], or {en = "...", fr = "..."}
    undo = {en = "...", fr = "..."}
    limits = {en = "...", fr = "..."}     # for an impossible row: the reason
    source = "where this is documented"
    tested_by = "tests/plan/test_rows.py::test_rows_keep_to_the_ceiling"

A row without ``source`` or ``tested_by`` does not load, and neither does a row that promises more than the platform.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from proscribe.canonical import Digest, digest_json
from proscribe.documents import to_json
from proscribe.errors import ProscribeError, UnreadableFile, Where
from proscribe.files import reason
from proscribe.plan.model import Capability, Effect, Reach, Verb
from proscribe.plan.versions import bounds, covers, parse_version
from proscribe.terms import Enrolment, Platform, Side
from proscribe.text import Text

EVERY_SYSTEM = "*"
"""The ``system`` of the rows that say what the platform itself allows at most."""

PARTS = ("managed", "unmanaged", "system")
"""The parts of an app list that ``applies_to`` tells apart; ``any`` means all three."""

_RANK = {Effect.impossible: 0, Effect.report_only: 1, Effect.blind: 2, Effect.full: 3}
_FIELDS = frozenset(
    {"name", "verb", "platform", "enrolment", "side", "os_min", "os_max", "applies_to", "effect", "method", "reach"}
    | {"proved_by", "undo", "limits", "source", "tested_by"}
)
_TEST = re.compile(r"^tests/[\w/]+\.py::test_\w+$")
_DATA = Path(__file__).parent / "data" / "capabilities"
_CONNECTORS = Path(__file__).parent.parent / "connectors"

E = TypeVar("E", bound=StrEnum)


class CapabilityError(ProscribeError):
    """A capability row that cannot be relied on: a field is missing or wrong, or it promises more than the platform."""

    code: ClassVar[str] = "plan.capability"


def load_rows(path: Path) -> tuple[Capability, ...]:
    """Read one file of capability rows. Raises UnreadableFile, or CapabilityError naming file, row and field.

    The row number counts the ``[[capability]]`` tables from 1. Except for the platform's own rows, every row is held
    against the ceiling of the platform.
    """
    data = _read(path)
    system = data.get("system")
    if not isinstance(system, str) or not system:
        raise _error(
            path,
            None,
            "system",
            Text("the file does not say which system it is about", "le fichier ne dit pas de quel système il s'agit"),
            Text('Add a first line: system = "<name>".', 'Ajoutez une première ligne : system = "<nom>".'),
        )
    unknown = sorted(set(data) - {"system", "texts", "capability"})
    if unknown:
        raise _error(path, None, unknown[0], Text("unknown field", "champ inconnu"), _SPELLING)
    texts = {name: _inline(value, path, None, f"texts.{name}") for name, value in data.get("texts", {}).items()}
    entries = data.get("capability", [])
    rows = tuple(_Reader(path, number, entry, texts).row(system) for number, entry in enumerate(entries, start=1))
    _refuse_doubles(rows, path)
    if system != EVERY_SYSTEM:
        ceiling = platform_rows()
        for number, row in enumerate(rows, start=1):
            if not within_ceiling(row, ceiling):
                raise _error(
                    path,
                    number,
                    "effect",
                    Text(
                        f"{row.id} promises more than the platform allows",
                        f"{row.id} promet plus que ce que la plateforme permet",
                    ),
                    Text(
                        "Lower the effect or narrow the versions; the ceiling is in platform.toml.",
                        "Réduisez l'effet ou les versions; le plafond se trouve dans platform.toml.",
                    ),
                )
    return rows


@cache
def platform_rows() -> tuple[Capability, ...]:
    """What the makers of the platforms allow at most, whatever the management system."""
    return load_rows(_DATA / "platform.toml")


@cache
def shipped_rows() -> tuple[Capability, ...]:
    """Every row that ships: the platform's, those of systems known by their documentation, and the connectors'."""
    systems = sorted(path for path in _DATA.glob("*.toml") if path.name != "platform.toml")
    connectors = sorted(_CONNECTORS.glob("*/capabilities.toml"))
    return platform_rows() + tuple(row for path in (*systems, *connectors) for row in load_rows(path))


def all_rows(extra: Iterable[Capability] = ()) -> tuple[Capability, ...]:
    """Every shipped row together with ``extra`` ones (of configured systems), each id once; an extra row wins."""
    merged = {row.id: row for row in shipped_rows()}
    merged.update((row.id, row) for row in extra)
    return tuple(merged[key] for key in sorted(merged))


def digest_rows(rows: Iterable[Capability]) -> Digest:
    """One digest for a set of rows, whatever their order."""
    return _digest(tuple(sorted(rows, key=lambda row: row.id)))


@lru_cache(maxsize=8)
def _digest(rows: tuple[Capability, ...]) -> Digest:
    return digest_json([to_json(row) for row in rows])


def parts(applies_to: str) -> frozenset[str]:
    """The parts of an app list that an ``applies_to`` stands for."""
    return frozenset(PARTS) if applies_to == "any" else frozenset({applies_to})


def within_ceiling(row: Capability, ceiling: Sequence[Capability]) -> bool:
    """Whether the platform allows all that ``row`` promises: for every version in its range and every part of the list.

    A row that promises nothing is within any ceiling.
    """
    if row.effect is Effect.impossible:
        return True
    same = [
        other
        for other in ceiling
        if (other.verb, other.platform, other.enrolment, other.side)
        == (row.verb, row.platform, row.enrolment, row.side)
        and _RANK[other.effect] >= _RANK[row.effect]
    ]
    return all(
        covers(
            [bounds(other.os_min, other.os_max) for other in same if part in parts(other.applies_to)],
            bounds(row.os_min, row.os_max),
        )
        for part in parts(row.applies_to)
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error.strerror}", f"lecture impossible : {reason(error).fr}"),
            remedy=Text("Check the path and the permissions.", "Vérifiez le chemin et les droits d'accès."),
            where=Where(file=str(path)),
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _error(
            path,
            None,
            "",
            Text(f"not TOML: {error}", f"TOML non valide : {error}"),
            Text("Repair the file at that place.", "Réparez le fichier à cet endroit."),
        ) from error


_SPELLING = Text(
    "Check the spelling; the fields are listed in docs/reference/capabilities.md.",
    "Vérifiez l'orthographe; les champs sont décrits dans docs/reference/capabilities.md.",
)


def _error(path: Path, row: int | None, field: str, what: Text, remedy: Text) -> CapabilityError:
    return CapabilityError(what, remedy=remedy, where=Where(file=path.name, row=row, field=field))


def _inline(value: object, path: Path, row: int | None, field: str) -> Text:
    if isinstance(value, Mapping) and set(value) == {"en", "fr"}:
        en, fr = value["en"], value["fr"]
        if isinstance(en, str) and isinstance(fr, str) and en.strip() and fr.strip():
            return Text(en, fr)
    raise _error(
        path,
        row,
        field,
        Text("not a text in both languages", "ce n'est pas un texte dans les deux langues"),
        Text(
            'Write {en = "...", fr = "..."}, both filled in, or the name of an entry in [texts].',
            'Écrivez {en = "...", fr = "..."}, tous deux remplis, ou le nom d\'une entrée de [texts].',
        ),
    )


def _refuse_doubles(rows: Sequence[Capability], path: Path) -> None:
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        if row.id in seen:
            raise _error(
                path,
                number,
                "name",
                Text(f"{row.id} occurs twice", f"{row.id} figure deux fois"),
                Text("Give each row a name of its own.", "Donnez à chaque ligne un nom distinct."),
            )
        seen.add(row.id)


class _Reader:
    """Reads the fields of one row; every fault names the file, the row and the field."""

    def __init__(self, path: Path, number: int, entry: dict[str, Any], texts: Mapping[str, Text]) -> None:
        self._path, self._number, self._entry, self._texts = path, number, entry, texts

    def row(self, system: str) -> Capability:
        unknown = sorted(set(self._entry) - _FIELDS)
        if unknown:
            raise self._fault(unknown[0], Text("unknown field", "champ inconnu"), _SPELLING)
        effect = self._choice("effect", Effect)
        done = effect is not Effect.impossible
        method = self._word("method", required=done)
        reach = self._choice("reach", Reach, default="" if done else Reach.none.value)
        if not done and (method or reach is not Reach.none):
            raise self._fault(
                "method",
                Text(
                    "an impossible row names no method and no reach",
                    "une ligne « impossible » ne nomme ni méthode ni portée",
                ),
                Text("Remove the two fields.", "Retirez ces deux champs."),
            )
        return Capability(
            id=f"{system}/{self._word('name')}",
            system=system,
            verb=self._choice("verb", Verb),
            platform=self._choice("platform", Platform),
            enrolment=self._choice("enrolment", Enrolment),
            side=self._choice("side", Side),
            os_min=self._version("os_min"),
            os_max=self._version("os_max"),
            applies_to=self._applies_to(),
            effect=effect,
            method=method,
            reach=reach,
            proved_by=self._text("proved_by"),
            undo=self._text("undo"),
            limits=self._text("limits"),
            source=self._word("source"),
            tested_by=self._tested_by(),
        )

    def _fault(self, field: str, what: Text, remedy: Text) -> CapabilityError:
        return _error(self._path, self._number, field, what, remedy)

    def _word(self, field: str, *, required: bool = True) -> str:
        value = self._entry.get(field, "")
        if not isinstance(value, str) or (required and not value.strip()):
            raise self._fault(
                field,
                Text("missing or empty", "absent ou vide"),
                Text(
                    f"Fill in '{field}'; a row without it cannot be relied on.",
                    f"Remplissez « {field} »; sans ce champ, la ligne n'est pas fiable.",
                ),
            )
        return value.strip()

    def _choice(self, field: str, kind: type[E], *, default: str = "") -> E:
        value = self._entry.get(field, default)
        try:
            return kind(value)
        except ValueError:
            choices = ", ".join(kind)
            raise self._fault(
                field,
                Text(f"{value!r} is not one of the values", f"{value!r} n'est pas une valeur admise"),
                Text(f"Choose among: {choices}.", f"Choisissez parmi : {choices}."),
            ) from None

    def _version(self, field: str) -> str:
        value = self._word(field, required=False)
        if value and parse_version(value) is None:
            raise self._fault(
                field,
                Text(f"{value!r} is not a version", f"{value!r} n'est pas une version"),
                Text('Write numbers, e.g. "15" or "17.4".', 'Écrivez des nombres, p. ex. "15" ou "17.4".'),
            )
        return value

    def _applies_to(self) -> str:
        value = self._entry.get("applies_to", "any")
        if value not in ("any", *PARTS):
            choices = ", ".join(("any", *PARTS))
            raise self._fault(
                "applies_to",
                Text(f"{value!r} is not one of the values", f"{value!r} n'est pas une valeur admise"),
                Text(f"Choose among: {choices}.", f"Choisissez parmi : {choices}."),
            )
        return str(value)

    def _text(self, field: str) -> Text:
        value = self._entry.get(field)
        if isinstance(value, str) and value in self._texts:
            return self._texts[value]
        return _inline(value, self._path, self._number, field)

    def _tested_by(self) -> str:
        value = self._word("tested_by")
        if not _TEST.match(value):
            raise self._fault(
                "tested_by",
                Text(f"{value!r} does not name a test", f"{value!r} ne nomme pas un test"),
                Text('Write "tests/<file>.py::test_<name>".', 'Écrivez "tests/<fichier>.py::test_<nom>".'),
            )
        return value
