"""Whose code it is, by the package of the class that calls: never by a string that mentions somebody.

Two claim code: an SDK by a prefix of the catalogue, and the app by its package name. The longer claim wins, and a tie
is the app's (an app of the maker of the SDK). The app claims its own package name, and beside it the part of the name
that its maker must own: a package name is a reversed domain name, so that part is the registrable domain
(``com.example`` of ``com.example.shop.lite``, ``io.github.user`` of ``io.github.user.app``). Code that nobody claims is
unattributed: renamed, or not catalogued. See docs/adr/0021.
"""

from __future__ import annotations

from proscribe.assess.packs.library import Packs
from proscribe.assess.packs.model import SdkRow
from proscribe.assess.profile import Actor
from proscribe.assess.rate.evidence import DEEPEST, framework_of
from proscribe.assess.terms import ActorKind

UNATTRIBUTED = Actor(ActorKind.unattributed)
DECLARATION = Actor(ActorKind.declaration)


def key(actor: Actor) -> str:
    """What follows ``@`` in a finding's id."""
    return actor.sdk or actor.kind.value


def sdk_actor(row: SdkRow) -> Actor:
    """An SDK as an actor."""
    return Actor(
        ActorKind.sdk, sdk=row.id, name=row.name, vendor=row.vendor, country=row.country, operator=row.operator
    )


def class_of(descriptor: str) -> str:
    """The dotted class name of ``Lcom/a/B;->m()V``; "" where there is none."""
    owner = descriptor.partition("->")[0]
    return owner[1:-1].replace("/", ".") if owner.startswith("L") and owner.endswith(";") else ""


class Actors:
    """Attributes code of one app. ``app_id`` is its package name or bundle id, ``executable`` that of an iOS app."""

    def __init__(self, packs: Packs, app_id: str, app_name: str) -> None:
        self._packs = packs
        self._own = app_id
        self._app = Actor(ActorKind.app, name=app_name)
        self._maker = _maker_part(packs, app_id)
        self._known: dict[str, Actor] = {}
        self._sdks: dict[str, Actor] = {}

    @property
    def app(self) -> Actor:
        """The app itself."""
        return self._app

    def of_sdk(self, row: SdkRow) -> Actor:
        """The same actor for the same SDK."""
        return self._sdks.setdefault(row.id, sdk_actor(row))

    def of_key(self, name: str) -> Actor:
        """The actor that a finding's id names after ``@``."""
        row = self._packs.sdks.get(name)
        if row is not None:
            return self.of_sdk(row)
        return self._app if name == ActorKind.app.value else Actor(ActorKind(name))

    def of_caller(self, caller: str) -> Actor:
        """The actor of a method or class descriptor; "" is nobody's."""
        name = class_of(caller)
        package = name.rpartition(".")[0]
        actor = self._known.get(package)
        if actor is None:
            actor = self._known[package] = self._of_package(package)
        return actor

    def _of_package(self, package: str) -> Actor:
        if not package:
            return UNATTRIBUTED
        row = self.sdk_of(package)
        if row is not None:
            return self.of_sdk(row)
        return self._app if self._claim(package) else UNATTRIBUTED

    def sdk_of(self, name: str) -> SdkRow | None:
        """The SDK that a dotted package or class name belongs to, None where the app's claim is as long or longer."""
        row = self._packs.sdk_of(".".join(name.split(".", DEEPEST)[:DEEPEST]))
        if row is None or max(len(one) for one in row.prefixes if _under(name, one)) <= self._claim(name):
            return None
        return row

    def _claim(self, name: str) -> int:
        """How much of a name the app claims, in characters."""
        return next((len(one) for one in (self._own, self._maker) if _under(name, one)), 0)

    def of_library(self, member: str) -> Actor:
        """The actor of a native library: an SDK by its file name, else nobody (anyone's library may be renamed)."""
        row = self._packs.sdk_of_native(member)
        return self.of_sdk(row) if row else UNATTRIBUTED

    def of_binary(self, member: str, identifier: str) -> Actor:
        """The actor of a Mach-O binary: the framework it is in; outside of frameworks, it is the app's."""
        framework = framework_of(member)
        if not framework:
            return self._app if not member.endswith(".dylib") else UNATTRIBUTED
        row = self._packs.sdk_of_framework(framework) or self._packs.sdk_of_framework(identifier)
        if row is not None:
            return self.of_sdk(row)
        return self._app if self._maker and _under(identifier, self._maker) else UNATTRIBUTED


def _under(name: str, prefix: str) -> bool:
    return bool(prefix) and (name == prefix or name.startswith(f"{prefix}."))


def _maker_part(packs: Packs, app_id: str) -> str:
    """The part of a package name that one maker must own; the whole name where it is not a reversed domain name."""
    domain = packs.domain_of(".".join(reversed(app_id.split("."))))
    return ".".join(reversed(domain.split("."))) if "." in domain else app_id
