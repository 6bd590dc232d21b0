"""The pure half of the connector: what a scope already enforces, and what in it stands against a change.

No network, no clock and no memory, so a plan can be made, and made again, from a snapshot alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from proscribe.canonical import Digest
from proscribe.connectors.nanomdm.base_profile import BLOCKED, RESTRICTIONS, Base
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.model import Channel
from proscribe.connectors.nanomdm.profile import lint
from proscribe.connectors.nanomdm.scopes import SYSTEM
from proscribe.errors import InvalidDocument, Where
from proscribe.inventory.model import Scope
from proscribe.plan.capability import load_rows
from proscribe.plan.model import Capability
from proscribe.plan.ports import Objection
from proscribe.plan.versions import parse_version
from proscribe.terms import Held, Side
from proscribe.text import Text, plural

RESTRICT = "RestrictionsProfile"
DECLARE = "AppSettingsDeclaration"
REMOVE = "RemoveApplication"
CONVERT = "ConvertThenRemove"
BLOCKS = {RESTRICT: Channel.profile, DECLARE: Channel.declarations}
"""The methods that act on a group scope, each with the channel it takes."""
REMOVES = (REMOVE, CONVERT)
"""The methods that act on a device's own scope."""
SIDES = frozenset({Side.whole, Side.unknown})
"""The sides of a device that any method acts on: Apple's devices have one app list."""

_ALLOWED = "allowListedAppBundleIDs"

_Json = dict[str, Any]


@cache
def rows() -> tuple[Capability, ...]:
    """The rows of ``capabilities.toml`` beside this file."""
    return load_rows(Path(__file__).with_name("capabilities.toml"))


class NanomdmSystem:
    """Apple devices through NanoMDM, as far as planning needs it."""

    def __init__(self, config: NanomdmConfig) -> None:
        self.config = config

    @property
    def name(self) -> str:
        return SYSTEM

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """Declarations are offered only where KMFDDM is there to carry them."""
        declarations = bool(self.config.kmfddm_endpoint)
        return tuple(row for row in rows() if declarations or row.method != DECLARE)

    def in_place(self, scope: Scope, method: str, side: Side) -> frozenset[str]:
        """Group scope: what our edition blocks, and what the organisation's own profile does. Device scope: apps whose
        removal is under way, done and not undone since, or has to wait."""
        settings = _read(scope)
        if side not in SIDES:
            return frozenset()
        if method in REMOVES:
            apps: dict[str, _Json] = settings.get("apps", {})
            # By whichever method: an app that a conversion made managed would else be removed a second time, and then
            # the conversion, taken for undone, would go out again and install it anew.
            return frozenset(app for app, of in apps.items() if of.get("holds"))
        if settings.get("channel") != BLOCKS.get(method):
            return frozenset()
        base = settings.get("base") or {}
        return frozenset(settings["ours"]) | frozenset(base.get("blocked", ()))

    def objections(self, scope: Scope, method: str, side: Side, app_ids: tuple[str, ...]) -> tuple[Objection, ...]:
        """The preflight traps: each is named by what stands in the way."""
        settings = _read(scope)
        if side in SIDES and method in REMOVES:
            return tuple(_on_device(settings, method, app_ids))
        if side in SIDES and method in BLOCKS and settings.get("channel") == BLOCKS[method]:
            return tuple(_in_group(settings, app_ids))
        return (_not_reached(scope, method),)


def _read(scope: Scope) -> _Json:
    try:
        settings = json.loads(scope.settings)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise InvalidDocument(
            Text("the settings of this scope cannot be read", "les paramètres de cette portée sont illisibles"),
            remedy=Text("Observe the fleet again.", "Observez de nouveau le parc."),
            where=Where(file=scope.id, field="settings"),
        )
    return settings


def _stops(what: Text, remedy: Text) -> Objection:
    return Objection(blocks=True, what=what, remedy=remedy)


def _warns(what: Text, remedy: Text) -> Objection:
    return Objection(blocks=False, what=what, remedy=remedy)


def _not_reached(scope: Scope, method: str) -> Objection:
    return _stops(
        Text(f"Method {method} does not reach {scope.id}", f"La méthode {method} n'atteint pas {scope.id}"),
        Text("Observe the fleet, then plan again.", "Observez le parc, puis planifiez de nouveau."),
    )


# Groups -----------------------------------------------------------------------------------------------------------


def _in_group(settings: _Json, app_ids: tuple[str, ...]) -> Iterable[Objection]:
    yield from lint(app_ids, _base(settings.get("base")))
    spelt = {app.casefold(): app for app in settings["seen"]}
    for app in app_ids:
        seen = spelt.get(app.casefold(), app)
        if seen != app and app not in settings["seen"]:
            yield _seen_otherwise(app, seen)
    if settings["foreign"] and settings["channel"] == Channel.profile:
        yield _foreign(settings["foreign"])


def _base(told: _Json | None) -> Base | None:
    """The organisation's profile, as far as the scope tells of it."""
    if told is None:
        return None
    payload: _Json = {"PayloadType": RESTRICTIONS, BLOCKED: told["blocked"]}
    if told["allowed"] is not None:
        payload[_ALLOWED] = told["allowed"]
    return Base(Path(told["name"]), Digest(""), "", "", b"", {"PayloadContent": [payload]})


