"""Host names in the strings of a dex. A name that stands there is not shown to be contacted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address

import numpy as np

from proscribe.assess.code.dex import Dex
from proscribe.assess.code.strings import decode

_AUTHORITY = re.compile(rb"[^\0-\x20/?#\\\"'<>(){}|^`%$,;*]{1,512}")
_SCHEME = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*$")
_LONGEST_SCHEME = 24
_COLON, _SLASH = b":/"
_CHUNK = 1 << 18
_MAX_SEPARATORS = 100_000  # of one dex
_LABEL = re.compile(r"[^\W_](?:[\w\-]{0,61}[^\W])?", re.ASCII)
_LABEL_IDN = re.compile(r"\w(?:[\w\-]{0,61}\w)?")
_ON_DEVICE = frozenset({b"content", b"file", b"android.resource", b"jar", b"package"})
"""Schemes whose authority is no host."""
MAX_HOSTS = 20_000
"""Different hosts of one package; the rest is cut and said."""

Found = dict[str, set[str]]


def hosts(dex: Dex) -> Found:
    """Host -> schemes, of every ``scheme://host`` and ``www.`` name in the strings of a dex."""
    found: Found = {}
    for scheme, authority in _authorities(dex):
        host = host_of(authority)
        if host:
            found.setdefault(host, set()).add(scheme)
            if len(found) >= MAX_HOSTS:
                break
    return found


def _authorities(dex: Dex) -> Iterator[tuple[str, str]]:
    data = dex.data
    for at in _separators(dex):
        authority = _AUTHORITY.match(data, at + 3)
        scheme = _SCHEME.search(data[max(0, at - _LONGEST_SCHEME) : at])
        name = scheme.group().lower() if scheme else b""
        if authority and name not in _ON_DEVICE:
            yield name.decode("ascii"), decode(authority.group())
    for index in dex.starting((b"www.", b"//")).tolist():
        authority = _AUTHORITY.match(dex.string(index).removeprefix(b"//"))
        if authority:
            yield "", decode(authority.group())


def _separators(dex: Dex) -> list[int]:
    """Where "://" stands among the strings."""
    starts = dex.string_starts[dex.string_sound]
    if not len(starts):
        return []
    low = int(starts.min())
    # A UTF-16 unit takes three bytes at most.
    high = min(int((starts + dex.string_lengths[dex.string_sound] * 3).max()), dex.header.end - 3)
    found = []
    for start in range(low, high, _CHUNK):
        colons = np.flatnonzero(dex.raw[start : min(start + _CHUNK, high)] == _COLON) + start
        colons = colons[(dex.raw[colons + 1] == _SLASH) & (dex.raw[colons + 2] == _SLASH)]
        found += colons.tolist()
        if len(found) > _MAX_SEPARATORS:
            dex.faults["code.too-many-hosts"] += 1
            break
    return found


def host_of(authority: str) -> str:
    """The host of an authority: no user, no port, lower case; IDN as it is written; "" for what is no host."""
    host = authority.rpartition("@")[2]
    if host.startswith("["):
        inner = host[1:].partition("]")[0]
        return f"[{inner.lower()}]" if _is_address(inner) else ""
    host = host.partition(":")[0].rstrip(".").lower()
    if _is_address(host):
        return host
    labels = host.split(".")
    if len(labels) < 2 or len(host) > 253 or labels[-1].isdigit():
        return ""
    label = _LABEL if host.isascii() else _LABEL_IDN
    return host if all(label.fullmatch(part) for part in labels) else ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
