"""What connectors that speak HTTP have in common."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import ssl


def is_loopback(endpoint: str) -> bool:
    """Whether an address is on this machine."""
    try:
        host = urlsplit(endpoint).hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@cache
def trusted(*, trust_env: bool) -> ssl.SSLContext:
    """The authorities that vouch for a server, read once a process: they fill a large file, and every round of a
    department opens its clients anew. ``trust_env``: those that the environment names, where it does."""
    import httpx  # kept out of start-up

    return httpx.create_ssl_context(trust_env=trust_env)


def retry_after(text: str, now: datetime) -> float | None:
    """``Retry-After`` in seconds: a number, or a date. None where it says nothing usable."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