def _seen_otherwise(app: str, seen: str) -> Objection:
    return _warns(
        Text(
            f"Devices report {seen}, which differs from {app} only in capital letters",
            f"Des appareils signalent {seen}, qui ne diffère de {app} que par les majuscules",
        ),
        Text(
            "Correct the identifier in the catalogue: a block works only if capital and small letters match.",
            "Corrigez l'identifiant dans le catalogue\N{NO-BREAK SPACE}: un blocage n'agit que si majuscules et "
            "minuscules correspondent.",
        ),
    )


def _foreign(count: int) -> Objection:
    carry = plural(
        count,
        Text("device of this scope has", "appareil de cette portée a"),
        Text("devices of this scope have", "appareils de cette portée ont"),
    )
    return _warns(
        Text(
            f"{carry.en} another Restrictions payload, and Apple does not say which of two app lists counts",
            f"{carry.fr} d'autres données utiles Restrictions, et Apple ne dit pas laquelle de deux listes "
            "d'applications l'emporte",
        ),
        Text(
            "Hand that profile over as profiles/<group>.mobileconfig. The ban is then merged into it.",
            "Fournissez ce profil sous le nom profiles/<groupe>.mobileconfig. L'interdiction y sera alors fusionnée.",
        ),
    )


# Devices ----------------------------------------------------------------------------------------------------------


def _on_device(settings: _Json, method: str, app_ids: tuple[str, ...]) -> Iterable[Objection]:
    apps: dict[str, _Json] = settings.get("apps", {})
    listed = [app for app in app_ids if "held" in apps.get(app, {})]
    if not listed:
        yield _not_listed(app_ids)
        return
    if method == CONVERT and not settings["fresh"]:
        yield _not_fresh(listed)
    for app in listed:
        if method == REMOVE and apps[app]["held"] == Held.unmanaged and not _removes_any(settings):
            yield _not_managed(app)
        if apps[app].get("declared"):
            yield _declared(app)
        if apps[app]["block"] == "ordered":
            yield _block_first(app)


def _removes_any(settings: _Json) -> bool:
    """Whether the device takes off apps that nobody manages (application.remove.yaml: from 26 on, supervised)."""
    version = parse_version(settings["os"])
    return bool(settings["supervised"]) and version is not None and version >= (26,)


def _not_managed(app: str) -> Objection:
    return _stops(
        Text(
            f"{app} is not managed on the device, which would refuse to remove it",
            f"{app} n'est pas gérée sur l'appareil, qui refuserait de la retirer",
        ),
        Text(
            "Plan again: the app is brought under management first, then removed.",
            "Planifiez de nouveau\N{NO-BREAK SPACE}: l'application sera d'abord mise sous gestion, puis retirée.",
        ),
    )


def _not_listed(app_ids: tuple[str, ...]) -> Objection:
    apps = ", ".join(app_ids)
    return _stops(
        Text(f"{apps} is not on the device's list", f"{apps} ne figure pas dans la liste de l'appareil"),
        Text(
            "Nothing to do: where the app is not seen, nothing is sent. Converting an absent app would install it.",
            "Rien à faire\N{NO-BREAK SPACE}: là où l'application n'est pas vue, rien n'est envoyé. Convertir une "
            "application absente l'installerait.",
        ),
    )


def _not_fresh(apps: list[str]) -> Objection:
    named = ", ".join(apps)
    return _stops(
        Text(
            f"The list that shows {named} is too old: if the app is gone by now, converting it would install it",
            f"La liste où figure {named} est trop ancienne\N{NO-BREAK SPACE}: si l'application n'y est plus, la "
            "convertir l'installerait",
        ),
        Text(
            "Nothing to do: a new list is asked of the device, and the order waits for it.",
            "Rien à faire\N{NO-BREAK SPACE}: une nouvelle liste est demandée à l'appareil, et l'ordre l'attend.",
        ),
    )


def _declared(app: str) -> Objection:
    return _stops(
        Text(
            f"A declaration of the organisation installs {app}, so the device refuses to remove it",
            f"Une déclaration de l'organisation installe {app}; l'appareil refuse donc de la retirer",
        ),
        Text(
            "Withdraw that app's declaration (com.apple.configuration.app.managed). The app goes with it.",
            "Retirez la déclaration de cette application (com.apple.configuration.app.managed). L'application part "
            "avec elle.",
        ),
    )


def _block_first(app: str) -> Objection:
    return _stops(
        Text(
            f"The block of {app} is ordered but not on the device yet, and the removal waits for it",
            f"Le blocage de {app} est ordonné, mais n'est pas encore sur l'appareil, et le retrait l'attend",
        ),
        Text(
            "Nothing to do: it is sent once the device reports the block. If removed earlier, the app could come back.",
            "Rien à faire\N{NO-BREAK SPACE}: l'ordre part dès que l'appareil signale le blocage. Retirée plus tôt, "
            "l'application pourrait revenir.",
        ),
    )
