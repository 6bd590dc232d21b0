"""What it takes to grant an exemption, beyond the rules that hold for every day of it (``exemptions``).

Who may approve, the safeguards that the directive asks for, and renewals: whoever had an exemption gets another one
only as a renewal, so that a chain of years shows as one and cannot be broken by a day in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from proscribe.clock import utc
from proscribe.directive.model import Directive
from proscribe.errors import Where
from proscribe.plan.exemptions import InvalidExemption, problems
from proscribe.plan.model import Exemption
from proscribe.text import Text, days

RENEWAL_DAYS = 90
"""A renewal is granted at most so long before the last day of what it renews: years ahead are no year at most."""

_SOMEBODY = "(approver)"


@dataclass(frozen=True)
class Known:
    """An exemption on file, with the moment somebody ended it."""

    exemption: Exemption
    ended: datetime | None = None

    @property
    def last(self) -> date:
        """Its last day in force."""
        if self.ended is None:
            return self.exemption.expires
        return min(self.exemption.expires, utc(self.ended).date())


def granting_problems(
    exemption: Exemption,
    directive: Directive,
    known: Sequence[Known],
    *,
    offices: Iterable[str],
    now: datetime,
    entities: Iterable[frozenset[str]] = (),
) -> list[InvalidExemption]:
    """Everything that keeps the exemption from being granted now; empty when it is in order.

    ``known``: all exemptions on file. ``offices``: the roles that hold the directive's approving office here.
    ``entities``: the devices of the fleet and of each department.
    """
    desk = _Desk(exemption)
    desk.approver(directive, offices)
    desk.safeguards(directive)
    same = [one for one in known if one.exemption.directive == directive.id]
    desk.renewal(same, utc(now).date())
    desk.no_entity(same, entities, utc(now).date())
    return [*problems(exemption, directive), *desk.found]


def request_problems(exemption: Exemption, directive: Directive) -> list[InvalidExemption]:
    """What is wrong with an exemption that is only asked for: nobody has approved it yet."""
    if exemption.approved_by:
        wrong = Text("a request is approved by nobody yet", "une demande n'est encore approuvée par personne")
        remedy = Text("Leave the approver out.", "Omettez l'approbateur.")
        return [InvalidExemption(wrong, remedy=remedy, where=Where(file=exemption.id, field="approved_by"))]
    return problems(replace(exemption, approved_by=_SOMEBODY), directive)


def chain(exemption: Exemption, known: Iterable[Exemption]) -> tuple[Exemption, ...]:
    """What the exemption goes on from, the first one first, itself last."""
    by_id = {one.id: one for one in known}
    found = [exemption]
    while (before := by_id.get(found[-1].renews)) is not None and before not in found:
        found.append(before)
    return tuple(reversed(found))


class _Desk:
    """Collects what is wrong with one exemption."""

    def __init__(self, exemption: Exemption) -> None:
        self._exemption = exemption
        self.found: list[InvalidExemption] = []

    def _fault(self, field: str, what: Text, remedy: Text) -> None:
        where = Where(file=self._exemption.id, field=field)
        self.found.append(InvalidExemption(what, remedy=remedy, where=where))

    def approver(self, directive: Directive, offices: Iterable[str]) -> None:
        """Where the directive says that its approver may not delegate, nobody else approves."""
        rules = directive.exceptions
        if rules.delegable is not False:
            return
        given = self._exemption
        if given.delegated_by:
            self._fault(
                "delegated_by",
                Text(
                    f"{directive.id} does not let its approver delegate",
                    f"{directive.id} ne permet pas à son approbateur de déléguer",
                ),
                Text("Have the approver decide in person.", "Faites décider l'approbateur lui-même."),
            )
        if rules.approver is None:
            return
        may = {rules.approver.en.casefold(), rules.approver.fr.casefold(), *(one.casefold() for one in offices)}
        if given.approved_by.strip().casefold() not in may:
            self._fault(
                "approved_by",
                Text(
                    f"{given.approved_by!r} is not the approver of {directive.id}, who may not delegate: "
                    f"{rules.approver.en}",
                    f"« {given.approved_by} » n'est pas l'approbateur de {directive.id}, qui ne peut déléguer : "
                    f"{rules.approver.fr}",
                ),
                Text(
                    "Have that office approve it; [exemptions.approvers] in proscribe.toml says which role here is it.",
                    "Faites-la approuver par ce titulaire; [exemptions.approvers] dans proscribe.toml indique quel "
                    "rôle lui correspond ici.",
                ),
            )

    def safeguards(self, directive: Directive) -> None:
        """Every safeguard that the directive asks for is stated and shown."""
        stated = {one.strip().casefold() for one in self._exemption.mitigations}
        shown = {one.mitigation.strip().casefold() for one in self._exemption.proofs}
        for asked in directive.exceptions.mitigations:
            words = {asked.en.strip().casefold(), asked.fr.strip().casefold()}
            if not words & stated:
                self._fault(
                    "mitigations",
                    Text(f"{directive.id} asks for: {asked.en}", f"{directive.id} exige : {asked.fr}"),
                    Text(
                        "State it word for word with --mitigation, and show it with --proof.",
                        "Énoncez-la mot pour mot avec --mitigation, et prouvez-la avec --proof.",
                    ),
                )
            elif not words & shown:
                self._fault(
                    "proofs",
                    Text(
                        f"nothing shows that it is in place: {asked.en}",
                        f"rien n'en montre la mise en place : {asked.fr}",
                    ),
                    Text(
                        "Give the file that shows it with --proof.", "Fournissez avec --proof le fichier qui la montre."
                    ),
                )
        for one in self._exemption.proofs:
            if one.mitigation.strip().casefold() not in stated:
                self._fault(
                    "proofs",
                    Text(
                        f"it proves {one.mitigation!r}, which is not among the mitigations",
                        f"elle prouve « {one.mitigation} », qui ne figure pas parmi les mesures d'atténuation",
                    ),
                    Text("State that mitigation too.", "Énoncez aussi cette mesure."),
                )

    def no_entity(self, known: Sequence[Known], entities: Iterable[frozenset[str]], today: date) -> None:
        """No entity is exempt as a whole, be it by naming each of its devices, at once or one after the other."""
        own = set(self._exemption.devices)
        exempt = {device for one in known if one.last >= today for device in one.exemption.devices} | own
        for devices in entities:
            if len(devices) > 1 and devices <= exempt and devices & own:
                self._fault(
                    "devices",
                    Text(
                        f"every one of the {len(devices)} devices of an entity would be exempt",
                        f"les {len(devices)} appareils d'une même organisation seraient tous exemptés",
                    ),
                    Text(
                        "Leave out those that can do without; what a directive is not about, it says itself.",
                        "Omettez ceux qui peuvent s'en passer; ce qu'une directive ne vise pas, elle le dit elle-même.",
                    ),
                )
                return

    def renewal(self, known: Sequence[Known], today: date) -> None:
        """Devices that had an exemption get another one as its renewal alone, near its end and not beside it."""
        own = self._exemption
        others = {one.exemption.id: one for one in known if one.exemption.id != own.id}
        line = {one.id for one in chain(own, (one.exemption for one in others.values()))}
        if own.renews:
            before = others.get(own.renews)
            if before is None:
                self._fault(
                    "renews",
                    Text(
                        f"there is no exemption {own.renews!r} under {own.directive}",
                        f"il n'y a pas d'exemption « {own.renews} » en vertu de {own.directive}",
                    ),
                    Text("'proscribe exempt list' shows them.", "« proscribe exempt list » les énumère."),
                )
            else:
                self._goes_on(before, others, today)
        for one in others.values():
            shared = sorted(set(own.devices) & set(one.exemption.devices))
            if shared and one.exemption.id not in line and not _renewed_by(own.id, one.exemption, others):
                self._had_one(shared[0], one)

    def _had_one(self, device: str, one: Known) -> None:
        self._fault(
            "renews",
            Text(
                f"{device} had exemption {one.exemption.id} until {one.last}",
                f"{device} a bénéficié de l'exemption {one.exemption.id} jusqu'au {one.last}",
            ),
            Text(
                f"Renew that one (--renews {one.exemption.id}), whatever time lies between; devices of another chain "
                "get an exemption of their own.",
                f"Renouvelez celle-ci (--renews {one.exemption.id}), quel que soit l'intervalle; les appareils d'une "
                "autre suite obtiennent leur propre exemption.",
            ),
        )

    def _goes_on(self, before: Known, others: Mapping[str, Known], today: date) -> None:
        own, last = self._exemption, before.last
        twice = [one.exemption.id for one in others.values() if one.exemption.renews == own.renews]
        if twice:
            self._fault(
                "renews",
                Text(
                    f"{own.renews} was renewed by {twice[0]} already",
                    f"{own.renews} a déjà été renouvelée par {twice[0]}",
                ),
                Text(f"Renew {twice[0]} instead.", f"Renouvelez plutôt {twice[0]}."),
            )
        more = sorted(set(own.devices) - set(before.exemption.devices))
        if more:
            self._fault(
                "devices",
                Text(
                    f"{more[0]} was not among the devices of {own.renews}",
                    f"{more[0]} ne figurait pas parmi les appareils de {own.renews}",
                ),
                Text("Give it an exemption of its own.", "Accordez-lui sa propre exemption."),
            )
        first = last if before.ended else last + timedelta(days=1)  # ended by hand, the rest of its day is free
        if own.starts < first:
            self._fault(
                "starts",
                Text(
                    f"{own.renews} lasts until {last}; a renewal begins after that",
                    f"{own.renews} dure jusqu'au {last}; un renouvellement commence ensuite",
                ),
                Text(f"Let it start on {first}.", f"Faites-le commencer le {first}."),
            )
        if today < last - timedelta(days=RENEWAL_DAYS):
            self._fault(
                "starts",
                Text(
                    f"{own.renews} lasts until {last}: too early to renew it",
                    f"{own.renews} dure jusqu'au {last} : il est trop tôt pour la renouveler",
                ),
                Text(
                    f"Renew it in its last {days(RENEWAL_DAYS).en}, when it is known whether the need is still there.",
                    f"Renouvelez-la dans les {days(RENEWAL_DAYS).fr} qui précèdent sa fin, quand on sait si le besoin "
                    "subsiste.",
                ),
            )


def _renewed_by(name: str, other: Exemption, others: Mapping[str, Known]) -> bool:
    """Whether ``other`` goes on from the exemption of that name: it came later, and is no earlier one of the chain."""
    seen: set[str] = set()
    while other.renews and other.renews not in seen:
        if other.renews == name:
            return True
        seen.add(other.renews)
        if other.renews not in others:
            return False
        other = others[other.renews].exemption
    return False
