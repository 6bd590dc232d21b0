"""The simulated API as a function: a request in, a response out. Sockets are elsewhere."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from proscribe.clock import Clock
from proscribe.simulate.amapi.faults import WRITES, Fault, FaultKind, FaultScript
from proscribe.simulate.amapi.journal import Request, stamp
from proscribe.simulate.amapi.state import Fleet, Json, Refused, invalid

DEFAULT_PAGE = 10
MAX_PAGE = 100

_ROUTES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("GET", re.compile(r"^/v1/(enterprises/[^/]+)/devices$"), "devices.list"),
    ("GET", re.compile(r"^/v1/(enterprises/[^/]+/devices/[^/:]+)$"), "devices.get"),
    ("GET", re.compile(r"^/v1/(enterprises/[^/]+)/policies$"), "policies.list"),
    ("GET", re.compile(r"^/v1/(enterprises/[^/]+/policies/[^/:]+)$"), "policies.get"),
    ("PATCH", re.compile(r"^/v1/(enterprises/[^/]+/policies/[^/:]+)$"), "policies.patch"),
    (
        "POST",
        re.compile(r"^/v1/(enterprises/[^/]+/policies/[^/:]+):modifyPolicyApplications$"),
        "policies.modifyPolicyApplications",
    ),
    (
        "POST",
        re.compile(r"^/v1/(enterprises/[^/]+/policies/[^/:]+):removePolicyApplications$"),
        "policies.removePolicyApplications",
    ),
)
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True, slots=True)
class Call:
    """A request as it came in."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back. ``cut``: break the connection instead; ``stall``: keep the client waiting that long first."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    stall: float = 0.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that was understood and its true answer, for those who check the wire."""

    operation: str
    call: Call
    reply: Reply


class Service:
    """The API over one fleet. ``tokens``: the bearer tokens it takes; None takes any caller."""

    def __init__(
        self, fleet: Fleet, clock: Clock, *, tokens: Iterable[str] | None = None, quota: tuple[int, float] | None = None
    ) -> None:
        self.fleet = fleet
        self.clock = clock
        self.faults = FaultScript()
        self.tokens = None if tokens is None else set(tokens)
        self.watchers: list[Callable[[Exchange], None]] = []
        self._quota = quota
        self._recent: deque[datetime] = deque()
        self._lock = threading.Lock()

    def handle(self, call: Call) -> Reply:
        """Answer one request; faults waiting for it take effect."""
        now = self.clock.now()
        self.fleet.tick(now)
        operation, name = _route(call)
        if not operation:
            return self._log(call, _error(404, "The requested URL was not found on this server."), now)
        fault = self.faults.take(operation)
        if fault is not None and fault.kind is FaultKind.expire and self.tokens is not None:
            self.tokens.discard(_bearer(call))
        if self.tokens is not None and _bearer(call) not in self.tokens:
            return self._log(call, _error(401, "Request had invalid authentication credentials."), now)
        if not self._within_quota(now):
            return self._log(call, _error(429, "Quota exceeded for quota metric 'Queries'."), now)
        return self._log(call, self._faulty(fault, operation, name, call, now), now)

    def _faulty(self, fault: Fault | None, operation: str, name: str, call: Call, now: datetime) -> Reply:
        if fault is None or fault.kind is FaultKind.expire:
            return self._perform(operation, name, call, now)
        if fault.kind in _NOTHING_DONE:
            return _instead(fault)
        if fault.kind is FaultKind.ignore:
            if operation not in WRITES:
                return self._perform(operation, name, call, now)
            policy = self.fleet.policy(name)
            return _json(policy if operation == "policies.patch" else {"policy": policy})
        self._perform(operation, name, call, now)
        return _instead(fault)

    def _perform(self, operation: str, name: str, call: Call, now: datetime) -> Reply:
        self.faults.interlude(operation, "before")
        try:
            reply = _json(self._answer(operation, name, call, now))
        except Refused as error:
            reply = _error(error.code, error.message, status=error.status)
        for watcher in self.watchers:
            watcher(Exchange(operation, call, reply))
        self.faults.interlude(operation, "after")
        return reply

    def _answer(self, operation: str, name: str, call: Call, now: datetime) -> Json:
        if operation == "devices.get":
            return self.fleet.device(name)
        if operation == "policies.get":
            return self.fleet.policy(name)
        if operation in ("devices.list", "policies.list"):
            return self._page(operation, name, call.query)
        body = _body(call)
        if operation == "policies.patch":
            return self.fleet.patch(name, call.query.get("updateMask", ""), body, now)
        if operation == "policies.modifyPolicyApplications":
            return {"policy": self.fleet.modify(name, body.get("changes"), now)}
        return {"policy": self.fleet.remove(name, body.get("packageNames"), now)}

    def _page(self, operation: str, parent: str, query: Mapping[str, str]) -> Json:
        if parent != self.fleet.enterprise:
            raise Refused(403, "PERMISSION_DENIED", f"Caller is not authorized to manage enterprise {parent}.")
        try:
            size = int(query.get("pageSize", "0"))
        except ValueError:
            raise invalid("Invalid value at 'page_size' (TYPE_INT32).") from None
        size = min(size, MAX_PAGE) if size > 0 else DEFAULT_PAGE
        kind = operation.split(".", maxsplit=1)[0]
        names = self.fleet.device_names() if kind == "devices" else [item["name"] for item in self.fleet.policies()]
        start = _offset(query.get("pageToken", ""), kind)
        chosen = names[start : start + size]
        get = self.fleet.device if kind == "devices" else self.fleet.policy
        page: Json = {}
        if chosen:
            page[kind] = [get(item) for item in chosen]
        if start + size < len(names):
            page["nextPageToken"] = _token(start + size, kind)
        return page

    def _within_quota(self, now: datetime) -> bool:
        if self._quota is None:
            return True
        count, window = self._quota
        with self._lock:
            while self._recent and self._recent[0] <= now - timedelta(seconds=window):
                self._recent.popleft()
            if len(self._recent) >= count:
                return False
            self._recent.append(now)
            return True

    def _log(self, call: Call, reply: Reply, now: datetime) -> Reply:
        query = tuple(sorted(call.query.items()))
        self.fleet.journal.request(Request(stamp(now), call.method, call.path, query, reply.status))
        return reply


_NOTHING_DONE = frozenset(
    {FaultKind.throttle, FaultKind.refuse, FaultKind.fail_before, FaultKind.drop_before, FaultKind.stall_before}
)


def _instead(fault: Fault) -> Reply:
    """What a fault answers in place of the true answer."""
    match fault.kind:
        case FaultKind.throttle:
            headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
            code = 429 if not fault.reason else fault.status
            return _error(code, "Quota exceeded for quota metric 'Queries'.", headers=headers, reason=fault.reason)
        case FaultKind.stall_before | FaultKind.stall_after:
            return Reply(0, b"", cut=True, stall=fault.seconds)
        case FaultKind.drop_before | FaultKind.drop_after:
            return Reply(0, b"", cut=True)
        case FaultKind.garbage:
            return Reply(200, b"<html>gateway</html>", {"Content-Type": "text/html"})
        case FaultKind.oversize:
            return Reply(200, b"{" + b" " * (2 << 20) + b"}", {"Content-Type": "application/json"})
        case _:
            return _error(fault.status, "The service failed.", reason=fault.reason)


def _route(call: Call) -> tuple[str, str]:
    for method, pattern, operation in _ROUTES:
        if method == call.method and (found := pattern.match(call.path)):
            return operation, found.group(1)
    return "", ""


def _bearer(call: Call) -> str:
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else ""


def _body(call: Call) -> Json:
    try:
        value = json.loads(call.body or b"{}")
    except ValueError:
        raise invalid("Invalid JSON payload received.") from None
    if not isinstance(value, dict):
        raise invalid("Invalid JSON payload received. Root element must be a message.")
    return value


def _token(offset: int, kind: str) -> str:
    return base64.urlsafe_b64encode(f"{kind}:{offset}".encode()).decode()


def _offset(token: str, kind: str) -> int:
    if not token:
        return 0
    try:
        found, _, offset = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if found == kind:
            return int(offset)
    except (ValueError, UnicodeDecodeError):
        pass
    raise invalid("Request contains an invalid argument: page_token.")


def _json(value: Any) -> Reply:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(200, body, {"Content-Type": "application/json; charset=UTF-8"})


def _error(
    code: int, message: str, *, status: str = "", headers: Mapping[str, str] | None = None, reason: str = ""
) -> Reply:
    """An error in Google's format."""
    error: Json = {"code": code, "message": message, "status": status or _STATUS.get(code, "UNKNOWN")}
    if reason:
        error["details"] = [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}
        ]
    body = json.dumps({"error": error}).encode()
    return Reply(code, body, {"Content-Type": "application/json; charset=UTF-8", **(headers or {})})
