"""Bringing the edition of a scope to its devices: a profile to each, or declarations to all and a nudge to each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any

from proscribe.canonical import digest_json
from proscribe.connectors.nanomdm import commands, declarations, profile
from proscribe.connectors.nanomdm.ddm import KmfddmWire
from proscribe.connectors.nanomdm.history import Case
from proscribe.connectors.nanomdm.model import (
    Channel,
    Command,
    CommandState,
    Device,
    Edition,
    Entry,
    Group,
    Purpose,
)
from proscribe.connectors.nanomdm.outbox import Outgoing
from proscribe.connectors.nanomdm.scopes import View, applied_now, has_profile, split

EDITIONS_KEPT = 8
"""Earlier editions that are remembered, to tell what a device carries."""
LEFT = "left"
"""In the place of an edition's version: the device was taken out of the scope."""
_EARLIER = "earlier:"
"""Before the scope: of an identifier that the scope has given up."""


def edition(view: View, scope: str, version: int, entries: Iterable[Entry]) -> Edition:
    """What a scope is to want, with those entries."""
    sorted_entries = tuple(sorted(entries, key=lambda entry: (entry.app, entry.ban)))
    group, channel = split(scope)
    if channel is not Channel.profile:
        return Edition(version=version, entries=sorted_entries)
    base = view.bases.get(group)
    made = profile.merged(scope, base, sorted_entries, old_key=False, organisation=view.config.organisation)
    digest = "" if base is None else base.digest
    return Edition(version, sorted_entries, base=digest, uuid=made.uuid, identifier=made.identifier)


def same(one: Edition, other: Edition) -> bool:
    """Whether two editions ask the same of devices."""
    return (one.entries, one.base, one.uuid) == (other.entries, other.base, other.uuid)


def followed_by(group: Group, newer: Edition) -> Group:
    """The group once a newer edition is the one that counts."""
    before = (group.now, *group.before) if group.now.version else group.before
    return Group(group.scope, newer, before=before[:EDITIONS_KEPT])


@dataclass(frozen=True)
class Delivery:
    """One edition of one scope on its way to devices."""

    view: View
    group: Group  # as it is to be: ``group.now`` is what is delivered

    @property
    def scope(self) -> str:
        """The scope."""
        return self.group.scope

    @property
    def edition(self) -> Edition:
        """What is delivered."""
        return self.group.now

    @property
    def key(self) -> str:
        """What its commands are known by."""
        return f"{self.scope}@{self.edition.version}"

    @property
    def channel(self) -> Channel:
        """How it reaches devices."""
        return split(self.scope)[1]

    @cached_property
    def content(self) -> str:
        """What tells two editions of one number apart: the number of an offer that came to nothing is used again."""
        named = [[entry.app, entry.ban] for entry in self.edition.entries]
        return self.edition.uuid or digest_json({"entries": named})

    @cached_property
    def identifier(self) -> str:
        """The identifier of the profile."""
        return self._merged(old_key=False).identifier

    @cached_property
    def _payloads(self) -> Mapping[bool, bytes]:
        return {old_key: self._payload(old_key=old_key) for old_key in (False, True)}

    def _merged(self, *, old_key: bool) -> profile.Profile:
        base = self.view.bases.get(split(self.scope)[0])
        organisation = self.view.config.organisation
        return profile.merged(self.scope, base, self.edition.entries, old_key=old_key, organisation=organisation)

    def _payload(self, *, old_key: bool) -> bytes:
        payload = self._merged(old_key=old_key).payload
        certificate, key = self.view.config.signing_certificate, self.view.config.signing_key
        if certificate is None or key is None or not self.edition.entries:
            return payload  # the organisation's own profile goes out as it came
        return profile.sign(payload, certificate, key)

    def is_mine(self, command: Command) -> bool:
        """Whether a command carries this very edition."""
        return command.key == self.key and command.subject == self.content

    def is_of_scope(self, command: Command) -> bool:
        """Whether a command carries any edition of the scope."""
        return command.purpose is Purpose.deliver and command.key.rpartition("@")[0] == self.scope

    def last(self, case: Case) -> Command | None:
        """What the device was last sent of the scope."""
        return next((one for one in reversed(case.commands) if self.is_of_scope(one)), None)

    def due(self, case: Case) -> Outgoing | None:
        """What the device needs now, if anything. What was found under way is given again, word for word."""
        last = self.last(case)
        if last is None:
            return self._next(case) if self._needed(case.device) else None
        if not self.is_mine(last):
            return self._next(case)
        if last.state is CommandState.sending:
            return Outgoing(last, self._command(case.device))
        return self._next(case) if self._again(case.device, last) else None

    def _needed(self, device: Device) -> bool:
        """Whether a device that was sent nothing needs something. Where nothing of ours is wanted, only one that has an
        older edition from elsewhere does."""
        if self.edition.entries:
            return True
        ours = {one.uuid for one in self.group.before if one.entries and one.uuid}
        return any(seen.uuid in ours for seen in (device.profiles.profiles if device.profiles else ()))

    def _again(self, device: Device, last: Command) -> bool:
        """Whether the edition has to be sent once more to a device that was sent it."""
        config, now = self.view.config, self.view.now
        if last.state is CommandState.void:
            return True
        answered = last.answered_at or last.asked_at
        if last.state is CommandState.failed:
            return now - answered >= timedelta(hours=config.retry_hours)
        if last.state is not CommandState.answered or applied_now(device, self.group):
            return False
        if self.channel is Channel.declarations:
            return now - answered >= timedelta(hours=config.retry_hours)
        told = device.profiles
        settled = now - answered >= timedelta(hours=config.lost_after_hours)
        return settled and told is not None and told.asked_at > answered

    def _next(self, case: Case) -> Outgoing:
        attempt = 1 + max((one.attempts for one in case.commands if self.is_mine(one)), default=0)
        return self._outgoing(case.device, self.key, self.content, attempt, self._command(case.device))

    def _command(self, device: Device) -> dict[str, Any]:
        if self.channel is Channel.declarations:
            return commands.declarative_management()
        if not self.edition.uuid:
            return commands.remove_profile(self.identifier)
        return commands.install_profile(self._payloads[profile.needs_old_key(device.os_version)])

    def _outgoing(self, device: Device, key: str, subject: str, attempt: int, content: dict[str, Any]) -> Outgoing:
        parts = (Purpose.deliver, device.id, str(device.generation), key, subject, str(attempt))
        command = Command(
            uuid=commands.command_uuid(*parts),
            device=device.id,
            generation=device.generation,
            request_type=content["RequestType"],
            purpose=Purpose.deliver,
            state=CommandState.sending,
            asked_at=self.view.now,
            subject=subject,
            key=key,
            attempts=attempt,
        )
        return Outgoing(command, content)

    # What is to go -----------------------------------------------------------------------------------

    def taken_back(self, case: Case) -> Outgoing | None:
        """What takes this scope's edition off a device that left the scope; the organisation's own profile stays."""
        last = self.last(case)
        key = f"{self.scope}@{LEFT}"
        if last is not None and last.key == key and last.state not in (CommandState.sending, CommandState.void):
            return None
        without = Delivery(self.view, replace(self.group, now=edition(self.view, self.scope, self.edition.version, ())))
        attempt = 1 + sum(one.key == key and one.state is not CommandState.sending for one in case.commands)
        return self._outgoing(case.device, key, "", attempt, without._command(case.device))

    def outdated(self, case: Case) -> Outgoing | None:
        """What takes off an earlier edition that stands under another identifier, once the current one is on: the
        organisation's profile came later than ours, or was given another identifier. A new one does not replace it."""
        if self.channel is not Channel.profile or not applied_now(case.device, self.group):
            return None
        mine = self.edition.identifier
        old = next((one for one in self.group.before if _is_other(one, mine) and has_profile(case.device, one)), None)
        if old is None:
            return None
        key = f"{_EARLIER}{self.scope}@{LEFT}"
        own = [one for one in case.commands if one.key == key and one.subject == old.uuid]
        if own and not self._may_repeat(own[-1]):
            return None
        attempt = 1 + sum(one.state is not CommandState.sending for one in own)
        return self._outgoing(case.device, key, old.uuid, attempt, commands.remove_profile(old.identifier))

    def _may_repeat(self, last: Command) -> bool:
        if last.state in (CommandState.sending, CommandState.void):
            return True
        rest = timedelta(hours=self.view.config.retry_hours)
        return last.answered_at is not None and self.view.now - last.answered_at >= rest


