"""The sentences that several notices share. Short ones: people read them on a telephone, once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from proscribe.decide.model import Decision
from proscribe.directive.model import ActionVerb, Compromise, Directive, Force, RequiredAction, Stance, State
from proscribe.page.markup import Pen
from proscribe.publish.notices.model import Contact, Fact, Particulars, Section, Table
from proscribe.text import Text, days

COMPROMISE: dict[Compromise, Text] = {
    Compromise.none_stated: Text(
        "The authority does not say that any information was lost, stolen or seen by others.",
        "L'autorité n'affirme pas que des renseignements aient été perdus, volés ou vus par d'autres.",
    ),
    Compromise.alleged: Text(
        "The authority says that information may have been lost, stolen or seen by others. It does not say that this "
        "is confirmed.",
        "L'autorité affirme que des renseignements ont pu être perdus, volés ou vus par d'autres. Elle ne dit pas que "
        "cela est confirmé.",
    ),
    Compromise.confirmed: Text(
        "The authority says that information was lost, stolen or seen by others, and that this is confirmed.",
        "L'autorité affirme que des renseignements ont été perdus, volés ou vus par d'autres, et que cela est "
        "confirmé.",
    ),
    Compromise.not_addressed: Text(
        "The authority does not say whether any information was lost, stolen or seen by others.",
        "L'autorité ne dit pas si des renseignements ont été perdus, volés ou vus par d'autres.",
    ),
}

FORCE: dict[Force, Text] = {
    Force.binding: Text("This decision is binding.", "Cette décision est contraignante."),
    Force.recommended: Text(
        "This is a recommendation. It is not binding.",
        "Il s'agit d'une recommandation. Elle n'est pas contraignante.",
    ),
    Force.mixed: Text(
        "This decision is binding in part. The rest is recommended.",
        "Cette décision est contraignante en partie. Le reste est recommandé.",
    ),
}

PERSONAL: dict[Stance, Text] = {
    Stance.excluded: Text(
        "Personal devices are not covered by this decision.",
        "Les appareils personnels ne sont pas visés par cette décision.",
    ),
    Stance.included: Text(
        "A personal device used for work is covered too, as described under “Devices”.",
        "Un appareil personnel utilisé pour le travail est aussi visé, selon ce qui est indiqué à "
        "«\u00a0Appareils\u00a0».",
    ),
    Stance.unstated: Text(
        "The decision does not say whether it covers personal devices.",
        "La décision ne précise pas si elle vise les appareils personnels.",
    ),
}

OVER_THERE = frozenset(
    {
        ActionVerb.remove,
        ActionVerb.block_install,
        ActionVerb.block_launch,
        ActionVerb.block_network,
        ActionVerb.revoke_account,
        ActionVerb.notify,
    }
)
"""What a person notices on a device; the other duties are a department's."""


@dataclass(frozen=True, slots=True)
class Material:
    """Everything a notice may say. What it may not say (analyst context, the basis of a finding) is not asked for."""

    directive: Directive
    decision: Decision | None
    contact: Contact
    at: datetime
    more: Particulars

    @property
    def reasons(self) -> tuple[Text, ...]:
        """The stated reasons: the decision's, where there is one."""
        return (self.decision or self.directive).stated_reasons

    @property
    def compromise(self) -> Compromise:
        """What the authority says of harm."""
        return (self.decision or self.directive).compromise_found

    @property
    def interim(self) -> bool:
        """Whether the decision ends by itself; once confirmed it has no such day any more."""
        return self.decision is not None and self.decision.interim_until is not None

    @property
    def carve_outs(self) -> tuple[Text, ...]:
        """What of the named publishers is not meant."""
        return tuple(one for item in self.directive.items for one in item.carve_outs)

    @property
    def over(self) -> bool:
        """Whether the directive no longer holds."""
        return self.directive.state in (State.revoked, State.superseded)

    def passed(self, day: date | None) -> bool:
        """Whether a day lay behind when the notice was written."""
        return day is not None and day < self.at.date()


def day(value: date) -> Text:
    """A day in words: ``30 October 2023``, ``30 octobre 2023``."""
    return Text(Pen("en").day(value), Pen("fr").day(value))


def due(action: RequiredAction, effective: date | None) -> date | None:
    """The last day for an action: as written, or counted from the day of effect."""
    if action.by is not None or action.days is None or effective is None:
        return action.by
    return effective + timedelta(days=action.days)


def deadline(action: RequiredAction, effective: date | None) -> Text:
    """By when, in words."""
    last = due(action, effective)
    if last is None:
        return Text("No day is set", "Aucune date n'est fixée")
    text = day(last)
    if action.days is not None:
        span = days(action.days)
        text += Text(f" ({span.en})".replace(" d", "\u00a0d"), f" ({span.fr})".replace(" j", "\u00a0j"))
    if action.time_zone:
        text += Text(f", time zone {action.time_zone}", f", fuseau horaire {action.time_zone}")
    return text


