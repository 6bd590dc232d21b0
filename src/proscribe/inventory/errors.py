"""What can go wrong with an export or a snapshot as a whole. A fault of one row is a ``Problem``, not one of these."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from proscribe.errors import DiskFull, ProscribeError, Where
from proscribe.text import Text


class InventoryError(ProscribeError):
    """Root of what goes wrong while reading exports or snapshots."""

    code: ClassVar[str] = "inventory.error"


class EmptyExport(InventoryError):
    """The file holds no bytes, or nothing but blank space."""

    code = "inventory.empty"


class UnknownFormat(InventoryError):
    """The content is of no format that Proscribe reads."""

    code = "inventory.unknown-format"


class TruncatedExport(InventoryError):
    """The file breaks off before its end: an interrupted download or a full disk elsewhere."""

    code = "inventory.truncated"


class DamagedExport(InventoryError):
    """The file is of a known format but its structure cannot be followed."""

    code = "inventory.damaged"


class WrongEncoding(InventoryError):
    """The text is in none of the encodings that exports come in."""

    code = "inventory.encoding"


class ArchiveBomb(InventoryError):
    """A compressed file grows beyond any plausible export."""

    code = "inventory.archive-bomb"


class NothingRead(InventoryError):
    """Not one of the files given could be read."""

    code = "inventory.nothing-read"


class SnapshotExists(InventoryError):
    """The folder for the new snapshot is there already; a snapshot never changes once written."""

    code = "inventory.snapshot-exists"


class BrokenSnapshot(InventoryError):
    """A snapshot is incomplete, or a file in it is not the one its manifest names."""

    code = "inventory.snapshot-broken"


def truncated(where: Where) -> TruncatedExport:
    """The error for a file that breaks off."""
    return TruncatedExport(
        Text(
            "the file breaks off before its end; what came before is kept",
            "le fichier s'interrompt avant la fin; ce qui précède est conservé",
        ),
        remedy=Text(
            "Export or download the file again and compare its size with the original.",
            "Exportez ou téléchargez le fichier de nouveau et comparez sa taille à celle de l'original.",
        ),
        where=where,
    )


def damaged(what: Text, where: Where) -> DamagedExport:
    """The error for a file whose structure cannot be followed."""
    return DamagedExport(
        what,
        remedy=Text("Export the file again.", "Exportez le fichier de nouveau."),
        where=where,
    )


@contextmanager
def disk_guard(folder: Path) -> Iterator[None]:
    """Turn "no space left" from Python, Arrow or DuckDB into DiskFull; let every other error through."""
    try:
        yield
    except ProscribeError:
        raise
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
        if not full and "No space left" not in str(error):
            raise
        raise DiskFull(
            Text(
                "no room left on the disk; the snapshot was not written",
                "espace disque insuffisant; l'instantané n'a pas été écrit",
            ),
            remedy=Text(
                "Free some space, or choose a folder on another disk, and run the command again.",
                "Libérez de l'espace, ou choisissez un dossier sur un autre disque, et relancez la commande.",
            ),
            where=Where(file=str(folder)),
        ) from error
