"""Registrable domains, by the Public Suffix List that comes with ``publicsuffixlist``. Never goes online."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList


@cache
def _list() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # reads 16,000 rules: only when a host is to be shown

    return PublicSuffixList()


def registrable(host: str) -> str:
    """``a.b.example.co.uk`` gives ``example.co.uk``; "" for an address, a public suffix or a bare label."""
    name = host.lower().rstrip(".")
    if "." not in name or ":" in name or name.rpartition(".")[2].isdigit():
        return ""
    return _list().privatesuffix(name) or ""