def in_short(material: Material, *, decided: bool = True) -> tuple[Fact, ...]:
    """What, where, who, from when: the facts that head most notices."""
    directive = material.directive
    first = Text("In effect from", "En vigueur à partir du") if decided else Text("Planned from", "Prévu à partir du")
    facts = [
        Fact(Text("Apps", "Applications"), tuple(item.wording for item in directive.items)),
        Fact(Text("Not included", "Non compris"), material.carve_outs),
        Fact(Text("Devices", "Appareils"), (directive.applies.devices,)),
        Fact(Text("Who is covered", "Qui est visé"), (directive.applies.entities,)),
        Fact(
            Text("Only these", "Seulement"),
            tuple(Text(name, name) for name in directive.applies.departments),
        ),
    ]
    if directive.effective is not None:
        facts.append(Fact(first, (day(directive.effective),)))
    return tuple(fact for fact in facts if fact.values)


def who_decided(material: Material) -> tuple[Fact, ...]:
    """By whom and on what basis."""
    authority, decision = material.directive.authority, material.decision
    facts = [
        Fact(Text("Issued by", "Publié par"), (authority.body,)),
        Fact(
            Text("Decided by", "Décision prise par"),
            (decision.decided_by if decision is not None else authority.decided_by,),
        ),
        Fact(
            Text("Legal basis", "Fondement juridique"),
            decision.legal_basis if decision is not None else authority.legal_basis,
        ),
        Fact(Text("Document", "Document"), (material.directive.instrument,)),
        Fact(Text("Version", "Version"), _version(material.directive)),
        Fact(Text("Replaces", "Remplace"), _names(material.directive.supersedes)),
    ]
    return tuple(fact for fact in facts if fact.values)


def _version(directive: Directive) -> tuple[Text, ...]:
    """The first version is just the decision; a later one says so."""
    return _names(str(directive.version)) if directive.version > 1 else ()


def _names(name: str) -> tuple[Text, ...]:
    return (Text(name, name),) if name else ()


def standing(material: Material) -> tuple[Text, ...]:
    """Whether it binds, and whether it is interim."""
    texts = [FORCE[material.directive.force]]
    decision = material.decision
    if material.interim and decision is not None and decision.interim_until is not None:
        until = day(decision.interim_until)
        texts.append(
            Text(
                f"It is an interim decision. It ends on {until.en} unless it is confirmed before then.",
                f"Il s'agit d'une décision provisoire. Elle prend fin le {until.fr}, à moins d'être confirmée "
                "d'ici là.",
            )
        )
    return tuple(texts)


def why(material: Material) -> Section:
    """The stated reasons and no other, and what is said of harm."""
    return Section(
        name="why",
        heading=Text("Why", "Pourquoi"),
        paragraphs=(Text("The authority gives these reasons:", "L'autorité donne les motifs suivants\u00a0:"),),
        points=material.reasons,
        closing=(COMPROMISE[material.compromise],),
    )


def actions_table(material: Material, actions: Iterable[RequiredAction]) -> Table:
    """What, and by when."""
    effective = material.directive.effective
    return Table(
        caption=Text("What happens, and by when", "Ce qui se passe, et dans quel délai"),
        columns=(Text("What", "Quoi"), Text("Last day", "Date limite")),
        rows=tuple((action.what, deadline(action, effective)) for action in actions),
    )


def exemption_facts(material: Material) -> tuple[Fact, ...]:
    """On what terms a device may keep an app, as the decision states them."""
    rules = material.directive.exceptions
    delegable = {
        True: Text("Yes", "Oui"),
        False: Text("No", "Non"),
        None: Text("The decision does not say", "La décision ne le précise pas"),
    }[rules.delegable]
    facts = [
        Fact(Text("Grounds", "Motifs"), rules.grounds),
        Fact(
            Text("Approved by", "Approuvées par"),
            (rules.approver or Text("The decision does not say", "La décision ne le précise pas"),),
        ),
        Fact(Text("May be delegated", "Délégation possible"), (delegable,)),
        Fact(Text("Conditions", "Conditions"), rules.mitigations),
    ]
    return tuple(fact for fact in facts if fact.values)


def longest(material: Material) -> Text:
    """How long an exemption lasts here at most, whatever the decision says or leaves open."""
    span = days(material.directive.exceptions.max_days)
    return Text(
        f"An exemption lasts {span.en} at most.",
        f"Une exemption dure au plus {span.fr}.",
    )


def ask(material: Material) -> Section:
    """Whom to ask, and how to reach them."""
    contact = material.contact
    facts = [Fact(Text("Office", "Bureau"), (contact.office,))]
    if contact.email:
        facts.append(Fact(Text("E-mail", "Courriel"), (Text(contact.email, contact.email),)))
    if contact.telephone:
        facts.append(Fact(Text("Telephone", "Téléphone"), (Text(contact.telephone, contact.telephone),)))
    if contact.address is not None:
        facts.append(Fact(Text("Address", "Adresse"), (contact.address,)))
    return Section(
        name="ask",
        heading=Text("Whom to ask", "À qui vous adresser"),
        paragraphs=(
            Text(
                "You can write or call in English or in French.",
                "Vous pouvez écrire ou appeler en français ou en anglais.",
            ),
        ),
        facts=tuple(facts),
    )
