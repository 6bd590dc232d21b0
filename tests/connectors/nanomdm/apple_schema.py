"""Holds commands, profiles and declarations against Apple's own schema (apple/device-management), for a given device.

Of the schema, its facts are in ``apple_schema_facts.json``, made by ``tools/make_apple_facts.py``: the iOS part of what
is sent to phones and of what they say. What the schema says in prose only is encoded here and marked as such.
"""

from __future__ import annotations

import json
import plistlib
import re
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from xml.parsers.expat import ExpatError

FACTS = Path(__file__).with_name("apple_schema_facts.json")

Limits = Mapping[str, Any]

# Attributes of supportedOS that decide here, and those that do not matter for a command to a phone's device channel.
DECIDING = {
    "introduced", "deprecated", "removed", "supervised", "userenrollment", "allowed-enrollments", "allowed-scopes",
    "devicechannel", "multiple",
}  # fmt: skip
IMMATERIAL = {
    "accessrights": "given at enrolment",
    "userchannel": "commands go to devices, not to users",
    "requiresdep": "macOS and tvOS",
    "userapprovedmdm": "macOS",
    "allowmanualinstall": "nothing is installed by hand",
    "sharedipad": "Shared iPads are users, which are left out",
    "always-skippable": "of the setup assistant",
    "beta": "a note",
}
# What a key may say of its value, in the same way.
CHECKED = {
    "key", "type", "presence", "rangelist", "range", "format", "repetition", "subtype", "subkeys", "supportedOS",
}  # fmt: skip
DESCRIBING = {"title", "assettypes", "default", "combinetype", "content", "subkeytype"}

TYPES: dict[str, tuple[type, ...]] = {
    "<string>": (str,),
    "<integer>": (int,),
    "<real>": (float, int),
    "<boolean>": (bool,),
    "<date>": (datetime,),
    "<data>": (bytes,),
    "<array>": (list,),
    "<dictionary>": (dict,),
}
_OCTETS = 64  # prose of declarationbase: identifiers and server tokens should not be longer
_SUBTYPES = {
    "<url>": r"[a-z][a-z0-9+.-]*://\S+",
    "<hostname>": r"[A-Za-z0-9.-]+",
    "<email>": r"[^@\s]+@[^@\s]+",
}


@dataclass(frozen=True)
class Phone:
    """``enrolment`` in the schema's words: supervised, device (not supervised) or user (User Enrolment)."""

    os: str
    enrolment: str

    def __str__(self) -> str:
        return f"iOS {self.os} {self.enrolment}"


def version(text: object) -> tuple[int, ...]:
    """``16.0`` is ``16``; the schema writes some as numbers."""
    parts = [int(part) for part in str(text).split(".")]
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return tuple(parts)


@cache
def facts() -> dict[str, Any]:
    """``source``, ``words`` (the schema's whole vocabulary), and the ``documents`` by the names of their files."""
    found: dict[str, Any] = json.loads(FACTS.read_text("utf-8"))
    return found


@cache
def _documents(folder: str, name: str) -> dict[str, Any]:
    """The schema's documents of a folder, by their ``name``."""
    documents = facts()["documents"]
    return {documents[file][name]: documents[file] for file in documents if file.startswith(f"{folder}/")}


def commands() -> dict[str, Any]:
    """By request type."""
    return _documents("mdm/commands", "requesttype")


def check_ins() -> dict[str, Any]:
    """By message type."""
    return _documents("mdm/checkin", "requesttype")


def payloads() -> dict[str, Any]:
    """By payload type; ``TopLevel`` and ``CommonPayloadKeys`` among them."""
    return _documents("mdm/profiles", "payloadtype")


def declarations() -> dict[str, Any]:
    """By declaration type; the keys of all declarations are under ``any``."""
    return _documents("declarative/declarations", "declarationtype")


def status_items() -> dict[str, Any]:
    """By the name of the item."""
    return _documents("declarative/status", "statusitemtype")


# What is checked ----------------------------------------------------------------------------------------------------


