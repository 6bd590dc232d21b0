"""The settings of one installation: ``proscribe.toml`` in its home folder. Everything has a default but the systems."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proscribe.decide.model import Stage
from proscribe.documents import Value, from_json
from proscribe.errors import InvalidDocument, ProscribeError, Where
from proscribe.feed.model import Adopting
from proscribe.text import Text

FILE = "proscribe.toml"


class InvalidSettings(ProscribeError):
    """``proscribe.toml`` cannot be read or holds something that is not a setting."""

    code = "settings.invalid"


@dataclass(frozen=True, slots=True)
class SystemSettings(Value):
    """One management system to drive: which connector, and the connector's own settings."""

    connector: str
    settings: dict[str, str] = field(repr=False)  # may hold a token


@dataclass(frozen=True, slots=True)
class PolicySettings(Value):
    """Limits and waves as people write them: ``25``, ``10%`` or ``unlimited``. None takes the shipped default."""

    removal_limit: str | None = None
    reach_limit: str | None = None
    rings: tuple[str, ...] | None = None  # "canary=5%", "first=25%", "rest=unlimited"
    inventory_max_days: int | None = None  # older snapshots are not planned upon


@dataclass(frozen=True, slots=True)
class ExemptionSettings(Value):
    """Who may approve exemptions here."""

    approvers: dict[str, tuple[str, ...]] = field(default_factory=dict)  # directive id -> roles that hold its office


@dataclass(frozen=True, slots=True)
class NoticeSettings(Value):
    """Whom people can ask, and how long they have; the days count from the notice."""

    office: Text | None = None
    email: str = ""
    telephone: str = ""
    address: Text | None = None
    reply_days: int = 30
    acknowledge_days: int = 10
    attest_days: int = 45


@dataclass(frozen=True, slots=True)
class CaseSettings(Value):
    """Who may take a case to which stage; a stage that is not named keeps the shipped roles."""

    roles: dict[Stage, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeedSettings(Value):
    """One authority's feed to pull. ``root`` is a file of the home folder: the first root, had by another way."""

    name: str
    source: str  # an https address, a folder, or a packed feed
    root: str
    key_list: str | None = None  # digest of the authority's first key list; None: nothing of it can be adopted
    issuer: str | None = None  # whose key list it is judged by; None: the feed's own, under its name
    adopt: Adopting = Adopting.never
    approvers: tuple[str, ...] = ()  # roles that may adopt; empty: whoever runs this installation
    stale_hours: int = 48  # without a new sign of life for so long, the feed counts as stale
    patience_seconds: int = 60  # for one file


@dataclass(frozen=True, slots=True)
class Settings(Value):
    """All settings."""

    organisation: Text = field(default_factory=lambda: Text("This organisation", "La présente organisation"))
    department: str = ""  # the name under which the authority knows this organisation, as in its seats
    systems: tuple[SystemSettings, ...] = ()
    policy: PolicySettings = field(default_factory=PolicySettings)
    case: CaseSettings = field(default_factory=CaseSettings)
    exemptions: ExemptionSettings = field(default_factory=ExemptionSettings)
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    feeds: tuple[FeedSettings, ...] = ()


def load(home: Path) -> Settings:
    """Read the settings of a home folder; without a file, the defaults. Raises InvalidSettings or InvalidDocument."""
    path = home / FILE
    if not path.exists():
        return Settings()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSettings(
            Text(f"cannot be read: {error}", f"lecture impossible : {error}"),
            remedy=Text(
                "Correct the file; docs/guide/settings.md lists every setting.",
                "Corrigez le fichier; docs/guide/settings.md présente tous les paramètres.",
            ),
            where=Where(file=str(path)),
        ) from error
    try:
        return from_json(Settings, _shape(data), source=str(path))
    except InvalidDocument as error:
        raise InvalidDocument(
            error.what,
            remedy=Text(
                "Correct the setting; docs/guide/settings.md lists them all.",
                "Corrigez le paramètre; docs/guide/settings.md les présente tous.",
            ),
            where=error.where,
        ) from error


def _shape(data: dict[str, Any]) -> dict[str, Any]:
    """``[systems.<name>]`` tables become a list; the connector's own settings keep to a table of their own.

    ``[feeds.<name>]`` tables become a list too, each with its name.
    """
    shaped = dict(data)
    systems, feeds = shaped.pop("systems", {}), shaped.pop("feeds", {})
    # What is not tables is left as it is: it is refused with its place.
    return {
        **shaped,
        "systems": _rows(systems, _system),
        "feeds": _rows(feeds, lambda name, own: {**own, "name": name}),
    }


def _rows(tables: Any, row: Callable[[str, dict[str, Any]], dict[str, Any]]) -> Any:
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        return tables
    return [row(name, table) for name, table in tables.items()]


def _feed(name: str, table: dict[str, Any]) -> dict[str, Any]:
    return {**table, "name": name}


def _system(_name: str, table: dict[str, Any]) -> dict[str, Any]:
    own = {key: str(value) for key, value in table.items() if key != "connector"}
    return {"connector": table.get("connector", ""), "settings": own}
