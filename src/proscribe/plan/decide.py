"""What can be done about a class of devices: set logic over capability rows, and nothing else (DESIGN rule 3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from proscribe.evaluate.model import DeviceStatus
from proscribe.plan.capability import EVERY_SYSTEM, PARTS, parts
from proscribe.plan.labels import class_label
from proscribe.plan.model import Capability, Effect, Reach, RefusalReason, Verb
from proscribe.plan.versions import in_range, parse_version
from proscribe.plan.wanted import KEEP_OUT, Wanted
from proscribe.terms import Enrolment, Platform, Side
from proscribe.text import Text

Atom = tuple[str, str]
"""One thing wanted of one part of an app list: ("remove" or "keep_out", part)."""


@dataclass(frozen=True, slots=True)
class DeviceClass:
    """Devices about which the rows say the same."""

    system: str
    platform: Platform
    enrolment: Enrolment
    os_version: str

    @classmethod
    def of(cls, status: DeviceStatus) -> DeviceClass:
        """The class of a device."""
        return cls(status.system, status.platform, status.enrolment, status.os_version)


@dataclass(frozen=True, slots=True)
class Use:
    """One method on one side of a class, with the rows that allow it."""

    method: str
    side: Side
    reach: Reach
    rows: tuple[Capability, ...]

    @property
    def verbs(self) -> frozenset[Verb]:
        """All that the method does, asked for or not."""
        return frozenset(row.verb for row in self.rows)

    def removes(self, part: str) -> bool:
        """Whether a row lets it remove an app of that part."""
        return any(row.verb is Verb.remove and part in parts(row.applies_to) for row in self.rows)


@dataclass(frozen=True, slots=True)
class Denial:
    """Something wanted of a class that is not to be had. ``holders_only``: it concerns devices with the app alone."""

    reason: RefusalReason
    side: Side
    what: Text
    remedy: Text
    holders_only: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What will be used on a class, and what is denied.

    ``instead``: what keeps apps out and removes none, for where a records hold forbids a use that does both at once.
    """

    uses: tuple[Use, ...]
    denials: tuple[Denial, ...]
    instead: tuple[Use, ...] = ()

    def remover(self, side: Side, part: str) -> Use | None:
        """The use that takes an app off that side, if there is one. An app of unknown side may be on any."""
        for use in self.uses:
            if (use.side is side or Side.unknown in (side, use.side) or Side.whole in (side, use.side)) and all(
                use.removes(one) for one in (PARTS if part == "unknown" else (part,))
            ):
                return use
        return None


def decide(device: DeviceClass, wanted: Wanted, rows: Sequence[Capability], *, configured: bool) -> Decision:
    """Choose the methods for a class of devices. ``rows`` are all rows known; ``configured``: its system is driven."""
    of_class = [row for row in rows if (row.platform, row.enrolment) == (device.platform, device.enrolment)]
    sides = sorted({row.side for row in of_class if row.system == EVERY_SYSTEM}, key=list(Side).index)
    if not sides:
        return Decision((), (_unknown_class(device),))
    chosen: list[Use] = []
    instead: list[Use] = []
    denials: list[Denial] = []
    for side in sides:
        here = _SideRows(
            device,
            side,
            ceiling=[row for row in of_class if row.side is side and row.system == EVERY_SYSTEM],
            own=[row for row in of_class if row.side is side and row.system == device.system],
        )
        uses = _choose(here, wanted)
        chosen.extend(uses)
        instead.extend(_instead(here, uses, wanted))
        denials.extend(_denied(here, uses, wanted))
    if configured:
        return Decision(tuple(chosen), tuple(denials), tuple(instead))
    if chosen:
        denials.insert(0, _no_connector(device, chosen))
    return Decision((), tuple(denials))


