"""The connector as the loop sees it: the pure half, and what reads, writes, follows up and listens."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from proscribe.connectors.base import (
    AsgiApp,
    Batch,
    FollowUp,
    InvalidConfiguration,
    Order,
    Prepared,
    Receipt,
    UnusableSetUp,
)
from proscribe.connectors.memory import Surroundings
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.config import from_settings as read_settings
from proscribe.connectors.nanomdm.system import NanomdmSystem
from proscribe.errors import UnreadableFile

if TYPE_CHECKING:
    import httpx

    from proscribe.connectors.nanomdm.act import Writer
    from proscribe.connectors.nanomdm.means import Means
    from proscribe.connectors.nanomdm.records import Records

_INBOX_PAGE = 1_000
_INBOX_PAGES = 100


class NanomdmConnector(NanomdmSystem):
    """Apple devices through NanoMDM, with declarations through KMFDDM where that is configured.

    Implements ``connectors.base.Connector``, ``FollowsUp`` and ``Listens``. ``transport`` is for tests.
    """

    def __init__(
        self, config: NanomdmConfig, around: Surroundings, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        super().__init__(config)
        self.config = config
        self._around = around
        self._transport = transport

    def observe(self, cursor: str = "") -> Iterator[Batch]:
        """Every device, app and scope from what is remembered, page by page, once the inbox was dealt with."""
        from proscribe.connectors.nanomdm.observe import observe

        around = self._around
        with _set_up():
            if not cursor:
                self._take_in_all()
            yield from observe(self.config, self._records, self._means.roster, around.watch(), around.clock, cursor)

    def prepare(self, order: Order) -> Prepared:
        """The scope as our records have it, once the inbox was dealt with. Raises Rejected for a foreign order."""
        with _set_up():
            self._take_in_all()
            return self._writer.prepare(order)

    def send(self, order: Order, prepared: Prepared) -> Receipt:
        """Merge the order into its scope, or take its apps off its device. Raises a ConnectorFault."""
        with _set_up():
            return self._writer.send(order, prepared)

    def retract(self, order: Order, prior: str) -> Receipt:
        """Take our entries of the order's apps back. An app that was removed is not put back. Raises ConnectorFault."""
        with _set_up():
            return self._writer.retract(order, prior)

    def follow_up(
        self, *, frozen: bool, spared: frozenset[str] = frozenset(), exempt: frozenset[str] = frozenset()
    ) -> FollowUp:
        """Take in what devices said and bring on what was accepted, device by device. Raises a ConnectorFault."""
        from proscribe.connectors.nanomdm.follow_up import follow_up

        with _set_up():
            taken = self._take_in_all()
            return follow_up(self._means, frozen=frozen, spared=spared, exempt=exempt, taken_in=taken)

    @property
    def listen(self) -> str:
        """``host:port`` of the webhook receiver; "" where it is not wanted."""
        return self.config.listen

    def receiver(self) -> AsgiApp:
        """The webhook receiver: what it answers 200 to is stored."""
        from proscribe.connectors.nanomdm.receiver import receiver

        return receiver(self.config, self._around.memory, self._around.clock)

    def take_in(self, *, limit: int = _INBOX_PAGE) -> int:
        """Deal with messages of the inbox; how many."""
        from proscribe.connectors.nanomdm.intake import take_in

        around = self._around
        return take_in(self._records, self.config, around.clock, around.watch(), limit=limit)

    def close(self) -> None:
        """Close the connections."""
        if "_means" in self.__dict__:
            self._means.close()

    def _take_in_all(self) -> int:
        """All that is there, and not for ever what comes meanwhile."""
        taken = 0
        for _ in range(_INBOX_PAGES):
            taken += (number := self.take_in())
            if number < _INBOX_PAGE:
                break
        return taken

    @cached_property
    def _records(self) -> Records:
        from proscribe.connectors.nanomdm.records import Records

        return Records(self._around.memory)

    @cached_property
    def _means(self) -> Means:
        from proscribe.connectors.nanomdm.means import Means

        return Means(self.config, self._records, self._around, transport=self._transport)

    @cached_property
    def _writer(self) -> Writer:
        from proscribe.connectors.nanomdm.act import Writer

        return Writer(self._means, self)


@contextmanager
def _set_up() -> Iterator[None]:
    """A file of the organisation's that is missing or wrong stops this system, and no other."""
    try:
        yield
    except (InvalidConfiguration, UnreadableFile) as error:
        raise UnusableSetUp(error.what, remedy=error.remedy, where=error.where) from error


def from_settings(settings: Mapping[str, str], around: Surroundings) -> NanomdmConnector:
    """The connector that a section of the settings file describes. Raises InvalidConfiguration."""
    return NanomdmConnector(read_settings(settings, around.home), around)
