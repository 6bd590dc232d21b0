"""The limits and waves of a plan: the defaults, and reading others from a file or from the command line.

The defaults, and why:

* removal from at most one device in ten: more is either a wrong target or a decision to be taken knowingly;
* reach of at most the fleet in scope: a change to a shared policy must not touch more devices than the ban covers;
* waves of 5 %, then 25 %, then the rest, each only after 95 % of the wave before is verified;
* an inventory of at most seven days, the longest refresh of a common system (Intune, per device).
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from proscribe.errors import UnreadableFile, Where
from proscribe.plan.limits import UNLIMITED, LimitError, parse, parse_rings
from proscribe.plan.model import Limit, Percent, Policy, Ring
from proscribe.text import Text

DEFAULT = Policy(
    removal_limit=Percent(10.0),
    reach_limit=Percent(100.0),
    rings=(Ring("canary", Percent(5.0)), Ring("early", Percent(25.0)), Ring("rest", UNLIMITED)),
)


def from_words(
    *,
    removal_limit: str | None = None,
    reach_limit: str | None = None,
    rings: Sequence[str] = (),
    max_days: int | None = None,
    base: Policy = DEFAULT,
) -> Policy:
    """``base`` with what the command line says instead. Raises LimitError."""
    policy = base
    if removal_limit is not None:
        policy = replace(policy, removal_limit=parse(removal_limit, field="removal_limit"))
    if reach_limit is not None:
        policy = replace(policy, reach_limit=parse(reach_limit, field="reach_limit"))
    if rings:
        policy = replace(policy, rings=parse_rings(rings))
    if max_days is not None:
        policy = replace(policy, inventory_max_days=max_days)
    return policy


def load(path: Path) -> Policy:
    """Read a policy from TOML: ``removal_limit``, ``reach_limit``, ``rings`` and ``inventory_max_days``.

    Limits and rings are written as on the command line; what is left out keeps its default. Raises UnreadableFile or
    LimitError (file and field named).
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnreadableFile(
            Text(f"cannot be read: {error}", f"lecture impossible : {error}"),
            remedy=Text(
                "Give a TOML file; docs/guide/plan.md shows one.",
                "Fournissez un fichier TOML; docs/guide/plan.md en donne un exemple.",
            ),
            where=Where(file=str(path)),
        ) from error
    unknown = sorted(set(data) - {"removal_limit", "reach_limit", "rings", "inventory_max_days"})
    if unknown:
        raise _fault(path, unknown[0], Text("unknown field", "champ inconnu"))
    days = data.get("inventory_max_days", DEFAULT.inventory_max_days)
    if isinstance(days, bool) or not isinstance(days, int) or days < 0:
        raise _fault(path, "inventory_max_days", Text("not a number of days", "n'est pas un nombre de jours"))
    rings = data.get("rings")
    if rings is not None and (not isinstance(rings, list) or not all(isinstance(ring, str) for ring in rings)):
        raise _fault(path, "rings", Text("not a list of rings", "n'est pas une liste d'anneaux"))
    try:
        return Policy(
            removal_limit=_limit(data, "removal_limit", DEFAULT.removal_limit, path),
            reach_limit=_limit(data, "reach_limit", DEFAULT.reach_limit, path),
            rings=DEFAULT.rings if rings is None else parse_rings(rings),
            inventory_max_days=days,
        )
    except LimitError as error:
        raise LimitError(
            error.what, remedy=error.remedy, where=Where(file=str(path), field=error.where.field)
        ) from error


def _limit(data: dict[str, Any], field: str, default: Limit, path: Path) -> Limit:
    if field not in data:
        return default
    value = data[field]
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _fault(path, field, Text(f"{value!r} is not a limit", f"{value!r} n'est pas une limite"))
    return parse(str(value), field=field)


def _fault(path: Path, field: str, what: Text) -> LimitError:
    return LimitError(
        what,
        remedy=Text(
            "docs/guide/plan.md lists the fields and shows their values.",
            "docs/guide/plan.md énumère les champs et leurs valeurs.",
        ),
        where=Where(file=str(path), field=field),
    )