@dataclass(frozen=True, slots=True)
class _SideRows:
    """The rows that concern one side of a class: the platform's, and those of the system that manages it."""

    device: DeviceClass
    side: Side
    ceiling: Sequence[Capability]
    own: Sequence[Capability]

    def usable(self, row: Capability) -> bool:
        """Whether the row promises something on this version. An unknown version fits no bounded row."""
        return row.effect in (Effect.full, Effect.blind) and self._fits(row) is True

    def promised(self, verbs: frozenset[Verb]) -> bool:
        """Whether the platform promises any of ``verbs``."""
        return any(row.verb in verbs and self.usable(row) for row in self.ceiling)

    def against(self, rows: Sequence[Capability], verbs: frozenset[Verb], part: str | None = None) -> Capability | None:
        """The row that says why none of ``verbs`` is to be had, if there is one."""
        for row in rows:
            nothing = row.effect in (Effect.impossible, Effect.report_only)
            if nothing and row.verb in verbs and self._fits(row) and (part is None or part in parts(row.applies_to)):
                return row
        return None

    def version_missing(self, verbs: frozenset[Verb]) -> bool:
        """Whether only the unknown version keeps a row from being used."""
        return any(
            row.verb in verbs and row.effect in (Effect.full, Effect.blind) and self._fits(row) is None
            for row in (*self.own, *self.ceiling)
        )

    def _fits(self, row: Capability) -> bool | None:
        return in_range(self.device.os_version, row.os_min, row.os_max)


def _choose(here: _SideRows, wanted: Wanted) -> list[Use]:
    """The fewest methods that serve all that can be served; rather those whose effect is seen, rather those that do
    nothing unasked, rather the newest."""
    methods: dict[str, list[Capability]] = {}
    for row in here.own:
        if row.verb is not Verb.observe and here.usable(row):
            methods.setdefault(row.method, []).append(row)
    still = {atom for rows in methods.values() for atom in _atoms(rows, wanted)}
    chosen: list[Use] = []
    while still:
        best = max(
            sorted(methods),
            key=lambda name: (
                len(still & _atoms(methods[name], wanted)),
                all(row.effect is Effect.full for row in methods[name]),
                -len({row.verb for row in methods[name]} - wanted.verbs),
                max(parse_version(row.os_min) or () for row in methods[name]),
            ),
        )
        rows = methods.pop(best)
        still -= _atoms(rows, wanted)
        chosen.append(Use(best, here.side, rows[0].reach, tuple(rows)))
    return chosen


def _instead(here: _SideRows, uses: Sequence[Use], wanted: Wanted) -> list[Use]:
    """What blocks without removing, where what was chosen cannot do the one without the other."""
    if not any(Verb.remove in use.verbs and KEEP_OUT & use.verbs for use in uses):
        return []
    removing = {row.method for row in here.own if row.verb is Verb.remove}
    harmless = [row for row in here.own if row.method not in removing]
    return _choose(replace(here, own=harmless), replace(wanted, removal=False))


def _atoms(rows: Iterable[Capability], wanted: Wanted) -> set[Atom]:
    return {
        ("remove" if row.verb is Verb.remove else "keep_out", part)
        for row in rows
        if row.verb in wanted.verbs
        for part in parts(row.applies_to)
    }


def _denied(here: _SideRows, uses: Sequence[Use], wanted: Wanted) -> list[Denial]:
    """What this side of the class is denied: the platform's reasons come before the system's."""
    needs = [need for need in (_REMOVE, KEEP_OUT) if need & wanted.verbs]
    found: list[Denial] = []
    hidden = here.against(here.ceiling, _OBSERVE, part="unmanaged")
    if hidden is not None and here.against(here.ceiling, _REMOVE, part="unmanaged") is not None:
        found.append(_invisible(here, hidden))
        if not any(here.promised(need) for need in needs):
            return found
    served = {verb for use in uses for verb in use.verbs}
    found.extend(_impossible(here, need) for need in needs if not served & need)
    return found


def _impossible(here: _SideRows, need: frozenset[Verb]) -> Denial:
    promised = here.promised(need)
    row = here.against(here.own if promised else here.ceiling, need)
    what = _CANNOT_REMOVE if need == _REMOVE else _CANNOT_KEEP_OUT
    remedy = _OUTSIDE
    if row is not None:
        why = row.limits
    elif here.version_missing(need):
        why, remedy = _NO_VERSION, _GIVE_VERSION
    elif promised:
        why = Text(
            f"No documented means of {here.device.system} does it, although the platform would allow it.",
            f"Aucun moyen documenté de {here.device.system} ne le permet, bien que la plateforme l'autorise.",
        )
    else:
        why = _NO_ROW
    unseen = here.against(here.ceiling, _OBSERVE, part="unmanaged") is not None
    holders_only = need == _REMOVE and not unseen
    return Denial(RefusalReason.impossible, here.side, _on(here, what) + _SPACE + why, remedy, holders_only)


