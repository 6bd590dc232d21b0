"""The pure half of the connector: what a policy already enforces, and what in it stands against a ban.

No network and no clock, so a plan can be made, and made again, from a snapshot alone.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from proscribe.connectors.amapi import policy as words
from proscribe.errors import InvalidDocument, Where
from proscribe.inventory.model import Scope
from proscribe.plan.capability import load_rows
from proscribe.plan.model import Capability
from proscribe.plan.ports import Objection
from proscribe.terms import Side
from proscribe.text import Text

NAME = "amapi"
MODIFY = "modify_policy_applications"
DISABLE = "disable_policy_applications"
PATCH_PERSONAL = "patch_personal_usage"
_MANAGED = frozenset({Side.whole, Side.work})
SIDES = {MODIFY: _MANAGED, DISABLE: _MANAGED, PATCH_PERSONAL: frozenset({Side.personal})}
"""The sides each method acts on. Entries of the personal side have no ``disabled``."""
SETS = {MODIFY: words.BLOCK, DISABLE: words.DISABLE, PATCH_PERSONAL: words.BLOCK}
"""What each method sets in an entry."""

# The organisation itself puts these apps on its devices; a ban and such an entry cannot both be meant.
_IMPOSED = ("FORCE_INSTALLED", "REQUIRED_FOR_SETUP", "KIOSK", "CUSTOM")


def _stops(what: Text, remedy: Text) -> Objection:
    return Objection(blocks=True, what=what, remedy=remedy)


def _warns(what: Text, remedy: Text) -> Objection:
    return Objection(blocks=False, what=what, remedy=remedy)


@cache
def rows() -> tuple[Capability, ...]:
    """The rows of ``capabilities.toml`` beside this file."""
    return load_rows(Path(__file__).with_name("capabilities.toml"))


class AmapiSystem:
    """Android Management API, as far as planning needs it."""

    @property
    def name(self) -> str:
        return NAME

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        return rows()

    def in_place(self, scope: Scope, method: str, side: Side) -> frozenset[str]:
        """The packages that an entry of the policy blocks, or disables, on this side.

        A policy that allows listed apps only keeps every other app away as well; that is told by ``objections`` and is
        not counted here. Such a ban by omission ends unnoticed when somebody lists the app or changes the mode, and no
        device reports on it, so an entry of our own is set all the same.
        """
        if side not in SIDES.get(method, frozenset()):
            return frozenset()
        return words.having(_read(scope), side, SETS[method])

    def objections(self, scope: Scope, method: str, side: Side, app_ids: tuple[str, ...]) -> tuple[Objection, ...]:
        """The preflight traps (discovery document; each is named by its policy field)."""
        if side not in SIDES.get(method, frozenset()):
            return (
                _stops(
                    Text(
                        f"Method {method} does not reach the {side} side",
                        f"La méthode {method} n'atteint pas le côté « {side} »",
                    ),
                    Text("Plan again with this release.", "Refaites le plan avec la présente version."),
                ),
            )
        policy = _read(scope)
        if side is Side.personal:
            found = [*_personal(policy), *_only_listed(policy, side)]
        elif method == DISABLE:
            # Nothing is removed and nothing is installed, so what rules those is no matter here.
            stops = [one for one in _imposed(policy, app_ids) if one.blocks]
            found = [*stops, *_room(policy, app_ids), *_reports(policy), *_relied_on(policy, app_ids)]
            return (*found, *_unlisted(policy, app_ids))
        else:
            found = [*_removal(policy), *_imposed(policy, app_ids), *_room(policy, app_ids), *_reports(policy)]
            found += [*_relied_on(policy, app_ids), *_allow_lists(policy, app_ids), *_only_listed(policy, side)]
        return (*found, *_other_ways_in(policy, side))


def _read(scope: Scope) -> words.Json:
    try:
        return words.read_settings(scope.settings)
    except words.NotAPolicy as error:
        raise InvalidDocument(
            Text("the settings of this policy cannot be read", "les paramètres de cette stratégie sont illisibles"),
            remedy=Text("Observe the fleet again.", "Observez de nouveau le parc."),
            where=Where(file=scope.id, field="settings"),
        ) from error


def _overrides(policy: words.Json) -> words.Json:
    found: words.Json = policy.get("advancedSecurityOverrides", {})
    return found


def _removal(policy: words.Json) -> list[Objection]:
    found = []
    if policy.get("uninstallAppsDisabled"):
        found.append(
            _stops(
                Text(
                    "uninstallAppsDisabled is on: the app would stay on every device that has it",
                    "uninstallAppsDisabled est activé : l'application resterait sur chaque appareil où elle se trouve",
                ),
                Text(
                    "Turn uninstallAppsDisabled off in this policy, then plan again.",
                    "Désactivez uninstallAppsDisabled dans cette stratégie, puis refaites le plan.",
                ),
            )
        )
    if policy.get("installAppsDisabled"):
        found.append(
            _warns(
                Text(
                    "installAppsDisabled is on: the vendor says that app availability cannot be changed meanwhile",
                    "installAppsDisabled est activé : selon le fournisseur, la disponibilité des applications ne peut "
                    "alors être modifiée",
                ),
                Text(
                    "Watch the reports of these devices; where the app stays, turn installAppsDisabled off.",
                    "Surveillez les rapports de ces appareils; si l'application reste, désactivez installAppsDisabled.",
                ),
            )
        )
    return found


def _imposed(policy: words.Json, app_ids: tuple[str, ...]) -> list[Objection]:
    entries = words.by_package(words.applications(policy, Side.work))
    found = []
    for package in app_ids:
        kind = entries.get(package, {}).get("installType", "")
        if kind in _IMPOSED:
            found.append(
                _stops(
                    Text(
                        f"This policy itself imposes {package} ({kind})",
                        f"Cette stratégie impose elle-même {package} ({kind})",
                    ),
                    Text(
                        "Take the app out of the policy's own set-up first, or take this policy out of the ban.",
                        "Retirez d'abord l'application de la configuration, ou soustrayez cette stratégie à "
                        "l'interdiction.",
                    ),
                )
            )
        elif kind == "PREINSTALLED":
            found.append(
                _warns(
                    Text(f"This policy preinstalls {package}", f"Cette stratégie préinstalle {package}"),
                    Text(
                        "The ban replaces that; lifting the ban puts it back.",
                        "L'interdiction remplace ce paramètre; la lever le rétablit.",
                    ),
                )
            )
    return found


def _room(policy: words.Json, app_ids: tuple[str, ...]) -> list[Objection]:
    entries = words.by_package(words.applications(policy, Side.work))
    after = len(entries) + len(set(app_ids) - set(entries))
    if after <= words.MAX_APPLICATIONS:
        return []
    return [
        _stops(
            Text(
                f"The policy would have {after} app entries; the API takes {words.MAX_APPLICATIONS}",
                f"La stratégie compterait {after} entrées d'application; l'API en accepte {words.MAX_APPLICATIONS}",
            ),
            Text(
                "Remove entries that are no longer needed, or split the policy.",
                "Retirez les entrées devenues inutiles, ou scindez la stratégie.",
            ),
        )
    ]


def _reports(policy: words.Json) -> list[Objection]:
    reporting = policy.get("statusReportingSettings", {})
    if not reporting.get("applicationReportsEnabled"):
        return [
            _warns(
                Text(
                    "applicationReportsEnabled is off: what becomes of the app cannot be verified",
                    "applicationReportsEnabled est désactivé : le sort de l'application ne peut être vérifié",
                ),
                Text(
                    "Turn statusReportingSettings.applicationReportsEnabled on, or accept outcomes without proof.",
                    "Activez statusReportingSettings.applicationReportsEnabled, ou acceptez des résultats sans preuve.",
                ),
            )
        ]
    if not reporting.get("applicationReportingSettings", {}).get("includeRemovedApps"):
        return [
            _warns(
                Text(
                    "includeRemovedApps is off: a removal shows as a missing line only",
                    "includeRemovedApps est désactivé : un retrait ne se voit qu'à une ligne manquante",
                ),
                Text(
                    "Turn applicationReportingSettings.includeRemovedApps on for better evidence.",
                    "Activez applicationReportingSettings.includeRemovedApps pour de meilleures preuves.",
                ),
            )
        ]
    return []


def _packages(policy: words.Json, path: str) -> set[str]:
    """The packages named at a dotted path, lists included. A component name counts by its package."""
    values: list[Any] = [policy]
    for name in path.split("."):
        below = [value.get(name) for value in values if isinstance(value, dict)]
        values = [item for value in below for item in (value if isinstance(value, list) else [value])]
    return {value.split("/", 1)[0] for value in values if isinstance(value, str)}


_RELIED_ON = {
    "alwaysOnVpnPackage.packageName": Text("its always-on VPN", "son RPV permanent"),
    "setupActions.launchApp.packageName": Text("a step of device set-up", "une étape de configuration de l'appareil"),
    "persistentPreferredActivities.receiverActivity": Text("a default handler", "un gestionnaire par défaut"),
    "defaultApplicationSettings.defaultApplications.packageName": Text("a default app", "une application par défaut"),
}


def _relied_on(policy: words.Json, app_ids: tuple[str, ...]) -> list[Objection]:
    return [
        _stops(
            Text(
                f"This policy relies on {package} as {role.en} ({path})",
                f"Cette stratégie utilise {package} comme {role.fr} ({path})",
            ),
            Text(
                "Choose another app for that role first, then plan again.",
                "Choisissez d'abord une autre application pour ce rôle, puis refaites le plan.",
            ),
        )
        for path, role in _RELIED_ON.items()
        for package in sorted(_packages(policy, path) & set(app_ids))
    ]


def _allow_lists(policy: words.Json, app_ids: tuple[str, ...]) -> list[Objection]:
    paths = ("permittedAccessibilityServices.packageNames", "permittedInputMethods.packageNames")
    return [
        _warns(
            Text(
                f"This policy permits {package} by name ({path})",
                f"Cette stratégie autorise nommément {package} ({path})",
            ),
            Text(
                "The ban stands all the same; tidy the list when convenient.",
                "L'interdiction tient malgré tout; mettez la liste à jour au besoin.",
            ),
        )
        for path in paths
        for package in sorted(_packages(policy, path) & set(app_ids))
    ]


def _unlisted(policy: words.Json, app_ids: tuple[str, ...]) -> list[Objection]:
    """Where only listed apps are allowed, an entry of ours would list the app, and so offer it to everybody."""
    entries = words.by_package(words.applications(policy, Side.work))
    missing = tuple(sorted(set(app_ids) - set(entries)))
    if not missing or not words.only_listed(policy, Side.work):
        return []
    return [
        Objection(
            blocks=True,
            what=Text(
                "playStoreMode WHITELIST: an entry that disables an app would also list it, and so offer it",
                "playStoreMode WHITELIST\u00a0: une entrée qui désactive une application l'inscrirait aussi sur la "
                "liste, donc l'offrirait",
            ),
            remedy=Text(
                "Nothing is set for apps that are not listed: this policy keeps them away by itself, and removes them.",
                "Rien n'est paramétré pour les applications absentes de la liste\u00a0: cette stratégie les écarte "
                "et les retire d'elle-même.",
            ),
            app_ids=missing,
        )
    ]


def _only_listed(policy: words.Json, side: Side) -> list[Objection]:
    if not words.only_listed(policy, side):
        return []
    field = "personalPlayStoreMode ALLOWLIST" if side is Side.personal else "playStoreMode WHITELIST"
    return [
        _warns(
            Text(
                f"{field}: apps that are not listed are already kept away; the entry makes that explicit and lasting",
                f"{field} : les applications absentes de la liste sont déjà écartées; l'entrée rend ce blocage "
                "explicite et "
                "durable",
            ),
            Text("Nothing to do.", "Rien à faire."),
        )
    ]


def _personal(policy: words.Json) -> list[Objection]:
    found = []
    if policy.get("personalUsagePolicies", {}).get("privateSpacePolicy") != "PRIVATE_SPACE_DISALLOWED":
        found.append(
            _warns(
                Text(
                    "private space is allowed: the app can live on there, out of reach",
                    "l'espace privé est permis : l'application peut y subsister, hors d'atteinte",
                ),
                Text(
                    "Consider privateSpacePolicy PRIVATE_SPACE_DISALLOWED; it removes existing private spaces.",
                    "Envisagez privateSpacePolicy PRIVATE_SPACE_DISALLOWED; ce paramètre supprime les espaces privés "
                    "existants.",
                ),
            )
        )
    if policy.get("uninstallAppsDisabled"):
        found.append(
            _warns(
                Text(
                    "uninstallAppsDisabled is on: the vendor does not say whether it keeps apps on the personal side",
                    "uninstallAppsDisabled est activé : le fournisseur ne précise pas s'il retient les applications du "
                    "côté personnel",
                ),
                Text(
                    "Turn it off to be sure; nothing will report on the personal side.",
                    "Désactivez-le pour plus de certitude; rien ne rendra compte du côté personnel.",
                ),
            )
        )
    return found


def _other_ways_in(policy: words.Json, side: Side) -> list[Objection]:
    overrides = _overrides(policy)
    everywhere = overrides.get("untrustedAppsPolicy") == "ALLOW_INSTALL_DEVICE_WIDE"
    personally = overrides.get("untrustedAppsPolicy") == "ALLOW_INSTALL_IN_PERSONAL_PROFILE_ONLY"
    ways = []
    if everywhere or (personally and side is Side.personal):
        ways.append("untrustedAppsPolicy")
    if overrides.get("developerSettings") == "DEVELOPER_SETTINGS_ALLOWED":
        ways.append("developerSettings")
    if overrides.get("googlePlayProtectVerifyApps") == "VERIFY_APPS_USER_CHOICE":
        ways.append("googlePlayProtectVerifyApps")
    if not ways:
        return []
    listed = ", ".join(ways)
    return [
        _warns(
            Text(
                f"The app can come back from outside the store ({listed})",
                f"L'application peut revenir par une autre voie que la boutique ({listed})",
            ),
            Text(
                "Keep watching: the policy removes it again at the next sync. Consider closing these settings.",
                "Maintenez la surveillance : la stratégie la retire à la synchronisation suivante. Envisagez de "
                "désactiver ces paramètres.",
            ),
        )
    ]
