"""The notice to the vendor: what is proposed, on which claims, and how to reply before anything is decided.

Under the interim track the decision comes first; the vendor then replies before it is confirmed. After a final decision
the notice says what was decided, and new facts may still be sent.
"""

from __future__ import annotations

from datetime import date

from proscribe.catalogue import library
from proscribe.decide.model import Claim, ClaimResponse, ClaimStatus, EvidenceItem, EvidenceRegister
from proscribe.publish.notices import words
from proscribe.publish.notices.model import Fact, Particulars, Section
from proscribe.publish.notices.words import Material, day
from proscribe.text import Text

_STATUS: dict[ClaimStatus, Text] = {
    ClaimStatus.asserted: Text("asserted", "avancée"),
    ClaimStatus.contested: Text("contested", "contestée"),
    ClaimStatus.upheld: Text("contested, and upheld", "contestée, puis maintenue"),
    ClaimStatus.withdrawn: Text("withdrawn", "retirée"),
}


def public_claims(register: EvidenceRegister) -> tuple[Claim, ...]:
    """The claims that stand and rest on at least one public item; of the others a vendor notice says nothing."""
    shown = {claim for item in register.items if item.public for claim in item.supports}
    return tuple(one for one in register.claims if one.id in shown and one.status is not ClaimStatus.withdrawn)


def public_items(register: EvidenceRegister, claim: Claim) -> tuple[EvidenceItem, ...]:
    """The public items that support a claim."""
    return tuple(item for item in register.items if item.public and claim.id in item.supports)


def responses(more: Particulars, claim: Claim) -> tuple[ClaimResponse, ...]:
    """What the vendor said of a claim, and the answer to it."""
    return tuple(one for one in more.record.responses if one.claim == claim.id) if more.record is not None else ()


def reply_by(more: Particulars) -> date | None:
    """The last day for a reply: as given, else as the vendor record has it."""
    return more.reply_by or (more.record.reply_due if more.record is not None else None)


def final(material: Material) -> bool:
    """Whether a decision was taken that does not wait for a reply."""
    return material.decision is not None and not material.interim


def label(material: Material) -> Text:
    """What kind of notice this is."""
    if material.decision is None:
        return Text("Notice to the vendor before a decision", "Avis au fournisseur avant toute décision")
    if material.interim:
        return Text("Notice to the vendor of an interim decision", "Avis au fournisseur sur une décision provisoire")
    return Text("Notice to the vendor of a decision", "Avis de décision au fournisseur")


def title(material: Material) -> Text:
    """The title of the directive, which reads as if it were decided, is marked as proposed until it is."""
    plain = material.directive.title
    proposed = material.decision is None and not material.over
    return Text("Proposed: ", "Proposition\u00a0: ") + plain if proposed else plain


def lead(material: Material) -> Text:
    """What the notice is for."""
    if material.decision is None:
        return Text(
            "This notice says what is proposed and on what grounds. You can reply before a decision is taken.",
            "Le présent avis indique ce qui est proposé et pour quels motifs. Vous pouvez répondre avant qu'une "
            "décision soit prise.",
        )
    if material.interim:
        return Text(
            "This notice says what was decided for a time and on what grounds. You can reply before it is confirmed.",
            "Le présent avis indique ce qui a été décidé à titre provisoire et pour quels motifs. Vous pouvez répondre "
            "avant la confirmation.",
        )
    return Text(
        "This notice says what was decided and on what grounds.",
        "Le présent avis indique ce qui a été décidé et pour quels motifs.",
    )


def sections(material: Material) -> tuple[Section, ...]:
    """All sections, in order."""
    register = material.more.evidence
    return (
        _proposal(material),
        *((_claims(register, material),) if register is not None else ()),
        words.why(material) if material.decision is not None else _reasons(material),
        _reply(material),
        _next(material),
        words.ask(material),
    )


def addressee(material: Material) -> Text:
    """The vendor as named, else the makers of the apps as the catalogue names them."""
    named = material.more.vendor or (material.more.record.vendor if material.more.record is not None else None)
    if named is not None:
        return named
    catalogue = library.load()
    ids = dict.fromkeys(item.publisher for item in material.directive.items if item.publisher)
    names = "; ".join(catalogue.publisher(one).name for one in ids if one in catalogue.publisher_ids())
    return Text(names, names)


def _proposal(material: Material) -> Section:
    decided = material.decision is not None
    actions = tuple(one.what for one in material.directive.actions)
    facts = (
        Fact(Text("Addressed to", "Destinataire"), (addressee(material),)),
        *(words.who_decided(material) if decided else _issuer(material)),
        *words.in_short(material, decided=decided),
        Fact(Text("Actions", "Mesures"), actions),
    )
    if decided:
        return Section(
            name="decision",
            heading=Text("What was decided", "Ce qui a été décidé"),
            facts=facts,
            closing=words.standing(material),
        )
    return Section(
        name="proposal",
        heading=Text("What is proposed", "Ce qui est proposé"),
        paragraphs=(Text("No decision has been taken yet.", "Aucune décision n'a encore été prise."),),
        facts=facts,
    )