def _invisible(here: _SideRows, row: Capability) -> Denial:
    what = Text(
        "What is there cannot be seen, and a clean answer would be a guess.",
        "Ce qui s'y trouve est invisible, et tout constat d'absence serait une supposition.",
    )
    remedy = Text(
        "Notify the users, and rely on their undertaking and on conditional access.",
        "Avisez les utilisateurs et misez sur leur engagement et sur l'accès conditionnel.",
    )
    return Denial(RefusalReason.invisible, here.side, _on(here, what) + _SPACE + row.limits, remedy)


def _unknown_class(device: DeviceClass) -> Denial:
    if device.enrolment is Enrolment.unknown or device.platform is Platform.unknown:
        what = Text(
            "How the devices are managed is not known, so nothing can be promised.",
            "On ignore comment les appareils sont gérés; rien ne peut donc être promis.",
        )
        remedy = Text(
            "Import an export that names platform and enrolment (e.g. the managed-devices list), then plan again.",
            "Importez une exportation qui précise la plateforme et le mode d'inscription (p. ex. la liste des "
            "appareils gérés), puis planifiez de nouveau.",
        )
    else:
        what, remedy = _NO_ROW, _OUTSIDE
    return Denial(RefusalReason.impossible, Side.unknown, _named(device) + what, remedy)


def _no_connector(device: DeviceClass, uses: Sequence[Use]) -> Denial:
    what = _named(device) + Text(
        f"{device.system} could do it, but no connector for it is configured.",
        f"{device.system} pourrait le faire, mais aucun connecteur n'est configuré pour ce système.",
    )
    steps_en = " ".join(f"{use.method}: {_limits(use).en}" for use in uses)
    steps_fr = " ".join(f"{use.method} : {_limits(use).fr}" for use in uses)
    remedy = Text(
        f"Do it by hand in {device.system}, then import a new export to verify. {steps_en}",
        f"Faites-le à la main dans {device.system}, puis importez une nouvelle exportation pour vérifier. {steps_fr}",
    )
    return Denial(RefusalReason.no_connector, Side.unknown, what, remedy)


def _limits(use: Use) -> Text:
    return joined(row.limits for row in use.rows)


def joined(texts: Iterable[Text]) -> Text:
    """Texts one after the other, each once."""
    once = list(dict.fromkeys(texts))
    return Text(" ".join(text.en for text in once), " ".join(text.fr for text in once))


def _named(device: DeviceClass) -> Text:
    return class_label(device.platform, device.enrolment) + Text(": ", " : ")


def _on(here: _SideRows, what: Text) -> Text:
    return class_label(here.device.platform, here.device.enrolment, here.side) + Text(": ", " : ") + what


_OBSERVE = frozenset({Verb.observe})
_REMOVE = frozenset({Verb.remove})
_SPACE = Text(" ", " ")
_CANNOT_REMOVE = Text("The app cannot be removed.", "L'application ne peut pas être retirée.")
_CANNOT_KEEP_OUT = Text("The app cannot be kept out.", "Le retour de l'application ne peut pas être empêché.")
_NO_ROW = Text(
    "No sourced fact says that anything can be done on such devices.",
    "Aucun fait documenté n'indique qu'une intervention soit possible sur de tels appareils.",
)
_NO_VERSION = Text(
    "What is possible depends on the system version, which is not known.",
    "Les possibilités dépendent de la version du système, qui n'est pas connue.",
)
_GIVE_VERSION = Text(
    "Import an export that gives the system version, then plan again.",
    "Importez une exportation qui indique la version du système, puis planifiez de nouveau.",
)
_OUTSIDE = Text(
    "Tell the users, and cut off access to the organisation's services until the app is gone.",
    "Avisez les utilisateurs et coupez l'accès aux services de l'organisation tant que l'application demeure.",
)
