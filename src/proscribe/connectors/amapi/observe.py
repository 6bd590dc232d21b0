"""Reading the fleet: devices page by page, then the policies that configure them.

The cursor is ours: it holds the phase, the API's page token, and how many devices of each policy were met so far, so a
scan that was cut off resumes with the right counts. Page tokens of the API do not live for ever; one that it no longer
takes is refused with its own message, and the scan starts anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from proscribe.canonical import canonical_bytes
from proscribe.connectors.amapi import policy as words
from proscribe.connectors.amapi.act import scope_of
from proscribe.connectors.amapi.config import AmapiConfig
from proscribe.connectors.amapi.fields import unknown
from proscribe.connectors.amapi.wire import Answer, Wire, not_understood
from proscribe.connectors.base import Batch, Rejected
from proscribe.inventory.importers.amapi import device_record
from proscribe.inventory.importers.base import UnusableRecord
from proscribe.inventory.model import DeviceRecord, InstallRecord, Problem, Scope
from proscribe.text import Text

POLICY_PAGE_SIZE = 20
"""A policy may hold 3,000 entries, so a page of them is kept short."""


@dataclass(slots=True)
class _Cursor:
    phase: str = "devices"
    token: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    def text(self) -> str:
        return canonical_bytes({"phase": self.phase, "token": self.token, "counts": self.counts}).decode()

    @classmethod
    def read(cls, text: str) -> _Cursor:
        if not text:
            return cls()
        try:
            value = json.loads(text)
            phase, token, counts = value["phase"], value["token"], value["counts"]
            usable = phase in ("devices", "policies") and isinstance(token, str)
            usable = usable and all(isinstance(count, int) for count in counts.values())
        except (ValueError, KeyError, TypeError, AttributeError):
            usable = False
        if not usable:
            raise Rejected(
                Text("not a cursor of this connector", "ce n'est pas un curseur de ce connecteur"),
                remedy=Text("Observe again from the start.", "Reprenez l'observation depuis le début."),
            )
        return cls(phase, token, dict(counts))


def observe(config: AmapiConfig, wire: Wire, cursor: str) -> Iterator[Batch]:
    """Every device and policy from ``cursor`` on. Raises a ConnectorFault; what was yielded before stands."""
    position = _Cursor.read(cursor)
    while True:
        batch = _devices(config, wire, position) if position.phase == "devices" else _policies(config, wire, position)
        yield batch
        if not batch.cursor:
            return


def _page(config: AmapiConfig, wire: Wire, position: _Cursor, size: int) -> tuple[Answer, list[Any], str]:
    query = {"pageSize": str(size)}
    if position.token:
        query["pageToken"] = position.token
    answer = wire.read(f"{config.enterprise}/{position.phase}", query)
    items, token = answer.body.get(position.phase, []), answer.body.get("nextPageToken", "")
    if not isinstance(items, list) or not isinstance(token, str):
        raise not_understood(position.phase)
    if token and token == position.token:
        raise not_understood("nextPageToken")  # the same page for ever
    return answer, items, token


def _devices(config: AmapiConfig, wire: Wire, position: _Cursor) -> Batch:
    answer, items, token = _page(config, wire, position, config.page_size)
    devices: list[DeviceRecord] = []
    installs: list[InstallRecord] = []
    problems: list[Problem] = []
    for number, item in enumerate(items, start=1):
        try:
            device, found = device_record(item if isinstance(item, dict) else {})
        except UnusableRecord as error:
            problems.append(_problem("devices.list", number, error.where.field, error.what))
            continue
        devices.append(device)
        installs += found
        if device.scope:
            position.counts[device.scope] = position.counts.get(device.scope, 0) + 1
    if token:
        position.token = token
    else:
        position.phase, position.token = "policies", ""
    return _batch(answer, position, "ListDevicesResponse", devices=devices, installs=installs, problems=problems)


def _policies(config: AmapiConfig, wire: Wire, position: _Cursor) -> Batch:
    answer, items, token = _page(config, wire, position, POLICY_PAGE_SIZE)
    scopes: list[Scope] = []
    problems: list[Problem] = []
    for number, item in enumerate(items, start=1):
        try:
            policy = words.checked(item)
        except words.NotAPolicy as error:
            what = Text("this policy cannot be read", "cette stratégie est illisible")
            problems.append(_problem("policies.list", number, str(error), what))
            continue
        scopes.append(scope_of(policy, position.counts.get(policy["name"], 0)))
    position.token = token
    return _batch(answer, position, "ListPoliciesResponse", scopes=scopes, problems=problems, last=not token)


def _batch(answer: Answer, position: _Cursor, kind: str, *, last: bool = False, **found: list[Any]) -> Batch:
    return Batch(
        devices=tuple(found.get("devices", ())),
        installs=tuple(found.get("installs", ())),
        scopes=tuple(found.get("scopes", ())),
        cursor="" if last else position.text(),
        raw=answer.response,
        raw_bytes=answer.size,
        unknown_fields=unknown(kind, answer.body),
        problems=tuple(found.get("problems", ())),
    )


def _problem(call: str, number: int, field_name: str, what: Text) -> Problem:
    return Problem(
        file=call,
        row=number,
        field=field_name,
        what=what,
        remedy=Text(
            "The rest of the page was read. Look at this record in the API itself.",
            "Le reste de la page a été lu. Examinez cet enregistrement dans l'API elle-même.",
        ),
    )