def _issuer(material: Material) -> tuple[Fact, ...]:
    return (Fact(Text("Issued by", "Publié par"), (material.directive.authority.body,)),)


def _claims(register: EvidenceRegister, material: Material) -> Section:
    return Section(
        name="claims",
        heading=Text("What is said about the apps", "Ce qui est affirmé au sujet des applications"),
        paragraphs=(
            Text(
                "Each claim has a mark of its own. Use it when you reply.",
                "Chaque affirmation a son propre repère. Utilisez-le dans votre réponse.",
            ),
        ),
        facts=tuple(_claim(material, register, one) for one in public_claims(register)),
    )


def _claim(material: Material, register: EvidenceRegister, claim: Claim) -> Fact:
    values = [claim.text]
    if claim.status is not ClaimStatus.asserted:
        values.append(Text("Where it stands: ", "État\u00a0: ") + _STATUS[claim.status])
    if claim.reply is not None:
        values.append(Text("Your side: ", "Votre position\u00a0: ") + claim.reply)
    if claim.weighed is not None:
        values.append(Text("How it was weighed: ", "Examen\u00a0: ") + claim.weighed)
    for one in responses(material.more, claim):
        values.append(Text("What you said: ", "Ce que vous avez dit\u00a0: ") + one.vendor_says)
        values.append(Text("Our answer: ", "Notre réponse\u00a0: ") + one.answer)
    for item in public_items(register, claim):
        source = Text(f" ({item.source})", f" ({item.source})") if item.source else Text("", "")
        values.append(Text("Rests on: ", "Repose sur\u00a0: ") + item.title + source)
        values.append(Text("This does not show: ", "Ce que cela ne montre pas\u00a0: ") + item.does_not_show)
    return Fact(Text(claim.id, claim.id), tuple(values))


def _reasons(material: Material) -> Section:
    """The reasons that a decision would state; without a register of evidence they are what can be replied to."""
    heading = Text("The reasons that would be stated", "Les motifs qui seraient énoncés")
    closing = (words.COMPROMISE[material.compromise],)
    if material.more.evidence is not None:
        return Section(name="why", heading=heading, points=material.reasons, closing=closing)
    return Section(
        name="why",
        heading=heading,
        paragraphs=(
            Text(
                "Each reason has a number. Use it when you reply.",
                "Chaque motif porte un numéro. Utilisez-le dans votre réponse.",
            ),
        ),
        facts=tuple(
            Fact(Text(f"Reason {number}", f"Motif {number}"), (one,))
            for number, one in enumerate(material.reasons, start=1)
        ),
        closing=closing,
    )


def _reply(material: Material) -> Section:
    last = reply_by(material.more)
    points: tuple[Text, ...] = (
        Text("Write in English or in French.", "Écrivez en français ou en anglais."),
        Text(
            "For each point, say whether you agree, and why. Attach what shows it.",
            "Pour chaque point, dites si vous êtes d'accord, et pourquoi. Joignez ce qui le montre.",
        ),
        Text(
            "Mark what is confidential. It is kept apart from what is published.",
            "Indiquez ce qui est confidentiel. Cela est conservé à part de ce qui est publié.",
        ),
        _reference(material),
        Text(
            "You can ask for a meeting, or for more time, before the last day.",
            "Vous pouvez demander une rencontre, ou plus de temps, avant la date limite.",
        ),
    )
    if final(material) or last is None:
        first = Text(
            "You can send new facts at any time to the office below.",
            "Vous pouvez transmettre de nouveaux faits en tout temps au bureau indiqué ci-dessous.",
        )
        points = points[:-1]
    else:
        shown = day(last)
        first = Text(
            f"Reply by {shown.en}, to the office below.",
            f"Répondez au plus tard le {shown.fr}, au bureau indiqué ci-dessous.",
        )
    return Section(name="reply", heading=Text("How to reply", "Comment répondre"), paragraphs=(first,), points=points)


def _reference(material: Material) -> Text:
    name = material.more.case or material.directive.id
    return Text(f"Quote this reference: {name}.", f"Citez cette référence\u00a0: {name}.")


def _next(material: Material) -> Section:
    weighed = Text(
        "Each point of your reply is weighed and answered. Your reply and the answer stay on record.",
        "Chaque point de votre réponse est examiné et reçoit une réponse. Le tout est versé au dossier.",
    )
    if final(material):
        then = Text(
            "New facts can lead to a review of the decision.",
            "De nouveaux faits peuvent mener à un réexamen de la décision.",
        )
    elif material.interim:
        then = Text(
            "Your reply can change the decision before it is confirmed.",
            "Votre réponse peut changer la décision avant sa confirmation.",
        )
    else:
        then = Text(
            "Your reply can change what is decided. Without a reply, a decision may be taken on what is known.",
            "Votre réponse peut changer ce qui sera décidé. Sans réponse, une décision peut être prise d'après "
            "ce qui est connu.",
        )
    return Section(name="next", heading=Text("What happens next", "La suite"), paragraphs=(weighed, then))
