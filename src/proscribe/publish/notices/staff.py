"""The notice to staff: what changes on the device in their hand, and what to save before it does."""

from __future__ import annotations

from datetime import date

from proscribe.directive.model import ActionVerb, Force, Stance
from proscribe.publish.notices import words
from proscribe.publish.notices.model import Section
from proscribe.publish.notices.words import Material, day, due
from proscribe.text import Text

LABEL = Text("Notice to staff", "Avis au personnel")
LEAD = Text(
    "This notice says what changes on the devices you use for work, when, and what to do first.",
    "Le présent avis indique ce qui change sur les appareils que vous utilisez pour le travail, quand, et ce "
    "qu'il faut faire d'abord.",
)

_CUTS = frozenset({ActionVerb.remove, ActionVerb.block_launch})
"""After these, a person no longer reaches what an app holds."""


def sections(material: Material) -> tuple[Section, ...]:
    """All sections, in order."""
    seen = tuple(one for one in material.directive.actions if one.verb in words.OVER_THERE)
    return (
        Section(
            name="what",
            heading=Text("What changes", "Ce qui change"),
            facts=words.in_short(material),
            closing=words.standing(material),
        ),
        words.why(material),
        Section(
            name="by-when",
            heading=Text("By when", "Date limite"),
            table=words.actions_table(material, seen or material.directive.actions),
        ),
        _save(material),
        _do(material),
        _instead(material),
        _exemption(material),
        _looked_at(material),
        _not_looked_at(material),
        words.ask(material),
    )


def last_day(material: Material) -> date | None:
    """The day by which data must be saved: the first removal or block of use, else the day of effect."""
    effective = material.directive.effective
    days = [due(one, effective) for one in material.directive.actions if one.verb in _CUTS]
    return min((one for one in days if one is not None), default=effective)


def _save(material: Material) -> Section:
    last = last_day(material)
    if last is None or material.passed(last):
        when = Text(
            "The last day has passed. Save now what you need.",
            "La date limite est passée. Sauvegardez dès maintenant ce dont vous avez besoin.",
        )
    else:
        shown = day(last)
        when = Text(
            f"Save what you need by {shown.en}.", f"Sauvegardez ce dont vous avez besoin au plus tard le {shown.fr}."
        )
    return Section(
        name="save",
        heading=Text("Save your data first", "Sauvegardez d'abord vos données"),
        paragraphs=(
            Text(
                "Removing an app deletes the data that it keeps on the device.",
                "Le retrait d'une application supprime les données qu'elle conserve sur l'appareil.",
            ),
            when,
        ),
        points=(
            Text(
                "Copy what you need for your work to a place that your organisation approves.",
                "Copiez ce qu'il vous faut pour votre travail à un endroit approuvé par votre organisation.",
            ),
            Text(
                "Keep everything of business value. Do not delete it, not even after you copy it.",
                "Conservez tout ce qui a une valeur opérationnelle. Ne le supprimez pas, même après l'avoir copié.",
            ),
            Text(
                "Must your records be kept for a court case, an audit or an access request? Say so at once to the "
                "office below. The app is then blocked but not removed.",
                "Vos documents doivent-ils être conservés pour un litige, une vérification ou une demande d'accès? "
                "Dites-le sans tarder au bureau indiqué ci-dessous. L'application est alors bloquée, mais non retirée.",
            ),
            Text(
                "Do you need help to save? Ask the office below.",
                "Besoin d'aide pour sauvegarder? Adressez-vous au bureau indiqué ci-dessous.",
            ),
        ),
    )


def _do(material: Material) -> Section:
    if material.directive.force is Force.recommended:
        ask = Text(
            "You are asked not to have these apps on the devices above.",
            "On vous demande de ne pas avoir ces applications sur les appareils indiqués ci-dessus.",
        )
    else:
        ask = Text(
            "Do not install or use these apps on the devices above.",
            "N'installez pas et n'utilisez pas ces applications sur les appareils indiqués ci-dessus.",
        )
    return Section(
        name="do",
        heading=Text("What you need to do", "Ce que vous devez faire"),
        points=(
            ask,
            Text(
                "Save your data, as described above.",
                "Sauvegardez vos données, comme il est indiqué ci-dessus.",
            ),
            Text(
                "Keep your device switched on and connected, so that it gets the change.",
                "Gardez votre appareil allumé et connecté, pour qu'il reçoive le changement.",
            ),
            Text(
                "If the app is still there after the last day, tell the office below.",
                "Si l'application est encore là après la date limite, avisez le bureau indiqué ci-dessous.",
            ),
        ),
    )


