"""Small files: read up to a bound, or written whole or not at all; a file that cannot be read says what to do next."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from proscribe.errors import UnreadableFile, Where
from proscribe.text import Text


def read_bytes(path: Path, most: int) -> bytes:
    """The content of a file. Of a longer one ``most`` + 1 bytes, which whoever parses them refuses.

    Raises UnreadableFile.
    """
    try:
        with path.open("rb") as stream:
            return stream.read(most + 1)
    except OSError as error:
        raise unreadable(path, error) from error


def read_text(path: Path) -> str:
    """The content of a UTF-8 file, without a byte order mark. Raises UnreadableFile."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise unreadable(path, error) from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error}", f"lecture impossible\u00a0: {error}"),
            remedy=Text("Save it as UTF-8 text.", "Enregistrez-le comme texte UTF-8."),
            where=Where(file=str(path)),
        ) from error


_REASONS = {
    errno.EACCES: "permission refusée",
    errno.EEXIST: "un fichier de ce nom existe déjà",
    errno.EISDIR: "c'est un dossier",
    errno.ENAMETOOLONG: "nom trop long",
    errno.ENOENT: "fichier ou dossier introuvable",
    errno.ENOTDIR: "une partie du chemin n'est pas un dossier",
    errno.EPERM: "opération non permise",
    errno.EROFS: "système de fichiers en lecture seule",
}


def reason(error: OSError) -> Text:
    """Why the system refused, in both languages; the system itself knows one."""
    said = error.strerror or str(error)
    return Text(said, _REASONS.get(error.errno or 0, said))


def unreadable(path: Path, error: OSError) -> UnreadableFile:
    """The error of a file that the system does not let us read."""
    return UnreadableFile(
        Text(f"cannot be read: {error.strerror}", f"lecture impossible\u00a0: {reason(error).fr}"),
        remedy=Text("Check the path and the permissions.", "Vérifiez le chemin et les droits d'accès."),
        where=Where(file=str(path)),
    )


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file in one step, so that who reads it meanwhile has the old content or the new. Raises OSError."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
