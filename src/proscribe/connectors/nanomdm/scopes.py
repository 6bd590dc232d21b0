"""What this connector says of its scopes and devices, computed from what it remembers. Pure, and the same for the plan,
for sending and for following up.

A group scope is ``<group>/<channel>``; all of its devices are of one kind. A device that holds a watched app, or that
something was to be removed from, is a scope of its own besides, named by its key ``nanomdm:<enrolment id>``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from proscribe.canonical import canonical_bytes
from proscribe.connectors.memory import Watch
from proscribe.connectors.nanomdm import declarations as ddm
from proscribe.connectors.nanomdm.base_profile import BLACKLISTED
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.model import (
    Channel,
    Command,
    CommandState,
    Declarations,
    Device,
    Edition,
    Entry,
    Group,
    ManagedApp,
    Purpose,
    Removal,
    SeenApp,
    Stage,
)
from proscribe.connectors.nanomdm.profile import needs_old_key
from proscribe.connectors.nanomdm.roster import Roster
from proscribe.inventory.model import Scope
from proscribe.inventory.sightings import NARROWER_WATCH, NO_APP_REPORTS
from proscribe.plan.versions import parse_version
from proscribe.terms import Enrolment, Held, Platform

if TYPE_CHECKING:
    from proscribe.connectors.nanomdm.profile import Base

SYSTEM = "nanomdm"
DECLARATIONS_FROM = (27,)
"""The OS version from which ``com.apple.configuration.app.settings`` exists (Apple's schema, app.settings.yaml)."""

_identifier = lru_cache(maxsize=4_096)(ddm.identifier)
_GENERATION = 10_000
_OURS = "proscribe.restrictions."
"""What the identifiers of profiles begin with that hold our entries alone (``profile.merged``)."""
_REST, _LONGEST_REST = timedelta(minutes=15), timedelta(days=1)
"""How long an app that was removed twice or more rests before it is removed again, doubled each time: a device that
takes it back at once, or says so, must not keep us busy without end."""
_UNDER_WAY = (Stage.converting, Stage.confirming, Stage.removing)


@dataclass(frozen=True)
class View:
    """What devices are looked at with: read once, used for every device. ``bases``: by group, where there is one."""

    config: NanomdmConfig
    roster: Roster
    watch: Watch
    now: datetime
    groups: Mapping[str, Group] = field(default_factory=dict)  # by scope
    bases: Mapping[str, Base] = field(default_factory=dict)

    @property
    def declarations(self) -> bool:
        """Whether declarations are at hand."""
        return bool(self.config.kmfddm_endpoint)

    @cached_property
    def uuids(self) -> Mapping[str, frozenset[str]]:
        """By group, the PayloadUUIDs of every profile of ours that its devices may carry."""
        found: dict[str, set[str]] = {}
        for scope, group in self.groups.items():
            known = {edition.uuid.upper() for edition in _editions(group) if edition.uuid}
            found.setdefault(split(scope)[0], set()).update(known)
        return {name: frozenset(uuids) for name, uuids in found.items()}


# Which scope a device is in ---------------------------------------------------------------------------------------


def device_key(enrolment_id: str) -> str:
    """The key of a device in Proscribe, which is the name of its own scope as well."""
    return f"{SYSTEM}:{enrolment_id}"


def channel(device: Device, *, declarations: bool) -> Channel:
    """How a block reaches the device. ``declarations``: KMFDDM is configured."""
    if device.enrolment is not Enrolment.supervised or device.platform is not Platform.ios:
        return Channel.commands
    new = (parse_version(device.os_version) or ()) >= DECLARATIONS_FROM
    return Channel.declarations if declarations and new else Channel.profile


def scope_id(device: Device, roster: Roster, config: NanomdmConfig) -> str:
    """The group scope of a device."""
    group = roster.place(device).group or config.default_group
    return f"{group}/{channel(device, declarations=bool(config.kmfddm_endpoint))}"


def split(scope: str) -> tuple[str, Channel]:
    """Group and channel of a group scope. Raises ValueError for anything else, as the key of a device."""
    group, _, name = scope.rpartition("/")
    if not group:
        raise ValueError(scope)
    return group, Channel(name)


def wanted(scope: str, groups: Mapping[str, Group]) -> Group:
    """What a group scope wants, also where nothing was ever asked of it (version 0; 1 on the ``commands`` channel)."""
    known = groups.get(scope)
    if known is not None:
        return known
    return Group(scope, Edition(version=int(split(scope)[1] is Channel.commands), entries=()))


# What a device carries --------------------------------------------------------------------------------------------


def applied_version(device: Device, group: Group) -> int:
    """The newest edition of ``group`` that the device is known to carry, 0 for none; on ``commands`` always 1.

    A profile proves its edition by its PayloadUUID, declarations by the server tokens of theirs.
    """
    if split(group.scope)[1] is Channel.commands:
        return 1
    found = _carried(device, group)
    return 0 if found is None else found.version


def listed_under(device: Device, group: Group) -> int:
    """The version of the edition that the device carried when its list of apps was asked for, 0 for none.

    What arrived later is proved by another list: this one may be from a moment when nothing kept the app away.
    """
    if split(group.scope)[1] is Channel.commands or device.apps is None:
        return applied_version(device, group)
    carried = _carried(device, group)
    if carried is None:
        return 0
    since = {edition.version: device.arrived.get(arrival(group.scope, edition)) for edition in _editions(group)}
    if since[carried.version] is None:
        return carried.version
    by_then = (number for number, moment in since.items() if moment is not None and moment < device.apps.asked_at)
    return max((number for number in by_then if number <= carried.version), default=0)


def arrival(scope: str, edition: Edition) -> str:
    """What an edition is called in ``Device.arrived``."""
    return f"{scope}@{edition.version}" if split(scope)[1] is Channel.declarations else edition.uuid.upper()


def blocked_on(device: Device, group: Group, base: Base | None = None) -> frozenset[str]:
    """The apps that what is known to be on the device keeps from launching. ``base``: the organisation's profile."""
    if device.enrolment is not Enrolment.supervised:
        return frozenset()  # a block list installs there and does nothing
    _, how = split(group.scope)
    if how is Channel.declarations:
        live = _live(device)
        return frozenset(
            entry.app
            for edition in _editions(group)
            for entry in edition.entries
            if _is_live(live, group.scope, entry, edition)
        )
    if how is not Channel.profile or device.profiles is None:
        return frozenset()
    found = {entry.app for edition in _editions(group) if has_profile(device, edition) for entry in edition.entries}
    if base is not None and _has_base(device, group, base):
        old_key = needs_old_key(device.os_version)
        found.update(base.listed(BLACKLISTED) if old_key else base.blocked)
    return frozenset(found)


def _carried(device: Device, group: Group) -> Edition | None:
    _, how = split(group.scope)
    fits = _declared if how is Channel.declarations else _installed
    return next((edition for edition in (group.now, *group.before) if fits(device, group, edition)), None)


def _installed(device: Device, group: Group, edition: Edition) -> bool:
    """Whether the device's profiles are those of an edition; where it has none of ours, that none of ours is there."""
    if device.profiles is None or not edition.version:
        return False
    if edition.uuid:
        return has_profile(device, edition)
    return not any(has_profile(device, other) for other in _editions(group))


def has_profile(device: Device, edition: Edition) -> bool:
    """Whether the profile of an edition is on the device's list."""
    seen = () if device.profiles is None or not edition.uuid else device.profiles.profiles
    return any(one.uuid.upper() == edition.uuid.upper() and edition.identifier in ("", one.identifier) for one in seen)


def _declared(device: Device, group: Group, edition: Edition) -> bool:
    """Whether every ban of an edition is in force on the device, and no ban of ours beyond it."""
    if _report(device) is None or not edition.version:
        return False
    live = _live(device)
    own = {_identifier(group.scope, entry.ban) for entry in edition.entries}
    others = {_identifier(group.scope, entry.ban) for each in _editions(group) for entry in each.entries} - own
    return not others & set(live) and all(_is_live(live, group.scope, entry, edition) for entry in edition.entries)


def _live(device: Device) -> dict[str, str]:
    """The declarations in force on a device, with their server tokens."""
    report = _report(device)
    seen = () if report is None else report.items
    return {one.identifier: one.server_token for one in seen if one.active and one.valid == "valid"}


def _report(device: Device) -> Declarations | None:
    """What it reported since it enrolled. KMFDDM is not told of enrolments: of a device that was erased and enrolled
    anew it goes on showing what was in force before."""
    told, enrolled = device.declarations, device.enrolled_at
    return None if told is None or (enrolled is not None and told.received_at < enrolled) else told


def _is_live(live: Mapping[str, str], scope: str, entry: Entry, edition: Edition) -> bool:
    name = _identifier(scope, entry.ban)
    token = edition.tokens.get(name, "")
    return bool(token) and live.get(name) == token


def _editions(group: Group) -> tuple[Edition, ...]:
    """Every edition that a device may carry, the offered one included: some of it may have arrived."""
    offered = () if group.offered is None else (group.offered,)
    return (group.now, *offered, *group.before)


def _has_base(device: Device, group: Group, base: Base) -> bool:
    """Whether the organisation's profile, as it is now, is on the device: by itself, or merged with our entries."""
    seen = () if device.profiles is None else device.profiles.profiles
    uuids = {base.uuid.upper()}
    uuids.update(edition.uuid.upper() for edition in _editions(group) if edition.base == base.digest)
    return any(one.identifier == base.identifier and one.uuid.upper() in uuids for one in seen)


# What is said of a device -----------------------------------------------------------------------------------------


def held(device: Device, app: SeenApp) -> Held:
    """Who put an app there. The app list does not say; ``ManagedApplicationList`` does, once it was asked.

    What nobody reported as managed counts as the user's own: taking such an app off works for a managed one too.
    """
    if app.held is not Held.unknown:
        return app.held
    personal = device.kind.is_device and device.enrolment is Enrolment.user_enrolment
    if personal or app.declared or (device.apps is not None and device.apps.managed_only):
        return Held.managed
    newest = max(_told(device, app.id), key=lambda one: one.received_at, default=None)
    return Held.managed if newest is not None and newest.status == "Managed" else Held.unmanaged


def is_unknown(device: Device, app: SeenApp) -> bool:
    """Whether the device is still to be asked who put an app there that is on its list."""
    ended = _ended(device, app.id)
    if device.apps is None or (ended is not None and device.apps.asked_at <= ended):
        return False  # it is gone, as far as known
    personal = device.enrolment is Enrolment.user_enrolment or device.apps.managed_only
    return app.held is Held.unknown and not app.declared and not personal and not _told(device, app.id)


def _told(device: Device, app: str) -> list[ManagedApp]:
    """What the device said of an app's management since its last removal ended."""
    ended = _ended(device, app)
    return [one for one in device.managed if one.id == app and (ended is None or one.asked_at > ended)]


def _ended(device: Device, app: str) -> datetime | None:
    """When the last removal of an app ended: what was managed before may be the user's own since."""
    over = (one.since for one in device.removals if one.app == app and one.stage in (Stage.removed, Stage.failed))
    return max(over, default=None)


def remarks(device: Device, view: View, commands: Iterable[Command] = ()) -> tuple[str, ...]:
    """``DeviceRecord.remarks``. ``commands``: its open ones, and failed deliveries of its group's current edition."""
    own = [one for one in commands if one.generation == device.generation]
    refused = (one.app for one in device.removals if one.stage is Stage.refused and _still(device, one))
    return (
        *_of_the_list(device, view.watch),
        *(f"refused-by-user:{app}" for app in refused),
        *([] if device.locked_since is None else [f"locked:{device.locked_since.isoformat()}"]),
        *_pending(device, own),
        *_failures(device, view, own),
        *(f"contained:{app}" for app in sorted(_listed(device) & blocked_here(device, view))),
    )


def blocked_here(device: Device, view: View) -> frozenset[str]:
    """The apps kept from launching on a device, by whichever channel: just upgraded, it has the block of the other."""
    group, _ = split(scope_id(device, view.roster, view.config))
    base = view.bases.get(group)
    found = (blocked_on(device, wanted(f"{group}/{one}", view.groups), base) for one in Channel)
    return frozenset().union(*found)


def _of_the_list(device: Device, watch: Watch) -> Iterator[str]:
    if device.apps is None:
        yield NO_APP_REPORTS
        return
    too_narrow = device.apps.managed_only and device.enrolment is not Enrolment.user_enrolment
    if too_narrow or not watch.ios <= frozenset(device.apps.named):
        yield NARROWER_WATCH


def _pending(device: Device, commands: Collection[Command]) -> list[str]:
    """What was sent and is not answered, is between two steps, or waits for the user, and removals that no list has
    been asked for since. A question changes nothing and is left out.
    """
    kinds = {
        one.request_type for one in commands if one.purpose is not Purpose.ask and one.state is not CommandState.failed
    }
    prompted = {one.id for one in device.managed if one.status == "PromptingForManagement"}
    for one in device.removals:
        if one.stage in _UNDER_WAY and one.app in prompted:
            kinds.add("PromptingForManagement")
        elif _unsettled(device, one):
            kinds.add("RemoveApplication")
    return [f"pending:{kind}" for kind in sorted(kinds)]


def _unsettled(device: Device, removal: Removal) -> bool:
    """Whether the app is on a list that is older than what has come of its removal, or will be soon."""
    if removal.stage in _UNDER_WAY:
        return _still(device, removal)
    return removal.stage is Stage.removed and device.apps is not None and device.apps.asked_at <= removal.since


def _failures(device: Device, view: View, commands: Collection[Command]) -> list[str]:
    """What the device answered with an error, and that still matters: an app that is gone by now failed nobody.

    A removal that ended without an answer of the device (it enrolled anew) has no ``not_before``.
    """
    found = [
        f"noncompliant:{_word(one.error)}:{one.app}"
        for one in device.removals
        if one.stage is Stage.failed and one.not_before is not None and _still(device, one)
    ]
    refused = [one for one in commands if one.state is CommandState.failed]
    if refused:
        group = wanted(scope_id(device, view.roster, view.config), view.groups)
        current = f"{group.scope}@{group.now.version}"
        for one in refused:
            if one.key == current and not applied_now(device, group):
                found += [f"refused-by-device:{_word(one.error)}:{entry.app}" for entry in group.now.entries]
    return sorted(set(found))


def _word(error: str) -> str:
    """An error as one part of a remark, in which colons separate."""
    return " ".join(error.replace(":", " ").split()) or "error"


def applied_now(device: Device, group: Group) -> bool:
    """Whether the device carries the current edition of its group."""
    return applied_version(device, group) == group.now.version


def _listed(device: Device) -> frozenset[str]:
    return frozenset() if device.apps is None else frozenset(one.id for one in device.apps.apps)


def _still(device: Device, removal: Removal) -> bool:
    """Whether the app of a removal is there as far as known: on the list, or not asked for since."""
    if device.apps is None or device.apps.asked_at <= removal.since:
        return True
    return removal.app in _listed(device)


# Scopes -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What the devices of a group scope add to it."""

    devices: int = 0
    foreign: int = 0  # devices with a Restrictions payload that is neither ours nor the base
    seen: set[str] = field(default_factory=set)  # ids of watched apps on their lists
    old: int = 0  # devices that know the block list by its old name only

    def take(self, device: Device, view: View, scope: str) -> None:
        """Count a device of the scope."""
        self.devices += 1
        self.foreign += _has_foreign(device, view, scope)
        self.seen |= _listed(device)
        self.old += needs_old_key(device.os_version)


def _has_foreign(device: Device, view: View, scope: str) -> bool:
    if device.profiles is None:
        return False
    group, _ = split(scope)
    base = view.bases.get(group)
    mine = view.uuids.get(group, frozenset())
    return any(
        seen.restricts
        and seen.uuid.upper() not in mine
        and not seen.identifier.startswith(_OURS)  # an edition of ours that is older than any that is remembered
        and (base is None or seen.identifier != base.identifier)
        for seen in device.profiles.profiles
    )


def group_scope(scope: str, view: View, tally: Tally | None = None) -> Scope:
    """A group scope as it is now. ``tally``: what its devices add to it; without, what its devices say is left out."""
    group, how = split(scope)
    want = wanted(scope, view.groups)
    base = view.bases.get(group) if how is Channel.profile else None
    counted = tally or Tally()
    settings = {
        "channel": how.value,
        "ours": sorted({entry.app for entry in want.now.entries}),
        "base": None if base is None else _of_base(base, view.watch, old=counted.old > 0),
        "seen": sorted(counted.seen),
        "foreign": counted.foreign,
    }
    return Scope(SYSTEM, scope, want.now.version, counted.devices, _text(settings))


def _of_base(base: Base, watch: Watch, *, old: bool) -> dict[str, Any]:
    """Of the organisation's profile only what concerns watched apps, in whatever case they are written.

    ``old``: some devices know the block list by its old name only; what stands under the new one is not blocked there.
    """
    blocked = base.listed(BLACKLISTED) if old else base.blocked
    watched = {app.casefold() for app in watch.ios}
    return {
        "name": base.path.name,
        "blocked": sorted(app for app in blocked if app.casefold() in watched),
        "allowed": None if base.allowed is None else sorted(app for app in base.allowed if app.casefold() in watched),
    }


def device_scope(device: Device, view: View) -> Scope | None:
    """The scope that a device is by itself; None where it needs none: no watched app listed, no removal recorded."""
    listed = {one.id: one for one in (device.apps.apps if device.apps is not None else ())}
    removals = {one.app: one for one in device.removals}
    if not listed and not removals:
        return None
    want = wanted(scope_id(device, view.roster, view.config), view.groups)
    applied = blocked_here(device, view)
    ordered = {entry.app for edition in (want.now, want.offered) if edition is not None for entry in edition.entries}
    apps: dict[str, Any] = {}
    for app in sorted({*listed, *removals}):
        block = "applied" if app in applied else "ordered" if app in ordered else "none"
        apps[app] = {"block": block, **_of_app(device, listed.get(app), removals.get(app), view.now)}
    limit = timedelta(hours=view.config.fresh_hours)
    settings = {
        "os": device.os_version,
        "supervised": device.enrolment is Enrolment.supervised,
        "fresh": device.apps is not None and view.now - device.apps.asked_at <= limit,
        "apps": apps,
    }
    return Scope(SYSTEM, device_key(device.id), device_version(device, view.now), 1, _text(settings))


def _of_app(device: Device, seen: SeenApp | None, removal: Removal | None, now: datetime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if seen is not None:
        found["held"] = held(device, seen).value
        found.update({name: True for name in ("declared", "clip") if getattr(seen, name)})
    if removal is not None:
        found.update(stage=removal.stage.value, holds=holds(device, removal, now))
    return found


def holds(device: Device, removal: Removal, now: datetime) -> bool:
    """Whether a removal needs no new order: under way, done and the app not seen since, or it has to wait."""
    if removal.stage in _UNDER_WAY or removal.app not in _listed(device):
        return True
    if removal.stage is Stage.removed:
        rests = now - removal.since < min(_REST * 2 ** min(removal.attempt - 2, 10), _LONGEST_REST)
        return device.apps is None or device.apps.asked_at <= removal.since or (removal.attempt > 1 and rests)
    return removal.not_before is not None and now < removal.not_before


def device_version(device: Device, now: datetime) -> int:
    """The version of a device's own scope: it grows with every enrolment and every removal begun, and once more where a
    removal no longer holds (the app is back, or a failed one may be tried again), so that this is seen as a change."""
    begun = sum(one.attempt for one in device.removals)
    undone = sum(not holds(device, one, now) for one in device.removals)
    return 1 + _GENERATION * (device.generation - 1) + 2 * begun + undone


def _text(settings: Mapping[str, Any]) -> str:
    return canonical_bytes(settings).decode()