def check_command(body: bytes, phone: Phone, *, unmanaged: bool = False) -> list[str]:
    """What is wrong with a command in its envelope. ``unmanaged``: the app it names is not under management."""
    if not body.startswith(b"<?xml"):
        return ["the command does not begin with <?xml"]
    envelope = _dictionary_in(body) or {}
    if set(envelope) != {"Command", "CommandUUID"} or not isinstance(envelope["Command"], dict):
        return ["not an envelope of Command and CommandUUID"]
    faults = [] if _is_uuid(envelope["CommandUUID"]) else ["CommandUUID: not a UUID"]
    command = dict(envelope["Command"])
    kind = command.pop("RequestType", None)
    if kind not in commands():
        return [*faults, f"no such request: {kind}"]
    document = commands()[kind]
    faults += check_keys(command, document.get("payloadkeys", []), phone, document["supportedOS"])
    if kind == "InstallProfile" and isinstance(command.get("Payload"), bytes):
        faults += check_profile(command["Payload"], phone)
    # Prose of application.remove: managed apps, and from iOS 26 on supervised devices unmanaged and system ones.
    if (
        kind == "RemoveApplication"
        and unmanaged
        and not (version(phone.os) >= (26,) and phone.enrolment == "supervised")
    ):
        faults.append("RemoveApplication: an app that is not managed, before iOS 26 or without supervision")
    return faults


def check_profile(data: bytes, phone: Phone) -> list[str]:
    """What is wrong with a profile. Payload types that are not in the schema's folder are held to the common keys."""
    document = _dictionary_in(data)
    if document is None:
        return ["the profile is no property list with a dictionary"]
    top = payloads()["TopLevel"]
    faults = check_keys(document, top["payloadkeys"], phone, top["supportedOS"])
    parts = [part for part in document.get("PayloadContent", []) if isinstance(part, dict)]
    common = payloads()["CommonPayloadKeys"]["payloadkeys"]
    for part in parts:
        kind = str(part.get("PayloadType"))
        known = payloads().get(kind)
        if known is None:
            names = {key["key"] for key in common}
            faults += check_keys({key: part[key] for key in part if key in names}, common, phone, {})
        else:
            faults += check_keys(part, [*common, *known["payloadkeys"]], phone, known["supportedOS"], at=kind)
    for kind, count in Counter(str(part.get("PayloadType")) for part in parts).items():
        if count > 1 and kind in payloads() and not payloads()[kind]["supportedOS"].get("multiple"):
            faults.append(f"{kind}: several payloads of it")
    # Prose of CommonPayloadKeys and TopLevel: identifiers are unique in the profile, UUIDs everywhere.
    for name in ("PayloadIdentifier", "PayloadUUID"):
        values = [part.get(name) for part in (document, *parts)]
        faults += [f"{name}: {value} more than once" for value, count in Counter(values).items() if count > 1]
    faults += [
        f"PayloadUUID: {part.get('PayloadUUID')} is none"
        for part in (document, *parts)
        if not _is_uuid(part.get("PayloadUUID"))
    ]
    return faults


def check_declaration(declaration: Mapping[str, Any], phone: Phone) -> list[str]:
    """What is wrong with a declaration as a device gets it, ``ServerToken`` included."""
    declaration = json.loads(json.dumps(declaration))
    shared = declarations()["any"]
    payload = declaration.get("Payload")
    # The general part knows nothing of what is in the payload.
    faults = check_keys({**declaration, "Payload": {}}, shared["payloadkeys"], phone, shared["supportedOS"])
    faults += [
        f"{name}: longer than {_OCTETS} octets"
        for name in ("Identifier", "ServerToken")
        if len(str(declaration.get(name, "")).encode()) > _OCTETS
    ]
    known = declarations().get(str(declaration.get("Type")))
    if known is None or known is shared:
        return [*faults, f"no such declaration: {declaration.get('Type')}"]
    if not isinstance(payload, dict):
        return [*faults, "Payload: not a dictionary"]
    return faults + check_keys(payload, known["payloadkeys"], phone, known["supportedOS"], at="Payload")


def check_keys(value: Mapping[str, Any], keys: list[Any], phone: Phone, limits: Limits, *, at: str = "") -> list[str]:
    """What is wrong with a dictionary of a document. ``limits``: the document's, which its keys inherit."""
    faults = [f"{at or 'all of it'}: {fault}" for fault in _unsupported(limits, phone)]
    return faults + list(_dictionary(value, keys, phone, limits, at))


# How ----------------------------------------------------------------------------------------------------------------


def _limits(key: Mapping[str, Any], inherited: Limits) -> Limits:
    """What holds for a part of a document: its own words before those of what it is in."""
    return {**inherited, **key.get("supportedOS", {})}


