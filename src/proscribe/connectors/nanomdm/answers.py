"""What devices answer, one function a request type. Only what is watched is kept; the rest is counted.

Keys are those of Apple's schema (``mdm/commands/*.yaml``, ``mdm/checkin/*.yaml``). Values of another type than the
schema says are refused where something rests on them, and passed over where they would only be shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from proscribe.connectors.nanomdm.model import (
    AppList,
    Command,
    ManagedApp,
    ProfileList,
    SeenApp,
    SeenProfile,
)
from proscribe.connectors.nanomdm.plist import BadPlist
from proscribe.terms import Held, Platform

Answer = Mapping[str, Any]

RESTRICTIONS = "com.apple.applicationaccess"
DECLARED = "Declarative Device Management"  # Source of an app that a declaration owns
PROFILES_LIMIT = 1_000  # a device with more is none that we know
_TEXT_LIMIT = 200  # characters of a name, a version or an error that are kept

STATUSES = frozenset(
    {
        "Queued",
        "NeedsRedemption",
        "Redeeming",
        "Prompting",
        "PromptingForLogin",
        "ValidatingPurchase",
        "PromptingForUpdate",
        "PromptingForUpdateLogin",
        "PromptingForManagement",
        "ValidatingUpdate",
        "Updating",
        "Installing",
        "Managed",
        "ManagedButUninstalled",
        "Unknown",
        "UserInstalledApp",
        "UserRejected",
        "UpdateRejected",
        "ManagementRejected",
        "Failed",
    }
)
"""Statuses of ``ManagedApplicationList``; any other is kept as ``Unknown``."""

_MODELS = (
    ("iPhone", Platform.ios),
    ("iPad", Platform.ios),
    ("iPod", Platform.ios),
    ("iMac", Platform.macos),
    ("Mac", Platform.macos),
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a device says of itself; "" and None where it does not say."""

    udid: str = ""
    serial: str = ""
    name: str = ""
    model: str = ""
    os_version: str = ""
    platform: Platform = Platform.unknown
    supervised: bool | None = None

    @property
    def said(self) -> dict[str, Any]:
        """What it does say, by the name of the field."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name)) not in _UNSAID}


_UNSAID = ("", None, Platform.unknown)


def introduced(answer: Answer) -> Facts:
    """An ``Authenticate`` message."""
    return _facts(answer)


def informed(answer: Answer) -> Facts:
    """An answer to ``DeviceInformation``. Raises BadPlist where it holds no ``QueryResponses``."""
    said = answer.get("QueryResponses")
    if not isinstance(said, dict):
        raise BadPlist("shape")
    return _facts(said)


def listed(answer: Answer, command: Command, watched: Iterable[str], at: datetime) -> AppList:
    """An answer to ``InstalledApplicationList``.

    An app whose identifier differs from a watched one in case alone is kept as it is written: somebody must see that.
    One such spelling is enough for that; a device may think of any number of them.
    Raises BadPlist where the list is missing or holds anything but dictionaries.
    """
    exact = frozenset(watched)
    wanted = {one.casefold() for one in exact}
    items = _dictionaries(answer.get("InstalledApplicationList"))
    named = [(str(item.get("Identifier", "")), item) for item in items]
    there = {app: item for app, item in named if app.casefold() in wanted}
    misspelt = {app.casefold(): app for app in sorted(there.keys() - exact, reverse=True)}
    kept = (there.keys() & exact) | set(misspelt.values())
    apps = {app: _app(app, there[app], command) for app in kept}
    return AppList(
        asked_at=command.asked_at,
        received_at=at,
        named=command.named,
        managed_only=command.managed_only,
        apps=tuple(apps[app] for app in sorted(apps)),
        others=len(items) - sum(1 for app, _ in named if app in apps),
    )


def managed(answer: Answer, command: Command, watched: Iterable[str], at: datetime) -> tuple[ManagedApp, ...]:
    """An answer to ``ManagedApplicationList``, by app; what was asked for by name and is missing has the status "".

    Raises BadPlist where the list is missing or is no dictionary of dictionaries.
    """
    found = answer.get("ManagedApplicationList")
    if not isinstance(found, dict) or not all(isinstance(item, dict) for item in found.values()):
        raise BadPlist("shape")
    wanted = frozenset(watched)
    said = {app: _status(item) for app, item in found.items() if app in wanted}
    missing = {app: "" for app in command.named if app in wanted and app not in said}
    return tuple(
        ManagedApp(app, status, asked_at=command.asked_at, received_at=at)
        for app, status in sorted({**said, **missing}.items())
    )


def profiles(answer: Answer, command: Command, at: datetime) -> ProfileList:
    """An answer to ``ProfileList``. Raises BadPlist where it is missing, malformed or endless."""
    items = _dictionaries(answer.get("ProfileList"))
    if len(items) > PROFILES_LIMIT:
        raise BadPlist("count")
    seen = {_profile(item) for item in items}
    ordered = sorted(seen, key=lambda one: (one.identifier, one.uuid, one.restricts))
    return ProfileList(asked_at=command.asked_at, received_at=at, profiles=tuple(ordered))


def complaint(answer: Answer) -> str:
    """The first error of an ``ErrorChain`` in one line; "" where there is none."""
    chain = answer.get("ErrorChain")
    first = chain[0] if isinstance(chain, list) and chain else None
    if not isinstance(first, dict):
        return ""
    words = first.get("USEnglishDescription") or first.get("LocalizedDescription")
    code = first.get("ErrorCode")
    parts = (_text(first.get("ErrorDomain")), str(code) if isinstance(code, int) else "", _text(words))
    return " ".join(part for part in parts if part)


def _facts(said: Answer) -> Facts:
    model = _text(said.get("ProductName")) or _text(said.get("Model"))
    supervised = said.get("IsSupervised")
    return Facts(
        udid=_text(said.get("UDID")),
        serial=_text(said.get("SerialNumber")).strip().upper(),  # as it is compared everywhere
        name=_text(said.get("DeviceName")),
        model=model,
        os_version=_text(said.get("OSVersion")),
        platform=_platform(model, _text(said.get("ModelName"))),
        supervised=supervised if isinstance(supervised, bool) else None,
    )


def _platform(*models: str) -> Platform:
    for model in models:
        for prefix, platform in _MODELS:
            if model.startswith(prefix):
                return platform
    return Platform.unknown


def _app(app: str, item: Answer, command: Command) -> SeenApp:
    declared = item.get("Source") == DECLARED
    return SeenApp(
        id=app,
        version=_text(item.get("ShortVersion")) or _text(item.get("Version")),
        held=_held(app, managed_only=command.managed_only, declared=declared),
        declared=declared,
        clip=item.get("IsAppClip") is True,
    )


def _held(app: str, *, managed_only: bool, declared: bool) -> Held:
    """Who put it there, as far as the list alone says: it never tells a managed app from another."""
    if managed_only or declared:
        return Held.managed
    return Held.system if app.startswith("com.apple.") else Held.unknown


def _status(item: Answer) -> str:
    status = item.get("Status")
    if not isinstance(status, str):
        raise BadPlist("shape")
    return status if status in STATUSES else "Unknown"


def _profile(item: Answer) -> SeenProfile:
    identifier, uuid = item.get("PayloadIdentifier"), item.get("PayloadUUID")
    if not isinstance(identifier, str) or not isinstance(uuid, str):
        raise BadPlist("shape")
    content = item.get("PayloadContent")
    payloads = content if isinstance(content, list) else ()
    restricts = any(isinstance(one, dict) and one.get("PayloadType") == RESTRICTIONS for one in payloads)
    return SeenProfile(identifier[:_TEXT_LIMIT], uuid[:_TEXT_LIMIT], restricts)


def _dictionaries(found: Any) -> list[dict[str, Any]]:
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise BadPlist("shape")
    return found


def _text(value: Any) -> str:
    return value[:_TEXT_LIMIT] if isinstance(value, str) else ""
