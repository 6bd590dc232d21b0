"""The field's terms as people read them, in both languages."""

from __future__ import annotations

from proscribe.catalogue.model import Confidence, MatchKind
from proscribe.directive.model import Force, State
from proscribe.evaluate.model import UNKNOWN_DEPARTMENT, Presence, Verdict
from proscribe.terms import Enrolment, Platform
from proscribe.text import Text, number

PRESENCE: dict[Presence, Text] = {
    Presence.present_managed: Text("present, managed", "présente, gérée"),
    Presence.present_unmanaged: Text("present", "présente"),
    Presence.present_contained: Text("present, cannot launch", "présente, lancement bloqué"),
    Presence.unknown: Text("unknown", "inconnue"),
    Presence.stale: Text("list too old", "liste trop ancienne"),
    Presence.invisible: Text("partly out of sight", "en partie invisible"),
    Presence.absent: Text("not present", "absente"),
}

MATCH: dict[MatchKind, Text] = {
    MatchKind.exact_id: Text("exact identifier", "identifiant exact"),
    MatchKind.signer: Text("signer", "signataire"),
    MatchKind.glob: Text("identifier pattern", "motif d'identifiant"),
    MatchKind.name_only: Text("name only", "nom seulement"),
    MatchKind.lookalike_signer: Text("same signer, other id", "même signataire, autre identifiant"),
    MatchKind.lookalike_name: Text("same name, other id", "même nom, autre identifiant"),
    MatchKind.lookalike_homoglyph: Text("name made to look alike", "nom imité"),
}

CONFIDENCE: dict[Confidence, Text] = {
    Confidence.high: Text("high", "élevée"),
    Confidence.medium: Text("medium", "moyenne"),
    Confidence.low: Text("low", "faible"),
}

PLATFORM: dict[Platform, Text] = {
    Platform.android: Text("Android", "Android"),
    Platform.ios: Text("iOS", "iOS"),
    Platform.macos: Text("macOS", "macOS"),
    Platform.windows: Text("Windows", "Windows"),
    Platform.chromeos: Text("ChromeOS", "ChromeOS"),
    Platform.unknown: Text("not stated", "non précisée"),
}

ENROLMENT: dict[Enrolment, Text] = {
    Enrolment.fully_managed: Text("fully managed", "entièrement géré"),
    Enrolment.cope: Text("work profile, company-owned", "profil professionnel, appareil de l'organisation"),
    Enrolment.byod: Text("work profile, personal device", "profil professionnel, appareil personnel"),
    Enrolment.supervised: Text("supervised", "supervisé"),
    Enrolment.unsupervised: Text("not supervised", "non supervisé"),
    Enrolment.user_enrolment: Text("User Enrolment", "inscription d'utilisateur"),
    Enrolment.unmanaged: Text("not managed", "non géré"),
    Enrolment.unknown: Text("enrolment not stated", "inscription non précisée"),
}

FORCE: dict[Force, Text] = {
    Force.binding: Text("binding", "contraignante"),
    Force.recommended: Text("recommended", "recommandée"),
    Force.mixed: Text("binding in part", "contraignante en partie"),
}

STATE: dict[State, Text] = {
    State.draft: Text("draft", "ébauche"),
    State.in_force: Text("in force", "en vigueur"),
    State.amended: Text("amended", "modifiée"),
    State.superseded: Text("superseded", "remplacée"),
    State.revoked: Text("revoked", "révoquée"),
}

VERDICT: dict[Verdict, Text] = {
    Verdict.violations: Text("Banned apps were found.", "Des applications interdites ont été trouvées."),
    Verdict.none_seen: Text(
        "No banned app was found in what could be seen. What could not be seen is listed above: about it nothing is "
        "claimed.",
        "Aucune application interdite n'a été trouvée dans ce qui a pu être vu. Ce qui n'a pas pu être vu est énuméré "
        "ci-dessus : rien n'est affirmé à son sujet.",
    ),
    Verdict.clean: Text(
        "No banned app was found, and every device was seen whole, with a list of known age.",
        "Aucune application interdite n'a été trouvée, et chaque appareil a été vu en entier, avec une liste d'âge "
        "connu.",
    ),
    Verdict.nothing_read: Text(
        "No device could be read, so nothing can be said.",
        "Aucun appareil n'a pu être lu; rien ne peut donc être affirmé.",
    ),
}


def department(name: str) -> Text:
    """A department's name as it is; in words where the source names none."""
    if name in ("", UNKNOWN_DEPARTMENT):
        return Text("(department not stated)", "(direction non précisée)")
    return Text(name, name)


def count(value: int) -> str:
    """A number with its thousands set apart, by the rules of the language: 12,345 or 12 345."""
    return str(number(value))
