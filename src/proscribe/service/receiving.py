"""Listen to systems that tell things by themselves, and deal with what they tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from proscribe.connectors.base import Listens
from proscribe.errors import ProscribeError, Where
from proscribe.service.config import FILE, InvalidSettings
from proscribe.service.installation import Installation
from proscribe.text import Text

if TYPE_CHECKING:
    import socket

_PAGE = 200
_PAUSE = 1.0  # seconds between looks into an empty inbox
_BREATH = 0.02  # seconds at least between two pages


@dataclass(frozen=True, slots=True)
class Received:
    """What became of what was sent while we listened: counts by system, by what they count."""

    listened_on: Mapping[str, str]  # by system
    counts: Mapping[str, Mapping[str, int]]
    faults: tuple[Text, ...] = ()  # why messages of the inbox had to wait; those that still wait are not lost


def receive(
    installation: Installation, *, stop: threading.Event, on_start: Callable[[Mapping[str, str]], None]
) -> Received:
    """Serve every connector that listens until ``stop`` is set, dealing with messages as they come.

    ``on_start`` is told the address of each system once all of them are served. Messages that were acknowledged and not
    dealt with at the end wait in the store. Raises InvalidSettings where nothing is to be listened to or an address
    cannot be used, and what the store raises.
    """
    from proscribe.service.serving import Site, serve

    listening = _listening(installation)
    before = {name: _counters(name) for name in listening}
    sites: list[Site] = []
    try:
        for name, connector in listening.items():
            sites.append(Site(connector.receiver(), _bound(installation, name, connector.listen)))
        takers = [_Taker(name, connector) for name, connector in listening.items()]
        addresses = {name: connector.listen for name, connector in listening.items()}

        def started() -> None:
            for taker in takers:
                taker.start()
            on_start(addresses)

        try:
            served = serve(sites, stop=stop, on_start=started)
        finally:
            for taker in takers:
                taker.stop()
    finally:
        for site in sites:
            site.socket.close()
    if not served:
        raise _not_served(installation)
    counts = {name: _difference(_counters(name), before[name]) for name in listening}
    faults = tuple(dict.fromkeys(fault for taker in takers for fault in taker.faults))
    return Received(addresses, counts, faults)


class _Taker:
    """Deals with the messages of one system, on a thread of its own. A fault is told, and tried again."""

    def __init__(self, name: str, connector: Listens) -> None:
        self._connector = connector
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"inbox-{name}", daemon=True)
        self.faults: list[Text] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            began = time.monotonic()
            busy = self._page() > 0
            # Receiving comes first: half of the time belongs to others, however much is waiting.
            self._stop.wait(max(_BREATH, time.monotonic() - began) if busy else _PAUSE)

    def _page(self) -> int:
        try:
            return self._connector.take_in(limit=_PAGE)
        except ProscribeError as error:
            fault = error.what + Text(". ", ". ") + error.remedy
        except Exception as error:  # noqa: BLE001 (messages must be received whatever becomes of them after)
            fault = Text(
                f"A fault of the program: {error!r}. The messages are kept and tried again; please report this.",
                f"Erreur du programme : {error!r}. Les messages sont conservés et repris; veuillez signaler l'erreur.",
            )
        if fault not in self.faults:
            self.faults.append(fault)
        return 0


def _listening(installation: Installation) -> dict[str, Listens]:
    """The connectors that listen, by system. Raises InvalidSettings where none does."""
    found: dict[str, Listens] = {
        name: connector
        for name, connector in installation.connectors.items()
        if isinstance(connector, Listens) and connector.listen
    }
    if not found:
        raise InvalidSettings(
            Text(
                "no system of this installation has an address to listen on",
                "aucun système de cette installation n'a d'adresse d'écoute",
            ),
            remedy=Text(
                'Give the table of the system an address, for example listen = "127.0.0.1:9005".',
                'Donnez une adresse à la table du système, par exemple listen = "127.0.0.1:9005".',
            ),
            where=Where(file=str(installation.home / FILE), field="systems"),
        )
    return found


def _bound(installation: Installation, name: str, listen: str) -> socket.socket:
    """The socket of ``host:port``. Raises InvalidSettings where the address is taken or is not ours."""
    import socket

    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, int(port)), family=family, backlog=2_048)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InvalidSettings(
            Text(f"cannot listen on {listen}: {reason}", f"impossible d'écouter sur {listen}\u00a0: {reason}"),
            remedy=Text(
                "Stop the process that uses this address. Or choose another address, and give it to the system too.",
                "Arrêtez le processus qui occupe cette adresse. Ou choisissez une autre adresse et indiquez-la aussi "
                "au système.",
            ),
            where=Where(file=str(installation.home / FILE), field=f"systems.{name}.listen"),
        ) from error


def _not_served(installation: Installation) -> InvalidSettings:
    return InvalidSettings(
        Text("listening could not be started", "l'écoute n'a pas pu être lancée"),
        remedy=Text(
            "Check that the database of this installation can be written to, then start again.",
            "Vérifiez que la base de données de cette installation est accessible en écriture, puis relancez la "
            "commande.",
        ),
        where=Where(file=str(installation.home / FILE), field="systems"),
    )


def _counters(name: str) -> Mapping[str, int]:
    from proscribe.store.repositories import Memory

    return Memory(name).counters()


def _difference(after: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    return {name: by for name, value in after.items() if (by := value - before.get(name, 0))}