def _instead(material: Material) -> Section:
    named = material.more.alternatives
    none = Text(
        "No replacement has been named. Ask the office below which approved app to use.",
        "Aucune solution de rechange n'a été désignée. Demandez au bureau indiqué ci-dessous quelle application "
        "approuvée utiliser.",
    )
    some = Text("You can use these instead:", "Vous pouvez plutôt utiliser\u00a0:")
    return Section(
        name="instead",
        heading=Text("What you can use instead", "Ce que vous pouvez utiliser à la place"),
        paragraphs=(some if named else none,),
        points=named,
    )


def _exemption(material: Material) -> Section:
    heading = Text("If you need the app for your work", "Si vous avez besoin de l'application pour votre travail")
    if not material.directive.exceptions.stated:
        none = Text(
            "The decision names no ground for an exemption. If you cannot do your work without the app, tell the "
            "office below.",
            "La décision n'énonce aucun motif d'exemption. Si vous ne pouvez faire votre travail sans l'application, "
            "dites-le au bureau indiqué ci-dessous.",
        )
        return Section(name="exemption", heading=heading, paragraphs=(none,))
    return Section(
        name="exemption",
        heading=heading,
        paragraphs=(
            Text(
                "You can ask for an exemption for one device.", "Vous pouvez demander une exemption pour un appareil."
            ),
            words.longest(material),
        ),
        facts=words.exemption_facts(material),
    )


def _looked_at(material: Material) -> Section:
    kept = Text(
        "Of all other apps, only a count is kept, without your name or device.",
        "Pour toutes les autres applications, seul un décompte est conservé, sans votre nom ni votre appareil.",
    )
    if material.more.all_apps_kept:
        kept = Text(
            "Your organisation has chosen to keep the list of all apps on the device, not only of those named above.",
            "Votre organisation a choisi de conserver la liste de toutes les applications de l'appareil, et non "
            "seulement de celles qui sont indiquées ci-dessus.",
        )
    return Section(
        name="looked-at",
        heading=Text("What is looked at on your device", "Ce qui est examiné sur votre appareil"),
        points=(
            Text(
                "Whether the apps named above are on the device, and in which version.",
                "La présence sur l'appareil des applications indiquées ci-dessus, et leur version.",
            ),
            Text(
                "The device itself: its name, numbers, system version, department and settings, and when it last "
                "reported.",
                "L'appareil lui-même\u00a0: son nom, ses numéros, la version de son système, sa direction, ses "
                "paramètres et la date de son dernier rapport.",
            ),
            kept,
        ),
    )


def _not_looked_at(material: Material) -> Section:
    personal = Text(
        "The personal side of a device that has a work side and a personal side.",
        "Le côté personnel d'un appareil qui a un côté professionnel et un côté personnel.",
    )
    outside = Text(
        "Personal devices. The decision does not cover them.",
        "Les appareils personnels. La décision ne les vise pas.",
    )
    byod = material.directive.applies.byod
    return Section(
        name="not-looked-at",
        heading=Text("What is not looked at", "Ce qui n'est pas examiné"),
        points=(
            Text(
                "Your messages, calls, photos, files and contacts.",
                "Vos messages, vos appels, vos photos, vos fichiers et vos contacts.",
            ),
            Text(
                "Where you are, and which sites you visit.",
                "L'endroit où vous êtes et les sites que vous consultez.",
            ),
            Text(
                "What you do in an app.",
                "Ce que vous faites dans une application.",
            ),
            personal,
            *((outside,) if byod is Stance.excluded else ()),
        ),
        closing=() if byod is Stance.excluded else (words.PERSONAL[byod],),
    )
