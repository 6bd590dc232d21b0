"""``proscribe data``: which packs are in use, a newer one from a file, and whether all are what they should be.

Never the network: a person hands in a file. It is read strictly and loaded together with the packs in use before
anything is written.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from proscribe.assess.errors import BrokenPack, OlderPack
from proscribe.assess.packs.documents import (
    Origin,
    PackCheck,
    PackEntry,
    PackList,
    PackSource,
    PackState,
    PackUpdate,
    PackVerification,
)
from proscribe.assess.packs.installed import (
    SHIPPED,
    Place,
    State,
    Update,
    data_home,
    in_use,
    read_state,
    replace_file,
    shipped,
    version_of,
    write_state,
)
from proscribe.assess.packs.load import combine, read_place
from proscribe.assess.packs.model import PACKS
from proscribe.assess.packs.read import KINDS, Pack, broken, newness, read_pack
from proscribe.canonical import digest_bytes, digest_file
from proscribe.errors import Where
from proscribe.text import Text

DIGESTS = SHIPPED / "digests.json"
"""The digests of the shipped packs, by pack."""

Rows = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def listing() -> PackList:
    """The packs in use, with where they come from. Raises BrokenPack."""
    return PackList(tuple(_entry(name, place) for name, place in in_use().items()))


def _entry(name: str, place: Place) -> PackEntry:
    pack = read_place(name, place)
    named = Counter(row.source for row in pack.rows)
    header = pack.header
    return PackEntry(
        pack=name,
        version=header.version,
        origin=_origin(place),
        shipped_version=version_of(shipped(name)),
        rows=len(pack.rows),
        licence=header.licence,
        digest=pack.reference.digest,
        file=str(place.path),
        about=header.about,
        sources=tuple(PackSource.of(source, named[source.id]) for source in header.sources),
        api_level=header.api_level,
    )


def _origin(place: Place) -> Origin:
    return Origin.updated if place.digest else Origin.shipped


def install(file: Path, *, allow_older: bool = False) -> PackUpdate:
    """Put a pack from a file in use, and keep the one before.

    Raises BrokenPack where it cannot be used, alone or with the others, and OlderPack where it is not newer than the
    one in use and nobody insisted.
    """
    new = read_pack(file)
    name = new.header.pack
    places = in_use()
    others = {one: read_place(one, place) for one, place in places.items() if one != name}
    combine({**others, name: new})
    old = _readable(name, places[name])
    current = old.header.version if old else version_of(places[name].path)
    older = newness(new.header.version) <= newness(current)
    if older and not allow_older and not (old and old.reference == new.reference):
        raise _refused(new, current)
    _put_in_use(new, file, older=older)
    added, changed, removed = differing(old.rows if old else (), new.rows, name)
    return PackUpdate(
        pack=name,
        origin=_origin(in_use()[name]),
        version_before=current,
        version_after=new.header.version,
        digest_before=old.reference.digest if old else "",
        digest_after=new.reference.digest,
        rows=len(new.rows),
        added=added,
        changed=changed,
        removed=removed,
        kept=str(places[name].path),
    )


def _put_in_use(new: Pack, file: Path, *, older: bool) -> None:
    """Write the pack, then the record. The release's own pack is not copied: the update over it is taken away."""
    name, digest = new.header.pack, new.reference.digest
    state = read_state()
    before = state.installed.get(name)
    if before is not None and before.digest == digest:
        return
    installed = {pack: update for pack, update in state.installed.items() if pack != name}
    if digest != digest_file(shipped(name)):
        update = Update(f"{name}-{new.header.version}-{digest[7:19]}.jsonl", new.header.version, digest, older)
        replace_file(data_home() / update.file, _same_bytes(new, file))
        installed[name] = update
    elif before is None:
        return
    previous = dict(state.previous)
    gone = previous.pop(name, None)
    if before is not None:
        previous[name] = before
    write_state(State(installed, previous))
    if gone is not None and gone.file not in {one.file for one in (*installed.values(), *previous.values())}:
        (data_home() / gone.file).unlink(missing_ok=True)


