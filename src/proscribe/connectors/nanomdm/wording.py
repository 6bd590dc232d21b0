"""What following up says, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from proscribe.connectors.base import ConnectorFault
from proscribe.text import Text, devices, plural

_COMMANDS = (Text("command", "commande"), Text("commands", "commandes"))

_HAPPENED: Mapping[str, Text] = {
    "delivered": Text("The edition of their group was queued for", "L'édition du groupe a été mise en file pour"),
    "withdrawn": Text("Entries of an earlier group are taken off", "Retrait d'entrées d'un groupe antérieur sur"),
    "converted": Text("A conversion that was lost was queued again for", "Conversion perdue remise en file pour"),
    "removed_sent": Text("The removal of an app was queued for", "Retrait d'une application mis en file pour"),
}


def happened(counts: Mapping[str, int]) -> Iterator[Text]:
    """A sentence for each kind of change that was put into queues. Questions are counted only."""
    for name, said in _HAPPENED.items():
        if counts.get(name):
            yield said + Text(" ", " ") + devices(counts[name]) + Text(".", ".")


def base_changed(scope: str) -> Text:
    """The organisation's own profile is another one now."""
    return Text(
        f"The organisation's own profile of {scope} changed; merged with the banned apps it is brought to its devices.",
        f"Le profil propre à l'organisation de {scope} a changé; fusionné avec les applications interdites, il est "
        "transmis aux appareils.",
    )


def base_gone(scope: str, group: str) -> Text:
    """The organisation's own profile is no longer there."""
    return Text(
        f"{scope}: profiles/{group}.mobileconfig is gone, and devices still carry it merged with the banned apps. "
        "Put it back; to give it up, put one there with the same identifier and nothing in it.",
        f"{scope}\N{NO-BREAK SPACE}: profiles/{group}.mobileconfig a disparu, et les appareils le portent encore, "
        "fusionné avec les applications interdites. Remettez-le; pour y renoncer, placez-y un profil vide de même "
        "identifiant.",
    )


def healed(gaps: int, asked: int) -> Text:
    """Events may have been lost, and every device was asked anew."""
    count, times = devices(asked), plural(gaps, Text("time", "période"), Text("times", "périodes"))
    return Text(
        f"Events may have been lost while nobody listened ({times.en}): {count.en} asked anew.",
        f"Des événements ont pu se perdre faute d'écoute ({times.fr})\N{NO-BREAK SPACE}: "
        f"nouvelle demande à {count.fr}.",
    )


def not_woken(count: int, why: str) -> Text:
    """Commands are queued, and nobody told the devices."""
    told = devices(count)
    return Text(
        f"{told.en} could not be woken ({why}); the commands are queued and reach them when they next call.",
        f"{told.fr}\N{NO-BREAK SPACE}: réveil impossible ({why}); les commandes sont en file et seront remises au "
        "prochain contact.",
    )


def spared(count: int) -> Text:
    """Second steps of removals that a records hold or an exemption came before."""
    told = devices(count)
    return Text(
        f"{told.en}: a removal was begun and is not brought to its end, for a records hold or an exemption came since.",
        f"{told.fr}\N{NO-BREAK SPACE}: un retrait a été entamé et n'est pas mené à terme, car une mise en suspens de "
        "l'élimination ou une exemption est intervenue depuis.",
    )


def paused(until: datetime) -> Text:
    """The system asked to be left alone."""
    moment = until.strftime("%Y-%m-%d %H:%M:%S UTC")
    return Text(
        f"NanoMDM asked for a pause: nothing is sent before {moment}.",
        f"NanoMDM a demandé une pause\N{NO-BREAK SPACE}: rien n'est envoyé avant {moment}.",
    )


def fault(error: ConnectorFault, failed: int = 0, left: int = 0) -> Text:
    """What stood in the way, and how much is still to be sent."""
    count = plural(failed + left, *_COMMANDS)
    more = Text(f" ({count.en} to be sent again)", f" ({count.fr} à renvoyer)") if failed + left else Text("", "")
    return error.what + more + Text(". ", ". ") + error.remedy
