"""What following up says, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from proscribe.connectors.base import ConnectorFault
from proscribe.text import Text, devices, plural

_COMMANDS = (Text("command", "commande"), Text("commands", "commandes"))

_HAPPENED: Mapping[str, Text] = {
    "delivered": Text(
        "The blocks of their group were queued for", "Les blocages de leur groupe ont été mis en file pour"
    ),
    "withdrawn": Text(
        "The blocks of an earlier group are taken off", "Les blocages d'un groupe antérieur sont retirés de"
    ),
    "converted": Text("A lost conversion was queued again for", "Une conversion perdue a été remise en file pour"),
    "removed_sent": Text("The removal of an app was queued for", "Le retrait d'une application a été mis en file pour"),
}


def happened(counts: Mapping[str, int]) -> Iterator[Text]:
    """A sentence for each kind of change that was put into queues. Questions are counted only."""
    for name, said in _HAPPENED.items():
        if counts.get(name):
            yield said + Text(" ", " ") + devices(counts[name]) + Text(".", ".")


def base_changed(scope: str) -> Text:
    """The organisation's own profile is another one now."""
    return Text(
        f"The organisation's own profile for {scope} changed. It is merged with the banned apps and sent again.",
        f"Le profil de l'organisation pour {scope} a changé. Il est fusionné avec les applications interdites et "
        "envoyé de nouveau.",
    )


def base_gone(scope: str, group: str) -> tuple[Text, Text]:
    """The organisation's own profile is no longer there, and what to do."""
    return Text(
        f"{scope}: profiles/{group}.mobileconfig is gone, and devices still have it, merged with the banned apps",
        f"{scope}\N{NO-BREAK SPACE}: profiles/{group}.mobileconfig a disparu, mais des appareils l'ont encore, "
        "fusionné avec les applications interdites",
    ), Text(
        "Put it back; until then no new change is made to this group. To give the profile up, put an empty one with "
        "the same identifier there.",
        "Remettez-le en place; d'ici là, ce groupe ne reçoit aucun nouveau changement. Pour renoncer au profil, mettez "
        "à sa place un profil vide de même identifiant.",
    )


def healed(gaps: int, asked: int) -> Text:
    """Events may have been lost, and every device was asked anew."""
    times = plural(gaps, Text("time", "période"), Text("times", "périodes"))
    count = plural(
        asked,
        Text("device is asked again", "appareil est interrogé de nouveau"),
        Text("devices are asked again", "appareils sont interrogés de nouveau"),
    )
    return Text(
        f"Messages may have been lost while nobody was listening ({times.en}). {count.en}.",
        f"Des messages ont pu se perdre alors que personne n'écoutait ({times.fr}). {count.fr}.",
    )


def not_woken(count: int, why: str) -> Text:
    """Commands are queued, and nobody told the devices."""
    told = devices(count)
    return Text(
        f"{told.en} could not be woken ({why}). Their commands are queued and reach them when they next "
        "call. If it lasts, check the push certificate of NanoMDM.",
        f"{told.fr}\N{NO-BREAK SPACE}: réveil impossible ({why}). Les commandes sont en file et seront remises au "
        "prochain contact. Si cela dure, vérifiez le certificat de notification push de NanoMDM.",
    )


def spared(count: int) -> Text:
    """Second steps of removals that a records hold or an exemption came before."""
    told = devices(count)
    return Text(
        f"{told.en}: a removal was begun and is not completed, because a records hold or an exemption came since.",
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
