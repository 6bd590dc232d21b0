"""The commands about apps: listing, installing, managing, removing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from proscribe.simulate.apple.answers import (
    ALREADY_INSTALLED,
    APP_NOT_MANAGED,
    CANNOT_REMOVE_NOW,
    LICENCE_NOT_FOUND,
    MDM,
    STORE_ID_NOT_VALID,
    SYSTEM_APP,
    CannotDo,
    Fault,
    Malformed,
    strings,
    wanted,
)
from proscribe.simulate.apple.device import MANAGED, Device, Prompt
from proscribe.simulate.apple.spec import App

Json = dict[str, Any]

_SOURCE = "Declarative Device Management"
_ITEMS_SINCE = (14,)
_COSTLY = ("BundleSize", "DynamicSize")
_COSTLY_ON_DEMAND_SINCE = (26,)
_SYSTEM_LISTED_SINCE = (26,)
_ANY_REMOVED_SINCE = (26,)


# Lists ----------------------------------------------------------------------------------------------------------------


def installed_application_list(device: Device, command: Json) -> Json:
    """``InstalledApplicationList``: what this phone tells of its apps, cut down as the command asks."""
    named = strings(command, "Identifiers")
    items = strings(command, "Items") if device.version >= _ITEMS_SINCE else None
    managed_only = bool(command.get("ManagedAppsOnly")) or device.user_enrolment
    told = []
    for _, app in sorted(device.apps.items()):
        if app.system and device.version < _SYSTEM_LISTED_SINCE:
            continue
        if managed_only and not app.managed:  # what declarations manage is not meant by it (application.installed.list)
            continue
        if named is None or app.id in named:
            told.append(_described(device, app, items))
    return {"InstalledApplicationList": told}


def _described(device: Device, app: App, items: list[str] | None) -> Json:
    everything = _everything(device, app)
    if items is not None:
        return {key: value for key, value in everything.items() if key in items or key == "Identifier"}
    if device.version >= _COSTLY_ON_DEMAND_SINCE:
        everything = {key: value for key, value in everything.items() if key not in _COSTLY}
    if app.declared and device.version >= (17, 2):
        everything["Source"] = _SOURCE  # no name for it among the Items: it comes where they are left out
    return everything


def _everything(device: Device, app: App) -> Json:
    since: tuple[tuple[tuple[int, ...], Json], ...] = (
        ((16,), {"IsAppClip": app.clip}),
        ((17, 4), {"DistributorIdentifier": app.distributor} if app.distributor else {}),
    )
    told: Json = {
        "Identifier": app.id,
        "Name": app.name or app.id,
        "Version": app.version,
        "ShortVersion": app.version,
        "BundleSize": 84_000_000,
        "DynamicSize": 4_096_000,
        "IsValidated": True,
        "Installing": False,
        "AppStoreVendable": not app.managed and not app.system and not app.distributor,
        "DeviceBasedVPP": app.managed,
        "BetaApp": False,
        "AdHocCodeSigned": False,
        "HasUpdateAvailable": False,
        "ExternalVersionIdentifier": 800_000_000,
    }
    for version, keys in since:
        if device.version >= version:
            told |= keys
    return told


def managed_application_list(device: Device, command: Json) -> Json:
    """``ManagedApplicationList``: states of managed apps. Passing ones are told once, then forgotten."""
    named = strings(command, "Identifiers")
    states = {app.id: MANAGED for app in device.apps.values() if app.managed}
    states |= dict.fromkeys(device.deleted_managed, "ManagedButUninstalled")
    states |= {app: "Prompting" if ask.install else "PromptingForManagement" for app, ask in device.prompts.items()}
    states |= device.passing
    told = {app: _state(state) for app, state in sorted(states.items()) if named is None or app in named}
    for app in told:
        device.passing.pop(app, None)
    return {"ManagedApplicationList": told}


def _state(status: str) -> Json:
    return {
        "Status": status,
        "ManagementFlags": 1,
        "HasConfiguration": False,
        "HasFeedback": False,
        "IsValidated": status == MANAGED,
        "ExternalVersionIdentifier": 800_000_000,
    }


# Installing and managing ----------------------------------------------------------------------------------------------


def install_application(device: Device, command: Json) -> Json:
    """``InstallApplication``: install an app, or take one that a person installed under management."""
    state_change = command.get("ChangeManagementState")
    if state_change not in {None, MANAGED}:
        raise Malformed("ChangeManagementState")
    app = _meant(device, command)
    known = device.apps.get(app.id)
    if known is not None and known.declared:
        raise _refused(CANNOT_REMOVE_NOW, f"The app “{app.id}” is managed by a declaration.", "Other")
    if known is not None and known.managed:
        return {"Identifier": app.id, "State": MANAGED}  # an update, and there is none
    if state_change is not None and device.user_enrolment:
        raise _refused(ALREADY_INSTALLED, f"The app “{app.id}” cannot be managed here.", "ManagementChangeNotSupported")
    if known is None:
        return _install(device, app)
    if state_change is None:
        raise _refused(ALREADY_INSTALLED, f"The app “{app.id}” is already installed.", "AppAlreadyInstalled")
    return _take_over(device, known)


def _take_over(device: Device, app: App) -> Json:
    """Put an app that a person installed under management; silently where the phone is the organisation's."""
    if app.system:
        raise _refused(SYSTEM_APP, f"The app “{app.id}” is a system app.", "ManagementChangeNotSupported")
    if device.supervised:
        device.install(replace(app, managed=True))
        return {"Identifier": app.id, "State": MANAGED}
    device.prompts[app.id] = Prompt(app, install=False, opened_at=device.check_ins)
    return {"Identifier": app.id, "State": "PromptingForManagement"}


