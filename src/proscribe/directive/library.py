"""The directives that ship with Proscribe, each with its reviewed target set, and how to find any directive."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path

from proscribe import documents
from proscribe.catalogue import library as catalogue_library
from proscribe.catalogue.library import did_you_mean
from proscribe.catalogue.model import TargetSet
from proscribe.directive.model import Directive
from proscribe.directive.targets import resolve_directive
from proscribe.errors import ProscribeError, Where
from proscribe.files import reason
from proscribe.text import Text

DATA = Path(__file__).parent / "data"
TARGETS = DATA / "targets"
_SUFFIXES = (".yaml", ".yml", ".json")


class UnknownDirective(ProscribeError):
    """Neither a shipped directive of that id nor a file of that name."""

    code = "directive.unknown"


class CannotSave(ProscribeError):
    """A new directive cannot be written where it was asked for, or would replace a file."""

    code = "directive.cannot-save"


@cache
def shipped() -> tuple[Directive, ...]:
    """The directives of this release, in the order of their ids."""
    return tuple(_shipped(directive_id) for directive_id in shipped_ids())


@cache
def shipped_ids() -> tuple[str, ...]:
    """The ids of the directives of this release; cheaper than ``shipped`` as it reads no file."""
    return tuple(sorted(path.stem for path in DATA.glob("*.yaml")))


@cache
def _shipped(directive_id: str) -> Directive:
    return documents.read(Directive, DATA / f"{directive_id}.yaml")


def find(id_or_path: str) -> Directive:
    """A shipped directive by its id, or one from a YAML or JSON file.

    Raises UnknownDirective (which proposes near ids), UnreadableFile, InvalidDocument or WrongDocumentVersion.
    """
    if id_or_path in shipped_ids():
        return _shipped(id_or_path)
    path = Path(id_or_path)
    if path.suffix.lower() in _SUFFIXES or path.is_file():
        return documents.read(Directive, path)
    raise UnknownDirective(
        Text(f"no directive {id_or_path!r}", f"aucune directive {id_or_path!r}"),
        remedy=did_you_mean(
            id_or_path,
            shipped_ids(),
            otherwise=Text(
                "List the shipped ones with 'proscribe directive list', or give the path of a file.",
                "Affichez celles qui sont fournies avec « proscribe directive list », ou donnez le chemin d'un "
                "fichier.",
            ),
        ),
        where=Where(field="directive"),
    )


def save_new(path: Path, text: str) -> None:
    """Write a new directive. Raises CannotSave when the file is there already or cannot be written."""
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise CannotSave(
            Text(f"cannot be written: {error.strerror}", f"écriture impossible : {reason(error).fr}"),
            remedy=Text("Name another file.", "Nommez un autre fichier."),
            where=Where(file=str(path)),
        ) from error


def target_set(directive: Directive, *, now: datetime) -> TargetSet:
    """What a directive bans, in exact identifiers.

    For a shipped directive, unchanged, the reviewed companion document; otherwise a resolution made at ``now``, whose
    empty ``reviewed_by`` says that no person has approved it yet.
    """
    companion = companion_path(directive.id)
    if directive.id in shipped_ids() and companion.exists() and directive == _shipped(directive.id):
        return _companion(companion)
    return resolve_directive(directive, catalogue_library.load(), now=now)


def companion_path(directive_id: str) -> Path:
    """Where the reviewed target set of a shipped directive lies."""
    return TARGETS / f"{directive_id}.json"


@cache
def _companion(path: Path) -> TargetSet:
    return documents.read(TargetSet, path)