def _is_other(edition: Edition, identifier: str) -> bool:
    return bool(edition.entries and edition.uuid and identifier) and edition.identifier not in ("", identifier)


# Declarations -----------------------------------------------------------------------------------------------------


def bans(edition: Edition) -> dict[str, list[str]]:
    """The apps of an edition by their ban."""
    found: dict[str, list[str]] = {}
    for entry in edition.entries:
        found.setdefault(entry.ban, []).append(entry.app)
    return found


def is_published(ddm: KmfddmWire, scope: str, edition: Edition) -> bool:
    """Whether the set of a scope holds an edition, word for word. Raises ConnectorFault."""
    pairs = [declarations.for_ban(scope, ban, apps) for ban, apps in sorted(bans(edition).items())]
    wanted = {one["Identifier"] for pair in pairs for one in pair}
    if set(ddm.declarations_of(declarations.set_name(scope))) != wanted:
        return False
    names = [configuration["Identifier"] for configuration, _ in pairs]
    return {name: (ddm.declaration(name) or {}).get("ServerToken") for name in names} == edition.tokens


def publish(ddm: KmfddmWire, scope: str, edition: Edition) -> dict[str, str]:
    """Let the set of a scope hold exactly the declarations of an edition; their server tokens. Raises ConnectorFault.

    What is new comes in before what is old goes out, so that no device meets a moment without either.
    """
    name = declarations.set_name(scope)
    tokens: dict[str, str] = {}
    wanted: list[str] = []
    for ban, apps in sorted(bans(edition).items()):
        configuration, activation = declarations.for_ban(scope, ban, apps)
        for one in (configuration, activation):
            ddm.put_declaration(one)
            ddm.put_in_set(name, one["Identifier"])
            wanted.append(one["Identifier"])
        stored = ddm.declaration(configuration["Identifier"]) or {}
        tokens[configuration["Identifier"]] = str(stored.get("ServerToken", ""))
    for gone in sorted(set(ddm.declarations_of(name)) - set(wanted), reverse=True):  # an activation before its own
        ddm.drop_from_set(name, gone)
        ddm.delete_declaration(gone)
    return tokens
