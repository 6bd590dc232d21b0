"""Apps that may never be a target: launcher, telephone, management agent, shop, settings, the system's namespaces.

A directive that names one of them is refused, and a match of one is never actionable, whatever the directive says. The
list is data (``data/protected.yaml``), each entry with its source; an exact identifier or a namespace ending in ``.*``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from proscribe import documents
from proscribe.catalogue.library import DATA
from proscribe.documents import Value
from proscribe.terms import Platform
from proscribe.text import Text


@dataclass(frozen=True, slots=True)
class ProtectedGroup(Value):
    """Apps protected for one reason. ``role`` completes the sentence "It may never be a target: ..."."""

    role: Text
    platform: Platform
    values: tuple[str, ...]
    source: str


def is_protected(platform: Platform, app_id: str) -> Text | None:
    """Why the app may never be a target, or None when it may.

    ``platform`` unknown asks for every platform: an identifier that is protected on any of them is protected.
    """
    platforms = (platform,) if platform is not Platform.unknown else tuple(_exact())
    for one in platforms:
        role = _role(one, app_id)
        if role is not None:
            return Text(f"it may never be a target: {role.en}", f"elle ne peut jamais être visée : {role.fr}")
    return None


def protected_under(platform: Platform, prefix: str) -> tuple[str, ...]:
    """What a glob ``prefix*`` would hit among the protected identifiers and namespaces, in the data's own writing."""
    start = prefix.lower()
    hits = [value for value in _exact().get(platform, {}) if value.startswith(start)]
    spaces = _spaces().get(platform, {})
    hits += [space + "*" for space in spaces if space.startswith(start) or start.startswith(space)]
    return tuple(hits)


@cache
def groups() -> tuple[ProtectedGroup, ...]:
    """The data file, as read."""
    path = DATA / "protected.yaml"
    raw = documents.parse(path.read_text(encoding="utf-8"), source=str(path))
    return tuple(documents.from_shipped(ProtectedGroup, item) for item in raw)


def _role(platform: Platform, app_id: str) -> Text | None:
    folded = app_id.lower()  # protection must not be escaped by case, not even where case counts elsewhere
    exact = _exact().get(platform, {}).get(folded)
    if exact is not None:
        return exact
    spaces = _spaces().get(platform, {})
    end = folded.find(".")
    while end != -1:
        role = spaces.get(folded[: end + 1])
        if role is not None:
            return role
        end = folded.find(".", end + 1)
    return None


@cache
def _exact() -> dict[Platform, dict[str, Text]]:
    found: dict[Platform, dict[str, Text]] = {}
    for group in groups():
        table = found.setdefault(group.platform, {})
        table.update({v.lower(): group.role for v in group.values if not v.endswith(".*")})
    return found


@cache
def _spaces() -> dict[Platform, dict[str, Text]]:
    found: dict[Platform, dict[str, Text]] = {}
    for group in groups():
        table = found.setdefault(group.platform, {})
        table.update({v[:-1].lower(): group.role for v in group.values if v.endswith(".*")})
    return found
