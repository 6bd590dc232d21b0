"""Why an outcome is what it is, in words a person can act on. Pure text."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from proscribe.enforce.model import Outcome
from proscribe.enforce.wording import listed
from proscribe.inventory.model import Freshness
from proscribe.text import Text, plural

NO_LIST = Text(
    "The device is known, but its app list is not.",
    "L'appareil est connu, mais sa liste d'applications ne l'est pas.",
)
UNCERTAIN_APP = Text(
    "An app that may be the banned one is listed; its identifier is not certain enough to act on.",
    "Une application qui pourrait être celle qui est visée figure dans la liste; son identifiant n'est pas assez sûr "
    "pour agir.",
)
NOTHING_ENFORCED_INVISIBLE = Text(
    "Nothing is enforced here, and a part of the device cannot be seen.",
    "Rien n'est appliqué ici, et une partie de l'appareil est invisible.",
)
LISTED_AT_UNKNOWN_TIME = Text(
    "The app is listed, but the source does not say when the device took the list.",
    "L'application figure dans la liste, mais la source n'indique pas quand l'appareil l'a dressée.",
)
NOT_SHOWN = Text(
    "The device has applied the order that keeps the app from being used and leaves it in place, with its data; its "
    "reports cannot show whether the app can be launched, nor prove that it is gone.",
    "L'appareil a appliqué l'ordre qui empêche l'usage de l'application et la laisse en place, avec ses données; ses "
    "rapports ne peuvent ni montrer si elle peut être lancée ni prouver qu'elle n'y est plus.",
)
CONTAINED = Text(
    "The app is listed but cannot be launched.",
    "L'application figure dans la liste, mais elle ne peut être lancée.",
)
PERSONAL_INVISIBLE = Text(
    "The managed part is clean; the personal part of the device can be neither seen nor reached.",
    "La partie gérée est conforme; la partie personnelle de l'appareil ne peut être ni vue ni atteinte.",
)
PART_INVISIBLE = Text(
    "What can be seen is clean; a part of the device cannot be seen.",
    "Ce qui est visible est conforme; une partie de l'appareil est invisible.",
)
ENROLMENT_UNKNOWN = Text(
    "The app is not listed, but how the device is enrolled is unknown, and so is what of it cannot be seen.",
    "L'application ne figure pas dans la liste, mais on ignore le mode d'inscription de l'appareil et sa part cachée.",
)
ENFORCED_BLIND = Text(
    "The work side is clean; the personal side carries the block, and reports nothing back.",
    "Le côté professionnel est conforme; le blocage est en place du côté personnel, qui ne rend compte de rien.",
)
NOTHING_KEEPS_IT_OUT = Text(
    " Nothing that Proscribe can order keeps the app from coming back.",
    " Rien de ce que Proscribe peut ordonner n'empêche le retour de l'application.",
)
PERSONAL_NOT_ENFORCED = Text(
    "The work side is clean; on the personal side nothing is enforced and nothing can be seen.",
    "Le côté professionnel est conforme; du côté personnel, rien n'est appliqué et rien n'est visible.",
)

_FRESHNESS = {
    Freshness.reported: Text(
        "The app is not listed, but the source gives the time of the report and not the time the device took the list.",
        "L'application ne figure pas dans la liste, mais la source donne l'heure du rapport et non celle du relevé par "
        "l'appareil.",
    ),
    Freshness.imported: Text(
        "The app is not listed, but the source does not say when the list was taken.",
        "L'application ne figure pas dans la liste, mais la source n'indique pas quand celle-ci a été dressée.",
    ),
}

_REMARKED = {
    Outcome.pending_locked: Text(
        "The device is locked; it will act when its user unlocks it.",
        "L'appareil est verrouillé; il agira quand son utilisateur le déverrouillera.",
    ),
    Outcome.pending_vendor_approval: Text(
        "The management system waits for an approval of its own.",
        "Le système de gestion attend une approbation qui lui est propre.",
    ),
    Outcome.refused_by_user: Text(
        "The user declined the change on the device.",
        "L'utilisateur a refusé le changement sur l'appareil.",
    ),
    Outcome.failed: Text(
        "The device refused the change and reported an error.",
        "L'appareil a refusé le changement et signalé une erreur.",
    ),
    Outcome.pending_sync: Text(
        "The device has received the change and reports that it is not done yet.",
        "L'appareil a reçu le changement et signale qu'il n'est pas encore exécuté.",
    ),
}


def _at(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S UTC")


def stale(observed_at: datetime | None, days: int) -> Text:
    """The list is too old."""
    if observed_at is None:
        return Text(
            "The app list is too old to say anything.",
            "La liste d'applications est trop ancienne pour qu'on puisse conclure.",
        )
    if days <= 0:
        return Text(
            f"The app list of {_at(observed_at)} is too old to say anything.",
            f"La liste d'applications du {_at(observed_at)} est trop ancienne pour qu'on puisse conclure.",
        )
    bound = plural(days, Text("day", "jour"), Text("days", "jours"))
    return Text(
        f"The app list of {_at(observed_at)} is older than this source's bound of {bound.en}.",
        f"La liste d'applications du {_at(observed_at)} dépasse la limite de {bound.fr} de cette source.",
    )


def not_sent(wave: int) -> Text:
    """The order is still with us."""
    return Text(
        f"The order has not been accepted yet; it belongs to wave {wave}.",
        f"L'ordre n'a pas encore été accepté; il fait partie de la vague {wave}.",
    )


def rejected(error: str) -> Text:
    """The system said no for good."""
    return Text(
        f"The management system refused the order: {error}.",
        f"Le système de gestion a refusé l'ordre : {error}.",
    )


def left_out(refused: Text | None) -> Text:
    """The app is there and the plan leaves the device out."""
    if refused is None:
        return Text(
            "The app is on the device, and no order covers the device.",
            "L'application est sur l'appareil, et aucun ordre ne vise celui-ci.",
        )
    return Text("The app is on the device; not ordered: ", "L'application est sur l'appareil; non ordonné : ") + refused


def nothing_enforced(refused: Text | None) -> Text:
    """No list proves anything while nothing keeps the app out."""
    if refused is None:
        return Text(
            "The app is not listed, but nothing is enforced here that would keep it out.",
            "L'application ne figure pas dans la liste, mais rien ici n'empêche son installation.",
        )
    return (
        Text("The app is not listed; not ordered: ", "L'application ne figure pas dans la liste; non ordonné : ")
        + refused
    )


def unproved(freshness: Freshness) -> Text:
    """The list's time is not the device's own."""
    return _FRESHNESS.get(freshness, _FRESHNESS[Freshness.imported])


def clock_ahead(observed_at: datetime) -> Text:
    """A time from the future."""
    return Text(
        f"The device says that it took its list at {_at(observed_at)}, which has not come yet: its clock is wrong.",
        f"L'appareil déclare avoir dressé sa liste le {_at(observed_at)}, une date future : son horloge est fausse.",
    )


def seen_before(observed_at: datetime | None, moment: datetime) -> Text:
    """The list is from before the ban."""
    return Text(
        f"The newest list ({_at(observed_at)}) was taken before the order was accepted ({_at(moment)}).",
        f"La liste la plus récente ({_at(observed_at)}) précède l'acceptation de l'ordre ({_at(moment)}).",
    )


def not_applied(applied_scope: str, applied_version: int, scope: str, version: int) -> Text:
    """The device runs something else than what carries the ban."""
    if applied_scope != scope:
        runs = applied_scope or "?"
        return Text(
            f"The device applies {runs}, not {scope} version {version}, which carries the order.",
            f"L'appareil applique {runs} et non {scope}, version {version}, qui porte l'ordre.",
        )
    return Text(
        f"The device has applied version {applied_version}; the order is in version {version}.",
        f"L'appareil a appliqué la version {applied_version}; l'ordre figure dans la version {version}.",
    )


def remarked(outcome: Outcome) -> Text:
    """What the device itself gives as the reason."""
    return _REMARKED[outcome]


def not_complied(remarks: Iterable[str]) -> Text:
    """The device says it could not."""
    told = listed(remarks)
    return Text(
        f"The device reports that it could not comply: {told}.",
        f"L'appareil signale qu'il n'a pu se conformer : {told}.",
    )


def not_in_order(apps: Iterable[str]) -> Text:
    """The app found is not among those ordered."""
    names = listed(apps)
    return Text(
        f"{names} is on the device, and no order in force names it.",
        f"{names} est sur l'appareil, et aucun ordre en vigueur ne vise cette application.",
    )


def still_there(apps: Iterable[str], remarks: Iterable[str], *, returned: bool) -> Text:
    """The ban has arrived and the app is still there, or there again."""
    names = listed(apps)
    text = (
        Text(
            f"{names} was gone and is on the device again.", f"{names} avait disparu et est de nouveau sur l'appareil."
        )
        if returned
        else Text(
            f"The device has applied the order, and {names} is still on it.",
            f"L'appareil a appliqué l'ordre, et {names} s'y trouve toujours.",
        )
    )
    told = listed(remarks)
    if not told:
        return text
    return text + Text(f" The device reports: {told}.", f" L'appareil signale : {told}.")


def removed(observed_at: datetime | None) -> Text:
    """Seen before, gone now."""
    return Text(
        f"It was on the device; the list of {_at(observed_at)}, taken under the order, no longer has it.",
        f"Elle était sur l'appareil; la liste du {_at(observed_at)}, dressée sous l'effet de l'ordre, ne l'a plus.",
    )


def absent(observed_at: datetime | None) -> Text:
    """Never seen, and kept out."""
    return Text(
        f"Not on the list of {_at(observed_at)}, taken under the order.",
        f"Absente de la liste du {_at(observed_at)}, dressée sous l'effet de l'ordre.",
    )


def exempt(ground: str, expires: date) -> Text:
    """A person allowed it."""
    return Text(f"Exempt until {expires}: {ground}", f"Exempté jusqu'au {expires} : {ground}")
