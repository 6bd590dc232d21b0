"""What acting takes: the records, the two servers, the clock, and the organisation's files as they are now."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from proscribe.connectors.memory import Surroundings
from proscribe.connectors.nanomdm.base_profile import PROFILE, profile_files
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.records import Records
from proscribe.connectors.nanomdm.roster import Roster, read_roster
from proscribe.connectors.nanomdm.scopes import View

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from proscribe.connectors.nanomdm.ddm import KmfddmWire
    from proscribe.connectors.nanomdm.profile import Base
    from proscribe.connectors.nanomdm.wire import NanomdmWire

T = TypeVar("T")


class Means:
    """One connector's hands. The wires are opened when first used: preparing an order needs none."""

    def __init__(
        self,
        config: NanomdmConfig,
        records: Records,
        around: Surroundings,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.config = config
        self.records = records
        self.clock = around.clock
        self._around = around
        self._transport = transport
        self._read: dict[Path, tuple[tuple[int, int], object]] = {}

    @cached_property
    def wire(self) -> NanomdmWire:
        """NanoMDM. Threads may share it."""
        from proscribe.connectors.nanomdm.wire import NanomdmWire

        return NanomdmWire(self.config, clock=self.clock, transport=self._transport)

    @cached_property
    def ddm(self) -> KmfddmWire:
        """KMFDDM. Threads may share it. Raises InvalidConfiguration where none is configured."""
        from proscribe.connectors.nanomdm.ddm import KmfddmWire

        return KmfddmWire(self.config, clock=self.clock, transport=self._transport)

    def close(self) -> None:
        """Close what was opened."""
        for name in ("wire", "ddm"):
            if name in self.__dict__:
                self.__dict__[name].close()

    @property
    def roster(self) -> Roster:
        """The organisation's roster. Raises UnreadableFile, InvalidRoster."""
        path = self.config.roster
        return read_roster(None) if path is None else self._once(path, read_roster)

    def is_frozen(self) -> bool:
        """Whether nothing that changes a device may be sent at the moment."""
        return self._around.frozen()

    def base(self, group: str) -> Base | None:
        """The organisation's own profile of a group; None where there is none. Raises UnreadableFile and others."""
        folder = self.config.profiles
        if folder is None:
            return None
        from proscribe.connectors.nanomdm.profile import read_base

        return self._once(folder / f"{group}{PROFILE}", read_base)

    def view(self) -> View:
        """Everything that scopes and devices are looked at with, as it is now."""
        found = {path.name.removesuffix(PROFILE) for path in profile_files(self.config)}
        bases = {group: base for group in sorted(found) if (base := self.base(group)) is not None}
        return View(
            config=self.config,
            roster=self.roster,
            watch=self._around.watch(),
            now=self.clock.now(),
            groups=self.records.groups(),
            bases=bases,
        )

    def _once(self, path: Path, read: Callable[[Path], T]) -> T:
        """Read a file again only once it has changed: an order for each of 20,000 devices needs the roster."""
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
        except OSError:
            stamp = (0, 0)
        known = self._read.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, read(path))
            self._read[path] = known
        return known[1]  # type: ignore[return-value]
