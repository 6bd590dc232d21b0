"""Apple: what a device answers to the MDM command ``InstalledApplicationList`` (apple/device-management:
mdm/commands/application.installed.list.yaml).

XML or binary property lists: one answer, an array of them, or answers one after another. An answer names the device
by ``UDID``, or by ``EnrollmentID`` in User Enrolment. It carries no time and does not say whether the request was
narrowed: ``ManagedAppsOnly`` and ``Identifiers`` must not have been used. Answers other than Acknowledged (NotNow: the
phone is locked) make the device known and its list unknown.
"""

from __future__ import annotations

import plistlib
import re
import struct
from collections.abc import Iterator, Mapping
from typing import Any
from xml.parsers.expat import ExpatError

from proscribe.catalogue.model import AppIdentity
from proscribe.errors import Where
from proscribe.inventory.encoding import as_utf8
from proscribe.inventory.errors import truncated
from proscribe.inventory.importers.base import Head, UnusableRecord, items, lacking, text_of
from proscribe.inventory.intake import Intake
from proscribe.inventory.model import DeviceRecord, InstallRecord
from proscribe.inventory.opening import CHUNK, Opened
from proscribe.inventory.sightings import NO_APP_REPORTS
from proscribe.terms import Enrolment, Held, Platform
from proscribe.text import Text

NAME = "apple-installedapplicationlist"
SYSTEM = "apple-mdm"
_LIST = "InstalledApplicationList"
_KNOWN = frozenset(
    {"CommandUUID", "Status", "UDID", "EnrollmentID", "UserID", "UserLongName", "UserShortName", "NotOnConsole"}
    | {"EnrollmentUserID", "ErrorChain", "RequestType", _LIST}
)
_END = b"</plist>"
_BINARY = b"bplist00"
# plistlib checks little: what a damaged list raises depends on where its reading goes astray.
_NO_PLIST = (
    ValueError,  # plistlib.InvalidFileException is one
    ExpatError,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    RecursionError,
    TypeError,
    struct.error,
)
_ANSWER_LIMIT = 64 << 20
_DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")


def recognises(head: Head) -> bool:
    """Any property list: an answer of another kind is listed record by record."""
    return head.kind == "plist"


def read(opened: Opened, intake: Intake) -> None:
    """Pass on every answer."""
    form = plistlib.FMT_BINARY if opened.head.startswith(_BINARY) else plistlib.FMT_XML
    for data in _documents(opened):
        try:
            root = plistlib.loads(data, fmt=form)
        except _NO_PLIST as error:
            intake.rows += 1
            intake.problem(
                intake.rows,
                "",
                Text(f"not a property list: {error}", f"n'est pas une liste de propriétés : {error}"),
                Text(
                    "Export this answer again; the others were read.",
                    "Réexportez cette réponse; les autres ont été lues.",
                ),
            )
            continue
        for answer in root if isinstance(root, list) else [root]:
            intake.rows += 1
            try:
                _read(answer, intake)
            except UnusableRecord as error:
                intake.problem(intake.rows, error.where.field, error.what, error.remedy)


def _read(answer: object, intake: Intake) -> None:
    if not isinstance(answer, dict):
        raise lacking(_LIST)
    for name in answer.keys() - _KNOWN:
        intake.unknown(str(name))
    udid, enrolment_id = text_of(answer, "UDID"), text_of(answer, "EnrollmentID")
    if not udid and not enrolment_id:
        raise lacking("UDID")
    apps = items(answer, _LIST)
    status = text_of(answer, "Status")
    if apps is None and status in ("", "Acknowledged"):
        raise lacking(_LIST)
    device = DeviceRecord(
        key=f"{SYSTEM}:{udid or enrolment_id}",
        system=SYSTEM,
        platform=Platform.ios,
        enrolment=Enrolment.unknown if udid else Enrolment.user_enrolment,
        remarks=() if apps is not None else (NO_APP_REPORTS, f"status:{status}"),
    )
    intake.device(device)
    for entry in apps or ():
        _install(device.key, entry, intake)


def _install(key: str, entry: Mapping[str, Any], intake: Intake) -> None:
    identifier, name = text_of(entry, "Identifier"), text_of(entry, "Name")
    if not identifier and not name:
        absent = lacking("Identifier")
        intake.problem(intake.rows, f"{_LIST}.Identifier", absent.what, absent.remedy)
        return
    declared = text_of(entry, "Source") == "Declarative Device Management"
    intake.install(
        InstallRecord(
            device=key,
            app=AppIdentity(Platform.ios, app_id=identifier, name=name),
            held=Held.managed if declared else Held.unknown,
            version=text_of(entry, "ShortVersion") or text_of(entry, "Version"),
            installer=text_of(entry, "DistributorIdentifier"),
        )
    )


def _documents(opened: Opened) -> Iterator[bytes]:
    """The property lists of a file, one after another."""
    if opened.head.startswith(_BINARY):
        yield from _binary(opened.read())
        return
    stream, rest = as_utf8(opened), b""
    while chunk := stream.read(CHUNK):
        rest += chunk
        while (end := rest.find(_END)) >= 0:
            yield _DECLARATION.sub(b"", rest[: end + len(_END)])
            rest = rest[end + len(_END) :]
        if len(rest) > _ANSWER_LIMIT:
            break
    if rest.strip():
        raise truncated(Where(file=opened.name))


def _binary(data: bytes) -> Iterator[bytes]:
    """Binary property lists carry no length: a piece that is none on its own runs on into the next."""
    starts = [match.start() for match in re.finditer(re.escape(_BINARY), data)]
    begin = 0
    for end in [*starts[1:], len(data)]:
        piece = data[begin:end]
        if end < len(data) and not _is_whole(piece):
            continue
        yield piece
        begin = end


def _is_whole(piece: bytes) -> bool:
    try:
        plistlib.loads(piece, fmt=plistlib.FMT_BINARY)
    except _NO_PLIST:
        return False
    return True
