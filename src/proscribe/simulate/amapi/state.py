"""The state behind the simulated service: policies, devices, and the rules by which a policy changes."""

from __future__ import annotations

import copy
import heapq
import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from proscribe.connectors.amapi.fields import fields, inside, values
from proscribe.simulate.amapi.device import SimDevice
from proscribe.simulate.amapi.journal import Journal, Mutation, stamp

Json = dict[str, Any]

MAX_APPLICATIONS = 3_000


class Refused(Exception):
    """A request that the service refuses: HTTP status, Google's status word, message."""

    def __init__(self, code: int, status: str, message: str) -> None:
        super().__init__(message)
        self.code, self.status, self.message = code, status, message


def invalid(message: str) -> Refused:
    """The answer to a request that makes no sense."""
    return Refused(400, "INVALID_ARGUMENT", message)


class Fleet:
    """One enterprise: its policies and its devices. Every public method may be called from any thread."""

    def __init__(self, enterprise: str, policies: Iterable[Json], devices: Iterable[SimDevice]) -> None:
        self.enterprise = enterprise
        self.journal = Journal()
        self._lock = threading.RLock()
        self._policies: dict[str, Json] = {}
        for policy in policies:
            self._policies[policy["name"]] = {**copy.deepcopy(policy), "version": policy.get("version", "1")}
        self.devices: dict[str, SimDevice] = {device.name: device for device in devices}
        self._queue: list[tuple[datetime, str]] = []

    def twin(self) -> Fleet:
        """The same enterprise as it is now, which goes its own way from here on."""
        with self._lock:
            made = Fleet(self.enterprise, (), ())
            made._policies, made.devices = copy.deepcopy(self._policies), copy.deepcopy(self.devices)
            made._queue = list(self._queue)
            made.journal.mutations, made.journal.requests = list(self.journal.mutations), list(self.journal.requests)
        return made

    # Time -----------------------------------------------------------------------------------------------------------

    def begin(self, at: datetime) -> None:
        """Enrol every device that has never reported: it has applied its policy as of now."""
        with self._lock:
            for device in self.devices.values():
                if not device.reported:
                    device.enrol(self._policies[device.policy], at)
                if device.next_sync is None:
                    wait = device.period if device.first_sync is None else device.first_sync
                    device.next_sync = at + timedelta(seconds=wait)
            self._schedule(self.devices.values())

    def tick(self, now: datetime) -> None:
        """Let every device do what it would have done until ``now``."""
        with self._lock:
            due = []
            while self._queue and self._queue[0][0] <= now:
                due.append(self.devices[heapq.heappop(self._queue)[1]])
            for device in due:
                device.run(self._policies[device.policy], now)
            self._schedule(due)

    def _schedule(self, devices: Iterable[SimDevice]) -> None:
        for device in devices:
            at = device.next_event()
            if at is not None:
                heapq.heappush(self._queue, (at, device.name))

    # Reading --------------------------------------------------------------------------------------------------------

    def policy(self, name: str) -> Json:
        """One policy, as a copy. Raises Refused (404)."""
        with self._lock:
            if name not in self._policies:
                raise Refused(404, "NOT_FOUND", f"Policy {name} was not found.")
            return copy.deepcopy(self._policies[name])

    def policies(self) -> list[Json]:
        """All policies, by name."""
        with self._lock:
            return [copy.deepcopy(self._policies[name]) for name in sorted(self._policies)]

    def device(self, name: str) -> Json:
        """One device as the service knows it. Raises Refused (404)."""
        with self._lock:
            if name not in self.devices:
                raise Refused(404, "NOT_FOUND", f"Device {name} was not found.")
            return self.devices[name].body()

    def device_names(self) -> list[str]:
        """The names of all devices, in the order of their listing."""
        with self._lock:
            return sorted(self.devices)

    def truth(self) -> dict[str, Json]:
        """What is really on the devices, for those who check the checker."""
        with self._lock:
            return {
                name: {
                    "apps": sorted(device.apps),
                    "personal": sorted(device.personal),
                    "disabled": sorted(device.disabled),
                    "behaviour": device.behaviour.value,
                    "enrolment": device.enrolment.value,
                }
                for name, device in self.devices.items()
            }

    # Writing --------------------------------------------------------------------------------------------------------

    def modify(self, name: str, changes: Any, now: datetime, *, foreign: bool = False) -> Json:
        """``policies.modifyPolicyApplications``: merge by package name."""
        if not isinstance(changes, list) or not changes:
            raise invalid("There must be at least one ApplicationPolicyChange.")
        with self._lock:
            policy = self.policy(name)
            entries: list[Json] = policy.get("applications", [])
            for change in changes:
                _merge_change(entries, change)
            policy["applications"] = entries
            return self._commit("modify", name, policy, now, foreign=foreign)

    def remove(self, name: str, packages: Any, now: datetime, *, foreign: bool = False) -> Json:
        """``policies.removePolicyApplications``: names that are not there are ignored."""
        if not isinstance(packages, list) or not packages:
            raise invalid("There must be at least one entry in package_names.")
        with self._lock:
            policy = self.policy(name)
            left = [entry for entry in policy.get("applications", []) if entry["packageName"] not in packages]
            policy["applications"] = left
            return self._commit("remove", name, policy, now, foreign=foreign)

    def patch(self, name: str, mask: str, body: Any, now: datetime, *, foreign: bool = False) -> Json:
        """``policies.patch``: update the fields of the mask, or all without one; create the policy if need be."""
        if not isinstance(body, dict):
            raise invalid("The request body is not a Policy.")
        _check("Policy", body)
        with self._lock:
            policy = copy.deepcopy(self._policies.get(name, {"name": name, "version": "0"}))
            if mask:
                for path in mask.split(","):
                    _check_path(path)
                    _set(policy, path.split("."), body)
            else:
                policy = {**copy.deepcopy(body), "name": name, "version": policy["version"]}
            return self._commit("patch", name, policy, now, foreign=foreign)

    def _commit(self, operation: str, name: str, policy: Json, now: datetime, *, foreign: bool) -> Json:
        if len(policy.get("applications", [])) > MAX_APPLICATIONS:
            raise invalid("Policy.applications can have at most 3000 elements.")
        if not policy.get("applications"):
            policy.pop("applications", None)  # JSON of this API leaves empty lists out
        usage = policy.get("personalUsagePolicies")
        if usage is not None and not usage.get("personalApplications"):
            usage.pop("personalApplications", None)
        before = self._policies.get(name, {"version": "0"})
        policy["version"] = str(int(before["version"]) + 1)
        self._policies[name] = policy
        self.journal.mutation(
            Mutation(
                at=stamp(now),
                operation=operation,
                policy=name,
                version_before=int(before["version"]),
                version_after=int(policy["version"]),
                changes=_differences(before, policy),
                foreign=foreign,
            )
        )
        return copy.deepcopy(policy)


