"""All packs at once: from the release, with what ``proscribe data update`` installed, checked against each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from proscribe.assess.packs.installed import Place, in_use
from proscribe.assess.packs.library import NAMESPACE, Packs
from proscribe.assess.packs.model import PACKS, ApiKind
from proscribe.assess.packs.read import KINDS, Pack, broken, read_pack
from proscribe.errors import Where
from proscribe.text import Text

_COUNTRY = re.compile(r"(?:[A-Z]{2})?")


def load_packs(folder: Path | None = None) -> Packs:
    """The packs of ``folder``; without one, those of this release or what was installed over them.

    Raises BrokenPack, which names file, row and field.
    """
    if folder is None:
        return combine({name: read_place(name, place) for name, place in in_use().items()})
    return combine({name: read_pack(folder / f"{name}.jsonl", name) for name in PACKS})


def read_place(name: str, place: Place) -> Pack:
    """A pack in use. Raises BrokenPack, also where an installed file is not what was installed."""
    pack = read_pack(place.path, name)
    if place.digest and pack.reference.digest != place.digest:
        raise broken(
            Where(file=str(place.path)),
            Text("the file has changed since it was installed", "le fichier a changé depuis son installation"),
            Text(
                "Install the pack once more: proscribe data update FILE.",
                "Installez l'ensemble de nouveau\u00a0: proscribe data update FICHIER.",
            ),
        )
    return pack


def combine(packs: Mapping[str, Pack]) -> Packs:
    """One library of packs that were read one by one. Raises BrokenPack where a row names what no pack has."""
    by_key = {
        name: {KINDS[name].key(row)[0]: row for row in pack.rows} for name, pack in packs.items() if name != "apis"
    }
    _check_apis(packs["apis"], by_key["capabilities"])
    _check_operators(packs["operators"], by_key["operators"])
    _check_sdks(packs["sdks"], by_key["operators"])
    _check_hosts(packs["hosts"], by_key["operators"])
    return Packs(
        headers={name: packs[name].header for name in PACKS},
        references=tuple(packs[name].reference for name in PACKS),
        apis=packs["apis"].rows,
        **by_key,
    )


def _check_apis(pack: Pack, capabilities: Mapping[str, Any]) -> None:
    members = {ApiKind.method, ApiKind.field, ApiKind.callback}
    for position, row in enumerate(pack.rows):
        if row.capability not in capabilities:
            raise _unknown(pack, position, "capability", row.capability)
        if row.kind in members and not all(row.watch.partition("->")):
            raise broken(
                pack.where(position, "watch"),
                Text("a member is written Lclass;->name", "un membre s'écrit Lclasse;->nom"),
            )


def _check_operators(pack: Pack, operators: Mapping[str, Any]) -> None:
    for position, row in enumerate(pack.rows):
        if row.parent and row.parent not in operators:
            raise _unknown(pack, position, "parent", row.parent)
        _check_country(pack, position, row.country)
        seen = {row.id}
        above = row.parent
        while above:
            if above in seen:
                raise broken(
                    pack.where(position, "parent"),
                    Text(
                        "a company that owns itself, through others",
                        "une société qui se possède elle-même, par l'entremise d'autres",
                    ),
                )
            seen.add(above)
            above = operators[above].parent if above in operators else ""


def _check_sdks(pack: Pack, operators: Mapping[str, Any]) -> None:
    """Operators exist, and what attributes code belongs to one SDK alone."""
    owners: dict[tuple[str, str], str] = {}
    for position, row in enumerate(pack.rows):
        if row.operator and row.operator not in operators:
            raise _unknown(pack, position, "operator", row.operator)
        _check_country(pack, position, row.country)
        for field in ("prefixes", "components", "native", "frameworks"):
            for value in getattr(row, field):
                other = owners.setdefault((field, value), row.id)
                if other != row.id:
                    raise broken(
                        pack.where(position, field),
                        Text(
                            f"{value!r} already belongs to {other!r}",
                            f"«\u00a0{value}\u00a0» appartient déjà à «\u00a0{other}\u00a0»",
                        ),
                    )


def _check_hosts(pack: Pack, operators: Mapping[str, Any]) -> None:
    for position, row in enumerate(pack.rows):
        if row.operator and row.operator not in operators:
            raise _unknown(pack, position, "operator", row.operator)
        if not row.operator and row.purpose != NAMESPACE:
            raise broken(
                pack.where(position, "operator"),
                Text("only a namespace has no operator", "seul un espace de noms est sans exploitant"),
            )


def _check_country(pack: Pack, position: int, country: str) -> None:
    if not _COUNTRY.fullmatch(country):
        raise broken(
            pack.where(position, "country"),
            Text(
                f"{country!r} is not a two-letter country code (ISO 3166-1)",
                f"«\u00a0{country}\u00a0» n'est pas un code de pays à deux lettres (ISO 3166-1)",
            ),
        )


def _unknown(pack: Pack, position: int, field: str, value: str) -> Exception:
    return broken(
        pack.where(position, field),
        Text(f"no pack has {value!r}", f"aucun ensemble ne contient «\u00a0{value}\u00a0»"),
    )
