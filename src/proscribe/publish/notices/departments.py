"""The instructions to departments: each duty with its day, then what to acknowledge and what to attest to."""

from __future__ import annotations

from datetime import date

from proscribe.directive.model import Force, Standard
from proscribe.publish.notices import words
from proscribe.publish.notices.model import Section, Table
from proscribe.publish.notices.public import limits, review
from proscribe.publish.notices.words import Material, day, deadline
from proscribe.text import Text

LABEL = Text("Instructions to departments", "Consignes aux organismes")
_MUST = Text(
    "This notice says what your organisation must do, by when, and what to report.",
    "Le présent avis indique ce que votre organisation doit faire, dans quel délai, et ce dont elle doit rendre "
    "compte.",
)
_ASKED = Text(
    "This notice says what your organisation is asked to do, by when, and what to report.",
    "Le présent avis indique ce que votre organisation est invitée à faire, dans quel délai, et ce dont elle "
    "doit rendre compte.",
)

STANDARDS: dict[Standard, Text] = {
    Standard.prevent: Text("A technical control", "Une mesure technique"),
    Standard.prohibit: Text("A rule is enough", "Une règle suffit"),
    Standard.unstated: Text("The decision does not say", "La décision ne le précise pas"),
}


def lead(material: Material) -> Text:
    """A recommendation is not an order."""
    return _ASKED if material.directive.force is Force.recommended else _MUST


def sections(material: Material) -> tuple[Section, ...]:
    """All sections, in order."""
    return (
        Section(
            name="decision",
            heading=Text("What was decided", "Ce qui a été décidé"),
            facts=(*words.who_decided(material), *words.in_short(material)),
            closing=words.standing(material),
        ),
        _actions(material),
        _preserve(),
        _exemptions(material),
        _tell(),
        _acknowledge(material),
        _attest(material),
        words.why(material),
        limits(material),
        review(material),
        words.ask(material),
    )


def _actions(material: Material) -> Section:
    effective, actions = material.directive.effective, material.directive.actions
    columns: tuple[Text, ...] = (
        Text("Action", "Mesure"),
        Text("Last day", "Date limite"),
        Text("What is enough", "Ce qui suffit"),
    )
    rows: tuple[tuple[Text, ...], ...] = tuple(
        (one.what, deadline(one, effective), STANDARDS[one.standard]) for one in actions
    )
    if all(one.standard is Standard.unstated for one in actions):
        columns, rows = columns[:2], tuple(row[:2] for row in rows)
    return Section(
        name="actions",
        heading=Text("What to do, and by when", "Quoi faire, et dans quel délai"),
        table=Table(
            caption=Text("Actions, in the order of the decision", "Mesures, dans l'ordre de la décision"),
            columns=columns,
            rows=rows,
        ),
        closing=(
            Text(
                "Days begin and end in UTC unless a time zone is named.",
                "Les jours commencent et se terminent selon le temps universel coordonné (UTC), sauf indication d'un "
                "fuseau horaire.",
            ),
        ),
    )


def _preserve() -> Section:
    return Section(
        name="preserve",
        heading=Text("Before you remove anything", "Avant tout retrait"),
        points=(
            Text(
                "Block first. Removal deletes the data of an app.",
                "Bloquez d'abord. Le retrait supprime les données d'une application.",
            ),
            Text(
                "Find out which devices hold records that must be kept. Note the disposal authority for the others.",
                "Repérez les appareils qui contiennent des documents à conserver. Pour les autres, notez "
                "l'autorisation de disposition.",
            ),
            Text(
                "Where records are on hold, block the app and wait. Remove it when the hold is released.",
                "Si l'élimination de documents est mise en suspens, bloquez l'application et attendez. "
                "Retirez-la à la levée de la mise en suspens.",
            ),
        ),
    )


def _exemptions(material: Material) -> Section:
    rules = material.directive.exceptions
    heading = Text("Exemptions", "Exemptions")
    if not rules.stated:
        none = Text(
            "The decision sets out no process for exemptions. Ask the office below before you grant any.",
            "La décision ne prévoit aucun processus d'exemption. Consultez le bureau indiqué ci-dessous avant d'en "
            "accorder une.",
        )
        return Section(name="exemptions", heading=heading, paragraphs=(none,), closing=_without(material))
    named = Text(
        "An exemption names its devices and has a last day.",
        "Une exemption désigne ses appareils et a une date de fin.",
    )
    if not rules.blanket_allowed:
        named += Text(" It never covers a whole organisation.", " Elle ne vise jamais une organisation entière.")
    return Section(
        name="exemptions",
        heading=heading,
        paragraphs=(named, words.longest(material)),
        facts=words.exemption_facts(material),
        closing=_without(material),
    )


def _without(material: Material) -> tuple[Text, ...]:
    if material.directive.force is Force.recommended:
        return ()
    return (
        Text(
            "A device that keeps the app without a recorded exemption does not comply.",
            "Un appareil qui conserve l'application sans exemption consignée n'est pas conforme.",
        ),
    )


def _tell() -> Section:
    return Section(
        name="tell",
        heading=Text("Tell your staff", "Informez votre personnel"),
        points=(
            Text(
                "Send the notice to staff in both languages before the first removal.",
                "Envoyez l'avis au personnel dans les deux langues avant le premier retrait.",
            ),
            Text(
                "Reach those who use a personal device for work as well.",
                "Informez aussi les personnes qui utilisent un appareil personnel pour le travail.",
            ),
            Text(
                "Keep a record of when each group was told.",
                "Consignez la date à laquelle chaque groupe a été informé.",
            ),
        ),
    )


def _acknowledge(material: Material) -> Section:
    return Section(
        name="acknowledge",
        heading=Text("Acknowledge", "Accusez réception"),
        paragraphs=_by(
            material.more.acknowledge_by,
            Text("Send your acknowledgement by", "Transmettez votre accusé de réception au plus tard le"),
        ),
        points=(
            Text("Name the role that answers for this decision.", "Désignez le rôle qui répond de cette décision."),
            Text(
                "List your fleets, with the number of devices in each.",
                "Énumérez vos parcs et le nombre d'appareils de chacun.",
            ),
            Text(
                "Declare the devices that no management system sees. If you do not know, say so.",
                "Déclarez les appareils qu'aucun système de gestion ne voit. Si vous l'ignorez, dites-le.",
            ),
            Text(
                "Say how personal devices are used for work.",
                "Indiquez comment les appareils personnels servent au travail.",
            ),
        ),
    )


def _attest(material: Material) -> Section:
    return Section(
        name="attest",
        heading=Text("Attest", "Attestez"),
        paragraphs=_by(
            material.more.attest_by, Text("Send your attestation by", "Transmettez votre attestation au plus tard le")
        ),
        points=(
            Text(
                "Count devices by outcome. An accepted order is not an outcome; what a device reports later is.",
                "Comptez les appareils selon le résultat. Un ordre accepté n'est pas un résultat; ce que l'appareil "
                "signale par la suite en est un.",
            ),
            Text("Say what you could not see and could not do.", "Indiquez ce que vous n'avez pu voir ni faire."),
            Text("Report exemptions by ground.", "Rendez compte des exemptions selon le motif."),
            Text("Name no person and no device.", "Ne nommez aucune personne et aucun appareil."),
            Text("Attach the digest of your proof.", "Joignez l'empreinte de votre dossier de preuve."),
        ),
    )


def _by(last: date | None, before: Text) -> tuple[Text, ...]:
    if last is None:
        return ()
    shown = day(last)
    return (Text(f"{before.en} {shown.en}.", f"{before.fr} {shown.fr}."),)
