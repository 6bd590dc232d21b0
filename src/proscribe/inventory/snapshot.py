"""Open a snapshot and check that it is what its manifest says."""

from __future__ import annotations

from pathlib import Path

from proscribe.canonical import digest_file
from proscribe.documents import digest, read
from proscribe.errors import ProscribeError, Where
from proscribe.inventory.errors import BrokenSnapshot
from proscribe.inventory.model import Scope, Snapshot, SnapshotManifest
from proscribe.text import Text

MANIFEST = "manifest.json"


def open_snapshot(path: Path) -> Snapshot:
    """Open the snapshot in folder ``path`` and verify the digest of every file.

    Raises BrokenSnapshot when the folder is no snapshot, a file is missing, or its content was changed, and
    WrongDocumentVersion for a snapshot of another release's schema.
    """
    if not (path / MANIFEST).is_file():
        raise _broken(
            Text("this folder holds no snapshot", "ce dossier ne contient pas d'instantané"), Where(file=str(path))
        )
    manifest = read(SnapshotManifest, path / MANIFEST)
    for name, expected in sorted(manifest.files.items()):
        if Path(name).name != name or not (path / name).is_file():
            raise _broken(
                Text(f"the file {name} is missing", f"le fichier {name} manque"), Where(file=str(path / name))
            )
        if digest_file(path / name) != expected:
            raise _broken(
                Text(
                    "the content is not what the manifest says it was",
                    "le contenu ne correspond pas à ce qu'indique le manifeste",
                ),
                Where(file=str(path / name)),
            )
    return Snapshot(path, manifest, digest(manifest))


def device_scopes(snapshot: Snapshot) -> tuple[Scope, ...]:
    """What systems said of single devices, by system and device."""
    if snapshot.device_scopes.name not in snapshot.manifest.files:
        return ()
    import msgspec

    with snapshot.device_scopes.open("rb") as lines:
        return tuple(msgspec.json.decode(line, type=Scope) for line in lines)


def _broken(what: Text, where: Where) -> ProscribeError:
    return BrokenSnapshot(
        what,
        remedy=Text(
            "Import the exports again into a new snapshot, or restore the folder from a copy.",
            "Importez de nouveau les exportations dans un nouvel instantané, ou restaurez le dossier à partir "
            "d'une copie.",
        ),
        where=where,
    )
