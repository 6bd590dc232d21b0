"""From a command to what the phone says to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proscribe.simulate.apple import applications
from proscribe.simulate.apple.answers import (
    ACKNOWLEDGED,
    ERROR,
    FORMAT_ERROR,
    INVALID_REQUEST_TYPE,
    MDM,
    NOT_NOW,
    PROFILE_NOT_INSTALLED,
    CannotDo,
    Fault,
    Malformed,
    strings,
    wanted,
)
from proscribe.simulate.apple.device import Device
from proscribe.simulate.apple.profiles import Profile, listed, read_profile

Json = dict[str, Any]

EVEN_LOCKED = frozenset(
    {
        "DeviceInformation",
        "ProfileList",
        "DeviceLock",
        "EraseDevice",
        "ClearPasscode",
        "CertificateList",
        "ProvisioningProfileList",
        "InstalledApplicationList",
        "Restrictions",
    }
)
"""Commands that never meet ``NotNow`` on iOS (MDM Protocol Reference, "Error Handling"). All others may."""

_DECLARATIVE_SINCE = (15,)


def answer(device: Device, command: Json, enrolled_by: Profile) -> Json:
    """Carry out one command (the ``Command`` dictionary). Returns ``Status`` and what else goes into the answer."""
    kind = command.get("RequestType")
    if device.locked and kind not in EVEN_LOCKED:
        return {"Status": NOT_NOW}
    try:
        if kind == "ProfileList":
            said = _profile_list(device, enrolled_by)
        elif (handler := _HANDLERS.get(str(kind))) is not None:
            said = handler(device, command)
        else:
            raise _unknown(kind)
    except CannotDo as failure:
        return {"Status": ERROR, "ErrorChain": [fault.as_item() for fault in failure.chain]} | failure.keys
    except Malformed:
        return {"Status": FORMAT_ERROR}
    return {"Status": ACKNOWLEDGED} | said


def _unknown(kind: object) -> CannotDo:
    return CannotDo(Fault(MDM, INVALID_REQUEST_TYPE, f"“{kind}” is not a valid request type."))


def _device_information(device: Device, command: Json) -> Json:
    queries = strings(command, "Queries")
    if queries is None:
        raise Malformed("Queries")
    told = device.information()
    return {"QueryResponses": {query: told[query] for query in queries if query in told}}


def _profile_list(device: Device, enrolled_by: Profile) -> Json:
    """``ManagedOnly`` changes nothing: a person installs no profiles here."""
    profiles = (enrolled_by, *(profile for _, profile in sorted(device.profiles.items())))
    return {"ProfileList": [listed(profile, reader=device.reader) for profile in profiles]}


def _install_profile(device: Device, command: Json) -> Json:
    profile = read_profile(wanted(command, "Payload", bytes))
    device.reader.check(profile)
    device.add_profile(profile)
    return {}


def _remove_profile(device: Device, command: Json) -> Json:
    identifier = wanted(command, "Identifier", str)
    if device.profiles.pop(identifier, None) is None:
        raise CannotDo(Fault(MDM, PROFILE_NOT_INSTALLED, f"The profile “{identifier}” is not installed."))
    return {}


def _declarative_management(device: Device, command: Json) -> Json:
    if device.version < _DECLARATIVE_SINCE:
        raise _unknown(command["RequestType"])
    return {}


_HANDLERS: dict[str, Callable[[Device, Json], Json]] = {
    "DeviceInformation": _device_information,
    "InstalledApplicationList": applications.installed_application_list,
    "ManagedApplicationList": applications.managed_application_list,
    "InstallApplication": applications.install_application,
    "RemoveApplication": applications.remove_application,
    "InstallProfile": _install_profile,
    "RemoveProfile": _remove_profile,
    "DeclarativeManagement": _declarative_management,
}