def _same_bytes(pack: Pack, file: Path) -> bytes:
    """The bytes that were checked, not those that somebody may have written since."""
    data = file.read_bytes()
    if digest_bytes(data) != pack.reference.digest:
        raise broken(
            Where(file=str(file)),
            Text("the file changed while it was being read", "le fichier a changé pendant sa lecture"),
            Text("Run the command again.", "Relancez la commande."),
        )
    return data


def _readable(name: str, place: Place) -> Pack | None:
    """The pack in use; None where it is damaged, which an update is there to cure."""
    try:
        return read_place(name, place)
    except BrokenPack:
        return None


def _refused(new: Pack, current: str) -> OlderPack:
    version = new.header.version
    return OlderPack(
        Text(
            f"this is version {version}, and version {current} is in use",
            f"ceci est la version {version}, et la version {current} est en service",
        ),
        remedy=Text(
            "Give a newer file, or add --allow-older to go back to this one.",
            "Fournissez un fichier plus récent, ou ajoutez --allow-older pour revenir à celui-ci.",
        ),
        where=Where(file=str(new.path), row=1, field="version"),
    )


def differing(before: tuple[Any, ...], after: tuple[Any, ...], pack: str) -> Rows:
    """Keys of the rows that were added, changed and removed; a key of several parts is joined by spaces."""
    old, new = ({" ".join(KINDS[pack].key(row)).strip(): row for row in rows} for rows in (before, after))
    return (
        tuple(sorted(new.keys() - old.keys())),
        tuple(sorted(key for key in new.keys() & old.keys() if new[key] != old[key])),
        tuple(sorted(old.keys() - new.keys())),
    )


# ---- verification --------------------------------------------------------------------------------------------------


def verify() -> PackVerification:
    """Check every pack in use: alone, against its recorded digest, and with the others."""
    recorded = shipped_digests()
    packs: dict[str, Pack] = {}
    checks = []
    for name, place in in_use().items():
        try:
            packs[name] = read_pack(place.path, name)
        except BrokenPack as error:
            checks.append(_broken_check(name, place, recorded.get(name, ""), error))
        else:
            checks.append(_check(packs[name], place, recorded.get(name, "")))
    together = _together(packs)
    ok = together is None and all(one.state in (PackState.intact, PackState.updated) for one in checks)
    return PackVerification(ok=ok, packs=tuple(checks), together=together)


def shipped_digests() -> dict[str, str]:
    """The digests that this release recorded of its own packs. Raises BrokenPack."""
    try:
        value = json.loads(DIGESTS.read_text(encoding="utf-8"))
        return {name: str(value[name]) for name in PACKS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenPack(
            Text(
                "the digests of the shipped packs cannot be read",
                "les empreintes des ensembles livrés sont illisibles",
            ),
            remedy=Text("Install this release again.", "Réinstallez la présente version."),
            where=Where(file=str(DIGESTS)),
        ) from error


def _check(pack: Pack, place: Place, recorded: str) -> PackCheck:
    name, digest = pack.header.pack, pack.reference.digest
    expected = place.digest or recorded
    state = PackState.updated if place.digest else PackState.intact
    rows: Rows = ((), (), ())
    if place.digest:
        release = _readable(name, Place(shipped(name)))
        rows = differing(release.rows if release else (), pack.rows, name)
    return PackCheck(
        name,
        state if digest == expected else PackState.altered,
        pack.header.version,
        digest,
        expected,
        str(place.path),
        None,
        *rows,
    )


def _broken_check(name: str, place: Place, recorded: str, error: BrokenPack) -> PackCheck:
    digest = digest_file(place.path) if place.path.is_file() else ""
    where, what = error.where, error.what
    spot = Text(f"row {where.row}: ", f"ligne {where.row}\u00a0: ") if where.row is not None else Text("", "")
    return PackCheck(
        pack=name,
        state=PackState.broken,
        version=version_of(place.path),
        digest=digest,
        expected=place.digest or recorded,
        file=str(place.path),
        problem=spot + what,
    )


def _together(packs: dict[str, Pack]) -> Text | None:
    if packs.keys() != set(PACKS):
        return None
    try:
        combine(packs)
    except BrokenPack as error:
        place = error.where
        return Text(
            f"{Path(place.file).name}, row {place.row}: ", f"{Path(place.file).name}, ligne {place.row}\u00a0: "
        ) + (error.what)
    return None