def _unsupported(limits: Limits, phone: Phone) -> Iterator[str]:
    introduced = limits.get("introduced", "0")
    now = version(phone.os)
    if introduced == "n/a":
        yield "not for iOS"
    elif now < version(introduced):
        yield f"only from {introduced} on"
    for word in ("deprecated", "removed"):
        if word in limits and limits[word] != "n/a" and now >= version(limits[word]):
            yield f"{word} since {limits[word]}"
    if limits.get("supervised") and phone.enrolment != "supervised":
        yield "only on supervised devices"
    mode = limits.get("userenrollment", "allowed")
    if (phone.enrolment == "user" and mode in ("forbidden", "ignored")) or (
        phone.enrolment != "user" and mode == "required"
    ):
        yield f"User Enrolment: {mode}"
    if phone.enrolment not in limits.get("allowed-enrollments", [phone.enrolment]):
        yield f"only for enrolments {limits['allowed-enrollments']}"
    if "system" not in limits.get("allowed-scopes", ["system"]):
        yield f"only in scopes {limits['allowed-scopes']}"
    if limits.get("devicechannel") is False:
        yield "not on the device channel"


def _dictionary(value: Mapping[str, Any], keys: list[Any], phone: Phone, inherited: Limits, at: str) -> Iterator[str]:
    known = {key["key"]: key for key in keys}
    anything = known.pop("ANY", None)
    for name, key in known.items():
        limits = _limits(key, inherited)
        path = f"{at}.{name}".strip(".")
        if name in value:
            yield from (f"{path}: {fault}" for fault in _unsupported(limits, phone))
            yield from _value(value[name], key, phone, limits, path)
        elif key.get("presence") == "required" and not list(_unsupported(limits, phone)):
            yield f"{path}: required"
    for name in set(value) - set(known):
        path = f"{at}.{name}".strip(".")
        if anything is None:
            yield f"{path}: no such key"
        else:
            yield from _value(value[name], anything, phone, inherited, path)


def _value(value: Any, key: Mapping[str, Any], phone: Phone, limits: Limits, at: str) -> Iterator[str]:
    kind = key["type"]
    if kind == "<any>":
        return
    if not isinstance(value, TYPES[kind]) or (isinstance(value, bool) and kind != "<boolean>"):
        yield f"{at}: {type(value).__name__} instead of {kind}"
        return
    yield from _words(value, key, at)
    below = key.get("subkeys", [])
    if isinstance(value, dict) and below:
        yield from _dictionary(value, below, phone, limits, at)
    elif isinstance(value, list) and below:
        yield from _repetition(value, below, at)
        for place, item in enumerate(value):
            found = [list(_value(item, one, phone, limits, f"{at}[{place}]")) for one in below]
            yield from min(found, key=len)
    elif isinstance(value, str) and below:  # an enumeration whose members have limits of their own
        members = {one["key"]: one for one in below}
        if value not in members:
            yield f"{at}: {value} is none of its values"
        else:
            own = _limits(members[value], limits)
            yield from (f"{at} {value}: {fault}" for fault in _unsupported(own, phone))


def _words(value: Any, key: Mapping[str, Any], at: str) -> Iterator[str]:
    if "rangelist" in key and value not in key["rangelist"]:
        yield f"{at}: {value!r} is none of {key['rangelist']}"
    bounds = key.get("range", {})
    if isinstance(value, int | float) and not bounds.get("min", value) <= value <= bounds.get("max", value):
        yield f"{at}: {value} is out of range"
    if "format" in key and not re.fullmatch(key["format"], str(value)):
        yield f"{at}: {value!r} is not of the form {key['format']}"
    if "subtype" in key and not re.fullmatch(_SUBTYPES[key["subtype"]], str(value)):
        yield f"{at}: {value!r} is no {key['subtype']}"


def _repetition(value: list[Any], below: list[Any], at: str) -> Iterator[str]:
    for one in below:
        bounds = one.get("repetition", {"min": 0, "max": len(value)})
        if not bounds["min"] <= len(value) <= bounds["max"]:
            yield f"{at}: {len(value)} items"


def _dictionary_in(data: bytes) -> dict[str, Any] | None:
    try:
        found = plistlib.loads(data)
    except (plistlib.InvalidFileException, ValueError, ExpatError):
        return None
    return found if isinstance(found, dict) else None


def _is_uuid(text: object) -> bool:
    try:
        return str(uuid.UUID(str(text))).upper() == str(text).upper()
    except ValueError:
        return False
