"""The notice to the public: what was decided, why, and how far it goes."""

from __future__ import annotations

from proscribe.publish.notices import words
from proscribe.publish.notices.model import Fact, Section
from proscribe.publish.notices.words import Material, day
from proscribe.text import Text

LABEL = Text("Public notice", "Avis public")
LEAD = Text(
    "This notice says what was decided, why, and which devices it covers.",
    "Le présent avis indique ce qui a été décidé, pourquoi, et quels appareils sont visés.",
)


def sections(material: Material) -> tuple[Section, ...]:
    """All sections, in order."""
    return (
        Section(
            name="decision",
            heading=Text("What was decided", "Ce qui a été décidé"),
            facts=(*words.who_decided(material), *words.in_short(material)),
            closing=words.standing(material),
        ),
        words.why(material),
        Section(
            name="actions",
            heading=Text("What is done", "Ce qui est fait"),
            table=words.actions_table(material, material.directive.actions),
        ),
        limits(material),
        Section(
            name="exemptions",
            heading=Text("Exemptions", "Exemptions"),
            paragraphs=() if material.directive.exceptions.stated else (NO_EXEMPTIONS,),
            facts=words.exemption_facts(material) if material.directive.exceptions.stated else (),
        ),
        review(material),
        words.ask(material),
    )


NO_EXEMPTIONS = Text(
    "The decision does not say whether there are exemptions.", "La décision ne précise pas s'il y a des exemptions."
)


def limits(material: Material) -> Section:
    """What the decision does not cover."""
    applies = material.directive.applies
    return Section(
        name="limits",
        heading=Text("What this does not cover", "Ce qui n'est pas visé"),
        paragraphs=(
            Text(
                "The decision covers only the devices named above. It does not tell the public which apps to use.",
                "La décision ne vise que les appareils indiqués ci-dessus. Elle ne dit pas au public quelles "
                "applications utiliser.",
            ),
            words.PERSONAL[applies.byod],
        ),
        points=applies.exclusions,
    )


def review(material: Material) -> Section:
    """When the decision is looked at again, or ends."""
    directive = material.directive
    facts = []
    if directive.review_on is not None:
        facts.append(Fact(Text("Review on", "Réexamen prévu le"), (day(directive.review_on),)))
    if directive.expires_on is not None:
        facts.append(Fact(Text("Ends on", "Prend fin le"), (day(directive.expires_on),)))
    none = Text(
        "The decision names no day for a review and no day on which it ends.",
        "La décision ne fixe ni date de réexamen ni date de fin.",
    )
    return Section(
        name="review",
        heading=Text("Review and end", "Réexamen et fin"),
        paragraphs=() if facts else (none,),
        facts=tuple(facts),
    )
