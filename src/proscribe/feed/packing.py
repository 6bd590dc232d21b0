"""A feed in one file, for who has no line to the authority: the same files, checked in the same way on arrival.

The file carries every root and what is public now, nothing of the past; it proves nothing by itself, and need not.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from proscribe.errors import Where
from proscribe.feed.errors import FeedFolder
from proscribe.feed.layout import read_path
from proscribe.feed.repository import Repository
from proscribe.feed.sources import COMMENT, Package, not_a_package, open_package
from proscribe.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

_METADATA = re.compile(r"metadata/(?:timestamp|[1-9][0-9]{0,8}\.(?:root|snapshot|targets))\.json")
_HASHED = re.compile(r"targets/(.+)/[0-9a-f]{64}\.([^/]+)")


def pack(folder: Path, out: Path) -> int:
    """Write what an authority's folder has public to one file; how many members it has. Raises FeedFolder.

    The same feed gives the same bytes.
    """
    from proscribe.prove.container import Writer

    repository = Repository(folder)
    names = _public(repository)
    draft = out.with_name(f".{out.name}.{os.getpid()}")
    try:
        with draft.open("wb") as stream:
            writer = Writer(stream)
            for name in names:
                writer.add(name, [(repository.public / name).read_bytes()])
            writer.finish(COMMENT)
        draft.replace(out)
    finally:
        draft.unlink(missing_ok=True)
    return len(names)


def _public(repository: Repository) -> tuple[str, ...]:
    versions = repository.standing().versions
    if "timestamp" not in versions:
        raise FeedFolder(
            Text("nothing was published yet", "rien n'a encore été publié"),
            remedy=Text(
                "Publish it first ('proscribe feed publish').",
                "Publiez-le d'abord («\u00a0proscribe feed publish\u00a0»).",
            ),
            where=Where(file=str(repository.folder)),
        )
    roots = sorted(path.name for path in repository.metadata.glob("*.root.json"))
    signed = [*roots, "timestamp.json", *(f"{versions[role]}.{role}.json" for role in ("snapshot", "targets"))]
    files = (repository.place(path, digest) for path, digest in sorted(repository.files().items()))
    return (*(f"metadata/{name}" for name in signed), *(f"targets/{name}" for name in files))


def unpack(package: Path, folder: Path) -> int:
    """Write a packed feed to a new folder, as a web server would serve it; how many files that were.

    Nothing is believed of it: whoever pulls from the folder checks it. Raises FeedPackage, or FeedFolder where the
    folder is there and not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FeedFolder(
            Text("this folder is not empty", "ce dossier n'est pas vide"),
            remedy=Text("Name a new one.", "Nommez-en un nouveau."),
            where=Where(file=str(folder)),
        )
    with open_package(package) as opened:
        names = tuple(_checked(opened, str(package)))
        for name in names:
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as stream:
                stream.writelines(opened.chunks(name))
    return len(names)


def _checked(opened: Package, source: str) -> Iterator[str]:
    """The names of a package, every one of which a feed could have."""
    for name in opened.names:
        hashed = _HASHED.fullmatch(name)
        if not _METADATA.fullmatch(name) and (hashed is None or read_path("/".join(hashed.groups())) is None):
            raise not_a_package(source, Text(f"a feed has no {name!r}", f"un fil ne contient pas {name!r}"))
        yield name
