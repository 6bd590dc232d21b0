"""Which of the permissions that an app asks for it can ever hold, and what else its package asks for.

A permission that an app from a store can never hold (signature, privileged) is shown and never counted: counting it is
the classic false alarm. The same goes for one that no supported Android grants any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from proscribe.assess.facts import AndroidFacts, IosFacts, SpecialAccess, UsesPermission
from proscribe.assess.gathered import Gathered
from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.model import CapabilityRow
from proscribe.assess.profile import Evidence, PermissionView
from proscribe.assess.rate.evidence import ENCRYPTED_LIKE, FAIRPLAY, Maker, target_of
from proscribe.assess.rate.rubric import Rubric
from proscribe.assess.terms import Grant, SpecialKind
from proscribe.text import Text

EASE = (Grant.automatic, Grant.prompt, Grant.special_access, Grant.administrator, Grant.unknown, Grant.never)
"""From what nobody has to agree to, to what nobody can."""

GRANTABLE = frozenset({Grant.automatic, Grant.prompt, Grant.special_access, Grant.administrator})

_BOOT = (
    "android.intent.action.BOOT_COMPLETED",
    "android.intent.action.LOCKED_BOOT_COMPLETED",
    "android.intent.action.QUICKBOOT_POWERON",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """Something the package asks for. ``why`` is set where the grant needs a word (never, unknown, until when)."""

    grant: Grant
    evidence: tuple[Evidence, ...]
    why: Text | None = None


def easiest(grants: Iterable[Grant]) -> Grant:
    """The grant that is had most easily; unknown where there is none."""
    return min(grants, key=EASE.index, default=Grant.unknown)


def harder(one: Grant, other: Grant) -> Grant:
    """The grant that is had less easily: of two that are both needed."""
    return max(one, other, key=EASE.index)


class Permissions:
    """The permissions of one app, judged once."""

    def __init__(self, facts: AndroidFacts | None, packs: Packs, rubric: Rubric, maker: Maker) -> None:
        self._packs = packs
        self._oldest = max(rubric.android_from, (facts.min_sdk or 0) if facts else 0)
        self._defined = {one.name: one.protection for one in facts.defines} if facts else {}
        asked: dict[str, list[UsesPermission]] = defaultdict(list)
        for permission in facts.permissions if facts else ():
            asked[permission.name].append(permission)
        self._asks = {name: self._ask(name, asked[name], maker) for name in sorted(asked)}

    def _ask(self, name: str, asked: list[UsesPermission], maker: Maker) -> Ask:
        grant, why = self._judge(name, asked)
        return Ask(grant=grant, why=why, evidence=tuple(map(maker.permission, asked)))

    def _judge(self, name: str, asked: list[UsesPermission]) -> tuple[Grant, Text | None]:
        row = self._packs.permissions.get(name)
        if row is None:
            return self._of_apps(name)
        if row.grant is Grant.never:
            protection = row.protection or "signature"
            return Grant.never, Text(
                f"An app from a store can never hold it (protection level {protection}); not counted.",
                f"Une application de boutique ne peut jamais l'obtenir (niveau de protection {protection}); "
                "non comptée.",
            )
        limits = [one.max_sdk for one in asked]
        last = None if None in limits else max(limit for limit in limits if limit is not None)
        if last is not None and last < self._oldest:
            return Grant.never, Text(
                f"Asked for up to Android API {last} only; the supported range begins at {self._oldest}; not counted.",
                f"Demandée jusqu'au niveau d'API Android {last} seulement; les versions prises en charge commencent "
                f"au niveau {self._oldest}; non comptée.",
            )
        if row.until and row.until < self._oldest:
            return Grant.never, Text(
                f"Gone after Android API {row.until}; the supported range begins at {self._oldest}; not counted.",
                f"Disparue après le niveau d'API Android {row.until}; les versions prises en charge commencent au "
                f"niveau {self._oldest}; non comptée.",
            )
        ends = min(filter(None, (last, row.until)), default=None)
        if ends is None:
            return row.grant, None
        return row.grant, Text(
            f"Counted for Android up to API {ends} only; newer phones do not grant it.",
            f"Comptée jusqu'au niveau d'API Android {ends} seulement; les téléphones plus récents ne l'accordent pas.",
        )

    def _of_apps(self, name: str) -> tuple[Grant, Text]:
        if name in self._defined:
            return Grant.automatic, Text(
                "Defined by the app itself, for its own parts; it opens nothing on the device.",
                "Définie par l'application elle-même, pour ses propres composants; elle n'ouvre rien sur l'appareil.",
            )
        return Grant.unknown, Text(
            "No data pack knows this permission: who can hold it is not known; counted as unknown.",
            "Aucun ensemble de données ne connaît cette autorisation\u00a0: on ignore qui peut l'obtenir; "
            "comptée comme inconnue.",
        )

    def get(self, name: str) -> Ask | None:
        """What became of a permission that the app asks for; None where it does not."""
        return self._asks.get(name)

    def views(self) -> tuple[PermissionView, ...]:
        """All permissions, by name."""
        return tuple(self._view(name, ask) for name, ask in self._asks.items())

    def _view(self, name: str, ask: Ask) -> PermissionView:
        row = self._packs.permissions.get(name)
        return PermissionView(
            name=name,
            protection=row.protection if row else self._defined.get(name, ""),
            grant=row.grant if row else ask.grant,
            counted=ask.grant in GRANTABLE and name not in self._defined,
            why=ask.why or _WHY[ask.grant],
        )


_WHY: dict[Grant, Text] = {
    Grant.automatic: Text(
        "Granted at installation; nobody is asked.", "Accordée à l'installation; personne n'est consulté."
    ),
    Grant.prompt: Text(
        "Granted when the user agrees at run time.", "Accordée si l'utilisateur y consent à l'exécution."
    ),
    Grant.special_access: Text(
        "Granted when the user switches it on in a settings screen.",
        "Accordée si l'utilisateur l'active dans un écran de paramètres.",
    ),
    Grant.administrator: Text(
        "Granted by an administrator, or by the user in an administrator's place.",
        "Accordée par un administrateur, ou par l'utilisateur agissant à ce titre.",
    ),
}


class Asks:
    """Answers the tokens of ``CapabilityRow.declared_by`` from the facts. Unknown tokens are never met."""

    def __init__(self, gathered: Gathered, permissions: Permissions, rubric: Rubric, maker: Maker) -> None:
        self._gathered = gathered
        self._permissions = permissions
        self._rubric = rubric
        self._maker = maker
        self._plist: dict[str, list[Evidence]] = defaultdict(list)
        for item in maker.plist(gathered.ios) if gathered.ios else ():
            self._plist[item.subject].append(item)
        self._components: dict[str, list[Evidence]] = defaultdict(list)
        for component in gathered.android.components if gathered.android else ():
            for item in maker.components(component) if component.actions or component.foreground_types else ():
                self._components[item.detail].append(item)
        self._special_kinds: dict[str, list[SpecialAccess]] = defaultdict(list)
        for access in gathered.android.special if gathered.android else ():
            self._special_kinds[access.kind.value].append(access)
        self._readers: dict[str, Callable[[str], Iterator[Evidence]]] = {
            "special": self._special,
            "query": self._query,
            "network": self._network,
            "boot": self._boot,
            "foreground": self._foreground,
            "plist": self._key,
            "entitlement": self._entitlement,
            "background": lambda mode: self._value("UIBackgroundModes", mode),
            "ats": lambda _: self._value("NSAllowsArbitraryLoads", "true"),
            "schemes": lambda _: iter(self._plist["LSApplicationQueriesSchemes"]),
            "keyboard": lambda _: iter(self._plist["RequestsOpenAccess"]),
            "code": self._code,
        }

    def of(self, capability: CapabilityRow) -> tuple[Ask, ...]:
        """What the package asks for that declares a capability, in the order of the pack."""
        return tuple(ask for token in capability.declared_by if (ask := self._token(token, capability)) is not None)

    def _token(self, token: str, capability: CapabilityRow) -> Ask | None:
        kind, _, value = token.partition(":")
        if kind == "permission":
            return self._permissions.get(value)
        reader = self._readers.get(kind)
        evidence = tuple(reader(value)) if reader else ()
        return Ask(capability.grant, evidence) if evidence else None

    # ---- Android ---------------------------------------------------------------------------------------------------

    @property
    def _android(self) -> AndroidFacts:
        return self._gathered.android or _NO_ANDROID

    def _special(self, value: str) -> Iterator[Evidence]:
        kind, _, detail = value.partition(":")
        for access in self._special_kinds.get(kind, ()):
            if not detail or detail in access.details or detail in access.policies:
                yield self._maker.special(access)

    def _query(self, value: str) -> Iterator[Evidence]:
        target = target_of(self._android)
        if value == "any":
            yield from self._maker.queries(self._android)
        elif target is not None and target < _FILTERED_FROM:
            yield self._maker.target_sdk(self._android.target_sdk)
        yield from map(self._maker.special, self._special_kinds.get(SpecialKind.query_all_packages.value, ()))

    def _network(self, value: str) -> Iterator[Evidence]:
        if self._android.network is not None:
            yield from (item for item in self._maker.network(self._android.network) if item.subject == value)

    def _boot(self, _: str) -> Iterator[Evidence]:
        for action in _BOOT:
            yield from self._components.get(f"action={action}", ())

    def _foreground(self, value: str) -> Iterator[Evidence]:
        yield from self._components.get(f"foregroundServiceType={value}", ())

    # ---- iOS -------------------------------------------------------------------------------------------------------

    @property
    def _ios(self) -> IosFacts:
        return self._gathered.ios or _NO_IOS

    def _key(self, key: str) -> Iterator[Evidence]:
        yield from self._plist.get(key, ())

    def _value(self, key: str, value: str) -> Iterator[Evidence]:
        yield from (item for item in self._plist.get(key, ()) if item.detail == value)

    def _entitlement(self, key: str) -> Iterator[Evidence]:
        yield from (
            self._maker.entitlement(one)
            for one in self._ios.entitlements
            if one.key == key and one.value not in _SWITCHED_OFF
        )

    # ---- the package as a whole ------------------------------------------------------------------------------------

    def _code(self, value: str) -> Iterator[Evidence]:
        if value == "reflection":
            if self._dense():
                yield self._maker.reflection()
            return
        for item in self._maker.hiding():
            what = {ENCRYPTED_LIKE: "encrypted", FAIRPLAY: "fairplay"}.get(item.subject, "packer")
            if what == value:
                yield item

    def _dense(self) -> bool:
        code = self._gathered.code
        return code.reflection * 1_000_000 > self._rubric.reflection_per_million * code.code_units


_FILTERED_FROM = 30
"""Android 11 hides other apps from those that target it or later; older targets see them all without asking."""

_SWITCHED_OFF = frozenset({"false", "[]", '""', "null"})
_NO_ANDROID = AndroidFacts(package="")
_NO_IOS = IosFacts(bundle_id="")
