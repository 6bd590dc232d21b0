"""Reading the fleet from what is remembered: devices page by page, each with its own scope, and the groups at the end.

Nothing is asked of any server here: what devices said came in by webhook, and ``follow_up`` asks them. The cursor holds
the last enrolment id and what the devices before it add to their scopes, so a scan that was cut off resumes with the
right counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import msgspec

from proscribe.canonical import canonical_bytes, digest_bytes
from proscribe.catalogue.model import AppIdentity
from proscribe.clock import Clock
from proscribe.connectors.base import Batch, Rejected
from proscribe.connectors.memory import Watch
from proscribe.connectors.nanomdm.base_profile import PROFILE, Base, profile_files, read_base
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.model import Command, CommandState, Device, Purpose
from proscribe.connectors.nanomdm.notices import notices, unused
from proscribe.connectors.nanomdm.records import Records
from proscribe.connectors.nanomdm.roster import Roster
from proscribe.connectors.nanomdm.scopes import (
    SYSTEM,
    Tally,
    View,
    device_key,
    device_scope,
    group_scope,
    held,
    listed_under,
    remarks,
    scope_id,
    wanted,
)
from proscribe.errors import ProscribeError
from proscribe.inventory.model import DeviceRecord, Freshness, InstallRecord, Problem, Scope
from proscribe.terms import Platform, Side
from proscribe.text import Text, plural

PAGE = 500
"""Devices a page."""


@dataclass(frozen=True, slots=True)
class _Saved:
    """A cursor as it is written down."""

    after: str
    left: int
    tallies: dict[str, tuple[int, int, list[str], int]]


@dataclass(slots=True)
class _Cursor:
    """Where a scan is, and what it met so far."""

    after: str = ""
    left: int = 0  # devices that checked out
    tallies: dict[str, Tally] = field(default_factory=dict)

    def text(self) -> str:
        tallies = {scope: (one.devices, one.foreign, sorted(one.seen), one.old) for scope, one in self.tallies.items()}
        return canonical_bytes(msgspec.to_builtins(_Saved(self.after, self.left, tallies))).decode()

    @classmethod
    def read(cls, text: str) -> _Cursor:
        if not text:
            return cls()
        try:
            saved = msgspec.json.decode(text, type=_Saved)
        except msgspec.DecodeError:
            raise Rejected(
                Text("not a cursor of this connector", "ce n'est pas un curseur de ce connecteur"),
                remedy=Text("Observe again from the start.", "Reprenez l'observation depuis le début."),
            ) from None
        tallies = {
            scope: Tally(devices, foreign, set(seen), old)
            for scope, (devices, foreign, seen, old) in saved.tallies.items()
        }
        return cls(saved.after, saved.left, tallies)


def observe(
    config: NanomdmConfig, records: Records, roster: Roster, watch: Watch, clock: Clock, cursor: str = ""
) -> Iterator[Batch]:
    """Every device that is enrolled, from ``cursor`` on. Raises Rejected for a cursor that is not ours."""
    position = _Cursor.read(cursor)
    bases, problems = read_bases(config)
    view = View(config, roster, watch, clock.now(), records.groups(), bases)
    commands = _commands(records)
    unseen = set(roster.rows) - (_rows(records, roster, position.after) if cursor else set())
    while True:
        page = list(islice(records.devices(after=position.after, limit=PAGE), PAGE))
        unseen -= {roster.place(device).row for device in page}
        last = len(page) < PAGE
        if page:
            position.after = page[-1].id
        found = _Page(view, position, commands)
        found.take(page)
        if last:
            found.scopes += _groups(view, position.tallies)
            problems = [
                *problems,
                *roster.problems,
                *_said(records, view, position.left, len(unseen), known=bool(position.after)),
            ]
        yield found.batch(page, roster, problems if last else (), last=last)
        if last:
            return


def read_bases(config: NanomdmConfig) -> tuple[dict[str, Base], list[Problem]]:
    """The organisation's own profiles by group, and what is wrong with those that cannot be used."""
    bases: dict[str, Base] = {}
    problems: list[Problem] = []
    for path in profile_files(config):
        try:
            base = read_base(path)
        except ProscribeError as error:
            problems.append(Problem(path.name, 0, error.where.field, error.what, error.remedy))
            continue
        if base is not None:
            bases[path.name.removesuffix(PROFILE)] = base
    return bases, problems


def _commands(records: Records) -> dict[str, list[Command]]:
    """By device, the commands that bear on what is said of it: open ones, and deliveries that failed."""
    found = records.open_commands()
    for command in records.commands(states=(CommandState.failed,)):
        if command.purpose is Purpose.deliver:
            found.setdefault(command.device, []).append(command)
    return found


def _rows(records: Records, roster: Roster, until: str) -> set[int]:
    """The roster's rows whose devices a resumed scan has behind it."""
    found = set()
    for device in records.devices():
        found.add(roster.place(device).row)
        if device.id == until:
            break
    return found


