"""The words of a judgement in both languages: areas, rungs of the ladder, who must agree, ratings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from proscribe.assess.profile import Actor, Finding
from proscribe.assess.terms import ActorKind, Area, Grant, Ladder, Rating
from proscribe.text import Text

AREAS: dict[Area, Text] = {
    Area.contacts: Text("contacts", "contacts"),
    Area.records: Text(
        "records (calls, texts, calendar, accounts)",
        "données consignées (appels, messages texte, calendrier, comptes)",
    ),
    Area.location: Text("location", "position"),
    Area.sensors: Text("microphone and camera", "microphone et appareil photo"),
    Area.files: Text("photos and files", "photos et fichiers"),
    Area.screen: Text("screen content", "contenu de l'écran"),
    Area.interface: Text("user interface and input", "interface et saisie"),
    Area.keyboard: Text("keyboard", "clavier"),
    Area.notifications: Text("notifications", "notifications"),
    Area.clipboard: Text("clipboard", "presse-papiers"),
    Area.apps: Text("installed apps", "applications installées"),
    Area.identifiers: Text("identifiers", "identifiants"),
    Area.network: Text("network traffic", "trafic réseau"),
    Area.control: Text("control of the device", "contrôle de l'appareil"),
    Area.changeable_code: Text("code that can change later", "code modifiable après coup"),
    Area.hidden_code: Text("hidden code", "code caché"),
    Area.background: Text("background presence", "activité en arrière-plan"),
    Area.supply_chain: Text("other makers' code", "code d'autres éditeurs"),
}

FOUND: dict[Ladder, Text] = {
    Ladder.none: Text("Nothing found", "Rien n'a été trouvé"),
    Ladder.declared: Text("Declared, no code found", "Déclaré, aucun code trouvé"),
    Ladder.referenced: Text("Named in the code", "Nommé dans le code"),
    Ladder.called: Text("Called in the code", "Appelé dans le code"),
    Ladder.observed: Text("Observed at run time", "Observé à l'exécution"),
}
"""How a sentence about an area or a finding begins."""

AGREES: dict[Grant, Text] = {
    Grant.automatic: Text("nobody is asked", "personne n'est consulté"),
    Grant.prompt: Text("the user is asked at run time", "l'utilisateur est consulté à l'exécution"),
    Grant.special_access: Text(
        "the user switches it on in a settings screen", "l'utilisateur l'active dans un écran de paramètres"
    ),
    Grant.administrator: Text(
        "an administrator, or the user in an administrator's place, agrees",
        "un administrateur, ou l'utilisateur agissant à ce titre, y consent",
    ),
    Grant.never: Text("an app from a store cannot hold it", "une application de boutique ne peut l'obtenir"),
    Grant.unknown: Text("who must agree is not known", "on ignore qui doit y consentir"),
}

RATINGS: dict[Rating, Text] = {
    Rating.limited: Text("limited", "limité"),
    Rating.moderate: Text("moderate", "modéré"),
    Rating.considerable: Text("considerable", "considérable"),
    Rating.pervasive: Text("pervasive", "généralisé"),
    Rating.inconclusive: Text("inconclusive", "non concluant"),
}


def rating_word(rating: str) -> Text:
    """The word for a rating out of a document; one that this release does not know stays as it stands there."""
    return RATINGS[Rating(rating)] if rating in set(Rating) else both(rating)


THE_APP = Text("the app", "l'application")
UNATTRIBUTED = Text("code of unknown origin", "du code d'origine inconnue")


def actor_name(actor: Actor) -> Text:
    """What to call an actor in a sentence; "" for a mere declaration, which nobody does."""
    if actor.kind is ActorKind.sdk:
        return both(actor.name)
    return {ActorKind.app: THE_APP, ActorKind.unattributed: UNATTRIBUTED}.get(actor.kind, Text("", ""))


def actor_names(findings: Iterable[Finding]) -> list[Text]:
    """Whose code it is, each once: the app, then SDKs by how much of it is theirs, then code of unknown origin."""
    order = (ActorKind.app, ActorKind.sdk, ActorKind.unattributed, ActorKind.declaration)
    ranked = sorted(findings, key=lambda one: (order.index(one.actor.kind), -one.evidence_total, one.actor.sdk))
    return list(dict.fromkeys(name for one in ranked if (name := actor_name(one.actor)).en))


def both(word: str) -> Text:
    """A name that is the same in both languages."""
    return Text(word, word)


def listed(parts: Sequence[Text]) -> Text:
    """``a``, ``a and b``, ``a, b and c``; where a part has an "and" of its own, ``a and b; c``."""
    if not parts:
        return Text("", "")
    return Text(_listed([one.en for one in parts], "and"), _listed([one.fr for one in parts], "et"))


def _listed(parts: list[str], word: str) -> str:
    if any(f" {word} " in part for part in parts):
        return "; ".join(parts)
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def few(parts: Sequence[Text], most: int = 5) -> Text:
    """The first few of a list and how many more there are."""
    if len(parts) <= most:
        return listed(parts)
    more = len(parts) - most
    return listed([*parts[:most], Text(f"{more} more", f"{more} autre{'s' if more > 1 else ''}")])