def _merge_change(entries: list[Json], change: Any) -> None:
    application = change.get("application") if isinstance(change, dict) else None
    if not isinstance(application, dict) or not application.get("packageName"):
        raise invalid("ApplicationPolicyChange.application.packageName is required.")
    _check("ApplicationPolicyChange", change)
    _check("ApplicationPolicy", application)
    package = application["packageName"]
    found = next((entry for entry in entries if entry["packageName"] == package), None)
    if found is None:
        found = {"packageName": package}
        entries.append(found)
    mask = change.get("updateMask", "")
    if not mask:
        found.clear()
        found.update(copy.deepcopy(application))
        return
    for path in mask.split(","):
        if path.split(".")[0] not in fields("ApplicationPolicy"):
            raise invalid(f"Invalid field mask: {path}")
        _set(found, path.split("."), application)


def _set(target: Json, path: list[str], source: Json) -> None:
    """Field mask semantics: copy the field at ``path``; a field the source lacks is cleared."""
    value: Any = source
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    for name in path[:-1]:
        if value is None and name not in target:
            return
        target = target.setdefault(name, {})
    if value is None:
        target.pop(path[-1], None)
    else:
        target[path[-1]] = copy.deepcopy(value)


def _check_path(path: str) -> None:
    kind = "Policy"
    for name in path.split("."):
        if not kind or name not in fields(kind) or name in ("name", "version"):
            raise invalid(f"Invalid field mask: {path}")
        kind = inside(kind).get(name, "")


def _check(kind: str, value: Json) -> None:
    """The part of the vendor's validation that a client of ours could trip over: field names and install types."""
    known = {"application", "updateMask"} if kind == "ApplicationPolicyChange" else fields(kind)
    for name, part in value.items():
        if name not in known:
            raise invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        below = inside(kind).get(name) if kind != "ApplicationPolicyChange" else None
        for item in part if isinstance(part, list) else [part]:
            if below and isinstance(item, dict):
                _check(below, item)
    if "installType" in value and value["installType"] not in values(f"{kind}.installType"):
        raise invalid(f"Invalid value at 'installType' ({kind}): {value['installType']!r}")


def _differences(before: Json, after: Json) -> tuple[tuple[str, str, str, str], ...]:
    found = []
    for side, pick in (("work", _work), ("personal", _personal)):
        old, new = pick(before), pick(after)
        found += [
            (side, package, old.get(package, "-"), new.get(package, "-"))
            for package in sorted(set(old) | set(new))
            if old.get(package, "-") != new.get(package, "-")
        ]
    return tuple(found)


def _work(policy: Json) -> dict[str, str]:
    return {
        entry["packageName"]: entry.get("installType", "") + ("+disabled" if entry.get("disabled") else "")
        for entry in policy.get("applications", [])
    }


def _personal(policy: Json) -> dict[str, str]:
    listed = policy.get("personalUsagePolicies", {}).get("personalApplications", [])
    return {entry["packageName"]: entry.get("installType", "") for entry in listed}
