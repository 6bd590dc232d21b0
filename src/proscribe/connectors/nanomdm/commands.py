"""The commands that are sent to a device, word for word as Apple's schema has them (mdm/commands).

Each function gives the ``Command`` dictionary; ``as_plist`` puts it into the envelope that NanoMDM enqueues.
"""

from __future__ import annotations

import json
import plistlib
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

_NAMESPACE = uuid.UUID("4b559536-a7aa-44db-9922-999e2cc5a287")

# What is kept of a device, and no more. A device under User Enrolment does not say which one it is.
_QUERIES = ("DeviceName", "IsSupervised", "ModelName", "OSVersion")
_IDENTIFYING = ("SerialNumber", "UDID")


def command_uuid(*parts: str) -> str:
    """The UUID (version 5, upper case) of a command: the same for the same parts, so that it is never queued twice."""
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts))).upper()


def as_plist(uuid: str, command: Mapping[str, Any]) -> bytes:
    """A command in its envelope, as XML: the same bytes for the same command.

    NanoMDM on PostgreSQL takes nothing that does not begin with ``<?xml``.
    """
    return plistlib.dumps({"Command": dict(command), "CommandUUID": uuid}, sort_keys=True)


def information(*, user_enrolment: bool = False) -> dict[str, Any]:
    """Ask for name, model, OS and supervision; serial number and UDID too, unless User Enrolment forbids it."""
    queries = _QUERIES if user_enrolment else _QUERIES + _IDENTIFYING
    return {"RequestType": "DeviceInformation", "Queries": list(queries)}


def app_list(named: Iterable[str], *, managed_only: bool) -> dict[str, Any]:
    """Ask which of the named apps are installed. Raises ValueError where none is named: that would ask for all.

    ``Items`` is left out: ``Source``, which tells an app that a declaration owns, cannot be asked for in it.
    """
    return {
        "RequestType": "InstalledApplicationList",
        "Identifiers": _some(named),
        "ManagedAppsOnly": managed_only,
    }


def managed_list(apps: Iterable[str]) -> dict[str, Any]:
    """Ask how the management of some apps stands. Raises ValueError where none is named."""
    return {"RequestType": "ManagedApplicationList", "Identifiers": _some(apps)}


def profile_list() -> dict[str, Any]:
    """Ask for every profile: one that somebody else installed may hold restrictions as well."""
    return {"RequestType": "ProfileList"}


def install_profile(payload: bytes) -> dict[str, Any]:
    """Install a profile, or replace the one of the same identifier."""
    return {"RequestType": "InstallProfile", "Payload": payload}


def remove_profile(identifier: str) -> dict[str, Any]:
    """Take a profile off."""
    return {"RequestType": "RemoveProfile", "Identifier": identifier}


def convert(app: str) -> dict[str, Any]:
    """Take an app that the user installed under management.

    It INSTALLS the app where it is not there: only for a device that listed it a short time ago.
    """
    return {
        "RequestType": "InstallApplication",
        "Identifier": app,
        "ChangeManagementState": "Managed",
        "Options": {"PurchaseMethod": 1},
    }


def remove(app: str) -> dict[str, Any]:
    """Take an app off, and its data with it."""
    return {"RequestType": "RemoveApplication", "Identifier": app}


def declarative_management() -> dict[str, Any]:
    """Have the device synchronise its declarations."""
    return {"RequestType": "DeclarativeManagement"}


def _some(apps: Iterable[str]) -> list[str]:
    named = sorted(set(apps))
    if not named:
        raise ValueError("no app is named: a device takes that as a question about all of them")
    return named