def _meant(device: Device, command: Json) -> App:
    """The app that a command means, by bundle identifier or by its number in the store."""
    if "Identifier" in command:
        identifier = wanted(command, "Identifier", str)
        return device.apps.get(identifier, App(identifier, identifier))
    number = wanted(command, "iTunesStoreID", int)
    for app in (*device.apps.values(), *device.spec.apps):
        if app.store_id == number:
            return app
    raise _refused(STORE_ID_NOT_VALID, f"The iTunes Store ID “{number}” could not be validated.", "CouldNotVerifyAppID")


def _install(device: Device, app: App) -> Json:
    fresh = replace(app, managed=True, declared=False)
    if not app.licensed:
        raise _refused(LICENCE_NOT_FOUND, f"The license for the app “{app.id}” could not be found.", "Other")
    if device.supervised:
        device.install(fresh)
        return {"Identifier": app.id, "State": "Installing"}
    device.prompts[app.id] = Prompt(fresh, install=True, opened_at=device.check_ins)
    return {"Identifier": app.id, "State": "Prompting"}


def _refused(code: int, text: str, reason: str) -> CannotDo:
    return CannotDo(Fault(MDM, code, text), keys={"RejectionReason": reason})


# Removing -------------------------------------------------------------------------------------------------------------


def remove_application(device: Device, command: Json) -> Json:
    """``RemoveApplication``: a managed app anywhere; any other from 26 on under supervision."""
    identifier = wanted(command, "Identifier", str)
    app = device.apps.get(identifier)
    if identifier in device.deleted_managed:
        device.remove(identifier)
        return {}
    if app is not None and app.declared:
        raise CannotDo(Fault(MDM, CANNOT_REMOVE_NOW, f"The app “{identifier}” is managed by a declaration."))
    anything_goes = device.supervised and device.version >= _ANY_REMOVED_SINCE
    if app is None or not (app.managed or anything_goes):
        raise CannotDo(Fault(MDM, APP_NOT_MANAGED, f"The app “{identifier}” is not managed."))
    if app.system and not app.deletable:
        raise CannotDo(Fault(MDM, SYSTEM_APP, f"The app “{identifier}” is a system app."))
    device.remove(identifier)
    return {}
