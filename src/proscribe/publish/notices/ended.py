"""The notices of a decision that has ended: what no longer holds, why, and what that does not mean."""

from __future__ import annotations

from proscribe.directive.model import State
from proscribe.publish.notices import words
from proscribe.publish.notices.model import Audience, Section
from proscribe.publish.notices.words import Material
from proscribe.text import Text

_LEADS: dict[Audience, Text] = {
    Audience.public: Text(
        "This notice says which decision has ended, and why.",
        "Le présent avis indique quelle décision a pris fin, et pourquoi.",
    ),
    Audience.staff: Text(
        "This notice says which decision has ended, and what that changes on the devices you use for work.",
        "Le présent avis indique quelle décision a pris fin, et ce que cela change sur les appareils que vous utilisez "
        "pour le travail.",
    ),
    Audience.departments: Text(
        "This notice says which decision has ended, and what your organisation does now.",
        "Le présent avis indique quelle décision a pris fin, et ce que votre organisation fait maintenant.",
    ),
    Audience.vendor: Text(
        "This notice says which decision about your apps has ended, and why.",
        "Le présent avis indique quelle décision sur vos applications a pris fin, et pourquoi.",
    ),
}

_NEXT: dict[Audience, tuple[Text, ...]] = {
    Audience.public: (
        Text(
            "What was set on devices for this decision is taken back.",
            "Ce qui a été paramétré sur les appareils pour cette décision est annulé.",
        ),
    ),
    Audience.staff: (
        Text(
            "What was set on your device for this decision is taken back.",
            "Ce qui a été paramétré sur votre appareil pour cette décision est annulé.",
        ),
        Text(
            "An app that was removed does not come back by itself, and neither does its data.",
            "Une application retirée ne revient pas d'elle-même, ni ses données.",
        ),
        Text(
            "Other rules of your organisation still hold. Ask before you install an app.",
            "Les autres règles de votre organisation demeurent. Renseignez-vous avant d'installer une application.",
        ),
    ),
    Audience.departments: (
        Text(
            "Take back the entries that were set for this decision, and no others.",
            "Annulez les entrées ajoutées pour cette décision, et aucune autre.",
        ),
        Text(
            "Close the exemptions under this decision.",
            "Mettez fin aux exemptions accordées en vertu de cette décision.",
        ),
        Text(
            "Keep the records of what was done and exempted.",
            "Conservez la trace de ce qui a été fait et exempté.",
        ),
        Text("Tell your staff in both languages.", "Informez votre personnel dans les deux langues."),
    ),
    Audience.vendor: (
        Text(
            "What was set on devices for this decision is taken back.",
            "Ce qui a été paramétré sur les appareils pour cette décision est annulé.",
        ),
    ),
}


def lead(audience: Audience) -> Text:
    """What the notice is for."""
    return _LEADS[audience]


def sections(audience: Audience, material: Material) -> tuple[Section, ...]:
    """All sections, in order."""
    if material.directive.state is State.revoked:
        ended = Text(
            "The decision is revoked. It no longer applies.", "La décision est révoquée. Elle ne s'applique plus."
        )
    else:
        ended = Text("Another decision takes the place of this one.", "Une autre décision remplace celle-ci.")
    return (
        Section(
            name="ended",
            heading=Text("What has ended", "Ce qui a pris fin"),
            paragraphs=(ended,),
            facts=(*words.who_decided(material), *words.in_short(material)),
        ),
        words.why(material),
        Section(
            name="next",
            heading=Text("What this means", "Ce que cela signifie"),
            points=_NEXT[audience],
        ),
        words.ask(material),
    )
