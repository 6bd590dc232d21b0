"""What KMFDDM stores, as its filekv back end stores it: keys of names joined by dots, found again by their beginnings.

That has consequences which users of the real server meet, and so are kept: of a set ``a`` and a set ``a.b``, the first
also lists the declarations of the second, by wrong names; a declaration ``x`` cannot be deleted while ``x.y`` is in a
set.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

_SPACE = " \t\r\n"


class StorageError(Exception):
    """The server answers 500 with this text, or 404 where it is about a declaration that is asked for."""


class NotFound(StorageError):
    """There is no such declaration, or not for this device."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration. ``payload`` is kept byte for byte: another spacing is another declaration to KMFDDM."""

    identifier: str
    type: str
    payload: str
    created: str
    touched: int = 0

    @property
    def server_token(self) -> str:
        """KMFDDM's own, whatever token a client put into the declaration."""
        return _digest(self.payload + self.created + self.identifier + self.type + str(self.touched))

    @property
    def manifest(self) -> str:
        """activation, asset, configuration or management: the third word of the type."""
        return self.type.removeprefix("com.apple.").partition(".")[0] if self.type.startswith("com.apple.") else ""

    def as_json(self) -> dict[str, Any]:
        """As devices and administrators get it."""
        return {
            "Identifier": self.identifier,
            "Type": self.type,
            "Payload": json.loads(self.payload),
            "ServerToken": self.server_token,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The declarations of a device's last status report that had any."""

    received: str
    id: str
    items: tuple[dict[str, Any], ...]


@dataclass(slots=True)
class Pairs:
    """An association, by its keys."""

    keys: set[str] = field(default_factory=set)

    def add(self, one: str, other: str) -> bool:
        """Whether it is new."""
        key = f"{one}.{other}"
        if key in self.keys:
            return False
        self.keys.add(key)
        return True

    def drop(self, one: str, other: str) -> bool:
        """Whether there was one."""
        if (key := f"{one}.{other}") not in self.keys:
            return False
        self.keys.remove(key)
        return True

    def of(self, one: str) -> list[str]:
        """What belongs to ``one``; everything whose key begins so."""
        beginning = f"{one}."
        return sorted(key[len(beginning) :] for key in self.keys if key.startswith(beginning))


class Declarations:
    """The back end. Safe to use from several threads."""

    def __init__(self) -> None:
        self._declarations: dict[str, Declaration] = {}
        self._in_set = Pairs()
        self._sets_with = Pairs()
        self._sets_of = Pairs()
        self._reports: dict[str, Report] = {}
        self._lock = threading.RLock()

    def put(self, body: str, now: str) -> tuple[str, bool]:
        """Keep a declaration. Its identifier, and whether it differs from what was there. Raises ValueError."""
        fields = _members(body)
        identifier, kind, payload = (
            _text(fields.get("identifier")),
            _text(fields.get("type")),
            fields.get("payload", ""),
        )
        if not identifier or not kind or len(payload) < 2:
            raise ValueError("invalid declaration")
        with self._lock:
            old = self._declarations.get(identifier)
            new = Declaration(identifier, kind, payload, *((old.created, old.touched) if old else (now, 0)))
            self._declarations[identifier] = new
            return identifier, old is None or old.server_token != new.server_token

    def get(self, identifier: str) -> Declaration:
        """A declaration. Raises NotFound."""
        with self._lock:
            if identifier not in self._declarations:
                key = f"dcl.{identifier}.token"
                raise NotFound(f"declaration not found: getting {key}: key not found: {key}")
            return self._declarations[identifier]

    def identifiers(self) -> list[str]:
        """Every declaration there is."""
        with self._lock:
            return sorted(self._declarations)

    def delete(self, identifier: str) -> bool:
        """Whether it was there. Raises StorageError while a set has it."""
        with self._lock:
            if identifier not in self._declarations:
                return False
            if sets := self._sets_with.of(identifier):
                raise StorageError(f"txn rolled back: declaration is referenced by {len(sets)} sets")
            del self._declarations[identifier]
            return True

    def put_in_set(self, name: str, identifier: str) -> bool:
        """Whether it is new there. Raises NotFound."""
        with self._lock:
            if identifier not in self._declarations:
                raise NotFound("declaration not found")
            self._sets_with.add(identifier, name)
            return self._in_set.add(name, identifier)

    def drop_from_set(self, name: str, identifier: str) -> bool:
        """Whether it was there."""
        with self._lock:
            self._sets_with.drop(identifier, name)
            return self._in_set.drop(name, identifier)

    def of_set(self, name: str) -> list[str]:
        """The declarations of a set."""
        with self._lock:
            return self._in_set.of(name)

    def join(self, device: str, name: str) -> bool:
        """Whether the device is new in the set. Neither needs to be known."""
        with self._lock:
            return self._sets_of.add(device, name)

    def leave(self, device: str, name: str) -> bool:
        """Whether the device was in the set."""
        with self._lock:
            return self._sets_of.drop(device, name)

    def sets_of(self, device: str) -> list[str]:
        """The sets a device is in."""
        with self._lock:
            return self._sets_of.of(device)

    def for_device(self, device: str) -> list[Declaration]:
        """What a device is to have. Raises StorageError if a set names a declaration that is not there."""
        with self._lock:
            names = {identifier for name in self._sets_of.of(device) for identifier in self._in_set.of(name)}
            return [self.get(identifier) for identifier in sorted(names)]

    def one_for_device(self, device: str, manifest: str, identifier: str) -> Declaration:
        """A declaration as a device asks for it. Raises NotFound if it is of another kind or not for this device."""
        with self._lock:
            found = self.get(identifier)
            if found.manifest != manifest or not any(
                identifier in self._in_set.of(s) for s in self._sets_of.of(device)
            ):
                raise NotFound("declaration not found")
            return found

    def report(self, device: str, report: Report) -> None:
        """Take in a status report. One without declarations changes nothing."""
        if report.items:
            with self._lock:
                self._reports[device] = report

    def status(self, devices: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
        """What devices reported; those that reported nothing are left out."""
        with self._lock:
            return {device: self._status(device, found) for device in devices if (found := self._reports.get(device))}

    def _status(self, device: str, report: Report) -> list[dict[str, Any]]:
        try:
            tokens = {declaration.identifier: declaration.server_token for declaration in self.for_device(device)}
        except StorageError:
            tokens = {}
        when = {"status_received": report.received, "status_id": report.id}
        return [
            {**item, "current": tokens.get(item["identifier"]) == item["server-token"], **when, **_reasons(item)}
            for item in report.items
        ]


def reported(document: Any) -> tuple[dict[str, Any], ...]:
    """The declarations of a status report, as KMFDDM keeps them. Raises ValueError for what it cannot read."""
    found = document
    for name in ("StatusItems", "management", "declarations"):
        found = found.get(name) if isinstance(found, dict) else None
    if found is None:
        return ()
    if not isinstance(found, dict) or not all(isinstance(items, list) for items in found.values()):
        raise ValueError("not an object of arrays")
    return tuple(_item(manifest, item) for manifest, items in found.items() for item in items)


def synchronisation_token(declarations: Sequence[Declaration]) -> str:
    """The token of what a device is to have. KMFDDM hashes in no certain order, so with several its token may vary."""
    return _digest("".join(declaration.server_token for declaration in declarations))


def _item(manifest: str, item: Any) -> dict[str, Any]:
    fields = item if isinstance(item, dict) else {}
    kept: dict[str, Any] = {
        "identifier": _string(fields.get("identifier")),
        "active": fields.get("active") is True,
        "valid": _string(fields.get("valid")),
        "server-token": _string(fields.get("server-token")),
        "ManifestType": manifest,
    }
    return {**kept, **({"ReasonsJSON": fields["reasons"]} if "reasons" in fields else {})}


def _reasons(item: dict[str, Any]) -> dict[str, Any]:
    return {"reasons": item["ReasonsJSON"]} if item.get("ReasonsJSON") is not None else {}


def _members(body: str) -> dict[str, str]:
    """The members of a JSON object as they are written, by lower-case name; ``null`` has none. Raises ValueError."""
    decoder = json.JSONDecoder()
    document = json.loads(body)
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ValueError("json: cannot unmarshal into Go value of type ddm.Declaration")  # noqa: TRY004 (as JSON's)
    members: dict[str, str] = {}
    at = _skip(body, body.index("{") + 1)
    while body[at] != "}":
        name, at = decoder.raw_decode(body, at)
        start = _skip(body, _skip(body, at) + 1)
        _, at = decoder.raw_decode(body, start)
        members[str(name).lower()] = body[start:at]
        at = _skip(body, at)
        if body[at] == ",":
            at = _skip(body, at + 1)
    return members


def _skip(text: str, at: int) -> int:
    while text[at] in _SPACE:
        at += 1
    return at


def _text(written: str | None) -> str:
    value = json.loads(written or "null")
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError("json: cannot unmarshal into Go struct field of type string")  # noqa: TRY004 (as JSON's)
    return value


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