class _Page:
    """What one page of devices comes to."""

    def __init__(self, view: View, position: _Cursor, commands: Mapping[str, list[Command]]) -> None:
        self._view, self._position, self._commands = view, position, commands
        self.devices: list[DeviceRecord] = []
        self.installs: list[InstallRecord] = []
        self.scopes: list[Scope] = []

    def take(self, page: Iterable[Device]) -> None:
        """Describe the devices that are still enrolled. Users on a device are no devices."""
        for device in page:
            if not device.kind.is_device:
                continue
            if device.left_at is not None:
                self._position.left += 1
                continue
            scope = scope_id(device, self._view.roster, self._view.config)
            self._position.tallies.setdefault(scope, Tally()).take(device, self._view, scope)
            self.devices.append(_record(device, scope, self._view, self._commands.get(device.id, ())))
            self.installs += _installs(device)
            own = device_scope(device, self._view)
            if own is not None:
                self.scopes.append(own)

    def batch(self, page: list[Device], roster: Roster, problems: Iterable[Problem], *, last: bool) -> Batch:
        """The page as the inventory takes it. ``raw``: of the records as they stand, for there is no answer to keep."""
        raw = msgspec.json.encode(page, order="sorted")
        return Batch(
            devices=tuple(self.devices),
            installs=tuple(self.installs),
            scopes=tuple(self.scopes),
            cursor="" if last else self._position.text(),
            raw=digest_bytes(raw),
            raw_bytes=len(raw),
            unknown_fields=roster.unknown if last else (),
            problems=tuple(problems),
        )


def _record(device: Device, scope: str, view: View, commands: Iterable[Command]) -> DeviceRecord:
    place = view.roster.place(device)
    return DeviceRecord(
        key=device_key(device.id),
        system=SYSTEM,
        platform=device.platform,
        enrolment=device.enrolment,
        os_version=device.os_version,
        name=place.name or device.name,
        serial=device.serial,
        department=place.department,
        scope=scope,
        observed_at=None if device.apps is None else device.apps.asked_at,
        freshness=Freshness.imported if device.apps is None else Freshness.observed,
        applied_scope=scope,
        applied_version=listed_under(device, wanted(scope, view.groups)),
        remarks=remarks(device, view, commands),
    )


def _installs(device: Device) -> Iterator[InstallRecord]:
    platform = Platform.macos if device.platform is Platform.macos else Platform.ios
    for app in device.apps.apps if device.apps is not None else ():
        yield InstallRecord(
            device=device_key(device.id),
            app=AppIdentity(platform, app_id=app.id),
            side=Side.whole,
            held=held(device, app),
            version=app.version,
        )


def _groups(view: View, tallies: Mapping[str, Tally]) -> list[Scope]:
    """Every group scope that has devices, or that something was asked of."""
    return [group_scope(scope, view, tallies.get(scope, Tally())) for scope in sorted({*tallies, *view.groups})]


# What a person should know ----------------------------------------------------------------------------------------


def _said(records: Records, view: View, left: int, unseen: int, *, known: bool) -> Iterator[Problem]:
    yield from notices(records, view.config, view.now, known=known)
    yield from unused(view.bases, view.roster, view.config)
    if unseen:
        yield Problem(view.roster.file, 0, "", *_never_seen(unseen))
    if left:
        yield Problem("devices", 0, "left_at", *_left(left))
    if view.watch.unnamed:
        yield Problem("watch", 0, "", *_unnamed())
    for gap in records.gaps():
        if gap.healed_at is None:
            yield Problem("events", 0, "", *_gap(f"{gap.began:%Y-%m-%d %H:%M}", f"{gap.ended:%Y-%m-%d %H:%M}"))


def _never_seen(count: int) -> tuple[Text, Text]:
    return plural(
        count,
        Text("device of the roster was never seen", "appareil du fichier des appareils n'a jamais été vu"),
        Text("devices of the roster were never seen", "appareils du fichier des appareils n'ont jamais été vus"),
    ), Text(
        "Enrol those that are in use in NanoMDM, and take the others out of the roster. Until then nothing can be said "
        "of them.",
        "Inscrivez dans NanoMDM ceux qui servent encore et retirez les autres du fichier. D'ici là, rien ne peut en "
        "être dit.",
    )


def _left(count: int) -> tuple[Text, Text]:
    return plural(
        count,
        Text("device left management and is not counted", "appareil a quitté la gestion et n'est pas compté"),
        Text("devices left management and are not counted", "appareils ont quitté la gestion et ne sont pas comptés"),
    ), Text("Where it is still in use, enrol it again.", "Si l'appareil sert encore, inscrivez-le de nouveau.")


def _unnamed() -> tuple[Text, Text]:
    return Text(
        "devices are asked for named identifiers only: patterns, signers and names are not looked for",
        "les appareils ne sont interrogés que sur des identifiants précis; les identifiants à caractères génériques, "
        "les signataires et les noms ne sont pas recherchés",
    ), Text(
        "Add the exact identifiers to the catalogue.",
        "Ajoutez les identifiants exacts au catalogue.",
    )


def _gap(began: str, ended: str) -> tuple[Text, Text]:
    return Text(
        f"messages that devices sent between {began} and {ended} UTC may have been lost",
        f"des messages envoyés par des appareils entre {began} et {ended} UTC ont pu se perdre",
    ), Text(
        "Nothing to do: every device is asked again.",
        "Rien à faire\N{NO-BREAK SPACE}: chaque appareil est interrogé de nouveau.",
    )
