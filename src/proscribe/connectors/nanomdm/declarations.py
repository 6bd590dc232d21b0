"""The declarations of a ban: one configuration that denies its apps, and the activation that turns it on.

Denied apps of several configurations add up (``set-union``), so every ban has a pair of its own and goes by itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable

from proscribe.connectors.memory import Json

_CONFIGURATION = "com.apple.configuration.app.settings"
_ACTIVATION = "com.apple.activation.simple"


def identifier(scope: str, ban: str) -> str:
    """The configuration's identifier; the activation's is this and ``-on``. Both fit into the 64 octets Apple allows.

    No dot stands in it, nor in a set's name: KMFDDM joins names by dots in its store and finds them by prefix, so
    that ``a`` would also find what belongs to ``a.b``.
    """
    return f"proscribe-{_plain(ban)[:16]}-{_short(scope, ban)}"


def set_name(scope: str) -> str:
    """The set of a scope's declarations."""
    return f"proscribe-{label(scope)}"


def label(scope: str) -> str:
    """A scope in at most 33 letters, digits and hyphens: readable, and another one for every scope."""
    return f"{_plain(scope)[:20]}-{_short(scope)}"


def for_ban(scope: str, ban: str, apps: Iterable[str]) -> tuple[Json, Json]:
    """Configuration and activation. ``ServerToken`` is KMFDDM's to set. Raises ValueError where no app is named."""
    denied = sorted(set(apps))
    if not denied:
        raise ValueError("a ban without apps has no declaration")
    name = identifier(scope, ban)
    configuration = {"Type": _CONFIGURATION, "Identifier": name, "Payload": {"Allowed": {"DeniedApps": denied}}}
    activation = {"Type": _ACTIVATION, "Identifier": f"{name}-on", "Payload": {"StandardConfigurations": [name]}}
    return configuration, activation


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"


def _short(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]
