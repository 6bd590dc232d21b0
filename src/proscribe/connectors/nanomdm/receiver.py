"""The webhook's receiving end, as an ASGI application: what it answers 200 to is stored."""

from __future__ import annotations

from proscribe.clock import Clock
from proscribe.connectors.base import AsgiApp
from proscribe.connectors.memory import Memory
from proscribe.connectors.nanomdm.config import NanomdmConfig


def receiver(config: NanomdmConfig, memory: Memory, clock: Clock) -> AsgiApp:
    """The application. Raises InvalidConfiguration where the webhook's key cannot be read."""
    raise LookupError(f"no receiver yet for {config.listen or memory or clock}")
