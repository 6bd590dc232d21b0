"""What keeps us from hearing devices, as a person should be told: nobody listens, or what comes is turned away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from proscribe.connectors.nanomdm.base_profile import PROFILE
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.records import Records
from proscribe.connectors.nanomdm.roster import Roster
from proscribe.inventory.model import Problem
from proscribe.text import Text, plural

SILENCE = timedelta(days=1)
"""How long the receiver may leave no sign before it is spoken of."""

_SIGNATURE = "refused.signature"
_REFUSED = "refused."
_RECEIVER = "receiver"


def notices(records: Records, config: NanomdmConfig, now: datetime, *, known: bool) -> Iterator[Problem]:
    """What to say of the receiver. ``known``: whether any device is known at all."""
    counters = records.memory.counters()
    if not known:
        yield Problem(_RECEIVER, 0, "", *_nobody())
    elif config.listen:
        last = (records.memory.get(_RECEIVER, "heartbeat") or {}).get("at", "")
        if last and now - datetime.fromisoformat(last) > SILENCE:
            yield Problem(_RECEIVER, 0, "", *_silent(datetime.fromisoformat(last)))
    forged = counters.get(_SIGNATURE, 0)
    if forged:
        yield Problem(_RECEIVER, 0, "webhook_key", *_forged(forged))
    others = sum(count for name, count in counters.items() if name.startswith(_REFUSED)) - forged
    if others:
        yield Problem(_RECEIVER, 0, "", *_unreadable(others))


def unused(files: Iterable[str], roster: Roster, config: NanomdmConfig) -> Iterator[Problem]:
    """The organisation's own profiles that are of no group. ``files``: the groups that they are named after."""
    groups = {config.default_group, *(place.group for place in (*roster.by_id.values(), *roster.by_serial.values()))}
    for name in sorted(set(files) - groups):
        yield Problem(f"{name}{PROFILE}", 0, "", *_of_no_group(name))


def _of_no_group(name: str) -> tuple[Text, Text]:
    return Text(
        f"the profile is not used: no row of the roster is in a group {name!r}",
        f"ce profil ne sert pas\N{NO-BREAK SPACE}: aucune ligne du fichier des appareils n'est dans un groupe {name!r}",
    ), Text(
        "Name the file exactly as the group, capitals included, or take it away.",
        "Donnez au fichier exactement le nom du groupe, majuscules comprises, ou retirez-le.",
    )


def _nobody() -> tuple[Text, Text]:
    return Text(
        "no device is known yet: NanoMDM reports devices through its webhook only",
        "aucun appareil n'est encore connu\N{NO-BREAK SPACE}: NanoMDM ne signale les appareils que par son webhook",
    ), Text(
        "Keep 'proscribe receive' running, start NanoMDM with -webhook-url and -webhook-hmac-key, and observe again "
        "once devices have called.",
        "Laissez «\N{NO-BREAK SPACE}proscribe receive\N{NO-BREAK SPACE}» en marche, démarrez NanoMDM avec -webhook-url "
        "et -webhook-hmac-key, puis observez de nouveau après le premier contact des appareils.",
    )


def _silent(last: datetime) -> tuple[Text, Text]:
    return Text(
        f"nobody has listened to NanoMDM since {last:%Y-%m-%d %H:%M} UTC, and what it sends meanwhile is lost",
        f"personne n'écoute NanoMDM depuis le {last:%Y-%m-%d %H:%M} UTC, et ce qu'il envoie entre-temps est perdu",
    ), Text(
        "Start 'proscribe receive' and keep it running. Every device is then asked again.",
        "Lancez «\N{NO-BREAK SPACE}proscribe receive\N{NO-BREAK SPACE}» et laissez cette commande en marche. Chaque "
        "appareil sera alors interrogé de nouveau.",
    )


def _forged(count: int) -> tuple[Text, Text]:
    events = _refused(count)
    return Text(
        f"{events.en}, because not signed with the webhook key",
        f"{events.fr}, faute de signature avec la clé du webhook",
    ), Text(
        "If the number grows, compare the key with that of NanoMDM (-webhook-hmac-key). If they are the same, somebody "
        "else sends these messages.",
        "Si le nombre augmente, comparez la clé avec celle de NanoMDM (-webhook-hmac-key). Si elles sont identiques, "
        "quelqu'un d'autre envoie ces messages.",
    )


def _unreadable(count: int) -> tuple[Text, Text]:
    messages = _refused(count)
    return Text(
        f"{messages.en} for a reason other than the signature (damaged, too large, not from NanoMDM, overload)",
        f"{messages.fr} pour une raison autre que la signature (endommagé, trop gros, étranger à NanoMDM, surcharge)",
    ), Text(
        "If the number grows, find out who sends to the webhook. 'proscribe receive' shows the reasons when it stops.",
        "Si le nombre augmente, voyez qui envoie des messages au webhook. «\N{NO-BREAK SPACE}proscribe "
        "receive\N{NO-BREAK SPACE}» en indique les raisons à son arrêt.",
    )


def _refused(count: int) -> Text:
    return plural(
        count,
        Text("message was refused so far", "message refusé jusqu'ici"),
        Text("messages were refused so far", "messages refusés jusqu'ici"),
    )
