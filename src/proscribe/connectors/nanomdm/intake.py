"""From the inbox to what is remembered of devices and commands."""

from __future__ import annotations

from proscribe.clock import Clock
from proscribe.connectors.memory import Watch
from proscribe.connectors.nanomdm.config import NanomdmConfig
from proscribe.connectors.nanomdm.records import Records


def take_in(records: Records, config: NanomdmConfig, clock: Clock, watch: Watch, *, limit: int = 1_000) -> int:
    """Deal with messages of the inbox, oldest first; how many."""
    return len(records.memory.unread(limit))
