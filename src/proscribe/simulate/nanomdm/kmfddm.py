"""A simulated KMFDDM: declarations, sets, who is in them, and what devices reported (http/api and http/ddm)."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from proscribe.clock import Clock
from proscribe.simulate.nanomdm.declarations import (
    Declarations,
    NotFound,
    Report,
    StorageError,
    reported,
    synchronisation_token,
)
from proscribe.simulate.nanomdm.faults import KMFDDM_OPERATIONS, FaultScript
from proscribe.simulate.nanomdm.journal import Change, DeclarationJournal, Request
from proscribe.simulate.nanomdm.loopback import (
    Call,
    Loopback,
    Reply,
    authorised,
    in_json,
    not_found,
    plain,
    stamp,
    unauthorised,
)

_FALSE = ("", "0", "false", "no", "off")
_JSON = {"Content-Type": "application/json"}
_MANIFESTS = {
    "Activations": "activation",
    "Assets": "asset",
    "Configurations": "configuration",
    "Management": "management",
}


class KmfddmSimulator:
    """A running KMFDDM in this process. A context manager; ``endpoint`` is its address, without a trailing slash.

    Hand it to ``NanomdmSimulator(declarations=...)``, which then is ``nanomdm -dm`` of it. It never enqueues commands
    by itself, as one that was started without ``-enqueue``.
    """

    def __init__(self, *, api_key: str, port: int = 0, clock: Clock | None = None) -> None:
        self.faults = FaultScript(KMFDDM_OPERATIONS)
        self.journal = DeclarationJournal()
        self.state = Declarations()
        self._api_key = api_key
        self._clock = clock
        self._moments = itertools.count()
        self._loopback = Loopback(self.handle, port)
        self._operations: dict[str, Callable[[Call, str], Reply]] = {
            "declarations": self._declarations,
            "set-declarations": self._set_declarations,
            "enrollment-sets": self._enrolment_sets,
            "declaration-status": self._declaration_status,
            "version": lambda _call, _id: Reply(200, b'{"version":"v0.8.3 (simulated)"}', _JSON),
            "device": self._device,
        }

    @property
    def endpoint(self) -> str:
        """Where it listens."""
        return self._loopback.endpoint

    def __enter__(self) -> Self:
        self._loopback.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loopback.stop()

    def handle(self, call: Call) -> Reply:
        """Answer a call, over HTTP or from the NanoMDM next door."""
        operation, resource = _operation(call.path)
        call = replace(call, method="GET" if call.method == "HEAD" else call.method)
        fault = self.faults.take(operation) if operation else None
        if fault is not None and fault.kind.prevents:
            reply = fault.reply()
        else:
            reply = self._answer(operation, resource, call)
            reply = reply if fault is None else fault.reply()
        self.journal.add(Request(self._stamp(), call.method, call.path, tuple(call.query.items()), reply.status))
        return reply

    def _answer(self, operation: str, resource: str, call: Call) -> Reply:
        if not operation:
            return not_found()
        if call.path.startswith("/v1/") and not authorised(call, "kmfddm", self._api_key):
            return unauthorised("kmfddm")
        try:
            return self._operations[operation](call, resource)
        except StorageError as error:
            return in_json({"error": str(error)}, 500)

    def _declarations(self, call: Call, resource: str) -> Reply:
        match call.method, bool(resource):
            case ("GET", False):
                return in_json(self.state.identifiers() or None)
            case ("PUT", False):
                return self._put(call)
            case ("GET", True):
                try:
                    return Reply(200, json.dumps(self.state.get(resource).as_json(), indent="\t").encode(), _JSON)
                except NotFound as error:
                    return in_json({"error": str(error)}, 404)
            case ("DELETE", True):
                return self._changed(call, resource, self.state.delete(resource))
        return _wrong_method("GET, HEAD, DELETE" if resource else "GET, HEAD, PUT")

    def _put(self, call: Call) -> Reply:
        try:
            moment = f"{self._stamp()}/{next(self._moments)}"  # tells a declaration from an earlier one of its name
            identifier, changed = self.state.put(call.body.decode(), moment)
        except (ValueError, IndexError) as error:
            return in_json({"error": str(error)}, 400)
        return self._changed(call, identifier, changed)

    def _set_declarations(self, call: Call, name: str) -> Reply:
        if call.method == "GET":
            return in_json(self.state.of_set(name) or None)
        return self._change(call, name, "declaration", self.state.put_in_set, self.state.drop_from_set)

    def _enrolment_sets(self, call: Call, device: str) -> Reply:
        if call.method == "GET":
            return in_json(self.state.sets_of(device) or None)
        return self._change(call, device, "set", self.state.join, self.state.leave)

    def _change(
        self, call: Call, one: str, parameter: str, put: Callable[[str, str], bool], drop: Callable[[str, str], bool]
    ) -> Reply:
        action = {"PUT": put, "DELETE": drop}.get(call.method)
        if action is None:
            return _wrong_method("GET, HEAD, PUT, DELETE")
        other = call.query.get(parameter, "")
        if not other:
            return in_json({"error": "empty declaration" if parameter == "declaration" else "empty set name"}, 500)
        return self._changed(call, f"{one} {other}", action(one, other))

    def _changed(self, call: Call, resource: str, changed: bool) -> Reply:  # noqa: FBT001 (what the state answered)
        asks = call.query.get("nonotify", "").lower() not in _FALSE
        self.journal.add(
            Change(self._stamp(), call.method, _operation(call.path)[0], resource, changed, notifies=not asks)
        )
        return plain(204 if changed else 304)

    def _declaration_status(self, call: Call, devices: str) -> Reply:
        return in_json(self.state.status(devices.split(","))) if call.method == "GET" else _wrong_method("GET, HEAD")

    def _device(self, call: Call, endpoint: str) -> Reply:
        allowed = "PUT" if endpoint == "status" else "GET, HEAD"
        if call.method not in allowed.split(", "):
            return _wrong_method(allowed)
        if not (device := call.headers.get("x-enrollment-id", "")):
            return plain(400)
        try:
            if endpoint == "status":
                return self._status(device, call.body)
            if endpoint.startswith("declaration/"):
                _, manifest, identifier = endpoint.split("/")
                found = self.state.one_for_device(device, manifest, identifier)
                return Reply(200, json.dumps(found.as_json(), indent="\t").encode(), _JSON)
            return self._items(device, tokens=endpoint == "tokens")
        except NotFound:
            return plain(404 if endpoint.startswith("declaration/") else 500)

    def _items(self, device: str, *, tokens: bool) -> Reply:
        declarations = self.state.for_device(device)
        token = synchronisation_token(declarations)
        if tokens:
            return _compact({"SyncTokens": {"DeclarationsToken": token, "Timestamp": self._stamp()}})
        items = {
            name: [
                {"Identifier": one.identifier, "ServerToken": one.server_token}
                for one in declarations
                if one.manifest == manifest
            ]
            for name, manifest in _MANIFESTS.items()
        }
        return _compact({"Declarations": items, "DeclarationsToken": token})

    def _status(self, device: str, body: bytes) -> Reply:
        try:
            items = reported(json.loads(body))
        except ValueError:
            return plain(500)
        self.state.report(device, Report(self._stamp(), secrets.token_hex(8), items))
        self.journal.reported(device)
        return Reply(200)

    def _stamp(self) -> str:
        return stamp(self._clock)


def _wrong_method(allowed: str) -> Reply:
    refused = plain(405)
    return Reply(405, refused.body, {**refused.headers, "Allow": f"{allowed}, OPTIONS"})


def _compact(answer: Mapping[str, object]) -> Reply:
    return Reply(200, json.dumps(answer, separators=(",", ":")).encode(), _JSON)


def _operation(path: str) -> tuple[str, str]:
    """The operation and its resource. A resource is one segment: a name with a slash finds no route, escaped or not."""
    match path.split("/"):
        case ["", "version"]:
            return "version", ""
        case ["", ("tokens" | "declaration-items" | "status") as endpoint]:
            return "device", endpoint
        case ["", "declaration", kind, identifier] if kind and identifier:
            return "device", f"declaration/{kind}/{identifier}"
        case ["", "v1", "declarations"]:
            return "declarations", ""
        case [
            "",
            "v1",
            ("declarations" | "set-declarations" | "enrollment-sets" | "declaration-status") as name,
            one,
        ] if one:
            return name, one
    return "", ""
