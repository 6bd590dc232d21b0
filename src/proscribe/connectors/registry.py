"""Connectors by name: a folder of this package with a ``connector`` module that offers ``from_settings``.

Nothing is imported before it is named, so an installation loads only the connectors that it uses.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import cast

from proscribe.connectors.base import Connector
from proscribe.connectors.memory import Surroundings
from proscribe.errors import ProscribeError, Where
from proscribe.text import Text


class UnknownConnector(ProscribeError):
    """The settings name a connector that this release does not have."""

    code = "connector.unknown"


def names() -> tuple[str, ...]:
    """The connectors of this release."""
    here = Path(__file__).parent
    return tuple(sorted(folder.name for folder in here.iterdir() if (folder / "connector.py").is_file()))


def open_connector(name: str, settings: Mapping[str, str], around: Surroundings) -> Connector:
    """The connector of that name with its own settings. Raises UnknownConnector, and what the connector raises."""
    if name not in names():
        known = ", ".join(names())
        raise UnknownConnector(
            Text(f"there is no connector {name!r}", f"il n'existe pas de connecteur « {name} »"),
            remedy=Text(f"Use one of: {known}.", f"Utilisez l'un de ceux-ci : {known}."),
            where=Where(file="proscribe.toml", field="connector"),
        )
    module = import_module(f"proscribe.connectors.{name}.connector")
    return cast("Connector", module.from_settings(settings, around))
