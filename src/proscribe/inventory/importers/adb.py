"""A phone on the desk: ``adb shell pm list packages -f -i``, for one or several users and devices in one file.

Lines read (developer.android.com/tools/adb, "pm"; AOSP PackageManagerShellCommand):

- ``package:<path>=<package>  installer=<package or null>`` with or without path and installer
- ``UserInfo{10:Work profile:1030} running`` of ``pm list users``: flag 0x20 (hexadecimal) marks a managed profile
- of ``getprop``: ``[ro.serialno]: [R58...]``, ``[ro.build.version.release]: [15]``, ``[ro.product.model]``
- our own marks, written by the collecting loop in docs/guide/inventory.md: ``# device <serial>``, ``# user <n>``,
  ``# observed <time>``

``pm`` names neither device nor user. Without a mark the user is 0 and the device is named after the file, and that is
said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath

from proscribe.catalogue.model import AppIdentity
from proscribe.inventory import values
from proscribe.inventory.encoding import as_utf8
from proscribe.inventory.importers.base import Head
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord, Freshness, InstallRecord
from proscribe.inventory.opening import CHUNK, Opened
from proscribe.terms import Enrolment, Held, Platform, Side
from proscribe.text import Text

NAME = "adb-packages"
SYSTEM = "adb"
_PACKAGE = re.compile(
    r"package:(?:(?P<path>/\S*)=)?(?P<name>[A-Za-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*)"
    r"(?:\s+versionCode:\d+)?(?:\s+installer=(?P<installer>\S+))?(?:\s+uid:[\d,]+)?\s*"
)
_USER = re.compile(r"\s*UserInfo\{(?P<id>\d+):[^}]*:(?P<flags>[0-9a-fA-F]+)\}.*")
_PROPERTY = re.compile(r"\[(?P<name>[\w.]+)\]: \[(?P<value>.*)\]")
_MARK = re.compile(r"#\s*(?P<kind>device|user|observed)\s+(?P<value>\S.*)")
_IGNORED = ("List of devices", "Users:", "* daemon", "#")
_SYSTEM_PATHS = ("/system/", "/system_ext/", "/product/", "/vendor/", "/apex/", "/odm/", "/oem/")
_MANAGED_PROFILE = 0x20
_LINE_LIMIT = 1 << 16


@dataclass
class _Phone:
    """One device as its lines are read."""

    serial: str = ""
    version: str = ""
    model: str = ""
    observed: datetime | None = None
    profiles: set[int] = field(default_factory=set)  # users that are managed profiles
    packages: list[tuple[int, str, str, str]] = field(default_factory=list)  # user, name, path, installer


def recognises(head: Head) -> bool:
    """A line of ``pm list packages`` among the first."""
    return any(_PACKAGE.fullmatch(line.rstrip("\r")) for line in head.text.split("\n")[:200])


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every device."""
    phone, user = _Phone(), 0
    for number, line in _lines(opened, intake):
        mark = _MARK.fullmatch(line)
        if mark and mark["kind"] == "device":
            _finish(phone, opened, intake)
            phone, user = _Phone(serial=mark["value"].strip()), 0
        elif mark and mark["kind"] == "user":
            user = int(mark["value"]) if mark["value"].strip().isdecimal() else user
        elif mark:
            phone.observed = values.moment(mark["value"])
        else:
            _take(line, number, phone, user, intake)
    _finish(phone, opened, intake)


def _take(line: str, number: int, phone: _Phone, user: int, intake: Intake) -> None:
    if found := _PACKAGE.fullmatch(line):
        intake.rows += 1
        installer = found["installer"] or ""
        phone.packages.append((user, found["name"], found["path"] or "", "" if installer == "null" else installer))
    elif found := _USER.fullmatch(line):
        if int(found["flags"], 16) & _MANAGED_PROFILE:
            phone.profiles.add(int(found["id"]))
    elif found := _PROPERTY.fullmatch(line):
        _property(phone, found["name"], found["value"])
    elif line.strip() and not line.startswith(_IGNORED):
        intake.rows += 1
        intake.problem(
            number,
            "",
            Text("not a line of pm list packages", "n'est pas une ligne de pm list packages"),
            Text(
                "Collect the list again; a message of adb or of the shell is mixed in.",
                "Dressez la liste de nouveau; un message d'adb ou de l'interpréteur s'y est glissé.",
            ),
        )


def _property(phone: _Phone, name: str, value: str) -> None:
    if name == "ro.serialno":
        phone.serial = phone.serial or value
    elif name == "ro.build.version.release":
        phone.version = value
    elif name == "ro.product.model":
        phone.model = value


def _finish(phone: _Phone, opened: Opened, intake: Intake) -> None:
    if not phone.packages:
        return
    name = phone.serial or PurePosixPath(opened.name.rsplit("!", 1)[-1]).name.split(".")[0]
    if not phone.serial:
        intake.problem(
            0,
            "device",
            Text(
                f"the file names no device; it is called {name}",
                f"le fichier ne nomme aucun appareil; il est appelé {name}",
            ),
            Text(
                "Put a line '# device <serial number>' before its packages (docs/guide/inventory.md).",
                "Placez une ligne « # device <numéro de série> » avant ses paquets (docs/guide/inventory.md).",
            ),
        )
    record = DeviceRecord(
        key=f"{SYSTEM}:{name}",
        system=SYSTEM,
        platform=Platform.android,
        enrolment=Enrolment.unmanaged,
        os_version=phone.version,
        name=phone.model,
        serial=phone.serial,
        observed_at=phone.observed,
        freshness=Freshness.imported if phone.observed is None else Freshness.observed,
    )
    intake.device(record)
    for user, package, path, installer in phone.packages:
        intake.install(
            InstallRecord(
                device=record.key,
                app=AppIdentity(Platform.android, app_id=package),
                side=_side(user, phone.profiles),
                held=Held.system if path.startswith(_SYSTEM_PATHS) else Held.unknown,
                installer=installer,
            )
        )


def _side(user: int, profiles: set[int]) -> Side:
    if user in profiles:
        return Side.work
    if user != 0:
        return Side.unknown  # a second user or a private space
    return Side.personal if profiles else Side.whole


def _lines(opened: Opened, intake: Intake) -> Iterator[tuple[int, str]]:
    stream, rest, number = as_utf8(opened), b"", 0
    while chunk := stream.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            number += 1
            yield number, intake.text(line[:_LINE_LIMIT]).rstrip("\r")
    if rest and opened.fault is None:
        yield number + 1, intake.text(rest[:_LINE_LIMIT]).rstrip("\r")
