"""Where packs lie: those of the release, and those that ``proscribe data update`` put over them.

The folder of updates holds pack files under names with their digest, and one small ``installed.json`` that says which
of them are in use. Replacing that one file is the only step of an update, so a crash leaves the old state or the new.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proscribe.assess.packs.model import PACKS
from proscribe.assess.packs.read import broken, is_version, newness
from proscribe.canonical import Digest
from proscribe.errors import Where
from proscribe.text import Text

SHIPPED = Path(__file__).parent.parent / "data"

STATE = "installed.json"


@dataclass(frozen=True, slots=True)
class Update:
    """An installed pack. ``older``: the person insisted on a version that is not newer than the one in use."""

    file: str
    version: str
    digest: Digest
    older: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What is installed, and what each pack was before that."""

    installed: Mapping[str, Update] = field(default_factory=dict)
    previous: Mapping[str, Update] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """The file of a pack in use. ``digest`` "" where nothing was recorded (the release's own)."""

    path: Path
    digest: str = ""


def data_home() -> Path:
    """``PROSCRIBE_DATA``, or a folder beside the installation's own (where ``click.get_app_dir`` puts it).

    Said here once more because a worker that loads packs has no other use for click, and it takes longer to import.
    """
    named = os.environ.get("PROSCRIBE_DATA", "")
    if named:
        return Path(named)
    if sys.platform == "win32":
        base = os.environ.get("APPDATA", "") or Path.home()
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = os.environ.get("XDG_CONFIG_HOME", "") or Path.home() / ".config"
    return Path(base) / "proscribe" / "packs"


def in_use() -> dict[str, Place]:
    """Each pack's file: an update where one is newer than the release's own, or was insisted on."""
    state = read_state()
    return {name: _in_use(name, state) for name in PACKS}


def shipped(pack: str) -> Path:
    """The release's own file."""
    return SHIPPED / f"{pack}.jsonl"


def _in_use(pack: str, state: State) -> Place:
    update = state.installed.get(pack)
    if update is None:
        return Place(shipped(pack))
    if update.older or newness(update.version) > newness(version_of(shipped(pack))):
        return Place(data_home() / update.file, update.digest)
    return Place(shipped(pack))


def version_of(path: Path) -> str:
    """The version in a pack's first line, "0" where there is none to be read."""
    try:
        with path.open(encoding="utf-8") as stream:
            version = json.loads(stream.readline(1 << 20)).get("version", "")
    except (OSError, ValueError, AttributeError):
        return "0"
    return version if isinstance(version, str) and is_version(version) else "0"


def read_state() -> State:
    """What is installed; nothing where there is no folder. Raises BrokenPack for a state that cannot be read."""
    path = data_home() / STATE
    try:
        raw = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return State()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path) from error
    try:
        value = json.loads(raw)
        return State(installed=_updates(value["installed"]), previous=_updates(value["previous"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable(path) from error


def _updates(value: Mapping[str, Any]) -> dict[str, Update]:
    updates = {pack: Update(**one) for pack, one in value.items()}
    for pack, one in updates.items():
        if pack not in PACKS or Path(one.file).name != one.file or not is_version(one.version):
            raise ValueError(pack)
    return updates


def _unreadable(path: Path) -> Exception:
    return broken(
        Where(file=str(path)),
        Text("the record of installed packs cannot be read", "le registre des ensembles installés est illisible"),
        Text(
            "Delete that file: the packs of this release are used again; then install the updates once more.",
            "Supprimez ce fichier\u00a0: les ensembles de la présente version servent de nouveau; réinstallez ensuite "
            "les mises à jour.",
        ),
    )


def write_state(state: State) -> None:
    """Replace the record in one step."""
    value = {
        name: {pack: _plain(update) for pack, update in sorted(updates.items())}
        for name, updates in (("installed", state.installed), ("previous", state.previous))
    }
    replace_file(data_home() / STATE, (json.dumps(value, indent=2) + "\n").encode())


def _plain(update: Update) -> dict[str, Any]:
    return {"file": update.file, "version": update.version, "digest": update.digest, "older": update.older}


def replace_file(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; what was there stays until the last moment."""
    import tempfile  # only where something is written

    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(draft).unlink()
        raise
