"""Declarative management on the phone: what the server declares, what of it is in force, and what is reported of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

Json = dict[str, Any]
Fetch = Callable[[str, bytes], bytes]  # endpoint and data, to what the server says

APP_SETTINGS = "com.apple.configuration.app.settings"
APP_MANAGED = "com.apple.configuration.app.managed"
_SIMPLE = "com.apple.activation.simple"
_OTHERS = frozenset(
    f"com.apple.configuration.{name}"
    for name in ("legacy", "management.status-subscriptions", "management.test", "passcode.settings")
)
_KEYS = {
    APP_SETTINGS: {"Allowed"},
    APP_MANAGED: {"AppStoreID", "BundleID", "ManifestURL", "InstallBehavior", "IncludeInBackup", "Attributes"},
}
_KINDS = {
    "Activations": "activation",
    "Assets": "asset",
    "Configurations": "configuration",
    "Management": "management",
}


def supported(type_: str, version: tuple[int, ...], *, supervised: bool) -> bool:
    """Whether a phone takes a type of configuration (supportedOS in Apple's schema)."""
    if type_ == APP_SETTINGS:
        return supervised and version >= (27,)
    if type_ == APP_MANAGED:
        return version >= (17, 2)
    return type_ in _OTHERS


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declaration as the server gave it. ``kind`` is the manifest that lists it."""

    identifier: str
    token: str
    kind: str
    document: Json

    @property
    def payload(self) -> Json:
        """Its settings."""
        payload = self.document.get("Payload")
        return payload if isinstance(payload, dict) else {}

    def reason(self, code: str, text: str, **details: object) -> Json:
        """A reason that names this declaration."""
        return _reason(code, text, Identifier=self.identifier, ServerToken=self.token, **details)


@dataclass(slots=True)
class Declarations:
    """The declarations on one phone. ``supports`` says whether the phone takes a type of configuration at all.

    ``reported`` is the last report that the server took.
    """

    supports: Callable[[str], bool]
    on: bool = False  # the server has turned it on
    token: str = ""  # of the set that was last applied
    items: dict[str, Declaration] = field(default_factory=dict)
    reported: Json = field(default_factory=dict)

    def sync(self, fetch: Fetch) -> None:
        """Ask for tokens, fetch what changed, drop what is gone."""
        tokens = json.loads(fetch("tokens", b""))["SyncTokens"]
        self.on = True
        if tokens["DeclarationsToken"] == self.token:
            return
        manifest = json.loads(fetch("declaration-items", b""))
        wanted: dict[str, Declaration] = {}
        for list_name, kind in _KINDS.items():
            for item in manifest["Declarations"].get(list_name) or ():
                wanted[item["Identifier"]] = self._one(item["Identifier"], item["ServerToken"], kind, fetch)
        self.items = wanted
        self.token = manifest["DeclarationsToken"]

    def _one(self, identifier: str, token: str, kind: str, fetch: Fetch) -> Declaration:
        known = self.items.get(identifier)
        if known is not None and known.token == token:
            return known
        document = json.loads(fetch(f"declaration/{kind}/{quote(identifier, safe='')}", b""))
        return Declaration(identifier, token, kind, document)

    # What is in force ---------------------------------------------------------------------------------------------

    def in_force(self, type_: str) -> Iterable[Declaration]:
        """The configurations of a type that are active and valid, by identifier."""
        active = self._activated()
        for identifier, item in sorted(self.items.items()):
            fits = item.kind == "configuration" and item.document.get("Type") == type_ and identifier in active
            if fits and self._judged(item)[0] == "valid":
                yield item

    def denied(self) -> frozenset[str]:
        """Apps that may not launch: the union over all declarations (combinetype set-union)."""
        settings = [item.payload.get("Allowed", {}) for item in self.in_force(APP_SETTINGS)]
        return frozenset(app for allowed in settings for app in allowed.get("DeniedApps", ()))

    def allowed(self) -> frozenset[str] | None:
        """The only apps that may launch: the intersection over those that say so; None where none does."""
        found: frozenset[str] | None = None
        for item in self.in_force(APP_SETTINGS):
            apps = item.payload.get("Allowed", {}).get("AllowedApps")
            if apps is not None:
                found = frozenset(apps) if found is None else found & frozenset(apps)
        return found

    def managed_apps(self) -> frozenset[str]:
        """Apps that a declaration puts on the phone."""
        return frozenset(
            str(item.payload["BundleID"]) for item in self.in_force(APP_MANAGED) if "BundleID" in item.payload
        )

    def _activated(self) -> frozenset[str]:
        return frozenset(
            name
            for item in self.items.values()
            if item.kind == "activation" and self._judged(item)[0] == "valid" and "Predicate" not in item.payload
            for name in item.payload.get("StandardConfigurations", ())
        )

    def _judged(self, item: Declaration) -> tuple[str, list[Json]]:
        """``valid``, ``invalid`` or ``unknown``, with reasons."""
        if item.kind == "activation":
            return self._judged_activation(item)
        if item.kind != "configuration":
            return "valid", []
        if not self.supports(str(item.document.get("Type"))):
            text = "The configuration is not supported for this platform, scope, or enrollment type."
            return "invalid", [item.reason("Error.ConfigurationNotSupported", text)]
        if strange := sorted(set(item.payload) - _KEYS.get(str(item.document.get("Type")), set(item.payload))):
            return "invalid", [_reason("Error.UnknownPayloadKeys", "It has unknown keys.", UnknownPayloadKeys=strange)]
        if not _well_formed(item):
            told = _reason("Error.ConfigurationCannotBeDeserialized", "It is not valid.", Error="Invalid payload.")
            return "invalid", [told]
        return "valid", []

    def _judged_activation(self, item: Declaration) -> tuple[str, list[Json]]:
        names = item.payload.get("StandardConfigurations")
        if item.document.get("Type") != _SIMPLE or not isinstance(names, list):
            return "invalid", [item.reason("Error.InvalidPayload", "The activation is not fully loaded.")]
        missing = sorted(name for name in names if name not in self.items)
        if missing:
            reason = item.reason(
                "Error.MissingConfigurations", "Configurations are not present.", ConfigurationIdentifiers=missing
            )
            return "invalid", [reason]
        if "Predicate" in item.payload:  # no predicate is evaluated here, so none holds
            return "valid", [item.reason("Info.Predicate", "The predicate evaluated to false.")]
        return "valid", []

    # What is reported ---------------------------------------------------------------------------------------------

    def news(self) -> Json | None:
        """The status report after a sync: ``management.declarations`` in full; None where the server has it already."""
        report = self._report()
        return None if report == self.reported else report

    def _report(self) -> Json:
        active = self._activated()
        told: dict[str, list[Json]] = {name.lower(): [] for name in _KINDS}
        lists = {kind: name.lower() for name, kind in _KINDS.items()}
        for _, item in sorted(self.items.items()):
            told[lists[item.kind]].append(self._reported(item, active))
        return {"StatusItems": {"management": {"declarations": told}}, "Errors": []}

    def _reported(self, item: Declaration, active: frozenset[str]) -> Json:
        valid, reasons = self._judged(item)
        if item.kind == "activation":
            running = valid == "valid" and not reasons
        else:
            running = item.kind != "configuration" or item.identifier in active
        if not running and item.kind == "configuration":
            valid = "unknown"  # what no activation names is not looked at
            reasons = [item.reason("Info.NotReferencedByActivation", "No activation names the configuration.")]
        told: Json = {
            "identifier": item.identifier,
            "server-token": item.token,
            "active": running,
            "valid": valid,
        }
        return told | {"reasons": reasons} if reasons else told


def _reason(code: str, text: str, **details: object) -> Json:
    """A reason as the status report gives it: codes and details are those of declarationbase.yaml."""
    return {"code": code, "description": text, "details": details}


def _well_formed(item: Declaration) -> bool:
    """Whether a phone can read the settings of the two types that concern apps; others are taken as they are."""
    type_ = item.document.get("Type")
    if type_ == APP_MANAGED:
        return sum(key in item.payload for key in ("AppStoreID", "BundleID", "ManifestURL")) == 1
    if type_ != APP_SETTINGS:
        return True
    allowed = item.payload.get("Allowed", {})
    lists = [allowed.get(key, []) for key in ("AllowedApps", "DeniedApps")] if isinstance(allowed, dict) else [None]
    return all(isinstance(apps, list) and all(isinstance(app, str) for app in apps) for apps in lists)
